"""Rehearsal: what an instance did, done again on other definitions, and what would have gone otherwise.

Acts are named by element. What the other definitions ask besides is passed over unanswered, so that what was done afterwards finds its place; where it waits
longer, later acts come later; what has no place any more is told. Pure: the history comes from `casework.replays`.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from engine import errors
from engine.pathway import bpmn, replay
from engine.pathway.stimuli import Jump, Skip, Stop

MOST_ACTS, _MOST_TIMERS, _MOST_PASSED = 3_000, 500, 60
# From what most concerns a person to what least does: a case is counted under the gravest.
KINDS = ("stops", "branch", "undone", "ends", "asks", "waits")
_HOURS = {"jours": 8 * 5 / 7, "jours_ouvres": 8.0, "heures_ouvrees": 1.0}  # of work, as burden counts


@dataclass(frozen=True)
class Done:
    """One act of an instance and what came of it then. `act`: the stimulus's kind in lower case; `node`: the element it was done at, of several tokens there
    the `turn`-th; `facts`: all that was known at that moment; `waits`: an element and how long it was to wait."""

    stimulus: bpmn.Stimulus
    facts: Mapping[str, Mapping[str, Any]]
    node: str = ""
    turn: int = 1
    operation: str = ""
    opened: tuple[str, ...] = ()
    branches: tuple[tuple[str, tuple[str, ...]], ...] = ()
    waits: tuple[tuple[str, dt.timedelta], ...] = ()
    breaks: tuple[str, ...] = ()
    ends: str | None = None

    @property
    def at(self) -> dt.datetime:
        return self.stimulus.at


@dataclass(frozen=True)
class Difference:
    """One thing that would go otherwise at an element. `then`, `now`: flows, forms, lengths, as the kind has them; `fields`: what is asked, or what the
    branch weighed."""

    kind: str
    process: str
    node: str
    then: tuple[str, ...] = ()
    now: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Side:
    """Definitions with what each form asks (form → fields)."""

    definitions: bpmn.Definitions
    asks: Mapping[str, Sequence[str]]


def done(process: str, history: Sequence[replay.Said]) -> list[Done]:
    """The acts of an instance, each made again on the definitions it had. Raises what the pathway refuses."""
    acts: list[Done] = []
    places: dict[str, str] = {}  # tasks, waits, operations and incidents that stand, in order: id → element
    asked: dict[str, str] = {}
    entered: dict[str, str] = {}  # tokens: id → element
    for said, step in replay.again(process, history):
        if said.stimulus is None:  # it was moved: where it stood afterwards is not an act
            continue
        key = next((getattr(said.stimulus, name) for name in ("task_id", "wait_id", "incident_id", "position") if hasattr(said.stimulus, name)), "")
        node = entered.get(key, "") if isinstance(said.stimulus, Jump | Skip) else places.get(key, "")
        turn = [one for one, other in places.items() if other == node].index(key) + 1 if key in places else 1
        acts.append(Done(said.stimulus, replay.filled(said.stimulus.facts, said.facts), node, turn, asked.get(key, ""), **_came_of(said.stimulus.at, step.happenings)))
        for one in step.happenings:
            match one:
                case bpmn.TaskOpened(task_id=key, node=node) | bpmn.WaitOpened(wait_id=key, node=node) | bpmn.IncidentRaised(incident_id=key, node=node):
                    places[key] = node
                case bpmn.OperationRequested(task_id=key, node=node, operation=operation):
                    places[key], asked[key] = node, operation
                case bpmn.TaskClosed(task_id=key) | bpmn.WaitClosed(wait_id=key) | bpmn.IncidentClosed(incident_id=key):
                    places.pop(key, None)
                case bpmn.Entered(position=key, node=node):
                    entered[key] = node
        if isinstance(said.stimulus, bpmn.OperationDone):
            places.pop(said.stimulus.task_id, None)
    return acts


def _came_of(at: dt.datetime, happenings: Sequence[Any]) -> dict[str, Any]:
    return {
        "opened": tuple(one.node for one in happenings if isinstance(one, bpmn.TaskOpened)),
        "branches": tuple((one.node, tuple(one.flows)) for one in happenings if isinstance(one, bpmn.BranchTaken)),
        "waits": tuple((one.node, one.due_at - at) for one in happenings if isinstance(one, bpmn.WaitOpened) and one.due_at is not None),
        "breaks": tuple(one.node for one in happenings if isinstance(one, bpmn.IncidentRaised)),
        "ends": next((one.outcome for one in happenings if isinstance(one, bpmn.Ended)), None),
    }


def rehearse(then: Side, now: Side, process: str, history: Sequence[Done], known: Collection[str], until: dt.datetime) -> tuple[Difference, ...]:
    """What would go otherwise; nothing where all would be the same. `known`: every field that was ever said of the case; `until`: the present, up to which
    time passes."""
    if process not in now.definitions.processes:
        return (Difference("stops", process, process, now=("process.unknown",)),)
    run = _Again(now.definitions, process, history, frozenset(one.node for one in then.definitions.tasks))
    run.through(until)
    met = {node for one in history for node in one.opened}
    found = [*run.found, *_branches(history, run, then.definitions, now.definitions), *questions(met, run.opened, then, now, known),
             *_lengths(history, run, then.definitions, now.definitions), *_end(history, run)]  # fmt: skip
    return tuple(sorted(dict.fromkeys(found), key=lambda one: KINDS.index(one.kind)))


class _Again:
    """The walk done again. `opened`: every task it opened, by element, with its process; `undone`: acts that found no place; `late`: by how much it lags."""

    def __init__(self, definitions: bpmn.Definitions, process: str, history: Sequence[Done], before: frozenset[str]) -> None:
        self.definitions, self.process, self.history, self.before = definitions, process, history[:MOST_ACTS], before
        self.state, self.seq, self.late = b"", 0, dt.timedelta()
        self.facts: Mapping[str, Mapping[str, Any]] = {}
        self.opened: dict[str, str] = {}
        self.branches: dict[str, list[tuple[str, ...]]] = {}
        self.weighed: dict[str, set[str]] = {}
        self.waits: dict[str, list[dt.timedelta]] = {}
        self.ended: str | None = None
        self.found: list[Difference] = []
        self.undone: Counter[str] = Counter()
        # What stands, as happenings tell it: id → element (of a wait, when it is due; of an operation, its name too).
        self.tasks: dict[str, str] = {}
        self.due: dict[str, dt.datetime] = {}
        self.operations: dict[str, tuple[str, str]] = {}
        self.incidents: dict[str, str] = {}
        self.entered: dict[str, str] = {}
        self.broke = {node for one in history for node in one.breaks}
        self.asked_then = {one.node for one in history if one.operation}

    def through(self, until: dt.datetime) -> None:
        """Every act in turn, then the time that has passed since."""
        for act in self.history:
            if isinstance(act.stimulus, bpmn.Timer):
                continue  # those of these definitions ring at their own time
            at = act.at + self.late
            if self.state:
                self._ring(at)
            self.facts = act.facts
            if self.ended is not None:
                self.undone[act.node] += isinstance(act.stimulus, bpmn.Complete)
            else:
                self._do(act, at)
        if self.ended is None and self.state:
            self._ring(until + self.late)
        if self.history and self.history[-1].ends is not None:
            self._pass_over(until + self.late)

    def _do(self, act: Done, at: dt.datetime) -> None:
        match act.stimulus:
            case bpmn.Start():
                try:
                    self._take(bpmn.start(self.definitions, self.process, replace(act.stimulus, at=at, seq=self._next(), facts=self.facts)), at)
                except errors.Refusal as refusal:
                    self.found.append(Difference("stops", self.process, self.process, now=(refusal.code,)))
                    self.ended = ""
                    return
                self._spare(at)
            case bpmn.Message() | bpmn.Signal() | Stop():
                self._give(act.stimulus, at)
            case bpmn.OperationDone():
                self._answer(act, at)
            case bpmn.Retry():
                found = next((key for key, node in self.incidents.items() if node == act.node), None)
                if found is not None:
                    self._give(replace(act.stimulus, incident_id=found), at)
            case bpmn.Complete():
                self._complete(act, at)
            case Jump() | Skip():  # by hand, where the token stands here too
                found = next((key for key, node in self.entered.items() if node == act.node), None)
                if found is not None:
                    self._give(replace(act.stimulus, position=found), at)

    def _complete(self, act: Done, at: dt.datetime) -> None:
        """The task is done; where it does not wait yet, what is asked besides is passed over, then time passes, and it comes later."""
        if (key := self._task(act)) is None:
            self._pass_over(at, act)
            key = self._task(act)
        if key is None:
            key, at = self._later(act, at)
        if key is None:
            self.undone[act.node] += 1
            return
        self._give(replace(act.stimulus, task_id=key), at)

    def _pass_over(self, at: dt.datetime, until: Done | None = None) -> None:
        """What was never asked then is done without an answer, as far as it takes for `until` to find its place, or to the end."""
        for _ in range(_MOST_PASSED):
            extra = next((key for key, node in self.tasks.items() if node not in self.before), None)
            if extra is None or self.ended is not None or (until is not None and self._task(until) is not None):
                return
            self._give(bpmn.Complete(task_id=extra, at=at, seq=0), at)

    def _later(self, act: Done, at: dt.datetime) -> tuple[str | None, dt.datetime]:
        """Tries whether the task opens once what is waited for falls due; if not, nothing has happened."""
        kept = self._memory()
        for _ in range(_MOST_PASSED):
            due = self._next_due()
            if due is None or self.ended is not None:
                break
            self._fire(due[0], max(due[1], at))
            at = max(due[1], at)
            if (key := self._task(act)) is not None:
                self.late += at - (act.at + self.late)
                return key, at
        self._remember(kept)
        return None, act.at + self.late

    def _answer(self, act: Done, at: dt.datetime) -> None:
        """What an operation answered then: to the same element, else to whichever asks for the same operation."""
        found = next((key for key, (node, _) in self.operations.items() if node == act.node), None) or next(
            (key for key, (_, operation) in self.operations.items() if operation == act.operation), None)  # fmt: skip
        if found is not None:
            del self.operations[found]
            self._give(replace(act.stimulus, task_id=found), at)

    def _ring(self, until: dt.datetime) -> None:
        """Timers ring that fall due before an instant."""
        for _ in range(_MOST_TIMERS):
            due = self._next_due()
            if due is None or due[1] >= until or self.ended is not None:
                return
            self._fire(due[0], due[1])

    def _next_due(self) -> tuple[str, dt.datetime] | None:
        key = min(self.due, key=lambda one: (self.due[one], one), default=None)
        return None if key is None else (key, self.due[key])

    def _fire(self, key: str, at: dt.datetime) -> None:
        self._give(bpmn.Timer(wait_id=key, at=at, seq=0), at)

    def _give(self, stimulus: bpmn.Stimulus, at: dt.datetime) -> None:
        try:
            self._take(bpmn.advance(self.definitions, self.state, replace(stimulus, at=at, seq=self._next(), facts=self.facts)), at)
        except errors.Refusal:
            return  # it no longer stands: what follows tells what is missing
        self._spare(at)

    def _spare(self, at: dt.datetime) -> None:
        """An operation that was never asked then answers nothing."""
        for _ in range(_MOST_PASSED):
            new = next((key for key, (node, _) in self.operations.items() if node not in self.asked_then), None) if self.ended is None else None
            if new is None:
                return
            del self.operations[new]
            try:
                self._take(bpmn.advance(self.definitions, self.state, bpmn.OperationDone(task_id=new, at=at, seq=self._next(), facts=self.facts)), at)
            except errors.Refusal:
                return

    def _take(self, made: bpmn.Step, at: dt.datetime) -> None:
        self.state = made.state
        for one in made.happenings:
            match one:
                case bpmn.TaskOpened(task_id=key, node=node, process=process):
                    self.opened.setdefault(node, process)
                    self.tasks[key] = node
                case bpmn.OperationRequested(task_id=key, node=node, operation=operation):
                    self.operations[key] = (node, operation)
                case bpmn.TaskClosed(task_id=key):
                    self.tasks.pop(key, None)
                case bpmn.WaitClosed(wait_id=key):
                    self.due.pop(key, None)
                case bpmn.IncidentClosed(incident_id=key):
                    self.incidents.pop(key, None)
                case bpmn.Entered(position=key, node=node):
                    self.entered[key] = node
                case bpmn.Left(position=key):
                    self.entered.pop(key, None)
                case bpmn.BranchTaken(node=node, flows=flows, why=why):
                    self.branches.setdefault(node, []).append(tuple(flows))
                    self.weighed.setdefault(node, set()).update(path for asked in why for path in asked.get("values", {}) if "." in path)
                case bpmn.WaitOpened(wait_id=key, node=node, due_at=due) if due is not None:
                    self.waits.setdefault(node, []).append(due - at)
                    self.due[key] = due
                case bpmn.IncidentRaised(incident_id=key, node=node, code=code):
                    self.incidents[key] = node
                    if node not in self.broke:
                        self.found.append(Difference("stops", "", node, now=(code,)))
                case bpmn.Ended(outcome=outcome):
                    self.ended = outcome

    def _task(self, act: Done) -> str | None:
        found = [key for key, node in self.tasks.items() if node == act.node]
        return found[min(act.turn, len(found)) - 1] if found else None

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    def _memory(self) -> dict[str, Any]:
        """All that acts change, as it is now."""
        return {name: copy(value) for name, value in vars(self).items() if name in _CHANGES} | {
            "branches": {node: list(taken) for node, taken in self.branches.items()}, "waits": {node: list(lengths) for node, lengths in self.waits.items()}
        }  # fmt: skip

    def _remember(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept)


_CHANGES = frozenset({"state", "ended", "opened", "weighed", "found", "tasks", "due", "operations", "incidents", "entered"})


def _branches(history: Sequence[Done], run: _Again, then: bpmn.Definitions, now: bpmn.Definitions) -> Iterator[Difference]:
    """Gateways that both have and that were left otherwise: by flows that lead elsewhere, whatever they are called."""
    was: dict[str, list[tuple[str, ...]]] = {}
    for one in history:
        for node, flows in one.branches:
            was.setdefault(node, []).append(flows)
    for node, taken in was.items():
        for before, after in zip(taken, run.branches.get(node, ()), strict=False):
            if before != after and _targets(then, before) != _targets(now, after):
                yield Difference("branch", "", node, then=before, now=after, fields=tuple(sorted(run.weighed.get(node, ()))))
                break


def _targets(definitions: bpmn.Definitions, flows: Sequence[str]) -> list[str]:
    return sorted(definitions.target_of(flow) for flow in flows)


def questions(met: Collection[str], opened: Mapping[str, str], then: Side, now: Side, known: Collection[str]) -> Iterator[Difference]:
    """What the tasks `opened` now (with their process) ask that no task `met` then asked, and nobody ever said."""
    asked = {field for task in then.definitions.tasks if task.node in met for field in then.asks.get(task.form, ())}
    before = {task.node for task in then.definitions.tasks}
    tasks = {task.node: task for task in now.definitions.tasks}
    for node, process in opened.items():
        new = [field for field in now.asks.get(tasks[node].form, ()) if field not in asked and field not in known]
        if new or node not in before:
            yield Difference("asks", process, node, now=(tasks[node].form,), fields=tuple(new))


def _lengths(history: Sequence[Done], run: _Again, then: bpmn.Definitions, now: bpmn.Definitions) -> Iterator[Difference]:
    """Timers that are longer, deadlines that are."""
    was: dict[str, list[dt.timedelta]] = {}
    for one in history:
        for node, length in one.waits:
            was.setdefault(node, []).append(length)
    for node, lengths in was.items():
        longer = [(before, after) for before, after in zip(lengths, run.waits.get(node, ()), strict=False) if after - before > dt.timedelta(hours=1)]
        if longer:
            before, after = longer[0]
            yield Difference("waits", "", node, then=(_in_days(before),), now=(_in_days(after),))
    met = {node for one in history for node in one.opened}
    deadlines = {task.node: task.deadline for task in then.tasks}
    for task in now.tasks:
        if task.node in run.opened and task.node in met and _hours(task.deadline) > _hours(deadlines.get(task.node)):
            yield Difference("waits", task.process, task.node, then=_deadline(deadlines.get(task.node)), now=_deadline(task.deadline))


def _end(history: Sequence[Done], run: _Again) -> Iterator[Difference]:
    """What was done and has no place; how it would end; where nothing would move any more."""
    yield from (Difference("undone", "", node) for node, times in run.undone.items() if times and node)
    ended = next((one.ends for one in history if one.ends is not None), None)
    if run.ended is None:
        if ended is not None and not run.incidents:
            yield Difference("ends", run.process, run.process, then=(ended,), now=tuple(sorted(set(run.tasks.values()))))
    elif run.ended is not None and run.ended != ended:
        yield Difference("ends", run.process, run.process, then=(ended,) if ended is not None else (), now=(run.ended,))


def _hours(deadline: tuple[int, str] | None) -> float:
    return deadline[0] * _HOURS.get(deadline[1], 8.0) if deadline else float("inf")


def _deadline(deadline: tuple[int, str] | None) -> tuple[str, ...]:
    return (str(deadline[0]), deadline[1]) if deadline else ()


def _in_days(length: dt.timedelta) -> str:
    """Whole days, so that like cases are told together."""
    return str(max(round(length / dt.timedelta(days=1)), 0))
