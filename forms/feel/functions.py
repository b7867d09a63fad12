"""The standard functions of one value: conversion, booleans, strings, numbers, contexts, dates (DMN 1.5 §10.3.4).

Each takes FEEL values and gives one; what is out of its domain is null. Those of lists are in `lists`, those of ranges in `relations`.
"""

import calendar
import datetime as dt
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

import re2

from forms.feel import temporal
from forms.feel.signatures import feel
from forms.feel.values import CTX, LONGEST_TEXT, PartialDate, YearsMonths, equal, kind, write

# ── Conversion ──────────────────────────────────────────────────────────────────────────────────────────────────────────
feel("date", "from:s")(temporal.date)
feel("time", "from:s")(temporal.time)
feel("date and time", "from:s")(temporal.date_and_time)
feel("duration", "from:s")(temporal.duration)
feel("years and months duration", "from:d, to:d")(temporal.months_between)
feel("string", "from:*")(lambda value: None if value is None else write(value))


@feel("date", "from:d")
def _date_of(value: Any) -> Any:
    return value.date() if isinstance(value, dt.datetime) else value


@feel("date", "year:n, month:n, day:n")
def _date(year: Decimal, month: Decimal, day: Decimal) -> dt.date:
    return dt.date(int(year), int(month), int(day))


@feel("time", "from:d")
def _time_of(value: Any) -> dt.time:
    return value.timetz() if isinstance(value, dt.datetime) else dt.time(tzinfo=dt.UTC)


@feel("time", "from:*")
def _time_same(value: Any) -> Any:
    return value if isinstance(value, dt.time) else None


@feel("time", "hour:n, minute:n, second:n, offset:*?")
def _time(hour: Decimal, minute: Decimal, second: Decimal, offset: Any) -> dt.time | None:
    if offset is not None and not isinstance(offset, dt.timedelta):
        return None
    micro = int((second - int(second)) * 1_000_000)
    zone = None if offset is None else dt.UTC if not offset else dt.timezone(offset)
    return dt.time(int(hour), int(minute), int(second), micro, tzinfo=zone)


@feel("date and time", "date:d, time:*")
def _date_and_time(day: Any, moment: Any) -> dt.datetime | None:
    if isinstance(moment, dt.time) and not isinstance(day, PartialDate):
        return dt.datetime.combine(day.date() if isinstance(day, dt.datetime) else day, moment)
    return _in_zone(day, moment) if isinstance(moment, str) else None


@feel("date and time", "date:d, timezone:s")
def _in_zone(value: Any, zone: str) -> dt.datetime | None:
    found = temporal.time(f"00:00:00@{zone}")
    return value.astimezone(found.tzinfo) if found and isinstance(value, dt.datetime) else None


@feel("number", "from:s", "from:s, grouping separator:s?, decimal separator:s?")
def _number(text: str, grouping: str | None = None, point: str | None = None) -> Decimal | None:
    if grouping not in (None, " ", ",", ".") or point not in (None, ",", ".") or (grouping and grouping == point):
        return None
    text = text.replace(grouping, "") if grouping else text
    text = text.replace(point, ".") if point else text
    return CTX.create_decimal(text) if re2.fullmatch(r"-?(\d+(\.\d+)?|\.\d+)([eE][+-]?\d{1,4})?", text) else None


# ── Booleans ────────────────────────────────────────────────────────────────────────────────────────────────────────────
@feel("not", "negand:*")
def _not(value: Any) -> bool | None:
    return not value if isinstance(value, bool) else None


@feel("is", "value1:*, value2:*")
def _is(one: Any, other: Any) -> bool | None:
    if kind(one) != kind(other):
        return False
    if kind(one) in ("time", "date and time"):
        return write(one) == write(other)
    return bool(equal(one, other))


# ── Strings ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
@feel("substring", "string:s, start position:n, length:n?")
def _substring(text: str, start: Decimal, length: Decimal | None) -> str | None:
    first = int(start)
    if first == 0 or (length is not None and length < 1):
        return None if first == 0 else ""
    first = first - 1 if first > 0 else max(len(text) + first, 0)
    return text[first : first + int(length)] if length is not None else text[first:]


feel("string length", "string:s")(lambda text: Decimal(len(text)))
feel("upper case", "string:s")(lambda text: text.upper())
feel("lower case", "string:s")(lambda text: text.lower())
feel("substring before", "string:s, match:s")(lambda text, match: text.partition(match)[0] if match and match in text else "")
feel("substring after", "string:s, match:s")(lambda text, match: text.partition(match)[2] if match else text)
feel("contains", "string:s, match:s")(lambda text, match: match in text)
feel("starts with", "string:s, match:s")(lambda text, match: text.startswith(match))
feel("ends with", "string:s, match:s")(lambda text, match: text.endswith(match))
feel("trim", "string:s")(lambda text: text.strip())


def _pattern(pattern: str, flags: str | None) -> Any:
    """A pattern that cannot hang (re2: linear time); None for what it does not take (look-around, back-references)."""
    flags = flags or ""
    if len(pattern) > 500 or set(flags) - set("smixq"):
        return None
    if "q" in flags:
        pattern = re2.escape(pattern)
    elif "x" in flags:
        pattern = "".join(pattern.split())
    options = re2.Options()
    options.log_errors = False
    inline = "".join(letter for letter in "smi" if letter in flags)
    try:
        return re2.compile(f"(?{inline}){pattern}" if inline else pattern, options=options)
    except re2.error:
        return None


