"""Hours: who is free when, and what stands in somebody's hours. The agenda's own acts are `appointments`'; what the pathway puts there comes by `operations`."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from engine import clock, errors
from engine.casework.instances import Change, HeldTask
from engine.workdays import Calendar

STEP = dt.timedelta(minutes=15)
INSERT = text("""INSERT INTO appointment (appointment_id, instance_id, task_id, subject, agent_id, agency, branch, during, place, letter_id, made_by, made_at, changed_at)
                  VALUES (:id, :case, :task, :subject, :agent, :agency, :branch, tstzrange(:begins, :ends), :place, :letter, :by, :now, :now)""")
_IS_OFF = text("SELECT masar_is_off(:agent, :begins, :ends)")
_TAKEN = text("SELECT begins_at, ends_at FROM masar_taken(:agent, :case, :since, :until)")

_TO_SETTLE = text("""SELECT appointment_id, agent_id FROM appointment WHERE instance_id = :case AND agency = :agency AND state = 'set' AND subject = ''
                        AND (lower(during) AT TIME ZONE 'Africa/Tunis')::date <= :today""")
_ATTENDED = text("UPDATE appointment SET state = 'attended', changes = changes + 1, changed_at = :now WHERE appointment_id = :id")


def attended(change: Change, task: HeldTask) -> None:
    """A task that is due on a day of its own and done with the person there (an interview) says that she came: what was agreed for it is settled by that. Records: `appointment.attended`."""
    note = next((one.extensions.task for one in change.held.edition.definitions.nodes if one.id == task.node), None)
    if note is None or not note.presence or note.due is None or note.shift:
        return
    rows = change.session.execute(_TO_SETTLE, {"case": task.root_id, "agency": task.task_agency, "today": clock.today(change.at)}).all() if task.root_id == task.instance_id else ()
    for row in rows:
        change.note("appointment.attended", {"appointment": str(row.appointment_id), "owner": str(row.agent_id), "cause": ""})
        change.session.execute(_ATTENDED, {"id": row.appointment_id, "now": change.at})


def is_off(session: Session, agent_id: UUID, begins_at: dt.datetime, minutes: int) -> bool:
    """Whether the agent is away at that hour."""
    return bool(session.execute(_IS_OFF, {"agent": agent_id, "begins": begins_at, "ends": begins_at + dt.timedelta(minutes=minutes)}).scalar())


def free(session: Session, calendar: Calendar, now: dt.datetime, agent_id: UUID, case_id: UUID, day: dt.date, length: dt.timedelta) -> tuple[dt.datetime, ...]:
    """When, on a day, something of that length may begin for both."""
    starts = [one for one in calendar.starts(day, length, STEP) if one > now]
    if not starts:
        return ()
    taken = session.execute(_TAKEN, {"agent": agent_id, "case": case_id, "since": starts[0], "until": starts[-1] + length}).all()
    return tuple(one for one in starts if not any(row.begins_at < one + length and one < row.ends_at for row in taken))


def keep(session: Session, statement: Any, **values: Any) -> None:
    """Writes the row; the database says who is taken. Refuses: `appointment.agent_taken`, `appointment.person_taken` (Conflict)."""
    try:
        session.execute(statement, values)
    except IntegrityError as trouble:
        for whose in ("agent", "person"):
            if f"appointment_{whose}_is_free" in str(trouble.orig):
                raise errors.Conflict(f"appointment.{whose}_taken") from trouble
        raise
