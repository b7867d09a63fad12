"""Cases: opening one, where it stands, what happened, its letters."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from api import problems
from api.dependencies import Acting, Body, Reading, Route, Writing
from engine import errors
from engine.casework import cases, letters, readers, receipts
from engine.casework.readers import Readers
from engine.casework.views import CaseFile, Happened, Opened
from engine.insight import casefile as casefiles
from engine.insight import datacopy
from engine.ledger.log import Inclusion

Printer = Callable[[Mapping[str, Any], dt.datetime, str], bytes]
router = APIRouter(prefix="/cases", tags=["cases"], route_class=Route)
_FOR = "personne, tribunal, OTE, CPS, ANETI, PART or auditeur: the file shows no more than that one may see, and the export is noted with it. Empty: for oneself."
_HTML = {"description": "The file.", "content": {"text/html": {"schema": {"type": "string", "format": "binary"}}}}
_PDF = {"description": "The letter.", "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}


class NewCase(Body):
    process: str = Field(min_length=1, max_length=100, description="Id of a published process.", examples=["parcours"])
    branch: str = Field(default="", max_length=20, description="Code of the branch; by default one's own.", examples=["MED"])
    channel: str = Field(default="", max_length=40, description="How the person came (`accueil.canal_arrivee`): then it is not asked again.", examples=["en_ligne"])
    returning: UUID | None = Field(default=None, description="The closed case of a person who comes again: the new one is hers, and knows what was said then.")
    expected: UUID | None = Field(default=None, description="The signal of the person who has come: the case knows what it said, and the signal is closed.")


@dataclass(frozen=True)
class History:
    """One page of what happened, the newest first. `next` is the `cursor` of the following page, null on the last."""

    items: tuple[Happened, ...]
    next: str | None


@router.post("", status_code=201, responses=problems.described(401, 403, 409, 422))
def open_case(actor: Acting, session: Writing, asked: NewCase, answer: Response) -> Opened:
    """Opens a case of a process at a branch. Its first task identifies the person; `task_id` is that task when it is the caller's to do."""
    opened = cases.open_case(session, actor, asked.process, asked.branch, channel=asked.channel, expected=asked.expected, returning=asked.returning)
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


@router.get("/{case_id}/casefile", response_class=Response, responses={200: _HTML} | problems.described(401, 403, 404, 422))
def casefile(actor: Acting, session: Reading, case_id: UUID, recipient: Annotated[str, Query(max_length=40, description=_FOR)] = "") -> Response:
    """A case as one HTML file that needs no network: its diagrams, its history to play, and the ledger lines that prove it, which any browser verifies.

    Values that the reader or the `recipient` may not see are left out; their commitments stay, so that the file verifies all the same. It holds the signed checkpoint
    of the log, the log's keys, and each line's proof of inclusion. Refused (403) for an agency with which the person did not agree to share.
    """
    made = casefiles.make(session, actor, case_id, recipient)
    return Response(made.content, media_type="text/html", headers={"content-disposition": f'attachment; filename="{made.name}"'})


@router.get("/{case_id}/consultations", responses=problems.described(401, 404, 422))
def consultations(
    actor: Acting, session: Reading, case_id: UUID, before: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=200)] = 100
) -> Readers:
    """Who consulted a case: each reading of what is sensitive in it, each refused attempt, each export. For the auditor, and the head of its branch."""
    return readers.of_case(session, actor, case_id, before, limit)


@router.get("/{case_id}/letters/{letter_id}.pdf", response_class=Response, responses={200: _PDF} | problems.described(401, 404, 409, 422))
def letter(request: Request, actor: Acting, session: Reading, case_id: UUID, letter_id: UUID) -> Response:
    """A letter of a case as it is printed, in French and in Arabic. `letters` of the case lists them."""
    found = letters.read(session, actor, letter_id)
    if found.case_id != case_id:
        raise errors.NotFound("letter.not_found")
    if request.app.state.printer is None:
        raise errors.Conflict("letter.no_printer")
    headers = {"content-disposition": f'attachment; filename="{found.template}-{found.code}.pdf"'}
    return Response(request.app.state.printer(found.content, found.produced_at, found.slip), media_type="application/pdf", headers=headers)


@router.get("/{case_id}/copy.pdf", response_class=Response, responses={200: _PDF} | problems.described(401, 404, 409, 422))
def copy(request: Request, actor: Acting, session: Reading, case_id: UUID) -> Response:
    """What is kept of the person of a case, in plain words, as a paper in French and in Arabic for her hands; no more than the reader may see.

    It bears a code by which anybody verifies it. That it was made is noted in `consultations`.
    """
    if request.app.state.printer is None:
        raise errors.Conflict("letter.no_printer")
    made = datacopy.make(session, actor, case_id)
    headers = {"content-disposition": f'attachment; filename="donnees-{made.case_number or case_id}.pdf"'}
    return Response(request.app.state.printer(made.content, made.made_at, ""), media_type="application/pdf", headers=headers)


@router.get("/{case_id}/entries/{seq}", responses=problems.described(401, 404, 409))
def entry(actor: Acting, session: Reading, case_id: UUID, seq: Annotated[int, Path(ge=1, le=2**31)]) -> Inclusion:
    """That a line of a case (or of a dossier or sitting, by its own id) stands in the log, under the checkpoint that it gives.

    `hash` is the SHA-256 of the line in hex; the leaf is of the 16 bytes of the id, the number in 8 bytes, and the hash. Lines of the last minute are a 409.
    """
    return receipts.entry(session, actor, case_id, seq)
