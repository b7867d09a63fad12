"""Access reviews: who may do what, looked at account by account, each kept or withdrawn by somebody else, and closed with a record."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors, identity
from engine.actors import accounts, authority
from engine.ledger import journal

IDLE_DAYS = 90
_OPEN = text("INSERT INTO access_review (review_id, agency, branch, idle_days, opened_by) VALUES (:id, :agency, :branch, :idle, :me)")
_FILL = text("""INSERT INTO access_review_line (review_id, user_id, agency, branch, roles, last_signin_at)
    SELECT :id, u.user_id, u.agency, u.branch, u.roles, s.last_signin_at FROM user_account u LEFT JOIN masar_account_use() s USING (user_id)
     WHERE u.is_active AND (:agency = '' OR u.agency = :agency) AND (:branch = '' OR u.branch = :branch) RETURNING user_id""")
_LIST = text("""SELECT r.*, count(l.user_id) AS accounts, count(l.decision) AS decided, count(*) FILTER (WHERE l.decision = 'withdrawn') AS withdrawn
    FROM access_review r LEFT JOIN access_review_line l USING (review_id) WHERE CAST(:id AS uuid) IS NULL OR r.review_id = :id
    GROUP BY r.review_id ORDER BY r.opened_at DESC LIMIT 100""")
_LINES = text("""SELECT l.*, u.username, u.name, u.name_ar, u.is_active, u.created_at, u.roles AS now_roles FROM access_review_line l JOIN user_account u USING (user_id)
    WHERE l.review_id = :id ORDER BY l.branch, l.agency, u.username""")
_LOCK = text("SELECT * FROM access_review WHERE review_id = :id FOR UPDATE")
_LINE = text("""SELECT l.decision, u.is_active FROM access_review_line l JOIN user_account u USING (user_id)
    WHERE l.review_id = :id AND l.user_id = :user FOR UPDATE OF l""")
_DECIDE = text("""UPDATE access_review_line SET decision = :decision, decided_by = :me, decided_at = now(), reason = :reason
    WHERE review_id = :id AND user_id = :user""")
_COUNTED = text("SELECT decision, count(*) FROM access_review_line WHERE review_id = :id GROUP BY decision")
_CLOSE = text("UPDATE access_review SET closed_by = :me, closed_at = now(), conclusion = :conclusion WHERE review_id = :id")


@dataclass(frozen=True)
class Review:
    """A review: of which agency and branch ("": all), after how many days an account counts as unused, and how far it is."""

    review_id: UUID
    agency: str
    branch: str
    idle_days: int
    opened_by: UUID
    opened_at: dt.datetime
    closed_by: UUID | None
    closed_at: dt.datetime | None
    conclusion: str
    accounts: int
    decided: int
    withdrawn: int


@dataclass(frozen=True)
class ReviewLine:
    """One account under review, as it was when the review began. `is_idle`: not used for `idle_days`; `may`: whether the reader may decide of it."""

    user_id: UUID
    username: str
    name: str
    name_ar: str
    agency: str
    branch: str
    roles: tuple[str, ...]
    has_changed: bool
    last_signin_at: dt.datetime | None
    is_idle: bool
    decision: str
    decided_by: UUID | None
    decided_at: dt.datetime | None
    reason: str
    may: bool


@dataclass(frozen=True)
class WholeReview:
    review: Review
    lines: tuple[ReviewLine, ...]


def listed(session: Session, actor: Any) -> tuple[Review, ...]:
    """The reviews, the newest first. Refuses: Forbidden."""
    authority.require(actor, "admin.read")
    return tuple(_review(row) for row in session.execute(_LIST, {"id": None}))


def show(session: Session, actor: Any, review_id: UUID) -> WholeReview:
    """A review with its accounts. Refuses: `review.not_found`."""
    authority.require(actor, "admin.read")
    row = session.execute(_LIST, {"id": review_id}).one_or_none()
    if row is None:
        raise errors.NotFound("review.not_found")
    found = _review(row)
    return WholeReview(found, tuple(_line(found, line, actor) for line in session.execute(_LINES, {"id": review_id})))


def begin(session: Session, actor: Any, agency: str, branch: str, idle_days: int, reason: str) -> UUID:
    """Begins a review of the accounts in use, of an agency and a branch or of all. Refuses: `review.empty`, `review.idle`, `admin.reason`. Records: `review.opened`."""
    authority.require(actor, "review.write")
    reason = accounts.given_reason(reason)
    if not 0 < idle_days <= 3650:
        raise errors.wrong("review.idle", "/idle_days")
    review_id = identity.new_id()
    asked = {"id": review_id, "agency": agency, "branch": branch}
    journal.append(session, actor, "review.opened", f"review:{review_id}", {"agency": agency, "branch": branch, "idle_days": idle_days}, {"reason": reason})
    session.execute(_OPEN, asked | {"idle": idle_days, "me": actor.user_id})
    if not session.execute(_FILL, asked).all():
        raise errors.Invalid("review.empty")
    return review_id


def decide(session: Session, actor: Any, review_id: UUID, user_id: UUID, decision: str, reason: str = "", *, is_known: bool = False) -> None:
    """Keeps an account's access, or withdraws it: the account is closed, with a reason. `is_known`: as in `accounts.set_rights`.

    Refuses: `review.not_found`, `review.closed` and `review.decided` (Conflict), `account.last_holder` (Conflict), `account.own` (Forbidden), `review.decision`, `admin.reason`.
    Records: `review.kept` or `review.withdrawn`, then `account.closed`.
    """
    found = _locked(session, actor, review_id)
    if not authority.may(actor, "review.write", user_id=user_id):
        raise errors.Forbidden("account.own")
    line = session.execute(_LINE, {"id": review_id, "user": user_id}).one_or_none()
    if line is None:
        raise errors.NotFound("user.not_found")
    if line.decision is not None:
        raise errors.Conflict("review.decided")
    if decision not in ("kept", "withdrawn"):
        raise errors.wrong("review.decision", "/decision")
    reason = accounts.given_reason(reason) if decision == "withdrawn" or reason.strip() else ""
    journal.append(session, actor, f"review.{decision}", f"user:{user_id}", {"review": str(review_id)}, {"reason": reason} if reason else {})
    session.execute(_DECIDE, {"id": found.review_id, "user": user_id, "decision": decision, "me": actor.user_id, "reason": reason})
    if decision == "withdrawn" and line.is_active:
        accounts.close(session, actor, user_id, reason, is_known=is_known)


def conclude(session: Session, actor: Any, review_id: UUID, conclusion: str) -> None:
    """Closes a review, once every account was looked at. Refuses: `review.not_found`, `review.closed`, `review.unfinished` (Conflict), `admin.reason`. Records: `review.closed`."""
    found = _locked(session, actor, review_id)
    conclusion = accounts.given_reason(conclusion)
    counted = Counter({decision or "": number for decision, number in session.execute(_COUNTED, {"id": review_id})})
    if counted[""]:
        raise errors.Conflict("review.unfinished", left=counted[""])
    journal.append(session, actor, "review.closed", f"review:{review_id}", {"kept": counted["kept"], "withdrawn": counted["withdrawn"]}, {"reason": conclusion})
    session.execute(_CLOSE, {"id": found.review_id, "me": actor.user_id, "conclusion": conclusion})


def _locked(session: Session, actor: Any, review_id: UUID) -> Any:
    authority.require(actor, "review.write")
    row = session.execute(_LOCK, {"id": review_id}).one_or_none()
    if row is None:
        raise errors.NotFound("review.not_found")
    if row.closed_at is not None:
        raise errors.Conflict("review.closed")
    return row


def _review(row: Any) -> Review:
    return Review(row.review_id, row.agency, row.branch, row.idle_days, row.opened_by, row.opened_at, row.closed_by, row.closed_at, row.conclusion, row.accounts,
                  row.decided, row.withdrawn)  # fmt: skip


def _line(review: Review, row: Any, actor: Any) -> ReviewLine:
    is_idle = (row.last_signin_at or row.created_at) < review.opened_at - dt.timedelta(days=review.idle_days)
    may = review.closed_at is None and row.decision is None and authority.may(actor, "review.write", user_id=row.user_id)
    return ReviewLine(row.user_id, row.username, row.name, row.name_ar, row.agency, row.branch, tuple(row.roles), sorted(row.roles) != sorted(row.now_roles),
                      row.last_signin_at, is_idle, row.decision or "", row.decided_by, row.decided_at, row.reason, may)  # fmt: skip
