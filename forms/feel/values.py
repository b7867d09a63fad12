"""The values of FEEL (DMN 1.5 §10.3.2): how they are held, compared, written as text.

null is None, numbers are Decimal (34 digits), strings str, booleans bool, lists list, contexts dict, days and time durations timedelta;
years and months durations, ranges, functions and dates known in part have a type here. Years outside 1–9999 are not supported: null.
"""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

CTX = Context(prec=34, Emax=6144, Emin=-6143)  # those of decimal128, which FEEL takes its numbers from
LONGEST_TEXT = 1_000_000


class FeelError(ValueError):
    """An expression that cannot be read, or that took more steps than it may. `position` is an offset in `text`."""

    def __init__(self, text: str, position: int, reason: str) -> None:
        super().__init__(f"{reason} (at {position} of {text[:80]!r})")
        self.text, self.position, self.reason = text, position, reason


@dataclass(frozen=True, order=True)
class YearsMonths:
    """A duration in whole months."""

    months: int


@dataclass(frozen=True)
class PartialDate:
    """A date known to the year (`month` None) or the month only: compared as the interval of days it may be."""

    year: int
    month: int | None = None

    @property
    def first(self) -> dt.date:
        return dt.date(self.year, self.month or 1, 1)

    @property
    def last(self) -> dt.date:
        after = dt.date(self.year + (self.month in (None, 12)), (self.month or 12) % 12 + 1, 1)
        return after - dt.timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.year:04d}" + (f"-{self.month:02d}" if self.month else "")


@dataclass(frozen=True, eq=False)
class Range:
    """`low` or `high` None is no bound on that side."""

    low: Any
    high: Any
    has_low: bool = True
    has_high: bool = True

    def contains(self, value: Any) -> bool | None:
        for bound, closed, sign in ((self.low, self.has_low, 1), (self.high, self.has_high, -1)):
            if bound is None:
                continue
            order = compare(value, bound)
            if order is None:
                return None
            if order * sign < 0 or (order == 0 and not closed):
                return False
        return True


@dataclass(frozen=True, eq=False)
class Function:
    """A function value: `call(arguments, budget)`; `names` are its parameters."""

    names: tuple[str, ...]
    call: Callable[..., Any]
    is_builtin: bool = False


def kind(value: Any) -> str:
    """The name of a value's type, as FEEL writes it."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case Decimal():
            return "number"
        case str():
            return "string"
        case dt.datetime():
            return "date and time"
        case dt.date() | PartialDate():
            return "date"
        case dt.time():
            return "time"
        case dt.timedelta():
            return "days and time duration"
        case YearsMonths():
            return "years and months duration"
        case list():
            return "list"
        case dict():
            return "context"
        case Range():
            return "range"
        case Function():
            return "function"
    return "unknown"


def let_in(value: Any) -> Any:
    """A value of the caller as FEEL holds it: numbers become Decimal, tuples lists."""
    if isinstance(value, bool) or value is None or isinstance(value, str | Decimal):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, tuple):
        return list(value)
    return value


def _instant(value: dt.datetime) -> dt.datetime:
    return value.replace(microsecond=0)


def compare(one: Any, other: Any) -> int | None:
    """-1, 0 or 1; None where the two cannot be ordered (other types, null, a zone on one side only, dates that may overlap)."""
    if type(one) is Decimal and type(other) is Decimal:
        return (one > other) - (one < other)
    a, b = kind(one), kind(other)
    if a != b or a not in ("number", "string", "date", "date and time", "time", "days and time duration", "years and months duration"):
        return None
    if a == "date":
        return _compare_dates(one, other)
    if a == "date and time":
        if (one.tzinfo is None) != (other.tzinfo is None):
            return None
        one, other = _instant(one), _instant(other)
    if a == "time":
        if (one.tzinfo is None) != (other.tzinfo is None):
            return None
        one, other = _seconds(one), _seconds(other)
    return (one > other) - (one < other)


def _compare_dates(one: Any, other: Any) -> int | None:
    if isinstance(one, PartialDate) and one == other:
        return 0 if one.first == one.last else None
    one_first, one_last = (one.first, one.last) if isinstance(one, PartialDate) else (one, one)
    other_first, other_last = (other.first, other.last) if isinstance(other, PartialDate) else (other, other)
    if one_last < other_first:
        return -1
    if one_first > other_last:
        return 1
    return 0 if one_first == one_last == other_first == other_last else None


def _seconds(value: dt.time) -> int:
    total = value.hour * 3600 + value.minute * 60 + value.second
    offset = offset_of(value)
    return total - int(offset.total_seconds()) if offset is not None else total


def offset_of(value: dt.time | dt.datetime) -> dt.timedelta | None:
    """The distance from UTC; a zone without a day has the distance it has on 1 January 1970."""
    if value.tzinfo is None:
        return None
    found = value.utcoffset()
    return found if found is not None else dt.datetime(1970, 1, 1, tzinfo=value.tzinfo).utcoffset()


def equal(one: Any, other: Any) -> bool | None:
    """FEEL's `=`: null only equals null; other types do not compare (None)."""
    if one is None or other is None:
        return one is None and other is None
    a, b = kind(one), kind(other)
    if a != b:
        return None
    match a:
        case "list":
            if len(one) != len(other):
                return False
            return all(equal(x, y) for x, y in zip(one, other, strict=True))
        case "context":
            return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
        case "range":
            return bool(equal(one.low, other.low)) and bool(equal(one.high, other.high)) and (one.has_low, one.has_high) == (other.has_low, other.has_high)
        case "boolean":
            return one is other
        case "function" | "unknown":
            return None
        case "time" | "date and time" if (one.tzinfo is None) != (other.tzinfo is None):
            return False
    order = compare(one, other)
    return None if order is None else order == 0


# ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

def write(value: Any) -> str:
    """The text of a value as `string()` gives it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return write_number(value)
        case str():
            return value
        case dt.datetime():
            return f"{value.date().isoformat()}T{_write_time(value)}"
        case dt.date():
            return value.isoformat()
        case dt.time():
            return _write_time(value)
        case dt.timedelta():
            return write_duration(value)
        case YearsMonths():
            years, months = divmod(abs(value.months), 12)
            sign = "-" if value.months < 0 else ""
            return sign + "P" + (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        case list():
            return "[" + ", ".join(map(_quoted, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{_key(key)}: {_quoted(inner)}" for key, inner in value.items()) + "}"
        case Range():
            if value.low is None or value.high is None:
                bound, sign = (value.high, "<") if value.low is None else (value.low, ">")
                closed = value.has_high if value.low is None else value.has_low
                return f"({sign}{'=' if closed else ''} {_quoted(bound)})"
            return f"{'[' if value.has_low else '('}{_quoted(value.low)}..{_quoted(value.high)}{']' if value.has_high else ')'}"
    return str(value)


def write_number(value: Decimal) -> str:
    text = format(value.normalize(CTX), "f")
    return "0" if text == "-0" else text


def _quoted(value: Any) -> str:
    return '"' + value.replace('"', '\\"') + '"' if isinstance(value, str) else write(value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[\w?' +\-*/.]+", key) and not key[:1].isdigit() else '"' + key.replace('"', '\\"') + '"'


def _write_time(value: dt.time | dt.datetime) -> str:
    text = f"{value.hour:02d}:{value.minute:02d}:{value.second:02d}"
    if value.microsecond:
        text += f".{value.microsecond:06d}".rstrip("0")
    if value.tzinfo is None:
        return text
    if isinstance(value.tzinfo, ZoneInfo):
        return f"{text}@{value.tzinfo.key}"
    seconds = int(offset_of(value).total_seconds())
    if not seconds:
        return text + "Z"
    hours, rest = divmod(abs(seconds), 3600)
    minutes, seconds_ = divmod(rest, 60)
    return f"{text}{'-' if seconds < 0 else '+'}{hours:02d}:{minutes:02d}" + (f":{seconds_:02d}" if seconds_ else "")


def write_duration(value: dt.timedelta) -> str:
    micro = value.days * 86_400_000_000 + value.seconds * 1_000_000 + value.microseconds
    sign, micro = ("-", -micro) if micro < 0 else ("", micro)
    seconds, fraction = divmod(micro, 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    last = f"{seconds}" + (f".{fraction:06d}".rstrip("0") if fraction else "")
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + (f"{last}S" if seconds or fraction else "")
    text = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return sign + "P" + (text or "T0S")
