"""What comes after what across an edition: flows, edges, links, and into and out of the processes that are called.

A called process returns to every call of it: a walk is never missed, one may be told that a single instance does not take.
"""

from collections.abc import Iterable
from functools import cached_property

from engine.pathway.definitions import Definitions
from engine.pathway.spiff.activities import CallActivity, PersonTask
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.scopes import ScopeSpec


class Walks:
    """The elements of an edition as one graph."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions

    @cached_property
    def _callers(self) -> dict[int, list[Element]]:
        """Number of a scope → the activities inside which it runs."""
        found: dict[int, list[Element]] = {}
        for element in self.definitions.nodes:
            for scope in self.inside(element):
                found.setdefault(scope.number, []).append(element)
        return found

    def inside(self, element: Element) -> list[ScopeSpec]:
        """The process or sub-process that an activity runs."""
        if isinstance(element, CallActivity):
            return [self.definitions.spec(element.called)] if element.called in self.definitions.processes else []
        return [element.inner] if element.inner is not None else []

    def leaving(self, element: Element) -> list[Element]:
        """Where a token goes when it leaves: along the flows, or out of the scope."""
        landing = getattr(element, "landing", None)
        found = [flow.target for flow in element.flows_out] + ([landing] if landing is not None else [])
        if not found:
            for host in self._callers.get(element.scope_spec.number, ()):
                found += self.leaving_host(host)
        return found

    def leaving_host(self, host: Element) -> list[Element]:
        """What follows an activity whose inside is over."""
        return [flow.target for flow in host.flows_out] or [
            after for outer in self._callers.get(host.scope_spec.number, ()) for after in self.leaving_host(outer)
        ]

    def after(self, element: Element) -> list[Element]:
        """The next elements of any walk."""
        inside = self.inside(element)
        entered = [entry for scope in inside for entry in scope.entries]
        entered += [entry for scope in inside for beside in scope.event_subprocesses for entry in beside.inner.entries]
        return (entered if entered else self.leaving(element)) + list(element.boundaries)

    def way(self, first: Element, last: Element) -> list[Element]:
        """A shortest walk from one element to another, both ends told; empty when there is none."""
        came: dict[Element, Element | None] = {after: None for after in self.after(first)}
        ahead = list(came)
        for element in ahead:
            if element is last:
                found: list[Element] = []
                step: Element | None = element
                while step is not None:
                    found.append(step)
                    step = came[step]
                return [first, *found[::-1]]
            for after in self.after(element):
                if after not in came:
                    came[after] = element
                    ahead.append(after)
        return []

    def people(self, elements: Iterable[Element]) -> list[PersonTask]:
        """The tasks of people among these and inside them."""
        found: list[PersonTask] = []
        seen: set[int] = set()
        waiting = list(elements)
        while waiting:
            element = waiting.pop(0)
            if isinstance(element, PersonTask):
                found.append(element)
            for scope in self.inside(element):
                if scope.number not in seen:
                    seen.add(scope.number)
                    waiting += scope.elements
        return found
