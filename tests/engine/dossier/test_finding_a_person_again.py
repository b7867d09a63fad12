"""The same person, whatever the script her name was written in."""

import pytest

from engine.dossier import beneficiaries


@pytest.mark.parametrize(
    ("latin", "arabic"),
    [("Mohamed Ben Salah", "محمد بن صالح"), ("Fatma Trabelsi", "فاطمة الطرابلسي"), ("Khaled Gharbi", "خالد الغربي"), ("Salem Dridi", "سالم الدريدي"), ("Hichem Jlassi", "هشام الجلاصي")],
)
def test_a_name_is_alike_in_both_scripts(latin, arabic):
    assert beneficiaries.likeness(beneficiaries.skeleton(latin), beneficiaries.skeleton(arabic)) > 0.8


def test_different_names_stay_different():
    assert beneficiaries.likeness(beneficiaries.skeleton("Mohamed Ben Salah"), beneficiaries.skeleton("سامية الورغي")) < 0.6


def test_spelling_habits_do_not_hide_a_person():
    assert beneficiaries.skeleton("Mohammed Ben-Salah") == beneficiaries.skeleton("Mohamed ben salah")
    assert beneficiaries.fold("أحمد") == beneficiaries.fold("احمد")


def test_tokens_hold_no_empty_value_and_name_with_year_of_birth():
    found = beneficiaries.tokens({"person.cin": "12345678", "person.prenom_fr": "Salem", "person.nom_fr": "Dridi", "person.naissance_date": "1998", "person.tel": None})
    assert {(one["kind"], one["token"]) for one in found} == {
        ("cin", "12345678"), ("name", "salem"), ("name", "dridi"), ("namebirth", f"{beneficiaries.skeleton('Salem Dridi')}|1998"),
        ("born", "1998"), ("year", "1998"), ("bone", "slm"), ("bone", "drd"), ("pair", "drd slm")}  # fmt: skip


def test_the_name_is_shown_in_the_readers_script_where_it_is_known():
    both = {"person.prenom_fr": "Salem", "person.nom_fr": "Dridi", "person.prenom_ar": "سالم", "person.nom_ar": "الدريدي"}
    assert beneficiaries.full_name(both, "ar") == "سالم الدريدي"
    assert beneficiaries.full_name(both, "fr") == "Salem Dridi"
    assert beneficiaries.full_name({"person.prenom_ar": "سالم"}, "fr") == "سالم"
