"""Accounts: the list, one account with its rights and its history, and what waits for a second administrator. A password that was made is shown in the answer, once."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import errors
from engine.actors import accounts, authority, branches, users, vacancies
from engine.actors.agencies import AGENCIES
from engine.actors.roles import GIVEN_BY_TWO, ROLES
from engine.casework import staff
from web.dependencies import Acting, OnScreen, Posted, Reading, database_of, field
from web.pages.admin import attempt, entries, refused
from web.screen import Screen

router = APIRouter(prefix="/admin")


@router.get("/accounts")
def show_all(screen: OnScreen, actor: Acting, session: Reading, q: str = "", agency: str = "", branch: str = "", role: str = "", state: str = "active", idle: str = "") -> Response:
    """The accounts, by name, place, role, and whether they are used."""
    days = min(int(idle), 3650) if idle.isdecimal() and len(idle) < 6 else 0
    asked = {"search": q[:100], "agency": agency, "branch": branch, "role": role, "state": state, "idle_days": days}
    found = accounts.listed(session, actor, **asked)
    return screen.show("admin/accounts.html", rows=found, asked=asked, may=authority.may(actor, "account.write"), **_choices(session, actor))


@router.get("/accounts/new")
def new(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    authority.require(actor, "account.write")
    return screen.show("admin/account_new.html", typed={}, **refused(screen, None), **_choices(session, actor))


@router.post("/accounts/new")
def create(request: Request, screen: OnScreen, actor: Acting, form: Posted) -> Response:
    """Makes an account and shows its password once."""
    typed = _typed(form) | {"username": field(form, "username", 200), "name": field(form, "name", 300), "name_ar": field(form, "name_ar", 300), "language": field(form, "language", 2)}
    given, refusal = attempt(request, actor, lambda session: accounts.create(
        session, actor, typed["username"], typed["name"], typed["agency"], typed["branch"], typed["roles"], typed["reason"], name_ar=typed["name_ar"],
        language=typed["language"]))  # fmt: skip
    if refusal:
        with database_of(request).reading(actor) as session:
            return screen.show("admin/account_new.html", refusal.status, typed=typed, **refused(screen, refusal), **_choices(session, actor))
    return _account(request, screen, actor, given.user_id, given=given, done="created")


@router.get("/accounts/{user_id}")
def show(request: Request, screen: OnScreen, actor: Acting, user_id: UUID) -> Response:
    return _account(request, screen, actor, user_id)


@router.post("/accounts/{user_id}/names")
def rename(request: Request, screen: OnScreen, actor: Acting, form: Posted, user_id: UUID) -> Response:
    _, refusal = attempt(request, actor, lambda session: accounts.rename(
        session, actor, user_id, field(form, "name", 300), field(form, "name_ar", 300), field(form, "language", 2), field(form, "reason", 600)))  # fmt: skip
    return _account(request, screen, actor, user_id, refusal=refusal) if refusal else screen.go(f"/admin/accounts/{user_id}", "account_renamed")


@router.post("/accounts/{user_id}/rights")
def set_rights(request: Request, screen: OnScreen, actor: Acting, form: Posted, user_id: UUID) -> Response:
    """Gives rights, or proposes them where two are needed."""
    typed = _typed(form)
    given, refusal = attempt(request, actor, lambda session: accounts.set_rights(
        session, actor, user_id, typed["agency"], typed["branch"], typed["roles"], typed["reason"], is_known=_is_known(form)))  # fmt: skip
    if refusal:
        return _account(request, screen, actor, user_id, refusal=refusal, typed=typed)
    return screen.go(f"/admin/accounts/{user_id}", "account_proposed" if given.proposal_id else "account_rights")


@router.post("/accounts/{user_id}/close")
def close(request: Request, screen: OnScreen, actor: Acting, form: Posted, user_id: UUID) -> Response:
    reason = field(form, "reason", 600)
    _, refusal = attempt(request, actor, lambda session: accounts.close(session, actor, user_id, reason, is_known=_is_known(form)))
    return _account(request, screen, actor, user_id, refusal=refusal, closing=reason) if refusal else screen.go(f"/admin/accounts/{user_id}", "account_closed")


@router.post("/accounts/{user_id}/password")
def reset_password(request: Request, screen: OnScreen, actor: Acting, form: Posted, user_id: UUID) -> Response:
    """Gives a password that opens once, shown once; or proposes it."""
    given, refusal = attempt(request, actor, lambda session: accounts.reset_password(session, actor, user_id, field(form, "reason", 600)))
    if given and given.proposal_id:
        return screen.go(f"/admin/accounts/{user_id}", "account_proposed")
    return _account(request, screen, actor, user_id, refusal=refusal, given=given, done="password")


@router.get("/proposals")
def proposals(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """What waits for a second administrator, and what was decided."""
    return _proposals(screen, actor, session)


@router.post("/proposals/{proposal_id}/approve")
def approve(request: Request, screen: OnScreen, actor: Acting, form: Posted, proposal_id: UUID) -> Response:
    """Does what was proposed; the password that may come with it is shown once."""
    given, refusal = attempt(request, actor, lambda session: accounts.approve(session, actor, proposal_id))
    return _after(request, screen, actor, refusal) if refusal else _account(request, screen, actor, given.user_id, given=given, done="approved")


@router.post("/proposals/{proposal_id}/refuse")
def refuse(request: Request, screen: OnScreen, actor: Acting, form: Posted, proposal_id: UUID) -> Response:
    """Refuses a proposal, or withdraws one's own."""
    state, refusal = attempt(request, actor, lambda session: accounts.refuse(session, actor, proposal_id, field(form, "reason", 600)))
    return _after(request, screen, actor, refusal) if refusal else screen.go("/admin/proposals", f"proposal_{state}")


