"""The pathway, whole: `parse` diagrams into definitions; `start` and `advance` an instance by a stimulus; `inspect` where it stands.

Pure: the same definitions, state and stimulus give the same step, in any process. Faults of a diagram at run time are happenings (incidents),
never exceptions; only what the caller may not ask for is refused. Nothing here knows a database, a clock or a person.
"""

import datetime as dt
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any

import msgspec

from engine import errors
from engine.pathway import checks
from engine.pathway import decisions as decision_tables
from engine.pathway.definitions import Definitions, Drawn, DrawnTask, Process, start_messages
from engine.pathway.happenings import (
    BranchTaken,
    Decided,
    Ended,
    Entered,
    IncidentClosed,
    IncidentRaised,
    Left,
    MessageSent,
    OperationRequested,
    TaskClosed,
    TaskOpened,
    WaitClosed,
    WaitOpened,
)
from engine.pathway.spiff import moves, xml
from engine.pathway.spiff import state as states
from engine.pathway.spiff.elements import Reason
from engine.pathway.spiff.events import Listener, StartEvent, instant
from engine.pathway.spiff.moves import Passed, Position
from engine.pathway.spiff.parser import DiagramParser
from engine.pathway.spiff.run import Run
from engine.pathway.stimuli import Complete, Jump, Message, OperationDone, Retry, Signal, Skip, Start, Stimulus, Stop, Timer

__all__ = [
    "BranchTaken", "Complete", "Decided", "Definitions", "Drawn", "DrawnTask", "Ended", "Entered", "IncidentClosed", "IncidentRaised", "Inspection",
    "Jump", "Left", "Message", "MessageSent", "OpenIncident", "OpenOperation", "OpenTask", "OpenWait", "OperationDone", "OperationRequested",
    "Passed", "Position", "Process", "Retry", "Signal", "Skip", "Start", "Step", "Stimulus", "Stop", "TaskClosed", "TaskOpened", "Timer", "WaitClosed",
    "WaitOpened", "advance", "inspect", "parse", "passed_over", "positions", "start", "told",
]  # fmt: skip

_KEPT = 16
_parsed: OrderedDict[str, Definitions] = OrderedDict()
_lock = Lock()


class Step(msgspec.Struct, frozen=True):
    """What a stimulus made of an instance. `read`: the paths that it made conditions, tables and parameters read (`told`); `reasons`: each turn taken and each
    decision among the happenings, in order, with what its node saw."""

    state: bytes
    happenings: tuple[Any, ...]
    read: frozenset[str] = frozenset()
    reasons: tuple[Reason, ...] = ()


class OpenTask(msgspec.Struct, frozen=True):
    task_id: str
    node: str
    process: str


class OpenOperation(msgspec.Struct, frozen=True):
    task_id: str
    node: str
    operation: str


class OpenWait(msgspec.Struct, frozen=True):
    wait_id: str
    node: str
    kind: str
    name: str
    correlation: str | None
    due_at: dt.datetime | None


class OpenIncident(msgspec.Struct, frozen=True):
    incident_id: str
    node: str
    code: str


class Inspection(msgspec.Struct, frozen=True):
    """Where an instance stands. `done` and `active`: ids of elements (and flows) passed, and of elements where a token is, in any process;
    `done_in` and `active_in` say them by process."""

    tasks: tuple[OpenTask, ...]
    waits: tuple[OpenWait, ...]
    operations: tuple[OpenOperation, ...]
    incidents: tuple[OpenIncident, ...]
    done: frozenset[str]
    active: frozenset[str]
    done_in: Mapping[str, frozenset[str]]
    active_in: Mapping[str, frozenset[str]]
    ended: bool
    outcome: str


def parse(diagrams: Mapping[str, bytes], decisions: Mapping[str, bytes]) -> Definitions:
    """Reads diagrams and decision tables (file name → content); what was read before comes from memory.

    Refuses: `pathway.refused`, with a finding for each thing that cannot run, naming file and element.
    """
    digest = hashlib.sha256()
    for kind, files in (("bpmn", diagrams), ("dmn", decisions)):
        for name in sorted(files):
            digest.update(f"{kind}\0{name}\0{len(files[name])}\0".encode())
            digest.update(files[name])
    key = digest.hexdigest()
    with _lock:
        if key in _parsed:
            _parsed.move_to_end(key)
            return _parsed[key]
    definitions = _read(diagrams, decisions, key)
    with _lock:
        _parsed[key] = definitions
        while len(_parsed) > _KEPT:
            _parsed.popitem(last=False)
    return definitions


def _read(diagrams: Mapping[str, bytes], decisions: Mapping[str, bytes], digest: str) -> Definitions:
    findings: list[errors.Finding] = []
    tables: list[decision_tables.Decisions] = []
    known: set[str] = set()
    for name in sorted(decisions):
        try:
            read = decision_tables.parse(decisions[name], name)
        except errors.Invalid as refused:
            findings += refused.findings
            continue
        findings += [errors.Finding("pathway.decision_repeated", f"{name}#{twice}", {"element": dict(read.by_id[twice].names)}) for twice in sorted(known & read.ids)]
        known |= read.ids
        tables.append(read)
    parser, drawn = DiagramParser(), 0
    for name in sorted(diagrams):
        root, found = xml.read(name, diagrams[name])
        findings += found
        if root is not None:
            parser.add(name, root)
            drawn += 1
    specs = parser.specs()
    findings += parser.every_finding()
    processes = {}
    for process_id, spec in specs.items():
        reader = parser.process_parsers[process_id]
        reading = parser.readings[spec.file]
        names, extensions = reading.names(reader.node), reading.extensions(reader.node)
        processes[process_id] = Process(process_id, spec.file, names or {"fr": process_id}, start_messages(spec), extensions.is_inferred)
    paths = frozenset(path for reading in parser.readings.values() for expression in reading.expressions for path in expression.paths)
    definitions = Definitions(specs, processes, dict(diagrams), decision_tables.merge(*tables), paths, digest)
    findings += checks.references(definitions, has_every_table=len(tables) == len(decisions), has_every_diagram=drawn == len(diagrams))
    if findings:
        raise errors.Invalid("pathway.refused", findings)
    return definitions


