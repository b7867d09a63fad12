import datetime as dt
from dataclasses import replace

import pytest

from forms import answers, schema
from forms.answers import Answer
from tests.forms.conftest import EVERYTHING, GOOD, LABEL, task

LONG_STALE = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
ROWS = [{"id": "r1", "membre.prenom": "Amel", "membre.sexe": "F", "membre.handicap": True}, {"id": "r2", "membre.prenom": "Ali", "membre.sexe": "M"}]


def codes(said):
    return [(found.code, found.where) for found in said.findings]


def read(forms, content, raw, known={}, *, hidden="", **more):  # noqa: B006
    return answers.read(forms.ask(content, known, hidden=hidden), raw, "fr", **more)


def test_good_answers_become_values_in_their_one_shape_and_computed_fields_follow(forms):
    said = read(forms, task(EVERYTHING), GOOD)
    assert not said.findings
    assert said.values["person.naissance"] == Answer("1990-02")
    assert said.values["social.besoins"] == Answer(["logement", "sante"]), "in the order of the list"
    assert said.values["social.rdv"] == Answer("2026-12-01T08:00:00Z")
    assert said.values["foyer.enfants"] == Answer(1)
    assert said.values["foyer.revenus"] == Answer(250500)
    assert "person.age" not in said.values, "a year and a month do not give an age"


def test_what_is_typed_in_a_page_gives_the_same_values_as_json(forms):
    typed = GOOD | {
        "social.sante": "false", "social.logement": "true", "social.note": "٣", "social.pieces": " 2 ", "social.part": "12,5",
        "social.rdv": "2026-12-01T09:00", "foyer.aide": "1 500,000 DT",
        "social.surface": "80,5", "person.naissance": "02/1990", "foyer.membres": [{"membre.prenom": "Amel ", "membre.sexe": "F", "membre.revenu": "250,5"}],
    }  # fmt: skip
    content = task(EVERYTHING)
    assert read(forms, content, typed).values == read(forms, content, GOOD).values


