"""Caseloads: all that one colleague has in hand, given to another when she leaves or is ill, by whoever answers for her, with a reason.

An instance at a time, each a unit of work of its own: she is named on the case in the other's place, and holds the tasks that she may do; the rest goes back to
the queue. Not here: one task or several (`tasks.pass_to`, `selections`), and what goes back by itself when an account is closed (`departures`).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority, users
from engine.casework import notices, staff, tasks
from engine.casework.instances import Change, Held, lock
from engine.database import Database
from engine.i18n import pick

log = logging.getLogger("masar.caseloads")

_NAMED = {"referent": "referent_id", "travailleur_social": "social_worker_id"}  # role → who of it is named on a case
_TEAM = text("""SELECT u.user_id, u.name, u.name_ar, u.agency, u.branch, u.is_active, (SELECT count(*) FROM open_task t WHERE t.holder_id = u.user_id) AS tasks,
                       (SELECT count(*) FROM instance i WHERE i.status = 'open' AND i.root_id = i.instance_id AND (i.referent_id = u.user_id OR i.social_worker_id = u.user_id)) AS cases,
                       masar_is_away(u.user_id) AS is_away
                  FROM user_account u WHERE (CAST(:branch AS text) = '' OR u.branch = :branch) AND (CAST(:id AS uuid) IS NULL OR u.user_id = :id)
                   AND NOT u.roles && ARRAY['auditeur', 'administrateur'] ORDER BY u.branch, u.name""")
_PIECES = text("""SELECT i.instance_id, i.process, r.number, r.instance_id AS root_id FROM instance i JOIN instance r ON r.instance_id = i.root_id
                   WHERE i.status = 'open' AND (i.referent_id = :id OR i.social_worker_id = :id
                         OR EXISTS (SELECT FROM open_task t WHERE t.instance_id = i.instance_id AND t.holder_id = :id)) ORDER BY r.number, i.opened_at, i.instance_id""")
_TASKS = text("SELECT task_id, position, node, names, role FROM open_task WHERE instance_id = :id AND holder_id = :user ORDER BY position")
_HOLD = text("UPDATE open_task SET holder_id = :holder, claimed_at = :at, version = version + 1 WHERE task_id = :task")


@dataclass(frozen=True)
class Load:
    """What one colleague has in hand: open tasks, and open cases on which she is named."""

    user_id: UUID
    name: str
    agency: str
    branch: str
    tasks: int
    cases: int
    is_active: bool
    is_away: bool


@dataclass(frozen=True)
class HandedOver:
    """What becomes of one case or dossier. `tasks`: given to her; `left`: gone back to the queue, each by its name; `code`: "" where it is done, else why not."""

    instance_id: UUID
    case_id: UUID
    case_number: str
    process: str
    tasks: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    is_named: bool = False
    code: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def team(session: Session, actor: Any) -> tuple[Load, ...]:
    """Those the actor answers for, with what each has in hand; of who left, only while something is. Refuses: Forbidden."""
    authority.require(actor, "caseload.list")
    rows = session.execute(_TEAM, {"branch": "" if actor.reach == "all" else actor.branch, "id": None}).all()
    return tuple(_load(row, actor) for row in rows if row.user_id != actor.user_id and (row.is_active or row.tasks or row.cases) and _answers(actor, row))


def of(session: Session, actor: Any, user_id: UUID) -> tuple[Load, tuple[staff.Person, ...]]:
    """What one colleague has in hand, and to whom it may be given: colleagues of her agency and branch with a role of hers. Refuses: `user.not_found`."""
    row = staff.colleague(session, actor, user_id, "caseload.give")
    load = session.execute(_TEAM, {"branch": "", "id": user_id}).one_or_none()
    if load is None:  # who audits or administers has no cases
        raise errors.NotFound("user.not_found")
    return _load(load, actor), staff.persons(staff.alike(session, row), actor.language)


def preview(session: Session, actor: Any, user_id: UUID, to_id: UUID, reason: str) -> list[HandedOver]:
    """What would become of each piece. Writes nothing. Refuses: `user.not_found`; `caseload.to`, `selection.reason` (Invalid)."""
    _check(session, actor, user_id, to_id, reason)
    lines = []
    for row in session.execute(_PIECES, {"id": user_id}).all():
        with session.begin_nested() as undone:
            lines.append(_tried(row, lambda row=row: hand_over(session, actor, row.instance_id, user_id, to_id, reason)))
            if undone.is_active:
                undone.rollback()
    return lines


def give(database: Database, actor: Any, user_id: UUID, to_id: UUID, reason: str) -> list[HandedOver]:
    """Gives all of it, one unit of work a case or dossier, and says what became of each. Refuses: as `preview`. Records: as `hand_over`."""
    with database.reading(actor) as session:
        _check(session, actor, user_id, to_id, reason)
        rows = session.execute(_PIECES, {"id": user_id}).all()

    def done(row: Any) -> HandedOver:
        with database.unit_of_work(actor) as session:
            return hand_over(session, actor, row.instance_id, user_id, to_id, reason)

    return [_tried(row, lambda row=row: done(row)) for row in rows]


def hand_over(session: Session, actor: Any, instance_id: UUID, user_id: UUID, to_id: UUID, reason: str) -> HandedOver:
    """Gives what somebody has of one instance to another: her name on it and the tasks she may do; the others go back to the queue.

    Refuses: `case.not_found`; `user.not_found`, `caseload.to`, `selection.reason`. Records: `case.handed_over`, `task.passed`, `task.released`.
    """
    held = lock(session, instance_id)
    if held is None:
        raise errors.NotFound("case.not_found")
    to = _check(session, actor, user_id, to_id, reason)
    change = Change(session, actor, held, held.now)
    is_named = _name(change, held, user_id, to, reason)
    given, left = [], []
    for row in session.execute(_TASKS, {"id": instance_id, "user": user_id}).all():
        is_hers = to_id in tasks.able(session, row.task_id)
        holder = to_id if is_hers else None
        change.note("task.passed" if is_hers else "task.released", {"task": row.position, "node": row.node, "holder": str(holder or "")}, reason=reason)
        session.execute(_HOLD, {"task": row.task_id, "holder": holder, "at": held.now if holder else None})
        if holder and row.role == "travailleur_social" and held.social_worker_id is None:  # as with any task of hers that is passed
            held.social_worker_id = holder
        (given if is_hers else left).append(pick(row.names, actor.language))
    if is_named or given:
        notices.tell(session, actor, to_id, "case.given", held.branch, instance_id=instance_id)
    change.write()
    return HandedOver(instance_id, held.root_id, held.number or "", held.process, tuple(given), tuple(left), is_named)


def _name(change: Change, held: Held, user_id: UUID, to: Any, reason: str) -> bool:
    """Puts a name on the instance in place of another's, in each role that both hold."""
    roles = [role for role, column in _NAMED.items() if getattr(held, column) == user_id and role in to.roles]
    if not roles:
        return False
    change.note("case.handed_over", {"former": str(user_id), "owner": str(to.user_id), "as": roles}, reason=reason)
    for role in roles:
        setattr(held, _NAMED[role], to.user_id)
    return True


def _check(session: Session, actor: Any, user_id: UUID, to_id: UUID, reason: str) -> Any:
    row = staff.colleague(session, actor, user_id, "caseload.give")
    if not reason.strip():
        raise errors.Invalid("selection.reason")
    to = next((one for one in staff.alike(session, row) if one.user_id == to_id), None)
    if to is None:
        raise errors.Invalid("caseload.to")
    return to


def _answers(actor: Any, row: Any) -> bool:
    return authority.may(actor, "caseload.give", user_id=row.user_id, agency=row.agency, branch=row.branch)


def _load(row: Any, actor: Any) -> Load:
    return Load(row.user_id, users.in_script(row, actor.language), row.agency, row.branch, row.tasks, row.cases, row.is_active, row.is_away)


def _tried(row: Any, act: Any) -> HandedOver:
    try:
        return act()
    except errors.Refusal as refusal:
        return HandedOver(row.instance_id, row.root_id, row.number or "", row.process, code=refusal.code, details=refusal.details)
    except Exception:
        log.exception("a piece of a caseload broke: %s", row.instance_id)
        return HandedOver(row.instance_id, row.root_id, row.number or "", row.process, code="selection.broke")
