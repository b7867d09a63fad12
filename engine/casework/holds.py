"""What holds the payments of a case's aids: a fraud, a death, a departure that is looked into. A payment goes on once the last that holds it lets it go.

Who holds is not kept apart: each runs beside the case, and its own ledger says whether it held last or let go. Not here: what a payment moves (`aid_operations`).
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.casework import endings, operations, orders
from engine.casework.instances import Change
from engine.casework.operations import Outcome
from engine.pathway import bpmn

_IS_HELD = text("SELECT payments_held FROM instance WHERE instance_id = :id")
_CASE_IS_HELD = text("SELECT payments_held FROM instance WHERE instance_id = :id FOR SHARE")  # a hold on its way is waited for; one that comes later finds the aid
_STOOD_STILL = text("SELECT position, node FROM incident WHERE instance_id = :id AND details ->> 'error' = 'operation.payments_held' AND resolved_at IS NULL ORDER BY opened_at, incident_id")
_HOLD = text("UPDATE instance SET payments_held = :held WHERE instance_id = :id")
_MARK = text("UPDATE instance SET payments_held = :held, seq = :seq, head = :head WHERE instance_id = :id")
# Whether something that still runs beside the case, whichever it is, held its payments last and did not let them go.
_HOLDING = text("""SELECT i.instance_id FROM instance i, LATERAL (SELECT l.line::jsonb #>> '{body,operation}' AS name FROM ledger_line l
                       WHERE l.instance_id = i.instance_id AND l.kind = 'operation.done' AND l.line::jsonb #>> '{body,error}' IS NULL
                         AND l.line::jsonb #>> '{body,operation}' IN ('retenir_versements', 'liberer_versements') ORDER BY l.seq DESC LIMIT 1) last
                    WHERE i.root_id = :root AND i.status = 'open' AND i.subject LIKE 'imprevu:%' AND last.name = 'retenir_versements' ORDER BY i.opened_at, i.instance_id""")


@operations.operation("retenir_versements")
def hold_payments(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Nothing is paid on the case's aids from now on, those that it asks for meanwhile among them, until `liberer_versements`."""
    orders.give(change, "ordre.retenue", {"retenus": True}, orders.parts(change, beside=False))
    return Outcome()


@operations.operation("liberer_versements")
def release_payments(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Payments go on, once nothing else that runs beside the case holds them: those that came due meanwhile are made."""
    orders.give(change, "ordre.retenue", {"retenus": False}, orders.parts(change, beside=False))
    return Outcome()


@orders.order("ordre.retenue")
def _hold(change: Change, payload: Mapping[str, Any]) -> None:
    is_aid = change.held.subject.startswith("aide:")
    if not is_aid and change.held.instance_id != change.held.root_id:
        return
    is_held = bool(payload.get("retenus"))
    if change.session.execute(_IS_HELD, {"id": change.held.instance_id}).scalar() == is_held or (not is_held and is_held_by_another(change)):
        return
    change.note("payments.held" if is_held else "payments.released", {})
    orders.save(change)
    change.session.execute(_HOLD, {"id": change.held.instance_id, "held": is_held})
    if is_held or not is_aid or change.held.status != "open":
        return
    for row in change.session.execute(_STOOD_STILL, {"id": change.held.instance_id}).all():
        change.give("incident.retried", bpmn.Retry(incident_id=row.position, at=change.at, seq=0), {"node": row.node})
    endings.finish(change)


def is_held_by_another(change: Change) -> bool:
    """Whether something else that still runs beside the case holds its payments."""
    return bool(holding(change.session, change.held.root_id))


def holding(session: Session, case_id: UUID) -> list[UUID]:
    """What still runs beside a case and holds its payments: a fraud, a death that is looked into."""
    return list(session.execute(_HOLDING, {"root": case_id}).scalars())


def stands_still(session: Session, dossier_id: UUID) -> bool:
    """Whether a payment of an aid was made, and is not entered while its payments are held."""
    return session.execute(_STOOD_STILL, {"id": dossier_id}).first() is not None


def hold_as_its_case(change: Change) -> None:
    """An aid asked for while the payments of its case are held is held too."""
    if change.held.subject.startswith("aide:") and change.session.execute(_CASE_IS_HELD, {"id": change.held.root_id}).scalar():
        _mark(change, "payments.held", True)


def _mark(change: Change, kind: str, is_held: bool) -> None:
    change.note(kind, {})
    change.session.execute(_MARK, {"id": change.held.instance_id, "held": is_held, "seq": change.held.seq, "head": change.held.head})


def let_go(change: Change) -> None:
    """A case that is opened again is held no more for what it was closed for."""
    if change.session.execute(_IS_HELD, {"id": change.held.instance_id}).scalar() and not is_held_by_another(change):
        _mark(change, "payments.released", False)
