"""Each thing that the pathway can be found wanting of is provoked by some test, which names its code: a check that finds nothing any more cannot go unseen."""

import ast
import re
from pathlib import Path

from engine import i18n

ROOT = Path(__file__).parents[2]
SHORT = "test_refusals.py"  # says `pathway.` once for all its codes
CODE = re.compile(r"\b[a-z]+\.[a-z_]+\b")


def texts(path):
    return [one.value for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def codes():
    """Every code in the code of the pathway that has its sentence: findings of the checks, refusals, incidents."""
    said = i18n.catalogue("fr")
    return {code: str(path.relative_to(ROOT)) for path in (ROOT / "engine/pathway").rglob("*.py") for code in texts(path) if CODE.fullmatch(code) and code in said}


def named():
    """Every code that stands in a test other than this."""
    found = set()
    for path in {*(ROOT / "tests").rglob("*.py")} - {Path(__file__)}:
        for text in texts(path):
            found |= set(CODE.findall(text.replace("\\.", "."))) | ({f"pathway.{text}"} if path.name == SHORT else set())
    return found


def test_the_codes_are_found():
    assert {"check.lane_missing", "pathway.extension_unknown", "scenario.not_started", "form.asks_nothing", "dmn.no_logic", "table.gap", "gateway.stuck"} <= codes().keys()


def test_each_is_provoked_somewhere():
    provoked = named()
    assert {code: place for code, place in codes().items() if code not in provoked} == {}
