"""Consultations: who looked at what is sensitive of a case, who opened which document, who tried and was refused, who took what out (law 2004-63, arts. 18-19).

One chain a case, in the form of the ledger's lines; a reading is written when its session ends, before what was read leaves. No line holds a personal value.
"""

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock
from engine.database import AFTERWARDS
from engine.ledger import chain

SENSITIVE = frozenset("SHR")  # social, health, appeals and complaints
NOBODYS = UUID(int=0)  # the chain of what belongs to no case
_NOTED = "consulted"
_ROOT = text("SELECT masar_root_of(:id)")
_LAST = text("SELECT seq, hash FROM masar_last_consultation(:root)")
_ADD = text("INSERT INTO consultation (root_id, seq, kind, user_id, line, hash) VALUES (:root, :seq, :kind, :user, :line, :hash)")
_READ = text("""SELECT seq, kind, user_id, line, at FROM consultation WHERE root_id = :root AND (:before = 0 OR seq < :before) ORDER BY seq DESC LIMIT :limit""")
_BETWEEN = text("""SELECT seq, kind, user_id, line, at FROM consultation WHERE root_id = :root AND at > :since AND at <= :until ORDER BY at DESC, seq DESC LIMIT :limit""")
_OPENED = text("""SELECT seq, kind, user_id, line, at FROM consultation WHERE root_id = :root AND kind = 'access.read' AND line::jsonb #>> '{body,document}' IS NOT NULL
                   ORDER BY seq DESC LIMIT :limit""")
_ALL = text("SELECT root_id, seq, line, hash FROM consultation ORDER BY root_id, seq")


@dataclass(frozen=True)
class Consultation:
    """One entry. `kind`: `access.read`, `access.refused`, `access.exported`; `body`: `act`, and `classes` (one letter each) of a reading or an export, `document` of one opened."""

    seq: int
    kind: str
    user_id: UUID | None
    agency: str
    branch: str
    at: dt.datetime
    body: Mapping[str, Any]


def note(session: Session, root_id: UUID, act: str, classes: Iterable[str], document: UUID | None = None) -> None:
    """Remembers that values of these classes were read by an act, until the session ends; those that are not sensitive are not told of, but for a `document`."""
    found = {one.partition(",")[0] for one in classes}
    found &= found if document else SENSITIVE
    if not found:
        return
    noted = session.info.get(_NOTED)
    if noted is None:
        noted = session.info[_NOTED] = {}
        session.info.setdefault(AFTERWARDS, []).append(lambda beside, actor: _write(beside, actor, session.info.pop(_NOTED)))
    noted.setdefault((root_id, act, document), set()).update(found)


def _write(session: Session, actor: Any, noted: Mapping[tuple[UUID, str, UUID | None], Iterable[str]]) -> None:
    """The system's own reading shows nobody anything."""
    if actor.kind == "person":
        for (root_id, act, document), classes in sorted(noted.items(), key=str):
            _append(session, actor, root_id, "access.read", {"act": act, "classes": sorted(classes)} | ({"document": str(document)} if document else {}))


def exported(session: Session, root_id: UUID, act: str, body: Mapping[str, Any]) -> None:
    """Writes, when the session ends, that something leaves Masar: a case file, or of many cases (`NOBODYS`) a log or a table. Records: `access.exported`."""
    session.info.setdefault(AFTERWARDS, []).append(lambda beside, actor: _append(beside, actor, root_id, "access.exported", {"act": act, **body}))


def refused(session: Session, actor: Any, asked_for: UUID, act: str, code: str) -> None:
    """Writes an attempt that was refused; of an id that nothing has too, so that the answer takes as long. Records: `access.refused`."""
    root_id = session.execute(_ROOT, {"id": asked_for}).scalar_one()
    _append(session, actor, root_id, "access.refused", {"act": act, "code": code} | ({"asked": str(asked_for)} if root_id == NOBODYS else {}))


def read(session: Session, root_id: UUID, before: int = 0, limit: int = 100) -> list[Consultation]:
    """The newest first, before the entry `before`."""
    found = session.execute(_READ, {"root": root_id, "before": before, "limit": limit})
    return [_entry(row) for row in found]


def between(session: Session, root_id: UUID, since: dt.datetime, until: dt.datetime, limit: int) -> list[Consultation]:
    """The newest of a span of time first."""
    found = session.execute(_BETWEEN, {"root": root_id, "since": since, "until": until, "limit": limit})
    return [_entry(row) for row in found]


def opened(session: Session, root_id: UUID, limit: int) -> list[Consultation]:
    """Who opened documents of a case, the newest first."""
    return [_entry(row) for row in session.execute(_OPENED, {"root": root_id, "limit": limit})]


def faults(session: Session) -> Iterator[chain.Fault]:
    """What the chains are not: a gap, a changed entry, a broken link."""
    current, lines = None, []
    for row in session.execute(_ALL):
        if row.root_id != current and lines:
            yield from chain.verify(current, lines)
            lines = []
        current = row.root_id
        lines.append((row.seq, row.line, bytes(row.hash)))
    if lines:
        yield from chain.verify(current, lines)


def _append(session: Session, actor: Any, root_id: UUID, kind: str, body: Mapping[str, Any]) -> None:
    last = session.execute(_LAST, {"root": root_id}).one_or_none()
    seq, prev = (last.seq + 1, bytes(last.hash)) if last else (1, chain.BEGINNING)
    who = {"id": str(actor.user_id or ""), "kind": actor.kind, "agency": actor.agency, "branch": actor.branch}
    line, digest = chain.write(root_id, seq, prev, kind, clock.now(session).isoformat(), clock.system_now().isoformat(), who, None, body, {})
    session.execute(_ADD, {"root": root_id, "seq": seq, "kind": kind, "user": actor.user_id, "line": line, "hash": digest})


def _entry(row: Any) -> Consultation:
    told = json.loads(row.line)
    return Consultation(row.seq, row.kind, row.user_id, told["actor"]["agency"], told["actor"]["branch"], row.at, told["body"])
