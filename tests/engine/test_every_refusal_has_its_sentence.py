"""Each code that the engine or a face refuses with is a sentence in the three languages, and the languages know the same codes."""

import ast
import string
from pathlib import Path

import pytest

from engine import i18n
from engine.actors.agencies import AGENCIES, BRANCHES
from engine.actors.roles import ROLES
from forms.text import messages

ROOT = Path(__file__).parents[2]
RAISED = {"Refusal", "Unauthenticated", "Forbidden", "NotFound", "Conflict", "Invalid", "Finding", "Fault", "CannotRun"}
PLURALS = {"zero", "one", "two", "few", "many", "other"}


def _first_text(call):
    return next((one.value for one in call.args[:1] if isinstance(one, ast.Constant) and isinstance(one.value, str)), None)


def codes():
    """Every dotted code given to a refusal, a finding or a fault, and to the pathway's `report` and the tables' `refuse`."""
    found = {}
    for folder in ("engine", "web", "api"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    code = _first_text(node) if name in RAISED | {"report", "refuse"} else None
                    if code and "." in code:
                        found[code] = f"{path.relative_to(ROOT)}:{node.lineno}"
    return found


def test_the_codes_are_found():
    assert {"task.done", "signin.wrong", "case.not_found", "pathway.id_missing", "dmn.no_logic"} <= codes().keys()


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_code_is_a_sentence(language):
    texts = i18n.catalogue(language).keys() | messages().keys()  # what forms are found wanting of is worded with them
    assert {code: place for code, place in codes().items() if code not in texts} == {}


def test_the_languages_know_the_same_codes_filled_with_the_same_names():
    def shape(language):
        plain = {code: text for code, text in i18n.catalogue(language).items() if code.rpartition(".")[2] not in PLURALS}
        return {code: {name for _, name, _, _ in string.Formatter().parse(text) if name} for code, text in plain.items()}

    french = shape("fr")
    for language in ("ar", "en"):
        other = shape(language)
        assert french.keys() ^ other.keys() == set(), language
        assert {code for code in french if french[code] != other[code]} == set(), language


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_role_agency_and_branch_has_its_name(language):
    texts = i18n.catalogue(language)
    for code in [f"role.{role}" for role in ROLES] + [f"agency.{agency}" for agency in AGENCIES] + [f"branch.{branch.code}" for branch in BRANCHES]:
        assert texts.get(code) and texts.get(f"web.{code}"), code
