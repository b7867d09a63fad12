"""D9 and D9b: when a visit is due, and what a visit leads to."""

import datetime as dt

import pytest

from tests.processes.reading import TODAY
from tests.processes.test_what_is_open_to_them import CLASS_1, CLASS_2, CLASS_3, CLASS_4

START = dt.date(2026, 1, 31)
WEEKS = [dt.date(2026, 2, 7), dt.date(2026, 2, 14), dt.date(2026, 2, 21), dt.date(2026, 2, 28)]
PROJECT = {"plan.mesures": [{"type": "M01", "aide_demandee": True}, {"type": "M20", "aide_demandee": True}]}


def months(*numbers):
    """The same day so many months later, or the last of a shorter month."""
    found = []
    for number in numbers:
        year, month = START.year + (START.month - 1 + number) // 12, (START.month - 1 + number) % 12 + 1
        last = (dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)).day
        found.append(dt.date(year, month, min(START.day, last)))
    return found


def dates(decide, facts, **more):
    return [(one["le"], one["echeance"], one["mode"]) for one in decide("D9", facts | {"suivi_debut": START} | more).outputs]


@pytest.mark.parametrize("screening", [CLASS_1, CLASS_2])
def test_classes_1_and_2_are_visited_at_1_3_6_and_12_months(decide, screening):
    expected = list(zip(months(1, 3, 6, 12), ("m1", "m3", "m6", "m12"), ("visite",) * 4, strict=True))
    assert dates(decide, screening) == expected


def test_class_3_is_seen_each_month_then_every_two(decide):
    found = dates(decide, CLASS_3)
    assert [day for day, _, _ in found] == months(1, 2, 3, 4, 5, 6, 8, 10, 12)
    assert [name for _, name, mode in found if mode == "visite"] == ["m1", "m3", "m6", "m12"]
    assert {name for _, name, mode in found if mode == "contact"} == {"autre"}


def test_class_4_is_contacted_four_weeks_then_each_month(decide):
    found = dates(decide, CLASS_4)
    assert [day for day, _, _ in found] == WEEKS + months(*range(2, 13))
    assert [name for _, name, mode in found if mode == "visite"] == ["m3", "m6", "m12"]


@pytest.mark.parametrize("screening", [CLASS_1, CLASS_3, CLASS_4])
def test_a_project_with_a_grant_adds_visits_at_18_and_24_months(decide, screening):
    alone, aided = dates(decide, screening), dates(decide, screening | PROJECT)
    assert aided == alone + list(zip(months(18, 24), ("m18", "m24"), ("visite",) * 2, strict=True))


@pytest.mark.parametrize("measure", [{"type": "M20", "aide_demandee": False}, {"type": "M20", "aide_demandee": True, "issue": "abandonnee"},
    {"type": "M17", "aide_demandee": True}])
def test_a_project_without_a_grant_adds_none(decide, measure):
    assert len(dates(decide, CLASS_1 | {"plan.mesures": [measure]})) == 4


def test_without_a_first_service_dates_are_counted_from_the_day(decide):
    assert dates(decide, CLASS_1, suivi_debut=None)[0][0] == dt.date(TODAY.year, TODAY.month + 1, TODAY.day)


def test_dates_are_in_order_and_none_twice(decide):
    found = [day for day, _, _ in dates(decide, CLASS_4 | PROJECT)]
    assert found == sorted(set(found))


SEEN = {"visites_manquees": 0, "visite.activite_etat": "en_marche", "visite.echeance": "m12", "visite.suite": "rien", "durabilite.composite": 0.66}
CASES = [
    ("D9_rythmes", CLASS_4, None, ["classe_4"]),
    ("D9_rythmes", CLASS_3, None, ["classe_3"]),
    ("D9_rythmes", CLASS_2 | PROJECT, None, ["classe_1_2", "niveau_3"]),
    ("D9b", SEEN, "cloturer", ["reussite"]),
    ("D9b", SEEN | {"visites_manquees": 2}, "absences", ["absences"]),
    ("D9b", SEEN | {"visites_manquees": 1}, "cloturer", ["reussite"]),
    ("D9b", SEEN | {"visites_manquees": None}, "cloturer", ["reussite"]),
    ("D9b", SEEN | {"visite.suite": "alerter"}, "alerter", ["alerte_agent"]),
    ("D9b", SEEN | {"visite.activite_etat": "arretee"}, "ajuster", ["arret"]),
    ("D9b", SEEN | {"durabilite.composite": 0.329}, "ajuster", ["fragile"]),
    ("D9b", SEEN | {"durabilite.composite": 0.33}, "continuer", ["sinon"]),
    ("D9b", SEEN | {"durabilite.composite": 0.659}, "continuer", ["sinon"]),
    ("D9b", SEEN | {"durabilite.composite": None}, "continuer", ["sinon"]),
    ("D9b", SEEN | {"visite.suite": "ajuster"}, "ajuster", ["ajuster_agent"]),
    ("D9b", SEEN | {"visite.echeance": "m6"}, "continuer", ["sinon"]),
    ("D9b", SEEN | {"visite.echeance": "m24"}, "cloturer", ["reussite"]),
    ("D9b", SEEN | {"visite.activite_etat": "ralentie"}, "continuer", ["sinon"]),
    ("D9b", SEEN | {"visite.echeance": "m6", "visite.suite": "cloturer"}, "cloturer", ["cloture_agent"]),
    ("D9b", {"visites_manquees": 0}, "continuer", ["sinon"]),
    ("D11", {"absence.cause": "agent", "absences_comptees": 3}, "NOUVELLE_DATE", ["administration"]),
    ("D11", {"absence.cause": "fermeture", "absences_comptees": 2}, "NOUVELLE_DATE", ["administration"]),
    ("D11", {"absence.cause": "personne", "absences_comptees": 1}, "NOUVELLE_DATE", ["premiere"]),
    ("D11", {"absence.cause": "personne", "absences_comptees": 2}, "APPEL", ["deuxieme"]),
    ("D11", {"absence.cause": "personne", "absences_comptees": 3}, "LETTRE", ["troisieme"]),
    ("D11", {}, "LETTRE", ["troisieme"]),
    ("D13", {"cloture.motif": "perdu_de_vue", "cloture_le": TODAY - dt.timedelta(days=300)}, "ROUVRIR", ["rouvrir"]),
    ("D13", {"cloture.motif": "perdu_de_vue", "cloture_le": TODAY - dt.timedelta(days=400), "reouverture.nouveau_retour": False}, "SERVICE", ["service"]),
    ("D13", {"cloture.motif": "perdu_de_vue", "cloture_le": TODAY - dt.timedelta(days=400), "reouverture.nouveau_retour": True}, "NOUVEAU", ["nouveau"]),
    ("D13", {"cloture.motif": "objectifs_atteints", "cloture_le": TODAY, "reouverture.nouveau_retour": False}, "SERVICE", ["service"]),
    ("D13", {"cloture.motif": "fraude_etablie", "cloture_le": TODAY, "reouverture.nouveau_retour": True}, "COORDINATEUR", ["fraude"]),
    ("D13", {}, "SERVICE", ["service"]),
]


@pytest.mark.parametrize(("decision", "facts", "output", "rows"), CASES)
def test_each_case_and_each_boundary(decide, decision, facts, output, rows):
    verdict = decide(decision, facts)
    assert output is None or verdict.outputs == output
    assert verdict.rules == tuple(f"{decision}_{row}" for row in rows)
    assert not verdict.findings
