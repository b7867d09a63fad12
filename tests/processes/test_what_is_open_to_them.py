"""D4a, D4 and D2: whether an inquiry is made, which branches are proposed, which programmes may help."""

import datetime as dt
import tomllib
from decimal import Decimal

import pytest

from tests.processes.reading import TODAY
from tests.world import PROCESSES
from tests.processes.test_who_comes_in import CALM

CLASS_1 = CALM
CLASS_2 = CALM | {"depistage.aucune_ressource_7j": True}
CLASS_3 = CALM | {"depistage.aucune_ressource_7j": True, "depistage.handicap": True, "depistage.enceinte": True}
CLASS_4 = CALM | {"depistage.sans_abri_ce_soir": True}
FAMILY = {"foyer.a_charge": 3, "evaluation.ressources_mensuelles": 0}
AMEN = {"enquete.amen_meme_adresse": True, "enquete.amen_date": dt.date(2025, 3, 13)}


def to(branch, measure="", review=None):
    return {"branche": branch, "mesure": measure, "revue_jours": review}


CASES = [
    ("D4a", CLASS_3 | AMEN, False, ["amen"]),
    ("D4a", CLASS_3 | AMEN | {"enquete.amen_date": dt.date(2025, 3, 12)}, True, ["classe"]),
    ("D4a", CLASS_3 | AMEN | {"enquete.amen_meme_adresse": False}, True, ["classe"]),
    ("D4a", CLASS_3 | AMEN | {"enquete.amen_meme_adresse": None}, True, ["classe"]),
    ("D4a", CLASS_3 | AMEN | {"enquete.amen_date": None}, True, ["classe"]),
    ("D4a", CLASS_4, True, ["classe"]),
    ("D4a", CLASS_2 | {"social.besoins_estimation": 500.001}, True, ["montant"]),
    ("D4a", CLASS_2 | {"social.besoins_estimation": 500}, False, ["sinon"]),
    ("D4a", CLASS_1 | FAMILY, True, ["charges"]),
    ("D4a", CLASS_1 | FAMILY | {"evaluation.ressources_mensuelles": 50}, False, ["sinon"]),
    ("D4a", CLASS_1 | FAMILY | {"evaluation.ressources_mensuelles": None}, False, ["sinon"]),
    ("D4a", CLASS_2 | {"foyer.a_charge": 3, "social.besoins_estimation": None}, True, ["charges"]),
    ("D4a", CLASS_2, False, ["sinon"]),
    ("D4", CLASS_1 | {"social.besoins_sociaux": ["loyer"], "evaluation.projet_souhaite": "emploi"}, [to("social"), to("emploi")], ["besoins", "emploi"]),
    ("D4", CLASS_2 | {"social.besoins_sociaux": ["loyer"], "evaluation.projet_souhaite": "formation"}, [to("social"), to("emploi")], ["besoins", "emploi"]),
    ("D4", CLASS_2 | {"social.besoins_sociaux": [], "evaluation.projet_souhaite": "indecis"}, [to("social"), to("emploi")], ["classe", "emploi"]),
    ("D4", CLASS_1 | {"social.besoins_sociaux": [], "evaluation.projet_souhaite": "emploi"}, [to("emploi")], ["emploi"]),
    ("D4", CLASS_1 | {"evaluation.projet_souhaite": "creation", "emploi.aptitude_entrepreneuriale": 3}, [to("projet")], ["projet"]),
    ("D4", CLASS_1 | {"evaluation.projet_souhaite": "reprise_activite", "emploi.aptitude_entrepreneuriale": 5}, [to("projet")], ["projet"]),
    ("D4", CLASS_1 | {"evaluation.projet_souhaite": "creation", "emploi.aptitude_entrepreneuriale": 2}, [to("emploi", "M18", 60)], ["creation_prepare"]),
    ("D4", CLASS_1 | {"evaluation.projet_souhaite": "reprise_activite", "emploi.aptitude_entrepreneuriale": 2}, [to("a_decider")], ["reprise_a_decider"]),
    ("D4", CLASS_1 | {"evaluation.projet_souhaite": "creation", "emploi.aptitude_entrepreneuriale": None}, [to("a_decider")], ["aptitude_inconnue"]),
    ("D4", CLASS_1 | {"evaluation.projet_souhaite": None}, [to("a_decider")], ["projet_inconnu"]),
    ("D4", CLASS_1 | {"evaluation.projet_souhaite": "etudes", "evaluation.procedures_etranger": True, "social.soutien_psy_souhaite": True},
     [to("social", "M04"), to("social", "M09"), to("social", "M05")], ["etudes", "etranger", "psy"]),
    ("D4", CLASS_1 | {"evaluation.projet_souhaite": "etudes", "evaluation.procedures_etranger": None, "social.soutien_psy_souhaite": None},
    [to("social", "M04")], ["etudes"]),
]  # fmt: skip


