"""Finding a case: by name in either script, number, national identity card, phone."""

from fastapi import APIRouter
from starlette.responses import Response

from engine.actors import authority
from engine.casework import cases as files
from web.dependencies import Acting, OnScreen, Reading

router = APIRouter()


@router.get("/cases")
def show(screen: OnScreen, actor: Acting, session: Reading, q: str = "") -> Response:
    authority.require(actor, "case.search")
    rows = files.search(session, actor, q) if q.strip() else ()
    return screen.show("cases/page.html", search=q, rows=rows, may_open=authority.may(actor, "case.open", branch=actor.branch))
