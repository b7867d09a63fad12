"""D5, D5b, D6 and D7: how much, and what is proposed on a project."""

import datetime as dt
from decimal import Decimal

import pytest

from tests.processes import reading
from tests.processes.test_what_is_open_to_them import CLASS_1, CLASS_2, CLASS_3, CLASS_4, FROM_GERMANY

SOCIAL = {"aide.niveau": "N1", "aide.programme": "TOUNESNA-EU", "foyer.adultes": 2, "foyer.enfants": 2, "aide.total": 9000}
HIRING = {"aide.niveau": "N2", "aide.programme": "TOUNESNA-EU", "aide.salaire_brut": 1000, "aide.duree_mois": 6, "aide.part_demandee": 50,
    "aide.formation_cout": None}


@pytest.mark.parametrize(("screening", "amount"), [(CLASS_1, 2760), (CLASS_2, 3680), (CLASS_3, 4600), (CLASS_4, 4600)])
def test_level_1_grows_with_the_household_and_the_vulnerability(decide, screening, amount):
    told = decide("D5", screening | SOCIAL).outputs  # 2 × 1 300 + 2 × 1 000 = 4 600
    assert (told["montant"], told["theorique"], told["demande"]) == (amount, amount, 9000)


@pytest.mark.parametrize(
    ("facts", "amount"),
    [
        ({"aide.total": 300}, 300),  # never more than what is asked
        ({"aide.total": None}, 4600),
        ({"foyer.adultes": 1, "foyer.enfants": 0}, 1300),
        ({"foyer.adultes": None, "foyer.enfants": None}, 1300),  # household not said: the person alone
    ],
)
def test_level_1_is_never_more_than_what_is_asked(decide, facts, amount):
    assert decide("D5", CLASS_3 | SOCIAL | facts).outputs["montant"] == amount


def test_level_1_follows_the_programme_when_it_says_its_own_base_or_ceiling(decide):
    programme = {"code": "TOUNESNA-EU", "version": Decimal(1), "du": dt.date(2019, 9, 1), "au": None, "base_adulte": Decimal(1000), "base_enfant": Decimal(500)}
    assert decide("D5", CLASS_3 | SOCIAL, programmes=[programme | {"niveaux": [{"niveau": "N1"}]}]).outputs["montant"] == 3000
    capped = decide("D5", CLASS_3 | SOCIAL, programmes=[programme | {"niveaux": [{"niveau": "N1", "plafond": Decimal(2500)}]}]).outputs
    assert (capped["montant"], capped["theorique"], capped["plafond"]) == (2500, 3000, 2500)


def test_amounts_are_exact_to_the_millime(decide):
    told = decide("D5", CLASS_1 | SOCIAL | {"aide.total": Decimal("1234.567")}).outputs
    assert told["montant"] == Decimal("1234.567")


@pytest.mark.parametrize(
    ("facts", "amount"),
    [
        ({}, 3000),  # 50 % of 1 000 for six months
        ({"aide.part_demandee": 60}, 3600),
        ({"aide.part_demandee": 80}, 3600),  # never over 60 %
        ({"aide.duree_mois": 18, "aide.part_demandee": 60}, 7200),  # never over twelve months
        ({"aide.salaire_brut": 3000, "aide.duree_mois": 12, "aide.part_demandee": 60}, 15000),  # 21 600 capped
        ({"aide.formation_cout": 1200}, 4200),
        ({"aide.formation_cout": 5000}, 6000),  # training capped at 3 000
        ({"aide.salaire_brut": 3000, "aide.duree_mois": 12, "aide.part_demandee": 60, "aide.formation_cout": 5000}, 18000),
        ({"aide.salaire_brut": None}, None),
    ],
)
def test_level_2_is_a_share_of_pay_and_training_each_with_its_ceiling(decide, facts, amount):
    assert decide("D5b", CLASS_1 | HIRING | facts).outputs["montant"] == amount


def test_before_the_instruction_amounts_follow_the_best_offer_of_the_level(decide):
    facts = FROM_GERMANY | {"aide.niveau": "N3"}
    assert decide("programme_retenu", facts).outputs["code"] == "TOUNESNA-EU"
    assert decide("plafond_retenu", facts).outputs == 16000
    assert decide("plafond_retenu", facts | {"aide.programme": "OFII-TN-2025"}).outputs == 23100  # 7 000 € at the dated rate
    assert decide("plafond_retenu", facts | {"aide.niveau": "N1"}).outputs is None


SOUND = {"projet.formel": True, "projet.autorisation_requise": False, "projet.experience_secteur_ans": 0, "projet.diplome_secteur": False,
    "projet.apport_total": 1600, "projet.besoin_estime": 16000}
NOTES = dict.fromkeys(("projet.note_motivation", "projet.note_competences", "projet.note_marche", "projet.note_rentabilite", "projet.note_apport",
    "projet.note_perennite"))
COMPLETE = {
    "aide.niveau": "N3", "person.pj01_vue": True, "retour.prouve": True, "projet.investissements": [{"poste": "Four"}], "projet.financement_total": 20000,
    "projet.avis": "favorable",
    "projet.devis_complets": True, "aide.pj17": "d", "aide.pj13": "d",
}  # fmt: skip


