"""Parcours: the editions, since when each is followed and by how many cases, and the drafts of the next one."""

import datetime as dt
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from engine import clock, errors, identity
from engine.actors import authority
from engine.casework import archives, drafts, editions, incoming, moves, publication
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.screen import Screen

router = APIRouter()


@router.get("/editions")
def show(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """The list of editions; for those who may read them, the drafts."""
    return _page(screen, actor, session)


@router.get("/editions/{edition_id}/archive")
def archive(actor: Acting, session: Reading, edition_id: UUID) -> Response:
    """An edition as one file to keep."""
    found = editions.find(session, actor, edition_id)
    return attachment(archives.pack(found.files, str(found.number)), f"masar-edition-{found.number}.zip", "application/zip")


@router.post("/editions/{edition_id}/bring-back")
def bring_back(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted, edition_id: UUID) -> Response:
    """Asks for a former edition to be followed again; another person approves."""
    try:
        made = publication.bring_back(
            session, actor, edition_id, field(form, "reason"), accepted=field(form, "accepted"), burden_reason=field(form, "burden_reason"), starts_at=starts_at(form)
        )
    except (errors.Invalid, errors.Conflict) as refusal:
        return _refused(request, screen, actor, session, refusal)
    return screen.go(f"/drafts/{made}", "draft_submitted")


@router.post("/drafts")
def open_draft(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted) -> Response:
    """Begins a draft from the edition in force, or from the one chosen."""
    chosen = field(form, "edition_id", 40)
    edition_id = identity.parse(chosen)
    if chosen and edition_id is None:
        raise errors.NotFound("edition.not_found")
    try:
        made = drafts.open_draft(session, actor, field(form, "title"), edition_id)
    except errors.Invalid as refusal:
        return _refused(request, screen, actor, session, refusal)
    return screen.go(f"/drafts/{made}", "draft_opened")


@router.post("/drafts/import")
def bring_in(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted) -> Response:
    """Makes a draft of an archive or of files."""
    try:
        made = incoming.bring_in(session, actor, sent(form), field(form, "title"))
    except (errors.Invalid, errors.Conflict) as refusal:
        return _refused(request, screen, actor, session, refusal)
    return screen.go(f"/drafts/{made}", "draft_imported")


def attachment(content: bytes, name: str, media_type: str) -> Response:
    """A file to keep, never shown inside our pages."""
    headers = {"content-disposition": f'attachment; filename="{name}"', "content-security-policy": "sandbox; default-src 'none'"}
    return Response(content, media_type=media_type, headers=headers)


def sent(form: Any) -> list[tuple[str, bytes]]:
    """The files of a posted form; a field left empty is no file."""
    found = [value for value in form.getlist("files") if isinstance(value, UploadFile) and value.filename]
    return [(value.filename, value.file.read()) for value in found]


def starts_at(form: Any) -> dt.datetime | None:
    """The instant chosen, as it is read in Tunis; None when none was. Refuses: `draft.start_unreadable`."""
    written = field(form, "starts_at", 30)
    if not written:
        return None
    try:
        return dt.datetime.fromisoformat(written).replace(tzinfo=clock.TUNIS).astimezone(dt.UTC)
    except ValueError as trouble:
        raise errors.Invalid("draft.start_unreadable") from trouble


def _refused(request: Request, screen: Screen, actor: Any, session: Any, refusal: errors.Refusal) -> Response:
    """The same page with what was refused, once what it had begun is undone."""
    session.rollback()
    with database_of(request).reading(actor) as again:
        return _page(screen, actor, again, refusal)


def _page(screen: Screen, actor: Any, session: Any, refusal: errors.Refusal | None = None) -> Response:
    rows = editions.published(session, actor)
    found = drafts.listed(session, actor) if authority.may(actor, "draft.read") else ()
    return screen.show(
        "editions/page.html", refusal.status if refusal else 200, editions=rows, drafts=found, may_read=authority.may(actor, "draft.read"),
        may_write=authority.may(actor, "draft.write"), may_move=authority.may(actor, moves.ACT), refused=screen.refusal(refusal.code, refusal.details) if refusal else "",
        findings=screen.findings(refusal.findings) if refusal else [],
    )  # fmt: skip
