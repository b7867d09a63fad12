"""A committee sits at latest thirty days after the first file that waits for it (domain.md §4.7, §4.10), and is asked to meet at once for ten files or a person in danger."""

import datetime as dt

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import users
from tests.stories.test_a_committee_day import convened


def refuses(world, row, day):
    with pytest.raises(errors.Invalid) as refused:
        world.answers(row, seance__date=day)
    return {one.where.strip("/") for one in refused.value.findings}


def test_a_sitting_is_called_within_thirty_days_of_its_first_file_and_late_on_the_first_date_there_is(world):
    world.receive(world.somebody("creation"))
    call = world.reaches("T651")
    assert refuses(world, call, "@+31") == {"seance.date"}
    world.passes(days=28)
    assert refuses(world, call, "@+11") == {"seance.date"}, "two days are left: within ten, for there must be time to study"
    world.answers(call, seance__date="@+6o")
    assert "T654" in {row.node for row in [world.reaches("T654")]} and world.incidents() == []


def test_nobody_is_called_to_sit_on_a_day_when_offices_are_closed(world):
    world.receive(world.somebody("creation"))
    call, today = world.reaches("T651"), world.today()
    saturday = today + dt.timedelta(days=(5 - today.weekday()) % 7 or 7)
    tuesday = saturday + dt.timedelta(days=3)
    assert refuses(world, call, saturday.isoformat()) == {"seance.date"}
    with world.database.owner() as connection:
        connection.execute(text("INSERT INTO holiday VALUES (:day, '{}', false) ON CONFLICT DO NOTHING"), {"day": tuesday})
        connection.execute(text("UPDATE installation SET dated_version = dated_version + 1"))
    assert refuses(world, call, tuesday.isoformat()) == {"seance.date"}, "a holiday that an administrator entered"
    world.answers(call, seance__date="@+7o")


def test_on_its_day_a_sitting_sits_though_a_member_studied_nothing(world):
    sitting_id = convened(world, [("creation", {}), ("creation", {})])
    for row in [row for row in world.open_tasks(sitting_id) if row.agency != "CPS"]:
        world.answers(row)
    day = dt.date.fromisoformat(world.facts("seance.date")["seance.date"])
    while world.today() < day:
        assert {row.node for row in world.open_tasks(sitting_id)} == {"T653_CPS"}, "she may study until then"
        world.passes(days=1)
    world.passes(hours=1)
    assert [row.node for row in world.open_tasks(sitting_id)] == ["T654", "T654"], "and the others do not wait for her"
    for row in world.open_tasks(sitting_id):
        world.answers(row)
    assert {row.node for row in world.open_tasks(sitting_id)} == {"T655"} and world.incidents() == []


@pytest.mark.parametrize(("number", "asked"), [(5, 1), (1, 0)])
def test_a_person_in_danger_has_an_extraordinary_sitting_asked_for(world, number, asked):
    danger = {"depistage.sans_abri_ce_soir": True} if asked else {}
    world.receive(world.somebody("creation", number, **danger))
    world.reaches("T651")
    with world.database.reading(users.system()) as session:
        assert session.execute(text("SELECT count(*) FROM letter WHERE template = 'seance_extraordinaire'")).scalar_one() == asked
