"""Dated data that rules read: programmes and their funds, parameters, branches, holidays. Each version has its days of validity and its source.

What is in force at a date is read once and kept until the database says that something changed (`installation.dated_version`).
"""

import datetime as dt
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import holidays
from sqlalchemy import event, text
from sqlmodel import Session

from engine.workdays import Calendar, Present

_PROGRAMMES = text("SELECT p.code, p.version, p.valid_from, p.valid_to, p.content, p.source, p.is_inferred, f.available_millimes "
                   "FROM programme p LEFT JOIN fund f ON f.programme = p.code ORDER BY p.code, p.version")  # fmt: skip
_PARAMETERS = text("SELECT code, valid_from, valid_to, value, labels, source, is_inferred FROM parameter ORDER BY code, valid_from")
_BRANCHES = text("SELECT code, names, opened_on, governorates FROM branch ORDER BY code")
_AGENCIES = text("SELECT code, names FROM agency")
_PRESENT = text("SELECT masar_now(), (SELECT dated_version FROM installation)")
_HOLIDAYS = text("SELECT day, names ->> 'en' AS name FROM holiday ORDER BY day")
_KEEP = text("INSERT INTO dated_scope (digest, content) VALUES (:digest, CAST(:content AS jsonb)) ON CONFLICT DO NOTHING")
SHORT_DAYS = "seance_unique"  # the parameter that lists the periods of shorter days


@dataclass(frozen=True)
class DatedTables:
    """Every version of the dated data, as of one `dated_version`."""

    version: int
    programmes: tuple[Mapping[str, Any], ...] = ()
    parameters: tuple[Mapping[str, Any], ...] = ()
    branches: tuple[Mapping[str, Any], ...] = ()
    agencies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # names by code
    calendar: Calendar = field(default_factory=Calendar)
    _told: dict[dt.date, dict[str, Any]] = field(default_factory=dict, compare=False, repr=False)
    _kept: dict[dt.date, str] = field(default_factory=dict, compare=False, repr=False)

    def scope(self, day: dt.date) -> dict[str, Any]:
        """What a diagram or a table may read that day, money in dinars: `programmes`, every version with its days of validity (`du`, `au`),
        since a dossier keeps the version of the day it was asked; `parametres`, those in force; `antennes`, those open. Shared by callers: not to be changed.
        """
        if day not in self._told:
            self._told[day] = self._tell(day)
        return self._told[day]

    def branch(self, code: str) -> Mapping[str, str]:
        """The names of a branch, by language."""
        return next((row["names"] for row in self.branches if row["code"] == code), {})

    def keep(self, session: Session, day: dt.date) -> str:
        """The SHA-256 of what `scope(day)` tells, which is kept under it: ledger lines name the digest in place of repeating the content."""
        if day not in self._kept:
            content = json.dumps(self.scope(day), ensure_ascii=False, sort_keys=True, default=str)
            digest = hashlib.sha256(content.encode()).hexdigest()
            session.execute(_KEEP, {"digest": digest, "content": content})
            # Remembered only once it is there for good: a unit of work that fails leaves nothing behind.
            event.listen(session, "after_commit", lambda _session: self._kept.__setitem__(day, digest), once=True)
            return digest
        return self._kept[day]

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
            {"code": row["code"], "ouverte_le": row["opened_on"], "gouvernorats": list(row["governorates"])}
            for row in self.branches
            if row["opened_on"] <= day
        ]
        return {"programmes": programmes, "parametres": {name.removesuffix("_millimes"): value for name, value in parameters.items()}, "antennes": branches}


_kept: WeakKeyDictionary[Any, DatedTables] = WeakKeyDictionary()  # by the database's engine


def tables(session: Session, version: int) -> DatedTables:
    """The dated data at `dated_version` = `version`, from memory when nothing changed."""
    database = session.get_bind()
    kept = _kept.get(database)
    if kept is None or kept.version != version:
        programmes, parameters, branches = (tuple(dict(row) for row in session.execute(asked).mappings()) for asked in (_PROGRAMMES, _PARAMETERS, _BRANCHES))
        closed = session.execute(_HOLIDAYS).all()
        calendar = Calendar(frozenset(row.day for row in closed), _short_days(parameters, closed))
        agencies = {row.code: row.names for row in session.execute(_AGENCIES)}
        kept = _kept[database] = DatedTables(version, programmes, parameters, branches, agencies, calendar)
    return kept


def present(session: Session) -> Present:
    """What time it is for the Dispositif, with its working days."""
    now, version = session.execute(_PRESENT).one()
    return Present(now.astimezone(dt.UTC), tables(session, version).calendar)


def _short_days(parameters: Iterable[Mapping[str, Any]], closed: Sequence[Any]) -> tuple[tuple[dt.date, dt.date], ...]:
    """The periods of Ramadan and summer when offices close early: as dates, as days of every year that the calendar knows (`07-01`), or as so many days
    before a feast of that calendar (`avant`, `jours`), whose date an administrator corrects once."""
    years, found = sorted({row.day.year for row in closed}), []
    for period in (period for row in parameters if row["code"] == SHORT_DAYS for period in row["value"]):
        if "avant" in period:
            feasts = (row.day for row in closed if period["avant"] in (row.name or "").split(" · "))
            found += [(day - dt.timedelta(days=period["jours"]), day - dt.timedelta(days=1)) for day in feasts]
        elif len(period["du"]) == len("07-01"):
            found += [(dt.date.fromisoformat(f"{year}-{period['du']}"), dt.date.fromisoformat(f"{year}-{period['au']}")) for year in years]
        else:
            found.append((dt.date.fromisoformat(period["du"]), dt.date.fromisoformat(period["au"])))
    return tuple(sorted(found))


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
    for row in _rows(processes / "parametres.toml", "parametres"):
        connection.execute(
            text("INSERT INTO parameter VALUES (:code, :first, :last, :value, :labels, :source, :inferred) ON CONFLICT DO NOTHING"),
            {"code": row["code"], "first": row["valid_from"], "last": row.get("valid_to"), "value": _text(row["value"]), "labels": _text(row.get("label", {})),
             "source": row.get("source", ""), "inferred": bool(row.get("infere"))},
        )  # fmt: skip


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
