"""The steering view: stock, flow, lateness, who holds what, the bottleneck on the diagram, the indicators B1–B12 with their cases, the half-yearly report."""

import datetime as dt
import json
from collections import Counter
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from engine import clock, errors
from engine.actors import branches
from engine.actors.agencies import AGENCIES
from engine.casework import editions
from engine.dossier import programmes
from engine.i18n import pick
from engine.insight import equity, halfyear, halfyear_papers, heaviness, measures, steering, waits
from web import printing
from web.dependencies import Acting, OnScreen, Reading
from web.screen import Screen

router = APIRouter(prefix="/steering")
_HEATS = 4
_TABS = {"overview": "house-door", "waits": "hourglass-split", "stuck": "diagram-3", "indicators": "list-check", "equity": "people", "flow": "cash-coin", "report": "download"}
_PROCESSES = ("parcours", "accueil", "evaluation", "plan", "accompagnement", "social", "emploi", "projet", "demarrage", "constitution", "instruction", "dossier_aide", "versements", "suivi", "visite", "cloture")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STAGES = ("accueil", "evaluation", "accompagnement", "suivi", "cloture")


@router.get("")
def show(screen: OnScreen, actor: Acting, session: Reading, branch: str = "", programme: str = "", days: int = 90, process: str = "parcours", tab: str = "overview") -> Response:
    """The view, for a branch or all of them, over a period that ends now: at first where cases wait, for whom, and whether it is better than before; then part by part."""
    asked = steering.window(session, actor, branch, days, programme)
    tab = tab if tab in _TABS else "overview"
    return screen.show(
        "steering/page.html", asked=asked, tab=tab, tabs=_TABS, address=_Address(asked, process, tab), periods=steering.PERIODS, branch_codes=branches.codes(session) if actor.reach == "all" else [],
        programme_codes=[] if steering.is_masking(actor) else steering.programme_codes(session), programme_names=_programme_names(screen, session), agencies=AGENCIES, is_masking=steering.is_masking(actor), **_PARTS[tab](screen, actor, session, asked, process),
    )  # fmt: skip


@router.get("/cases/{indicator}")
def behind(screen: OnScreen, actor: Acting, session: Reading, indicator: str, branch: str = "", programme: str = "", days: int = 90, cursor: str = "") -> Response:
    """The cases behind an indicator, the worst first."""
    asked = steering.window(session, actor, branch, days, programme)
    found = steering.cases(session, actor, asked, indicator, cursor)
    address = _Address(asked)
    rows = [{"case": one, "value": _figure(screen, found.unit, one.value)} for one in found.items]
    return screen.show("steering/cases.html", code=indicator, rows=rows, address=address, asked=asked, programme_names=_programme_names(screen, session), older=f"/steering/cases/{indicator}?{address.query(cursor=found.next)}" if found.next else "")


@router.get("/waiting")
def waiting(screen: OnScreen, actor: Acting, session: Reading, branch: str = "", programme: str = "", days: int = 90, who: str = "", node: str = "", aid: str = "", cursor: str = "") -> Response:
    """The cases that wait now, for somebody, at an element, or in the dossiers of a programme: those since longest first."""
    asked = steering.window(session, actor, branch, days, programme)
    rows, after = waits.behind(session, actor, asked, who, node, aid, cursor)
    address = _Address(asked, tab="waits")
    older = f"/steering/waiting?{address.query(tab='', who=who, node=node, aid=aid, cursor=after)}" if after else ""
    return screen.show("steering/waiting.html", rows=rows, address=address, who_code=who, aid=aid, programme_names=_programme_names(screen, session), agencies=AGENCIES, node=rows[0].name if node and rows else "", asked=asked, older=older, now=programmes.present(session))


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
    return screen.show("steering/report.html", report=made, indicators=[_shown(screen, one) for one in made.indicators], last_day=made.last - dt.timedelta(days=1), checks=made.equity, enough=equity.ENOUGH)


