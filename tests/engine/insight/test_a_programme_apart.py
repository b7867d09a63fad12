"""A case with two aid dossiers of two programmes, looked at as one of them."""

import pytest

from engine import errors, jobs
from engine.actors import users
from engine.insight import steering, waits
from tests import world as worlds

PROGRAMME = "TOUNESNA-EU"


@pytest.fixture(scope="module")
def lived(make_database):
    """One dossier is instructed for a programme, the other waits for its papers; a second case asks for nothing."""
    world = worlds.World(make_database(worlds.furnish))
    somebody = world.somebody("social", 1)
    rent = somebody["plan.mesures"][0]
    case = world.receive(somebody | {"plan.mesures": [rent, rent]})
    world.receive(world.somebody("emploi", 2))
    for node in ("T101", "T102", "T104", "T106", "T202", "T203", "T201", "T204", "T205", "T206", "T208", "T301", "T303", "T301", "T303", "T601_N1"):
        world.does(case, node)
    world.does(case, "T603", aide__programme=PROGRAMME)
    with world.database.unit_of_work(users.system()) as session:
        jobs.seal(session)
    return world, case


def look(world, programme, username="coordination"):
    actor = world.staff[username]
    with world.database.reading(actor) as session:
        asked = steering.window(session, actor, programme=programme)
        return {
            "stock": steering.numbers(session, actor, asked)["stock"], "open": waits.late(session, actor, asked).open, "nodes": {one.node: one.times for one in waits.awaited(session, actor, asked)},
            "cases": {one.case_id for one in waits.behind(session, actor, asked)[0]}, "inside": {one.name for one in waits.behind(session, actor, asked, aid=programme)[0]},
            "done": {one.code: one.cases for one in steering.indicators(session, actor, asked)}, "filed": steering.cases(session, actor, asked, "b8").items,
        }  # fmt: skip


def test_a_programme_has_its_own_dossier_of_a_case_and_no_other(lived):
    world, case = lived
    whole, part = look(world, ""), look(world, PROGRAMME)
    assert (whole["stock"], part["stock"]) == (2, 1) and part["cases"] == {case} != whole["cases"]
    assert whole["nodes"]["T601_N1"] == 1 and "T601_N1" not in part["nodes"] and part["nodes"]["T604"] == 1, "the other dossier waits for its papers: not this programme's"
    assert part["open"] == sum(part["nodes"].values()) < whole["open"] and len(part["inside"]) == 1
    assert look(world, "PAD-NL") | {"done": {}} == {"stock": 0, "open": 0, "nodes": {}, "cases": set(), "inside": set(), "done": {}, "filed": ()}


def test_of_one_programme_nothing_is_told_outside_ote(lived):
    """The same of all, less that of a programme, would be a small number."""
    world, _ = lived
    for username, code in (("coordination", "steering.programme"), (next(name for name, one in world.staff.items() if "chef_cps" in one.roles and one.branch == "MED"), "steering.programme_apart")):
        with world.database.reading(world.staff[username]) as session, pytest.raises(errors.Invalid) as refused:
            steering.window(session, world.staff[username], programme=PROGRAMME if code.endswith("apart") else "X")
        assert [one.code for one in refused.value.findings] == [code]
