"""Cases: opening one, reading where it stands, its history. The steps themselves are `instances`; tasks are `tasks`."""

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import authority
from engine.casework import aid_operations, appeals, editions, endings, holds, operations, opinions, orders, plan_measures, referrals, reliefs, reopenings, signal_operations, staff, summons, withdrawals  # noqa: F401 (each registers its own)
from engine.casework import search as finding
from engine.casework.instances import CASE_SERIES, OWN_SUBJECT, SERIES, Change, Held, find
from engine.casework.views import Candidate, CaseFile, Happened, History, KnownFact, Opened, Stand, Waiting
from engine.dossier import beneficiaries, facts
from engine.i18n import pick
from engine.ledger import access, consultations
from engine.pathway import bpmn
from forms import text as words
from forms.scope import on_the_day

_INSERT = text("""
    INSERT INTO instance (instance_id, root_id, parent_id, process, edition_id, person_id, number, branch, subject, scope, state, seq, head, opened_at, stage, is_shared, is_shared_funder, is_shared_operator,
                          assigned, referent_id, social_worker_id)
    VALUES (:instance, :root, :parent, :process, :edition, :person, :number, :branch, :subject, CAST(:scope AS jsonb), '', 1, :head, :now, :stage, :is_shared, :is_shared_funder, :is_shared_operator,
            CAST(:assigned AS uuid[]), :referent, :social_worker)""")
_FILE = text(f"""SELECT i.*, e.number AS edition_number, {staff.called("u")} AS referent FROM instance i JOIN edition e USING (edition_id)
                  LEFT JOIN user_account u ON u.user_id = i.referent_id WHERE i.root_id = :id ORDER BY i.opened_at, i.instance_id""")
_WAITS = text("""SELECT w.instance_id, w.node, w.kind, w.name, w.correlation, w.labels, w.opened_at, w.due_at, w.awaits FROM wait w JOIN instance i USING (instance_id)
                  WHERE i.root_id = :id AND (CAST(:part AS uuid) IS NULL OR w.instance_id = :part) AND w.awaits <> ''
                  ORDER BY w.awaits <> 'person', w.name = ANY (:of_parts), w.due_at IS NOT NULL, coalesce(w.due_at, w.opened_at)""")
# What is kept from an agency is the case owner's to do.
_TASKS = f"""SELECT t.task_id, t.node, t.names, CASE WHEN k.is_kept THEN 'OTE' ELSE t.agency END AS agency, t.branch, CASE WHEN k.is_kept THEN 'referent' ELSE t.role END AS role, t.opened_at, t.due_at, {staff.called("u")} AS holder FROM open_task t
                   LEFT JOIN user_account u ON u.user_id = t.holder_id CROSS JOIN LATERAL (SELECT t.agency IN ('CPS', 'ANETI') AND masar_is_kept(t.instance_id) AS is_kept) k WHERE {{}} ORDER BY t.sort_due, t.task_id"""
_OF_CASE = text(_TASKS.format("t.root_id = :id AND (CAST(:part AS uuid) IS NULL OR t.instance_id = :part)"))
# Of a sitting, what is to be done for one file: of it alone, or of the whole sitting.
_OF_FILE = text(_TASKS.format("t.instance_id = :id AND (t.subjects ? :aid OR NOT EXISTS (SELECT FROM jsonb_array_elements_text(t.subjects) s WHERE s LIKE 'aide:%'))"))
_SITTING = text("""SELECT i.instance_id, i.number, (SELECT f.value #>> '{}' FROM fact f WHERE f.subject = i.subject AND f.field = 'seance.date' AND f.is_current) AS held_on
                     FROM instance i WHERE i.process = 'seance_commission' AND i.status = 'open' AND i.scope -> 'aide' ? :aid ORDER BY i.opened_at DESC LIMIT 1""")
