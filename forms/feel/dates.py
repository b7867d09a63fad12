"""Dates, times, zones and durations: reading, writing, and the few computations of the calendar.

Limits, by Python's calendar: years 1 to 9999, fractions to the microsecond (further digits are cut). Zones come from the
pinned tzdata package, not from the machine, so that two servers agree.
"""

import importlib.resources
import re
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from forms.feel.values import PartialDate, YearsMonths

_ZONE = r"(?P<zone>Z|[+-]\d\d:\d\d(?::\d\d)?|@[A-Za-z0-9_+/-]+)?"
_TIME = rf"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d+))?{_ZONE}"
_DATE = r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
DATE, TIME = re.compile(_DATE, re.ASCII), re.compile(_TIME, re.ASCII)
DATE_TIME = re.compile(rf"{_DATE}(?:T{_TIME})?", re.ASCII)
PARTIAL = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d\d))?", re.ASCII)
MONTHS = re.compile(r"(-?)P(?=\d)(?:(\d{1,12})Y)?(?:(\d{1,12})M)?", re.ASCII)
DAYS = re.compile(r"(-?)P(?=[\dT])(?:(\d{1,12})D)?(?:T(?=\d)(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12})(?:\.(\d*))?S)?)?", re.ASCII)
MIDNIGHT = time(0)


@lru_cache(maxsize=700)
def zone(name: str) -> tzinfo | None:
    """The zone of an IANA name, from the tzdata package; None when there is none of that name."""
    parts = name.split("/")
    if not all(re.fullmatch(r"[A-Za-z0-9_+-]+", part) for part in parts):
        return None
    found = importlib.resources.files("tzdata.zoneinfo").joinpath(*parts)
    if not found.is_file():
        return None
    with found.open("rb") as stream:
        if stream.read(4) != b"TZif":
            return None
        stream.seek(0)
        return ZoneInfo.from_file(stream, key=name)


def offset_zone(seconds: int) -> timezone | None:
    """A fixed offset from UTC; None beyond ±18 hours."""
    return timezone(timedelta(seconds=seconds)) if abs(seconds) <= 64_800 else None


def _read_zone(text: str | None) -> tuple[bool, tzinfo | None]:
    if not text:
        return True, None
    if text == "Z":
        return True, timezone.utc
    if text[0] == "@":
        found = zone(text[1:])
        return found is not None, found
    hours, minutes, *seconds = (int(part) for part in text[1:].split(":"))
    if minutes > 59 or (seconds and seconds[0] > 59):
        return False, None
    sign = -1 if text[0] == "-" else 1
    found = offset_zone(sign * (hours * 3600 + minutes * 60 + (seconds[0] if seconds else 0)))
    return found is not None, found


def _clock(match: re.Match) -> tuple[time, bool] | None:
    """The time of a match, and whether it was 24:00:00, the end of the day."""
    known, found = _read_zone(match["zone"])
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"])
    fraction = int((match["fraction"] or "")[:6].ljust(6, "0"))
    end_of_day = (hour, minute, second, fraction) == (24, 0, 0, 0)
    if not known or (hour > 23 and not end_of_day) or minute > 59 or second > 59:
        return None
    return time(0 if end_of_day else hour, minute, second, fraction, found), end_of_day


def read_date(text: str) -> date | PartialDate | None:
    """`YYYY-MM-DD`; also `YYYY` and `YYYY-MM`, dates known in part. None for anything else."""
    match = DATE.fullmatch(text) or PARTIAL.fullmatch(text)
    if not match:
        return None
    parts = [int(part) for part in match.groups() if part]
    try:
        return date(*parts) if len(parts) == 3 else PartialDate(*parts)
    except ValueError:  # no such day: 31 February
        return None


def read_time(text: str) -> time | None:
    """`HH:MM:SS[.fraction][zone]`, zone being `Z`, an offset or `@Area/City`."""
    match = TIME.fullmatch(text)
    clock = match and _clock(match)
    return clock[0] if clock else None


def read_date_time(text: str) -> datetime | None:
    """A date, `T` and a time; a date alone is its midnight."""
    match = DATE_TIME.fullmatch(text)
    day = match and read_date(match[0][:10])
    if not day:
        return None
    clock = _clock(match) if match["hour"] else (MIDNIGHT, False)
    if not clock:
        return None
    moment = datetime.combine(day, clock[0])
    return shift(moment, timedelta(days=1)) if clock[1] else moment


