"""Why a case went where it did, and the smallest change of what was known that would have led it elsewhere.

A `Reason` is a turn or a decision with all that its node saw. Nothing is guessed: each change told was put in the place of what was seen, and the node's own
conditions, or the table with those it requires, were evaluated on it. Smallest: fewest values; then a value moved a little,
a choice changed, another day, a row more or less, a value unknown.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from engine.pathway.decisions import Decision, Verdict
from engine.pathway.definitions import Definitions
from engine.pathway.domains import results_of
from engine.pathway.happenings import Decided
from engine.pathway.instead import Change, Marks, marks, ordered, others, put, rows
from engine.pathway.spiff.elements import Reason
from engine.pathway.spiff.expressions import FAULTS, READ, Fault, feel_value, look_up, plain
from forms.dictionary import Dictionary, Field
from forms.feel import BUDGET

__all__ = ["RULES", "Change", "Elsewhere", "Explained", "Near", "Reason", "elsewhere", "explain", "is_same", "leads_elsewhere", "look_up", "outcome", "reads", "seen"]

# Rules of the house, dated, the same for all: no value of the case.
RULES = frozenset({"parametres", "programmes", "antennes"})
_OURS = frozenset({"now", "instance", "branche", "numero", "id"})
MOST = 6_000  # evaluations for one reason
_PAIRED = 10  # values of one path that are tried with those of another


@dataclass(frozen=True)
class Elsewhere:
    """Where other values would have led: `flows` of a turn, `outputs` and `rules` of a decision. `changes`: one or two."""

    changes: tuple[Change, ...]
    flows: tuple[str, ...] = ()
    outputs: Any = None
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Near:
    """A rule that did not fire for one column alone: `asked` is the column's expression, `held` what it was, `wanted` the cell."""

    rule_id: str
    label: str
    asked: str
    held: Any
    wanted: str


@dataclass(frozen=True)
class Explained:
    """A reason with what lies beside it. `smallest`: None where nothing within two values leads elsewhere; `others`: each other end that one value would have led to, the
    nearest first; `is_searched`: every combination was tried; `tried`: how many were evaluated."""

    values: Mapping[str, Any]
    smallest: Elsewhere | None
    others: tuple[Elsewhere, ...]
    near: tuple[Near, ...]
    tried: int
    is_searched: bool


def seen(reason: Reason) -> dict[str, Any]:
    """What the node saw, without the run's own notes: whoever asks why spends of their own."""
    return {name: value for name, value in reason.sight.items() if name not in (READ, BUDGET)}


def outcome(definitions: Definitions, reason: Reason, sight: Mapping[str, Any], made: dict[str, Verdict] | None = None) -> Elsewhere | None:
    """Where this sight leads; None where the procedure would break there. `made`: what decisions required answer on it, where that is known."""
    told = reason.told
    try:
        if isinstance(told, Decided):
            verdict = definitions.decide(told.decision, sight, made)
            return None if verdict.findings else Elsewhere((), (), plain(feel_value(verdict.outputs)), verdict.rules)
        taken, _ = reason.element.way(sight)
    except (*FAULTS, Fault):
        return None
    return Elsewhere((), tuple(flow.id for flow in taken))


def end_of(found: Elsewhere) -> str:
    """What tells two ends apart: the flows, or the answer, whichever rule gave it."""
    return json.dumps([found.flows, found.outputs], sort_keys=True, default=str)


def is_same(definitions: Definitions, reason: Reason, record: Mapping[str, Any]) -> bool:
    """Whether a stored why-record, evaluated anew on what its node saw, gives the branch and the rules it says, on the values it says."""
    found = outcome(definitions, reason, seen(reason))
    if found is None or record["node"] != reason.told.node:
        return False
    if isinstance(reason.told, Decided):
        verdict = definitions.decide(reason.told.decision, seen(reason))
        values = {path: plain(value) for path, value in verdict.values.items()}
        return (record["decision"], record["rules"], record["outputs"], record["values"]) == (reason.told.decision, list(found.rules), found.outputs, values)
    _, weighed = reason.element.way(seen(reason))
    return record["flows"] == list(found.flows) and json.loads(json.dumps(record["why"])) == json.loads(json.dumps(weighed))


def expressions(definitions: Definitions, reason: Reason) -> list[Any]:
    """The conditions of a turn; the inputs, cells and results of a table and of those it requires."""
    if not isinstance(reason.told, Decided):
        return [flow.condition for flow in reason.element.flows_out if flow.condition is not None]
    found: list[Any] = []
    for one in _required(definitions, reason.told.decision):
        found += [*one.inputs, *(part for rule in one.rules for part in (*rule.tests, *rule.results)), *([one.literal] if one.literal else [])]
    return found


