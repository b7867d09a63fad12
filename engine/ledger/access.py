"""Opening what lines sealed: for a reader (the caller masks by class), and for `masar doctor`, which proves every chain.

A line whose key was erased opens to nothing; that is not a fault.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.ledger import chain, sealing

_CHAINS = text("SELECT l.instance_id, l.seq, l.line, l.hash, s.person_id, s.ciphertext FROM ledger_line l LEFT JOIN ledger_sealed s USING (instance_id, seq) ORDER BY l.instance_id, l.seq")
_HEADS = text("SELECT i.instance_id, i.seq, i.head, (SELECT hash FROM ledger_line l WHERE l.instance_id = i.instance_id AND l.seq = i.seq) AS hash FROM instance i")


def open_line(session: Session, instance_id: UUID, seq: int, person_id: UUID | None, ciphertext: bytes) -> dict[str, Any]:
    """The values a line sealed, by name; empty when their key was erased."""
    return {name: value for name, (_, value) in open_salted(session, instance_id, seq, person_id, ciphertext).items()}


def open_salted(session: Session, instance_id: UUID, seq: int, person_id: UUID | None, ciphertext: bytes) -> dict[str, tuple[bytes, Any]]:
    """The same with each value's salt, for whoever shall check the commitments."""
    key = session.info["keys"].find(person_id or instance_id)
    return sealing.unseal(key, instance_id, seq, bytes(ciphertext)) if key else {}


def opening(session: Session, instance_id: UUID, seq: int, person_id: UUID | None, ciphertext: bytes, name: str) -> dict[str, Any] | None:
    """What shows that a line committed to one value: its salt (hex) and itself; None when the key was erased."""
    key = session.info["keys"].find(person_id or instance_id)
    found = sealing.unseal(key, instance_id, seq, bytes(ciphertext)).get(name) if key else None
    return {"name": name, "salt": found[0].hex(), "value": found[1]} if found else None


def bytes_of(sealed: str) -> bytes:
    """Bytes that a line sealed as text."""
    return base64.b64decode(sealed)


def faults(session: Session) -> Iterator[chain.Fault]:
    """Every fault of every chain, head and commitment that the reader reaches."""
    current, lines = None, []
    for row in session.execute(_CHAINS):
        if row.instance_id != current and lines:
            yield from chain.verify(current, lines)
            lines = []
        current = row.instance_id
        lines.append((row.seq, row.line, bytes(row.hash)))
        yield from _commitments(session, row)
    if lines:
        yield from chain.verify(current, lines)
    for row in session.execute(_HEADS):
        if row.hash is None or bytes(row.hash) != bytes(row.head):
            yield chain.Fault(row.instance_id, row.seq, "head")


def _commitments(session: Session, row: Any) -> Iterator[chain.Fault]:
    told = json.loads(row.line)["sealed"]
    key = session.info["keys"].find(row.person_id or row.instance_id) if row.ciphertext else None
    if told and row.ciphertext is None:
        yield chain.Fault(row.instance_id, row.seq, "commitment")
    if key is None:
        return
    try:
        opened = sealing.unseal(key, row.instance_id, row.seq, bytes(row.ciphertext))
    except sealing.CannotOpen:
        yield chain.Fault(row.instance_id, row.seq, "commitment")
        return
    if {name: chain.commit(salt, value) for name, (salt, value) in opened.items()} != told:
        yield chain.Fault(row.instance_id, row.seq, "commitment")
