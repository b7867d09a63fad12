"""What an unforeseen thing does to its case: to move it to another branch, to stop and start its clocks, to end it.

An operation of its diagram sends an order to the case and to each of its parts; each is obeyed in a unit of work of its own, with a line of its own, so that
no unit of work holds the locks of two. Not here: who may begin what (`exceptions`), what the diagrams make of it; what holds payments (`holds`), what opens a case again (`reopenings`), what ends one measure (`plan_measures`).
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock
from engine.actors.agencies import ANETI, CPS, OTE, PARTNERS
from engine.actors.roles import ROLES
from engine.casework import aid_operations, endings, notices, operations, snapshots
from engine.casework.instances import Change, lock
from engine.casework.operations import CannotRun, Outcome
from engine.casework.rows import instant
from engine.pathway import bpmn

_READ_AFTER_TRANSFER = dt.timedelta(days=30)
_PARTS = text("SELECT instance_id, subject, status FROM instance WHERE root_id = :root ORDER BY opened_at, instance_id")
_AIDS = text("""SELECT i.instance_id, f.value #>> '{}' AS kind FROM instance i
                  LEFT JOIN fact f ON f.root_id = i.root_id AND f.subject = 'mesure:' || split_part(i.subject, ':', 2) AND f.field = 'mesure.type' AND f.is_current
                 WHERE i.root_id = :root AND i.status = 'open' AND i.subject LIKE 'aide:%' ORDER BY i.opened_at, i.instance_id""")
_IS_OPEN = text("SELECT masar_branch_is_open(:branch)")
_TASKS_GO = text("""UPDATE open_task SET branch = CASE WHEN role = ANY (CAST(:central AS text[])) THEN branch ELSE :to END,
                           holder_id = CASE WHEN role = ANY (CAST(:central AS text[])) THEN holder_id WHEN role = 'referent' THEN CAST(:referent AS uuid) END,
                           claimed_at = CASE WHEN role = ANY (CAST(:central AS text[])) THEN claimed_at END, version = version + 1
                     WHERE instance_id = :id""")
_READ_TOO = text("UPDATE instance SET also_read_by = :branch, also_read_until = CAST(:until AS timestamptz) WHERE instance_id = :id")
_READ_ON = text("UPDATE instance SET also_read_until = CAST(:until AS timestamptz), seq = :seq, head = :head WHERE instance_id = :id AND also_read_by <> ''")
_HANDED = text("UPDATE instance SET also_read_by = :branch, also_read_until = NULL, seq = :seq, head = :head WHERE instance_id = :id")
_ENDED_GOES = text("""UPDATE instance SET branch = :to, referent_id = :referent, social_worker_id = :social_worker, assigned = CAST(:assigned AS uuid[]), seq = :seq, head = :head
                        WHERE instance_id = :id""")
_CLOCKS = text("""SELECT position, 'task' AS kind, node, names, opened_at, due_at, remind_at FROM open_task WHERE instance_id = :id AND due_at IS NOT NULL
                  UNION ALL SELECT position, 'timer', node, labels, opened_at, due_at, NULL FROM wait WHERE instance_id = :id AND kind = 'timer' AND due_at IS NOT NULL
                  ORDER BY due_at, position""")
_KEEP = text("""INSERT INTO stopped_clock (instance_id, position, kind, root_id, node, names, due_at, remind_at, stopped_at)
                SELECT instance_id, position, 'task', root_id, node, names, due_at, remind_at, :at FROM open_task WHERE instance_id = :id AND due_at IS NOT NULL
                UNION ALL SELECT instance_id, position, 'timer', :root, node, labels, due_at, NULL, :at FROM wait
                           WHERE instance_id = :id AND kind = 'timer' AND due_at IS NOT NULL""")
_STOP = (text("UPDATE open_task SET due_at = NULL, remind_at = NULL WHERE instance_id = :id AND due_at IS NOT NULL"),
         text("UPDATE wait SET due_at = NULL WHERE instance_id = :id AND kind = 'timer'"),
         text("UPDATE instance SET suspended_at = :at WHERE instance_id = :id"))  # fmt: skip
_STOPPED = text("SELECT position, kind, node, due_at, remind_at, stopped_at FROM stopped_clock WHERE instance_id = :id")
_TASK_RUNS = text("UPDATE open_task SET due_at = :due, remind_at = :remind WHERE instance_id = :id AND position = :position")
_TIMER_RUNS = text("UPDATE wait SET due_at = :due WHERE instance_id = :id AND position = :position AND kind = 'timer'")
_START = (text("DELETE FROM stopped_clock WHERE instance_id = :id"), text("UPDATE instance SET suspended_at = NULL WHERE instance_id = :id"))
_SITTINGS = text("SELECT instance_id FROM instance WHERE process = 'seance_commission' AND status = 'open' AND scope -> 'aide' ? :aid ORDER BY instance_id")
EVERYBODY = (OTE, CPS, ANETI, PARTNERS, "seance")  # of a sitting: each member who studies a file, and whoever decides of it
# Each absence is a subject of its own; this one's facts are not stored yet.
_ABSENCES = text("""SELECT count(*) FROM fact d JOIN fact c ON c.subject = d.subject AND c.field = 'absence.cause' AND c.is_current AND c.value = '"personne"'
                     WHERE d.root_id = :root AND d.field = 'absence.rdv_le' AND d.is_current AND d.value #>> '{}' >= :since
                       AND NOT EXISTS (SELECT FROM instance i WHERE i.root_id = d.root_id AND i.subject = d.subject AND i.outcome = :came)""")
_MOOT = text("SELECT instance_id FROM instance WHERE root_id = :root AND status = 'open' AND process = 'absence' AND instance_id <> :me ORDER BY instance_id")  # nobody is looked for in a closed case
CAME = "venue"  # an absence that was none: she came late
_WHY = "aide.retrait"
GIVEN_UP = "aide.abandonnee"  # what an aid's diagram hears once its contract binds: it settles its accounts, then ends by itself
_REASONS = {"consentement_retire": "consentement_retire", "desistement": "desistement", "deces": "deces"}  # why a file left its sitting; of any other that its case is closed
_SUSPENDED = text("SELECT suspended_at FROM instance WHERE instance_id = :id")

Handler = Callable[[Change, Mapping[str, Any]], None]
HEARD: dict[str, Handler] = {}


def order(name: str) -> Callable[[Handler], Handler]:
    """Registers what an instance does when it is given an order of this name."""

    def register(handler: Handler) -> Handler:
        HEARD[name] = handler
        return handler

    return register


def obey(session: Session, actor: Any, name: str, instance_id: UUID, payload: Mapping[str, Any]) -> Change | None:
    """Does what an order says to one instance; None where there is none. Records the order's own line."""
    held = lock(session, instance_id)
    if held is None:
        return None
    change = Change(session, actor, held, held.now)
    HEARD[name](change, payload)
    return change


