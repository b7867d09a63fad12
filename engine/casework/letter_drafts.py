"""A letter of a draft as it would be written, of made-up answers: to read it in both languages before anybody receives one."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlmodel import Session

from engine import errors
from engine.actors import roles
from engine.casework import drafts, form_drafts
from engine.casework.letters import ADDRESSES
from engine.dossier import beneficiaries, programmes
from forms import field_types, letter_editing, letter_files, rewriting, samples, toml
from forms import letter as texts
from forms.dictionary import Dictionary, Field
from forms.text import LANGUAGES, Findings, FormError, day, display, pick

LETTERS = "forms/letters/"
MOST = 6  # sets of made-up answers: each another choice of every list, so that each of a letter's ways can be read
_BRANCH = "MED"


@dataclass(frozen=True)
class Sheet:
    """A letter of a draft. `content`: what its file says, None where it is mended as a text; `problems`: place → what is wrong there."""

    path: str
    content: letter_editing.Content | None
    dictionary: Dictionary
    problems: Mapping[str, Sequence[Any]]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def begin(session: Session, actor: Any, draft_id: UUID, letter_id: str, class_: str, title: Mapping[str, str]) -> str:
    """A new letter to the person, empty but for its title; its file's name. `class_`: who may read it, as of a field.
    Refuses: Forbidden, `draft.not_found`, `draft.not_open`, `draft.letter_name`, `draft.name_taken`."""
    name = f"{letter_id}.toml"
    if not form_drafts.NAME.fullmatch(letter_id):
        raise errors.Invalid("draft.letter_name")
    if f"{LETTERS}{name}" in drafts.show(session, actor, draft_id).files:
        raise errors.Invalid("draft.name_taken", name=name)
    content = {"id": letter_id, "class": class_, "title": dict(title), "block": [{"text": dict.fromkeys(texts.BOTH, "")}]}
    drafts.save(session, actor, draft_id, f"{LETTERS}{name}", rewriting.rewrite(b"", content), 0)
    return name


def sheet(whole: drafts.Whole, name: str) -> Sheet:
    """A letter of a draft, to be written. Refuses: `draft.no_file`."""
    path = f"{LETTERS}{name}"
    if path not in whole.files or name == f"{texts.LETTERHEAD}.toml":
        raise errors.NotFound("draft.no_file")
    words, _ = form_drafts.vocabulary(whole)
    findings = Findings()
    content = toml.parse({name: whole.files[path]}, findings).get(name)
    if content is None or not letter_editing.fits(content):
        return Sheet(path, None, words, {letter_editing.HEAD: list(findings)})
    problems: dict[str, list[Any]] = {}
    for one in _wrong(whole.files, name, words):
        if one.where.partition("#")[0] == name:
            problems.setdefault(letter_editing.place_of(one.where), []).append(one)
    return Sheet(path, content, words, problems)


def _wrong(files: Mapping[str, bytes], name: str, words: Dictionary) -> Sequence[Any]:
    try:
        letter_files.read({one: files[f"{LETTERS}{one}"] for one in (name, f"{texts.LETTERHEAD}.toml") if f"{LETTERS}{one}" in files}, words)
    except FormError as refused:
        return refused.findings
    return ()


def names(found: Sheet, place: str) -> list[tuple[str, list[str]]]:
    """What a text at a place may name, by where it comes from: the line of its list, what the letter works out, what the engine says of every letter, then
    each group of the dictionary, of what this letter's readers may read."""
    content: Any = found.content
    each = letter_editing.each(content, place)
    worked = [name for name, raw in content.get("values", {}).items() if raw.get("type") != "rows"]
    groups: dict[str, list[str]] = {}
    for one in found.dictionary.fields.values():
        if one.subject != "member" and _is_open(content, one):
            groups.setdefault(one.group, []).append(one.id)
    return [("line", letter_files.names_of_a_line(found.name, content, each, found.dictionary)), ("worked", worked), ("given", sorted(texts.GIVEN)), *groups.items()]


def work_out(found: Sheet, content: letter_editing.Content, name: str) -> bool:
    """Adds a value that the letter works out; False where its name cannot be one, or says something else already."""
    return letter_editing.work_out(content, name, {*texts.GIVEN, *texts.ROWS_GIVEN, *texts.TOLD_GIVEN, *texts.SCOPE, *found.dictionary.groups})


def lists(found: Sheet) -> list[str]:
    """The lists that a block may be said for each line of: what the letter works out, what the engine gives, those of the dictionary that its readers may read."""
    content: Any = found.content
    given = [*texts.ROWS_GIVEN, *(texts.TOLD_GIVEN if found.name == f"{texts.COPY}.toml" else ())]
    fields = [one.id for one in found.dictionary.fields.values() if one.type in (field_types.ROWS, "multi") and one.subject != "member" and _is_open(content, one)]
    return [*(name for name, raw in content.get("values", {}).items() if raw.get("type") == "rows"), *given, *fields]


def weighed(found: Sheet, place: str) -> dict[str, Field]:
    """What a condition at a place may be put together of: the fields of the line of its list, then those of the groups that the letter names."""
    content: Any = found.content
    each = letter_editing.each(content, place) if place.count("-") else ""
    line = f"{letter_files.group_of_a_line(each, found.dictionary)}." if each else "."
    fields = [one for one in found.dictionary.fields.values() if one.type != field_types.ROWS]
    groups = {one.partition(".")[0] for one in letter_editing.named(content)}
    of_line = {name: replace(one, id=name) for one in fields if one.id.startswith(line) and (name := f"item.{one.id.partition('.')[2]}")}
    return of_line | {one.id: one for one in fields if one.group in groups}


