"""The clock of a demo, moved on. The routes here are mounted in a demo only."""

import calendar
import datetime as dt
import re

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from api import problems
from api.dependencies import Acting, Body, database_of
from engine import clock, errors
from engine.actors import authority
from engine.casework import timers

router = APIRouter(prefix="/demo", tags=["demo"])
_DURATION = re.compile(
    r"P(?=[0-9T])(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?", re.ASCII
)
_LONGEST = dt.timedelta(days=3660)


class Advance(Body):
    advance: str = Field(max_length=40, description="An ISO 8601 duration, at most ten years.", examples=["P14D"])


class Clock(BaseModel):
    now: dt.datetime


@router.post("/clock", responses=problems.described(401, 403, 422))
def advance(request: Request, actor: Acting, asked: Advance) -> Clock:
    """Moves the demo's clock on. Everything that falls due on the way is done, each thing at its hour, when this answers."""
    authority.require(actor, "clock.advance")
    database = database_of(request)
    with database.reading(actor) as session:
        now = clock.now(session)
    until = after(now, asked.advance)
    if until is None or until - now > _LONGEST:
        raise errors.wrong("clock.duration", "/advance")
    return Clock(now=timers.advance_clock(database, until - now))


def after(start: dt.datetime, duration: str) -> dt.datetime | None:
    """The instant an ISO 8601 duration later; months and years go by the calendar, the 31st falling back on a month's last day. None when unreadable."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    month = start.month - 1 + months + 12 * years
    year, month = start.year + month // 12, month % 12 + 1
    if year > dt.MAXYEAR - 100:
        return None
    moved = start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))
    return moved + dt.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
