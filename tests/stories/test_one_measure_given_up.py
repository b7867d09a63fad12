"""A person gives up one measure of her plan (X4): after the days to change her mind that one ends, with its tasks, its aid and what was agreed for it; the others go on."""

import datetime as dt

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import users
from engine.casework import appointments, cases, letters, notices
from tests import world as worlds
from tests.stories.test_aids_off_the_straight_road import instances


def plan(*kinds):
    return [{"mesure.type": kind, "mesure.agence": agency, "mesure.debut": "@+3", "mesure.aide_demandee": aid, "mesure.cout_estime": 300_000 if aid else None} for kind, agency, aid in kinds]


def gives_up(world, case_id, kind):
    world.begins(case_id, "desistement", world.agent("OTE", "MED", "referent"), desistement__portee="mesure", desistement__mesure=kind)
    world.does(case_id, "T921", desistement__maintenu=True, desistement__retractation_expliquee=True, desistement__motif="demenagement")


def issues(world, case_id):
    """The outcome of each measure of a plan, by its kind."""
    with world.database.reading(users.system()) as session:
        return dict(session.execute(text("""SELECT k.value #>> '{}', i.value #>> '{}' FROM fact k LEFT JOIN fact i ON i.subject = k.subject AND i.field = 'mesure.issue' AND i.is_current
                                             WHERE k.root_id = :case AND k.field = 'mesure.type' AND k.is_current"""), {"case": case_id}).all())


@pytest.fixture
def two(world):
    """A case that looks for a job with ANETI, and for support with social promotion."""
    case_id = world.receive(world.somebody("emploi", **{"plan.mesures": plan(("M13", "ANETI", False), ("M05", "CPS", False))}))
    accepts = world.reaches("T301")
    world.answers(accepts)
    while "T402" not in world.nodes(case_id):
        world.answers(world.reaches("T4"))
    return case_id


def meets(world, case_id, node, days):
    """Whoever does a task agrees with the person on a day, from that task; without one, from the case's page."""
    row = next((one for one in world.open_tasks(case_id) if one.node == node), None)
    actor = world.who_does(row) if row else world.agent("OTE", "MED", "referent")
    with world.database.unit_of_work(actor) as session:
        hours = appointments.offer(session, actor, case_id, agent_id=actor.user_id, day=world.today() + dt.timedelta(days=days))
        return actor, appointments.make(session, actor, case_id, actor.user_id, hours.slots[0], 30, "bureau_emploi", task_id=row and row.task_id)


def test_that_one_ends_with_its_tasks_and_what_was_agreed_for_it_once_she_may_change_her_mind_no_more(world, two):
    adviser, hers = meets(world, two, "T402", 25)
    _, others = meets(world, two, "", 26)
    gives_up(world, two, "M13")
    world.passes(days=9)
    assert {"T402", "T304"} <= set(world.nodes(two)), "she may still change her mind"
    world.passes(days=3)
    assert "T402" not in world.nodes(two) and "T304" in world.nodes(two), "hers ended, the other goes on"
    assert not [node for node in world.nodes(two) if node.startswith("T4")] and "T923" not in world.nodes(two), "nobody has it to do by hand"
    assert issues(world, two) == {"M13": "abandonnee", "M05": None}
    with world.database.reading(adviser) as session:
        off, kept = appointments.show(session, adviser, hers), appointments.of_case(session, adviser, two)
        paper = letters.read(session, adviser, off.letter_id)
        assert "appointment.given_up" in [one.code for one in notices.mine(session, adviser).items]
    assert off.state == "cancelled" and paper.template == "rendez_vous_annule" and "renoncé à cette mesure" in str(paper.content)
    assert next(one.state for one in kept if one.appointment_id == others) == "set", "what was agreed for something else stands"
    head = world.agent("OTE", "MED", "chef_antenne")
    with world.database.reading(head) as session:
        told = [one.kind for one in cases.history(session, head, two).items]
    assert "appointment.given_up" in told and {"desistement.motif": "demenagement"}.items() <= world.facts("desistement.").items()
    assert world.incidents() == [] and world.stands(two).status == "open"


