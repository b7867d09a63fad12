"""D0, D1, D3 and D12: who is already known, who is admitted, how urgent it is, and where."""

import datetime as dt

import pytest

from engine.actors import agencies
from forms.feel import PartialDate
from tests.processes.reading import TODAY

ADULT = {"person.nationalite": ["TN"], "person.naissance_date": dt.date(1999, 1, 1), "retour.prouve": True, "retour.date": dt.date(2026, 3, 1)}
EIGHTEEN_TODAY = dt.date(TODAY.year - 18, TODAY.month, TODAY.day)
SIXTY_TODAY = dt.date(TODAY.year - 60, TODAY.month, TODAY.day)
DAY = dt.timedelta(days=1)

# The twelve questions of the screening, with their points (domain.md §4.2, D3).
POINTS = {
    "sans_abri_ce_soir": 4, "maladie_urgente": 4, "traitement_interrompu": 2, "enceinte": 2, "enfants_charge_seule": 2, "mineur_non_accompagne": 6,
    "handicap": 2,
    "violence_ou_traite_suspectee": 5, "detresse_psychologique": 2, "risque_pour_soi": 6, "aucune_ressource_7j": 3, "conflit_familial_empeche_logement": 1,
}  # fmt: skip
ROWS = dict(zip(POINTS, ("sans_abri", "maladie", "traitement", "enceinte", "parent_seul", "mineur_seul", "handicap", "violence", "detresse", "risque",
    "ressources", "conflit"), strict=True))
CALM = {f"depistage.{name}": False for name in POINTS} | {"person.naissance_date": dt.date(1999, 1, 1), "person.sexe": "F", "foyer.a_charge": 0,
    "foyer.enfants": 0}


def known(cin="non", likeness=0, case="aucun"):
    return {"doublon": {"cin": cin, "ressemblance": likeness, "dossier": case}}


OF_A_PARENT = {"accueil.dossier_parent": "TN-MED-2026-00012"}

# (decision, facts, output, rows that fire)
CASES = [
    ("D0", known("exact", 1, "ouvert"), "ouvrir_existant", ["cin_ouvert"]),
    ("D0", known("exact", 0, "clos"), "rouvrir", ["cin_clos"]),
    ("D0", known("exact", 1, "aucun"), "creer", ["cin_sans_dossier"]),
    ("D0", known("non", 0.9, "clos"), "verifier", ["ressemblance"]),
    ("D0", known("non", 1, "ouvert"), "verifier", ["ressemblance"]),
    ("D0", known("non", 0.89, "ouvert"), "creer", ["nouveau"]),
    ("D0", known(), "creer", ["nouveau"]),
    ("D1", ADULT | {"person.nationalite": ["FR", "DZ"]}, "NON_RECEVABLE", ["non_tunisien"]),
    ("D1", ADULT | {"person.nationalite": ["FR", "TN"]}, "RECEVABLE", ["recevable"]),
    ("D1", ADULT | {"person.nationalite": None}, "A_COMPLETER", ["nationalite_inconnue"]),
    ("D1", ADULT | {"person.naissance_date": EIGHTEEN_TODAY}, "RECEVABLE", ["recevable"]),
    ("D1", ADULT | {"person.naissance_date": EIGHTEEN_TODAY + DAY, "accueil.accompagne": True} | OF_A_PARENT, "RATTACHE", ["mineur_en_famille"]),
    ("D1", ADULT | {"person.naissance_date": EIGHTEEN_TODAY + DAY, "accueil.accompagne": True}, "RECEVABLE", ["mineur_avec_parent_sans_dossier"]),
    ("D1", ADULT | {"person.naissance_date": EIGHTEEN_TODAY + DAY, "accueil.accompagne": False}, "MINEUR_SEUL", ["mineur_seul"]),
    ("D1", ADULT | {"person.naissance_date": EIGHTEEN_TODAY + DAY, "accueil.accompagne": None}, "MINEUR_SEUL", ["mineur_seul"]),
    ("D1", ADULT | {"person.naissance_date": PartialDate(1990)}, "RECEVABLE", ["recevable"]),
    ("D1", ADULT | {"person.naissance_date": PartialDate(EIGHTEEN_TODAY.year)}, "A_COMPLETER", ["age_incertain"]),
    ("D1", ADULT | {"person.naissance_date": None}, "A_COMPLETER", ["age_incertain"]),
    ("D1", ADULT | {"person.naissance_date": PartialDate(2012, 5), "accueil.accompagne": True} | OF_A_PARENT, "RATTACHE", ["mineur_en_famille"]),
    ("D1", ADULT | {"retour.prouve": False}, "A_COMPLETER", ["retour_non_prouve"]),
    ("D1", ADULT | {"retour.prouve": None}, "A_COMPLETER", ["retour_non_prouve"]),
    ("D1", ADULT | {"retour.date": dt.date(2025, 3, 12)}, "RECEVABLE", ["recevable"]),
    ("D1", ADULT | {"retour.date": dt.date(2025, 3, 11)}, "SERVICE_SEUL", ["service_seul"]),
    ("D1", ADULT | {"retour.date": dt.date(2025, 3, 11), "accueil.date_demande": dt.date(2026, 3, 11)}, "RECEVABLE", ["recevable"]),
    ("D1", ADULT | {"retour.date": None}, "A_COMPLETER", ["date_inconnue"]),
    ("D3_alerte", CALM, False, []),
    ("D12", {"person.gouvernorat": "TN-82"}, "MED", ["couvre"]),
    ("D12", {"person.gouvernorat": "TN-82", "accueil.antenne_choisie": "TUN"}, "TUN", ["choix"]),
    ("D12", {"person.gouvernorat": None}, "TUN", ["siege"]),
]  # fmt: skip
CASES += [("D3_points", CALM | {f"depistage.{name}": True}, points, [f"{ROWS[name]}_oui"]) for name, points in POINTS.items()]
CASES += [
    ("D3_points", CALM | {f"depistage.{name}": None}, points / 2, [f"{ROWS[name]}_inconnu"])
    for name, points in POINTS.items()
    if name not in ("enfants_charge_seule", "mineur_non_accompagne")
]
CASES += [
    ("D3_points", CALM | {"depistage.enfants_charge_seule": None, "foyer.enfants": 1}, 1, ["parent_seul_inconnu"]),
    ("D3_points", CALM | {"depistage.enfants_charge_seule": None, "foyer.enfants": None}, 1, ["parent_seul_inconnu"]),
    ("D3_points", CALM | {"depistage.enfants_charge_seule": None}, 0, []),
    ("D3_points", CALM | {"depistage.mineur_non_accompagne": None, "person.naissance_date": EIGHTEEN_TODAY + DAY}, 3, ["mineur_seul_inconnu"]),
    ("D3_points", CALM | {"depistage.mineur_non_accompagne": None, "person.naissance_date": None}, 3, ["mineur_seul_inconnu"]),
    ("D3_points", CALM | {"depistage.mineur_non_accompagne": None}, 0, []),
    ("D3_points", CALM | {"depistage.enceinte": None, "person.sexe": "M"}, 0, []),
    ("D3_points", CALM | {"foyer.a_charge": 3}, 1, ["charges"]),
    ("D3_points", CALM | {"foyer.a_charge": 2}, 0, []),
    ("D3_points", CALM | {"person.naissance_date": SIXTY_TODAY}, 1, ["aine"]),
    ("D3_points", CALM | {"person.naissance_date": SIXTY_TODAY + DAY}, 0, []),
    ("D3_points", CALM | {"person.naissance_date": PartialDate(SIXTY_TODAY.year)}, 0, []),
]


