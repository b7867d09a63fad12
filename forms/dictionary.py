"""The data dictionary: every datum once, with its type, choices, labels, validity, owner, class, purpose and retention.

Reads `forms/dictionary/*.toml` and refuses what does not hold together. Not the forms (`form.py`), nor how a value of a type is read
(`field_types.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs

from forms import field_types, places, toml
from forms.feel import Expression, FeelError
from forms.text import LANGUAGES, Findings, pick

KINDS = frozenset({"person", "return", "case", "measure", "aid", "visit", "sitting", "exception", "member"})
CLASSES = frozenset("CPSFEOHR")
OWNERS = frozenset({"OTE", "CPS", "ANETI", "PART"})
MOST_ROWS = 200
_CHOSEN = frozenset({"enum", "multi"})
_PLACES = frozenset({"gov", "district", "country", "language"})
_COUNTED = frozenset({"int", "number", "percent", "score", "money"})
_WRITTEN = frozenset({"text", "longtext", "address"})
_NEVER_PROPOSED = frozenset({"doc", "signature"})
_called: dict[str, Mapping[str, Mapping[str, str]]] = {}  # by list of choices: what dated data calls its codes
_NEEDED = ("type", "label", "class", "owner", "purpose", "retention")
_ALLOWED = ("help", "also", "validity", "optional", "choices", "values", "min", "max", "min_on", "max_on", "max_length", "partial", "unknown", "refusable",
    "items",
            "max_items", "own_hand", "offered", "proposed", "computed", "piece", "pattern", "held_by", "held_by_label", "produced_by", "inferred", "source", "unit")  # fmt: skip
_SHAPES = {key: str for key in ("type", "class", "owner", "purpose", "retention", "validity", "choices", "offered", "proposed", "computed", "piece", "pattern", "held_by",
    "produced_by", "source")}
_SHAPES |= {key: bool for key in ("optional", "partial", "unknown", "refusable", "own_hand", "inferred")} | {"also": list, "items": list, "held_by_label": dict,
    "unit": dict}


@dataclass(frozen=True, slots=True)
class Group:
    """Fields about one kind of subject; its label names a row where the group holds the rows of a list."""

    id: str
    subject: str
    label: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One datum. `choices`: code → label by language; `codes`: code → its rank, of those it may be given; `offered`: which codes those are where it is asked,
    else all of `choices`; `listed`: the list it shares; `proposed`: the answer that what is known already gives, for whoever is asked to confirm or change; `own_hand`: whoever does the task signs it, by her own name. `class_` and `also`: who may read it. Dates and amounts as stored."""

    id: str
    type: str
    label: Mapping[str, str]
    class_: str
    owner: str
    subject: str
    group: str
    purpose: str
    retention: str
    help: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    validity: str = ""
    optional: bool = False
    unknown: bool = False
    refusable: bool = False
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    codes: Mapping[str, int] = field(default_factory=dict, repr=False)
    listed: str = ""
    offered: Expression | None = None
    proposed: Expression | None = None
    items: tuple[str, ...] = ()
    max_items: int = 0
    min: int | float | None = None
    max: int | float | None = None
    min_on: Callable[[date], date] | None = None
    max_on: Callable[[date], date] | None = None
    max_length: int | None = None
    partial: bool = False
    own_hand: bool = False
    pattern: str = ""
    matches: Any = None
    computed: Expression | None = None
    reads: tuple[str, ...] = ()
    unit: Mapping[str, str] = field(default_factory=dict)
    inferred: bool = False
    source: str = ""
    piece: str = ""
    piece_labels: Mapping[str, str] = field(default_factory=dict)
    held_by: str = ""
    held_by_label: Mapping[str, str] = field(default_factory=dict)
    produced_by: str = ""

    @property
    def is_of_the_day(self) -> bool:
        """Computed from the day it is read (an age): never stored, since tomorrow it would be wrong."""
        return self.computed is not None and not {"today", "now"}.isdisjoint(self.computed.names)

    def choice_label(self, code: str, language: str) -> str:
        """The words of a code, as dated data says else the dictionary; the code itself when it is of a list no longer in use."""
        return pick(_called.get(self.listed, {}).get(code) or self.choices.get(code), language) or code


@dataclass(frozen=True, slots=True)
class Dictionary:
    """`fields` by id in the order of files; `computed`: the computed fields, each after those it reads; `of_the_day`: those of them that no fact holds."""

    fields: Mapping[str, Field]
    groups: Mapping[str, Group]
    purposes: Mapping[str, Mapping[str, str]]
    pieces: Mapping[str, Mapping[str, Any]]
    computed: tuple[Field, ...]
    of_the_day: tuple[Field, ...] = ()

    def field(self, field_id: str) -> Field:
        """The field of an id. Raises KeyError."""
        return self.fields[field_id]