@pytest.mark.parametrize(("decision", "facts", "output", "rows"), CASES)
def test_each_case_and_each_boundary(decides, decision, facts, output, rows):
    decides(decision, facts, output, rows)


RETURNED = CLASS_1 | {"person.nationalite": ["TN"], "person.gouvernorat": "TN-61", "retour.prouve": True, "retour.date": dt.date(2026, 2, 1),
    "retour.type": "force_charter"}
FROM_FRANCE, FROM_GERMANY = RETURNED | {"retour.pays": "FR", "consentement.c2": True}, RETURNED | {"retour.pays": "DE"}
EURP = {"consentement.c2": True, "retour.ref_externe": "RIAT-1"}


def offers(decide, facts, today=TODAY, **changes):
    return {one["niveau"]: (one["programme"], one["plafond"], one["etat"]) for one in decide("D2", facts, today=today, **changes).outputs}


def test_an_expelled_man_from_germany_of_class_1_may_ask_for_work_and_project_aid_but_not_social_aid(decide):
    assert offers(decide, FROM_GERMANY) == {"N2": ("TOUNESNA-EU", 15000, "ouvert"), "N3": ("TOUNESNA-EU", 16000, "ouvert")}


@pytest.mark.parametrize(("screening", "is_open"), [(CLASS_1, False), (CLASS_2, True), (CLASS_3, True), (CLASS_4, True)])
def test_social_aid_of_tounesna_starts_at_class_2(decide, screening, is_open):
    assert ("N1" in offers(decide, FROM_GERMANY | screening)) is is_open


def test_of_two_offers_of_one_level_the_higher_ceiling_is_kept(decide):
    assert offers(decide, FROM_FRANCE | {"projet.viable": True})["N3"] == ("OFII-TN-2025", Decimal("23100"), "ouvert")


def test_at_equal_ceiling_an_open_offer_passes_before_one_to_verify_then_the_fund_that_ends_first(decide):
    assert offers(decide, FROM_FRANCE)["N2"] == ("TOUNESNA-EU", 15000, "ouvert")
    before = FROM_FRANCE | {"retour.date": dt.date(2025, 2, 1)}
    assert offers(decide, before, today=dt.date(2025, 3, 12))["N2"] == ("OFII-TN-2023", 15000, "ouvert")


@pytest.mark.parametrize(("viable", "project"), [(True, ("OFII-TN-2025", Decimal("23100"), "ouvert")),
    (None, ("OFII-TN-2025", Decimal("23100"), "a_verifier")), (False, ("TOUNESNA-EU", 16000, "ouvert"))])
def test_since_december_2025_ofii_pays_for_viable_projects_only(decide, viable, project):
    assert offers(decide, FROM_FRANCE | {"projet.viable": viable})["N3"] == project


def test_the_version_is_the_one_of_the_day_the_aid_was_asked(decide):
    asked = FROM_FRANCE | {"retour.date": dt.date(2025, 10, 1), "aide.date_demande": dt.date(2025, 12, 2), "aide.niveau": "N3",
        "accueil.date_demande": dt.date(2025, 11, 1)}
    assert offers(decide, asked)["N3"] == ("OFII-TN-2023", Decimal("23100"), "ouvert")
    assert offers(decide, asked | {"aide.date_demande": dt.date(2025, 12, 3)})["N3"] == ("OFII-TN-2025", Decimal("23100"), "a_verifier")
    assert decide("programme_retenu", asked | {"aide.programme": "OFII-TN-2023"}).outputs["code"] == "OFII-TN-2023"
    assert decide("programme_retenu", asked | {"aide.programme": "OFII-TN-2025"}).outputs is None


@pytest.mark.parametrize(("asked_on", "is_open"), [(dt.date(2026, 8, 1), True), (dt.date(2026, 8, 2), False)])
def test_six_months_to_file_counted_to_the_day_the_person_asked(decide, asked_on, is_open):
    found = offers(decide, FROM_GERMANY | {"accueil.date_demande": asked_on}, today=dt.date(2026, 9, 30))
    assert ("N3" in found) is is_open


def test_a_programme_may_count_to_the_validation_instead_of_the_filing(decide):
    late = {"code": "V", "version": Decimal(1), "du": dt.date(2019, 9, 1), "au": None, "date_comptee": "validation", "delai_mois": Decimal(6),
        "niveaux": [{"niveau": "N3"}]}
    facts = FROM_GERMANY | {"accueil.date_demande": dt.date(2026, 3, 1)}
    assert "N3" in offers(decide, facts, today=dt.date(2026, 8, 1), programmes=[late])
    assert offers(decide, facts, today=dt.date(2026, 8, 2), programmes=[late]) == {}
    assert "N3" in offers(decide, facts, today=dt.date(2026, 8, 2), programmes=[late | {"date_comptee": "depot"}])


