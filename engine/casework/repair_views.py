"""What a person sees of the repair desk: where tokens stand, what a move would do, what waits for a second person."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from engine.pathway import bpmn


@dataclass(frozen=True)
class Target:
    element: str
    name: str


@dataclass(frozen=True)
class Place:
    """Where one token stands. `what`: `task`, `wait`, `operation`, `inside` (of what it calls) or `node`; `seq`: goes back with the act."""

    instance_id: UUID
    seq: int
    position: str
    process: str
    process_name: str
    node: str
    name: str
    what: str
    is_broken: bool
    targets: tuple[Target, ...]
    may_skip: bool


@dataclass(frozen=True)
class Outlook:
    """What a move would do. Names in the reader's language; `broken`: (name, code) of the incidents it would raise; `touches`: why two must agree, "" when none."""

    instance_id: UUID
    seq: int
    position: str
    name: str
    to: str
    to_name: str
    closed: tuple[str, ...]
    opened: tuple[str, ...]
    operations: tuple[str, ...]
    waits: tuple[str, ...]
    messages: tuple[str, ...]
    broken: tuple[tuple[str, str], ...]
    has_ended: bool
    touches: tuple[str, ...]

    @classmethod
    def of(cls, held: Any, content: Mapping[str, Any], touches: Sequence[str], happenings: Sequence[Any], language: str) -> "Outlook":
        definitions = held.edition.definitions

        def named(node: str) -> str:
            return definitions.label(node, language)

        opened = {one.task_id: named(one.node) for one in happenings if isinstance(one, bpmn.TaskOpened)}
        waits = {one.wait_id: named(one.node) for one in happenings if isinstance(one, bpmn.WaitOpened)}
        gone = {one.wait_id for one in happenings if isinstance(one, bpmn.WaitClosed)}
        closed = tuple(named(one.node) for one in happenings if isinstance(one, bpmn.TaskClosed) and one.task_id not in opened)
        to = content.get("to", "")
        return cls(
            held.instance_id, held.seq, content["position"], definitions.described(content["node"], language, content["process"]), to,
            definitions.described(to, language, content["process"]) if to else "", closed, tuple(opened.values()),
            tuple(named(one.node) for one in happenings if isinstance(one, bpmn.OperationRequested)),
            tuple(name for wait, name in waits.items() if wait not in gone), tuple(one.name for one in happenings if isinstance(one, bpmn.MessageSent)),
            tuple((named(one.node), one.code) for one in happenings if isinstance(one, bpmn.IncidentRaised)),
            any(isinstance(one, bpmn.Ended) for one in happenings), tuple(touches),
        )  # fmt: skip


@dataclass(frozen=True)
class Repair:
    """A repair that two must agree on. `label`, `before`, `value`: of a correction, what is known and what it would be, "" where the reader may not see it; `state`: `proposed`, `expired`, `applied`, `refused` or
    `withdrawn`; `at_seq`: where the instance stands, goes back with the approval; `may`: `approve`, `refuse`."""

    repair_id: UUID
    case_id: UUID
    instance_id: UUID
    case_number: str
    branch: str
    act: str
    name: str
    to_name: str
    position: str
    to: str
    label: str
    before: str
    value: str
    reason: str
    touches: tuple[str, ...]
    proposed_by: str
    proposed_at: dt.datetime
    expires_at: dt.datetime
    state: str
    decided_by: str
    decided_at: dt.datetime | None
    answer: str
    at_seq: int
    may: tuple[str, ...]
