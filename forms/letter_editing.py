"""A letter while it is being edited: the content of its file, and the acts on it, each of which names a place in it.

A place is `head`, a block (`b0`), a text of law (`l0`) or a signature (`g0`). Nothing is judged here: `letter_files` says what is wrong. The content is
changed in place, and what no act names stays as it is.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from forms.letter import BOTH, PLACE

HEAD, RAW = "head", "raw"  # `raw`: the file as a text
LISTS = {"b": "block", "l": "basis", "g": "signature"}
_PLACE = re.compile(r"(?P<kind>[blg])(?P<number>\d{1,3})")
_FOUND = re.compile(r"(?P<list>block|basis|signature)\[(?P<number>\d+)\]")

Content = dict[str, Any]


def fits(content: Any) -> bool:
    """Whether the content has the shape of a letter, whatever is wrong in it: else it is edited as a text only."""
    if not isinstance(content, dict) or not all(_is_label(content.get(key, {})) for key in ("title", "object", "addressee")):
        return False
    blocks, values = content.get("block", []), content.get("values", {})
    return (
        isinstance(blocks, list) and all(map(_is_block, blocks)) and isinstance(values, dict) and all(map(_is_value, values.values()))
        and all(isinstance(content.get(key, []), list) and all(map(_is_label, content.get(key, []))) for key in ("basis", "signature"))
    )  # fmt: skip


def _is_value(found: Any) -> bool:
    return isinstance(found, dict) and isinstance(found.get("type", ""), str) and isinstance(found.get("feel", ""), str) and _is_label(found.get("label", {})) and _is_label(found.get("columns", {}))


def _is_block(found: Any) -> bool:
    return (
        isinstance(found, dict) and all(isinstance(found.get(key, ""), str) for key in ("when", "where", "each"))
        and all(_is_label(found.get(key, {})) for key in ("text", "heading"))
        and all(isinstance(found.get(key, []), list) and all(isinstance(one, dict) and _is_label(one.get("label", {})) for one in found.get(key, [])) for key in ("rows", "columns"))
    )  # fmt: skip


def _is_label(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(one, str) for one in found.values())


def has(content: Content, place: str) -> bool:
    return place in (HEAD, RAW) or _find(content, place) is not None


def places(content: Content) -> Iterator[str]:
    """Every place but the head, in order."""
    for kind, key in LISTS.items():
        yield from (f"{kind}{number}" for number in range(len(content.get(key, []))))


def at(content: Content, place: str) -> Content:
    """The table at a place. Raises KeyError."""
    found = _find(content, place)
    if found is None:
        raise KeyError(place)
    table: Content = found[0][found[1]]
    return table


def lines(block: Mapping[str, Any]) -> list[Content]:
    """The columns of a table, or the lines of particulars."""
    return list(block.get("rows") or block.get("columns") or [])


def said(content: Content, place: str) -> Content | None:
    """What is said at a place, by language; None where a block says a table or particulars."""
    table = at(content, place)
    if not place.startswith("b"):
        return table
    return next((table[key] for key in ("heading", "text") if key in table), None)


def add(content: Content, kind: str, after: str) -> str:
    """Adds a `text` or `heading` behind the block that is open (at the end without one), a `basis` or a `signature` at the end; its place."""
    empty = dict.fromkeys(BOTH, "")
    if kind in ("basis", "signature"):
        content.setdefault(kind, []).append(empty)
        return f"{'l' if kind == 'basis' else 'g'}{len(content[kind]) - 1}"
    blocks = content.setdefault("block", [])
    number = int(after[1:]) + 1 if after.startswith("b") and has(content, after) else len(blocks)
    blocks.insert(number, {kind: empty})
    return f"b{number}"


def remove(content: Content, place: str) -> None:
    inside, number = _find(content, place) or ([], 0)
    del inside[number : number + 1]
    for key in LISTS.values():
        if content.get(key) == []:
            del content[key]


def move(content: Content, place: str, step: int) -> str:
    """Moves what stands at a place one up (-1) or down (1); its new place."""
    inside, number = _find(content, place) or ([], 0)
    if not inside or not 0 <= number + step < len(inside):
        return place
    inside.insert(number + step, inside.pop(number))
    return f"{place[0]}{number + step}"


def insert(content: Content, place: str, name: str, carets: Mapping[str, int | None]) -> None:
    """Sets a fact into the text of a place in both languages, where each text's caret stands (None: at its end)."""
    label = said(content, place)
    if label is None:
        return
    for language in BOTH:
        text, caret = label.get(language, ""), carets.get(language)
        before, after = (text, "") if caret is None else (text[:caret], text[caret:])
        gap = " " if caret is None and text and not text.endswith((" ", "\n")) else ""
        label[language] = f"{before}{gap}{{{name}}}{after}"


def named(content: Any) -> set[str]:
    """Every name that the letter's texts and lines name."""
    match content:
        case str():
            return set(PLACE.findall(content))
        case dict():
            own = {content["value"]} if isinstance(content.get("value"), str) else set()
            return own.union(*map(named, content.values()))
        case list():
            return set().union(*map(named, content))
    return set()


def place_of(where: str) -> str:
    """From a finding's `file#key` to the place it is about."""
    found = _FOUND.match(where.partition("#")[2])
    return f"{next(kind for kind, key in LISTS.items() if key == found['list'])}{found['number']}" if found else HEAD


def _find(content: Content, place: str) -> tuple[list[Any], int] | None:
    found = _PLACE.fullmatch(place)
    if not found:
        return None
    inside, number = content.get(LISTS[found["kind"]], []), int(found["number"])
    return (inside, number) if number < len(inside) else None
