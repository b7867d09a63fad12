"""Opening what lines sealed, for a reader: the caller masks by class.

A line whose key was erased opens to nothing; that is not a fault.
"""

import base64
from typing import Any
from uuid import UUID

from sqlmodel import Session

from engine.ledger import sealing


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
