"""Appointments: a person, an agent, a place, an hour. Made from a case or from one of its tasks, moved, cancelled, and what came of it.

Offered are the hours at which the branch is open and both are free, nobody being free who is on leave; that nobody is in two places at once is the database's to refuse. Whoever did not come is
told of by what the pathway has for that (`absence`), which counts the person's absences and never the administration's own. Agendas are `agendas`'.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority, users
from engine.actors.roles import ROLES
from engine.casework import editions, endings, exceptions, hours, letters, orders, staff
from engine.casework.instances import Change, lock
from engine.dossier import beneficiaries, programmes
from engine.identity import derived_id, new_id

PLACES = ("antenne", "unite_sociale", "bureau_emploi", "domicile", "telephone", "partenaire")
LENGTHS = (15, 30, 45, 60, 90, 120)  # minutes
FARTHEST = dt.timedelta(days=370)
SUMMONS = "rendez_vous"  # the letter of the edition
ABSENCE = "absence"  # the process that says what follows a missed appointment (X3)
KIND = "mesure.type"
CAUSES = {"missed": ("personne",), "not_held": ("agent", "fermeture")}
_HOLDING = sorted(code for code, role in ROLES.items() if role.reach == "branch" and not role.is_central and code not in ("secretaire_commission", "membre_commission", "president_commission"))
_COLUMNS = f"""a.appointment_id, a.instance_id AS case_id, i.number, a.task_id, a.agent_id, {staff.called("u")} AS agent, a.agency, a.branch, a.place, lower(a.during) AS begins_at,
               upper(a.during) AS ends_at, a.subject, a.state, a.cause, a.changes, a.letter_id, a.changed_at, i.branch AS case_branch, i.is_kept, i.is_shared_operator, i.assigned, i.also_read_by, i.lent_to,
               (SELECT jsonb_object_agg(f.field, f.value) FROM fact f WHERE f.person_id = i.person_id AND f.is_current AND f.field = ANY (:names)) AS person,
               (SELECT f.value #>> '{{}}' FROM fact f WHERE f.root_id = a.instance_id AND f.subject = a.subject AND f.field = :kind AND f.is_current) AS measure, masar_now() AS now"""
_FROM = "FROM appointment a LEFT JOIN instance i USING (instance_id) JOIN user_account u ON u.user_id = a.agent_id"
_ONE = text(f"SELECT {_COLUMNS} {_FROM} WHERE a.appointment_id = :id")
_OF_CASE = text(f"SELECT {_COLUMNS} {_FROM} WHERE a.instance_id = :case ORDER BY lower(a.during) DESC LIMIT 100")
_BETWEEN = text(f"""SELECT {_COLUMNS} {_FROM} WHERE lower(a.during) >= :since AND lower(a.during) < :until AND (CAST(:agent AS uuid) IS NULL OR a.agent_id = :agent)
                       AND (CAST(:branch AS text) = '' OR a.branch = :branch) ORDER BY lower(a.during), a.appointment_id LIMIT 500""")
_MOVE = text("""UPDATE appointment SET agent_id = :agent, agency = :agency, branch = :branch, during = tstzrange(:begins, :ends), place = :place, letter_id = :letter,
                       changes = changes + 1, changed_at = :now WHERE appointment_id = :id""")
_SETTLE = text("UPDATE appointment SET state = :state, cause = :cause, changes = changes + 1, changed_at = :now WHERE appointment_id = :id")
_CASE = text("SELECT instance_id, root_id, number, branch, status, is_kept, is_shared_operator, assigned, also_read_by, lent_to FROM instance WHERE instance_id = :id AND root_id = instance_id")
# What followed of a missed appointment, as long as nobody did anything of it and no clock stands still for it.
_FOLLOWS = text("""SELECT i.instance_id FROM instance i JOIN instance r ON r.instance_id = i.root_id
                    WHERE i.instance_id = :id AND i.status = 'open' AND r.suspended_at IS NULL AND NOT EXISTS (SELECT FROM task_done d WHERE d.instance_id = i.instance_id)""")
_TASK = text("SELECT subject FROM open_task WHERE task_id = :task AND root_id = :case")
# What an appointment may be made for: the measures under way whose kind the reader may know.
_MEASURES = text("""SELECT DISTINCT f.subject, f.value #>> '{}' AS kind FROM wait w JOIN instance i USING (instance_id)
                      JOIN fact f ON f.root_id = i.root_id AND f.subject = 'mesure:' || w.correlation AND f.field = :kind AND f.is_current
                     WHERE i.root_id = :case AND w.kind = 'message' AND w.name = 'mesure.abandonnee' ORDER BY f.subject""")
_AGENTS = text("""SELECT user_id, name, name_ar, agency, branch FROM user_account WHERE is_active AND branch = :branch AND (roles && CAST(:roles AS text[]))
                    AND (agency <> 'PART' OR user_id = ANY (CAST(:assigned AS uuid[]))) ORDER BY agency, name""")


@dataclass(frozen=True)
class Appointment:
    """One appointment as its reader sees it; `person` is "" where the name is not hers to read, `case_id` None where the case is another branch's by now.
    `measure`: the kind of that it serves, "" where it is of the whole case. `may_write`: move, cancel, settle; `may_say_late`: that she came after all."""

    appointment_id: UUID
    case_id: UUID | None
    case_number: str
    person: str
    agent_id: UUID
    agent: str
    agency: str
    branch: str
    place: str
    measure: str
    begins_at: dt.datetime
    ends_at: dt.datetime
    state: str
    cause: str
    changes: int
    changed_at: dt.datetime
    letter_id: UUID | None
    is_begun: bool
    may_write: bool
    may_say_late: bool = False

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.begins_at).total_seconds() // 60)


