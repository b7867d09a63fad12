"""The worklist: open tasks, the most pressing first."""

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from api import problems
from api.dependencies import Acting, Reading, Route
from engine.casework import worklist
from engine.casework.views import DeskRow

router = APIRouter(tags=["work"], route_class=Route)


@dataclass(frozen=True)
class Worklist:
    """One page of tasks. `next` is the `cursor` of the following page, null on the last."""

    items: tuple[DeskRow, ...]
    next: str | None


@router.get("/worklist", responses=problems.described(401, 403, 422))
def show(
    actor: Acting,
    session: Reading,
    scope: Annotated[
        Literal["mine", "queue", "all"], Query(description="`mine`: in my hands · `queue`: free, and mine to do · `all`: every open task I may see.")
    ] = "mine",
    case_id: Annotated[UUID | None, Query(description="Only the tasks of this case.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> Worklist:
    """Open tasks by due date, late ones first; those without one come last."""
    found = worklist.desk(session, actor, scope, case_id=case_id, limit=limit, cursor=cursor)
    return Worklist(found.items, found.next or None)
