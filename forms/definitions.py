"""What a task asks, as its file says: sections, fields, conditions, checks. Read from `forms/tasks/*.toml` and checked against the dictionary.

Not what is asked of whom today (`form.ask`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from forms import toml
from forms.dictionary import Dictionary, Field
from forms.feel import Expression
from forms.text import LANGUAGES, Finding, Findings, say

Label = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ask:
    """One field asked; `when` None means always; `required` as the file or else the dictionary says."""

    field: str
    required: bool
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class SectionDefinition:
    title: Label
    ask: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold between answers. `fields`: where its sentence is shown; `reads`: what it depends on."""

    holds: Expression
    fields: tuple[str, ...]
    message: Label
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormDefinition:
    """One task's form. `field_ids`: all that it asks, shows or reads; `computed`: the computed fields that its answers feed, in order."""

    id: str
    title: Label
    intro: Label
    confirmation: Label
    show: tuple[str, ...]
    sections: tuple[SectionDefinition, ...]
    checks: tuple[Check, ...]
    dictionary: Dictionary = field(repr=False)
    computed: tuple[str, ...] = ()
    field_ids: tuple[str, ...] = ()


def load(folder: Path, dictionary: Dictionary) -> dict[str, FormDefinition]:
    """The forms of a folder by id. Raises FormError."""
    return read({path.name: path.read_bytes() for path in sorted(folder.glob("*.toml"))}, dictionary)


def read(files: Mapping[str, bytes], dictionary: Dictionary) -> dict[str, FormDefinition]:
    """The forms of these files by id. Raises FormError with everything that is wrong in any of them."""
    findings = Findings()
    found: dict[str, FormDefinition] = {}
    for name, content in toml.parse(files, findings).items():
        made = _Reading(name, dictionary, findings).whole(content)
        if made is not None:
            found[made.id] = made
    findings.refuse_if_any()
    return found


def read_one(file: str, content: Mapping[str, Any], dictionary: Dictionary) -> tuple[FormDefinition | None, tuple[Finding, ...]]:
    """One form from the content of its file, None where something in it is wrong, and everything that is."""
    findings = Findings()
    made = _Reading(file, dictionary, findings).whole(content)
    return (None if len(findings) else made), tuple(findings)


def field_ids(definition: FormDefinition) -> tuple[str, ...]:
    """Every field the form asks, shows or reads in a condition, a check or a computation, with the fields of the rows of its lists."""
    return definition.field_ids


def confirm_only(form_id: str, names: Label) -> FormDefinition:
    """The form of a task that asks nothing: completing it says that it was done."""
    confirmation = {language: say("form.confirm", language) for language in LANGUAGES}
    return FormDefinition(form_id, dict(names), {}, confirmation, (), (), (), Dictionary({}, {}, {}, {}, ()))


