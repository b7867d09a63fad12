"""A selection of the desk: what would become of each task, then what became of it; what is refused stands first."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from engine import errors, identity
from engine.casework import selections
from web.dependencies import Acting, OnScreen, Posted, Writing, database_of, field
from web.screen import Screen

router = APIRouter()


@router.post("/desk/selection")
def look(screen: OnScreen, actor: Acting, session: Writing, form: Posted) -> Response:
    """What would become of each task. Tasks are given to somebody, so whom is asked first. Nothing is changed."""
    act, ids, wish = field(form, "act", 20), _ids(form), _wish(form)
    given: dict[str, Any] = {"act": act, "ids": ids, "reason": wish.reason, "to": wish.to, "back": _back(form), "people": [], "lines": [], "refused": ""}
    try:
        if act == "give":
            given["people"] = selections.candidates(session, actor, ids)
        if act == "claim" or field(form, "step", 10) == "look":
            given["lines"] = selections.preview(session, actor, wish, ids)
    except errors.Invalid as refusal:
        given["refused"] = screen.refusal(refusal.code, refusal.details)
    return _page(screen, given, is_done=False, status=422 if given["refused"] else 200)


@router.post("/desk/selection/do")
def do(request: Request, screen: OnScreen, actor: Acting, form: Posted) -> Response:
    """Does it, and says line by line what became of each."""
    wish, ids = _wish(form), _ids(form)
    given: dict[str, Any] = {"act": wish.act, "ids": ids, "reason": wish.reason, "to": wish.to, "back": _back(form), "people": [], "refused": ""}
    return _page(screen, given | {"lines": selections.carry_out(database_of(request), actor, wish, ids)}, is_done=True)


def _page(screen: Screen, given: dict[str, Any], *, is_done: bool, status: int = 200) -> Response:
    lines = [{"line": one, "sentence": screen.refusal(one.code, one.details) if one.code else ""} for one in sorted(given["lines"], key=lambda one: not one.code)]
    good = sum(not one["sentence"] for one in lines)
    to = next((one.name for one in given["people"] if one.user_id == given["to"]), "")
    return screen.show("selection/page.html", status, **given | {"lines": lines, "good": good, "bad": len(lines) - good, "is_done": is_done, "to_name": to})


def _wish(form: FormData) -> selections.Wish:
    return selections.Wish(field(form, "act", 20), identity.parse(field(form, "to", 40)), field(form, "reason", 500))


def _ids(form: FormData) -> list[UUID]:
    return [found for value in form.getlist("task") if isinstance(value, str) and (found := identity.parse(value))]


def _back(form: FormData) -> str:
    """The view one came from: only an address of the desk."""
    asked = field(form, "back", 300)
    return asked if asked.startswith("/desk?") or asked == "/desk" else "/desk"
