"""What differs between two versions of the dictionary, of the forms and of any other TOML file: field by field, question by question.

Files are read as they are written, so that a draft with errors is compared too. How differences are found is `differences`'.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from forms.differences import Difference, of_files, of_sheet
from forms.likeness import Key, Names, Thing
from forms.text import LANGUAGES

# What a key is called as a property, where another sort of thing has one of that name.
_CALLED = {"label": "name", "title": "name", "message": "sentence", "source": "citation", "subject": "about", "object": "purpose_line"}
_LISTS = (("lists", "list"), ("purposes", "purpose"), ("pieces", "piece"))


def of_dictionary(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> list[Difference]:
    """What differs between two dictionaries (path → content)."""
    return of_sheet(old, new, "dictionary", _dictionary)


def of_forms(old: Mapping[str, bytes], new: Mapping[str, bytes], labels_old: Mapping[str, Names], labels_new: Mapping[str, Names]) -> list[Difference]:
    """What differs between the forms of two versions. `labels`: the words of each field, so that questions have names."""
    return of_files(old, new, "form", partial(_form, labels_old), partial(_form, labels_new))


def of_texts(old: Mapping[str, bytes], new: Mapping[str, bytes], kind: str) -> list[Difference]:
    """What differs between TOML files of any other sort (letters): key by key, block by block."""
    return of_files(old, new, kind, partial(_any, kind))


def labels(dictionary: Mapping[str, bytes]) -> dict[str, Names]:
    """The words of each field of a dictionary, as written."""
    found: dict[str, Names] = {}
    for content in dictionary.values():
        for name, raw in _tables(_parse(content) or {}, "fields"):
            found[name] = _names(raw.get("label"))
    return found


def _parse(content: bytes) -> dict[str, Any] | None:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        return None


# --- the dictionary ---


def _dictionary(path: str, content: bytes) -> list[Thing] | None:
    read = _parse(content)
    if read is None:
        return None
    things: list[Thing] = []
    group = read.get("group")
    if isinstance(group, dict):
        things.append(_thing(f"group:{group.get('id')}", str(group.get("id")), "group", path, group, leave=("id",)))
    for name, raw in _tables(read, "fields"):
        things.append(_thing(f"field:{name}", name, "field", path, raw, leave=("values",)))
        things += _choices(raw.get("values"), f"field:{name}", path)
    for key, kind in _LISTS:
        for name, raw in _tables(read, key):
            things.append(_thing(f"{kind}:{name}", name, kind, path, raw, leave=("values",)))
            things += _choices(raw.get("values"), f"{kind}:{name}", path)
    for raw in _rows(read.get("governorates")):
        code = str(raw.get("code"))
        things.append(_thing(f"place:{code}", code, "choice", path, raw, leave=("code", "districts"), row="places"))
        things += _choices(raw.get("districts"), f"place:{code}", path)
    rest = {key: value for key, value in read.items() if key not in {"group", "fields", "lists", "purposes", "pieces", "governorates"}}
    if rest:
        things.append(_thing(f"file:{path}", path, "dictionary", path, rest))
    return _apart(things)


def _choices(values: Any, parent: str, path: str) -> Iterator[Thing]:
    for raw in _rows(values):
        code = str(raw.get("code"))
        yield _thing(f"{parent}/{code}", code, "choice", path, raw, leave=("code",), parent=parent, row=parent)


# --- forms ---


def _form(words: Mapping[str, Names], path: str, content: bytes) -> list[Thing] | None:
    read = _parse(content)
    if read is None:
        return None
    name = str(read.get("id") or PurePosixPath(path).stem)
    whole = "form"
    things = [_thing(whole, name, "form", path, read, leave=("id", "show", "section", "check"))]
    shown = read.get("show")
    things += [
        Thing(f"show:{one}", one, "shown", path, "shown", words.get(one, {}), parent=whole, row="show")
        for one in (shown if isinstance(shown, list) else ()) if isinstance(one, str)
    ]  # fmt: skip
    for place, section in enumerate(_rows(read.get("section"))):
        key, asked = f"section:{place}", []
        for entry in section.get("ask") if isinstance(section.get("ask"), list) else ():
            table = entry if isinstance(entry, dict) else {"field": entry}
            field = str(table.get("field"))
            asked.append(Thing(f"ask:{field}", field, "question", path, "question", words.get(field, {}), _properties(table, ("field",)),
                               links={"section": key}, parent=whole, row=key))  # fmt: skip
        around = frozenset(one.key for one in asked)
        things.append(_thing(key, "", "section", path, section, leave=("ask",), parent=whole, row="section", around=around))
        things += asked
    for place, check in enumerate(_rows(read.get("check"))):
        things.append(_thing(f"check:{place}", "", "check", path, check, parent=whole, known_by="holds"))
    return _apart(things)


# --- any other ---


def _any(kind: str, path: str, content: bytes) -> list[Thing] | None:
    read = _parse(content)
    if read is None:
        return None
    things = [_thing("file", str(read.get("id") or PurePosixPath(path).stem), kind, path, read, leave=("id", *_blocks(read)))]
    things += _nested(read, "file", path)
    return _apart(things)


def _nested(table: Mapping[str, Any], parent: str, path: str) -> Iterator[Thing]:
    """The tables that stand in rows below a table, with those below them."""
    for key in _blocks(table):
        rows = table[key]
        for place, raw in enumerate(rows):
            name = f"{parent}/{key}.{place}"
            beside = frozenset(f"{parent}/{key}.{near}" for near in (place - 1, place + 1) if 0 <= near < len(rows))
            yield _thing(name, "", "block", path, raw, leave=tuple(_blocks(raw)), parent=parent, row=f"{parent}/{key}", around=beside, family=key)
            yield from _nested(raw, name, path)


def _blocks(table: Mapping[str, Any]) -> list[str]:
    return [key for key, value in table.items() if isinstance(value, list) and value and all(isinstance(one, dict) for one in value)]


# --- tables into things ---


def _thing(key: str, name: str, kind: str, path: str, table: Mapping[str, Any], *, leave: tuple[str, ...] = (), parent: str = "", row: str | None = None,
           around: frozenset[str] = frozenset(), known_by: str = "", family: str = "") -> Thing:  # fmt: skip
    names = _names(table.get("label") or table.get("title"))
    properties = _properties(table, leave)
    traits = "" if name else str(table.get(known_by) or names.get("fr") or " ".join(properties.values()))
    return Thing(key, name, kind, path, family or kind, names, properties, parent=parent, row=row, around=around, traits=traits)


def _properties(table: Mapping[str, Any], leave: tuple[str, ...]) -> dict[Key, str]:
    return {key: text for name, value in table.items() if name not in leave for key, text in _flat(_CALLED.get(name, name), "", value)}


def _flat(what: str, detail: str, value: Any) -> Iterator[tuple[Key, str]]:
    if isinstance(value, dict):
        for inner, found in value.items():
            yield from _flat(what, f"{detail}.{inner}" if detail else str(inner), found)
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        for place, found in enumerate(value, 1):
            yield from _flat(what, f"{detail}.{place}" if detail else str(place), found)
    else:
        yield (what, detail), _written(value)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(_written(one) for one in value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return " ".join(str(value).split())


def _names(label: Any) -> dict[str, str]:
    return {one: label[one] for one in LANGUAGES if isinstance(label.get(one), str)} if isinstance(label, dict) else {}


def _rows(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _tables(content: Mapping[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    found = content.get(key)
    yield from ((name, raw) for name, raw in (found.items() if isinstance(found, dict) else ()) if isinstance(raw, dict))


def _apart(things: list[Thing]) -> list[Thing]:
    """Each key and each trait once: what is written twice is told apart by its turn."""
    seen: dict[tuple[str, str, str], int] = {}
    keys: dict[str, int] = {}
    made = []
    for one in things:
        keys[one.key] = keys.get(one.key, 0) + 1
        place = (one.family, one.parent, one.id or one.traits)
        seen[place] = seen.get(place, 0) + 1
        turn, again = keys[one.key], seen[place]
        changed: dict[str, str] = {}
        if turn > 1:
            changed["key"] = f"{one.key}#{turn}"
        if again > 1:
            changed["id" if one.id else "traits"] = f"{one.id or one.traits}#{again}"
        made.append(replace(one, **changed) if changed else one)
    return made
