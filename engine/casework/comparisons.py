"""Two editions (or an edition and a draft) side by side, in the words of whoever decides: what changed, and what it costs those who walk the pathway.

The differences are `engine.pathway.comparison`'s and `forms.comparison`'s, the figures `engine.pathway.burden`'s; here they are put together and worded.
Not who may see or approve them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from engine import errors
from engine.casework import vocabulary
from engine.casework.editions import Edition
from engine.i18n import catalogue, form_of, pick, translate
from engine.pathway import burden as burdens
from engine.pathway import comparison, naming, scenario_files, table_comparison
from forms import comparison as form_comparison
from forms.differences import Difference, Subject
from forms.likeness import Names
from forms.text import FormError

_DICTIONARY, _TASKS, _LETTERS = "forms/dictionary/", "forms/tasks/", "forms/letters/"
_LONGEST = 240  # characters of a value in a sentence
_LASTING = re.compile(r"P(\d+)([DMY])")
_LATIN, _ARABIC = re.compile("[A-Za-z]"), re.compile("[\u0600-\u06ff]")
# What a property may name, by its kind in the vocabulary; what its codes are called, by the room of the catalogue.
_NAMED = {"form": "forms", "decision": "decisions", "called": "processes", "requires": "decisions", "purpose": "purposes", "choices": "lists", "piece": "pieces",
          "message": "messages"}  # fmt: skip
_CODED = {"role": "role", "owner": "agency", "produced_by": "agency", "presence": "comparison.place", "kind": "comparison.subject", "hit_policy": "web.dmn_js", "operation": "web.editor.operation",
          "type": "web.field_type", "class": "web.field_class", "also": "web.field_class", "about": "web.subject", "event": "pathway.event", "timer_kind": "web.editor.timer"}  # fmt: skip
_STRONGEST = ("moved", "renamed", "changed", "added", "removed")


@dataclass(frozen=True)
class Told:
    """A difference in words, and where to look: `element` as it is called in the new version, or in the old one where it went."""

    kind: str
    file: str
    element: str
    text: str


@dataclass(frozen=True)
class Marks:
    """What to paint: for each diagram of each side, element id → added|removed|changed|moved."""

    old: Mapping[str, Mapping[str, str]]
    new: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class BurdenLine:
    """A figure of one way, draft against current. `text`: the change in plain words, "" where there is none."""

    path: str
    figure: str
    label: str
    old: int
    new: int
    is_rise: bool
    text: str


def differences(old: Edition, new: Edition) -> tuple[Difference, ...]:
    """What differs between two editions, file by file: diagrams, tables, forms, letters, dictionary, then the rest."""
    sides = old.files, new.files
    tasks = [_under(files, _TASKS) for files in sides]
    words = [form_comparison.labels(_under(files, _DICTIONARY)) if tasks[0] != tasks[1] else {} for files in sides]
    taken = {path for files in sides for path in files if path.endswith((".bpmn", ".dmn")) or path.startswith((_DICTIONARY, _TASKS, _LETTERS))}
    rest = [{path: content for path, content in files.items() if path not in taken} for files in sides]
    return (
        *comparison.of_diagrams(*(_ending(files, ".bpmn") for files in sides)),
        *table_comparison.of_tables(*(_ending(files, ".dmn") for files in sides)),
        *form_comparison.of_forms(*tasks, *words),
        *form_comparison.of_texts(*(_under(files, _LETTERS) for files in sides), "letter"),
        *form_comparison.of_dictionary(*(_under(files, _DICTIONARY) for files in sides)),
        *form_comparison.of_texts(*rest, "file"),
    )


def changes(old: Edition, new: Edition, language: str) -> tuple[Told, ...]:
    """Every difference as a sentence."""
    return in_words(differences(old, new), old, new, language)


def in_words(found: Sequence[Difference], old: Edition, new: Edition, language: str) -> tuple[Told, ...]:
    """The differences of two editions as sentences."""
    words = (_Words(old), _Words(new))
    steps = {path: [one for one in found if one.file == path and one.what != "writing"] for path in {one.file for one in found} if path.startswith(scenario_files.FOLDER)}
    told = [Told(one.kind, one.file, one.element, _Wording(one, language, words).sentence()) for one in found if not steps.get(one.file)]
    return (*told, *(_scenario(path, steps[path], old, new, language) for path in sorted(steps) if steps[path]))


def _scenario(path: str, found: Sequence[Difference], old: Edition, new: Edition, language: str) -> Told:
    """A scenario is told whole: its steps are written for the machine that plays them."""
    read = scenario_files.read_all({path: new.files.get(path, old.files.get(path, b""))})[0]
    kind = "added" if path not in old.files else "removed" if path not in new.files else "changed"
    added, removed = (sum(one.kind == way for one in found) for way in ("added", "removed"))
    name = next((one.title for one in read.values()), path)
    return Told(kind, path, path, translate(f"comparison.scenario.{kind}", language, name=name, added=added, removed=removed))


def marks(found: Sequence[Difference]) -> Marks:
    """What the differences paint on the diagrams of both sides. A name is a change; where an element stands on the sheet is not."""
    old: dict[str, dict[str, str]] = {}
    new: dict[str, dict[str, str]] = {}
    for one in found:
        for side, subject in ((old, one.old), (new, one.new)):
            if subject is not None and subject.file.endswith(".bpmn") and subject.id != subject.file and one.kind in _STRONGEST:
                page = side.setdefault(subject.file, {})
                kind = "changed" if one.kind == "renamed" else one.kind
                page[subject.id] = max(page.get(subject.id, kind), kind, key=_STRONGEST.index)
    return Marks(old, new)


def burden(old: Edition, new: Edition, language: str, process: str = "parcours") -> tuple[BurdenLine, ...]:
    """Each figure of each way of a process, draft against current; a process that one side lacks has none. A rise needs a reason to be published.

    Refuses: `pathway.refused`, `edition.refused`, where one of them cannot be read whole.
    """
    try:
        if any(process not in one.definitions.processes for one in (old, new)):
            return ()
        before, after = (burdens.measure(one.definitions, one.forms, process) for one in (old, new))
    except FormError as refused:
        raise errors.Invalid("edition.refused", [errors.Finding(one.code, one.where, one.details, one.message) for one in refused.findings]) from refused
    changed = {(one.path, one.figure): one for one in burdens.compare_burden(before, after)}
    lines = []
    for path in burdens.PATHS:
        for figure in burdens.FIGURES:
            change = changed.get((path, figure))
            was, now = getattr(before.paths[path], figure), getattr(after.paths[path], figure)
            label, is_rise = translate(f"burden.figure.{figure}", language), bool(change and change.is_rise)
            lines.append(BurdenLine(path, figure, label, was, now, is_rise, _in_words(change, language)))
    return tuple(lines)


def _in_words(change: burdens.Change | None, language: str) -> str:
    if change is None:
        return ""
    path, figure = translate(f"burden.path.{change.path}", language), translate(f"burden.figure.{change.figure}", language)
    code = f"burden.change.{'more' if change.is_rise else 'fewer'}"
    return translate(code, language, path=path, figure=figure, old=change.old, new=change.new, difference=abs(change.new - change.old))


def _under(files: Mapping[str, bytes], folder: str) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if path.startswith(folder)}


def _ending(files: Mapping[str, bytes], ending: str) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if path.endswith(ending)}


class _Words:
    """What an edition calls what its files name, read when it is first asked."""

    def __init__(self, edition: Edition) -> None:
        self._files = edition.files

    @cached_property
    def _known(self) -> dict[str, dict[str, Names]]:
        found = vocabulary.of(self._files)
        known = {kind: {one.id: one.names for one in getattr(found, kind)} for kind in {*_NAMED.values(), "fields"} - {"messages"}}
        return known | {"messages": {name: naming.message_named(name, events) for name, events in found.events.items()}}

    @cached_property
    def _diagrams(self) -> list[naming.File]:
        roots = (vocabulary.root_of(content) for path, content in self._files.items() if path.endswith(".bpmn"))
        return [naming.File(root) for root in roots if root is not None]

    def _drawn(self, element: str) -> Names | None:
        """What an element of any diagram is called."""
        return next((names for file in self._diagrams if (names := file.at(element)) != {"fr": element}), None)

    def of(self, what: str, written: str, language: str) -> str:
        """The names of what a property names, one or several; a field or a decision that stands alone by its label; "" where nothing is called so."""
        known = self._known[_NAMED[what]] if what in _NAMED else self._known["fields"] | self._known["decisions"]
        names = [self._drawn(one) if what == "distinct" else known.get(one) for one in written.split()]
        return ", ".join(pick(one, language) for one in names if one) if names and all(names) else ""


class _Wording:
    """One difference in one language."""

    def __init__(self, difference: Difference, language: str, words: Sequence[_Words]) -> None:
        self.one, self.language, self.words = difference, language, words
        self.known = catalogue(language)

    def sentence(self) -> str:
        one = self.one
        subject = one.subject
        said = {
            "subject": self.subject(subject), "name": self._name(subject), "within": self._plain(pick(dict(subject.within), self.language)),
            "before": self.value(one.before, one.before_names, 0), "after": self.value(one.after, one.after_names, 1),
        }  # fmt: skip
        if one.kind in ("added", "removed"):
            code = f"{one.kind}_{subject.kind}"
            return self._say(code if f"comparison.sentence.{code}" in self.known else one.kind, said)
        if one.what in ("layout", "writing", "content", "order", "id"):
            return self._say(one.what, said)
        state = "both" if one.before and one.after else "set" if one.after else "cleared"
        if one.what == "name":
            said["tongue"] = translate(f"comparison.tongue.{one.detail}", self.language) if f"comparison.tongue.{one.detail}" in self.known else one.detail
            return self._say({"both": "renamed", "set": "named", "cleared": "unnamed"}[state], said)
        if one.what == "deadline":
            return self._deadline(state, said)
        if one.kind == "moved":
            return self._say({"both": "moved", "set": "moved_in", "cleared": "moved_out"}[state], said)
        state = "namesake" if said["before"] == said["after"] else {"both": "changed"}.get(state, state)
        return self._say(state, said | {"what": self._what()})

    def subject(self, subject: Subject) -> str:
        """« La tâche « … » »; a rule by its place in its table."""
        kind = subject.kind
        if not subject.is_named:
            kind = "unnamed"
        elif kind == "rule" and not subject.names:
            kind = "rule_bare"
        code = f"comparison.subject.{kind if f'comparison.subject.{kind}' in self.known else 'other'}"
        return translate(code, self.language, name=self._name(subject), rank=subject.rank, within=self._plain(pick(dict(subject.within), self.language)))

    def value(self, written: str, names: Mapping[str, str], side: int) -> str:
        """A value as people say it; names that must exist are looked up, the rest is shown as it is written."""
        if not written:
            return ""
        what = self.one.what
        if names:
            return self._plain(pick(dict(names), self.language))
        if what == "deadline":
            return self._delay(written)
        if lasting := _LASTING.fullmatch(written):
            return translate(f"why.delay.{lasting[2]}", self.language, number=lasting[1])
        code = f"{_CODED.get(what, 'comparison.value')}.{written.capitalize() if what == 'hit_policy' else written}"  # as the editor of tables writes it
        if code in self.known:
            said = translate(code, self.language, name="")
            return said.partition("«")[0].partition("“")[0].strip() if what == "kind" else said
        return self._plain(self.words[side].of(what, written, self.language) or written)

    def _deadline(self, state: str, said: dict[str, str]) -> str:
        if state != "both":
            return self._say(f"deadline_{state}", said)
        (number, _, unit), (_, _, other) = self.one.before.partition(" "), self.one.after.partition(" ")
        return self._say("deadline", said | ({"before": number} if unit == other else {}))

    def _delay(self, written: str) -> str:
        number, _, unit = written.partition(" ")
        written_forms = {code.rpartition(".")[2] for code in self.known if code.startswith(f"comparison.unit.{unit}.")}
        form = form_of(int(number), self.language, written_forms) if number.isdigit() else "other"
        return translate(f"comparison.unit.{unit}.{form}", self.language, number=number) if written_forms else self._plain(written)

    def _what(self) -> str:
        one = self.one
        column = pick(dict(one.detail_names), self.language)
        if f"comparison.what.{one.what}" in self.known:
            return translate(f"comparison.what.{one.what}", self.language, detail=self._plain(column or one.detail))
        return translate("comparison.what.other", self.language, detail=self._plain(f"{one.what}.{one.detail}" if one.detail else one.what))

    def _name(self, subject: Subject) -> str:
        return self._plain(pick(dict(subject.names), self.language) or subject.id)

    def _plain(self, text: str) -> str:
        """Cut where it is too long; what is written in the other script keeps its own direction."""
        text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        return f"\u2068{text}\u2069" if (_LATIN if self.language == "ar" else _ARABIC).search(text) else text

    def _say(self, code: str, said: Mapping[str, str]) -> str:
        return translate(f"comparison.sentence.{code}", self.language, **said)
