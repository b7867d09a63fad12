"""A form while it is being edited: the content of its file, and the acts on it, each of which names a place in it.

A place is `head`, a section (`s0`), a question (`s0-q2`) or a check (`c1`). Nothing is judged here: a form half made is a form half made, and
`definitions` says what is wrong with it. The content is changed in place.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from forms.dictionary import Field
from forms.text import LANGUAGES

HEAD = "head"
TESTS = ("=", "!=", "<", "<=", ">", ">=", "known", "unknown")
_PLACE = re.compile(r"s(?P<section>\d{1,3})(?:-q(?P<question>\d{1,3}))?|c(?P<check>\d{1,3})")
_FOUND = re.compile(r"section\[(?P<section>\d+)\](?:\.ask\[(?P<question>\d+)\])?(?:\.(?P<key>\w+))?|check\[(?P<check>\d+)\](?:\.(?P<of_check>\w+))?")
_NUMBERS = {"int", "number", "percent", "score", "money"}

Content = dict[str, Any]


def fits(content: Any) -> bool:
    """Whether the content has the shape of a form, whatever is wrong in it: else it is edited as a text only."""
    if not isinstance(content, dict):
        return False
    sections, checks = content.get("section", []), content.get("check", [])
    return (
        all(_is_label(content.get(key, {})) for key in ("title", "intro", "confirmation")) and _are_texts(content.get("show", []))
        and _are_tables(sections) and _are_tables(checks)
        and all(_is_label(one.get("title", {})) and isinstance(one.get("ask", []), list) and all(map(_is_question, one.get("ask", []))) for one in sections)
        and all(_is_label(one.get("message", {})) and isinstance(one.get("holds", ""), str) and _are_texts(one.get("fields", [])) for one in checks)
    )  # fmt: skip


def _is_label(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(one, str) for one in found.values())


def _are_texts(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)


def _are_tables(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, dict) for one in found)


def _is_question(entry: Any) -> bool:
    table = entry if isinstance(entry, dict) else {"field": entry}
    return isinstance(table.get("field"), str) and isinstance(table.get("when", ""), str) and isinstance(table.get("required", False), bool)


def question(entry: Any) -> Content:
    """A question as a table, whichever way it is written."""
    return entry if isinstance(entry, dict) else {"field": entry}


def asked(content: Content) -> list[str]:
    """The fields that are asked, in order."""
    return [question(entry)["field"] for section in content.get("section", []) for entry in section.get("ask", [])]


def has(content: Content, place: str) -> bool:
    """Whether the content has this place."""
    return place == HEAD or _find(content, place) is not None


def at(content: Content, place: str) -> Content:
    """The table at a place; a question as a table. Raises KeyError."""
    if place == HEAD:
        return content
    found = _find(content, place)
    if found is None:
        raise KeyError(place)
    return question(found[0][found[1]])


def label(content: Content, place: str, key: str, said: Mapping[str, str], *, is_optional: bool = False) -> None:
    """Writes a label in every language; an optional one without a word is taken out."""
    table = at(content, place)
    if is_optional and not any(one.strip() for one in said.values()):
        table.pop(key, None)
    elif said or not is_optional:
        table[key] = {**table.get(key, {}), **{language: said.get(language, "") for language in LANGUAGES}}


def settle(content: Content, place: str, when: str, required: bool | None) -> None:
    """When a question is asked (`""`: always), and whether it must be answered (None: as the dictionary says)."""
    inside, number = _find(content, place) or ([], 0)
    table = dict(question(inside[number]))
    for key, value, is_said in (("when", when, bool(when.strip())), ("required", required, required is not None)):
        table.pop(key, None)
        if is_said:
            table[key] = value
    inside[number] = table if len(table) > 1 else table["field"]


def ask(content: Content, section: int, field_id: str) -> str:
    """Asks a field at the end of a section (the last one when there is no such section; a first one is made); its place."""
    sections = content.setdefault("section", [])
    if not sections:
        add_section(content)
    number = section if 0 <= section < len(sections) else len(sections) - 1
    inside = sections[number].setdefault("ask", [])
    inside.append(field_id)
    if field_id in content.get("show", []):
        hide(content, field_id)
    return f"s{number}-q{len(inside) - 1}"


def show(content: Content, field_id: str) -> None:
    """Shows a field that the form does not ask."""
    if field_id not in content.get("show", []):
        content.setdefault("show", []).append(field_id)


def hide(content: Content, field_id: str) -> None:
    """Shows a field no more."""
    content["show"] = [one for one in content.get("show", []) if one != field_id]
    if not content["show"]:
        del content["show"]


def add_section(content: Content) -> str:
    """A section at the end, without a title yet; its place."""
    content.setdefault("section", []).append({"title": dict.fromkeys(LANGUAGES, ""), "ask": []})
    return f"s{len(content['section']) - 1}"


def add_check(content: Content) -> str:
    """A check at the end, that holds for the form's last question; its place."""
    names = asked(content)
    content.setdefault("check", []).append({"holds": "true", "fields": names[-1:], "message": dict.fromkeys(LANGUAGES, "")})
    return f"c{len(content['check']) - 1}"


