"""An aid dossier, and the ledger of a programme: what is asked of an aid, why it is open or not, what is missing, what is paid. It shows; tasks do."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine.actors import authority
from engine.casework import aids
from engine.dossier import programmes
from engine.insight import aid_files
from web import ball
from web.dependencies import Acting, OnScreen, Reading

router = APIRouter()


@router.get("/aids/{dossier_id}")
def show(screen: OnScreen, actor: Acting, session: Reading, dossier_id: UUID) -> Response:
    """One dossier."""
    aid = aid_files.show(session, actor, dossier_id)
    return screen.show("aid/page.html", aid=aid, ball=ball.ball(aid.waiting, screen.words), now=programmes.present(session), may_read_fund=authority.may(actor, "fund.read"))


@router.get("/funds")
def listed(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """Every programme's fund."""
    return screen.show("aid/funds.html", funds=aids.funds(session, actor))


@router.get("/funds/{programme}")
def ledger(screen: OnScreen, actor: Acting, session: Reading, programme: str) -> Response:
    """One programme's ledger, dossier by dossier, with its waiting list."""
    return screen.show("aid/ledger.html", ledger=aids.ledger(session, actor, programme[:60]))
