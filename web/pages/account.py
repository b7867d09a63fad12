"""My account: language, password, where I am signed in."""

import hashlib
import hmac
from base64 import b64encode

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from engine import errors
from engine.actors import signin, users
from web import security
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.screen import SESSION, Screen

router = APIRouter()


@router.get("/account")
def show(request: Request, screen: OnScreen, actor: Acting) -> Response:
    return _page(request, screen, actor)


@router.get("/account/keeping")
def show_key(session: Reading, actor: Acting) -> Response:
    """What seals the typing that a device keeps while there is no line (`scripts/keeping.js`): `key` (AES-256, Base64), the same for a user each time, and `owner`, a name for it
    that tells nothing of him."""
    key = hmac.new(session.info["keys"].key(actor.user_id), b"typing kept on a device", "sha256").digest()
    return JSONResponse({"owner": hashlib.sha256(key).hexdigest()[:12], "key": b64encode(key).decode()})


@router.post("/account/language")
def choose_language(screen: OnScreen, actor: Acting, session: Writing, form: Posted) -> Response:
    """Keeps the language for this account and goes back to the page one was on."""
    users.choose_language(session, actor, field(form, "language", 2))
    return screen.go(security.local_address(field(form, "next", 500)))


@router.post("/account/password")
def change_password(request: Request, screen: OnScreen, actor: Acting, form: Posted) -> Response:
    try:
        with database_of(request).unit_of_work(actor) as session:
            signin.change_password(session, actor, field(form, "old", 500), field(form, "new", 500), security.read_cookie(request, screen.settings, SESSION))
    except errors.Refusal as refusal:
        return _page(request, screen, actor, screen.refusal(refusal.code, refusal.details), refusal.status)
    return screen.go("/desk" if actor.must_change else "/account", "password_changed")


@router.post("/account/sessions/{session_id}/end")
def end_session(screen: OnScreen, actor: Acting, session: Writing, session_id: str) -> Response:
    signin.end_session(session, actor, session_id)
    return screen.go("/account", "session_ended")


def _page(request: Request, screen: Screen, actor: users.Actor, refused: str = "", status: int = 200) -> Response:
    with database_of(request).reading(actor) as session:
        sessions = signin.sessions(session, actor, security.read_cookie(request, screen.settings, SESSION))
    return screen.show("account/page.html", status, sessions=sessions, refused=refused)
