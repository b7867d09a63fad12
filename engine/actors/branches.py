"""Branches and agencies as administrators change them: opened, renamed, given other governorates, closed, each from a day on; and whether a committee can sit.

What has begun stays as it was: a change begins tomorrow at the earliest and may be taken back until then. A governorate answers to one branch at a time.
"""

import datetime as dt
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, i18n
from engine.actors import accounts, authority
from engine.actors.agencies import AGENCIES, HEADQUARTERS, OTE, PARTNERS
from engine.database import Alone
from engine.ledger import journal

# ISO 3166-2 codes of the twenty-four governorates.
GOVERNORATES = tuple(f"TN-{number}" for number in (11, 12, 13, 14, 21, 22, 23, 31, 32, 33, 34, 41, 42, 43, 51, 52, 53, 61, 71, 72, 73, 81, 82, 83))
LEAST_MEMBERS = 3  # D14
_CODE = re.compile(r"[A-Z]{2,5}")
_ROWS = text("SELECT code, names, opened_on AS valid_from, governorates, agencies, true AS is_open, true AS is_first FROM branch "
             "UNION ALL SELECT code, names, valid_from, governorates, agencies, is_open, false FROM branch_change ORDER BY 1, 3")  # fmt: skip
_AGENCIES = text("SELECT code, names, CAST(NULL AS date) AS valid_from FROM agency UNION ALL SELECT code, names, valid_from FROM agency_change ORDER BY 1, 3 NULLS FIRST")
_STAFF = text("SELECT user_id, name, name_ar, agency, branch, roles FROM user_account WHERE is_active ORDER BY name")
_OPEN = text("INSERT INTO branch (code, names, opened_on, governorates, agencies) VALUES (:code, CAST(:names AS jsonb), :day, :governorates, :agencies)")
_CHANGE = text("""INSERT INTO branch_change (code, valid_from, names, governorates, agencies, is_open)
                  VALUES (:code, :day, CAST(:names AS jsonb), :governorates, :agencies, :is_open)""")
_UNCHANGE = text("DELETE FROM branch_change WHERE code = :code AND valid_from = :day")
_NAME = text("INSERT INTO agency_change (code, valid_from, names) VALUES (:code, :day, CAST(:names AS jsonb))")
_UNNAME = text("DELETE FROM agency_change WHERE code = :code AND valid_from = :day RETURNING 1")


@dataclass(frozen=True)
class BranchVersion:
    """A branch from a day on. `state`: `past`, `now` or `to_come`."""

    valid_from: dt.date
    names: Mapping[str, str]
    governorates: tuple[str, ...]
    agencies: tuple[str, ...]
    is_open: bool
    state: str


@dataclass(frozen=True)
class Member:
    name: str
    name_ar: str
    agency: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class BranchSheet:
    """A branch: its versions in order, how many work there, who sits on its committee, and what that committee lacks to decide (D14): `members`, `ote`, `agency`,
    `president`, `secretary`."""

    code: str
    versions: tuple[BranchVersion, ...]
    staff: int
    committee: tuple[Member, ...]
    lacks: tuple[str, ...]

    @property
    def present(self) -> BranchVersion:
        """As it is today, or as it will open."""
        return next((one for one in self.versions if one.state == "now"), self.versions[0])

    @property
    def last(self) -> BranchVersion:
        return self.versions[-1]


@dataclass(frozen=True)
class AgencySheet:
    """An agency's names since ever (None) and from a day on."""

    code: str
    versions: tuple[tuple[dt.date | None, Mapping[str, str]], ...]
    names: Mapping[str, str]


def listed(session: Session, actor: Any) -> tuple[BranchSheet, ...]:
    """Every branch. Refuses: Forbidden."""
    authority.require(actor, "admin.read")
    today, staff = clock.today(clock.now(session)), session.execute(_STAFF).all()
    by_code: dict[str, list[Any]] = {}
    for row in session.execute(_ROWS):
        by_code.setdefault(row.code, []).append(row)
    return tuple(_sheet(code, rows, today, [one for one in staff if one.branch == code]) for code, rows in by_code.items())


def show(session: Session, actor: Any, code: str) -> BranchSheet:
    """One branch. Refuses: `branch.not_found`."""
    found = next((one for one in listed(session, actor) if one.code == code), None)
    if found is None:
        raise errors.NotFound("branch.not_found")
    return found


def codes(session: Session) -> list[str]:
    """The codes of all branches, closed ones too."""
    return list(session.execute(text("SELECT code FROM branch ORDER BY code")).scalars())


def agencies_listed(session: Session, actor: Any) -> tuple[AgencySheet, ...]:
    """The agencies. Their codes are the pathway's (lanes, roles): only names are data. Refuses: Forbidden."""
    authority.require(actor, "admin.read")
    today = clock.today(clock.now(session))
    by_code: dict[str, list[tuple[dt.date | None, Mapping[str, str]]]] = {}
    for row in session.execute(_AGENCIES):
        by_code.setdefault(row.code, []).append((row.valid_from, row.names))
    return tuple(AgencySheet(code, tuple(rows), [names for day, names in rows if day is None or day <= today][-1]) for code, rows in by_code.items())


