"""Equality, order and membership, three-valued: true, false, or null when the values do not say.

A value known in part (`Uncertain`) answers only where every value it may have answers the same.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from forms.feel.budget import spend
from forms.feel.dates import instant, seconds_of_day
from forms.feel.values import Range, Uncertain, kind, number

ORDERED = frozenset({"number", "string", "date", "time", "date and time", "days and time duration", "years and months duration"})


def key(value: Any, found: str) -> tuple[Any, Any]:
    """A value that Python orders as FEEL does, with a mark: values of one kind compare only under the same mark."""
    if found == "number":
        return number(value), None
    if found == "date and time":
        return instant(value), value.tzinfo is None
    if found == "time":
        passed, zoned = seconds_of_day(value)
        return passed, zoned or getattr(value.tzinfo, "key", None)
    if found == "years and months duration":
        return value.months, None
    return value, None


def bounds(value: Any) -> tuple[Any, Any]:
    """The least and the greatest a value may be."""
    return (value.low, value.high) if isinstance(value, Uncertain) else (value, value)


def _keys(left: Any, right: Any) -> tuple[Any, Any] | None:
    found = kind(left)
    if found != kind(right) or found not in ORDERED:
        return None
    (a, mark), (b, other) = key(left, found), key(right, found)
    return (a, b) if mark == other else None


def less(left: Any, right: Any) -> bool | None:
    """left < right; null where they are not of one ordered kind, or where it straddles."""
    if isinstance(left, Uncertain) or isinstance(right, Uncertain):
        return _agree(less, left, right)
    keys = _keys(left, right)
    return None if keys is None else keys[0] < keys[1]


def at_most(left: Any, right: Any) -> bool | None:
    """left <= right."""
    if isinstance(left, Uncertain) or isinstance(right, Uncertain):
        return _agree(at_most, left, right)
    keys = _keys(left, right)
    return None if keys is None else keys[0] <= keys[1]


def more(left: Any, right: Any) -> bool | None:
    """left > right."""
    return less(right, left)


def at_least(left: Any, right: Any) -> bool | None:
    """left >= right."""
    return at_most(right, left)


def _agree(compare: Callable[[Any, Any], bool | None], left: Any, right: Any) -> bool | None:
    (low, high), (other_low, other_high) = bounds(left), bounds(right)
    surest, weakest = compare(high, other_low), compare(low, other_high)
    return surest if surest is weakest else None


def equal(left: Any, right: Any, state: list) -> bool | None:
    """left = right, deep in lists and contexts. Null equals only null; two kinds, or zoned and not, give null."""
    if left is None or right is None:
        return left is right
    found = kind(left)
    if found != kind(right):
        return _overlap(left, right) if isinstance(left, Uncertain) or isinstance(right, Uncertain) else None
    if found == "list":
        spend(state, 1 + len(left))
        return len(left) == len(right) and _all(equal(a, b, state) for a, b in zip(left, right, strict=True))
    if found == "context":
        spend(state, 1 + len(left))
        return left.keys() == right.keys() and _all(equal(value, right[name], state) for name, value in left.items())
    if found == "uncertain":
        return _overlap(left, right)
    if found == "range":
        return _same_range(left, right, state)
    (a, mark), (b, other) = key(left, found), key(right, found)
    return a == b if mark == other else None


def _overlap(left: Any, right: Any) -> bool | None:
    (low, high), (other_low, other_high) = bounds(left), bounds(right)
    apart = less(high, other_low), less(other_high, low)
    return False if True in apart else None


def _same_range(left: Range, right: Range, state: list) -> bool | None:
    if (left.low_included, left.high_included, left.relation) != (right.low_included, right.high_included, right.relation):
        return False
    return _all(iter((equal(left.low, right.low, state), equal(left.high, right.high, state))))


def _all(answers) -> bool | None:
    result = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


def both(left: bool | None, right: bool | None) -> bool | None:
    """`and` of two answers."""
    return False if left is False or right is False else True if left is True and right is True else None


def negated(answer: bool | None) -> bool | None:
    """`not` of an answer."""
    return None if answer is None else not answer


def includes(span: Range, value: Any, state: list) -> bool | None:
    """Whether a range (or unary test) holds for a value; null for null."""
    if span.relation:
        return RELATIONS[span.relation](value, span.low if span.low is not None else span.high, state)
    above = (at_least if span.low_included else more)(value, span.low)
    return both(above, (at_most if span.high_included else less)(value, span.high))


def member(value: Any, test: Any, state: list) -> bool | None:
    """`value in test`, test being a range, a list of values and ranges, or one value."""
    found = kind(test)
    if found == "range":
        return includes(test, value, state)
    if found != "list":
        return value is None or None if test is None else equal(value, test, state)
    answer: bool | None = False
    if isinstance(value, list):
        answer = equal(value, test, state) is True
    spend(state, len(test))
    for element in test:
        if answer is True:
            break
        found = includes(element, value, state) if isinstance(element, Range) else equal(value, element, state)
        if found is True or (found is None and (isinstance(value, Uncertain) or isinstance(element, (Uncertain, Range)))):
            answer = found
    return answer


def _unbudgeted(compare: Callable[[Any, Any], bool | None], left: Any, right: Any, state: list) -> bool | None:
    return compare(left, right)


def _unequal(left: Any, right: Any, state: list) -> bool | None:
    return negated(equal(left, right, state))


RELATIONS: dict[str, Callable[[Any, Any, list], bool | None]] = {
    "=": equal, "!=": _unequal, "<": partial(_unbudgeted, less), "<=": partial(_unbudgeted, at_most),
    ">": partial(_unbudgeted, more), ">=": partial(_unbudgeted, at_least),
}


def same(left: Any, right: Any) -> bool:
    """`is(left, right)`: the same value of the same kind, zones written alike."""
    if left is None or right is None:
        return left is right
    found = kind(left)
    if found != kind(right):
        return False
    if found in ("time", "date and time"):
        if (left.tzinfo is None) != (right.tzinfo is None) or left.replace(tzinfo=None) != right.replace(tzinfo=None):
            return False
        names = getattr(left.tzinfo, "key", None), getattr(right.tzinfo, "key", None)
        return names[0] == names[1] and (names[0] is not None or left.utcoffset() == right.utcoffset())
    if found == "uncertain":
        return left == right
    return equal(left, right, [1_000, 0]) is True


def sort_key(values: list) -> Callable[[Any], Any] | None:
    """A key that sorts these values when all are of one ordered kind, else None."""
    kinds = {kind(value) for value in values}
    if len(kinds) != 1 or not kinds <= ORDERED:
        return None
    found = kinds.pop()
    if len({key(value, found)[1] for value in values}) > 1:
        return None
    return lambda value: key(value, found)[0]


def distinct_key(value: Any) -> Any:
    """Something hashable that two scalars share just when they are equal; None where only `equal` can tell."""
    found = kind(value)
    if found in ("list", "context", "range", "uncertain", "function"):
        return None
    return (found, *key(value, found))