def test_text_in_the_place_of_a_number_is_refused_when_only_json_is_taken(forms):
    said = read(forms, task('"foyer.aide"'), {"foyer.aide": "1500"}, is_typed=False)
    assert codes(said) == [("money.type", "/foyer.aide")]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("person.nom", "", "answer.required"), ("person.nom", "   ", "answer.required"), ("person.nom", None, "answer.required"), ("person.nom", 3,
        "text.type"),
        ("person.nom", "x" * 41, "text.too_long"), ("person.nom", "Ben\u202eSalah", "text.control"), ("person.nom", "a\nb", "text.control"), ("person.nom",
        "\ud800", "text.control"),
        ("person.heure", "25:00", "text.pattern"), ("person.sexe", "X", "choice.unknown"), ("person.sexe", ["F"], "choice.unknown"), ("person.lieu", "TN-99",
        "choice.unknown"),
        ("person.naissance", "2026-11-25", "date.max"), ("person.naissance", "1900", "date.min"), ("person.naissance", "1990-02-31", "date.impossible"),
        ("person.naissance", "hier", "date.partial"), ("person.cin", "1234567", "cin.type"), ("person.tel", "123", "phone.type"), ("person.tel", "99",
        "phone.type"),
        ("person.tel", "+21611", "phone.type"), ("person.tel", "+21610000000", "phone.invalid"), ("person.courriel", "a@b", "email.type"), ("social.besoins",
        [], "answer.required"),
        ("social.besoins", ["logement", "logement"], "multi.repeated"), ("social.besoins", "logement", "multi.type"), ("social.besoins", ["autre"],
        "choice.unknown"),
        ("social.sante", "peut-être", "bool.type"), ("social.logement", 1, "bool.type"), ("social.note", 6, "number.max"), ("social.note", True, "int.type"),
        ("social.pieces", 0, "number.min"), ("social.pieces", 1.5, "int.type"), ("social.pieces", float("nan"), "int.type"), ("social.part", 101,
        "percent.max"),
        ("social.part", -1, "percent.min"), ("social.surface", float("inf"), "number.type"), ("social.surface", 10**400, "number.max"), ("social.rdv",
        "demain", "datetime.type"),
        ("social.rdv", "2026-11-23T10:00", "date.min"), ("social.papier", "../../etc", "doc.type"), ("social.signature", {"name": "A"}, "signature.type"),
        ("social.signature", {"name": "", "strokes": "M0 0"}, "text.blank"), ("social.signature", {"name": "A", "strokes": "<svg>"}, "signature.strokes"),
        ("social.signature", "A", "signature.type"), ("foyer.aide", "cent", "money.type"), ("foyer.aide", 999, "money.min"), ("foyer.aide", 5_000_001,
        "money.max"),
        ("foyer.aide", "1,2345", "money.type"), ("foyer.membres", {}, "rows.type"), ("foyer.membres", None, "answer.required"), 
        ("foyer.membres", [{}] * 5, "rows.too_many"), ("social.pieces", {"status": "refuse"}, "status.no_refuse"), ("person.nom", {"status": "inconnu"},
        "status.no_inconnu"),
        ("social.pieces", {"status": "known"}, "status.unknown"), ("social.pieces", {"status": "inconnu", "value": 3}, "status.unknown"), ("social.pieces",
        {"status": ["inconnu"]}, "status.unknown"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_refused_at_its_place(forms, field, value, code):
    said = read(forms, task(EVERYTHING), GOOD | {field: value})
    assert codes(said) == [(code, f"/{field}")]
    assert said.findings[0].message and "[" not in said.findings[0].message


def test_bounds_are_said_as_the_field_is_written(forms):
    said = read(forms, task('"foyer.aide", "person.naissance"'), {"foyer.aide": 1, "person.naissance": "2027"})
    assert [found.message for found in said.findings] == ["Donnez un montant d'au moins 1,000 DT.", "Donnez une date jusqu'au 24 novembre 2026."]
    assert [dict(found.details) for found in said.findings] == [{"min": 1000}, {"max": "2026-11-24"}]


def test_a_date_known_in_part_is_refused_only_when_no_day_of_it_would_do(forms):
    assert not read(forms, task('"person.naissance"'), {"person.naissance": "2026"}).findings
    assert read(forms, task('"person.naissance"'), {"person.naissance": "2026-12"}).findings


def test_unknown_and_refused_are_answers_where_the_dictionary_allows(forms):
    said = read(forms, task('"social.pieces", "social.sante"'), {"social.pieces": {"status": "inconnu"}, "social.sante": {"status": "refuse"}})
    assert said.values == {"social.pieces": Answer(None, "inconnu"), "social.sante": Answer(None, "refuse")}


def test_a_list_may_be_empty_and_its_rows_keep_their_ids(forms):
    content = task('"foyer.membres"')
    assert read(forms, content, {"foyer.membres": []}).values["foyer.membres"] == Answer([])
    known = {"foyer.membres": forms.known("foyer.membres", ROWS, until=LONG_STALE)}
    rows = [{"id": "r2", "membre.prenom": "Ali", "membre.sexe": "M"}, {"membre.prenom": "Sami", "membre.sexe": "M", "membre.naissance": {"status": "inconnu"}}]
    said = read(forms, content, {"foyer.membres": rows}, known)
    assert said.values["foyer.membres"] == Answer([rows[0], {"membre.prenom": "Sami", "membre.sexe": "M"}], statuses=({}, {"membre.naissance": "inconnu"}))


def test_a_cell_emptied_in_a_known_row_becomes_unknown_but_not_one_she_may_not_see(forms):
    rows = [{"id": "r1", "membre.prenom": "Amel", "membre.sexe": "F", "membre.handicap": True, "membre.revenu": 100}]
    known = {"foyer.membres": forms.known("foyer.membres", rows)}
    raw = {"foyer.membres": [{"id": "r1", "membre.prenom": "Amel", "membre.sexe": "F"}]}
    said = read(forms, task('"foyer.membres"'), raw, known, hidden="H")
    assert said.values["foyer.membres"].statuses == ({"membre.revenu": "inconnu"},)


@pytest.mark.parametrize(
    ("row", "code", "where"),
    [
        (1, "rows.row", "/foyer.membres/0"),
        ({"id": "of-another-list", "membre.prenom": "A", "membre.sexe": "F"}, "rows.id", "/foyer.membres/0/id"),
        ({"id": 7, "membre.prenom": "A", "membre.sexe": "F"}, "rows.id", "/foyer.membres/0/id"),
        ({"membre.prenom": "A"}, "answer.required", "/foyer.membres/0/membre.sexe"),
        ({"membre.prenom": "A", "membre.sexe": "Z"}, "choice.unknown", "/foyer.membres/0/membre.sexe"),
        ({"membre.prenom": "A", "membre.sexe": "F", "person.cin": "1"}, "answer.unknown_field", "/foyer.membres/0/person.cin"),
        ({"membre.prenom": "A", "membre.sexe": "F", "membre.handicap": True}, "answer.not_yours", "/foyer.membres/0/membre.handicap"),
    ],
)
def test_a_row_is_read_field_by_field(forms, row, code, where):
    known = {"foyer.membres": forms.known("foyer.membres", ROWS, until=LONG_STALE)}
    said = read(forms, task('"foyer.membres"'), {"foyer.membres": [row]}, known, hidden="H")
    assert codes(said) == [(code, where)]


def test_a_row_cannot_stand_twice(forms):
    known = {"foyer.membres": forms.known("foyer.membres", ROWS, until=LONG_STALE)}
    said = read(forms, task('"foyer.membres"'), {"foyer.membres": [ROWS[1], ROWS[1]]}, known)
    assert codes(said) == [("rows.id", "/foyer.membres/1/id")]


def test_conditions_go_on_reading_what_she_may_not_see_of_a_row(forms):
    content = task('"foyer.membres", { field = "person.nom", when = "count(foyer.membres[item.handicap = true]) > 0" }')
    known = {"foyer.membres": forms.known("foyer.membres", ROWS, until=LONG_STALE)}
    raw = {"foyer.membres": [{"id": "r1", "membre.prenom": "Amel", "membre.sexe": "F"}]}
    assert answers.asked(forms.ask(content, known, hidden="H"), raw) == {"foyer.membres", "person.nom"}


def test_a_known_answer_is_corrected_with_its_reason(forms):
    known = {"person.nom": forms.known("person.nom", "Ben Salah")}
    content = task('"person.nom"')
    assert read(forms, content, {"person.nom": "Ben Saleh"}, known).values == {"person.nom": Answer("Ben Saleh")}
    assert read(forms, content, {"person.nom": {"value": "Ben Saleh", "reason": "Faute de frappe"}}, known).values["person.nom"].reason == "Faute de frappe"
    assert read(forms, content, {"person.nom": "Ben Salah"}, known).values == {}
    assert codes(read(forms, content, {"person.nom": {"value": "B", "reason": 3}}, known)) == [("answer.reason", "/person.nom/reason")]
    assert codes(read(forms, content, {"person.nom": {"value": ""}}, known)) == [("answer.required", "/person.nom/value")]


def test_a_correction_left_empty_changes_nothing(forms):
    made = forms.ask(task('"person.nom"'), {"person.nom": forms.known("person.nom", "Ben Salah")}, correcting=["person.nom"])
    assert answers.read(made, {}, "fr") == answers.Answers({}, ())
    assert answers.read(made, {"person.nom": "Ben Saleh"}, "fr").values == {"person.nom": Answer("Ben Saleh")}


def test_nobody_answers_for_what_is_hidden_shown_or_not_of_this_form(forms):
    content = task('"social.sante", "person.nom"', 'show = ["person.sexe"]')
    known = {"social.sante": forms.known("social.sante", True), "person.sexe": forms.known("person.sexe", "F")}
    raw = {"person.nom": "A", "social.sante": False, "person.sexe": "M", "person.cin": "01234567", "x/~y": 1}
    said = read(forms, content, raw, known, hidden="H")
    assert codes(said) == [("answer.unknown_field", "/person.cin"), ("answer.unknown_field", "/x~1~0y"), ("answer.hidden", "/social.sante"),
        ("answer.not_yours", "/person.sexe")]
    assert codes(read(forms, content, {"person.nom": "A", "social.sante": False}, hidden="H")) == [("answer.not_yours", "/social.sante")]


def test_a_conditional_question_is_asked_of_the_answers_themselves(forms):
    passport = '{ field = "person.passeport", when = "person.cin = null", required = true }'
    content = task(f'"person.cin", {passport}, {{ field = "person.note", when = "person.passeport = null" }}')
    assert codes(read(forms, content, {})) == [("answer.required", "/person.passeport")]
    assert codes(read(forms, content, {"person.cin": "01234567", "person.passeport": "A123456"})) == [("answer.not_asked", "/person.passeport")]
    assert read(forms, content, {"person.cin": "01234567"}).values == {"person.cin": Answer("01234567")}
    assert answers.asked(forms.ask(content), {"person.cin": "01234567"}) == {"person.cin", "person.note"}
    assert answers.asked(forms.ask(content), "hostile") == {"person.cin", "person.passeport", "person.note"}


def test_the_last_value_of_what_is_asked_anew_opens_no_question(forms):
    content = task('"social.avis", { field = "person.note", when = "social.avis = \\"M\\"" }')
    known = {"social.avis": forms.known("social.avis", "M", until=LONG_STALE)}
    assert answers.asked(forms.ask(content, known), {}, {"social": {"avis": "M"}}) == {"social.avis"}
    assert answers.asked(forms.ask(content, known), {"social.avis": "M"}) == {"social.avis", "person.note"}


def test_answers_that_contradict_each_other_are_refused_with_the_sentence_of_the_check(forms):
    message = '{ fr = "Donnez une pièce.", ar = "قدّموا وثيقة.", en = "Give a document." }'
    check = f'[[check]]\nholds = "person.cin != null or person.passeport != null"\nfields = ["person.passeport"]\nmessage = {message}'
    content = task('"person.cin", "person.passeport"', "", check)
    said = read(forms, content, {})
    assert codes(said) == [("answers.check", "/person.passeport")]
    assert said.findings[0].message == "Donnez une pièce."
    assert not read(forms, content, {"person.cin": "01234567"}).findings


def test_what_cannot_be_told_is_left_to_a_person(forms):
    check = f'[[check]]\nholds = "person.naissance < date(\\"1990-06-01\\")"\nfields = ["person.naissance"]\nmessage = {LABEL}'
    content = task('"person.naissance"', "", check)
    assert not read(forms, content, {"person.naissance": "1990"}).findings
    assert read(forms, content, {"person.naissance": "1991"}).findings


def test_a_check_on_known_facts_alone_does_not_block_a_task(forms):
    content = task('"person.nom", "person.sexe"', "", f'[[check]]\nholds = "person.sexe = \\"F\\""\nfields = ["person.sexe"]\nmessage = {LABEL}')
    known = {"person.sexe": forms.known("person.sexe", "M")}
    assert not read(forms, content, {"person.nom": "A"}, known).findings
    assert read(forms, content, {"person.nom": "A"}).findings


def test_a_computed_field_that_can_no_longer_be_computed_becomes_unknown(forms):
    content = task('"social.note"')
    known = {"social.note": forms.known("social.note", 4), "social.pieces": forms.known("social.pieces", 2), "social.somme": forms.known("social.somme", 6)}
    assert "social.somme" not in read(forms, content, {"social.note": 4}, known).values, "the same sum as before"
    assert read(forms, content, {"social.note": 5}, known).values["social.somme"] == Answer(7)
    unsure = known | {"social.pieces": forms.known("social.pieces", None, status="inconnu")}
    assert read(forms, content, {"social.note": 5}, unsure).values["social.somme"] == Answer(None, "inconnu")


def test_an_age_is_never_recorded_since_it_grows(forms):
    content = task('"person.naissance"')
    known = {"person.naissance": forms.known("person.naissance", "1990-02-01"), "person.age": forms.known("person.age", 12)}
    assert set(read(forms, content, {"person.naissance": "1980-02-02"}, known).values) == {"person.naissance"}


def test_a_sum_waits_until_all_it_reads_is_answered(forms):
    content = task('"social.note"')
    assert "social.somme" not in read(forms, content, {"social.note": 3}).values
    known = {"social.pieces": forms.known("social.pieces", 2)}
    assert read(forms, content, {"social.note": 3}, known).values["social.somme"] == Answer(5)
    unknown = {"social.pieces": forms.known("social.pieces", None, status="inconnu")}
    assert "social.somme" not in read(forms, content, {"social.note": 3}, unknown).values


def test_what_nothing_said_now_feeds_is_not_computed_anew(forms):
    known = {"foyer.membres": forms.known("foyer.membres", ROWS)}
    assert set(read(forms, task('"person.nom", "foyer.membres"'), {"person.nom": "A"}, known).values) == {"person.nom"}


def test_what_is_of_her_own_hand_is_signed_in_her_name_alone_and_its_schema_says_so(forms):
    made = replace(forms.ask(task('"social.accord"')), signer=("Sonia Ayari", "سنية العياري"))

    def signed(form, name):
        return codes(answers.read(form, {"social.accord": {"name": name, "strokes": "M0 0L10 10"}}, "fr"))

    assert signed(made, "Leïla Ghali") == [("signature.signer", "/social.accord")] and signed(made, "Sonia Ayari") == signed(made, "سنية العياري") == []
    assert schema.json_schema(made)["properties"]["social.accord"]["properties"]["name"] == {"enum": ["Sonia Ayari", "سنية العياري"]}
    assert signed(replace(made, signer=()), "Leïla Ghali") == [], "where nobody answers (a trial), any name stands for a signature"
