"""One question at a time: how it is drawn for its type, and what is sent on of what was typed."""

import pytest

from forms import dictionary
from tests.web.small.installation import ROOT
from web.formatting import Words
from web.pages.intake import looked_for
from web.typed import Typed
from web.widgets import answer, draw, typed_lines, written

DICTIONARY = dictionary.load(ROOT / "forms" / "dictionary")
FR, AR = Words("fr"), Words("ar")


def typed(**pairs):
    return Typed((name, value) for name, value in pairs.items())


def drawn(name, given=None, words=FR, **more):
    return draw(DICTIONARY.fields[name], name, given or Typed(), words, "/tasks/1", **more)


@pytest.mark.parametrize(
    ("parts", "answered"),
    [
        (("3", "02", "2026"), "2026-02-03"),
        (("", "02", "2026"), "2026-02"),
        (("", "", "2026"), "2026"),
        (("", "", ""), None),
        (("31", "02", "2026"), "2026-02-31"),  # forms says what is wrong with it
    ],
)
def test_a_date_is_three_parts_of_which_some_may_be_unknown(parts, answered):
    name = "person.naissance_date"
    given = Typed([(f"{name}~{part}", value) for part, value in zip(("day", "month", "year"), parts, strict=True)])
    assert answer(DICTIONARY.fields[name], name, given) == answered
    assert drawn(name, given).parts == (parts[2], parts[1], parts[0])


def test_months_are_named_as_in_tunisia():
    assert [name for _, name in AR.months()][:8] == ["جانفي", "فيفري", "مارس", "أفريل", "ماي", "جوان", "جويلية", "أوت"]


def test_an_hour_stands_beside_its_day_and_is_tunis_time():
    name = "accueil.rdv_le"
    shown = drawn(name, stored="2026-12-03T08:30:00Z")
    assert (shown.kind, shown.has_hour, shown.parts, shown.value) == ("date_parts", True, ("2026", "12", "3"), "09:30")
    given = Typed([(f"{name}~day", "3"), (f"{name}~month", "12"), (f"{name}~year", "2026"), (f"{name}~hour", "9h30")])
    assert answer(DICTIONARY.fields[name], name, given) == "2026-12-03T09:30"


@pytest.mark.parametrize(("said", "read"), [("9", "09:00"), ("9h", "09:00"), ("9 h 30", "09:30"), ("9.30", "09:30"), ("0930", "09:30"), ("930", "09:30"), ("14:05", "14:05"), ("matin", "matin"), ("9h3", "9h3")])
def test_an_hour_is_read_as_one_types_it_on_a_keyboard_of_digits(said, read):
    name = "accueil.rdv_le"
    given = Typed([(f"{name}~day", "3"), (f"{name}~month", "12"), (f"{name}~year", "2026"), (f"{name}~hour", said)])
    assert answer(DICTIONARY.fields[name], name, given) == f"2026-12-03T{read}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Hédi  Ben Salah", {"person.prenom_fr": "Hédi", "person.nom_fr": "Ben Salah"}),
        ("هادي الغربي", {"person.prenom_ar": "هادي", "person.nom_ar": "الغربي"}),
        ("Gharbi", {"person.nom_fr": "Gharbi"}),
        ("09 876 502", {"person.cin": "09876502"}),
        ("22 345 602", {"person.tel": "22345602"}),
        ("00216 22 345 602", {"person.tel": "+21622345602"}),
        ("x 123456", {"person.passport": "X123456"}),
        ("TN-MED-2026-00005", {}),
        ("", {}),
    ],
)
def test_what_was_typed_to_look_for_somebody_is_an_answer_of_the_first_form(words, said):
    assert looked_for(words) == said


def test_money_is_typed_in_dinars_and_written_with_three_decimals():
    shown = drawn("evaluation.ressources_mensuelles", stored=350_500)
    assert (shown.value, shown.unit) == ("350,500", "DT")
    assert drawn("evaluation.ressources_mensuelles", words=AR).unit == "د.ت"
    assert written("money", 5) == "0,005"


def test_a_mark_is_chosen_among_the_few_there_are():
    shown = drawn("projet.note_marche", stored=4)
    assert (shown.kind, [value for value, _ in shown.choices], shown.value) == ("choice", ["0", "1", "2", "3", "4", "5"], "4")
    assert [value for value, _ in drawn("visite.appreciation").choices] == ["1", "2", "3", "4", "5"]
    assert answer(DICTIONARY.fields["projet.note_marche"], "projet.note_marche", Typed([("projet.note_marche", "4")])) == "4"


def test_not_knowing_stands_among_the_choices_and_is_an_answer():
    field = DICTIONARY.fields["retour.type"]
    shown = drawn("retour.type")
    assert ("~inconnu", "Ne sait pas") in shown.choices
    assert answer(field, "retour.type", Typed([("retour.type", "~inconnu")])) == {"status": "inconnu"}
    assert drawn("retour.type", status="inconnu").value == "~inconnu"


def test_what_was_typed_wins_over_what_was_stored():
    name = "person.nom_fr"
    assert drawn(name, stored="Dridi").value == "Dridi"
    assert drawn(name, Typed([(name, "")]), stored="Dridi").value == ""


def test_a_signature_is_drawn_or_typed():
    name = "consentement.signature"
    field = DICTIONARY.fields[name]
    assert answer(field, name, Typed([(f"{name}~name", ""), (f"{name}~drawn", "")])) is None
    assert answer(field, name, Typed([(f"{name}~name", "Besma"), (f"{name}~drawn", "M1 2L3 4")])) == {"name": "Besma", "strokes": "M1 2L3 4"}
    by_name = answer(field, name, Typed([(f"{name}~name", "Besma"), (f"{name}~typed", "yes")]))
    assert by_name["strokes"]


def test_what_is_of_the_agents_own_hand_bears_her_name_and_is_no_answer_before_she_signs():
    name = "seance.signature_ote"
    assert (drawn(name, signer="Sonia Ayari").signer, drawn(name, Typed([(f"{name}~name", "Leïla Ghali")]), signer="Sonia Ayari").signer) == ("Sonia Ayari", "Sonia Ayari")
    assert answer(DICTIONARY.fields[name], name, Typed([(f"{name}~name", "Sonia Ayari"), (f"{name}~drawn", "")])) is None


def test_several_choices_left_empty_are_no_answer():
    name = "accueil.motif_visite"
    assert answer(DICTIONARY.fields[name], name, Typed([(f"{name}~present", "1")])) is None


def test_rows_keep_the_numbers_they_were_typed_under():
    given = Typed([("a.b~present", "1"), ("a.b[0].c.d", "x"), ("a.b[4].c.d", "y")])
    assert given.rows("a.b") == ["a.b[0]", "a.b[4]"]
    assert given.add_row("a.b") == "a.b[5]"
    given.remove_row("a.b[0]")
    assert given.rows("a.b") == ["a.b[4]", "a.b[5]"]


def test_a_draft_of_another_face_or_hurt_is_an_empty_page():
    assert Typed.of_draft({"answers": {"x": 1}}).pairs == {}
    assert Typed.of_draft(None).pairs == {}


def test_typing_that_lost_its_question_is_given_back_in_words():
    given = {"person.sexe": ["F"], "person.nom_fr": ["Dridi"], "foyer.membres[0].membre.prenom": ["Ali"], "csrf": ["x"], "person.naissance_date~year": ["1987"]}
    assert [line["value"] for line in typed_lines(DICTIONARY.fields, given, "fr")] == ["Femme", "Dridi", "Ali", "1987"]
