"""`+ - * / **` and negation over numbers, texts, dates, times and durations; null for what has no meaning.

Numbers keep 34 digits (decimal128). On a value known in part the result lies between the results of its bounds.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from itertools import product
from typing import Any

from forms.feel.budget import weigh
from forms.feel.comparison import bounds, less
from forms.feel.dates import MIDNIGHT, add_months, from_seconds, instant, seconds, seconds_of_day, shift
from forms.feel.values import CONTEXT, Uncertain, YearsMonths, between, finite, kind, number, whole

NUMBER, TEXT, DATE, TIME, MOMENT = "number", "string", "date", "time", "date and time"
DAYS, MONTHS = "days and time duration", "years and months duration"


def add(left: Any, right: Any, state: list) -> Any:
    """left + right; two texts are joined."""
    if type(left) is Decimal and type(right) is Decimal:
        return finite(CONTEXT.add(left, right))
    if type(left) is str and type(right) is str:
        weigh(len(left) + len(right), state)
        return left + right
    return _apply(_ADD, left, right)


def subtract(left: Any, right: Any, state: list) -> Any:
    """left - right; two dates, times or moments give the duration between them."""
    if type(left) is Decimal and type(right) is Decimal:
        return finite(CONTEXT.subtract(left, right))
    return _apply(_SUBTRACT, left, right)


def multiply(left: Any, right: Any, state: list) -> Any:
    """left * right; a duration by a number."""
    if type(left) is Decimal and type(right) is Decimal:
        return finite(CONTEXT.multiply(left, right))
    return _apply(_MULTIPLY, left, right)


def divide(left: Any, right: Any, state: list) -> Any:
    """left / right; null by zero."""
    return _apply(_DIVIDE, left, right)


def power(left: Any, right: Any, state: list) -> Any:
    """left ** right; null where it leaves the range of numbers."""
    return _apply(_POWER, left, right)


def negate(value: Any, state: list) -> Any:
    """The opposite of a number or duration."""
    if type(value) is Decimal:
        return CONTEXT.minus(value)
    found = kind(value)
    if found == NUMBER:
        return CONTEXT.minus(number(value))
    if found == DAYS:
        return -value
    if found == MONTHS:
        return YearsMonths(-value.months)
    if found == "uncertain":
        low, high = negate(value.high, state), negate(value.low, state)
        return None if low is None else between(low, high)
    return None


def _apply(table: dict[tuple[str, str], Callable[[Any, Any], Any]], left: Any, right: Any) -> Any:
    if isinstance(left, Uncertain) or isinstance(right, Uncertain):
        return _spread(table, left, right)
    compute = table.get((kind(left), kind(right)))
    return compute and compute(left, right)


def _spread(table: dict, left: Any, right: Any) -> Any:
    """The span of a computation over bounds: sound because each is monotone, division by a span across zero excepted."""
    if table is _POWER or (table is _DIVIDE and isinstance(right, Uncertain)):
        return None
    corners = [_apply(table, a, b) for a, b in product(bounds(left), bounds(right))]
    if None in corners or less(corners[0], corners[0]) is None:
        return None
    low = high = corners[0]
    for corner in corners[1:]:
        low, high = corner if less(corner, low) else low, corner if less(high, corner) else high
    return between(low, high)


def _months(count: Decimal) -> YearsMonths | None:
    found = whole(count)
    return None if found is None else YearsMonths(found)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, MIDNIGHT)


def _gap(left: datetime, right: datetime) -> timedelta | None:
    """Real time between two moments, both in zones or both without."""
    return None if (left.tzinfo is None) != (right.tzinfo is None) else instant(left) - instant(right)


def _gap_of_date(left: date | datetime, right: date | datetime) -> timedelta | None:
    """A date against a moment stands for midnight UTC, so the moment needs a zone (DMN 1.5, 10.3.2.3.6)."""
    left, right = (value if isinstance(value, datetime) else _midnight(value).replace(tzinfo=timezone.utc) for value in (left, right))
    return _gap(left, right)


def _clock_gap(left: time, right: time) -> timedelta | None:
    (a, zoned), (b, other) = seconds_of_day(left), seconds_of_day(right)
    alike = zoned == other and getattr(left.tzinfo, "key", None) == getattr(right.tzinfo, "key", None)
    return a - b if alike or (zoned and other) else None


def _later(clock: time, length: timedelta) -> time | None:
    moment = shift(datetime(2000, 1, 2, clock.hour, clock.minute, clock.second, clock.microsecond), length % timedelta(days=1))
    return moment.time().replace(tzinfo=clock.tzinfo)


def _plus(left: timedelta, right: timedelta) -> timedelta | None:
    return from_seconds(seconds(left) + seconds(right))


def _scaled(length: timedelta, factor: Decimal) -> timedelta | None:
    return from_seconds(CONTEXT.multiply(seconds(length), number(factor)))


def _shortened(length: timedelta, divisor: Decimal) -> timedelta | None:
    return from_seconds(CONTEXT.divide(seconds(length), number(divisor)))


def _ratio(left: Decimal, right: Decimal) -> Decimal | None:
    return finite(CONTEXT.divide(left, right))


def _times(months: YearsMonths, factor: Decimal) -> YearsMonths | None:
    return _months(CONTEXT.multiply(Decimal(months.months), number(factor)))


def _over(months: YearsMonths, divisor: Decimal) -> YearsMonths | None:
    return _months(CONTEXT.divide(Decimal(months.months), number(divisor)))


def _flipped(table: dict) -> dict:
    return {(right, left): (lambda a, b, compute=compute: compute(b, a)) for (left, right), compute in table.items()}


_NUMBERS = {
    "+": lambda a, b: finite(CONTEXT.add(number(a), number(b))),
    "-": lambda a, b: finite(CONTEXT.subtract(number(a), number(b))),
    "*": lambda a, b: finite(CONTEXT.multiply(number(a), number(b))),
}
_LATER = {
    (MOMENT, MONTHS): lambda moment, length: add_months(moment, length.months),
    (DATE, MONTHS): lambda day, length: add_months(day, length.months),
    (MOMENT, DAYS): shift, (DATE, DAYS): shift, (TIME, DAYS): _later,
}
_ADD = {
    (NUMBER, NUMBER): _NUMBERS["+"], (TEXT, TEXT): lambda a, b: a + b, (DAYS, DAYS): _plus,
    (MONTHS, MONTHS): lambda a, b: YearsMonths(a.months + b.months), **_LATER, **_flipped(_LATER),
}
_SUBTRACT = {
    (NUMBER, NUMBER): _NUMBERS["-"], (DAYS, DAYS): lambda a, b: _plus(a, -b),
    (MONTHS, MONTHS): lambda a, b: YearsMonths(a.months - b.months),
    (MOMENT, MOMENT): _gap, (DATE, DATE): lambda a, b: a - b, (TIME, TIME): _clock_gap,
    (MOMENT, DATE): _gap_of_date, (DATE, MOMENT): _gap_of_date,
    (MOMENT, MONTHS): lambda moment, length: add_months(moment, -length.months),
    (DATE, MONTHS): lambda day, length: add_months(day, -length.months),
    (MOMENT, DAYS): lambda moment, length: shift(moment, -length),
    (DATE, DAYS): lambda day, length: shift(day, -length),
    (TIME, DAYS): lambda clock, length: _later(clock, -length),
}
_PRODUCTS = {(DAYS, NUMBER): _scaled, (MONTHS, NUMBER): _times}
_MULTIPLY = {(NUMBER, NUMBER): _NUMBERS["*"], **_PRODUCTS, **_flipped(_PRODUCTS)}
_DIVIDE = {
    (NUMBER, NUMBER): lambda a, b: _ratio(number(a), number(b)), (DAYS, NUMBER): _shortened, (MONTHS, NUMBER): _over,
    (DAYS, DAYS): lambda a, b: _ratio(seconds(a), seconds(b)),
    (MONTHS, MONTHS): lambda a, b: _ratio(Decimal(a.months), Decimal(b.months)),
}
_POWER = {(NUMBER, NUMBER): lambda a, b: finite(CONTEXT.power(number(a), number(b)))}