def _is_open(content: Mapping[str, Any], one: Field) -> bool:
    return roles.opens(str(content.get("class", "")), ",".join((one.class_, *one.also)))


def label(found: Sheet, name: str, language: str, each: str = "") -> str:
    """A name in the words of the dictionary, or of the letter that works it out, or "" where neither has it."""
    if (worked := (found.content or {}).get("values", {}).get(name)) is not None:
        return pick(worked["label"], language) if worked.get("label") else ""
    if name.startswith("item.") and each:
        name = f"{letter_files.group_of_a_line(each, found.dictionary)}.{name.partition('.')[2]}"
    spec = found.dictionary.fields.get(name)
    return pick(spec.label, language) if spec else ""


def compose(session: Session, whole: drafts.Whole, name: str, number: int = 1) -> Mapping[str, Any]:
    """The letter's whole text in French (`fr`) and Arabic (`ar`). `number`: which set of made-up answers.

    Refuses: `draft.no_file`; `draft.letter_refused` with the findings of the letter, its letterhead, or the dictionary.
    """
    files = whole.files
    if f"{LETTERS}{name}" not in files or name == f"{texts.LETTERHEAD}.toml":
        raise errors.NotFound("draft.no_file")
    try:
        words = form_drafts.read_dictionary(files)
        found, head = letter_files.read({one: files[f"{LETTERS}{one}"] for one in (name, f"{texts.LETTERHEAD}.toml") if f"{LETTERS}{one}" in files}, words)
    except FormError as refused:
        raise errors.Invalid("draft.letter_refused", [errors.Finding(one.code, one.where, one.details, one.message) for one in refused.findings]) from refused
    definition = found[name.removesuffix(".toml")]
    assert head is not None  # a letter without a letterhead is refused above
    try:
        return texts.compose(definition, head, _material(session, words, definition, number))
    except (ArithmeticError, TypeError, ValueError) as trouble:  # a value that is not of the kind the letter says: an amount that is a text
        raise errors.Invalid("draft.letter_refused", [errors.Finding("definition.shape", f"{name}#values")]) from trouble


def _material(session: Session, words: Dictionary, definition: texts.LetterDefinition, number: int) -> texts.Material:
    today, around = programmes.of_today(session)
    stored: dict[str, dict[str, Any]] = {}
    feel: dict[str, dict[str, Any]] = {}
    for field_id in {*definition.fields, *beneficiaries.NAME_FIELDS} & words.fields.keys():
        group, _, name = field_id.partition(".")
        spec = words.fields[field_id]
        value = samples.stored(spec, words, today, number)
        if spec.type == field_types.ROWS:
            rows = [{one.partition(".")[2] or one: inner for one, inner in row.items()} for row in value]
            stored.setdefault(group, {})[name] = rows
            feel.setdefault(group, {})[name] = [_row(row, spec.items, words) for row in rows]
        else:
            stored.setdefault(group, {})[name] = value
            feel.setdefault(group, {})[name] = field_types.to_feel(spec, value)
    person = {f"person.{name}": value for name, value in stored.get("person", {}).items()}
    scope = {**feel, **around, "today": today, "dossier": {"numero": "TN-MED-2026-00001", "antenne": _BRANCH, "ouvert_le": today}}
    held = programmes.dated(session)
    given = {
        "numero": dict.fromkeys(LANGUAGES, "TN-MED-2026-00001"), "code": dict.fromkeys(LANGUAGES, "EXEM-PLE"), "date": {one: day(today, one) for one in LANGUAGES},
        "agence": held.agency(definition.sender, today), "antenne": held.branch(_BRANCH, today), "adresse": scope["parametres"].get(ADDRESSES, {}).get(_BRANCH, {}),
        "personne": {one: beneficiaries.full_name(person, one) for one in LANGUAGES}, "absentes": {},
    }  # fmt: skip
    kept = [words.fields[one] for one in beneficiaries.NAME_FIELDS if one in words.fields]
    told = {"donnees": {language: [_kept(spec, words, stored, today, language) for spec in kept] for language in LANGUAGES}}
    aid = [({**feel.get("aide", {}), "numero": "TN-MED-2026-00001"}, {**stored.get("aide", {}), "numero": "TN-MED-2026-00001"})]
    return texts.Material(words, scope, stored, given, {"dossiers": aid}, told)


def _kept(spec: Field, words: Dictionary, stored: Mapping[str, Mapping[str, Any]], today: dt.date, language: str) -> dict[str, str]:
    """A made-up row of what is kept of a person."""
    group, _, name = spec.id.partition(".")
    return {"rubrique": pick(words.groups[group].label, language), "donnee": pick(spec.label, language), "valeur": display(spec, stored.get(group, {}).get(name), language),
            "source": "OTE", "le": day(today, language)}  # fmt: skip


def _row(row: Mapping[str, Any], items: tuple[str, ...], words: Dictionary) -> dict[str, Any]:
    specs = {one.partition(".")[2]: words.fields[one] for one in items if one in words.fields}
    return {name: field_types.to_feel(specs[name], value) if name in specs else value for name, value in row.items()}
