"""A task whose role nobody holds in the branch (X13): colleagues of its agency in another branch have it; where there are none the head of the agency is asked, then the
coordinator, who fills the post and does not do the task."""

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import users
from engine.casework import cases, rebuilt, tasks
from tests import world as worlds


def emptied(tunisia, branches):
    """Nobody is a social worker there any more; the interview of a case of Médenine waits for one."""
    world = worlds.World(tunisia)
    case = world.receive(world.somebody("emploi"))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case, node)
    with tunisia.owner() as connection:
        gone = connection.execute(text("UPDATE user_account SET is_active = false WHERE branch = ANY (:branches) AND 'travailleur_social' = ANY (roles) RETURNING user_id"),
                                  {"branches": branches}).scalars().all()  # fmt: skip
    yield world, case
    with tunisia.owner() as connection:
        connection.execute(text("UPDATE user_account SET is_active = true WHERE user_id = ANY (:gone)"), {"gone": gone})


@pytest.fixture
def empty(tunisia):
    yield from emptied(tunisia, ["MED"])


@pytest.fixture
def nobody(tunisia):
    yield from emptied(tunisia, ["MED", "SFX", "TUN"])


def test_it_is_lent_to_colleagues_of_the_same_agency_in_another_branch_until_it_is_done(empty):
    world, case = empty
    world.passes(days=11)
    row = next(one for one in world.open_tasks(case) if one.node == "T202")
    assert row.branch in ("SFX", "TUN") and not [one for one in world.nodes(case) if one.startswith("T99")], "lent, and nobody is asked to find anybody"
    worker = world.agent("CPS", row.branch, "travailleur_social")
    assert "T202" in {one.node for one in world.desk(worker, "queue").items} and world.file(case, worker).person
    for other in (world.agent("OTE", row.branch, "chef_antenne"), world.agent("ANETI", row.branch)):
        with pytest.raises(errors.NotFound):
            world.file(case, other)
    with pytest.raises(errors.Refusal), world.database.unit_of_work(world.agent("OTE", "MED", "referent")) as session:
        tasks.claim(session, world.agent("OTE", "MED", "referent"), row.task_id)
    with world.database.unit_of_work(worker) as session:
        view = tasks.view(session, worker, row.task_id)
        assert cases.stays_hers(session, worker, case)
        tasks.complete(session, worker, row.task_id, worlds.answers.to(view.form, world.truth[case], world.today(), worker, session), view.version)
        assert not cases.stays_hers(session, worker, case), "the desk has no link to what is hers no more"
    world.settle()
    with world.database.reading(worker) as session, pytest.raises(errors.NotFound):
        cases.file(session, worker, case)
    with world.database.reading(users.system()) as session:
        kept = session.execute(text("SELECT branch, social_worker_id, lent_to FROM instance WHERE instance_id = :id"), {"id": case}).one()
        parts = session.execute(text("SELECT instance_id FROM instance WHERE root_id = :id"), {"id": case}).scalars().all()
        assert {one for part in parts for one in rebuilt.differences(session, part)} == set()
    assert tuple(kept) == ("MED", None, ""), "the case is where it was, and hers no more than before"
    assert world.incidents() == []


def test_where_there_are_none_the_head_of_the_agency_is_asked_then_the_coordinator_who_fills_the_post(nobody):
    world, case = nobody
    assert "T992_CPS" not in world.nodes(case)
    world.passes(days=11)
    rows = {row.node: row for row in world.open_tasks(case)}
    assert (rows["T992_CPS"].agency, rows["T992_CPS"].role) == ("CPS", "chef_cps") and rows["T202"].branch == "MED", "the task itself stays where it is, with its agency"
    assert world.facts("orpheline.")["orpheline.role"] == "travailleur_social"
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
