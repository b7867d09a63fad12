"""One way through a scope of a diagram: which branches are taken, decided from the end so that no way is ever enumerated.

What each kind of way chooses is told in `burden`; what an element costs is the caller's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.pathway.spiff.elements import Element

Cost = tuple[float, float]  # acts of persons, then working days
_NOTHING: Cost = (0, 0.0)
_CHOICES = frozenset({"exclusiveGateway", "eventBasedGateway"})


@dataclass(frozen=True)
class Route:
    """`order`: the elements of the way, each after those it comes from (`before`); `last`: where it ends."""

    order: tuple[Element, ...]
    before: dict[Element, tuple[Element, ...]]
    last: frozenset[Element]


@dataclass(frozen=True)
class _Way:
    """A way out: the elements that begin at once. `is_default` and `is_timer` (it waits for a time) help to choose."""

    to: tuple[Element, ...]
    is_default: bool = False
    is_timer: bool = False


class Network:
    """The elements of a scope from its entries on, with its ways back set apart. `back`: (from, to)."""

    def __init__(self, entries: Sequence[Element], path: str, cost: Callable[[Element], Cost]) -> None:
        self.entries, self.path, self.cost = list(entries), path, cost
        self.ways: dict[Element, list[_Way]] = {}
        self.back: list[tuple[Element, Element]] = []
        self.order: list[Element] = []
        self._ends: frozenset[Element] | None = None
        self._walk()
        self.rank = {element: rank for rank, element in enumerate(self.order)}

    def _walk(self) -> None:
        """Depth first, in the order drawn: an arrow to what is still being walked is a way back. Leaves the others in an order without way back."""
        state: dict[Element, int] = {}
        done: list[Element] = []
        back: dict[tuple[Element, Element], None] = {}
        for entry in self.entries:
            if entry in state:
                continue
            state[entry] = 1
            stack = [(entry, self._targets(entry))]
            while stack:
                element, targets = stack[-1]
                target = next(targets, None)
                if target is None:
                    stack.pop()
                    state[element] = 2
                    done.append(element)
                elif target not in state:
                    state[target] = 1
                    stack.append((target, self._targets(target)))
                elif state[target] == 1:
                    back[element, target] = None
        self.order, self.back = done[::-1], list(back)

    def _targets(self, element: Element) -> Iterator[Element]:
        self.ways[element] = self._ways(element)
        return iter(dict.fromkeys(target for way in self.ways[element] for target in way.to))

    def _ways(self, element: Element) -> list[_Way]:
        """What may begin after an element. A list of one way: it is no choice."""
        landing = getattr(element, "landing", None)
        flows = element.flows_out
        if landing is not None:
            ways = [_Way((landing,))]
        elif element.kind in _CHOICES or (element.kind == "inclusiveGateway" and self.path != "longest"):
            ways = [_Way((flow.target,), flow.is_default, getattr(getattr(flow.target, "trigger", None), "kind", "") == "timer") for flow in flows]
        else:
            ways = [_Way(tuple(flow.target for flow in flows))]
        if self.path == "longest" and element.boundaries:
            beside = tuple(one for one in element.boundaries if not one.is_interrupting)
            ways = [_Way((*way.to, *beside)) for way in ways]
            ways += [_Way((one, *beside)) for one in element.boundaries if one.is_interrupting]
        return ways or [_Way(())]

    def route(self, entry: Element | None = None, goal: Element | None = None) -> Route:
        """The way from the entries to an end; or from an element to another, between which a way back turns.

        The shortest one leads where the typical one does: a case sent away at the door has not gone through.
        """
        if self.path == "shortest" and self._ends is None:
            self.path = "typical"
            self._ends = self.route().last
            self.path = "shortest"
        starts = [entry] if entry is not None else self.entries
        inside = self.order if goal is None or entry is None else self.order[self.rank[entry] : self.rank[goal] + 1]
        chosen = self._decide(inside, goal)
        best = chosen.cost
        begun = [one for one in starts if one in best]
        if len(begun) > 1:
            begun = [self._pick([(best[one], _Way((one,))) for one in begun], is_inclusive=False).to[0]]
        before: dict[Element, list[Element]] = {one: [] for one in begun}
        order = []
        for element in inside:
            if element in before:
                order.append(element)
                for target in chosen.to.get(element, ()):
                    before.setdefault(target, []).append(element)
        last = frozenset(element for element in order if not chosen.to.get(element))
        return Route(tuple(order), {element: tuple(found) for element, found in before.items()}, last)

    def _decide(self, inside: Sequence[Element], goal: Element | None) -> "_Decided":
        """From the end backwards: what each element that leads there chooses, and what the rest of the way costs.

        Branches taken together meet again where none can avoid (`meets`): what follows that place is counted once.
        """
        made = _Decided()
        for element in reversed(inside):
            is_end = not any(way.to for way in self.ways[element])
            if is_end and self._ends is not None and element not in self._ends:
                continue
            if element is goal or (goal is None and is_end):
                made.cost[element], made.depth[element], made.meets[element] = self.cost(element), 1, None
                continue
            offers = []
            for way in self.ways[element]:
                alive = tuple(one for one in way.to if one in made.cost)  # a way back leads to what is not decided yet
                if alive:
                    offers.append(_Way(alive, way.is_default, way.is_timer))
            if not offers:
                continue
            meeting = made.meeting([one for way in offers for one in way.to])
            shared = made.cost[meeting] if meeting is not None else _NOTHING
            costed = [(_together([made.cost[one] for one in way.to], shared), way) for way in offers]
            way = self._pick(costed, is_inclusive=element.kind == "inclusiveGateway")
            rest = next(cost for cost, other in costed if other is way)
            own = self.cost(element)
            made.cost[element] = (own[0] + rest[0], own[1] + rest[1])
            made.to[element] = way.to
            made.meets[element] = meeting
            made.depth[element] = 1 + (made.depth[meeting] if meeting is not None else 0)
        return made

    def _pick(self, costed: Sequence[tuple[Cost, _Way]], *, is_inclusive: bool) -> _Way:
        ordered = sorted(range(len(costed)), key=lambda place: (costed[place][0], place))
        if self.path == "shortest":
            return costed[ordered[0]][1]
        if self.path == "longest":
            most = costed[ordered[-1]][0]
            return next(way for cost, way in costed if cost == most)
        if is_inclusive:
            ordered = [place for place in ordered if not costed[place][1].is_default] or ordered
        elif any(way.is_default for _, way in costed):
            return next(way for _, way in costed if way.is_default)
        elif any(way.is_timer for _, way in costed):
            return next((way for _, way in costed if not way.is_timer), costed[0][1])
        return costed[ordered[(len(ordered) - 1) // 2]][1]


class _Decided:
    """What was decided so far, of elements that lead to the goal. `meets`: the next element that no branch can avoid."""

    def __init__(self) -> None:
        self.cost: dict[Element, Cost] = {}
        self.to: dict[Element, tuple[Element, ...]] = {}
        self.meets: dict[Element, Element | None] = {}
        self.depth: dict[Element, int] = {}

    def meeting(self, branches: Sequence[Element]) -> Element | None:
        found: Element | None = branches[0]
        for other in dict.fromkeys(branches[1:]):
            one: Element | None = other
            while found is not one:
                if found is None or one is None:
                    return None
                if self.depth[found] >= self.depth[one]:
                    found = self.meets[found]
                else:
                    one = self.meets[one]
        return found


def _together(costs: Sequence[Cost], shared: Cost) -> Cost:
    """Branches taken together, what they share counted once."""
    more = len(costs) - 1
    return sum(cost[0] for cost in costs) - more * shared[0], sum(cost[1] for cost in costs) - more * shared[1]
