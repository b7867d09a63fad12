"""What was known of a case at an instant: where each fact had been said last, and what its line sealed. Values come from the ledger; the table `fact` is the index to it.

For whoever may read all of it: the player leaves out what its reader may not see.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.casework.instances import find
from engine.ledger import access

# One by one: what the planner takes the function to give would make it read every line of the land.
_AT = text("""SELECT f.*, f.class AS said_class, s.person_id, s.ciphertext FROM masar_facts_at(:root, :person, :subjects, :id, :seq, :at) f
                LEFT JOIN LATERAL (SELECT * FROM ledger_sealed l WHERE l.instance_id = f.instance_id AND l.seq = f.seq LIMIT 1) s ON true""")


@dataclass(frozen=True)
class Known:
    """A fact as it stood. `value`, `status` come from the line that said it; status `erased` where that cannot be opened any more. `replaced_at`: since when it is not what is known."""

    subject: str
    field: str
    value: Any
    status: str
    field_class: str
    source: str
    author_id: UUID | None
    author_name: str
    author_agency: str
    recorded_at: dt.datetime
    valid_until: dt.datetime | None
    instance_id: UUID
    seq: int
    replaced_at: dt.datetime | None


def facts(session: Session, instance_id: UUID, seq: int, at: dt.datetime) -> list[Known]:
    """Everything known at an instant of an instance: said in its own lines up to `seq`, in others' up to the hour."""
    held = find(session, instance_id)
    if held is None:
        return []
    asked = {"root": held.root_id, "person": held.person_id, "subjects": held.subjects.keys(), "id": instance_id, "seq": seq, "at": at}
    rows = session.execute(_AT, asked).all()
    opened = _opened(session, rows)
    return [_known(row, opened[(row.instance_id, row.seq)]) for row in rows]


def _opened(session: Session, rows: Iterable[Any]) -> dict[tuple[UUID, int], Mapping[str, Any]]:
    found: dict[tuple[UUID, int], Mapping[str, Any]] = {}
    for row in rows:
        place = (row.instance_id, row.seq)
        if place not in found:
            found[place] = access.open_line(session, row.instance_id, row.seq, row.person_id, row.ciphertext) if row.ciphertext else {}
    return found


def _known(row: Any, line: Mapping[str, Any]) -> Known:
    said = line.get(f"{row.subject}|{row.field}")
    value, status = (said["value"], said["status"]) if said else (None, "erased")
    return Known(row.subject, row.field, value, status, row.said_class, row.source or "",
                 row.author_id, row.author_name, row.author_agency, row.recorded_at, row.valid_until, row.instance_id, row.seq, row.replaced_at)  # fmt: skip
