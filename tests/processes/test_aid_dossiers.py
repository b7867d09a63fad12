"""D8, D8b, D10c, D10d and D14: what is missing, what is paid, who decides, and whether they may."""

import datetime as dt
from decimal import Decimal

import pytest

from tests.processes import reading
from tests.processes.reading import TODAY
from tests.processes.test_amounts_and_projects import COMPLETE, N55, N70, scored
from tests.processes.test_what_is_open_to_them import CLASS_1, CLASS_3, FROM_FRANCE, FROM_GERMANY

LEVEL_1 = CLASS_1 | {
    "aide.niveau": "N1", "person.pj01_vue": True, "retour.prouve": True, "aide.beneficiaire_paiement": "fournisseur",
    "aide.postes": [{"nature": "mobilier", "montant": 900, "devis": "d"}],
}  # fmt: skip
LEVEL_2 = {"aide.niveau": "N2", "person.pj01_vue": True, "retour.prouve": True, "mesure.pj15": "d", "aide.pj13": "d", "aide.employeur_nom": "X",
    "aide.salaire_brut": 900, "aide.duree_mois": 6}


def missing(decide, facts):
    told = decide("D8", facts).outputs
    assert told["complet"] is (not told["manquantes"])
    return {one["piece"]: one["aupres"] for one in told["manquantes"]}


@pytest.mark.parametrize("facts", [LEVEL_1, LEVEL_2, COMPLETE])
def test_a_complete_dossier_of_each_level_lacks_nothing(decide, facts):
    assert missing(decide, facts) == {}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"person.pj01_vue": None}, {"PJ01": "personne"}),
        ({"person.pj01_vue": False, "person.pj01": "d"}, {}),
        ({"retour.prouve": None}, {"PJ02": "personne"}),
        ({"retour.prouve": None, "retour.pj02": "d"}, {}),
        ({"aide.postes": []}, {"F31": "CPS"}),
        ({"aide.postes": None}, {"F31": "CPS"}),
        ({"aide.postes": [{"nature": "soins", "montant": 900}]}, {"PJ10": "personne"}),
        ({"aide.postes": [{"nature": "soins", "montant": 1000, "devis": "d"}]}, {}),
        ({"aide.postes": [{"nature": "soins", "montant": Decimal("1000.001"), "devis": "d", "devis2": "e"}]}, {"PJ10": "personne"}),
        ({"aide.postes": [{"nature": "soins", "montant": 1500, "devis": "d", "devis2": "e", "devis3": "f"}]}, {}),
        ({"aide.postes": [{"nature": "loyer", "montant": 1500}]}, {"PJ09": "personne"}),
        ({"aide.postes": [{"nature": "loyer", "montant": 1500, "bail": "d"}]}, {}),
        ({"aide.beneficiaire_paiement": "beneficiaire"}, {"PJ13": "personne"}),
        ({"aide.beneficiaire_paiement": "beneficiaire", "aide.pj13": "d"}, {}),
        (CLASS_3, {"PJ16": "CPS"}),
        (CLASS_3 | {"enquete.pj16": "d"}, {}),
        (CLASS_3 | {"enquete.a_faire": False}, {}),  # a person decided otherwise (T204)
        ({"enquete.a_faire": True}, {"PJ16": "CPS"}),
        ({"social.besoins_estimation": 501}, {"PJ16": "CPS"}),
        (CLASS_3 | {"enquete.amen_meme_adresse": True, "enquete.amen_date": dt.date(2026, 1, 1)}, {}),
    ],
)
def test_level_1_lacks_one_thing_at_a_time(decide, facts, expected):
    assert missing(decide, LEVEL_1 | facts) == expected


