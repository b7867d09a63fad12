"""Letters: what each says, as its file in `forms/letters/*.toml` writes it in French and Arabic, and that text filled with what is known one day.

A letter is text, never a program: conditions and values are FEEL, places are `{aide.montant_accorde}`. What it may show is its class's to say
(`fields` lists all it reads; publication compares). Not who receives or reads it, nor how it looks on paper.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from unicodedata import bidirectional

from forms import text, toml
from forms.dictionary import Dictionary, Field
from forms.feel import Expression
from forms.text import Findings

BOTH = ("fr", "ar")  # an administration's letter is in these two
LETTERHEAD = "entete"  # the file that holds what stands around every letter
GIVEN = frozenset({"numero", "code", "date", "antenne", "adresse", "agence", "personne", "jour"})  # what the engine says of every letter
READERS = ("PART",)
ROWS_GIVEN = {"dossiers": "aide"}  # lists that the engine gives: the files of a sitting, each an aid with its `numero`
BLANK = "……………………"  # not known that day: to be written by hand
_TYPES = {"text", "int", "percent", "money", "date", "rows"}
_AMOUNT = re.compile(r"^([\d\u202f,.]+) (\S+)$")  # an amount is not torn from its currency
_PLACE = re.compile(r"\{([a-z_]+(?:\.[a-z0-9_]+)?)\}")
_COMMA, _SEMICOLON = {"fr": ", ", "ar": "، "}, {"fr": " ; ", "ar": " ؛ "}
_LTR, _RTL, _END = "\u2066", "\u2067", "\u2069"

_CONTROLS = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])  # what turns the line around

Label = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Value:
    """A value that the letter works out: FEEL and how it is written; `columns`: the types of the columns of `rows`."""

    feel: Expression
    type: str
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """A text said when its condition holds (always without one)."""

    text: Label
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or a line of particulars: its label, and the first of its texts whose condition holds, or a value worked out there."""

    label: Label
    choices: tuple[Choice, ...] = ()
    worked: Value | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """One part of the body: `kind` text, heading, rows (label and value), list or table (one line for each of `each`, of those where `where` holds)."""

    kind: str
    when: Expression | None = None
    text: Label = field(default_factory=dict)
    each: str = ""
    where: Expression | None = None
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class LetterDefinition:
    """One letter. `class_`: who reads it; `fields`: every field it shows or weighs; `to_person`: it is addressed to the person; `reader`: "PART" where it
    is written for a sitting's partner, and tells only of the files whose persons agreed to that."""

    id: str
    class_: str
    sender: str
    title: Label
    object: Label
    to_person: bool
    addressee: Label
    values: Mapping[str, Value]
    blocks: tuple[Block, ...]
    signatures: tuple[Label, ...]
    fields: tuple[str, ...]
    reader: str = ""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What stands around every letter: the sender's lines, the small words, the sentence of the code."""

    sender: tuple[Label, ...]
    words: Mapping[str, Label]


@dataclass(frozen=True, slots=True)
class Material:
    """What is known the day a letter is written. `feel`: as conditions read it; `stored`: group → name → value as stored; `rows`: the lists that
    the engine gives, each row a pair (as conditions read it, as stored); `given`: the texts of `GIVEN`, by language."""

    dictionary: Dictionary
    feel: Mapping[str, Any]
    stored: Mapping[str, Any]
    given: Mapping[str, Label]
    rows: Mapping[str, Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]] = field(default_factory=dict)


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


def compose(definition: LetterDefinition, head: Letterhead, material: Material) -> dict[str, Any]:
    """The letter's whole text in both languages, as JSON: nothing of it is read again from facts when it is printed."""
    return {language: _Writing(definition, material, language).whole(head) for language in BOTH}


def isolated(value: str) -> str:
    """A value set into a sentence of either script without disturbing it: between Unicode isolates of its own direction, and without any of its own."""
    value = _AMOUNT.sub("\\1\u00a0\\2", value.translate(_CONTROLS))
    kinds = [bidirectional(one) for one in value]
    # By most of its letters: a label such as "PJ13 …" begins with a code of the other script.
    return f"{_RTL if kinds.count('AL') > kinds.count('L') else _LTR}{value}{_END}" if value else ""


class _Isolated(str):
    """A text whose parts are isolated already."""