def give(change: Change, name: str, payload: Mapping[str, Any], to: Iterable[UUID]) -> None:
    """Sends an order to instances of the case, carried like every message."""
    for one in to:
        change.send(name, str(one), payload)


def parts(change: Change, *, beside: bool = True, ended: bool = False) -> list[UUID]:
    """The case and its parts. `beside`: with what runs beside its road; `ended`: with what is over."""
    rows = change.session.execute(_PARTS, {"root": change.held.root_id}).all()
    return [row.instance_id for row in rows if (ended or row.status == "open") and (beside or not row.subject.startswith("imprevu:"))]


# --- to another branch ---


@operations.operation("proposer_antenne", "antenne")
def offer_to_branch(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Offers the case to another branch: what is decided of it waits there, and that branch reads the case meanwhile."""
    code = str(parameters.get("antenne") or "")
    if code == change.held.branch or not change.session.execute(_IS_OPEN, {"branch": code}).scalar():
        raise CannotRun("operation.no_branch")
    left = change.held.branch
    _hand(change, code)
    give(change, "ordre.lecture", {"antenne": code}, [one for one in parts(change, ended=True) if one != change.held.instance_id])
    return Outcome({"branche": code, "antenne_depart": left})


@operations.operation("retirer_proposition", "antenne")
def take_offer_back(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """The other branch refused: what is decided of the case waits at its own (`antenne`) again, and nobody else reads it."""
    _hand(change, str(parameters.get("antenne") or change.held.branch))
    give(change, "ordre.lecture", {"antenne": ""}, parts(change, ended=True))
    return Outcome({"branche": change.held.branch})


@operations.operation("transferer_dossier", "antenne")
def transfer(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Moves the whole case, with its dossiers and what is over, to a branch: its case owner there is the referent with the fewest cases."""
    code = str(parameters.get("antenne") or "")
    if not change.session.execute(_IS_OPEN, {"branch": code}).scalar():
        raise CannotRun("operation.no_branch")
    row = change.session.execute(operations.LEAST_LOADED, {"branch": code}).one_or_none()
    if row is None:
        raise CannotRun("operation.no_referent")
    change.held.referent_id = row.user_id
    change.flush()  # whoever handed it over reads this as long as the rest of the case
    change.session.execute(_READ_ON, {"id": change.held.instance_id, "until": change.at + _READ_AFTER_TRANSFER, "seq": change.held.seq, "head": change.held.head})
    give(change, "ordre.transfert", {"antenne": code, "referent": str(row.user_id)}, [one for one in parts(change, ended=True) if one != change.held.instance_id])
    return Outcome({"referent": str(row.user_id)}, [
        operations.recorded(change, to, value, is_said=True) for name, to in (("adresse", "person.adresse"), ("gouvernorat", "person.gouvernorat"), ("delegation", "person.delegation"))
        if (value := said(change, "transfert", name)) is not None
    ])  # fmt: skip


def _hand(change: Change, branch: str) -> None:
    """Hands what decides of a case to another branch; whoever hands it over reads it still, else the row would leave her sight in the midst of her act."""
    held = change.held
    change.flush()
    change.session.execute(_HANDED, {"id": held.instance_id, "branch": held.branch, "seq": held.seq, "head": held.head})
    held.branch = branch


def said(change: Change, group: str, name: str) -> Any:
    """What was said of an unforeseen thing, where the form asked it."""
    held = change.held
    rows = change.look(held.subjects, [f"{group}.{name}"])
    return next((one.value for one in [*change.pending, *rows] if one.field == f"{group}.{name}" and one.subject == held.subject and one.status == "known"), None)


@order("ordre.lecture")
def _read_too(change: Change, payload: Mapping[str, Any]) -> None:
    branch = str(payload.get("antenne") or "")
    change.note("case.shown", {"branch": branch})
    save(change)
    change.session.execute(_READ_TOO, {"id": change.held.instance_id, "branch": branch, "until": None})


@order("ordre.transfert")
def _move(change: Change, payload: Mapping[str, Any]) -> None:
    held, to, referent = change.held, str(payload["antenne"]), str(payload.get("referent") or "")
    left = held.branch
    if left == to:
        return
    change.note("case.transferred", {"from": left, "to": to, "referent": referent})
    # Health stays with the social worker who was named: who takes over there is named by taking a task.
    held.branch, held.referent_id, held.social_worker_id, held.assigned = to, UUID(referent) if referent else None, None, []
    if held.instance_id == held.root_id and endings.call_off_all(change, "transfert"):  # whoever expected her here does so no more
        notices.tell(change.session, change.actor, held.referent_id, "appointment.to_make", to, instance_id=held.instance_id)
    save(change)
    central = [name for name, role in ROLES.items() if role.is_central]
    change.session.execute(_TASKS_GO, {"id": held.instance_id, "to": to, "referent": referent or None, "central": central})
    change.session.execute(_READ_TOO, {"id": held.instance_id, "branch": left, "until": change.at + _READ_AFTER_TRANSFER})


def save(change: Change) -> None:
    """Writes the instance's own row. What is over keeps the day and the way it ended."""
    held = change.held
    if held.status == "open":
        change.write()
    else:
        change.session.execute(_ENDED_GOES, {"id": held.instance_id, "to": held.branch, "referent": held.referent_id, "social_worker": held.social_worker_id, "assigned": held.assigned,
                                             "seq": held.seq, "head": held.head})  # fmt: skip


# --- clocks ---


@operations.operation("suspendre_dossier")
def suspend(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Stops the clocks of the case and of its dossiers: nothing rings, nothing is late; what runs beside its road keeps its own."""
    give(change, "ordre.suspension", {}, parts(change, beside=False))
    return Outcome()


@operations.operation("reprendre_dossier")
def resume(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Starts them again: each is due later by as long as it stood still."""
    give(change, "ordre.reprise", {}, parts(change, beside=False))
    return Outcome()


@order("ordre.suspension")
def _stop(change: Change, _payload: Mapping[str, Any]) -> None:
    held, session = change.held, change.session
    if held.status != "open" or session.execute(_SUSPENDED, {"id": held.instance_id}).scalar() is not None:
        return
    clocks = session.execute(_CLOCKS, {"id": held.instance_id}).all()
    change.note("clocks.stopped", {"clocks": [[one.position, one.kind, one.node, instant(one.due_at)] for one in clocks]})
    save(change)
    session.execute(_KEEP, {"id": held.instance_id, "root": held.root_id, "at": change.at})
    for statement in _STOP:
        session.execute(statement, {"id": held.instance_id, "at": change.at})


@order("ordre.reprise")
def go_on(change: Change, _payload: Mapping[str, Any]) -> None:
    held, session = change.held, change.session
    since = session.execute(_SUSPENDED, {"id": held.instance_id}).scalar()
    if held.status != "open" or since is None:
        return
    stopped = {(one.kind, one.position): (one.due_at, one.remind_at, one.stopped_at) for one in session.execute(_STOPPED, {"id": held.instance_id})}
    running = {(one.kind, one.position): (one.due_at, one.remind_at, one.opened_at) for one in session.execute(_CLOCKS, {"id": held.instance_id})}
    still = {(one.kind, one.position) for one in bpmn_open(change)}
    due: dict[str, str | None] = {}
    moves = []
    for (kind, position), (due_at, remind_at, stopped_at) in (running | stopped).items():
        if (kind, position) not in still:
            continue  # done meanwhile
        later = change.at - max(stopped_at, since)
        if kind == "task":  # nobody is late on a day on which the branch is closed
            day = clock.today(due_at + later)
            later += change.tables.calendar.shift(day, 0) - day
        due[position] = instant(due_at + later)
        moves.append((_TASK_RUNS if kind == "task" else _TIMER_RUNS,
                      {"id": held.instance_id, "position": position, "due": due_at + later, **({"remind": remind_at and remind_at + later} if kind == "task" else {})}))
    change.note("clocks.started", {"since": instant(since), "clocks": due, "number": (clock.today(change.at) - clock.today(since)).days})
    save(change)
    for statement, values in moves:
        session.execute(statement, values)
    for statement in _START:
        session.execute(statement, {"id": held.instance_id})


def bpmn_open(change: Change) -> list[Any]:
    """The tasks and timers of an instance that are still there, by kind and position."""
    return list(change.session.execute(text("""SELECT 'task' AS kind, position FROM open_task WHERE instance_id = :id
        UNION ALL SELECT 'timer', position FROM wait WHERE instance_id = :id AND kind = 'timer'"""), {"id": change.held.instance_id}))  # fmt: skip


# --- the end ---


@operations.operation("clore_dossier", "motif")
def close(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Ends the case where it stands, with its dossiers and the other absences that are followed: nothing of it is done any more. `motif`: a reason of `cloture.motif`, which the case keeps."""
    reason = str(parameters.get("motif") or "")
    moot = change.session.execute(_MOOT, {"root": change.held.root_id, "me": change.held.instance_id}).scalars().all()
    give(change, "ordre.cloture", {"motif": reason}, [*parts(change, beside=False), *moot])
    return Outcome({"clos": True}, [operations.recorded(change, "cloture.motif", reason, is_said=True)])


@operations.operation("arreter_aides", "mesure")
def stop_aids(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Ends the aid dossiers of the case that are under way, of a kind of measure where one is said (`mesure`); the case goes on."""
    rows = change.session.execute(_AIDS, {"root": change.held.root_id}).all()
    kind = str(parameters.get("mesure") or "")
    found = [row.instance_id for row in rows if kind in ("", row.kind)]
    if rows and not found:
        raise CannotRun("operation.no_such_aid")
    give(change, "ordre.cloture", {"motif": "desistement"}, found)
    return Outcome()


@order("ordre.cloture")
def _end(change: Change, payload: Mapping[str, Any]) -> None:
    if change.held.status == "open":
        end(change, str(payload.get("motif") or ""))


def end(change: Change, outcome: str) -> bool:
    """Ends an instance where it stands; an aid that has moved money goes to its settlement instead where its diagram draws one, and False is answered. Of another aid, what
    it had not spent goes back to its fund, and its case is told, and the sitting that was to decide of it. Records: `aid.given_up` or `case.stopped`."""
    held = change.held
    is_aid = held.subject.startswith("aide:")
    why = _REASONS.get(outcome, "dossier_clos")
    said = []
    money = snapshots.at(change.session, held.instance_id, held.seq)[0].money if is_aid else {}
    if GIVEN_UP in held.edition.definitions.message_names and any(money.values()):
        change.send(GIVEN_UP, held.subject.partition(":")[2], {})
        change.note("aid.given_up", {"reason_code": outcome})
        change.write()
        return False
    rest = aid_operations.give_back(change, money) if is_aid else 0
    if is_aid:  # whoever waits for it on the case's road is told
        change.send("aide.terminee", held.subject.partition(":")[2], {"issue": outcome})
        if leave_sittings(change, EVERYBODY, why) and _WHY in held.edition.dictionary.fields:
            said.append(operations.recorded(change, _WHY, why))
    change.give("case.stopped", bpmn.Stop(outcome=outcome, at=change.at, seq=0, facts={}), {"reason_code": outcome} | ({"released": rest} if rest else {}), said)
    endings.finish(change)
    return True


def leave_sittings(change: Change, whose: Collection[str], why: str) -> bool:
    """Tells each open sitting that has the aid on its agenda whose business it is no more (`whose`, of `EVERYBODY`), and why (`set_aside`); False where none has."""
    aid = change.held.subject.partition(":")[2]
    found = change.session.execute(_SITTINGS, {"aid": aid}).scalars().all()
    give(change, "ordre.seance", {"aide": aid, "pour": list(whose), "motif": why}, found)
    return bool(found)


@operations.operation("compter_absences", "jours")
def count_absences(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """How many appointments the person missed in so many days (`jours`), this one among them; those that the administration missed do not count."""
    since = clock.today(change.at) - dt.timedelta(days=int(parameters.get("jours") or 0))
    return Outcome({"absences_comptees": change.session.execute(_ABSENCES, {"root": change.held.root_id, "since": since.isoformat(), "came": CAME}).scalar_one()
                    + int(said(change, "absence", "cause") == "personne")})  # fmt: skip
