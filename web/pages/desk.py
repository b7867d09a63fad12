"""The desk: what waits for me and for my branch, the latest first; new work announces itself and moves nothing."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from engine import clock
from engine.actors import signin, users
from engine.casework import worklist
from web import rendering, security
from web.dependencies import Acting, OnScreen, Reading, database_of
from web.screen import SESSION

router = APIRouter()
VIEWS = {"mine": "person-check", "queue": "inbox", "all": "list-check", "late": "exclamation-octagon"}
AGENCIES = ("OTE", "CPS", "ANETI", "PART")
_EVERY = 5  # seconds between two looks for new work
_NEWS = 200


@router.get("/desk")
def show(screen: OnScreen, actor: Acting, session: Reading, view: str = "", q: str = "", agency: str = "", cursor: str = "") -> Response:
    """The list of one view. Without a view: mine, or the queue when nothing is mine."""
    chosen = view if view in VIEWS else "mine"
    found = _list(session, actor, chosen, q, agency, cursor)
    if not view and not found.items and not q:
        chosen = "queue"
        found = _list(session, actor, chosen, q, agency, cursor)
    now = clock.now(session)

    def at(**changed: str) -> str:
        asked = {"view": chosen, "q": q, "agency": agency, **changed}
        return "/desk?" + urlencode({name: value for name, value in asked.items() if value})

    return screen.show(
        "desk/page.html", rows=found.items, now=now, view=chosen, search=q, next=at(cursor=found.next) if found.next else "",
        views=[{"name": name, "icon": icon, "address": f"/desk?view={name}", "chosen": name == chosen} for name, icon in VIEWS.items()],
        filters=[{"name": "agency", "chosen": agency, "choices": [(code, screen.words.text(f"agency.{code}")) for code in AGENCIES]}],
        address_here=at(), since=now.isoformat(),
    )  # fmt: skip


def _list(session: Reading, actor: users.Actor, view: str, search: str, agency: str, cursor: str) -> worklist.Desk:
    scope = "all" if view == "late" else view
    return worklist.desk(session, actor, scope, search=search, agency=agency if agency in AGENCIES else "", late=view == "late", cursor=cursor)


@router.get("/desk/live")
async def live(request: Request, actor: Acting, since: str) -> Response:
    """Server-sent events: how many tasks came since the page was shown. Ends when the session does."""
    try:
        after = dt.datetime.fromisoformat(since)
    except ValueError:
        return Response(status_code=400)
    if after.tzinfo is None:
        return Response(status_code=400)
    return StreamingResponse(_news(request, after), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _news(request: Request, since: dt.datetime) -> AsyncIterator[str]:
    told = 0
    while not await request.is_disconnected():
        counted = await run_in_threadpool(_arrived, request, since)
        if counted is None:
            return
        number, said = counted
        if number != told:
            told = number
            yield "event: arrivals\n" + "".join(f"data: {line}\n" for line in said.splitlines()) + "\n"
        else:
            yield ": \n\n"
        await asyncio.sleep(_EVERY)


def _arrived(request: Request, since: dt.datetime) -> tuple[int, str] | None:
    database = database_of(request)
    found = signin.enter(database, security.read_cookie(request, request.app.state.settings, SESSION))
    if found is None or found.kind != "web":
        return None
    with database.reading(found.actor) as session:
        rows = [row for scope in ("mine", "queue") for row in worklist.desk(session, found.actor, scope, limit=_NEWS).items if row.opened_at > since]
    language = found.actor.language
    return len(rows), rendering.render("desk/_arrivals.html", language, {"number": len(rows)}) if rows else ""
