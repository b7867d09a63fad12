"""What falls due: timers of the diagrams, and the reminders and escalations of tasks (§4.10), each once, by the database's clock.

A task's due date reminds its holder (or role); half as long again tells the head of the agency in the branch (a partner answers to OTE's; the headquarters' own tasks, to a coordinator); twice as long tells the
coordinator.
"""

import datetime as dt
import json
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, identity
from engine.actors import authority, users
from engine.actors.agencies import OTE, PARTNERS
from engine.actors.roles import ROLES
from engine.casework import departures, endings, lapses, messages, notices, reliefs
from engine.casework.instances import Change, Held, lock
from engine.database import Database
from engine.dossier import programmes
from engine.pathway import bpmn

# Of a suspended case nothing rings: what its clocks had left was taken aside (`orders`), what opened since rings once they go again.
_GOES = "(SELECT i.suspended_at IS NULL FROM instance i WHERE i.instance_id = {0}.instance_id)"
_DUE_WAITS = text(f"""SELECT instance_id, position FROM wait WHERE kind = 'timer' AND due_at <= masar_now() AND instance_id || ' ' || position <> ALL (CAST(:but AS text[]))
                      AND {_GOES.format("wait")} ORDER BY due_at, instance_id, position LIMIT :limit""")
_DUE_TASKS = text(f"""SELECT task_id FROM open_task WHERE remind_at <= masar_now() AND task_id::text <> ALL (CAST(:but AS text[])) AND {_GOES.format("open_task")}
                      ORDER BY remind_at, task_id LIMIT :limit""")
_STILL_DUE = text(f"SELECT node, due_at FROM wait WHERE instance_id = :instance AND position = :position AND kind = 'timer' AND due_at <= masar_now() AND {_GOES.format('wait')}")
_STILL_LATE = text(f"SELECT instance_id FROM open_task WHERE task_id = :task AND remind_at <= masar_now() AND {_GOES.format('open_task')}")
_LATE_TASK = text("""SELECT task_id, position, process, node, names, agency, branch, role, holder_id, opened_at, due_at, reminders FROM open_task
                      WHERE task_id = :task AND remind_at <= masar_now()""")
_NOW_AND_NEXT = text(f"""SELECT masar_now(), least((SELECT due_at FROM wait WHERE kind = 'timer' AND due_at IS NOT NULL AND {_GOES.format("wait")} ORDER BY due_at LIMIT 1),
                                 (SELECT remind_at FROM open_task WHERE remind_at IS NOT NULL AND {_GOES.format("open_task")} ORDER BY remind_at LIMIT 1))""")
_NOTICE = text("""INSERT INTO notice (notice_id, user_id, branch, agency, role, code, details, instance_id, task_id, created_at)
                  VALUES (:id, :user, :branch, :agency, :role, :code, CAST(:details AS jsonb), :instance, :task, :at)""")
_REMIND_NEXT = text("UPDATE open_task SET remind_at = :next, reminders = reminders + 1 WHERE task_id = :task")
# Of those who hold a post, one: who is there, and of several always the same for a case.
_NAMED = text("""SELECT user_id FROM user_account WHERE is_active AND branch = :branch AND agency = :agency AND :role = ANY (roles)
                  ORDER BY masar_is_away(user_id), md5(user_id::text || CAST(:case AS text)) LIMIT 1""")
_STAND_IN = text("SELECT masar_stand_in_of(:holder)")
_JUST_AFTER = dt.timedelta(milliseconds=1)
# After the due date: the holder; +50 % of the delay: the head in the branch (of the headquarters' tasks a coordinator), by name; +100 %: a coordinator, by name.
_STEPS = (("task.due", 0.5), ("task.late", 1.0), ("task.very_late", None))


def due(session: Session, limit: int = 500, but: Sequence[str] = ()) -> list[tuple[UUID, str]]:
    """The timers that are due, the earliest first: instance and position. `but`: those ("instance position") that somebody sees to already."""
    return [(row.instance_id, row.position) for row in session.execute(_DUE_WAITS, {"limit": limit, "but": list(but)})]


def late(session: Session, limit: int = 500, but: Sequence[str] = ()) -> list[UUID]:
    """The tasks whose reminder is due, the earliest first. `but`: the ids that somebody sees to already."""
    return list(session.execute(_DUE_TASKS, {"limit": limit, "but": list(but)}).scalars())


def fire(session: Session, instance_id: UUID, position: str) -> bool:
    """Fires one timer, if it is still there and due once the case is locked: asked twice at once, it fires once. Records: `timer.fired`."""
    # The case first, then what belongs to it: a completion takes the same locks in the same order.
    held = lock(session, instance_id)
    row = session.execute(_STILL_DUE, {"instance": instance_id, "position": position}).one_or_none()
    if held is None or row is None:
        return False
    change = Change(session, users.system(), held, held.now)
    change.give("timer.fired", bpmn.Timer(wait_id=position, at=None, seq=0, facts={}), {"wait": position, "node": row.node, "due_at": row.due_at.isoformat()})
    endings.finish(change)
    return True