def read_duration(text: str) -> timedelta | YearsMonths | None:
    """An ISO 8601 duration, of years and months or of days and time, never both."""
    match = MONTHS.fullmatch(text)
    if match:
        months = int(match[2] or 0) * 12 + int(match[3] or 0)
        return YearsMonths(-months if match[1] else months)
    match = DAYS.fullmatch(text)
    if not match:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:5])
    microseconds = int((match[6] or "")[:6].ljust(6, "0"))
    try:
        length = timedelta(days, seconds, microseconds, minutes=minutes, hours=hours)
    except OverflowError:
        return None
    return -length if match[1] else length


def read_literal(text: str):
    """What `@"…"` stands for: a date, a time, a date and time or a duration; None when it is none of them."""
    if DATE.fullmatch(text):
        return read_date(text)
    for read in (read_date_time, read_time, read_duration):
        found = read(text)
        if found is not None:
            return found
    return None


def add_months(day: date, months: int) -> date | None:
    """The same day `months` later (a datetime stays one), the last of the month where it is shorter; None off the calendar."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    last = PartialDate(year, month + 1).high.day
    return day.replace(year=year, month=month + 1, day=min(day.day, last))


def shift(moment: datetime | date, length: timedelta) -> datetime | date | None:
    """`length` later. In a zone the time passed is real time; a date counts from its midnight. None off the calendar."""
    try:
        if type(moment) is date:
            return (datetime.combine(moment, MIDNIGHT) + length).date()
        if moment.tzinfo is None or type(moment.tzinfo) is timezone:
            return moment + length
        return (moment.astimezone(timezone.utc) + length).astimezone(moment.tzinfo)
    except OverflowError:
        return None


def instant(moment: datetime) -> datetime:
    """The same moment without zone: in UTC if it had one."""
    shift_by = moment.utcoffset()
    return moment if shift_by is None else moment.replace(tzinfo=None) - shift_by


def seconds_of_day(clock: time) -> tuple[timedelta, bool]:
    """Time since midnight, in UTC where its offset is known, and whether it is."""
    passed = timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond)
    shift_by = clock.utcoffset()
    return (passed, False) if shift_by is None else (passed - shift_by, True)


def months_between(start: date, end: date) -> YearsMonths:
    """Whole months from one day to the other, times of day left out."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    elif months < 0 and end.day > start.day:
        months += 1
    return YearsMonths(months)


def zone_text(found: tzinfo | None) -> str:
    """`Z`, `+01:00`, `@Africa/Tunis`, or nothing."""
    if found is None:
        return ""
    if isinstance(found, ZoneInfo):
        return f"@{found.key}"
    text = time(0, tzinfo=found).isoformat()[8:]
    return "Z" if text == "+00:00" else text


def time_text(clock: time) -> str:
    """As FEEL writes it: no fraction where there is none."""
    fraction = f".{clock.microsecond:06}".rstrip("0") if clock.microsecond else ""
    return f"{clock:%H:%M:%S}{fraction}{zone_text(clock.tzinfo)}"


def date_time_text(moment: datetime) -> str:
    """Date, `T`, time."""
    return f"{moment.date().isoformat()}T{time_text(moment.timetz())}"


def duration_text(length: timedelta | YearsMonths) -> str:
    """The shortest ISO 8601 writing, days at most for a timedelta."""
    if isinstance(length, YearsMonths):
        years, months = divmod(abs(length.months), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return ("-P" if length.months < 0 else "P") + text
    sign, length = ("-", -length) if length < timedelta(0) else ("", length)
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{length.microseconds:06}".rstrip("0") if length.microseconds else ""
    clock = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M")) if count)
    clock += f"{seconds}{fraction}S" if seconds or fraction else ""
    day = f"{length.days}D" if length.days else ""
    return f"{sign}P{day}T{clock}" if clock else f"{sign}P{day}" if day else "PT0S"


def seconds(length: timedelta) -> Decimal:
    """A duration in seconds, exact."""
    return Decimal(length // timedelta(microseconds=1)).scaleb(-6)


def from_seconds(count: Decimal) -> timedelta | None:
    """The duration of that many seconds, cut to the microsecond; None beyond what a duration holds."""
    if not count.is_finite() or count.adjusted() > 14:
        return None
    try:
        return timedelta(microseconds=int(count.scaleb(6)))
    except OverflowError:
        return None
