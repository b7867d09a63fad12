"""Moving running cases to another edition: which may be, one or many, tried or done, and back again."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api import problems
from api.dependencies import Acting, Body, Reading, Route, Writing
from engine import errors
from engine.casework import batches, movable, moves
from engine.casework.batches import Batch, Line
from engine.casework.movable import Found, Mapped
from engine.casework.moves import Tried

router = APIRouter(tags=["moves"], route_class=Route)
Reason = Annotated[str, Field(min_length=1, max_length=moves.LONGEST_REASON, description="Why; it is kept in the history of each case.")]
Mapping = Annotated[
    dict[Annotated[str, Field(max_length=300)], Annotated[str, Field(max_length=300)]] | None,
    Field(max_length=1000, description='What elements become: `process#element` of the former edition → of the new one, "" for what is no more. Null: what is proposed.'),
]


@dataclass(frozen=True)
class Movables:
    """The running cases of other editions, and what is proposed for the elements that this edition does not have."""

    found: Found
    mapping: tuple[Mapped, ...]


@dataclass(frozen=True)
class Moves:
    """How far a trial, a move or an undoing is, and what became of each case so far."""

    batch: Batch
    counts: dict[str, int]
    lines: tuple[Line, ...]


class Undo(Body):
    reason: Reason


class Asked(Body):
    mapping: Mapping = None
    reason: str = Field(default="", max_length=moves.LONGEST_REASON, description="Why; needed unless it is only tried.")
    is_trial: bool = Field(default=False, description="Only says what would come of it: nothing is changed.")


class MoveOne(Asked):
    edition_id: UUID


class MoveMany(Asked):
    cases: list[UUID] = Field(min_length=1, max_length=10_000, description="Instances: cases, dossiers, sittings, signals.")


@router.get("/editions/{edition_id}/moves", responses=problems.described(401, 403, 404, 422))
def show_movable(
    actor: Acting, session: Reading, edition_id: UUID, former: UUID | None = None, branch: Annotated[str, Query(max_length=20)] = "",
    process: Annotated[str, Query(max_length=100)] = "", node: Annotated[str, Query(max_length=200)] = "", limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Movables:  # fmt: skip
    """The running cases that could be moved to an edition. `former`: only those of that edition; `node`: only those that stand at that element."""
    choice = movable.Choice(former, branch, process, node)
    return Movables(movable.find(session, actor, edition_id, choice, limit), movable.mapping(session, actor, edition_id, choice))


@router.post("/editions/{edition_id}/moves", status_code=202, responses=problems.described(401, 403, 404, 409, 422))
def move_many(actor: Acting, session: Writing, edition_id: UUID, asked: MoveMany) -> Batch:
    """Moves many cases in the background, or tries to. `GET /moves/{batch_id}` says how far it is. Without mapping nothing becomes anything else."""
    mapping = asked.mapping or {}
    made = moves.try_many(session, actor, asked.cases, edition_id, mapping) if asked.is_trial else moves.start(session, actor, asked.cases, edition_id, mapping, asked.reason)
    return batches.progress(session, actor, made)


@router.get("/moves/{batch_id}", responses=problems.described(401, 403, 404, 422))
def show_moves(
    actor: Acting, session: Reading, batch_id: UUID, after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 200
) -> Moves:
    """How far a trial, a move or an undoing is. `lines` from the place `after` on: `code` says what became of a case, `details` holds its certificate."""
    batch = batches.progress(session, actor, batch_id)
    if batch.kind != moves.KIND:  # a rehearsal's lines would name whom its report veils
        raise errors.NotFound("batch.not_found")
    return Moves(batch, batches.counts(session, actor, batch_id), batches.lines(session, actor, batch_id, after=after, limit=limit))


@router.post("/moves/{batch_id}/cancel", responses=problems.described(401, 403, 404, 409))
def cancel(actor: Acting, session: Writing, batch_id: UUID) -> Batch:
    """Stops what is under way. What was moved stays moved."""
    return batches.cancel(session, actor, batch_id)


@router.post("/moves/{batch_id}/undo", status_code=202, responses=problems.described(401, 403, 404, 409, 422))
def undo(actor: Acting, session: Writing, batch_id: UUID, asked: Undo) -> Batch:
    """Puts back, in the background, every case of a batch to which nothing has happened since."""
    return batches.progress(session, actor, moves.start_back(session, actor, batch_id, asked.reason))


@router.post("/cases/{case_id}/move", responses=problems.described(401, 403, 404, 409, 422))
def move_one(actor: Acting, session: Writing, case_id: UUID, asked: MoveOne) -> Tried:
    """Moves one case, or says why it cannot be. `code`: `move.done`, `move.ready` (tried), `move.refused`; the certificate names what was proved and every counter-example."""
    if asked.is_trial:
        return moves.dry_run(session, actor, [case_id], asked.edition_id, asked.mapping)[0]
    return moves.move(session, actor, case_id, asked.edition_id, asked.mapping, asked.reason)


@router.post("/cases/{case_id}/move-back", responses=problems.described(401, 403, 404, 409, 422))
def move_back(actor: Acting, session: Writing, case_id: UUID, asked: Undo) -> Tried:
    """Puts a moved case back as it was, byte for byte. Refused once anything else has happened to it."""
    moves.move_back(session, actor, case_id, asked.reason)
    return Tried(case_id, "move.undone")
