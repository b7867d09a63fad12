"""What a value might have been instead: the other choices of a field, the other truth, a point on the other side of a threshold, one row more or less.

A `Change` says which value, where, from what to what; `put` makes the sight that a node would have had. Whether it would have led elsewhere is `why`'s to evaluate.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.pathway.conditions import compared
from forms.dictionary import Field
from forms.feel import FeelError, PartialDate, compile_expression
from forms.feel.reader import KINDS

CHOSEN = frozenset({"enum", "gov", "district", "country", "language"})
WHOLE = frozenset({"int", "score"})
_STATUSES = ("inconnu", "refuse")
_STATUS = "_statut"
_CENT, _MILLIME = Decimal("0.01"), Decimal("0.001")
_STEPS = (0, 2, 4, 7, 10, 13, 17, 21)  # doublings of one unit: as far as two million units, or five thousand years of days
_MOST_ROWS = 12  # rows of a list that are changed one by one


@dataclass(frozen=True)
class Change:
    """`path` as a condition names it; `row`: which row of a list, None for what is no row; `kind`: `value`, `row_more`, `row_less`. Values are FEEL's."""

    path: str
    was: Any
    now: Any
    kind: str = "value"
    row: int | None = None


def put(sight: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The sight with one value in the place of another; what was seen stays as it is."""
    base, _, name = change.path.rpartition(".")
    if change.kind == "row_more":
        return _set(sight, change.path, [*(_get(sight, change.path) or ()), change.now])
    if change.kind == "row_less":
        rows = list(_get(sight, change.path))
        del rows[change.row or 0]
        return _set(sight, change.path, rows)
    if change.row is not None:
        rows = list(_get(sight, base))
        rows[change.row] = {**rows[change.row], name: change.now}
        return _set(sight, base, rows)
    made = _set(sight, change.path, change.now)
    status = f"{change.path}{_STATUS}"
    return _set(made, status, None) if _get(made, status) is not None else made


def _get(sight: Mapping[str, Any], path: str) -> Any:
    value: Any = sight
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _set(sight: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    first, _, rest = path.partition(".")
    inner = sight.get(first)
    return {**sight, first: _set(inner if isinstance(inner, Mapping) else {}, rest, value) if rest else value}


@dataclass(frozen=True)
class Marks:
    """What the conditions of a node name: `numbers` and `days` on either side of a comparison, and texts by the path they are compared with
    (`plan.mesures[].type` for a row's)."""

    numbers: tuple[Decimal, ...]
    days: tuple[dt.date, ...]
    texts: Mapping[str, tuple[str, ...]]


def marks(expressions: Sequence[Any], sight: Mapping[str, Any]) -> Marks:
    """The thresholds of expressions on what was seen: each side of a comparison is evaluated."""
    numbers: set[Decimal] = set()
    days: set[dt.date] = set()
    texts: dict[str, set[str]] = {}
    for expression in expressions:
        for path, value in compared(expression.tree):
            texts.setdefault(path, set()).add(value)
        for node in _nodes(expression.tree):
            for value in _values(node, expression.text, sight):
                if isinstance(value, Decimal) and value.is_finite():
                    numbers.add(value)
                elif isinstance(value, dt.datetime):
                    days.add(value.date())
                elif isinstance(value, dt.date):
                    days.add(value)
    for path in [one for one in texts if "[]" not in one and "." in one]:  # `list contains(plan.mesures.type, …)` names a row's value too
        above, _, name = path.rpartition(".")
        texts.setdefault(f"{above}[].{name}", set()).update(texts[path])
    return Marks(tuple(sorted(numbers)), tuple(sorted(days)), {path: tuple(sorted(found)) for path, found in texts.items()})


def _nodes(node: Any) -> Iterator[Any]:
    if isinstance(node, Mapping):
        node = list(node.values())
    if isinstance(node, tuple) and node and isinstance(node[0], str) and node[0] in KINDS:
        yield node
    if isinstance(node, tuple | list):
        for part in node:
            yield from _nodes(part)


def _values(node: Any, text: str, sight: Mapping[str, Any]) -> Iterator[Any]:
    match node[0]:
        case "number":
            yield Decimal(node[3])
        case "compare":
            sides = (node[4], node[5])
        case "test" | "open range":
            sides = (node[4],)
        case "range" | "between":
            sides = tuple(part for part in node[3:] if isinstance(part, tuple))
        case _:
            return
    if node[0] != "number":
        for side in sides:
            try:
                yield compile_expression(text[side[1] : side[2]]).evaluate(sight)
            except (FeelError, ArithmeticError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
                continue


@dataclass(frozen=True)
class Ordered:
    """A value on a line of whole units (days, dinars' millimes, units): `here`, and how to come back to a value from a place on it."""

    here: int
    to_value: Callable[[int], Any]
    marks: tuple[int, ...]
    low: int | None = None
    high: int | None = None

    def points(self, side: int) -> list[int]:
        """Places on one side to look at, the nearest first: beside each threshold, farther and farther, and the bound."""
        found = {near for mark in self.marks for near in (mark - 1, mark, mark + 1)} | {self.here + side * 2**step for step in _STEPS}
        found |= {end for end in (self.low, self.high) if end is not None}
        return sorted((one for one in found if (one - self.here) * side > 0 and self._is_within(one)), key=lambda one: abs(one - self.here))

    def _is_within(self, place: int) -> bool:
        return (self.low is None or place >= self.low) and (self.high is None or place <= self.high)


def ordered(value: Any, field: Field | None, seen: Marks) -> Ordered | None:
    """The line a value lies on, or None for what has no order. A number nobody gave lies at none: see `others`."""
    if isinstance(value, PartialDate):
        value = value.first
    if isinstance(value, dt.datetime):
        return Ordered(value.date().toordinal(), lambda day, at=value: _moved(at, day), tuple(one.toordinal() for one in seen.days), 1, dt.date.max.toordinal() - 1)
    if isinstance(value, dt.date):
        return Ordered(value.toordinal(), dt.date.fromordinal, tuple(one.toordinal() for one in seen.days), 1, dt.date.max.toordinal() - 1)
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    unit = _unit(value, field)
    low, high = _bounds(field)
    return Ordered(
        int(value / unit), lambda place: place * unit, tuple(int(one / unit) for one in seen.numbers), None if low is None else int(low / unit), None if high is None else int(high / unit)
    )


def _moved(at: dt.datetime, day: int) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromordinal(day), at.timetz())


def _unit(value: Decimal, field: Field | None) -> Decimal:
    if field is not None and field.type == "money":
        return _MILLIME
    is_whole = value == value.to_integral_value()
    return Decimal(1) if (field is not None and field.type in WHOLE) or is_whole else _MILLIME if value * 100 != (value * 100).to_integral_value() else _CENT


def _bounds(field: Field | None) -> tuple[Decimal | None, Decimal | None]:
    if field is None:
        return None, None
    if field.type == "money":
        return (Decimal(0), None)
    return tuple(None if one is None else Decimal(str(one)) for one in (field.min, field.max))  # type: ignore[return-value]


def others(path: str, value: Any, field: Field | None, seen: Marks, results: Sequence[Any] | None = None) -> Iterator[Any]:
    """The values that stand for all others, without those of a line (`ordered`): choices, truths, thresholds where nothing is known; unknown last.
    `results`: all that the decision which gave the value may answer."""
    kind = field.type if field is not None else ""
    if path.endswith(_STATUS):
        yield from (one for one in (*_STATUSES, None) if one != value)
        return
    if results is not None:
        yield from (one for one in results if one != value)
    elif kind in CHOSEN:
        yield from (code for code in _named_first(field.codes, seen.texts.get(path, ())) if code != value)
    elif kind == "multi":
        held = value if isinstance(value, list) else []
        for code in _named_first(field.codes, seen.texts.get(path, ())):
            yield [one for one in held if one != code] if code in held else [*held, code]
    elif isinstance(value, bool) or kind in ("bool", "tri"):
        yield from (one for one in (True, False) if one is not value)
    elif value is None and kind in ("", "int", "score", "number", "percent", "money"):
        yield from sorted({near for mark in seen.numbers for near in (mark, mark + 1, mark - 1)} | ({Decimal(0)} if kind else set()))
    if value is None and kind in ("date", "datetime"):
        yield from (dt.date.fromordinal(one.toordinal() + shift) for one in seen.days for shift in (0, 1, -1))
    if isinstance(value, str | None) and kind not in CHOSEN and results is None:
        yield from (one for one in seen.texts.get(path, ()) if one != value)
    if isinstance(value, list) and kind != "multi":
        for place in range(min(len(value), _MOST_ROWS)):
            yield value[:place] + value[place + 1 :]
    if value is None and not kind and results is None and path not in seen.texts and not seen.numbers:
        yield from (True, False)
    if value is not None:
        yield None


def _named_first(codes: Mapping[str, int], named: Sequence[str]) -> list[str]:
    """The codes that conditions name, then the others: a list of two hundred countries is told by those and a few."""
    rest = [code for code in codes if code not in named]
    return [*(code for code in codes if code in named), *rest[:40]]


def rows(path: str, value: Any, columns: Mapping[str, Field | None], seen: Marks) -> Iterator[Change]:
    """Changes of a list of rows: one row's value, one row less, one more. `columns`: the short names that conditions read, with their fields."""
    held = value if isinstance(value, list) else []
    for place, row in list(enumerate(held))[:_MOST_ROWS]:
        if not isinstance(row, Mapping):
            continue
        for name, field in columns.items():
            was = row.get(name)
            for now in _of_a_row(f"{path}[].{name}", was, field, seen):
                yield Change(f"{path}.{name}", was, now, row=place)
    for place, row in list(enumerate(held))[:_MOST_ROWS]:
        yield Change(path, row, None, "row_less", place)
    for row in _new_rows(path, held, columns, seen):
        yield Change(path, None, row, "row_more", len(held))


def _of_a_row(path: str, was: Any, field: Field | None, seen: Marks) -> Iterator[Any]:
    line = ordered(was, field, seen)
    if line is not None:
        yield from (line.to_value(place) for side in (1, -1) for place in line.points(side)[:12])
    yield from others(path, was, field, seen)


def _new_rows(path: str, held: Sequence[Any], columns: Mapping[str, Field | None], seen: Marks) -> Iterator[dict[str, Any]]:
    made: list[dict[str, Any]] = [{}]
    for name, field in columns.items():
        choices = [one for one in others(f"{path}[].{name}", None, field, seen)][:4] or [None]
        made = [{**row, name: one} for row in made for one in choices][:32]
    yield from made
    yield from (dict(row) for row in held[:_MOST_ROWS] if isinstance(row, Mapping))
