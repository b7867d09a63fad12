"""No text of a user is ever code, hangs, or takes the machine: it answers null or is refused."""

from decimal import Decimal
from itertools import pairwise

import pytest

from forms.feel import FeelError, compile_expression, compile_unary_tests

ATTACKS = [
    '__import__("os").system("id")',
    '().__class__.__bases__[0].__subclasses__()',
    'open("/etc/passwd").read()',
    '"{0.__class__}".format(1)',
    "age.__class__.__mro__",
    "9**9**9**9**9",
    "10**1000000000",
    '"a" * 10000000000',
    "[x for x in range(10**9)]",
    '(lambda: exec("1"))()',
    "aides.append(1)",
    "(age := 0)",
    "(" * 3000 + "1" + ")" * 3000,
    "-" * 5000 + "1",
    'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "^(a+)+$")',
    "for i in 1..50000000 return i",
    "count(for i in 1..1000000000, j in 1..1000000000 return 1)",
    "some i in 1..1000000000 satisfies i < 0",
    "1" + "+1" * 20_000,
    "{f: function(n) f(n), x: f(1)}.x",
    "function(a) external {java: {class: \"java.lang.Runtime\", method signature: \"exec\"}}",
    "get value(age, \"__class__\")",
    "sort([3,2,1], function(a,b) sort([3,2,1], function(c,d) c < d) = null)",
    "{a: {b: " * 200 + "1" + "}}" * 200,
]


@pytest.mark.parametrize("text", ATTACKS, ids=[text[:30] for text in ATTACKS])
def test_an_attack_gets_null_or_a_refusal(text):
    scope = {"age": 20, "aides": [1, 2]}
    try:
        value = compile_expression(text).evaluate(scope)
    except FeelError as refusal:
        assert refusal.reason
    else:
        assert value in (None, [], False) or value == [3, 2, 1] or isinstance(value, bool | Decimal)
    assert scope == {"age": 20, "aides": [1, 2]}


def test_a_budget_is_spent_across_the_whole_expression():
    assert compile_expression("count(for i in 1..100 return i)").evaluate({}, budget=500) == 100
    with pytest.raises(FeelError, match="more steps"):
        compile_expression("count(for i in 1..100, j in 1..100 return i)").evaluate({}, budget=500)


@pytest.mark.parametrize("text", ["", "1 +", "if a then b", "[1..", "f(", "a b c d", "\"open", "@", "for i in return 1", "1..2", "{a: 1, b}", "not(", "€"])
def test_what_cannot_be_read_is_refused_with_its_place(text):
    with pytest.raises(FeelError) as refusal:
        compile_expression(text)
    assert 0 <= refusal.value.position <= len(text)


@pytest.mark.parametrize("text", ["< ", "[1..2", "not(1", "1,", "\"a\" \"b\""])
def test_a_cell_that_cannot_be_read_is_refused(text):
    with pytest.raises(FeelError):
        compile_unary_tests(text)


def doubled(first, how, times, then):
    """What is given a name and put beside itself, again and again: small to write, without end to hold or to go through."""
    names = [f"a{n}" for n in range(times + 1)]
    return f"{{a0: {first}, {', '.join(f'{name}: {how.format(before)}' for before, name in pairwise(names))}, z: {then}}}.z"


LETTERS = ('"xxxxxxxxxx"', "{0} + {0}", 16)
PAIRS = ("[1, 2]", "[{0}, {0}]", 40)
HEAVY = {
    "texts kept": doubled(*LETTERS, "count(for i in 1..4000 return a16 + string(i))"),
    "texts compared": doubled(*LETTERS, f"every i in 1..4000 satisfies {' + '.join(['a13'] * 12)} != i"),
    "a pattern on long texts": doubled(*LETTERS, 'count(for i in 1..4000 return matches(a16, "(x+x+)+y"))'),
    "a list in a list": doubled(*PAIRS, "a40 = 1"),
    "a list made flat": doubled(*PAIRS, "count(flatten(a40))"),
    "a list made longer": doubled("[1, 2]", "concatenate({0}, {0})", 40, "count(a40)"),
    "a list handed to a function": "count(flatten(" + "(function(a) [a, a])(" * 30 + "[1, 2]" + ")" * 32,
    "partial lists": "count(for i in 1..60 return [partial, partial])",
    "lists compared": "{l: for i in 1..2000 return i, m: for i in 1..2000 return i, z: count(for i in 1..900 return l = m)}.z",
    "a member of each": "{l: for i in 1..2000 return {a: i}, z: count(for i in 1..900 return l.a = 1)}.z",
    "each with each": "count(distinct values(for i in 1..4500 return i))",
    "much in a turn": f"count(for i in 1..4900 return {' or '.join(['i = 0'] * 900)})",
}


@pytest.mark.parametrize("text", HEAVY.values(), ids=HEAVY)
def test_what_is_short_and_heavy_is_stopped(text):
    with pytest.raises(FeelError, match="more steps"):
        compile_expression(text).evaluate({})


@pytest.mark.parametrize("text", [doubled(*LETTERS, 'replace(a16, "x", a16)'), doubled(*LETTERS, 'string join(for i in 1..4000 return "", a16)'), "10**7000", "1e9999999"])
def test_what_would_be_too_large_is_null(text):
    assert compile_expression(text).evaluate({}) is None


def test_what_forms_and_tables_ask_of_their_lists_is_within_the_budget():
    rows = [{"statut": "faite" if n % 2 else "prévue", "montant": n, "note": "x" * 500} for n in range(60)]
    text = 'every r in rows satisfies count(rows[item.statut = r.statut and item.montant <= r.montant]) > 0 and sum(rows.montant) > 0 and count(distinct values(rows.statut)) = 2'
    assert compile_expression(text).evaluate({"rows": rows}) is True


@pytest.mark.parametrize("read", [lambda text: compile_expression(text).evaluate({}), lambda text: compile_expression(text).explain({}), lambda text: compile_unary_tests(text).matches(1, {})])
def test_a_long_sum_is_refused_in_words(read):
    with pytest.raises(FeelError, match="nested too deep"):
        read("1" + "+1" * 4000)