@pytest.mark.parametrize(
    ("without", "expected"),
    [("mesure.pj15", {"PJ15": "employeur"}), ("aide.pj13", {"PJ13": "employeur"}), ("aide.employeur_nom", {"F43": "ANETI"}),
        ("aide.salaire_brut", {"F43": "ANETI"}),
     ("aide.duree_mois", {"F43": "ANETI"}), ("person.pj01_vue", {"PJ01": "personne"}), ("retour.prouve", {"PJ02": "personne"})],
)  # fmt: skip
def test_level_2_lacks_one_thing_at_a_time(decide, without, expected):
    assert missing(decide, LEVEL_2 | {without: None}) == expected


@pytest.mark.parametrize(
    ("without", "expected"),
    [("projet.investissements", {"F52": "ANETI"}), ("projet.financement_total", {"F52": "ANETI"}), ("projet.avis", {"F53": "ANETI"}),
        ("projet.devis_complets", {"PJ10": "personne"}),
     ("aide.pj17", {"PJ17": "personne"}), ("aide.pj13", {"PJ13": "personne"}), ("person.pj01_vue", {"PJ01": "personne"}),
     ("retour.prouve", {"PJ02": "personne"})],
)  # fmt: skip
def test_level_3_lacks_one_thing_at_a_time(decide, without, expected):
    assert missing(decide, COMPLETE | {without: None}) == expected


def test_registration_is_never_asked_before_the_decision_nor_an_inquiry_from_the_person(all_tables):
    asked = {(rule.results[0].text, rule.results[1].text) for rule in all_tables.by_id["D8_exigees"].rules}
    assert not {piece for piece, _ in asked} & {'"PJ11"', '"PJ12"'}
    assert {said for piece, said in asked if piece == '"PJ16"'} == {'"CPS"'}


def test_a_dossier_of_no_level_is_not_complete(decide):
    assert decide("D8", {}).outputs == {"manquantes": [], "complet": False}


def ago(days):
    return TODAY - dt.timedelta(days=days)


def paid(last):
    return {"decision": "verser", "derniere": last}


def held(decision, last=False):
    return {"decision": decision, "derniere": last}


