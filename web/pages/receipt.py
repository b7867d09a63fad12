"""Where my case stands, for whoever holds a receipt, and whether a letter is ours, for whoever holds it: no account, no name, no content."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine.actors import users
from engine.casework import letters, receipts
from web.dependencies import OnScreen, database_of

router = APIRouter()


@router.get("/receipt")
def show(request: Request, screen: OnScreen, code: str = "") -> Response:
    typed = "".join(letter for letter in code.upper() if letter.isalnum())[:12]
    found = letter = None
    if typed:
        with database_of(request).reading(users.VISITOR) as session:
            found, letter = receipts.look_up(session, typed), letters.verify(session, typed)
    is_unknown = bool(typed) and found is None and letter is None
    return screen.show("receipt/page.html", 404 if is_unknown else 200, code_typed=typed, found=found, letter=letter, is_unknown=is_unknown)
