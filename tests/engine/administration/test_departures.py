"""Who leaves, or is moved, leaves her tasks to her colleagues: on the real pathway, with what the ledger says of it."""

import pytest
from sqlalchemy import text

from engine import doctor
from engine.actors import accounts, users
from engine.casework import tasks, timers
from tests.world import World, furnish

REASON = "Mutation"


@pytest.fixture(scope="module")
def world(make_database):
    database = make_database(furnish)
    return World(database)


def as_admin(world, verb, *given, **named):
    actor = world.staff["administration"]
    with world.database.unit_of_work(actor) as session:
        return verb(session, actor, *given, **named)


def task(world, case_id):
    return world.open_tasks(case_id)[0]


def claimed(world, actor):
    case_id = world.receive()
    with world.database.unit_of_work(actor) as session:
        tasks.claim(session, actor, task(world, case_id).task_id)
    return case_id


def test_the_tasks_of_a_closed_account_go_back_to_the_queue_with_a_line(world):
    salma = world.agent("OTE", "MED", "agent_accueil")
    case_id = claimed(world, salma)
    assert task(world, case_id).holder_id == salma.user_id
    as_admin(world, accounts.close, salma.user_id, REASON, is_known=True)
    assert task(world, case_id).holder_id == salma.user_id, "the job gives it back, not the administrator, who reaches no case"
    assert timers.settle(world.database) == 1 and timers.settle(world.database) == 0
    assert task(world, case_id).holder_id is None
    with world.database.reading(users.system()) as session:
        last = session.execute(text("SELECT kind, line::jsonb -> 'body' ->> 'left_by' AS who FROM ledger_line WHERE instance_id = :id ORDER BY seq DESC LIMIT 1"), {"id": case_id}).one()
    assert tuple(last) == ("task.released", str(salma.user_id))
    assert doctor.examine(world.database).is_well


def test_of_whoever_is_moved_only_what_she_can_do_no_more_goes_back(world):
    karim = world.agent("OTE", "MED", "referent")
    as_admin(world, accounts.set_rights, karim.user_id, "OTE", "MED", ["referent", "agent_accueil"], REASON)
    both = users.Actor(karim.user_id, karim.username, karim.name, "OTE", "MED", frozenset({"referent", "agent_accueil"}))
    case_id = claimed(world, both)
    as_admin(world, accounts.set_rights, karim.user_id, "OTE", "MED", ["agent_accueil"], REASON, is_known=True)
    timers.settle(world.database)
    assert task(world, case_id).holder_id == karim.user_id, "it is of a role that she still holds"
    as_admin(world, accounts.set_rights, karim.user_id, "OTE", "MED", ["referent"], REASON, is_known=True)
    timers.settle(world.database)
    assert task(world, case_id).holder_id is None
