"""Colleagues: notes on a case, who is away and who stands in, whole caseloads. One task or several: `tasks`, `worklist`."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from api import problems
from api.dependencies import Acting, Body, Key, Reading, Route, Writing, database_of
from engine.casework import case_notes, caseloads, leaves, staff
from engine.casework.case_notes import Notes
from engine.casework.caseloads import HandedOver, Load
from engine.casework.leaves import Leave

router = APIRouter(tags=["work"], route_class=Route)


class NewNote(Body):
    text: str = Field(min_length=1, max_length=case_notes.LONGEST, description="`@name` in it names a colleague, who is told.")
    class_: Literal["C", "O", "S", "E", "P"] = Field(default="C", description="Who else reads it; one of the `classes` that `GET` gives.")
    named: list[UUID] = Field(default_factory=list, max_length=50, description="Colleagues who are told, besides those whom the text names.")


class NewLeave(Body):
    user_id: UUID | None = Field(default=None, description="Who is away: one of `people`; by default oneself.")
    from_on: dt.date
    until_on: dt.date
    stand_in: UUID | None = Field(default=None, description="One of `GET /leaves/stand-ins/{user_id}`.")


class SaidLeave(BaseModel):
    leave_id: UUID


class Handing(Body):
    to: UUID = Field(description="One of `people`.")
    reason: str = Field(min_length=1, max_length=500, description="Why; it is kept in the history of each case.")


@dataclass(frozen=True)
class Leaves:
    """Leaves that are not over, and of whom the caller may say one."""

    items: tuple[Leave, ...]
    people: tuple[staff.Person, ...]


@dataclass(frozen=True)
class Persons:
    items: tuple[staff.Person, ...]


@dataclass(frozen=True)
class Team:
    items: tuple[Load, ...]


@dataclass(frozen=True)
class Caseload:
    """What one colleague has in hand, and to whom it may be given."""

    load: Load
    people: tuple[staff.Person, ...]


@dataclass(frozen=True)
class Handings:
    """What becomes of each case or dossier: `code` is "" where it is done (or would be), else why not."""

    items: tuple[HandedOver, ...]


@router.get("/cases/{case_id}/notes", responses=problems.described(401, 404))
def notes(actor: Acting, session: Reading, case_id: UUID) -> Notes:
    """The notes of a case that are the caller's to read, the newest first; what she may write, and whom she may name."""
    return case_notes.of_case(session, actor, case_id)


@router.post("/cases/{case_id}/notes", status_code=201, responses=problems.described(401, 403, 404, 422))
def write_note(actor: Acting, session: Writing, case_id: UUID, said: NewNote, idempotency_key: Key = "") -> Notes:
    """Writes a note. It never changes: who is wrong writes another. 422 `note.nobody`, `note.colleague_cannot`: of whom it names."""
    case_notes.write(session, actor, case_id, said.text, said.class_, said.named, idempotency_key)
    return case_notes.of_case(session, actor, case_id)


@router.get("/leaves", responses=problems.described(401))
def show_leaves(actor: Acting, session: Reading) -> Leaves:
    """Who is away or will be: oneself, those one stands in for, those one answers for."""
    return Leaves(leaves.coming(session, actor), leaves.led(session, actor))


@router.get("/leaves/stand-ins/{user_id}", responses=problems.described(401, 404))
def stand_ins(actor: Acting, session: Reading, user_id: UUID) -> Persons:
    """Who may stand in for somebody: colleagues of her agency and branch with a role of hers."""
    return Persons(leaves.stand_ins(session, actor, user_id))


@router.post("/leaves", status_code=201, responses=problems.described(401, 403, 404, 409, 422))
def say_leave(actor: Acting, session: Writing, said: NewLeave) -> SaidLeave:
    """Says that somebody is away, first and last day. Her stand-in is told, and gains no right. 409 `leave.overlaps`."""
    return SaidLeave(leave_id=leaves.say(session, actor, said.user_id or actor.user_id, said.from_on, said.until_on, said.stand_in))


@router.post("/leaves/{leave_id}/end", responses=problems.described(401, 403, 404))
def end_leave(actor: Acting, session: Writing, leave_id: UUID) -> SaidLeave:
    """Ends a leave, or takes it back before it began."""
    leaves.end(session, actor, leave_id)
    return SaidLeave(leave_id=leave_id)


@router.get("/caseloads", responses=problems.described(401, 403))
def team(actor: Acting, session: Reading) -> Team:
    """Those the caller answers for, with what each has in hand."""
    return Team(caseloads.team(session, actor))


@router.get("/caseloads/{user_id}", responses=problems.described(401, 404))
def caseload(actor: Acting, session: Reading, user_id: UUID) -> Caseload:
    """What one colleague has in hand."""
    return Caseload(*caseloads.of(session, actor, user_id))


@router.post("/caseloads/{user_id}/preview", responses=problems.described(401, 403, 404, 422))
def preview(actor: Acting, session: Writing, user_id: UUID, asked: Handing) -> Handings:
    """What would become of each case and dossier if all were given. Nothing is changed."""
    return Handings(tuple(caseloads.preview(session, actor, user_id, asked.to, asked.reason)))


@router.post("/caseloads/{user_id}/give", responses=problems.described(401, 403, 404, 422))
def give(request: Request, actor: Acting, user_id: UUID, asked: Handing) -> Handings:
    """Gives all that a colleague has in hand to another, each case by itself, and says what became of each."""
    return Handings(tuple(caseloads.give(database_of(request), actor, user_id, asked.to, asked.reason)))
