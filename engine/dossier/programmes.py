"""Dated data that rules read: programmes and their funds, parameters, branches, holidays. Each version has its days of validity and its source.

What is in force at a date is read once and kept until the database says that something changed (`installation.dated_version`).
"""

import datetime as dt
import hashlib
import json
import tomllib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import holidays
from sqlalchemy import event, text
from sqlmodel import Session

from engine import clock, i18n
from engine.actors import users
from engine.database import Database
from engine.pathway import recorded
from engine.workdays import CLOSING, CLOSING_SINGLE_SESSION, OPENING, Calendar, Present
from forms import dictionary

_PROGRAMMES = text("SELECT p.code, p.version, p.valid_from, p.valid_to, p.content, p.source, p.is_inferred, f.available_millimes "
                   "FROM programme p LEFT JOIN fund f ON f.programme = p.code ORDER BY p.code, p.version")  # fmt: skip
_PARAMETERS = text("SELECT code, valid_from, valid_to, value, labels, source, is_inferred FROM parameter ORDER BY code, valid_from")
_BRANCHES = text("SELECT code, names, opened_on, governorates FROM branch ORDER BY code")
_BRANCH_CHANGES = text("SELECT code, valid_from, names, governorates, is_open FROM branch_change ORDER BY code, valid_from")
_AGENCIES = text("SELECT code, names, NULL AS valid_from FROM agency UNION ALL SELECT code, names, valid_from FROM agency_change ORDER BY 1, 3 NULLS FIRST")
_PRESENT = text("SELECT masar_now(), (SELECT dated_version FROM installation)")
_HOLIDAYS = text("SELECT day, names ->> 'en' AS name FROM holiday ORDER BY day")
_KEEP = text("INSERT INTO dated_scope (digest, content) VALUES (:digest, CAST(:content AS jsonb)) ON CONFLICT DO NOTHING")
_KEPT = text("SELECT content FROM dated_scope WHERE digest = :digest")
_MOST_SCOPES = 256
SHORT_DAYS = "seance_unique"  # the parameter that lists the periods of shorter days


class Closed(NamedTuple):
    """A closed day, and what it is called in English."""

    day: dt.date
    name: str | None


