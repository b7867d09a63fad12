"""What goes through items: filters, `for`, `some`, `every`, and functions that are values. Each compiler takes a node and `build`, as in `compiler`."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from forms.feel.budget import BUDGET, Act, Budget, size
from forms.feel.reader import Node
from forms.feel.reads import names_of
from forms.feel.values import FeelError, Function, Range, kind

_DEEPEST_CALL = 60


def filtered(node: Node, build: Any) -> Act:
    source, condition, cost = build(node[3]), build(node[4]), size(node[4])

    def act(scope: dict[str, Any]) -> Any:
        items = source(scope)
        items = items if isinstance(items, list) else [] if items is None else [items]
        budget: Budget = scope[BUDGET]
        found = []
        inner = dict(scope)
        for item in items:
            budget.spend(cost)
            budget.bear(item)
            here = {**inner, "item": item, **item} if isinstance(item, dict) else {**inner, "item": item}
            verdict = condition(here)
            if isinstance(verdict, Decimal):
                return _nth(items, verdict)
            if verdict is True:
                found.append(item)
        if not items and isinstance(condition({**inner, "item": None}), Decimal):
            return None
        return found

    return act


def _nth(items: list[Any], place: Decimal) -> Any:
    if place != place.to_integral_value() or not place or abs(place) > len(items):
        return None
    return items[int(place) - 1 if place > 0 else int(place)]


def series(node: Node, build: Any) -> Act:
    low, high = build(node[3]), build(node[4])

    def act(scope: dict[str, Any]) -> Any:
        return Range(low(scope), high(scope))

    return act


def _steps(source: Any) -> Any:
    """What an iterator goes through: a list, or a range of whole numbers or days, upwards or downwards."""
    if isinstance(source, list):
        yield from source
    elif isinstance(source, Range) and kind(source.low) == kind(source.high) == "number":
        step = Decimal(1) if source.low <= source.high else Decimal(-1)
        value = source.low
        while (source.high - value) * step >= 0:
            yield value
            value += step
    elif isinstance(source, Range) and type(source.low) is type(source.high) is dt.date:
        days = dt.timedelta(days=1 if source.low <= source.high else -1)
        value = source.low
        while (source.high - value) / days >= 0:
            yield value
            value += days
    elif source is not None and not isinstance(source, Range):
        yield source


def _can_step(source: Any) -> bool:
    return not isinstance(source, Range) and source is not None or (isinstance(source, Range) and kind(source.low) == kind(source.high) in ("number", "date"))


def _each(iterators: list[tuple[str, Act]], scope: dict[str, Any], cost: int, visit: Callable[[dict[str, Any]], bool]) -> bool | None:
    """Visits every combination until `visit` says stop (True); None when something cannot be gone through. `cost`: the size of what is done in a turn."""
    if not iterators:
        scope[BUDGET].spend(cost)
        return visit(scope)
    (name, source), rest = iterators[0], iterators[1:]
    items = source(scope)
    if not _can_step(items):
        return None
    for item in _steps(items):
        scope[BUDGET].spend(cost)
        stop = _each(rest, {**scope, name: scope[BUDGET].bear(item)}, cost, visit)
        if stop is None or stop:
            return stop
    return False


def for_each(node: Node, build: Any) -> Act:
    iterators, body = [(name, build(source)) for name, source in node[3]], build(node[4])

    def act(scope: dict[str, Any]) -> list[Any] | None:
        found: list[Any] = []

        def visit(inner: dict[str, Any]) -> bool:
            budget: Budget = scope[BUDGET]
            found.append(budget.bear(body({**inner, "partial": budget.bear(list(found))} if uses_partial else inner)))
            return False

        return None if _each(iterators, scope, cost, visit) is None else found

    cost, uses_partial = size(node), "partial" in names_of(node[4])
    return act


def quantified(is_some: bool) -> Any:
    def compiler(node: Node, build: Any) -> Act:
        iterators, body, cost = [(name, build(source)) for name, source in node[3]], build(node[4]), size(node)

        def act(scope: dict[str, Any]) -> bool | None:
            verdict: list[bool | None] = [not is_some]

            def visit(inner: dict[str, Any]) -> bool:
                held = body(inner)
                if held is is_some:
                    verdict[0] = is_some
                    return True
                if not isinstance(held, bool):
                    verdict[0] = None
                return False

            return None if _each(iterators, scope, cost, visit) is None else verdict[0]

        return act

    return compiler


def function(node: Node, build: Any) -> Act:
    names, body, cost = node[3], build(node[4]), size(node[4])

    def act(scope: dict[str, Any]) -> Function:
        def call(positional: list[Any], named: dict[str, Any]) -> Any:
            if named:
                if named.keys() != set(names):
                    return None
                given = named
            elif len(positional) == len(names):
                given = dict(zip(names, positional, strict=True))
            else:
                return None
            budget: Budget = scope[BUDGET]
            budget.spend(cost)
            budget.depth += 1
            if budget.depth > _DEEPEST_CALL:
                raise FeelError("", 0, "functions call each other too deep")
            try:
                return body({**scope, **given})
            finally:
                budget.depth -= 1

        return Function(names, call)

    return act
