"""An agency refuses a referral, or lets the days pass: it comes back to the case owner; after a second refusal a named person decides, and nobody goes back and forth."""

import pytest

from engine import errors
from engine.actors import users
from engine.casework import exceptions, rebuilt
from tests import world as worlds


@pytest.fixture
def asked(world):
    """A measure of ANETI's that waits for its answer: the case and the task."""
    case = world.receive(world.somebody("emploi"))
    return case, world.reaches("T401")


REFUSED = {"mesure__acceptation": "refusee", "mesure__acceptation_motif": "Pas de conseiller", "mesure__contre_proposition": "M24"}


def told(world, case):
    with world.database.reading(users.system()) as session:
        parts = session.execute(worlds.text("SELECT instance_id FROM instance WHERE root_id = :id"), {"id": case}).scalars().all()
        return {one for part in parts for one in rebuilt.differences(session, part)}


def test_two_refusals_are_decided_by_a_named_person_and_the_measure_goes_another_way(world, asked):
    case, first = asked
    world.answers(first, **REFUSED)
    assert next(row for row in world.open_tasks(case) if row.node == "T976").role == "referent"
    world.does(case, "T976", refus__reponse="maintenir", refus__arguments="Il a un contrat en vue.")
    world.does(case, "T978", **REFUSED)
    row = next(row for row in world.open_tasks(case) if row.node == "T979")
    who = next(one for one in world.staff.values() if one.user_id == row.holder_id)
    assert "coordinateur" in who.roles, "somebody has it by name"
    world.does(case, "T979", refus__decision="reorienter", refus__autre_mesure="M24", refus__decision_motif="La famille d'abord.")
    assert "T301" in world.nodes(case), "the agency of the other measure is asked"
    assert "reorientation" in {one.process for one in world.beside(case, world.agent("OTE", "MED", "chef_antenne")).running}
    world.does(case, "T301", mesure__acceptation="acceptee")
    assert world.incidents() == [] and told(world, case) == set()


def test_an_agency_that_does_not_answer_in_seven_days_is_asked_again_by_the_case_owner_and_may_accept(world, asked):
    case, _ = asked
    world.passes(days=8)
    assert "T401" not in world.nodes(case) and "T976" in world.nodes(case)
    world.does(case, "T976", refus__reponse="maintenir", refus__arguments="Le délai est passé.")
    world.does(case, "T978", mesure__acceptation="acceptee")
    assert "T402" in world.nodes(case)


def test_silent_twice_is_refused_twice_and_what_is_taken_out_ends_the_measure(world, asked):
    case, _ = asked
    world.passes(days=8)
    world.does(case, "T976", refus__reponse="maintenir", refus__arguments="Le délai est passé.")
    world.passes(days=8)
    world.does(case, "T979", refus__decision="retirer", refus__decision_motif="D'accord avec elle.")
    assert not {"T402", "T979", "T401"} & set(world.nodes(case)) and world.incidents() == []


def test_a_refusal_said_on_the_telephone_is_told_from_the_cases_page_and_goes_the_same_way(world, asked):
    case, first = asked
    kind = world.facts("mesure.type")["mesure.type"]
    said = {"refus_signale__mesure": kind, "refus_signale__acceptation_motif": "Pas de conseiller", "refus_signale__contre_proposition": None}
    world.begins(case, "refus_signale", world.agent("CPS", "MED", "chef_cps"), **said)
    assert first.node in world.nodes(case), "an agency refuses what it was asked, not what another was"
    world.begins(case, "refus_signale", world.agent("OTE", "MED", "referent"), **said)
    assert first.node not in world.nodes(case) and "T976" in world.nodes(case)
    assert world.facts("mesure.acceptation") == {"mesure.acceptation": "refusee", "mesure.acceptation_motif": "Pas de conseiller"}
    world.does(case, "T976", refus__reponse="maintenir", refus__arguments="Il a un contrat en vue.")
    world.does(case, "T978", mesure__acceptation="acceptee")
    assert "T402" in world.nodes(case) and world.incidents() == [] and told(world, case) == set()


def test_only_what_is_of_the_plan_is_refused(world, asked):
    with pytest.raises(errors.Invalid):
        world.begins(asked[0], "refus_signale", world.agent("OTE", "MED", "referent"), refus_signale__mesure="M01", refus_signale__acceptation_motif="…", refus_signale__contre_proposition=None)


def test_the_measures_to_choose_from_are_those_of_the_plan(world, asked):
    """Of a refusal and of what the person gives up; once asked, no other is taken."""
    case, referent = asked[0], world.agent("OTE", "MED", "referent")
    planned = {one["mesure.type"] for one in world.truth[case]["plan.mesures"]}
    for process, field in (("refus_signale", "refus_signale.mesure"), ("desistement", "desistement.mesure")):
        with world.database.unit_of_work(referent) as session:
            form = exceptions.ask(session, referent, case, process).form
        assert next(set(one.spec.codes) for one in form.questions() if one.spec.id == field) == planned
    assert len(next(one.spec.codes for one in form.questions() if one.spec.id == "desistement.portee")) > 1