@dataclass(frozen=True)
class Agent:
    """Somebody with whom an appointment may be made."""

    user_id: UUID
    name: str
    agency: str


@dataclass(frozen=True)
class Measure:
    """A measure under way, which an appointment may serve; `subject`: `mesure:<id>`."""

    subject: str
    name: str


@dataclass(frozen=True)
class FreeHours:
    """What may be chosen for a case on a day: with whom, for which measure, and when it may begin; `day` is the next open one where the day asked for is closed or full."""

    case_id: UUID
    case_number: str
    branch: str
    agents: tuple[Agent, ...]
    agent_id: UUID
    minutes: int
    day: dt.date
    slots: tuple[dt.datetime, ...]
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class Settled:
    """What was said of an appointment; `next_tasks`: those that a missed one opened and the same person may do."""

    case_id: UUID
    next_tasks: tuple[UUID, ...] = ()


def show(session: Session, actor: Any, appointment_id: UUID) -> Appointment:
    """One appointment. Refuses: `appointment.not_found`."""
    row = _row(session, actor, appointment_id)
    may = row.number is not None and row.state in CAUSES and authority.may(actor, "appointment.write", branch=row.case_branch, case=row)
    return replace(_seen(session, actor, [row])[0], may_say_late=may and _follows(session, row) is not None)


def of_case(session: Session, actor: Any, case_id: UUID) -> tuple[Appointment, ...]:
    """The appointments of a case, the latest first. Refuses: NotFound."""
    _case(session, actor, case_id)
    return _seen(session, actor, session.execute(_OF_CASE, {"case": case_id, **_words(actor)}).all())


def between(session: Session, actor: Any, since: dt.datetime, until: dt.datetime, *, agent_id: UUID | None = None, branch: str = "") -> tuple[Appointment, ...]:
    """The appointments that begin between two instants, of one agent or of a branch, in order; those the actor may read."""
    authority.require(actor, "worklist.read")
    rows = session.execute(_BETWEEN, {"since": since, "until": until, "agent": agent_id, "branch": branch, **_words(actor)})
    return _seen(session, actor, rows.all())


def agenda(session: Session, actor: Any, first: dt.date, days: int, *, of_branch: bool = False, branch: str = "") -> tuple[Appointment, ...]:
    """The appointments of some days from `first` on, one's own or a branch's: whoever reaches one branch alone sees that one. The first 500."""
    since, until = (dt.datetime.combine(one, dt.time(), clock.TUNIS) for one in (first, first + dt.timedelta(days=days)))
    whose: dict[str, Any] = {"branch": branch if actor.reach == "all" else actor.branch} if of_branch else {"agent_id": actor.user_id}
    return between(session, actor, since, until, **whose)


