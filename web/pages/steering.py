"""The steering view: stock, flow, lateness, who holds what, the bottleneck on the diagram, the indicators B1–B12 with their cases, the half-yearly report."""

import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from engine import errors
from engine.actors import branches
from engine.actors.agencies import AGENCIES, OTE
from engine.casework import diagrams, editions
from engine.i18n import pick
from engine.insight import halfyear, measures, steering
from web.dependencies import Acting, OnScreen, Reading
from web.screen import Screen

router = APIRouter(prefix="/steering")
_HEATS = 4
_PROCESSES = ("parcours", "accueil", "evaluation", "plan", "accompagnement", "social", "emploi", "projet", "demarrage", "constitution", "instruction", "dossier_aide", "versements", "suivi", "visite", "cloture")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STAGES = ("accueil", "evaluation", "accompagnement", "suivi", "cloture")


@router.get("")
def show(screen: OnScreen, actor: Acting, session: Reading, branch: str = "", days: int = 90, process: str = "parcours") -> Response:
    """The whole view, for a branch or all of them, over a period that ends now."""
    asked = steering.window(session, actor, branch, days)
    found = steering.show(session, actor, asked)
    drawn = found.edition.definitions.processes
    process = process if process in drawn else "parcours"
    return screen.show(
        "steering/page.html", found=found, indicators=[_shown(screen, one) for one in steering.indicators(session, actor, asked)], address=_Address(asked, process), periods=steering.PERIODS,
        branch_codes=branches.codes(session) if actor.reach == "all" else [], stock=_stock(found), most=_most(found), validations=steering.validations(session, actor, asked),
        left=steering.stages_left(session, actor, asked), stages=_STAGES, agencies=AGENCIES, enough=measures.ENOUGH, paths=steering.PATHS,
        heat=json.dumps(_heat(screen, found, process)), process=process, processes={one: pick(drawn[one].names, screen.language) or one for one in _PROCESSES if one in drawn},
        hottest=[{"one": one, "process": pick(drawn[one.process].names, screen.language) if one.process in drawn else "", "days": screen.words.number(round(one.seconds / 86400, 1))} for one in found.hottest],
        halves=halfyear.halves(session, actor)[:6], is_masking=actor.agency != OTE,
    )  # fmt: skip


@router.get("/cases/{indicator}")
def behind(screen: OnScreen, actor: Acting, session: Reading, indicator: str, branch: str = "", days: int = 90, cursor: str = "") -> Response:
    """The cases behind an indicator, the worst first."""
    asked = steering.window(session, actor, branch, days)
    found = steering.cases(session, actor, asked, indicator, cursor)
    address = _Address(asked, "")
    rows = [{"case": one, "value": _figure(screen, found.unit, one.value)} for one in found.items]
    return screen.show("steering/cases.html", code=indicator, rows=rows, address=address, asked=asked, older=f"/steering/cases/{indicator}?{address.query(cursor=found.next)}" if found.next else "")


@router.get("/diagram/{edition}/{process}")
def drawing(actor: Acting, session: Reading, edition: int, process: str) -> Response:
    """A diagram of an edition, for the viewer in the page."""
    steering.window(session, actor)
    definitions = editions.numbered(session, edition).definitions
    if process not in definitions.processes:
        raise errors.NotFound("process.unknown")
    headers = {"content-disposition": "attachment", "cache-control": "private, max-age=3600"}
    return Response(definitions.diagram(process), media_type="application/xml", headers=headers)


@router.get("/report/{year}/{half}")
def report(screen: OnScreen, actor: Acting, session: Reading, year: int, half: int) -> Response:
    """The report of a half-year that is over, to be read and printed."""
    made = halfyear.report(session, screen.actor, year, half)
    shown = [_shown(screen, one) | {"is_masked": 0 < one.cases < steering.FEWEST} for one in made.indicators]
    return screen.show("steering/report.html", report=made, indicators=shown, last_day=made.last - dt.timedelta(days=1))


@router.get("/report/{year}/{half}/sheet")
def sheet(screen: OnScreen, actor: Acting, session: Reading, year: int, half: int) -> Response:
    """The same as a workbook."""
    headers = {"content-disposition": f'attachment; filename="masar-{year}-{half}.xlsx"'}
    return Response(halfyear.sheet(session, screen.actor, year, half), media_type=_XLSX, headers=headers)


class _Address:
    """Addresses that keep the period and the branch."""

    def __init__(self, asked: steering.Window, process: str) -> None:
        self.kept = {"branch": asked.branch, "days": str(asked.days), "process": process if process != "parcours" else ""}

    def query(self, **changed: object) -> str:
        return urlencode({name: str(value) for name, value in {**self.kept, **changed}.items() if value not in ("", None)})


def _figure(screen: Screen, unit: str, value: float | None) -> str:
    """A figure with its unit, in the reader's way of writing."""
    if value is None:
        return screen.words.text("steering.nothing")
    return screen.words.text(f"steering.in.{unit}", number=screen.words.number(round(value, 1)))


def _shown(screen: Screen, one: steering.Indicator) -> dict[str, Any]:
    def group(found: steering.Group) -> dict[str, Any]:
        return {"name": found.name, "value": _figure(screen, one.unit, found.value) if found.cases is not None else screen.words.text("steering.report.masked"), "share": found.value or 0, "cases": found.cases}

    asides = [{"name": found.name, "value": _beside(screen, found.name, found.value), "before": _beside(screen, found.name, found.before)} for found in one.aside if found.value is not None]
    return {
        "one": one, "value": _figure(screen, one.unit, one.value), "before": _figure(screen, one.unit, one.before), "tenth": _figure(screen, one.unit, one.tenth) if one.tenth is not None else "",
        "target": _figure(screen, one.unit, one.target) if one.target is not None else "", "branches": [group(found) for found in one.by_branch],
        "asides": asides,
    }  # fmt: skip


def _beside(screen: Screen, name: str, value: float | None) -> str:
    return "" if value is None else screen.words.number(round(value, 1))


def _stock(found: steering.Steering) -> list[dict[str, Any]]:
    """By branch, how many cases stand at each stage."""
    by_branch: dict[str, dict[str, int]] = {}
    for branch, stage, number in found.stock:
        by_branch.setdefault(branch, {})[stage] = number
    return [{"branch": branch, "stages": stages, "all": sum(stages.values())} for branch, stages in by_branch.items()]


def _most(found: steering.Steering) -> dict[str, float]:
    """The largest of each table, which its bars are drawn against."""
    return {
        "stock": max((sum(number for branch, _, number in found.stock if branch == one) for one, _, _ in found.stock), default=1), "flow": max((max(opened, ended) for _, opened, ended in found.flow), default=1) or 1,
        "held": max((days for _, days, _, _ in found.held), default=1) or 1, "waited": max((one.times for one in found.waited), default=1), "hot": found.hottest[0].seconds if found.hottest else 1,
    }  # fmt: skip


def _heat(screen: Screen, found: steering.Steering, process: str) -> dict[str, list[Any]]:
    """Of one diagram, how hot each element is, 1 to 4, and the days that cases stood there."""
    here = {one.id for one in found.edition.definitions.elements(process)}
    seconds = {node: spent for node, spent in found.heat.items() if node in here and spent >= 3600}
    most = max(seconds.values(), default=1)
    return {node: [1 + min(_HEATS - 1, int(_HEATS * spent / most)), screen.words.text("steering.in.days", number=screen.words.number(round(spent / 86400, 1)))] for node, spent in seconds.items()}