def _after(request: Request, screen: Screen, actor: users.Actor, refusal: errors.Refusal) -> Response:
    with database_of(request).reading(actor) as session:
        return _proposals(screen, actor, session, refusal)


def _proposals(screen: Screen, actor: users.Actor, session: Any, refusal: errors.Refusal | None = None) -> Response:
    rows = accounts.proposals(session, actor)
    names = staff.names(session, screen.language, {one for row in rows for one in (row.proposed_by, row.decided_by)})
    return screen.show("admin/proposals.html", refusal.status if refusal else 200, rows=rows, names=names, **refused(screen, refusal))


def _account(request: Request, screen: Screen, actor: users.Actor, user_id: UUID, *, refusal: errors.Refusal | None = None, typed: dict[str, Any] | None = None,
             given: accounts.Given | None = None, done: str = "", closing: str = "") -> Response:  # fmt: skip
    """One account as it is now."""
    with database_of(request).reading(actor) as session:
        found = accounts.show(session, actor, user_id)
        waiting = accounts.proposals(session, actor, state="open", user_id=user_id)
        lines = entries(screen, session, accounts.history(session, actor, about=f"user:{user_id}", limit=30))
        names = staff.names(session, screen.language, [one.proposed_by for one in waiting])
        may = authority.may(actor, "account.write", user_id=user_id)
        held = typed or {"agency": found.agency, "branch": found.branch, "roles": found.roles, "reason": ""}
        return screen.show(
            "admin/account.html", refusal.status if refusal else 200, account=found, waiting=waiting, names=names, lines=lines, typed=held, done=done,
            password=given.password if given else "", proposal_id=given.proposal_id if given else None, **refused(screen, refusal),
            may=may, alone=vacancies.of(session, actor, user_id) if may else (), closing=closing, by_two=bool(set(found.roles) & GIVEN_BY_TWO), **_choices(session, actor),
        )  # fmt: skip


def _is_known(form: Any) -> bool:
    """Whether what waits for nobody was read."""
    return field(form, "is_known", 5) == "yes"


def _typed(form: Any) -> dict[str, Any]:
    chosen = [one for one in form.getlist("roles") if isinstance(one, str)]
    return {"agency": field(form, "agency", 10), "branch": field(form, "branch", 10), "roles": [one for one in ROLES if one in chosen], "reason": field(form, "reason", 600)}


def _choices(session: Any, actor: users.Actor) -> dict[str, Any]:
    """What may be chosen: agencies, branches, the roles of each agency, which are given by two."""
    by_agency = {agency: [role for role, found in ROLES.items() if agency in found.agencies] for agency in AGENCIES}
    return {"agencies": list(AGENCIES), "branch_codes": [one.code for one in branches.listed(session, actor)], "roles_of": by_agency, "all_roles": list(ROLES), "given_by_two": GIVEN_BY_TWO}
