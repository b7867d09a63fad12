"""The page of a task from the form the engine computed: questions by section, what is known, what is to be mended; and back again, the
answers as the engine reads them.

One question is drawn by `web.widgets`; which are asked and whether an answer is good is decided by `forms`.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from engine.i18n import pick
from forms import answers
from forms.dictionary import Field
from forms.form import ONE_ACT, Form, KnownField, Question
from forms.text import display, status
from web import sentences, widgets
from web.formatting import Words
from web.typed import Typed
from web.widgets import Item, ReadyRow, Widget

ReadyRows = Mapping[str, Sequence[ReadyRow]]  # by list


@dataclass(frozen=True)
class Section:
    title: str
    widgets: tuple[Widget, ...]


@dataclass(frozen=True)
class KnownSection:
    title: str
    facts: tuple[Mapping[str, Any], ...]
    source: str = ""


@dataclass(frozen=True)
class Layout:
    """A task's page: questions by section, what is known by section, what is to be mended, and what was typed to questions it no longer has."""

    sections: tuple[Section, ...]
    known: tuple[KnownSection, ...]
    known_count: int
    errors: tuple[Mapping[str, str], ...] = ()
    left: Mapping[str, list[str]] = field(default_factory=dict)


def layout(form: Form, action: str, typed: Typed, findings: Sequence[Any], words: Words, at_hand: Mapping[str, Sequence[Any]] = MappingProxyType({}),
           also: Form | None = None, ready: ReadyRows = MappingProxyType({})) -> Layout:  # fmt: skip
    """What the page shows: the questions asked now, those being corrected among them, each with its findings beside it. `action`: where it is posted; `at_hand`: the
    papers that came before they were asked for, by field (`casework.pieces`); `also`: another form whose known answers are told after this one's; `ready`: rows of its lists that only need ticking"""
    drawing = _Drawing(form, action, typed, _by_name(typed, findings), words, at_hand, ready)
    raw = _proposed(form, typed) | _raw(form, typed, ready)
    asked, reckoned = answers.asked(form, raw), answers.reckoned(form, raw)
    beneath = _beneath(form, asked, reckoned)

    def drawn_of(question: Question) -> tuple[Widget, ...]:
        name = question.spec.id
        return (drawing.question(question), *(drawing.reckoned(one, reckoned[one]) for one in beneath.get(name, ()))) if name in asked else ()

    drawn_by_title = {section.title: tuple(widget for one in section.questions for widget in drawn_of(one)) for section in form.sections}
    sections = tuple(Section(title, drawn) for title, drawn in drawn_by_title.items() if drawn)
    told = {one.spec.id for one in (*form.known, *form.questions())}
    facts = [(one, form) for one in form.known if one.spec.id not in reckoned] + [(one, also) for one in (also.known if also else ()) if one.spec.id not in told and not one.is_hidden]
    by_section = {title: tuple(_fact(one, of, words) for one, of in facts if one.section == title) for title in dict.fromkeys(one.section for one, _ in facts)}
    known = tuple(KnownSection(title or words.text("task.read_first"), rows, sentences.shared_source(rows)) for title, rows in by_section.items())
    names = _drawn_names(sections)
    left = {name: values for name, values in typed.pairs.items() if re.split(r"[~\[]", name)[0] not in names}
    return Layout(sections, known, len(facts), tuple(_summary(form, findings, typed, names, words)), left)


def read(form: Form, typed: Typed, ready: ReadyRows = MappingProxyType({})) -> dict[str, Any]:
    """What was typed as `forms.answers.read` takes it. An answer left in the page to a question that is no longer asked is not sent."""
    raw = _raw(form, typed, ready)
    asked = answers.asked(form, raw)
    return {name: value for name, value in raw.items() if name in asked}


def _raw(form: Form, typed: Typed, ready: ReadyRows) -> dict[str, Any]:
    found = {question.spec.id: _answer(question.spec, question.rows, typed, ready.get(question.spec.id, ())) for question in form.questions() if typed.has(question.spec.id)}
    return {name: value for name, value in found.items() if value is not None}


