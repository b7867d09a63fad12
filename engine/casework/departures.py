"""Departures: what somebody holds whose account was closed, or whose rights were taken or moved, goes back to its queue; a case is entrusted to her no more."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.actors import users
from engine.casework.instances import Change, lock_by_task

# She may do it still: it is of her role, in her agency and branch; or an operator's, which the case owner does in her place (authority.stands_in_for).
_DOES = """u.is_active AND u.branch = t.branch AND ((t.role = ANY (u.roles) AND t.agency = u.agency)
           OR (t.agency = 'PART' AND t.role = 'operateur' AND u.agency = 'OTE' AND 'referent' = ANY (u.roles)))"""
_LEFT = text(f"""SELECT t.task_id FROM user_account u JOIN open_task t ON t.holder_id = u.user_id
                  WHERE (NOT u.is_active OR u.has_moved) AND NOT ({_DOES}) AND t.task_id::text <> ALL (CAST(:but AS text[])) ORDER BY t.opened_at LIMIT :limit""")
_STILL_LEFT = text(f"SELECT u.user_id FROM user_account u JOIN open_task t ON t.holder_id = u.user_id WHERE t.task_id = :task AND NOT ({_DOES})")
_FREE = text("UPDATE open_task SET holder_id = NULL, claimed_at = NULL WHERE task_id = :task")


def left(session: Session, limit: int = 500, but: Sequence[str] = ()) -> list[UUID]:
    """The tasks that somebody holds who can do them no more. `but`: the ids that somebody sees to already."""
    return list(session.execute(_LEFT, {"limit": limit, "but": list(but)}).scalars())


def give_back(session: Session, task_id: UUID) -> bool:
    """Gives one task back to its queue, if that is still due once the case is locked; as case owner or named social worker of its case she is no longer looked for.
    Records: `task.released`."""
    held = lock_by_task(session, task_id)
    who = session.execute(_STILL_LEFT, {"task": task_id}).scalar() if held else None
    if who is None:
        return False
    _forget(held, who)
    change = Change(session, users.system(), held, held.now)
    change.note("task.released", {"task": held.position, "node": held.node, "holder": "", "left_by": str(who)})
    session.execute(_FREE, {"task": task_id})
    change.write()
    return True


def _forget(held: Any, who: UUID) -> None:
    if held.referent_id == who:
        held.referent_id = None
    if held.social_worker_id == who:
        held.social_worker_id = None
    if who in held.assigned and held.instance_id == held.root_id:
        held.assigned.remove(who)
