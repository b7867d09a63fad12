"""At a sitting the funder's member studies the dossiers whose persons agreed to it (C2); of the others he reads nothing, at the next look."""

import datetime as dt

from sqlalchemy import text

from engine import clock
from engine.actors import users
from engine.casework import cases, tasks
from engine.casework.instances import Change, lock
from engine.demo import stories
from engine.dossier import consents
from engine.dossier.facts import NewFact
from tests import world as worlds


def test_the_funder_reads_a_dossier_while_its_person_agrees_and_votes_without_seeing_it_after(tunisia, staff, on_the_day):
    walid = stories.pizzeria_of_zarzis(clock.today(clock.system_now()))
    on_the_day(walid.arrives_on)
    case_id = staff.receive(walid)
    world = worlds.World(tunisia)
    day = walid.arrives_on
    while "T653_PART" not in world.nodes() and (day - walid.arrives_on).days < 200:
        day += dt.timedelta(days=1)
        staff.until(worlds.clock_at(day))
    row = next(row for row in world.open_tasks() if row.node == "T653_PART")
    funder = world.staff["operateur"]

    seen = _look(world, funder, row)
    assert "aide.montant_propose" in seen and seen["aide.montant_propose"].text
    assert not all(one.is_hidden for one in seen.values())
    assert _facts(world, funder, case_id) == []  # what a sitting shows of a case, and nothing else of it
    member = _look(world, world.staff["mourad"], next(one for one in world.open_tasks() if one.node == "T653_ANETI"))
    assert not all(one.is_hidden for one in member.values())

    _says(world, case_id, c2=False)
    seen = _look(world, funder, row)
    assert seen and all(one.is_hidden and one.value is None for one in seen.values())
    member = _look(world, world.staff["mourad"], next(one for one in world.open_tasks() if one.node == "T653_ANETI"))
    assert not all(one.is_hidden for one in member.values())
    # C1 of this case, not of the one that called the sitting, is what opens it to the other agencies.
    _says(world, case_id, c1=False)
    member = _look(world, world.staff["mourad"], next(one for one in world.open_tasks() if one.node == "T653_ANETI"))
    assert {one.author_agency for one in member.values() if not one.is_hidden} <= {"ANETI"}

    # The service is not blocked: he declares himself and the dossier is decided.
    world.truth[row.root_id] = {"aide.conflit_part": True}
    world.does(row.root_id, "T653_PART")
    with tunisia.reading(users.system()) as session:
        home = session.execute(text("SELECT root_id FROM fact WHERE field = 'aide.conflit_part' AND is_current")).scalar_one()
        sitting = session.execute(text("SELECT DISTINCT root_id FROM fact WHERE field = 'seance.date'")).scalars().all()
    assert home == case_id and sitting == [row.root_id]
    day += dt.timedelta(days=40)
    staff.until(worlds.clock_at(day))
    assert "T654" in world.done(row.root_id) and world.incidents() == [] and staff.refused == []


def _look(world, who, row):
    with world.database.reading(who) as session:
        return {one.spec.id: one for one in tasks.view(session, who, row.task_id).form.known}


def _facts(world, who, case_id):
    with world.database.reading(who) as session:
        return session.execute(text("SELECT field FROM fact WHERE root_id = :id"), {"id": case_id}).scalars().all()


def _says(world, case_id, **said):
    karim = world.staff["karim"]
    with world.database.unit_of_work(karim) as session:
        held = lock(session, case_id)
        new = [NewFact(f"case:{case_id}", f"consentement.{name}", value, "C") for name, value in said.items()]
        consents.apply(held, new)
        change = Change(session, karim, held, held.now)
        change.note("consent.said", {}, new)
        change.write()
    with world.database.reading(karim) as session:
        assert cases.file(session, karim, case_id)
