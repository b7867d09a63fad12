"""What the tests of `processes/` share: the tables, the dictionary, and `decide`, which asks a table."""

import datetime as dt
import tomllib

import pytest

from engine.pathway import decisions
from tests.processes import reading

VARIABLES = {"absences_comptees", "cloture_le", "doublon", "k", "suivi_debut", "visites_manquees"}  # what diagrams give beside facts; processes/README.md says which


@pytest.fixture(scope="session")
def all_tables() -> decisions.Decisions:
    return reading.tables()


@pytest.fixture(scope="session")
def fields() -> dict[str, dict]:
    """Every field of the dictionary, by id, as its TOML gives it."""
    return {name: found for path in reading.DICTIONARY.glob("*.toml") for name, found in tomllib.loads(path.read_text("utf-8")).get("fields", {}).items()}


@pytest.fixture(scope="session")
def choices() -> dict[str, list[str]]:
    lists = tomllib.loads((reading.DICTIONARY / "choices.toml").read_text("utf-8"))["lists"]
    return {name: [one["code"] for one in found["values"]] for name, found in lists.items()}


@pytest.fixture(scope="session")
def decide(all_tables, fields):
    """`decide("D1", {"person.nationalite": ["TN"], …}, today=…)`: the verdict on facts given by their ids, with the dated data of that day.

    A name that is neither a field nor a variable the table is documented to read is a mistake of the test, and said.
    """
    data = reading.dated()

    def ask(decision_id: str, facts: dict, today: dt.date = reading.TODAY, **changes):
        dated_scope = data.scope(today)
        scope: dict = {"today": today, "now": dt.datetime.combine(today, dt.time(9), dt.UTC), **dated_scope}
        scope["dossier"] = {"numero": "TN-SFX-2026-00001", "antenne": "SFX", "ouvert_le": today, "partage": False}
        for name, value in facts.items():
            group, _, short = name.partition(".")
            assert name in fields or group in VARIABLES or group == "dossier", f"{name}: no such field or variable"
            if short:
                scope.setdefault(group, {})[short] = reading.feel_value(value)
            else:
                scope[group] = reading.feel_value(value)
        for name, value in changes.items():
            scope[name] = value
        return all_tables.decide(decision_id, scope)

    return ask


@pytest.fixture
def decides(decide):
    """Checks what a decision gives for some facts, and by which of its rows."""

    def check(decision: str, facts: dict, output, rows: list[str]) -> None:
        verdict = decide(decision, facts)
        assert verdict.outputs == output
        assert verdict.rules == tuple(f"{decision}_{row}" for row in rows)
        assert not verdict.findings

    return check
