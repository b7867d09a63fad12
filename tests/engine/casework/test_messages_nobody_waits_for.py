"""A message that nobody waits for is looked at once, then left alone until somebody begins to wait: none is lost to a race."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from engine.actors import users
from engine.casework import messages
from engine.casework.instances import Change, lock


@pytest.fixture
def early(tempting):
    """A case, and a paper sent to it before it waits for one: (case, message)."""
    case_id = tempting.receive(process="essai", branch="MED")
    with tempting.database.unit_of_work(tempting.staff["karim"]) as session:
        messages.send(session, tempting.staff["karim"], "piece.recue", str(case_id), {})
    (message_id,) = to_carry(tempting)
    return case_id, message_id


def to_carry(world):
    with world.database.reading(users.system()) as session:
        return messages.deliverable(session)


def carry(world, message_id):
    with world.database.unit_of_work(users.system()) as session:
        return messages.deliver(session, message_id)


def still_waits(world, case_id):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT count(*) FROM wait WHERE instance_id = :id AND kind = 'message'"), {"id": case_id}).scalar_one()


def begin_to_wait(session, case_id):
    held = lock(session, case_id)
    change = Change(session, users.system(), held, held.now)
    change.note("test.waits", {})
    change.write()
    session.execute(
        text("""INSERT INTO wait (instance_id, position, node, kind, name, correlation, opened_at, branch)
                VALUES (:id, 'test', 'essai_recue', 'message', 'piece.recue', :key, masar_now(), 'MED')"""),
        {"id": case_id, "key": str(case_id)},
    )


def test_it_is_not_looked_at_again_until_somebody_waits_for_it(tempting, early):
    case_id, message_id = early
    assert carry(tempting, message_id) is False
    assert to_carry(tempting) == []
    tempting.does(case_id, "consentir")
    assert still_waits(tempting, case_id) == 0 and to_carry(tempting) == [], "it was found, and heard"


def test_who_begins_to_wait_while_it_is_being_parked_finds_it(tempting, early):
    case_id, message_id = early
    with tempting.database.unit_of_work(users.system()) as session:
        begin_to_wait(session, case_id)
        assert carry(tempting, message_id) is False, "the wait is not there yet for anybody else"
    assert to_carry(tempting) == [message_id]


def test_who_begins_to_wait_just_after_it_was_parked_finds_it(tempting, early):
    case_id, message_id = early

    def waits():
        with tempting.database.unit_of_work(users.system()) as session:
            begin_to_wait(session, case_id)

    with ThreadPoolExecutor(1) as other:
        with tempting.database.unit_of_work(users.system()) as session:
            messages.deliver(session, message_id)
            begun = other.submit(waits)
            session.execute(text("SELECT pg_sleep(0.3)"))
        begun.result(timeout=20)
    assert to_carry(tempting) == [message_id]
