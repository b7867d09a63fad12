"""An hour at which the pathway summons somebody is an hour of the case owner: it stands in the agenda, the receipt tells it, and nobody else is summoned to it."""

import datetime as dt

import pytest

from engine import clock, errors
from engine.casework import appointments, diagrams, receipts, summons


def agenda(world, actor, day):
    with world.database.reading(actor) as session:
        return [(one.begins_at.astimezone(clock.TUNIS).strftime("%H:%M"), one.case_number, one.minutes) for one in appointments.agenda(session, actor, day, 1)]


def offered(world, actor, case):
    """The hours that are offered for the summons, by day."""
    with world.database.reading(actor) as session:
        found = summons.free_hours(session, actor, case, diagrams.edition_of(session, actor, case).definitions, {"accueil.rdv_le", "accueil.rdv_mode"})
    return {day: {one.astimezone(clock.TUNIS).strftime("%H:%M") for one in hours} for day, hours in found["accueil.rdv_le"].days}


def test_whoever_is_summoned_stands_in_the_agenda_and_two_are_not_summoned_to_one_hour(world):
    cases = [world.receive(world.somebody("social", number, "SFX"), branch="SFX") for number in (1, 2)]
    for case in cases:
        while "T106" not in world.nodes(case):
            world.does(case, world.nodes(case)[0])
    owner, desk = world.owner(cases[0]), world.agent("OTE", "SFX", "agent_accueil")
    assert world.owner(cases[1]).user_id == owner.user_id, "Sfax has one case owner"
    day, hours = next(iter(offered(world, desk, cases[0]).items()))
    assert "09:00" in hours or "08:00" in hours
    at = f"{day.isoformat()}T10:00:00+01:00"
    world.does(cases[0], "T106", accueil__rdv_le=at)
    assert agenda(world, owner, day) == [("10:00", world.file(cases[0]).case_number, 60)]
    with world.database.reading(desk) as session:
        assert receipts.look_up(session, world.file(cases[0]).receipt_code).appointment.begins_at == dt.datetime.fromisoformat(at)
        assert "convocation" in [letter["template"] for letter in world.file(cases[0]).letters]
    with pytest.raises(errors.Invalid) as refused:
        world.does(cases[1], "T106", accueil__rdv_le=f"{day.isoformat()}T10:30:00+01:00")
    (found,) = refused.value.findings
    assert (found.code, found.where) == ("appointment.hour_taken", "/accueil.rdv_le") and owner.name in found.message and "11:00" in found.message and "10:30" not in found.message
    assert "10:00" not in offered(world, desk, cases[1]).get(day, set())
    world.does(cases[1], "T106", accueil__rdv_le=f"{day.isoformat()}T11:00:00+01:00")
    assert [hour for hour, *_ in agenda(world, owner, day)] == ["10:00", "11:00"]
    world.passes(days=(day - world.today()).days)
    world.does(cases[0], "T201")
    with world.database.reading(owner) as session:
        assert [one.state for one in appointments.agenda(session, owner, day, 1)] == ["attended", "set"], "whoever was interviewed came: it is not asked once more"