# What runs out and is awaited anew, to whoever may read it; of the signature of a guardian, her own.
_LAPSES = text("""SELECT l.piece, l.awaits, l.told_at, l.runs_out_at, i.edition_id FROM lapse l JOIN instance i ON i.instance_id = l.root_id
                   WHERE l.root_id = :id AND (CAST(:part AS uuid) IS NULL OR :part = ANY (l.needed_by)) AND l.told_at IS NOT NULL AND l.closed_at IS NULL AND masar_still_lapses(l.fact_id)
                   ORDER BY l.awaits <> 'person', l.runs_out_at""")
RENEWED, OF_AGE = "piece.renouveler", "consentement.majorite"
_DECIDED = "dossier.decide"  # what an aid waits for while a sitting has it
_OF_PARTS = ["aide.accordee", "aide.terminee", "paiement.confirme", "suivi.ouvrir"]  # what a case hears of its own parts: these tell of themselves who is waited for
_LINES = text("""SELECT l.instance_id, l.seq, l.line, s.ciphertext, s.person_id FROM ledger_line l JOIN instance i USING (instance_id)
                  LEFT JOIN ledger_sealed s ON s.instance_id = l.instance_id AND s.seq = l.seq WHERE i.root_id = :id ORDER BY (l.line::jsonb ->> 'occurred_at') DESC, l.seq DESC, l.instance_id LIMIT :limit OFFSET :offset""")
_ROOT = text("""SELECT instance_id, branch, person_id, is_kept, is_shared, is_shared_funder, is_shared_operator, assigned, social_worker_id, edition_id, also_read_by, lent_to
                  FROM instance WHERE instance_id = :id""")
_STAYS = text("""SELECT instance_id, branch, is_kept, is_shared_operator, assigned, also_read_by,
                        CASE WHEN EXISTS (SELECT FROM open_task t WHERE t.root_id = i.instance_id AND t.branch <> i.branch AND t.branch || ' ' || t.agency = i.lent_to) THEN lent_to ELSE '' END AS lent_to
                   FROM instance i WHERE instance_id = :id""")
_AWAITED = text("SELECT 1 FROM wait WHERE instance_id = :id AND kind = 'message' AND name = 'signalement.arrivee' LIMIT 1")
_FORMER = text("SELECT person_id, number, running, facts FROM masar_returning(:id, :fields)")
_ENDED = text("SELECT 1 FROM instance WHERE instance_id = :id AND root_id = instance_id AND process = 'parcours' AND status = 'ended' AND person_id IS NOT NULL")
_CHANNEL = "accueil.canal_arrivee"
# Instances that are nobody's part, whoever's message began them.
ROOTS = frozenset({"parcours", "signalement", "seance_commission"})
UNFORESEEN = "imprevu"  # the subject of an instance that runs beside a case: what was said when it began, and what became of it
# The state of a case as domain words have it (§4.0), by the stage it is in.
_STATES = {"accueil": "ENREGISTRE", "evaluation": "EN_EVALUATION", "accompagnement": "EN_ACCOMPAGNEMENT", "suivi": "EN_SUIVI", "cloture": "EN_CLOTURE"}


