"""What leaves Masar of many cases: logs for tools of process mining, tables for spreadsheets. Each export is told of before its first byte leaves."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse

from api import problems
from api.dependencies import acting, database_of
from engine.actors import users
from engine.insight import exchange, spreadsheets

router = APIRouter(prefix="/exports", tags=["exports"])
Person = Annotated[users.Actor, Depends(acting)]


def _file(media_type: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": "The file.", "content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}


@router.get("/xes", response_class=StreamingResponse, responses=_file("application/xml") | problems.described(401, 403))
def xes(request: Request, actor: Person) -> StreamingResponse:
    """The history of the cases one reaches as a XES log (IEEE 1849-2016), of those whose person agreed to statistics (C5). Cases and colleagues are pseudonyms."""
    return sent(exchange.xes(database_of(request), actor), "application/xml", "masar.xes")


@router.get("/ocel", response_class=StreamingResponse, responses=_file("application/octet-stream") | problems.described(401, 403))
def ocel(request: Request, actor: Person) -> StreamingResponse:
    """The same as an object-centric event log (OCEL 2.0, JSON): cases, their parts and colleagues are its objects."""
    return sent(exchange.ocel(database_of(request), actor), "application/octet-stream", "masar.ocel.json")


@router.get("/csv/{table}", response_class=StreamingResponse, responses=_file("text/csv") | problems.described(401, 403, 404, 422))
def csv(
    request: Request, actor: Person, table: Literal["worklist", "history", "figures"],
    case_id: Annotated[UUID | None, Query(description="Of the history: of which case.")] = None,
) -> StreamingResponse:  # fmt: skip
    """A table for a spreadsheet, where no text begins like a formula: the worklist, the history of a case (`case_id`), figures by month."""
    return sent(spreadsheets.table(database_of(request), actor, table, case_id), "text/csv; charset=utf-8", f"masar-{table}.csv")


def sent(content: object, media_type: str, name: str) -> StreamingResponse:
    """A file as it is written."""
    return StreamingResponse(content, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})  # type: ignore[arg-type]
