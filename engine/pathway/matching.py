"""Which element of one edition is which of another: same process and id unless somebody said otherwise.

`Matching.of` answers for elements, `Matching.key` for where a token stands: through the calls, sub-processes and turns around it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.pathway.definitions import Definitions
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.run import Run
from engine.pathway.spiff.scopes import Token

Named = tuple[str, str]  # process, id
Where = tuple[tuple[Any, ...], ...]  # from the outermost scope in: (process, id, role, turn)


class Matching:
    """The elements of `before` in `after`. `chosen`: what was said otherwise, None for an element that is no more."""

    def __init__(self, before: Definitions, after: Definitions, chosen: Mapping[Named, Named | None] | None = None) -> None:
        self.before, self.after, self.chosen = before, after, dict(chosen or {})
        self.elements = {named(one): one for one in after.nodes}
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
    """The token of `now` that stands where one of `then` does: of several in one place, the one of the same rank. `mark`: what it must have open."""
    here = where(token)
    sought = matching.key(here)
    if sought is None:
        return None
    rank = [one.order for one in tokens(then) if mark in one.internal_data and where(one) == here].index(token.order)
    there = [one for one in tokens(now) if mark in one.internal_data and where(one) == sought]
    return there[rank] if rank < len(there) else None
