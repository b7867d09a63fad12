"""Summoning a person by the pathway: a letter of the edition that names an hour, and that hour in the agenda of the case owner, so that nobody is summoned to whom nobody can receive.

What is agreed outside the pathway, moved, called off or settled is `appointments`'.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, i18n
from engine.casework import hours, letters, operations, staff
from engine.casework.instances import Change
from engine.dossier import programmes
from engine.identity import new_id

_MINUTES = 60
_SHOWN = 4  # other hours, told to whoever chose one that is taken
_DAYS, _A_DAY = 3, 5  # offered beside the question that names the hour
_OF_CASE = text("SELECT referent_id FROM instance WHERE instance_id = :case AND root_id = instance_id")
_OWNER = text(f"SELECT u.user_id, u.agency, {staff.called('u')} AS name FROM user_account u WHERE u.user_id = :owner")
_AGREED = text("SELECT 1 FROM appointment WHERE instance_id = :case AND state = 'set' AND lower(during) = :at")


@operations.operation("convoquer", "modele", "le", "lieu")
def summon(change: Change, parameters: Mapping[str, Any], subject: str) -> operations.Outcome:
    """A letter (`modele`) that summons the person, and the hour it names (`le`, `lieu`) in the agenda of the case owner. An hour that was agreed already, or is gone by, makes none.

    Refuses: `appointment.hour_taken`, `appointment.day_full`, `appointment.owner_away` (Invalid), beside the answer that named the hour. Records: `appointment.made`.
    """
    written = operations.written(letters.write(change, str(parameters.get("modele", "")), subject))
    begins_at, held, session = parameters.get("le"), change.held, change.session
    said = next((row["field"] for row in change.said if held.edition.dictionary.fields[row["field"]].type == "datetime"), "")
    if not said or begins_at is None or begins_at <= change.at or held.referent_id is None or session.execute(_AGREED, {"case": held.root_id, "at": begins_at}).scalar():
        return written
    language, length, ends_at = change.actor.language, dt.timedelta(minutes=_MINUTES), begins_at + dt.timedelta(minutes=_MINUTES)
    owner = session.execute(_OWNER, {"owner": held.referent_id, "language": language}).one()
    if hours.is_off(session, owner.user_id, begins_at, _MINUTES):
        raise _not_then(said, "appointment.owner_away", language, agent=owner.name)
    free = hours.free(session, change.tables.calendar, change.at, owner.user_id, held.root_id, clock.today(begins_at), length)
    change.note("appointment.made", {"appointment": str(appointment_id := new_id()), "owner": str(owner.user_id), "begins_at": begins_at.isoformat(), "ends_at": ends_at.isoformat(), "place": parameters["lieu"]})
    try:
        hours.keep(session, hours.INSERT, id=appointment_id, case=held.root_id, task=None, subject="", agent=owner.user_id, agency=owner.agency, branch=held.branch, begins=begins_at, ends=ends_at,
                   place=parameters["lieu"], letter=written.letter and written.letter.letter_id, by=change.actor.user_id, now=change.at)  # fmt: skip
    except errors.Conflict as taken:
        near = sorted(sorted(free, key=lambda one: abs(one - begins_at))[:_SHOWN])
        code = taken.code if taken.code.endswith("person_taken") else "appointment.hour_taken" if near else "appointment.day_full"
        raise _not_then(said, code, language, agent=owner.name, hours=", ".join(one.astimezone(clock.TUNIS).strftime("%H:%M") for one in near)) from taken
    return written


@dataclass(frozen=True)
class FreeHours:
    """When the case owner (`agent`) could receive: the next days with room, and some hours of each."""

    agent: str
    days: tuple[tuple[dt.date, tuple[dt.datetime, ...]], ...]


def free_hours(session: Session, actor: Any, case_id: UUID, definitions: Any, fields: Collection[str]) -> Mapping[str, FreeHours]:
    """For each of these fields that a summons of the pathway will name: the hours that may be answered at once."""
    named = {one.parameters.get("le") for one in definitions.operations if one.operation == "convoquer"} & set(fields)
    owner_id = session.execute(_OF_CASE, {"case": case_id}).scalar() if named else None
    if owner_id is None:
        return {}
    owner, present, length = session.execute(_OWNER, {"owner": owner_id, "language": actor.language}).one(), programmes.present(session), dt.timedelta(minutes=_MINUTES)
    days, day = [], clock.today(present.at)
    for _ in range(3 * _DAYS):
        day = present.calendar.shift(day, 1)
        whole = [one for one in hours.free(session, present.calendar, present.at, owner_id, case_id, day, length) if one.minute == 0 and not hours.is_off(session, owner_id, one, _MINUTES)]
        if whole and len(days) < _DAYS:
            days.append((day, tuple(whole[:: -(-len(whole) // _A_DAY)])))
    return dict.fromkeys(named, FreeHours(owner.name, tuple(days)))


def _not_then(field: str, code: str, language: str, **details: str) -> errors.Invalid:
    return errors.Invalid("task.answers", [errors.Finding(code, f"/{field}", details, i18n.translate(code, language, **details))])
