"""Batches: work over many cases, done in the background by any number of workers, with a line for each case.

A batch is cut into slices; each is one unit of work, so that a worker that dies loses one slice and another takes it up. It acts as whoever asked for it:
her rights are asked anew at each slice, and a case that is refused says why on its line. `jobs` carries the slices.
Not here: what is done to a case; each kind of work says that itself (`work`).
"""

import datetime as dt
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from engine import clock, database, errors, identity
from engine.actors import authority, users

log = logging.getLogger("masar.batches")

MOST = 200_000  # cases of one batch
_INSERT = text("""INSERT INTO batch (batch_id, kind, draft_id, edition_id, parameters, asked_by, asked_at, total)
                  VALUES (:id, :kind, :draft, :edition, CAST(:parameters AS jsonb), :by, :at, :total)""")
_INSERT_LINES = text("""INSERT INTO batch_line (batch_id, place, slice, instance_id)
                        SELECT :id, c.place, (c.place - 1) / :at_once, c.instance_id FROM unnest(CAST(:cases AS uuid[])) WITH ORDINALITY AS c(instance_id, place)""")
_COLUMNS = "batch_id, kind, draft_id, edition_id, parameters, asked_by, asked_at, state, failure, total, done, started_at, ended_at"
_ONE = text(f"SELECT {_COLUMNS} FROM batch WHERE batch_id = :id")
_LATEST = text(f"SELECT {_COLUMNS} FROM batch WHERE kind = :kind AND draft_id IS NOT DISTINCT FROM :draft ORDER BY asked_at DESC, batch_id DESC LIMIT 1")
_LINES = text("""SELECT l.place, l.instance_id, i.number, i.branch, i.process, i.status, l.result, l.details FROM batch_line l JOIN instance i USING (instance_id)
                  WHERE l.batch_id = :id AND l.result IS NOT NULL AND (:code = '' OR l.result = :code)
                    AND (:after = 0 OR (l.result = ANY(:last), l.place) > (SELECT a.result = ANY(:last), a.place FROM batch_line a WHERE a.batch_id = :id AND a.place = :after))
                  ORDER BY l.result = ANY(:last), l.place LIMIT :limit""")
_COUNTS = text("SELECT result, count(*) FROM batch_line WHERE batch_id = :id AND result IS NOT NULL GROUP BY result ORDER BY result")
_DUE = text("""SELECT DISTINCT l.batch_id, l.slice FROM batch b JOIN batch_line l USING (batch_id)
                WHERE b.state IN ('waiting', 'running') AND l.result IS NULL AND l.batch_id || ' ' || l.slice <> ALL (CAST(:but AS text[]))
                ORDER BY l.batch_id, l.slice LIMIT :limit""")
# Whoever else has the slice in hand is waited for, and has left nothing of it then.
_TAKE = text("SELECT place, instance_id FROM batch_line WHERE batch_id = :id AND slice = :slice AND result IS NULL ORDER BY place FOR UPDATE")
_BEGIN = text("""UPDATE batch SET state = 'running', started_at = coalesce(started_at, clock_timestamp()) WHERE batch_id = :id AND state = 'waiting'""")
_SAY = text("""UPDATE batch_line l SET result = r.result, details = r.details FROM jsonb_to_recordset(CAST(:said AS jsonb)) AS r(place integer, result text, details jsonb)
                WHERE l.batch_id = :id AND l.place = r.place""")
_COUNT = text("""UPDATE batch SET done = done + :more, state = CASE WHEN state = 'running' AND done + :more >= total THEN 'done' ELSE state END,
                        ended_at = CASE WHEN done + :more >= total THEN clock_timestamp() ELSE ended_at END
                  WHERE batch_id = :id""")
_CANCEL = text("UPDATE batch SET state = 'cancelled', ended_at = clock_timestamp() WHERE batch_id = :id AND state IN ('waiting', 'running')")
_FAIL = text("UPDATE batch SET state = 'failed', failure = :code, ended_at = clock_timestamp() WHERE batch_id = :id AND state IN ('waiting', 'running')")


