"""Structure: what the drawing of one process makes impossible, whatever the answers. Each finding names a way that leads there.

Answers for joins that never complete, branches that double what follows, loops without end or without anybody in them, ways out that may all be shut,
processes that call themselves. What cannot be read at all is found while reading (`spiff.parser`).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from engine.errors import Finding
from engine.i18n import LANGUAGES, ONWARD, pick
from engine.pathway.definitions import Definitions
from engine.pathway.game import Game, Marking, games
from engine.pathway.naming import flow_named, joined, name_of, process_named, told
from engine.pathway.spiff.activities import Activity, CallActivity, PersonTask
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.events import Listener
from engine.pathway.spiff.expressions import FAULTS
from engine.pathway.spiff.gateways import EventGateway, InclusiveGateway, Join, ParallelGateway
from engine.pathway.spiff.scopes import ScopeSpec
from forms.feel import Expression, bounded

_MOST_TURNS = 1000  # what the pathway runs (`spiff.activities`)


def check(definitions: Definitions) -> list[Finding]:
    """All that is wrong in the structure of the processes."""
    findings: list[Finding] = []
    waits = _Waits(definitions)
    for scope in definitions.all_specs:
        for game in games(scope):
            findings += _played(game, definitions)
        findings += _turning(scope, waits)
        for element in scope.elements:
            findings += _element(element, waits)
    findings += _calling(definitions)
    return _once(findings)


def _once(findings: list[Finding]) -> list[Finding]:
    """One finding of a kind at a place: the first has the shortest way."""
    kept: dict[tuple[str, str], Finding] = {}
    for found in findings:
        kept.setdefault((found.code, found.where), found)
    return list(kept.values())


def _played(game: Game, definitions: Definitions) -> Iterator[Finding]:
    """What the token game shows."""
    if game.beside:
        landed = _comes_back(game)
        if landed is not None:
            element, way = landed
            yield Finding("check.doubled", element.place, {"element": name_of(element), "path": told(way)})
            return
    game.play()
    if not game.is_whole:
        entry = game.starts[0][0]
        yield Finding("check.too_many_ways", entry.place, {"element": name_of(entry), "process": process_named(game.scope.process, definitions.processes)}, severity="warning")
    for number, marking in list(game.doubled.items())[:1]:
        element = game.elements[number]
        yield Finding("check.doubled", element.place, {"element": name_of(element), "path": told([*game.path(marking), element])})
    for number, marking in list(game.overtaken.items())[:1]:
        element = game.elements[number]
        running = [game.elements[one] for one, _ in marking if one != number] or [element]
        details = {"element": name_of(element), "path": told([*game.path(marking), element]), "running": joined(map(name_of, running), ", ")}
        yield Finding("check.overtaken", element.place, details, severity="warning")
    for marking in game.stuck()[:1]:
        yield from _stuck(game, marking)
    endless = game.without_end()
    if endless:
        element = game.elements[endless[0][0][0]]
        turning = {place[0] for marking in endless for place in marking}
        loop = [one for number, one in sorted(game.elements.items()) if number in turning]
        yield Finding("check.endless", element.place, {"element": name_of(element), "path": told([*game.path(endless[0]), element]), "loop": told(loop)})


def _stuck(game: Game, marking: Marking) -> Iterator[Finding]:
    waiting = [game.elements[number] for number in dict.fromkeys(place[0] for place in marking)]
    join = next((one for one in waiting if not any(one in _reached(other) for other in waiting if other is not one)), waiting[0])
    here = {place[1] for place in marking if place[0] == join.number}
    missing = [flow.source for place, flow in enumerate(join.flows_in) if place not in here]
    if game.beside and isinstance(join, Join):
        return  # the other branches may come from what goes on beside
    details = {"element": name_of(join), "missing": joined([name_of(one) for one in missing], ", "), "path": told([*game.path(marking), join])}
    yield Finding("check.deadlock", join.place, details)


def _reached(element: Element) -> set[Element]:
    """All that may come after an element in its scope."""
    found: set[Element] = set()
    ahead = [element]
    while ahead:
        fresh = [one for one in _following(ahead.pop()) if one not in found]
        found.update(fresh)
        ahead += fresh
    return found


def _comes_back(game: Game) -> tuple[Element, list[Element]] | None:
    """Where a branch that plays beside comes back into the main one, which goes on by itself: from there on everything happens twice."""
    main: set[Element] = set()
    waiting: list[Element] = list(game.scope.entries)
    while waiting:
        element = waiting.pop()
        if element not in main:
            main.add(element)
            waiting += _following(element) + [one for one in element.boundaries if one.is_interrupting]
    came: dict[Element, Element | None] = {game.starts[0][0]: None}
    ahead: list[Element] = list(came)
    for element in ahead:
        for after in _following(element):
            if after in main:
                if isinstance(after, ParallelGateway | InclusiveGateway) or not after.flows_out:
                    continue
                way, back = [after], element
                while back is not None:
                    way.append(back)
                    back = came[back]
                return after, way[::-1]
            if after not in came:
                came[after] = element
                ahead.append(after)
    return None


def _following(element: Element) -> list[Element]:
    landing = getattr(element, "landing", None)
    return [flow.target for flow in element.flows_out] + ([landing] if landing is not None else [])


class _Waits:
    """Which elements wait for somebody or something, so that a loop through them does not turn by itself."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self._known: dict[int, bool] = {}
        self.spent = bounded({})

    def at(self, element: Element) -> bool:
        if isinstance(element, PersonTask | EventGateway):
            return True
        if isinstance(element, Listener):  # boundary events too: they ring when something happens
            return element.trigger.kind in ("message", "signal", "timer", "condition")
        if isinstance(element, CallActivity):
            return element.called not in self.definitions.processes or self.inside(self.definitions.spec(element.called))
        return element.inner is not None and self.inside(element.inner)

    def inside(self, scope: ScopeSpec) -> bool:
        if scope.number not in self._known:
            self._known[scope.number] = True  # a process that calls itself is told apart
            self._known[scope.number] = any(self.at(element) for element in scope.elements)
        return self._known[scope.number]


