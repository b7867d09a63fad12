"""What a history shows of how cases go, pooled for those who walk by chance (`simulation`): durations, ways, turns; whose they are, so that cases are drawn whole.

Pure. Not here: how a history is read (`insight.simulations`).
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from engine.pathway.definitions import Definitions
from engine.pathway.spiff.activities import Activity, CallActivity
from engine.pathway.spiff.elements import Element


class Part(NamedTuple):
    """What one case showed: (element, days), (gateway, way, whether it came back there), (activity, turns)."""

    lasted: Sequence[tuple[str, float]] = ()
    went: Sequence[tuple[str, tuple[str, ...], bool]] = ()
    turns: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True)
class Observed:
    """What history shows. `lasted`: element → days of each task done or wait ended; `went`: gateway → ways taken (the elements they lead to) when a case first came → how
    often, `again`: when it came back; `turns`: what is done several times → how often each time; `begun`: process → cases begun a month; `works`: element → hours that
    somebody worked on each task; `branches`: process → branch → cases begun there; `most`: gateway → how often
    one case came there at most; `parts`: the cases it was pooled from."""

    lasted: Mapping[str, Sequence[float]] = field(default_factory=dict)
    went: Mapping[str, Mapping[tuple[str, ...], int]] = field(default_factory=dict)
    begun: Mapping[str, float] = field(default_factory=dict)
    cases: int = 0
    works: Mapping[str, Sequence[float]] = field(default_factory=dict)
    branches: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    again: Mapping[str, Mapping[tuple[str, ...], int]] = field(default_factory=dict)
    turns: Mapping[str, Sequence[int]] = field(default_factory=dict)
    most: Mapping[str, int] = field(default_factory=dict)
    parts: Sequence[Part] = field(default=(), repr=False)

    def pooled(self, parts: Sequence[Part]) -> "Observed":
        """These, with what cases showed together; what none of them showed stays as it was."""
        lasted: dict[str, list[float]] = defaultdict(list)
        turns: dict[str, list[int]] = defaultdict(list)
        ways: tuple[dict[str, Counter[tuple[str, ...]]], ...] = (defaultdict(Counter), defaultdict(Counter))
        most: dict[str, int] = dict(self.most)
        for part in parts:
            for node, times in Counter(node for node, _, _ in part.went).items():
                most[node] = max(times, most.get(node, 0))
            for node, days in part.lasted:
                lasted[node].append(days)
            for node, way, is_again in part.went:
                ways[is_again][node][way] += 1
            for node, times in part.turns:
                turns[node].append(times)
        ordered = ({node: sorted(found[node]) for node in sorted(found)} for found in (lasted, turns))
        went, again = ({node: dict(found[node]) for node in sorted(found)} for found in ways)
        return replace(self, lasted={**self.lasted, **next(ordered)}, turns={**self.turns, **next(ordered)}, went={**self.went, **went}, again={**self.again, **again}, most=most)

    def drawn(self, rng: random.Random) -> "Observed":
        """As many cases, drawn from these with replacement; as many observations, where it is not known whose they are."""
        works = {node: rng.choices(hours, k=len(hours)) for node, hours in sorted(self.works.items())}
        if self.parts:
            return replace(self.pooled(rng.choices(self.parts, k=len(self.parts))), works=works, parts=())
        lasted = {node: rng.choices(days, k=len(days)) for node, days in sorted(self.lasted.items())}
        went = {}
        for node, ways in sorted(self.went.items()):
            known = sorted(ways)
            went[node] = Counter(rng.choices(known, weights=[ways[one] for one in known], k=sum(ways.values())))
        return replace(self, lasted=lasted, went=went, works=works)


class Turning(NamedTuple):
    """What is done several times. `is_parallel`: all its turns begin at once; `counted`: the elements by which they can be counted, each passed once a turn at most;
    `called_by`: the activities that call its process."""

    node: str
    is_parallel: bool
    counted: frozenset[str]
    called_by: frozenset[str]


def turning(definitions: Definitions) -> list[Turning]:
    """Everything that is done several times."""
    callers: dict[str, set[str]] = defaultdict(set)
    for call in definitions.calls():
        callers[call.called].add(call.id)
    shared, found = frozenset(called for called, of in callers.items() if len(of) > 1), []
    for one in definitions.nodes:
        if isinstance(one, Activity) and one.loop is not None:
            counted = frozenset(_inside_of(definitions, one, shared)) or frozenset({one.id})
            found.append(Turning(one.id, one.loop.kind == "parallel", counted, frozenset(callers[one.scope_spec.process])))
    return found


def _inside_of(definitions: Definitions, activity: Element, around: frozenset[str]) -> Iterable[str]:
    """The elements of one turn of an activity, and of what it calls, but for `around`: none that turns by itself, or that a way leads back to."""
    spec = activity.inner
    if isinstance(activity, CallActivity) and activity.called in definitions.processes and (activity.loop is not None or activity.called not in around):
        spec, around = definitions.spec(activity.called), around | {activity.called}
    for one in spec.elements if spec is not None else ():
        if not (isinstance(one, Activity) and one.loop is not None) and not any(one in reach(flow.target) for flow in one.flows_out):
            yield one.id
            yield from _inside_of(definitions, one, around)


_reached: dict[Element, frozenset[Element]] = {}


def reach(element: Element) -> frozenset[Element]:
    """Every element that a token there may still come to."""
    if element not in _reached:
        seen, left = {element}, [element]
        while left:
            for flow in left.pop().flows_out:
                if flow.target not in seen:
                    seen.add(flow.target)
                    left.append(flow.target)
        if len(_reached) > 20_000:
            _reached.clear()
        _reached[element] = frozenset(seen)
    return _reached[element]
