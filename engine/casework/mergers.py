"""Mergers: two persons of the registry are one. One proposes, having looked at both side by side; another does it; it can be undone until something more happens.

Nothing is lost: the cases, papers and history of whoever goes become those of whoever is kept; what was said of her person stays as it was, and what is taken over
is said anew, with the case it comes from. Whose cases both run are not made one: a person has one open case.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import approvals, authority
from engine.casework import doubles, editions, staff
from engine.casework import search as finding
from engine.casework.instances import lock
from engine.dossier import beneficiaries, facts
from engine.ledger import access, events

_MEANWHILE = "40001"  # `masar_merge`, which has both persons locked: one is to be forgotten, or was made one with another, since we looked
_ROWS = """SELECT m.*, k.number AS kept_number, k.branch AS kept_branch, g.number AS gone_number, g.branch AS gone_branch, s.person_id, s.ciphertext
             FROM merger m JOIN instance k ON k.instance_id = m.instance_id JOIN instance g ON g.instance_id = m.other_id
             LEFT JOIN ledger_sealed s ON s.instance_id = m.instance_id AND s.seq = m.seq"""
_LISTED = text(f"{_ROWS} ORDER BY m.state <> 'proposed', m.proposed_at DESC LIMIT 100")
_OF_TWO = text(f"{_ROWS} WHERE (m.kept, m.gone) IN ((:one, :other), (:other, :one)) ORDER BY m.proposed_at DESC LIMIT 1")
_OF_CASE = text(f"{_ROWS} WHERE m.kept = :person AND m.state = 'done' ORDER BY m.decided_at DESC")
_ONE = text("SELECT * FROM merger WHERE merger_id = :id")
_LOCK = text("SELECT * FROM merger WHERE merger_id = :id FOR UPDATE")
_RUNS = text("SELECT number FROM instance WHERE person_id = :person AND process = 'parcours' AND root_id = instance_id AND status = 'open' LIMIT 1")
_PARTS = text("SELECT instance_id, edition FROM masar_parts_of_person(:person)")
_PROPOSE = text("""INSERT INTO merger (merger_id, kept, gone, instance_id, other_id, seq, content, proposed_by, proposed_at)
                   VALUES (:id, :kept, :gone, :instance, :other, :seq, CAST(:content AS jsonb), :by, :at) ON CONFLICT DO NOTHING RETURNING 1""")
_DECIDE = text("""UPDATE merger SET state = :state, decided_by = :by, decided_at = :at, xid = pg_current_xact_id(), content = CAST(:content AS jsonb) WHERE merger_id = :id""")
_UNDO = text("UPDATE merger SET state = 'undone', undone_by = :by, undone_at = :at, xid = pg_current_xact_id() WHERE merger_id = :id")
_STANDS = text("SELECT instance_id, seq FROM instance WHERE instance_id = ANY (CAST(:ids AS uuid[]))")
_NEWER = text("SELECT 1 FROM fact WHERE subject = :subject AND is_current AND fact_id > coalesce((SELECT max(fact_id) FROM fact WHERE subject = :subject AND is_current AND instance_id = :instance AND seq = :seq), :last) LIMIT 1")
_LAST = text("SELECT coalesce(max(fact_id), 0) FROM fact WHERE subject = :subject AND is_current")
_FORGOTTEN = text("SELECT masar_is_forgotten(CAST(:persons AS uuid[]))")
_MERGED = text("SELECT merged_into FROM person WHERE person_id = ANY (CAST(:persons AS uuid[])) AND merged_into IS NOT NULL")


@dataclass(frozen=True)
class Merger:
    """Two persons made one, or proposed to be, each by a case of hers. `reason` and names: "" where they are not the reader's to see."""

    merger_id: UUID
    kept_case: UUID
    kept_number: str
    kept_name: str
    gone_case: UUID
    gone_number: str
    gone_name: str
    state: str
    reason: str
    proposed_by: str
    proposed_at: dt.datetime
    decided_by: str
    decided_at: dt.datetime | None
    may_decide: bool
    may_refuse: bool
    may_undo: bool


