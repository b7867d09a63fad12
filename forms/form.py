"""A form is computed, not drawn: what a task asks now of one person, and what is already known and only shown.

Only what nobody has answered, or what has gone stale, is asked. Not the reading of answers (`answers.py`), nor who may see what: the caller
says so (`readable`, `writable`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from forms import field_types, text, toml
from forms.definitions import Ask, FormDefinition, confirm_only, field_ids, load, read
from forms.dictionary import Dictionary, Field
from forms.feel import Expression, FeelError
from forms.scope import Scope, on_the_day

__all__ = ["ONE_ACT", "Form", "FormDefinition", "Known", "KnownField", "Question", "Section", "Source", "ask", "confirm_only", "field_ids", "load", "of_the_day", "read"]

ONE_ACT = "P0D"  # the validity of an answer that is good for one act only
Readable = Callable[[Field, str], bool]
Writable = Callable[[Field], bool]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact comes from: `kind` person, agency, document or system, and in words."""

    kind: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A current fact. `value` as stored; of a list, rows of field id → value with their `id`; None with a status other than `known`."""

    field: str
    value: Any
    status: str
    source: Source
    author: str
    author_agency: str
    recorded_at: datetime
    valid_until: datetime | None
    version: int

    def is_stale(self, today: date) -> bool:
        """Whether it must be asked anew: an answer good for one act (`P0D`) is stale at once."""
        return self.valid_until is not None and self.valid_until.astimezone(text.TUNIS).date() <= today


@dataclass(frozen=True, slots=True)
class Question:
    """A field asked now. `visible`: by what is known alone; `reveals`: another question depends on it; `known`: the old value of a stale or
    corrected fact that she may see; `rows`: the fields of a row that are hers to say; `corrects`: known and asked at her own wish; `proposed`: the answer that
    what she may see of the rest gives, as stored: it stands there for her to confirm or change."""

    spec: Field
    required: bool
    when: Expression | None = None
    visible: bool = True
    reveals: bool = False
    known: Known | None = None
    rows: tuple[Field, ...] = ()
    corrects: bool = False
    proposed: Any = None


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class KnownField:
    """A fact that is known and not asked. Of a hidden one, only that it is known and which agency holds it. `rows`: as in Question."""

    spec: Field
    section: str
    value: Any
    text: str
    status: str
    source: Source
    author: str
    author_agency: str
    recorded_at: datetime
    is_hidden: bool
    may_correct: bool
    rows: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A task's form for one person today. `reckoned`: the computed fields it shows that her answers change, of which she may see all they are computed from. `facts`: all that is known, hidden or not, for conditions only: never shown, never sent.
    `around`: what conditions read besides. `signer`: the names of whoever answers, the one to be told first: what is of her own hand is signed by none but these (nobody: by any)."""

    id: str
    title: str
    intro: str
    confirmation: str
    language: str
    definition: FormDefinition
    dictionary: Dictionary
    sections: tuple[Section, ...]
    known: tuple[KnownField, ...]
    today: date
    facts: Mapping[str, Known] = field(default_factory=dict, repr=False)
    reckoned: tuple[str, ...] = ()
    signer: tuple[str, ...] = ()
    around: Mapping[str, Any] | None = field(default=None, repr=False)

    def questions(self) -> Iterator[Question]:
        """Every question, in order, whether its condition holds or not."""
        for section in self.sections:
            yield from section.questions

    def depended(self) -> frozenset[str]:
        """The paths that conditions of its questions read, and what is reckoned in it."""
        read = [question.when for question in self.questions() if question.when] + [self.dictionary.fields[name].computed for name in self.reckoned]
        return frozenset(path for one in read for path in one.paths)

    def scope(self, base: Mapping[str, Any] | None, *, is_last_known: bool = False) -> Scope:
        """What conditions see before anything is answered: known facts, except those that are asked anew (`is_last_known`: those too)."""
        made = Scope(self.dictionary, self.around if base is None else base, self.today)
        for known in self.facts.values():
            made.put(self.dictionary.fields[known.field], known.value, known.status)
        for question in () if is_last_known else self.questions():
            if not question.corrects:
                made.forget(question.spec)
        return made