SIGNED = {"aide.contrat_signe_le": ago(5)}
STARTED = {"aide.factures_part": 90, "aide.extrait_rne": True, "aide.visite_demarrage_conforme": True, "aide.paye_le": ago(20)}
CASES = [
    ("D8b", {"k": 1, "aide.niveau": "N1"} | SIGNED, paid(True), ["verser"]),
    ("D8b", {"k": 1, "aide.niveau": "N1"}, held("attendre", True), ["attendre_sans_date"]),
    ("D8b", {"k": 2, "aide.niveau": "N1"} | SIGNED | {"aide.paye_le": ago(3)}, held("attendre", True), ["attendre"]),
    ("D8b", {"k": 1, "aide.niveau": "N2", "aide.cnss_declare": True} | SIGNED, paid(False), ["verser"]),
    ("D8b", {"k": 1, "aide.niveau": "N2", "aide.cnss_declare": False} | SIGNED, held("attendre"), ["attendre"]),
    ("D8b", {"k": 1, "aide.niveau": "N2", "aide.cnss_declare": None, "aide.contrat_signe_le": ago(59)}, held("attendre"), ["attendre"]),
    ("D8b", {"k": 1, "aide.niveau": "N2", "aide.cnss_declare": None, "aide.contrat_signe_le": ago(60)}, held("entretien"), ["entretien"]),
    ("D8b", {"k": 1, "aide.niveau": "N2", "aide.cnss_declare": None, "aide.contrat_signe_le": ago(119)}, held("entretien"), ["entretien"]),
    ("D8b", {"k": 1, "aide.niveau": "N2", "aide.cnss_declare": None, "aide.contrat_signe_le": ago(120)}, held("alerter"), ["alerter"]),
    ("D8b", {"k": 2, "aide.niveau": "N2", "aide.en_poste_6_mois": True}, paid(True), ["verser"]),
    ("D8b", {"k": 2, "aide.niveau": "N2", "aide.date_debut": ago(90)}, held("attendre", True), ["attendre"]),
    ("D8b", {"k": 2, "aide.niveau": "N2", "aide.date_debut": dt.date(2025, 7, 1)}, held("entretien", True), ["entretien"]),
    ("D8b", {"k": 1, "aide.niveau": "N3", "aide.decision": "accorde"} | SIGNED, paid(False), ["verser"]),
    ("D8b", {"k": 1, "aide.niveau": "N3", "aide.decision": "sous_reserve"} | SIGNED, held("attendre"), ["attendre"]),
    ("D8b", {"k": 1, "aide.niveau": "N3", "aide.decision": "sous_reserve", "aide.reserves_levees": True} | SIGNED, paid(False), ["verser"]),
    ("D8b", {"k": 2, "aide.niveau": "N3"} | STARTED, paid(False), ["verser"]),
    ("D8b", {"k": 2, "aide.niveau": "N3"} | STARTED | {"aide.factures_part": 89.9}, held("attendre"), ["attendre"]),
    ("D8b", {"k": 2, "aide.niveau": "N3"} | STARTED | {"aide.extrait_rne": None}, held("attendre"), ["attendre"]),
    ("D8b", {"k": 2, "aide.niveau": "N3"} | STARTED | {"aide.visite_demarrage_conforme": False, "aide.paye_le": ago(130)}, held("alerter"), ["alerter"]),
    ("D8b", {"k": 3, "aide.niveau": "N3", "aide.activite_en_marche_6_mois": True}, paid(True), ["verser"]),
    ("D8b", {"k": 3, "aide.niveau": "N3", "mesure.demarrage_le": dt.date(2025, 9, 12)}, held("attendre", True), ["attendre"]),
    ("D8b", {"k": 3, "aide.niveau": "N3", "mesure.demarrage_le": dt.date(2025, 7, 11)}, held("entretien", True), ["entretien"]),
    ("D8b", {"k": 3, "aide.niveau": "N3", "aide.paye_le": dt.date(2025, 5, 1), "aide.activite_en_marche_6_mois": False}, held("alerter", True), ["alerter"]),
    ("D8b_preuve", {"k": 1, "aide.niveau": "N1"} | SIGNED, True, ["n1_1"]),
    ("D8b_preuve", {"k": 2, "aide.niveau": "N1"} | SIGNED, False, ["rang_n1"]),
    ("D8b_preuve", {"k": 1, "aide.niveau": "N2"} | SIGNED, False, ["n2_1"]),
    ("D8b_preuve", {"k": 2, "aide.niveau": "N2", "aide.en_poste_6_mois": False}, False, ["n2_2"]),
    ("D8b_preuve", {"k": 3, "aide.niveau": "N2"}, False, ["rang_n2"]),
    ("D8b_preuve", {"k": 1, "aide.niveau": "N3"} | SIGNED, True, ["n3_1"]),
    ("D8b_preuve", {"k": 2, "aide.niveau": "N3"} | STARTED, True, ["n3_2"]),
    ("D8b_preuve", {"k": 3, "aide.niveau": "N3"}, False, ["n3_3"]),
    ("D8b_preuve", {"k": 4, "aide.niveau": "N3"}, False, ["rang_n3"]),
    ("D8b_preuve", {"k": 1}, False, ["autre"]),
    ("D10c", {"aide.niveau": "N1", "aide.montant_propose": 800}, "chef_antenne", ["petit"]),
    ("D10c", {"aide.niveau": "N1", "aide.montant_propose": 800.001}, "consultation", ["n1"]),
    ("D10c", {"aide.niveau": "N1", "aide.montant_propose": None, "aide.total": 500}, "chef_antenne", ["petit"]),
    ("D10c", {"aide.niveau": "N1", "aide.montant_propose": None, "aide.total": None}, "seance", ["sinon"]),
    ("D10c", {"aide.niveau": "N2", "aide.montant_propose": 1}, "consultation", ["n2"]),
    ("D10c", {"aide.niveau": "N3", "aide.montant_propose": 1}, "seance", ["n3"]),
    ("D10c", {"aide.niveau": "N3", "aide.montant_propose": 16000, "aide.programme": "TOUNESNA-EU"}, "seance", ["n3"]),
    ("D10c", {"aide.niveau": "N3", "aide.montant_propose": 16000.001, "aide.programme": "TOUNESNA-EU"}, "siege", ["plafond"]),
    ("D10c", {"aide.niveau": "N2", "aide.montant_propose": 15001, "aide.programme": "TOUNESNA-EU"}, "siege", ["plafond"]),
    ("D10c", {}, "seance", ["sinon"]),
]  # fmt: skip
ADVANCE = {"aide.niveau": "N1", "aide.total": 300, "urgence.avance_necessaire": True, "urgence.evaluee_le": dt.datetime(2026, 2, 20, 9, tzinfo=dt.UTC)}  # a Friday, fourteen working days ago
CASES += [
    ("D10c", ADVANCE, "avance_urgence", ["urgence"]),
    ("D10c", ADVANCE | {"aide.total": Decimal("300.001")}, "chef_antenne", ["petit"]),
    ("D10c", ADVANCE | {"urgence.avance_necessaire": False}, "chef_antenne", ["petit"]),
    ("D10c", ADVANCE | {"urgence.avance_necessaire": None}, "chef_antenne", ["petit"]),
    ("D10c", ADVANCE | {"urgence.evaluee_le": dt.datetime(2026, 2, 19, 9, tzinfo=dt.UTC)}, "chef_antenne", ["petit"]),
    ("D10c", ADVANCE | {"aide.niveau": "N2"}, "consultation", ["n2"]),
]
ALL_FOR = {"aide.prevote_ote": "favorable", "aide.prevote_cps": "favorable", "aide.prevote_aneti": "favorable"}
PROJECT = FROM_GERMANY | scored(*N70) | ALL_FOR | {"aide.programme": "TOUNESNA-EU", "aide.montant_propose": 8000}
CASES += [
    ("D10d", {"aide.niveau": "N1", "aide.montant_propose": 900} | ALL_FOR, True, ["n1_n2"]),
    ("D10d", {"aide.niveau": "N2", "aide.montant_propose": 900} | ALL_FOR, True, ["n1_n2"]),
    ("D10d", {"aide.niveau": "N2", "aide.montant_propose": 15001, "aide.programme": "TOUNESNA-EU"} | ALL_FOR, False, ["plafond"]),
    ("D10d", {"aide.niveau": "N1"} | ALL_FOR | {"aide.prevote_cps": None}, False, ["partage"]),
    ("D10d", {"aide.niveau": "N1"} | ALL_FOR | {"aide.prevote_cps": "a_debattre"}, False, ["partage"]),
    ("D10d", {"aide.niveau": "N1"} | ALL_FOR | {"aide.prevote_part": "defavorable"}, False, ["partage"]),
    ("D10d", {"aide.niveau": "N1"} | ALL_FOR | {"aide.conflit_cps": True}, False, ["partage"]),  # two are left
    ("D10d", {"aide.niveau": "N1"} | ALL_FOR | {"aide.conflit_cps": True, "aide.prevote_part": "favorable"}, True, ["n1_n2"]),
    ("D10d", PROJECT, True, ["n3"]),
    ("D10d", PROJECT | {"aide.montant_propose": 8000.001}, False, ["sinon"]),
    ("D10d", PROJECT | scored(*N55), False, ["sinon"]),
    ("D10d", PROJECT | scored(5, 5, 5, 5, 5, None), False, ["sinon"]),
    ("D10d", PROJECT | {"aide.programme": "OFII-TN-2025"}, False, ["partage"]),  # its funder has not spoken
    ("D10d", PROJECT | {"aide.programme": "OFII-TN-2025", "aide.prevote_part": "favorable"}, True, ["n3"]),
    ("D10d", PROJECT | {"aide.programme": "OFII-TN-2025", "aide.prevote_part": "favorable", "aide.conflit_part": True}, False, ["partage"]),
]


