"""Forgetting: whose time of keeping is over, who proposes and who approves an erasure, and its procès-verbal."""

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import errors
from engine.actors import authority
from engine.casework import erasures
from web.dependencies import Acting, OnScreen, Posted, Reading, database_of, field
from web.pages.admin import attempt
from web.screen import Screen

router = APIRouter(prefix="/erasures")


@router.get("")
def show_all(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """What is due, what waits for a second person, what was done."""
    return _list(screen, session)


@router.post("")
def propose(request: Request, screen: OnScreen, actor: Acting, session: Reading, form: Posted) -> Response:
    """Proposes the erasure of the person of a case."""
    asked = _id(field(form, "case_id", 40))
    _, refusal = attempt(request, actor, lambda writing: erasures.propose(writing, actor, asked, field(form, "reference", 60)))
    return _list(screen, session, refusal) if refusal else screen.go("/erasures", "erasure_proposed")


@router.get("/{erasure_id}")
def show(screen: OnScreen, actor: Acting, session: Reading, erasure_id: UUID) -> Response:
    """The procès-verbal, to be printed and signed."""
    return screen.show("erasures/record.html", one=erasures.show(session, screen.actor, erasure_id))


@router.post("/{erasure_id}")
def decide(request: Request, screen: OnScreen, actor: Acting, session: Reading, form: Posted, erasure_id: UUID) -> Response:
    """Approves, which erases, or puts away."""
    is_approved = field(form, "act", 10) == "approve"
    verb = erasures.approve if is_approved else erasures.refuse
    _, refusal = attempt(request, actor, lambda writing: verb(writing, actor, erasure_id))
    return _list(screen, session, refusal) if refusal else screen.go(f"/erasures/{erasure_id}" if is_approved else "/erasures")


def _list(screen: Screen, session: Reading, refusal: errors.Refusal | None = None) -> Response:
    listed = erasures.listed(session, screen.actor)
    open_ones = {one.case_id for one in listed if one.state == "proposed"}
    return screen.show(
        "erasures/page.html", refusal.status if refusal else 200, waiting=[one for one in listed if one.state == "proposed"],
        done=[one for one in listed if one.state != "proposed"], due=[one for one in erasures.due(session, screen.actor) if one.case_id not in open_ones],
        may_propose=authority.may(screen.actor, "erasure.propose", branch=screen.actor.branch), refused=screen.refusal(refusal.code, refusal.details) if refusal else "",
    )  # fmt: skip


def _id(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError as trouble:
        raise errors.NotFound("case.not_found") from trouble