@pytest.mark.parametrize(("decision", "facts", "output", "rows"), CASES)
def test_each_case_and_each_boundary(decides, decision, facts, output, rows):
    decides(decision, facts, output, rows)


def classed(decide, facts):
    verdict = decide("D3", facts)
    told = verdict.outputs
    return told["classe"], told["priorite"], told["delai_jours"], told["unite"], verdict.rules[0].removeprefix("D3_")


STANDARD, MEDIUM = (1, "standard", 7, "jours", "standard"), (2, "moyenne", 5, "jours_ouvres", "moyenne")
HIGH, URGENT = (3, "haute", 2, "jours_ouvres", "haute"), (4, "urgente", 0, "jours_ouvres", "urgent")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, STANDARD),
        ({"handicap": True}, STANDARD),  # 2
        ({"handicap": True, "conflit_familial_empeche_logement": None}, STANDARD),  # 2.5
        ({"aucune_ressource_7j": True}, MEDIUM),  # 3
        ({"risque_pour_soi": None, "violence_ou_traite_suspectee": None}, MEDIUM),  # 5.5: the two questions asked in private, not yet asked
        ({"aucune_ressource_7j": True, "handicap": True, "conflit_familial_empeche_logement": None}, MEDIUM),  # 5.5
        ({"aucune_ressource_7j": True, "handicap": True, "conflit_familial_empeche_logement": True}, HIGH),  # 6
        ({"enfants_charge_seule": True, "aucune_ressource_7j": True, "traitement_interrompu": True}, HIGH),  # 7: the walk-through B
        ({"sans_abri_ce_soir": None, "maladie_urgente": None, "risque_pour_soi": None}, HIGH),  # 7, and unknown never makes it urgent
        ({"sans_abri_ce_soir": True}, URGENT),
        ({"maladie_urgente": True}, URGENT),
        ({"mineur_non_accompagne": True}, URGENT),
        ({"violence_ou_traite_suspectee": True}, URGENT),
        ({"risque_pour_soi": True}, URGENT),
    ],
)
def test_the_class_and_its_delay(decide, answers, expected):
    assert classed(decide, CALM | {f"depistage.{name}": answer for name, answer in answers.items()}) == expected


def test_only_the_questions_worth_four_points_raise_the_alarm(decide):
    raised = {name for name in POINTS if decide("D3_alerte", CALM | {f"depistage.{name}": True}).outputs}
    assert raised == {name for name, points in POINTS.items() if points >= 4}


def test_every_governorate_has_the_branch_that_answers_for_it(decide):
    expected = {governorate: branch.code for branch in agencies.BRANCHES for governorate in branch.governorates}
    assert len(expected) == 24
    assert {governorate: decide("D12", {"person.gouvernorat": governorate}).outputs for governorate in expected} == expected


def test_a_branch_receives_its_governorate_from_the_day_it_opens(decide):
    first = {"code": "SFX", "ouverte_le": dt.date(2019, 9, 1), "gouvernorats": ["TN-61", "TN-71"]}
    newer = {"code": "GAF", "ouverte_le": dt.date(2026, 6, 1), "gouvernorats": ["TN-71"]}
    asked = {"person.gouvernorat": "TN-71"}
    assert decide("D12", asked, antennes=[first, newer]).outputs == "SFX"
    assert decide("D12", asked, today=dt.date(2026, 6, 1), antennes=[first, newer]).outputs == "GAF"
