"""The queue: what is due is done once, soon, by whoever is free; what fails is tried again and seen; nothing is lost when the database goes away."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import make_url, text

from engine import jobs
from engine.actors import users
from engine.database import Database
from engine.identity import new_id
from engine.ledger import journal
from tests.faults import errands


@pytest.fixture(scope="module")
def town(make_database) -> Database:
    database = make_database()
    with database.owner() as connection:
        connection.exec_driver_sql(errands.TABLE)
    return database


@contextmanager
def working(database: Database, count: int = 1) -> Iterator[None]:
    """So many workers, each with an event loop of its own."""
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Barrier(count + 1)

    async def work() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        await asyncio.to_thread(ready.wait)
        await jobs.work(database, stop, [errands.KIND])

    threads = [threading.Thread(target=lambda: asyncio.run(work())) for _ in range(count)]
    for thread in threads:
        thread.start()
    ready.wait()
    try:
        yield
    finally:
        for loop, stop in loops:
            loop.call_soon_threadsafe(stop.set)
        for thread in threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in threads), "a worker did not stop"


def give(database: Database, names: list[str], **about: object) -> None:
    columns = ["errand_id", *about]
    with database.owner() as connection:
        for name in names:
            connection.execute(text(f"INSERT INTO errand ({', '.join(columns)}) VALUES (:{', :'.join(columns)})"), {"errand_id": name, **about})
        connection.exec_driver_sql("NOTIFY masar_work")


def done(database: Database, start: str) -> list[int]:
    with database.owner() as connection:
        return list(connection.execute(text("SELECT done FROM errand WHERE errand_id LIKE :start ORDER BY errand_id"), {"start": f"{start}%"}).scalars())


def until(said: Callable[[], bool], seconds: float = 20.0) -> float:
    began = time.monotonic()
    while not said():
        assert time.monotonic() - began < seconds, "it did not come about in time"
        time.sleep(0.02)
    return time.monotonic() - began


def test_two_workers_at_once_do_each_thing_once(town: Database):
    give(town, [f"crowd{number:03}" for number in range(150)])
    with working(town, 2):
        until(lambda: all(done(town, "crowd")), 60)
        time.sleep(jobs.LOOK_EVERY + 0.5)  # another look finds nothing to do again
    assert done(town, "crowd") == [1] * 150


def test_what_comes_in_is_done_at_once_and_what_falls_due_within_a_look(town: Database):
    with working(town):
        until(lambda: living(town) > 0)
        give(town, ["first"])
        until(lambda: done(town, "first") == [1])  # the worker is warm
        give(town, ["bell"])
        assert until(lambda: done(town, "bell") == [1]) < 1.0
        with town.owner() as connection:
            connection.exec_driver_sql("INSERT INTO errand VALUES ('clock', now() + interval '1 second')")
        assert until(lambda: done(town, "clock") == [1]) < 1.0 + jobs.LOOK_EVERY + 1.5


def test_what_fails_is_tried_again_and_seen_and_stops_nothing_else(town: Database):
    give(town, ["broken"], breaks=True)
    give(town, ["sound1", "sound2"])
    with working(town):
        until(lambda: done(town, "sound") == [1, 1])
        until(lambda: any(job["args"] == {"ids": ["broken"]} and job["attempts"] >= 2 for job in troubled(town)))
        assert done(town, "broken") == [0], "what broke left nothing"
        with town.owner() as connection:
            connection.exec_driver_sql("UPDATE errand SET breaks = false WHERE errand_id = 'broken'")
        until(lambda: done(town, "broken") == [1])
        until(lambda: troubled(town) == [])


def test_a_worker_outlives_the_loss_of_every_connection(town: Database):
    with working(town):
        give(town, ["before"])
        until(lambda: done(town, "before") == [1])
        with town.owner() as connection:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        give(town, ["after"])
        until(lambda: done(town, "after") == [1])


def test_the_queue_works_for_an_account_that_is_only_masar_app(town: Database, server_url: str):
    with town.owner() as connection:
        connection.exec_driver_sql("DO $$ BEGIN CREATE ROLE masar_login LOGIN PASSWORD 'x' IN ROLE masar_app; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    login = make_url(town.owner_url).set(username="masar_login", password="x").render_as_string(hide_password=False)
    give(town, ["login"])
    with working(Database(town.owner_url, login)):
        until(lambda: done(town, "login") == [1])


def test_the_application_may_use_the_queue_and_not_change_it(town: Database):
    with town.reading(users.system()) as session:
        may = session.execute(text(
            "SELECT has_schema_privilege('queue', 'CREATE'), has_table_privilege('queue.procrastinate_jobs', 'TRUNCATE'), "
            "has_table_privilege('queue.procrastinate_events', 'DELETE'), has_schema_privilege('queue', 'USAGE')"
        )).one()  # fmt: skip
        everybody = session.execute(text(
            "SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, aclexplode(p.proacl) a WHERE n.nspname = 'queue' AND a.grantee = 0"
        )).scalar_one()  # fmt: skip
    assert tuple(may) == (False, False, False, True)
    assert everybody == 0


def living(database: Database) -> int:
    with database.reading(users.system()) as session:
        return jobs.living_workers(session)


def troubled(database: Database) -> list:
    with database.reading(users.system()) as session:
        return jobs.troubled(session)


def test_a_chore_is_done_when_its_time_comes_and_not_once_for_each_worker(town: Database, monkeypatch: pytest.MonkeyPatch):
    """Here every second; the sweep of files that nothing tells of, which is hourly, takes one away."""
    document_id = new_id()
    lost = town._carried["documents"] / document_id.hex[-2:] / f"{document_id}.sealed"
    lost.parent.mkdir(parents=True)
    lost.write_bytes(b"left over")
    rounds: list[float] = []

    def sweep(session):
        rounds.append(time.monotonic())
        return jobs.documents.sweep(session)

    assert [(chore.name, chore.cron) for chore in jobs.CHORES] == [
        ("sweep_documents", "23 * * * *"), ("sweep_drafts", "41 * * * *"), ("note_standing", "17 * * * *"), ("seal_log", "* * * * *"), ("report_halfyear", "* * * * *"),
    ]  # fmt: skip
    monkeypatch.setattr(jobs, "CHORES", [jobs.Chore("sweep_documents", "* * * * * *", sweep)])
    with working(town, 2):
        until(lambda: not lost.exists())
        until(lambda: len(rounds) >= 3)
    assert len(rounds) <= rounds[-1] - rounds[0] + 2, "once a second, whoever is there"


def test_the_worker_seals_the_log_when_the_minute_comes(town: Database, monkeypatch: pytest.MonkeyPatch):
    (chore,) = (one for one in jobs.CHORES if one.name == "seal_log")
    monkeypatch.setattr(jobs, "CHORES", [jobs.Chore(chore.name, "* * * * * *", chore.do)])
    with town.unit_of_work(users.system()) as session:
        journal.append(session, users.system(), "log.tried", "log", {}, {})

    def unsealed() -> int:
        with town.reading(users.system()) as session:
            return len(session.execute(text("SELECT FROM masar_log_unsealed(100000)")).all())

    assert unsealed() > 0
    with working(town, 2):
        until(lambda: unsealed() == 0)
