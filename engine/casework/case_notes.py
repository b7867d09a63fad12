"""Notes on a case, at any time: what colleagues tell one another, and whom they name (`@karim`).

A note is a fact like others: its class says who reads it, its line seals it under the person's key, it is exported and forgotten with the rest. It never changes;
who is wrong writes another. Named may be only who reads the case and that class.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors, identity
from engine.actors import authority, users
from engine.casework import notices, staff
from engine.casework.instances import Change, lock
from engine.dossier.facts import NewFact
from engine.ledger import consultations

LONGEST, MOST = 4000, 200
# The field of the dictionary that holds a note of each class.
FIELDS = {"C": "note.commune", "O": "note.ote", "S": "note.sociale", "E": "note.emploi", "P": "note.projet"}
_NAMED = re.compile(r"(?<![\w.@])@([\w.\-]*\w)")
_CASE = text("""SELECT instance_id, root_id, branch, is_kept, is_shared, is_shared_funder, is_shared_operator, assigned, social_worker_id, also_read_by, lent_to FROM instance
                 WHERE instance_id = :id AND root_id = instance_id""")
_NOTES = text(f"""SELECT f.fact_id, f.value, f.class, f.author_id, f.author_agency, f.recorded_at, coalesce({staff.called("u")}, f.author_name) AS author
                    FROM fact f LEFT JOIN user_account u ON u.user_id = f.author_id
                   WHERE f.root_id = :id AND f.field = ANY (CAST(:fields AS text[])) AND f.is_current ORDER BY f.fact_id DESC LIMIT {MOST}""")
_WRITTEN = text("SELECT 1 FROM fact WHERE root_id = :id AND subject = :subject AND is_current")
_COLLEAGUES = text("SELECT user_id, username, name, name_ar, agency, branch, roles, language FROM user_account WHERE is_active ORDER BY name")


@dataclass(frozen=True)
class Note:
    """One note as its reader sees it. `class_`: who else reads it."""

    note_id: int
    text: str
    class_: str
    author: str
    agency: str
    at: dt.datetime


@dataclass(frozen=True)
class Colleague:
    """Somebody who may be named on a case. `classes`: of the notes that she would read."""

    user_id: UUID
    username: str
    name: str
    agency: str
    classes: str


@dataclass(frozen=True)
class Notes:
    """The newest first. `classes`: those the reader may write, none where she writes no notes; `colleagues`: whom she may name."""

    items: tuple[Note, ...]
    classes: tuple[str, ...]
    colleagues: tuple[Colleague, ...]


def of_case(session: Session, actor: Any, case_id: UUID) -> Notes:
    """The notes of a case that are the reader's to see. Refuses: `case.not_found`."""
    row = session.execute(_CASE, {"id": case_id}).one_or_none()
    if row is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "note.read", branch=row.branch, case=row)
    found = session.execute(_NOTES, {"id": case_id, "fields": list(FIELDS.values()), "language": actor.language}).all()
    seen = [one for one in found if authority.readable(actor, one._mapping["class"], one.author_agency, row)]
    consultations.note(session, case_id, "case", [one._mapping["class"] for one in seen])
    offered = classes(actor, row)
    return Notes(tuple(Note(one.fact_id, str(one.value), one._mapping["class"], one.author, one.author_agency, one.recorded_at) for one in seen), offered,
                 tuple(_colleagues(session, actor, row)) if offered else ())  # fmt: skip


def write(session: Session, actor: Any, case_id: UUID, said: str, class_: str, named: Sequence[UUID] = (), key: str = "") -> None:
    """Writes a note; whoever it names, by `@user` in it or in `named`, is told. The same `key` again writes none.

    Refuses: `case.not_found`; `note.empty`, `note.long`, `note.class`, `note.nobody` (no such colleague), `note.colleague_cannot` (she would not see it), Invalid.
    Records: `note.written`.
    """
    held = lock(session, case_id)
    if held is None or held.instance_id != held.root_id:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "note.read", branch=held.branch, case=held)
    authority.require(actor, "note.write", branch=held.branch, case=held)
    said = said.strip()
    if not said:
        raise errors.Invalid("note.empty")
    if len(said) > LONGEST:
        raise errors.Invalid("note.long", longest=LONGEST)
    if class_ not in classes(actor, held):
        raise errors.Invalid("note.class")
    subject = f"note:{identity.derived_id(case_id, f'note {actor.user_id} {key}') if key else identity.new_id()}"
    if key and session.execute(_WRITTEN, {"id": case_id, "subject": subject}).scalar():
        return
    told = _told(session, actor, held, said, class_, named)
    change = Change(session, actor, held, held.now)
    note = NewFact(subject, FIELDS[class_], said, class_, source={"kind": "agency"})
    change.note("note.written", {"class": class_, "named": [str(one) for one in told]}, [note])
    for one in told:
        notices.tell(session, actor, one, "note.mention", held.branch, instance_id=case_id)
    change.write()


def classes(actor: Any, case: Any) -> tuple[str, ...]:
    """What one both writes and reads again, of this case."""
    if not authority.may(actor, "note.write", branch=case.branch, case=case):
        return ()
    return tuple(one for one in FIELDS if authority.writable(actor, one) and authority.readable(actor, one, actor.agency, case))


def _colleagues(session: Session, actor: Any, case: Any) -> list[Colleague]:
    found = []
    for row in session.execute(_COLLEAGUES):
        one = users.of_row(row)
        classes = "".join(each for each in FIELDS if authority.readable(one, each, actor.agency, case)) if authority.may(one, "note.read", branch=case.branch, case=case) else ""
        if classes and row.user_id != actor.user_id:
            found.append(Colleague(row.user_id, row.username, users.in_script(row, actor.language), row.agency, classes))
    return found


def _told(session: Session, actor: Any, case: Any, said: str, class_: str, named: Sequence[UUID]) -> list[UUID]:
    """Whom the note names; of each that she may see it."""
    may = {one.user_id: one for one in _colleagues(session, actor, case)}
    by_name = {one.username: one.user_id for one in may.values()}
    told = list(dict.fromkeys(named))
    for username in dict.fromkeys(one.casefold() for one in _NAMED.findall(said)):
        if username == actor.username:
            continue
        if username not in by_name:
            raise errors.Invalid("note.nobody", name=username)
        told.append(by_name[username])
    for one in told:
        if one not in may or class_ not in may[one].classes:
            raise errors.Invalid("note.colleague_cannot", name=may[one].name if one in may else "?")
    return list(dict.fromkeys(told))