def open_case(session: Session, actor: Any, process: str, branch: str = "", *, channel: str = "", expected: UUID | None = None, returning: UUID | None = None) -> Opened:
    """Opens a case of a process at a branch; its first task, if the actor may do it, is what she sees next.

    `channel`: how the person came to us (`accueil.canal_arrivee`), not asked again then; `expected`: the signal that she is the person of: the case is hers
    and knows what the signal said, and the signal is told that she came. `returning`: her former case, ended, in whichever branch: the new one is hers too, and knows
    her and her household as they were said then.
    Refuses: `branch.unknown`, `process.unknown`, `process.part` (of a case, not one by itself), `case.channel_unknown`, `case.not_expected`, `case.not_ended`,
    `case.forgotten` (its person was, whole), `case.one_open` (naming the one that runs; Conflict), Forbidden. Records: `case.opened`.
    """
    branch = branch or actor.branch
    authority.require(actor, "case.open", branch=branch, process=process)
    if not session.execute(text("SELECT masar_branch_is_open(:branch)"), {"branch": branch}).scalar():
        raise errors.wrong("branch.unknown", "/branch", branch=branch)
    edition = editions.current(session)
    if process not in edition.definitions.processes:
        raise errors.wrong("process.unknown", "/process", process=process)
    if process in edition.definitions.called or own_subject(edition.definitions, process):
        raise errors.wrong("process.part", "/process", process=process)
    asked = edition.dictionary.fields.get(_CHANNEL)
    if channel and (asked is None or channel not in asked.codes):
        raise errors.wrong("case.channel_unknown", "/channel", channel=channel)
    signal = _expected(session, actor, expected, process) if expected else None
    former = _former(session, edition, returning, process) if returning and not expected else None
    start = _start_message(edition, process, branch, channel, expected)
    change = begin(session, actor, edition, process, branch, dict(start.payload) if start else {}, parent=signal, message=start, expected=expected,
                   person=former.person_id if former else None, told=lambda held: [*_came_by(held, channel), *_as_before(held, former)])  # fmt: skip
    endings.finish(change)
    mine = next((row for row in change.opened if authority.may(
        actor, "task.complete", agency=row["agency"], role=row["role"], branch=row["branch"], case=change.held)), None)  # fmt: skip
    return Opened(change.held.instance_id, change.held.number or "", UUID(mine["task_id"]) if mine else None)


def channels(session: Session, language: str) -> list[tuple[str, str]]:
    """How a person may come to us: code and words, those of the edition in force."""
    found = editions.current(session).dictionary.fields.get(_CHANNEL)
    return [(code, found.choice_label(code, language)) for code in found.codes] if found else []


def _start_message(edition: editions.Edition, process: str, branch: str, channel: str, expected: UUID | None) -> bpmn.Message | None:
    """The message that the process begins with, where one stands for how the person came."""
    name = "signalement.transmis" if expected else "demande.en_ligne" if channel == "en_ligne" else ""
    if edition.definitions.starting_messages.get(name) != process:
        return None
    payload = {"branche": branch} | ({"signalement": str(expected)} if expected else {})
    return bpmn.Message(name=name, correlation=str(expected or ""), payload=payload, at=None, seq=0, facts={})


def _expected(session: Session, actor: Any, signal_id: UUID, process: str) -> Held:
    """The signal of somebody still awaited, where the actor reaches."""
    waits = session.execute(_AWAITED, {"id": signal_id}).scalar()
    signal = find(session, signal_id) if waits and process == "parcours" else None
    if signal is None or not authority.may(actor, "case.read", branch=signal.branch):
        raise errors.Conflict("case.not_expected")
    return signal


def own_subject(definitions: bpmn.Definitions, process: str) -> str | None:
    """What an instance of a process is about, where that is something smaller than the case."""
    return UNFORESEEN if process in definitions.unforeseen else OWN_SUBJECT.get(process)


