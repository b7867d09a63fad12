"""The standard functions (DMN 1.5 §10.3.4). Each takes FEEL values and gives one; what is out of its domain is null.

A parameter's letter says what it accepts: n number, s string, b boolean, l list (anything else becomes a list of one), d date, t date or date
and time, c context, f function, * anything; `?` after it: may be left out or null; `+` last: any number of them.
"""

import calendar
import datetime as dt
import statistics
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal, DecimalException
from typing import Any

import re2

from forms.feel import temporal
from forms.feel.values import CTX, Function, PartialDate, YearsMonths, compare, equal, kind, write

_KINDS = {"n": ("number",), "s": ("string",), "b": ("boolean",), "l": ("list",), "d": ("date", "date and time"), "c": ("context",), "f": ("function",), "r": ("range",)}
TABLE: dict[str, list["Signature"]] = {}
NULL = object()


class Signature:
    """One way to call a function: parameter names, what they accept, what is done."""

    def __init__(self, specification: str, act: Callable[..., Any]) -> None:
        self.act, self.variadic = act, specification.endswith("+")
        parts = [part.rsplit(":", 1) for part in specification.rstrip("+").split(", ") if part]
        self.names = [name for name, _ in parts]
        self.kinds = [letter[0] for _, letter in parts]
        self.optional = [letter.endswith("?") for _, letter in parts]

    def bind(self, positional: list[Any], named: dict[str, Any]) -> list[Any] | None:
        """The arguments in order, or None when this signature does not take them."""
        if self.variadic:
            given = [named.get(self.names[0])] if named.keys() == {self.names[0]} and isinstance(named[self.names[0]], list) else positional
            if named and given is positional:
                return None
            if len(given) == 1 and isinstance(given[0], list):
                return [given[0]]
            return [list(given)] if given else None
        if named:
            if not named.keys() <= set(self.names):
                return None
            values = [named.get(name, NULL) for name in self.names]
        else:
            if len(positional) > len(self.names):
                return None
            values = [*positional, *[NULL] * (len(self.names) - len(positional))]
        bound = []
        for value, letter, optional in zip(values, self.kinds, self.optional, strict=True):
            if value is NULL or (value is None and optional):
                if not optional:
                    return None
                bound.append(None)
                continue
            fitted = _fit(value, letter)
            if fitted is NULL:
                return None
            bound.append(fitted)
        return bound


def _fit(value: Any, letter: str) -> Any:
    if letter == "*":
        return value
    if letter == "l":
        return NULL if value is None else value if isinstance(value, list) else [value]
    if kind(value) in _KINDS[letter]:
        return value
    if isinstance(value, list) and len(value) == 1 and kind(value[0]) in _KINDS[letter]:
        return value[0]  # a list of one is its item where an item is wanted
    return NULL


def feel(name: str, *specifications: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(act: Callable[..., Any]) -> Callable[..., Any]:
        TABLE.setdefault(name, []).extend(Signature(one, act) for one in specifications)
        return act

    return register


def call(name: str, positional: list[Any], named: dict[str, Any]) -> Any:
    """The value of a standard function; null when no signature takes the arguments."""
    for signature in TABLE[name]:
        bound = signature.bind(positional, named)
        if bound is not None:
            try:
                return signature.act(*bound)
            except (DecimalException, OverflowError, ValueError, ZeroDivisionError):
                return None
    return None


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
    return None


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
    if found is None or found.search("") is not None:
        return None
    if "q" in (flags or ""):
        return found.sub(lambda _: replacement, text)

    def fill(match: Any) -> str:
        return re2.sub(r"\$(\d)|\\(.)", lambda one: (match.group(int(one.group(1))) or "") if one.group(1) and int(one.group(1)) <= found.groups else one.group(2) or "", replacement)

    return found.sub(fill, text)


@feel("split", "string:s, delimiter:s")
def _split(text: str, delimiter: str) -> list[str] | None:
    found = _pattern(delimiter, None)
    return None if found is None else list(found.split(text))


@feel("string join", "list:l, delimiter:s?")
def _join(items: list[Any], delimiter: str | None) -> str | None:
    if any(item is not None and not isinstance(item, str) for item in items):
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


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
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
    return [new if verdict else item for item, verdict in zip(items, verdicts, strict=True)] if all(isinstance(one, bool) for one in verdicts) and len(match.names) == 2 else None


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
