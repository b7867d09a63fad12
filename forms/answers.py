"""Reading what was answered: each value checked and stored in its one shape, conditions and checks judged, computed fields added.

Both faces use it: a page sends typed text, the API JSON values. Whatever is sent, the outcome is values and findings, never an exception.
Not which questions are put (`form.py`), nor the meaning of a type (`field_types.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from forms import field_types, text
from forms.dictionary import Field
from forms.feel import Expression, FeelError
from forms.field_types import ROWS, TYPES, Wrong
from forms.form import Form, Known, KnownField, Question
from forms.scope import Scope, whole_rows
from forms.text import Finding, Findings

STATUSES = ("inconnu", "refuse")
LONGEST_REASON = 500
_LONGEST_NAME = 80
_LONGEST_TYPED = 20_000  # longer is refused by its type as it stands


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as stored. `statuses`: for each row of a list, its fields that were not known or not said (field id → status)."""

    value: Any
    status: str = "known"
    reason: str = ""
    statuses: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """`values`: what is to be recorded, by field id, computed fields last; `findings`: what is wrong, `where` a JSON pointer into the answers."""

    values: Mapping[str, Answer]
    findings: tuple[Finding, ...]


def read(form: Form, raw: Any, language: str, scope: Mapping[str, Any] | None = None, *, is_typed: bool = True) -> Answers:
    """The answers to a form. `is_typed` False takes JSON values only, as the JSON Schema of the form does; else a text is read as one types it."""
    reading = _Reading(form, language, scope, is_typed)
    if not isinstance(raw, Mapping):
        reading.findings.add("answers.shape", "")
        return Answers({}, tuple(reading.findings))
    reading.whole(raw)
    return Answers(reading.values, tuple(reading.findings))


def asked(form: Form, raw: Any, scope: Mapping[str, Any] | None = None) -> frozenset[str]:
    """The fields of the questions put, given these answers: those without condition, and those whose condition the answers fulfil."""
    reading = _Reading(form, form.language, scope, True)
    if isinstance(raw, Mapping):
        reading.corrections(raw)
    reading.questions(raw if isinstance(raw, Mapping) else {})
    return frozenset(reading.asked)


def reckoned(form: Form, raw: Any, scope: Mapping[str, Any] | None = None) -> dict[str, Answer]:
    """What these answers, as far as they go, make of the computed fields that the form shows beside its questions."""
    reading = _Reading(form, form.language, scope, True)
    if isinstance(raw, Mapping):
        reading.corrections(raw)
        reading.questions(raw)
        reading.computed()
    return {name: reading.values[name] for name in form.reckoned if name in reading.values}


def pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