def offer(session: Session, actor: Any, case_id: UUID, *, agent_id: UUID | None = None, day: dt.date | None = None, minutes: int = 30) -> FreeHours:
    """When an appointment may begin. Without a day, or where it has no room left, the next that has some within three weeks. Refuses: NotFound, Forbidden, `appointment.no_agent` (Conflict)."""
    row = _case(session, actor, case_id)
    authority.require(actor, "appointment.write", branch=row.branch, case=row)
    agents = _agents(session, actor.language, row)
    if not agents:
        raise errors.Conflict("appointment.no_agent")
    chosen = next((one for one in agents if one.user_id == agent_id), None) or next((one for one in agents if one.user_id == actor.user_id), agents[0])
    minutes = minutes if minutes in LENGTHS else 30
    present = programmes.present(session)
    today = clock.today(present.at)
    wanted = min(max(day or today, today), today + FARTHEST)
    first, length = present.calendar.shift(wanted, 0), dt.timedelta(minutes=minutes)
    measures = _measures(session, actor, case_id)
    for number in range(15):
        found = present.calendar.shift(first, number) if number else first
        slots = hours.free(session, present.calendar, present.at, chosen.user_id, case_id, found, length)
        if slots or (day is not None and found == day):
            return FreeHours(case_id, row.number or "", row.branch, agents, chosen.user_id, minutes, found, slots, measures)
    return FreeHours(case_id, row.number or "", row.branch, agents, chosen.user_id, minutes, first, (), measures)


def make(session: Session, actor: Any, case_id: UUID, agent_id: UUID, begins_at: dt.datetime, minutes: int, place: str, *, task_id: UUID | None = None, measure: str = "",
         key: str = "") -> UUID:  # fmt: skip
    """Makes an appointment and writes the summons of the person; returns its id. It serves what its task does, else `measure` (`mesure:<id>`) or the whole case. The same `key` again makes none.

    Refuses: NotFound (`task.not_found` too), Forbidden; `appointment.agent`, `appointment.length`, `appointment.place`, `appointment.measure`, `appointment.closed`, `appointment.past` (Invalid);
    `appointment.case_closed`, `appointment.agent_away`, `appointment.agent_taken`, `appointment.person_taken` (Conflict). Records: `appointment.made`.
    """
    change, row = _begin(session, actor, case_id)
    appointment_id = derived_id(case_id, f"rendez-vous {key}") if key else new_id()
    if key and session.execute(_ONE, {"id": appointment_id, **_words(actor)}).one_or_none():
        return appointment_id
    if change.held.status != "open":
        raise errors.Conflict("appointment.case_closed")
    subject = session.execute(_TASK, {"task": task_id, "case": case_id}).scalar() if task_id else measure
    if subject is None:
        raise errors.NotFound("task.not_found")
    if not task_id and subject and subject not in {one.subject for one in _measures(session, actor, case_id)}:
        raise errors.wrong("appointment.measure", "/measure")
    agent = _checked(session, change, row, agent_id, begins_at, minutes, place)
    ends_at = begins_at + dt.timedelta(minutes=minutes)
    letter = _tell(change, "appointment.made", appointment_id, agent, begins_at, ends_at, place, {"task": str(task_id)} if task_id else {"measure": subject} if subject else {})
    hours.keep(session, hours.INSERT, id=appointment_id, case=case_id, task=task_id, subject=subject, agent=agent.user_id, agency=agent.agency, branch=row.branch, begins=begins_at, ends=ends_at, place=place,
          letter=letter, by=actor.user_id, now=change.at)  # fmt: skip
    change.write()
    return appointment_id


def move(session: Session, actor: Any, appointment_id: UUID, agent_id: UUID, begins_at: dt.datetime, minutes: int, place: str) -> None:
    """Another hour, agent or place; a summons is written anew. Refuses: as `make`; `appointment.not_found`, `appointment.over` (Conflict). Records: `appointment.moved`."""
    change, row, was = _of(session, actor, appointment_id)
    agent = _checked(session, change, row, agent_id, begins_at, minutes, place)
    ends_at = begins_at + dt.timedelta(minutes=minutes)
    letter = _tell(change, "appointment.moved", appointment_id, agent, begins_at, ends_at, place, {"was": was.begins_at.isoformat()})
    hours.keep(session, _MOVE, id=appointment_id, agent=agent.user_id, agency=agent.agency, branch=row.branch, begins=begins_at, ends=ends_at, place=place, letter=letter, now=change.at)
    change.write()


