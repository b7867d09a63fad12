"""Documents: a file sent becomes a number that an answer can hold; given back as an attachment, never shown."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import problems
from api.dependencies import Acting, Reading, Route, Writing
from engine import errors
from engine.dossier import documents

router = APIRouter(prefix="/documents", tags=["documents"], route_class=Route)
_PART = {"type": "string", "format": "binary", "description": "PDF, JPEG, PNG, WebP or HEIC, 1 byte to 20 MB."}
_FORM = {"type": "object", "required": ["file"], "properties": {"file": _PART}}
_MULTIPART = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}}
_FILE = {"description": "The file.", "content": {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in documents.EXTENSIONS}}


class Kept(BaseModel):
    document_id: UUID


async def _sent(request: Request) -> UploadFile:
    """The one file of the form, whatever its part is called."""
    try:
        form = await request.form(max_files=1, max_fields=20)
    except HTTPException as trouble:
        raise trouble if trouble.status_code != 400 else errors.wrong("document.unreadable", "/file") from trouble
    found = next((value for value in form.values() if isinstance(value, UploadFile)), None)
    if found is None:
        raise errors.wrong("document.none", "/file")
    return found


@router.post("", status_code=201, openapi_extra=_MULTIPART, responses=problems.described(401, 403, 413, 422))
def upload(actor: Acting, session: Writing, sent: Annotated[UploadFile, Depends(_sent)]) -> Kept:
    """Keeps a file. Its sender alone sees it until a task whose answers name its `document_id` is completed."""
    return Kept(document_id=documents.upload(session, actor, sent.filename or "document", sent.file))


@router.get("/{document_id}", response_class=Response, responses={200: _FILE} | problems.described(401, 404))
def download(actor: Acting, session: Reading, document_id: UUID) -> Response:
    """The file as it was sent."""
    found = documents.read(session, actor, document_id)
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{found.quoted_name}",
        "content-security-policy": "sandbox; default-src 'none'",
        "x-content-type-options": "nosniff",
    }
    return Response(found.content, media_type=found.media_type, headers=headers)