def propose(session: Session, actor: Any, kept_case: UUID, gone_case: UUID, take: Sequence[str], reason: str) -> UUID:
    """Proposes that the person of `gone_case` is that of `kept_case`. `take`: the fields where both say otherwise and the former is right; what is known of her
    alone is taken over anyway.

    Refuses: NotFound; `merger.reason`, `merger.forgotten`, `merger.two_open` (naming both cases), `merger.elsewhere`, `merger.proposed`, `double.same`. Records: `person.merge_proposed`.
    """
    side = doubles.beside(session, actor, kept_case, gone_case)
    for case_id in (kept_case, gone_case):
        authority.require(actor, "person.propose_merge", branch=_branch(session, case_id))
    if not reason.strip():
        raise errors.Invalid("merger.reason")
    _check(session, side.mine.person_id, side.other.person_id)
    differing = {row.field for row in side.rows if row.agree in ("differ", "alike")}
    seq = doubles.note(session, actor, kept_case, "person.merge_proposed", {"other": str(gone_case), "number": _number(side.other)}, reason.strip()[:1000])
    merger_id = identity.new_id()
    given = {"id": merger_id, "kept": side.mine.person_id, "gone": side.other.person_id, "instance": kept_case, "other": gone_case, "seq": seq,
             "content": json.dumps({"take": sorted(differing & set(take))}), "by": actor.user_id, "at": clock.now(session)}  # fmt: skip
    if session.execute(_PROPOSE, given).scalar() is None:
        raise errors.Conflict("merger.proposed")
    branches = [_branch(session, one) for one in (kept_case, gone_case)]
    approvals.ask(session, actor, lambda one: _may(one, "person.approve_merge", branches, actor.user_id), "merger", merger_id, instance_id=kept_case)
    return merger_id


def approve(session: Session, actor: Any, merger_id: UUID) -> None:
    """Does it: another than whoever proposed it agrees.

    Refuses: `merger.not_found`, `merger.decided`; Forbidden to whoever proposed it; as `propose`; `merger.meanwhile` (Conflict). Records: `person.merged` in every instance of both.
    """
    row = _locked(session, actor, merger_id, "person.approve_merge", "proposed")
    _check(session, row.kept, row.gone)
    now = clock.now(session)
    new = _taken(session, row)
    seq = _line(session, actor, row.instance_id, None, {"merger": str(merger_id), "other": str(row.other_id)}, "person.merged", new)
    held = lock(session, row.instance_id)
    assert held is not None
    last = session.execute(_LAST, {"subject": f"person:{row.kept}"}).scalar_one()
    facts.record(session, actor, facts.Subjects(row.instance_id, row.kept), row.instance_id, held.now, seq, new)
    stands = {str(part.instance_id): _line(session, actor, part.instance_id, part.edition, {"merger": str(merger_id), "into": str(row.instance_id)}, "person.merged")
              for part in session.execute(_PARTS, {"person": row.gone}).all()}  # fmt: skip
    content = {**row.content, "stands": stands, "seq": seq, "last": last}
    session.execute(_DECIDE, {"id": merger_id, "state": "done", "by": actor.user_id, "at": now, "content": json.dumps(content)})
    try:
        session.execute(text("SELECT masar_merge(:id)"), {"id": merger_id})  # found by what either was found by
    except DBAPIError as trouble:
        if getattr(trouble.orig, "sqlstate", "") != _MEANWHILE:
            raise
        raise errors.Conflict("merger.meanwhile") from trouble
    beneficiaries.remember_household(session, row.kept)
    approvals.answer(session, actor, row.proposed_by, "merger.done", merger_id, instance_id=row.instance_id)


def refuse(session: Session, actor: Any, merger_id: UUID) -> bool:
    """Puts a proposal away; whoever made it takes it back the same way: whether it was so. Refuses: `merger.not_found`, `merger.decided`. Records: `person.merge_refused`."""
    row = _locked(session, actor, merger_id, "person.refuse_merge", "proposed")
    doubles.note(session, actor, row.instance_id, "person.merge_refused", {"merger": str(merger_id)})
    session.execute(_DECIDE, {"id": merger_id, "state": "refused", "by": actor.user_id, "at": clock.now(session), "content": json.dumps(row.content)})
    approvals.answer(session, actor, row.proposed_by, "merger.refused", merger_id, instance_id=row.instance_id)
    return row.proposed_by == actor.user_id