def ask(definition: FormDefinition, known: Mapping[str, Known], readable: Readable, writable: Writable, today: date, language: str,
        scope: Mapping[str, Any] | None = None, correcting: Collection[str] = (), *, is_shown: bool = True, signer: tuple[str, ...] = ()) -> Form:  # fmt: skip
    """The form for one person: questions by section, and what is known. `scope`: contexts that conditions may read besides the facts.

    `is_shown` False: only answers are read by it, so it has neither the words of what is known nor `visible`, `reveals` and `proposed`.
    """
    known = of_the_day(known, definition.field_ids, definition.dictionary, today)
    form = _Asking(definition, known, readable, writable, today, language, definition.dictionary, frozenset(correcting), is_shown).whole()
    form = replace(_with_offers(form, scope), signer=signer, around=scope)
    return _with_conditions(_with_proposals(form, scope, readable), scope) if is_shown else form


def of_the_day(known: Mapping[str, Known], wanted: Collection[str], dictionary: Dictionary, today: date) -> dict[str, Known]:
    """What is known, with the wanted fields that depend on the day it is read (an age), each by the word and date of what it is computed from."""
    found = dict(known)
    for spec in dictionary.of_the_day:
        found.pop(spec.id, None)
        if spec.id in wanted:
            value = on_the_day(spec, {name: one.value for name, one in found.items()}, dictionary, today)
            if value is not None:
                newest = max((found[name] for name in spec.reads), key=lambda one: one.version)
                found[spec.id] = replace(newest, field=spec.id, value=value, source=Source("computed"), valid_until=None)
    return found


@dataclass(frozen=True)
class _Asking:
    definition: FormDefinition
    known: Mapping[str, Known]
    readable: Readable
    writable: Writable
    today: date
    language: str
    dictionary: Dictionary
    correcting: frozenset[str]
    is_shown: bool

    def whole(self) -> Form:
        pick = text.pick
        sections, known = [], []
        asked: set[str] = set()
        for section in self.definition.sections:
            title = pick(section.title, self.language)
            questions = []
            for one in section.ask:
                asked.add(one.field)
                spec, fact = self.dictionary.fields[one.field], self.known.get(one.field)
                shown = self._known(spec, fact, title, is_asked=True) if fact is not None else None
                if (question := self._question(one, spec, fact, shown)) is not None:
                    questions.append(question)
                elif shown is not None:
                    known.append(shown)
            if questions:
                sections.append(Section(title, tuple(questions)))
        for name in self.definition.show:
            if name in self.known and name not in asked:
                known.append(self._known(self.dictionary.fields[name], self.known[name], "", is_asked=False))
        definition = self.definition
        return Form(
            definition.id, pick(definition.title, self.language), pick(definition.intro, self.language), pick(definition.confirmation, self.language),
            self.language,
            definition, self.dictionary, tuple(sections), tuple(known), self.today, dict(self.known), self._reckoned() if self.is_shown else (),
        )  # fmt: skip

    def _reckoned(self) -> tuple[str, ...]:
        """The computed fields shown that its answers change; of those she may see, in the order they are computed."""
        may_see = {name: self.readable(self.dictionary.fields[name], fact.author_agency) for name, fact in self.known.items()}
        shown = [self.dictionary.fields[name] for name in self.definition.computed if name in self.definition.show]
        return tuple(spec.id for spec in shown if not spec.is_of_the_day and self.readable(spec, "") and all(may_see.get(name, True) for name in spec.reads))

    def _question(self, one: Ask, spec: Field, fact: Known | None, shown: KnownField | None) -> Question | None:
        """The question to put, or None: known and fresh, or not hers to answer."""
        if not self.writable(spec):
            return None
        if fact is None:
            return Question(spec, one.required, one.when, rows=self._rows(spec))
        corrects = shown is not None and shown.may_correct and spec.id in self.correcting
        if not corrects and not fact.is_stale(self.today):
            return None
        hint = None if shown is None or shown.is_hidden else replace(fact, value=shown.value)
        return Question(spec, one.required, one.when, known=hint, rows=self._rows(spec), corrects=corrects)

    def _known(self, spec: Field, fact: Known, section: str, *, is_asked: bool) -> KnownField:
        if not self.readable(spec, fact.author_agency):
            return KnownField(spec, section, None, "", fact.status, Source(""), "", fact.author_agency, fact.recorded_at, True, False)
        value = self._readable_rows(spec, fact) if spec.type == field_types.ROWS and fact.status == "known" else fact.value
        words = "" if not self.is_shown else text.display(spec, value, self.language) if fact.status == "known" else text.status(fact.status, self.language)
        may_correct = is_asked and self.writable(spec)
        return KnownField(spec, section, value, words, fact.status, fact.source, fact.author, fact.author_agency, fact.recorded_at, False, may_correct,
            self._rows(spec))

    def _rows(self, spec: Field) -> tuple[Field, ...]:
        """The fields of a row that are hers to say: a health field inside a household list keeps its own class."""
        return tuple(inner for inner in (self.dictionary.fields[one] for one in spec.items) if self.writable(inner))

    def _readable_rows(self, spec: Field, fact: Known) -> list[dict[str, Any]]:
        """Rows without the fields she may not see. Who wrote a field of another class is not known here: then nobody's word is taken for hers."""
        hers = {"id"}
        for one in spec.items:
            inner = self.dictionary.fields[one]
            if self.readable(inner, fact.author_agency if inner.class_ == spec.class_ else ""):
                hers.add(one)
        return [{key: value for key, value in row.items() if key in hers} for row in fact.value or ()]