def _proposed(form: Form, typed: Typed) -> dict[str, Any]:
    """What stands in the questions that the page did not have yet: others may depend on it."""
    return {question.spec.id: question.proposed for question in form.questions() if question.proposed is not None and not typed.has(question.spec.id)}


def _beneath(form: Form, asked: Collection[str], reckoned: Mapping[str, answers.Answer]) -> dict[str, list[str]]:
    """What is reckoned, by the last question asked of those it is computed from."""
    drawn = [question.spec.id for question in form.questions() if question.spec.id in asked]
    rank, found = {name: place for place, name in enumerate(drawn)}, dict[str, list[str]]()
    for name in reckoned:
        rank[name] = max(rank.get(read, 0) for read in form.dictionary.fields[name].reads)
        found.setdefault(drawn[rank[name]], []).append(name)
    return found


def _answer(spec: Field, cells: Sequence[Field], typed: Typed, ready: Sequence[ReadyRow]) -> Any:
    if spec.type != "list":
        return widgets.answer(spec, spec.id, typed)
    if status := typed.one(f"{spec.id}~status"):
        return {"status": status}
    rows = []
    for row in typed.rows(spec.id):
        said = {cell.id: widgets.answer(cell, f"{row}.{cell.id}", typed) for cell in cells}
        kept = {"id": typed.one(f"{row}~item")} if typed.one(f"{row}~item") else {}
        rows.append(kept | {name: value for name, value in said.items() if value is not None})
    ticked = typed.ticked(spec.id)
    return rows + [dict(one.cells) for one in ready if one.key in ticked]