def undo(session: Session, actor: Any, merger_id: UUID, reason: str) -> None:
    """Parts two persons again, as they were: while nothing more happened in the cases that came over, and nobody said anything more of the person.

    Refuses: `merger.not_found`, `merger.not_done`, `merger.reason`; `merger.went_on`, `merger.forgotten` (Conflict). Records: `person.parted` in every instance of both.
    """
    row = _locked(session, actor, merger_id, "person.undo_merge", "done")
    if not reason.strip():
        raise errors.Invalid("merger.reason")
    if not _is_still(session, row):
        raise errors.Conflict("merger.went_on")
    if session.execute(_FORGOTTEN, {"persons": [row.kept, row.gone]}).scalar():
        raise errors.Conflict("merger.forgotten")
    parts = [UUID(one) for one in row.content["stands"]]
    editions_of = {part.instance_id: part.edition for part in session.execute(_PARTS, {"person": row.kept}).all()}
    body = {"merger": str(merger_id), "undone": row.content["seq"]}
    doubles.note(session, actor, row.instance_id, "person.parted", body, reason.strip()[:1000])
    for one in parts:
        _line(session, actor, one, editions_of.get(one), {"merger": str(merger_id)}, "person.parted")
    session.execute(_UNDO, {"id": merger_id, "by": actor.user_id, "at": clock.now(session)})
    session.execute(text("SELECT masar_part(:id, :seq, CAST(:parts AS uuid[]))"), {"id": merger_id, "seq": row.content["seq"], "parts": parts})
    for case_id, whose in ((row.instance_id, row.kept), (row.other_id, row.gone)):
        beneficiaries.remember(session, whose, doubles.identity(session, case_id, whose))
        beneficiaries.remember_household(session, whose)
    approvals.answer(session, actor, row.proposed_by, "merger.undone", merger_id, instance_id=row.instance_id)


def listed(session: Session, actor: Any) -> list[Merger]:
    """Mergers that the reader reaches, those to decide first."""
    authority.require(actor, "person.compare")
    return _mergers(session, actor, session.execute(_LISTED).all())


def of_two(session: Session, actor: Any, one: UUID, other: UUID) -> Merger | None:
    """The last merger of two persons, whatever became of it."""
    return next(iter(_mergers(session, actor, session.execute(_OF_TWO, {"one": one, "other": other}).all())), None)


def of_person(session: Session, actor: Any, person_id: UUID) -> list[Merger]:
    """Who was made one with a person, and may be parted from her."""
    return _mergers(session, actor, session.execute(_OF_CASE, {"person": person_id}).all())


def _check(session: Session, kept: UUID, gone: UUID) -> None:
    """Refuses: `merger.forgotten` (one of them is to be forgotten, or was), `merger.two_open`, `merger.elsewhere` (an instance of either is out of reach), `merger.went_on` (one of them was made one with another)."""
    if session.execute(_MERGED, {"persons": [kept, gone]}).first():
        raise errors.Conflict("merger.went_on")
    if session.execute(_FORGOTTEN, {"persons": [kept, gone]}).scalar():
        raise errors.Conflict("merger.forgotten")
    running = [session.execute(_RUNS, {"person": one}).scalar() for one in (kept, gone)]
    if all(running):
        raise errors.Conflict("merger.two_open", one=running[0], other=running[1])
    for person_id in (kept, gone):
        parts = [row.instance_id for row in session.execute(_PARTS, {"person": person_id}).all()]
        if len(session.execute(_STANDS, {"ids": parts}).all()) < len(parts):
            raise errors.Conflict("merger.elsewhere")


def _taken(session: Session, row: Any) -> list[facts.NewFact]:
    """What is said anew of whoever is kept: what was chosen, and what is known of the other alone; each with the case it comes from."""
    fields = [name for name, spec in editions.current(session).dictionary.fields.items() if spec.subject == "person" and spec.computed is None]
    sides = [{one.field: one for one in facts.snapshot(session, facts.Subjects(case_id, whose), fields) if one.subject == f"person:{whose}"}
             for case_id, whose in ((row.instance_id, row.kept), (row.other_id, row.gone))]  # fmt: skip
    number = session.execute(text("SELECT number FROM instance WHERE instance_id = :id"), {"id": row.other_id}).scalar() or ""
    chosen = set(row.content["take"])
    return [facts.NewFact(f"person:{row.kept}", field, one.value, one.field_class, one.status, {"kind": "case", "label": number}, one.valid_until)
            for field, one in sides[1].items() if field in chosen or (one.status == "known" and (field not in sides[0] or sides[0][field].status != "known"))]  # fmt: skip


