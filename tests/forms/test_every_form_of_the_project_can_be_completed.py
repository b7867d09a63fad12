"""Each real form, filled by somebody who knows only what the form shows, can be completed: no question is impossible to answer."""

import datetime as dt
import random
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from forms import answers, dictionary, field_types, form, schema

ROOT = Path(__file__).resolve().parents[2]
TODAY = dt.date(2026, 11, 24)
DICTIONARY = dictionary.load(ROOT / "forms" / "dictionary")
DEFINITIONS = form.load(ROOT / "forms" / "tasks", DICTIONARY)
DOCUMENT = "01890a5d-ac96-774b-bcce-b302099a8057"
WRITTEN = {"cin": "01234567", "passport": "A123456", "phone": "+21620123456", "email": "amel@exemple.tn", "doc": DOCUMENT, "address": "12, rue de Carthage",
    "longtext": "Une phrase."}
PATTERNS = ("10:30", "36.8, 10.18", "TN-TUN-2026-00012")


def value_of(spec: Any, chance: random.Random, seed: str) -> Any:
    """A plain answer. The same row of two lists speaks of the same person: the same choices, and a name of its own."""
    codes = list(spec.codes)
    match spec.type:
        case "int" | "score" | "number" | "percent" | "money":
            low = max(spec.min or 0, 1)
            return low + chance.randrange(3) if spec.max is None or low + 2 <= spec.max else spec.max
        case "date" | "datetime":
            day = min(spec.max_on(TODAY), TODAY) if spec.max_on else max(spec.min_on(TODAY), TODAY) if spec.min_on else TODAY
            return day.isoformat() if spec.type == "date" else f"{day.isoformat()}T10:00:00+01:00"
        case "bool" | "tri":
            return chance.random() < 0.6
        case "multi":
            return chance.sample(codes, min(len(codes), chance.choice([1, 2])))
        case "enum":
            return chance.choice(codes)
        case "gov" | "district" | "country" | "language":
            return codes[0]  # a delegation of the governorate
        case "signature":
            return {"name": "Amel", "strokes": "M0 0L9 9"}
        case "list":
            return [{inner: cell(DICTIONARY.fields[inner], chance, f"{seed} {row}") for inner in spec.items} for row in range(3)]
        case "text" if spec.pattern:
            return next(one for one in PATTERNS if spec.matches.is_valid(one))
    return WRITTEN.get(spec.type, "Amel")


def cell(spec: Any, chance: random.Random, seed: str) -> Any:
    said = value_of(spec, random.Random(f"{seed} {sorted(spec.codes)}") if spec.type == "enum" else chance, seed)
    return f"Amel {seed}" if said == "Amel" else said


def filled(made: form.Form, rank: int) -> dict[str, Any]:
    """Answers to all that is asked, as it comes to be asked."""
    raw: dict[str, Any] = {}
    chance = random.Random(f"{made.id} {rank}")
    specs = {question.spec.id: question.spec for question in made.questions()}
    while missing := answers.asked(made, raw) - raw.keys():
        raw |= {name: value_of(specs[name], chance, str(rank)) for name in sorted(missing)}
    return {name: raw[name] for name in answers.asked(made, raw)}


@pytest.mark.parametrize("form_id", DEFINITIONS)
def test_a_form_can_be_completed_and_its_schema_agrees(form_id):
    made = form.ask(DEFINITIONS[form_id], {}, lambda *_: True, lambda _: True, TODAY, "ar")
    stated = schema.json_schema(made)
    jsonschema_rs.meta.validate(stated)
    validator = jsonschema_rs.Draft202012Validator(stated, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions())
    outcomes = []
    for rank in range(40):
        raw = filled(made, rank)
        said = answers.read(made, raw, "fr", is_typed=False)
        assert {found.code for found in said.findings} <= {"answers.check"}, said.findings
        assert validator.is_valid(raw), [error.message for error in validator.iter_errors(raw)]
        outcomes.append(tuple(said.findings))
    assert () in outcomes, f"no filling passes the checks: {outcomes[0]}"


@pytest.mark.parametrize("form_id", DEFINITIONS)
def test_what_was_answered_is_known_and_not_asked_again(form_id):
    """Completing a task twice in a row asks only what is good for one act."""
    definition = DEFINITIONS[form_id]
    first = form.ask(definition, {}, lambda *_: True, lambda _: True, TODAY, "fr")
    said = answers.read(first, filled(first, 0), "fr")
    at = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
    known = {}
    for name, answer in said.values.items():
        spec = DICTIONARY.fields[name]
        until = at + field_types.duration(spec.validity) if spec.validity else None
        value = [{"id": f"r{place}", **row} for place, row in enumerate(answer.value)] if spec.type == "list" and answer.value else answer.value
        known[name] = form.Known(name, value, answer.status, form.Source("person"), "Amel", "OTE", at, until, 1)
    again = form.ask(definition, known, lambda *_: True, lambda _: True, TODAY, "en")
    asked = {question.spec.id for question in again.questions()}
    assert {name for name in asked & known.keys() if DICTIONARY.fields[name].validity != "P0D"} == set()
    assert all(one.text for one in again.known)
