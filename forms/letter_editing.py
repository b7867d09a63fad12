"""A letter while it is being edited: the content of its file, and the acts on it, each of which names a place in it.

A place is `head`, a block (`b0`), a column or particular in it (`b0-1`), one of the texts that it chooses from (`b0-1-2`), a text of law (`l0`), a signature
(`g0`), a value that the letter works out (`v-limite`) or a column of its rows (`v-tranches.rang`). Nothing is judged here: `letter_files` says what is wrong.
The content is changed in place, and what no act names stays as it is.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from forms.feel import FeelError, compile_expression
from forms.letter import BOTH, PLACE

HEAD, RAW = "head", "raw"  # `raw`: the file as a text
LISTS = {"b": "block", "l": "basis", "g": "signature"}
LINES = ("rows", "columns")
TURNS = ("value", "text", "choose", "feel")  # what a column or a particular shows: a name, a text, one of several by condition, a value worked out
_PLACE = re.compile(r"(?P<kind>[lg])(?P<number>\d{1,3})|b(?P<block>\d{1,3})(?:-(?P<line>\d{1,3})(?:-(?P<choice>\d{1,3}))?)?|v-(?P<value>[^.]+)(?:\.(?P<column>.+))?")
_FOUND = re.compile(r"(?P<list>block|basis|signature)\[(?P<number>\d+)\](?:\[(?P<line>\d+)\])?|values\.(?P<value>[^.]+)")
_WORKED = re.compile(r"[a-z][a-z_]{0,59}")

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
        and all(isinstance(found.get(key, []), list) and all(map(_is_line, found.get(key, []))) for key in LINES)
    )  # fmt: skip


def _is_line(found: Any) -> bool:
    return (
        isinstance(found, dict) and all(isinstance(found.get(key, ""), str) for key in ("value", "feel", "type", "when")) and all(_is_label(found.get(key, {})) for key in ("label", "text"))
        and isinstance(found.get("choose", []), list) and all(map(_is_line, found.get("choose", [])))
    )  # fmt: skip


def _is_label(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(one, str) for one in found.values())


def has(content: Content, place: str) -> bool:
    """Whether there is such a place to be opened."""
    return place in (HEAD, RAW) or (place[:1] in LISTS and _find(content, place) is not None)


def places(content: Content) -> Iterator[str]:
    """Every block, text of law and signature, in order."""
    for kind, key in LISTS.items():
        yield from (f"{kind}{number}" for number in range(len(content.get(key, []))))


def table(content: Content, place: str) -> Content:
    """The table at a place, an empty one where there is none."""
    found = _find(content, place)
    return found[0][found[1]] if found else {}


def at(content: Content, place: str) -> Content:
    """The table at a place. Raises KeyError."""
    if not _find(content, place):
        raise KeyError(place)
    return table(content, place)


def lines(block: Mapping[str, Any]) -> list[Content]:
    """The columns of a table, or the lines of particulars."""
    return list(block.get("rows") or block.get("columns") or [])


def each(content: Content, place: str) -> str:
    """The list that what stands at a place is said for each line of, "" for none."""
    return str(at(content, place.partition("-")[0]).get("each", "")) if place.startswith("b") else ""


def turned(line: Mapping[str, Any]) -> str:
    """Which of `TURNS` a column or a particular shows."""
    return next((one for one in TURNS if one in line), TURNS[0])


def said(content: Content, place: str) -> Content | None:
    """What is said at a place, by language; None where a block says a table or particulars, or a line a name."""
    found = at(content, place)
    if not place.startswith("b"):
        return found
    return next((found[key] for key in ("heading", "text") if key in found), None)


def work_out(content: Content, name: str, taken: Collection[str]) -> bool:
    """Adds a value that the letter works out; False where its name cannot be one, or is somebody else's (`taken`)."""
    if not _WORKED.fullmatch(name) or not _is_name(name) or name in taken or name in content.get("values", {}):
        return False
    content.setdefault("values", {})[name] = {"feel": "", "type": "text"}
    return True


def _is_name(word: str) -> bool:
    """Whether FEEL reads it as a name, and not as a word of its own."""
    try:
        return compile_expression(word).paths == {word}
    except FeelError:
        return False


def add_column(content: Content, place: str, name: str) -> None:
    """Adds a column to the rows that a value of the letter is."""
    if (found := _find(content, place)) and _WORKED.fullmatch(name):
        found[0][found[1]].setdefault("columns", {}).setdefault(name, "text")