def _required(definitions: Definitions, reference: str) -> list[Decision]:
    found, waiting = {}, [reference]
    while waiting:
        name = waiting.pop()
        if name in definitions.decisions and name not in found:
            found[name] = definitions.decision(name)
            waiting += found[name].requires
    return list(found.values())


def reads(definitions: Definitions, reason: Reason) -> frozenset[str]:
    """The dotted paths that the node's conditions or tables may read."""
    if isinstance(reason.told, Decided):
        return definitions.read_by(reason.told.decision)
    return frozenset(path for one in expressions(definitions, reason) for path in one.paths)


def explain(definitions: Definitions, dictionary: Dictionary, reason: Reason, most: int = MOST) -> Explained:
    """A reason with its values, the rules that nearly fired, and where a smallest change would have led."""
    sight = seen(reason)
    paths = sorted(reads(definitions, reason))
    values = {path: look_up(sight, path) for path in paths if not isinstance(look_up(sight, path), Mapping)}
    search = _Search(definitions, dictionary, reason, sight, most)
    smallest = elsewhere_of(search)
    ends = sorted((found for found in search.found.values() if len(found[1].changes) == 1), key=lambda one: one[0])
    return Explained(values, smallest, tuple(one for _, one in ends), _near(definitions, reason, sight), search.tried, search.tried < most)


def elsewhere(definitions: Definitions, dictionary: Dictionary, reason: Reason, most: int = MOST) -> Elsewhere | None:
    """The smallest change that leads elsewhere."""
    return elsewhere_of(_Search(definitions, dictionary, reason, seen(reason), most))


def elsewhere_of(search: "_Search") -> Elsewhere | None:
    search.singles()
    if not search.found:
        search.pairs()
    return min(search.found.values(), key=lambda one: one[0])[1] if search.found else None


class _Search:
    """Changes of one reason, tried one after the other. `found`: by where they lead, the lightest way there and its weight."""

    def __init__(self, definitions: Definitions, dictionary: Dictionary, reason: Reason, sight: dict[str, Any], most: int) -> None:
        self.definitions, self.dictionary, self.reason, self.sight, self.most = definitions, dictionary, reason, sight, most
        self.marks: Marks = marks(expressions(definitions, reason), sight)
        self.found: dict[str, tuple[tuple[Any, ...], Elsewhere]] = {}
        self.tried = 0
        self.made: dict[str, Verdict] = {}  # what the decisions required answered
        here = outcome(definitions, reason, sight, self.made)
        self.here = end_of(here) if here else ""
        self.read = {name: definitions.read_by(name) for name in self.made}
        self.paths = _changeable(reads(definitions, reason), sight, dictionary)
        self.order = {path: place for place, path in enumerate(self.paths)}

    def lead(self, changes: Sequence[tuple[Change, float]]) -> bool:
        """Whether these changes lead elsewhere; where they do, it is kept if nothing lighter leads there."""
        if self.tried >= self.most:
            return False
        self.tried += 1
        sight: Mapping[str, Any] = self.sight
        for change, _ in changes:
            sight = put(sight, change)
        there = outcome(self.definitions, self.reason, sight, self._untouched([change.path for change, _ in changes]))
        if there is None or (end := end_of(there)) == self.here:
            return False
        made = tuple(change for change, _ in changes)
        weight = (len(made), round(sum(one for _, one in changes), 6), tuple(self.order.get(one.path, 0) for one in made), repr(made))
        if end not in self.found or weight < self.found[end][0]:
            self.found[end] = (weight, Elsewhere(made, there.flows, there.outputs, there.rules))
        return True

    def _untouched(self, paths: Sequence[str]) -> dict[str, Verdict]:
        """The answers of decisions that read none of these paths: they stay."""
        return {name: verdict for name, verdict in self.made.items() if not any(_meet(path, one) for path in paths for one in self.read[name])}

    def singles(self) -> None:
        for path in self.paths:
            for change in self.discrete(path):
                self.lead([(change, _weight(change))])
            self._along(path)

    def pairs(self) -> None:
        """Two values at once, each among those that stand for all others."""
        choices = {path: [*self.discrete(path)][:_PAIRED] + self._beside(path) for path in self.paths}
        for one, other in combinations(self.paths, 2):
            for first, second in product(choices[one], choices[other]):
                if self.tried >= self.most:
                    return
                self.lead([(first, _weight(first)), (second, _weight(second))])

    def discrete(self, path: str) -> Iterator[Change]:
        """The changes of a path that lie on no line."""
        value, field = look_up(self.sight, path), self.dictionary.fields.get(path)
        if field is not None and field.type == "list" or isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            yield from rows(path, value, self._columns(path, field), self.marks)
            return
        for now in others(path, value, field, self.marks, self._results(path)):
            yield Change(path, value, now)

    def _columns(self, path: str, field: Field | None) -> dict[str, Field | None]:
        names = sorted({one[len(path) + 1 :].partition(".")[0] for one in reads(self.definitions, self.reason) if one.startswith(f"{path}.")})
        items = {one.partition(".")[2]: self.dictionary.fields.get(one) for one in (field.items if field else ())}
        return {name: items.get(name) for name in names}

    def _results(self, path: str) -> Sequence[Any] | None:
        """All that a decision may have answered, where the path is the variable that keeps its answer."""
        name, _, column = path.partition(".")
        if name in self.dictionary.groups:
            return None
        for element in self.definitions.rules():
            if element.extensions.result == name and element.extensions.decision in self.definitions.decisions:
                return results_of(self.definitions.decision(element.extensions.decision), column)
        return None

    def _along(self, path: str) -> None:
        """The nearest place on each side, on the line of a number or a day, where the outcome changes."""
        value, field = look_up(self.sight, path), self.dictionary.fields.get(path)
        line = ordered(value, field, self.marks)
        if line is None:
            return

        def differs(place: int) -> bool:
            change = Change(path, value, line.to_value(place))
            return self.lead([(change, _weight(change))])

        for side in (1, -1):
            _nearest(differs, line.here, line.points(side))

    def _beside(self, path: str) -> list[Change]:
        value = look_up(self.sight, path)
        line = ordered(value, self.dictionary.fields.get(path), self.marks)
        return [Change(path, value, line.to_value(place)) for side in (1, -1) for place in line.points(side)[:6]] if line else []


