"""The journal of administration: who changed accounts, rights, places and dated data, when and why; one chain for all of it, in the form of the ledger's lines.

A line is written before the rows it tells of: the database refuses those without it. What a person is called, and reasons, are sealed as in the ledger.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock
from engine.database import Alone
from engine.ledger import chain, sealing

JOURNAL = UUID(int=0)  # the instance that its lines name: none
_LAST = text("SELECT seq, hash FROM masar_journal_last()")
_ADD = text("""INSERT INTO journal_line (seq, kind, about, line, hash, key_id, ciphertext) VALUES (:seq, :kind, :about, :line, :hash, :key, :ciphertext)""")
_READ = text("""SELECT seq, kind, about, line, key_id, ciphertext FROM journal_line
                 WHERE (:before = 0 OR seq < :before) AND (:about = '' OR about = :about) AND (:kind = '' OR starts_with(kind, :kind)) ORDER BY seq DESC LIMIT :limit""")


@dataclass(frozen=True)
class Entry:
    """One line as it is read: `about` is what was changed (`user:<id>`, `branch:GAF`), `body` its codes, `said` what was sealed (empty once the key is gone)."""

    seq: int
    kind: str
    about: str
    at: dt.datetime
    actor_id: str
    body: Mapping[str, Any]
    said: Mapping[str, Any]


def append(session: Session, actor: Any, kind: str, about: str, body: Mapping[str, Any], sealed: Mapping[str, Any]) -> int:
    """Adds a line; returns its number. `body`: codes and ids, as JSON; `sealed`: names, reasons, what else tells of a person."""
    Alone.JOURNAL.take(session)
    last = session.execute(_LAST).one_or_none()
    seq, prev = (last.seq + 1, bytes(last.hash)) if last else (1, chain.BEGINNING)
    opened = {name: (chain.salt(), value) for name, value in sealed.items()}
    commitments = {name: chain.commit(salt, value) for name, (salt, value) in opened.items()}
    who = {"id": str(actor.user_id or ""), "kind": actor.kind, "agency": actor.agency, "branch": actor.branch}
    written, digest = chain.write(JOURNAL, seq, prev, kind, clock.now(session).isoformat(), clock.system_now().isoformat(), who, None, {"about": about, **body}, commitments)
    key_id = UUID(about.removeprefix("user:")) if about.startswith("user:") else JOURNAL
    ciphertext = sealing.seal(session.info["keys"].key(key_id), JOURNAL, seq, opened) if opened else None
    session.execute(_ADD, {"seq": seq, "kind": kind, "about": about, "line": written, "hash": digest, "key": key_id, "ciphertext": ciphertext})
    return seq


def read(session: Session, before: int = 0, about: str = "", kind: str = "", limit: int = 50) -> list[Entry]:
    """The newest lines first, before the line `before`; of one thing, or of kinds that begin so."""
    found = session.execute(_READ, {"before": before, "about": about, "kind": kind, "limit": limit})
    return [_entry(session, row) for row in found]


def _open(session: Session, row: Any) -> Mapping[str, Any]:
    key = session.info["keys"].find(row.key_id) if row.ciphertext is not None else None
    return sealing.unseal(key, JOURNAL, row.seq, bytes(row.ciphertext)) if key else {}


def _entry(session: Session, row: Any) -> Entry:
    told = json.loads(row.line)
    body = {name: value for name, value in told["body"].items() if name != "about"}
    said = {name: value for name, (_, value) in _open(session, row).items()}
    return Entry(row.seq, row.kind, row.about, dt.datetime.fromisoformat(told["occurred_at"]), told["actor"]["id"], body, said)