def add_line(content: Content, place: str, after: str) -> str:
    """Adds a column to a table, or a particular, behind the one that is open (at the end without one); its place."""
    block = table(content, place)
    key = next((one for one in LINES if one in block), None)
    if key is None:
        return after
    inside = block[key]
    number = int(after.split("-")[1]) + 1 if after.startswith(f"{place}-") and has(content, after) else len(inside)
    inside.insert(number, {"label": dict.fromkeys(BOTH, ""), "value": ""})
    return f"{place}-{number}"


def add_choice(content: Content, place: str) -> str:
    """Adds a text to those of which a line shows the first whose condition holds, before the one that is said otherwise; its place."""
    inside = table(content, place).get("choose")
    if inside is None:
        return place
    number = len(inside) - 1 if inside and "when" not in inside[-1] else len(inside)
    inside.insert(number, {"text": dict.fromkeys(BOTH, "")})
    return f"{place}-{number}"


def turn(content: Content, place: str, into: str, name: str = "") -> None:
    """Has a line show something else: a name (`value`), or another of `TURNS`; what it said is taken along as far as it can be."""
    line = at(content, place)
    said = line.get("text") or next((one["text"] for one in line.get("choose", []) if "text" in one), None)
    said = said or dict.fromkeys(BOTH, f"{{{line['value']}}}" if line.get("value") else "")
    first = next(iter(PLACE.findall(said.get(BOTH[0], ""))), "")
    made = {"value": {"value": name}, "text": {"text": said}, "choose": {"choose": [{"text": said}]}, "feel": {"feel": first, "type": "text"}}[into]
    label = line.get("label", dict.fromkeys(BOTH, ""))
    line.clear()
    line.update(label=label, **made)


def add(content: Content, kind: str, after: str) -> str:
    """Adds a block (`text`, `heading`, `rows`, or `list` or `table` of a list yet to be chosen) behind the one that is open (at the end without one),
    a `basis` or a `signature` at the end; its place."""
    empty = dict.fromkeys(BOTH, "")
    if kind in ("basis", "signature"):
        content.setdefault(kind, []).append(empty)
        return f"{'l' if kind == 'basis' else 'g'}{len(content[kind]) - 1}"
    blocks = content.setdefault("block", [])
    number = int(after.partition("-")[0][1:]) + 1 if after.startswith("b") and has(content, after) else len(blocks)
    line = {"label": empty, "value": ""}
    blocks.insert(number, {"rows": {"rows": [line]}, "list": {"each": "", "text": empty}, "table": {"each": "", "columns": [line]}}.get(kind) or {kind: empty})
    return f"b{number}-0" if kind == "rows" else f"b{number}"


def remove(content: Content, place: str) -> None:
    if found := _find(content, place):
        del found[0][found[1]]
    for key in (*LISTS.values(), "values"):
        if key in content and not content[key]:
            del content[key]


def move(content: Content, place: str, step: int) -> str:
    """Moves what stands at a place one up (-1) or down (1); its new place."""
    inside, number = _find(content, place) or ([], 0)
    if not isinstance(inside, list) or not inside or not 0 <= number + step < len(inside):
        return place
    inside.insert(number + step, inside.pop(number))
    return f"{place.removesuffix(str(number))}{number + step}"


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
    if not found:
        return HEAD
    if found["value"]:
        return f"v-{found['value']}"
    place = f"{next(kind for kind, key in LISTS.items() if key == found['list'])}{found['number']}"
    return f"{place}-{found['line']}" if found["line"] else place


def _find(content: Content, place: str) -> tuple[Any, Any] | None:
    """What holds what stands at a place, and where in it."""
    found = _PLACE.fullmatch(place)
    if not found:
        return None
    if found["value"]:
        inside, name = content.get("values", {}), found["value"]
        if found["column"] and name in inside:
            inside, name = inside[name].get("columns", {}), found["column"]
        return (inside, name) if name in inside else None
    inside, number = content.get(LISTS[place[0]], []), int(found["number"] or found["block"])
    for deeper, key in ((found["line"], ""), (found["choice"], "choose")):
        if deeper is not None and number < len(inside):
            inside, number = inside[number].get(key or next((one for one in LINES if inside[number].get(one)), ""), []), int(deeper)
    return (inside, number) if number < len(inside) else None