def _line(session: Session, actor: Any, instance_id: UUID, edition: int | None, body: Mapping[str, Any], kind: str, new: Sequence[facts.NewFact] = ()) -> int:
    """A line in an instance, ended or not, whose row is left as it is; says its number."""
    held = lock(session, instance_id)
    if held is None:
        raise errors.Conflict("merger.elsewhere")
    told = dict(body)
    if new:
        told["facts"] = [{"subject": one.subject, "field": one.field, "class": one.field_class, "source": one.source.get("kind", "")} for one in new]
    sealed = {f"{one.subject}|{one.field}": {"value": one.value, "status": one.status, "class": one.field_class} for one in new}
    head = events.append(session, actor, events.Head(instance_id, held.seq, held.head), held.person_id, kind, held.now, told, sealed, edition or held.edition.number)
    session.execute(text("UPDATE instance SET seq = :seq, head = :head WHERE instance_id = :id"), {"id": instance_id, "seq": head.seq, "head": head.hash})
    return head.seq


def _is_still(session: Session, row: Any) -> bool:
    stands = {str(one.instance_id): one.seq for one in session.execute(_STANDS, {"ids": list(row.content["stands"])}).all()}
    asked = {"subject": f"person:{row.kept}", "instance": row.instance_id, "seq": row.content["seq"], "last": row.content["last"]}
    return stands == row.content["stands"] and session.execute(_NEWER, asked).scalar() is None


def _locked(session: Session, actor: Any, merger_id: UUID, act: str, state: str) -> Any:
    row = session.execute(_ONE, {"id": merger_id}).one_or_none()
    if row is None:
        raise errors.NotFound("merger.not_found")
    for case_id in (row.instance_id, row.other_id):
        authority.require(actor, act, branch=_branch(session, case_id), authors=[row.proposed_by])
    row = session.execute(_LOCK, {"id": merger_id}).one()
    if row.state != state:
        raise errors.Conflict("merger.decided" if state == "proposed" else "merger.not_done")
    return row


def _branch(session: Session, case_id: UUID) -> str:
    return session.execute(text("SELECT branch FROM instance WHERE instance_id = :id"), {"id": case_id}).scalar() or ""


def _may(actor: Any, act: str, branches: Sequence[str], proposed_by: UUID) -> bool:
    """Whether she may decide of two persons, each in a branch."""
    return all(authority.may(actor, act, branch=branch, authors=[proposed_by]) for branch in branches)


def _number(one: doubles.Person) -> str:
    return next((case.number or "" for case in one.cases if case.case_id == one.case_id), "")


def _mergers(session: Session, actor: Any, rows: Sequence[Any]) -> list[Merger]:
    said = finding.names(session, list({one for row in rows for one in (row.kept, row.gone)}))
    return [_merger(session, actor, row, {one: beneficiaries.full_name(values, actor.language) for one, values in said.items()}) for row in rows]


def _merger(session: Session, actor: Any, row: Any, called: Mapping[UUID, str]) -> Merger:
    names = staff.names(session, actor.language, [row.proposed_by, row.decided_by])

    def may(act: str) -> bool:
        return _may(actor, act, (row.kept_branch, row.gone_branch), row.proposed_by)

    opened = access.open_line(session, row.instance_id, row.seq, row.person_id, row.ciphertext) if row.ciphertext else {}
    return Merger(row.merger_id, row.instance_id, row.kept_number or "", called.get(row.kept, ""), row.other_id, row.gone_number or "", called.get(row.gone, ""),
                  approvals.state_of(row), str(opened.get("reason", "")),
                  names.get(str(row.proposed_by), ""), row.proposed_at, names.get(str(row.decided_by), ""), row.decided_at,
                  row.state == "proposed" and may("person.approve_merge"), row.state == "proposed" and may("person.refuse_merge"),
                  row.state == "done" and may("person.undo_merge") and _is_still(session, row))  # fmt: skip
