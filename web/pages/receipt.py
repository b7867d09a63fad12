"""Where my case stands, for whoever holds a receipt: no account, no name, no content."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine.actors import users
from engine.casework import receipts
from web.dependencies import OnScreen, database_of

router = APIRouter()


@router.get("/receipt")
def show(request: Request, screen: OnScreen, code: str = "") -> Response:
    typed = "".join(letter for letter in code.upper() if letter.isalnum())[:12]
    found = None
    if typed:
        with database_of(request).reading(users.VISITOR) as session:
            found = receipts.look_up(session, typed)
    return screen.show("receipt/page.html", 404 if typed and found is None else 200, code_typed=typed, found=found)
