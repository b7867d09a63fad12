"""The worklist: open tasks, the most pressing first; what waits for persons; one act on several tasks; filters kept under a name."""

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from api import problems
from api.dependencies import Acting, Body, Reading, Route, Writing, database_of
from engine.casework import desk_views, selections, worklist
from engine.casework.desk_views import DeskView
from engine.casework.selections import Able, Picked, Wish
from engine.casework.views import AwaitedRow, DeskRow

router = APIRouter(prefix="/worklist", tags=["work"], route_class=Route)
_SCOPES = """`mine`: in my hands · `queue`: free, and mine to do · `instead`: of those who are away and for whom I stand in · `others`: of my branch's cases, another agency's ·
`all`: every open task I may see."""
Cursor = Annotated[str, Query(max_length=500)]
Limit = Annotated[int, Query(ge=1, le=200)]
Agency = Literal["", "OTE", "CPS", "ANETI", "PART"]
Stage = Literal["", "accueil", "evaluation", "accompagnement", "suivi", "cloture"]
Tasks = Annotated[list[UUID], Field(min_length=1, max_length=selections.MOST)]


@dataclass(frozen=True)
class Worklist:
    """One page of tasks. `next` is the `cursor` of the following page, null on the last."""

    items: tuple[DeskRow, ...]
    next: str | None


@dataclass(frozen=True)
class AwaitedCases:
    """One page of cases that wait for their person. `next` is the `cursor` of the following page, null on the last."""

    items: tuple[AwaitedRow, ...]
    next: str | None


@dataclass(frozen=True)
class Selection:
    """What becomes of each task: `code` is "" where it is done (or would be), else why not."""

    items: tuple[Picked, ...]


@dataclass(frozen=True)
class Candidates:
    items: tuple[Able, ...]


@dataclass(frozen=True)
class DeskViews:
    """One's own, then those that colleagues of the branch share."""

    items: tuple[DeskView, ...]


class Chosen(Body):
    tasks: Tasks


class Wished(Chosen):
    act: Literal["claim", "give", "release"]
    to: UUID | None = Field(default=None, description="Where tasks are given: the colleague.")
    reason: str = Field(default="", max_length=500, description="Why; needed unless they are only taken. It is kept in the history of each case.")


class Filters(Body):
    view: Literal["", "mine", "queue", "instead", "all", "late", "person", "others"] = ""
    agency: Agency = ""
    stage: Stage = ""


class NewView(Body):
    name: str = Field(min_length=1, max_length=desk_views.LONGEST)
    filters: Filters
    is_shared: bool = Field(default=False, description="Colleagues of the branch see it too.")


class ViewId(BaseModel):
    view_id: UUID


@router.get("", responses=problems.described(401, 403, 422))
def show(
    actor: Acting, session: Reading, scope: Annotated[Literal["mine", "queue", "instead", "others", "all"], Query(description=_SCOPES)] = "mine",
    case_id: Annotated[UUID | None, Query(description="Only the tasks of this case.")] = None, agency: Annotated[Agency, Query(description="Only the tasks of this agency.")] = "",
    stage: Annotated[Stage, Query(description="Only the tasks of cases at this stage.")] = "", late: Annotated[bool, Query(description="Only the late ones.")] = False,
    limit: Limit = 50, cursor: Cursor = "",
) -> Worklist:  # fmt: skip
    """Open tasks by due date, late ones first; those without one come last."""
    found = worklist.desk(session, actor, scope, case_id=case_id, agency=agency, stage=stage, late=late, limit=limit, cursor=cursor)
    return Worklist(found.items, found.next or None)


@router.get("/awaited", responses=problems.described(401, 403, 422))
def awaited(actor: Acting, session: Reading, limit: Limit = 50, cursor: Cursor = "") -> AwaitedCases:
    """The cases that wait for their person to do something, the longest wait first."""
    found = worklist.awaited(session, actor, limit=limit, cursor=cursor)
    return AwaitedCases(found.items, found.next or None)


@router.post("/selection/colleagues", responses=problems.described(401, 422))
def candidates(actor: Acting, session: Reading, chosen: Chosen) -> Candidates:
    """To whom at least one of these tasks may be given, and how many of them."""
    return Candidates(tuple(selections.candidates(session, actor, chosen.tasks)))


@router.post("/selection/preview", responses=problems.described(401, 422))
def preview(actor: Acting, session: Writing, wished: Wished) -> Selection:
    """What would become of each task. Nothing is changed."""
    return Selection(tuple(selections.preview(session, actor, Wish(wished.act, wished.to, wished.reason), wished.tasks)))


@router.post("/selection", responses=problems.described(401, 422))
def carry_out(request: Request, actor: Acting, wished: Wished) -> Selection:
    """Takes, gives or gives back several tasks, each by itself: what one is refused keeps no other from being done."""
    return Selection(tuple(selections.carry_out(database_of(request), actor, Wish(wished.act, wished.to, wished.reason), wished.tasks)))


@router.get("/views", responses=problems.described(401))
def views(actor: Acting, session: Reading) -> DeskViews:
    """Filters of the list that were kept under a name."""
    return DeskViews(desk_views.seen(session, actor))


@router.post("/views", status_code=201, responses=problems.described(401, 403, 422))
def keep_view(actor: Acting, session: Writing, asked: NewView) -> ViewId:
    """Keeps filters under a name; the same name again takes the place of what it named."""
    return ViewId(view_id=desk_views.keep(session, actor, asked.name, asked.filters.model_dump(), asked.is_shared))


@router.post("/views/{view_id}/drop", responses=problems.described(401, 404))
def drop_view(actor: Acting, session: Writing, view_id: UUID) -> ViewId:
    """Forgets a view of one's own."""
    desk_views.drop(session, actor, view_id)
    return ViewId(view_id=view_id)
