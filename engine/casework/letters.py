"""Letters: written when a diagram asks, from what is known that day, and kept as they were written for whoever prints them later.

What each says stands in the edition (`forms/letters`). A letter shows nothing that its readers may not see: publication refuses one that would, and a
fact kept under a narrower class is left out all the same. How a letter looks on paper is the faces' to say.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import authority
from engine.actors.agencies import OTE, PARTNERS
from engine.casework import receipts
from engine.casework.instances import Change
from engine.dossier import beneficiaries, facts
from engine.ledger import chain, consultations
from forms import letter as texts
from forms.text import LANGUAGES, day

ADDRESSES = "adresses_antennes"  # the dated parameter with the address of each branch
_FILES = text("""SELECT i.subject, r.number, r.is_shared_funder FROM instance i JOIN instance r ON r.instance_id = i.root_id
                   WHERE i.process = 'dossier_aide' AND i.subject = ANY (:aids)""")
_SAT = text("""SELECT EXISTS (SELECT FROM task_done WHERE root_id = :root AND done_by = :me AND outcome = 'completed')
                  AND NOT EXISTS (SELECT FROM unnest(CAST(:aids AS uuid[])) a WHERE (SELECT h.is_shared_funder FROM masar_home_of_aid('aide:' || a) h) IS NOT TRUE)""")
_LETTERS = """SELECT l.letter_id, l.root_id, l.template, l.content, l.class, l.code, l.produced_at, l.about, i.branch, i.number, i.subject,
                         i.person_id, i.social_worker_id,
                         i.is_kept, i.is_shared, i.is_shared_funder, i.is_shared_operator, i.assigned
                    FROM letter l JOIN instance i ON i.instance_id = l.root_id"""
_LETTER = text(f"{_LETTERS} WHERE l.letter_id = :id")
_OF_INSTANCE = text(f"{_LETTERS} WHERE l.instance_id = :id ORDER BY l.produced_at DESC, l.letter_id")
_KNOWN = text("SELECT titles, branch, produced_at FROM masar_letter(:code)")


@dataclass(frozen=True)
class Letter:
    """One letter. `content`: its whole text in French (`fr`) and Arabic (`ar`), as written that day; `slip`: what its square code holds, "" where no line wrote it."""

    letter_id: UUID
    case_id: UUID
    case_number: str
    branch: str
    template: str
    content: Mapping[str, Any]
    code: str
    produced_at: dt.datetime
    slip: str


@dataclass(frozen=True)
class Written:
    """What anybody who holds a letter may know of it by its code. `titles`: its kind, by language."""

    titles: Mapping[str, str]
    branch: str
    produced_at: dt.datetime


@dataclass(frozen=True)
class Made:
    """A letter just written. `sealed`: what its ledger line commits to, its code and the digest of its text, so that paper and line are of one another."""

    letter_id: UUID
    sealed: Mapping[str, str]


def read(session: Session, actor: Any, letter_id: UUID) -> Letter:
    """A letter of a case one reads; it names the person, so that without consent it stays with OTE. What a sitting wrote is a partner's too, if she sat there
    and every person it tells of agrees that the funder be told. Refuses: `letter.not_found`."""
    row = session.execute(_LETTER, {"id": letter_id}).one_or_none()
    if row is None or not authority.may(actor, "letter.read", branch=row.branch, case=row, sat=_sat(session, actor, row)) or not authority.readable(actor, row._mapping["class"], OTE, row):
        raise errors.NotFound("letter.not_found")
    consultations.note(session, row.root_id, "letter", [row._mapping["class"]])
    return Letter(row.letter_id, row.root_id, row.number or "", row.branch, row.template, row.content, row.code, row.produced_at, receipts.printed(session, row.code))


def of_dossier(session: Session, actor: Any, instance_id: UUID) -> list[tuple[UUID, Mapping[str, str]]]:
    """The papers of a sitting or of an aid's dossier that the actor may read: id and kind by language, the newest of each kind, the newest first."""
    found = session.execute(_OF_INSTANCE, {"id": instance_id}).all()
    mine = [row for row in found
            if authority.may(actor, "letter.read", branch=row.branch, case=row, sat=_sat(session, actor, row)) and authority.readable(actor, row._mapping["class"], OTE, row)]  # fmt: skip
    newest = {row.template: row for row in reversed(mine)}
    return [(row.letter_id, row.content["titles"]) for row in sorted(newest.values(), key=lambda row: row.produced_at, reverse=True)]


def just_written(change: Change) -> tuple[UUID, ...]:
    """The letters of this act that whoever did it may read."""
    return tuple(letter_id for letter_id, _ in of_dossier(change.session, change.actor, change.held.instance_id) if letter_id in change.written) if change.written else ()


def _sat(session: Session, actor: Any, row: Any) -> bool:
    """Whether a partner did a task of the sitting that wrote this, and all it tells of agree."""
    return actor.sits and row.subject.startswith("seance:") and session.execute(_SAT, {"root": row.root_id, "aids": row.about, "me": actor.user_id}).scalar_one()


def verify(session: Session, code: str) -> Written | None:
    """What paper bears this code; None when none was written here."""
    row = session.execute(_KNOWN, {"code": code.upper()}).one_or_none()
    return row and Written(row.titles, row.branch, row.produced_at)


