"""Looking for persons and their cases, by words that no address holds."""

from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import Field

from api import problems
from api.dependencies import Acting, Body, Reading, Route
from engine.casework import cases
from engine.casework.views import Candidate

router = APIRouter(tags=["cases"], route_class=Route)


class Asked(Body):
    words: str = Field(min_length=2, max_length=200, description="A name as it is spelled, in either script; a case's number; a CIN, passport or phone.", examples=["Mohamed Trabelsi"])


@dataclass(frozen=True)
class Found:
    """Cases of the persons whom the words may mean, the likeliest first, at most twenty. `matched`: what agrees (`alike`: the name but for one letter)."""

    items: tuple[Candidate, ...]


@router.post("/search", responses=problems.described(401, 404, 422))
def find(actor: Acting, session: Reading, asked: Asked) -> Found:
    """Searches persons and cases that the caller reaches, tolerant to spelling and script."""
    return Found(cases.search(session, actor, asked.words))
