"""A plan revised at a visit (domain.md §4.1): one follow-up goes on, what is added is carried out beside it, and nothing closes before both are over."""

from sqlalchemy import text

from engine.actors import users
from tests import world as worlds

ACTION = {"mesure.type": "M09", "mesure.agence": "CPS", "mesure.debut": "@+3", "mesure.aide_demandee": False}


def visits(world):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT count(*) FROM task_done WHERE node = 'T702' AND outcome = 'completed'")).scalar_one()


def test_a_revision_goes_on_with_the_same_follow_up_and_nothing_closes_before_what_it_added(tunisia):
    world = worlds.World(tunisia)
    case_id = world.receive(world.somebody("social", **{"plan.mesures": [ACTION]}))
    world.answers(world.reaches("T308"))
    world.answers(world.reaches("T702"), visite__suite="ajuster")
    world.answers(world.reaches("T703"), plan__a_reviser=True)
    again = world.reaches("T206")
    assert not {"T201", "T202", "T203"} & set(world.nodes()), "nobody is assessed again"
    (first,) = world.facts("plan.mesures")["plan.mesures"]
    world.answers(again, **{"plan.mesures": [ACTION | {"id": first}, ACTION]})
    added = world.reaches("T308")
    assert world.nodes().count("T308") == 1, "what was opened is not opened again"
    before = visits(world)
    for _ in range(80):
        waiting = [row for row in world.open_tasks() if row.task_id != added.task_id]
        assert "T801" not in {row.node for row in waiting}, "a measure still runs"
        for row in waiting[:1]:
            world.answers(row)
        if not waiting:
            world.passes(days=7)
    assert visits(world) > before, "the visits go on while the added measure is carried out"
    assert world.nodes() == ["T308"]
    world.answers(added)
    world.reaches("T801")
    assert world.nodes(case_id) == ["T801"] and world.incidents() == []


SUPPORT = {"mesure.type": "M05", "mesure.agence": "CPS", "mesure.debut": "@+3", "mesure.aide_demandee": False}


def test_what_a_measure_lists_of_its_own_stands_in_nobodys_way_at_a_visit_or_a_revision(tunisia):
    """Sessions of psychosocial support are rows of a row of the plan."""
    world = worlds.World(tunisia)
    case_id = world.receive(world.somebody("social", **{"plan.mesures": [SUPPORT]}))
    world.answers(world.reaches("T304"))
    sessions = world.facts("mesure.seances_psy")["mesure.seances_psy"]
    world.answers(world.reaches("T702"), visite__suite="ajuster")
    world.answers(world.reaches("T703"), plan__a_reviser=True)
    again = world.reaches("T206")
    (first,) = world.facts("plan.mesures")["plan.mesures"]
    world.answers(again, **{"plan.mesures": [SUPPORT | {"id": first}]})
    assert world.facts("mesure.seances_psy")["mesure.seances_psy"] == sessions and len(sessions) == 1
    assert world.reaches("T208").root_id == case_id and world.incidents() == []
