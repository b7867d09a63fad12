"""What the person agreed to: one screen that shows it, and the two forms by which it changes, a new signature or a withdrawal."""

import secrets
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from engine import clock, errors
from engine.casework import agreements
from web import layout, widgets
from web.dependencies import Acting, OnScreen, Posted, Reading, database_of, field
from web.pages import task
from web.screen import Screen
from web.typed import Typed

router = APIRouter()
Act = Annotated[str, Path(pattern="^(sign|withdraw)$")]


@router.get("/cases/{case_id}/consent")
def show(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID) -> Response:
    """What she agreed to, since when, who may know by it, and all that she ever said of it."""
    return screen.show("consent/page.html", consent=agreements.of_case(session, screen.actor, case_id))


@router.get("/cases/{case_id}/consent/{act}")
def ask(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID, act: Act) -> Response:
    """The form of a new signature, or of a withdrawal."""
    return _page(screen, agreements.ask(session, actor, case_id, act), Typed.of_draft(None), secrets.token_urlsafe(16))


@router.post("/cases/{case_id}/consent/{act}")
def change(request: Request, screen: OnScreen, actor: Acting, form: Posted, case_id: UUID, act: Act) -> Response:
    """Any button of the form. A refusal shows the same page again with everything that was typed."""
    wanted, _, on = field(form, "act", 200).partition(":")
    typed, key = Typed.of_post(form), field(form, "key", 64) or secrets.token_urlsafe(16)
    try:
        with database_of(request).unit_of_work(actor) as session:
            task.keep_files(screen, session, actor, form, typed)
            asked = agreements.ask(session, actor, case_id, act)
            if wanted == "complete":
                said = layout.read(asked.form, typed)
                if act == "sign":
                    agreements.sign(session, actor, case_id, said, key)
                else:
                    agreements.withdraw(session, actor, case_id, said, key)
                return screen.go(f"/cases/{case_id}/consent", "consent_signed" if act == "sign" else "consent_withdrawn")
            focus = typed.obey(wanted, on, clock.now(session))
            return _page(screen, agreements.ask(session, actor, case_id, act), typed, key, focus=widgets.element_id(focus) if focus else "")
    except errors.Invalid as refusal:
        with database_of(request).reading(actor) as session:
            return _page(screen, agreements.ask(session, actor, case_id, act), typed, key, refusal)


def _page(screen: Screen, asked: agreements.Asked, typed: Typed, key: str, refusal: errors.Refusal | None = None, focus: str = "") -> Response:
    address = f"/cases/{asked.case_id}/consent/{asked.act}"
    shown = layout.layout(asked.form, address, typed, refusal.findings if refusal else (), screen.words)
    given: dict[str, Any] = {"asked": asked, "address": address, "shown": shown, "errors": shown.errors, "key": key, "may_complete": True, "says_today": True}
    return screen.show("consent/form.html", refusal.status if refusal else 200, **given, focus="summary" if shown.errors else focus)
