"""The case as one file that leaves Masar: for whom, what each will see, said before; then the file."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine.insight import casefile as casefiles
from engine.insight import recipients
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
