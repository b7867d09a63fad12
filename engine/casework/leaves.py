"""Leaves: who is away from when to when, and which colleague stands in meanwhile.

A stand-in gains no right: she is of the same agency and branch, and does of the other's tasks those of roles that are hers anyway, under her own name; so what
keeps two tasks apart keeps her from the second as it keeps anybody. What of a named person is hers alone (health) does not open. Who stands in is reckoned at
each act: a stand-in who is away too is stood in for by hers in turn, a circle by nobody. Why somebody is away is not asked.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import authority
from engine.casework import notices, staff

LONGEST = 366  # days
_OVERLAP = text("SELECT 1 FROM staff_leave WHERE user_id = :id AND cancelled_at IS NULL AND from_on <= :until AND until_on >= :since")
_SAY = text("""INSERT INTO staff_leave (leave_id, user_id, from_on, until_on, stand_in_id, said_by, said_at) VALUES (:leave, :user, :since, :until, :stand_in, :by, :at)""")
_COMING = text(f"""SELECT l.leave_id, l.user_id, l.from_on, l.until_on, l.stand_in_id, {staff.called("u")} AS who, u.agency, u.branch, {staff.called("s")} AS stand_in,
                          masar_stand_in_of(l.user_id) AS effective, {staff.called("e")} AS effective_name,
                          (SELECT count(*) FROM appointment a WHERE a.agent_id = l.user_id AND a.state = 'set' AND lower(a.during) > masar_now()
                              AND a.during && masar_days(l.from_on, l.until_on)) AS to_move
                     FROM staff_leave l JOIN user_account u ON u.user_id = l.user_id LEFT JOIN user_account s ON s.user_id = l.stand_in_id
                     LEFT JOIN user_account e ON e.user_id = masar_stand_in_of(l.user_id)
                    WHERE l.cancelled_at IS NULL AND l.until_on >= :today ORDER BY l.from_on, who, l.leave_id""")
_ONE = text("SELECT l.user_id, l.until_on, u.agency, u.branch FROM staff_leave l JOIN user_account u USING (user_id) WHERE l.leave_id = :id AND l.cancelled_at IS NULL")
_CANCEL = text("UPDATE staff_leave SET cancelled_at = :at WHERE leave_id = :id")
_LEFT_OUT = text("""SELECT count(*) FROM open_task t JOIN user_account s ON s.user_id = :stand_in
                     WHERE t.holder_id = :user AND (NOT (t.role = ANY (s.roles) AND t.agency = s.agency AND t.branch = s.branch) OR masar_did_before(t.task_id, s.user_id) IS NOT NULL)""")
_LED = text("SELECT user_id, name, name_ar, agency, branch, roles FROM user_account WHERE is_active AND (CAST(:branch AS text) = '' OR branch = :branch) ORDER BY name")


@dataclass(frozen=True)
class Leave:
    """One leave that is not over. `is_now`: it has begun; `effective`: who stands in today, where she is not who was named; `left_out`: tasks in hand that the
    stand-in may not do (None: nobody is named); `to_move`: appointments of hers that fall in it."""

    leave_id: UUID
    user_id: UUID
    who: str
    from_on: dt.date
    until_on: dt.date
    stand_in: str
    effective: str
    is_now: bool
    left_out: int | None
    to_move: int
    may_end: bool


def coming(session: Session, actor: Any) -> tuple[Leave, ...]:
    """The leaves, begun or to come, of the actor, of those she stands in for and of those she answers for."""
    today = clock.today(clock.now(session))
    found = []
    for row in session.execute(_COMING, {"today": today, "language": actor.language}).all():
        is_now = row.from_on <= today
        other = row.effective_name or "" if is_now and row.effective != row.stand_in_id else ""
        left = session.execute(_LEFT_OUT, {"user": row.user_id, "stand_in": row.stand_in_id}).scalar_one() if row.stand_in_id else None
        may_end = authority.may(actor, "leave.say", user_id=row.user_id, agency=row.agency, branch=row.branch)
        found.append(Leave(row.leave_id, row.user_id, row.who, row.from_on, row.until_on, row.stand_in or "", other, is_now, left, row.to_move, may_end))
    return tuple(found)


def led(session: Session, actor: Any) -> tuple[staff.Person, ...]:
    """Of whom the actor may say that they are away: herself, and those she answers for."""
    rows = session.execute(_LED, {"branch": "" if actor.reach == "all" else actor.branch})
    return staff.persons((row for row in rows if authority.may(actor, "leave.say", user_id=row.user_id, agency=row.agency, branch=row.branch)), actor.language)


def stand_ins(session: Session, actor: Any, user_id: UUID) -> tuple[staff.Person, ...]:
    """Who may stand in for somebody: colleagues of her agency and branch with a role of hers. Refuses: as `say`."""
    row = _colleague(session, actor, user_id)
    return staff.persons(staff.alike(session, row), actor.language)


def say(session: Session, actor: Any, user_id: UUID, from_on: dt.date, until_on: dt.date, stand_in_id: UUID | None) -> UUID:
    """Says that somebody is away, first and last day; the stand-in is told.

    Refuses: `user.not_found` (absent, or neither herself nor somebody she answers for); `leave.dates`, `leave.stand_in` (Invalid); `leave.overlaps` (Conflict).
    """
    row = _colleague(session, actor, user_id)
    now = clock.now(session)
    if until_on < from_on or until_on < clock.today(now) or (until_on - from_on).days > LONGEST:
        raise errors.Invalid("leave.dates")
    if stand_in_id is not None and stand_in_id not in {one.user_id for one in staff.alike(session, row)}:
        raise errors.Invalid("leave.stand_in")
    if session.execute(_OVERLAP, {"id": user_id, "since": from_on, "until": until_on}).scalar() is not None:
        raise errors.Conflict("leave.overlaps")
    leave_id = identity.new_id()
    session.execute(_SAY, {"leave": leave_id, "user": user_id, "since": from_on, "until": until_on, "stand_in": stand_in_id, "by": actor.user_id, "at": now})
    notices.tell(session, actor, stand_in_id, "leave.stand_in", row.branch)
    return leave_id


def end(session: Session, actor: Any, leave_id: UUID) -> None:
    """Ends a leave, or takes it back before it began: she is there again. Refuses: `leave.not_found`, Forbidden."""
    row = session.execute(_ONE, {"id": leave_id}).one_or_none()
    if row is None:
        raise errors.NotFound("leave.not_found")
    authority.require(actor, "leave.say", user_id=row.user_id, agency=row.agency, branch=row.branch)
    session.execute(_CANCEL, {"id": leave_id, "at": clock.now(session)})


def _colleague(session: Session, actor: Any, user_id: UUID) -> Any:
    row = staff.colleague(session, actor, user_id, "leave.say")
    if not row.is_active:
        raise errors.NotFound("user.not_found")
    return row
