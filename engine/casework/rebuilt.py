"""What tables hold of an instance now, against what its ledger alone tells of its last instant: state, open tasks, waits, incidents, its own columns, what is known; the same, bit for bit.

The doctor asks it of every case, stories of every one they lived. Of whoever was erased only what is public is compared. Not here: rows of the past (`projections`).
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.casework import known_then
from engine.casework.gathered import Gathered
from engine.casework.instances import find
from engine.casework.instants import Instant, Teller, Told
from engine.dossier import facts
from engine.pathway import bpmn

_INSTANCE = text("SELECT seq, state, stage, status, outcome, branch, referent_id::text AS referent, social_worker_id::text AS social_worker FROM instance WHERE instance_id = :id")
_ROWS = {
    "tasks": text("""SELECT position, task_id::text, process, node, names, kind, form, subject, subjects, agency, branch, role, holder_id::text, opened_at, due_at, stage, apart
                       FROM open_task WHERE instance_id = :id"""),
    "waits": text("SELECT position, node, kind, name, correlation, labels, opened_at, due_at, awaits FROM wait WHERE instance_id = :id"),
    "incidents": text("SELECT position, node, code, details, opened_at FROM incident WHERE instance_id = :id AND resolved_at IS NULL"),
}
# `before`: movements are kept since after the instance began.
_MOVED = text("""SELECT CASE kind WHEN 'advanced' THEN 'paid' ELSE kind END AS kind, sum(amount_millimes) AS millimes FROM fund_movement WHERE instance_id = :id GROUP BY 1
                 UNION ALL SELECT 'before', count(*) FROM fund_movement m WHERE m.aid_id IS NULL AND m.moved_at > (SELECT opened_at FROM instance WHERE instance_id = :id)""")
_MONEY = ("committed", "paid", "released", "recovered")
_HOURS = ("opened_at", "due_at")
_EVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)  # facts of other instances count as they are now, this one's own up to its last line
_COLUMNS = ("stage", "status", "outcome", "branch", "referent", "social_worker")


def differences(session: Session, instance_id: UUID) -> Iterator[str]:
    """What differs, each by its name: `tasks: T205 due_at`, `known: person.nom_fr`. Nothing where all is the same."""
    yield from (name for _, name in placed(session, instance_id))


def placed(session: Session, instance_id: UUID) -> Iterator[tuple[int, str]]:
    """The same, each with the line that tells it otherwise; 0 where that is the history as a whole."""
    now, gathered = _last(session, instance_id)
    row = session.execute(_INSTANCE, {"id": instance_id}).one()
    if now.is_told:
        yield from ((0, name) for name in _unfolded(session, instance_id, now, row))
    yield from gathered.differences()


def _unfolded(session: Session, instance_id: UUID, now: Instant, row: Any) -> Iterator[str]:
    yield from (["state"] if now.state != bytes(row.state) else []) + ([] if now.is_sound else ["a step is not what its line sealed"])
    yield from (f"instance: {name}" for name in _COLUMNS if getattr(now, name) != getattr(row, name))
    yield from _known(session, instance_id, now)
    yield from _money(session, instance_id, now)
    for name, query in _ROWS.items():
        held = {one.position: dict(one._mapping) for one in session.execute(query, {"id": instance_id})}
        told = getattr(now, name)
        for position in sorted(held.keys() | told.keys()):
            columns = _columns(held.get(position), told.get(position))
            yield from (f"{name}: {(held.get(position) or told[position])['node']} {one}".rstrip() for one in columns)


def _money(session: Session, instance_id: UUID, now: Instant) -> list[str]:
    """What the dossier moved in its fund; nothing is said of one that began before movements were kept."""
    moved = {row.kind: int(row.millimes) for row in session.execute(_MOVED, {"id": instance_id})}
    if moved.pop("before", 0):
        return []
    return [f"money: {kind}" for kind in _MONEY if moved.get(kind, 0) != now.money.get(kind, 0)]


def _last(session: Session, instance_id: UUID) -> tuple[Instant, Gathered]:
    now, teller = Instant(), _Watched(session, instance_id)
    gathered = Gathered(session, instance_id, teller.edition)
    for after, act in teller.unfold():
        gathered.take(now, act, after, teller.wrote, teller.asked)
        teller.wrote.clear()
        teller.asked.clear()
        now = after
    return now, gathered


class _Watched(Teller):
    """Keeps what the acts wrote, and asked for, since it was last looked at."""

    def __init__(self, session: Session, instance_id: UUID) -> None:
        super().__init__(session, instance_id)
        self.wrote: list[Any] = []
        self.asked: list[Any] = []

    def _take(self, now: Instant, told: Told) -> Sequence[Any]:
        found = super()._take(now, told)
        self.asked += [one for one in found if isinstance(one, bpmn.OperationRequested)]
        return found

    def _write(self, now: Instant, rows: Any, at: dt.datetime) -> None:
        self.wrote.append(rows)
        super()._write(now, rows, at)


def _columns(held: Mapping[str, Any] | None, told: Mapping[str, Any] | None) -> list[str]:
    """The columns in which a row is not what was told; "" where there is none of the two."""
    if held is None or told is None:
        return [""]
    return [name for name, value in held.items() if value != _value(name, told[name])]


def _value(name: str, value: Any) -> Any:
    return dt.datetime.fromisoformat(value) if name in _HOURS and value else value


def _known(session: Session, instance_id: UUID, now: Instant) -> list[str]:
    held = find(session, instance_id)
    assert held is not None
    live = {(one.subject, one.field): _said(one) for one in facts.snapshot(session, held.subjects, held.edition.dictionary.fields)}
    told = {(one.subject, one.field): _said(one) for one in known_then.facts(session, instance_id, now.seq, _EVER)}
    return sorted({f"known: {field}" for subject, field in live.keys() | told.keys() if live.get((subject, field)) != told.get((subject, field))})


def _said(fact: Any) -> tuple[Any, ...]:
    return fact.value, fact.status, fact.field_class, fact.author_agency, fact.author_id, fact.recorded_at

