"""What falls due: timers of the diagrams, and the reminders and escalations of tasks (§4.10), each once, by the database's clock.

A task's due date reminds its holder (or role); half as long again tells the head of the agency in the branch; twice as long tells the coordinator.
"""

import datetime as dt
import json
from typing import Any

from sqlalchemy import text

from engine import clock, identity
from engine.actors import authority, users
from engine.casework import cases, messages
from engine.casework.instances import LOCK_BY_TASK, Change, from_row, lock
from engine.database import Database
from engine.pathway import bpmn

_DUE_WAIT = text("SELECT w.instance_id, w.position, w.node, w.due_at FROM wait w WHERE w.kind = 'timer' AND w.due_at <= masar_now() ORDER BY w.due_at, w.instance_id LIMIT 1 FOR UPDATE SKIP LOCKED")
_DUE_TASK = text("SELECT task_id, remind_at FROM open_task WHERE remind_at <= masar_now() ORDER BY remind_at LIMIT 1 FOR UPDATE SKIP LOCKED")
_NEXT_INSTANT = text("SELECT least((SELECT min(due_at) FROM wait WHERE kind = 'timer'), (SELECT min(remind_at) FROM open_task WHERE remind_at IS NOT NULL))")
_NOTICE = text("""INSERT INTO notice (notice_id, user_id, branch, agency, role, code, details, instance_id, task_id, created_at)
                  VALUES (:id, :user, :branch, :agency, :role, :code, CAST(:details AS jsonb), :instance, :task, :at)""")
_REMIND_NEXT = text("UPDATE open_task SET remind_at = :next, reminders = reminders + 1 WHERE task_id = :task")
# After the due date: the holder; +50 % of the delay: the head; +100 %: the coordinator.
_STEPS = (("task.due", 0.5), ("task.late", 1.0), ("task.very_late", None))


def fire_due(database: Database, limit: int = 100_000) -> int:
    """Fires everything due now, one stimulus a unit of work; any number of workers may run it. Returns how many."""
    for fired in range(limit):
        with database.unit_of_work(users.system()) as session:
            if not (_fire_wait(session) or _remind(session)):
                return fired
    return limit


def settle(database: Database) -> int:
    """Fires and delivers until nothing is left to do at this instant."""
    total = 0
    while done := fire_due(database) + messages.deliver_pending(database):
        total += done
    return total


def advance_clock(database: Database, duration: dt.timedelta) -> dt.datetime:
    """Moves the demo clock, stopping at each instant something falls due, so that every stimulus comes at its own time."""
    settle(database)
    with database.reading(users.system()) as session:
        target = clock.now(session) + duration
    while True:
        with database.unit_of_work(users.system()) as session:
            now = clock.now(session)
            due = session.execute(_NEXT_INSTANT).scalar()
            if now >= target:
                return now
            stop = min(target, max(due.astimezone(dt.UTC), now)) if due else target
            clock.advance(session, (stop - now).total_seconds() + (0.001 if stop < target else 0))
        settle(database)


def _fire_wait(session: Any) -> bool:
    row = session.execute(_DUE_WAIT).one_or_none()
    if row is None:
        return False
    held = lock(session, row.instance_id)
    change = Change(session, users.system(), held, max(row.due_at.astimezone(dt.UTC), held.now) if held.now < row.due_at else held.now)
    change.give("timer.fired", bpmn.Timer(wait_id=row.position, at=None, seq=0, facts={}), {"wait": row.position, "node": row.node, "due_at": row.due_at.isoformat()})
    cases.finish(change)
    return True


def _remind(session: Any) -> bool:
    due = session.execute(_DUE_TASK).one_or_none()
    if due is None:
        return False
    row = session.execute(LOCK_BY_TASK, {"task": due.task_id}).one()
    held = from_row(session, row)
    reminders = session.execute(text("SELECT reminders FROM open_task WHERE task_id = :task"), {"task": due.task_id}).scalar_one()
    code, share = _STEPS[min(reminders, len(_STEPS) - 1)]
    change = Change(session, users.system(), held, held.now)
    to = _addressee(row, reminders)
    change.note(f"{code}", {"task": row.position, "node": row.node, "to": to["role"]})
    delay = row.due_at - row.task_opened_at
    session.execute(_REMIND_NEXT, {"task": due.task_id, "next": row.due_at + delay * share if share else None})
    details = {"case": held.number, "task": row.names, "due_at": row.due_at.isoformat()}
    session.execute(_NOTICE, {"id": identity.new_id(), "code": code, "details": json.dumps(details, ensure_ascii=False), "instance": held.instance_id, "task": due.task_id, "at": held.now, **to})
    change.write()
    return True


def _addressee(row: Any, reminders: int) -> dict[str, Any]:
    if reminders == 0:
        return {"user": row.holder_id, "branch": row.task_branch, "agency": row.task_agency, "role": row.role}
    if reminders == 1:
        return {"user": None, "branch": row.task_branch, "agency": row.task_agency, "role": authority.head_of(row.task_agency)}
    return {"user": None, "branch": authority.HEADQUARTERS, "agency": "OTE", "role": "coordinateur"}