def cancel(session: Session, actor: Any, appointment_id: UUID, reason: str) -> UUID:
    """Takes an appointment back before it was to begin, with a paper for the person; returns its case. Refuses: `appointment.not_found`; `appointment.over`, `appointment.begun` (Conflict); `appointment.reason` (Invalid).
    Records: `appointment.cancelled`."""
    change, _, was = _of(session, actor, appointment_id)
    if was.begins_at <= change.at:
        raise errors.Conflict("appointment.begun")
    if not reason.strip():
        raise errors.wrong("appointment.reason", "/reason")
    endings.call_off(change, was, "annule", reason=reason.strip()[:2000])
    change.write()
    return change.held.root_id


def settle(session: Session, actor: Any, appointment_id: UUID, outcome: str, cause: str = "") -> Settled:
    """What came of an appointment: `attended`, `missed` by the person, or `not_held` by the administration (`cause`: agent, fermeture), which is never counted against her.
    Of the two last the pathway is told (X3): it offers another date, calls, writes, suspends. Whoever came late is said to have attended after all, until somebody did what followed: that ends, and counts no more.

    Refuses: `appointment.not_found`; `appointment.outcome` (Invalid); `appointment.over`, `appointment.not_begun` (Conflict); Forbidden. Records: `appointment.<outcome>`.
    """
    change, _, was = _of(session, actor, appointment_id, ("set", *(CAUSES if outcome == "attended" else ())))
    if outcome not in ("attended", *CAUSES):
        raise errors.wrong("appointment.outcome", "/outcome")
    causes = CAUSES.get(outcome, ("",))
    if cause not in causes:
        if len(causes) > 1:
            raise errors.wrong("appointment.outcome", "/cause")
        cause = causes[0]
    if change.at < was.begins_at:
        raise errors.Conflict("appointment.not_begun")
    if was.state != "set":
        follows = _follows(session, was)
        if follows is None:
            raise errors.Conflict("appointment.followed")
        orders.give(change, "ordre.cloture", {"motif": orders.CAME}, [follows])
    change.note(f"appointment.{outcome}", {"appointment": str(appointment_id), "owner": str(was.agent_id), "cause": cause})
    hours.keep(session, _SETTLE, id=appointment_id, state=outcome, cause=cause, now=change.at)
    change.write()
    held = change.held
    if outcome == "attended" or held.status != "open" or ABSENCE not in editions.current(session).definitions.unforeseen:
        return Settled(held.root_id)
    said = {"absence.rdv_le": clock.today(was.begins_at).isoformat(), "absence.cause": cause}
    begun = exceptions.begin(session, actor, held.root_id, ABSENCE, said, f"rendez-vous {appointment_id}", is_typed=False, follows=True)
    return Settled(held.root_id, begun.next_tasks)


def _begin(session: Session, actor: Any, case_id: UUID) -> tuple[Change, Any]:
    """The case, locked, of somebody who may make appointments of it."""
    row = _case(session, actor, case_id)
    authority.require(actor, "appointment.write", branch=row.branch, case=row)
    held = lock(session, case_id)
    if held is None:
        raise errors.NotFound("case.not_found")
    return Change(session, actor, held, held.now), row


def _follows(session: Session, row: Any) -> UUID | None:
    """What a missed appointment began, where it can still be taken back."""
    return session.execute(_FOLLOWS, {"id": exceptions.named(row.case_id, ABSENCE, f"rendez-vous {row.appointment_id}")}).scalar()


def _of(session: Session, actor: Any, appointment_id: UUID, states: Sequence[str] = ("set",)) -> tuple[Change, Any, Any]:
    """The case of an appointment that still stands (is in one of these states), locked, and the appointment as it is under the lock."""
    was = _row(session, actor, appointment_id)
    change, case = _begin(session, actor, was.case_id)
    was = _row(session, actor, appointment_id)
    if was.state not in states:
        raise errors.Conflict("appointment.over")
    return change, case, was


