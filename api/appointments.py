"""Appointments: free hours, making one, moving it, cancelling it, what came of it; an agenda by days, and one appointment for a calendar."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, Field

from api import problems
from api.dependencies import Acting, Body, Key, Reading, Route, Writing
from engine import errors
from engine.casework import appointments
from engine.casework.appointments import Appointment, FreeHours, Settled

Calendar = Callable[[Iterable[Appointment], str], bytes]
router = APIRouter(tags=["appointments"], route_class=Route)
_ICS = {"description": "The entry (RFC 5545): when, where, of which case number; never of whom.", "content": {"text/calendar": {"schema": {"type": "string", "format": "binary"}}}}
_FIRST, _LAST = dt.date(2000, 1, 1), dt.date(2999, 12, 31)


class Hour(Body):
    """With whom, when, how long, where."""

    agent_id: UUID
    begins_at: AwareDatetime = Field(description="One of the `slots` of `GET /cases/{case_id}/appointments/free`.")
    minutes: Literal[15, 30, 45, 60, 90, 120] = 30
    place: Literal["antenne", "unite_sociale", "bureau_emploi", "domicile", "telephone", "partenaire"] = "antenne"


class NewAppointment(Hour):
    task_id: UUID | None = Field(default=None, description="The task of the case that it is made for.")
    measure: str = Field(default="", max_length=60, description="Without a task: which of the `measures` of the free hours it serves; empty: the whole case.")


class Cancelling(Body):
    reason: str = Field(min_length=1, max_length=2000, description="Why; it is kept in the history of the case.")


class CameOfIt(Body):
    outcome: Literal["attended", "missed", "not_held"] = Field(description="`not_held`: not by the person's doing; it is never counted against her.")
    cause: Literal["", "personne", "agent", "fermeture"] = Field(default="", description="Of `not_held`: `agent` or `fermeture`.")


@dataclass(frozen=True)
class Appointments:
    items: tuple[Appointment, ...]


@router.get("/appointments", responses=problems.described(401, 403, 422))
def agenda(
    actor: Acting, session: Reading, first: Annotated[dt.date, Query(ge=_FIRST, le=_LAST, description="The first day.")], days: Annotated[int, Query(ge=1, le=31)] = 7,
    of: Annotated[Literal["me", "branch"], Query(description="One's own, or a whole branch's.")] = "me",
    branch: Annotated[str, Query(max_length=20, description="Code of the branch, for whoever reaches several; empty: all of them.")] = "",
) -> Appointments:  # fmt: skip
    """The appointments of some days, in order; the first 500, so ask fewer days of a large branch."""
    return Appointments(appointments.agenda(session, actor, first, days, of_branch=of == "branch", branch=branch))


@router.get("/cases/{case_id}/appointments", responses=problems.described(401, 404))
def of_case(actor: Acting, session: Reading, case_id: UUID) -> Appointments:
    """The appointments of a case, the latest first."""
    return Appointments(appointments.of_case(session, actor, case_id))


@router.get("/cases/{case_id}/appointments/free", responses=problems.described(401, 403, 404, 409, 422))
def free(
    actor: Acting, session: Reading, case_id: UUID, agent_id: Annotated[UUID | None, Query(description="With whom; by default oneself.")] = None,
    day: Annotated[dt.date | None, Query(description="By default the next day that has room.")] = None, minutes: Literal[15, 30, 45, 60, 90, 120] = 30,
) -> FreeHours:  # fmt: skip
    """The hours of a day at which the branch is open and both are free, and with whom an appointment may be made."""
    return appointments.offer(session, actor, case_id, agent_id=agent_id, day=day, minutes=minutes)


@router.post("/cases/{case_id}/appointments", status_code=201, responses=problems.described(401, 403, 404, 409, 422))
def make(actor: Acting, session: Writing, case_id: UUID, asked: NewAppointment, answer: Response, idempotency_key: Key = "") -> Appointment:
    """Makes an appointment and writes the person's summons (`letter_id`). 409 `appointment.agent_taken`, `appointment.person_taken`: somebody was first."""
    made = appointments.make(session, actor, case_id, asked.agent_id, asked.begins_at, asked.minutes, asked.place, task_id=asked.task_id, measure=asked.measure, key=idempotency_key)
    answer.headers["location"] = f"/api/v1/appointments/{made}"
    return appointments.show(session, actor, made)


@router.get("/appointments/{appointment_id}", responses=problems.described(401, 404))
def show(actor: Acting, session: Reading, appointment_id: UUID) -> Appointment:
    """One appointment."""
    return appointments.show(session, actor, appointment_id)


@router.get("/appointments/{appointment_id}/appointment.ics", response_class=Response, responses={200: _ICS} | problems.described(401, 404, 409))
def entry(request: Request, actor: Acting, session: Reading, appointment_id: UUID) -> Response:
    """One appointment for a calendar. A cancelled one is said to be, so that it leaves the calendar."""
    found = appointments.show(session, actor, appointment_id)
    if request.app.state.calendar is None:
        raise errors.Conflict("appointment.no_calendar")
    headers = {"content-disposition": 'attachment; filename="rendez-vous.ics"'}
    return Response(request.app.state.calendar([found], actor.language), media_type="text/calendar", headers=headers)


@router.post("/appointments/{appointment_id}/move", responses=problems.described(401, 403, 404, 409, 422))
def move(actor: Acting, session: Writing, appointment_id: UUID, asked: Hour) -> Appointment:
    """Another hour, agent or place; the summons is written anew."""
    appointments.move(session, actor, appointment_id, asked.agent_id, asked.begins_at, asked.minutes, asked.place)
    return appointments.show(session, actor, appointment_id)


@router.post("/appointments/{appointment_id}/cancel", responses=problems.described(401, 403, 404, 409, 422))
def cancel(actor: Acting, session: Writing, appointment_id: UUID, asked: Cancelling) -> Appointment:
    """Takes an appointment back before it begins."""
    appointments.cancel(session, actor, appointment_id, asked.reason)
    return appointments.show(session, actor, appointment_id)


@router.post("/appointments/{appointment_id}/settle", responses=problems.described(401, 403, 404, 409, 422))
def settle(actor: Acting, session: Writing, appointment_id: UUID, said: CameOfIt) -> Settled:
    """Says what came of it. Of one that was missed or not held the pathway is told; `next_tasks` are what that opened for the caller."""
    return appointments.settle(session, actor, appointment_id, said.outcome, said.cause)
