"""A coordinator's hand on an instance that nothing else leads on: a token goes on at another element of its own scope, or leaves an operation undone.

Each is a stimulus like any other: replayed, it makes the same state. Also what such a move passes over, as drawn, for whoever must weigh it. Not here: who
may do it, and whether two must agree (casework).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from engine import errors
from engine.pathway.spiff.activities import CallActivity, OperationTask, PersonTask, SubProcess
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.events import BoundaryEvent, Listener, StartEvent
from engine.pathway.spiff.gateways import Join
from engine.pathway.spiff.scopes import Token

if TYPE_CHECKING:
    from engine.pathway.definitions import Definitions
    from engine.pathway.spiff.run import Run

# Tokens that stand for no place of their own: listeners beside an activity, the turns of a loop.
_BESIDE = frozenset({"edge", "rival", "start", "turn"})


class Position(msgspec.Struct, frozen=True):
    """Where a token stands. `what`: `task`, `wait`, `operation`, `inside` (of a sub-process or a called process), else `node`; `incident`: its id, "" without;
    `targets`: the elements it may be moved to; `may_skip`: it stands at an operation that may be left undone."""

    position: str
    node: str
    process: str
    what: str
    incident: str
    targets: tuple[str, ...]
    may_skip: bool
    subjects: tuple[str, ...]


class Passed(msgspec.Struct, frozen=True):
    """An element that a move leaves, reaches or passes over. What is not of its kind is ""."""

    node: str
    process: str
    form: str = ""
    operation: str = ""
    message: str = ""


def jump(run: "Run", position: str, element: str) -> None:
    """What stands at a position is over, undone, and goes on at an element of the same scope. Refuses: `token.not_there`, `token.no_target`."""
    token = _token(run, position)
    if token.internal_data.get("role") in _BESIDE:
        raise errors.Conflict("token.not_there", id=position)
    target = next((one for one in _targets(token) if one.id == element), None)
    if target is None:
        raise errors.Invalid("token.no_target", node=token.element.id, element=element)
    scope = token.scope
    run.cancel(token)
    run.place(scope, target)


def skip(run: "Run", position: str) -> None:
    """An operation is left undone: its token goes on as if it had answered nothing. Refuses: `token.not_there`, `token.no_operation`."""
    token = _token(run, position)
    if not _may_skip(token):
        raise errors.Invalid("token.no_operation", node=token.element.id)
    token.internal_data.pop("asked", None)
    run.resume(token)


def positions(run: "Run") -> list[Position]:
    """Where tokens stand that may be moved or skipped, oldest first."""
    every = (token for scope in run.scopes.values() for token in scope.live())
    found = [token for token in every if token.internal_data.get("role") not in _BESIDE or _may_skip(token)]
    return [_position(run, token) for token in sorted(found, key=lambda one: one.order)]


def passed_over(definitions: "Definitions", run: "Run", position: str, element: str) -> frozenset[Passed]:
    """What a move leaves, reaches and passes over, on the way there or back, as drawn: with what is inside of it, whatever process it calls."""
    token = _token(run, position)
    start = token.element
    target = next((one for one in token.scope.drawn.elements if one.id == element), start)
    between = (_beyond(start) & _before(target)) | (_beyond(target) & _before(start)) | {start, target}
    return frozenset(_passed(one) for one in _with_what_is_inside(definitions, between))


def _token(run: "Run", key: str) -> Token:
    first, _, second = key.partition(".")
    token = run.find((int(first), int(second))) if first.isdecimal() and second.isdecimal() else None
    if token is None or not token.is_live:
        raise errors.Conflict("token.not_there", id=key)
    return token


def _targets(token: Token) -> list[Element]:
    """Where a token of the scope may be put: not where something listens beside an activity, nor where several must come together."""
    return [one for one in token.scope.drawn.elements if not _is_no_target(one)]


def _is_no_target(element: Element) -> bool:
    if isinstance(element, StartEvent | BoundaryEvent):
        return True
    return getattr(element, "is_event", False) or (isinstance(element, Join) and len(element.flows_in) > 1)


def _may_skip(token: Token) -> bool:
    element = token.element
    at_work = "asked" in token.internal_data or "inc" in token.internal_data
    return isinstance(element, OperationTask) and at_work and not (element.is_whole(token) or "leaving" in token.internal_data)


def _position(run: "Run", token: Token) -> Position:
    element, inside = token.element, token.internal_data
    what = "node"
    if isinstance(element, PersonTask) and "task" in inside:
        what = "task"
    elif isinstance(element, OperationTask):
        what = "operation"
    elif isinstance(element, SubProcess | CallActivity) and token.order in run.scopes:
        what = "inside"
    elif isinstance(element, Listener) and "wait" in inside:
        what = "wait"
    targets = () if inside.get("role") in _BESIDE else tuple(one.id for one in _targets(token))
    return Position(token.key, element.id, element.scope_spec.process, what, inside["inc"][0] if "inc" in inside else "", targets, _may_skip(token),
                    run.subjects(token))  # fmt: skip


def _beyond(start: Element) -> set[Element]:
    """What may be reached from an element, over the edges of activities too; itself only where a way turns back."""
    return _walked(start, lambda one: [flow.target for flow in one.flows_out] + one.boundaries + _landing(one))


def _before(target: Element) -> set[Element]:
    """From where an element may be reached."""
    return _walked(target, lambda one: one.sources())


def _walked(start: Element, following: Callable[[Element], Iterable[Element]]) -> set[Element]:
    seen: set[Element] = set()
    stack = list(following(start))
    while stack:
        one = stack.pop()
        if one not in seen:
            seen.add(one)
            stack += following(one)
    return seen


def _landing(element: Element) -> list[Element]:
    found = getattr(element, "landing", None)
    return [] if found is None else [found]


def _with_what_is_inside(definitions: "Definitions", elements: Iterable[Element]) -> Iterator[Element]:
    stack, seen = list(elements), set[Element]()
    while stack:
        one = stack.pop()
        if one in seen:
            continue
        seen.add(one)
        yield one
        if one.inner is not None:
            stack += one.inner.elements
        if isinstance(one, CallActivity) and one.called in definitions.processes:
            stack += definitions.spec(one.called).elements


def _passed(element: Element) -> Passed:
    note, trigger = element.extensions.task, getattr(element, "trigger", None)
    message = trigger.name if trigger is not None and trigger.kind == "message" else ""
    operation = element.extensions.operation if isinstance(element, OperationTask) else ""
    return Passed(element.id, element.scope_spec.process, note.form if note else "", operation, message)