def begin(session: Session, actor: Any, edition: editions.Edition, process: str, branch: str, variables: Mapping[str, Any], *,
          parent: Held | None = None, scope: Mapping[str, Any] | None = None, message: bpmn.Message | None = None, person: UUID | None = None,
          told: Callable[[Held], Sequence[facts.NewFact]] = lambda _held: (), instance_id: UUID | None = None, expected: UUID | None = None) -> Change:  # fmt: skip
    """Makes the row of a new instance and gives it its start. A child of a case shares its root, its person and its consent. `person`: whose a new case is,
    of whoever is known already; `told`: the facts said with it; `instance_id`: the one it is to have, where the same act sent twice must find it; `expected`: the signal
    of whoever has now come, which hears of it."""
    now, dated_version = session.execute(text("SELECT masar_now(), (SELECT dated_version FROM installation)")).one()
    now = now.astimezone(dt.UTC)
    instance_id = instance_id or identity.new_id()
    own = own_subject(edition.definitions, process)
    is_root = parent is None or process in ROOTS
    root_id = instance_id if is_root else parent.root_id
    # A case that a signal opens is about the same person: what she said before her return is not asked again.
    # The persons of a list are signalled each by a signal of her own, and a sitting is nobody's.
    person_id = parent.person_id if parent and own != "seance" and process != "signalement" else person
    if is_root and own is None and person_id is None:
        person_id = identity.new_id()
        session.execute(text("INSERT INTO person (person_id) VALUES (:id)"), {"id": person_id})
    number = parent.number if parent and not is_root else None
    shown = number
    if is_root:
        series, year = SERIES.get(process, CASE_SERIES), clock.today(now).year
        last = session.execute(text("SELECT masar_next_number(:series, :branch, :year)"), {"series": series, "branch": branch, "year": year}).scalar_one()
        number = shown = f"{series}-{branch}-{year}-{last:05d}"
    scope = dict(scope or {})
    if own in ("seance", UNFORESEEN):
        scope.setdefault(own, str(instance_id))
    subject = f"{own}:{scope.get(own, instance_id)}" if own else ""
    held = Held(instance_id, root_id, parent.instance_id if parent else None, process, edition, person_id, shown, None, branch, subject, scope,
                parent.stage if parent and not is_root else "accueil", "open", parent.priority if parent else 0, parent.referent_id if parent else None,
                parent.social_worker_id if parent else None, *shared(None if is_root else parent, own), b"", 0, b"", now, dated_version, now)  # fmt: skip
    change = Change(session, actor, held, now)
    # The line comes first, then the row it tells of: the database's guard looks for it.
    change.note("case.opened" if is_root else "instance.opened", {"process": process, "branch": branch, "number": number, "parent": str(held.parent_id or ""), **_in_charge(held)})
    session.execute(_INSERT, {
        "instance": instance_id, "root": root_id, "parent": held.parent_id, "process": process, "edition": edition.edition_id, "person": person_id,
        "number": number if is_root else None, "branch": branch, "subject": subject, "scope": json.dumps(scope), "head": held.head, "now": now, "stage": held.stage,
        "is_shared": held.is_shared, "is_shared_funder": held.is_shared_funder, "is_shared_operator": held.is_shared_operator, "assigned": held.assigned,
        "referent": held.referent_id, "social_worker": held.social_worker_id,
    })  # fmt: skip
    # What an instance is about is said by us, last: a message that starts it cannot say otherwise.
    if expected:
        change.send("signalement.arrivee", str(expected), {"dossier": str(root_id)})
    about = {name: {"id": found} for name, found in scope.items() if isinstance(found, str)}
    given = {**variables, "instance": str(instance_id), "branche": branch, "numero": number or "", **about}
    change.give("case.started", bpmn.Start(variables=given, message=message.name if message else None, correlation=message.correlation if message else None,
                                           at=now, seq=0, facts={}), {"process": process}, told(held))  # fmt: skip
    return change


def _in_charge(held: Held) -> dict[str, str]:
    """Whom a part has from its case at its birth, and at which stage, where its own lines would not say."""
    found = {"referent": held.referent_id, "social_worker": held.social_worker_id, "stage": held.stage if held.stage != "accueil" else None}
    return {name: str(value) for name, value in found.items() if value}


def shared(parent: Held | None, own: str | None) -> tuple[bool, bool, bool, list[UUID]]:
    """With whom a new instance is shared: a part as its case (`parent`), a case with nobody until she agrees; a sitting is nobody's case, and its members read its own facts."""
    if own == "seance":
        return True, True, False, []
    return (parent.is_shared, parent.is_shared_funder, parent.is_shared_operator, list(parent.assigned)) if parent else (False, False, False, [])


