"""Simulation: cases that are nobody's, walked by chance through a process with the durations and frequencies observed: how long, and whose turn for how long.

No fact is weighed: a gateway goes the ways it was seen to go, as often, told apart whether a case came there first or came back, so that a few cases that turn long
make no others turn; none goes round more often than the longest seen. What is done several times (a measure each, a visit each) turns as often as was seen. What was never seen is assumed, and the assumption is told: a
new task takes its whole deadline, a new gateway any of its ways. Cases are drawn whole: what one case did forty times is said by one. The same observations and seed give
the same figures. What interrupts a case from beside it (event sub-processes) is left out.
Not here: how long a task waits for somebody to be free (`insight.queues`); what that adds or takes is told by whoever asks (`Longer`).
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zlib import crc32

from engine.pathway.definitions import Definitions
from engine.pathway.observed import Observed, Part, Turning, reach, turning
from engine.pathway.spiff.activities import CallActivity, PersonTask, SubProcess
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.events import Listener, ThrowEvent
from engine.pathway.spiff.gateways import EventGateway, ExclusiveGateway, InclusiveGateway, Join
from engine.pathway.spiff.scopes import ScopeSpec
from forms.feel import FeelError, YearsMonths, compile_expression

__all__ = ["NOTHING", "Forecast", "Observed", "Part", "Range", "Share", "Turn", "Turning", "Walked", "Walks", "difference", "forecast", "simulate", "turning", "walk"]

ROUNDS, CASES = 20, 30  # times that the observations are drawn anew; cases walked with each draw
_MOST_STEPS, _MOST_TURNS, _DEEPEST = 2_000, 40, 8
_UNSEEN = 0.5  # times that each way out of a gateway counts besides those it was seen to be taken (Jeffreys): what never happened yet may
_DAYS = {"jours": 1.0, "jours_ouvres": 7 / 5, "heures_ouvrees": 7 / 40}  # calendar days
_MONTH = 30.436875


@dataclass(frozen=True)
class Range:
    """A mean and where it lies eight times out of ten, the observations being what they are. `drawn`: it, draw by draw."""

    mean: float
    low: float
    high: float
    drawn: tuple[float, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Share:
    """An agency's part: tasks a case, days that a case waits for it, tasks a month as many cases as now begin."""

    agency: str
    tasks: Range
    days: Range
    a_month: Range


@dataclass(frozen=True)
class Forecast:
    """A process as it would go: days from its beginning to its end (`days`, and those that half and nine tenths of cases stay below), each agency's share.
    `assumed`: what was never seen, as (kind, element): `deadline`, `no_deadline`, `ways`, `wait`, `turns`."""

    process: str
    days: Range
    half: float
    most: float
    shares: tuple[Share, ...]
    assumed: tuple[tuple[str, str], ...]
    cases_a_month: float


class Turn(NamedTuple):
    """A task that a case met: whose, when it opened (days from the beginning) and how long it was open (days)."""

    agency: str
    role: str
    node: str
    at: float
    days: float


class Walked(NamedTuple):
    """One case, from its beginning to its end: days, the branch it is of, its tasks."""

    days: float
    branch: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Walks:
    """The cases of a process, draw by draw, with what each draw took as observed and what had to be assumed."""

    process: str
    rounds: tuple[tuple[Walked, ...], ...]
    drawn: tuple[Observed, ...]
    assumed: tuple[tuple[str, str], ...]
    agencies: tuple[str, ...]
    cases_a_month: float


Longer = Callable[[int, str, Turn, float], float]  # draw, branch, task, luck in 0..1 → days that it is open longer than was observed


def simulate(definitions: Definitions, process: str, observed: Observed, seed: str, lanes: Mapping[str, str], rounds: int = ROUNDS, cases: int = CASES) -> Forecast:
    """Walks `rounds` × `cases` cases of a process. `lanes`: agency by the name of a lane."""
    return forecast(walk(definitions, process, observed, seed, lanes, rounds=rounds, cases=cases))


