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
    """Targets of domain.md §5.3: questions asked again in percent, papers, visits, hand-overs, days to a first service, days to a decision."""
    drawn, found = look(database)
    parts = {one.code: one for one in found.parts}
    targets = {"b1": 2, "b2": 5, "b3": 3, "b4": 6, "b5": 15, "b7": 30}
    with database.reading(worlds.World(database).staff["coordination"]) as session:
        edition = heaviness.editions.current(session)
    walked = burden.measure(edition.definitions, edition.forms, "parcours").paths
    assert walked["longest"].questions_again > 0, "else the first part says nothing"
    said = {path: {code: drawn[code][path] for code in targets} | {"b1": 100 * one.questions_again / one.questions} for path, one in walked.items()}
    scores = {path: {code: round(min(100, 50 * number / targets[code])) for code, number in numbers.items()} for path, numbers in said.items()}
    assert {path: {code: parts[code].scores[path] for code in parts} for path in scores} == scores
    assert found.index == {path: round(sum(ones.values()) / 6) for path, ones in scores.items()}
    assert parts["b2"].drawn == drawn["b2"] and 0 <= found.index["shortest"] <= found.index["typical"] <= found.index["longest"] <= 100