@dataclass(frozen=True)
class _Drawing:
    """Draws the questions of one form for one reader."""

    form: Form
    action: str
    typed: Typed
    wrong: Mapping[str, Sequence[str]]
    words: Words
    at_hand: Mapping[str, Sequence[Any]]
    ready: ReadyRows

    def question(self, question: Question) -> Widget:
        """One question; of a stale or corrected fact, the old answer stands in it, save one that was good for one act only: then what is proposed."""
        old = question.known if question.spec.validity != ONE_ACT else None
        stored = question.proposed if old is None else old.value if old.status == "known" else None
        drawn = replace(self._draw(question, stored, old.status if old is not None and old.status != "known" else ""), corrects=question.corrects)
        if question.proposed is not None:
            return replace(drawn, help=" ".join(filter(None, (drawn.help, self.words.text("task.proposed")))))
        if old is None or question.corrects:
            return drawn
        return replace(drawn, help=" ".join(filter(None, (drawn.help, self.words.text("task.last_known", date=self.words.date(old.recorded_at))))))

    def reckoned(self, name: str, answer: answers.Answer) -> Widget:
        """What the answers typed so far make of a computed field: read, never written."""
        spec, language = self.form.dictionary.fields[name], self.words.language
        told = display(spec, answer.value, language) if answer.status == "known" else status(answer.status, language)
        return Widget(kind="reckoned", name=name, id=widgets.element_id(name), label=pick(spec.label, language), help=pick(spec.help, language), action=self.action, value=told)

    def _draw(self, question: Question, stored: Any, said: str) -> Widget:
        spec, action, form = question.spec, self.action, self.form
        if spec.type != "list":
            came = self.at_hand.get(spec.id, ())
            stored = str(came[0].document_id) if came and stored is None and spec.type == "doc" else stored
            made = widgets.draw(
                spec, spec.id, self.typed, self.words, action, stored=stored, status=said, required=question.required, refreshes=question.reveals or self._narrows(spec),
                errors=self.wrong.get(spec.id, ()), at_hand=came, signer=form.signer[0] if form.signer else "",
            )  # fmt: skip
            return replace(made, groups=_by_governorate(form, made, self.words.language, self._governorate(spec))) if spec.type == "district" else made
        label = pick(form.dictionary.groups[spec.items[0].partition(".")[0]].label, self.words.language)
        ready = self.ready.get(spec.id, ())
        ticked = self.typed.ticked(spec.id) if self.typed.has(spec.id) else [one.key for one in ready if any(_is_ready(one, row) for row in stored or ())]
        stored = [row for row in stored or () if not any(_is_ready(one, row) for one in ready)]
        made = Widget(
            kind="list", name=spec.id, id=widgets.element_id(spec.id), label=pick(spec.label, self.words.language), help=pick(spec.help, self.words.language),
            action=action, required=question.required, errors=tuple(self.wrong.get(spec.id, ())), item_label=label,
            items=tuple(self._rows(spec, question.rows, stored, action)), ticks=tuple((one, one.key in ticked) for one in ready),
            may_add=not spec.max_items or len(self._row_names(spec, stored)) < spec.max_items, statuses=widgets.statuses(spec, self.words),
            status=self.typed.one(f"{spec.id}~status") if self.typed.has(spec.id) else said,
        )  # fmt: skip
        return made

    def _narrows(self, spec: Field) -> bool:
        """Whether a question beside it offers only what lies in the governorate that this one asks."""
        return spec.type == "gov" and any(one.spec.type == "district" and one.spec.group == spec.group for one in self.form.questions())

    def _governorate(self, spec: Field) -> str:
        """The governorate that is answered beside a delegation, "" where none is."""
        beside = next((one.spec.id for one in self.form.questions() if one.spec.type == "gov" and one.spec.group == spec.group), "")
        known = self.form.facts.get(beside)
        return self.typed.one(beside) if self.typed.has(beside) else str(known.value or "") if known else ""

    def _row_names(self, spec: Field, stored: Any) -> list[str]:
        if self.typed.has(spec.id):
            return self.typed.rows(spec.id)
        return [f"{spec.id}[{place}]" for place in range(len(stored or ()))]

    def _rows(self, spec: Field, cells: Sequence[Field], stored: Any, action: str) -> list[Item]:
        kept = {str(row.get("id", "")): row for row in stored or () if isinstance(row, Mapping)}
        in_order, depended = list(kept.values()), self.form.depended()
        rows = []
        for place, name in enumerate(self._row_names(spec, stored)):
            item_id = self.typed.one(f"{name}~item") if self.typed.has(spec.id) else str(in_order[place].get("id", ""))
            old = kept.get(item_id, {}) if item_id else {}
            drawn = []
            for cell in cells:
                inner = f"{name}.{cell.id}"
                drawn.append(widgets.draw(
                    cell, inner, self.typed, self.words, action, stored=old.get(cell.id), required=not cell.optional, errors=self.wrong.get(inner, ()),
                    in_item=True, refreshes=f"{spec.id}.{cell.id.partition('.')[2]}" in depended, at_hand=self.at_hand.get(cell.id, ()),
                ))  # fmt: skip
            rows.append(Item(name, item_id, tuple(drawn)))
        return rows


