"""Who is told of a late task beyond its own post is a person, who finds it on her page: also of what waits at the headquarters or with a partner for another branch's case."""

import datetime as dt

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
    with world.database.reading(told[0]) as session:
        assert "task.late" in [one.code for one in notices.mine(session, told[0]).items if one.task_id == task.task_id]
    for actor in world.staff.values():
        unread, shown = world.news(actor)
        assert unread == len(shown), f"what the bell of {actor.username} counts is on the page"


def late(world, task):
    """Those in whose name the task stands once half as much time again has passed as it had."""
    asked = {"task": task.task_id}
    with world.database.reading(users.system()) as session:
        left = session.execute(text("SELECT due_at + (due_at - opened_at) * 0.6 - masar_now() FROM open_task WHERE task_id = :task"), asked).scalar_one()
    world.passes(seconds=max(left, dt.timedelta()).total_seconds())
    with world.database.reading(users.system()) as session:
        return [users.find(session, one) for one in session.execute(text("SELECT user_id FROM notice WHERE task_id = :task AND code = 'task.late' AND user_id IS NOT NULL"), asked).scalars()]
