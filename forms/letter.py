"""Letters: what each says in French and Arabic, and that text filled with what is known one day.

A letter is text, never a program: conditions and values are FEEL, places are `{aide.montant_accorde}`. What it may show is its class's to say
(`fields` lists all it reads; publication compares). Reading its file is `letter_files`'; who receives or reads it, and how it looks on paper, are not here.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unicodedata import bidirectional

from forms import text
from forms.dictionary import Dictionary, Field
from forms.feel import Expression, bounded

BOTH = ("fr", "ar")  # an administration's letter is in these two
LETTERHEAD = "entete"  # the file that holds what stands around every letter
GIVEN = frozenset({"numero", "code", "date", "antenne", "adresse", "agence", "personne", "jour", "rendez_vous", "lieu", "suite", "absentes"})  # what the engine says of every letter; `rendez_vous` and `lieu` of a summons, `suite` of one called off
SCOPE = frozenset({"today", "dossier", "parametres", "programmes", "antennes", "item"})  # what its expressions read beside facts
READERS = ("PART",)
ROWS_GIVEN = {"dossiers": "aide"}  # lists that the engine gives: the files of a sitting, each an aid with its `numero`
COPY = "copie_donnees"  # the paper that holds what is kept of a person: made when she asks for it, never by a diagram
# Lists that the engine gives that paper in words, with their columns.
TOLD_GIVEN = {"donnees": frozenset({"rubrique", "donnee", "valeur", "source", "le"}), "documents": frozenset({"nom", "le", "empreinte"})}
BLANK = "……………………"  # not known that day: to be written by hand
UNSAID = "—"  # a cell of a table with nothing to say
_PHONE = re.compile(r"(?<![\w+])\+?\d+(?: \d{2,3}){2,}(?!\w)")  # its groups are not read from the right, nor torn
_AMOUNT = re.compile(r"^([\d\u202f,.]+) (\S+)$")  # an amount is not torn from its currency
PLACE = re.compile(r"\{([a-z_]+(?:\.[a-z0-9_]+)?)\}")
_COMMA, _SEMICOLON = {"fr": ", ", "ar": "، "}, {"fr": " ; ", "ar": " ؛ "}
_LTR, _RTL, _END = "\u2066", "\u2067", "\u2069"

_CONTROLS = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])  # what turns the line around

Label = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Value:
    """A value that the letter works out: FEEL and how it is written (a `limit` is a date, or the next day on which the branches are open); `columns`: the types of the columns of `rows`."""

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
    is written for a sitting's partner, and tells only of the files whose persons agreed to that; `basis`: the texts of law that it rests on."""

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
    basis: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What stands around every letter: the sender's lines, the small words, the sentence of the code."""

    sender: tuple[Label, ...]
    words: Mapping[str, Label]


@dataclass(frozen=True, slots=True)
class Material:
    """What is known the day a letter is written. `feel`: as conditions read it; `stored`: group → name → value as stored; `rows`: the lists that
    the engine gives, each row a pair (as conditions read it, as stored); `told`: those it gives in words, by language; `given`: the texts of `GIVEN`, by language."""

    dictionary: Dictionary
    feel: Mapping[str, Any]
    stored: Mapping[str, Any]
    given: Mapping[str, Label]
    rows: Mapping[str, Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]] = field(default_factory=dict)
    told: Mapping[str, Mapping[str, Sequence[Mapping[str, str]]]] = field(default_factory=dict)


def compose(definition: LetterDefinition, head: Letterhead, material: Material) -> dict[str, Any]:
    """The letter's whole text in both languages, as JSON: nothing of it is read again from facts when it is printed."""
    return {language: _Writing(definition, material, language).whole(head) for language in BOTH}


def headed(head: Letterhead, material: Material) -> dict[str, dict[str, Any]]:
    """What stands around a paper that is no letter of the edition: sender and small words, by language."""
    bare = LetterDefinition("", "", "", dict.fromkeys(BOTH, ""), {}, False, {}, {}, (), (), ())
    return compose(bare, head, material)


def without(content: Mapping[str, Any], whose: Collection[str], kept: Collection[str]) -> dict[str, Any]:
    """A letter's text (`compose`) without what it tells of some rows that the engine gave (`whose`: their ids): their lines go out of lists, and of tables
    all that is not in `kept`."""
    gone, stands = frozenset(whose), {*kept, *map(isolated, kept)}

    def left(block: Mapping[str, Any]) -> Mapping[str, Any]:
        if gone.isdisjoint(block.get("of", ())):
            return block
        if block["kind"] == "table":
            rows = [[cell if cell in stands else UNSAID for cell in row] if one in gone else row for row, one in zip(block["rows"], block["of"], strict=True)]
            return {**block, "rows": rows}
        stays = [(item, one) for item, one in zip(block["items"], block["of"], strict=True) if one not in gone]
        return {**block, "items": [item for item, _ in stays], "of": [one for _, one in stays]}

    return {**content, **{language: {**content[language], "blocks": [left(block) for block in content[language]["blocks"]]} for language in BOTH}}


