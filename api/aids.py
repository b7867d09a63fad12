"""Aid dossiers explained, and the money of programmes. It shows; tasks do. Amounts are millimes of dinar."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from api import problems
from api.dependencies import Acting, Reading, Route
from engine.casework import aids
from engine.casework.aids import Balance, Ledger
from engine.insight import aid_files
from engine.insight.aid_files import AidFile

router = APIRouter(tags=["aids"], route_class=Route)


@dataclass(frozen=True)
class Funds:
    items: tuple[Balance, ...]


@router.get("/aids/{dossier_id}", responses=problems.described(401, 404))
def show(actor: Acting, session: Reading, dossier_id: UUID) -> AidFile:
    """An aid dossier: why each programme is open to it or not, condition by condition, what is missing, its instalments with their evidence, its money."""
    return aid_files.show(session, actor, dossier_id)


@router.get("/funds", responses=problems.described(401, 403))
def funds(actor: Acting, session: Reading) -> Funds:
    """The fund of every programme."""
    return Funds(aids.funds(session, actor))


@router.get("/funds/{programme}", responses=problems.described(401, 403, 404))
def ledger(actor: Acting, session: Reading, programme: Annotated[str, Path(max_length=60)]) -> Ledger:
    """The ledger of a programme, dossier by dossier as far as the caller reaches, and its waiting list."""
    return aids.ledger(session, actor, programme)