def walk(definitions: Definitions, process: str, observed: Observed, seed: str, lanes: Mapping[str, str], longer: Longer | None = None, *, rounds: int = ROUNDS, cases: int = CASES) -> Walks:
    """The walks themselves; with `longer`, each task is open so many days more (fewer, where it is less than 0)."""
    assumed: dict[tuple[str, str], None] = {}
    found, draws = [], []
    for number in range(rounds):
        rng = random.Random(f"{seed} {number}")
        drawn = observed.drawn(rng) if number else observed
        draws.append(drawn)
        found.append(tuple(_Walk(definitions, drawn, f"{seed} {number} {place}", assumed, lanes, number, longer).whole(process) for place in range(cases)))
    agencies = tuple(sorted({lanes.get(task.lane, task.lane) for task in definitions.tasks if task.lane}))
    return Walks(process, tuple(found), tuple(draws), tuple(assumed), agencies, observed.begun.get(process, 0.0))


def forecast(walks: Walks) -> Forecast:
    """What these walks come to."""
    totals: list[float] = []
    means: list[float] = []
    parts: dict[str, list[tuple[float, float]]] = {}
    for cases in walks.rounds:
        held = {agency: [0.0, 0.0] for agency in walks.agencies}
        for one in cases:
            for turn in one.turns:
                share = held.setdefault(turn.agency, [0.0, 0.0])
                share[0] += 1
                share[1] += turn.days
        totals += [one.days for one in cases]
        means.append(sum(one.days for one in cases) / len(cases))
        for agency, (tasks, days) in held.items():
            parts.setdefault(agency, []).append((tasks / len(cases), days / len(cases)))
    begun = walks.cases_a_month
    shares = tuple(Share(agency, in_ten([one[0] for one in found]), in_ten([one[1] for one in found]), in_ten([one[0] * begun for one in found])) for agency, found in sorted(parts.items())
                   if any(one[0] for one in found))  # fmt: skip
    ordered = sorted(totals)
    return Forecast(walks.process, in_ten(means), quantile(ordered, 0.5), quantile(ordered, 0.9), shares, walks.assumed, begun)


def difference(before: Range, after: Range, summed: Callable[[Sequence[float]], Range] | None = None) -> Range:
    """By how much the second differs from the first: draw by draw, since both were walked with the same luck. `summed`: `in_ten`, or `middle`."""
    return (summed or in_ten)([new - old for old, new in zip(before.drawn, after.drawn, strict=True)])


NOTHING = Range(0.0, 0.0, 0.0, (0.0,) * ROUNDS)


