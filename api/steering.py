"""Steering for programs: the indicators B1–B12 with the cases behind each, the equity of decisions, the half-yearly report."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api import problems
from api.dependencies import Acting, Reading, Route
from engine.insight import equity, halfyear, heaviness, steering

router = APIRouter(prefix="/steering", tags=["steering"], route_class=Route)
Branch = Annotated[str, Query(max_length=20, description="Code of a branch; empty: all that one reaches.")]
Programme = Annotated[str, Query(max_length=40, description="Code of a programme of aid: the cases with a dossier in it, without their dossiers in others; empty: all. Refused outside OTE.")]
Days = Annotated[Literal[30, 90, 180, 365], Query(description="Length of the period that ends now; it is compared with as many days before.")]


@dataclass(frozen=True)
class Indicators:
    """`first`, `last`: the period; B1 to B12 in order; `heaviness`: how heavy the model alone makes the pathway, with its parts. What each counts, and what it cannot, is in the domain's list and on the page."""

    first: dt.datetime
    last: dt.datetime
    branch: str
    programme: str
    items: tuple[steering.Indicator, ...]
    heaviness: heaviness.Heaviness | None


@dataclass(frozen=True)
class Equity:
    """`first`, `last`: the period; one check by each thing that decisions are looked at by."""

    first: dt.datetime
    last: dt.datetime
    branch: str
    programme: str
    items: tuple[equity.Check, ...]


@dataclass(frozen=True)
class Cases:
    """One page of the cases behind an indicator; `next` is the `cursor` of the following one, null on the last."""

    items: tuple[steering.Case, ...]
    next: str | None


@router.get("/indicators", responses=problems.described(401, 403, 422))
def indicators(actor: Acting, session: Reading, branch: Branch = "", programme: Programme = "", days: Days = 90) -> Indicators:
    """The indicators of bureaucracy, computed from the history of the cases one reaches."""
    asked = steering.window(session, actor, branch, days, programme)
    return Indicators(asked.first, asked.last, asked.branch, asked.programme, steering.indicators(session, actor, asked), heaviness.index(session))


@router.get("/indicators/{code}/cases", responses=problems.described(401, 403, 404, 422))
def cases(actor: Acting, session: Reading, code: str, branch: Branch = "", programme: Programme = "", days: Days = 90, cursor: Annotated[str, Query(pattern="^[0-9]{0,9}$")] = "") -> Cases:
    """The cases behind an indicator's figure, the worst first."""
    found = steering.cases(session, actor, steering.window(session, actor, branch, days, programme), code, cursor)
    return Cases(found.items, found.next or None)


@router.get("/equity", responses=problems.described(401, 403, 422))
def equity_checks(actor: Acting, session: Reading, branch: Branch = "", programme: Programme = "", days: Days = 90) -> Equity:
    """Who was granted and who waited how long, by sex, branch, return, reading and age, of the cases decided in the period; where a group is worth a look. Of fewer than five nobody is told."""
    asked = steering.window(session, actor, branch, days, programme)
    return Equity(asked.first, asked.last, asked.branch, asked.programme, equity.checks(session, actor, asked))


@router.get("/reports/{year}/{half}", responses=problems.described(401, 403, 404, 422))
def report(actor: Acting, session: Reading, year: int, half: int) -> halfyear.Report:
    """The report of a half-year (1 or 2) that is over: made once, of the whole land, the same for everybody. Cells of one to four persons, and as many as would betray them, have no number."""
    return halfyear.report(session, actor, year, half)
