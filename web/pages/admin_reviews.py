"""Access reviews: begun, walked through account by account, closed."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import errors, identity
from engine.actors import authority, branches, reviews, users, vacancies
from engine.actors.agencies import AGENCIES
from engine.casework import staff
from web.dependencies import Acting, OnScreen, Posted, database_of, field
from web.pages.admin import attempt, refused
from web.screen import Screen

router = APIRouter(prefix="/admin/reviews")


@router.get("")
def show_all(request: Request, screen: OnScreen, actor: Acting) -> Response:
    return _all(request, screen, actor)


@router.post("")
def begin(request: Request, screen: OnScreen, actor: Acting, form: Posted) -> Response:
    days = field(form, "idle_days", 6)
    made, refusal = attempt(request, actor, lambda session: reviews.begin(
        session, actor, field(form, "agency", 10), field(form, "branch", 10), int(days) if days.isdecimal() else 0, field(form, "reason", 600)))  # fmt: skip
    return _all(request, screen, actor, refusal) if refusal else screen.go(f"/admin/reviews/{made}", "review_begun")


@router.get("/{review_id}")
def show(request: Request, screen: OnScreen, actor: Acting, review_id: UUID) -> Response:
    return _one(request, screen, actor, review_id)


@router.post("/{review_id}/decide")
def decide(request: Request, screen: OnScreen, actor: Acting, form: Posted, review_id: UUID) -> Response:
    """Keeps or withdraws the access of one account."""
    user_id = identity.parse(field(form, "user_id", 40))
    if user_id is None:
        raise errors.NotFound("user.not_found")
    reason, is_known = field(form, "reason", 600), field(form, "is_known", 5) == "yes"
    _, refusal = attempt(request, actor, lambda session: reviews.decide(session, actor, review_id, user_id, field(form, "decision", 10), reason, is_known=is_known))
    return _one(request, screen, actor, review_id, refusal, (user_id, reason)) if refusal else screen.go(f"/admin/reviews/{review_id}#left")


@router.post("/{review_id}/close")
def conclude(request: Request, screen: OnScreen, actor: Acting, form: Posted, review_id: UUID) -> Response:
    _, refusal = attempt(request, actor, lambda session: reviews.conclude(session, actor, review_id, field(form, "reason", 600)))
    return _one(request, screen, actor, review_id, refusal) if refusal else screen.go(f"/admin/reviews/{review_id}", "review_closed")


def _all(request: Request, screen: Screen, actor: users.Actor, refusal: errors.Refusal | None = None) -> Response:
    with database_of(request).reading(actor) as session:
        rows = reviews.listed(session, actor)
        names = staff.names(session, screen.language, {one for row in rows for one in (row.opened_by, row.closed_by)})
        codes = [one.code for one in branches.listed(session, actor)]
    told: dict[str, Any] = {"rows": rows, "names": names, "agencies": list(AGENCIES), "branch_codes": codes, "idle_days": reviews.IDLE_DAYS}
    return screen.show("admin/reviews.html", refusal.status if refusal else 200, may=authority.may(actor, "review.write"), **told, **refused(screen, refusal))


def _one(request: Request, screen: Screen, actor: users.Actor, review_id: UUID, refusal: errors.Refusal | None = None, typed: tuple[UUID | None, str] = (None, "")) -> Response:
    """`typed`: whose access was to be withdrawn, and why."""
    of, reason = typed
    with database_of(request).reading(actor) as session:
        alone = vacancies.of(session, actor, of) if of else ()
        whole = reviews.show(session, actor, review_id)
        names = staff.names(session, screen.language, {whole.review.opened_by, whole.review.closed_by} | {one.decided_by for one in whole.lines})
    left = [one for one in whole.lines if not one.decision]
    told: dict[str, Any] = {"review": whole.review, "left": left, "decided": [one for one in whole.lines if one.decision], "names": names, "alone": alone, "of": of, "typed": reason}
    return screen.show("admin/review.html", refusal.status if refusal else 200, may=authority.may(actor, "review.write"), **told, **refused(screen, refusal))