def write(change: Change, name: str, subject: str, code: str = "", told: Mapping[str, Mapping[str, str]] = MappingProxyType({})) -> Made | None:
    """Writes a letter of the edition about the instance, or about `subject` inside it; None when the edition has none of that name.

    `code`: what the paper is verified by; one of its own unless given. `told`: texts of this letter alone, by name and language (`forms.letter.GIVEN`).
    """
    edition = change.held.edition
    definition = edition.letters.get(name)
    if definition is None or edition.letterhead is None:
        return None
    code = code or identity.receipt_code()
    material = _material(change, definition, subject, code, told)
    content = {"titles": dict(definition.title), **texts.compose(definition, edition.letterhead, material)}
    letter_id = identity.new_id()
    change.letters.append({"letter_id": letter_id, "template": name, "class": definition.class_, "code": code, "content": content,
                           "about": [stored["id"] for _, stored in material.rows["dossiers"]]})  # fmt: skip
    change.written.append(letter_id)
    return Made(letter_id, {"code": code, "letter": digest(content)})


def digest(content: Mapping[str, Any]) -> str:
    """The SHA-256 of a letter's whole text, in hex."""
    return hashlib.sha256(chain.canonical(content)).hexdigest()


def _material(change: Change, definition: texts.LetterDefinition, subject: str, code: str, more: Mapping[str, Mapping[str, str]]) -> texts.Material:
    """What is known today of what the letter says, as far as its class opens it."""
    held, edition, today = change.held, change.held.edition, clock.today(change.at)
    subjects = held.subjects.narrowed([subject] if subject else ())
    names = [*definition.fields, *(beneficiaries.NAME_FIELDS if definition.to_person else ())]
    known = _known(change, definition, subjects, names)
    feel, stored = (facts.tree(known, subjects, reads, edition.lists) for reads in (edition.to_feel, lambda _field, value: value))
    own = ["case", *(key for key in (subjects.key(kind) for kind in ("aid", "measure", "visit", "sitting", "exception")) if key and "[" not in key)]
    scope = {name: found for key in own for name, found in feel.get(key, {}).items()}
    scope |= change.tables.scope(today, change.aid) | {"today": today, "dossier": {"numero": held.number, "antenne": held.branch, "ouvert_le": clock.today(held.opened_at)}}
    shown = {name: found for key in own for name, found in stored.get(key, {}).items()}
    person = {f"person.{name}": value for name, value in shown.get("person", {}).items()}
    addresses = scope["parametres"].get(ADDRESSES, {}).get(held.branch, {})
    given = {
        "numero": held.number or "", "code": code, "date": {one: day(today, one) for one in LANGUAGES}, "agence": change.tables.agency(definition.sender, today),
        "antenne": change.tables.branch(held.branch, today),
        "adresse": addresses, "personne": {one: beneficiaries.full_name(person, one) for one in LANGUAGES}, **more,
    }  # fmt: skip
    told = {name: value if isinstance(value, Mapping) else dict.fromkeys(LANGUAGES, value) for name, value in given.items()}
    return texts.Material(edition.dictionary, scope, shown, told, {"dossiers": _files(change, definition, feel, stored)})


def _known(change: Change, definition: texts.LetterDefinition, subjects: facts.Subjects, names: list[str]) -> list[facts.Fact | facts.NewFact]:
    """The facts of these fields that the letter's class opens, with those said in this act; those of rows of lists kept in other cases (a sitting's) too."""

    def opened(found: Iterable[facts.Fact | facts.NewFact]) -> list[facts.Fact | facts.NewFact]:
        return [one for one in found if one.field in names and authority.opens(definition.class_, one.field_class)]

    known = opened([*change.look(subjects, names), *change.pending])
    lists, have = change.held.edition.lists, {one.subject for one in known}
    rows = {f"{lists[one.field]}:{row}" for one in known if one.field in lists for row in one.value or ()} - have
    if not rows:
        return known
    wider = facts.Subjects(subjects.root_id, subjects.person_id, {**subjects.scope, **_by_prefix(rows)})
    return opened([*facts.snapshot(change.session, wider, names), *change.pending])


def _by_prefix(keys: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in sorted(keys):
        prefix, _, one = key.partition(":")
        found.setdefault(prefix, []).append(one)
    return found


def _files(change: Change, definition: texts.LetterDefinition, feel: Mapping[str, Any], stored: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The files of a sitting, in the order of its agenda, each aid with the number of its case; for a partner, those whose persons agreed to that (C2)."""
    aids = change.held.scope.get("aide")
    if not isinstance(aids, list):
        return []
    found = {row.subject.partition(":")[2]: row for row in change.session.execute(_FILES, {"aids": [f"aide:{one}" for one in aids]})}
    if definition.reader == PARTNERS:
        aids = [one for one in aids if one in found and found[one].is_shared_funder]

    def told(tree: Mapping[str, Any], aid: str) -> Mapping[str, Any]:
        return {**tree.get(f"aide:{aid}", {}).get("aide", {}), "id": aid, "numero": found[aid].number if aid in found else None}

    return [(told(feel, one), told(stored, one)) for one in aids]
