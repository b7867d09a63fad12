"""Definitions: the diagrams and decisions of an edition, read once and shared by all its instances; nothing in them ever changes.

Answers what is drawn: processes, elements, labels, tasks, messages, the paths that conditions and tables read. Not what runs (`bpmn`).
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

from engine.pathway.decisions import Decision, Decisions, Rule, Verdict
from engine.pathway.naming import name_of
from engine.pathway.spiff.activities import CallActivity, OperationTask, PersonTask, RuleTask
from engine.pathway.spiff.elements import Element, Flow
from engine.pathway.spiff.events import Listener, StartEvent
from engine.pathway.spiff.extensions import Unforeseen
from engine.pathway.spiff.scopes import ScopeSpec


class Process(msgspec.Struct, frozen=True):
    """A process of the edition: label by language, the messages that start it."""

    id: str
    file: str
    names: Mapping[str, str]
    start_messages: tuple[str, ...]
    is_inferred: bool


class Drawn(msgspec.Struct, frozen=True):
    """An element as drawn. `kind` is its BPMN name."""

    id: str
    process: str
    file: str
    kind: str
    names: Mapping[str, str]
    lane: str
    is_inferred: bool


class DrawnTask(msgspec.Struct, frozen=True):
    """A user or manual task as drawn. `name` in French; `is_dated`: due by a date, the deadline counting where it is not known; `distinct`: ids of the tasks whose
    doer may not do this one."""

    node: str
    process: str
    file: str
    name: str
    kind: str
    form: str
    role: str
    lane: str
    deadline: tuple[int, str] | None
    subject: str
    distinct: tuple[str, ...] = ()
    is_dated: bool = False


class DrawnOperation(msgspec.Struct, frozen=True):
    """A service task as drawn: the operation it asks for must be one that casework knows."""

    node: str
    process: str
    file: str
    name: str
    operation: str
    parameters: Mapping[str, str]  # name → FEEL text
    names: Mapping[str, str] = {}  # by language, as findings call it


class Definitions:
    """Everything an instance follows. Made by `bpmn.parse`."""

    def __init__(self, specs: Mapping[str, ScopeSpec], processes: Mapping[str, Process], diagrams: Mapping[str, bytes],
                 decisions: Decisions, paths: frozenset[str], digest: str) -> None:  # fmt: skip
        self.processes = processes
        self.digest = digest
        self.reads = paths | frozenset(path for name in decisions.ids for path in decisions.reads(name))
        self._specs, self._diagrams, self._decisions = specs, diagrams, decisions
        self.nodes: list[Element] = []
        self.all_specs: list[ScopeSpec] = []
        flows: list[Flow] = []
        for spec in specs.values():
            for inner in spec.sub_specs():
                inner.number = len(self.all_specs)
                self.all_specs.append(inner)
                for element in inner.elements:
                    element.number = len(self.nodes)
                    self.nodes.append(element)
                    flows += element.flows_out
        for place, flow in enumerate(flows, len(self.nodes)):
            flow.number = place
        self.count = len(self.nodes) + len(flows)
        self._flows = flows
        listeners = [element for element in self.nodes if isinstance(element, Listener)]
        self.has_conditions = any(element.trigger.kind == "condition" for element in listeners)
        self.message_names = frozenset(element.trigger.name for element in listeners if element.trigger.kind == "message")
        self.carried: dict[str, tuple[str, ...]] = {}  # message -> the names of what it brings, as the diagrams throw it
        for element in self.nodes:
            thrown = getattr(element, "trigger", None)
            if thrown is not None and thrown.kind == "message" and thrown.parameters:
                known = self.carried.get(thrown.name, ())
                self.carried[thrown.name] = (*known, *(one.name for one in thrown.parameters if one.name not in known))
        self.starting_messages = {message: process.id for process in processes.values() for message in process.start_messages}
        self.tasks = tuple(_task(element) for element in self.nodes if isinstance(element, PersonTask))
        self.operations = tuple(
            DrawnOperation(element.id, element.scope_spec.process, element.file, element.bpmn_name or element.id, element.extensions.operation,
                           {one.name: one.value.text for one in element.extensions.parameters}, name_of(element))
            for element in self.nodes if isinstance(element, OperationTask)
        )  # fmt: skip
        self._labels: dict[tuple[str, str], Mapping[str, str]] = {}
        for drawn in (*self.nodes, *flows):
            process = (drawn.source if isinstance(drawn, Flow) else drawn).scope_spec.process
            self._labels.setdefault((process, drawn.id), drawn.names)
            self._labels.setdefault(("", drawn.id), drawn.names)

    def spec(self, process_id: str) -> ScopeSpec:
        """The spec of a process that is there."""
        return self._specs[process_id]

    def nodes_of(self, process_id: str) -> list[Element]:
        return [element for spec in self._specs[process_id].sub_specs() for element in spec.elements]

    def elements(self, process_id: str) -> tuple[Drawn, ...]:
        """The elements of a process as drawn, its sub-processes' too."""
        return tuple(Drawn(one.id, process_id, one.file, one.kind, one.names, one.shown_lane, one.extensions.is_inferred) for one in self.nodes_of(process_id))

    def labels(self, node: str, process_id: str = "") -> dict[str, str]:
        """The label of an element or flow, by language. Ids are unique in a process: give it where two processes may share one."""
        return dict(self._labels.get((process_id, node), {}))

    def is_drawn(self, node: str) -> bool:
        return ("", node) in self._labels

    @cached_property
    def _nodes_by_id(self) -> dict[str, Element]:
        return {element.id: element for element in self.nodes}

    def named(self, node: str) -> Mapping[str, str]:
        """What a node that is drawn is called in a sentence: by its name, else by its kind and where it leads."""
        return name_of(self._nodes_by_id[node]) if node in self._nodes_by_id else self.labels(node) or {"fr": node}

    def label(self, node: str, language: str, process_id: str = "") -> str:
        """The label in a language, else in French, else the id."""
        names = self._labels.get((process_id, node), {})
        return names.get(language) or names.get("fr") or node

    @cached_property
    def _led_to(self) -> dict[str, str]:
        return {flow.id: flow.target.id for flow in self._flows}

    def target_of(self, flow: str) -> str:
        """The element that a flow leads to; the flow's own id where there is no such flow."""
        return self._led_to.get(flow, flow)

    def ways_of(self, node: str) -> list[str]:
        """The flows that leave a node, as drawn."""
        return [flow.id for flow in self._flows if flow.source.id == node]

    def described(self, node: str, language: str, process_id: str = "") -> str:
        """The label; of what bears none, where it leads, so that a person can tell it from others."""
        label = self.label(node, language, process_id)
        led_to = [name for flow in self._flows if flow.source.id == node and (name := self.label(flow.target.id, language, process_id)) != flow.target.id]
        return f"… {' / '.join(led_to)}" if label == node and led_to else label

    def after_rule(self, node: str) -> tuple[str, str]:
        """Where a business rule task leads ("" where that is not one element), and the variable it makes."""
        one = next(one for one in self.nodes if one.id == node)
        return (one.flows_out[0].target.id if len(one.flows_out) == 1 else "", one.extensions.result)

    def diagram(self, process_id: str) -> bytes:
        """The BPMN file that holds a process."""
        return self._diagrams[self.processes[process_id].file]

    def decide(self, reference: str, scope: Mapping[str, Any], made: dict[str, Verdict] | None = None) -> Verdict:
        """The verdict of a decision; `made` as `Decisions.decide`. Raises what evaluating FEEL may raise."""
        return self._decisions.decide(reference, scope, made)

    def cells(self, reference: str, scope: Mapping[str, Any]) -> list[tuple[Rule, list[tuple[str, Any, str, bool]]]]:
        """Each rule of a decision's table with its cells, as `Decisions.cells`."""
        return self._decisions.cells(reference, scope)

    def read_by(self, reference: str) -> frozenset[str]:
        """The paths that a decision, and those it requires, may read."""
        return self._decisions.reads(reference) if reference in self._decisions.ids else frozenset()

    def decision(self, reference: str) -> Decision:
        """A decision as it is written."""
        return self._decisions.by_id[reference]

    @property
    def decisions(self) -> frozenset[str]:
        """The ids of the edition's decisions."""
        return self._decisions.ids

    def mark_of(self, number: int) -> tuple[str, str]:
        """(process, id) of a numbered element or flow."""
        if number < len(self.nodes):
            element = self.nodes[number]
            return element.scope_spec.process, element.id
        flow = self._flows[number - len(self.nodes)]
        return flow.source.scope_spec.process, flow.id

    @cached_property
    def begun_by_hand(self) -> frozenset[str]:
        """The start events by which somebody begins something unforeseen: a task may be kept apart from them as from a task."""
        return frozenset(entry.id for entry in self.nodes if isinstance(entry, StartEvent) and entry.trigger.kind == "message" and entry.extensions.unforeseen is not None)

    @cached_property
    def unforeseen(self) -> dict[str, tuple[str, Unforeseen]]:
        """The processes that may be begun from the page of a case: by id, the message that begins each and who may, with which form."""
        return {
            process: (entry.trigger.name, entry.extensions.unforeseen)
            for process, spec in self._specs.items() for entry in spec.entries
            if isinstance(entry, StartEvent) and entry.trigger.kind == "message" and entry.extensions.unforeseen is not None
        }  # fmt: skip

    @cached_property
    def beside(self) -> frozenset[str]:
        """The processes that run beside a case's road: what is unforeseen, and what that alone calls."""
        callers: dict[str, set[str]] = {}
        for call in self.calls():
            callers.setdefault(call.called, set()).add(call.scope_spec.process)
        found = set(self.unforeseen)
        while fresh := {called for called, of in callers.items() if of <= found} - found:
            found |= fresh
        return frozenset(found)

    @cached_property
    def called(self) -> frozenset[str]:
        """The processes that another one calls: parts, which begin with it."""
        return frozenset(call.called for call in self.calls())

    def calls(self) -> list[CallActivity]:
        return [element for element in self.nodes if isinstance(element, CallActivity)]

    def rules(self) -> list[RuleTask]:
        return [element for element in self.nodes if isinstance(element, RuleTask)]


def start_messages(spec: ScopeSpec) -> tuple[str, ...]:
    """The messages that start a process."""
    return tuple(entry.trigger.name for entry in spec.entries if isinstance(entry, StartEvent) and entry.trigger.kind == "message")


def _task(element: PersonTask) -> DrawnTask:
    note = element.extensions.task
    return DrawnTask(
        node=element.id,
        process=element.scope_spec.process,
        file=element.file,
        name=element.bpmn_name or element.id,
        kind="user" if element.kind == "userTask" else "manual",
        form=note.form if note else "",
        role=note.role if note else "",
        lane=element.shown_lane,
        deadline=note.deadline if note else None,
        subject=note.subject if note else "",
        distinct=note.distinct if note else (),
        is_dated=note is not None and note.due is not None,
    )
