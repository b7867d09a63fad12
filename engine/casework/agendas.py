"""The private address of an agent's agenda, for the calendar of her telephone: numbers, places and hours, no person. Whoever holds the address reads it, so it can be taken back.

How an entry is written for a calendar is the faces' (`web.calendars`).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.database import Database
from engine.identity import secret_token, token_digest

_KEEP = text("""INSERT INTO calendar_feed (user_id, secret_digest, made_at) VALUES (:me, :digest, masar_now())
                ON CONFLICT (user_id) DO UPDATE SET secret_digest = excluded.secret_digest, made_at = excluded.made_at""")
_DROP = text("DELETE FROM calendar_feed WHERE user_id = :me")
_SINCE = text("SELECT made_at FROM calendar_feed WHERE user_id = :me")
_AGENDA = text("SELECT * FROM masar_agenda(:digest)")


@dataclass(frozen=True)
class Entry:
    """One appointment without its person. `language`: of the agent whose agenda it is."""

    appointment_id: UUID
    case_number: str
    branch: str
    place: str
    begins_at: dt.datetime
    ends_at: dt.datetime
    state: str
    changes: int
    changed_at: dt.datetime


def make_address(session: Session, actor: Any) -> str:
    """A new secret for one's own agenda, told once; the former opens nothing any more."""
    authority.require(actor, "worklist.read")
    secret = secret_token()
    session.execute(_KEEP, {"me": actor.user_id, "digest": token_digest(secret)})
    return secret


def take_back(session: Session, actor: Any) -> None:
    """The address opens nothing any more."""
    authority.require(actor, "worklist.read")
    session.execute(_DROP, {"me": actor.user_id})


def address_since(session: Session, actor: Any) -> dt.datetime | None:
    """Since when one's agenda has an address; None without one."""
    return session.execute(_SINCE, {"me": actor.user_id}).scalar()


def read(database: Database, secret: str) -> tuple[str, tuple[Entry, ...]]:
    """The agenda behind an address and its owner's language: the last thirty days and what is to come. Refuses: `agenda.not_found`."""
    rows = database.glance(_AGENDA, {"digest": token_digest(secret)})
    if not rows:
        raise errors.NotFound("agenda.not_found")
    entries = (Entry(row.appointment_id, row.number, row.branch, row.place, row.begins_at, row.ends_at, row.state, row.changes, row.changed_at) for row in rows if row.appointment_id)
    return rows[0].language, tuple(entries)
