"""The clock of a demo: seeing what day it is there, moving it on. Everything that falls due on the way is done, each thing at its hour."""

import calendar
import datetime as dt

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import clock, errors
from engine.actors import authority
from engine.casework import timers
from web import security
from web.dependencies import Acting, OnScreen, Posted, Reading, database_of, field

router = APIRouter()
STEPS = ("day", "week", "month")
_LONGEST = 366


@router.get("/demo/clock")
def show(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """What time it is in the demo. Absent elsewhere."""
    _only_in_a_demo(screen.settings.is_demo)
    return screen.show("demo/page.html", now=clock.now(session), longest=_LONGEST)


@router.post("/demo/clock")
def advance(request: Request, screen: OnScreen, actor: Acting, form: Posted) -> Response:
    """Moves the clock by a step, or by a number of days. Refuses: `web.demo_days`."""
    _only_in_a_demo(screen.settings.is_demo)
    authority.require(actor, "clock.advance")
    step, days = field(form, "step", 10), field(form, "days", 4)
    database = database_of(request)
    with database.reading(actor) as session:
        today = clock.today(clock.now(session))
    if step in STEPS:
        days = {"day": 1, "week": 7, "month": calendar.monthrange(today.year, today.month)[1]}[step]
    elif not days.isdigit() or not 1 <= int(days) <= _LONGEST:
        raise errors.Invalid("web.demo_days", longest=_LONGEST)
    now = timers.advance_clock(database, dt.timedelta(days=int(days)))
    return screen.go(security.local_address(field(form, "next", 500)), "advanced", now=screen.words.moment(now))


def _only_in_a_demo(is_demo: bool) -> None:
    if not is_demo:
        raise errors.NotFound("demo.only")
