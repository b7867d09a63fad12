"""Closures of what repeats: `for`, `some`, `every` and filters. Each turn is paid from the budget."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from lark import Tree

from forms.feel.budget import spend
from forms.feel.closures import Closure, Frame, Work, compile_node, compiles, constant, named, trees, weight
from forms.feel.values import Range, kind, whole

_DAY = timedelta(days=1)


def _iterations(node: Tree, work: Work) -> tuple[list[tuple[str, Closure, Closure | None]], Work]:
    """Each variable with what it runs over (a list, or from a value to another); the work inside binds them all."""
    found = []
    for iteration in trees(node):
        name, domains = named(iteration), trees(iteration)
        low = compile_node(domains[0], work)
        found.append((name, low, compile_node(domains[1], work) if len(domains) > 1 else None))
        work = work.binding(name)
    return found, work


def _domain(value: Any, end: Any, ranged: bool, state: list) -> Iterable[Any] | None:
    """What a loop runs over, or None where it cannot: a list, whole numbers or days between two ends, one value."""
    if ranged:
        return _steps(value, end, state)
    if isinstance(value, list):
        return value
    if isinstance(value, Range):
        if value.relation:
            return None
        steps = _steps(value.low, value.high, state)
        if steps is None:
            return None
        excluded = [end for end, included in ((value.low, value.low_included), (value.high, value.high_included)) if not included]
        return [step for step in steps if step not in excluded]
    return None if value is None else [value]


def _steps(start: Any, end: Any, state: list) -> Iterator[Any] | None:
    if type(start) is date and type(end) is date:
        count, sign = abs((end - start).days), _DAY if end >= start else -_DAY
        spend(state, count)
        return (start + sign * index for index in range(count + 1))
    if kind(start) != "number" or kind(end) != "number":
        return None
    first, last = whole(start), whole(end)
    if first is None or last is None or first != start or last != end:
        return None
    spend(state, abs(last - first))
    return (Decimal(number) for number in range(first, last + (1 if last >= first else -1), 1 if last >= first else -1))


class _Unordered(Exception):
    """A loop over something that is no domain."""


def _turns(iterations: list, scope: Any, state: list, extra: dict[str, Any], price: int) -> Iterator[Frame]:
    """One frame a turn, for every combination of the variables, the last turning fastest."""
    (name, low, high), rest = iterations[0], iterations[1:]
    domain = _domain(low(scope, state), high(scope, state) if high else None, high is not None, state)
    if domain is None:
        raise _Unordered
    for element in domain:
        spend(state, price)
        frame = Frame({name: element, **extra}, scope)
        if rest:
            yield from _turns(rest, frame, state, extra, price)
        else:
            yield frame


@compiles("loop")
def _loop(node: Tree, work: Work) -> Closure:
    domains, body = trees(node)
    iterations, inside = _iterations(domains, work)
    result = compile_node(body, inside.binding("partial"))
    price = 1 + weight(body)
    remembers = any(named(found) == "partial" for found in body.find_data("name"))

    def loop(scope: Any, state: list) -> list | None:
        made: list = []
        extra: dict[str, Any] = {}
        try:
            for frame in _turns(iterations, scope, state, extra, price):
                if remembers:  # a copy: results that held the list itself would contain themselves
                    spend(state, len(made) >> 4)
                    frame = Frame({"partial": made.copy()}, frame)
                made.append(result(frame, state))
        except _Unordered:
            return None
        return made
    return loop


@compiles("some", "every")
def _quantifier(node: Tree, work: Work) -> Closure:
    domains, body = trees(node)
    iterations, inside = _iterations(domains, work)
    condition = compile_node(body, inside)
    price, decisive = 1 + weight(body), node.data == "some"

    def quantifier(scope: Any, state: list) -> bool | None:
        answer: bool | None = not decisive
        try:
            for frame in _turns(iterations, scope, state, {}, price):
                found = condition(frame, state)
                if found is decisive:
                    return decisive
                if found is not (not decisive):
                    answer = None
        except _Unordered:
            return None
        return answer
    return quantifier


@compiles("filter")
def _filter(node: Tree, work: Work) -> Closure:
    base, condition = trees(node)
    inner, known = compile_node(base, work), constant(condition)
    if known and type(known[0]) is Decimal:
        index = known[0]
        return lambda scope, state: pick(inner(scope, state), index)
    test, outside = compile_node(condition, work.binding("item")), compile_node(condition, work)
    price = 1 + weight(condition)

    def filtered(scope: Any, state: list) -> Any:
        found = inner(scope, state)
        if found is None:
            return None
        elements = found if isinstance(found, list) else [found]
        if not elements:
            return None if kind(outside(scope, state)) == "number" else []
        kept = []
        for element in elements:
            spend(state, price)
            frame = Frame({"item": element}, scope)
            answer = test(Frame(element, frame) if isinstance(element, dict) else frame, state)
            if answer is True:
                kept.append(element)
            elif not kept and element is elements[0] and answer.__class__ is not bool and answer is not None \
                    and kind(answer) == "number":
                return pick(elements, outside(scope, state))
        return kept
    return filtered


def pick(found: Any, index: Any) -> Any:
    """The element at an index from 1, or from -1 backwards; null beyond. A single value is a list of one."""
    if found is None or index is None or kind(index) != "number":
        return None
    elements = found if isinstance(found, list) else [found]
    at = whole(index)
    if at is None or at != index or not 1 <= abs(at) <= len(elements):
        return None
    return elements[at - 1 if at > 0 else at]
