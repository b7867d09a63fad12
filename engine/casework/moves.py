"""Moving running cases to another edition: which, on what mapping, with which proof; one in one unit of work, many in the background; and back again.

Each instance (a case, a dossier, a sitting, a signal) is moved by itself, with a line `case.moved` that seals where it stood: until its next event it is
put back as it was, byte for byte. What a move must not do is `pathway.moving`'s to say; `batches` carries the many.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.casework import batches, diagrams, editions, endings, replays
from engine.casework.instances import Change, Held, account, lock
from engine.casework.rows import LANES, Rows, apart, awaited
from engine.dossier import facts
from engine.ledger import access
from engine.pathway import bpmn, proposal
from engine.pathway import moving as pathway_moves
from engine.pathway.matching import Matching, Named
from engine.pathway.moving import Asked, Certificate, Moved

ACT = "case.move"
KIND = "move"
WELL = ("move.ready", "move.done", "move.undone")  # results that ask nothing of anybody
LONGEST_REASON = 2000
Mapped = Mapping[str, str]  # "process#element" of the former edition → of the new one; "" for what is no more

_AWAITED = text("""SELECT DISTINCT name FROM wait WHERE kind = 'message' AND instance_id <> :id AND correlation = ANY (CAST(:keys AS text[]))""")
_ROWS = text("""
    SELECT jsonb_build_object(
        'tasks', (SELECT coalesce(jsonb_agg(to_jsonb(t) - 'sort_due' ORDER BY t.task_id), '[]') FROM open_task t WHERE t.instance_id = :id),
        'waits', (SELECT coalesce(jsonb_agg(to_jsonb(w) ORDER BY w.position), '[]') FROM wait w WHERE w.instance_id = :id),
        'incidents', (SELECT coalesce(jsonb_agg(to_jsonb(n) ORDER BY n.incident_id), '[]') FROM incident n WHERE n.instance_id = :id AND n.resolved_at IS NULL),
        'instance', (SELECT jsonb_build_object('edition_id', i.edition_id, 'stage', i.stage) FROM instance i WHERE i.instance_id = :id))::text""")
_GO_ON = text("SELECT masar_go_on(:id, CAST(:edition AS uuid), CAST(:rows AS jsonb))")
_PUT_BACK = text("SELECT masar_put_back(:id, CAST(:rows AS jsonb))")
_LAST = text("""SELECT l.kind, l.line, s.person_id, s.ciphertext FROM ledger_line l LEFT JOIN ledger_sealed s USING (instance_id, seq)
                 WHERE l.instance_id = :id AND l.seq = :seq""")


@dataclass(frozen=True)
class Tried:
    """What a move of one instance came to, or would come to. `certificate` None: it was not even tried (`code` says why)."""

    instance_id: UUID
    code: str  # move.ready | move.done | move.refused | move.undone, or the code of a refusal
    certificate: Certificate | None = None


def dry_run(session: Session, actor: Any, instances: Sequence[UUID], edition_id: UUID, mapping: Mapped | None = None) -> tuple[Tried, ...]:
    """What moving each would come to; nothing is changed. `mapping` None: what is proposed. Refuses: Forbidden, `edition.not_found`, `move.mapping_unknown`."""
    authority.require(actor, ACT)
    edition = editions.find(session, actor, edition_id)
    return tuple(_try(session, actor, instance_id, edition, mapping) for instance_id in instances)


def _try(session: Session, actor: Any, instance_id: UUID, edition: editions.Edition, mapping: Mapped | None) -> Tried:
    try:
        _, moved = _prepared(session, actor, instance_id, edition, mapping)
    except errors.Refusal as refusal:
        return Tried(instance_id, refusal.code)
    return Tried(instance_id, "move.ready" if moved.certificate.is_given else "move.refused", moved.certificate)


def move(session: Session, actor: Any, instance_id: UUID, edition_id: UUID, mapping: Mapped | None = None, reason: str = "") -> Tried:
    """Moves one instance, or says why it cannot be: then nothing is changed.

    Refuses: Forbidden, `case.not_found`, `edition.not_found`, `move.reason_needed`, `move.ended`, `move.already_there`, `move.mapping_unknown`. Records: `case.moved`.
    """
    authority.require(actor, ACT)
    reason = _reason(reason)
    edition = editions.find(session, actor, edition_id)
    change, moved = _prepared(session, actor, instance_id, edition, mapping, is_locked=True)
    if not moved.certificate.is_given:
        return Tried(instance_id, "move.refused", moved.certificate)
    _write(change, edition, moved, mapping, reason)
    return Tried(instance_id, "move.done", moved.certificate)


def move_back(session: Session, actor: Any, instance_id: UUID, reason: str = "") -> None:
    """Puts a moved instance back as it was, which can be until its next event.

    Refuses: Forbidden, `case.not_found`, `move.reason_needed`, `move.not_moved`, `move.went_on`, `move.erased`. Records: `case.moved_back`.
    """
    authority.require(actor, ACT)
    reason = _reason(reason)
    held = lock(session, instance_id)
    if held is None:
        raise errors.NotFound("case.not_found")
    last = session.execute(_LAST, {"id": instance_id, "seq": held.seq}).one()
    if last.kind != "case.moved":
        raise errors.Conflict("move.went_on" if _was_moved(session, instance_id) else "move.not_moved")
    before = access.open_line(session, instance_id, held.seq, last.person_id, last.ciphertext).get("before") if last.ciphertext else None
    if before is None:
        raise errors.Conflict("move.erased")
    said = json.loads(last.line)["body"]
    rows = before["rows"]
    left = held.edition
    held.edition, held.state, held.stage = editions.load(session, UUID(rows["instance"]["edition_id"])), access.bytes_of(before["state"]), rows["instance"]["stage"]
    change = Change(session, actor, held, held.now)
    change.note("case.moved_back", {"from": left.number, "to": held.edition.number, "number": held.edition.number, "moved": said["certificate"]["way"]}, reason=reason, sealed={"after": before["state"]})
    change.write()
    session.execute(_PUT_BACK, {"id": instance_id, "rows": json.dumps(rows)})


def _was_moved(session: Session, instance_id: UUID) -> bool:
    return session.execute(text("SELECT true FROM ledger_line WHERE instance_id = :id AND kind = 'case.moved' LIMIT 1"), {"id": instance_id}).scalar() is not None


# --- many at once ---


def try_many(session: Session, actor: Any, instances: Iterable[UUID], edition_id: UUID, mapping: Mapped) -> UUID:
    """Looks in the background at what moving each would come to. Returns the batch. Refuses: Forbidden, `edition.not_found`, `move.mapping_unknown`, `batch.empty`, `batch.too_many`."""
    return _start(session, actor, instances, edition_id, {"mapping": dict(mapping), "is_trial": True})


def start(session: Session, actor: Any, instances: Iterable[UUID], edition_id: UUID, mapping: Mapped, reason: str) -> UUID:
    """Moves many in the background, each in a unit of work of its own. Returns the batch. Refuses: as `try_many`, and `move.reason_needed`."""
    return _start(session, actor, instances, edition_id, {"mapping": dict(mapping), "reason": _reason(reason)})


def start_ready(session: Session, actor: Any, trial_id: UUID, reason: str) -> UUID:
    """Moves what a trial found ready, on its mapping. Each is looked at again when it is moved. Refuses: as `start`, and `batch.not_found`, `move.no_trial`."""
    trial = batches.progress(session, actor, trial_id)
    if not trial.parameters.get("is_trial") or trial.edition_id is None:
        raise errors.Conflict("move.no_trial")
    ready = [line.instance_id for line in batches.lines(session, actor, trial_id, code="move.ready")]
    return start(session, actor, ready, trial.edition_id, trial.parameters["mapping"], reason)


def start_back(session: Session, actor: Any, batch_id: UUID, reason: str) -> UUID:
    """Puts back all that a batch moved and that did not go on since. Returns the new batch. Refuses: Forbidden, `batch.not_found`, `move.reason_needed`, `batch.empty`."""
    batch = batches.progress(session, actor, batch_id)
    moved = [line.instance_id for line in batches.lines(session, actor, batch_id, code="move.done")]
    assert batch.edition_id is not None
    return _start(session, actor, moved, batch.edition_id, {"back": str(batch_id), "reason": _reason(reason)})


def _start(session: Session, actor: Any, instances: Iterable[UUID], edition_id: UUID, asked: Mapping[str, Any]) -> UUID:
    authority.require(actor, ACT)
    edition = editions.find(session, actor, edition_id)
    for new in asked.get("mapping", {}).values():
        if new and _named(new) not in _elements(edition):
            raise errors.wrong("move.mapping_unknown", "/mapping", element=new)
    return batches.start(session, actor, KIND, instances, asked, edition_id=edition_id)


def _reason(reason: str) -> str:
    if not reason.strip():
        raise errors.Invalid("move.reason_needed")
    return reason.strip()[:LONGEST_REASON]


@batches.work(KIND, act=ACT, at_once=1)
def work(session: Session, actor: Any, batch: batches.Batch, instance_id: UUID) -> batches.Result:
    """One case of a batch."""
    asked = batch.parameters
    if "back" in asked:
        move_back(session, actor, instance_id, asked["reason"])
        return batches.Result("move.undone")
    assert batch.edition_id is not None
    edition = editions.load(session, batch.edition_id)
    if asked.get("is_trial"):
        _, moved = _prepared(session, actor, instance_id, edition, asked["mapping"])
        return batches.Result("move.ready" if moved.certificate.is_given else "move.refused", public(moved.certificate))
    found = move(session, actor, instance_id, batch.edition_id, asked["mapping"], asked["reason"])
    assert found.certificate is not None
    return batches.Result(found.code, public(found.certificate))


def public(certificate: Certificate) -> dict[str, Any]:
    """A certificate as a line and the API tell it: nodes and codes, nothing personal."""
    return {"way": certificate.way, "refused": [asdict(one) for one in certificate.refused], "notes": [asdict(one) for one in certificate.notes],
            "looked_at": dict(certificate.looked_at)}  # fmt: skip


# --- one ---


def _prepared(
    session: Session, actor: Any, instance_id: UUID, edition: editions.Edition, mapping: Mapped | None, *, is_locked: bool = False
) -> tuple[Change, Moved]:
    found = replays.history(session, instance_id, on=edition)
    held = lock(session, instance_id) if is_locked else found.held
    if held is None:
        raise errors.NotFound("case.not_found")
    if held.seq != found.held.seq:  # it went on while we waited for it
        found = replays.history(session, instance_id, on=edition)
    authority.require(actor, "case.read", branch=held.branch, case=held)
    if held.status != "open":
        raise errors.Conflict("move.ended")
    if held.edition.edition_id == edition.edition_id:
        raise errors.Conflict("move.already_there", number=edition.number)
    matching = Matching(held.edition.definitions, edition.definitions, chosen_of(held.edition, edition, mapping))
    lost = _facts_lost(session, held, edition)
    change = Change(session, actor, held, held.now)
    state = held.state
    held.edition = edition  # from here on facts are read as the edition that it goes to reads them
    asked = Asked(held.process, state, found.said if found.is_whole else (), held.now, held.seq + 1, change.snapshot(), _awaited(session, held))
    moved = pathway_moves.move(asked, matching)
    if lost:
        moved = _refused_for(moved, lost)
    return change, moved


def chosen_of(before: editions.Edition, after: editions.Edition, mapping: Mapped | None) -> dict[Named, Named | None]:
    """The mapping as elements; None: what is proposed. Refuses: `move.mapping_unknown`, naming what there is not."""
    if mapping is None:
        return {pair.element: pair.to for pair in proposal.propose(before.definitions, after.definitions) if pair.to is not None}
    here, there = _elements(before), _elements(after)
    found: dict[Named, Named | None] = {}
    for old, new in mapping.items():
        element, to = _named(old), _named(new) if new else None
        if to is not None and to not in there:
            raise errors.wrong("move.mapping_unknown", "/mapping", element=new)
        if element in here:  # cases of several editions are moved on one mapping
            found[element] = to
    return found


def _elements(edition: editions.Edition) -> set[Named]:
    return {(process, one.id) for process in edition.definitions.processes for one in edition.definitions.elements(process)}


def _named(written: str) -> Named:
    process, _, element = written.partition("#")
    return process, element


def _awaited(session: Session, held: Held) -> frozenset[str]:
    """The messages that other instances wait for from this one: under its own id, or that of what it is about."""
    keys = [str(held.instance_id), *(one for value in held.scope.values() for one in (value if isinstance(value, list) else [value]))]
    return frozenset(session.execute(_AWAITED, {"id": held.instance_id, "keys": keys}).scalars())


def _facts_lost(session: Session, held: Held, edition: editions.Edition) -> list[str]:
    """The fields of which something is known that the edition does not know: what was said of them would be seen nowhere."""
    gone = sorted(held.edition.dictionary.fields.keys() - edition.dictionary.fields.keys())
    return sorted({fact.field for fact in facts.snapshot(session, held.subjects, gone)}) if gone else []


def _refused_for(moved: Moved, lost: Sequence[str]) -> Moved:
    reasons = tuple(pathway_moves.Reason("fact_dropped", breaks="obligations", details={"field": name}) for name in lost)
    told = moved.certificate
    return Moved(Certificate(told.way, (*told.refused, *reasons), told.notes, told.looked_at))


def _write(change: Change, edition: editions.Edition, moved: Moved, mapping: Mapped | None, reason: str) -> None:
    """The line first, then the rows: what goes on under its id, what is closed, what opens."""
    session, held = change.session, change.held
    rows = session.execute(_ROWS, {"id": held.instance_id}).scalar_one()
    former = json.loads(rows)
    number = session.execute(text("SELECT number FROM edition WHERE edition_id = :id"), {"id": former["instance"]["edition_id"]}).scalar_one()
    before = {"state": _text(held.state), "rows": former}
    going = {**_going_on(held, edition, moved), **_begun(change, moved)}
    held.state = moved.state
    body = {"from": number, "to": edition.number, "number": edition.number, "mapping": _digest(mapping), "certificate": public(moved.certificate)} | account(moved.happenings) | change.deadlines(moved.happenings) | change.hands(moved.happenings)
    change.note("case.moved", body, reason=reason, sealed={"before": before, "after": _text(moved.state), "going": going})
    change.happenings += moved.happenings
    endings.finish(change)
    session.execute(_GO_ON, {"id": held.instance_id, "edition": edition.edition_id, "rows": json.dumps(_going_on(held, edition, moved), ensure_ascii=False)})


def _going_on(held: Held, edition: editions.Edition, moved: Moved) -> dict[str, Any]:
    """The rows of what goes on, as the edition has them; deadlines, holders and ids are not touched."""
    tasks = [
        {"position": one.task_id, "process": one.process, "node": one.node, "names": edition.definitions.labels(one.node, one.process), "kind": one.kind, "form": one.form or "",
         "subject": one.subject or "", "subjects": list(one.scope or ()), "agency": LANES.get(one.lane or "", one.lane or "OTE"),
         "branch": authority.branch_of_task(one.role or "", held.branch), "role": one.role or "",
         "apart": apart(edition.definitions, one.distinct)}
        for one in moved.tasks
    ]  # fmt: skip
    listening = diagrams.listening(edition)
    waits = [
        {"position": one.wait_id, "node": one.node, "name": one.name or "", "labels": edition.definitions.labels(one.node), "awaits": awaited(one, listening)}
        for one in moved.waits
    ]
    seen = bpmn.inspect(edition.definitions, moved.state)
    return {"tasks": tasks, "waits": waits, "incidents": [{"position": one.incident_id, "node": one.node} for one in seen.incidents]}


def _begun(change: Change, moved: Moved) -> dict[str, Any]:
    """The rows that the move closes and opens, for whoever unfolds the case from its ledger."""
    rows = Rows(change)
    for one in moved.happenings:
        rows.take(one)
    return {"opened": rows.opened, "closed": rows.closed, "waits_opened": rows.waits, "waits_closed": rows.waits_closed, "incidents_opened": rows.incidents,
            "mended": rows.mended, "stage": rows.stage()}  # fmt: skip


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _digest(mapping: Mapped | None) -> str:
    return hashlib.sha256(json.dumps(dict(mapping or {}), sort_keys=True).encode()).hexdigest()
