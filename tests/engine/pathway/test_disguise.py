"""A scenario made of a real walk is about nobody: what would tell who she is goes, or the scenario is refused; the walk stays the same."""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest

from engine import errors
from engine.pathway import disguise, scenarios
from engine.pathway.scenario_files import Scenario, write
from engine.pathway.sources import Sources
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.drawing import Case

FORMS = Path(__file__).parents[3] / "forms"
WHO = "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d4e"
FACTS = {
    "case": {
        "person": {"nom_fr": "Zarrouk", "cin": "09876543", "tel": "+21698765432", "naissance_date": dt.date(1991, 7, 23), "sexe": "F", "delegation": "TN-82-07"},
        "foyer": {"membres": [{"id": WHO, "prenom": "Sana", "naissance": dt.date(2015, 3, 9), "handicap": True}]},
        "depistage": {"risque_pour_soi": True, "enfants_charge_seule": True}, "social": {"besoins_estimation": Decimal("1234.567"), "sante_detail": "asthme"},
        "retour": {"date": dt.date(2026, 1, 4)}, "dossier": {"numero": "TN-MED-2026-00042", "antenne": "MED", "ouvert_le": dt.date(2026, 1, 5)},
    },
    f"mesure:{WHO}": {"mesure": {"type": "M01", "cout_estime": Decimal("16000")}},
}  # fmt: skip


def sources(condition):
    files = {f"forms/dictionary/{path.name}": path.read_bytes() for path in (FORMS / "dictionary").glob("*.toml")}
    drawn = draw.diagram(draw.process(draw.start(), draw.end(), draw.user("a"), draw.user("b"), draw.user("c"), draw.xor("x", default="x__c"), draw.catch("w", draw.timer("Duration", "P1M")),
                                      draw.flows("start > a > x", f"x > {{{condition}}} b > w > end", "x > c > end")))  # fmt: skip
    return Sources({**files, "processes/p.bpmn": drawn})


def walked(condition):
    found = sources(condition)
    case = Case(found.definitions, variables={"instance": WHO, "numero": "TN-MED-2026-00042", "branche": "MED"}, facts=FACTS)
    case.now += dt.timedelta(days=40, minutes=17)
    case.do("a", note="Vu avec Mme Zarrouk", le="2026-02-14", niveau="N2")
    if "b" in case.tasks:
        case.do("b").ring("w")
    return found, Scenario("Essai", "p", "case", scenarios.record(found.definitions, "p", case.history))


def made(condition):
    found, scenario = walked(condition)
    return scenario, disguise.disguise(found, scenario)


def test_nothing_of_her_is_left_and_the_walk_is_the_same():
    scenario, disguised = made('person.sexe = "F" and social.besoins_estimation >= 1000 and person.naissance_date < date("2000-01-01")')
    written = write(disguised).decode()
    for value in ("Zarrouk", "09876543", "98765432", "1991-07-23", "TN-82-07", "Sana", "2015-03-09", "1234", "asthme", "00042", WHO, "2026", "Mme"):
        assert value not in written, value
    assert [(step.act, step.node, step.opens, step.ends) for step in disguised.steps] == [(step.act, step.node, step.opens, step.ends) for step in scenario.steps]
    assert all(step.at.minute == 0 for step in disguised.steps if step.act != "timer") and not re.search("handicap|risque_pour_soi", written), "health stays out"
    hers = disguised.steps[0].facts["case"]["person"]
    assert hers["sexe"] == "F" and hers["naissance_date"].day == 1 and disguised.steps[0].facts["case"]["social"]["besoins_estimation"] in (Decimal(1000), Decimal(1200))


def test_a_walk_that_depends_on_her_health_makes_no_scenario():
    with pytest.raises(errors.Invalid, match="scenario.personal"):
        made("depistage.risque_pour_soi = true")
    with pytest.raises(errors.Invalid, match="scenario.personal"):
        made("count(foyer.membres[item.handicap = true]) > 0")


def test_a_walk_that_depends_on_who_she_is_makes_no_scenario():
    for condition in ('person.nom_fr = "Zarrouk"', 'person.cin = "09876543"', 'person.naissance_date = date("1991-07-23")'):
        with pytest.raises(errors.Invalid, match="scenario.personal"):
            made(condition)


def test_words_of_the_procedure_stay():
    _, disguised = made('niveau = "N2" and mesure_type = null')
    assert disguised.steps[1].values == {"note": "texte", "le": disguised.steps[1].values["le"], "niveau": "N2"} and disguised.steps[1].values["le"] < "2001"
    assert disguised.steps[0].values["branche"] == "MED" and disguised.steps[0].values["numero"].startswith("TN-MED-19")


def test_a_title_names_no_case():
    assert disguise.names_a_case("Comme tn-med-2026-00042") and disguise.names_a_case(WHO) and not disguise.names_a_case("Retour volontaire")
