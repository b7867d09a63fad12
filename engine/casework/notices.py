"""Notices: what comes to one person beside her work: she was named in a note, given a task, one opened for her, one of hers is late or was taken from her; and what
comes to her post (`timers`): a task that is late while it is.

They carry the number of a case and the name of a task, never a word of what is known; of a case that is no longer hers to see not even that is shown, but for
the number and the task that a withdrawn consent took from her. Not here: the morning's e-mail (`digests`).
"""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.casework import staff
from engine.i18n import pick

AT_ONCE = 50
_TELL = text("""INSERT INTO notice (notice_id, user_id, branch, code, details, instance_id, task_id, created_at)
                VALUES (:id, :user, :branch, :code, CAST(:details AS jsonb), :instance, :task, :at)""")
_TAKEN_BACK = "task.taken_back"
_AWAITED = "(n.code NOT LIKE '%.proposed' OR masar_is_awaited(n.code, CAST(n.details ->> 'about' AS uuid), n.created_at))"  # as `masar_unread` counts
_TO_DO = "('task.opened', 'task.given', 'task.due', 'task.late', 'task.very_late')"  # of a task that is done they are no news any more: nor does `masar_unread` count them
_COLUMNS = f"""n.notice_id, n.code, n.details, n.created_at, n.read_at, n.task_id, i.root_id, r.number, t.task_id IS NOT NULL AS is_open, t.due_at, {staff.called("b")} AS who"""
_FROM = """notice n LEFT JOIN instance i USING (instance_id) LEFT JOIN instance r ON r.instance_id = i.root_id LEFT JOIN open_task t ON t.task_id = n.task_id
           LEFT JOIN user_account b ON b.user_id = CAST(n.details ->> 'by' AS uuid)"""
_MINE = text(f"""SELECT {_COLUMNS} FROM {_FROM} WHERE n.user_id = :me AND (n.code NOT IN {_TO_DO} OR t.task_id IS NOT NULL) AND {_AWAITED} AND (CAST(:before AS timestamptz) IS NULL OR n.created_at < :before)
                  ORDER BY n.created_at DESC, n.notice_id DESC LIMIT :limit""")
_ONE = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE n.user_id = :me AND n.notice_id = :id")
_OF_MY_POST = text(f"""SELECT DISTINCT ON (n.task_id) {_COLUMNS} FROM {_FROM} WHERE n.user_id IS NULL AND n.read_at IS NULL AND n.branch = :branch AND n.agency = :agency
                         AND n.role = ANY (CAST(:roles AS text[])) AND t.task_id IS NOT NULL ORDER BY n.task_id, n.created_at DESC""")
_READ = text("UPDATE notice SET read_at = :at WHERE user_id = :me AND read_at IS NULL AND (CAST(:id AS uuid) IS NULL OR notice_id = :id)")


@dataclass(frozen=True)
class Notice:
    """One of them. `case_id`, `case_number`, `task`: None and "" where the case is not hers to see any more; `task_id`, `due_at`: of a task that is still open;
    `about`, `title`: of what two decide (`approvals`), its id and, of a draft, its name; `title` of a minor's case joined to another: its number."""

    notice_id: UUID
    code: str
    at: dt.datetime
    is_read: bool
    who: str
    task: str
    task_id: UUID | None
    case_id: UUID | None
    case_number: str
    due_at: dt.datetime | None = None
    about: UUID | None = None
    title: str = ""


@dataclass(frozen=True)
class Notices:
    """The newest first. `older`: goes into `before` of the following page, None on the last."""

    items: tuple[Notice, ...]
    older: dt.datetime | None


def tell(session: Session, actor: Any, user_id: UUID | None, code: str, branch: str, *, instance_id: UUID | None = None, task_id: UUID | None = None,
         task: Any = None, title: str = "") -> None:  # fmt: skip
    """Leaves a notice for somebody; not for whoever acts herself. `task`: the names of the task it is about; `title`: the number of another case it is about."""
    if user_id is None or user_id == actor.user_id:
        return
    details = {"by": str(actor.user_id)} if actor.user_id else {}
    session.execute(_TELL, {"id": identity.new_id(), "user": user_id, "branch": branch, "code": code, "instance": instance_id, "task": task_id, "at": clock.now(session),
                            "details": json.dumps(details | ({"task": dict(task)} if task else {}) | ({"title": title} if title else {}), ensure_ascii=False)})  # fmt: skip


def mine(session: Session, actor: Any, before: dt.datetime | None = None) -> Notices:
    """What came to the actor, without what asked for a task that is done or for an approval that was given, refused or needed no more."""
    rows = session.execute(_MINE, {"me": actor.user_id, "before": before, "limit": AT_ONCE + 1, "language": actor.language}).all()
    return Notices(tuple(_seen(row, actor) for row in rows[:AT_ONCE]), rows[AT_ONCE - 1].created_at if len(rows) > AT_ONCE else None)


def of_my_post(session: Session, actor: Any) -> tuple[Notice, ...]:
    """What came to the posts the actor holds, of tasks that are still to be done, the most overdue first: due and in nobody's hands, late, very late."""
    rows = session.execute(_OF_MY_POST, {"branch": actor.branch, "agency": actor.agency, "roles": sorted(actor.roles), "language": actor.language}).all()
    return tuple(_seen(row, actor) for row in sorted(rows, key=lambda row: (row.due_at is None, row.due_at or row.created_at))[:AT_ONCE])


def read(session: Session, actor: Any, notice_id: UUID) -> Notice:
    """Notes that one was read, and says what it is about. Refuses: `notice.not_found`."""
    row = session.execute(_ONE, {"me": actor.user_id, "id": notice_id, "language": actor.language}).one_or_none()
    if row is None:
        raise errors.NotFound("notice.not_found")
    session.execute(_READ, {"me": actor.user_id, "id": notice_id, "at": clock.now(session)})
    return _seen(row, actor)


def read_all(session: Session, actor: Any) -> None:
    """Notes that all were read."""
    session.execute(_READ, {"me": actor.user_id, "id": None, "at": clock.now(session)})


def _seen(row: Any, actor: Any) -> Notice:
    is_told = bool(row.root_id) or row.code == _TAKEN_BACK
    task = pick(row.details["task"], actor.language) if is_told and row.details.get("task") else ""
    number = row.number or (row.details.get("case") or "" if row.code == _TAKEN_BACK else "")
    title = row.details.get("title", "")
    return Notice(row.notice_id, row.code, row.created_at, row.read_at is not None, row.who or "", task, row.task_id if row.is_open else None, row.root_id, number,
                  row.due_at if row.is_open else None, UUID(row.details["about"]) if row.details.get("about") else None, title if isinstance(title, str) else pick(title, actor.language))  # fmt: skip
