"""What the diagrams and tables of the Dispositif rely on."""

import datetime as dt
import gc
import sys
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.feel import PartialDate, compile_expression, compile_unary_tests


def value(text, **scope):
    return compile_expression(text).evaluate(scope)


LOGIC = (True, False, None)


@pytest.mark.parametrize(("a", "b"), list(product(LOGIC, LOGIC)))
def test_and_or_are_three_valued(a, b):
    conjunction = False if False in (a, b) else None if None in (a, b) else True
    disjunction = True if True in (a, b) else None if None in (a, b) else False
    assert value("a and b", a=a, b=b) is conjunction
    assert value("a or b", a=a, b=b) is disjunction
    assert value("not(a)", a=a) is (None if a is None else not a)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1 + 0.2 = 0.3", True),
        ("1/3*3 = 1", False),
        ("inconnu = null", True),
        ("inconnu > 1000", None),
        ("inconnu and true", None),
        ('if inconnu > 3 then "a" else "b"', "b"),
        ("count(aides[montant > 100])", 2),
        ("sum(aides.montant)", Decimal("750.5")),
        ('aides[nature = "loyer"].montant', [Decimal("200.5")]),
        ("some a in aides satisfies a.montant > 300", True),
        ("every a in aides satisfies a.montant > 300", False),
        ('"emploi" in ["emploi", "formation"]', True),
        ('person.gouvernorat in ("TN-82", "TN-83")', True),
        ("person.age between 18 and 60", True),
        ("date(\"2026-03-12\") + duration(\"P1M\")", dt.date(2026, 4, 12)),
        ("date(\"2026-01-31\") + duration(\"P1M\")", dt.date(2026, 2, 28)),
        ("years and months duration(retour, today).months + 12 * years and months duration(retour, today).years", 14),
        ("list contains(besoins, \"loyer\")", True),
        ("for i in 1..3 return i * i", [1, 4, 9]),
        ("[1, 2, 3][-1]", 3),
        ("{a: 2, b: a * 3}.b", 6),
        ("person.absent.encore", None),
        ("min(1250.500, 800)", 800),
    ],
)
def test_what_conditions_say(text, expected):
    scope = {
        "aides": [{"nature": "loyer", "montant": Decimal("200.5")}, {"nature": "soins", "montant": 550}, {"nature": "autre"}][:2],
        "person": {"gouvernorat": "TN-82", "age": 27}, "retour": dt.date(2025, 1, 10), "today": dt.date(2026, 3, 12), "besoins": ["loyer", "soins"],
    }  # fmt: skip
    found = value(text, **scope)
    assert found == expected and (found is expected or not isinstance(expected, bool | None))


@pytest.mark.parametrize(
    ("cell", "given_", "expected"),
    [
        ("-", None, True), ("-", 3, True), ('"FR"', "FR", True), ('"FR","BE"', "DE", False), (">= 18", 18, True), ("[3..6)", 6, False), ("[3..6)", 3, True),
        ("not(\"a\", \"b\")", "c", True), ("not(\"a\", \"b\")", "a", False), ("null", None, True), ("not(null)", None, False), ("< 18, > 65", 70, True),
        (">= 18", None, None), ("true", True, True), ("date(\"2026-01-01\")", dt.date(2026, 1, 1), True), ("seuil", 800, True), ("<= seuil", 900, False),
        ("contains(?, \"zar\")", "zarzis", True), ("[\"a\", \"b\"]", "b", True),
    ],
)  # fmt: skip
def test_what_cells_match(cell, given_, expected):
    assert compile_unary_tests(cell).matches(given_, {"seuil": 800}) is expected


def test_a_date_known_to_the_year_leaves_the_straddling_question_to_a_person():
    born, today = PartialDate(2008), dt.date(2026, 3, 12)
    adult = "naissance <= limite"
    assert value(adult, naissance=PartialDate(2007), limite=dt.date(2008, 3, 12)) is True
    assert value(adult, naissance=PartialDate(2009), limite=dt.date(2008, 3, 12)) is False
    assert value(adult, naissance=born, limite=dt.date(2008, 3, 12)) is None
    assert value("naissance < today", naissance=PartialDate(2026, 3), today=today) is None


def test_an_evaluation_explains_itself():
    told = compile_expression("person.age >= 18 and famille").explain({"person": {"age": 20}, "famille": True})
    assert told.value is True
    assert dict(told.parts) == {"person.age": 20, "person": {"age": 20}, "person.age >= 18": True, "famille": True}


def test_an_expression_tells_what_it_reads():
    assert compile_expression('count(plan.mesures[agence = "CPS"]) > 0 and not(person.sexe = "F")').paths == {"plan.mesures", "agence", "person.sexe"}
    assert compile_expression("for m in plan.mesures return m.cout").paths == {"plan.mesures"}
    assert compile_expression("function(a) a + b").names == {"b"}


numbers = st.decimals(min_value=-10**6, max_value=10**6, places=3)


@settings(max_examples=200, deadline=None)
@given(numbers, numbers, numbers)
def test_arithmetic_is_exact(a, b, c):
    assert value("a + b * c - a", a=a, b=b, c=c) == b * c
    assert value("(a < b) = (b > a)", a=a, b=b) is True
    assert value("if a <= b then a else b", a=a, b=b) == min(a, b)


def _by_hand():
    """`age >= 18 and famille` as somebody would write it for this one test: a closure a node, three-valued."""

    def name(key):
        return lambda scope: scope.get(key)

    def at_least(act, number):
        def told(scope):
            value = act(scope)
            return None if value is None else value >= number

        return told

    def both(left, right):
        def told(scope):
            first = left(scope)
            if first is False:
                return False
            second = right(scope)
            if second is False:
                return False
            return True if first is True and second is True else None

        return told

    return both(at_least(name("age"), Decimal(18)), name("famille"))


def _steps(act, scope):
    """How many instructions of Python it takes: work that does not depend on the machine."""
    counted = 0

    def seen(frame, event, argument):
        nonlocal counted
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        counted += event == "opcode"
        return seen

    before = sys.gettrace()
    gc.disable()  # what others do when rubbish is collected is not the condition's work
    sys.settrace(seen)
    try:
        act(scope)
    finally:
        sys.settrace(before)
        gc.enable()
    return counted


def test_a_condition_costs_at_most_four_times_the_same_written_by_hand():
    compiled, by_hand = compile_expression("age >= 18 and famille").evaluate, _by_hand()
    scopes = [{"age": age, "famille": family} for age in (Decimal(20), Decimal(17), None) for family in (True, False, None)]
    assert [compiled(scope) for scope in scopes] == [by_hand(scope) for scope in scopes]
    for scope in scopes:
        assert _steps(compiled, scope) <= 4 * _steps(by_hand, scope), (scope, _steps(compiled, scope), _steps(by_hand, scope))


def test_an_instant_is_read_at_the_hour_of_a_place():
    moment = {"le": dt.datetime(2026, 12, 2, 16, tzinfo=dt.UTC)}
    assert compile_expression('date and time(le, "Africa/Tunis").hour').evaluate(moment) == 17
    assert compile_expression('date and time(le, "Nowhere/Else")').evaluate(moment) is None