def _checked(session: Session, change: Change, row: Any, agent_id: UUID, begins_at: dt.datetime, minutes: int, place: str) -> Agent:
    agent = next((one for one in _agents(session, "fr", row) if one.user_id == agent_id), None)
    if agent is None:
        raise errors.wrong("appointment.agent", "/agent_id")
    if minutes not in LENGTHS:
        raise errors.wrong("appointment.length", "/minutes")
    if place not in PLACES:
        raise errors.wrong("appointment.place", "/place")
    if begins_at <= change.at or begins_at > change.at + FARTHEST:
        raise errors.wrong("appointment.past", "/begins_at")
    if not change.tables.calendar.has_room(begins_at, begins_at + dt.timedelta(minutes=minutes)):
        raise errors.wrong("appointment.closed", "/begins_at")
    if hours.is_off(session, agent_id, begins_at, minutes):
        raise errors.Conflict("appointment.agent_away")
    return agent


def _tell(change: Change, kind: str, appointment_id: UUID, agent: Agent, begins_at: dt.datetime, ends_at: dt.datetime, place: str, more: Mapping[str, str]) -> UUID | None:
    """The line, and the summons that it tells of where the edition has one."""
    letter = letters.write(change, SUMMONS, "", told=endings.occasion(begins_at, place))
    body = {"appointment": str(appointment_id), "owner": str(agent.user_id), "begins_at": begins_at.isoformat(), "ends_at": ends_at.isoformat(), "place": place, **more}
    change.note(kind, body | ({"letter": str(letter.letter_id)} if letter else {}), sealed=letter.sealed if letter else {})
    return letter.letter_id if letter else None


def _agents(session: Session, language: str, case: Any) -> tuple[Agent, ...]:
    """Who receives persons in the branch of the case; of partners, whom it is entrusted to."""
    rows: Sequence[Any] = session.execute(_AGENTS, {"branch": case.branch, "roles": _HOLDING + ["operateur"], "assigned": case.assigned if case.is_shared_operator else []}).all()
    return tuple(Agent(row.user_id, users.in_script(row, language), row.agency) for row in rows)


def _measures(session: Session, actor: Any, case_id: UUID) -> tuple[Measure, ...]:
    rows = session.execute(_MEASURES, {"case": case_id, "kind": KIND}).all()
    called = _called(session, (row.kind for row in rows), actor.language)
    return tuple(Measure(row.subject, called[row.kind]) for row in rows)


def _called(session: Session, kinds: Iterable[str | None], language: str) -> Mapping[str | None, str]:
    """Kinds of measures as the dictionary in force names them; none has no name."""
    asked = set(kinds) - {None}
    spec = editions.current(session).dictionary.fields.get(KIND) if asked else None
    return {None: "", **{kind: spec.choice_label(kind, language) if spec and kind in spec.codes else kind for kind in asked}}


def _case(session: Session, actor: Any, case_id: UUID) -> Any:
    """A case that the actor reads: to whoever does not, it is not there, whatever she would do of it."""
    row = session.execute(_CASE, {"id": case_id}).one_or_none()
    if row is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "case.read", branch=row.branch, case=row)
    return row


def _row(session: Session, actor: Any, appointment_id: UUID) -> Any:
    row = session.execute(_ONE, {"id": appointment_id, **_words(actor)}).one_or_none()
    if row is None or (row.agent_id != actor.user_id and not authority.may(actor, "appointment.read", branch=row.case_branch, case=row)):
        raise errors.NotFound("appointment.not_found")
    return row


def _words(actor: Any) -> dict[str, Any]:
    return {"language": actor.language, "names": list(beneficiaries.NAME_FIELDS), "kind": KIND}


def _seen(session: Session, actor: Any, rows: Sequence[Any]) -> tuple[Appointment, ...]:
    called = _called(session, (row.measure for row in rows), actor.language)
    return tuple(_one(row, actor, called[row.measure]) for row in rows)


def _one(row: Any, actor: Any, measure: str) -> Appointment:
    may_write = row.number is not None and row.state == "set" and authority.may(actor, "appointment.write", branch=row.case_branch, case=row)
    return Appointment(
        row.appointment_id, row.case_id if row.number else None, row.number or "", beneficiaries.full_name(row.person or {}, actor.language), row.agent_id, row.agent, row.agency,
        row.branch, row.place, measure, row.begins_at, row.ends_at, row.state, row.cause, row.changes, row.changed_at, row.letter_id, row.begins_at <= row.now, may_write,
    )  # fmt: skip
