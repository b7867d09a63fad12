"""What leaves Masar of many cases: logs for process mining, tables for spreadsheets, and to whom that is told."""

from collections.abc import Iterator
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from engine.actors import authority
from engine.insight import exchange, spreadsheets
from web.dependencies import Acting, OnScreen, database_of
from web.screen import Screen

router = APIRouter(prefix="/exports")


@router.get("")
def show(screen: OnScreen, actor: Acting) -> Response:
    """What one may take out."""
    authority.require(actor, "worklist.export")
    return screen.show("exports/page.html", may_logs=authority.may(actor, "history.export"))


@router.get("/xes")
def xes(request: Request, screen: OnScreen, actor: Acting) -> Response:
    return _sent(exchange.xes(database_of(request), _reader(screen)), "application/xml", "masar.xes")


@router.get("/ocel")
def ocel(request: Request, screen: OnScreen, actor: Acting) -> Response:
    return _sent(exchange.ocel(database_of(request), _reader(screen)), "application/json", "masar.ocel.json")


@router.get("/csv/{table}")
def csv(request: Request, screen: OnScreen, actor: Acting, table: str, case_id: UUID | None = None) -> Response:
    return _sent(spreadsheets.table(database_of(request), _reader(screen), table, case_id), "text/csv; charset=utf-8", f"masar-{table}.csv")


def _reader(screen: Screen) -> object:
    return screen.actor


def _sent(content: Iterator[bytes], media_type: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "content-security-policy": "sandbox; default-src 'none'"}
    return StreamingResponse(content, media_type=media_type, headers=headers)
