"""Correcting one fact of a case outside its task: the new value is read as its form would read it, with what is computed from it.

Who may, and whether two must agree, is `repairs`'. Lists, papers and signatures are said again on their task; consent is the person's, on its form.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority
from engine.casework import tasks
from engine.casework.instances import Held, dated_scope
from engine.casework.kept import Kept
from engine.dossier import beneficiaries, facts
from engine.i18n import pick
from engine.ledger import access, consultations
from forms import answers, field_types
from forms import form as forms
from forms import text as words
from forms.dictionary import Dictionary

_SAID_ON_THEIR_TASK = frozenset({field_types.ROWS, "doc", "signature"})
_CONSENT = "consentement."
_SYSTEM, _AGENCY = {"kind": "system"}, {"kind": "agency"}
_definitions = Kept[forms.FormDefinition](256)


def form_for(session: Session, actor: Any, held: Held, subject: str, field: str, *, is_proposal: bool = False) -> forms.Form:
    """A form that asks the one field anew. `is_proposal`: whoever proposes need not be who may write it, nor read it: it is asked as if nothing were known.

    Refuses: `repair.no_fact`, `repair.said_on_its_task`, `repair.consent`.
    """
    definition = _definition(held, field)
    subjects = _subjects(held, subject, field)
    rows = facts.snapshot(session, subjects, forms.field_ids(definition))
    known = tasks.as_known(rows, subjects, definition, held.edition)
    if field not in known:
        raise errors.NotFound("repair.no_fact")

    def may_read(found: Any, author_agency: str = "") -> bool:
        return authority.readable(actor, authority.classes_of(found), author_agency, held)

    spec = held.edition.dictionary.fields[field]
    if is_proposal and not may_read(spec, known[field].author_agency):
        known = {name: one for name, one in known.items() if name != field}
    scope = dated_scope(session, held, clock.today(held.now))
    may_write = (lambda _found: True) if is_proposal else (lambda found: authority.writable(actor, authority.classes_of(found)))
    return forms.ask(definition, known, may_read, may_write, clock.today(held.now), actor.language, scope, correcting=[field])


def read(session: Session, actor: Any, held: Held, subject: str, field: str, value: Any, *, is_typed: bool, is_proposal: bool = False) -> list[facts.NewFact]:
    """The facts that the correction says: the field, then what is computed from it (said by Masar, whatever its class).

    Refuses: as `form_for`; `repair.answer` with findings; `repair.same` where it says what is known; `beneficiary.possible_duplicate`.
    """
    asked = form_for(session, actor, held, subject, field, is_proposal=is_proposal)
    said = answers.read(asked, {field: value}, actor.language, dated_scope(session, held, clock.today(held.now)), is_typed=is_typed)
    if said.findings:
        raise errors.Invalid("repair.answer", said.findings)
    if field not in said.values:
        raise errors.Conflict("repair.same")
    new = tasks.facts_said(said, _subjects(held, subject, field), held.edition, held)
    new = [replace(one, source=_AGENCY if one.field == field else _SYSTEM) for one in new]
    _check_identity(session, held, new)
    return new


def remember(session: Session, held: Held, said: Sequence[facts.NewFact]) -> None:
    """A corrected identity is found again by what it is now."""
    if not any(one.field in beneficiaries.IDENTITY_FIELDS for one in said) or held.person_id is None:
        return
    beneficiaries.remember(session, held.person_id, _identity(session, held, said))


def shown(session: Session, actor: Any, edition: Any, row: Any, about: Mapping[str, Any]) -> tuple[str, str, str]:
    """The label of a correction's field, what is known and the proposed value in words; "" what is not the reader's to see."""
    spec = edition.dictionary.fields[row.content["field"]]
    label = pick(spec.label, actor.language)
    reads = authority.readable(actor, about["field_class"], case=row)
    if not (reads or row.proposed_by == actor.user_id) or row.ciphertext is None or row.state != "proposed":
        return label, "", ""
    opened = access.open_line(session, row.instance_id, row.seq, row.person_id, row.ciphertext)
    subject = row.content["subject"]
    said = opened.get(f"{subject}|{spec.id}")
    if said is None:
        return label, "", ""
    consultations.note(session, row.root_id, "correction", [about["field_class"]])
    rows = facts.snapshot(session, facts.Subjects(row.root_id, row.person_id).narrowed([subject]), [spec.id]) if reads else ()
    return label, next((_told(spec, one.value, one.status, actor.language) for one in rows if one.subject == subject), ""), _told(spec, said["value"], said["status"], actor.language)


def _told(spec: Any, value: Any, status: str, language: str) -> str:
    return words.display(spec, value, language) if status == "known" else words.status(status, language)


def _definition(held: Held, field: str) -> forms.FormDefinition:
    spec = held.edition.dictionary.fields.get(field)
    if spec is None:
        raise errors.NotFound("repair.no_fact")
    if field.startswith(_CONSENT):
        raise errors.Invalid("repair.consent")
    if not is_said_alone(spec):
        raise errors.Invalid("repair.said_on_its_task")
    return _definitions.get((held.edition.edition_id, field), lambda: _one_question(held.edition.dictionary, field))


def is_said_alone(spec: Any) -> bool:
    """Whether a field's answer is corrected by itself: neither the person's consent, nor a list, a paper or a signature, nor what is computed."""
    is_on_its_task = spec.type in _SAID_ON_THEIR_TASK or spec.computed is not None or spec.subject == "member" or authority.classes_of(spec).startswith("H")
    return not is_on_its_task and not spec.id.startswith(_CONSENT)


def _one_question(dictionary: Dictionary, field: str) -> forms.FormDefinition:
    spec = dictionary.fields[field]
    labels = ", ".join(f"{language} = {json.dumps(label, ensure_ascii=False)}" for language, label in spec.label.items())
    written = f'id = "correction"\ntitle = {{ {labels} }}\n[[section]]\ntitle = {{ {labels} }}\nask = ["{field}"]\n'
    return forms.read({"correction.toml": written.encode()}, dictionary)["correction"]


def _subjects(held: Held, subject: str, field: str) -> facts.Subjects:
    """The case seen from the fact's subject. Refuses: `repair.no_fact` where the field is about something else."""
    subjects = held.subjects.narrowed([subject]) if subject.partition(":")[0] in ("mesure", "aide", "visite", "seance") else held.subjects
    if subjects.key(held.edition.dictionary.fields[field].subject) != subject:
        raise errors.NotFound("repair.no_fact")
    return subjects


def _identity(session: Session, held: Held, said: Sequence[facts.NewFact]) -> dict[str, Any]:
    known = {one.field: one.value for one in facts.snapshot(session, held.subjects, beneficiaries.IDENTITY_FIELDS) if one.status == "known"}
    return known | {one.field: one.value for one in said if one.field in beneficiaries.IDENTITY_FIELDS}


def _check_identity(session: Session, held: Held, said: Sequence[facts.NewFact]) -> None:
    """An identity corrected into somebody else's is looked at as a double, on the task that identifies."""
    if held.person_id is None or not any(one.field in beneficiaries.IDENTITY_FIELDS for one in said):
        return
    found = beneficiaries.matches(session, _identity(session, held, said), besides=held.person_id)
    if found:
        raise errors.Conflict("beneficiary.possible_duplicate", candidates=[
            {"case_id": str(one.case_id), "case_number": one.case_number, "branch": one.branch, "status": one.status, "matched": list(one.kinds), "is_expected": False}
            for one in found])  # fmt: skip
