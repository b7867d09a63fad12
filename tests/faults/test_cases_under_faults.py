"""Cases while things go wrong around them: two people at once, workers and servers killed in the middle, a night without anybody."""

import threading
import time

from sqlalchemy import text

from engine import doctor, errors
from engine.casework import timers
from tests.faults import village
from tests.faults.conftest import Village, Visitor, until

_BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def faults(place: Village) -> list:
    return list(doctor.examine(place.database).faults)


def blocked(place: Village) -> bool:
    """Whether somebody waits for a lock of ours."""
    with place.database.owner() as connection:
        return connection.exec_driver_sql(_BLOCKED).scalar_one() > 0


def test_of_two_who_complete_at_the_same_instant_one_wins_and_the_other_is_told(hamlet: Village):
    told: list[str] = []
    for _ in range(20):
        case_id, task_id = village.open_case(hamlet.database)
        together = threading.Barrier(2)

        def complete(name: str, task_id=task_id, together=together) -> None:
            together.wait()
            try:
                village.complete(hamlet.database, task_id, name)
                told.append("done")
            except errors.Conflict as conflict:
                told.append(conflict.code)

        people = [threading.Thread(target=complete, args=(name,)) for name in ("salma", "selim")]
        for one in people:
            one.start()
        for one in people:
            one.join()
        assert village.lines(hamlet.database, "task.completed", case_id) == 1
    assert sorted(told) == ["done"] * 20 + ["task.done"] * 20
    assert faults(hamlet) == []


def test_two_workers_fire_each_timer_and_deliver_each_message_once(hamlet: Village):
    cases = [village.open_case(hamlet.database) for _ in range(25)]
    for _, task_id in cases:
        village.complete(hamlet.database, task_id)
    hamlet.worker()
    hamlet.worker()
    village.let_an_hour_pass(hamlet.database)
    until(lambda: village.open_tasks(hamlet.database) == ["saluer"] * 25, 60)
    with hamlet.database.owner() as connection:
        greetings = connection.execute(text("SELECT task_id FROM open_task WHERE node = 'saluer'")).scalars().all()
    for task_id in greetings:
        village.complete(hamlet.database, task_id)
    until(lambda: village.open_tasks(hamlet.database) == ["repondre"] * 25, 60)
    time.sleep(3)  # another look finds nothing to do again
    assert village.lines(hamlet.database, "timer.fired") == 25
    assert village.open_tasks(hamlet.database) == ["repondre"] * 25
    with hamlet.database.owner() as connection:
        assert connection.exec_driver_sql("SELECT count(*), count(consumed_at), count(DISTINCT consumed_by) FROM message").one() == (25, 25, 25)
    assert faults(hamlet) == []


def test_a_worker_killed_while_it_fires_leaves_nothing_and_another_fires_once(hamlet: Village):
    case_id, task_id = village.open_case(hamlet.database)
    village.complete(hamlet.database, task_id)
    first = hamlet.worker()
    with hamlet.database.owner() as connection:
        connection.exec_driver_sql("LOCK TABLE open_task IN SHARE MODE")  # it stops after its ledger line, before its rows
        village.let_an_hour_pass(hamlet.database)
        until(lambda: blocked(hamlet))
        first.kill()
        first.wait()
    until(lambda: not blocked(hamlet))
    assert village.lines(hamlet.database, "timer.fired") == 0 and village.open_tasks(hamlet.database) == []
    hamlet.worker()
    until(lambda: village.open_tasks(hamlet.database, case_id) == ["saluer"])
    time.sleep(3)
    assert village.lines(hamlet.database, "timer.fired") == 1
    assert faults(hamlet) == []


def test_a_server_killed_in_the_middle_of_a_completion_leaves_nothing_half_done(hamlet: Village):
    case_id, task_id = village.open_case(hamlet.database)
    server, address = hamlet.web()
    salma = Visitor(address, "salma")
    page = salma.page(task_id)
    with hamlet.database.owner() as connection:
        connection.exec_driver_sql("LOCK TABLE open_task IN SHARE MODE")
        click = threading.Thread(target=lambda: _click_in_vain(salma, task_id, page))
        click.start()
        until(lambda: blocked(hamlet))
        server.kill()
        server.wait()
        click.join(30)
    until(lambda: not blocked(hamlet))
    assert village.lines(hamlet.database, "task.completed") == 0
    assert village.open_tasks(hamlet.database, case_id) == ["saisir"]
    assert faults(hamlet) == []
    _, address = hamlet.web()
    salma.client.base_url = address
    assert salma.complete(task_id, page).status_code == 200, "the same page, sent again to the server that came back"
    assert village.lines(hamlet.database, "task.completed") == 1
    assert village.open_tasks(hamlet.database, case_id) == []
    assert salma.complete(task_id, page).status_code == 200, "a third click changes nothing"
    assert village.lines(hamlet.database, "task.completed") == 1
    assert faults(hamlet) == []


def test_the_database_started_again_under_the_server_the_next_click_works(hamlet: Village):
    _, task_id = village.open_case(hamlet.database)
    _, address = hamlet.web()
    salma = Visitor(address, "salma")
    page = salma.page(task_id)
    with hamlet.database.owner() as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    assert salma.complete(task_id, page).status_code == 200
    assert village.lines(hamlet.database, "task.completed") == 1


def test_after_a_night_without_anybody_a_recurring_reminder_rings_once(hamlet: Village):
    _, task_id = village.open_case(hamlet.database)
    village.complete(hamlet.database, task_id)
    village.let_an_hour_pass(hamlet.database)
    timers.settle(hamlet.database)
    village.let_an_hour_pass(hamlet.database, 12)
    timers.settle(hamlet.database)
    assert village.open_tasks(hamlet.database) == ["rappeler", "saluer"]
    with hamlet.database.owner() as connection:
        ahead = connection.exec_driver_sql("SELECT due_at - masar_now() FROM wait WHERE node = 'dix_minutes'").scalar_one().total_seconds()
    assert 0 < ahead <= 600


def _click_in_vain(visitor: Visitor, task_id: object, page: str) -> None:
    try:
        visitor.complete(task_id, page)
    except OSError:
        pass
    except Exception as trouble:  # the connection is cut: what httpx makes of it is its own affair
        assert "Error" in type(trouble).__name__
