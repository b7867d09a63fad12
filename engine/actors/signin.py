"""Signing in and out: passwords checked, sessions kept on the server and closed there. Only the digest of a token is stored.

Both faces use it: `web` sessions travel in a cookie, `api` ones as bearer tokens. What one may do once in is `authority`'s to say.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors, identity
from engine.actors import users
from engine.database import Database, WallFallen

MOST_FAILURES, MINUTES = 5, 15  # the database counts over the same quarter of an hour (masar_signin_failures)
HOURS = {"web": 10, "api": 12}
# Every account of a demo opens with it; such accounts exist in demo installations only, which list it on the door.
DEMO_PASSWORD = "bienvenue-masar"
NOBODYS = users.PASSWORDS.hash(identity.secret_token())  # checked when there is no such user, so that the answer takes as long
_FAILURES = text("SELECT masar_signin_failures(:subject)")
_NOTE_FAILURE = text("SELECT masar_note_signin_failure(:subject)")
_CREDENTIALS = text("SELECT user_id, password_hash FROM masar_credentials(:username)")
_OPEN = text("SELECT masar_open_session(:digest, :user, :kind, :csrf, :hours, :agent)")
_SESSION = text("SELECT s.*, s::text AS said FROM masar_session(:digest) s")
_SESSION_OF_A_PAGE = text("SELECT s.*, s::text AS said, masar_unread(s.user_id) AS unread FROM masar_session(:digest) s")
_AS_USER = text("SELECT set_config('masar.user_id', :id, true)")
_END = text("UPDATE user_session SET revoked_at = now() WHERE token_digest = :digest AND user_id = :user AND revoked_at IS NULL RETURNING 1")
_END_OTHERS = text("UPDATE user_session SET revoked_at = now() WHERE user_id = :user AND token_digest <> :digest AND revoked_at IS NULL")
_MINE = text("""SELECT token_digest, kind, created_at, expires_at, agent FROM user_session
                 WHERE user_id = :user AND revoked_at IS NULL AND expires_at > now() ORDER BY created_at DESC""")
_PASSWORD = text("UPDATE user_account SET password_hash = :hash, one_time_until = NULL WHERE user_id = :user")
_DEMO = text("SELECT username, name, name_ar, agency, branch, roles FROM masar_demo_accounts()")


@dataclass(frozen=True)
class SignedIn:
    """A session just opened. `token` is said once and never again; `hours` is how long it lasts."""

    token: str
    actor: users.Actor
    csrf: str
    hours: int


@dataclass(frozen=True)
class Entered:
    """Who came in. `unread`: how many of her notices she has not read, up to a hundred."""

    actor: users.Actor
    csrf: str
    kind: str
    unread: int = 0


_MOST_REMEMBERED = 4096
_remembered: dict[bytes, Entered] = {}  # what tokens opened when last looked up; never believed without asking again (`acting`)


@dataclass(frozen=True)
class OpenSession:
    """One place where an account is signed in. `session_id` names it and opens nothing."""

    session_id: str
    kind: str
    created_at: dt.datetime
    expires_at: dt.datetime
    agent: str
    is_this: bool
    ip: str = ""


@dataclass(frozen=True)
class DemoAccount:
    username: str
    password: str
    name: str
    agency: str
    branch: str
    roles: tuple[str, ...]
    name_ar: str


def sign_in(session: Session, username: str, password: str, kind: str, agent: str = "") -> SignedIn:
    """Opens a session of `kind` `web` or `api`.

    Refuses (Unauthenticated): `signin.wrong`, the same words and the same time whether the name or the password is wrong;
    `signin.too_many` after five failures under one name in a quarter of an hour, whether anybody has that name or not; `signin.change_first` to a
    program whose password was given by an administrator: a person chooses her own first.
    """
    subject = _subject(username)
    user_id = _check(session, subject, password)
    token, csrf = identity.secret_token(), identity.secret_token()
    digest = identity.token_digest(token)
    session.execute(_OPEN, {"digest": digest, "user": user_id, "kind": kind, "csrf": csrf, "hours": HOURS[kind], "agent": agent[:200]})
    actor = users.of_row(session.execute(_SESSION, {"digest": digest}).one())
    if actor.must_change and kind == "api":
        raise errors.Unauthenticated("signin.change_first")
    return SignedIn(token, actor, csrf, HOURS[kind])


def enter(database: Database, token: str) -> Entered | None:
    """Whose session a token opens; None when it was closed, is over, or never was."""
    row = next(iter(database.glance(_SESSION_OF_A_PAGE, {"digest": identity.token_digest(token)})), None)
    return Entered(users.of_row(row), row.csrf, row.kind, row.unread) if row else None


@contextmanager
def acting(database: Database, token: str, kind: str, way: Callable[[users.Actor], AbstractContextManager[Session]]) -> Iterator[tuple[users.Actor, Session]]:
    """A session of the database in the name of whoever's token it is; `way` is `database.unit_of_work` or `database.reading`.

    Who she is was remembered from her last act; the statement that raises the wall asks again, so that a session closed meanwhile, a role taken
    away, count at once, and no statement is spent on asking. Refuses: `signin.needed`, also for a token of another kind.
    """
    digest = identity.token_digest(token)
    with ExitStack() as stack:
        found = _remembered.get(digest) or _look_up(database, digest)
        try:
            actor = _of_kind(found, kind)
            session = stack.enter_context(way(actor))
        except WallFallen:
            actor = _of_kind(_look_up(database, digest), kind)
            session = stack.enter_context(way(actor))
        yield actor, session


def _of_kind(found: Entered | None, kind: str) -> users.Actor:
    if found is None or found.kind != kind:
        raise errors.Unauthenticated("signin.needed")
    return found.actor


def _look_up(database: Database, digest: bytes) -> Entered | None:
    row = next(iter(database.glance(_SESSION, {"digest": digest})), None)
    if row is None:
        _remembered.pop(digest, None)
        return None
    while len(_remembered) >= _MOST_REMEMBERED:
        _remembered.pop(next(iter(_remembered)), None)
    found = _remembered[digest] = Entered(users.of_row(row, digest), row.csrf, row.kind)
    return found


def sign_out(session: Session, token: str) -> None:
    """Closes the session of a token on the server; closing twice is no trouble."""
    digest = identity.token_digest(token)
    row = session.execute(_SESSION, {"digest": digest}).one_or_none()
    if row is not None:
        session.execute(_AS_USER, {"id": str(row.user_id)})  # one closes one's own session, also when the page has not said yet who one is
        session.execute(_END, {"digest": digest, "user": row.user_id})


def sessions(session: Session, actor: users.Actor, token: str) -> list[OpenSession]:
    """Where the actor is signed in, the latest first."""
    here = identity.token_digest(token)
    return [OpenSession(bytes(row.token_digest).hex(), row.kind, row.created_at, row.expires_at, row.agent, bytes(row.token_digest) == here)
            for row in session.execute(_MINE, {"user": actor.user_id})]  # fmt: skip


def end_session(session: Session, actor: users.Actor, session_id: str) -> None:
    """Closes one of the actor's sessions. Refuses: `session.not_found`, also for somebody else's."""
    try:
        digest = bytes.fromhex(session_id)
    except ValueError as trouble:
        raise errors.NotFound("session.not_found") from trouble
    if session.execute(_END, {"digest": digest, "user": actor.user_id}).scalar() is None:
        raise errors.NotFound("session.not_found")


def change_password(session: Session, actor: users.Actor, old: str, new: str, token: str) -> None:
    """Changes the actor's password and closes her other sessions; with one she chose herself her roles are hers.

    Refuses: `password.wrong`, `signin.too_many`, `password.short`, `password.long`, `password.like_name`, `password.same`.
    """
    users.check_password(new, actor.username)
    if new == old:
        raise errors.Invalid("password.same")
    try:
        _check(session, actor.username, old)
    except errors.Unauthenticated as refusal:
        raise errors.Invalid("password.wrong" if refusal.code == "signin.wrong" else refusal.code, **refusal.details) from refusal
    session.execute(_PASSWORD, {"hash": users.PASSWORDS.hash(new), "user": actor.user_id})
    session.execute(_END_OTHERS, {"user": actor.user_id, "digest": identity.token_digest(token)})


def demo_accounts(session: Session) -> list[DemoAccount]:
    """The accounts a demo lists on its door; none elsewhere."""
    return [DemoAccount(row.username, DEMO_PASSWORD, row.name, row.agency, row.branch, tuple(row.roles), row.name_ar) for row in session.execute(_DEMO)]


def _subject(username: str) -> str:
    """The name as failures are counted under it: no control characters, which the database would not take."""
    return "".join(letter for letter in username.strip().casefold() if letter.isprintable())[:200]


def _check(session: Session, subject: str, password: str) -> UUID:
    """Whose password it is. One argon2 is computed on every path, so that time tells nothing."""
    failures = session.execute(_FAILURES, {"subject": subject}).scalar_one()
    row: Any = session.execute(_CREDENTIALS, {"username": subject}).one_or_none()
    is_right = users.PASSWORDS.verify(password[: users.LONGEST_PASSWORD], row.password_hash if row else NOBODYS)
    if failures >= MOST_FAILURES:
        raise errors.Unauthenticated("signin.too_many", minutes=MINUTES)
    if row is None or not is_right:
        _keep_failure(session, subject)
        raise errors.Unauthenticated("signin.wrong")
    return row.user_id


def _keep_failure(session: Session, subject: str) -> None:
    """Counts a failure for good: the refusal undoes the unit of work, so it is written beside it, once its connection is given back."""
    engine = session.get_bind()
    session.rollback()
    with engine.begin() as connection:
        connection.execute(_NOTE_FAILURE, {"subject": subject})
