"""Which running cases may be moved to an edition: found by where they are and where they stand; the mapping proposed for them; and what was moved and may be put back.

Not here: moving them (`moves`).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.actors import authority
from engine.casework import editions
from engine.casework.moves import ACT
from engine.i18n import pick
from engine.pathway import proposal

_WHERE = """i.status = 'open' AND i.edition_id <> :to AND (CAST(:from AS uuid) IS NULL OR i.edition_id = :from) AND (:branch = '' OR i.branch = :branch)
    AND (:process = '' OR i.process = :process)
    AND (:node = '' OR EXISTS (SELECT FROM open_task t WHERE t.instance_id = i.instance_id AND t.node = :node)
                    OR EXISTS (SELECT FROM wait w WHERE w.instance_id = i.instance_id AND w.awaits <> '' AND w.node = :node))"""
_FOUND = text(f"""
    SELECT i.instance_id, i.root_id, r.number, i.process, i.branch, e.number AS edition, i.edition_id, i.stage, i.opened_at,
           ARRAY(SELECT t.names FROM open_task t WHERE t.instance_id = i.instance_id ORDER BY t.task_id LIMIT 6) AS tasks,
           ARRAY(SELECT w.labels FROM wait w WHERE w.instance_id = i.instance_id AND w.awaits <> '' ORDER BY w.position LIMIT 6) AS waits
      FROM instance i JOIN edition e USING (edition_id) JOIN instance r ON r.instance_id = i.root_id
     WHERE {_WHERE} ORDER BY r.opened_at, r.instance_id, i.opened_at, i.instance_id LIMIT :limit""")
_ALL = text(f"SELECT i.instance_id FROM instance i WHERE {_WHERE} ORDER BY i.opened_at, i.instance_id")
_COUNT = text(f"SELECT count(*), array_agg(DISTINCT i.edition_id) FROM instance i WHERE {_WHERE}")
_STANDS = text(f"""
    SELECT s.node, s.names, count(DISTINCT s.instance_id) AS cases FROM instance i
      JOIN (SELECT t.instance_id, t.node, t.names FROM open_task t UNION ALL SELECT w.instance_id, w.node, w.labels FROM wait w WHERE w.awaits <> '') s USING (instance_id)
     WHERE {_WHERE} GROUP BY s.node, s.names ORDER BY cases DESC, s.node""")
_FORMER = text("""SELECT e.edition_id, e.number, i.process, count(*) AS cases FROM instance i JOIN edition e USING (edition_id)
                   WHERE i.status = 'open' AND i.edition_id <> :to GROUP BY e.edition_id, e.number, i.process ORDER BY e.number, i.process""")
_BRANCHES = text("SELECT DISTINCT branch FROM instance WHERE status = 'open' AND edition_id <> :to ORDER BY branch")
_MOVED = text("""SELECT i.instance_id, i.process, l.line::jsonb -> 'body' ->> 'from' AS former, l.line::jsonb -> 'body' ->> 'to' AS present, l.line::jsonb ->> 'occurred_at' AS at
                   FROM instance i JOIN ledger_line l ON l.instance_id = i.instance_id AND l.seq = i.seq WHERE i.root_id = :root AND l.kind = 'case.moved'""")
_NUMBERS = text("""
    SELECT i.instance_id, i.root_id, r.number, l.kind,
           coalesce((SELECT e.edition_id FROM ledger_line m JOIN edition e ON e.number = (m.line::jsonb -> 'body' ->> 'from')::integer
                      WHERE m.instance_id = i.instance_id AND m.kind = 'case.moved' ORDER BY m.seq DESC LIMIT 1), i.edition_id) AS former
      FROM instance i JOIN instance r ON r.instance_id = i.root_id JOIN ledger_line l ON l.instance_id = i.instance_id AND l.seq = i.seq
     WHERE i.instance_id = ANY (CAST(:ids AS uuid[]))""")


@dataclass(frozen=True)
class Choice:
    """Which cases: of an edition, a branch, a process; standing at an element. Empty: of any."""

    former: UUID | None = None
    branch: str = ""
    process: str = ""
    node: str = ""

    def asked(self, edition_id: UUID) -> dict[str, Any]:
        return {"to": edition_id, "from": self.former, "branch": self.branch, "process": self.process, "node": self.node}


@dataclass(frozen=True)
class Movable:
    """A running case, dossier, sitting or signal of another edition, and where it stands, in words."""

    instance_id: UUID
    root_id: UUID
    number: str
    process: str
    branch: str
    edition: int
    stage: str
    opened_at: dt.datetime
    stands: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What a choice found. `total`: of all that match; `stands`: element, its name, how many stand there; `former`: edition id, its number, process, how many run;
    `branches`: where such cases run."""

    items: tuple[Movable, ...]
    total: int
    stands: tuple[tuple[str, str, int], ...]
    former: tuple[tuple[UUID, int, str, int], ...]
    branches: tuple[str, ...]


