"""What an instance did, done again on other definitions.

Acts are named by element. What stood after an act then is to stand after it now: what the other definitions ask or await besides on the way there is passed over
at that very instant, unanswered, so that answers of operations, timers and messages find their place as people do. Where a way hangs on what was never asked, it is
the one that the case went. Where it waits longer, later acts come later; what has no place any more is told. Pure.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from engine import errors
from engine.pathway import bpmn
from engine.pathway.conditions import newly_weighed
from engine.pathway.stimuli import Jump, Skip, Stop

MOST_ACTS, _MOST_TIMERS, _MOST_PASSED, _MOST_HUNG = 3_000, 500, 60, 3
_AN_INSTANT = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Done:
    """One act of an instance and what came of it then. `act`: the stimulus's kind in lower case; `node`: the element it was done at, of several tokens there
    the `turn`-th; `facts`: all that was known at that moment; `waits`: an element and how long it was to wait; `stands`: the elements at which something was
    opened that stood after it, as often as it then stood there."""

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
    stands: tuple[str, ...] = ()

    @property
    def at(self) -> dt.datetime:
        return self.stimulus.at


@dataclass(frozen=True)
class Difference:
    """One thing that would go otherwise at an element. `then`, `now`: flows, forms, lengths, as the kind has them; `fields`: what is asked, or what the
    branch, or what stops it, weighed; `because`: what words why it stops, no value; `after`: the facts that these definitions alone weighed on the way to it."""

    kind: str
    process: str
    node: str
    then: tuple[str, ...] = ()
    now: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    because: tuple[tuple[str, str], ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Side:
    """Definitions with what each form always asks, and what it may ask (form → fields)."""

    definitions: bpmn.Definitions
    asks: Mapping[str, Sequence[str]]
    may_ask: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def asked_at(self, nodes: Collection[str]) -> set[str]:
        """Every field that tasks may ask."""
        return {name for task in self.definitions.tasks if task.node in nodes for name in (*self.asks.get(task.form, ()), *self.may_ask.get(task.form, ()))}


class Again:
    """The walk done again. `opened`: every task it opened, by element, with its process; `undone`: acts that found no place; `late`: by how much it lags; `awaited`:
    waits passed over that were not drawn then."""

    def __init__(self, then: Side, now: Side, process: str, history: Sequence[Done], asked: set[str]) -> None:
        self.now, self.definitions, self.process, self.history, self.asked = now, now.definitions, process, history[:MOST_ACTS], asked
        self.new = newly_weighed(then.definitions, now.definitions)
        self.lately: set[str] = set()  # facts that these definitions alone weighed so far
        self.reached: dict[str, frozenset[str]] = {}  # element → those that they had weighed when it was first reached
        self.untold: dict[str, None] = {}  # variables made of what was never asked
        self.before = frozenset(one.id for one in then.definitions.nodes).union(*(act.opened for act in history))
        self.drawn = frozenset(one.id for one in now.definitions.nodes)
        self.state, self.seq, self.late = b"", 0, dt.timedelta()
        self.facts: Mapping[str, Mapping[str, Any]] = {}
        self.opened: dict[str, str] = {}
        self.branches: dict[str, list[tuple[str, ...]]] = {}
        self.weighed: dict[str, set[str]] = {}
        self.waits: dict[str, list[dt.timedelta]] = {}
        self.awaited: dict[str, None] = {}
        self.ended: str | None = None
        self.found: list[Difference] = []
        self.undone: Counter[str] = Counter()
        # What stands, as happenings tell it: id → element (of a wait, when it is due, and for which message; of an operation, its name too).
        self.tasks: dict[str, str] = {}
        self.due: dict[str, dt.datetime] = {}
        self.listens: dict[str, tuple[str, str, str | None]] = {}
        self.operations: dict[str, tuple[str, str]] = {}
        self.incidents: dict[str, str] = {}
        self.tables: dict[str, Difference] = {}  # of those, the tables that lack what was never asked
        self.entered: dict[str, str] = {}
        self.broke = {node for one in history for node in one.breaks}
        self.asked_then = {one.node for one in history if one.operation}
        self.ways: dict[str, str] = {}  # gateway → the flow that it is to take
        self.hung: dict[str, None] = {}  # gateways that weighed, in this act, what was never asked

    def through(self, until: dt.datetime) -> None:
        """Every act in turn, then the time that has passed since."""
        for act in self.history:
            is_timer = isinstance(act.stimulus, bpmn.Timer)  # those of these definitions ring at their own time
            at = act.at + self.late
            if self.state and not is_timer:
                self._ring(at)
            self.facts = act.facts
            if self.ended is not None:
                self.undone[act.node] += isinstance(act.stimulus, bpmn.Complete)
            elif self.state or isinstance(act.stimulus, bpmn.Start):
                self._go(act, at)
        if self.ended is None and self.state:
            self._ring(until + self.late)
        if self.history and self.history[-1].ends is not None:
            self._pass_over(until + self.late)

    def _go(self, act: Done, at: dt.datetime) -> None:
        """An act with what follows; where that hangs on answers to what was never asked, by the way on which what stood then stands."""
        self.hung, kept = {}, self._memory()
        best = self._walk(act, at), dict(self.ways)
        for _ in range(_MOST_HUNG):
            gateway = next((one for one in self.hung if one not in self.ways), None)
            if best[0] == 0 or gateway is None:
                break
            hung = dict(self.hung)
            for flow in self.definitions.ways_of(gateway):
                self._remember(kept)
                self.hung, self.ways = {}, best[1] | {gateway: flow}
                if (lacking := self._walk(act, at)) < best[0]:
                    best = lacking, dict(self.ways)
            self._remember(kept)
            self.hung, self.ways = hung, best[1]
            self._walk(act, at)
            self.hung.pop(gateway, None)
        self.ways = {}

    def _walk(self, act: Done, at: dt.datetime) -> int:
        """An act, what stood after it catching up; how much is lacking then, or broke on what was never asked."""
        if isinstance(act.stimulus, bpmn.Timer):
            self._ring(at + _AN_INSTANT)
        else:
            self._do(act, at)
        at = act.at + self.late
        if act.ends is not None:
            self._pass_over(at)
        else:
            self._catch_up(act, at)
        return self._lacking(act) + sum(node in self.hung for node in self.incidents.values())

    def _catch_up(self, act: Done, at: dt.datetime) -> None:
        """What is asked or awaited besides is passed over at once as far as it keeps something from standing that stood then; where it does not, nothing has happened."""
        if not (least := self._lacking(act)):
            return
        kept = self._memory()
        for _ in range(_MOST_PASSED):
            if not least or self.ended is not None or not self._pass_one(at):
                break
            if (lacking := self._lacking(act)) < least:
                kept, least = self._memory(), lacking
        self._remember(kept)

    def _lacking(self, act: Done) -> int:
        """How much does not stand that stood after an act then, of what is drawn in these definitions."""
        if act.ends is not None:
            return int(self.ended is None)
        stands = Counter((*self.tasks.values(), *(node for node, *_ in self.operations.values()), *(node for node, *_ in self.listens.values())))
        return sum(max(0, times - stands[node]) for node, times in Counter(act.stands).items() if node in self.drawn)

    def _pass_one(self, at: dt.datetime) -> bool:
        """A task that was not drawn then is done without an answer; a message that was not awaited then is heard without a word."""
        extra = next((key for key, node in self.tasks.items() if node not in self.before), None)
        if extra is not None:
            self._give(bpmn.Complete(task_id=extra, at=at, seq=0), at)
            return True
        heard = Counter(one[1:] for one in self.listens.values())
        for node, name, correlation in self._new_waits():
            if name and heard[(name, correlation)] == 1:
                self.awaited[node] = None
                self._give(bpmn.Message(name=name, correlation=correlation, at=at, seq=0), at)
                return True
        return False

    def _new_waits(self) -> list[tuple[str, str, str | None]]:
        """What stands at a wait that was not drawn then: what listens beside an activity keeps nobody."""
        new = {key: one for key, one in self.listens.items() if one[0] not in self.before}
        return [new[one.position] for one in bpmn.positions(self.definitions, self.state) if one.position in new] if new else []

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
                self._pass_tables(at)
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
            if self.ended is not None or (until is not None and self._task(until) is not None) or not self._pass_one(at):
                return

    def _later(self, act: Done, at: dt.datetime) -> tuple[str | None, dt.datetime]:
        """Tries whether the task opens once what is waited for falls due; if not, nothing has happened."""
        kept, new = self._memory(), dict[str, None]()
        for _ in range(_MOST_PASSED):
            due = self._next_due()
            if due is None or self.ended is not None:
                break
            new |= {node: None for node, *_ in self._new_waits() if node == self.listens[due[0]][0]}
            self._fire(due[0], max(due[1], at))
            at = max(due[1], at)
            if (key := self._task(act)) is not None:
                self.late += at - (act.at + self.late)
                self.awaited |= new
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
            self._take(bpmn.advance(self.definitions, self.state, replace(stimulus, at=at, seq=self._next(), facts=self.facts), self.ways), at)
        except errors.Refusal:
            return  # it no longer stands: what follows tells what is missing
        self._spare(at)
        self._pass_tables(at)

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
        for path in made.read & self.new.keys():
            self.lately |= self.new[path]
        for one in made.happenings:
            if isinstance(one, bpmn.TaskOpened | bpmn.WaitOpened):
                self.reached.setdefault(one.node, frozenset(self.lately))
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
                    self.listens.pop(key, None)
                case bpmn.IncidentClosed(incident_id=key):
                    self.incidents.pop(key, None)
                case bpmn.Entered(position=key, node=node):
                    self.entered[key] = node
                case bpmn.Left(position=key):
                    self.entered.pop(key, None)
                case bpmn.BranchTaken(node=node, flows=flows, why=why):
                    self.branches.setdefault(node, []).append(tuple(flows))
                    self.weighed.setdefault(node, set()).update(path for asked in why for path in asked.get("values", {}) if "." in path)
                    self._hangs(node, why)
                case bpmn.WaitOpened(wait_id=key, node=node, kind=kind, name=name, correlation=correlation, due_at=due):
                    self.listens[key] = (node, name if kind == "message" else "", correlation)
                    if due is not None:
                        self.waits.setdefault(node, []).append(due - at)
                        self.due[key] = due
                case bpmn.IncidentRaised(incident_id=key, node=node, code=code, details=details):
                    self.incidents[key] = node
                    self._hangs(node, details.get("conditions", ()))
                    told = Difference("stops", "", node, now=(code,), fields=self._weighed(details), because=one.because)
                    if self._is_untold(details.get("decision", "")):
                        self.tables[key] = told
                    elif node not in self.broke:
                        self.found.append(told)
                case bpmn.Decided(node=node, decision=decision) if self._is_untold(decision):
                    self.untold[self.definitions.after_rule(node)[1]] = None
                case bpmn.Ended(outcome=outcome):
                    self.ended = outcome

    def _hangs(self, node: str, why: Sequence[Mapping[str, Any]]) -> None:
        """Whether a gateway weighed what is unknown because these definitions alone ask it."""
        weighed = {path: value for asked in why for path, value in asked.get("values", {}).items()}
        unknown = {".".join(path.split(".")[:2]) for path, value in weighed.items() if value is None} - self.asked
        if (unknown and unknown & self.now.asked_at(self.opened)) or any(path.partition(".")[0] in self.untold for path in weighed):
            self.hung[node] = None

    def _is_untold(self, decision: str) -> bool:
        """Whether a table reads what these definitions alone ask, so that nobody knows what it would have said."""
        reads = {".".join(path.split(".")[:2]) for path in self.definitions.read_by(decision)} - self.asked
        return bool(reads and reads & self.now.asked_at(self.opened))

    def _weighed(self, details: Mapping[str, Any]) -> tuple[str, ...]:
        """What was weighed where it stops."""
        said = {path for asked in details.get("conditions", ()) for path in asked.get("values", {})} | self.definitions.read_by(details.get("decision", ""))
        return tuple(sorted(path for path in said if "." in path))

    def _pass_tables(self, at: dt.datetime) -> None:
        """A table that found nothing for want of answers that were never asked is passed over: what it would have said is not known."""
        while self.tables and self.ended is None:
            key, told = self.tables.popitem()
            target, result = self.definitions.after_rule(told.node)
            position = next((one.position for one in bpmn.positions(self.definitions, self.state) if one.incident == key and target in one.targets), None)
            if position is None:
                self.found.append(told)
                continue
            self.untold[result] = None
            self._give(Jump(position=position, element=target, at=at, seq=0), at)

    def _task(self, act: Done) -> str | None:
        found = [key for key, node in self.tasks.items() if node == act.node]
        return found[min(act.turn, len(found)) - 1] if found else None

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    def _memory(self) -> dict[str, Any]:
        """All that acts change, as it is now."""
        return _copies({name: value for name, value in vars(self).items() if name in _CHANGES})

    def _remember(self, kept: dict[str, Any]) -> None:
        vars(self).update(_copies(kept))


_CHANGES = frozenset({"state", "late", "ended", "opened", "branches", "weighed", "waits", "awaited", "found", "undone", "tasks", "due", "listens", "operations", "incidents", "entered",
                      "lately", "reached", "untold", "tables"})  # fmt: skip


def _copies(kept: Mapping[str, Any]) -> dict[str, Any]:
    """These, each with what it holds."""
    return {name: {key: copy(one) for key, one in value.items()} if name in ("branches", "weighed", "waits") else copy(value) for name, value in kept.items()}