def open_branch(session: Session, actor: Any, code: str, names: Mapping[str, str], opened_on: dt.date, governorates: Collection[str], agencies: Collection[str],
                reason: str) -> tuple[str, ...]:  # fmt: skip
    """Opens a branch from a day on; governorates that answered to others answer to it from then. Returns the branches that gave some up.

    Refuses: `branch.code`, `branch.exists` (Conflict), `branch.names`, `branch.governorate`, `branch.agencies`, `dated.too_soon`, `admin.reason`. Records: `branch.opened`, `branch.changed`.
    """
    code = code.strip().upper()
    reason, _, wanted = errors.together(
        lambda: _begin(session, actor, opened_on, reason), lambda: _check_code(session, actor, code), lambda: _checked(names, governorates, agencies)
    )
    journal.append(session, actor, "branch.opened", f"branch:{code}", wanted | {"valid_from": opened_on.isoformat()}, {"reason": reason})
    session.execute(_OPEN, {"code": code, "day": opened_on} | _row(wanted))
    return _take_over(session, actor, code, opened_on, wanted["governorates"], reason)


def change_branch(session: Session, actor: Any, code: str, valid_from: dt.date, names: Mapping[str, str], governorates: Collection[str], agencies: Collection[str],
                  reason: str, *, is_open: bool = True) -> tuple[str, ...]:  # fmt: skip
    """Changes a branch from a day on; closed, it opens no case any more, and those it has go on. Returns the branches that gave governorates up.

    Refuses: `branch.not_found`, `branch.headquarters`, `branch.left_alone` (a closed branch answers for no governorate), `branch.later_exists` (Conflict), and as opening one.
    Records: `branch.changed`.
    """
    reason = _begin(session, actor, valid_from, reason)
    found = show(session, actor, code)
    if not is_open and code == HEADQUARTERS:
        raise errors.Invalid("branch.headquarters")
    if not is_open and governorates:
        raise errors.wrong("branch.left_alone", "/governorates")
    if found.last.valid_from >= valid_from:
        raise errors.Conflict("branch.later_exists", day=found.last.valid_from)
    wanted = _checked(names, governorates, agencies)
    _write(session, actor, code, valid_from, wanted, is_open, reason)
    return _take_over(session, actor, code, valid_from, wanted["governorates"], reason)


def take_back(session: Session, actor: Any, code: str, valid_from: dt.date, reason: str) -> None:
    """Takes a change back that has not begun. Refuses: `branch.not_found`, `dated.not_found`, `dated.begun` (Conflict). Records: `branch.change_taken_back`."""
    authority.require(actor, "dated.write")
    reason = accounts.given_reason(reason)
    found = show(session, actor, code)
    version = next((one for one in found.versions[1:] if one.valid_from == valid_from), None)
    if version is None:
        raise errors.NotFound("dated.not_found")
    if version.state != "to_come":
        raise errors.Conflict("dated.begun")
    journal.append(session, actor, "branch.change_taken_back", f"branch:{code}", {"valid_from": valid_from.isoformat()}, {"reason": reason})
    session.execute(_UNCHANGE, {"code": code, "day": valid_from})


def rename_agency(session: Session, actor: Any, code: str, valid_from: dt.date, names: Mapping[str, str], reason: str) -> None:
    """Gives an agency other names from a day on: letters say them. Refuses: `agency.not_found`, `branch.names`, `branch.later_exists` (Conflict), `dated.too_soon`. Records: `agency.renamed`."""
    reason = _begin(session, actor, valid_from, reason)
    found = next((one for one in agencies_listed(session, actor) if one.code == code), None)
    if found is None:
        raise errors.NotFound("agency.not_found")
    last = found.versions[-1][0]
    if last is not None and last >= valid_from:
        raise errors.Conflict("branch.later_exists", day=last)
    said = _names(names)
    journal.append(session, actor, "agency.renamed", f"agency:{code}", {"names": said, "valid_from": valid_from.isoformat()}, {"reason": reason})
    session.execute(_NAME, {"code": code, "day": valid_from, "names": _json(said)})


def _begin(session: Session, actor: Any, valid_from: dt.date, reason: str) -> str:
    """Who may, why, and not before tomorrow; one at a time, since branches share the governorates."""
    authority.require(actor, "dated.write")
    reason = accounts.given_reason(reason)
    not_before_tomorrow(session, valid_from)
    Alone.BRANCHES.take(session)
    return reason


def not_before_tomorrow(session: Session, valid_from: dt.date, where: str = "/valid_from") -> None:
    """What is decided today changes nothing of today. Refuses: `dated.too_soon`."""
    if valid_from <= clock.today(clock.now(session)):
        raise errors.wrong("dated.too_soon", where)


