"""A programme's own limits hold for its aids, and those of all where it says nothing (domain.md §4.10: configurable per programme)."""

import re

import pytest
from sqlalchemy import text

from engine import clock
from engine.actors import users


def rules(world, first, **own):
    """The programme of those days says more; the version that aids keep is that of the day they were asked."""
    with world.database.owner() as connection:
        connection.execute(text("UPDATE programme SET valid_to = CAST(:first AS date) - 1 WHERE code = 'TOUNESNA-EU'"), {"first": first})
        connection.execute(text("""INSERT INTO programme SELECT code, 2, :first, NULL, content || jsonb_strip_nulls(jsonb_build_object('delai_reserves_jours', CAST(:reserves AS int),
                                   'delai_contrat_jours', CAST(:contrat AS int), 'delai_recours_jours', CAST(:recours AS int))), source, is_inferred FROM programme WHERE code = 'TOUNESNA-EU'"""),
                           {"first": first} | {name: own.get(name) for name in ("reserves", "contrat", "recours")})  # fmt: skip
        connection.execute(text("UPDATE installation SET dated_version = dated_version + 1"))


def days(world, task):
    with world.database.reading(users.system()) as session:
        opened, due = session.execute(text("SELECT opened_at, due_at FROM open_task WHERE task_id = :id"), {"id": task.task_id}).one()
    return (clock.today(due) - clock.today(opened)).days


def notice(world):
    with world.database.reading(users.system()) as session:
        content = session.execute(text("SELECT (content -> 'fr')::text FROM letter WHERE template = 'decision_aide'")).scalar_one()
    return set(re.findall(r"(\d+)\W? jours", content))


@pytest.mark.parametrize(("own", "limits"), [({}, (60, 15, 15)), ({"reserves": 20, "contrat": 7, "recours": 21}, (20, 7, 21)), ({"contrat": 9}, (60, 9, 15))])
def test_conditions_contract_and_appeal_have_the_days_that_the_programme_gives(world, own, limits):
    rules(world, world.today(), **own)
    world.receive(world.somebody("creation", 1))
    world.answers(world.reaches("T654"), aide__decision="sous_reserve", **{"aide.reserves": [{"reserve.libelle": "Bail enregistré"}]})
    lifted = world.reaches("T611")
    assert 0 <= days(world, lifted) - limits[0] <= 3, "or the first working day after"
    assert notice(world) == {str(limits[0]), str(limits[2]), "30"}, "an appeal is answered within 30 days"
    world.answers(lifted, aide__reserves_levees=True)
    assert 0 <= days(world, world.reaches("T606")) - limits[1] <= 3


def test_an_aid_keeps_the_limits_of_the_day_it_was_asked(world):
    world.receive(world.somebody("creation", 1))
    sitting = world.reaches("T654")
    rules(world, world.today(), contrat=5)
    world.answers(sitting)
    assert 0 <= days(world, world.reaches("T606")) - 15 <= 3