class _Walk:
    """One case. `turns`: each task it met. Luck is of an element and of how often it was met: where two versions of the diagrams are the
    same, the same case has the same luck in both."""

    def __init__(self, definitions: Definitions, observed: Observed, name: str, assumed: dict[tuple[str, str], None], lanes: Mapping[str, str],
                 number: int, longer: Longer | None) -> None:  # fmt: skip
        self.definitions, self.observed, self.name, self.assumed, self.lanes, self.number, self.longer = definitions, observed, name, assumed, lanes, number, longer
        self.turns: list[Turn] = []
        self.branch = ""
        self.met: Counter[str] = Counter()
        self.taken: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.steps = 0

    def luck(self, element: Element, what: str) -> float:
        key = f"{element.id} {what}"
        self.met[key] += 1
        return chance(f"{self.name} {key} {self.met[key]}")

    def whole(self, process: str) -> Walked:
        known = sorted(self.observed.branches.get(process, {}).items())
        if known:
            self.branch = _picked([branch for branch, _ in known], [times for _, times in known], chance(f"{self.name} branch"))
        spec = self.definitions.spec(process)
        return Walked(self._scope(spec, spec.begins(None) or spec.entries[:1], 0.0, 0), self.branch, tuple(self.turns))

    def _scope(self, spec: ScopeSpec, entries: Sequence[Element], at: float, depth: int) -> float:
        """From the entries until no token is left; the instant of the last."""
        order, last = 0, at
        waiting: list[tuple[float, int, Element]] = []
        joined: dict[Element, list[float]] = {}
        for entry in entries:
            waiting.append((at, order, entry))
            order += 1
        heapq.heapify(waiting)
        while waiting or joined:
            self.steps += 1
            if self.steps > _MOST_STEPS:
                break
            ready = next((join for join, came in joined.items() if self._fires(join, came, waiting)), None)
            if ready is not None:
                now, element = max(joined.pop(ready)), ready
            elif waiting:
                now, _, element = heapq.heappop(waiting)
                if isinstance(element, Join) and len(element.flows_in) > 1:
                    joined.setdefault(element, []).append(now)
                    continue
            else:  # a join that nothing can free any more: the figures go on
                element, came = joined.popitem()
                now = max(came)
            then, ways = self._passes(element, now, depth)
            last = max(last, then)
            if isinstance(element, ThrowEvent) and element.trigger.kind == "terminate":
                return then
            for target in ways:
                heapq.heappush(waiting, (then, order, target))
                order += 1
        return last

    def _fires(self, join: Element, came: Sequence[float], waiting: Iterable[tuple[float, int, Element]]) -> bool:
        if not isinstance(join, InclusiveGateway):
            return len(came) >= len(join.flows_in)
        return not any(join in reach(element) for _, _, element in waiting)

    def _passes(self, element: Element, now: float, depth: int) -> tuple[float, list[Element]]:
        """When a token leaves an element, and where it goes."""
        then = self._done(element, now, depth)
        if (edge := self._edge(element)) is not None:
            return now + min(then - now, self._lasts(edge, now, depth)), [flow.target for flow in edge.flows_out]
        targets = [flow.target for flow in element.flows_out]
        if isinstance(element, EventGateway):
            first = min(targets, key=lambda one: (self._lasts(one, now, depth), one.number), default=None)
            return now, [first] if first is not None else []
        if isinstance(element, ExclusiveGateway | InclusiveGateway) and len(targets) > 1:
            return then, self._chosen(element, targets)
        return then, targets

    def _done(self, element: Element, now: float, depth: int) -> float:
        """When an element is done, every turn of it where it has several."""
        loop = element.loop if isinstance(element, PersonTask | SubProcess | CallActivity) else None
        if loop is None:
            return self._turn(element, now, depth)
        seen, then = self.observed.turns.get(element.id), now
        if not seen:
            self.assumed[("turns", element.id)] = None
        for _ in range(min(seen[int(self.luck(element, "turns") * len(seen))] if seen else 1, _MOST_TURNS)):
            end = self._turn(element, now if loop.kind == "parallel" else then, depth)
            then = max(then, end)
        return then

    def _turn(self, element: Element, now: float, depth: int) -> float:
        then = now + self._lasts(element, now, depth)
        if isinstance(element, PersonTask):
            turn = Turn(self.lanes.get(element.shown_lane, element.shown_lane), element.extensions.task.role if element.extensions.task else "", element.id, now, then - now)
            if self.longer is not None:
                turn = turn._replace(days=max(0.0, turn.days + self.longer(self.number, self.branch, turn, self.luck(element, "queue"))))
                then = now + turn.days
            self.turns.append(turn)
        return then

    def _chosen(self, element: Element, targets: Sequence[Element]) -> list[Element]:
        by_id = {one.id: one for one in targets}

        def known_of(went: Mapping[str, Mapping[tuple[str, ...], int]]) -> dict[tuple[str, ...], float]:
            return {ways: times for ways, times in went.get(element.id, {}).items() if ways and all(one in by_id for one in ways)}

        seen = known_of(self.observed.went)
        if not seen:
            self.assumed[("ways", element.id)] = None
        for target in by_id:
            seen[(target,)] = seen.get((target,), 0.0) + _UNSEEN
        visits = self.met[f"{element.id} way"]
        if visits and (back := known_of(self.observed.again)):  # what is rare is helped by what first came
            whole = sum(seen.values())
            seen = {ways: back.get(ways, 0.0) + seen.get(ways, 0.0) / whole for ways in {**seen, **back}}
        if visits and visits + 1 >= self.observed.most.get(element.id, visits + 2):  # no case goes round more often than the longest seen
            least = min(self.taken[(element.id, ways)] for ways in seen)
            out = {ways: times for ways, times in seen.items() if not any(element in reach(by_id[one]) for one in ways)}
            seen = out or {ways: times for ways, times in seen.items() if self.taken[(element.id, ways)] == least}
        known = sorted(seen)
        chosen = _picked(known, [seen[one] for one in known], self.luck(element, "way"))
        self.taken[(element.id, chosen)] += 1
        return [by_id[one] for one in chosen]

    def _edge(self, element: Element) -> Element | None:
        """The event on its edge by which the activity is left before it is done, as often as that was seen."""
        times = len(self.observed.lasted.get(element.id, ()))
        for edge in element.boundaries:
            rang = len(self.observed.lasted.get(edge.id, ()))
            if edge.is_interrupting and rang and self.luck(edge, "edge") < rang / (times + rang):
                return edge
        return None

    def _lasts(self, element: Element, now: float, depth: int) -> float:
        """Days from entering an element to leaving it."""
        if isinstance(element, CallActivity) and element.called in self.definitions.processes:
            spec = self.definitions.spec(element.called)
            return self._inside(spec, spec.begins(None) or spec.entries[:1], now, depth)
        if isinstance(element, SubProcess) and element.inner is not None:
            return self._inside(element.inner, element.inner.entries, now, depth)
        if isinstance(element, Listener) and element.trigger.kind == "timer":
            drawn = _literal(element.trigger)
            if drawn is not None:
                return drawn
        if not isinstance(element, PersonTask | Listener) or element.kind == "startEvent":
            return 0.0
        seen = self.observed.lasted.get(element.id)
        if seen:
            return seen[int(self.luck(element, "days") * len(seen))]
        if isinstance(element, PersonTask):
            deadline = element.extensions.task.deadline if element.extensions.task else None
            self.assumed[("deadline" if deadline else "no_deadline", element.id)] = None
            return deadline[0] * _DAYS.get(deadline[1], 1.0) if deadline else 0.0
        self.assumed[("wait", element.id)] = None
        return 0.0

    def _inside(self, spec: ScopeSpec, entries: Sequence[Element], now: float, depth: int) -> float:
        return self._scope(spec, entries, now, depth + 1) - now if depth < _DEEPEST else 0.0


