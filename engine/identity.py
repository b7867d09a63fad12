"""Identifiers: what names an instance, a person, a document, a task, a case to the public.

Version 7 UUIDs (RFC 9562) where a row is born by an act; derived UUIDs (version 5) where replay must find the same one again.
"""

import hashlib
import secrets
import uuid
from typing import NewType

import uuid_utils

InstanceId = NewType("InstanceId", uuid.UUID)
PersonId = NewType("PersonId", uuid.UUID)
TaskId = NewType("TaskId", uuid.UUID)
UserId = NewType("UserId", uuid.UUID)
DocumentId = NewType("DocumentId", uuid.UUID)

# No 0/O, 1/I/L, 5/S, 8/B: read aloud over a counter or a bad line.
_RECEIPT_LETTERS = "234679ACDEFGHJKMNPQRTUVWXYZ"


def new_id() -> uuid.UUID:
    """A fresh version 7 UUID: sorts by its time of birth."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)


def derived_id(instance: uuid.UUID, name: str) -> uuid.UUID:
    """The id that `name` (a position of the pathway, `"<seq>.<ordinal>"`) always has in `instance`."""
    return uuid.UUID(bytes=hashlib.sha1(instance.bytes + name.encode(), usedforsecurity=False).digest()[:16], version=5)


def parse(text: object) -> uuid.UUID | None:
    """The UUID that `text` writes, or None: a malformed id is an absent one."""
    if isinstance(text, uuid.UUID):
        return text
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


def receipt_code() -> str:
    """Eight letters and digits that cannot be mistaken for one another (27^8, drawn from the system's randomness)."""
    return "".join(secrets.choice(_RECEIPT_LETTERS) for _ in range(8))


def one_time_password() -> str:
    """Four groups of four such letters: said over a telephone, typed once (76 bits)."""
    return "-".join("".join(secrets.choice(_RECEIPT_LETTERS) for _ in range(4)) for _ in range(4))


def receipt_code_of(key: str) -> str:
    """The receipt's code that a submission key always gives: what is sent twice has one receipt."""
    number = int.from_bytes(hashlib.sha256(f"receipt {key}".encode()).digest()[:16])
    return "".join(_RECEIPT_LETTERS[number // len(_RECEIPT_LETTERS) ** place % len(_RECEIPT_LETTERS)] for place in range(8))


def secret_token() -> str:
    """256 bits for a session or an access token; only its digest is stored."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> bytes:
    """What is stored of a token (SHA-256)."""
    return hashlib.sha256(token.encode()).digest()