def test_what_is_agreed_from_the_cases_page_may_name_the_measure_it_serves_and_is_called_off_with_it(world, two):
    referent = world.agent("OTE", "MED", "referent")

    def agrees(days, measure=""):
        with world.database.unit_of_work(referent) as session:
            hours = appointments.offer(session, referent, two, agent_id=referent.user_id, day=world.today() + dt.timedelta(days=days))
            return hours, appointments.make(session, referent, two, referent.user_id, hours.slots[0], 30, "antenne", measure=measure)

    hours, of_the_case = agrees(25)
    named = {one.name: one.subject for one in hours.measures}
    assert len(named) == 2 and not any(name.startswith("M") and name[1:].isdigit() for name in named), "by their names, not their codes"
    job = next(subject for name, subject in named.items() if "emploi" in name.lower())
    _, of_the_job = agrees(26, job)
    with pytest.raises(errors.Invalid, match=r"appointment\.measure"):
        agrees(27, f"mesure:{of_the_case}")
    with world.database.reading(referent) as session:
        assert (appointments.show(session, referent, of_the_job).measure, appointments.show(session, referent, of_the_case).measure) == (next(name for name, subject in named.items() if subject == job), "")
    gives_up(world, two, "M13")
    world.passes(days=16)
    with world.database.reading(referent) as session:
        states = {one.appointment_id: one.state for one in appointments.of_case(session, referent, two)}
    assert (states[of_the_job], states[of_the_case]) == ("cancelled", "set")


def test_whoever_changes_her_mind_goes_on_and_of_what_is_not_under_way_a_person_is_told(world, two):
    gives_up(world, two, "M13")
    world.does(two, "T922")
    world.passes(days=16)
    assert "T402" in world.nodes(two) and issues(world, two)["M13"] is None
    gives_up(world, two, "M13")
    world.passes(days=16)
    gives_up(world, two, "M13")
    world.passes(days=16)
    assert "T923" in world.nodes(two), "it is not under way any more: the case owner takes it off the plan"


def test_the_aid_that_was_asked_for_it_ends_with_it_and_no_other(world):
    case_id = world.receive(world.somebody("social", **{"plan.mesures": plan(("M01", "CPS", True), ("M02", "CPS", True))}))
    while len(instances(world, "dossier_aide")) < 2:
        world.answers(world.reaches("T", but=[row.task_id for row in world.open_tasks() if row.node.startswith("T6")]))
    gives_up(world, case_id, "M02")
    world.passes(days=16)
    with world.database.reading(users.system()) as session:
        ended = session.execute(text("""SELECT f.value #>> '{}', i.outcome FROM instance i JOIN fact f ON f.subject = 'mesure:' || split_part(i.subject, ':', 2) AND f.field = 'mesure.type' AND f.is_current
                                         WHERE i.process = 'dossier_aide' AND i.status = 'ended'""")).all()
    assert [tuple(one) for one in ended] == [("M02", "desistement")] and issues(world, case_id) == {"M01": None, "M02": "abandonnee"} and world.incidents() == []


def test_a_measure_that_took_another_way_beside_the_case_is_given_up_too(world):
    gone = world.receive(world.somebody("emploi"))
    world.answers(world.reaches("T401"), mesure__acceptation="refusee", mesure__acceptation_motif="Pas de conseiller", mesure__contre_proposition="M24")
    world.does(gone, "T976", refus__reponse="reorienter", refus__autre_mesure="M24")
    assert "T301" in world.nodes(gone)
    gives_up(world, gone, "M24")
    world.passes(days=16)
    assert issues(world, gone)["M24"] == "abandonnee" and world.incidents() == []
    assert "reorientation" not in {one.process for one in world.beside(gone, world.agent("OTE", "MED", "chef_antenne")).running}
