"""Pages read typed text, the API offers a JSON Schema: what the schema refuses, reading the answers refuses too, over random answers."""

import copy
import datetime as dt
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms import answers, dictionary, schema
from tests.forms.conftest import EVERYTHING, FILES, GOOD, Forms, task

FORMS = Forms(dictionary.read(FILES))
ROOT = Path(__file__).resolve().parents[2]
KNOWN = {
    "person.passeport": FORMS.known("person.passeport", "A123456"),
    "foyer.membres": FORMS.known("foyer.membres", [{"id": "r1", "membre.prenom": "Amel", "membre.sexe": "F"}], until=dt.datetime(2026, 11, 1, tzinfo=dt.UTC)),
}
CONDITIONAL = EVERYTHING.replace('"person.tel", ', "") + (
    ', { field = "person.tel", when = "person.sexe = \\"F\\" and social.logement = true", required = true }'
)
FORM = FORMS.ask(task(CONDITIONAL + ', "person.passeport"'), KNOWN)
SCHEMA = schema.json_schema(FORM)
ANSWERS = GOOD | {"person.tel": "+21620123456"}
TRICKS = [
    "", " ", "\u00a0", "\x1f", "\x85", "\u202e", "\u2028", "a\nb", "é", "e\u0301", "\ufeff", "x" * 41, "x" * 301, "x" * 6000, "true", "1", "1.0", "1,5",
    "2026", "2026-02-30", "2026-11", "2026-12-01",
    "0999-01-01", "2026-12-01T10:00:00Z", "2026-12-01T10:00:00.5+23:59", "2026-02-30T10:00:00Z", "9999-12-31T23:59:59Z", "+21620123456", "+216 20 123 456",
    "+390612345678", "+0", "01234567",
    "A123456", "a123456", "a@b.tn", "a..b@c.tn", ".a@b.tn", "a@-b.tn", "a@b-.tn", f"{'a' * 65}@b.tn", f"a@{'b' * 64}.tn", "a@b.c.d.tn", "23:59", "25:00",
    "TN-82", "F", "sante", "aa\n", "01234567\n",
    "01890a5d-ac96-774b-bcce-b302099a8057", "01890A5D-AC96-774B-BCCE-B302099A8057", None, True, False, 0, 1, -1, 1.0, 1.5, 3, 5, 6, 100.0, 1e300, -0.0,
    10**13, 10**30, 2**63, [], {}, [None], [[]],
    ["sante"], ["sante", "sante"], ["sante", "logement"], ["autre"], {"status": "inconnu"}, {"status": "refuse"}, {"status": "known"}, {"status": None},
    {"status": "inconnu", "x": 1}, {"value": "A123456"},
    {"value": "A123457", "reason": "erreur"}, {"value": None}, {"value": "A123457", "reason": 3}, {"value": "A123457", "reason": None},
    {"value": {"status": "inconnu"}}, {"reason": "x"},
    {"name": "A", "strokes": "M0 0"}, {"name": "A"}, {"name": "A", "strokes": ""}, {"name": "", "strokes": "M0"}, {"name": "A", "document": "x"},
    {"name": "A", "strokes": "M0", "x": 1},
    {"name": "A", "strokes": "M0", "at": "2026-12-01T10:00:00Z"}, {"name": "A", "strokes": "M0", "at": "hier"}, {"name": "A", "strokes": None,
    "document": "01890a5d-ac96-774b-bcce-b302099a8057"},
]  # fmt: skip
CELLS = ("id", "membre.prenom", "membre.sexe", "membre.handicap", "membre.revenu", "membre.naissance", "person.cin")
anything = st.recursive(
    st.sampled_from(TRICKS) | st.text(max_size=12) | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["status", "value", "reason", "name", "strokes", *CELLS]), inner, max_size=3),
    max_leaves=6,
)
rows = st.lists(st.fixed_dictionaries({"membre.prenom": anything, "membre.sexe": st.sampled_from(["F", "M", "X"])},
    optional={name: anything for name in CELLS if name not in ("membre.prenom", "membre.sexe")}), max_size=6)
changes = st.dictionaries(st.sampled_from([*ANSWERS, "person.passeport", "person.cin", "person.courriel", "person.heure", "person.lieu", "social.papier",
    "zz"]), anything, min_size=1, max_size=3)


def _validator(asserts_formats):
    return jsonschema_rs.Draft202012Validator(SCHEMA, validate_formats=asserts_formats, pattern_options=jsonschema_rs.RegexOptions())


VALIDATORS = [_validator(False), _validator(True)]