def _literal(trigger: Any) -> float | None:
    """The days of a duration that is written as such; None for any other timer."""
    if trigger.timer != "duration" or not trigger.literal:
        return None
    try:
        found = compile_expression(f'duration("{trigger.literal}")').evaluate({})
    except FeelError:
        return None
    if isinstance(found, YearsMonths):
        return found.months * _MONTH
    return found.total_seconds() / 86_400 if found is not None else None


def chance(name: str) -> float:
    """The luck of a name, even between 0 and 1: a generator for each would take most of the time."""
    found = crc32(name.encode())
    for _ in range(2):  # near names have near checksums
        found = (found ^ found >> 16) * 0x45D9F3B & 0xFFFFFFFF
    return (found ^ found >> 16) / 2**32


def _picked(known: Sequence[Any], weights: Sequence[float], luck: float) -> Any:
    left = luck * sum(weights)
    for one, weight in zip(known, weights, strict=True):
        left -= weight
        if left < 0:
            return one
    return known[-1]


def in_ten(found: Sequence[float]) -> Range:
    """The mean of these, and where they lie eight times out of ten."""
    ordered = sorted(found)
    return Range(sum(found) / len(found), quantile(ordered, 0.1), quantile(ordered, 0.9), tuple(found)) if found else Range(0.0, 0.0, 0.0)


def middle(found: Sequence[float]) -> Range:
    """The middle one of these in place of their mean, where one draw among them may be far off."""
    ordered = sorted(found)
    return Range(quantile(ordered, 0.5), quantile(ordered, 0.1), quantile(ordered, 0.9), tuple(found))


def quantile(ordered: Sequence[float], share: float) -> float:
    """Between the two nearest, as one reads a ruler."""
    if not ordered:
        return 0.0
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
