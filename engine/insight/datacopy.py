"""The copy of what is kept of a person, for her hands (law 2004-63, arts. 32 to 34): what the letter `copie_donnees` of the edition says around it, in French and Arabic.

It shows no more than whoever hands it over may read, and says which kinds of data are left out. The text is not kept, only that the copy was made, its code and
its digest, among the consultations of the case; how it looks on paper is the faces' to say.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, i18n, identity
from engine.actors import authority
from engine.actors.roles import CLASSES
from engine.casework import cases, editions, letters
from engine.casework.views import CaseFile, KnownFact
from engine.dossier import programmes
from engine.insight import recipients
from engine.ledger import consultations
from forms import letter as texts
from forms.dictionary import Dictionary
from forms.text import day

_CASE = text("SELECT * FROM instance WHERE instance_id = :id AND root_id = instance_id")
_DIGESTS = text("SELECT document_id::text, sha256 FROM document WHERE root_id = :id")
_OF_ONE = ("person", "return", "case")  # subjects that a case has one of


@dataclass(frozen=True)
class DataCopy:
    """`content`: the whole text in French (`fr`) and Arabic (`ar`), as letters have theirs; `code`: what the paper is verified by."""

    case_number: str
    content: Mapping[str, Any]
    code: str
    made_at: dt.datetime


def make(session: Session, actor: Any, case_id: UUID) -> DataCopy:
    """Refuses: `case.not_found` (absent, or not hers to take out), `letter.no_template` (Conflict). Records: `access.exported`."""
    row = session.execute(_CASE, {"id": case_id}).one_or_none()
    if row is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "casefile.export", branch=row.branch, case=row)
    edition = editions.load(session, row.edition_id)
    definition = edition.letters.get(texts.COPY)
    if definition is None or edition.letterhead is None:
        raise errors.Conflict("letter.no_template")
    now, code = clock.now(session), identity.receipt_code()
    shown = recipients.classes(actor, "personne", row)
    files = {language: cases.file(session, replace(actor, language=language), case_id) for language in texts.BOTH}
    material = _material(session, row, edition.dictionary, definition.sender, files, [one for one in CLASSES if one not in shown], clock.today(now), code)
    content = {"titles": dict(definition.title), **texts.compose(definition, edition.letterhead, material)}
    told = {"recipient": "personne", "classes": sorted(shown), "sha256": letters.digest(content), "paper": code, "titles": content["titles"]}
    consultations.exported(session, case_id, "datacopy", told)
    return DataCopy(row.number or "", content, code, now)


def _material(
    session: Session, row: Any, dictionary: Dictionary, sender: str, files: Mapping[str, CaseFile], left_out: Sequence[str], today: dt.date, code: str
) -> texts.Material:
    held, digests = programmes.dated(session), {found.document_id: found.sha256 for found in session.execute(_DIGESTS, {"id": row.instance_id})}
    scope = held.scope(today)
    absent = {one: i18n.translate("web.format.comma", one).strip() + " " for one in texts.BOTH}
    given = {
        "numero": dict.fromkeys(texts.BOTH, row.number or ""), "code": dict.fromkeys(texts.BOTH, code), "date": {one: day(today, one) for one in texts.BOTH},
        "antenne": held.branch(row.branch, today), "agence": held.agency(sender, today), "adresse": scope["parametres"].get(letters.ADDRESSES, {}).get(row.branch, {}),
        "personne": {one: file.person for one, file in files.items()},
        "absentes": {one: absent[one].join(i18n.translate(f"web.consultation.class.{each}", one) for each in left_out) for one in texts.BOTH},
    }  # fmt: skip
    address = next((one.value for one in files["fr"].known if one.field == "person.adresse"), "")
    told = {"donnees": {one: _answers(file, dictionary, one) for one, file in files.items()},
            "documents": {one: _documents(file, digests, one) for one, file in files.items()}}  # fmt: skip
    return texts.Material(dictionary, {**scope, "today": today, "absentes": bool(left_out)}, {"person": {"adresse": address}}, given, {}, told)


def _answers(file: CaseFile, dictionary: Dictionary, language: str) -> list[dict[str, str]]:
    """A row for each fact, by group; the rows of lists and the measures of a plan each under a number of their own."""
    groups: dict[tuple[str, str], list[KnownFact]] = {}
    for fact in file.known:
        if dictionary.fields[fact.field].type != "list" and not fact.document_id:  # rows of a list are told one by one, documents beneath
            subject = "" if dictionary.groups[fact.group].subject in _OF_ONE else fact.subject
            groups.setdefault((fact.group, subject), []).append(fact)
    seen: dict[str, int] = {}
    rows = []
    for (group, subject), known in groups.items():
        seen[group] = seen.get(group, 0) + 1
        title = i18n.pick(dictionary.groups[group].label, language) + (f" {seen[group]}" if subject else "")
        for fact in known:
            rows.append({"rubrique": title, "donnee": fact.label, "valeur": fact.value, "source": _source(fact, language), "le": day(clock.today(fact.recorded_at), language)})
    return rows


def _documents(file: CaseFile, digests: Mapping[str, str], language: str) -> list[dict[str, str]]:
    return [{"nom": one.label, "le": day(clock.today(one.recorded_at), language), "empreinte": digests.get(one.document_id, "")[:16]}
            for one in file.known if one.document_id]  # fmt: skip


def _source(fact: KnownFact, language: str) -> str:
    if fact.source == "computed":
        return i18n.translate("web.datacopy.computed", language)
    agency = i18n.translate(f"web.agency.{fact.author_agency}", language) if fact.author_agency else ""
    return " — ".join(one for one in (fact.author, agency) if one) or i18n.translate(f"web.fact.by.{fact.source or 'person'}", language)
