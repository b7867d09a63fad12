"""A request by somebody who has no account: what she wants to be called about, and the code of her receipt. It shows nothing of anybody.

A page carries its own key and hour, sealed: sent twice it is one request, and what is sent as fast as no person types is sent back.
"""

import ipaddress
import secrets
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import clock, errors
from engine.actors import users
from engine.casework import requests
from web import layout, security
from web.dependencies import OnScreen, Posted, database_of, field
from web.screen import Screen
from web.typed import Typed

router = APIRouter()
_FASTEST, _LONGEST = 4, 12 * 3600  # seconds between the page and what is sent
_TRAP = "fax"  # a field that no person sees


@router.get("/request")
def show(request: Request, screen: OnScreen) -> Response:
    """The form, empty."""
    return _page(request, screen, Typed())


@router.post("/request")
def send(request: Request, screen: OnScreen, form: Posted) -> Response:
    """Takes the request; a refusal shows the same page again with what was typed."""
    typed, note = Typed.of_post(form), security.unseal(screen.secret, field(form, "key", 400)) or {}
    age = clock.system_now().timestamp() - float(note.get("at", 0))
    if field(form, _TRAP) or not _FASTEST <= age <= _LONGEST or field(form, "act", 20) == "refresh":
        is_refused = field(form, "act", 20) != "refresh"
        return _page(request, screen, typed, 422 if is_refused else 200, screen.words.text("request.again") if is_refused else "")
    try:
        raw = layout.read(requests.form(database_of(request), screen.language), typed)
        code = requests.receive(database_of(request), users.VISITOR, raw, str(note["key"]), whence(request), screen.language)
    except errors.Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        refused = "" if refusal.findings else screen.refusal(refusal.code, refusal.details)
        return _page(request, screen, typed, refusal.status, refused, refusal.findings, field(form, "key", 400))
    return screen.show("request/received.html", code=code)


def _page(request: Request, screen: Screen, typed: Typed, status: int = 200, refused: str = "", findings: Any = (), key: str = "") -> Response:
    asked = requests.form(database_of(request), screen.language)
    shown = layout.layout(asked, "/request", typed, findings, screen.words)
    key = key or security.seal(screen.secret, {"key": secrets.token_urlsafe(16), "at": clock.system_now().timestamp()})
    return screen.show("request/page.html", status, asked=asked, shown=shown, key=key, refused=refused, trap=_TRAP)


def whence(request: Request) -> str:
    """The address it came from; of IPv6 the network, since one person has many."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network(f"{host}/64", strict=False)) if address.version == 6 else host
