"""The case as one file that leaves Masar: for whom, what each will see, said before; then the file. And what is kept of the person, on paper for her."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine.insight import casefile as casefiles
from engine.insight import datacopy, recipients
from web import printing
from web.dependencies import Acting, OnScreen, Reading
from web.pages.editions import attachment

router = APIRouter()


@router.get("/cases/{case_id}/casefile")
def show(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID, recipient: str = "") -> Response:
    """The recipients to choose from; the file for the one who is chosen, noted with its recipient before it leaves."""
    if not recipient:
        return screen.show("casefile/page.html", choices=recipients.choices(session, screen.actor, case_id))
    made = casefiles.make(session, screen.actor, case_id, recipient[:40])
    return attachment(made.content, made.name, "text/html; charset=utf-8")


@router.get("/cases/{case_id}/copy.pdf")
def copy(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID) -> Response:
    """What is kept of the person, as a paper in French and in Arabic, to be put into her hands."""
    made = datacopy.make(session, screen.actor, case_id)
    headers = {"content-disposition": f'attachment; filename="donnees-{made.case_number or case_id}.pdf"'}
    return Response(printing.pdf(made.content, made.made_at), media_type="application/pdf", headers=headers)
