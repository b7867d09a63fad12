"""Coming in and going out. In a demo the accounts are listed: who one would be, what one would see."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import errors
from engine.actors import signin, users
from web import security
from web.dependencies import OnScreen, Posted, database_of, field
from web.screen import SESSION, Screen

router = APIRouter()


@router.get("/")
def home(screen: OnScreen) -> Response:
    """The desk, or the door."""
    return screen.go("/desk" if screen.actor else "/signin")


@router.get("/signin")
def show(request: Request, screen: OnScreen, next: str = "") -> Response:
    return _door(request, screen, next)


@router.post("/signin")
def enter(request: Request, screen: OnScreen, form: Posted) -> Response:
    """Opens a session. A wrong pair is told without saying which of the two was wrong."""
    username, following = field(form, "username", 200), field(form, "next", 500)
    try:
        with database_of(request).unit_of_work(users.VISITOR) as session:
            opened = signin.sign_in(session, username, field(form, "password", 500), "web")
    except errors.Refusal as refusal:
        return _door(request, screen, following, username, screen.refusal(refusal.code, refusal.details), refusal.status)
    answer = screen.go(security.local_address(following))
    security.set_cookie(answer, screen.settings, SESSION, opened.token)
    return answer


@router.post("/signout")
def leave(request: Request, screen: OnScreen) -> Response:
    """Ends the session here and on the server."""
    token = security.read_cookie(request, screen.settings, SESSION)
    with database_of(request).unit_of_work(users.VISITOR) as session:
        signin.sign_out(session, token)
    answer = screen.go("/signin")
    security.forget_cookie(answer, screen.settings, SESSION)
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


def _door(request: Request, screen: Screen, following: str, username: str = "", refused: str = "", status: int = 200) -> Response:
    accounts = _accounts(request, screen) if screen.settings.is_demo else []
    return screen.show("signin/page.html", status, next=following, username=username, refused=refused, accounts=accounts)


def _accounts(request: Request, screen: Screen) -> list[dict[str, Any]]:
    """The demo accounts, by branch."""
    text = screen.words.text
    with database_of(request).reading(users.VISITOR) as session:
        listed = signin.demo_accounts(session)
    groups: dict[str, list[dict[str, Any]]] = {}
    for account in listed:
        roles = text("format.comma").join(f" {text(f'role.{role}')}" for role in account.roles).strip()
        shown = {"username": account.username, "password": account.password, "name": users.in_script(account, screen.language), "role": f"{roles} · {text(f'agency.{account.agency}')}"}
        groups.setdefault(account.branch, []).append(shown)
    return [{"name": text(f"branch.{branch}"), "accounts": found} for branch, found in sorted(groups.items())]
