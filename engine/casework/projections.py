"""Tables against the ledger: what rows say and lines do not, or lines and not rows. Of whoever was erased nothing can be told, and nothing is.

Rows are a projection: everything in them was told by a line. So a row changed past the ledger, dropped or added is found here and nowhere else.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.casework import letters, rebuilt, replays
from engine.identity import derived_id
from engine.ledger import access
from engine.pathway import bpmn

_LINES = text("""SELECT l.seq, l.line, s.person_id, s.ciphertext FROM ledger_line l LEFT JOIN ledger_sealed s USING (instance_id, seq)
                  WHERE l.instance_id = :id ORDER BY l.seq""")
_FACTS = text("SELECT seq, subject, field, value, status, class FROM fact WHERE instance_id = :id")
_STALE = text("""SELECT f.field FROM fact f WHERE f.instance_id = :id AND f.is_current
                    AND EXISTS (SELECT FROM fact g WHERE NOT g.is_current AND g.subject = f.subject AND g.field = f.field AND g.fact_id > f.fact_id)
                 UNION ALL SELECT f.field FROM fact f WHERE f.instance_id = :id AND NOT f.is_current
                    AND NOT EXISTS (SELECT FROM fact g WHERE g.is_current AND g.subject = f.subject AND g.field = f.field AND g.fact_id > f.fact_id) LIMIT 5""")
_TASKS = text("SELECT position, node FROM open_task WHERE instance_id = :id")
_WAITS = text("SELECT position, node FROM wait WHERE instance_id = :id")
_INCIDENTS = text("SELECT position, node FROM incident WHERE instance_id = :id AND resolved_at IS NULL")
_DONE = text("SELECT task_id, node FROM task_done WHERE instance_id = :id AND outcome = 'completed'")
_LETTERS = text("SELECT letter_id, template, code, content FROM letter WHERE instance_id = :id")


@dataclass(frozen=True)
class Other:
    """One thing that rows and lines do not say alike: `code` (see `doctor`), the line where there is one, what it is about."""

    code: str
    seq: int
    about: str


def differences(session: Session, instance_id: UUID) -> Iterator[Other]:
    """What rows of an instance say otherwise than its ledger, the earliest line first."""
    told = _Told(session, instance_id)
    yield from sorted([*_facts(session, instance_id, told), *_done(session, instance_id, told), *_letters(session, instance_id, told), *_state(session, instance_id)],
                      key=lambda one: one.seq)  # fmt: skip


class _Told:
    """What the lines of an instance tell: facts by line, tasks completed, letters."""

    def __init__(self, session: Session, instance_id: UUID) -> None:
        self.erased: set[str] = set()  # whom a sitting wrote of and who was erased since: aids
        self.facts: dict[tuple[int, str, str], Mapping[str, Any] | None] = {}  # None: sealed under a key that is gone
        self.done: dict[str, tuple[int, str]] = {}
        self.letters: dict[str, tuple[int, Mapping[str, Any]]] = {}
        for row in session.execute(_LINES, {"id": instance_id}):
            line = json.loads(row.line)
            body = line["body"]
            opened = access.open_line(session, instance_id, row.seq, row.person_id, row.ciphertext) if row.ciphertext else {}
            if line["kind"] == "person.erased":
                self.erased.update(body.get("subjects", ()))
            if line["kind"] == "person.parted" and "undone" in body:  # what a merger said anew went with it
                self.facts = {key: said for key, said in self.facts.items() if key[0] != body["undone"]}
            for one in body.get("facts", ()):
                self.facts[row.seq, one["subject"], one["field"]] = opened.get(f"{one['subject']}|{one['field']}")
            if line["kind"] == "task.completed":
                self.done[str(derived_id(instance_id, body["task"]))] = (row.seq, body["node"])
            if "letter" in body:
                self.letters[body["letter"]] = (row.seq, opened)
            for letter, digest in body.get("papers", {}).items():  # without whoever was erased
                self.letters[letter] = (row.seq, {**self.letters[letter][1], "letter": digest})


def _facts(session: Session, instance_id: UUID, told: _Told) -> Iterator[Other]:
    waiting = dict(told.facts)
    for row in session.execute(_FACTS, {"id": instance_id}):
        key = (row.seq, row.subject, row.field)
        if key not in waiting:
            yield Other("fact.other", row.seq, f"{row.field}: no line says it")
            continue
        said = waiting.pop(key)
        if said is not None and (said["value"], said["status"], said["class"]) != (row.value, row.status, row._mapping["class"]):
            yield Other("fact.other", row.seq, f"{row.field}: its line says something else")
    for (seq, subject, field), said in waiting.items():
        if said is not None and subject not in told.erased:  # a forgotten person's facts are gone, with the key; what a sitting wrote of her, under its own
            yield Other("fact.other", seq, f"{field}: its row is gone")
    for name in session.execute(_STALE, {"id": instance_id}).scalars():
        yield Other("fact.other", 0, f"{name}: what counts today is not what was said last")


def _done(session: Session, instance_id: UUID, told: _Told) -> Iterator[Other]:
    rows = {str(row.task_id): row.node for row in session.execute(_DONE, {"id": instance_id})}
    for task_id in rows.keys() - told.done.keys():
        yield Other("task.done_without_line", 0, rows[task_id])
    for task_id in told.done.keys() - rows.keys():
        yield Other("task.line_without_done", *told.done[task_id])


def _letters(session: Session, instance_id: UUID, told: _Told) -> Iterator[Other]:
    waiting = dict(told.letters)
    for row in session.execute(_LETTERS, {"id": instance_id}):
        seq, said = waiting.pop(str(row.letter_id), (0, None))
        if said is None:
            yield Other("letter.other", seq, f"{row.template}: no line says it")
        elif said and (said.get("code"), said.get("letter")) != (row.code, letters.digest(row.content)):
            yield Other("letter.other", seq, f"{row.template}: its line says something else")
    for seq, said in waiting.values():
        if said:  # sealed under a key that is gone, it went with its person
            yield Other("letter.other", seq, "its row is gone")


def _state(session: Session, instance_id: UUID) -> Iterator[Other]:
    """The state against the history played again, and the rows of what is open against the state."""
    found = replays.history(session, instance_id)
    held = found.held
    if found.is_whole and not replays.is_exact(found):
        yield Other("state.other", held.seq, held.number or held.process)
        return
    try:
        stands = bpmn.inspect(held.edition.definitions, held.state)
    except (errors.Refusal, ValueError, KeyError) as trouble:
        yield Other("state.other", held.seq, f"{held.number or held.process}: {trouble}")
        return
    if stands.ended != (held.status == "ended"):
        yield Other("case.ended_otherwise", held.seq, held.number or held.process)
    kept = (("tasks", _TASKS, {(one.task_id, one.node) for one in stands.tasks}), ("waits", _WAITS, {(one.wait_id, one.node) for one in stands.waits}),
            ("incidents", _INCIDENTS, {(one.incident_id, one.node) for one in stands.incidents}))  # fmt: skip
    for name, query, said in kept:
        rows = Counter((row.position, row.node) for row in session.execute(query, {"id": instance_id}))
        for _, node in sorted(rows.keys() ^ said):
            yield Other("table.other", held.seq, f"{name}: {node}")
    yield from (Other("table.other", seq or held.seq, one) for seq, one in rebuilt.placed(session, instance_id))
