"""What may move a pathway: one class a kind of stimulus. Everything that varies (time, ids, facts) comes in here and nowhere else.

Not here: who may give a stimulus, and when (casework).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Stimulus:
    """`at`: aware UTC instant. `seq`: the ledger sequence of the instance, from which ids derive. `facts`: subject key → nested values."""

    at: dt.datetime
    seq: int
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Start(Stimulus):
    """An instance begins. With `message`, at the start event that awaits it; without, at the plain one."""

    variables: Mapping[str, Any]
    message: str | None = None
    correlation: str | None = None


@dataclass(frozen=True)
class Complete(Stimulus):
    """A user or manual task is done; `variables` go to its process (or to its own instance, inside a multi-instance)."""

    task_id: str
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Message(Stimulus):
    """A message arrives. Nobody waiting yet: it is kept until somebody does."""

    name: str
    correlation: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Timer(Stimulus):
    """The instant of a wait has come."""

    wait_id: str


@dataclass(frozen=True)
class Signal(Stimulus):
    """A signal from outside: everybody who waits for it hears it, nobody else ever will."""

    name: str


@dataclass(frozen=True)
class OperationDone(Stimulus):
    """An operation answered: outputs become variables; `error` is a code that an error event may catch, else an incident."""

    task_id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Retry(Stimulus):
    """The cause of an incident is mended: its node tries again."""

    incident_id: str


@dataclass(frozen=True)
class Jump(Stimulus):
    """Somebody moves a token: what stands at `position` is over, undone, and goes on at an element of the same scope."""

    position: str
    element: str


@dataclass(frozen=True)
class Skip(Stimulus):
    """Somebody leaves the operation at `position` undone: its token goes on as if it had answered nothing."""

    position: str


@dataclass(frozen=True)
class Stop(Stimulus):
    """What the instance is about is over (a death, a withdrawal): everything in it ends where it stands, with this outcome."""

    outcome: str
