"""The same person, whatever the script her name was written in."""

import pytest

from engine.dossier import beneficiaries


@pytest.mark.parametrize(
    ("latin", "arabic"),
    [("Mohamed Ben Salah", "محمد بن صالح"), ("Fatma Trabelsi", "فاطمة الطرابلسي"), ("Khaled Gharbi", "خالد الغربي"), ("Salem Dridi", "سالم الدريدي"), ("Hichem Jlassi", "هشام الجلاصي")],
)
def test_a_name_is_alike_in_both_scripts(latin, arabic):
    assert beneficiaries.likeness(beneficiaries.skeleton(latin), beneficiaries.skeleton(arabic)) > 0.8


@pytest.mark.parametrize(
    "written",
    [
        ("Abdelkader Ouerghi", "Abd El Kader Ouerghi", "Abd-el-kader Ouerghi", "Abdel Kader Ouerghi", "Abd Elkader El Ouerghi", "Abdlkader Ouerghi", "عبد القادر الورغي", "عبدالقادر الورغي", "Ouerghi Abdelkader"),
        ("Abderrahmane Tlili", "Abd Errahmane Tlili", "Abdel Rahman Tlili", "Abdelrahmen Tlili", "عبد الرحمان التليلي", "عبد الرحمن التليلي"),
        ("Abdallah Saidi", "Abd Allah Saidi", "عبد الله السعيدي", "عبدالله السعيدي"),
        ("Abdellatif Jaziri", "Abd Ellatif Jaziri", "عبد اللطيف الجزيري"),
        ("Noureddine Mejri", "Nour Eddine Mejri", "Nour El Dine Mejri", "Nouredine Mejri", "Noureldine Mejri", "نور الدين الماجري", "نورالدين الماجري"),
        ("Zied Ezzeddine", "Zied Ezz Eddine", "زياد عز الدين"),
        ("Mohamed Ben Salah", "Med Ben Salah", "MD. Ben Salah", "محمد بن صالح"),
    ],
)
def test_a_compound_name_is_one_however_it_is_written(written):
    assert {beneficiaries.skeleton(one) for one in written} == {beneficiaries.skeleton(written[0])}


@pytest.mark.parametrize(("one", "other"), [("Abdelli Salem", "العبدلي سالم"), ("Abdou Gharbi", "عبدو الغربي"), ("Medina Trabelsi", "مدينة الطرابلسي"), ("Amel Madani", "آمال مدني"), ("Nadine Ferchichi", "نادين الفرشيشي")])
def test_what_only_looks_like_a_compound_stays_what_it_is(one, other):
    assert beneficiaries.likeness(beneficiaries.skeleton(one), beneficiaries.skeleton(other)) > 0.85


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
