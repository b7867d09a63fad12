"""Messages from outside: only to cases of the sender's reach, and what is not looks like what does not exist."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine import errors
from engine.actors import users
from engine.casework import cases, editions, endings, messages
from engine.casework.instances import Change, lock
from engine.dossier.facts import NewFact
from engine.identity import new_id


def send(world, name, message, key, **payload):
    who = world.staff[name]
    with world.database.unit_of_work(who) as session:
        messages.send(session, who, message, key, payload)


@pytest.fixture(scope="module")
def cases_of(tempting):
    """A case of Médenine and one of Sfax, that wait for a paper."""
    found = {}
    for branch in ("MED", "SFX"):
        found[branch] = tempting.receive(process="essai", branch=branch)
        tempting.does(found[branch], "consentir")
    return found


def test_a_paper_is_sent_to_a_case_of_ones_branch_by_its_id_and_heard(tempting, cases_of):
    send(tempting, "karim", "piece.recue", str(cases_of["MED"]))
    tempting.settle()
    with tempting.database.reading(users.system()) as session:
        assert session.execute(text("SELECT count(*) FROM wait WHERE instance_id = :id AND kind = 'message'"), {"id": cases_of["MED"]}).scalar_one() == 0


def test_a_case_of_another_branch_looks_like_none(tempting, cases_of):
    number = tempting.file(cases_of["SFX"]).case_number
    for key in (str(cases_of["SFX"]), number, str(new_id()), "nothing", ""):
        with pytest.raises(errors.NotFound) as refused:
            send(tempting, "karim", "piece.recue", key)
        assert (refused.value.code, refused.value.details) == ("message.no_addressee", {})
    send(tempting, "ines", "piece.recue", number)


def test_the_aid_and_the_measure_of_a_case_are_keys_to_it(tempting, cases_of):
    measure, karim = str(new_id()), tempting.staff["karim"]
    with tempting.database.unit_of_work(karim) as session:
        held = lock(session, cases_of["MED"])
        change = Change(session, karim, held, held.now)
        change.note("plan.said", {}, [NewFact(f"mesure:{measure}", "mesure.type", "M01", "C")])
        change.write()
    send(tempting, "karim", "piece.recue", measure)
    with pytest.raises(errors.NotFound, match="message.no_addressee"):
        send(tempting, "ines", "piece.recue", measure)


def test_a_signal_is_sent_by_whoever_signals_to_any_branch_and_by_the_desk_to_its_own(tempting):
    def opened(branch):
        with tempting.database.reading(users.system()) as session:
            return session.execute(text("SELECT count(*) FROM instance WHERE process = 'signalement' AND branch = :branch"), {"branch": branch}).scalar_one()

    before = opened("SFX")
    send(tempting, "attache", "signalement.recu", "x-1", branche="SFX")
    tempting.settle()
    assert opened("SFX") == before + 1
    send(tempting, "salma", "signalement.recu", "MED")
    with pytest.raises(errors.NotFound, match="message.no_addressee"):
        send(tempting, "salma", "signalement.recu", "x-2", branche="SFX")


def test_what_comes_from_outside_does_not_pass_for_another_case(tempting, cases_of):
    """What a payload says of the instance is not believed: what it waits for would be heard by somebody else's case."""
    with tempting.database.unit_of_work(users.system()) as session:
        change = cases.begin(session, users.system(), editions.current(session), "essai", "MED", {"instance": str(cases_of["SFX"]), "branche": "SFX"})
        endings.finish(change)
    case_id = change.held.instance_id
    tempting.does(case_id, "consentir")
    with tempting.database.reading(users.system()) as session:
        keys = session.execute(text("SELECT correlation FROM wait WHERE instance_id = :id AND kind = 'message'"), {"id": case_id}).scalars().all()
    assert keys == [str(case_id)]


def test_the_database_itself_keeps_a_message_from_a_case_out_of_reach(tempting, cases_of):
    insert = text("INSERT INTO message (message_id, name, correlation, created_at) VALUES (gen_random_uuid(), 'piece.recue', :key, now())")
    karim = tempting.staff["karim"]
    for key in (str(cases_of["SFX"]), tempting.file(cases_of["SFX"]).case_number):
        with pytest.raises(DBAPIError, match="row-level security"), tempting.database.unit_of_work(karim) as session:
            session.execute(insert, {"key": key})
    with tempting.database.unit_of_work(karim) as session:
        session.execute(insert, {"key": str(cases_of["MED"])})