def _former(session: Session, edition: editions.Edition, case_id: UUID, process: str) -> Any:
    """Whose a closed case is and what it knew of her household."""
    fields = [name for name, spec in edition.dictionary.fields.items() if spec.group == "foyer" and spec.type not in ("doc", "signature")]
    row = session.execute(_FORMER, {"id": case_id, "fields": " ".join(fields)}).one_or_none() if process == "parcours" else None
    if row is None:
        raise errors.Conflict("case.forgotten" if session.execute(_ENDED, {"id": case_id}).scalar() else "case.not_ended")
    if row.running:
        raise errors.Conflict("case.one_open", number=row.running)
    return row


def _as_before(held: Held, former: Any) -> list[facts.NewFact]:
    """The household as her former case knew it, for as long as it holds."""
    return [facts.NewFact(f"case:{held.root_id}", one["field"], one["value"], one["class"], source={"kind": "case", "label": former.number or ""},
                          valid_until=dt.datetime.fromisoformat(one["valid_until"]) if one["valid_until"] else None) for one in (former.facts or () if former else ())]  # fmt: skip


def _came_by(held: Held, channel: str) -> list[facts.NewFact]:
    """How the person came to us, as whoever opened the case saw it."""
    if not channel:
        return []
    field = held.edition.dictionary.fields[_CHANNEL]
    return [facts.NewFact(held.subjects.key(field.subject), field.id, channel, authority.classes_of(field), source={"kind": "agency"})]


def stays_hers(session: Session, actor: Any, case_id: UUID) -> bool:
    """Whether the actor reads the case once what she did is written: a loan ends with the last task that waits where it went."""
    row = session.execute(_STAYS, {"id": case_id}).one_or_none()
    return row is not None and authority.may(actor, "case.read", branch=row.branch, case=row)


def file(session: Session, actor: Any, case_id: UUID) -> CaseFile:
    """The case as the reader may see it. Refuses: NotFound (absent, or not hers to know)."""
    rows = session.execute(_FILE, {"id": case_id, "language": actor.language}).all()
    root = next((row for row in rows if row.instance_id == case_id), None)
    if root is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "case.read", branch=root.branch, case=root)
    edition, language = editions.load(session, root.edition_id), actor.language
    subjects = facts.Subjects(root.root_id, root.person_id, root.scope)
    known = _with_the_day(facts.readable(session, subjects), edition, clock.today(clock.now(session)))
    authors = staff.authors(session, language, known)
    stands = tuple(_stand(session, row) for row in rows)
    return CaseFile(
        case_id, root.number or "", root.receipt_code or "", beneficiaries.full_name({fact.field: fact.value for fact in known}, language), root.branch, root.process,
        root.edition_number, _state(root), root.stage, root.opened_at, root.ended_at, root.outcome, root.referent or "", tuple(waiting(session, case_id, language)),
        tuple(_known(fact, edition, language, authors) for fact in known if fact.field in edition.dictionary.fields), stands, _letters(session, case_id, language),
    )  # fmt: skip


def waiting(session: Session, case_id: UUID, language: str, part: UUID | None = None) -> list[Waiting]:
    """Who and what the case waits for, or one of its parts: tasks first, the most pressing first, then those of the sittings that have its aids, told by their number
    (to be opened from the sitting). What its diagrams merely listen to is not waited for."""
    waits = session.execute(_WAITS, {"id": case_id, "part": part, "of_parts": _OF_PARTS}).all()
    found = [_in_hands(row, language, row.task_id) for row in session.execute(_OF_CASE, {"id": case_id, "part": part, "language": language})]
    sittings = {row.correlation: session.execute(_SITTING, {"aid": row.correlation}).one_or_none() for row in waits if row.name == _DECIDED}
    for aid, one in sittings.items():
        if one is not None:
            found += [_in_hands(row, language, None, one.number or "") for row in session.execute(_OF_FILE, {"id": one.instance_id, "aid": f"aide:{aid}", "language": language})]
    for row in waits:
        sitting = sittings.get(row.correlation) if row.name == _DECIDED else None
        until = dt.datetime.combine(dt.date.fromisoformat(sitting.held_on), dt.time(), clock.TUNIS) if sitting is not None and sitting.held_on else row.due_at
        found.append(Waiting(row.kind, pick(row.labels, language) or row.name, row.node, row.opened_at, until, message=row.name, correlation=row.correlation, awaits=row.awaits))
    for row in session.execute(_LAPSES, {"id": case_id, "part": part}):
        paper = pick(editions.load(session, row.edition_id).dictionary.pieces.get(row.piece, {}).get("label"), language)
        found.append(Waiting("message", paper, "", row.told_at, row.runs_out_at if row.piece else None, "" if row.awaits == "person" else row.awaits,
                             message=RENEWED if row.piece else OF_AGE, awaits="person" if row.awaits == "person" else "message"))
    return found