def remove(content: Content, place: str) -> None:
    """Takes out a section with its questions, a question, or a check."""
    inside, number = _find(content, place) or ([], 0)
    del inside[number : number + 1]
    for key in ("section", "check"):
        if content.get(key) == []:
            del content[key]


def move(content: Content, place: str, step: int) -> str:
    """Moves what stands at a place one up (-1) or down (1); a question goes on into the section before or after. Its new place."""
    inside, number = _find(content, place) or ([], 0)
    if not inside:
        return place
    found = _PLACE.fullmatch(place)
    if 0 <= number + step < len(inside):
        inside.insert(number + step, inside.pop(number))
        head = f"s{found['section']}-q" if found["question"] else place[0]
        return f"{head}{number + step}"
    if not found["question"]:
        return place
    section = int(found["section"]) + step
    if not 0 <= section < len(content["section"]):
        return place
    beside = content["section"][section].setdefault("ask", [])
    beside.insert(len(beside) if step < 0 else 0, inside.pop(number))
    return f"s{section}-q{len(beside) - 1 if step < 0 else 0}"


def place_of(where: str, content: Content) -> tuple[str, str]:
    """From a finding's `file#key` to the place it is about and the key there (`when`, `title`, `holds` …)."""
    key = where.partition("#")[2]
    found = _FOUND.match(key)
    if found and found["check"] is not None:
        return f"c{found['check']}", found["of_check"] or ""
    if found:
        return f"s{found['section']}" + (f"-q{found['question']}" if found["question"] is not None else ""), found["key"] or ""
    for place, name in places(content):
        if name == key:
            return place, "when"
    return HEAD, key


def places(content: Content) -> Iterator[tuple[str, str]]:
    """Every question's place and field."""
    for number, section in enumerate(content.get("section", [])):
        for rank, entry in enumerate(section.get("ask", [])):
            yield f"s{number}-q{rank}", question(entry)["field"]


def without(content: Content, faults: Sequence[tuple[str, str]]) -> bool:
    """Takes out what these faults (place, key) are about, so that the rest can be shown; False where nothing was left to take."""
    before = repr(content)
    gone = set()
    for place, key in faults:
        if place == HEAD or key in ("title", "message", "label"):
            _fill(content, place, key)
        elif key == "when" and has(content, place):
            settle(content, place, "", at(content, place).get("required"))
        else:
            gone.add(place)
    for place in sorted((one for one in gone if has(content, one)), key=lambda one: [int(part) for part in re.findall(r"\d+", one)], reverse=True):
        remove(content, place)
    return repr(content) != before


def _fill(content: Content, place: str, key: str) -> None:
    """A label that lacks a language borrows from another; anything else at the head that is wrong goes."""
    table = at(content, place) if has(content, place) else {}
    said = table.get(key)
    if isinstance(said, dict):
        known = next((one for one in (said.get(language) for language in LANGUAGES) if isinstance(one, str) and one.strip()), "—")
        table[key] = {language: said[language] if isinstance(said.get(language), str) and said[language].strip() else known for language in LANGUAGES}
    elif key == "title":
        table[key] = dict.fromkeys(LANGUAGES, "—")
    elif key == "confirmation":
        table[key] = dict.fromkeys(LANGUAGES, "—")
    elif key != "id":
        table.pop(key, None)


def condition(spec: Field, test: str, value: str) -> str:
    """A condition in FEEL from what was picked; "" where that makes none."""
    if test in ("known", "unknown"):
        return f"{spec.id} {'!=' if test == 'known' else '='} null"
    if test not in TESTS or not value:
        return ""
    if spec.type == "multi":
        contains = f"list contains({spec.id}, {_text(value)})"
        return contains if test == "=" else f"not({contains})"
    if spec.type in ("bool", "tri"):
        return f"{spec.id} {test} {'true' if value == 'true' else 'false'}"
    if spec.type in _NUMBERS:
        with_point = value.replace(" ", "").replace("\u202f", "").replace(",", ".")
        try:
            return f"{spec.id} {test} {Decimal(with_point):f}"
        except InvalidOperation:
            return ""
    if spec.type == "date":
        return f'{spec.id} {test} date("{value}")' if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) else ""
    return f"{spec.id} {test} {_text(value)}"


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _find(content: Content, place: str) -> tuple[list[Any], int] | None:
    """The list that holds a place, and its number there."""
    found = _PLACE.fullmatch(place)
    if not found:
        return None
    if found["check"] is not None:
        inside, number = content.get("check", []), int(found["check"])
    else:
        inside, number = content.get("section", []), int(found["section"])
        if found["question"] is not None and number < len(inside):
            inside, number = inside[number].get("ask", []), int(found["question"])
        elif found["question"] is not None:
            return None
    return (inside, number) if number < len(inside) else None
