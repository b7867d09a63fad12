"""What a step made happen, in order, for casework to turn into rows and ledger lines. Plain frozen values, nothing to call.

Positions, tasks, waits and incidents have ids `<seq>.<ordinal>`: the ledger sequence of the stimulus that made them, then a count.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec


class TaskOpened(msgspec.Struct, frozen=True):
    """A person's turn. `kind` user|manual; `deadline` (number, unit); `due` the date it is to be done by, with so many units of the
    deadline added, where the diagram names one that is known; `subject` `mesure:<id>` or ""; `scope` the subjects around, outer first;
    `distinct`: ids of the tasks whose doer, in the same dossier, may not do this one."""

    task_id: str
    node: str
    name: str
    kind: str
    lane: str
    form: str
    role: str
    deadline: tuple[int, str] | None
    subject: str
    scope: tuple[str, ...]
    process: str
    distinct: tuple[str, ...] = ()
    due: tuple[dt.date, int] | None = None


class TaskClosed(msgspec.Struct, frozen=True):
    """`outcome` completed|cancelled."""

    task_id: str
    outcome: str
    node: str = ""


class WaitOpened(msgspec.Struct, frozen=True):
    """`kind` message|signal|timer|condition; `what` is the timer or the condition as drawn, else ""."""

    wait_id: str
    node: str
    kind: str
    name: str
    correlation: str | None
    due_at: dt.datetime | None
    what: str


class WaitClosed(msgspec.Struct, frozen=True):
    """`missed`: occurrences of a recurring timer that passed unseen before this one rang (the machine was down)."""

    wait_id: str
    node: str = ""
    missed: int = 0


class MessageSent(msgspec.Struct, frozen=True):
    name: str
    correlation: str | None
    payload: Mapping[str, Any]
    node: str


class OperationRequested(msgspec.Struct, frozen=True):
    """Answered by `OperationDone(task_id)`. `subject`: the innermost subject around, or ""."""

    task_id: str
    node: str
    operation: str
    parameters: Mapping[str, Any]
    subject: str


class BranchTaken(msgspec.Struct, frozen=True):
    """Which flows (ids) a node took; `why`: for each condition looked at `{flow, text, value, values: path → value}`, JSON-able.

    An escalation that nobody catches is ignored by BPMN: it is told as a branch with no flow.
    """

    node: str
    flows: tuple[str, ...]
    why: tuple[Mapping[str, Any], ...]


class Decided(msgspec.Struct, frozen=True):
    """A decision table or expression answered: rules fired, the values it read, its outputs."""

    node: str
    decision: str
    rules: tuple[str, ...]
    values: Mapping[str, Any]
    outputs: Any


class IncidentRaised(msgspec.Struct, frozen=True):
    """The procedure broke at a node, which waits for `Retry(incident_id)`."""

    incident_id: str
    node: str
    code: str
    details: Mapping[str, Any]

    @property
    def because(self) -> tuple[tuple[str, str], ...]:
        """The details that word it and hold no value of anybody."""
        told = ((name, self.details.get(name)) for name in ("decision", "error", "most", "name", "operation", "process", "rules", "steps"))
        return tuple((name, ", ".join(value) if isinstance(value, list | tuple) else str(value)) for name, value in told if value)


class IncidentClosed(msgspec.Struct, frozen=True):
    """The incident stands no more: its node tries again, or something else took the token away."""

    incident_id: str
    node: str


class Entered(msgspec.Struct, frozen=True):
    node: str
    position: str


class Left(msgspec.Struct, frozen=True):
    node: str
    position: str


class Ended(msgspec.Struct, frozen=True):
    """The instance is over; `outcome` is the id of the end event reached last."""

    outcome: str