@router.get("/report/{year}/{half}/sheet")
def sheet(screen: OnScreen, actor: Acting, session: Reading, year: int, half: int) -> Response:
    """The same as a workbook."""
    headers = {"content-disposition": f'attachment; filename="masar-{year}-{half}.xlsx"'}
    return Response(halfyear_papers.sheet(session, screen.actor, year, half), media_type=_XLSX, headers=headers)


@router.get("/report/{year}/{half}/paper")
def paper(screen: OnScreen, actor: Acting, session: Reading, year: int, half: int) -> Response:
    """The same as a paper, in French and in Arabic."""
    content, made_at = halfyear_papers.paper(session, screen.actor, year, half)
    headers = {"content-disposition": f'attachment; filename="masar-{year}-{half}.pdf"'}
    return Response(printing.pdf(content, made_at), media_type="application/pdf", headers=headers)


class _Address:
    """Addresses that keep the period, the branch and the programme."""

    def __init__(self, asked: steering.Window, process: str = "", tab: str = "") -> None:
        self.kept = {"branch": asked.branch, "programme": asked.programme, "days": str(asked.days), "process": process if process != "parcours" else "", "tab": tab if tab != "overview" else ""}

    def query(self, **changed: object) -> str:
        return urlencode({name: str(value) for name, value in {**self.kept, **changed}.items() if value not in ("", None)})


def _figure(screen: Screen, unit: str, value: float | None) -> str:
    """A figure with its unit, in the reader's way of writing."""
    if value is None:
        return screen.words.text("steering.nothing")
    return screen.words.text(f"steering.in.{unit}", number=screen.words.number(round(value, 1)))


def _shown(screen: Screen, one: steering.Indicator) -> dict[str, Any]:
    def group(found: steering.Group) -> dict[str, Any]:
        value, tenth = (screen.words.text("steering.report.masked") if found.value is None else "" if number is None else _figure(screen, one.unit, number) for number in (found.value, found.tenth))
        return {"name": found.name, "value": value, "tenth": tenth, "share": found.value or 0, "cases": found.cases}

    asides = [{"name": found.name, "value": _beside(screen, found.name, found.value), "before": _beside(screen, found.name, found.before)} for found in one.aside if found.value is not None]
    return {
        "one": one, "value": screen.words.text("steering.report.masked") if one.is_masked else _figure(screen, one.unit, one.value), "before": _figure(screen, one.unit, one.before), "tenth": _figure(screen, one.unit, one.tenth) if one.tenth is not None else "",
        "target": _figure(screen, one.unit, one.target) if one.target is not None else "", "branches": [group(found) for found in one.by_branch], "classes": [group(found) for found in one.by_class],
        "asides": asides,
    }  # fmt: skip


def _beside(screen: Screen, name: str, value: float | None) -> str:
    return "" if value is None else screen.words.number(round(value, 1))


def _overview(screen: Screen, actor: Any, session: Reading, asked: steering.Window, process: str) -> dict[str, Any]:
    numbers = steering.numbers(session, actor, asked)
    held, late = waits.holding(session, actor, asked, numbers), waits.late(session, actor, asked)
    shown = [_shown(screen, one) for one in steering.indicators(session, actor, asked)]
    trends = Counter(one["one"].trend for one in shown)
    return {"numbers": steering.shown(actor, numbers), "late": late, "who_held": held.who, "hottest": [_hot(screen, held, one) for one in held.where[:6]], "indicators": shown, "trends": trends}


def _waits(screen: Screen, actor: Any, session: Reading, asked: steering.Window, process: str) -> dict[str, Any]:
    numbers, (by_branch, by_programme) = steering.numbers(session, actor, asked), waits.apart(session, actor, asked)
    whom = [one for one in (*AGENCIES, "person", "sitting") if any(one in row.by_who for row in (*by_branch, *by_programme))]
    return {"awaited": waits.awaited(session, actor, asked), "late": waits.late(session, actor, asked), "who_held": waits.holding(session, actor, asked, numbers).who,
            "apart": {"branch": by_branch, "programme": by_programme}, "whom": whom}  # fmt: skip


