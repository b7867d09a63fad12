"""What came to me and to my post: notices, the unread first seen in the bar, and the address for the morning's e-mail."""

import datetime as dt
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from engine import errors
from engine.casework import digests, notices
from engine.dossier import programmes
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, field
from web.screen import Screen

router = APIRouter()
_LEADS = {"repair": "/repairs", "draft": "/drafts/{about}", "account": "/admin/proposals", "erasure": "/erasures", "merger": "/mergers", "leave": "/desk?view=instead"}  # where what a notice tells of is seen or decided


@router.get("/notices")
def show(screen: OnScreen, actor: Acting, session: Reading, before: str = "") -> Response:
    """What came to the reader, the newest first; then what is late of the posts she holds."""
    return _page(screen, session, actor, digests.address(session, actor), before=_instant(before))


@router.post("/notices/read")
def read_all(screen: OnScreen, actor: Acting, session: Writing, form: Posted) -> Response:
    notices.read_all(session, actor)
    return screen.go("/notices")


@router.post("/notices/digest")
def ask_for_digest(screen: OnScreen, actor: Acting, session: Writing, form: Posted) -> Response:
    """From tomorrow morning on to this address; without one, no more."""
    to = field(form, "address", 201)
    try:
        digests.ask(session, actor, to)
    except errors.Invalid as refusal:
        return _page(screen, session, actor, to, refused=screen.refusal(refusal.code, refusal.details), status=422)
    return screen.go("/notices", "digest_asked" if to else "digest_stopped")


@router.post("/notices/{notice_id}")
def open_one(screen: OnScreen, actor: Acting, session: Writing, form: Posted, notice_id: UUID) -> Response:
    """Notes that it was read, and goes where it leads: what two decide, the task while it is open, else the case."""
    one = notices.read(session, actor, notice_id)
    if one.code == "note.mention" and one.case_id:
        return screen.go(f"/cases/{one.case_id}?tab=notes")
    if one.case_id and one.code == "consent.of_age":
        return screen.go(f"/cases/{one.case_id}/consent")
    if one.case_id and one.code.startswith("piece."):
        return screen.go(f"/cases/{one.case_id}?tab=documents")
    kind = one.code.partition(".")[0]
    if kind in _LEADS:
        return screen.go(_LEADS[kind].format(about=one.about))
    return screen.go(f"/tasks/{one.task_id}" if one.task_id else f"/cases/{one.case_id}" if one.case_id else "/notices")


def _page(screen: Screen, session: Session, actor: Any, digest: str, *, before: dt.datetime | None = None, refused: str = "", status: int = 200) -> Response:
    found, of_post = notices.mine(session, actor, before), notices.of_my_post(session, actor)
    return screen.show("notices/page.html", status, found=found, of_post=of_post, leads=_LEADS, now=programmes.present(session), digest=digest, refused=refused)


def _instant(said: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(said)
    except ValueError:
        return None
    return found if found.tzinfo else None
