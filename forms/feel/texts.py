"""How FEEL writes a value (`string(…)`), and the properties a value answers to (`.year`, `.time offset`, `.start` …)."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from forms.feel.budget import spend, weigh
from forms.feel.dates import date_time_text, duration_text, time_text
from forms.feel.values import PartialDate, Range, Uncertain, YearsMonths, between, kind, number


def number_text(value: Any) -> str:
    """Plain digits, no exponent, no trailing zero after the point: equal numbers are written alike."""
    exact = number(value)
    text = f"{exact:f}" if exact else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def text_of(value: Any, state: list, inside: bool = False) -> str:
    """A value as text; inside a list or context texts are quoted. Charged by what it visits."""
    found = kind(value)
    if found == "string":
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if inside else value
    if found == "null":
        return "null"
    if found == "boolean":
        return "true" if value else "false"
    if found == "number":
        return number_text(value)
    if found == "list":
        spend(state, 1 + len(value))
        return _joined("[", [text_of(element, state, True) for element in value], "]", state)
    if found == "context":
        spend(state, 1 + len(value))
        return _joined("{", [f"{name}: {text_of(element, state, True)}" for name, element in value.items()], "}", state)
    if found == "range":
        return range_text(value, state)
    if found == "uncertain":
        return str(value) if isinstance(value, PartialDate) else f"{text_of(value.low, state)}..{text_of(value.high, state)}"
    if found == "function":
        return f"function({', '.join(value.parameters)})"
    return _WRITERS[found](value)


_WRITERS = {
    "date": lambda day: day.isoformat(), "time": time_text, "date and time": date_time_text,
    "days and time duration": duration_text, "years and months duration": duration_text,
}


def _joined(opening: str, parts: list[str], closing: str, state: list) -> str:
    weigh(sum(map(len, parts)) + 2 * len(parts), state)
    return opening + ", ".join(parts) + closing


def range_text(span: Range, state: list) -> str:
    """`[1..3]`, `(< 10)`."""
    low, high = (text_of(end, state, True) for end in (span.low, span.high))
    if span.relation:
        return f"({span.relation} {high if span.low is None else low})"
    return f"{'[' if span.low_included else '('}{low}..{high}{']' if span.high_included else ')'}"


def property_of(value: Any, name: str, state: list) -> Any:
    """What `value.name` is: an entry of a context, a part of a date, each of a list; null when there is none."""
    found = kind(value)
    if found == "context":
        return value.get(name)
    if found == "list":
        spend(state, 1 + len(value))
        return [property_of(element, name, state) for element in value]
    if found == "uncertain":
        return _uncertain_property(value, name, state)
    read = _PROPERTIES.get((found, name))
    return None if read is None else read(value)


def _uncertain_property(value: Uncertain, name: str, state: list) -> Any:
    if isinstance(value, PartialDate):
        known = {"year": value.year, "month": value.month}.get(name)
        return None if known is None else Decimal(known)
    low, high = property_of(value.low, name, state), property_of(value.high, name, state)
    if low is None or high is None or (low != high and name not in _MONOTONE):
        return None
    return between(low, high)


_MONOTONE = frozenset({"year", "years", "days"})  # of two ordered values, these parts are ordered too


def _offset(value: Any) -> timedelta | None:
    return value.utcoffset()


def _zone_name(value: Any) -> str | None:
    return value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None


def _count(part: int) -> Decimal:
    return Decimal(part)


def _split(months: YearsMonths) -> tuple[int, int]:
    years, rest = divmod(abs(months.months), 12)
    return (-years, -rest) if months.months < 0 else (years, rest)


def _clock_part(length: timedelta, unit: int) -> Decimal:
    """Unit 0 days, 1 hours, 2 minutes, 3 seconds, all with the sign of the duration."""
    sign, length = (-1, -length) if length < timedelta(0) else (1, length)
    parts = (length.days, length.seconds // 3600, length.seconds // 60 % 60)
    if unit < 3:
        return Decimal(sign * parts[unit])
    return Decimal(sign) * (Decimal(length.seconds % 60) + Decimal(length.microseconds).scaleb(-6))


def _second(value: Any) -> Decimal:
    return Decimal(value.second) + Decimal(value.microsecond).scaleb(-6) if value.microsecond else Decimal(value.second)


_DAY = {
    "year": lambda v: _count(v.year), "month": lambda v: _count(v.month), "day": lambda v: _count(v.day),
    "weekday": lambda v: _count(v.isoweekday()),
}
_CLOCK = {
    "hour": lambda v: _count(v.hour), "minute": lambda v: _count(v.minute), "second": _second,
    "time offset": _offset, "timezone": _zone_name,
}
_OF_KIND: dict[str, Mapping[str, Any]] = {
    "date": _DAY, "time": _CLOCK, "date and time": _DAY | _CLOCK,
    "years and months duration": {"years": lambda v: _count(_split(v)[0]), "months": lambda v: _count(_split(v)[1])},
    "days and time duration": {
        name: (lambda v, unit=unit: _clock_part(v, unit)) for unit, name in enumerate(("days", "hours", "minutes", "seconds"))
    },
    "range": {
        "start": lambda v: v.low, "end": lambda v: v.high,
        "start included": lambda v: v.low_included, "end included": lambda v: v.high_included,
    },
}
_PROPERTIES = {(found, name): read for found, reads in _OF_KIND.items() for name, read in reads.items()}
PROPERTY_NAMES = frozenset(name for _, name in _PROPERTIES)
