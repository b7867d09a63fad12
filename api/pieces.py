"""Papers that come of themselves: brought into a case whether or not something waits for them."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api import problems
from api.dependencies import Acting, Body, Reading, Route, Writing
from engine.casework import diagrams, pieces
from engine.casework.pieces import Choice, Received

router = APIRouter(prefix="/cases/{case_id}/pieces", tags=["cases"], route_class=Route)


class Brought(Body):
    document_id: UUID = Field(description="What `POST /documents` gave to the caller.")
    piece: str = Field(max_length=40, description="What it is: the `piece` of one of the `choices` that `GET` gives.", examples=["PJ05"])
    class_: str = Field(max_length=4, description="Who reads it: the `class_` of that choice.", examples=["C"])
    title: str = Field(default="", max_length=120, description="Its name, in the place of the file's; needed where `piece` is `autre`.")


@dataclass(frozen=True)
class Pieces:
    """Papers that came, as far as the caller may read them, the newest first; and what she may bring now, nothing where it is not hers to do."""

    items: tuple[Received, ...]
    choices: tuple[Choice, ...]


@router.get("", responses=problems.described(401, 404))
def show(actor: Acting, session: Reading, case_id: UUID) -> Pieces:
    """The papers that came to a case, and what may be brought into it."""
    dictionary = diagrams.edition_of(session, actor, case_id).dictionary
    return Pieces(pieces.received(session, actor, case_id, dictionary), pieces.offered(session, actor, case_id))


@router.post("", status_code=201, responses=problems.described(401, 403, 404, 422))
def lodge(actor: Acting, session: Writing, case_id: UUID, brought: Brought) -> Pieces:
    """Brings a document into a case; whoever waits for that paper goes on. The same document again is there already: nothing is done twice."""
    pieces.lodge(session, actor, case_id, brought.piece, brought.class_, brought.document_id, brought.title)
    return show(actor, session, case_id)


@router.post("/{document_id}/turn-down", responses=problems.described(401, 403, 404, 409, 422))
def turn_down(actor: Acting, session: Writing, case_id: UUID, document_id: UUID) -> Pieces:
    """Says that a paper that came in the place of one that runs out (`may_renew`) does not do: another is awaited."""
    pieces.turn_down(session, actor, case_id, document_id)
    return show(actor, session, case_id)


@router.post("/{document_id}/renew", responses=problems.described(401, 403, 404, 409, 422))
def renew(actor: Acting, session: Writing, case_id: UUID, document_id: UUID) -> Pieces:
    """Has a paper that came take the place of the one that runs out (`may_renew`), for every agency."""
    pieces.renew(session, actor, case_id, document_id)
    return show(actor, session, case_id)
