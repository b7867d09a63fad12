"""Who is told of a late task beyond its own post is a person, who finds it on her page: also of what waits at the headquarters or with a partner for another branch's case."""

import pytest
from sqlalchemy import text

from engine.actors import users
from engine.casework import notices
from tests import world as worlds


@pytest.fixture(scope="module")
def world(make_database):
    return worlds.World(make_database(worlds.furnish))


@pytest.mark.parametrize(("node", "agency", "role"), [("T603", "OTE", "coordinateur"), ("T702_operateur", "OTE", "chef_antenne")])
def test_whoever_answers_for_a_late_task_is_named_and_sees_it(world, node, agency, role):
    world.receive(world.somebody("creation", 4 if node == "T603" else 5, visite__confiee_a="operateur"))
    task = world.reaches(node, days=400)
    told = late(world, task)
    assert [(one.agency, role in one.roles) for one in told] == [(agency, True)], "one person, by name"
    for actor in world.staff.values():
        unread, shown = world.news(actor)
        assert unread == len(shown), f"what the bell of {actor.username} counts is on the page"


def late(world, task):
    """Those on whose page it stands that the task is late, once it was told for the second time."""
    def left():
        with world.database.reading(users.system()) as session:
            row = session.execute(text("SELECT reminders, remind_at - masar_now() AS left FROM open_task WHERE task_id = :task"), {"task": task.task_id}).one()
        return row.left if row.reminders < 2 else None

    while (seconds := left()) is not None:
        world.passes(seconds=seconds.total_seconds() + 1)
    return [actor for actor in world.staff.values() if (task.task_id, "task.late") in of(world, actor)]


def of(world, actor):
    with world.database.reading(actor) as session:
        return [(one.task_id, one.code) for one in notices.mine(session, actor).items]
