"""Documents: sent as soon as they are chosen, brought into a case whether or not a form asks for them, and given back as files to keep, never shown inside our pages."""

from uuid import UUID

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, PlainTextResponse, Response

from engine import errors, identity
from engine.casework import pieces
from engine.dossier import documents
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.pages import case, task
from web.pages.admin import attempt
from web.typed import Typed

router = APIRouter()


@router.post("/documents")
def upload(screen: OnScreen, actor: Acting, session: Writing, form: Posted) -> Response:
    """Keeps one file; answers its number, which the form then carries."""
    sent = form.get("file")
    if not isinstance(sent, UploadFile):
        raise errors.Invalid("document.none")
    try:
        document_id = documents.upload(session, actor, sent.filename or "document", sent.file)
    except errors.Refusal as refusal:
        session.rollback()
        return PlainTextResponse(screen.refusal(refusal.code, refusal.details), refusal.status)
    return JSONResponse({"document_id": str(document_id), "said": screen.words.text("task.file_done")})


@router.post("/cases/{case_id}/documents")
def lodge(request: Request, screen: OnScreen, actor: Acting, form: Posted, case_id: UUID) -> Response:
    """A paper that somebody brought becomes the case's. What was chosen stays where it is refused."""
    typed, (piece, _, class_) = Typed.of_post(form), field(form, "kind", 60).partition("|")

    def bring(session: Session) -> None:
        task.keep_files(screen, session, actor, form, typed)
        pieces.lodge(session, actor, case_id, piece, class_, identity.parse(typed.one("document")), typed.one("title")[:120])

    _, refusal = attempt(request, actor, bring)
    if refusal is None:
        return screen.go(f"/cases/{case_id}?tab=documents", "piece_lodged")
    said = next((one.message for one in refusal.findings if one.message), "") or screen.refusal(refusal.code, refusal.details)
    sent = form.get("document")  # what came with the form itself went with its refusal
    typed_again = {"kind": typed.one("kind"), "title": typed.one("title"), "document": sent if isinstance(sent, str) else "", "refused": said}
    with database_of(request).reading(actor) as session:
        return case.drawn(screen, actor, session, case_id, "documents", status=refusal.status, typed=typed_again)


@router.post("/cases/{case_id}/documents/{document_id}/renew")
def renew(screen: OnScreen, actor: Acting, session: Writing, form: Posted, case_id: UUID, document_id: UUID) -> Response:
    """A paper that came takes the place of the one that runs out."""
    pieces.renew(session, actor, case_id, document_id)
    return screen.go(f"/cases/{case_id}?tab=documents", "piece_renewed")


@router.post("/cases/{case_id}/documents/{document_id}/turn-down")
def turn_down(screen: OnScreen, actor: Acting, session: Writing, form: Posted, case_id: UUID, document_id: UUID) -> Response:
    """A paper that came does not do: another is awaited."""
    pieces.turn_down(session, actor, case_id, document_id)
    return screen.go(f"/cases/{case_id}?tab=documents", "piece_turned_down")


@router.get("/documents/{document_id}")
def download(actor: Acting, session: Reading, document_id: UUID) -> Response:
    """The file as it was sent, as an attachment in a sandbox: no type sniffing finds a page in it."""
    found = documents.read(session, actor, document_id)
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{found.quoted_name}",
        "content-security-policy": "sandbox; default-src 'none'",
    }
    return Response(found.content, media_type=found.media_type, headers=headers)
