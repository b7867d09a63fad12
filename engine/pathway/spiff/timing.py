"""When a timer is due: ISO 8601 dates, durations and cycles as bpmn-js writes them, or what a FEEL expression gave.

Instants count from the stimulus; a cycle counts from its previous due instant, so that a late worker never shifts a reminder.
Not here: working days (a task's deadline is casework's).
"""

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from engine.pathway.spiff.expressions import Fault

TUNIS = ZoneInfo("Africa/Tunis")
_DURATION = re.compile(
    r"(?P<sign>-?)P(?=.)(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,7})M)?(?:(?P<seconds>\d{1,9})(?:[.,]\d{1,6})?S)?)?"
)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_CYCLE = re.compile(r"R(?P<count>\d{0,6})/(?P<first>[^/]+)(?:/(?P<second>[^/]+))?")
_NEARLY = re.compile(r"-?(?:P|R\d*/)[\dA-Z.,:/-]*")
_MOST_SKIPPED = 1_000_000  # occurrences a sleeping machine may have missed


@dataclass(frozen=True)
class Duration:
    """Months by the calendar, the rest exact."""

    months: int
    rest: dt.timedelta

    def after(self, start: dt.datetime, times: int = 1) -> dt.datetime:
        """`times` durations after an instant; months count in Tunis, the 31st becoming the last day of a shorter month."""
        local = start.astimezone(TUNIS)
        count = local.month - 1 + self.months * times
        year, month = local.year + count // 12, count % 12 + 1
        day = min(local.day, calendar.monthrange(year, month)[1])
        return (local.replace(year=year, month=month, day=day) + self.rest * times).astimezone(dt.UTC)


@dataclass(frozen=True)
class Cycle:
    """`count` occurrences (None: without end), `every` so long, the first at `first` (None: one period from now)."""

    count: int | None
    every: Duration
    first: dt.datetime | None


def is_iso(kind: str, text: str) -> bool:
    """Whether the text of a timer is a literal, not FEEL."""
    text = text.strip()
    if kind == "cycle":
        return bool(_CYCLE.fullmatch(text) or _DURATION.fullmatch(text))
    return bool(_INSTANT.fullmatch(text) or _DURATION.fullmatch(text))


def is_nearly_iso(text: str) -> bool:
    """Whether a text is written as a duration or a cycle and is none: no variable is called so."""
    return bool(_NEARLY.fullmatch(text.strip()))


def read_duration(text: str) -> Duration:
    """ISO 8601 duration. Raises Fault `timer.unreadable`."""
    found = _DURATION.fullmatch(text.strip())
    if not found or found["sign"]:
        raise Fault("timer.unreadable", text=text)
    years, months, weeks, days, hours, minutes, seconds = (
        int(found[name] or 0) for name in ("years", "months", "weeks", "days", "hours", "minutes", "seconds")
    )
    return Duration(years * 12 + months, dt.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds))


def read_instant(text: str) -> dt.datetime:
    """ISO 8601 date or instant; without offset it is Tunis time. Raises Fault `timer.unreadable`."""
    if not _INSTANT.fullmatch(text.strip()):
        raise Fault("timer.unreadable", text=text)
    try:
        found = dt.datetime.fromisoformat(text.strip().replace(",", "."))
    except ValueError as wrong:
        raise Fault("timer.unreadable", text=text) from wrong
    return (found if found.tzinfo else found.replace(tzinfo=TUNIS)).astimezone(dt.UTC)


def read_cycle(text: str) -> Cycle:
    """`R3/PT10M`, `R/P1M`, `R5/2026-01-01/P1D`, `R5/P1D/2026-06-01` (its end), or a bare period. Raises Fault `timer.unreadable`."""
    text = text.strip()
    if _DURATION.fullmatch(text):
        return _checked(Cycle(None, read_duration(text), None), text)
    found = _CYCLE.fullmatch(text)
    if not found:
        raise Fault("timer.unreadable", text=text)
    count = int(found["count"]) if found["count"] else None
    first, second = found["first"], found["second"]
    if second is None:
        return _checked(Cycle(count, read_duration(first), None), text)
    if _DURATION.fullmatch(second):
        return _checked(Cycle(count, read_duration(second), read_instant(first)), text)
    every = read_duration(first)
    if count is None:
        raise Fault("timer.unreadable", text=text)
    return _checked(Cycle(count, every, every.after(read_instant(second), -(count - 1))), text)


def _checked(cycle: Cycle, text: str) -> Cycle:
    if cycle.count == 0 or not (cycle.every.months or cycle.every.rest >= dt.timedelta(minutes=1)):
        raise Fault("timer.unreadable", text=text)
    return cycle


def due(value: Any, at: dt.datetime) -> dt.datetime:
    """The instant that a literal or a FEEL value means, counted from `at`. Raises Fault `timer.unreadable`."""
    try:
        if isinstance(value, str):
            return read_duration(value).after(at) if value.strip().startswith("P") else read_instant(value)
        if isinstance(value, dt.datetime):
            return (value if value.tzinfo else value.replace(tzinfo=TUNIS)).astimezone(dt.UTC)
        if isinstance(value, dt.date):
            return dt.datetime.combine(value, dt.time(), TUNIS).astimezone(dt.UTC)
        if isinstance(value, dt.timedelta):
            return at + value
        if hasattr(value, "months"):
            return Duration(int(value.months), dt.timedelta()).after(at)
    except (OverflowError, ValueError) as wrong:
        raise Fault("timer.unreadable", text=str(value)) from wrong
    raise Fault("timer.unreadable", text=str(value))


def first_occurrence(value: Any, at: dt.datetime) -> tuple[dt.datetime, Cycle]:
    """The first instant of a cycle, given as text or as a FEEL duration, and the cycle."""
    if isinstance(value, str):
        cycle = read_cycle(value)
    elif isinstance(value, dt.timedelta):
        cycle = _checked(Cycle(None, Duration(0, value), None), str(value))
    elif hasattr(value, "months"):
        cycle = _checked(Cycle(None, Duration(int(value.months), dt.timedelta()), None), str(value))
    else:
        raise Fault("timer.unreadable", text=str(value))
    try:
        return cycle.first or cycle.every.after(at), cycle
    except (OverflowError, ValueError) as wrong:
        raise Fault("timer.unreadable", text=str(value)) from wrong


def next_occurrence(origin: dt.datetime, every: Duration, number: int, at: dt.datetime, last: int | None) -> tuple[int, dt.datetime | None, int]:
    """After occurrence `number` (1 is `origin`) rang at `at`: the number and instant of the next one still to come, and how many were missed.

    Counted from the origin, so that the 31st comes back after February. The instant is None when the cycle is over.
    """
    for skipped in range(_MOST_SKIPPED):
        number += 1
        if last is not None and number > last:
            return number, None, skipped
        instant = every.after(origin, number - 1)
        if instant > at:
            return number, instant, skipped
    raise Fault("timer.unreadable", text=str(every))