def scored(*notes, result=400, formal=True, **more):
    """Notes in the order motivation, competence, market, profit, contribution, durability."""
    return COMPLETE | dict(zip(NOTES, notes, strict=True)) | {"projet.resultat_mensuel": result, "projet.formel": formal} | more


def first(suite, waived=False):
    return {"suite": suite, "dispense_cefe": waived}


def proposed(decision, why, days, score):
    return {"decision": decision, "motif": why, "delai_jours": days, "score": score}


N39, N40 = (1, 2, 2, 2, 3, 2), (2, 2, 2, 2, 2, 2)  # 39 and 40
N54, N55 = (1, 3, 3, 3, 3, 3), (3, 3, 3, 2, 1, 4)
N70 = (2, 4, 4, 4, 2, 4)
CASES = [
    ("D6", SOUND, first("continuer"), ["sinon"]),
    ("D6", SOUND | {"projet.formel": False, "projet.experience_secteur_ans": 9}, first("arreter"), ["illegal"]),
    ("D6", SOUND | {"projet.formel": None}, first("continuer"), ["sinon"]),
    ("D6", SOUND | {"projet.autorisation_requise": True, "projet.autorisation_obtenable": False}, first("changer"), ["autorisation"]),
    ("D6", SOUND | {"projet.autorisation_requise": True, "projet.autorisation_obtenable": True}, first("continuer"), ["sinon"]),
    ("D6", SOUND | {"projet.autorisation_requise": True, "projet.autorisation_obtenable": None}, first("continuer"), ["sinon"]),
    ("D6", SOUND | {"projet.autorisation_requise": None, "projet.autorisation_obtenable": None}, first("continuer"), ["sinon"]),
    ("D6", SOUND | {"projet.experience_secteur_ans": 2}, first("continuer", True), ["experimente"]),
    ("D6", SOUND | {"projet.experience_secteur_ans": 1}, first("continuer"), ["sinon"]),
    ("D6", SOUND | {"projet.diplome_secteur": True}, first("continuer", True), ["experimente"]),
    ("D6", SOUND | {"projet.diplome_secteur": True, "projet.apport_total": 1599.999}, first("completer", True), ["experimente_sans_apport"]),
    ("D6", SOUND | {"projet.apport_total": 1599.999}, first("completer"), ["sans_apport"]),
    ("D6", SOUND | {"projet.apport_total": None}, first("completer"), ["sans_apport"]),
    ("D7", scored(5, 5, 5, 5, 5, 5, formal=False), proposed("refuse", "formalisation", None, 100), ["informel"]),
    ("D7", scored(*N39), proposed("refuse", "reorienter_emploi", None, 39), ["faible"]),
    ("D7", scored(*N40, result=0), proposed("ajourne", "retravailler", 60, 40), ["non_rentable"]),
    ("D7", scored(*N70, result=-1), proposed("ajourne", "retravailler", 60, 70), ["non_rentable"]),
    ("D7", scored(*N70) | {"aide.pj13": None}, proposed("ajourne", "completer", 30, 70), ["incomplet"]),
    ("D7", scored(*N40), proposed("ajourne", "retravailler", 60, 40), ["a_retravailler"]),
    ("D7", scored(*N54), proposed("ajourne", "retravailler", 60, 54), ["a_retravailler"]),
    ("D7", scored(*N55), proposed("sous_reserve", "reserves", 60, 55), ["reserves"]),
    ("D7", scored(*N70), proposed("accorde", "favorable", None, 70), ["favorable"]),
    ("D7", scored(5, 5, 5, 5, 5, 5), proposed("accorde", "favorable", None, 100), ["favorable"]),
    ("D7", scored(5, 5, 5, 5, 5, None), proposed("ajourne", "completer", 30, None), ["a_completer"]),
    ("D7", scored(*N70, result=None), proposed("ajourne", "completer", 30, 70), ["a_completer"]),
    ("D7", scored(*N70, formal=None), proposed("ajourne", "completer", 30, 70), ["a_completer"]),
]  # fmt: skip


@pytest.mark.parametrize(("decision", "facts", "output", "rows"), CASES)
def test_each_case_and_each_boundary(decides, decision, facts, output, rows):
    decides(decision, facts, output, rows)


@pytest.mark.parametrize(("notes", "thresholds", "row"), [(N55, (40, "55.001", 70), "a_retravailler"), (N70, (40, 55, "70.001"), "reserves"),
    (N40, ("40.001", 55, 70), "faible")])
def test_a_score_just_under_a_threshold_falls_in_no_gap(decide, notes, thresholds, row):
    parameters = reading.dated().scope(reading.TODAY)["parametres"]
    moved = dict(zip(("refus", "reserve", "accord"), map(Decimal, thresholds), strict=True))
    assert decide("D7", scored(*notes), parametres=parameters | {"seuils_projet": moved}).rules == (f"D7_{row}",)


def test_weights_sum_to_a_hundred(decide):
    assert decide("D7_score", scored(1, 1, 1, 1, 1, 1)).outputs == 20
    assert [decide("D7_score", scored(*(5 * (place == at) for place in range(6)))).outputs for at in range(6)] == [15, 20, 20, 20, 10, 15]
