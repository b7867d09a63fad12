"""The repair desk: a case that the procedure no longer leads is put right by hand, with a reason and in the ledger.

A token is moved, an operation left undone, a fact corrected. Where money or rights are touched two must agree: one proposes, another applies it before it
expires. What a repair touches is weighed in `stakes`; the move itself is the pathway's; incidents are `incidents`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import approvals, authority
from engine.casework import corrections, editions, endings, staff, stakes
from engine.casework.instances import Change, Held, find, lock
from engine.casework.repair_views import Outlook, Place, Repair, Target
from engine.i18n import pick
from engine.identity import new_id
from engine.ledger import access
from engine.pathway import bpmn
from forms.form import Form

LONGEST_REASON = 2000
DAYS_TO_DECIDE = 5  # working days
_OPEN = text("SELECT instance_id FROM instance WHERE root_id = :case AND status = 'open' ORDER BY opened_at, instance_id")
_CASE = text("""SELECT instance_id, branch, is_kept, is_shared, is_shared_funder, is_shared_operator, assigned, social_worker_id, edition_id
                  FROM instance WHERE instance_id = :id AND root_id = instance_id""")
_PROPOSE = text("""INSERT INTO repair (repair_id, instance_id, root_id, branch, act, content, touches, class, seq, reason, proposed_by, proposed_at, expires_at)
                   VALUES (:id, :instance, :root, :branch, :act, CAST(:content AS jsonb), :touches, :class, :seq, :reason, :by, :at, :expires)""")
_DECIDE = text("UPDATE repair SET state = :state, decided_by = :by, decided_at = :at, answer = :answer WHERE repair_id = :id")
_ROWS = """SELECT r.*, r.class AS field_class, c.number, i.edition_id, i.process, masar_now() AS now, c.is_shared, c.is_shared_funder, c.is_shared_operator, c.assigned, c.social_worker_id,
                  s.person_id, s.ciphertext, i.seq AS at_seq
             FROM repair r JOIN instance i USING (instance_id) JOIN instance c ON c.instance_id = r.root_id
             LEFT JOIN ledger_sealed s ON s.instance_id = r.instance_id AND s.seq = r.seq"""
_LISTED = text(f"{_ROWS} ORDER BY r.state <> 'proposed', r.proposed_at DESC LIMIT 100")
_ONE = text(f"{_ROWS} WHERE r.repair_id = :id")
_LOCKED = text("SELECT repair_id FROM repair WHERE repair_id = :id FOR UPDATE")


@dataclass(frozen=True)
class _Wish:
    """What is to be done to one instance. `content` goes into the proposal and the ledger: ids, nodes and fields only."""

    act: str
    kind: str
    content: Mapping[str, Any]
    touches: tuple[str, ...]
    stimulus: Any = None
    said: Sequence[Any] = ()
    field_class: str = ""


def places(session: Session, actor: Any, case_id: UUID) -> tuple[Place, ...]:
    """Where the tokens of a case and of its dossiers stand, and where each may be moved. Refuses: `case.not_found`; Forbidden."""
    _case(session, actor, case_id, "repair.read")
    found = []
    for instance_id in session.execute(_OPEN, {"case": case_id}).scalars():
        held = find(session, instance_id)
        found += [_place(held, one, actor.language) for one in bpmn.positions(held.edition.definitions, held.state)]
    return tuple(found)


def foresee(session: Session, actor: Any, instance_id: UUID, act: str, position: str, to: str = "") -> Outlook:
    """What a move (or, without `to`, leaving an operation undone) would do, played and not kept. Refuses: as `move` and `skip`."""
    held = _held(session, actor, instance_id, "repair.read", find)
    wish = _moving(held, act, position, to)
    change = Change(session, actor, held, held.now)
    stimulus = stakes.dressed(change, wish.stimulus)
    step = bpmn.advance(held.edition.definitions, held.state, stimulus)
    return Outlook.of(held, wish.content, wish.touches, step.happenings, actor.language)


def move(session: Session, actor: Any, instance_id: UUID, position: str, to: str, reason: str, seq: int | None = None) -> UUID | None:
    """Moves a token to another element of its scope; where that touches money or rights, proposes it (the proposal's id). `seq`: where the instance stood when
    it was looked at.

    Refuses: Forbidden, `case.not_found`, `repair.reason_needed`, `repair.stale`, `token.not_there`, `token.no_target`, `instance.ended`.
    Records: `token.moved`, or `repair.proposed`.
    """
    return _do(session, actor, instance_id, "move", position, to, reason, seq)


def skip(session: Session, actor: Any, instance_id: UUID, position: str, reason: str, seq: int | None = None) -> UUID | None:
    """Leaves an operation undone; where it moves money, proposes it. Refuses: as `move`, `token.no_operation`. Records: `operation.skipped`, or `repair.proposed`."""
    return _do(session, actor, instance_id, "skip", position, "", reason, seq)


def correct(session: Session, actor: Any, case_id: UUID, subject: str, field: str, value: Any, reason: str, *, is_typed: bool = True) -> UUID | None:
    """Says a fact anew; where its class or the aid's money asks for two, proposes it.

    Refuses: Forbidden, `case.not_found`, `repair.reason_needed`; as `corrections.read`. Records: `fact.corrected`, or `repair.proposed`.
    """
    held, reason = _held(session, actor, case_id, "repair.do", lock), reason_of(reason)
    if held.instance_id != held.root_id:
        raise errors.NotFound("case.not_found")
    said = corrections.read(session, actor, held, subject, field, value, is_typed=is_typed, is_proposal=True)
    field_class = authority.classes_of(held.edition.dictionary.fields[field])
    touches = stakes.of_fields(held.edition, [one.field for one in said])
    wish = _Wish("correct", "fact.corrected", {"subject": subject, "field": field}, touches, said=said, field_class=field_class)
    if not touches and not authority.writable(actor, field_class):
        raise errors.Forbidden("repair.held_by", agency=held.edition.dictionary.fields[field].owner)
    return _decide(session, actor, held, wish, reason)


def question(session: Session, actor: Any, case_id: UUID, subject: str, field: str) -> Form:
    """The form that asks one fact anew, as whoever corrects or proposes it sees it. Refuses: Forbidden, `case.not_found`; as `corrections.form_for`."""
    held = _held(session, actor, case_id, "repair.do", find)
    return corrections.form_for(session, actor, held, subject, field, is_proposal=True)


def listed(session: Session, actor: Any) -> tuple[Repair, ...]:
    """What waits for a second person, then what was decided: the hundred latest that the reader reaches. Refuses: Forbidden."""
    authority.require(actor, "repair.list")
    rows = session.execute(_LISTED).all()
    names = staff.names(session, actor.language, {one for row in rows for one in (row.proposed_by, row.decided_by)})
    return tuple(_repair(session, actor, row, names) for row in rows)


def show(session: Session, actor: Any, repair_id: UUID) -> Repair:
    """One of them. Refuses: Forbidden, `repair.not_found`."""
    authority.require(actor, "repair.list")
    row = session.execute(_ONE, {"id": repair_id}).one_or_none()
    if row is None:
        raise errors.NotFound("repair.not_found")
    return _repair(session, actor, row, staff.names(session, actor.language, (row.proposed_by, row.decided_by)))


def approve(session: Session, actor: Any, repair_id: UUID, seq: int) -> None:
    """Applies what another proposed. `seq`: where the instance stood when it was looked at (`Repair.at_seq`).

    Refuses: `repair.not_found`, Forbidden, `repair.own` (Forbidden), `repair.decided`, `repair.expired`, `repair.stale`; as the act itself.
    Records: `token.moved`, `operation.skipped` or `fact.corrected`, naming the proposal and who made it.
    """
    row, held = _proposal(session, actor, repair_id)
    if row.proposed_by == actor.user_id:
        raise errors.Forbidden("repair.own")
    if row.expires_at <= held.now:
        raise errors.Conflict("repair.expired", at=row.expires_at)
    _check_seq(held, seq)
    if row.act == "correct":
        value = _sealed_value(session, row)
        said = corrections.read(session, actor, held, row.content["subject"], row.content["field"], value, is_typed=False)
        wish = _Wish("correct", "fact.corrected", row.content, (), said=said)
    else:
        wish = _moving(held, row.act, row.content["position"], row.content.get("to", ""))
    _apply(session, actor, held, wish, row.reason, row)


def refuse(session: Session, actor: Any, repair_id: UUID, reason: str) -> bool:
    """Says no to what was proposed; whoever proposed it takes it back the same way: whether it was so. Refuses: `repair.not_found`, Forbidden, `repair.decided`,
    `repair.reason_needed`. Records: `repair.refused`, or `repair.withdrawn`."""
    row, held = _proposal(session, actor, repair_id)
    reason = reason_of(reason)
    change = Change(session, actor, held, held.now)
    is_own = row.proposed_by == actor.user_id
    told = {"repair": str(repair_id), "act": row.act, **row.content} | ({} if is_own else {"asked_by": str(row.proposed_by)})
    change.note("repair.withdrawn" if is_own else "repair.refused", told, reason=reason)
    session.execute(_DECIDE, {"id": repair_id, "state": "refused", "by": actor.user_id, "at": held.now, "answer": reason})
    change.write()
    approvals.answer(session, actor, row.proposed_by, "repair.refused", repair_id, instance_id=row.root_id)
    return is_own


def _do(session: Session, actor: Any, instance_id: UUID, act: str, position: str, to: str, reason: str, seq: int | None) -> UUID | None:
    held, reason = _held(session, actor, instance_id, "repair.do", lock), reason_of(reason)
    if seq is not None:
        _check_seq(held, seq)
    return _decide(session, actor, held, _moving(held, act, position, to), reason)


def _decide(session: Session, actor: Any, held: Held, wish: _Wish, reason: str) -> UUID | None:
    """Does it, or proposes it where two must agree."""
    if not wish.touches:
        _apply(session, actor, held, wish, reason, None)
        return None
    if wish.stimulus is not None:  # what cannot be done is refused now, not when somebody approves it
        bpmn.advance(held.edition.definitions, held.state, stakes.dressed(Change(session, actor, held, held.now), wish.stimulus))
    change, repair_id = Change(session, actor, held, held.now), new_id()
    change.note("repair.proposed", {"repair": str(repair_id), "act": wish.act, **wish.content}, reason=reason, proposed=wish.said)
    expires = change.tables.calendar.due(held.now, DAYS_TO_DECIDE, "jours_ouvres")
    session.execute(_PROPOSE, {
        "id": repair_id, "instance": held.instance_id, "root": held.root_id, "branch": held.branch, "act": wish.act, "content": json.dumps(wish.content),
        "touches": list(wish.touches), "class": wish.field_class, "seq": held.seq, "reason": reason, "by": actor.user_id, "at": held.now, "expires": expires,
    })  # fmt: skip
    change.write()
    about = _about(session.execute(_ONE, {"id": repair_id}).one())
    approvals.ask(session, actor, lambda one: authority.may(one, "repair.approve", **about), "repair", repair_id, instance_id=held.root_id)
    return repair_id


def _apply(session: Session, actor: Any, held: Held, wish: _Wish, reason: str, proposal: Any) -> None:
    change = Change(session, actor, held, held.now)
    body = dict(wish.content)
    if proposal is not None:
        body |= {"repair": str(proposal.repair_id), "asked_by": str(proposal.proposed_by)}
    if wish.stimulus is None:
        corrections.remember(session, held, wish.said)
        change.note(wish.kind, body, [replace(one, reason=reason) if one.field == body["field"] else one for one in wish.said], reason)
    else:
        change.give(wish.kind, wish.stimulus, body, reason=reason)
        change.flush()
    if proposal is not None:
        session.execute(_DECIDE, {"id": proposal.repair_id, "state": "applied", "by": actor.user_id, "at": held.now, "answer": ""})
        approvals.answer(session, actor, proposal.proposed_by, "repair.applied", proposal.repair_id, instance_id=proposal.root_id)
    endings.finish(change)


def _moving(held: Held, act: str, position: str, to: str) -> _Wish:
    """A move or a skip, and what it touches. Refuses: `token.not_there`."""
    definitions = held.edition.definitions
    if held.status != "open":
        raise errors.Conflict("instance.ended")
    stands = next((one for one in bpmn.positions(definitions, held.state) if one.position == position), None)
    if stands is None or act not in ("move", "skip"):
        raise errors.Conflict("token.not_there", id=position)
    passed = bpmn.passed_over(definitions, held.state, position, to if act == "move" else stands.node)
    touches = stakes.of_move(held.edition, held.process, passed)
    content = {"position": position, "node": stands.node, "process": stands.process} | ({"to": to} if act == "move" else {})
    if act == "move":
        return _Wish(act, "token.moved", content, touches, bpmn.Jump(position=position, element=to, at=held.now, seq=0))
    return _Wish(act, "operation.skipped", content, touches, bpmn.Skip(position=position, at=held.now, seq=0))


def _held(session: Session, actor: Any, instance_id: UUID, act: str, take: Any) -> Held:
    held = take(session, instance_id)
    if held is None or not authority.may(actor, "case.read", branch=held.branch, case=held):
        raise errors.NotFound("case.not_found")
    authority.require(actor, act, branch=held.branch)
    return held


def _case(session: Session, actor: Any, case_id: UUID, act: str) -> Any:
    row = session.execute(_CASE, {"id": case_id}).one_or_none()
    if row is None or not authority.may(actor, "case.read", branch=row.branch, case=row):
        raise errors.NotFound("case.not_found")
    authority.require(actor, act, branch=row.branch)
    return row


def _proposal(session: Session, actor: Any, repair_id: UUID) -> tuple[Any, Held]:
    """A proposal still to be decided, for whoever made it or may approve it; its instance locked first, as everywhere."""
    authority.require(actor, "repair.list")
    row = session.execute(_ONE, {"id": repair_id}).one_or_none()
    if row is None:
        raise errors.NotFound("repair.not_found")
    if row.proposed_by != actor.user_id:
        authority.require(actor, "repair.approve", **_about(row))
    held = lock(session, row.instance_id)
    if held is None:
        raise errors.NotFound("repair.not_found")
    session.execute(_LOCKED, {"id": repair_id})
    row = session.execute(_ONE, {"id": repair_id}).one()
    if row.state != "proposed":
        raise errors.Conflict("repair.decided", at=row.decided_at)
    return row, held


def _about(row: Any) -> dict[str, Any]:
    return {"branch": row.branch, "proposer": row.proposed_by, "kind": row.act, "field_class": row.field_class, "case": row}


def _check_seq(held: Held, seq: int) -> None:
    if held.seq != seq:
        raise errors.Conflict("repair.stale")


def reason_of(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON or "\0" in reason:
        raise errors.Invalid("repair.reason_needed", longest=LONGEST_REASON)
    return reason


def _sealed_value(session: Session, row: Any) -> Any:
    """What a correction would say, as the line of the proposal sealed it. Refuses: `repair.forgotten` once its key was erased."""
    opened = access.open_line(session, row.instance_id, row.seq, row.person_id, row.ciphertext) if row.ciphertext else {}
    said = opened.get(f"{row.content['subject']}|{row.content['field']}")
    if said is None:
        raise errors.Conflict("repair.forgotten")
    return said["value"] if said["status"] == "known" else {"status": said["status"]}


def _place(held: Held, one: bpmn.Position, language: str) -> Place:
    definitions = held.edition.definitions
    targets = tuple(Target(node, definitions.described(node, language, one.process)) for node in one.targets)
    process = pick(dict(definitions.processes[one.process].names), language)
    return Place(held.instance_id, held.seq, one.position, one.process, process, one.node, definitions.described(one.node, language, one.process), one.what,
                 bool(one.incident), targets, one.may_skip)  # fmt: skip


def _repair(session: Session, actor: Any, row: Any, names: Mapping[str, str]) -> Repair:
    edition, about = editions.load(session, row.edition_id), _about(row)
    is_open = row.state == "proposed" and row.expires_at > row.now
    may = [] if row.state != "proposed" else [act for act, allowed in (
        ("approve", is_open and authority.may(actor, "repair.approve", **about)),
        ("refuse", row.proposed_by == actor.user_id or authority.may(actor, "repair.approve", **about)),
    ) if allowed]  # fmt: skip
    said = corrections.shown(session, actor, edition, row, about) if row.act == "correct" else ("", "", "")
    definitions, content = edition.definitions, row.content
    node, to = (definitions.described(content[name], actor.language, content["process"]) if content.get(name) else "" for name in ("node", "to"))
    reason = row.reason if authority.readable(actor, "C", case=row) else ""
    return Repair(
        row.repair_id, row.root_id, row.instance_id, row.number or "", row.branch, row.act, node, to, content.get("position", ""), content.get("to", ""), *said, reason, tuple(row.touches),
        names.get(str(row.proposed_by), ""), row.proposed_at, row.expires_at, approvals.state_of(row, is_open),
        names.get(str(row.decided_by), ""), row.decided_at, row.answer if authority.readable(actor, "C", case=row) else "", row.at_seq, tuple(may),
    )  # fmt: skip
