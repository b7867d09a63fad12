"""A state carried to other definitions: token by token where each stands (`by_positions`), or as a replay left it, under the ids it had (`by_replay`).

What goes on keeps its id, its due instant and its turn; what is new begins at the move, under the move's own ids. What finds no place is told (`lost`): whether
that may be is the caller's to say. Not here: which element is which (`matching`), what a move must not do (`moving`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.pathway.happenings import IncidentClosed, TaskClosed, TaskOpened, WaitClosed, WaitOpened
from engine.pathway.matching import Matching, family, named, where
from engine.pathway.spiff.activities import Activity, CallActivity, PersonTask
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.events import Listener, StartEvent
from engine.pathway.spiff.expressions import Fault
from engine.pathway.spiff.gateways import EventGateway, Join
from engine.pathway.spiff.run import Run
from engine.pathway.spiff.scopes import READY, Scope, ScopeSpec, Token

Order = tuple[int, int]
_OPEN = ("task", "wait", "asked", "inc")  # what the world knows of a token


@dataclass
class Carried:
    """The instance on the other definitions. `kept`: tokens that go on, by their order; `lost`: tokens without a place there, and why (`gone`, `kind`, `join`, `around`);
    `jumped`: those that go on elsewhere, as somebody said; `broke`: what could not begin there."""

    run: Run
    kept: dict[Order, Token] = field(default_factory=dict)
    lost: list[tuple[Token, str]] = field(default_factory=list)
    jumped: list[tuple[Token, Element]] = field(default_factory=list)
    broke: list[tuple[Element, Fault]] = field(default_factory=list)

    def tasks(self) -> Iterator[TaskOpened]:
        """The tasks that go on, as the other definitions tell of them."""
        for token in self.kept.values():
            if "task" in token.internal_data:
                assert isinstance(token.element, PersonTask)
                yield token.element.opening(self.run, token)

    def waits(self) -> Iterator[WaitOpened]:
        """The waits that go on."""
        for token in self.kept.values():
            if "wait" in token.internal_data:
                assert isinstance(token.element, Listener)
                yield token.element.opening(token)


def by_positions(old: Run, matching: Matching, at: Any, seq: int, facts: Mapping[str, Mapping[str, Any]]) -> Carried:
    """Every token where its element is there; new events at the edge of what runs listen from now on."""
    new = Run(matching.after, at, seq, facts)
    new.is_ended, new.outcome, new.given, new.early = old.is_ended, old.outcome, old.given, [list(one) for one in old.early]
    carried = Carried(new)
    for order, scope in old.scopes.items():
        host = new.find(order) if order is not None else None
        spec = _spec_of(host.element, matching) if host is not None else matching.after.spec(scope.drawn.process) if order is None else None
        if spec is None:
            carried.lost += [(token, "around") for token in scope.tasks.values()]
            continue
        there = new.scopes[order] = Scope(new, spec, host, None if scope.variables is None else dict(scope.variables))
        for token in scope.tasks.values():
            _place(carried, token, there, matching)
    _mark(old, new, matching)
    for token, _ in carried.lost:
        _closed(new, token)
    for token, element in carried.jumped:
        _closed(new, token)
        home = new.scopes[token.scope.host.order if token.scope.host else None]
        internal = {"flow": _first_flow(element, matching, token.element)} if element.keeps_flow and len(element.flows_in) > 1 else None
        new.place(home, element, internal)
    _listen(carried, matching)
    new.drain()
    return carried


def _spec_of(host: Element, matching: Matching) -> ScopeSpec | None:
    return matching.after.spec(host.called) if isinstance(host, CallActivity) else host.inner


def _place(carried: Carried, token: Token, there: Scope, matching: Matching) -> None:
    element, inside = matching.element(token.element), dict(token.internal_data)
    role, host = inside.get("role"), inside.get("host")
    if element is None:
        after = _after(token.element, matching) if matching.given_up(token.element) and role is None else None
        if after is not None and after.scope_spec is there.drawn:
            carried.jumped.append((token, after))
        else:
            carried.lost.append((token, "gone"))
        return
    if (host is not None and there.tasks.get(host) is None) or (role != "start" and element.scope_spec is not there.drawn):
        carried.lost.append((token, "around"))
        return
    if not matching.is_same(token.element) and role is None:
        carried.jumped.append((token, element))
        return
    if family(element) != family(token.element):
        carried.lost.append((token, "kind"))
        return
    attached = there.tasks[host].element if host is not None else None
    if (role == "edge" and element not in attached.boundaries) or (role == "rival" and all(flow.target is not element for flow in attached.flows_out)):
        carried.lost.append((token, "around"))
        return
    if role == "start":
        holder = next((one for one in there.drawn.event_subprocesses if one.inner is element.scope_spec), None)
        if holder is None:
            carried.lost.append((token, "around"))
            return
        inside["es"] = holder.number
    if "begin" in inside:
        begun = matching.element(matching.before.nodes[inside["begin"]])
        inside["begin"] = begun.number if begun is not None else None
    if "flow" in inside:
        place = _flow(token, element, matching)
        if place is None:
            carried.lost.append((token, "join"))
            return
        inside["flow"] = place
    carried.kept[token.order] = Token(there, element, token.order, token._state, inside)
    if token._state == READY and "inc" not in inside:
        carried.run.queue.append(carried.kept[token.order])


def _first_flow(join: Element, matching: Matching, before: Element) -> int:
    """The flow by which a token that is put at a join came: that of a branch which is no more, else the first."""
    sources = {matching.element(flow.source) for flow in before.flows_in}
    return next((flow.place for flow in join.flows_in if flow.source in sources), 0)


def _after(element: Element, matching: Matching) -> Element | None:
    """Where a token goes on when its element is given up: at what followed, where that is one thing."""
    found: dict[Element, None] = {}
    seen, waiting = {element}, [element]
    for one in waiting:
        for flow in one.flows_out:
            there = matching.element(flow.target)
            if there is not None:
                found[there] = None
            elif flow.target not in seen:
                seen.add(flow.target)
                waiting.append(flow.target)
    return next(iter(found)) if len(found) == 1 else None


def _flow(token: Token, element: Element, matching: Matching) -> int | None:
    """The place, among the flows into a join, of the one a token came by: the same flow, else one from the same element."""
    came = token.element.flows_in[token.internal_data["flow"]]
    same = next((flow for flow in element.flows_in if flow.id == came.id), None)
    source = matching.of(named(came.source))
    found = same or next((flow for flow in element.flows_in if named(flow.source) == source), None)
    return found.place if found else None


def _mark(old: Run, new: Run, matching: Matching) -> None:
    """What was passed stays passed."""
    for number in range(matching.before.count):
        if old.passed[number >> 3] >> (number & 7) & 1:
            there = matching.number_of(number)
            if there is not None:
                new.mark(there)


def _closed(run: Run, token: Token) -> None:
    """Tells that what was open of a token is no more."""
    inside = token.internal_data
    if "inc" in inside:
        run.tell(IncidentClosed(inside["inc"][0], token.element.id))
    if "task" in inside:
        run.tell(TaskClosed(token.key, "moved", token.element.id))
    if "wait" in inside:
        run.tell(WaitClosed(token.key, token.element.id))


def _listen(carried: Carried, matching: Matching) -> None:
    """The events that only the other definitions have, at the edge of what runs, beside what waits, around it: they listen from now on."""
    new = carried.run
    for token in list(carried.kept.values()):
        element, inside = token.element, token.internal_data
        if not token.is_live or inside.get("role") in ("turn", "edge", "start", "rival"):
            continue
        if isinstance(element, Activity) and element.boundaries and ("edged" in inside or "inc" not in inside):
            inside["edged"] = 1
            for boundary in element.boundaries:
                if boundary.listens and matching.is_new(boundary) and token.is_live:
                    new.place(token.scope, boundary, {"host": token.order, "role": "edge"})
        if isinstance(element, EventGateway) and "inc" not in inside:
            for flow in element.flows_out:
                if matching.is_new(flow.target) and token.is_live and "leaving" not in inside:
                    new.place(token.scope, flow.target, {"host": token.order, "role": "rival"})
    for scope in list(new.scopes.values()):
        for holder in scope.drawn.event_subprocesses:
            for start in holder.inner.entries:
                if isinstance(start, StartEvent) and start.listens and matching.is_new(start):
                    new.place(scope, start, {"role": "start", "es": holder.number})


# --- as a replay left it ---


def by_replay(old: Run, replayed: Run, matching: Matching) -> Carried:
    """What a replay on the other definitions came to, with the ids, due instants and variables of what was there already. `replayed` was loaded at the move."""
    pairs = _pairs(old, replayed, matching)
    at, seq = replayed.at, replayed.seq
    new = Run(matching.after, at, seq, replayed.facts)
    new.is_ended, new.outcome, new.given, new.early = replayed.is_ended, replayed.outcome, old.given, replayed.early
    new.passed = bytearray(replayed.passed)
    carried = Carried(new)
    orders: dict[Order, Order] = {}
    for token in _all(replayed):
        if token.order in pairs:
            orders[token.order] = pairs[token.order].order
        else:
            new.ordinal += 1
            orders[token.order] = (seq, new.ordinal)
    begun: list[Token] = []
    for host, scope in replayed.scopes.items():
        order = orders[host] if host is not None else None
        before = old.scopes.get(order)
        there = new.scopes[order] = Scope(new, scope.drawn, new.find(order) if order is not None else None, _with(before.variables if before else None, scope.variables))
        for token in sorted(scope.tasks.values(), key=lambda one: orders[one.order]):
            inside = dict(token.internal_data)
            if "host" in inside:
                inside["host"] = orders[inside["host"]]
            was = pairs.get(token.order)
            if was is not None:
                _take_over(inside, was.internal_data)
            made = Token(there, token.element, orders[token.order], token._state, inside)
            if was is not None:
                carried.kept[made.order] = made
            else:
                begun.append(made)
    _mark(old, new, matching)
    taken = {one.order for one in pairs.values()}
    carried.lost = [(token, "gone" if matching.of(named(token.element)) is None else "around") for token in _all(old) if token.order not in taken]
    for token, _ in carried.lost:
        _closed(new, token)
    for token in begun:
        _begin(carried, token)
    new.drain()
    return carried


def _all(run: Run) -> Iterator[Token]:
    for scope in run.scopes.values():
        yield from scope.tasks.values()


def _pairs(old: Run, new: Run, matching: Matching) -> dict[Order, Token]:
    """Which token of the one is which of the other: by where it stands and what is open of it, in their order."""
    there: dict[Any, list[Token]] = {}
    for token in sorted(_all(new), key=lambda one: one.order):
        there.setdefault((where(token), _came_by(token), _kinds(token)), []).append(token)
    found: dict[Order, Token] = {}
    for token in sorted(_all(old), key=lambda one: one.order):
        sought = matching.key(where(token))
        came = matching.of(_came_by(token)) if _came_by(token) else None
        same = there.get((sought, came, _kinds(token)))
        if sought is not None and same:
            found[same.pop(0).order] = token
    # What goes on inside something that does not, or the other way round, is not the same.
    inner = {one.order: one for one in _all(new)}
    return {order: token for order, token in found.items() if _around(inner[order]) is None or _around(inner[order]) in found}


def _around(token: Token) -> Order | None:
    return token.scope.host.order if token.scope.host is not None else None


def _kinds(token: Token) -> frozenset[str]:
    return frozenset(name for name in _OPEN if name in token.internal_data)


def _came_by(token: Token) -> tuple[str, str] | None:
    flow = token.internal_data.get("flow")
    return named(token.element.flows_in[flow].source) if flow is not None and isinstance(token.element, Join) else None


def _with(before: dict[str, Any] | None, now: dict[str, Any] | None) -> dict[str, Any] | None:
    """The variables of a replay, and those that what is no more had set."""
    return None if now is None else {**(before or {}), **now}


def _take_over(inside: dict[str, Any], was: Mapping[str, Any]) -> None:
    """A deadline that runs is kept as it was."""
    for name in ("due", "cycle", "corr"):
        if name in was and name in inside:
            inside[name] = was[name]
    if "inc" in inside:
        inside["inc"] = was["inc"]
    if "vars" in inside and "vars" in was:
        inside["vars"] = {**was["vars"], **inside["vars"]}


def _begin(carried: Carried, token: Token) -> None:
    """What only the other definitions have open begins now: its time runs from the move."""
    new, inside, element = carried.run, token.internal_data, token.element
    try:
        if "task" in inside and isinstance(element, PersonTask):
            new.tell(element.opening(new, token))
        elif "asked" in inside:
            del inside["asked"]
            token._set_state(READY)
            new.queue.append(token)
        elif "wait" in inside and isinstance(element, Listener):
            if element.trigger.kind == "timer":
                inside.pop("cycle", None)
                element.set_timer(new, token)
            new.tell(element.opening(token))
    except Fault as fault:
        carried.broke.append((element, fault))
