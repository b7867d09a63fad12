"""The pages of refusal and failure: what happened, in words, and what to do. A bug gets a reference, never a trace."""

import secrets
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from engine import errors, i18n
from engine.casework import readers
from engine.dossier import documents
from web import dependencies
from web.screen import Screen
from web.security import SAFE_METHODS

log = structlog.get_logger()
_ICONS = {401: "lock", 403: "lock", 404: "search", 409: "people", 503: "hourglass-split"}


def install(app: FastAPI) -> None:
    """Gives every kind of trouble its page."""
    app.add_exception_handler(errors.Refusal, refused)
    app.add_exception_handler(HTTPException, not_served)
    app.add_exception_handler(OperationalError, unreachable)
    app.add_exception_handler(Exception, broken)


def refused(request: Request, trouble: errors.Refusal) -> Response:
    screen = _screen_of_whoever_asks(request)
    readers.note_refusal(dependencies.database_of(request), screen.actor, request.path_params, trouble, request.method not in SAFE_METHODS)
    if isinstance(trouble, errors.Unauthenticated) and request.method == "GET" and not screen.is_patch:
        return screen.go(f"/signin?next={request.url.path}")
    if trouble.code == "password.change_first" and request.method == "GET" and not screen.is_patch:
        return screen.go("/account")
    sentence = i18n.translate(trouble.code, screen.language, **trouble.details)
    if sentence.startswith("[") or isinstance(trouble, errors.NotFound):
        sentence = screen.words.text(f"trouble.what.{trouble.status}")
    findings = [{"where": found.where, "sentence": found.message or i18n.translate(found.code, screen.language, **found.details)} for found in trouble.findings]
    return _page(screen, trouble.status, sentence, findings)


def not_served(request: Request, trouble: HTTPException) -> Response:
    screen = _screen_of_whoever_asks(request)
    known = trouble.status_code if trouble.status_code in (401, 403, 404, 405, 413, 422) else 404
    return _page(screen, trouble.status_code, screen.words.text(f"trouble.what.{known}", megabytes=documents.LARGEST // 1_000_000))


def unreachable(request: Request, trouble: OperationalError) -> Response:
    log.warning("web.database_unreachable", path=request.url.path, reason=str(trouble.orig).splitlines()[0])
    screen = _screen(request)
    return _page(screen, 503, screen.words.text("trouble.what.503"))


def broken(request: Request, trouble: Exception) -> Response:
    reference = secrets.token_hex(4)
    log.error("web.bug", reference=reference, path=request.url.path, exc_info=trouble)
    screen = _screen(request)
    return _page(screen, 500, screen.words.text("trouble.what.500"), reference=reference)


def _screen_of_whoever_asks(request: Request) -> Screen:
    """The same page whether an address does not exist or is not hers: both know who is signed in."""
    if not hasattr(request.state, "screen"):
        found = dependencies.entered(request)
        request.state.screen = Screen(request, found.actor if found else None)
    return request.state.screen


def _screen(request: Request) -> Screen:
    return getattr(request.state, "screen", None) or Screen(request, None)


def _page(screen: Screen, status: int, sentence: str, findings: list[dict[str, str]] | None = None, reference: str = "") -> Response:
    if screen.request.headers.get("accept", "").startswith("application/json"):
        return PlainTextResponse(sentence, status)
    title = screen.words.text(f"trouble.title.{status}")
    if title.startswith("["):
        title = HTTPStatus(status).phrase
    icon = _ICONS.get(status, "exclamation-triangle")
    return screen.show("trouble/page.html", status, back=_back(screen), title=title, sentence=sentence, findings=findings or [], reference=reference, icon_name=icon)


def _back(screen: Screen) -> str:
    """Where whoever asked goes on: to her desk, to what is open to anybody where she was, or to the door of agents."""
    first = screen.request.url.path.split("/")[1]
    return "/desk" if screen.actor else {"receipt": "/receipt/mine", "request": "/request"}.get(first, "/signin")
