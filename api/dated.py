"""What begins on a day: branches and agencies, programmes and their funds, parameters, holidays."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api import problems
from api.administration import Code, Reasoned
from api.dependencies import Acting, Reading, Route, Writing
from engine.actors import branches
from engine.actors.branches import AgencySheet, BranchSheet
from engine.dossier import catalogues, holidays
from engine.dossier.catalogues import Sheet
from engine.dossier.holidays import Holiday

router = APIRouter(prefix="/admin", tags=["administration"], route_class=Route)
Day = Annotated[dt.date, Field(description="Tomorrow at the earliest: what has begun stays as it was.")]
Named = Annotated[dict[str, str], Field(description="`fr`, `ar` and `en`.", max_length=3)]
Source = Annotated[str, Field(default="", max_length=catalogues.LONGEST_SOURCE, description="The text or note that fixes it; without one it stays `is_inferred`.")]


class NamesFrom(Reasoned):
    valid_from: Day
    names: Named


class BranchFrom(NamesFrom):
    governorates: list[Code] = Field(max_length=24, description="ISO 3166-2; taken from the branch they answered to.")
    agencies: list[Code] = Field(max_length=10)


class BranchOpened(BranchFrom):
    code: str = Field(min_length=2, max_length=5)


class BranchChanged(BranchFrom):
    is_open: bool = True


class ProgrammeFrom(Reasoned):
    valid_from: Day
    content: dict[str, Any] = Field(description="`label` in three languages, the columns of programmes.toml, `niveaux`; money in millimes.")
    source: Source
    is_inferred: bool = False
    fund_millimes: int = Field(default=0, ge=0, le=catalogues.LARGEST, description="What the fund of a new programme holds.")
    is_known: bool = Field(default=False, description="That what finances nothing or has no ceiling (409 `programme.unlimited` names it) was read.")


class Ended(Reasoned):
    last_day: dt.date


class FundChanged(Reasoned):
    amount_millimes: int = Field(ge=-catalogues.LARGEST, le=catalogues.LARGEST, description="Negative: taken out of what is not engaged.")


class ValueFrom(Reasoned):
    valid_from: Day
    value: Any = Field(description="Of the shape of the one in force; money in millimes.")
    source: Source
    is_inferred: bool = False


class HolidaySet(Reasoned):
    names: Named
    is_estimate: bool = False
    moves_to: dt.date | None = None


@dataclass(frozen=True)
class Branches:
    items: tuple[BranchSheet, ...]


@dataclass(frozen=True)
class Agencies:
    items: tuple[AgencySheet, ...]


@dataclass(frozen=True)
class Sheets:
    items: tuple[Sheet, ...]


@dataclass(frozen=True)
class Holidays:
    items: tuple[Holiday, ...]


class BranchDone(BaseModel):
    branch: BranchSheet
    gave_up: list[str] = Field(description="The branches that give governorates up on that day.")


@router.get("/branches", responses=problems.described(401, 403))
def show_branches(actor: Acting, session: Reading) -> Branches:
    """Branches with their versions in order, their committee and what it lacks to sit."""
    return Branches(branches.listed(session, actor))


@router.post("/branches", status_code=201, responses=problems.described(401, 403, 409, 422))
def open_branch(actor: Acting, session: Writing, asked: BranchOpened) -> BranchDone:
    """Opens a branch from a day on."""
    gave = branches.open_branch(session, actor, asked.code, asked.names, asked.valid_from, asked.governorates, asked.agencies, asked.reason)
    return BranchDone(branch=branches.show(session, actor, asked.code.strip().upper()), gave_up=list(gave))


@router.post("/branches/{code}/versions", status_code=201, responses=problems.described(401, 403, 404, 409, 422))
def change_branch(actor: Acting, session: Writing, code: str, asked: BranchChanged) -> BranchDone:
    """Changes a branch from a day on, or closes it."""
    gave = branches.change_branch(session, actor, code, asked.valid_from, asked.names, asked.governorates, asked.agencies, asked.reason, is_open=asked.is_open)
    return BranchDone(branch=branches.show(session, actor, code), gave_up=list(gave))


@router.post("/branches/{code}/versions/{valid_from}/take-back", responses=problems.described(401, 403, 404, 409, 422))
def take_branch_back(actor: Acting, session: Writing, code: str, valid_from: dt.date, asked: Reasoned) -> BranchSheet:
    """Takes back a change of a branch that has not begun."""
    branches.take_back(session, actor, code, valid_from, asked.reason)
    return branches.show(session, actor, code)


@router.get("/agencies", responses=problems.described(401, 403))
def show_agencies(actor: Acting, session: Reading) -> Agencies:
    """Agencies and what they are called; their codes are the lanes of the pathway."""
    return Agencies(branches.agencies_listed(session, actor))


@router.post("/agencies/{code}/versions", status_code=201, responses=problems.described(401, 403, 404, 409, 422))
def rename_agency(actor: Acting, session: Writing, code: str, asked: NamesFrom) -> Agencies:
    """Other names from a day on, as letters write them."""
    branches.rename_agency(session, actor, code, asked.valid_from, asked.names, asked.reason)
    return Agencies(branches.agencies_listed(session, actor))


@router.get("/programmes", responses=problems.described(401, 403))
def show_programmes(actor: Acting, session: Reading) -> Sheets:
    """Programmes with their versions and funds."""
    return Sheets(catalogues.programmes_listed(session, actor))


@router.post("/programmes/{code}/versions", status_code=201, responses=problems.described(401, 403, 409, 422))
def add_programme(actor: Acting, session: Writing, code: str, asked: ProgrammeFrom) -> Sheet:
    """Begins a version of a programme, or a new programme."""
    catalogues.add_programme(session, actor, code, asked.valid_from, asked.content, asked.source, asked.is_inferred, asked.reason, asked.fund_millimes, is_known=asked.is_known)
    return catalogues.programmes_listed(session, actor, code)[0]


@router.post("/programmes/{code}/versions/{valid_from}/take-back", responses=problems.described(401, 403, 404, 409, 422))
def take_programme_back(actor: Acting, session: Writing, code: str, valid_from: dt.date, asked: Reasoned) -> Sheets:
    """Takes back a version that has not begun; the one before goes on, and a programme that had no other is there no more."""
    catalogues.take_back(session, actor, "programme", code, valid_from, asked.reason)
    return Sheets(catalogues.programmes_listed(session, actor))


@router.post("/programmes/{code}/end", responses=problems.described(401, 403, 404, 409, 422))
def end_programme(actor: Acting, session: Writing, code: str, asked: Ended) -> Sheet:
    """Lets a programme end with a day; dossiers asked until then keep it."""
    catalogues.end_programme(session, actor, code, asked.last_day, asked.reason)
    return catalogues.programmes_listed(session, actor, code)[0]


@router.post("/programmes/{code}/fund", responses=problems.described(401, 403, 404, 409, 422))
def change_fund(actor: Acting, session: Writing, code: str, asked: FundChanged) -> Sheet:
    """Puts money in a programme's fund, or takes out what is not engaged."""
    catalogues.change_fund(session, actor, code, asked.amount_millimes, asked.reason)
    return catalogues.programmes_listed(session, actor, code)[0]


