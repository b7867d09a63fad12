"""What a member thinks of a file before its sitting: nobody else's to read while another still studies it. The database walls the rows (`opinions_are_sealed`); whoever
opens what lines sealed asks here."""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

_OF_A_MEMBER = re.compile(r"aide\.(prevote|question|conflit)_")
_IS_STUDIED = text("SELECT masar_is_studied(:sitting, :subject)")


def is_sealed(session: Session, actor: Any, sitting_id: UUID, author_id: object, subject: str, field: str) -> bool:
    """Whether a field said in a sitting about a file is not the actor's to read yet."""
    if actor.kind != "person" or not _OF_A_MEMBER.match(field) or str(author_id) == str(actor.user_id):
        return False
    return bool(session.execute(_IS_STUDIED, {"sitting": sitting_id, "subject": subject}).scalar_one())
