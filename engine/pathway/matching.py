"""Which element of one edition is which of another: same process and id unless somebody said otherwise.

`Matching.of` answers for elements, `Matching.key` for where a token stands: through the calls, sub-processes and turns around it. `likeness` says how much
two elements are the same thing, whatever their ids.
"""

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from engine.pathway.definitions import Definitions
from engine.pathway.spiff.activities import Activity, CallActivity, OperationTask, PersonTask, ReceiveTask, RuleTask, SubProcess
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.events import BoundaryEvent, Listener, StartEvent
from engine.pathway.spiff.run import Run
from engine.pathway.spiff.scopes import Token

Named = tuple[str, str]  # process, id
Where = tuple[tuple[Any, ...], ...]  # from the outermost scope in: (process, id, role, turn)
SAME = 0.5  # from this likeness on, two elements are one


class Matching:
    """The elements of `before` in `after`. `chosen`: what was said otherwise, None for an element that is no more."""

    def __init__(self, before: Definitions, after: Definitions, chosen: Mapping[Named, Named | None] | None = None) -> None:
        self.before, self.after, self.chosen = before, after, dict(chosen or {})
        self.elements = {named(one): one for one in after.nodes}
        self._reached = {other for one in before.nodes if (other := self.of(named(one))) is not None}
        self._numbers = {after.mark_of(number): number for number in reversed(range(after.count))}
        self._nodes = {element: other[1] for (_, element), other in self.chosen.items() if other is not None}
        self._targets = [{flow.id: flow.target.id for node in one.nodes for flow in node.flows_out} for one in (before, after)]

    def of(self, element: Named) -> Named | None:
        """What an element of the former edition is in the other; None where it is no more."""
        if element in self.chosen:
            return self.chosen[element]
        return element if element in self.elements else None

    def element(self, element: Element) -> Element | None:
        found = self.of(named(element))
        return self.elements.get(found) if found else None

    def given_up(self, element: Element) -> bool:
        """Whether somebody said that an element is no more, though a case may stand there."""
        return named(element) in self.chosen and self.chosen[named(element)] is None

    def is_same(self, element: Element) -> bool:
        """Whether what an element becomes is still the same thing: what was begun there goes on."""
        other = self.element(element)
        return other is not None and (named(other) == named(element) or likeness(element, other) >= SAME)

    def is_new(self, element: Element) -> bool:
        """Whether an element of the other edition is nothing of the former."""
        return named(element) not in self._reached

    def number_of(self, number: int) -> int | None:
        """The number, there, of an element or flow that has this one here."""
        process, drawn = self.before.mark_of(number)
        return self._numbers.get(self.of((process, drawn)) or (process, drawn))

    def node_of(self, node: str) -> str:
        """The id an element has there, by its id alone, as happenings name it."""
        return self._nodes.get(node, node)

    def led_to(self, flow: str) -> str:
        """Where a flow of the former edition led, in the words of the other."""
        return self.node_of(self._targets[0].get(flow, ""))

    def leads_to(self, flow: str) -> str:
        return self._targets[1].get(flow, "")

    def key(self, where: Where) -> Where | None:
        """Where that is in the other edition; None where an element on the way is no more."""
        found = []
        for process, element, *rest in where:
            other = self.of((process, element))
            if other is None:
                return None
            found.append((*other, *rest))
        return tuple(found)


def family(element: Element) -> str:
    """What a token may do there: between elements of one family it may go on."""
    trigger = getattr(element, "trigger", None)
    if isinstance(element, PersonTask):
        kind = "person"
    elif isinstance(element, ReceiveTask) or (isinstance(element, Listener) and not isinstance(element, BoundaryEvent | StartEvent)):
        kind = f"wait {trigger.kind}"
    elif isinstance(element, BoundaryEvent):
        kind = f"edge {trigger.kind} {element.is_interrupting}"
    elif isinstance(element, SubProcess):
        kind = f"{element.kind} {element.is_event}"
    else:
        kind = f"{element.kind} {trigger.kind if trigger is not None else ''}"
    loop = element.loop if isinstance(element, Activity) else None
    return f"{kind} {loop.kind}" if loop is not None else kind


def likeness(one: Element, other: Element) -> float:
    """How much two elements are the same thing, 0 to 1: by their name, and by what they do."""
    if family(one) != family(other):
        return 0.0
    names = SequenceMatcher(None, _folded(one), _folded(other)).ratio() if _folded(one) and _folded(other) else 0.0
    return 0.5 * (names if names > 0.6 else 0.0) + 0.5 * _deed(one, other)


def _deed(one: Element, other: Element) -> float:
    """How much two elements of a family do the same."""
    mine, its = one.extensions, other.extensions
    if isinstance(one, PersonTask):
        if mine.task is None or its.task is None:
            return float(mine.task is its.task)
        same = (mine.task.form == its.task.form and mine.task.form != "", mine.task.role == its.task.role, one.shown_lane == other.shown_lane)
        return 0.6 * same[0] + 0.2 * same[1] + 0.2 * same[2]
    if isinstance(one, OperationTask):
        return float(mine.operation == its.operation)
    if isinstance(one, RuleTask):
        return float(mine.decision == its.decision)
    if isinstance(one, CallActivity) and isinstance(other, CallActivity):
        return float(one.called == other.called)
    trigger, its_trigger = getattr(one, "trigger", None), getattr(other, "trigger", None)
    if trigger is not None and its_trigger is not None:
        return float((trigger.name, trigger.what) == (its_trigger.name, its_trigger.what))
    return 0.0


def _folded(element: Element) -> str:
    return element.bpmn_name.casefold()


def named(element: Element) -> Named:
    return element.scope_spec.process, element.id


def where(token: Token) -> Where:
    """Where a token stands: the activities around it and itself, outer first, each with its role and its turn."""
    found: list[tuple[Any, ...]] = []
    current: Token | None = token
    while current is not None:
        inside = current.internal_data
        own = inside.get("vars") or {}
        turn = inside.get("subject") or (str(own["loopCounter"]) if "loopCounter" in own else "")
        found.append((*named(current.element), inside.get("role", ""), turn))
        current = current.scope.host
    return tuple(reversed(found))


def tokens(run: Run) -> Iterator[Token]:
    """The tokens that live, the oldest first in each scope."""
    for scope in run.scopes.values():
        yield from scope.live()


def counterpart(token: Token, then: Run, now: Run, matching: Matching, mark: str) -> Token | None:
    """The token of `now` that stands where one of `then` does: of several in one place, the one of the same rank. `mark`: what it must have open, "" for anything."""
    here = where(token)
    sought = matching.key(here)
    if sought is None:
        return None
    rank = [one.order for one in tokens(then) if (not mark or mark in one.internal_data) and where(one) == here].index(token.order)
    there = [one for one in tokens(now) if (not mark or mark in one.internal_data) and where(one) == sought]
    return there[rank] if rank < len(there) else None
