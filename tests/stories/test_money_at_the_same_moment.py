"""Two sessions at once on the same money: the second waits for the first to be over, and finds what that left. Nobody is paid twice, past the fund, or while payments are held."""

import threading
import time
from contextlib import contextmanager

import pytest

from engine import clock, doctor, errors
from engine.actors import users
from engine.casework import messages, tasks
from engine.demo import answers
from tests import world as worlds
from tests.stories.test_aids_off_the_straight_road import fund, set_fund
from tests.stories.test_payments_held_twice import held

_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
_LINE = "SELECT count(*) FROM fund_waiting"
_HOLD = "SELECT message_id FROM message WHERE name = 'ordre.retenue' AND consumed_at IS NULL AND correlation <> CAST(:case AS text)"
_MOVED = "SELECT kind, sum(amount_millimes)::bigint FROM fund_movement GROUP BY kind"


@contextmanager
def meanwhile(world, act):
    """Within it a session holds what it changed, uncommitted; `act` begins beside it and stands at a lock (or is over, if nothing keeps it). Yields its start; after, it is over."""
    told = []

    def run():
        try:
            told.append(act())
        except Exception as trouble:
            told.append(trouble)

    other = threading.Thread(target=run)

    def begin():
        other.start()
        for _ in range(600):
            if not other.is_alive() or asked(world, _WAITS) > 0:
                return
            time.sleep(0.05)

    yield begin, told
    other.join(60)
    assert not other.is_alive()


def asked(world, statement, **values):
    with world.database.owner() as connection:
        return connection.execute(worlds.text(statement), values).scalar()


def completes(world, session, actor, row):
    view = tasks.view(session, actor, row.task_id)
    tasks.complete(session, actor, row.task_id, answers.to(view.form, world.truth[row.root_id], clock.today(clock.now(session)), actor, session), view.version)


def at_once(world, first, second, other=None):
    """Two tasks (or one, twice, by `other`) are completed in two sessions that overlap; returns what became of the second."""
    actor, other = world.who_does(first), other or world.who_does(second)
    with meanwhile(world, lambda: world.complete(second, other, world.truth[second.root_id])) as (begin, told):
        with world.database.unit_of_work(actor) as session:
            completes(world, session, actor, first)
            begin()
    world.settle()
    return told[0]


def two_at(world, node):
    for number in (1, 2):
        world.receive(world.somebody("social", number))
    first = world.reaches(node)
    return first, world.reaches(node, but={first.task_id})


def sums(world):
    with world.database.reading(users.system()) as session:
        return dict(session.execute(worlds.text(_MOVED)).all())


def test_of_two_who_commit_the_last_money_at_once_one_has_it_and_the_other_waits_in_line(world):
    first, second = two_at(world, "T606")
    granted = 600_000
    set_fund(world, granted)
    assert not isinstance(at_once(world, first, second), Exception)
    assert (fund(world).available, fund(world).engaged, asked(world, _LINE)) == (0, granted, 1) and world.incidents() == []
    assert sums(world) == {"committed": granted}
    assert "T607" in world.nodes(first.root_id) and "T607" not in world.nodes(second.root_id)


def test_two_payments_confirmed_at_once_are_both_entered_and_the_fund_is_their_sum(world):
    first, second = two_at(world, "T609")
    before = fund(world)
    assert not isinstance(at_once(world, first, second), Exception)
    now = fund(world)
    assert (now.paid - before.paid, before.engaged - now.engaged, now.available) == (1_200_000, 1_200_000, before.available)
    assert sums(world) == {"committed": 1_200_000, "paid": 1_200_000} and world.incidents() == []
    assert {one.code for one in doctor.examine(world.database).faults} == set()


def test_a_payment_ordered_and_confirmed_twice_at_once_is_made_once(world):
    world.receive(world.somebody("social", 1))
    for node in ("T608", "T609"):
        row = world.reaches(node)
        refused = at_once(world, row, row, world.who_does(row))
        assert isinstance(refused, errors.Conflict) and refused.code == "task.done"
    assert sums(world) == {"committed": 600_000, "paid": 600_000} and world.incidents() == []


@pytest.mark.parametrize("sooner", ["hold", "payment"])
def test_a_payment_confirmed_while_a_hold_is_being_set_is_before_it_or_waits(world, sooner):
    case_id = world.receive(world.somebody("social", 1))
    row = world.reaches("T609")
    officer, head, system = world.who_does(row), world.agent("OTE", "MED", "chef_antenne"), users.system()
    with world.database.unit_of_work(head) as session:  # a suspicion is begun: what it orders of the aid is on its way
        form = worlds.exceptions.ask(session, head, case_id, "fraude").form
        worlds.exceptions.begin(session, head, case_id, "fraude", answers.to(form, world.truth[case_id] | {"fraude.piece": None}, clock.today(clock.now(session)), head, session))
    order = asked(world, _HOLD, case=case_id)

    def holds():
        with world.database.unit_of_work(system) as session:
            return messages.deliver(session, order)

    def pays():
        return world.complete(row, officer, world.truth[case_id])

    with meanwhile(world, pays if sooner == "hold" else holds) as (begin, told):
        with world.database.unit_of_work(system if sooner == "hold" else officer) as session:
            if sooner == "hold":
                messages.deliver(session, order)
            else:
                completes(world, session, officer, row)
            begin()
    assert not isinstance(told[0], Exception)
    world.settle()
    is_paid = sooner == "payment"
    assert sums(world).get("paid", 0) == (600_000 if is_paid else 0) and held(world) == ([] if is_paid else ["operation.payments_held"])
    assert {one.code for one in doctor.examine(world.database).faults} == set()