def remind(session: Session, task_id: UUID) -> bool:
    """Reminds of one task, if that is still due once the case is locked. Records: `task.due`, `task.late`, `task.very_late`."""
    instance_id = session.execute(_STILL_LATE, {"task": task_id}).scalar()
    held = lock(session, instance_id) if instance_id else None
    row = session.execute(_LATE_TASK, {"task": task_id}).one_or_none()
    if held is None or row is None:
        return False
    code, share = _STEPS[min(row.reminders, len(_STEPS) - 1)]
    change = Change(session, users.system(), held, held.now)
    to = _addressee(row, held)
    told = {}
    if row.reminders == 0:
        reliefs.call(session, change, row)
    elif named := session.execute(_NAMED, {"branch": to["branch"], "agency": to["agency"], "role": to["role"], "case": held.root_id}).scalar():
        to, told = to | {"user": named}, {"told": str(named)}
    change.note(code, {"task": row.position, "node": row.node, "to": to["role"]} | told)
    session.execute(_REMIND_NEXT, {"task": task_id, "next": row.due_at + _delay(session, held, row) * share if share else None})
    details = {"case": held.number, "task": row.names, "due_at": row.due_at.isoformat()}
    session.execute(_NOTICE, {"id": identity.new_id(), "code": code, "details": json.dumps(details, ensure_ascii=False), "instance": held.instance_id, "task": task_id, "at": held.now, **to})
    if to["user"] and (instead := session.execute(_STAND_IN, {"holder": to["user"]}).scalar()):  # whoever has it is away
        notices.tell(session, users.system(), instead, code, held.branch, instance_id=held.instance_id, task_id=task_id, task=row.names)
    change.write()
    return True


def _delay(session: Session, held: Held, row: Any) -> dt.timedelta:
    """How long the task had; where it is due by a date, however far away when it opened, the delay it has when that is not known."""
    task = next((one for one in held.edition.definitions.tasks if one.node == row.node and one.process == row.process), None)
    if task is None or not task.is_dated or task.deadline is None:
        return row.due_at - row.opened_at
    return programmes.tables(session, held.dated_version, held.now).calendar.due(row.due_at, *task.deadline) - row.due_at


def settle(database: Database) -> int:
    """Fires and delivers until nothing is left to do at this instant, one stimulus a unit of work; any number of processes may do it at once. Returns how many."""
    done = 0
    while True:
        with database.reading(users.system()) as session:
            timers, tasks, waiting, left, running = due(session), late(session), messages.deliverable(session), departures.left(session), lapses.due(session)
        acts = [partial(fire, instance_id=instance_id, position=position) for instance_id, position in timers]
        acts += [partial(remind, task_id=task_id) for task_id in tasks] + [partial(messages.deliver, message_id=message_id) for message_id in waiting]
        acts += [partial(departures.give_back, task_id=task_id) for task_id in left] + [partial(lapses.look, fact_id=int(fact), root_id=UUID(case)) for fact, case in running]
        before = done
        for act in acts:
            with database.unit_of_work(users.system()) as session:
                done += act(session)
        if done == before:  # nothing left, or another process has it in hand
            return done


def step_clock(database: Database, target: dt.datetime) -> tuple[dt.datetime, bool]:
    """Moves the clock of a demo where nothing is left to do on to `target`, or to the next instant before it at which something falls due, and does that.

    Returns the new business time, and whether something fell due.
    """
    with database.unit_of_work(users.system()) as session:
        now, due_at = session.execute(_NOW_AND_NEXT).one()
        due_at = min((one for one in (due_at, lapses.next_at(session)) if one is not None), default=None)
        falls_due = due_at is not None and due_at <= target
        stop = max(due_at, now) + _JUST_AFTER if falls_due else max(target, now)
        now = clock.advance(session, (stop - now).total_seconds())
    if falls_due:
        settle(database)
    return now, falls_due


def advance_clock(database: Database, duration: dt.timedelta) -> dt.datetime:
    """Moves the demo clock, stopping at each instant something falls due, so that every stimulus comes at its own time. Returns the new business time."""
    settle(database)
    with database.reading(users.system()) as session:
        now = clock.now(session)
    target = now + duration
    while now < target:
        now, _ = step_clock(database, target)
    return now


def _addressee(row: Any, held: Held) -> dict[str, Any]:
    """Who is told next. Of what is kept from an agency nobody of hers is: it is the case owner's."""
    instead = authority.stands_in_for({"agency": row.agency, "case": held}) if authority.is_withheld({"agency": row.agency, "case": held}) else ""
    agency = OTE if instead else row.agency
    if row.reminders == 0:
        return {"user": (row.holder_id or held.referent_id) if instead else row.holder_id, "branch": row.branch, "agency": agency, "role": instead or row.role}
    if row.reminders == 1 and not ROLES[row.role].is_central:
        return {"user": None, "branch": row.branch, "agency": OTE if agency == PARTNERS else agency, "role": authority.head_of(agency)}
    return {"user": None, "branch": authority.HEADQUARTERS, "agency": "OTE", "role": "coordinateur"}