@dataclass
class _Reading:
    """One reading of the answers to one form."""

    form: Form
    language: str
    base: Mapping[str, Any] | None
    is_typed: bool
    findings: Findings = field(init=False)
    values: dict[str, Answer] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    scope: Scope = field(init=False)

    def __post_init__(self) -> None:
        self.findings = Findings(self.language)
        self.scope = self.form.scope(self.base)

    def whole(self, raw: Mapping[str, Any]) -> None:
        self.strangers(raw)
        self.corrections(raw)
        self.questions(raw)
        self.checks()
        if not len(self.findings):
            self.computed()

    def strangers(self, raw: Mapping[str, Any]) -> None:
        """Answers to what was not asked: a field of another form, or of this one but not hers to answer."""
        mine = {question.spec.id for question in self.form.questions()} | {known.spec.id for known in self.form.known}
        of_form = set(self.form.definition.field_ids)
        for name in raw:
            if name not in mine:
                code = "answer.not_yours" if name in of_form else "answer.unknown_field"
                self.findings.add(code, pointer(str(name)[:_LONGEST_NAME]))

    def corrections(self, raw: Mapping[str, Any]) -> None:
        """Known facts said otherwise. The same value again changes nothing."""
        for known in self.form.known:
            if known.spec.id not in raw:
                continue
            where = pointer(known.spec.id)
            if known.is_hidden:
                self.findings.add("answer.hidden", where)
                continue
            answer = self._with_reason(known, raw[known.spec.id], where)
            if answer is None or _is_same(answer, known):
                continue
            if not known.may_correct:
                self.findings.add("answer.not_yours", where)
                continue
            self._take(known.spec, answer, known.rows)

    def questions(self, raw: Mapping[str, Any]) -> None:
        """In the order of the form: a condition reads answers given before it."""
        for question in self.form.questions():
            spec, where = question.spec, pointer(question.spec.id)
            if question.when is not None and self._evaluate(question.when, where) is not True:
                if not _is_nothing(spec, raw.get(spec.id)):
                    self.findings.add("answer.not_asked", where)
                continue
            self.asked.add(spec.id)
            value = raw.get(spec.id)
            if question.corrects and question.known is not None:
                if _is_nothing(spec, value):
                    continue
                answer = self._with_reason(question, value, where)
                if answer is not None and not (_same(answer.value, question.known.value) and answer.status == question.known.status):
                    self._take(spec, answer, question.rows)
                continue
            if _is_nothing(spec, value):
                if question.required:
                    self.findings.add("answer.required", where)
                continue
            answer = self._one(spec, value, where, question)
            if answer is not None:
                self._take(spec, answer, question.rows)

    def checks(self) -> None:
        """What must hold between answers; judged where something it reads was answered now, and refused only when it is plainly false."""
        for check in self.form.definition.checks:
            involved = set(check.fields) | set(check.reads)
            if not involved & (self.values.keys() | self.asked):
                continue
            shown = [name for name in check.fields if name in self.asked or name in self.values] or list(check.fields)
            where = pointer(shown[0]) if shown else ""
            if self._evaluate(check.holds, where) is False:
                self.findings.put(Finding("answers.check", where, text.pick(check.message, self.language), {"fields": list(check.fields)}))

    def computed(self) -> None:
        """Computed fields whose sources changed now and are all answered. What can no longer be computed becomes unknown."""
        for name in self.form.definition.computed:
            spec = self.form.dictionary.fields[name]
            if spec.is_of_the_day:  # computed again by whoever reads it
                continue
            old = self.form.facts.get(name)
            if not self.values.keys() & set(spec.reads) or not all(self._is_answered(read) for read in spec.reads):
                continue
            value = field_types.from_feel(spec.type, self._evaluate(spec.computed, pointer(name)))
            if value is None and (old is None or old.status != "known"):
                continue
            answer = Answer(value) if value is not None else Answer(None, "inconnu")
            if old is not None and old.status == answer.status and _same(old.value, answer.value):
                continue
            self._take(spec, answer, ())

    def _is_answered(self, name: str) -> bool:
        if name in self.values:
            return True
        questions = {question.spec.id: question for question in self.form.questions()}
        if name in questions:
            return name not in self.asked or not questions[name].required
        return name in self.form.facts or self.form.dictionary.fields[name].optional

    def _take(self, spec: Field, answer: Answer, rows: Sequence[Field]) -> None:
        self.values[spec.id] = answer
        value = answer.value
        if spec.type == ROWS and answer.status == "known":
            old = self.form.facts.get(spec.id)
            value = whole_rows(value, old.value or () if old is not None and old.status == "known" else (), rows)
        self.scope.put(spec, value, answer.status)

    def _evaluate(self, compiled: Expression, where: str) -> Any:
        try:
            return compiled.evaluate(self.scope.contexts)
        except FeelError as trouble:
            self.findings.add("answers.condition", where, why=trouble.reason)
            return None

    def _with_reason(self, about: KnownField | Question, value: Any, where: str) -> Answer | None:
        """A corrected value, bare or as `{"value": …, "reason": …}`."""
        if not isinstance(value, dict) or "value" not in value or not value.keys() <= {"value", "reason"}:
            return None if _is_nothing(about.spec, value) else self._one(about.spec, value, where, about)
        reason = "" if value.get("reason") is None else value["reason"]
        if not isinstance(reason, str) or len(reason) > LONGEST_REASON or field_types.has_controls(reason):
            self.findings.add("answer.reason", f"{where}/reason", max=LONGEST_REASON)
            return None
        if _is_nothing(about.spec, value["value"]):
            self.findings.add("answer.required", f"{where}/value")
            return None
        answer = self._one(about.spec, value["value"], f"{where}/value", about)
        return None if answer is None else Answer(answer.value, answer.status, reason.strip(), answer.statuses)

    def _one(self, spec: Field, value: Any, where: str, about: Question | KnownField | None = None) -> Answer | None:
        """One answer, or None with a finding."""
        if isinstance(value, dict) and "status" in value:
            return self._status(spec, value, where)
        if spec.type == ROWS:
            return self._rows(spec, value, where, about)
        try:
            if self.is_typed and isinstance(value, str) and len(value) <= _LONGEST_TYPED:
                value = TYPES[spec.type].from_text(spec, value)
            stored = TYPES[spec.type].read(spec, value)
            self._on_its_day(spec, stored)
            if spec.own_hand and self.form.signer and stored["name"] not in self.form.signer:
                raise Wrong("signature.signer", name=self.form.signer[0])
        except Wrong as wrong:
            self._refuse(spec, wrong, where)
            return None
        return Answer(stored)

    def _status(self, spec: Field, value: Mapping[str, Any], where: str) -> Answer | None:
        said = value["status"]
        if len(value) != 1 or not isinstance(said, str) or said not in STATUSES:
            self.findings.add("status.unknown", where)
            return None
        if not (spec.unknown if said == "inconnu" else spec.refusable):
            self.findings.add(f"status.no_{said}", where)
            return None
        return Answer(None, said)

    def _on_its_day(self, spec: Field, stored: Any) -> None:
        """First and last days that the dictionary sets; a date known in part is refused only when no day of it would do."""
        if spec.min_on is None and spec.max_on is None:
            return
        if spec.type == "datetime":
            first = last = datetime.fromisoformat(stored).astimezone(text.TUNIS).date()
        else:
            first, last = field_types.days_of(stored)
        today = self.form.today
        if spec.min_on is not None and last < spec.min_on(today):
            raise Wrong("date.min", min=spec.min_on(today))
        if spec.max_on is not None and first > spec.max_on(today):
            raise Wrong("date.max", max=spec.max_on(today))

    def _rows(self, spec: Field, value: Any, where: str, about: Question | KnownField | None) -> Answer | None:
        """The rows of a list. A row with an `id` is one already known and stays it; a field that is not hers to say is refused."""
        if not isinstance(value, list | tuple):
            self.findings.add("rows.type", where)
            return None
        if len(value) > spec.max_items:
            self.findings.add("rows.too_many", where, max=spec.max_items)
            return None
        offered = {inner.id: inner for inner in about.rows} if about is not None else {}
        before, seen, rows, statuses = len(self.findings), set(), [], []
        known = self.form.facts.get(spec.id)
        kept, shown = _rows_by_id(known), _rows_by_id(about.known if isinstance(about, Question) else about)
        for place, row in enumerate(value):
            at = f"{where}/{place}"
            if not isinstance(row, dict):
                self.findings.add("rows.row", at)
                continue
            made: dict[str, Any] = {}
            unsaid: dict[str, str] = {}
            if (row_id := row.get("id")) is not None:
                if not isinstance(row_id, str) or row_id not in kept or row_id in seen:
                    self.findings.add("rows.id", f"{at}/id")
                else:
                    seen.add(row_id)
                    made["id"] = row_id
            for name in row.keys() - offered.keys() - {"id"}:
                self.findings.add("answer.not_yours" if name in spec.items else "answer.unknown_field", at + pointer(str(name)[:_LONGEST_NAME]))
            old = shown.get(made.get("id", ""), {})
            for name, inner in offered.items():
                self._cell(inner, row.get(name), at + pointer(name), made, unsaid)
                if inner.optional and name not in made and name not in unsaid and old.get(name) is not None:
                    unsaid[name] = "inconnu"  # what was known is withdrawn: left out, the old value would go on
            rows.append(made)
            statuses.append(unsaid)
        if len(self.findings) > before:
            return None
        return Answer(rows, statuses=tuple(statuses))

    def _cell(self, inner: Field, value: Any, where: str, made: dict[str, Any], unsaid: dict[str, str]) -> None:
        if _is_nothing(inner, value):
            if not inner.optional:
                self.findings.add("answer.required", where)
            return
        answer = self._one(inner, value, where)
        if answer is None:
            return
        if answer.status == "known":
            made[inner.id] = answer.value
        else:
            unsaid[inner.id] = answer.status

    def _refuse(self, spec: Field, wrong: Wrong, where: str) -> None:
        """The sentence of a refused value, its bounds written as the field is."""
        shown = {}
        for name, bound in wrong.details.items():
            if isinstance(bound, date):
                shown[name] = text.day(bound, self.language)
            elif spec.type == "money" and name in ("min", "max"):
                shown[name] = text.money(bound, self.language)
            else:
                shown[name] = text.number(bound, self.language) if isinstance(bound, int | float) else bound
        details = {name: bound.isoformat() if isinstance(bound, date) else bound for name, bound in wrong.details.items()}
        self.findings.put(Finding(wrong.code, where, text.say(wrong.code, self.language, **shown), details))


def _rows_by_id(known: Known | KnownField | None) -> dict[str, Mapping[str, Any]]:
    """The rows of a known list, by id."""
    if known is None or known.status != "known":
        return {}
    return {str(row["id"]): row for row in known.value or () if isinstance(row, Mapping) and "id" in row}


def _is_nothing(spec: Field, value: Any) -> bool:
    """A question left empty. A list without rows is an answer (there are none); nothing ticked among choices is not."""
    return value is None or (isinstance(value, str) and field_types.is_blank(value)) or (spec.type == "multi" and isinstance(value, list) and not value)


def _is_same(answer: Answer, known: KnownField) -> bool:
    return answer.status == known.status and not any(answer.statuses) and _same(answer.value, known.value)


def _same(one: Any, other: Any) -> bool:
    # 1 and True are equal to Python, not to a reader.
    return type(one) is type(other) and one == other if isinstance(one, bool) or isinstance(other, bool) else one == other


