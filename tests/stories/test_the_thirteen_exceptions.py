"""X1 to X13 (domain.md §4.9), each the same way: in the menu of the case's page for who may, not there for who may not, begun with one form, and drawn on the case's diagrams."""

import datetime as dt

import pytest

from engine import errors
from engine.casework import cases, diagrams, exceptions
from tests import world as worlds

DESK, OWNER, SOCIAL, ADVISER = ("OTE", "agent_accueil"), ("OTE", "referent"), ("CPS", "travailleur_social"), ("ANETI", "conseiller_emploi")
HEADS = {"CPS": ("CPS", "chef_cps"), "ANETI": ("ANETI", "chef_aneti")}
# what → its diagram, who may among others, who may not, what is said (the rest as is usual)
THIRTEEN = {
    "X1": ("urgence_sociale", ADVISER, ("OTE", "secretaire_commission"), {}),
    "X2": ("transfert", OWNER, ADVISER, {"transfert__antenne": "SFX", "transfert__motif": "demenagement", "transfert__adresse": "12 rue de la Liberté", "transfert__gouvernorat": "TN-61", "transfert__delegation": None}),
    "X3": ("absence", ADVISER, HEADS["CPS"], {"absence__cause": "personne"}),
    "X4": ("desistement", DESK, ADVISER, {"desistement__portee": "dossier"}),
    "X5": ("recours", DESK, ADVISER, {"recours__niveau3": False, "recours__piece": None}),
    "X6": ("reclamation", DESK, ADVISER, {"reclamation__vise_chef": False}),
    "X7": ("droits", DESK, ADVISER, {"droits__type": "acces"}),
    "X8": ("reouverture", DESK, ADVISER, {"reouverture__nouveau_retour": False}),
    "X9": ("suspension", OWNER, DESK, {"suspension__motif": "maladie", "suspension__justificatif": None}),
    "X10": ("deces_redepart", SOCIAL, DESK, {"sortie__evenement": "redepart", "sortie__preuve": None}),
    "X11": ("fraude", OWNER, DESK, {"fraude__piece": None}),
    "X12": ("refus_signale", HEADS["ANETI"], DESK, {"refus_signale__mesure": "M13", "refus_signale__acceptation_motif": "Pas de conseiller", "refus_signale__contre_proposition": None}),
    "X13": ("tache_orpheline", HEADS["CPS"], ADVISER, {"orpheline__role": "conseiller_emploi", "orpheline__cause": "agent_absent"}),
}  # fmt: skip


def member(world, who):
    """Somebody of a role in Médenine."""
    return next(one for one in world.staff.values() if one.agency == who[0] and one.branch == "MED" and who[1] in one.roles)


def drawn(world, case_id, actor):
    with world.database.reading(actor) as session:
        return {one.process: one for one in diagrams.of_case(session, diagrams.edition_of(session, actor, case_id), cases.file(session, actor, case_id), "fr")}


def test_each_is_begun_from_the_cases_page_by_who_may_with_one_form_and_is_drawn(world):
    today = world.today()
    dates = {"suspension__depuis_le": today.isoformat(), "suspension__revue_le": "@+60o", "absence__rdv_le": today.isoformat()}
    wanted = {"mesure.type": "M13", "mesure.agence": "ANETI", "mesure.debut": "@+3", "mesure.aide_demandee": False, "mesure.cout_estime": None}
    for place, (number, (process, may, may_not, said)) in enumerate(THIRTEEN.items(), 1):
        case_id = world.receive(world.somebody("emploi", place, **{"plan.mesures": [wanted]}))
        for node in ("T101", "T102", "T104", "T106"):
            world.does(case_id, node)
        if number == "X12":
            world.reaches("T401")
        if number == "X8":
            world.begins(case_id, "deces_redepart", world.agent("OTE", "MED", "referent"), sortie__evenement="redepart", sortie__preuve=None)
            world.does(case_id, "T962")
        begins, looks_on = member(world, may), member(world, may_not)
        assert process in {one.process for one in world.beside(case_id, begins).offers}, f"{number} is not in the menu of {may[1]}"
        assert process not in {one.process for one in world.beside(case_id, looks_on).offers}, f"{number} is in the menu of {may_not[1]}"
        with pytest.raises(errors.Forbidden), world.database.unit_of_work(looks_on) as session:
            exceptions.ask(session, looks_on, case_id, process)
        with world.database.reading(begins) as session:
            asked = exceptions.ask(session, begins, case_id, process)
            assert asked.form.sections and all(one.name and one.about for one in exceptions.of_case(session, begins, case_id).offers), f"{number} has one form, and says what it is for"
        world.begins(case_id, process, begins, **said, **dates)
        picture = drawn(world, case_id, world.agent("OTE", "MED", "chef_antenne"))[process]
        assert picture.here or picture.done, f"{number} is drawn where it stands"
    assert world.incidents() == []