@dataclass(frozen=True)
class Mapped:
    """An element that the edition does not have under its id (`process#id`), and its name. `to`: what is proposed, "" for nothing; `offered`: what it may become, with names;
    `standing`: how many of the chosen cases stand there."""

    element: str
    name: str
    kind: str
    to: str
    offered: tuple[tuple[str, str], ...]
    standing: int


def find(session: Session, actor: Any, edition_id: UUID, choice: Choice, limit: int = 200) -> Found:
    """The running cases that a choice means, the oldest first. Refuses: Forbidden, `edition.not_found`."""
    authority.require(actor, ACT)
    editions.find(session, actor, edition_id)
    asked, language = choice.asked(edition_id), actor.language
    rows = session.execute(_FOUND, asked | {"limit": limit}).all()
    total, _ = session.execute(_COUNT, asked).one()
    items = tuple(
        Movable(row.instance_id, row.root_id, row.number or "", row.process, row.branch, row.edition, row.stage, row.opened_at,
                tuple(dict.fromkeys(filter(None, (pick(names, language) for names in (*row.tasks, *row.waits))))))
        for row in rows
    )  # fmt: skip
    stands = tuple((row.node, pick(row.names, language) or row.node, row.cases) for row in session.execute(_STANDS, asked | {"node": ""}))
    former = tuple((row.edition_id, row.number, row.process, row.cases) for row in session.execute(_FORMER, {"to": edition_id}))
    return Found(items, total, stands, former, tuple(session.execute(_BRANCHES, {"to": edition_id}).scalars()))


def every(session: Session, actor: Any, edition_id: UUID, choice: Choice) -> tuple[UUID, ...]:
    """All that a choice means. Refuses: as `find`."""
    authority.require(actor, ACT)
    editions.find(session, actor, edition_id)
    return tuple(session.execute(_ALL, choice.asked(edition_id)).scalars())


def mapping(session: Session, actor: Any, edition_id: UUID, choice: Choice) -> tuple[Mapped, ...]:
    """What is proposed for the elements that the chosen cases' editions have and this one has not. Refuses: as `find`."""
    authority.require(actor, ACT)
    after = editions.find(session, actor, edition_id)
    _, former = session.execute(_COUNT, choice.asked(edition_id)).one()
    stands = {row.node: row.cases for row in session.execute(_STANDS, choice.asked(edition_id) | {"node": ""})}
    found: dict[str, Mapped] = {}
    for before in (editions.load(session, one) for one in former or ()):
        for pair in proposal.propose(before.definitions, after.definitions):
            if pair.is_stood_at and pair.element[0] in after.definitions.processes:
                process, element = pair.element
                offered = tuple((_written(one), after.definitions.label(one[1], actor.language, one[0])) for one in pair.offered)
                kind = next(one.kind for one in before.definitions.elements(process) if one.id == element)
                found.setdefault(_written(pair.element), Mapped(_written(pair.element), before.definitions.label(element, actor.language, process), kind,
                                                                _written(pair.to) if pair.to else "", offered, stands.get(element, 0)))  # fmt: skip
    return tuple(sorted(found.values(), key=lambda one: -one.standing))


def _written(element: tuple[str, str]) -> str:
    return "#".join(element)


def moved(session: Session, actor: Any, case_id: UUID) -> tuple[Mapping[str, Any], ...]:
    """Of a case and its parts, what was moved and has not gone on since: it may be put back (`moves.move_back`)."""
    if not authority.may(actor, ACT):
        return ()
    return tuple(dict(row) for row in session.execute(_MOVED, {"root": case_id}).mappings())


@dataclass(frozen=True)
class Numbered:
    """Under which number an instance is known, and the edition it was moved from where its last line says so (`may_return`)."""

    root_id: UUID
    number: str
    former: UUID | None
    may_return: bool


def numbers(session: Session, instances: Sequence[UUID]) -> dict[UUID, Numbered]:
    """Of each instance the reader reaches."""
    rows = session.execute(_NUMBERS, {"ids": list(instances)})
    return {row.instance_id: Numbered(row.root_id, row.number or "", row.former, row.kind == "case.moved") for row in rows}