def _by_governorate(form: Form, widget: Widget, language: str, chosen: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Some 260 delegations are looked for under their governorate, whose code begins theirs; those of the one that was `chosen` alone, beside one that stands there already."""
    governorates = next((one for one in form.dictionary.fields.values() if one.type == "gov"), None)
    if governorates is None:
        return ()
    inside = {code: tuple(one for one in widget.choices if one[0].startswith(f"{code}-")) for code in governorates.codes}
    shown = {chosen, widget.value.rpartition("-")[0]} - {""} if chosen in inside else set(inside)
    return tuple((governorates.choice_label(code, language), found) for code, found in inside.items() if code in shown)


def _fact(known: KnownField, form: Form, words: Words) -> dict[str, Any]:
    """One known answer as the page shows it; of a hidden one, only who holds it."""
    made = {"field": known.spec.id, "label": pick(known.spec.label, words.language), "is_held": known.is_hidden, "may_correct": known.may_correct}
    if known.is_hidden:
        return {**made, "agency": known.author_agency or known.spec.owner, "value": "", "rows": (), "source": ""}
    rows: tuple[tuple[str, ...], ...] = ()
    if known.spec.type == "list" and known.status == "known":
        rows = tuple(_row(row, known.spec, form, words) for row in known.value or ())
    kind = "computed" if known.spec.computed is not None else known.source.kind
    source = sentences.source(words, kind, known.recorded_at, known.author, known.author_agency)
    return {**made, "agency": "", "value": known.text, "rows": rows, "source": source}


def _row(row: Mapping[str, Any], spec: Field, form: Form, words: Words) -> tuple[str, ...]:
    """A row's answers, each to be isolated from the others: a date after a Latin name would be scattered among Arabic. A bare yes or no says to what."""
    cells = ((form.dictionary.fields[inner], row[inner]) for inner in spec.items if row.get(inner) is not None)
    said = [(one, display(one, value, words.language)) for one, value in cells]
    return tuple(f"{pick(one.label, words.language)}{words.text('format.colon')} {answer}" if one.type in ("bool", "tri") else answer for one, answer in said if answer)


def _is_ready(ready: ReadyRow, row: Any) -> bool:
    return isinstance(row, Mapping) and all(row.get(name) == value for name, value in ready.cells.items())


def _by_name(typed: Typed, findings: Sequence[Any]) -> dict[str, list[str]]:
    """The sentences of each question, by its name in the page."""
    wrong: dict[str, list[str]] = {}
    for found in _one_a_question(findings):
        wrong.setdefault(_name(found.where, typed), []).append(found.message)
    return wrong


def _one_a_question(findings: Sequence[Any]) -> list[Any]:
    """The first thing to mend at each place: what else is wrong there often comes of it."""
    return list({found.where: found for found in reversed(findings)}.values())


def _name(where: str, typed: Typed) -> str:
    """From a JSON pointer into the answers (`/foyer.membres/1/membre.prenom`) to the name in the page; rows keep the numbers they were typed under."""
    first, *rest = [part.replace("~1", "/").replace("~0", "~") for part in where.strip("/").split("/")]
    if not rest or not rest[0].isdigit():
        return first
    rows = typed.rows(first)
    row = rows[int(rest[0])] if int(rest[0]) < len(rows) else first
    return f"{row}.{rest[1]}" if len(rest) > 1 and row != first else row


def _label(form: Form, name: str, typed: Typed, spec: Field, words: Words) -> str:
    """The question's words; in a list, with the row they are asked of (`Household member 2, first name`)."""
    label = pick(spec.label, words.language)
    if "[" not in name:
        return label
    row = name[: name.index("]") + 1]
    place = typed.rows(row.partition("[")[0]).index(row) + 1
    group = pick(form.dictionary.groups[spec.group].label, words.language)
    return f"{group} {place}{words.text('format.comma')} {label}"


def _drawn_names(sections: Sequence[Section]) -> dict[str, int]:
    """Every question in the page, with its place."""
    drawn: list[str] = []
    for section in sections:
        for widget in section.widgets:
            drawn.append(widget.name)
            for item in widget.items:
                drawn += [item.name, *(inner.name for inner in item.widgets)]
    return {name: place for place, name in enumerate(drawn)}


def _summary(form: Form, findings: Sequence[Any], typed: Typed, drawn: Mapping[str, int], words: Words) -> list[dict[str, str]]:
    """What is to be mended, in the order of the page, each leading to its question."""
    lines = []
    for found in _one_a_question(findings):
        name = _name(found.where, typed)
        spec = form.dictionary.fields.get(name.rpartition("].")[2])
        label = _label(form, name, typed, spec, words) if spec else ""
        said = label + ("" if label.endswith(("?", "؟")) or not label else words.text("format.colon"))
        anchor = widgets.element_id(name) if name in drawn else "questions"
        lines.append((drawn.get(name, len(drawn)), {"anchor": anchor, "label": said, "sentence": found.message}))
    return [line for _, line in sorted(lines, key=lambda placed: placed[0])]
