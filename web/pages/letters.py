"""A letter to print: in French and in Arabic, as the person receives it."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine.casework import letters
from web import printing
from web.dependencies import Acting, Reading

router = APIRouter()


@router.get("/letters/{letter_id}")
def show(actor: Acting, session: Reading, letter_id: UUID) -> Response:
    """The letter's PDF, made when it is asked for from the text kept when it was written."""
    letter = letters.read(session, actor, letter_id)
    headers = {"content-disposition": f'inline; filename="{letter.template}-{letter.code}.pdf"'}
    return Response(printing.pdf(letter.content, letter.produced_at, letter.slip), media_type="application/pdf", headers=headers)
