"""What a withdrawn consent ends (§2.4): who may know no more has her tasks taken back, the case is entrusted to no operator, an aid that needs its funder told is over.

The walls close by themselves, at the next read, for they ask the case's own row (`dossier.consents`). This is the rest: the message `consentement.retire` begins a
diagram beside the case, whose operation orders it of the case and of each of its parts. Not here: how a person withdraws (`agreements`).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, identity
from engine.actors import authority
from engine.actors.agencies import ANETI, CPS, PARTNERS
from engine.casework import endings, notices, operations, orders, set_aside
from engine.casework.instances import Change, Held, lock
from engine.casework.operations import Outcome
from engine.dossier import consents, facts

MESSAGE = "consentement.retire"
SCOPES = ("c1", "c2", "c3", "c4", "c5", "c6")
WITHOUT_THE_FUNDER = "consentement_retire"  # how an aid ends that the funder may know no more
_RETIRED, _REASON = "consentement.retires", "consentement.retrait_motif"
_CASE_OF = text("SELECT root_id FROM open_task WHERE task_id = :id AND root_id <> instance_id")
_AID_PROGRAMME = "aide.programme"
_TASKS = text("SELECT task_id, position, node, names, agency, branch, role, holder_id FROM open_task WHERE instance_id = :id ORDER BY position")
_TAKE_BACK = text("UPDATE open_task SET holder_id = NULL, claimed_at = NULL, version = version + 1 WHERE task_id = ANY (CAST(:tasks AS uuid[]))")
_DRAFTS = text("DELETE FROM draft WHERE task_id = ANY (CAST(:tasks AS uuid[]))")
# Of whom it is told the instance is not named: what is kept from her is no more hers to open.
_TELL = text("""INSERT INTO notice (notice_id, user_id, branch, agency, role, code, details, created_at)
                VALUES (:id, :user, :branch, :agency, :role, 'task.taken_back', CAST(:details AS jsonb), :at)""")


def facts_of(held: Any, known: Sequence[facts.Fact], scopes: Collection[str], reason: str = "") -> list[facts.NewFact]:
    """The scopes that stood and do no more, as facts."""
    given = {one.field for one in known if one.status == "known" and one.value is True}
    fields = [f"consentement.{one}" for one in SCOPES if one in scopes and f"consentement.{one}" in given]
    classes = {name: authority.classes_of(held.edition.dictionary.fields[name]) for name in fields}
    return [facts.NewFact(f"case:{held.root_id}", name, False, classes[name], reason=reason) for name in fields]


def standing(change: Change) -> list[facts.Fact]:
    """What the person agreed to and refused, as it stands."""
    return facts.snapshot(change.session, change.held.subjects, [f"consentement.{one}" for one in SCOPES])


def case_of_task(session: Session, task_id: UUID, raw: Mapping[str, Any] | None) -> Held | None:
    """The case beside which a task withdraws a consent, locked (a case before its part); None where what is answered withdraws nothing."""
    root = session.execute(_CASE_OF, {"id": task_id}).scalar() if _RETIRED in (raw or ()) else None
    return lock(session, root) if root else None


def close_now(session: Session, actor: Any, held: Held, said: Mapping[str, Any]) -> None:
    """Closes the case itself in the unit of work whose answers say so, before the diagram that orders the rest has run. Records: `consent.closed`."""
    told = {name: said[name].value for name in (_RETIRED, _REASON) if name in said}
    scopes, reason = told.get(_RETIRED) or (), told.get(_REASON) or ""
    new = facts_of(held, facts.snapshot(session, held.subjects, [f"consentement.{one}" for one in SCOPES]), scopes, reason)
    if new:
        change = Change(session, actor, held, held.now)
        consents.apply(held, new)
        change.note("consent.closed", {"scopes": sorted(scopes), "tasks": []}, new)
        change.write()
        consents.keep(session, held, new)


@operations.operation("fermer_acces", "portees")
def close(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Closes what the person withdrew (`portees`: c1 … c6) to those whom it was for, on the case and on each of its parts."""
    scopes = [str(one) for one in parameters.get("portees") or ()]
    orders.give(change, "ordre.consentement", {"portees": scopes}, dict.fromkeys([change.held.root_id, *orders.parts(change)]))
    return Outcome({"portees": scopes})


@orders.order("ordre.consentement")
def _closed(change: Change, payload: Mapping[str, Any]) -> None:
    held, scopes = change.held, {str(one) for one in payload.get("portees") or ()}
    new = facts_of(held, standing(change), scopes) if held.instance_id == held.root_id else []  # said elsewhere than on the case's own page
    consents.apply(held, new)
    if held.instance_id == held.root_id and not held.is_shared_operator:
        held.assigned = []
    held.is_kept = consents.is_kept(held, new)
    if "c2" in scopes and held.status == "open" and _needs_the_funder(change) and orders.end(change, WITHOUT_THE_FUNDER):
        return
    taken = [row for row in change.session.execute(_TASKS, {"id": held.instance_id}) if _is_lost(row, held)]
    lost = set_aside.lost_by(scopes)
    if lost and held.status == "open" and held.subject.startswith("aide:"):
        orders.leave_sittings(change, lost, WITHOUT_THE_FUNDER)
    if new or taken or change.unsaid:
        change.note("consent.closed", {"scopes": sorted(scopes), "tasks": [[row.position, row.node] for row in taken]}, new)
    if held.instance_id == held.root_id:
        _call_off(change, scopes)
    change.write()
    consents.keep(change.session, held, new)
    _take_back(change, taken)


def _call_off(change: Change, scopes: Collection[str]) -> None:
    """Nobody is expected by an agency that may know no more of her; the case owner sees with her what is to be done instead."""
    held = change.held
    lost = [*((CPS, ANETI) if held.is_kept and "c1" in scopes else ()), *((PARTNERS,) if "c3" in scopes else ())]
    if lost and endings.call_off_all(change, "accord", agencies=lost):
        notices.tell(change.session, change.actor, held.referent_id, "appointment.instead", held.branch, instance_id=held.instance_id)


def _is_lost(row: Any, held: Any) -> bool:
    """Whether a task is in the hands of somebody who may know no more of the case."""
    if row.agency == PARTNERS:
        return row.role == "operateur" and not held.is_shared_operator and row.holder_id is not None
    return row.holder_id is not None and authority.is_withheld({"agency": row.agency, "case": held})


def _take_back(change: Change, taken: Sequence[Any]) -> None:
    tasks = [row.task_id for row in taken]
    if not tasks:
        return
    change.session.execute(_TAKE_BACK, {"tasks": tasks})
    change.session.execute(_DRAFTS, {"tasks": tasks})
    for row in taken:
        details = json.dumps({"case": change.held.number, "task": row.names, "scope": "c3" if row.agency == PARTNERS else "c1"}, ensure_ascii=False)
        change.session.execute(_TELL, {"id": identity.new_id(), "user": row.holder_id, "branch": row.branch, "agency": row.agency, "role": row.role, "details": details, "at": change.at})


def _needs_the_funder(change: Change) -> bool:
    """Whether the instance is an aid of a programme that asks for C2."""
    if not change.held.subject.startswith("aide:"):
        return False
    found = next((one.value for one in facts.snapshot(change.session, change.held.subjects, [_AID_PROGRAMME]) if one.status == "known"), None)
    versions = change.tables.scope(clock.today(change.at))["programmes"]
    return any(one.get("consentement_c2") is True for one in versions if one["code"] == found)
