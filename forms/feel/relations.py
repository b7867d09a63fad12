"""The relations between points and ranges (Allen, 1983; DMN 1.5 §10.3.4.8), registered among the standard functions."""

from collections.abc import Callable
from typing import Any

from forms.feel.signatures import feel
from forms.feel.values import Range, compare


def _span(value: Any) -> Range:
    return value if isinstance(value, Range) else Range(value, value)


def _order(one: Any, other: Any) -> int:
    order = compare(one, other)
    if order is None:
        raise ValueError("not comparable")
    return order


def _before(a: Range, b: Range) -> bool:
    order = _order(a.high, b.low)
    return order < 0 or (order == 0 and not (a.has_high and b.has_low))


def _starts(a: Range, b: Range) -> bool:
    return _order(a.low, b.low) == 0 and a.has_low == b.has_low and _inside_end(a, b)


def _finishes(a: Range, b: Range) -> bool:
    return _order(a.high, b.high) == 0 and a.has_high == b.has_high and _inside_start(a, b)


def _inside_start(a: Range, b: Range) -> bool:
    order = _order(a.low, b.low)
    return order > 0 or (order == 0 and (b.has_low or not a.has_low))


def _inside_end(a: Range, b: Range) -> bool:
    order = _order(a.high, b.high)
    return order < 0 or (order == 0 and (b.has_high or not a.has_high))


def _overlaps(a: Range, b: Range) -> bool:
    return not _before(a, b) and not _before(b, a)


def _relation(name: str, names: str, test: Callable[[Range, Range], bool]) -> None:
    feel(name, names)(lambda one, other: None if one is None or other is None else test(_span(one), _span(other)))


_relation("before", "point1:*, point2:*", _before)
_relation("after", "point1:*, point2:*", lambda a, b: _before(b, a))
_relation("meets", "range1:r, range2:r", lambda a, b: a.has_high and b.has_low and _order(a.high, b.low) == 0)
_relation("met by", "range1:r, range2:r", lambda a, b: b.has_high and a.has_low and _order(b.high, a.low) == 0)
_relation("overlaps", "range1:r, range2:r", _overlaps)
_relation("overlaps before", "range1:r, range2:r", lambda a, b: _overlaps(a, b) and not _inside_start(a, b) and _inside_end(a, b))
_relation("overlaps after", "range1:r, range2:r", lambda a, b: _overlaps(a, b) and not _inside_end(a, b) and _inside_start(a, b))
_relation("finishes", "point:*, range:r", _finishes)
_relation("finished by", "range:r, point:*", lambda a, b: _finishes(b, a))
_relation("includes", "range:r, point:*", lambda a, b: _inside_start(b, a) and _inside_end(b, a))
_relation("during", "point:*, range:r", lambda a, b: _inside_start(a, b) and _inside_end(a, b))
_relation("starts", "point:*, range:r", _starts)
_relation("started by", "range:r, point:*", lambda a, b: _starts(b, a))
_relation("coincides", "point1:*, point2:*", lambda a, b: _order(a.low, b.low) == 0 and _order(a.high, b.high) == 0 and (a.has_low, a.has_high) == (b.has_low,
    b.has_high))
