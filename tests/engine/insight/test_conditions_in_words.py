"""Why a programme is open or not is told in words: nothing of the language that tables are written in is left in a sentence."""

import re
from pathlib import Path
from uuid import uuid4

import pytest

from engine.casework import editions
from engine.insight import aid_files
from engine.insight.wording import Wording

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_no_code_is_left_in_what_an_aid_page_tells_of_programmes_and_instalments(edition, language):
    words, definitions = Wording(edition, language, {"factures_minimum": dict.fromkeys(("fr", "ar", "en"), "X")}), edition.definitions
    written = definitions.decision("D2_programmes").literal
    said = [words.condition(node, written.text) for part in aid_files._conditions(written.tree) for node in part]
    for rule in definitions.decision("D8b_preuve").rules:
        said += [words.condition(node, rule.results[0].text) for node in aid_files._conjuncts(rule.results[0].tree)]
    left = [one for one in said if re.search(r"\b(then|else|null|duration|string|contains|item)\b|[a-z]_[a-z]|[<>=]", one)]
    assert len(said) > 10 and left == []


@pytest.fixture(scope="module")
def edition():
    return editions.Edition(uuid4(), 1, editions.files_of(ROOT / "processes", ROOT / "forms"))
