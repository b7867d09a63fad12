"""Dated data that rules read: programmes and their funds, parameters, holidays. Each version has its days of validity and its source.

What is in force at a date is read once and kept until the database says that something changed (`installation.dated_version`).
"""

import datetime as dt
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import holidays
from sqlalchemy import text
from sqlmodel import Session

from engine.workdays import Calendar

_PROGRAMMES = text("SELECT p.code, p.version, p.valid_from, p.valid_to, p.content, p.source, p.is_inferred, f.available_millimes "
                   "FROM programme p LEFT JOIN fund f ON f.programme = p.code ORDER BY p.code, p.version")  # fmt: skip
_PARAMETERS = text("SELECT code, valid_from, valid_to, value, labels, source, is_inferred FROM parameter ORDER BY code, valid_from")
_HOLIDAYS = text("SELECT day FROM holiday")


@dataclass(frozen=True)
class DatedTables:
    """Every version of the dated data, as of one `dated_version`."""

    version: int
    programmes: tuple[Mapping[str, Any], ...] = ()
    parameters: tuple[Mapping[str, Any], ...] = ()
    calendar: Calendar = field(default_factory=Calendar)

    def scope(self, day: dt.date) -> dict[str, Any]:
        """What a diagram or a table may read that day: `programmes` (a list) and `parametres` (a context); money in dinars."""
        programmes = [
            {"code": row["code"], "version": row["version"], **_dinars(row["content"]), "fonds_disponibles": _amount(row["available_millimes"])}
            for row in self.programmes
            if _holds(row, day)
        ]
        parameters = {row["code"]: _dinars(row["value"], row["code"]) for row in self.parameters if _holds(row, day)}
        return {"programmes": programmes, "parametres": {name.removesuffix("_millimes"): value for name, value in parameters.items()}}


_kept: dict[str, DatedTables] = {}


def tables(session: Session, version: int) -> DatedTables:
    """The dated data at `dated_version` = `version`, from memory when nothing changed."""
    database = str(session.get_bind().url)
    kept = _kept.get(database)
    if kept is None or kept.version != version:
        kept = _kept[database] = DatedTables(
            version,
            tuple(dict(row) for row in session.execute(_PROGRAMMES).mappings()),
            tuple(dict(row) for row in session.execute(_PARAMETERS).mappings()),
            Calendar(frozenset(session.execute(_HOLIDAYS).scalars())),
        )
    return kept


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


def seed_holidays(connection: Any, years: range) -> None:
    """A first fill of the closed days, to be corrected by an administrator: the religious ones are estimates."""
    for day, name in holidays.country_holidays("TN", years=years).items():
        connection.execute(
            text("INSERT INTO holiday VALUES (:day, :names, :estimate) ON CONFLICT DO NOTHING"),
            {"day": day, "names": _text({"en": name}), "estimate": "estimated" in name or "المقدر" in name or "مقدر" in name},
        )


def _rows(path: Path, name: str) -> list[dict[str, Any]]:
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
