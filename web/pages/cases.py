"""Finding a person and her cases: by name in either script, number, national identity card, phone. What is looked for is never in an address."""

from fastapi import APIRouter
from starlette.responses import Response

from engine.actors import authority
from engine.casework import cases as files
from web.dependencies import Acting, OnScreen, Posted, Reading, field

router = APIRouter()


@router.get("/cases")
def show(screen: OnScreen, actor: Acting) -> Response:
    authority.require(actor, "case.search")
    return screen.show("cases/page.html", search="", rows=(), may_open=authority.may(actor, "case.open", branch=actor.branch), may_merge=authority.may(actor, "person.compare"))


@router.post("/cases")
def find(screen: OnScreen, actor: Acting, session: Reading, form: Posted) -> Response:
    """The persons and cases that the words may mean, as far as the reader reaches; a case's whole number opens it."""
    authority.require(actor, "case.search")
    asked = field(form, "q", 200)
    rows = files.search(session, actor, asked) if asked else ()
    if not screen.is_patch and len(rows) == 1 and rows[0].case_number == asked.strip().upper():
        return screen.go(f"/cases/{rows[0].case_id}")
    return screen.show("cases/page.html", search=asked, rows=rows, may_open=authority.may(actor, "case.open", branch=actor.branch), may_merge=authority.may(actor, "person.compare"))
