"""Something unforeseen of a case: its one form, filled and posted, begins it beside the case's road."""

import secrets
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import clock, errors
from engine.actors import users
from engine.casework import exceptions, letters
from web import layout, widgets
from web.dependencies import Acting, OnScreen, Posted, Reading, database_of, field
from web.pages import task
from web.screen import Screen
from web.typed import Typed

router = APIRouter()


@router.get("/cases/{case_id}/exceptions/{process}")
def show(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID, process: str) -> Response:
    """The form of what may be begun now."""
    return _page(screen, exceptions.ask(session, actor, case_id, process), Typed.of_draft(None), secrets.token_urlsafe(16))


@router.post("/cases/{case_id}/exceptions/{process}")
def begin(request: Request, screen: OnScreen, actor: Acting, form: Posted, case_id: UUID, process: str) -> Response:
    """Any button of the form. A refusal shows the same page again with everything that was typed."""
    wanted, _, on = field(form, "act", 200).partition(":")
    typed, key = Typed.of_post(form), field(form, "key", 64) or secrets.token_urlsafe(16)
    try:
        with database_of(request).unit_of_work(actor) as session:
            task.keep_files(screen, session, actor, form, typed)
            if wanted == "complete":
                return _begin(screen, actor, session, typed, case_id, process, key)
            focus = typed.obey(wanted, on, clock.now(session))
            return _page(screen, exceptions.ask(session, actor, case_id, process), typed, key, focus=widgets.element_id(focus) if focus else "")
    except errors.Invalid as refusal:
        with database_of(request).reading(actor) as session:
            return _page(screen, exceptions.ask(session, actor, case_id, process), typed, key, refusal)


def _begin(screen: Screen, actor: users.Actor, session: Any, typed: Typed, case_id: UUID, process: str, key: str) -> Response:
    asked = exceptions.ask(session, actor, case_id, process) if not exceptions.is_begun(session, case_id, process, key) else None
    begun = exceptions.begin(session, actor, case_id, process, layout.read(asked.form, typed) if asked else {}, key)
    address = f"/tasks/{begun.next_tasks[0]}" if begun.next_tasks else f"/cases/{case_id}"
    links = [(f"/letters/{letter_id}", "letter") for letter_id, _ in letters.of_dossier(session, actor, begun.instance_id)]
    return screen.go(address, "exception_ended" if begun.end else "exception_begun", links, name=begun.name, end=begun.end)


def _page(screen: Screen, asked: exceptions.Asked, typed: Typed, key: str, refusal: errors.Refusal | None = None, focus: str = "") -> Response:
    address = f"/cases/{asked.case_id}/exceptions/{asked.process}"
    shown = layout.layout(asked.form, address, typed, refusal.findings if refusal else (), screen.words)
    return screen.show("exception/page.html", refusal.status if refusal else 200, asked=asked, address=address, shown=shown, errors=shown.errors, key=key, may_complete=True, says_today=True,
                       focus="summary" if shown.errors else focus)  # fmt: skip
