"""What may still come of an instance: the elements that a token may reach from where it stands, through sub-processes, calls and turns.

`ahead` says which; `reads` and `sets` what an element reads of variables and gives; `can_end` whether an end is reached, with a way to where it is not.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from engine.pathway.definitions import Definitions
from engine.pathway.game import Game, Marking, games
from engine.pathway.spiff.activities import Activity, CallActivity, RuleTask
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.gateways import Join
from engine.pathway.spiff.run import Run
from engine.pathway.spiff.scopes import Scope, ScopeSpec, Token
from forms.feel import Expression

Came = dict[Element, Element | None]  # an element ahead → the one it is reached from (None: where a token stands)


def ahead(run: Run) -> Came:
    """Every element that a token may yet reach, with the one before it on a shortest way."""
    found: Came = {}
    for scope in run.scopes.values():
        for element, source in ahead_in(scope).items():
            found.setdefault(element, source)
    return found


def ahead_in(scope: Scope) -> Came:
    """The same of one scope: what its own tokens may reach before it is over, and what is inside of that."""
    found: Came = {}
    waiting: list[Element] = []
    definitions = scope.run.definitions

    def reach(elements: Iterable[Element], source: Element | None) -> None:
        for element in elements:
            if element not in found:
                found[element] = source
                waiting.append(element)

    for token in scope.live():
        reach(_next(token.element), token.element)
        if _turns_again(token):
            reach(_inside(token.element, definitions), token.element)
    for holder in scope.drawn.event_subprocesses:
        reach([holder], None)
    for element in waiting:
        reach(_next(element), element)
        reach(_inside(element, definitions), element)
    return found


def way(came: Came, element: Element) -> list[Element]:
    """A shortest way to an element ahead, from where a token stands."""
    found = [element]
    source = came[element]
    while source is not None and source not in found:
        found.append(source)
        source = came.get(source)
    return found[::-1]


def comes_back(element: Element, to: Element, definitions: Definitions) -> bool:
    """Whether what follows an element may lead back to another: a round that somebody may send the case through again."""
    seen: set[Element] = set()
    waiting = [element]
    for one in waiting:
        hosts = (host for host in definitions.nodes if _spec(host, definitions) is not None and one in _spec(host, definitions).elements)
        for other in (*_next(one), *_inside(one, definitions), *(after for host in hosts for after in _next(host))):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return to in seen


def _next(element: Element) -> Iterator[Element]:
    """What follows in its scope."""
    yield from (flow.target for flow in element.flows_out)
    yield from element.boundaries
    landing = getattr(element, "landing", None)
    if landing is not None:
        yield landing


def _inside(element: Element, definitions: Definitions) -> Iterator[Element]:
    """What begins inside an activity."""
    spec = _spec(element, definitions)
    if spec is not None:
        yield from (spec.entries if not isinstance(element, CallActivity) else spec.begins())
        yield from spec.event_subprocesses
    if isinstance(element, Activity) and element.loop is not None:
        yield element


def _spec(element: Element, definitions: Definitions) -> ScopeSpec | None:
    if isinstance(element, CallActivity):
        return definitions.spec(element.called) if element.called in definitions.processes else None
    return element.inner


def _turns_again(token: Token) -> bool:
    """Whether other turns of what runs are still to begin."""
    inside = token.internal_data
    if inside.get("role") in ("turn", "edge", "start", "rival") or not isinstance(token.element, Activity) or token.element.loop is None:
        return "inc" in inside  # it will be tried again
    return token.element.loop.kind == "standard" or inside.get("next", 0) < len(inside.get("items", ()))


# --- what is read and given ---


def reads(element: Element, definitions: Definitions) -> set[str]:
    """The variables that an element may read, by their first name."""
    texts: list[Expression | None] = [flow.condition for flow in element.flows_out]
    trigger, loop, own = getattr(element, "trigger", None), getattr(element, "loop", None), element.extensions
    if trigger is not None:
        texts += [trigger.expression, *(one.value for one in trigger.parameters)]
    if loop is not None:
        texts += [loop.condition, loop.collection, loop.cardinality]
    texts += [one.value for one in (*own.parameters, *own.inputs)]
    paths = {path for one in texts if one is not None for path in one.paths}
    if isinstance(element, RuleTask):
        paths |= definitions.read_by(own.decision)
    return {path.partition(".")[0] for path in paths}


def sets(element: Element) -> set[str]:
    """The variables that an element is known to give."""
    own, trigger = element.extensions, getattr(element, "trigger", None)
    found = {own.result, getattr(trigger, "result", ""), own.message.result if own.message else ""}
    if own.operation == "retenir":
        found |= {one.name for one in own.parameters}
    return (found | {one.name for one in own.outputs}) - {""}


# --- whether an end is reached ---


@dataclass(frozen=True)
class Ending:
    """`ends`: an end is reached, whichever way is taken; `is_whole`: every way was walked. Else `stuck`: where nothing moves any more, or (`is_doubled`) what
    would be begun twice at once; and a way there."""

    ends: bool
    is_whole: bool
    stuck: tuple[Element, ...] = ()
    way: tuple[Element, ...] = ()
    is_doubled: bool = False


def can_end(scope: Scope, closed: frozenset[int] = frozenset(), anyway: frozenset[Element] = frozenset()) -> Ending:
    """Whether what runs in a scope can always come to its end, from where its tokens stand. `closed`: elements that may not be
    entered; then whether some way ends without them. `anyway`: what may be begun twice at once as it is."""
    played = _play(scope.drawn, standing(scope), closed)
    if closed:
        return Ending(played.ends, played.is_whole)
    if played.stuck:
        return Ending(False, played.is_whole, played.stuck, played.way)
    for element, way in played.doubled:
        if element not in anyway:
            return Ending(False, played.is_whole, (element,), way, is_doubled=True)
    return Ending(played.ends or not played.is_whole, played.is_whole)


def doubled(scope: Scope) -> set[Element]:
    """What may be begun twice at once, from where the tokens of a scope stand."""
    return {element for element, _ in _play(scope.drawn, standing(scope), frozenset()).doubled}


@dataclass(frozen=True)
class _Played:
    ends: bool
    is_whole: bool
    stuck: tuple[Element, ...]
    way: tuple[Element, ...]
    doubled: tuple[tuple[Element, tuple[Element, ...]], ...]


@lru_cache(maxsize=2048)  # many cases stand in the same places
def _play(spec: ScopeSpec, marking: Marking, closed: frozenset[int]) -> _Played:
    game = Game(spec, (), begun=(marking,), closed=closed).play()
    worst = (game.stuck() or game.without_end())[:1] if not closed else []
    stuck = tuple(game.elements[number] for number in dict.fromkeys(place[0] for one in worst for place in one))
    twice = tuple((game.elements[number], tuple(game.path(one))) for number, one in game.doubled.items())
    return _Played(game.ends, game.is_whole, stuck, tuple(game.path(worst[0])) if worst else (), twice)


def standing(scope: Scope) -> Marking:
    """Where the tokens of a scope stand, as the token game has it."""
    places: set[tuple[int, int]] = set()
    for token in scope.live():
        element, inside = token.element, token.internal_data
        if inside.get("role") in ("turn", "edge", "start", "rival"):
            continue
        if isinstance(element, Join) and len(element.flows_in) > 1:
            came = inside.get("flow")
            places |= {(element.number, came)} if came is not None else {(element.number, flow.place) for flow in element.flows_in}
        else:
            places.add((element.number, -1))
    return tuple(sorted(places))


def is_sound(spec: ScopeSpec, closed: frozenset[int] = frozenset()) -> bool:
    """Whether a process or sub-process that begins anew reaches an end without entering `closed`."""
    for game in games(spec):
        if not game.beside:
            return Game(spec, game.starts, closed=closed).play().ends
    return True

