"""Letters that the diagrams produced, as they were written that day, for whoever prints them. Which are written is the diagrams' to say."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.actors.agencies import OTE
from engine.dossier import beneficiaries, facts

_LETTER = text("""SELECT l.letter_id, l.root_id, l.template, l.content, l.class, l.produced_at, i.branch, i.number, i.person_id, i.is_shared, i.social_worker_id
                    FROM letter l JOIN instance i ON i.instance_id = l.root_id WHERE l.letter_id = :id""")


@dataclass(frozen=True)
class Letter:
    """One letter. `content`: the names, number, code and decisions it was made of."""

    letter_id: UUID
    case_id: UUID
    case_number: str
    branch: str
    template: str
    content: Mapping[str, Any]
    produced_at: dt.datetime


def read(session: Session, actor: Any, letter_id: UUID) -> Letter:
    """A letter of a case one reads; it names the person, so that without consent it stays with OTE. Refuses: `letter.not_found`."""
    row = session.execute(_LETTER, {"id": letter_id}).one_or_none()
    if row is None or not authority.may(actor, "case.read", branch=row.branch) or not authority.readable(actor, row._mapping["class"], OTE, row):
        raise errors.NotFound("letter.not_found")
    content = dict(row.content)
    if not any((content.get("personne") or {}).values()):  # written where the diagram did not know the name: the person's, as it is known now
        known = facts.readable(session, facts.Subjects(row.root_id, row.person_id), beneficiaries.NAME_FIELDS)
        content["personne"] = {fact.field.partition(".")[2]: fact.value for fact in known if fact.value}
    return Letter(row.letter_id, row.root_id, row.number or "", row.branch, row.template, content, row.produced_at)