class _Reading:
    """One file of `forms/letters`, checked against the dictionary."""

    def __init__(self, name: str, dictionary: Dictionary, findings: Findings) -> None:
        self.name, self.dictionary, self.findings = name, dictionary, findings
        self.values: dict[str, Value] = {}
        self.fields: set[str] = set()

    def whole(self, content: Mapping[str, Any]) -> LetterDefinition | None:
        allowed = ("sender", "object", "addressee", "values", "block", "signature", "reader")
        if not toml.keys(content, f"{self.name}#", self.findings, ("id", "class", "title"), allowed):
            return None
        for found, raw in content.get("values", {}).items():
            self._value(found, raw)
        if content.get("reader", READERS[0]) not in READERS:
            self.findings.add("definition.shape", f"{self.name}#reader")
        to_person = "addressee" not in content
        if to_person:
            self.fields.update(one for one in ("person.adresse",) if one in self.dictionary.fields)
        return LetterDefinition(
            content["id"], content["class"], content.get("sender", "OTE"), toml.label(content["title"], f"{self.name}#title", self.findings),
            self._text(content["object"], "object") if "object" in content else {}, to_person,
            self._text(content["addressee"], "addressee") if not to_person else {}, self.values,
            tuple(self._block(raw, f"block[{place}]") for place, raw in enumerate(content.get("block", ()))),
            tuple(self._text(raw, f"signature[{place}]") for place, raw in enumerate(content.get("signature", ()))), tuple(sorted(self.fields)),
            content.get("reader", ""),
        )  # fmt: skip

    def _value(self, name: str, raw: Mapping[str, Any]) -> None:
        where = f"{self.name}#values.{name}"
        if toml.keys(raw, where, self.findings, ("feel", "type"), ("columns",)) and {raw["type"], *raw.get("columns", {}).values()} <= _TYPES:
            compiled = self._feel(raw["feel"], f"values.{name}")
            if compiled:
                self.values[name] = Value(compiled, raw["type"], raw.get("columns", {}))
        else:
            self.findings.add("definition.shape", where)

    def _block(self, raw: Mapping[str, Any], where: str) -> Block:
        allowed = ("when", "text", "heading", "rows", "each", "where", "columns")
        if not toml.keys(raw, f"{self.name}#{where}", self.findings, (), allowed):
            return Block("text")
        when, each = self._when(raw, where), raw.get("each", "")
        if each and self._prefix(each) is None:
            self.findings.add("definition.unknown_key", f"{self.name}#{where}.each", key=str(each)[:60])
            return Block("text")
        if each in self.dictionary.fields:
            self.fields.add(each)
        only = self._feel(raw["where"], where, each) if "where" in raw else None
        if "heading" in raw:
            return Block("heading", when, self._text(raw["heading"], where))
        if "rows" in raw or "columns" in raw:
            kind = "table" if each else "rows"
            columns = tuple(self._column(one, f"{where}[{place}]", each) for place, one in enumerate(raw.get("rows") or raw["columns"]))
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
        said = raw["text"] if "text" in raw else dict.fromkeys(BOTH, f"{{{raw.get('value', '')}}}")
        return Column(label, (Choice(self._text(said, where, each)),))

    def _text(self, raw: Any, where: str, each: str = "") -> Label:
        """A text in both languages; every place in it is noted, and must exist."""
        if not isinstance(raw, Mapping) or any(not isinstance(raw.get(one), str) for one in BOTH):
            self.findings.add("definition.label", f"{self.name}#{where}")
            return {}
        for language in BOTH:
            for path in _PLACE.findall(raw[language]):
                if not self._knows(path, each):
                    self.findings.add("definition.unknown_key", f"{self.name}#{where}", key=path[:60])
        return {one: raw[one] for one in BOTH}

    def _knows(self, path: str, each: str) -> bool:
        group, _, name = path.partition(".")
        if group == "item":
            prefix = self._prefix(each) if each else None
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
                self.findings.add("definition.unknown_key", f"{self.name}#{where}", key=path[:60])
        return compiled