def _take_over(session: Session, actor: Any, code: str, day: dt.date, governorates: Sequence[str], reason: str) -> tuple[str, ...]:
    """Takes from every other branch, from that day on, the governorates that answer to this one."""
    gave: list[str] = []
    for other in listed(session, actor):
        if other.code == code:
            continue
        later = [one for one in other.versions if one.valid_from > day and set(one.governorates) & set(governorates)]
        if later:
            raise errors.Conflict("branch.governorate_later", branch=other.code, day=later[0].valid_from)
        then = [one for one in other.versions if one.valid_from <= day]
        if not then or not set(then[-1].governorates) & set(governorates):
            continue
        before = then[-1]
        left = [one for one in before.governorates if one not in governorates]
        if before.valid_from == day and len(then) > 1:
            session.execute(_UNCHANGE, {"code": other.code, "day": day})
        elif before.valid_from == day:
            raise errors.Conflict("branch.governorate_later", branch=other.code, day=day)
        wanted = {"names": dict(before.names), "governorates": left, "agencies": list(before.agencies)}
        _write(session, actor, other.code, day, wanted, before.is_open, reason)
        gave.append(other.code)
    return tuple(gave)


def _write(session: Session, actor: Any, code: str, day: dt.date, wanted: Mapping[str, Any], is_open: bool, reason: str) -> None:
    body = dict(wanted) | {"valid_from": day.isoformat(), "is_open": is_open}
    journal.append(session, actor, "branch.changed", f"branch:{code}", body, {"reason": reason})
    session.execute(_CHANGE, {"code": code, "day": day, "is_open": is_open} | _row(wanted))


def _checked(names: Mapping[str, str], governorates: Collection[str], agencies: Collection[str]) -> dict[str, Any]:
    said, *_ = errors.together(lambda: _names(names), lambda: _check_governorates(governorates), lambda: _check_agencies(agencies))
    return {"names": said, "governorates": [one for one in GOVERNORATES if one in governorates], "agencies": [one for one in AGENCIES if one in agencies]}


def _check_code(session: Session, actor: Any, code: str) -> None:
    if not _CODE.fullmatch(code):
        raise errors.wrong("branch.code", "/code", written=code)
    if code in {one.code for one in listed(session, actor)}:
        raise errors.Conflict("branch.exists", branch=code)


def _check_governorates(governorates: Collection[str]) -> None:
    unknown = sorted(set(governorates) - set(GOVERNORATES))
    if unknown:
        raise errors.wrong("branch.governorate", "/governorates", codes=", ".join(unknown))


def _check_agencies(agencies: Collection[str]) -> None:
    if OTE not in agencies or set(agencies) - AGENCIES.keys():
        raise errors.wrong("branch.agencies", "/agencies")


def _names(names: Mapping[str, str]) -> dict[str, str]:
    said = {language: " ".join(str(names.get(language, "")).split()) for language in i18n.LANGUAGES}
    if not all(0 < len(one) <= 200 and one.isprintable() for one in said.values()) or not re.search("[\u0621-\u064a]", said["ar"]):
        raise errors.wrong("branch.names", "/names")
    return said


def _row(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {"names": _json(wanted["names"]), "governorates": wanted["governorates"], "agencies": wanted["agencies"]}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _sheet(code: str, rows: Sequence[Any], today: dt.date, staff: Sequence[Any]) -> BranchSheet:
    begun = [row.valid_from for row in rows if row.valid_from <= today]
    now = begun[-1] if begun else None
    versions = tuple(
        BranchVersion(row.valid_from, row.names, tuple(row.governorates), tuple(row.agencies), row.is_open,
                      "now" if row.valid_from == now else "past" if row.valid_from <= today else "to_come")
        for row in rows
    )  # fmt: skip
    seats = {"membre_commission", "president_commission", "secretaire_commission"}
    committee = tuple(Member(one.name, one.name_ar, one.agency, tuple(role for role in one.roles if role in seats)) for one in staff if seats & set(one.roles))
    return BranchSheet(code, versions, len(staff), committee, _lacks(committee))


def _lacks(committee: Sequence[Member]) -> tuple[str, ...]:
    """What stands between these members and a quorum: three, one of OTE, one of an agency that carries measures; somebody in the chair, somebody to write."""
    members = [one for one in committee if {"membre_commission", "president_commission"} & set(one.roles)]
    holds = {role for one in committee for role in one.roles}
    return tuple(name for name, is_there in (
        ("members", len(members) >= LEAST_MEMBERS), ("ote", any(one.agency == OTE for one in members)),
        ("agency", any(one.agency not in (OTE, PARTNERS) for one in members)), ("president", "president_commission" in holds),
        ("secretary", "secretaire_commission" in holds)) if not is_there)  # fmt: skip
