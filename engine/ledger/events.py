"""Events: adding a line to an instance's chain, with what it seals, in one statement of the same transaction.

What a line means is `casework`'s to say; who may open what it sealed, `access`'s.
"""

import base64
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock
from engine.ledger import chain, sealing

_APPEND = text("SELECT masar_append(:instance, CAST(:person AS uuid), CAST(:lines AS jsonb))")


@dataclass(frozen=True)
class Head:
    """Where an instance's chain stands: its last line's number and hash (0 and 32 zero bytes before the first)."""

    instance_id: UUID
    seq: int
    hash: bytes


@dataclass(frozen=True)
class Line:
    """A line written and sealed, not yet stored: whoever stores it does so in the transaction of what it tells."""

    head: Head
    kind: str
    text: str
    person_id: UUID | None
    ciphertext: bytes | None


def line(session: Session, actor: Any, head: Head, person_id: UUID | None, kind: str, occurred_at: dt.datetime, body: Mapping[str, Any],
         sealed: Mapping[str, Any], edition: int | None = None) -> Line:  # fmt: skip
    """The next line. `body`: ids, nodes and codes, as JSON; `sealed`: name → personal value (JSON), committed to in the line, kept under the person's key."""
    seq = head.seq + 1
    opened = {name: (chain.salt(), value) for name, value in sealed.items()}
    commitments = {name: chain.commit(salt, value) for name, (salt, value) in opened.items()}
    who = {"id": str(actor.user_id or ""), "kind": actor.kind, "agency": actor.agency, "branch": actor.branch}
    said, digest = chain.write(head.instance_id, seq, head.hash or chain.BEGINNING, kind, occurred_at.isoformat(), clock.system_now().isoformat(), who, edition, body, commitments)
    ciphertext = sealing.seal(session.info["keys"].key(person_id or head.instance_id), head.instance_id, seq, opened) if opened else None
    return Line(Head(head.instance_id, seq, digest), kind, said, person_id, ciphertext)


def append(session: Session, actor: Any, head: Head, person_id: UUID | None, kind: str, occurred_at: dt.datetime, body: Mapping[str, Any],
           sealed: Mapping[str, Any], edition: int | None = None) -> Head:  # fmt: skip
    """Stores the next line (`line`) at once, in one statement."""
    made = line(session, actor, head, person_id, kind, occurred_at, body, sealed, edition)
    store(session, made)
    return made.head


def store(session: Session, made: Line) -> None:
    """Stores a line by itself."""
    session.execute(_APPEND, {"instance": made.head.instance_id, "person": made.person_id, "lines": json.dumps([row(made)])})


def row(made: Line) -> dict[str, Any]:
    """A line as `masar_append` takes it."""
    return {"seq": made.head.seq, "kind": made.kind, "line": made.text, "hash": base64.b64encode(made.head.hash).decode(),
            "person": str(made.person_id) if made.person_id else None, "ciphertext": base64.b64encode(made.ciphertext).decode() if made.ciphertext is not None else None}  # fmt: skip
