"""A letter of a draft as it would be written, of made-up answers: to read it in both languages before anybody receives one."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from engine import errors
from engine.casework import drafts, form_drafts
from engine.casework.letters import ADDRESSES
from engine.dossier import beneficiaries, programmes
from forms import field_types, samples
from forms import letter as texts
from forms import letter_files
from forms.dictionary import Dictionary, Field
from forms.text import LANGUAGES, FormError, day, display, pick

LETTERS = "forms/letters/"
MOST = 6  # sets of made-up answers: each another choice of every list, so that each of a letter's ways can be read
_BRANCH = "MED"


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
