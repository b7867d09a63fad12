"""Each finding of the judge is provoked by some test, which names its code: a check that finds nothing any more cannot go unseen."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKES = {"Finding", "finding", "report", "refuse", "_failed"}
SHORT = "test_refusals.py"  # says `pathway.` once for all its codes
CODE = re.compile(r"\b[a-z]+\.[a-z_]+\b")


def texts(node):
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def codes():
    """Every code that a check of the pathway, or what joins them, gives a finding."""
    found = {}
    for path in [*(ROOT / "engine/pathway").rglob("*.py"), ROOT / "engine/checking.py", *(ROOT / "engine/casework").glob("jud*.py"), ROOT / "engine/casework/editions.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in MAKES:
                found |= {code: str(path.relative_to(ROOT)) for argument in node.args for code in texts(argument) if CODE.fullmatch(code)}
            elif isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "_CODES" for one in node.targets):
                found |= {code: str(path.relative_to(ROOT)) for code in texts(node.value)}
    return found


def named():
    """Every code that stands in a test."""
    found = set()
    for path in (ROOT / "tests").rglob("*.py"):
        for text in texts(ast.parse(path.read_text("utf-8"))):
            found |= set(CODE.findall(text)) | ({f"pathway.{text}"} if path.name == SHORT else set())
    return found


def test_the_codes_are_found():
    assert {"check.lane_missing", "pathway.extension_unknown", "scenario.not_started", "form.asks_nothing", "dmn.no_logic", "table.gap"} <= codes().keys()


def test_each_code_is_provoked_somewhere():
    provoked = named()
    assert {code: place for code, place in codes().items() if code not in provoked} == {}
