"""What came to the token's owner: named in a note, given a task, one that is late or was taken from her."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from api import problems
from api.dependencies import Acting, Reading, Route, Writing
from engine.casework import notices
from engine.casework.notices import Notice, Notices

router = APIRouter(prefix="/notices", tags=["work"], route_class=Route)


class Marked(BaseModel):
    """`unread`: how many are left."""

    unread: int


@router.get("", responses=problems.described(401, 422))
def mine(actor: Acting, session: Reading, before: Annotated[AwareDatetime | None, Query(description="`older` of the page before.")] = None) -> Notices:
    """What came, the newest first, fifty at once."""
    return notices.mine(session, actor, before)


@router.post("/read", responses=problems.described(401))
def read_all(actor: Acting, session: Writing) -> Marked:
    """Marks all of them read."""
    notices.read_all(session, actor)
    return Marked(unread=0)


@router.post("/{notice_id}/read", responses=problems.described(401, 404))
def read(actor: Acting, session: Writing, notice_id: UUID) -> Notice:
    """Marks one read; `task_id` or `case_id` say where it leads."""
    return notices.read(session, actor, notice_id)
