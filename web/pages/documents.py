"""Documents: sent as soon as they are chosen, and given back as files to keep, never shown inside our pages."""

from uuid import UUID

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, PlainTextResponse, Response

from engine import errors
from engine.dossier import documents
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing

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


@router.get("/documents/{document_id}")
def download(actor: Acting, session: Reading, document_id: UUID) -> Response:
    """The file as it was sent, as an attachment in a sandbox: no type sniffing finds a page in it."""
    found = documents.read(session, actor, document_id)
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{found.quoted_name}",
        "content-security-policy": "sandbox; default-src 'none'",
    }
    return Response(found.content, media_type=found.media_type, headers=headers)
