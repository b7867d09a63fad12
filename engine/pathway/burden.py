"""What a pathway costs those who walk it, from the model alone: questions, documents, visits, hand-overs, signatures, agencies, working days.

Three ways through are looked at, the static column of the indicators (domain.md §5.3, B1 to B5, B8, B10, B11). Conditions are never weighed: nobody
has answered anything yet. What is chosen where the drawing leaves a choice:

| | shortest | typical | longest |
|---|---|---|---|
| ends | those that the typical way reaches | any | any |
| exclusive split | the way of the fewest acts | the default; without one, or where it only turns back, the middle one | the way of the most acts |
| inclusive split | one way, the shortest | one way, the middle one of those that have a condition | all |
| wait for several events | the shortest | the first drawn that is no timer | the longest |
| loops and repetitions | once | once | once more each |
| events at the edge, event sub-processes | none | none | one of those that interrupt, all of those that do not |
| what a form asks | required, without condition | without condition | everything |

"Typical" is what the coordinator drew as the ordinary way: she changes it by changing a default. Fewest and most are told by acts of persons, then by days:
a way of fewer acts may take more days. Called processes are entered, and those that a message of the way starts. A visit is acts with the person present at
one place, with nothing between them that lets a day pass. The one more turn of a loop is walked plainly: what turns inside it does not turn again. A way back
is found walking the flows in the order drawn. Nothing is enumerated: each scope is decided once, from its end.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache

from engine.pathway.definitions import Definitions
from engine.pathway.form_burden import Asked, asked_by
from engine.pathway.routes import Cost, Network, Route
from engine.pathway.spiff import timing
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.expressions import Fault
from engine.pathway.spiff.scopes import ScopeSpec
from forms.definitions import FormDefinition

PATHS = ("shortest", "typical", "longest")
_SAME_DAY = 1.0  # working days: an act that may wait longer is another visit
HOURS_A_DAY = 8  # of the administration: a delay in hours is a part of such a day
_UNITS = {"jours_ouvres": 1.0, "jours": 5 / 7, "heures_ouvrees": 1 / HOURS_A_DAY}
_PEOPLE = frozenset({"userTask", "manualTask"})
_WAITS = frozenset({"intermediateCatchEvent", "receiveTask", "boundaryEvent"})
_SENDS = frozenset({"sendTask", "intermediateThrowEvent", "endEvent"})
_AWAY = frozenset({"sur_place", "distance"})  # she is met, without having to come
_ENTRY = ""  # whoever held the case, wherever the person was, before a scope began
_MOST = 1_000_000  # a figure above it says nothing more
_MOST_TURNS_BACK = 50  # ways back of one scope that are walked: a drawing of more is refused elsewhere, and this answers at once


@dataclass(frozen=True, slots=True)
class PathBurden:
    """The figures of one way. `questions_again`: of them, those that more than one act asks; `documents_held`: of the documents, those that an
    administration has; `working_days`: delays on its longest branch, rounded up; `without_deadline`: tasks that nothing hurries."""

    questions: int
    questions_again: int
    documents: int
    documents_held: int
    visits: int
    handovers: int
    agencies: int
    signatures: int
    working_days: int
    loops: int
    without_deadline: int


FIGURES = tuple(one.name for one in fields(PathBurden))


@dataclass(frozen=True, slots=True)
class Burden:
    """The figures of a process on its three ways; `walked`: for each, the elements of every process it passes (process → ids)."""

    process: str
    paths: Mapping[str, PathBurden]
    walked: Mapping[str, Mapping[str, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of one way, draft against current."""

    path: str
    figure: str
    old: int
    new: int

    @property
    def is_rise(self) -> bool:
        return self.new > self.old


def measure(definitions: Definitions, forms: Mapping[str, FormDefinition], process: str) -> Burden:
    """The burden of a process that is there."""
    paths, walked = {}, {}
    for path in PATHS:
        one = _Measure(definitions, forms, path)
        paths[path], walked[path] = one.process(process).figures(), one.walked(process)
    return Burden(process, paths, walked)


