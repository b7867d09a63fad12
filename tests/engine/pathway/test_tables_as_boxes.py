"""What is told of a decision table: lines for one case, cases for no line, lines that never serve, words that are none. Nothing where FEEL is too free."""

from pathlib import Path

import pytest

from engine.pathway import bpmn, tables
from forms import dictionary
from tests.engine.pathway.drawing import escaped

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def words():
    return dictionary.load(ROOT / "forms" / "dictionary")


@pytest.fixture
def told(words):
    """Codes and severities told of a table: columns as (text, type), lines of cells with the result last."""

    def tell(columns, *lines, policy="UNIQUE", results="", output="y"):
        head = "".join(
            f'<input id="i{n}"><inputExpression id="e{n}" typeRef="{kind}"><text>{escaped(text)}</text></inputExpression></input>'
            for n, (text, kind) in enumerate(columns)
        )
        allowed = f"<outputValues><text>{escaped(results)}</text></outputValues>" if results else ""
        rows = "".join(
            f'<rule id="r{n}">{"".join(f"<inputEntry><text>{escaped(one)}</text></inputEntry>" for one in cells)}'
            f"<outputEntry><text>{escaped(result)}</text></outputEntry></rule>"
            for n, (*cells, result) in enumerate(lines, 1)
        )
        made = f'<decisionTable hitPolicy="{policy}">{head}<output id="o" name="{output}">{allowed}</output>{rows}</decisionTable>'
        decision = f'<decision id="T" name="T">{made}</decision>'
        xml = f'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">{decision}</definitions>'.encode()
        found = tables.check(bpmn.parse({}, {"t.dmn": xml}), words)
        return [(one.code.partition(".")[2], one.severity, one.where.partition("#")[2]) for one in found if one.code != "table.result_unread"]

    return tell


TRUTH, NUMBER, LEVEL = ("accueil.accompagne", "boolean"), ("foyer.a_charge", "number"), ("aide.niveau", "string")


def test_a_table_that_answers_each_case_once_has_nothing_told_of_it(told):
    assert told([TRUTH, NUMBER], ("true", "< 3", "1"), ("true", ">= 3", "2"), ("false", "-", "3"), ("null", "-", "4"), ("true", "null", "5")) == []


def test_two_lines_for_one_case(told):
    assert told([NUMBER], ("<= 3", "1"), (">= 3", "2"), ("null", "3")) == [("overlap", "error", "r1")]
    assert told([NUMBER], ("< 3", "1"), (">= 3", "2"), ("null", "3")) == []
    assert told([NUMBER], ("<= 3", "1"), (">= 3", "1"), ("null", "3"), policy="ANY") == []
    assert told([NUMBER], ("<= 3", "1"), (">= 3", "2"), ("null", "3"), policy="ANY") == [("overlap", "error", "r1")]
    assert told([NUMBER], ("<= 3", "1"), (">= 3", "2"), policy="COLLECT") == []


def test_a_case_for_no_line(told):
    assert told([NUMBER], ("< 3", "1"), ("> 3", "2"), ("null", "3")) == [("gap", "error", "T")]
    assert told([NUMBER], ("< 3", "1"), (">= 3", "2")) == [("gap", "warning", "T")]  # for null alone: it may be that it is never null there
    assert told([LEVEL], ('"N1", "N2"', "1"), ("null", "3")) == [("gap", "error", "T")]
    assert told([LEVEL], ('not("N1")', "1"), ("null", "3"), policy="FIRST") == [("masked", "error", "r2"), ("gap", "error", "T")]


def test_whole_numbers_have_nothing_between_them(told):
    assert told([NUMBER], ("< 3", "1"), ("3", "2"), ("> 3", "4"), ("null", "3")) == []
    assert told([NUMBER], ("<= 2", "1"), (">= 3", "2"), ("null", "3")) == []  # foyer.a_charge counts people
    assert told([("mesure.x", "number")], ("<= 2", "1"), (">= 3", "2"), ("null", "3")) == [("gap", "error", "T")]


def test_a_line_that_earlier_ones_cover(told):
    assert told([TRUTH], ("-", "1"), ("true", "2"), policy="FIRST") == [("masked", "error", "r2")]
    assert (
        told([TRUTH, NUMBER], ("true", "-", "1"), ("not(true)", "-", "2"), ("-", "> 4", "3"), policy="FIRST")
        == [("masked", "error", "r3")] + [("gap", "warning", "T")] * 0
    )


def test_a_cell_that_nothing_passes(told):
    assert ("never_applies", "error", "r1") in told([TRUTH], ('"oui"', "1"), ("-", "2"), policy="FIRST")
    assert ("never_applies", "error", "r1") in told([NUMBER], ("[5..1]", "1"), ("-", "2"), policy="FIRST")


def test_a_word_that_is_no_choice(told):
    assert ("value_unknown", "error", "r1") in told([LEVEL], ('"N9"', "1"), ("-", "2"), policy="FIRST")
    assert ("result_unknown", "error", "r1") in told([TRUTH], ("true", '"c"'), ("-", '"b"'), policy="FIRST", results='"a", "b"')


def test_thresholds_without_a_value_count_in_every_order(told):
    assert told([NUMBER], ("< parametres.seuil", "1"), (">= parametres.seuil", "2"), ("null", "3")) == []
    assert told([NUMBER], ("<= parametres.seuil", "1"), (">= parametres.seuil", "2"), ("null", "3")) == [("overlap", "error", "r1")]
    # Whether these meet depends on which of the two is greater: nothing is said.
    assert [one for one in told([NUMBER], ("< parametres.bas", "1"), (">= parametres.haut", "2"), ("null", "3"))] == []


def test_nothing_is_said_where_feel_is_too_free(told):
    assert told([NUMBER], ("? * 2 > 7", "1"), ("? * 2 <= 7", "2")) == []
    assert told([("person.naissance_date", "date")], ("< today", "1"), (">= today", "2")) == []


def test_columns_that_read_one_fact_only_warn(told):
    found = told(
        [("foyer.a_charge > 3", "boolean"), ("foyer.a_charge", "number")], ("true", "> 3", "1"), ("not(true)", "<= 3", "2"), ("not(true)", "null", "3")
    )
    assert found and {severity for _, severity, _ in found} == {"warning"}