def _nearest(differs: Callable[[int], bool], here: int, points: Sequence[int]) -> None:
    """Asks point after point until one differs, then halves the way back to the last that did not."""
    same = here
    for point in points:
        if differs(point):
            near, far = same, point
            while abs(far - near) > 1:
                middle = (near + far) // 2
                near, far = (near, middle) if differs(middle) else (middle, far)
            return
        same = point


def _changeable(paths: frozenset[str], sight: Mapping[str, Any], dictionary: Dictionary) -> list[str]:
    """The paths whose value is the case's own, a list once and not column by column."""
    found = set()
    for path in sorted(paths):
        if path.partition(".")[0] in RULES or path in _OURS or path.startswith("dossier."):
            continue
        above = path.rpartition(".")[0]
        listed = above in dictionary.fields and dictionary.fields[above].type == "list"
        if above and (listed or isinstance(look_up(sight, above), list)):
            found.add(above)
        elif not isinstance(look_up(sight, path), Mapping) or ("." not in path and path not in dictionary.groups):
            found.add(path)  # what a message brought, as a whole, may not have come
    return sorted(found)


def _meet(one: str, other: str) -> bool:
    """Whether a change of one path may be read at the other: the same, or one inside the other, or what is said of not knowing it."""
    return one == other or other.startswith((f"{one}.", f"{one}_")) or one.startswith(f"{other}.")


def _weight(change: Change) -> float:
    """How much a change changes: a point moved by part of itself, a choice, another day of the act, a row, what nobody knows any more."""
    was, now = change.was, change.now
    if change.kind != "value":
        return 1.5
    if now is None:
        return 2.0
    if was is None:
        return 1.2
    if isinstance(was, bool | str | list) or type(was) is not type(now):
        return 1.0
    if hasattr(was, "toordinal"):
        moved = abs(was.toordinal() - now.toordinal()) / 365
    else:
        moved = float(abs(was - now) / max(abs(was), 1))
    return (1.0 if change.path == "today" else 0.1) + 0.9 * moved / (1 + moved)


def _near(definitions: Definitions, reason: Reason, sight: Mapping[str, Any]) -> tuple[Near, ...]:
    """The rules of the table that one column alone kept from firing."""
    if not isinstance(reason.told, Decided):
        return ()
    try:
        looked = definitions.cells(reason.told.decision, sight)
    except FAULTS:
        return ()
    near = []
    for rule, asked in looked:
        failed = [(text, value, cell) for text, value, cell, holds in asked if not holds]
        if len(failed) == 1:
            text, value, cell = failed[0]
            near.append(Near(rule.rule_id, rule.label, text, plain(value), cell))
    return tuple(near)


def leads_elsewhere(definitions: Definitions, reason: Reason, away: Elsewhere) -> bool:
    """Whether a change, applied by itself, leads where it says and not where the case went."""
    sight: Mapping[str, Any] = seen(reason)
    here = outcome(definitions, reason, sight)
    for change in away.changes:
        sight = put(sight, change)
    there = outcome(definitions, reason, sight)
    return here is not None and there is not None and end_of(there) == end_of(away) != end_of(here)
