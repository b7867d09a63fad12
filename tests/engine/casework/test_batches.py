"""Work over many cases: a line for each, slice by slice, by several workers, as whoever asked; it can be stopped, and one case does not stop the others."""

import threading
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine import errors, jobs
from engine.actors import users
from engine.casework import batches
from tests import world as worlds


@pytest.fixture(scope="module")
def town(make_database):
    database = make_database(worlds.furnish)
    return worlds.World(database)


@pytest.fixture(scope="module")
def cases(town) -> list[UUID]:
    return [town.receive() for _ in range(7)]


@pytest.fixture
def work(monkeypatch):
    """Gives a kind of batch what it does, for a test."""

    def give(one, at_once=3):
        monkeypatch.setitem(batches._WORK, "rehearsal", batches._Work("draft.rehearse", at_once, False, one))

    return give


def ask(town, cases, **parameters):
    actor = town.agent("OTE", "TUN", "coordinateur")
    with town.database.unit_of_work(actor) as session:
        return batches.start(session, actor, "rehearsal", cases, parameters)


def stands(town, batch_id, by=None):
    actor = by or town.agent("OTE", "TUN", "coordinateur")
    with town.database.reading(actor) as session:
        return batches.progress(session, actor, batch_id), batches.lines(session, actor, batch_id)


def test_each_case_gets_its_line_worked_as_who_asked_and_one_that_breaks_stops_no_other(town, cases, work):
    seen = []

    def one(session, actor, batch, case_id):
        seen.append((actor.username, session.execute(text("SELECT masar_setting('user_id')")).scalar_one(), batch.parameters["why"]))
        if case_id == cases[1]:
            raise errors.Conflict("task.done", who="Samia")
        if case_id == cases[2]:
            session.execute(text("SELECT 1 / 0"))
        return batches.Result("same", {"steps": 4})

    work(one)
    batch_id = ask(town, [*cases, cases[0]], why="to see")
    assert stands(town, batch_id)[0].state == "waiting"
    assert batches.work_off(town.database) == 3, "seven cases, three at a time"
    batch, lines = stands(town, batch_id)
    assert (batch.state, batch.total, batch.done) == ("done", 7, 7) and batch.seconds >= 0
    assert [line.instance_id for line in lines] == cases
    assert [line.code for line in lines] == ["same", "task.done", "batch.broke", *["same"] * 4]
    assert lines[0].number.startswith("TN-MED-") and lines[0].details == {"steps": 4} and lines[1].details == {"who": "Samia"}
    asker = town.agent("OTE", "TUN", "coordinateur")
    assert set(seen) == {(asker.username, str(asker.user_id), "to see")}
    with town.database.reading(asker) as session:
        assert batches.counts(session, asker, batch_id) == {"batch.broke": 1, "same": 5, "task.done": 1}
        assert [line.place for line in batches.lines(session, asker, batch_id, code="same", after=1, limit=2)] == [4, 5]
        shown, after = [], 0
        while page := batches.lines(session, asker, batch_id, after=after, limit=2, last=("same",)):
            shown, after = [*shown, *(line.code for line in page)], page[-1].place
        assert shown == ["task.done", "batch.broke", *["same"] * 5], "what asks something of somebody first, page after page"


def test_a_slice_cut_short_leaves_nothing_and_is_taken_up_again(town, cases, work):
    tries = []

    def one(session, actor, batch, case_id):
        tries.append(case_id)
        if tries == cases[:5]:
            raise KeyboardInterrupt  # what a killed worker leaves: no commit
        return batches.Result("same")

    work(one)
    batch_id = ask(town, cases)
    with pytest.raises(KeyboardInterrupt):
        batches.work_off(town.database)
    batch, lines = stands(town, batch_id)
    assert (batch.state, batch.done, len(lines)) == ("running", 3, 3), "the first slice is kept"
    batches.work_off(town.database)
    batch, lines = stands(town, batch_id)
    assert (batch.state, batch.done, len(lines)) == ("done", 7, 7)
    assert tries == [*cases[:5], *cases[3:]]