@feel("matches", "input:s, pattern:s, flags:s?")
def _matches(text: str, pattern: str, flags: str | None) -> bool | None:
    found = _pattern(pattern, flags)
    return None if found is None else found.search(text) is not None


@feel("replace", "input:s, pattern:s, replacement:s, flags:s?")
def _replace(text: str, pattern: str, replacement: str, flags: str | None) -> str | None:
    found = _pattern(pattern, flags)
    if found is None or found.search("") is not None or len(text) * len(replacement) > LONGEST_TEXT:
        return None
    if "q" in (flags or ""):
        return found.sub(lambda _: replacement, text)

    def fill(match: Any) -> str:
        def group(one: Any) -> str:
            return (match.group(int(one.group(1))) or "") if one.group(1) and int(one.group(1)) <= found.groups else one.group(2) or ""

        return re2.sub(r"\$(\d)|\\(.)", group, replacement)

    return found.sub(fill, text)


@feel("split", "string:s, delimiter:s")
def _split(text: str, delimiter: str) -> list[str] | None:
    found = _pattern(delimiter, None)
    return None if found is None else list(found.split(text))


@feel("string join", "list:l, delimiter:s?")
def _join(items: list[Any], delimiter: str | None) -> str | None:
    if any(item is not None and not isinstance(item, str) for item in items):
        return None
    if sum(map(len, filter(None, items))) + len(delimiter or "") * len(items) > LONGEST_TEXT:
        return None
    return (delimiter or "").join(item for item in items if item is not None)


# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _rounded(value: Decimal, scale: Decimal | None, mode: str) -> Decimal | None:
    places = int(scale) if scale is not None else 0
    if not -6111 <= places <= 6176:
        return None
    if places >= -value.as_tuple().exponent:
        return value
    return CTX.create_decimal(value.quantize(Decimal(1).scaleb(-places), rounding=mode))


feel("decimal", "n:n, scale:n")(lambda value, scale: _rounded(value, scale, ROUND_HALF_EVEN))
feel("floor", "n:n", "n:n, scale:n")(lambda value, scale=None: _rounded(value, scale, ROUND_FLOOR))
feel("ceiling", "n:n", "n:n, scale:n")(lambda value, scale=None: _rounded(value, scale, ROUND_CEILING))
feel("round up", "n:n, scale:n")(lambda value, scale: _rounded(value, scale, ROUND_UP))
feel("round down", "n:n, scale:n")(lambda value, scale: _rounded(value, scale, ROUND_DOWN))
feel("round half up", "n:n, scale:n")(lambda value, scale: _rounded(value, scale, ROUND_HALF_UP))
feel("round half down", "n:n, scale:n")(lambda value, scale: _rounded(value, scale, ROUND_HALF_DOWN))
feel("sqrt", "number:n")(lambda value: CTX.sqrt(value))
feel("exp", "number:n")(lambda value: CTX.exp(value))
feel("log", "number:n")(lambda value: CTX.ln(value) if value > 0 else None)
feel("odd", "number:n")(lambda value: value % 2 in (1, -1))
feel("even", "number:n")(lambda value: value % 2 == 0)


@feel("abs", "n:*")
def _abs(value: Any) -> Any:
    match value:
        case Decimal() | dt.timedelta():
            return abs(value)
        case YearsMonths(months):
            return YearsMonths(abs(months))
    return None


@feel("modulo", "dividend:n, divisor:n")
def _modulo(dividend: Decimal, divisor: Decimal) -> Decimal | None:
    if not divisor:
        return None
    return CTX.subtract(dividend, CTX.multiply(divisor, CTX.divide(dividend, divisor).to_integral_value(ROUND_FLOOR)))


# ── Contexts ────────────────────────────────────────────────────────────────────────────────────────────────────────────
feel("get value", "m:c, key:s")(lambda context, key: context.get(key))
feel("get entries", "m:c")(lambda context: [{"key": key, "value": value} for key, value in context.items()])


@feel("context", "entries:l")
def _context(entries: list[Any]) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not {"key", "value"} <= entry.keys() or not isinstance(entry["key"], str) or entry["key"] in found:
            return None
        found[entry["key"]] = entry["value"]
    return found


@feel("context put", "context:c, key:s, value:*")
def _put(context: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**context, key: value}


@feel("context put", "context:c, keys:l, value:*")
def _put_deep(context: dict[str, Any], keys: list[Any], value: Any) -> dict[str, Any] | None:
    if not keys or not isinstance(keys[0], str):
        return None
    if len(keys) == 1:
        return {**context, keys[0]: value}
    inner = context.get(keys[0], {})
    deeper = _put_deep(inner, keys[1:], value) if isinstance(inner, dict) else None
    return None if deeper is None else {**context, keys[0]: deeper}


@feel("context merge", "contexts:l")
def _merge(contexts: list[Any]) -> dict[str, Any] | None:
    merged: dict[str, Any] = {}
    for one in contexts:
        if not isinstance(one, dict):
            return None
        merged |= one
    return merged


# ── Dates ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
feel("day of year", "date:d")(lambda value: None if isinstance(value, PartialDate) else Decimal(value.timetuple().tm_yday))
feel("day of week", "date:d")(lambda value: None if isinstance(value, PartialDate) else calendar.day_name[value.weekday()])
feel("month of year", "date:d")(lambda value: None if isinstance(value, PartialDate) else calendar.month_name[value.month])
feel("week of year", "date:d")(lambda value: None if isinstance(value, PartialDate) else Decimal(value.isocalendar().week))
