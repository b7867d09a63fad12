"""A closed case that is opened again where its diagram has a start for that (X8): what is known stays known."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from engine import clock
from engine.casework import endings, holds, operations, orders
from engine.casework.instances import Change
from engine.casework.operations import Outcome
from engine.ledger import access
from engine.pathway import bpmn

REOPENED = "dossier.rouvert"  # the message that a closed case begins again with
_ENDED_AT = text("SELECT ended_at FROM instance WHERE instance_id = :root")
_SEALED = text("SELECT seq, person_id, ciphertext FROM ledger_sealed WHERE instance_id = :id ORDER BY seq DESC")


@operations.operation("retrouver_cloture")
def look_up_closure(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """The day the case was closed."""
    ended_at = change.session.execute(_ENDED_AT, {"root": change.held.root_id}).scalar()
    return Outcome({"cloture_le": clock.today(ended_at) if ended_at else None})


@operations.operation("rouvrir_dossier")
def reopen(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Opens the closed case again, at the start that its diagram has for that: what is known stays known."""
    orders.give(change, "ordre.reouverture", {}, [change.held.root_id])
    return Outcome()


@orders.order("ordre.reouverture")
def _open_again(change: Change, _payload: Mapping[str, Any]) -> None:
    held = change.held
    if held.status == "open":
        return
    held.status, held.outcome, held.ended_at = "open", "", None
    holds.let_go(change)
    orders.go_on(change, {})  # whoever was lost sight of was suspended first
    verdict = _last_verdict(change, "D1")
    given = {"admission": verdict if isinstance(verdict, str) and verdict != "A_COMPLETER" else "SERVICE_SEUL",
             "instance": str(held.instance_id), "branche": held.branch, "numero": held.number or ""}  # fmt: skip
    change.give("case.reopened", bpmn.Start(variables=given, message=REOPENED, correlation=str(held.instance_id), at=change.at, seq=0, facts={}), {})
    endings.finish(change)


def _last_verdict(change: Change, decision: str) -> Any:
    """What a decision said last in the case, as its ledger keeps it; None where it never did or cannot be opened any more."""
    for row in change.session.execute(_SEALED, {"id": change.held.instance_id}):
        opened = access.open_line(change.session, change.held.instance_id, row.seq, row.person_id, row.ciphertext)
        found = next((one["outputs"] for one in opened.get("why", ()) if one.get("decision") == decision), None)
        if found is not None:
            return found
    return None