@dataclass(frozen=True)
class DatedTables:
    """Every version of the dated data, as of one `dated_version`."""

    version: int
    programmes: tuple[Mapping[str, Any], ...] = ()
    parameters: tuple[Mapping[str, Any], ...] = ()
    branches: tuple[Mapping[str, Any], ...] = ()  # as each opened
    branch_changes: tuple[Mapping[str, Any], ...] = ()
    agencies: tuple[Mapping[str, Any], ...] = ()  # names by code, since ever (`valid_from` None) and from a day on
    calendar: Calendar = field(default_factory=Calendar)
    _told: dict[tuple[dt.date, tuple[str, int] | None], dict[str, Any]] = field(default_factory=dict, compare=False, repr=False)
    _kept: dict[tuple[dt.date, tuple[str, int] | None], str] = field(default_factory=dict, compare=False, repr=False)

    def scope(self, day: dt.date, aid: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
        """What a diagram or a table may read that day, money in dinars: `programmes`, every version with its days of validity (`du`, `au`),
        since a dossier keeps the version of the day it was asked; `parametres`, those in force, with `jours_feries`, the closed days, and the hours: `ouvre_a`,
        `ferme_a`, `seances_uniques`; `antennes`, those open. Shared by callers: not to be changed.

        `aid`: its `programme` and `date_demande`; a column of the programme's version that has the name of a parameter stands in its place.
        """
        own = self._kept_by(aid)
        if (day, own) not in self._told:
            told = self._tell(day)
            columns = next((row["content"] for row in self.programmes if (row["code"], row["version"]) == own), {})
            limits = {name: value for name, value in _dinars(columns).items() if name in told["parametres"]}
            self._told[day, own] = told | {"parametres": told["parametres"] | limits}
        return self._told[day, own]

    def _kept_by(self, aid: Mapping[str, Any]) -> tuple[str, int] | None:
        """The version of its programme that an aid keeps: the one of the day it was asked."""
        code, asked = aid.get("programme"), aid.get("date_demande")
        return next(((row["code"], row["version"]) for row in self.programmes if row["code"] == code and asked and _holds(row, asked)), None)

    def branch(self, code: str, day: dt.date) -> Mapping[str, str]:
        """The names of a branch that day, by language."""
        return next((row["names"] for row in self.branches_on(day) if row["code"] == code), {})

    def agency(self, code: str, day: dt.date) -> Mapping[str, str]:
        """The names of an agency that day, by language."""
        return next((row["names"] for row in reversed(self.agencies) if row["code"] == code and (row["valid_from"] is None or row["valid_from"] <= day)), {})

    def branches_on(self, day: dt.date) -> list[dict[str, Any]]:
        """Every branch as its latest change that day says; `is_open`: opened, and not closed since."""
        found = {row["code"]: dict(row) | {"is_open": row["opened_on"] <= day} for row in self.branches}
        for change in self.branch_changes:
            if change["valid_from"] <= day:
                found[change["code"]] |= {name: change[name] for name in ("names", "governorates", "is_open")}
        return list(found.values())

    def called(self, day: dt.date) -> dict[str, Mapping[str, Mapping[str, str]]]:
        """What is called how that day, by list of choices (`antennes`, `programmes`), code and language; what is still to begin, as it will be called."""
        begun_last = sorted(self.programmes, key=lambda row: row["valid_from"] <= day)
        return {"antennes": {row["code"]: row["names"] for row in self.branches_on(day)}, "programmes": {row["code"]: row["content"].get("label", {}) for row in begun_last}}

    def keep(self, session: Session, day: dt.date, aid: Mapping[str, Any] = MappingProxyType({})) -> str:
        """The SHA-256 of what `scope(day, aid)` tells, which is kept under it: ledger lines name the digest in place of repeating the content."""
        key = (day, self._kept_by(aid))
        if key not in self._kept:
            content = json.dumps(recorded.write(self.scope(day, aid)), ensure_ascii=False, sort_keys=True)
            digest = hashlib.sha256(content.encode()).hexdigest()
            session.execute(_KEEP, {"digest": digest, "content": content})
            # Remembered only once it is there for good: a unit of work that fails leaves nothing behind.
            event.listen(session, "after_commit", lambda _session: self._kept.__setitem__(key, digest), once=True)
            return digest
        return self._kept[key]

    def _tell(self, day: dt.date) -> dict[str, Any]:
        programmes = [
            {"code": row["code"], "version": Decimal(row["version"]), "du": row["valid_from"], "au": row["valid_to"]}
            | {"fonds_disponibles": _amount(row["available_millimes"])}
            | {key: value for key, value in _dinars(row["content"]).items() if key != "label"}
            for row in self.programmes
            if row["valid_from"] <= day
        ]
        parameters = {row["code"]: _dinars(row["value"], row["code"]) for row in self.parameters if _holds(row, day) and row["code"] != SHORT_DAYS}
        branches = [
            {"code": row["code"], "ouverte_le": row["opened_on"], "gouvernorats": list(row["governorates"])} for row in self.branches_on(day) if row["is_open"]
        ]
        told = {name.removesuffix("_millimes"): value for name, value in parameters.items()} | {"jours_feries": sorted(self.calendar.holidays), **_hours(self.calendar)}
        return {"programmes": programmes, "parametres": told, "antennes": branches}


def _hours(calendar: Calendar) -> dict[str, Any]:
    """From which hour to which the branches are open, and the periods (`du`, `au`) in which they close earlier."""
    short = [{"du": first, "au": last, "ferme_a": Decimal(CLOSING_SINGLE_SESSION.hour)} for first, last in calendar.single_session]
    return {"ouvre_a": Decimal(OPENING.hour), "ferme_a": Decimal(CLOSING.hour), "seances_uniques": short}


def recall(session: Session, digest: str) -> Mapping[str, Any]:
    """What `DatedTables.keep` kept under a digest: what the steps of that day were told of dated data."""
    with _lock:
        if digest in _scopes:
            return _scopes[digest]
    found: dict[str, Any] = recorded.read(session.execute(_KEPT, {"digest": digest}).scalar_one())
    with _lock:
        _scopes[digest] = found
        while len(_scopes) > _MOST_SCOPES:
            _scopes.popitem(last=False)
    return found


_scopes: OrderedDict[str, Mapping[str, Any]] = OrderedDict()  # by digest: content under its SHA-256 never changes
_lock = Lock()
_kept: WeakKeyDictionary[Any, DatedTables] = WeakKeyDictionary()  # by the database's engine
_said: list[tuple[DatedTables, dt.date]] = []  # of which data and of which day the names are said


def tables(session: Session, version: int, now: dt.datetime) -> DatedTables:
    """The dated data at `dated_version` = `version`, from memory when nothing changed. From then on forms and pages say the names of the day of `now`, before those
    that Masar was born with."""
    database = session.get_bind()
    kept = _kept.get(database)
    if kept is None or kept.version != version:
        asked = (_PROGRAMMES, _PARAMETERS, _BRANCHES, _BRANCH_CHANGES, _AGENCIES)
        programmes, parameters, branches, changes, agencies = (tuple(dict(row) for row in session.execute(one).mappings()) for one in asked)
        closed = session.execute(_HOLIDAYS).all()
        calendar = Calendar(frozenset(row.day for row in closed), short_days(parameters, closed))
        kept = _kept[database] = DatedTables(version, programmes, parameters, branches, changes, agencies, calendar)
    if _said != [said := (kept, clock.today(now))]:
        for listed, names in kept.called(said[1]).items():
            dictionary.call(listed, names)
            if listed == "antennes":
                i18n.learn({f"branch.{code}": one for code, one in names.items()})
        _said[:] = [said]
    return kept


def say_names(database: Database) -> None:
    """Before a page is drawn: names are said as they are today, whoever changed them and whatever day it has become since the last one."""
    now, version = database.glance(_PRESENT, {})[0]
    kept = _kept.get(database.app)
    if kept is None or kept.version != version or _said != [(kept, clock.today(now))]:
        with database.reading(users.system()) as session:
            tables(session, version, now)


def calendar_now(session: Session) -> Calendar:
    """The calendar as this unit of work has left it: read, not from memory, which knows what is committed."""
    closed = session.execute(_HOLIDAYS).all()
    return Calendar(frozenset(row.day for row in closed), short_days([dict(row) for row in session.execute(_PARAMETERS).mappings()], closed))


def dated(session: Session) -> DatedTables:
    """The dated data as they are now."""
    now, version = session.execute(_PRESENT).one()
    return tables(session, version, now)


def present(session: Session) -> Present:
    """What time it is for the Dispositif, with its working days."""
    now, version = session.execute(_PRESENT).one()
    return Present(now.astimezone(dt.UTC), tables(session, version, now).calendar)


def of_today(session: Session) -> tuple[dt.date, dict[str, Any]]:
    """The day it is for the Dispositif, and the dated data in force (`DatedTables.scope`)."""
    now, version = session.execute(_PRESENT).one()
    day = clock.today(now)
    return day, tables(session, version, now).scope(day)


def open_branches(session: Session) -> list[str]:
    """The codes of the branches that are open today."""
    now, version = session.execute(_PRESENT).one()
    return [row["code"] for row in tables(session, version, now).branches_on(clock.today(now)) if row["is_open"]]


def short_days(parameters: Iterable[Mapping[str, Any]], closed: Sequence[Any]) -> tuple[tuple[dt.date, dt.date], ...]:
    """The periods of Ramadan and summer when offices close early, of each version what lies in its own days: as dates, as days of every year that the
    calendar knows (`07-01`), or as so many days before a feast of that calendar (`avant`, `jours`), whose date an administrator corrects once."""
    years, found = sorted({row.day.year for row in closed}), []
    for row in parameters:
        for first, last in (one for period in row["value"] for one in _days_of(period, years, closed)) if row["code"] == SHORT_DAYS else ():
            first, last = max(first, row["valid_from"]), min(last, row["valid_to"] or dt.date.max)
            if first <= last:
                found.append((first, last))
    return tuple(sorted(found))


def _days_of(period: Mapping[str, Any], years: Sequence[int], closed: Sequence[Any]) -> list[tuple[dt.date, dt.date]]:
    if "avant" in period:
        feasts = (row.day for row in closed if period["avant"] in (row.name or "").split(" · "))
        return [(day - dt.timedelta(days=period["jours"]), day - dt.timedelta(days=1)) for day in feasts]
    if len(period["du"]) == len("07-01"):
        return [(dt.date.fromisoformat(f"{year}-{period['du']}"), dt.date.fromisoformat(f"{year}-{period['au']}")) for year in years]
    return [(dt.date.fromisoformat(period["du"]), dt.date.fromisoformat(period["au"]))]


def seed(connection: Any, processes: Path) -> None:
    """Puts the programmes and parameters of `processes/*.toml` into an empty installation; what an administrator changed stays."""
    for row in _rows(processes / "programmes.toml", "programmes"):
        fund = row.pop("fonds_millimes", 0)
        code, version, first, last, source, inferred = (row.pop(key, None) for key in ("code", "version", "valid_from", "valid_to", "source", "infere"))
        connection.execute(
            text("INSERT INTO programme VALUES (:code, :version, :first, :last, :content, :source, :inferred) ON CONFLICT DO NOTHING"),
            {"code": code, "version": version or 1, "first": first, "last": last, "content": _text(row), "source": source or "", "inferred": bool(inferred)},
        )
        connection.execute(text("INSERT INTO fund VALUES (:code, :fund) ON CONFLICT DO NOTHING"), {"code": code, "fund": fund})
    complete(connection, processes)


def complete(connection: Any, processes: Path) -> tuple[str, ...]:
    """Adds the parameters of which no version is there: those that came with a later Masar, which its diagrams read. What is there stays as administrators left it. Returns their codes."""
    known = set(connection.execute(text("SELECT code FROM parameter")).scalars())
    new = [row for row in _rows(processes / "parametres.toml", "parametres") if row["code"] not in known]
    for row in new:
        connection.execute(
            text("INSERT INTO parameter VALUES (:code, :first, :last, :value, :labels, :source, :inferred)"),
            {"code": row["code"], "first": row["valid_from"], "last": row.get("valid_to"), "value": _text(row["value"]), "labels": _text(row.get("label", {})),
             "source": row.get("source", ""), "inferred": bool(row.get("infere"))},
        )  # fmt: skip
    return tuple(dict.fromkeys(row["code"] for row in new))


def seed_holidays(connection: Any, years: range, processes: Path) -> None:
    """A first fill of the closed days, to be corrected by an administrator: the religious ones are estimates. Names are those of `jours_feries.toml`."""
    names = _rows(processes / "jours_feries.toml", "noms") or {}
    for day, said in holidays.country_holidays("TN", years=years, language="en_US").items():
        parts = [one.removesuffix(" (estimated)") for one in said.split("; ")]
        known = [names.get(one, {}) | {"en": one} for one in parts]
        labels = {language: " · ".join(one.get(language, one["en"]) for one in known) for language in ("fr", "ar", "en")}
        connection.execute(
            text("INSERT INTO holiday VALUES (:day, :names, :estimate) ON CONFLICT DO NOTHING"),
            {"day": day, "names": _text(labels), "estimate": all("(estimated)" in one for one in said.split("; "))},
        )


def _rows(path: Path, name: str) -> Any:
    return tomllib.loads(path.read_text("utf-8"))[name] if path.exists() else []


def _holds(row: Mapping[str, Any], day: dt.date) -> bool:
    return row["valid_from"] <= day and (row["valid_to"] is None or day <= row["valid_to"])


def _amount(millimes: int | None) -> Decimal:
    return Decimal(millimes or 0) / 1000


def _dinars(value: Any, name: str = "") -> Any:
    """Numbers as FEEL reads them: `x_millimes` becomes `x` in dinars, floats and integers become decimals."""
    if isinstance(value, Mapping):
        return {key.removesuffix("_millimes"): _dinars(inner, key if key.endswith("_millimes") else name) for key, inner in value.items()}
    if isinstance(value, list):
        return [_dinars(inner, name) for inner in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    return _amount(value) if name.endswith("_millimes") else Decimal(str(value))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