def start(definitions: Definitions, process_id: str, stimulus: Start) -> Step:
    """An instance of a process begins: at the start of a message, or at the plain one; a process begun by messages only, opened by hand, at its first.

    Refuses: `process.unknown`, `process.no_such_start`.
    """
    if process_id not in definitions.processes:
        raise errors.Invalid("process.unknown", process=process_id)
    run = Run(definitions, stimulus.at, stimulus.seq, stimulus.facts)
    spec = definitions.spec(process_id)
    entries = spec.begins(stimulus.message) or (spec.entries[:1] if stimulus.message is None else [])
    if not entries:
        raise errors.Invalid("process.no_such_start", process=process_id, message=stimulus.message)
    variables = run.checked(stimulus.variables)
    run.given = sorted(variables)
    if stimulus.message is not None:
        variables |= {one.trigger.result: dict(variables) for one in entries if isinstance(one, StartEvent) and one.trigger.result}
    run.open_scope(spec, None, variables, entries)
    run.drain()
    return Step(states.dump(run), tuple(run.happenings), frozenset(run.read), tuple(run.reasons))


def advance(definitions: Definitions, state: bytes, stimulus: Stimulus, ways: Mapping[str, str] | None = None) -> Step:
    """A stimulus moves an instance. `ways`: node → the flow that it takes whatever its conditions say, for walks that are nobody's. Refuses what no longer stands
    (see `Run.give`), and a state of other definitions (`state.foreign`)."""
    run = states.load(definitions, state, stimulus.at, stimulus.seq, stimulus.facts)
    run.ways = ways or run.ways
    run.give(stimulus)
    return Step(states.dump(run), tuple(run.happenings), frozenset(run.read), tuple(run.reasons))


def told(facts: Mapping[str, Mapping[str, Any]], read: frozenset[str]) -> dict[str, dict[str, Any]]:
    """Of a snapshot, what a step has read: given this alone, the same stimulus makes the same step."""
    names: dict[str, set[str]] = {}
    for path in read:
        group, _, rest = path.partition(".")
        names.setdefault(group, set()).add(rest.partition(".")[0])
    return {
        subject: {
            group: context if "" in names[group] or not isinstance(context, Mapping) else {name: context[name] for name in context if name in names[group]}
            for group, context in groups.items()
            if group in names
        }
        for subject, groups in facts.items()
    }


def inspect(definitions: Definitions, state: bytes) -> Inspection:
    """Where an instance stands, without moving it."""
    run = states.load(definitions, state, None, 0, {})
    tasks, waits, operations, incidents = [], [], [], []
    active: dict[str, set[str]] = {}
    for token in sorted((token for scope in run.scopes.values() for token in scope.live()), key=lambda one: one.order):
        element, inside = token.element, token.internal_data
        if "task" in inside:
            tasks.append(OpenTask(token.key, element.id, element.scope_spec.process))
        if "wait" in inside and isinstance(element, Listener):
            due = inside.get("due")
            waits.append(
                OpenWait(token.key, element.id, element.trigger.kind, element.trigger.name, inside.get("corr"), instant(due) if due is not None else None)
            )
        if "asked" in inside:
            operations.append(OpenOperation(token.key, element.id, element.extensions.operation))
        if "inc" in inside:
            incidents.append(OpenIncident(inside["inc"][0], element.id, inside["inc"][1]))
        if element.is_seen(token):
            active.setdefault(element.scope_spec.process, set()).add(element.id)
    done: dict[str, set[str]] = {}
    for number in range(definitions.count):
        if run.passed[number >> 3] >> (number & 7) & 1:
            process, drawn = definitions.mark_of(number)
            done.setdefault(process, set()).add(drawn)
    return Inspection(
        tuple(tasks), tuple(waits), tuple(operations), tuple(incidents), frozenset().union(*done.values()), frozenset().union(*active.values()),
        {name: frozenset(ids) for name, ids in done.items()}, {name: frozenset(ids) for name, ids in active.items()}, run.is_ended, run.outcome,
    )  # fmt: skip


def positions(definitions: Definitions, state: bytes) -> tuple[Position, ...]:
    """Where tokens stand that may be moved (`Jump`) or whose operation may be left undone (`Skip`)."""
    return tuple(moves.positions(states.load(definitions, state, None, 0, {})))


def passed_over(definitions: Definitions, state: bytes, position: str, element: str) -> frozenset[Passed]:
    """What moving a token to an element would leave, reach and pass over, as drawn. Refuses: `token.not_there`."""
    return moves.passed_over(definitions, states.load(definitions, state, None, 0, {}), position, element)
