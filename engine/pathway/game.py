"""The token game of one process: every way in which its tokens may stand, whatever the answers, found by walking them all.

A place is where a token waits: at an element, or at a join by the flow it came. Conditions are not weighed: each may hold or not. Sub-processes and
called processes are one step here (each has a game of its own). A token on a boundary event that does not interrupt plays beside, once a turn.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, islice

from engine.pathway.spiff.elements import Element, Flow
from engine.pathway.spiff.events import BoundaryEvent, ThrowEvent
from engine.pathway.spiff.gateways import EventGateway, ExclusiveGateway, InclusiveGateway, Join, ParallelGateway
from engine.pathway.spiff.scopes import ScopeSpec

MOST_MOVES = 15_000
_MOST_APART, _MOST_PAIRED = 4, 12  # conditional flows whose every combination is walked, or every pair; beyond, each alone and all together
_MOST_DEEP = 4  # moves tried at each marking of a walk far ahead
_MOST_AT_ONCE = 60  # tokens of a marking of which it is told who stands beside whom

Place = tuple[int, int]  # number of the element, place of the flow among those into a join (-1 elsewhere)
Marking = tuple[Place, ...]  # sorted


@dataclass
class Move:
    """One element moves: what it takes, and what it puts down. `wipes`: everything else in the process is over."""

    element: Element
    takes: tuple[Place, ...]
    puts: tuple[Place, ...]
    wipes: bool = False


@dataclass
class Game:
    """All markings from each way to begin. `is_whole`: none were left out for their number; `beside`: begun by a boundary event that does not interrupt.

    `doubled`: element → a marking from which it would hold two tokens; `overtaken`: element → a marking that begins a round anew, with all it had and more;
    `together`: two elements → a marking where each has a token.
    """

    scope: ScopeSpec
    starts: tuple[tuple[Element, ...], ...]
    beside: bool = False
    is_whole: bool = True
    came: dict[Marking, tuple[Marking | None, Element | None]] = field(default_factory=dict)
    onward: dict[Marking, list[Marking]] = field(default_factory=dict)
    doubled: dict[int, Marking] = field(default_factory=dict)
    overtaken: dict[int, Marking] = field(default_factory=dict)
    together: dict[tuple[int, int], Marking] = field(default_factory=dict)
    cut: set[Marking] = field(default_factory=set)  # what follows was not walked: a place would hold two, or the round begins anew
    begun: tuple[Marking, ...] = ()  # played from these besides: where something stands already
    closed: frozenset[int] = frozenset()  # elements that nothing enters

    @cached_property
    def elements(self) -> dict[int, Element]:
        return {element.number: element for element in self.scope.elements}

    def play(self, most: int = MOST_MOVES) -> "Game":
        """Walks every marking, the nearest first; where they are too many, some of the furthest too."""
        self._walk(most, is_deep=False)
        if not self.is_whole:
            self._walk(most, is_deep=True)
        return self

    def _walk(self, most: int, is_deep: bool) -> None:
        """Walks the markings, but for those where a place would hold two tokens or a round is overtaken by the next: what follows is the same again."""
        begins = [*(tuple(sorted(_at(entry) for entry in entries)) for entries in self.starts), *self.begun]
        for marking in begins:
            self.came[marking] = (None, None)
        seen: set[Marking] = set()
        waiting, moves = deque(begins), 0
        while waiting:
            marking = waiting.pop() if is_deep else waiting.popleft()
            found: list[Marking] = [] if is_deep else self.onward.setdefault(marking, [])
            for one, other in combinations(marking, 2) if len(marking) <= _MOST_AT_ONCE else ():
                self.together.setdefault((one[0], other[0]), marking)
            for move in islice(self._moves(marking), _MOST_DEEP) if is_deep else self._moves(marking):
                moves += 1 + len(marking) // 8
                if moves > most:
                    break
                if self.closed and any(number in self.closed for number, _ in move.puts):
                    continue
                rest = [] if move.wipes else list(marking)
                for place in () if move.wipes else move.takes:
                    rest.remove(place)
                after = tuple(sorted([*rest, *move.puts]))
                doubled = next((place for place, next_ in zip(after, after[1:], strict=False) if place == next_), None)
                if doubled is not None:
                    self.doubled.setdefault(doubled[0], marking)
                    self.cut.add(marking)
                    continue
                if after in self.came and not (is_deep and after not in seen):
                    found.append(after)
                elif len(after) > 1 and self._holds_a_former(after, marking):
                    self.overtaken.setdefault(move.element.number, marking)
                    self.cut.add(marking)
                else:
                    found.append(after)
                    seen.add(after)
                    self.came.setdefault(after, (marking, move.element))
                    waiting.append(after)
            if moves > most:
                self.is_whole = False
                self.onward.pop(marking, None)  # not all that may move there was tried
                break

    def _holds_a_former(self, after: Marking, before: Marking | None) -> bool:
        """Whether a marking on the way there stands whole in this one (Karp and Miller, 1969): the way can be walked again, leaving more each time."""
        places = set(after)
        while before is not None:
            if len(before) < len(after) and places.issuperset(before):
                return True
            before = self.came[before][0]
        return False

    def path(self, marking: Marking | None) -> list[Element]:
        """The elements moved on a shortest way to a marking."""
        found: list[Element] = []
        while marking is not None:
            marking, element = self.came[marking]
            if element is not None:
                found.append(element)
        return found[::-1]

    def stuck(self) -> list[Marking]:
        """The markings from which nothing moves, though tokens stand there."""
        return [marking for marking, after in self.onward.items() if marking and not after and marking not in self.cut]

    @property
    def ends(self) -> bool:
        """Whether some way leads to where nothing stands any more."""
        return () in self.came

    def without_end(self) -> list[Marking]:
        """The markings that move for ever: no way from them leads to an end. Empty where not all could be walked."""
        if not self.is_whole or self.doubled or self.overtaken:
            return []
        back: dict[Marking, list[Marking]] = {}
        for marking, after in self.onward.items():
            for one in after:
                back.setdefault(one, []).append(marking)
        ending = [marking for marking, after in self.onward.items() if not after]
        reached = set(ending)
        while ending:
            for before in back.get(ending.pop(), ()):
                if before not in reached:
                    reached.add(before)
                    ending.append(before)
        return [marking for marking in self.onward if marking not in reached]

    # --- what may move ---

    def _moves(self, marking: Marking) -> Iterator[Move]:
        joins: dict[int, list[Place]] = {}
        for place in marking:
            element = self.elements[place[0]]
            if isinstance(element, Join) and len(element.flows_in) > 1:
                joins.setdefault(place[0], []).append(place)
            else:
                yield from self._leave(element, (place,))
        for number, places in joins.items():
            element = self.elements[number]
            if isinstance(element, ParallelGateway):
                if len(places) == len(element.flows_in):
                    yield from self._leave(element, tuple(places))
            elif isinstance(element, InclusiveGateway) and self._is_due(element, places, marking):
                yield from self._leave(element, tuple(places))

    def _is_due(self, join: InclusiveGateway, places: list[Place], marking: Marking) -> bool:
        filled = {place[1] for place in places}
        empty = set(range(len(join.flows_in))) - filled
        for number, _ in marking:
            reached = join.reached_from.get(number, frozenset()) if number != join.number else frozenset()
            if reached & empty and not reached & filled:
                return False
        return True

    def _leave(self, element: Element, taken: tuple[Place, ...]) -> Iterator[Move]:
        if isinstance(element, ThrowEvent) and element.kind == "endEvent" and element.trigger.kind in ("terminate", "error"):
            yield Move(element, taken, (), wipes=True)
            return
        if isinstance(element, ThrowEvent) and element.landing is not None:
            yield Move(element, taken, (_at(element.landing),))
            return
        for flows in ways_out(element):
            yield Move(element, taken, tuple(_by(flow) for flow in flows))
        for boundary in element.boundaries:
            if boundary.is_interrupting:
                yield Move(element, taken, (_at(boundary),))


def _at(element: Element) -> Place:
    return (element.number, -1)


def _by(flow: Flow) -> Place:
    return (flow.target.number, flow.place) if isinstance(flow.target, Join) and len(flow.target.flows_in) > 1 else _at(flow.target)


def ways_out(element: Element) -> list[tuple[Flow, ...]]:
    """The sets of flows an element may be left by, whatever its conditions give."""
    flows = element.flows_out
    if not flows:
        return [()]
    if isinstance(element, ParallelGateway):
        return [tuple(flows)]
    if isinstance(element, ExclusiveGateway | EventGateway):
        return [(flow,) for flow in flows]
    free = [flow for flow in flows if flow.condition is None and not flow.is_default]
    asked = [flow for flow in flows if flow.condition is not None and not flow.is_default]
    if not asked:
        return [tuple(free or flows)]
    most = {True: len(asked), False: 2 if len(asked) <= _MOST_PAIRED else 1}[len(asked) <= _MOST_APART]
    chosen = [set_ for size in {*range(1, most + 1), len(asked)} for set_ in combinations(asked, size)]
    none = tuple(free) or tuple(flow for flow in flows if flow.is_default)
    return [(*free, *set_) for set_ in chosen] + ([none] if none else [])


def games(scope: ScopeSpec) -> Iterator[Game]:
    """The games of one process or sub-process: from all the ways to begin, and from each boundary event that plays beside."""
    plain = scope.begins()
    yield Game(scope, ((*((tuple(plain),) if plain else ()), *((entry,) for entry in scope.entries if entry not in plain))))
    for element in scope.elements:
        if isinstance(element, BoundaryEvent) and not element.is_interrupting:
            yield Game(scope, ((element,),), beside=True)
