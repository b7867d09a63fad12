"""Workers as processes, killed with -9 in the middle of what they do: the thing is done once, by another."""

import os
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import text

from engine import jobs
from engine.database import Database
from tests.conftest import ROOT
from tests.engine.test_jobs import done, give, until
from tests.faults import errands


@pytest.fixture(scope="module")
def town(make_database) -> Database:
    database = make_database()
    with database.owner() as connection:
        connection.exec_driver_sql(errands.TABLE)
    return database


@pytest.fixture
def start_worker(town: Database):
    started: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        worker = subprocess.Popen([sys.executable, "-m", "tests.faults.errands", town.owner_url], cwd=ROOT, stdout=subprocess.PIPE)
        started.append(worker)
        assert worker.stdout.readline() == b"working\n"
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.wait()


def in_hand(database: Database, errand: str) -> bool:
    """Whether somebody holds the errand's row in an open transaction."""
    with database.owner() as connection:
        return connection.execute(text("SELECT errand_id FROM errand WHERE errand_id = :id FOR UPDATE SKIP LOCKED"), {"id": errand}).scalar() is None


def test_killed_in_the_middle_it_is_done_once_by_another(town: Database, start_worker):
    first = start_worker()
    give(town, ["letter"], pause=30)
    until(lambda: in_hand(town, "letter"))
    first.kill()
    until(lambda: not in_hand(town, "letter"))
    assert done(town, "letter") == [0], "what was half done is not there"
    with town.owner() as connection:
        connection.exec_driver_sql("UPDATE errand SET pause = 0")
    start_worker()
    until(lambda: done(town, "letter") == [1], 15)
    time.sleep(jobs.LOOK_EVERY + 0.5)
    assert done(town, "letter") == [1]


def test_a_worker_that_fell_asleep_and_wakes_does_nothing_twice(town: Database, start_worker):
    sleeper = start_worker()
    give(town, ["nap"], pause=1)
    until(lambda: in_hand(town, "nap"))
    os.kill(sleeper.pid, signal.SIGSTOP)
    start_worker()
    time.sleep(errands.SILENT_AFTER + 3)  # the other takes the errand for abandoned, and waits for its row
    os.kill(sleeper.pid, signal.SIGCONT)
    until(lambda: done(town, "nap") == [1])
    time.sleep(2)
    assert done(town, "nap") == [1]
