"""A TOML file with other content: what stays the same stays as it was written, with its comments, its spaces and its ways of quoting.

`tomlkit` keeps the style; what it makes is read again, and where it does not say exactly what is wanted the file is written anew, without comments.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, InlineTable, Table

_BARE = re.compile("[A-Za-z0-9_-]+")
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SHORT = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_WIDE = 100  # characters: a longer list has a line for each of its items
_LANGUAGES = {"fr", "ar", "en"}


def rewrite(written: bytes, wanted: Mapping[str, Any]) -> bytes:
    """The file `written` so that it says `wanted` (as `tomllib` reads it). Raises ValueError where `written` is not TOML."""
    before = written.decode("utf-8")
    if tomllib.loads(before) == wanted:
        return written
    made = _kept(before.replace("\r\n", "\n"), wanted) or _anew(wanted)
    return (made.replace("\n", "\r\n") if "\r\n" in before else made).encode()


def _kept(before: str, wanted: Mapping[str, Any]) -> str:
    """The text with its style kept, or "" where that cannot be done."""
    with suppress(TOMLKitError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        document = tomlkit.parse(before)
        _table(document, wanted)
        made = tomlkit.dumps(document)
        spaced = re.sub(r"(?<=[^\n])\n(?=\[[\[a-z])", "\n\n", made)
        return next((one for one in (spaced, made) if tomllib.loads(one) == wanted), "")
    return ""


def _table(table: Any, wanted: Mapping[str, Any]) -> None:
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        if key not in table:
            table[key] = _new(table, value)
        elif _said(table[key]) != value:
            _entry(table, key, value)


def _new(table: Any, value: Any) -> Any:
    """A key that was not there: a table where its neighbours are tables, else a value on its line."""
    if _is_rows(value) and not isinstance(table, InlineTable):
        return _rows_anew(value)
    if isinstance(value, Mapping) and any(isinstance(one, Table) and not one.is_super_table() for one in table.values()) and not value.keys() & _LANGUAGES:
        return _row(value)
    return tomlkit.value(_value(value))


def _entry(table: Any, key: str, value: Any) -> None:
    found = table[key]
    if isinstance(found, AoT) and _is_rows(value):
        _rows(found, value)
    elif isinstance(found, Array) and isinstance(value, list) and value:
        _array(found, value)
    elif isinstance(value, Mapping) and hasattr(found, "items"):
        _table(found, value)
    else:
        table[key] = _rows_anew(value) if _is_rows(value) and isinstance(found, AoT) else tomlkit.value(_value(value))


def _rows(found: AoT, wanted: Sequence[Mapping[str, Any]]) -> None:
    """The tables of a list of tables, in their new order; what they are told apart by is what they say, then their place."""
    old = list(found)
    chosen = _matched([_said(one) for one in old], wanted)
    del found[:]
    for place, value in zip(chosen, wanted, strict=True):
        row = _row(value) if place is None else old[place]
        _table(row, value)
        found.append(row)


def _array(found: Array, wanted: Sequence[Any]) -> None:
    groups = [group for group in found._value if group.value is not None and not _is_space(group.value)]
    old, comments = [group.value for group in groups], [str(group.comment).strip("# \n") if group.comment else None for group in groups]
    chosen = _matched([_said(one) for one in old], wanted)
    is_long = "\n" in found.as_string() or sum(len(_value(one)) + 2 for one in wanted) > _WIDE
    items = []
    for place, value in zip(chosen, wanted, strict=True):
        item = tomlkit.value(_value(value)) if place is None else old[place]
        if place is not None and _said(item) != value:
            if isinstance(value, Mapping) and isinstance(item, InlineTable):
                _table(item, value)
            else:
                item = tomlkit.value(_value(value))
        items.append((item, comments[place] if place is not None else None))
    found.clear()
    for item, comment in items:
        if is_long:
            found.add_line(item, indent="  ", comment=comment)
        else:
            found.append(item)
    if is_long:
        found.add_line(indent="")


def _is_space(item: Any) -> bool:
    return type(item).__name__ in ("Whitespace", "Null", "Comment")


def _matched(old: Sequence[Any], wanted: Sequence[Any]) -> list[int | None]:
    """For each wanted item the old one it was: the same, else one that names the same field, else the next of those left (tables only)."""
    left = dict(enumerate(old))
    chosen: list[int | None] = [None] * len(wanted)

    def take(alike: Any) -> None:
        for place, value in enumerate(wanted):
            if chosen[place] is None and (found := next((one for one, item in left.items() if alike(item, value)), None)) is not None:
                chosen[place] = found
                del left[found]

    take(lambda item, value: item == value)
    take(lambda item, value: _named(item) is not None and _named(item) == _named(value))
    take(lambda item, value: isinstance(item, Mapping) and isinstance(value, Mapping) and _named(item) is None and _named(value) is None)
    return chosen


def _said(item: Any) -> Any:
    """What an item says; a truth value comes out of its table bare."""
    return item.unwrap() if hasattr(item, "unwrap") else item


def _named(item: Any) -> Any:
    return item.get("field", item.get("code")) if isinstance(item, Mapping) else item


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _row(value: Mapping[str, Any]) -> Table:
    made = tomlkit.table()
    for key, inner in value.items():
        made[key] = tomlkit.value(_value(inner))
    return made


def _rows_anew(value: Sequence[Mapping[str, Any]]) -> AoT:
    made = tomlkit.aot()
    for one in value:
        made.append(_row(one))
    return made


def _value(value: Any) -> str:
    """A value as it is written anew; a long list with a line for each item."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case int() | float():
            return repr(value)
        case dt.date() | dt.time():
            return value.isoformat()
        case Mapping():
            return f"{{ {', '.join(f'{_key(key)} = {_value(inner)}' for key, inner in value.items())} }}" if value else "{}"
    items = [_value(one) for one in value]
    if len(items) < 2 or (sum(len(one) + 2 for one in items) <= _WIDE and not any(isinstance(one, Mapping) for one in value)):
        return f"[{', '.join(items)}]"
    return "[\n" + "".join(f"  {one},\n" for one in items) + "]"


def _string(value: str) -> str:
    is_plain = not _HIDDEN.search(value) and not value.startswith("\n") and not value.endswith("'")
    if "\n" in value and is_plain and "'''" not in value:
        return f"'''{value}'''"
    if '"' in value and is_plain and "'" not in value and "\n" not in value:
        return f"'{value}'"
    return '"' + _ESCAPED.sub(lambda found: _SHORT.get(found[0], f"\\u{ord(found[0]):04x}"), value) + '"'


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key)


def _anew(wanted: Mapping[str, Any], at: str = "") -> str:
    """The whole file: what is plain first, then tables, then lists of tables."""
    plain, tables, lines = [], [], []
    for key, value in wanted.items():
        where = f"{at}{_key(key)}"
        if _is_rows(value):
            tables += [f"\n[[{where}]]\n{_anew(one, f'{where}.')}" for one in value]
        elif isinstance(value, Mapping) and not value.keys() & _LANGUAGES and not (at and all(not isinstance(one, Mapping) for one in value.values())):
            lines.append(f"\n[{where}]\n{_anew(value, f'{where}.')}" if value else f"\n[{where}]\n")
        else:
            plain.append(f"{_key(key)} = {_value(value)}\n")
    return "".join([*plain, *lines, *tables])