def _in_hands(row: Any, language: str, task_id: UUID | None, sitting: str = "") -> Waiting:
    name = pick(row.names, language)
    return Waiting("task", f"{name} · {sitting}" if sitting else name, row.node, row.opened_at, row.due_at, row.agency, row.holder or "", task_id=task_id, branch=row.branch, role=row.role)


def history(session: Session, actor: Any, case_id: UUID, cursor: str = "", limit: int = 50) -> History:
    """What happened, the newest first; values of a class the reader may not see are left out and counted."""
    root = session.execute(_ROOT, {"id": case_id}).one_or_none()
    if root is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "history.read", branch=root.branch, case=root)
    offset = int(cursor) if cursor.isdigit() else 0
    rows = session.execute(_LINES, {"id": case_id, "limit": limit + 1, "offset": offset}).all()
    return History(as_seen(session, actor, case_id, root, rows[:limit]), str(offset + limit) if len(rows) > limit else "")


def as_seen(session: Session, actor: Any, case_id: UUID, root: Any, rows: Sequence[Any]) -> tuple[Happened, ...]:
    """Lines of a case as far as the reader may see them. `root`: the case's own row; `rows`: instance, number, line, what it sealed and under whose key."""
    edition = editions.load(session, root.edition_id)
    lines = [json.loads(row.line) for row in rows]
    names = staff.of_lines(session, actor.language, lines)

    def sees(field_id: str) -> bool:
        found = edition.dictionary.fields.get(field_id)
        is_seen = found is not None and authority.readable(actor, authority.classes_of(found), case=root)
        if is_seen:
            consultations.note(session, root.instance_id, "history", [found.class_])
        return is_seen

    told = authority.readable(actor, "C", case=root)  # a reason is in somebody's own words, which may name the person
    return tuple(_happened(session, actor, row, line, names, sees, edition, told) for row, line in zip(rows, lines, strict=True))


def candidates(session: Session, actor: Any, query: str) -> tuple[Candidate, ...]:
    """Persons who may be the one at the desk, by CIN, passport, phone, case number or name; those of other branches by number only."""
    authority.require(actor, "case.open", branch=actor.branch)
    return finding.find(session, actor, query)


def search(session: Session, actor: Any, query: str) -> tuple[Candidate, ...]:
    """Cases that the actor reaches, by the same words as `candidates`."""
    authority.require(actor, "case.search")
    return finding.find(session, actor, query)


def _state(root: Any) -> str:
    if root.status == "ended":  # the end of a refusal names it (`parcours_fin_refuse`); every other closes
        return "NON_RECEVABLE" if "refus" in root.outcome else "CLOS"
    return _STATES.get(root.stage, "ENREGISTRE")


def _stand(session: Session, row: Any) -> Stand:
    edition = editions.load(session, row.edition_id)
    if not row.state:
        return Stand(row.instance_id, row.process, row.status, (), (), row.edition_id)
    seen = bpmn.inspect(edition.definitions, bytes(row.state))
    return Stand(row.instance_id, row.process, row.status, tuple(seen.active), tuple(seen.done), row.edition_id)


