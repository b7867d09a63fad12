"""The files of `forms/letters/*.toml`, read into letters and checked against the dictionary."""

from collections.abc import Mapping
from typing import Any

from forms import toml
from forms.dictionary import Dictionary
from forms.feel import Expression
from forms.letter import BOTH, COPY, GIVEN, LETTERHEAD, PLACE, READERS, ROWS_GIVEN, TOLD_GIVEN, Block, Choice, Column, Label, Letterhead, LetterDefinition, Value
from forms.text import Findings

WORKED = ("text", "int", "percent", "money", "date", "limit")  # how a value is written
_TYPES = {*WORKED, "rows"}


def read(files: Mapping[str, bytes], dictionary: Dictionary) -> tuple[dict[str, LetterDefinition], Letterhead | None]:
    """The letters of these files by id, and what stands around them. Raises FormError with everything that is wrong in any of them."""
    findings = Findings()
    found: dict[str, LetterDefinition] = {}
    head: Letterhead | None = None
    for name, content in toml.parse(files, findings).items():
        try:
            if content.get("id") != name.removesuffix(".toml"):
                findings.add("definition.missing", f"{name}#id", key="id")
            elif content["id"] == LETTERHEAD:
                head = _letterhead(name, content, findings)
            elif (made := _Reading(name, dictionary, findings).whole(content)) is not None:
                found[made.id] = made
        except (TypeError, AttributeError, KeyError):  # a list where a table is read, or the like: whatever else is wrong in it
            findings.add("definition.shape", f"{name}#")
    if found and head is None:
        findings.add("definition.missing", f"{LETTERHEAD}.toml", key=LETTERHEAD)
    findings.refuse_if_any()
    return found, head


def names_of_a_line(name: str, content: Mapping[str, Any], each: str, dictionary: Dictionary) -> list[str]:
    """What a text said for each line of a list may name of the line: `item` or `item.…`; none where `each` is no list."""
    reading = _Reading(name, dictionary, Findings())
    for found, raw in content.get("values", {}).items():
        reading._value(found, raw)
    prefix = reading._prefix(each) if each else None
    if prefix is None:
        return []
    if each in TOLD_GIVEN:
        return [f"item.{one}" for one in sorted(TOLD_GIVEN[each])]
    if each in reading.values:
        return [f"item.{one}" for one in reading.values[each].columns] or ["item"]
    if each in ROWS_GIVEN:
        return ["item.numero", *(f"item.{one.partition('.')[2]}" for one in dictionary.fields if one.startswith(f"{prefix}."))]
    return [f"item.{one.partition('.')[2]}" for one in dictionary.fields[each].items] if prefix else ["item", "item.obtenir"]


def group_of_a_line(each: str, dictionary: Dictionary) -> str:
    """The group of the fields of a line of a list, "" where its lines are no fields."""
    items = dictionary.fields[each].items if each in dictionary.fields else ()
    return ROWS_GIVEN.get(each) or (items[0].partition(".")[0] if items else "")