@pytest.mark.parametrize(("decision", "facts", "output", "rows"), CASES)
def test_each_case_and_each_boundary(decides, decision, facts, output, rows):
    decides(decision, facts, output, rows)


@pytest.mark.parametrize(("assessed", "closed", "route"), [
    (dt.date(2026, 2, 19), (), "chef_antenne"), (dt.date(2026, 2, 19), (dt.date(2026, 3, 9),), "avance_urgence"), (dt.date(2026, 2, 19), (dt.date(2026, 3, 8),), "chef_antenne"),
    (TODAY, (), "avance_urgence"), (dt.date(2011, 1, 3), (), "chef_antenne"),
])  # fmt: skip
def test_an_emergency_advance_is_paid_within_fourteen_working_days_holidays_not_counted(decide, assessed, closed, route):
    known = reading.dated().scope(TODAY)["parametres"] | {"jours_feries": list(closed)}
    verdict = decide("D10c", ADVANCE | {"urgence.evaluee_le": dt.datetime.combine(assessed, dt.time(9), dt.UTC)}, parametres=known)
    assert verdict.outputs == route and not verdict.findings



def present(*agencies, **more):
    return [{"nom": agency, "agence": agency, "qualite": "membre"} | more for agency in agencies]


@pytest.mark.parametrize(
    ("facts", "count", "lacking"),
    [
        ({"seance.presence": present("OTE", "CPS", "ANETI")}, 3, []),
        ({"seance.presence": present("OTE", "CPS")}, 2, ["nombre"]),
        ({"seance.presence": present("CPS", "CPS", "ANETI")}, 3, ["OTE"]),
        ({"seance.presence": present("OTE", "OTE", "CPS"), "aide.niveau": "N1"}, 3, []),
        ({"seance.presence": present("OTE", "OTE", "CPS"), "aide.niveau": "N2"}, 3, ["ANETI"]),
        ({"seance.presence": present("OTE", "OTE", "CPS"), "aide.niveau": "N3"}, 3, ["ANETI"]),
        ({"seance.presence": present("OTE", "OTE", "ANETI"), "aide.niveau": "N1"}, 3, ["CPS"]),
        ({"seance.presence": present("OTE", "CPS") + present("ANETI", qualite="secretaire")}, 2, ["nombre"]),
        ({"seance.presence": present("OTE", "CPS", "ANETI", "PART"), "aide.niveau": "N1", "aide.votes": [{"agence": "CPS", "vote": "recusation"}]}, 3, ["CPS"]),
        ({"seance.presence": present("OTE", "CPS", "ANETI"), "aide.niveau": "N1", "aide.votes": [{"agence": "ANETI", "vote": "recusation"}]}, 2, ["nombre"]),
        ({"seance.presence": present("OTE", "CPS", "ANETI", "PART"), "aide.niveau": "N2", "aide.votes": [{"agence": "ANETI", "vote": "absent"}]}, 3, ["ANETI"]),
        ({"seance.presence": present("OTE", "CPS", "CPS"), "aide.niveau": "N1", "aide.votes": [{"agence": "CPS", "vote": "pour"}]}, 3, []),
        (FROM_FRANCE | {"seance.presence": present("OTE", "CPS", "ANETI"), "aide.niveau": "N1", "aide.programme": "OFII-TN-2025"}, 3, ["bailleur"]),
        (FROM_FRANCE | {"seance.presence": present("OTE", "CPS", "PART"), "aide.niveau": "N1", "aide.programme": "OFII-TN-2025"}, 3, []),
        ({"seance.presence": present("OTE", "CPS") + present("ANETI", qualite="invite")}, 2, ["nombre"]),
        ({"seance.presence": None}, 0, ["nombre", "OTE"]),
    ],
)
def test_a_quorum_is_three_members_with_the_ote_the_agency_that_carries_the_measure_and_the_funder_who_must(decide, facts, count, lacking):
    assert decide("D14", facts).outputs == {"atteint": not lacking, "presents": count, "manque": lacking}