def _whose(told: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Of which rows that the engine gave the lines of a block tell, so that what one of them says can be taken out."""
    return {"of": [item["of"] for item in told]} if told and "of" in told[0] else {}


def isolated(value: str) -> str:
    """A value set into a sentence of either script without disturbing it: between Unicode isolates of its own direction, and without any of its own."""
    value = _AMOUNT.sub("\\1\u00a0\\2", value.translate(_CONTROLS))
    if not _begins_from_the_right(value):
        return f"{_LTR}{value}{_END}" if value else ""
    return _RTL + _PHONE.sub(lambda found: f"{_LTR}{found[0].replace(' ', chr(0xA0))}{_END}", value) + _END


def _begins_from_the_right(value: str) -> bool:
    """As the screen on which it was typed: by its first letter; but a label such as "PJ13 …" begins with a code."""
    words = sorted(value.split(), key=lambda word: any(one.isdigit() for one in word))
    return next((kind == "AL" for word in words for one in word if (kind := bidirectional(one)) in ("AL", "L")), False)


class _Isolated(str):
    """A text whose parts are isolated already."""


class _Writing:
    """One letter in one language."""

    def __init__(self, definition: LetterDefinition, material: Material, language: str) -> None:
        self.definition, self.material, self.language = definition, material, language
        self.fields = material.dictionary.fields
        self.scope: dict[str, Any] = bounded(material.feel)
        self.worked: dict[str, Any] = {}
        for name, value in definition.values.items():
            found = value.feel.evaluate(self.scope)
            self.worked[name] = self.scope[name] = self._open_day(found) if value.type == "limit" and isinstance(found, date) else found
        for name, rows in material.rows.items():
            self.scope[name] = [seen for seen, _ in rows]

    def _open_day(self, day: date) -> date:
        """The day itself, or where the branches are closed the next on which they are open: nobody loses a right to a holiday."""
        closed = (self.scope.get("parametres") or {}).get("jours_feries") or ()
        return next(one for one in (day + timedelta(days=number) for number in range(60)) if one.weekday() < 5 and one not in closed)

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
            "basis": [self.fill(label, {}) for label in definition.basis],
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
                told = self._told(block)
                return {"kind": "list", "items": [self.fill(block.text, item) for item in told], **_whose(told)} if told else None
            case "table":
                told = self._told(block)
                rows = [[self._cell(column, item, blank=UNSAID) for column in block.columns] for item in told]
                return {"kind": "table", "head": [column.label[self.language] for column in block.columns], "rows": rows, **_whose(told)} if told else None
        return {"kind": block.kind, "text": self.fill(block.text, {})}

    def _cell(self, column: Column, item: Mapping[str, Any], blank: str) -> str:
        if column.worked:
            return isolated(self._written(column.worked.type, column.worked.feel.evaluate({**self.scope, "item": item.get("feel")}))) or blank
        chosen = next((one for one in column.choices if self._holds(one.when, item)), None)
        return self.fill(chosen.text, item, blank) if chosen else blank

    def _holds(self, when: Expression | None, item: Mapping[str, Any]) -> bool:
        return when is None or when.evaluate({**self.scope, "item": item.get("feel")} if item else self.scope) is True

    def _told(self, block: Block) -> list[Mapping[str, Any]]:
        """The lines of a list or table that are said."""
        return [item for item in self._items(block.each) if self._holds(block.where, item)]

    def _items(self, each: str) -> Iterator[Mapping[str, Any]]:
        """Each line of a list: `feel` as conditions read it, `texts` the places it fills."""
        if each in self.definition.values:
            columns = self.definition.values[each].columns
            for row in self.worked[each] or ():
                yield {"feel": row, "texts": {name: self._written(type_, row.get(name)) for name, type_ in columns.items()}}
        elif each in TOLD_GIVEN:
            for said in self.material.told.get(each, {}).get(self.language, ()):
                yield {"feel": said, "texts": said}
        elif each in ROWS_GIVEN:
            for seen, stored in self.material.rows.get(each, ()):
                yield {"feel": seen, "texts": {**self._row(ROWS_GIVEN[each], stored), "numero": str(stored.get("numero") or "")}, "of": str(stored.get("id") or "")}
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

        return PLACE.sub(filled, label.get(self.language, ""))

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
            case "date" | "limit":
                return text.day(value.date() if isinstance(value, datetime) else value if isinstance(value, date) else str(value), self.language)
            case "percent":
                return f"{text.number(int(value) if value == int(value) else value, self.language)}\u00a0%"
            case "int":
                return text.number(int(value), self.language)
        return str(value)