def compare_burden(old: Burden, new: Burden) -> tuple[Change, ...]:
    """Each figure that changed, way by way. A rise of any of them needs a reason before publication."""
    changes = (Change(path, figure, getattr(old.paths[path], figure), getattr(new.paths[path], figure)) for path in PATHS for figure in FIGURES)
    return tuple(change for change in changes if change.old != change.new)


@dataclass(slots=True)
class _Sum:
    """What one way through a scope adds up to. `enters`: agencies that take the case over first; `holds`: who has it at the end (`_ENTRY`: whoever had it);
    `places`: where the person must be before anything interrupts; `breaks`: whether something did."""

    asked: Asked
    elements: set[Element]
    acts: int = 0
    days: float = 0.0
    visits: int = 0
    handovers: int = 0
    without_deadline: int = 0
    loops: frozenset[tuple[str, str, str]] = frozenset()
    agencies: frozenset[str] = frozenset()
    enters: tuple[str, ...] = ()
    holds: frozenset[str] = frozenset({_ENTRY})
    places: frozenset[str] = frozenset()
    breaks: bool = False

    def figures(self) -> PathBurden:
        asked = self.asked
        counted = (
            asked.questions, asked.again, len(asked.pieces), len(asked.held), self.visits + len(self.places), self.handovers, len(self.agencies),
            asked.signatures, -(-round(min(self.days, _MOST), 6) // 1), len(self.loops), self.without_deadline,
        )  # fmt: skip
        return PathBurden(*(int(min(one, _MOST)) for one in counted))

    def add(self, other: "_Sum", *, is_another: bool = False) -> None:
        """Counts what another way adds; where the case and the person come from is the caller's. `is_another`: about another measure, aid or visit."""
        self.asked.add(other.asked, is_another=is_another)
        self.acts += other.acts
        self.visits += other.visits
        self.handovers += other.handovers
        self.without_deadline += other.without_deadline
        self.loops |= other.loops
        self.agencies |= other.agencies

    def add_turn(self, other: "_Sum", *, is_another: bool = False, is_beside: bool = False) -> None:
        """Counts one more turn of something, after those counted, or beside them."""
        self.add(other, is_another=is_another)
        self.visits += len(other.places)
        self.handovers += _crossings(other.holds, other.enters)
        self.days = max(self.days, other.days) if is_beside else self.days + other.days


@dataclass(frozen=True, slots=True)
class _Scope:
    """A scope walked once, and with one more turn of each of its loops (the same where loops turn once)."""

    plain: _Sum
    whole: _Sum


_EMPTY = _Scope(_Sum(Asked(), set()), _Sum(Asked(), set()))


def _key(spec: ScopeSpec, message: str) -> tuple[int, str]:
    return spec.number, message


class _Measure:
    """One of the three ways, through any number of processes, each summed up once."""

    def __init__(self, definitions: Definitions, forms: Mapping[str, FormDefinition], path: str) -> None:
        self.definitions, self.path = definitions, path
        self.forms: Callable[[str], Asked] = cache(lambda form: asked_by(forms.get(form), path))
        self.scopes: dict[tuple[int, str], _Scope] = {}

    def process(self, process: str) -> _Sum:
        """Sums up a process after all that it enters, so that none is waited for; one that is entered from inside itself adds nothing there."""
        top = (self.definitions.spec(process), "")
        seen, stack = {_key(*top)}, [(top, iter(self._entries(top[0])))]
        while stack:
            scope, entered = stack[-1]
            inner = next(entered, None)
            if inner is None:
                stack.pop()
                self.scopes[_key(*scope)] = self._scope(*scope)
            elif _key(*inner) not in seen:
                seen.add(_key(*inner))
                stack.append((inner, iter(self._entries(inner[0]))))
        return self.scopes[_key(*top)].whole

    def walked(self, process: str) -> dict[str, frozenset[str]]:
        """The elements passed, by process, of those a process enters too."""
        found: dict[str, set[str]] = {}
        seen, waiting = set(), [(self.definitions.spec(process), "")]
        while waiting:
            scope = waiting.pop()
            if _key(*scope) in seen:
                continue
            seen.add(_key(*scope))
            for element in self.scopes.get(_key(*scope), _EMPTY).whole.elements:
                found.setdefault(element.scope_spec.process, set()).add(element.id)
                inside = self._inside(element)
                waiting += [inside] if inside else []
        return {name: frozenset(ids) for name, ids in found.items()}

    def _entries(self, spec: ScopeSpec) -> list[tuple[ScopeSpec, str]]:
        return [inner for element in spec.elements if (inner := self._inside(element))]

    def _scope(self, spec: ScopeSpec, message: str) -> _Scope:
        """A process or sub-process, once what it enters is summed up."""
        network = Network(spec.begins(message or None) or spec.entries, self.path, self._cost)
        route = network.route()
        plain = whole = self._along(route)
        if self.path == "longest":
            whole = self._along(route, frozenset(route.order))
            self._turn_back(network, route, whole)
            for inner in spec.event_subprocesses:
                entered = self._entered(inner)
                if entered is not None and all(getattr(one, "is_interrupting", True) is False for one in inner.inner.entries):
                    whole.add_turn(entered.whole, is_beside=True)
                    whole.elements.add(inner)
        return _Scope(plain, whole)

    def _turn_back(self, network: Network, route: Route, total: _Sum) -> None:
        """Each loop whose beginning lies on the way turns once more, and so do those that lie on that turn."""
        reached, waiting = set(route.order), list(network.back)
        turned = 0
        while found := next((back for back in waiting if back[1] in reached), None):
            waiting.remove(found)
            total.loops |= {(found[0].scope_spec.process, found[0].id, found[1].id)}
            turned += 1
            turn = network.route(found[1], found[0]) if turned <= _MOST_TURNS_BACK else None
            if turn is not None:
                total.add_turn(self._along(turn, frozenset(set(turn.order) - reached)))
                total.elements |= set(turn.order)
                reached |= set(turn.order)

    # --- one element ---

    def _inside(self, element: Element) -> tuple[ScopeSpec, str] | None:
        """What an element enters, and by which message: a sub-process, a called process, one that its message starts."""
        if element.inner is not None:
            return element.inner, ""
        called = getattr(element, "called", "")
        if called in self.definitions.processes:
            return self.definitions.spec(called), ""
        trigger = getattr(element, "trigger", None)
        if trigger is not None and trigger.kind == "message" and element.kind in _SENDS and trigger.name in self.definitions.starting_messages:
            return self.definitions.spec(self.definitions.starting_messages[trigger.name]), trigger.name
        return None

    def _entered(self, element: Element) -> _Scope | None:
        inside = self._inside(element)
        return None if inside is None else self.scopes.get(_key(*inside), _EMPTY)

    def _cost(self, element: Element) -> Cost:
        inside = self._entered(element)
        if inside is not None:
            return inside.plain.acts, inside.plain.days
        return 1 if element.kind in _PEOPLE else 0, _days(element)

    # --- one way ---

    def _along(self, route: Route, more: frozenset[Element] = frozenset()) -> _Sum:
        """Adds up a way, element after element; the loops of those in `more` turn once more, inside them too."""
        total = _Sum(Asked(), set())
        holders: dict[Element, frozenset[str]] = {}
        since: dict[Element, tuple[int, str]] = {}  # the last interruption (0: none), and where the person is (nobody knows: "")
        ends: dict[Element, float] = {}
        stays: set[tuple[str, int]] = set()
        ranks = {element: rank for rank, element in enumerate(route.order, 1)}
        for element, rank in ranks.items():
            before = route.before.get(element, ())
            held: frozenset[str] = frozenset().union(*(holders[one] for one in before)) if before else frozenset({_ENTRY})
            cut, place = _latest([since[one] for one in before])
            loop = getattr(element, "loop", None)
            total.elements.add(element)
            scope = self._entered(element)
            inside = self._act(element) if scope is None else scope.whole if element in more else scope.plain
            total.add(inside)
            total.handovers += _crossings(held, inside.enters)
            total.enters += inside.enters if _ENTRY in held else ()
            days = inside.days
            if loop is not None and element in more:
                turn = inside if scope is None else scope.plain
                total.add(turn, is_another=loop.kind != "standard")
                total.visits += len(turn.places)
                total.handovers += _crossings(held if loop.kind == "parallel" else turn.holds, turn.enters)
                days = max(days, turn.days) if loop.kind == "parallel" else days + turn.days
            holders[element] = frozenset(inside.holds - {_ENTRY} | (held if _ENTRY in inside.holds else frozenset()))
            if len(inside.places) == 1 and place not in ("", *inside.places):
                cut = rank  # she goes elsewhere: coming back is another visit
            elif scope is None and inside.places and inside.days > _SAME_DAY:
                cut = max((ranks[one] for one in before), default=rank)  # another day, the same for those that begin together
            stays |= {(one, cut) for one in inside.places}
            if inside.breaks:
                cut, place = rank, ""
            elif inside.places:
                place = next(iter(inside.places)) if len(inside.places) == 1 else ""
            since[element] = (cut, place)
            ends[element] = max((ends[one] for one in before), default=0.0) + days
        last = [element for element in route.order if element in route.last]
        total.holds = frozenset().union(*(holders[one] for one in last)) if last else frozenset({_ENTRY})
        total.breaks = any(since[one][0] for one in last)
        total.places = frozenset(place for place, cut in stays if not cut)
        total.visits += sum(1 for _, cut in stays if cut)
        total.days = max(ends.values(), default=0.0)
        return total

    def _act(self, element: Element) -> _Sum:
        """One element alone: an act of a person, with what its form asks, who takes the case over and whether the person must come; or a wait."""
        total = _Sum(Asked(), set(), days=_days(element), breaks=element.kind in _WAITS)
        if element.kind in _PEOPLE:
            note, agency = element.extensions.task, element.shown_lane
            total.acts = 1
            total.without_deadline = 0 if note is not None and note.deadline else 1
            if note is not None and note.form:
                total.asked.add(self.forms(note.form))
            if agency:
                total.agencies, total.enters, total.holds = frozenset({agency}), (agency,), frozenset({agency})
            if note is not None and note.presence and note.presence not in _AWAY:
                total.places = frozenset({note.presence})
            else:
                total.breaks = True
        return total


def _days(element: Element) -> float:
    """Working days that an element lets pass: the deadline of a task, the duration of a timer that is written out."""
    note, trigger = element.extensions.task, getattr(element, "trigger", None)
    if element.kind in _PEOPLE and note is not None and note.deadline:
        return note.deadline[0] * _UNITS[note.deadline[1]]
    if element.kind in _WAITS and trigger is not None and trigger.kind == "timer" and trigger.timer == "duration" and trigger.literal:
        try:
            duration = timing.read_duration(trigger.literal)
        except Fault:
            return 0.0
        return max(0.0, duration.months * 365 / 12 + duration.rest.total_seconds() / 86_400) * _UNITS["jours"]
    return 0.0


def _crossings(holders: Iterable[str], takers: Iterable[str]) -> int:
    """How many times the case passes from an agency to another."""
    return sum(1 for taker in takers for holder in holders if holder not in (_ENTRY, taker))


def _latest(places: Sequence[tuple[int, str]]) -> tuple[int, str]:
    """Where branches meet: since the last interruption of any; where the person is, if all say the same."""
    if not places:
        return 0, ""
    where = {place for _, place in places}
    return max(cut for cut, _ in places), where.pop() if len(where) == 1 else ""
