"""Cases: opening one, where it stands, what happened."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import problems
from api.dependencies import Acting, Body, Reading, Route, Writing
from engine.casework import cases
from engine.casework.views import CaseFile, Happened, Opened

router = APIRouter(prefix="/cases", tags=["cases"], route_class=Route)


class NewCase(Body):
    process: str = Field(min_length=1, max_length=100, description="Id of a published process.", examples=["parcours"])
    branch: str = Field(default="", max_length=20, description="Code of the branch; by default one's own.", examples=["MED"])
    channel: str = Field(default="", max_length=40, description="How the person came (`accueil.canal_arrivee`): then it is not asked again.", examples=["en_ligne"])
    expected: UUID | None = Field(default=None, description="The signal of the person who has come: the case knows what it said, and the signal is closed.")


@dataclass(frozen=True)
class History:
    """One page of what happened, the newest first. `next` is the `cursor` of the following page, null on the last."""

    items: tuple[Happened, ...]
    next: str | None


@router.post("", status_code=201, responses=problems.described(401, 403, 409, 422))
def open_case(actor: Acting, session: Writing, asked: NewCase, answer: Response) -> Opened:
    """Opens a case of a process at a branch. Its first task identifies the person; `task_id` is that task when it is the caller's to do."""
    opened = cases.open_case(session, actor, asked.process, asked.branch, channel=asked.channel, expected=asked.expected)
    answer.headers["location"] = f"/api/v1/cases/{opened.case_id}"
    return opened


@router.get("/{case_id}", responses=problems.described(401, 404))
def show(actor: Acting, session: Reading, case_id: UUID) -> CaseFile:
    """Where a case stands and what is known, as far as the reader may see it.

    `ended_at` is null while it runs. `waiting` lists what it waits for: tasks (`task_id`, `agency`, `holder`), messages from outside
    (`message` and `correlation`, as `POST /messages` takes them) and instants (`until`).
    """
    return cases.file(session, actor, case_id)


@router.get("/{case_id}/history", responses=problems.described(401, 404, 422))
def history(
    actor: Acting, session: Reading, case_id: UUID, cursor: Annotated[str, Query(pattern="^[0-9]{0,9}$")] = "", limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> History:
    """What happened in a case, from its ledger: who did what, which rule or condition decided, on which values the reader may see."""
    found = cases.history(session, actor, case_id, cursor, limit)
    return History(found.items, found.next or None)