class _Reading:
    """The reading of one file."""

    def __init__(self, file: str, dictionary: Dictionary, findings: Findings) -> None:
        self.file, self.dictionary, self.findings, self.before = file, dictionary, findings, len(findings)
        self.asked: dict[str, Ask] = {}

    def whole(self, content: Mapping[str, Any]) -> FormDefinition | None:
        note = self.findings
        if not toml.keys(content, self.file + "#", note, ("id", "title"), ("intro", "confirmation", "show", "section", "check", "inferred", "source")):
            return None
        if f"{content['id']}.toml" != self.file:
            note.add("form.id", f"{self.file}#id")
        sections = tuple(filter(None, (self._section(one, place) for place, one in enumerate(self._list(content, "section")))))
        made = FormDefinition(
            id=str(content["id"]), title=toml.label(content["title"], f"{self.file}#title", note), intro=self._optional(content, "intro"),
            confirmation=self._optional(content, "confirmation"), show=tuple(one for one in self._list(content, "show") if self._field(one, "show")),
            sections=sections,
            checks=tuple(filter(None, (self._check(one, place) for place, one in enumerate(self._list(content, "check"))))),
            dictionary=self.dictionary,
        )  # fmt: skip
        if not self.asked and not made.confirmation:
            note.add("form.empty", f"{self.file}#confirmation")
        return made if len(note) > self.before else self._complete(made)

    def _optional(self, content: Mapping[str, Any], key: str) -> Label:
        return toml.label(content[key], f"{self.file}#{key}", self.findings) if key in content else {}

    def _list(self, table: Mapping[str, Any], key: str) -> list[Any]:
        found = table.get(key, [])
        if isinstance(found, list):
            return found
        self.findings.add("definition.shape", f"{self.file}#{key}")
        return []

    def _field(self, field_id: Any, where: str) -> Field | None:
        """A field that a form may ask or show; rows' fields come with their list."""
        spec = self.dictionary.fields.get(field_id) if isinstance(field_id, str) else None
        if spec is None or spec.subject == "member":
            self.findings.add("form.field", f"{self.file}#{where}", field=str(field_id)[:60] if spec is None else dict(spec.label))
            return None
        return spec

    def _section(self, table: Any, place: int) -> SectionDefinition | None:
        where = f"section[{place}]"
        if not toml.keys(table, f"{self.file}#{where}", self.findings, ("title", "ask")):
            return None
        asked = [self._ask(one, f"{where}.ask[{rank}]") for rank, one in enumerate(self._list(table, "ask"))]
        return SectionDefinition(toml.label(table["title"], f"{self.file}#{where}.title", self.findings), tuple(filter(None, asked)))

    def _ask(self, entry: Any, where: str) -> Ask | None:
        table = entry if isinstance(entry, dict) else {"field": entry}
        if not toml.keys(table, f"{self.file}#{where}", self.findings, ("field",), ("when", "required")):
            return None
        spec = self._field(table["field"], where)
        if spec is None:
            return None
        if spec.computed is not None:
            self.findings.add("form.asks_computed", f"{self.file}#{where}", field=dict(spec.label))
            return None
        if spec.id in self.asked:
            self.findings.add("form.asks_twice", f"{self.file}#{where}", field=dict(spec.label))
            return None
        when = toml.expression(table["when"], f"{self.file}#{where}.when", self.findings) if "when" in table else None
        if when is not None:
            self._reads(when, f"{where}.when")
        made = self.asked[spec.id] = Ask(spec.id, bool(table.get("required", not spec.optional)), when)
        return made

    def _reads(self, compiled: Expression, where: str) -> tuple[str, ...]:
        known, strange = toml.fields_read(compiled, self.dictionary.fields)
        for name in strange:
            self.findings.add("definition.reads_unknown", f"{self.file}#{where}", name=name[:60])
        return tuple(known)

    def _check(self, table: Any, place: int) -> Check | None:
        where = f"check[{place}]"
        if not toml.keys(table, f"{self.file}#{where}", self.findings, ("holds", "fields", "message")):
            return None
        holds = toml.expression(table["holds"], f"{self.file}#{where}.holds", self.findings)
        fields = self._list(table, "fields")
        for found in fields:
            if not isinstance(found, str) or found not in self.asked:
                known = self.dictionary.fields.get(found) if isinstance(found, str) else None
                self.findings.add("form.check_field", f"{self.file}#{where}.fields", field=str(found)[:60] if known is None else dict(known.label))
        if holds is None or len(self.findings) > self.before:
            return None
        return Check(holds, tuple(fields), toml.label(table["message"], f"{self.file}#{where}.message", self.findings), self._reads(holds, f"{where}.holds"))

    def _complete(self, made: FormDefinition) -> FormDefinition:
        """What the form reads besides, and the order of its conditions: a question may depend on earlier ones only."""
        fields, order = self.dictionary.fields, list(self.asked)
        wanted = [*order, *made.show]
        for rank, ask in enumerate(self.asked.values()):
            known = toml.fields_read(ask.when, fields)[0] if ask.when else []
            for told in filter(None, (fields[ask.field].offered, fields[ask.field].proposed)):
                wanted += toml.fields_read(told, fields)[0]
            for later in set(known) & set(order[rank:]):
                self.findings.add("form.reads_later", f"{self.file}#{ask.field}", field=dict(fields[ask.field].label), later=dict(fields[later].label))
            wanted += known
        for check in made.checks:
            wanted += check.reads
        fed, computed = set(self.asked), []
        for spec in self.dictionary.computed:
            if spec.is_of_the_day and spec.id in wanted:
                wanted += spec.reads
            if fed & set(spec.reads):
                fed.add(spec.id)
                computed.append(spec.id)
                wanted += [spec.id, *spec.reads]
        for found in list(wanted):
            wanted += fields[found].items
        return replace(made, computed=tuple(computed), field_ids=tuple(dict.fromkeys(wanted)))