def _agree(raw):
    said = answers.read(FORM, raw, "fr", is_typed=False)
    if not all(validator.is_valid(raw) for validator in VALIDATORS):
        errors = [f"{error.instance_path}: {error.message}" for validator in VALIDATORS for error in validator.iter_errors(raw)]
        assert said.findings, f"the schema alone refuses {raw!r}: {errors}"
    if not said.findings:
        typed = answers.read(FORM, raw, "fr")
        assert typed.values == said.values, "reading typed text changes the meaning of a JSON value"
    return said


def test_the_schema_is_one_and_takes_good_answers():
    jsonschema_rs.meta.validate(SCHEMA)
    assert all(validator.is_valid(ANSWERS) for validator in VALIDATORS)
    assert not _agree(ANSWERS).findings


@pytest.mark.parametrize("field", [*ANSWERS, "person.passeport", "person.cin", "person.courriel", "person.heure", "person.lieu", "social.papier",
    "person.note"])
def test_no_trick_is_refused_by_the_schema_alone(field):
    for trick in TRICKS:
        _agree(ANSWERS | {field: copy.deepcopy(trick)})


@pytest.mark.parametrize("field", CELLS)
def test_no_trick_in_a_row_is_refused_by_the_schema_alone(field):
    for trick in TRICKS:
        _agree(ANSWERS | {"foyer.membres": [{"membre.prenom": "Amel", "membre.sexe": "F", field: copy.deepcopy(trick)}]})


@pytest.mark.parametrize(
    ("field", "last", "beyond"),
    [
        ("person.nom", "x" * 40, "x" * 41), ("social.note", 5, 6), ("social.note", 1, 0), ("social.pieces", 20, 21), ("social.part", 100, 100.5),
        ("social.surface", 500, 500.1),
        ("foyer.aide", 5_000_000, 5_000_001), ("foyer.aide", 1000, 999), ("foyer.membres", GOOD["foyer.membres"] * 4, GOOD["foyer.membres"] * 5),
        ("foyer.membres", [], None),
        ("person.courriel", f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.tunisie", f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.tunisienne"),
        ("person.passeport", {"value": "A123457", "reason": "x" * 500}, {"value": "A123457", "reason": "x" * 501}),
        ("social.signature", {"name": "x" * 120, "strokes": "M" * 20_000}, {"name": "x" * 121, "strokes": "M"}),
    ],
)  # fmt: skip
def test_both_faces_draw_the_line_at_the_same_place(field, last, beyond):
    assert not _agree(ANSWERS | {field: last}).findings
    assert _agree(ANSWERS | {field: beyond}).findings
    assert not VALIDATORS[0].is_valid(ANSWERS | {field: beyond})


@pytest.mark.parametrize("field", ANSWERS)
def test_no_missing_answer_is_refused_by_the_schema_alone(field):
    _agree({name: value for name, value in ANSWERS.items() if name != field})


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(changes, st.none() | rows)
def test_random_answers_are_refused_by_the_schema_only_when_reading_refuses_them(changed, members):
    _agree(ANSWERS | changed | ({} if members is None else {"foyer.membres": members}))


def test_a_simple_condition_stands_in_the_schema():
    raw = {name: value for name, value in ANSWERS.items() if name != "person.tel"}
    assert not VALIDATORS[0].is_valid(raw)
    assert VALIDATORS[0].is_valid(raw | {"social.logement": False})


def test_choices_titles_classes_and_documents_stand_in_the_schema():
    properties = SCHEMA["properties"]
    assert properties["person.sexe"]["oneOf"] == [{"const": "F", "title": "Femme"}, {"const": "M", "title": "Homme"}]
    assert (properties["social.sante"]["x-class"], properties["person.nom"]["title"]) == ("H", "Libellé")
    assert properties["foyer.aide"] | {"title": ""} == {"title": "", "type": "integer", "minimum": 1000, "maximum": 5000000, "x-unit": "millime",
        "x-currency": "TND", "x-type": "money", "x-class": "C",
                                                        "x-owner": "OTE"}  # fmt: skip
    assert properties["social.papier"]["anyOf"][0] == {"type": "string", "format": "uuid", "pattern": f"^{schema.UUID}$", "x-upload": True}


def test_a_hidden_fact_is_not_in_the_schema_beyond_its_name():
    made = FORMS.ask(task('"social.sante", "person.nom"'), {"social.sante": FORMS.known("social.sante", True)}, hidden="H")
    assert schema.json_schema(made)["properties"]["social.sante"] == {"title": "Libellé", "readOnly": True}
    assert "facts" not in repr(made)