class _Reading:
    """One file."""

    def __init__(self, name: str, dictionary: Dictionary, findings: Findings) -> None:
        self.name, self.dictionary, self.findings = name, dictionary, findings
        self.values: dict[str, Value] = {}
        self.fields: set[str] = set()

    def whole(self, content: Mapping[str, Any]) -> LetterDefinition | None:
        allowed = ("sender", "object", "addressee", "values", "block", "signature", "reader", "basis")
        if not toml.keys(content, f"{self.name}#", self.findings, ("id", "class", "title"), allowed):
            return None
        for found, raw in content.get("values", {}).items():
            self._value(found, raw)
        if content.get("reader", READERS[0]) not in READERS:
            self.findings.add("definition.shape", f"{self.name}#reader")
        to_person = "addressee" not in content
        if to_person:
            self.fields.update(one for one in ("person.adresse",) if one in self.dictionary.fields)
        basis = tuple(self._text(raw, f"basis[{place}]") for place, raw in enumerate(content.get("basis", ())))
        return LetterDefinition(
            content["id"], content["class"], content.get("sender", "OTE"), toml.label(content["title"], f"{self.name}#title", self.findings),
            self._text(content["object"], "object") if "object" in content else {}, to_person,
            self._text(content["addressee"], "addressee") if not to_person else {}, self.values,
            tuple(self._block(raw, f"block[{place}]") for place, raw in enumerate(content.get("block", ()))),
            tuple(self._text(raw, f"signature[{place}]") for place, raw in enumerate(content.get("signature", ()))), tuple(sorted(self.fields)),
            content.get("reader", ""), basis,
        )  # fmt: skip

    def _value(self, name: str, raw: Mapping[str, Any]) -> None:
        where = f"{self.name}#values.{name}"
        if toml.keys(raw, where, self.findings, ("feel", "type"), ("columns", "label")) and {raw["type"], *raw.get("columns", {}).values()} <= _TYPES:
            compiled = self._feel(raw["feel"], f"values.{name}")
            if raw["type"] == "rows" and not raw.get("columns"):
                self.findings.add("definition.no_lines", where)
            if compiled:
                self.values[name] = Value(compiled, raw["type"], raw.get("columns", {}))
            if "label" in raw:
                self._text(raw["label"], f"values.{name}")
        else:
            self.findings.add("definition.shape", where)

    def _block(self, raw: Mapping[str, Any], where: str) -> Block:
        allowed = ("when", "text", "heading", "rows", "each", "where", "columns")
        if not toml.keys(raw, f"{self.name}#{where}", self.findings, (), allowed):
            return Block("text")
        when, each = self._when(raw, where), raw.get("each", "")
        if "each" in raw and not each:
            self.findings.add("definition.no_list", f"{self.name}#{where}")
        if each and self._prefix(each) is None:
            self.findings.add("definition.unknown_key", f"{self.name}#{where}.each", name=str(each)[:60])
            return Block("text")
        if each in self.dictionary.fields:
            self.fields.add(each)
        only = self._feel(raw["where"], where, each) if "where" in raw else None
        if "heading" in raw:
            return Block("heading", when, self._text(raw["heading"], where))
        if "rows" in raw or "columns" in raw:
            kind = "table" if each else "rows"
            columns = tuple(self._column(one, f"{where}[{place}]", each) for place, one in enumerate(raw.get("rows") or raw.get("columns") or ()))
            if not columns:
                self.findings.add("definition.no_lines", f"{self.name}#{where}")
            return Block(kind, when, {}, each, only, columns)
        return Block("list" if each else "text", when, self._text(raw.get("text"), where, each), each, only)

    def _column(self, raw: Mapping[str, Any], where: str, each: str) -> Column:
        if not toml.keys(raw, f"{self.name}#{where}", self.findings, ("label",), ("value", "text", "choose", "feel", "type")):
            return Column({})
        label = self._text(raw["label"], where)
        if "choose" in raw:
            return Column(label, tuple(Choice(self._text(one.get("text"), where, each), self._when(one, where, each)) for one in raw["choose"]))
        if "feel" in raw:
            compiled = self._feel(raw["feel"], where, each)
            return Column(label, worked=Value(compiled, raw["type"])) if compiled and raw.get("type") in _TYPES else Column(label)
        if "text" not in raw and not raw.get("value"):
            self.findings.add("definition.shows_nothing", f"{self.name}#{where}")
        said = raw["text"] if "text" in raw else dict.fromkeys(BOTH, f"{{{raw.get('value', '')}}}")
        return Column(label, (Choice(self._text(said, where, each)),))

    def _text(self, raw: Any, where: str, each: str = "") -> Label:
        """A text in both languages; every place in it is noted, and must exist."""
        if not isinstance(raw, Mapping) or any(not isinstance(raw.get(one), str) for one in BOTH):
            self.findings.add("definition.both", f"{self.name}#{where}")
            return {}
        if not all(raw[one].strip() for one in BOTH):
            self.findings.add("definition.both", f"{self.name}#{where}")
        for language in BOTH:
            for path in PLACE.findall(raw[language]):
                if not self._knows(path, each):
                    self.findings.add("definition.unknown_name", f"{self.name}#{where}", key=path[:60])
        return {one: raw[one] for one in BOTH}

    def _knows(self, path: str, each: str) -> bool:
        group, _, name = path.partition(".")
        if group == "item":
            prefix = self._prefix(each) if each else None
            if prefix is not None and each in TOLD_GIVEN:
                return name in TOLD_GIVEN[each]
            if prefix is None or each in self.values:
                return prefix is not None and (not name or name in self.values[each].columns)
            if not name or (name == "numero" and each in ROWS_GIVEN) or (not prefix and name == "obtenir"):
                return True
            path = f"{prefix}.{name}"
        if path in self.dictionary.fields:
            self.fields.add(path)
            return True
        return not name and (path in GIVEN or path in self.values)

    def _prefix(self, each: str) -> str | None:
        """The group of the rows of a list; "" where its items are codes or worked out; None where it is no list."""
        if each in ROWS_GIVEN:
            return ROWS_GIVEN[each]
        if each in TOLD_GIVEN and self.name == f"{COPY}.toml":
            return ""
        if each in self.values:
            return "" if self.values[each].type == "rows" else None
        spec = self.dictionary.fields.get(each)
        if spec is None or spec.type not in ("list", "multi"):
            return None
        return spec.items[0].partition(".")[0] if spec.type == "list" else ""

    def _when(self, raw: Mapping[str, Any], where: str, each: str = "") -> Expression | None:
        return self._feel(raw["when"], where, each) if "when" in raw else None

    def _feel(self, raw: Any, where: str, each: str = "") -> Expression | None:
        compiled = toml.expression(raw, f"{self.name}#{where}", self.findings)
        for path in compiled.paths if compiled else ():
            first, _, rest = path.partition(".")
            name = rest.partition(".")[0].removesuffix("_statut")
            if first == "item" and each and self._prefix(each):
                first = self._prefix(each)
            if f"{first}.{name}" in self.dictionary.fields:
                spec = self.dictionary.fields[f"{first}.{name}"]
                self.fields.add(spec.id)
                # Of the rows of a list only the fields that a filter or a path names; where none is named, any may be read.
                deeper = {found.split(".")[2] for found in compiled.paths if found.startswith(f"{path}.") and found.count(".") >= 2}
                self.fields.update({one for one in spec.items if one.partition(".")[2] in deeper} or (spec.items if path.count(".") < 2 else ()))
            elif first in self.dictionary.groups and first not in self.values:
                self.findings.add("definition.unknown_key", f"{self.name}#{where}", name=path[:60])
        return compiled


def _letterhead(name: str, content: Mapping[str, Any], findings: Findings) -> Letterhead | None:
    if not toml.keys(content, f"{name}#", findings, ("id", "sender", "words")):
        return None
    both = [*content["sender"], *content["words"].values()]
    if any(not isinstance(one, Mapping) or any(not isinstance(one.get(language), str) for language in BOTH) for one in both):
        findings.add("definition.label", name)
        return None
    return Letterhead(tuple(content["sender"]), content["words"])
