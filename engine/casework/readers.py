"""Readers: who consulted a case, who tried and was refused, who took it out, for whoever must be able to tell the person (law 2004-63, arts. 18-19, 32).

What is kept is `ledger.consultations`; here it gets names. Refusals are noted beside the unit of work, which they undo.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import authority
from engine.actors.agencies import OTE
from engine.casework import editions, staff
from engine.database import Database
from engine.dossier import facts, programmes
from engine.i18n import pick
from engine.ledger import consultations
from forms import letter
from forms import text as words

_CASE = text("SELECT branch, number, edition_id FROM instance WHERE instance_id = :id AND root_id = instance_id")
_PAPERS = text(f"""SELECT i.edition_id, f.field, d.document_id FROM {facts.EVERY} f JOIN instance i ON i.instance_id = f.root_id
                    CROSS JOIN LATERAL (SELECT coalesce(f.value ->> 'document', f.value #>> '{{}}') AS document_id) d WHERE f.root_id = :root AND d.document_id = ANY (CAST(:ids AS text[]))""")
_ON_PAPER = 300  # entries on one sheet
_OF_DOCUMENTS = 500
# What a path may name of a case, the nearest first, and the codes by which the policy refuses.
_NAMED = ("task_id", "document_id", "letter_id", "instance_id", "case_id")
_NOT_BY_POLICY = ("web.", "password.", "signin.")
_ABSENT = frozenset({"case.not_found", "task.not_found", "document.not_found", "letter.not_found"})


@dataclass(frozen=True)
class Consulted:
    """One entry. `kind`: `read`, `refused` or `exported`; `act`: by which act (`case`, `task`, `history`, `letter`, `document`, `correction`, `casefile`, …);
    `classes`: of the fields seen, one letter each; `recipient`: for whom a case file was made, "" for whoever made it; `document`: the name of the paper that was opened."""

    seq: int
    at: dt.datetime
    kind: str
    name: str
    agency: str
    branch: str
    act: str
    classes: tuple[str, ...]
    recipient: str = ""
    document_id: str = ""
    document: str = ""


@dataclass(frozen=True)
class Readers:
    """Who consulted a case, the newest first. `next`: goes into `before` of the following page, 0 on the last."""

    case_id: UUID
    case_number: str
    items: tuple[Consulted, ...]
    next: int


def of_case(session: Session, actor: Any, case_id: UUID, before: int = 0, limit: int = 100) -> Readers:
    """Refuses: `case.not_found` (absent, or not hers to know)."""
    row = session.execute(_CASE, {"id": case_id}).one_or_none()
    if row is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "consultation.read", branch=row.branch)
    items = _named(session, actor, case_id, consultations.read(session, case_id, before, limit + 1))
    return Readers(case_id, row.number or "", items[:limit], items[limit - 1].seq if len(items) > limit else 0)


def between(session: Session, actor: Any, case_id: UUID, since: dt.datetime, until: dt.datetime, limit: int) -> tuple[Consulted, ...]:
    """The latest entries after one instant and up to another, the newest first: for whoever may read them (`consultation.read`), which the caller asked."""
    return _named(session, actor, case_id, consultations.between(session, case_id, since, until, limit))


def of_documents(session: Session, actor: Any, case_id: UUID) -> dict[str, list[Consulted]] | None:
    """Who opened each document of a case, by its id, the newest first; None for whoever may not know."""
    row = session.execute(_CASE, {"id": case_id}).one_or_none()
    if row is None or not authority.may(actor, "consultation.read", branch=row.branch):
        return None
    found: dict[str, list[Consulted]] = {}
    for one in _named(session, actor, case_id, consultations.opened(session, case_id, _OF_DOCUMENTS)):
        found.setdefault(one.document_id, []).append(one)
    return found


def _named(session: Session, actor: Any, case_id: UUID, found: list[consultations.Consultation]) -> tuple[Consulted, ...]:
    names = staff.names(session, actor.language, (one.user_id for one in found))
    papers = _papers(session, actor, case_id, {one.body["document"] for one in found if "document" in one.body})
    return tuple(
        Consulted(one.seq, one.at, one.kind.rpartition(".")[2], names.get(str(one.user_id), ""), one.agency, one.branch, one.body["act"], tuple(one.body.get("classes", ())),
                  one.body.get("recipient", ""), one.body.get("document", ""), papers.get(one.body.get("document", ""), ""))
        for one in found
    )


def _papers(session: Session, actor: Any, case_id: UUID, ids: set[str]) -> dict[str, str]:
    """What documents are called, where their field is the actor's to know."""
    rows = session.execute(_PAPERS, {"root": case_id, "ids": sorted(ids)}).all() if ids else ()
    fields = editions.load(session, rows[0].edition_id).dictionary.fields if rows else {}
    return {row.document_id: pick(fields[row.field].label, actor.language) for row in rows if row.field in fields}


@dataclass(frozen=True)
class Sheet:
    """What is printed of it for the person: the letterhead of the case's edition and the entries, by language (`fr`, `ar`), the newest first; `is_cut`: there are more."""

    case_number: str
    branch: str
    made_at: dt.datetime
    heads: Mapping[str, Mapping[str, Any]]
    items: Mapping[str, tuple[Consulted, ...]]
    is_cut: bool


def sheet(session: Session, actor: Any, case_id: UUID) -> Sheet:
    """Who consulted a case, to be handed to its person. Refuses: `case.not_found`. Records: `access.exported`."""
    found = {language: of_case(session, replace(actor, language=language), case_id, limit=_ON_PAPER) for language in letter.BOTH}
    row, now = session.execute(_CASE, {"id": case_id}).one(), clock.now(session)
    edition = editions.load(session, row.edition_id)
    today, tables = clock.today(now), programmes.dated(session)
    given = {"numero": dict.fromkeys(letter.BOTH, row.number or ""), "date": {one: words.day(today, one) for one in letter.BOTH},
             "antenne": tables.branch(row.branch, today), "agence": tables.agency(OTE, today)}  # fmt: skip
    heads = letter.headed(edition.letterhead, letter.Material(edition.dictionary, {}, {}, given)) if edition.letterhead else {one: {"sender": [], "words": {}} for one in letter.BOTH}
    consultations.exported(session, case_id, "readers", {"recipient": "personne"})
    return Sheet(row.number or "", row.branch, now, heads, {one: each.items for one, each in found.items()}, bool(found["fr"].next))


def note_refusal(database: Database, actor: Any, path: Mapping[str, Any], refusal: errors.Refusal, is_writing: bool) -> None:
    """Keeps that somebody signed in asked for a case, or a part of one that the path names, and was refused by what she may do."""
    is_policy = isinstance(refusal, errors.Forbidden) or refusal.code in _ABSENT
    name = next((one for one in _NAMED if one in path), "")
    asked = identity.parse(path.get(name))
    if actor is None or actor.kind != "person" or not is_policy or asked is None or refusal.code.startswith(_NOT_BY_POLICY):
        return
    act = name.removesuffix("_id").replace("instance", "case")
    with database.unit_of_work(actor) as session:
        consultations.refused(session, actor, asked, f"{act}.{'change' if is_writing else 'read'}", refusal.code)
