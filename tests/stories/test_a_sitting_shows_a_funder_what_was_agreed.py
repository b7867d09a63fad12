"""At a sitting the funder's member studies the dossiers whose persons agreed to it (C2); of the others he reads nothing, at the next look."""

import datetime as dt
import json
import re

import pytest
from sqlalchemy import text

from engine import clock, errors
from engine.actors import signin, users
from engine.casework import letters, tasks
from engine.demo import stories
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

    world.says(case_id, c2=False)
    seen = _look(world, funder, row)
    assert seen and all(one.is_hidden and one.value is None for one in seen.values())
    member = _look(world, world.staff["mourad"], next(one for one in world.open_tasks() if one.node == "T653_ANETI"))
    assert not all(one.is_hidden for one in member.values())
    # C1 of this case, not of the one that called the sitting, is what opens it to the other agencies.
    world.says(case_id, c1=False)
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


SAT = [("Sonia Ayari", "OTE", "president"), ("Hedi Zouari", "CPS", "membre"), ("Leila Ghali", "ANETI", "membre"), ("Anna Rossi", "PART", "membre")]


def test_whoever_sat_reads_the_minutes_before_signing_and_the_funder_what_its_persons_agreed_to(tunisia):
    world = worlds.World(tunisia)
    agrees = world.receive(world.somebody("creation", 1))
    called = world.reaches("T651")
    refuses = world.receive(world.somebody("creation", 2, consentement__c2=False))
    world.answers(world.reaches("T603", but={called.task_id}))
    world.answers(called, seance__bailleur_convoque=True)
    presence = [{"presence.nom": name, "presence.agence": agency, "presence.qualite": quality} for name, agency, quality in SAT]
    world.answers(world.reaches("T654"), seance__presence=presence)
    world.answers(world.reaches("T654"))
    assert world.reaches("T655").node == "T655" and len(papers(world, "proces_verbal")) == 1, "written before anybody signs"
    (minutes,) = papers(world, "proces_verbal")
    world.does(minutes.root_id, "T655")
    numbers = {case_id: world.file(case_id).case_number for case_id in (agrees, refuses)}
    signers = {node: next(row for row in world.open_tasks(minutes.root_id) if row.node == node) for node in ("T655_CPS", "T655_ANETI", "T655_PART")}
    (extract,) = papers(world, "extrait_proces_verbal")
    for node in ("T655_CPS", "T655_ANETI"):
        who = world.who_does(signers[node])
        assert {minutes.letter_id, extract.letter_id} == {one for one, _ in shown(world, who, signers[node]).papers}
        assert all(number in read(world, who, minutes.letter_id) for number in numbers.values())
    funder = world.who_does(signers["T655_PART"])
    assert [one for one, _ in shown(world, funder, signers["T655_PART"]).papers] == [extract.letter_id]
    told = read(world, funder, extract.letter_id)
    assert numbers[agrees] in told and numbers[refuses] not in told
    absent(world, funder, minutes.letter_id)
    # Signed, it stays hers to read; what else was written of the case never is.
    world.does(minutes.root_id, "T655_PART")
    assert numbers[agrees] in read(world, funder, extract.letter_id)
    absent(world, funder, papers(world, "recepisse")[0].letter_id)
    # A withdrawal counts at the next look, at both walls.
    world.says(agrees, c2=False)
    absent(world, funder, extract.letter_id)
    world.says(agrees, c2=True)
    world.says(refuses, c2=True)
    assert all(number in read(world, funder, minutes.letter_id) for number in numbers.values())
    # Another partner with a seat, who did nothing of this sitting, reads none of it.
    absent(world, other_member(world), extract.letter_id)
    assert world.incidents() == []


def other_member(world):
    with world.database.owner() as connection:
        users.create(connection, "autre_bailleur", "Autre Bailleur", "PART", "MED", ["membre_commission"], signin.DEMO_PASSWORD, is_demo=True)
    return worlds.World(world.database).staff["autre_bailleur"]


def papers(world, template):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT letter_id, root_id FROM letter WHERE template = :template ORDER BY produced_at"), {"template": template}).all()


def shown(world, who, row):
    with world.database.reading(who) as session:
        return tasks.view(session, who, row.task_id)


def read(world, who, letter_id):
    with world.database.reading(who) as session:
        return re.sub("[\u2066-\u2069]", "", json.dumps(letters.read(session, who, letter_id).content, ensure_ascii=False))


def absent(world, who, letter_id):
    """Neither wall shows it: not the database to her, nor the code where the database would."""
    with world.database.reading(users.system()) as session, pytest.raises(errors.NotFound):
        letters.read(session, who, letter_id)
    with world.database.reading(who) as session:
        assert session.execute(text("SELECT 1 FROM letter WHERE letter_id = :id"), {"id": letter_id}).first() is None
