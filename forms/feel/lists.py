"""The standard functions of lists (DMN 1.5 §10.3.4.4): each takes FEEL values and gives one; what is out of its domain is null."""

import datetime as dt
import statistics
from decimal import Decimal
from typing import Any

from forms.feel.signatures import feel
from forms.feel.values import CTX, Function, YearsMonths, compare, equal, kind

PAIRED = {"distinct values", "union"}  # they compare each item with each

feel("count", "list:l")(lambda items: Decimal(len(items)))
feel("list contains", "list:l, element:*")(lambda items, wanted: any(equal(item, wanted) for item in items))
feel("reverse", "list:l")(lambda items: items[::-1])
feel("append", "list:l, item:*")(lambda items, item: [*items, item])


@feel("append", "list:l, a:*, b:*", "list:l, a:*, b:*, c:*", "list:l, a:*, b:*, c:*, d:*")
def _append(items: list[Any], *more: Any) -> list[Any]:
    return [*items, *more]


def _extreme(items: list[Any], sign: int) -> Any:
    if not items:
        return None
    best = items[0]
    for item in items[1:]:
        order = compare(item, best)
        if order is None:
            return None
        best = item if order * sign > 0 else best
    return best if len(items) > 1 or compare(best, best) == 0 else None


feel("min", "list:*+")(lambda items: _extreme(items, -1))
feel("max", "list:*+")(lambda items: _extreme(items, 1))


def _numbers(items: list[Any]) -> list[Decimal] | None:
    return items if items and all(kind(item) == "number" for item in items) else None


def _total(items: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for item in items:
        total = CTX.add(total, item)
    return total


@feel("sum", "list:*+")
def _sum(items: list[Any]) -> Any:
    if items and all(isinstance(item, dt.timedelta) for item in items):
        return sum(items, dt.timedelta())
    if items and all(isinstance(item, YearsMonths) for item in items):
        return YearsMonths(sum(item.months for item in items))
    return _total(items) if _numbers(items) else None


@feel("product", "list:*+")
def _product(items: list[Any]) -> Decimal | None:
    if not _numbers(items):
        return None
    total = Decimal(1)
    for item in items:
        total = CTX.multiply(total, item)
    return total


@feel("mean", "list:*+")
def _mean(items: list[Any]) -> Decimal | None:
    return CTX.divide(_total(items), Decimal(len(items))) if _numbers(items) else None


@feel("median", "list:*+")
def _median(items: list[Any]) -> Decimal | None:
    return CTX.plus(Decimal(statistics.median(items))) if _numbers(items) else None


@feel("stddev", "list:*+")
def _stddev(items: list[Any]) -> Decimal | None:
    if not _numbers(items) or len(items) < 2:
        return None
    mean = CTX.divide(_total(items), Decimal(len(items)))
    squares = _total([CTX.multiply(item - mean, item - mean) for item in items])
    return CTX.sqrt(CTX.divide(squares, Decimal(len(items) - 1)))


@feel("mode", "list:*+")
def _mode(items: list[Any]) -> list[Decimal] | None:
    if not items:
        return []
    return sorted(statistics.multimode(items)) if _numbers(items) else None


@feel("all", "list:*+")
@feel("and", "list:*+")
def _all(items: list[Any]) -> bool | None:
    if any(item is False for item in items):
        return False
    return True if all(item is True for item in items) else None


@feel("any", "list:*+")
@feel("or", "list:*+")
def _any(items: list[Any]) -> bool | None:
    if any(item is True for item in items):
        return True
    return False if all(item is False for item in items) else None


@feel("sublist", "list:l, start position:n, length:n?")
def _sublist(items: list[Any], start: Decimal, length: Decimal | None) -> list[Any] | None:
    first = int(start)
    if first == 0 or abs(first) > len(items):
        return None
    first = first - 1 if first > 0 else len(items) + first
    return items[first : first + int(length)] if length is not None else items[first:]


@feel("concatenate", "list:l", "a:l, b:l", "a:l, b:l, c:l", "a:l, b:l, c:l, d:l")
def _concatenate(*lists: list[Any]) -> list[Any]:
    return [item for one in lists for item in one]


@feel("insert before", "list:l, position:n, newItem:*")
def _insert(items: list[Any], position: Decimal, new: Any) -> list[Any] | None:
    place = int(position)
    if place == 0 or abs(place) > len(items):
        return None
    place = place - 1 if place > 0 else len(items) + place
    return [*items[:place], new, *items[place:]]


@feel("remove", "list:l, position:n")
def _remove(items: list[Any], position: Decimal) -> list[Any] | None:
    place = int(position)
    if place == 0 or abs(place) > len(items):
        return None
    place = place - 1 if place > 0 else len(items) + place
    return [*items[:place], *items[place + 1 :]]


@feel("list replace", "list:l, position:n, newItem:*")
def _list_replace(items: list[Any], position: Decimal, new: Any) -> list[Any] | None:
    place = int(position)
    if place == 0 or abs(place) > len(items):
        return None
    place = place - 1 if place > 0 else len(items) + place
    return [*items[:place], new, *items[place + 1 :]]


@feel("list replace", "list:l, match:f, newItem:*")
def _list_replace_matching(items: list[Any], match: Function, new: Any) -> list[Any] | None:
    verdicts = [match.call([item, new], {}) for item in items]
    return [new if verdict else item for item, verdict in zip(items, verdicts, strict=True)] if all(isinstance(one,
        bool) for one in verdicts) and len(match.names) == 2 else None


feel("index of", "list:l, match:*")(lambda items, wanted: [Decimal(place) for place, item in enumerate(items, 1) if equal(item, wanted)])


@feel("distinct values", "list:l")
def _distinct(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not any(equal(item, one) for one in found):
            found.append(item)
    return found


feel("union", "a:l", "a:l, b:l", "a:l, b:l, c:l", "a:l, b:l, c:l, d:l")(lambda *lists: _distinct([item for one in lists for item in one]))


@feel("flatten", "list:l")
def _flatten(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        found += _flatten(item) if isinstance(item, list) else [item]
    return found


@feel("sort", "list:l, precedes:f")
def _sort(items: list[Any], precedes: Function) -> list[Any]:
    if len(items) < 2:
        return items
    middle = len(items) // 2
    left, right = _sort(items[:middle], precedes), _sort(items[middle:], precedes)
    merged: list[Any] = []
    while left and right:
        merged.append(right.pop(0) if precedes.call([right[0], left[0]], {}) is True else left.pop(0))
    return merged + left + right
