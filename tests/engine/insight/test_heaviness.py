"""What the model alone says of the indicators, and the index of it: it changes with the drawing and with the parameters, and never stands without its parts."""

import pytest
from sqlalchemy import text

from engine.insight import heaviness, steering
from engine.pathway import burden
from tests import world as worlds

FREEZE, LONGER = b'seance.date - duration("P7D")', b'seance.date - duration("P12D")'


def look(database):
    world = worlds.World(database)
    coordinator = world.staff["coordination"]
    with database.reading(coordinator) as session:
        drawn = {one.code: one.drawn for one in steering.indicators(session, coordinator, steering.window(session, coordinator))}
        return drawn, heaviness.index(session)


@pytest.fixture(scope="module")
def database(make_database):
    return make_database(worlds.furnish)


def test_the_longest_wait_for_a_sitting_is_its_cadence_and_the_freeze_of_its_agenda(database, make_database):
    drawn, _ = look(database)
    assert drawn["b7"] == {"shortest": 0, "typical": 0, "longest": 30 + 7}, "only the longest way asks for an aid that a sitting decides"
    with database.owner() as connection:
        connection.execute(text("UPDATE parameter SET value = '20' WHERE code = 'seance_max_jours'"))
        connection.execute(text("UPDATE installation SET dated_version = dated_version + 1"))
    assert look(database)[0]["b7"]["longest"] == 20 + 7
    files = worlds.bare_files()
    path = next(name for name, content in files.items() if FREEZE in content)
    frozen = make_database()
    worlds.furnish(frozen, files | {path: files[path].replace(FREEZE, LONGER)})
    assert look(frozen)[0]["b7"]["longest"] == 30 + 12


def test_a_way_costs_its_tasks_its_visits_and_its_copies(database):
    drawn, _ = look(database)
    with database.reading(worlds.World(database).staff["coordination"]) as session:
        edition = heaviness.editions.current(session)
    walked = burden.measure(edition.definitions, edition.forms, "parcours")
    for path, ids in walked.walked.items():
        tasks = sum(one.kind in ("userTask", "manualTask") for process, those in ids.items() for one in edition.definitions.elements(process) if one.id in those)
        assert drawn["b9"][path] == tasks * 6 + walked.paths[path].visits * 8 + walked.paths[path].documents * 2
    assert 0 < drawn["b9"]["shortest"] < drawn["b9"]["typical"] < drawn["b9"]["longest"]


def test_the_index_is_the_mean_of_its_parts_at_fifty_where_each_is_at_its_target(database):
    drawn, found = look(database)
    parts = {one.code: one for one in found.parts}
    assert set(parts) == {"b1", "b2", "b3", "b4", "b5", "b7"}
    assert all(one.scores[path] == round(min(100, 50 * one.drawn[path] / one.target)) for one in found.parts for path in heaviness.PATHS)
    assert all(found.index[path] == round(sum(one.scores[path] for one in found.parts) / 6) for path in heaviness.PATHS)
    assert parts["b2"].drawn == drawn["b2"] and 0 <= found.index["shortest"] <= found.index["typical"] <= found.index["longest"] <= 100
