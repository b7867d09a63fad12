"""Approvals: what one asked for and another has to approve is told to each who may, and what became of it to whoever asked.

The first is news until one of them decided, whoever did (`masar_is_awaited`). Who may is `authority`'s; what is decided is told by whoever does it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, identity
from engine.actors import users

_STAFF = text("SELECT user_id, username, name, name_ar, agency, branch, roles, language FROM user_account WHERE is_active ORDER BY name")
_TELL = text("""INSERT INTO notice (notice_id, user_id, branch, code, details, instance_id, created_at)
                VALUES (:id, :user, :branch, :code, CAST(:details AS jsonb), :instance, :at)""")


def ask(session: Session, actor: Any, may: Callable[[users.Actor], bool], code: str, what: UUID, *, instance_id: UUID | None = None, title: Mapping[str, str] | None = None) -> None:
    """Tells each who may approve that it waits. `what`: the id of what was proposed; `title`: what it is called, by language."""
    _tell(session, actor, [one.user_id for one in who(session, may)], f"{code}.proposed", what, instance_id, title)


def who(session: Session, may: Callable[[users.Actor], bool]) -> list[users.Actor]:
    """Those with an account in use who may approve: who is waited for."""
    return [one for one in map(users.of_row, session.execute(_STAFF).all()) if may(one)]


def answer(session: Session, actor: Any, asked_by: UUID | None, code: str, what: UUID, *, instance_id: UUID | None = None, title: Mapping[str, str] | None = None) -> None:
    """Tells whoever asked what became of it; not where she decided herself."""
    _tell(session, actor, (asked_by,), code, what, instance_id, title)


def state_of(row: Any, is_open: bool = True) -> str:
    """Where a proposal stands as people say it: what its own author put away is `withdrawn`, not refused; what nobody decided in time is `expired`."""
    if row.state == "refused" and row.decided_by == row.proposed_by:
        return "withdrawn"
    return "expired" if row.state == "proposed" and not is_open else row.state


def _tell(session: Session, actor: Any, people: Iterable[UUID | None], code: str, what: UUID, instance_id: UUID | None, title: Mapping[str, str] | None) -> None:
    details = json.dumps({"by": str(actor.user_id), "about": str(what)} | ({"title": dict(title)} if title else {}), ensure_ascii=False)
    rows = [{"id": identity.new_id(), "user": one, "branch": actor.branch, "code": code, "details": details, "instance": instance_id, "at": clock.now(session)}
            for one in people if one and one != actor.user_id]  # fmt: skip
    if rows:
        session.execute(_TELL, rows)