@router.get("/parameters", responses=problems.described(401, 403))
def show_parameters(actor: Acting, session: Reading) -> Sheets:
    """Parameters with their versions."""
    return Sheets(catalogues.parameters_listed(session, actor))


@router.post("/parameters/{code}/versions", status_code=201, responses=problems.described(401, 403, 404, 409, 422))
def set_parameter(actor: Acting, session: Writing, code: str, asked: ValueFrom) -> Sheet:
    """Another value from a day on."""
    catalogues.set_parameter(session, actor, code, asked.valid_from, asked.value, asked.source, asked.is_inferred, asked.reason)
    return catalogues.parameters_listed(session, actor, code)[0]


@router.post("/parameters/{code}/versions/{valid_from}/take-back", responses=problems.described(401, 403, 404, 409, 422))
def take_parameter_back(actor: Acting, session: Writing, code: str, valid_from: dt.date, asked: Reasoned) -> Sheet:
    """Takes back a value that has not begun; the one before goes on."""
    catalogues.take_back(session, actor, "parameter", code, valid_from, asked.reason)
    return catalogues.parameters_listed(session, actor, code)[0]


@router.get("/holidays", responses=problems.described(401, 403, 422))
def show_holidays(actor: Acting, session: Reading, year: Annotated[int, Query(ge=2000, le=2200)]) -> Holidays:
    """The closed days of a year."""
    return Holidays(holidays.listed(session, actor, year))


@router.put("/holidays/{day}", responses=problems.described(401, 403, 409, 422))
def set_holiday(actor: Acting, session: Writing, day: dt.date, asked: HolidaySet) -> Holidays:
    """Closes the branches on a day to come; an estimate is confirmed by saying that it is none. `moves_to`: the feast falls on that day instead. Deadlines given stay."""
    said = (asked.names, asked.is_estimate, asked.reason)
    if asked.moves_to not in (None, day):
        holidays.move_holiday(session, actor, day, asked.moves_to, *said)
    else:
        holidays.set_holiday(session, actor, day, *said)
    return Holidays(holidays.listed(session, actor, (asked.moves_to or day).year))


@router.post("/holidays/{day}/drop", responses=problems.described(401, 403, 404, 422))
def drop_holiday(actor: Acting, session: Writing, day: dt.date, asked: Reasoned) -> Holidays:
    """Opens the branches on a day to come that was closed."""
    holidays.drop_holiday(session, actor, day, asked.reason)
    return Holidays(holidays.listed(session, actor, day.year))