def _with_offers(form: Form, base: Mapping[str, Any] | None) -> Form:
    """The form with the choices offered that day, of the fields that say which; where none is, or nothing tells, those of the dictionary."""
    if not any(one.spec.offered for one in (*form.questions(), *form.known)):
        return form
    contexts = form.scope(base).contexts

    def offering(one: Any) -> Any:
        try:
            told = one.spec.offered.evaluate(contexts) if one.spec.offered else None
        except FeelError:  # takes more than an act may: nothing tells
            return one
        codes = dict.fromkeys(code for code in told if isinstance(code, str)) if isinstance(told, list) else {}
        return replace(one, spec=replace(one.spec, codes={code: rank for rank, code in enumerate(codes)})) if codes else one

    sections = tuple(replace(section, questions=tuple(map(offering, section.questions))) for section in form.sections)
    return replace(form, sections=sections, known=tuple(map(offering, form.known)))


def _with_proposals(form: Form, base: Mapping[str, Any] | None, readable: Readable) -> Form:
    """The form with the answers that what is known proposes, where she may see all that it is drawn from and the question would take it."""
    if not any(question.spec.proposed for question in form.questions()):
        return form
    contexts = form.scope(base, is_last_known=True).contexts

    def proposing(question: Question) -> Question:
        spec, facts = question.spec, form.facts
        if spec.proposed is None or question.corrects or (question.known is not None and spec.validity != ONE_ACT):
            return question
        read = toml.fields_read(spec.proposed, form.dictionary.fields)[0]
        if any(name in facts and not readable(form.dictionary.fields[name], facts[name].author_agency) for name in read):
            return question
        if spec.type == field_types.ROWS:
            return replace(question, proposed=question.known.value) if question.known is not None and question.known.status == "known" else question
        try:
            value = field_types.from_feel(spec.type, spec.proposed.evaluate(contexts))
            return question if value is None else replace(question, proposed=field_types.TYPES[spec.type].read(spec, value))
        except (FeelError, field_types.Wrong):  # what the question would not take is not proposed
            return question

    return replace(form, sections=tuple(replace(section, questions=tuple(map(proposing, section.questions))) for section in form.sections))


def _holds(when: Expression, scope: Mapping[str, Any]) -> bool:
    """Whether a question is put. One whose condition takes more than an act may is put: reading the answers says why they cannot be weighed (`answers.condition`)."""
    try:
        return when.evaluate(scope) is True
    except FeelError:
        return True


def _with_conditions(form: Form, base: Mapping[str, Any] | None) -> Form:
    """The form with `visible` and `reveals` of each question."""
    scope = form.scope(base).contexts
    read_by_others = form.depended()
    sections = tuple(
        Section(section.title, tuple(
            replace(question, visible=question.when is None or _holds(question.when, scope),
                    reveals=any(path == question.spec.id or path.startswith((f"{question.spec.id}.", f"{question.spec.id}_statut")) for path in read_by_others))
            for question in section.questions
        ))
        for section in form.sections
    )  # fmt: skip
    return replace(form, sections=sections)
