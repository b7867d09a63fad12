"""Whatever is sent as answers, reading gives values and findings: never an exception, never long."""

import datetime as dt
import decimal
import json
import random
import time

import pytest

from forms import answers, dictionary
from tests.forms.conftest import EVERYTHING, FILES, GOOD, Forms, task

FORMS = Forms(dictionary.read(FILES))
FORM = FORMS.ask(
    task(EVERYTHING + ', "person.passeport"'),
    {"person.passeport": FORMS.known("person.passeport", "A123456"), "foyer.membres": FORMS.known("foyer.membres", [{"id": "r1"}], until=dt.datetime(2026, 1,
    1, tzinfo=dt.UTC))},
)
SPECS = {question.spec.id: question.spec for question in FORM.questions()}


def deep(levels, wrap):
    made = "x"
    for _ in range(levels):
        made = wrap(made)
    return made


HOSTILE = [
    float("nan"), float("inf"), -float("inf"), 10**5000, -(10**5000), 1e308, "9" * 100_000, "1" * 16, "-0", "1e9", "0x10", "٩" * 50, "x" * 5_000_000, "\x00",
    "\ud800", "\u202e" * 10, "﷽" * 1000,
    "+" + "9" * 300, "+216" + "\u200e" * 1000 + "20123456", "2026-99-99", "0000-00-00", "99/99/9999", "31.02.2026", "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00", "2026-01-01T10:00:00+99:99", "(a+)+$",
    "a" * 100_000 + "@b.tn", "a@" + "b." * 50_000 + "tn", "' OR 1=1 --", "{{7*7}}", "=cmd|' /C calc'!A0", b"bytes", object(), decimal.Decimal("NaN"), {1: 2},
    {None: None}, {"status": {"status": "inconnu"}},
    {"value": {"value": {"value": 1}}}, {"value": float("nan"), "reason": "\x00"}, {"name": {"name": "x"}, "strokes": ["M"]}, {"name": "A",
    "strokes": "M" * 1_000_000}, {"name": "A", "document": 3},
    {"id": "r1"}, [{"id": "r1"}, {"id": "r1"}], [{"id": "r1" * 100_000}], [{"id": {}}], [{"membre.prenom": {}}], [[[[]]]], [None] * 100_000,
    ["sante"] * 100_000, [{}] * 4, [{"membre.sexe": {"status": "refuse"}}],
    (1, 2), {1, 2}, True, False, deep(5_000, lambda inner: [inner]), deep(5_000, lambda inner: {"value": inner}), deep(5_000,
    lambda inner: {"status": inner}), deep(900, lambda inner: [{"membre.prenom": inner}]),
]  # fmt: skip


@pytest.mark.parametrize("is_typed", [True, False])
@pytest.mark.parametrize("field", [*SPECS, "person.passeport"])
def test_no_value_of_any_kind_breaks_the_reading_of_a_field(field, is_typed):
    for value in HOSTILE:
        began = time.process_time()
        said = answers.read(FORM, GOOD | {field: value}, "ar", is_typed=is_typed)
        assert time.process_time() - began < 0.5
        for found in said.findings:
            assert found.message and len(found.message) < 400 and len(found.where) < 400
            json.dumps(found.details)
        if not said.findings:
            json.dumps({name: answer.value for name, answer in said.values.items()}, allow_nan=False).encode()
        answers.asked(FORM, GOOD | {field: value})


@pytest.mark.parametrize("raw", [None, [], "x", 3, [GOOD], float("nan")])
def test_answers_that_are_no_mapping_are_one_finding(raw):
    said = answers.read(FORM, raw, "en")
    assert [(found.code, found.where) for found in said.findings] == [("answers.shape", "")]


def test_thousands_of_unknown_fields_give_a_bounded_number_of_findings():
    raw = GOOD | {f"x{number}" * 50: number for number in range(5_000)} | {7: 1, None: 2, ("a",): 3}
    said = answers.read(FORM, raw, "fr")
    assert len(said.findings) == 200 and {found.code for found in said.findings} == {"answer.unknown_field"}


def test_a_computation_over_too_many_steps_is_a_finding_and_not_a_fall():
    text = "count(for i in 1..100000 return i) > 0"
    made = FORMS.ask(task('"person.nom"', "", f'[[check]]\nholds = "{text}"\nfields = ["person.nom"]\nmessage = {{ fr = "a", ar = "b", en = "c" }}'))
    assert [found.code for found in answers.read(made, {"person.nom": "A"}, "fr").findings] == ["answers.condition"]


def test_the_conditions_of_a_form_share_one_budget_however_many_they_are():
    """Each is well within what an act may take: together they are not, and the form is asked all the same."""
    heavy = "person.nom = null and count(for i in 1..4000 return i) = {}"
    names = ("sexe", "cin", "passeport", "tel", "courriel", "heure", "lieu", "note", "naissance")
    asked = [f'{{ field = "person.{name}", when = "{" or ".join(heavy.format(place * 10 + turn) for turn in range(4))}" }}' for place, name in enumerate(names)]
    made = FORMS.ask(task(", ".join(['"person.nom"', *asked])))
    shown = [question.visible for question in made.questions()]
    assert shown[1] is False and shown[-1] is True
    assert {found.code for found in answers.read(made, {}, "fr").findings} >= {"answers.condition"}


def test_random_garbage_is_read_to_the_end():
    chance = random.Random(20261124)
    pool = [*HOSTILE[:1], *HOSTILE[13:], "", None, 0, 1, "F", "2026", "true"]
    for _ in range(2_000):
        raw = {chance.choice([*SPECS, "person.passeport", "zz"]): chance.choice(pool) for _ in range(chance.randrange(8))}
        said = answers.read(FORM, raw, chance.choice(["fr", "ar", "en", "zz"]))
        assert said.findings
