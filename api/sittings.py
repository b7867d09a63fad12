"""Sittings of a committee: the agenda and where each file of it stands. A file is studied, voted on and decided by its own task (`POST /tasks/{task_id}/complete`)."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter

from api import problems
from api.dependencies import Acting, Reading, Route
from api.tasks import Known, known_fact
from engine.casework import sittings
from engine.casework.sittings import FileRow, Piece, Seat, Sitting, SittingRow

router = APIRouter(prefix="/sittings", tags=["sittings"], route_class=Route)


@dataclass(frozen=True)
class Sittings:
    """Those that run, then those that were over in the last 180 days."""

    items: tuple[SittingRow, ...]


@dataclass(frozen=True)
class SittingFile:
    """A file of an agenda. `known`: what is known of it, as far as the reader may see; `pieces`: its documents (`GET /documents/{document_id}`); `ballot`: where it is the
    reader's to decide, who votes on it, a row of `aide.votes` each, whoever is recused (`recusation`) too."""

    file: FileRow
    known: tuple[Known, ...]
    pieces: tuple[Piece, ...]
    ballot: tuple[Seat, ...]


@router.get("", responses=problems.described(401, 404))
def listed(actor: Acting, session: Reading) -> Sittings:
    """The sittings that the caller may look at."""
    return Sittings(sittings.listed(session, actor))


@router.get("/{sitting_id}", responses=problems.described(401, 404))
def show(actor: Acting, session: Reading, sitting_id: UUID) -> Sitting:
    """A sitting with the state of each of its files. Its `papers` are letters of the sitting: `GET /cases/{sitting_id}/letters/{letter_id}.pdf`."""
    return sittings.show(session, actor, sitting_id)


@router.get("/{sitting_id}/files/{aid_id}", responses=problems.described(401, 404))
def file(actor: Acting, session: Reading, sitting_id: UUID, aid_id: UUID) -> SittingFile:
    """One file of a sitting. `task_id` of the file is the task by which it is studied, voted on or decided."""
    found = sittings.show(session, actor, sitting_id).file(str(aid_id))
    form = sittings.known(session, actor, found)
    known = tuple(known_fact(one, {}, form.language) for one in form.known) if form else ()
    return SittingFile(found, known, sittings.pieces(session, actor, found), sittings.seats(session, actor, found))