def _stuck(screen: Screen, actor: Any, session: Reading, asked: steering.Window, process: str) -> dict[str, Any]:
    held = waits.holding(session, actor, asked, steering.numbers(session, actor, asked))
    drawn = held.edition.definitions.processes
    process = process if process in drawn else "parcours"
    return {"edition": held.edition, "process": process, "processes": {one: pick(drawn[one].names, screen.language) or one for one in _PROCESSES if one in drawn},
            "heat": json.dumps(_heat(screen, held, process)), "hottest": [_hot(screen, held, one) for one in held.where[:15]]}  # fmt: skip


def _figures(screen: Screen, actor: Any, session: Reading, asked: steering.Window, process: str) -> dict[str, Any]:
    return {"indicators": [_shown(screen, one) for one in steering.indicators(session, actor, asked)], "validations": steering.validations(session, actor, asked),
            "left": steering.stages_left(session, actor, asked), "enough": measures.ENOUGH, "paths": heaviness.PATHS, "heavy": _heavy(screen, heaviness.index(session))}  # fmt: skip


def _heavy(screen: Screen, found: heaviness.Heaviness | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"index": found.index, "parts": [{"one": one, "target": _figure(screen, one.unit, one.target), "ways": {path: _figure(screen, one.unit, number) for path, number in one.drawn.items()}} for one in found.parts]}


def _equity(screen: Screen, actor: Any, session: Reading, asked: steering.Window, process: str) -> dict[str, Any]:
    return {"checks": equity.checks(session, actor, asked), "enough": equity.ENOUGH}


def _flow(screen: Screen, actor: Any, session: Reading, asked: steering.Window, process: str) -> dict[str, Any]:
    """By branch, how many cases stand at each stage; by month, how many came and ended; by programme, persons and money."""
    stock, flow = steering.stock(session, actor, asked), steering.flow(session, actor, asked)
    return {"stock": stock, "flow": flow, "stages": _STAGES,
            "most": {"stock": max((stages["all"] or 0 for stages in stock.values()), default=1), "flow": max((number or 0 for _, *both in flow for number in both), default=1)},
            "programmes": steering.programmes(session, actor, asked)}  # fmt: skip


def _programme_names(screen: Screen, session: Reading) -> dict[str, str]:
    """What each programme is called today."""
    names = programmes.dated(session).called(clock.today(clock.now(session)))["programmes"]
    return {code: pick(said, screen.language) or code for code, said in names.items()}


def _reports(screen: Screen, actor: Any, session: Reading, asked: steering.Window, process: str) -> dict[str, Any]:
    return {"halves": halfyear.halves(session, actor)}


_PARTS = {"overview": _overview, "waits": _waits, "stuck": _stuck, "indicators": _figures, "equity": _equity, "flow": _flow, "report": _reports}


def _hot(screen: Screen, held: waits.Holding, one: waits.Held) -> dict[str, Any]:
    drawn = held.edition.definitions.processes
    return {"one": one, "process": pick(drawn[one.process].names, screen.language) if one.process in drawn else ""}


def _heat(screen: Screen, found: waits.Holding, process: str) -> dict[str, list[Any]]:
    """Of one diagram, how hot each element is, 1 to 4, and the days that cases stood there."""
    here = {one.id for one in found.edition.definitions.elements(process)}
    seconds = {node: spent for node, spent in found.heat.items() if node in here and spent >= 3600}
    most = max(seconds.values(), default=1)
    return {node: [1 + min(_HEATS - 1, int(_HEATS * spent / most)), screen.words.text("steering.in.days", number=screen.words.number(round(spent / 86400, 1)))] for node, spent in seconds.items()}
