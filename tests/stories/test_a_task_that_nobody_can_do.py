"""A task whose role nobody holds in the branch (X13): the head of its agency is asked, then the coordinator, who fills the post and does not do the task."""

import pytest
from sqlalchemy import text

from engine import errors
from engine.casework import tasks
from tests import world as worlds


@pytest.fixture
def empty(tunisia):
    """Nobody is a social worker in Médenine any more."""
    world = worlds.World(tunisia)
    case = world.receive(world.somebody("emploi"))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case, node)
    with tunisia.owner() as connection:
        gone = connection.execute(text("UPDATE user_account SET is_active = false WHERE branch = 'MED' AND 'travailleur_social' = ANY (roles) RETURNING user_id")).scalars().all()
    yield world, case
    with tunisia.owner() as connection:
        connection.execute(text("UPDATE user_account SET is_active = true WHERE user_id = ANY (:gone)"), {"gone": gone})


def test_the_head_of_the_agency_is_asked_then_the_coordinator_who_fills_the_post(empty):
    world, case = empty
    assert "T992_CPS" not in world.nodes(case)
    world.passes(days=11)
    rows = {row.node: row for row in world.open_tasks(case)}
    assert (rows["T992_CPS"].agency, rows["T992_CPS"].role) == ("CPS", "chef_cps") and "T202" in rows, "the task itself stays where it is, with its agency"
    known = world.facts("orpheline.")
    assert known["orpheline.role"] == "travailleur_social" and known["orpheline.antenne_relais"] in ("SFX", "TUN")
    world.passes(days=5)
    rows = {row.node: row for row in world.open_tasks(case)}
    assert "T992_CPS" not in rows and rows["T993"].role == "coordinateur"
    who = world.who_does(rows["T993"])
    with pytest.raises(errors.Refusal), world.database.unit_of_work(who) as session:
        tasks.claim(session, who, rows["T202"].task_id)
    world.does(case, "T993", orpheline__suite_detail="Un recrutement")
    assert world.incidents() == []


def test_somebody_tells_of_one_by_hand_and_the_head_finds_who_does_it(empty):
    world, case = empty
    world.begins(case, "tache_orpheline", world.agent("OTE", "MED", "referent"), orpheline__role="conseiller_emploi", orpheline__cause="agent_absent")
    world.does(case, "T992_ANETI", orpheline__suite="ici", orpheline__suite_detail="Le chef de bureau")
    assert world.beside(case, world.agent("OTE", "MED", "referent")).running == ()
