"""A whole case goes to another branch: nothing is asked again, whoever had it reads on for a month, and silence is consent."""

import datetime as dt

import pytest

from engine import errors
from engine.casework import appointments, exceptions, letters, notices
from tests.stories.test_what_was_not_foreseen import one

MOVED = {"transfert__motif": "demenagement", "transfert__antenne": "SFX", "transfert__adresse": "12 rue de la Liberté", "transfert__gouvernorat": "TN-61", "transfert__delegation": None}


def test_the_whole_case_moves_and_nothing_is_asked_again(world, case):
    referent, reader = world.agent("OTE", "MED", "referent"), world.agent("OTE", "MED", "chef_antenne")
    tasks_before, known = world.nodes(case), {fact.field for fact in world.file(case).known}
    world.begins(case, "transfert", referent, **MOVED)
    head = world.agent("OTE", "SFX", "chef_antenne")
    assert {fact.field for fact in world.file(case, head).known} == known | world.facts("transfert.").keys(), "the branch that is asked reads the case"
    with pytest.raises(errors.Refusal), world.database.unit_of_work(head) as session:
        exceptions.begin(session, head, case, "suspension", {})
    world.does(case, "T912", transfert__reponse="accepte")
    assert one(world, "SELECT branch, number FROM instance WHERE instance_id = :id", id=case) == ("SFX", world.file(case).case_number)
    assert {task for task in world.nodes(case) if task != "T914"} == set(tasks_before)
    rows = world.open_tasks(case)
    assert {row.branch for row in rows if row.role not in ("coordinateur",)} == {"SFX"}, "each task waits for the same role there"
    chosen = world.who_does(next(row for row in rows if row.role == "referent"))
    assert chosen.branch == "SFX" and "referent" in chosen.roles
    assert world.facts("person.adresse") == {"person.adresse": "12 rue de la Liberté"}
    # Whoever knew her till then reads on for a month, and then no more; writing is over at once.
    assert world.file(case, reader).branch == "SFX"
    with pytest.raises(errors.Forbidden), world.database.unit_of_work(reader) as session:
        exceptions.begin(session, reader, case, "suspension", {})
    world.does(case, "T914")
    world.does(case, "T201")
    world.passes(days=31)
    with pytest.raises(errors.NotFound):
        world.file(case, reader)
    assert world.incidents() == []


def test_what_was_agreed_at_the_former_branch_is_called_off_and_whoever_it_was_with_and_the_person_are_told(world, case):
    adviser, referent = world.agent("ANETI", "MED", "conseiller_emploi"), world.agent("OTE", "MED", "referent")
    with world.database.unit_of_work(adviser) as session:
        hours = appointments.offer(session, adviser, case, agent_id=adviser.user_id, day=world.today() + dt.timedelta(days=20))
        appointment_id = appointments.make(session, adviser, case, adviser.user_id, hours.slots[0], 30, "bureau_emploi")
    world.begins(case, "transfert", referent, **MOVED)
    world.does(case, "T912", transfert__reponse="accepte")
    row = one(world, "SELECT state, letter_id FROM appointment WHERE appointment_id = :id", id=appointment_id)
    head = world.agent("OTE", "SFX", "chef_antenne")
    with world.database.reading(head) as session:
        letter = letters.read(session, head, row.letter_id)
    assert row.state == "cancelled" and letter.template == "rendez_vous_annule" and letter.slip and "une autre antenne" in str(letter.content)
    told = one(world, "SELECT referent_id FROM instance WHERE instance_id = :id", id=case).referent_id
    for who, code in ((adviser, "appointment.handed_over"), (next(one for one in world.staff.values() if one.user_id == told), "appointment.to_make")):
        with world.database.reading(who) as session:
            assert code in [one.code for one in notices.mine(session, who).items]


def test_a_branch_that_says_nothing_has_accepted(world, case):
    world.begins(case, "transfert", world.agent("OTE", "MED", "referent"), **MOVED)
    world.passes(days=7)
    assert one(world, "SELECT branch FROM instance WHERE instance_id = :id", id=case).branch == "SFX"
    assert "T914" in world.nodes(case) and "T912" not in world.nodes(case)


def test_no_transfer_is_asked_to_the_branch_where_the_case_is(world, case):
    referent = world.agent("OTE", "MED", "referent")
    with pytest.raises(errors.Invalid) as refusal:
        world.begins(case, "transfert", referent, **MOVED | {"transfert__antenne": "MED"})
    assert [one.where for one in refusal.value.findings] == ["/transfert.antenne"] and world.beside(case, referent).running == ()


def test_a_refused_transfer_leaves_the_case_where_it_was(world, case):
    world.begins(case, "transfert", world.agent("OTE", "MED", "referent"), **MOVED)
    head = world.agent("OTE", "SFX", "chef_antenne")
    world.does(case, "T912", by=head, transfert__reponse="refuse", transfert__refus_motif="Pas de place")
    assert one(world, "SELECT branch FROM instance WHERE instance_id = :id", id=case).branch == "MED"
    with pytest.raises(errors.NotFound):
        world.file(case, head)
    world.does(case, "T913")
    assert "T914" not in world.nodes(case) and world.beside(case, world.agent("OTE", "MED", "referent")).running == ()


def test_a_case_that_went_to_the_wrong_branch_is_moved_without_a_new_address(world, case):
    where = world.facts("person.adresse")
    world.begins(case, "transfert", world.agent("OTE", "MED", "referent"), transfert__motif="erreur", transfert__antenne="SFX")
    assert world.facts("transfert.").keys() == {"transfert.demande_le", "transfert.canal", "transfert.motif", "transfert.antenne"}
    world.does(case, "T912", transfert__reponse="accepte")
    assert world.stands(case).branch == "SFX" and world.facts("person.adresse") == where, "she lives where she lived"