class _Writing:
    """One letter in one language."""

    def __init__(self, definition: LetterDefinition, material: Material, language: str) -> None:
        self.definition, self.material, self.language = definition, material, language
        self.fields = material.dictionary.fields
        self.scope: dict[str, Any] = dict(material.feel)
        self.worked: dict[str, Any] = {}
        for name, value in definition.values.items():
            self.worked[name] = self.scope[name] = value.feel.evaluate(self.scope)
        for name, rows in material.rows.items():
            self.scope[name] = [seen for seen, _ in rows]

    def whole(self, head: Letterhead) -> dict[str, Any]:
        definition = self.definition
        # A line of the letterhead without anything in it (an address nobody gave) is left out.
        sender = [line for line in (self.fill(label, {}, blank="") for label in head.sender) if line.strip(f"{_LTR}{_RTL}{_END} ,،")]
        return {
            "sender": sender,
            "words": {name: self.fill(label, {}) for name, label in head.words.items()},
            "addressee": self._addressee(),
            "title": definition.title[self.language],
            "object": self.fill(definition.object, {}) if definition.object else "",
            "blocks": [made for block in definition.blocks if (made := self._block(block))],
            "signatures": [self.fill(label, {}) for label in definition.signatures],
        }

    def _addressee(self) -> list[str]:
        if not self.definition.to_person:
            return [self.fill(self.definition.addressee, {})]
        lines = [self.material.given.get("personne", {}).get(self.language, ""), str(self.material.stored.get("person", {}).get("adresse") or "")]
        return [isolated(line) for line in lines if line]

    def _block(self, block: Block) -> dict[str, Any] | None:
        if not self._holds(block.when, {}):
            return None
        match block.kind:
            case "rows":
                rows = [[column.label[self.language], self._cell(column, {}, blank="")] for column in block.columns]
                said = [row for row in rows if row[1]]  # a particular that nobody knows is left out
                return {"kind": "rows", "rows": said} if said else None
            case "list":
                items = [self.fill(block.text, item) for item in self._items(block.each) if self._holds(block.where, item)]
                return {"kind": "list", "items": items} if items else None
            case "table":
                rows = [[self._cell(column, item, blank="—") for column in block.columns] for item in self._items(block.each) if self._holds(block.where, item)]
                return {"kind": "table", "head": [column.label[self.language] for column in block.columns], "rows": rows} if rows else None
        return {"kind": block.kind, "text": self.fill(block.text, {})}

    def _cell(self, column: Column, item: Mapping[str, Any], blank: str) -> str:
        if column.worked:
            return isolated(self._written(column.worked.type, column.worked.feel.evaluate({**self.scope, "item": item.get("feel")}))) or blank
        chosen = next((one for one in column.choices if self._holds(one.when, item)), None)
        return self.fill(chosen.text, item, blank) if chosen else blank

    def _holds(self, when: Expression | None, item: Mapping[str, Any]) -> bool:
        return when is None or when.evaluate({**self.scope, "item": item.get("feel")} if item else self.scope) is True

    def _items(self, each: str) -> Iterator[Mapping[str, Any]]:
        """Each line of a list: `feel` as conditions read it, `texts` the places it fills."""
        if each in self.definition.values:
            columns = self.definition.values[each].columns
            for row in self.worked[each] or ():
                yield {"feel": row, "texts": {name: self._written(type_, row.get(name)) for name, type_ in columns.items()}}
        elif each in ROWS_GIVEN:
            for seen, stored in self.material.rows.get(each, ()):
                yield {"feel": seen, "texts": {**self._row(ROWS_GIVEN[each], stored), "numero": str(stored.get("numero") or "")}}
        else:
            spec = self.fields[each]
            group, _, name = each.partition(".")
            stored, seen = (tree.get(group, {}).get(name) or [] for tree in (self.material.stored, self.material.feel))
            for place, row in enumerate(stored):
                if spec.type == "multi":
                    obtained = self.material.dictionary.pieces.get(row, {}).get("obtain", {})
                    yield {"feel": row, "texts": {"": spec.choice_label(row, self.language), "obtenir": text.pick(obtained, self.language)}}
                else:
                    yield {"feel": seen[place], "texts": self._row(spec.items[0].partition(".")[0], row)}

    def _row(self, prefix: str, row: Mapping[str, Any]) -> dict[str, str]:
        return {name: self._shown(self.fields[found], value) for name, value in row.items() if (found := f"{prefix}.{name}") in self.fields}

    def _shown(self, spec: Field, value: Any) -> str:
        """A stored value in words; a list as its rows, one after the other."""
        if value is None:
            return ""
        if spec.type == "list" and spec.items:
            rows = [self._row(spec.items[0].partition(".")[0], row) for row in value]
            return _Isolated(_SEMICOLON[self.language].join(_COMMA[self.language].join(isolated(one) for one in row.values() if one) for row in rows))
        return text.display(spec, value, self.language)

    def fill(self, label: Label, item: Mapping[str, Any], blank: str = BLANK) -> str:
        """A text with its places filled; what is not known leaves room for a pen."""

        def filled(found: re.Match[str]) -> str:
            said = self._place(found[1], item)
            return (said if isinstance(said, _Isolated) else isolated(said)) or blank

        return _PLACE.sub(filled, label.get(self.language, ""))

    def _place(self, path: str, item: Mapping[str, Any]) -> str:
        group, _, name = path.partition(".")
        if group == "item":
            return item.get("texts", {}).get(name, "")
        if path in self.definition.values:
            return self._written(self.definition.values[path].type, self.worked[path])
        if path in GIVEN:
            return self.material.given.get(path, {}).get(self.language, "")
        return self._shown(self.fields[path], self.material.stored.get(group, {}).get(name))

    def _written(self, type_: str, value: Any) -> str:
        if value is None:
            return ""
        match type_:
            case "money":
                return text.money(int(Decimal(value) * 1000), self.language)
            case "date":
                return text.day(value.date() if isinstance(value, datetime) else value if isinstance(value, date) else str(value), self.language)
            case "percent":
                return f"{text.number(int(value) if value == int(value) else value, self.language)}\u00a0%"
            case "int":
                return text.number(int(value), self.language)
        return str(value)


def _letterhead(name: str, content: Mapping[str, Any], findings: Findings) -> Letterhead | None:
    if not toml.keys(content, f"{name}#", findings, ("id", "sender", "words")):
        return None
    both = [*content["sender"], *content["words"].values()]
    if any(not isinstance(one, Mapping) or any(not isinstance(one.get(language), str) for language in BOTH) for one in both):
        findings.add("definition.label", name)
        return None
    return Letterhead(tuple(content["sender"]), content["words"])