def call(listed: str, names: Mapping[str, Mapping[str, str]]) -> None:
    """Takes up what dated data calls the codes of a list of choices: before the dictionary's words. Kept by this process until told anew."""
    _called[listed] = {**_called.get(listed, {}), **names}


def load(folder: Path) -> Dictionary:
    """The dictionary of a folder. Raises FormError."""
    return read({path.name: path.read_bytes() for path in sorted(folder.glob("*.toml"))})


def read(files: Mapping[str, bytes]) -> Dictionary:
    """The dictionary of these files (name → content). Raises FormError with everything that is wrong."""
    findings = Findings()
    reading = _Reading(toml.parse(files, findings), findings)
    made = reading.whole()
    findings.refuse_if_any()
    return made


class _Reading:
    """One reading of the files of a dictionary."""

    def __init__(self, files: Mapping[str, Mapping[str, Any]], findings: Findings) -> None:
        self.files, self.findings = files, findings
        self.groups: dict[str, Group] = {}
        self.fields: dict[str, Field] = {}
        self.lists: dict[str, dict[str, dict[str, str]]] = {}
        self.purposes: dict[str, dict[str, str]] = {}
        self.pieces: dict[str, dict[str, Any]] = {}
        self.governorates: dict[str, dict[str, str]] = {}
        self.districts: dict[str, dict[str, str]] = {}

    def whole(self) -> Dictionary:
        for name, content in self.files.items():
            self._references(name, content)
        for name, content in self.files.items():
            if "group" in content or "fields" in content:
                self._group(name, content)
        self._items()
        self._told()
        computed = self._computed()
        return Dictionary(self.fields, self.groups, self.purposes, self.pieces, computed, tuple(spec for spec in computed if spec.is_of_the_day))

    def _references(self, name: str, content: Mapping[str, Any]) -> None:
        """Lists of choices, purposes, documents, places: what fields refer to."""
        note = self.findings
        for found in content.keys() - {"group", "fields", "lists", "purposes", "pieces", "governorates"}:
            note.add("definition.unknown_key", f"{name}#{found}", name=found)
        for found, table in _tables(content, "lists"):
            where = f"{name}#lists.{found}"
            if toml.keys(table, where, note, ("values",), ("inferred", "source")):
                self.lists[found] = self._codes(table["values"], where)
        for found, table in _tables(content, "purposes"):
            if toml.keys(table, f"{name}#purposes.{found}", note, ("label",)):
                self.purposes[found] = toml.label(table["label"], f"{name}#purposes.{found}.label", note)
        for found, table in _tables(content, "pieces"):
            where = f"{name}#pieces.{found}"
            if toml.keys(table, where, note, ("label",), ("held_by", "held_by_label", "produced_by", "validity", "obtain", "inferred", "source")):
                self.pieces[found] = {**table, "label": toml.label(table["label"], f"{where}.label", note)}
                if "obtain" in table:
                    toml.label(table["obtain"], f"{where}.obtain", note)
        governorates = content.get("governorates", [])
        self.governorates |= self._codes(governorates, f"{name}#governorates")
        for one in governorates if isinstance(governorates, list) else ():
            self.districts |= self._codes(one.get("districts", []) if isinstance(one, dict) else [], f"{name}#governorates.districts")

    def _codes(self, values: Any, where: str) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for place, one in enumerate(values if isinstance(values, list) else [None]):
            if not toml.keys(one, f"{where}[{place}]", self.findings, ("code", "label"), ("districts", "inferred")):
                continue
            if not isinstance(one["code"], str) or not one["code"] or one["code"] in found:
                self.findings.add("dictionary.code", f"{where}[{place}].code", choice=str(one["code"])[:60])
                continue
            found[one["code"]] = toml.label(one["label"], f"{where}[{place}].label", self.findings)
        return found

    def _group(self, name: str, content: Mapping[str, Any]) -> None:
        table, note = content.get("group"), self.findings
        if not toml.keys(table, f"{name}#group", note, ("id", "subject", "label")) or not toml.shapes(table, f"{name}#group", note, {"id": str,
            "subject": str}):
            return
        if table["subject"] not in KINDS:
            note.add("dictionary.subject", f"{name}#group.subject", subject=str(table["subject"])[:40])
        if table["id"] in self.groups:
            note.add("dictionary.twice", f"{name}#group.id", id=table["id"])
        group = self.groups[table["id"]] = Group(table["id"], table["subject"], toml.label(table["label"], f"{name}#group.label", note))
        for found, raw in _tables(content, "fields"):
            where = f"{name}#{found}"
            if not toml.FIELD_ID.fullmatch(found) or found.partition(".")[0] != group.id:
                note.add("dictionary.id", where, group=group.id)
            elif found in self.fields:
                note.add("dictionary.twice", where, id=found)
            elif toml.keys(raw, where, note, _NEEDED, _ALLOWED) and toml.shapes(raw, where, note, _SHAPES) and (made := self._field(found, raw, group, where)):
                self.fields[found] = made

    def _field(self, found: str, raw: Mapping[str, Any], group: Group, where: str) -> Field | None:
        note, type_ = self.findings, raw["type"]
        if type_ != field_types.ROWS and type_ not in field_types.TYPES:
            note.add("dictionary.type", f"{where}.type", type=str(type_)[:40])
            return None
        self._walls(raw, where)
        self._fitting(raw, type_, where)
        choices = self._choices(raw, type_, where)
        piece = self.pieces.get(raw.get("piece", ""), {})
        if "piece" in raw and not piece:
            note.add("dictionary.piece", f"{where}.piece", piece=str(raw["piece"])[:40])
        held = {**piece, **raw}
        label = toml.label(raw["label"], f"{where}.label", note)
        computed, offered, proposed = (toml.expression(raw[key], f"{where}.{key}", note) if key in raw else None for key in ("computed", "offered", "proposed"))
        return Field(
            id=found, type=type_, label=label, class_=raw["class"], owner=raw["owner"], subject=group.subject, group=group.id, purpose=raw["purpose"],
            retention=raw["retention"], help=toml.label(raw["help"], f"{where}.help", note) if "help" in raw else {}, also=tuple(raw.get("also", ())),
            validity=raw.get("validity", ""), optional=bool(raw.get("optional")), unknown=bool(raw.get("unknown")) or type_ == "tri",
            refusable=bool(raw.get("refusable")),
            choices=choices, codes={code: rank for rank, code in enumerate(choices)}, listed=raw.get("choices", ""),
            offered=offered, proposed=proposed, items=tuple(raw.get("items", ())), max_items=raw.get("max_items",
            MOST_ROWS),
            min=raw.get("min"), max=raw.get("max"), min_on=self._day(raw, "min_on", where), max_on=self._day(raw, "max_on", where),
            max_length=raw.get("max_length"),
            partial=bool(raw.get("partial")), own_hand=bool(raw.get("own_hand")), pattern=raw.get("pattern", ""), matches=self._pattern(raw, where), computed=computed,
            unit=raw.get("unit", {}), inferred=bool(raw.get("inferred")), source=raw.get("source", ""), piece=raw.get("piece", ""),
            piece_labels=piece.get("label", {}),
            held_by=held.get("held_by", ""), held_by_label=held.get("held_by_label", {}), produced_by=held.get("produced_by", ""),
        )  # fmt: skip

    def _walls(self, raw: Mapping[str, Any], where: str) -> None:
        """Who owns a datum, who reads it, why it is kept and for how long."""
        note = self.findings
        if raw["class"] not in CLASSES:
            note.add("dictionary.class", f"{where}.class")
        if not set(raw.get("also", [])) <= CLASSES - {raw["class"]}:
            note.add("dictionary.class", f"{where}.also")
        if raw["owner"] not in OWNERS:
            note.add("dictionary.owner", f"{where}.owner")
        if raw["purpose"] not in self.purposes:
            note.add("dictionary.purpose", f"{where}.purpose", purpose=str(raw["purpose"])[:40])
        for key in ("retention", "validity"):
            if key in raw and (not field_types.DURATION.fullmatch(raw[key])):
                note.add("dictionary.duration", f"{where}.{key}")

    def _fitting(self, raw: Mapping[str, Any], type_: str, where: str) -> None:
        """Keys that mean something for the type only, each of the right shape."""
        note = self.findings
        for key, types in (("min", _COUNTED), ("max", _COUNTED), ("max_length", _WRITTEN), ("pattern", _WRITTEN), ("partial", {"date"}), ("own_hand", {"signature"}), ("piece", {"doc"}),
                           ("min_on", {"date", "datetime"}), ("max_on", {"date", "datetime"}), ("items", {"list"}), ("max_items", {"list"}), ("offered", _CHOSEN)):  # fmt: skip
            if key in raw and type_ not in types:
                note.add("dictionary.unfit", f"{where}.{key}", key=key, type=type_)
        if "proposed" in raw and (type_ in _NEVER_PROPOSED or "computed" in raw or (type_ == field_types.ROWS and raw["proposed"] != where.partition("#")[2])):  # rows are proposed as they were
            note.add("dictionary.unfit", f"{where}.proposed", key="proposed", type=type_)
        for key in ("min", "max", "max_length", "max_items"):
            if key in raw and (isinstance(raw[key], bool) or not isinstance(raw[key], int | float) or (key.startswith("max_") and raw[key] < 1)):
                note.add("dictionary.bound", f"{where}.{key}")
        if type_ == field_types.ROWS and "computed" not in raw and not raw.get("items"):
            note.add("definition.missing", f"{where}.items", key="items")

    def _choices(self, raw: Mapping[str, Any], type_: str, where: str) -> dict[str, Mapping[str, str]]:
        note = self.findings
        if type_ in _PLACES:
            return {"gov": self.governorates, "district": self.districts}.get(type_) or places.labels(type_)
        if type_ not in _CHOSEN:
            if "choices" in raw or "values" in raw:
                note.add("dictionary.unfit", f"{where}.choices", key="choices", type=type_)
            return {}
        if "values" in raw:
            return self._codes(raw["values"], f"{where}.values")
        if raw.get("choices") not in self.lists:
            note.add("dictionary.choices", f"{where}.choices", choices=str(raw.get("choices"))[:40])
            return {}
        return self.lists[raw["choices"]]

    def _pattern(self, raw: Mapping[str, Any], where: str) -> Any:
        """The same engine judges patterns here and in JSON Schema: it works in linear time, and the two faces cannot differ."""
        if "pattern" not in raw:
            return None
        try:
            return jsonschema_rs.Draft202012Validator({"type": "string", "pattern": raw["pattern"]}, pattern_options=jsonschema_rs.RegexOptions())
        except (jsonschema_rs.ValidationError, TypeError, ValueError):
            self.findings.add("dictionary.pattern", f"{where}.pattern", pattern=str(raw["pattern"])[:80])
            return None

    def _day(self, raw: Mapping[str, Any], key: str, where: str) -> Callable[[date], date] | None:
        """A first or last day: a date, or a FEEL expression over `today`."""
        if key not in raw:
            return None
        value = raw[key]
        if isinstance(value, date):
            return lambda today: value
        compiled = toml.expression(value, f"{where}.{key}", self.findings)
        if compiled is None:
            return None
        if not compiled.paths <= {"today"} or not _gives_a_day(compiled):
            self.findings.add("dictionary.day", f"{where}.{key}")
            return None
        return lambda today: compiled.evaluate({"today": today})

    def _items(self) -> None:
        """The fields of a list's rows: of one group, known, and no lists themselves."""
        for spec in self.fields.values():
            for inner in spec.items:
                found = self.fields.get(inner)
                if found is None or found.type == field_types.ROWS or found.computed or found.offered or found.proposed or found.group != spec.items[0].partition(".")[0]:
                    self.findings.add("dictionary.item", f"{spec.id}.items", item=str(inner)[:60] if found is None else dict(found.label))

    def _told(self) -> None:
        """What tells which choices are offered, and which answer is proposed, reads fields that exist."""
        for spec in self.fields.values():
            for key, told in (("offered", spec.offered), ("proposed", spec.proposed)):
                for name in toml.fields_read(told, self.fields)[1] if told else ():
                    self.findings.add("definition.reads_unknown", f"{spec.id}.{key}", name=name[:60])

    def _computed(self) -> tuple[Field, ...]:
        """Computed fields, each after those it reads; what they read must exist, and no circle."""
        waiting: dict[str, Field] = {}
        for spec in self.fields.values():
            if spec.computed is None:
                continue
            known, strange = toml.fields_read(spec.computed, self.fields)
            for name in strange:
                self.findings.add("definition.reads_unknown", f"{spec.id}.computed", name=name[:60])
            if any(self.fields[name].subject != spec.subject for name in known):
                self.findings.add("dictionary.computed_subject", f"{spec.id}.computed")
            object.__setattr__(spec, "reads", tuple(known))
            waiting[spec.id] = spec
        ordered: list[Field] = []
        while waiting:
            ready = [spec for spec in waiting.values() if not waiting.keys() & set(spec.reads)]
            if not ready:
                self.findings.add("dictionary.circle", f"{min(waiting)}.computed", fields={language: ", ".join(sorted(pick(one.label, language) for one in waiting.values()))[:120] for language in LANGUAGES})
                break
            for spec in ready:
                ordered.append(waiting.pop(spec.id))
        return tuple(ordered)


def _gives_a_day(compiled: Expression) -> bool:
    try:
        return isinstance(compiled.evaluate({"today": date(2000, 2, 1)}), date)
    except FeelError:
        return False


def _tables(content: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    found = content.get(key, {})
    return list(found.items()) if isinstance(found, dict) else [(key, None)]
