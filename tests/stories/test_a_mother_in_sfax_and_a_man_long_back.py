"""Walk-throughs B and C on the road without exceptions, everybody at work in their own time (domain.md §4.14); with theirs: `test_walk_throughs_b_and_c`."""

import datetime as dt

from sqlalchemy import text

from engine.actors import users
from engine.demo import stories
from tests import world as worlds

TODAY = dt.date(2026, 11, 24)


def test_a_mother_of_two_is_helped_first_with_her_rent(tunisia, staff, on_the_day):
    samia = stories.mother_in_sfax(TODAY)
    on_the_day(samia.arrives_on)
    case_id = staff.receive(samia)
    staff.until(worlds.clock_at(samia.arrives_on + dt.timedelta(days=150)))
    world = worlds.World(tunisia)
    assert staff.refused == [] and world.incidents() == []
    done = world.done(case_id)
    # Class 3: seen within two working days, an inquiry at home, the plan agreed by the agencies together.
    assert {"T205", "T207", "T303", "T405"} <= done
    aid = world.facts("aide.")
    assert aid["aide.niveau"] == "N1" and aid["aide.decision"] == "accorde"
    assert aid["aide.montant_accorde"] <= 800_000
    # The social worker writes what health is about, the employment adviser never sees it.
    nabil = world.agent("ANETI", "SFX", "conseiller_emploi")
    seen = {fact.field for fact in world.file(case_id, nabil).known}
    assert seen and not any(field.startswith(("depistage.", "social.sante")) for field in seen)


def test_a_man_back_for_fourteen_months_has_the_service_without_the_aid(tunisia, staff, on_the_day):
    bechir = stories.long_back_from_italy(TODAY)
    on_the_day(bechir.arrives_on)
    case_id = staff.receive(bechir)
    staff.until(worlds.clock_at(bechir.arrives_on + dt.timedelta(days=120)))
    world = worlds.World(tunisia)
    assert staff.refused == [] and world.incidents() == []
    assert {"T301", "T302"} <= world.done(case_id), "the service goes on"
    with tunisia.reading(users.system()) as session:
        assert session.execute(text("SELECT count(*) FROM instance WHERE process = 'dossier_aide'")).scalar_one() == 0