def test_it_is_stopped_in_the_middle_and_once(town, cases, work):
    coordinator = town.agent("OTE", "TUN", "coordinateur")
    work(lambda *given: batches.Result("same"))
    batch_id = ask(town, cases)
    with town.database.unit_of_work(users.system()) as session:
        assert batches.work_slice(session, batch_id, 0)
    with town.database.unit_of_work(coordinator) as session:
        assert batches.cancel(session, coordinator, batch_id).state == "cancelled"
    assert batches.work_off(town.database) == 0
    with town.database.unit_of_work(users.system()) as session:
        assert not batches.work_slice(session, batch_id, 1), "a job that was on its way does nothing"
    batch, lines = stands(town, batch_id)
    assert (batch.state, batch.done, len(lines)) == ("cancelled", 3, 3)
    with town.database.unit_of_work(coordinator) as session, pytest.raises(errors.Conflict, match="batch.ended"):
        batches.cancel(session, coordinator, batch_id)


def test_several_workers_do_each_case_once_and_the_last_one_ends_it(town, cases, work):
    seen, lock = [], threading.Lock()

    def one(session, actor, batch, case_id):
        with lock:
            seen.append(case_id)
        return batches.Result("same")

    work(one, at_once=1)
    batch_id = ask(town, cases)
    together = [threading.Thread(target=batches.work_off, args=(town.database,)) for _ in range(3)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join(60)
    batch, _ = stands(town, batch_id)
    assert (batch.state, batch.done) == ("done", 7) and sorted(seen) == sorted(cases)


def test_the_bell_finds_its_slices_after_what_persons_wait_for(town, cases, work):
    work(lambda *given: batches.Result("same"))
    batch_id = ask(town, cases)
    assert [ids for ids in jobs.look(town.database)["batch"] if ids[0] == str(batch_id)] == [(str(batch_id), str(number)) for number in range(3)]
    assert {kind.name for kind in jobs.KINDS if kind.priority < 0} == {"batch", "replay"}
    batches.work_off(town.database)


def test_who_may_ask_stop_and_read(town, cases, work):
    work(lambda *given: batches.Result("same"))
    batch_id = ask(town, cases)
    batches.work_off(town.database)
    for actor in (town.agent("OTE", "MED", "chef_antenne"), town.agent("CPS", "MED", "travailleur_social")):
        for act in (lambda session, actor: batches.start(session, actor, "rehearsal", cases, {}), lambda session, actor: batches.progress(session, actor, batch_id),
                    lambda session, actor: batches.lines(session, actor, batch_id), lambda session, actor: batches.cancel(session, actor, batch_id)):  # fmt: skip
            with town.database.unit_of_work(actor) as session, pytest.raises(errors.Forbidden):
                act(session, actor)
        with town.database.reading(actor) as session:  # nor past the verb
            assert session.execute(text("SELECT (SELECT count(*) FROM batch) + (SELECT count(*) FROM batch_line)")).scalar_one() == 0
        with town.database.unit_of_work(actor) as session:
            with pytest.raises(DBAPIError, match="row-level security"):
                session.execute(text("INSERT INTO batch (batch_id, kind, asked_by, asked_at, total) VALUES (gen_random_uuid(), 'move', :me, now(), 1)"), {"me": actor.user_id})
            session.rollback()


def test_whoever_lost_the_right_to_it_has_her_batch_fail(town, cases, work):
    work(lambda *given: batches.Result("same"))
    batch_id = ask(town, cases)
    asker = town.agent("OTE", "TUN", "coordinateur")
    account = text("UPDATE user_account SET roles = CAST(:roles AS text[]) WHERE user_id = :id")
    with town.database.owner() as connection:
        connection.execute(account, {"roles": ["auditeur"], "id": asker.user_id})
    try:
        batches.work_off(town.database)
    finally:
        with town.database.owner() as connection:
            connection.execute(account, {"roles": sorted(asker.roles), "id": asker.user_id})
    batch, lines = stands(town, batch_id)
    assert (batch.state, batch.failure, lines) == ("failed", "act.forbidden", ())