@dataclass(frozen=True)
class Result:
    """What became of a case: a code (translated where it is shown) and details, public JSON: nothing personal."""

    code: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """A batch and how far it is; `started_at` and `ended_at` are the system's time."""

    batch_id: UUID
    kind: str
    draft_id: UUID | None
    edition_id: UUID | None
    parameters: Mapping[str, Any]
    asked_by: UUID
    asked_at: dt.datetime
    state: str
    failure: str
    total: int
    done: int
    started_at: dt.datetime | None
    ended_at: dt.datetime | None

    @property
    def is_under_way(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def seconds(self) -> float | None:
        """How long it took, once it is done."""
        return (self.ended_at - self.started_at).total_seconds() if self.started_at and self.ended_at else None


@dataclass(frozen=True)
class Line:
    """What became of one case."""

    place: int
    instance_id: UUID
    number: str
    branch: str
    process: str
    status: str
    code: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class _Work:
    act: str
    at_once: int
    is_seen_whole: bool
    do: Callable[[Session, Any, Batch, UUID], Result]


_WORK: dict[str, _Work] = {}


def work(kind: str, *, act: str, at_once: int = 10, is_seen_whole: bool = False) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Says how one case of a kind of batch is worked: `one(session, actor, batch, instance_id) -> Result`.

    `act`: what whoever asks must be allowed; `at_once`: cases in one unit of work (1 where each is changed: their locks are held to its end). A Refusal
    raised undoes the case alone and becomes its line, under its own code. `is_seen_whole`: the work reads more of a case than one person may (its whole
    history), and says none of it. The module that says this is imported by `engine.jobs`.
    """

    def keep(one: Callable[..., Result]) -> Callable[..., Result]:
        _WORK[kind] = _Work(act, at_once, is_seen_whole, one)
        return one

    return keep


def start(session: Session, actor: Any, kind: str, cases: Iterable[UUID], parameters: Mapping[str, Any], *,
          draft_id: UUID | None = None, edition_id: UUID | None = None) -> UUID:  # fmt: skip
    """Asks for work over these instances, in their order; it begins at the commit. Refuses: Forbidden, `batch.empty`, `batch.too_many`."""
    how, chosen = _WORK[kind], list(dict.fromkeys(cases))
    authority.require(actor, how.act)
    if not chosen:
        raise errors.Invalid("batch.empty")
    if len(chosen) > MOST:
        raise errors.Invalid("batch.too_many", most=MOST)
    batch_id = identity.new_id()
    session.execute(_INSERT, {"id": batch_id, "kind": kind, "draft": draft_id, "edition": edition_id, "parameters": json.dumps(parameters, ensure_ascii=False, default=str),
                              "by": actor.user_id, "at": clock.now(session), "total": len(chosen)})  # fmt: skip
    session.execute(_INSERT_LINES, {"id": batch_id, "at_once": how.at_once, "cases": chosen})
    return batch_id


def progress(session: Session, actor: Any, batch_id: UUID) -> Batch:
    """How far a batch is. Refuses: Forbidden, `batch.not_found`."""
    authority.require(actor, "batch.read")
    found = _find(session, batch_id)
    if found is None:
        raise errors.NotFound("batch.not_found")
    return found


def latest(session: Session, actor: Any, kind: str, draft_id: UUID | None) -> Batch | None:
    """The last batch of a kind that was asked for a draft. Refuses: Forbidden."""
    authority.require(actor, "batch.read")
    row = session.execute(_LATEST, {"kind": kind, "draft": draft_id}).one_or_none()
    return Batch(**row._mapping) if row else None


def lines(session: Session, actor: Any, batch_id: UUID, *, code: str = "", after: int = 0, limit: int = MOST, last: Sequence[str] = ()) -> tuple[Line, ...]:
    """What became of the cases worked so far, in order, those the reader reaches. `code`: only those; `after`: the place of the last one read; `last`: the results
    that ask nothing of anybody, behind all others. Refuses: as `progress`."""
    progress(session, actor, batch_id)
    rows = session.execute(_LINES, {"id": batch_id, "code": code, "after": after, "limit": limit, "last": list(last)})
    return tuple(Line(row.place, row.instance_id, row.number or "", row.branch, row.process, row.status, row.result, row.details) for row in rows)


def counts(session: Session, actor: Any, batch_id: UUID) -> dict[str, int]:
    """How many cases came to each result. Refuses: as `progress`."""
    progress(session, actor, batch_id)
    return dict(session.execute(_COUNTS, {"id": batch_id}).all())


def cancel(session: Session, actor: Any, batch_id: UUID) -> Batch:
    """Stops a batch: slices in hand are ended, no other begins. Refuses: Forbidden, `batch.not_found`, `batch.ended` (Conflict)."""
    found = progress(session, actor, batch_id)
    authority.require(actor, _WORK[found.kind].act)
    if not session.execute(_CANCEL, {"id": batch_id}).rowcount:
        raise errors.Conflict("batch.ended")
    return progress(session, actor, batch_id)


def cancel_latest(session: Session, actor: Any, kind: str, draft_id: UUID) -> Batch:
    """Stops the last batch of a kind that was asked for a draft. Refuses: Forbidden, `batch.not_found`, `batch.ended`."""
    found = latest(session, actor, kind, draft_id)
    if found is None:
        raise errors.NotFound("batch.not_found")
    return cancel(session, actor, found.batch_id)


def due(session: Session, limit: int, but: Sequence[str] = ()) -> list[tuple[str, str]]:
    """The slices not worked yet: batch and number. `but`: those ("batch number") that somebody sees to already."""
    return [(str(row.batch_id), str(row.slice)) for row in session.execute(_DUE, {"limit": limit, "but": list(but)})]


def work_slice(session: Session, batch_id: UUID, number: int) -> bool:
    """Works one slice as whoever asked for the batch; done already or cancelled, nothing. Whoever lost the right to it has her batch fail."""
    session.execute(_BEGIN, {"id": batch_id})
    batch = _find(session, batch_id)
    places = session.execute(_TAKE, {"id": batch_id, "slice": number}).all()
    if batch is None or batch.state != "running" or not places:
        return False
    how, actor = _WORK[batch.kind], users.find(session, batch.asked_by)
    if actor is None or not authority.may(actor, how.act):
        session.execute(_FAIL, {"id": batch_id, "code": "act.forbidden"})
        return True
    if not how.is_seen_whole:
        database.act_as(session, actor)
    said = []
    for row in places:
        result = _one(session, actor, how, batch, row.instance_id)
        said.append({"place": row.place, "result": result.code, "details": dict(result.details)})
    session.execute(_SAY, {"id": batch_id, "said": json.dumps(said, ensure_ascii=False, default=str)})
    session.execute(_COUNT, {"id": batch_id, "more": len(said)})
    return True


def work_off(of: database.Database) -> int:
    """Works every slice that waits, in this process (a terminal, tests). Returns how many."""
    done = 0
    while True:
        with of.reading(users.system()) as session:
            waiting = due(session, 100)
        for batch_id, number in waiting:
            with of.unit_of_work(users.system()) as session:
                work_slice(session, UUID(batch_id), int(number))
            done += 1
        if not waiting:
            return done


def _one(session: Session, actor: Any, how: _Work, batch: Batch, instance_id: UUID) -> Result:
    """One case, undone alone where it is refused or where we broke: the others of the slice are not its business."""
    try:
        with session.begin_nested():
            return how.do(session, actor, batch, instance_id)
    except errors.Refusal as refusal:
        return Result(refusal.code, {name: str(value) for name, value in refusal.details.items()})
    except DBAPIError as trouble:
        if trouble.connection_invalidated:
            raise
        log.exception("a case of a batch broke: %s %s", batch.batch_id, instance_id)
    except Exception:
        log.exception("a case of a batch broke: %s %s", batch.batch_id, instance_id)
    return Result("batch.broke")


def _find(session: Session, batch_id: UUID) -> Batch | None:
    row = session.execute(_ONE, {"id": batch_id}).one_or_none()
    return Batch(**row._mapping) if row else None