def _with_the_day(known: list[facts.Fact], edition: editions.Edition, today: dt.date) -> list[facts.Fact]:
    """The facts with those that depend on the day they are read (an age): no fact holds them, each is seen by who sees what it is computed from."""
    fields = edition.dictionary.fields
    found = [one for one in known if one.field not in fields or not fields[one.field].is_of_the_day]
    by_field = {one.field: one for one in found}
    for spec in edition.dictionary.computed:
        value = on_the_day(spec, {name: one.value for name, one in by_field.items()}, edition.dictionary, today) if spec.is_of_the_day else None
        if value is not None:
            found.append(msgspec.structs.replace(by_field[spec.reads[0]], field=spec.id, value=value))
    return found


def _known(fact: facts.Fact, edition: editions.Edition, language: str, authors: Mapping[str, str]) -> KnownFact:
    found = edition.dictionary.fields[fact.field]
    value = words.display(found, fact.value, language) if fact.status == "known" else words.status(fact.status, language)
    source = "computed" if found.computed is not None else fact.source.get("kind", "")
    document = str(fact.value) if found.type == "doc" and fact.status == "known" else ""
    return KnownFact(fact.subject, fact.field, fact.field.partition(".")[0], pick(found.label, language), value, source,
                     authors.get(str(fact.author_id), fact.author_name),
                     fact.author_agency, fact.recorded_at, fact.valid_until, document)  # fmt: skip


def _letters(session: Session, case_id: UUID, language: str) -> tuple[Mapping[str, Any], ...]:
    rows = session.execute(
        text("SELECT letter_id, template, content -> 'titles' AS titles, produced_at FROM letter WHERE root_id = :id ORDER BY produced_at DESC"), {"id": case_id},
    )
    return tuple({"letter_id": row.letter_id, "template": row.template, "title": pick(row.titles, language), "produced_at": row.produced_at} for row in rows)


def _happened(
    session: Session, actor: Any, row: Any, line: Mapping[str, Any], names: Mapping[str, str], sees: Any, edition: editions.Edition, told: bool
) -> Happened:
    by, language = line["actor"], actor.language
    sealed = access.open_line(session, row.instance_id, row.seq, row.person_id, row.ciphertext) if row.ciphertext else {}
    values = tuple(
        {"field": name, "label": pick(edition.dictionary.fields[name].label, language), "value": words.display(edition.dictionary.fields[name], one.get("value"), language)}
        for key, one in sealed.items()
        if "|" in key and sees(name := key.partition("|")[2]) and name in edition.dictionary.fields
        and not opinions.is_sealed(session, actor, row.instance_id, by.get("id"), key.partition("|")[0], name)
    )
    why = tuple(seen_why(one, sees) for one in sealed.get("why", ()))
    return Happened(row.instance_id, row.seq, line["kind"], dt.datetime.fromisoformat(line["occurred_at"]), staff.doer(by, names, language, by.get("kind", "")),
                    by.get("agency", ""), staff.with_names(line["body"], names), why, values, sealed["reason"] if told and isinstance(sealed.get("reason"), str) else "")  # fmt: skip


def seen_why(one: Mapping[str, Any], sees: Any) -> Mapping[str, Any]:
    """A why-record without the values of fields that the reader may not see; a condition on such a value does not say how it came out either."""
    if "decision" in one:
        return {**one, "values": seen_values(one["values"], sees)}
    weighed = []
    for asked in one.get("why", ()):
        values = seen_values(asked.get("values", {}), sees)
        is_told = all("." not in name or sees(name) for name in values)
        weighed.append({**asked, "values": values, "value": asked.get("value") if is_told else None, "is_hidden": not is_told})
    return {**one, "why": weighed}


def seen_values(values: Mapping[str, Any], sees: Any) -> dict[str, Any]:
    """Values by what they are of, None where it is a field that the reader may not see."""
    return {name: value if "." not in name or sees(name) else None for name, value in values.items()}