def test_an_empty_fund_closes_the_programme_that_needs_it(decide):
    programme = {"code": "T", "version": Decimal(1), "du": dt.date(2019, 9, 1), "au": None, "fonds_requis": True, "niveaux": [{"niveau": "N3"}]}
    assert "N3" in offers(decide, FROM_GERMANY, programmes=[programme | {"fonds_disponibles": Decimal("0.001")}])
    assert offers(decide, FROM_GERMANY, programmes=[programme | {"fonds_disponibles": Decimal(0)}]) == {}
    assert "N3" in offers(decide, FROM_GERMANY, programmes=[programme | {"fonds_disponibles": Decimal(0), "fonds_requis": False}])


def test_the_dutch_programme_is_for_two_governorates(decide):
    assert decide("D2_offres", FROM_GERMANY | {"person.gouvernorat": "TN-23"}).outputs[-1]["programme"] == "PAD-NL"
    assert offers(decide, FROM_GERMANY | {"person.gouvernorat": "TN-23"})["N3"] == ("PAD-NL", Decimal("19800"), "ouvert")  # 6 000 € over 16 000 TND
    assert offers(decide, FROM_GERMANY | {"person.gouvernorat": None})["N3"] == ("TOUNESNA-EU", 16000, "ouvert")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("force_charter", {"PAP": ("EURP-F", Decimal("676.5"), "ouvert"), "PRP": ("EURP-F", Decimal("9900"), "ouvert")}),  # 1 000 € each of three
        # 2 000 € and 1 000 € each of two
        ("volontaire_assiste", {"PAP": ("EURP-V", Decimal("2029.5"), "ouvert"), "PRP": ("EURP-V", Decimal("13200"), "ouvert")}),
        (None, {}),
    ],
)
def test_the_european_programme_pays_in_kind_by_the_kind_of_return_and_the_family(decide, kind, expected):
    found = offers(decide, FROM_GERMANY | EURP | {"retour.pays": "IT", "retour.type": kind, "foyer.a_charge": 2})
    assert found == expected


@pytest.mark.parametrize("missing", ["consentement.c2", "retour.ref_externe"])
def test_the_european_programme_needs_the_consent_and_its_own_number(decide, missing):
    assert offers(decide, FROM_GERMANY | EURP | {"retour.pays": "IT", missing: None}) == {}


def test_what_the_funder_pays_itself_opens_no_aid_dossier_here(decide):
    found = {one["niveau"]: one["dossier_aide"] for one in decide("D2", FROM_GERMANY | EURP).outputs}
    assert found == {"N2": True, "N3": True, "PAP": False, "PRP": False}


def test_aid_of_a_level_already_received_is_not_given_again_by_a_programme_that_gives_once(decide):
    asked = FROM_FRANCE | {"projet.viable": True, "aide.niveau": "N3", "aide.cumul_declare": True}
    found = offers(decide, asked)
    assert found["N3"][0] == "TOUNESNA-EU" and found["N1"][0] == "OFII-TN-2025"


@pytest.mark.parametrize(
    "facts",
    [{"retour.date": dt.date(2025, 3, 11)}, {"person.nationalite": ["DZ"]}, {"person.nationalite": None}, {"retour.pays": None}, {"retour.pays": "LY"},
        {"retour.prouve": False}],
)
def test_nothing_is_open_to_who_is_not_admitted_or_returned_from_elsewhere(decide, facts):
    assert offers(decide, FROM_GERMANY | facts) == {}


def test_an_aid_whose_funder_sits_is_closed_without_the_consent_to_tell_him_and_the_service_and_other_aids_are_not(decide):
    refused = FROM_FRANCE | {"projet.viable": True, "consentement.c2": False}
    assert {found[0] for found in offers(decide, refused).values()} == {"TOUNESNA-EU"}
    assert {found[0] for found in offers(decide, FROM_FRANCE | {"projet.viable": True}).values()} != {"TOUNESNA-EU"}
    assert decide("D1", refused).outputs == "RECEVABLE"


def test_every_programme_whose_funder_sits_asks_for_the_consent_to_tell_him():
    programmes = tomllib.loads((PROCESSES / "programmes.toml").read_text("utf-8"))["programmes"]
    seated = [one for one in programmes if one.get("bailleur_siege")]
    assert seated and all(one.get("consentement_c2") for one in seated)
