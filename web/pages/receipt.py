"""Where my case stands, for whoever holds a receipt, and whether a letter is ours, for whoever holds it: no account, no name, no content.

And the proof that the paper was written here, to keep and to check without us.
"""

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine.actors import users
from engine.casework import holders, letters, receipts
from engine.ledger import verify_receipt
from engine.ledger.slip import is_sealed
from web.dependencies import OnScreen, database_of
from web.pages.request import whence
from web.printing.square import square

router = APIRouter()


@router.get("/receipt")
def show(request: Request, screen: OnScreen, code: str = "") -> Response:
    typed = typed_code(code)
    found = letter = None
    slip = ""
    if typed:
        found = holders.look_up(database_of(request), typed, whence(request))
        with database_of(request).reading(users.VISITOR) as session:
            letter, slip = letters.verify(session, typed), receipts.printed(session, typed)
    is_unknown = bool(typed) and found is None and letter is None
    if is_unknown:
        holders.note_unknown(database_of(request), whence(request))
    return screen.show("receipt/page.html", 404 if is_unknown else 200, code_typed=typed, found=found, letter=letter, is_unknown=is_unknown, not_opened="", written={}, own=None, has_proof=bool(letter and slip),
                       square=square(slip) if letter and slip else None, is_sealed=is_sealed(slip))  # fmt: skip


@router.get("/receipt/proof")
def proof(request: Request, screen: OnScreen, code: str = "") -> Response:
    """The verifiable form of a paper, as a file."""
    with database_of(request).reading(users.VISITOR) as session:
        found = receipts.proof(session, typed_code(code))
    headers = {"content-disposition": f'attachment; filename="masar-{found["code"]}.json"', "x-content-type-options": "nosniff"}
    return Response(receipts.as_file(found), media_type="application/json", headers=headers)


@router.get("/receipt/verify_receipt.py")
def program() -> Response:
    """The program that checks it, which needs nothing of ours."""
    headers = {"content-disposition": 'attachment; filename="verify_receipt.py"', "x-content-type-options": "nosniff"}
    return Response(Path(verify_receipt.__file__).read_bytes(), media_type="text/plain; charset=utf-8", headers=headers)


def typed_code(code: str) -> str:
    """A code as it is typed or scanned: small letters, dashes and spaces do not matter."""
    return "".join(letter for letter in code.upper() if letter.isalnum())[:12]
