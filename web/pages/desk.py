"""The desk: what waits for me and for my branch, the latest first; new work announces itself and moves nothing."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from engine.actors import authority, signin, users
from engine.casework import desk_views, worklist
from engine.dossier import programmes
from web import rendering, security, sentences
from web.dependencies import Acting, OnScreen, Posted, Reading, database_of, field
from web.screen import SESSION, Screen

router = APIRouter()
VIEWS = {"mine": "person-check", "queue": "inbox", "instead": "people", "all": "list-check", "late": "exclamation-octagon", "person": "hourglass-split", "others": "arrow-left-right"}
AGENCIES = ("OTE", "CPS", "ANETI", "PART")
STAGES = ("accueil", "evaluation", "accompagnement", "suivi", "cloture")
_EVERY = 5  # seconds between two looks for new work


@router.get("/desk")
def show(screen: OnScreen, actor: Acting, session: Reading, view: str = "", agency: str = "", stage: str = "", cursor: str = "") -> Response:
    """The list of one view. Without a view: mine, or the queue when nothing is mine, or everything for whoever takes no task."""
    return _show(screen, actor, session, view, "", agency, stage, cursor)


@router.post("/desk")
def find(screen: OnScreen, actor: Acting, session: Reading, form: Posted) -> Response:
    """The tasks of one view that are somebody's: whom one looks for stands in no address."""
    return _show(screen, actor, session, field(form, "view", 20), field(form, "q", 200), field(form, "agency", 10), field(form, "stage", 20), "")


def _show(screen: Screen, actor: users.Actor, session: Session, view: str, q: str, agency: str, stage: str, cursor: str) -> Response:
    counts = worklist.counts(session, actor)
    offered = _offered(actor, counts)
    agency, stage = agency if agency in AGENCIES else "", stage if stage in STAGES else ""
    chosen = view if view in offered else _first(offered, counts)
    is_of_tasks = chosen != "person"
    scope = "all" if chosen == "late" else chosen
    if is_of_tasks:
        found = worklist.desk(session, actor, scope, search=q, agency=agency, stage=stage, late=chosen == "late", cursor=cursor)
    else:
        found = worklist.awaited(session, actor, cursor=cursor)
    now = programmes.present(session)

    def at(**changed: str) -> str:
        asked = {"view": chosen, "agency": agency, "stage": stage, **changed}
        return "/desk?" + urlencode({name: value for name, value in asked.items() if value})

    return screen.show(
        "desk/page.html", rows=found.items, what=lambda row: sentences.awaited(screen.words, row.message, row.name), is_of_tasks=is_of_tasks, now=now,
        view=chosen, search=q if is_of_tasks else "", next=at(cursor=found.next) if found.next and not q else "", is_cut=bool(found.next and q), views=[_view(name, counts[name], chosen) for name in offered],
        filters=[{"name": "agency", "chosen": agency, "choices": [(code, screen.words.text(f"agency.{code}")) for code in AGENCIES]},
                 {"name": "stage", "chosen": stage, "choices": [(code, screen.words.text(f"stage.{code}")) for code in STAGES]}],
        kept=[{"view": one, "address": "/desk?" + urlencode({name: one.filters[name] for name in desk_views.FILTERS if name in one.filters})} for one in desk_views.seen(session, actor)], may_keep=authority.may(actor, "view.keep"),
        may_queue="queue" in offered, may_select=bool(actor.writes) and worklist.reads_cases(actor), reaches_all=actor.reach == "all" and worklist.reads_cases(actor), address_here=at(), since=now.at.isoformat(),
    )  # fmt: skip


def _offered(actor: users.Actor, counts: Mapping[str, int]) -> list[str]:
    """The views that mean something to the reader: who takes no task has none of her own; who has but her own lane, or works everywhere, has no branch to look at."""
    left_out = set() if actor.writes else {"mine", "queue"}
    if not counts["instead"]:
        left_out.add("instead")
    if not worklist.reads_cases(actor):
        left_out |= {"all", "person", "others"}
    elif actor.reach == "all":
        left_out.add("others")
    return [name for name in VIEWS if name not in left_out]


def _first(offered: list[str], counts: Mapping[str, int]) -> str:
    return next((name for name in offered if counts[name] and name != "late"), offered[0])


def _view(name: str, number: int, chosen: str) -> dict[str, Any]:
    told = f"{worklist.COUNTED - 1}+" if number >= worklist.COUNTED else str(number)
    return {"name": name, "icon": VIEWS[name], "address": f"/desk?view={name}", "chosen": name == chosen, "count": told, "presses": name == "late" and number > 0}


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
        counted = worklist.arrived(session, found.actor, since)
    number = counted["mine"] + counted["queue"]
    shown = {"number": number, "view": "mine" if counted["mine"] else "queue"}
    return number, rendering.render("desk/_arrivals.html", found.actor.language, shown) if number else ""