def _turning(scope: ScopeSpec, waits: _Waits) -> Iterator[Finding]:
    """Loops that pass through nobody and nothing that waits."""
    free = {element for element in scope.elements if not waits.at(element)}
    for loop in _circles(free):
        first = min(loop, key=lambda element: element.number)
        yield Finding("check.turns_alone", first.place, {"element": name_of(first), "loop": told(sorted(loop, key=lambda element: element.number))})


def _circles(elements: set[Element]) -> Iterator[list[Element]]:
    """The strongly connected parts that turn (Tarjan, without recursion)."""
    order: dict[Element, int] = {}
    low: dict[Element, int] = {}
    stack: list[Element] = []
    held: set[Element] = set()

    def after(element: Element) -> list[Element]:
        return [one for one in [*_following(element), *element.boundaries] if one in elements]

    for root in sorted(elements, key=lambda element: element.number):
        if root in order:
            continue
        work = [(root, iter(after(root)))]
        order[root] = low[root] = len(order)
        stack.append(root)
        held.add(root)
        while work:
            element, left = work[-1]
            for one in left:
                if one not in order:
                    order[one] = low[one] = len(order)
                    stack.append(one)
                    held.add(one)
                    work.append((one, iter(after(one))))
                    break
                if one in held:
                    low[element] = min(low[element], order[one])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[element])
                if low[element] == order[element]:
                    found = []
                    while True:
                        one = stack.pop()
                        held.discard(one)
                        found.append(one)
                        if one is element:
                            break
                    if len(found) > 1 or element in after(element):
                        yield found


def _element(element: Element, waits: _Waits) -> Iterator[Finding]:
    flows = element.flows_out
    asks = [flow for flow in flows if flow.condition is not None and not flow.is_default]
    if asks and len(asks) == len(flows) and not isinstance(element, ParallelGateway | EventGateway):
        yield Finding("check.default_missing", element.place, {"element": name_of(element)})
    for flow in asks:
        assert flow.condition is not None
        if not flow.condition.paths:
            yield Finding("check.condition_constant", f"{element.file}#{flow.id}", {"element": flow_named(flow), "gateway": name_of(element)})
    loop = element.loop if isinstance(element, Activity) else None
    if loop is not None:
        count = _constant(loop.cardinality, waits.spent) if loop.cardinality is not None else loop.maximum
        if isinstance(count, int | Decimal) and count > _MOST_TURNS:
            yield Finding("check.too_many_turns", element.place, {"element": name_of(element), "most": _MOST_TURNS})
        if loop.kind == "standard" and loop.maximum is None and not waits.at(element):
            yield Finding("check.turns_alone", element.place, {"element": name_of(element), "loop": name_of(element)})


def _constant(expression: Expression | None, scope: dict[str, Any]) -> object:
    """The value of an expression that reads nothing; None otherwise."""
    if expression is None or expression.paths:
        return None
    try:
        return expression.evaluate(scope)
    except FAULTS:
        return None


def _calling(definitions: Definitions) -> Iterator[Finding]:
    """Processes that call themselves, by one another."""
    calls: dict[str, list[CallActivity]] = {}
    for call in definitions.calls():
        calls.setdefault(call.scope_spec.process, []).append(call)
    for process in sorted(calls):
        for call in calls[process]:
            chain = _back_to(process, call, calls)
            if chain:
                way = [process_named(one, definitions.processes) for one in (process, *chain)]
                path = {language: f" {ONWARD[language]} ".join(pick(one, language) for one in way) for language in LANGUAGES}
                yield Finding("check.calls_itself", call.place, {"element": name_of(call), "path": path})


def _back_to(process: str, call: CallActivity, calls: dict[str, list[CallActivity]]) -> list[str]:
    came: dict[str, str] = {call.called: ""}
    ahead = [call.called]
    for one in ahead:
        if one == process:
            chain = [one]
            while came[chain[0]]:
                chain.insert(0, came[chain[0]])
            return chain
        for inner in calls.get(one, ()):
            if inner.called not in came:
                came[inner.called] = one
                ahead.append(inner.called)
    return []
