"""Reads `processes/` and the dictionary for the tests: decision tables, dated data, values as FEEL has them."""

import datetime as dt
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.actors import agencies
from engine.dossier.programmes import DatedTables
from engine.pathway import decisions

ROOT = Path(__file__).resolve().parents[2]
PROCESSES, DICTIONARY = ROOT / "processes", ROOT / "forms" / "dictionary"
TODAY = dt.date(2026, 3, 12)


def dated(folder: Path = PROCESSES) -> DatedTables:
    """The dated data as an installation holds it just after `programmes.seed`."""
    programmes = []
    for row in tomllib.loads((folder / "programmes.toml").read_text("utf-8"))["programmes"]:
        own = {key: row.pop(key, None) for key in ("code", "version", "valid_from", "valid_to", "source", "infere", "fonds_millimes")}
        programmes.append(own | {"content": row, "available_millimes": own["fonds_millimes"]})
    parameters = [row | {"valid_to": row.get("valid_to")} for row in tomllib.loads((folder / "parametres.toml").read_text("utf-8"))["parametres"]]
    branches = [{"code": one.code, "opened_on": one.opened_on, "governorates": list(one.governorates)} for one in agencies.BRANCHES]
    return DatedTables(1, tuple(programmes), tuple(parameters), tuple(branches))


def tables(folder: Path = PROCESSES) -> decisions.Decisions:
    """All the tables of the folder, as an edition merges them."""
    return decisions.merge(*(decisions.parse(path.read_bytes(), path.name) for path in sorted(folder.rglob("*.dmn"))))


def needed(all_tables: decisions.Decisions, decision_id: str) -> list[str]:
    """The decision and all those it requires."""
    found, waiting = [], [decision_id]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.append(one)
            waiting += all_tables.by_id[one].requires
    return found


def feel_value(value: Any) -> Any:
    """Numbers as FEEL has them."""
    if isinstance(value, bool) or value is None or isinstance(value, str | dt.date):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {key: feel_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [feel_value(inner) for inner in value]
    return value
