"""Dates, times and durations: reading them from text (ISO 8601 as FEEL narrows it) and reckoning with them. What cannot be read is null."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from forms.feel.values import PartialDate, YearsMonths, kind, offset_of

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2}(?::\d{2})?|@[\w+\-/]+)?")
_YEARS_MONTHS = re.compile(r"(-?)P(?=\d)(?:(\d{1,9})Y)?(?:(\d{1,10})M)?")
_DAYS_TIME = re.compile(r"(-?)P(?=\d|T\d)(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.(\d{0,9}))?S)?)?")
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2}))?")
_UTC = dt.UTC


def date(text: str) -> dt.date | None:
    found = _DATE.fullmatch(text) if text.isascii() else None
    try:
        return dt.date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def partial_date(text: str) -> dt.date | PartialDate | None:
    """A date known to the day, the month or the year."""
    found = _PARTIAL.fullmatch(text) if text.isascii() else None
    if found is None:
        return date(text)
    year, month = int(found[1]), int(found[2]) if found[2] else None
    return PartialDate(year, month) if 1 <= year <= 9998 and (month is None or 1 <= month <= 12) else None


def time(text: str) -> dt.time | None:
    found = _TIME.fullmatch(text) if text.isascii() else None
    if not found:
        return None
    hour, minute, second, fraction, zone = found.groups()
    try:
        return dt.time(int(hour), int(minute), int(second), int((fraction or "0").ljust(9, "0")[:6]), tzinfo=_zone(zone))
    except (ValueError, OSError):
        return None


def _zone(text: str | None) -> dt.tzinfo | None:
    if not text:
        return None
    if text == "Z" or text == "+00:00" or text == "-00:00":
        return _UTC
    if text.startswith("@"):
        try:
            return ZoneInfo(text[1:])
        except Exception as trouble:  # zoneinfo raises several types for a name that is no zone
            raise ValueError(text) from trouble
    hours, minutes, *seconds = map(int, text[1:].split(":"))
    if hours > 14 or minutes > 59:
        raise ValueError(text)
    return dt.timezone((1 if text[0] == "+" else -1) * dt.timedelta(hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0))


def date_and_time(text: str) -> dt.datetime | None:
    day, _, clock = text.partition("T")
    found = date(day)
    if found is None or not clock:
        return dt.datetime.combine(found, dt.time()) if found and "T" not in text else None
    moment = time(clock)
    return dt.datetime.combine(found, moment) if moment else None


def duration(text: str) -> dt.timedelta | YearsMonths | None:
    found = _YEARS_MONTHS.fullmatch(text)
    if found and (found[2] or found[3]):
        months = int(found[2] or 0) * 12 + int(found[3] or 0)
        return YearsMonths(-months if found[1] else months)
    found = _DAYS_TIME.fullmatch(text)
    if not found:
        return None
    sign, days, hours, minutes, seconds, fraction = found.groups()
    try:
        value = dt.timedelta(days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds or 0),
            microseconds=int((fraction or "0").ljust(6, "0")[:6]))
    except OverflowError:
        return None
    return -value if sign else value


def literal(text: str) -> Any:
    """The value of an at-literal (`@"…"`)."""
    for read in (date, time, duration):
        if (value := read(text)) is not None:
            return value
    return date_and_time(text) if "T" in text else None


def add_months(value: dt.date, months: int) -> dt.date | None:
    """The same day of another month, or its last day where it has none."""
    total = value.year * 12 + value.month - 1 + months
    year, month = divmod(total, 12)
    if not 1 <= year <= 9999:
        return None
    last = 29 if month == 1 and (year % 4 == 0 and (year % 100 or year % 400 == 0)) else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month]
    return value.replace(year=year, month=month + 1, day=min(value.day, last))


def shift(value: Any, by: Any, sign: int) -> Any:
    """A date, time or date and time moved by a duration; None where that means nothing."""
    try:
        match kind(value), by:
            case ("date" | "date and time", YearsMonths(months)) if not isinstance(value, PartialDate):
                return add_months(value, sign * months)
            case "date and time", dt.timedelta():
                return value + sign * by
            case "date", dt.timedelta() if not isinstance(value, PartialDate):
                return (dt.datetime.combine(value, dt.time()) + sign * by).date()
            case "time", dt.timedelta():
                return (dt.datetime.combine(dt.date(2000, 1, 1),
                    value.replace(tzinfo=None)) + dt.timedelta(seconds=(sign * by).total_seconds() % 86_400)).time().replace(tzinfo=value.tzinfo)
    except OverflowError:
        pass
    return None


def between(one: Any, other: Any) -> dt.timedelta | None:
    """`one - other` of two dates, times or dates and times; a date is its midnight in UTC where the other has a zone."""
    if isinstance(one, PartialDate) or isinstance(other, PartialDate):
        return None
    if kind(one) == kind(other) == "time":
        if (one.tzinfo is None) != (other.tzinfo is None):
            return None
        day = dt.date(2000, 1, 1)
        found = dt.datetime.combine(day, one.replace(tzinfo=None)) - dt.datetime.combine(day, other.replace(tzinfo=None))
        return found - offset_of(one) + offset_of(other) if one.tzinfo else found
    if not {kind(one), kind(other)} <= {"date", "date and time"}:
        return None
    first, second = (value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time(), _UTC if _other_zone(one,
        other) else None) for value in (one, other))
    if (first.tzinfo is None) != (second.tzinfo is None):
        return None
    return first - second


def _other_zone(one: Any, other: Any) -> bool:
    return any(isinstance(value, dt.datetime) and value.tzinfo is not None for value in (one, other))


def months_between(first: Any, second: Any) -> YearsMonths | None:
    """Whole months from one date to another (`years and months duration`)."""
    if not {kind(first), kind(second)} <= {"date", "date and time"} or isinstance(first, PartialDate) or isinstance(second, PartialDate):
        return None
    months = (second.year - first.year) * 12 + second.month - first.month
    if months > 0 and second.day < first.day:
        months -= 1
    elif months < 0 and second.day > first.day:
        months += 1
    return YearsMonths(months)


def properties(value: Any) -> dict[str, Any]:
    """The properties a path may name of a date, time or duration."""
    match kind(value):
        case "date" if isinstance(value, PartialDate):
            return {"year": Decimal(value.year), "month": Decimal(value.month) if value.month else None}
        case "date":
            return {"year": Decimal(value.year), "month": Decimal(value.month), "day": Decimal(value.day), "weekday": Decimal(value.isoweekday())}
        case "date and time":
            return properties(value.date()) | _clock(value)
        case "time":
            return _clock(value)
        case "years and months duration":
            sign = -1 if value.months < 0 else 1
            years, months = divmod(abs(value.months), 12)
            return {"years": Decimal(sign * years), "months": Decimal(sign * months)}
        case "days and time duration":
            sign = -1 if value < dt.timedelta() else 1
            seconds = abs(value) // dt.timedelta(seconds=1)
            parts = {"days": seconds // 86_400, "hours": seconds % 86_400 // 3600, "minutes": seconds % 3600 // 60, "seconds": seconds % 60}
            return {name: Decimal(sign * part) for name, part in parts.items()}
    return {}


def _clock(value: dt.time | dt.datetime) -> dict[str, Any]:
    zone = value.tzinfo
    return {"hour": Decimal(value.hour), "minute": Decimal(value.minute), "second": Decimal(value.second), "time offset": offset_of(value),
            "timezone": zone.key if isinstance(zone, ZoneInfo) else None}  # fmt: skip
