"""Users: who acts. A person with an account, the system for its jobs, or a visitor whom nobody knows yet.

An account is made by an administrator (`accounts`), the first ones by the owner of the installation (`create`); what a user may do is `authority`, how she comes in `signin`.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from engine import errors, i18n, identity
from engine.actors import roles as tables
from engine.actors.agencies import AGENCIES, PARTNERS
from engine.database import Wall

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 500
# argon2id as OWASP's password storage page sets it (19 MiB, two passes): forty sign-ins at once stay under a gigabyte.
PASSWORDS = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))
_INSERT = text("""INSERT INTO user_account (user_id, username, name, name_ar, agency, branch, roles, language, password_hash, is_demo)
                  VALUES (:id, :username, :name, :name_ar, :agency, :branch, :roles, :language, :hash, :is_demo)""")
_FIND = text("SELECT user_id, username, name, name_ar, agency, branch, roles, language FROM user_account WHERE user_id = :id AND is_active")
# Who has no account works behind the wall that jobs work behind; what each may do is `authority`'s.
_OF_THE_HOUSE = ("system", "holder")
_HOLDER_WRITES = frozenset("CR")  # what she asks for, and what she complains of
_BRANCH = text("SELECT 1 FROM branch WHERE code = :branch")
_LANGUAGE = text("UPDATE user_account SET language = :language WHERE user_id = :id")


@dataclass(frozen=True)
class Actor:
    """Whoever acts. `kind`: `person`, `system`, `visitor`, or `holder` of a receipt and its second secret, whose `user_id` is her case."""

    user_id: UUID | None
    username: str
    name: str
    agency: str
    branch: str
    roles: frozenset[str]
    language: str = "fr"
    kind: str = "person"
    name_ar: str = ""
    token_digest: bytes | None = field(default=None, repr=False, compare=False)
    said: str | None = field(default=None, repr=False, compare=False)  # what the database said of the token: see `database.Wall`
    must_change: bool = False  # her password was given by somebody else: she holds no role until she chose her own

    def called(self, language: str) -> str:
        """Her name in the script of the reader's language, where it is known."""
        return in_script(self, language)

    @property
    def names(self) -> tuple[str, ...]:
        """As she may sign: in her language first, then in either script."""
        return tuple(dict.fromkeys(filter(None, (self.called(self.language), self.name, self.name_ar))))

    @cached_property
    def reads(self) -> frozenset[str]:
        """The classes of facts this actor may read, consent and case permitting."""
        return frozenset(tables.CLASSES) if self.kind == "system" else tables.reads(self.roles)

    @cached_property
    def writes(self) -> frozenset[str]:
        if self.kind == "holder":
            return _HOLDER_WRITES
        return frozenset(tables.CLASSES) if self.kind == "system" else tables.writes(self.roles)

    @cached_property
    def reach(self) -> str:
        """How far she sees. A partner never reaches a branch, whatever her roles: the cases entrusted to her, and sittings where she has a seat (`sits`)."""
        if self.kind in _OF_THE_HOUSE:
            return "all"
        if self.agency == PARTNERS:
            return "own" if "operateur" in self.roles else "none"
        return tables.reach(self.roles)

    @cached_property
    def sits(self) -> bool:
        """Whether she is a partner with a seat at the committee: a funder's member."""
        return self.agency == PARTNERS and "membre_commission" in self.roles

    @cached_property
    def wall(self) -> Wall:
        """What the database is told, so that it refuses by itself what `authority` would."""
        is_system = self.kind in _OF_THE_HOUSE
        return Wall(
            user_id=str(self.user_id or ""),
            agency=self.agency,
            branch=self.branch,
            reach=self.reach,
            sits=self.sits,
            may_write=is_system or bool(self.writes),
            classes=",".join(sorted(self.reads)),
            writes=",".join(sorted(self.writes)),
            is_system=is_system,
            token_digest=self.token_digest,
            said=self.said,
        )


VISITOR = Actor(None, "", "", "", "", frozenset(), kind="visitor")


def holder(case_id: UUID, language: str = "fr") -> Actor:
    """The person of a case, by her receipt and its second secret (`casework.holders`): of that one case, and what `authority` says."""
    return Actor(case_id, "", "", "", "", frozenset(), language, kind="holder")


def system(instance_branch: str | None = None) -> Actor:
    """The actor of jobs: timers, messages, what an installation does by itself."""
    return Actor(None, "masar", "Masar", "", instance_branch or "", frozenset(), kind="system")


def of_row(row: Any, token_digest: bytes | None = None) -> Actor:
    """The person of a row with the columns of `masar_session`. A role unknown here, or of another agency, gives nothing."""
    held = frozenset(role for role in row.roles if role in tables.ROLES and row.agency in tables.ROLES[role].agencies)
    said = row.said if token_digest else None
    return Actor(row.user_id, row.username, row.name, row.agency, row.branch, held, row.language, name_ar=getattr(row, "name_ar", ""),
                 token_digest=token_digest, said=said, must_change=getattr(row, "must_change", False))  # fmt: skip


def find(session: Session, user_id: UUID) -> Actor | None:
    """The person of an account that is in use, whoever asks on her behalf (what she asked for is done later)."""
    row = session.execute(_FIND, {"id": user_id}).one_or_none()
    return of_row(row) if row else None


def choose_language(session: Session, actor: Actor, language: str) -> None:
    """Keeps the language of an account. Refuses: `user.language` (Invalid)."""
    check_language(language)
    session.execute(_LANGUAGE, {"language": language, "id": actor.user_id})


def create(
    connection: Any,
    username: str,
    name: str,
    agency: str,
    branch: str,
    roles: Collection[str],
    password: str,
    *,
    name_ar: str = "",
    language: str = "fr",
    is_demo: bool = False,
) -> UUID:
    """Makes an account (owner connection: `masar user add`, the demo).

    Refuses (Invalid): `user.username`, `user.roles`, `user.roles_apart`, `user.language`, `user.branch`, `password.short`; (Conflict): `user.exists`.
    """
    username, held = called(username), frozenset(roles)
    check_rights(connection, agency, branch, held)
    check_language(language)
    check_password(password, username)
    user_id = identity.new_id()
    try:
        with connection.begin_nested():
            connection.execute(
                _INSERT,
                {
                    "id": user_id,
                    "username": username,
                    "name": name,
                    "name_ar": name_ar,
                    "agency": agency,
                    "branch": branch,
                    "roles": sorted(held),
                    "language": language,
                    "hash": PASSWORDS.hash(password),
                    "is_demo": is_demo,
                },
            )
    except IntegrityError as trouble:
        raise errors.Conflict("user.exists", username=username) from trouble
    return user_id


def called(username: str) -> str:
    """A user name as it is kept. Refuses: `user.no_username`, `user.username`."""
    username = username.strip().casefold()
    if not username:
        raise errors.Invalid("user.no_username")
    if len(username) > 100 or not username.isprintable() or " " in username:
        raise errors.Invalid("user.username", username=username)
    return username


def in_script(account: Any, language: str) -> str:
    """The name of an account in the script of the reader's language, where it is known."""
    return (language == "ar" and account.name_ar) or account.name


def check_language(language: str) -> None:
    """Refuses: `user.language`."""
    if language not in i18n.LANGUAGES:
        raise errors.Invalid("user.language")


def check_rights(session: Any, agency: str, branch: str, held: frozenset[str]) -> None:
    """Whether somebody may hold these roles together in an agency at a branch. Refuses: `user.no_agency`, `user.agency`, `user.no_role`, `user.roles_unknown`, `user.roles`,
    `user.roles_apart`, `user.no_branch`, `user.branch`; all of them at once."""
    errors.together(lambda: _check_agency(agency), lambda: _check_roles(agency, held), lambda: _check_apart(held), lambda: _check_branch(session, branch))


def _check_agency(agency: str) -> None:
    if not agency:
        raise errors.Invalid("user.no_agency")
    if agency not in AGENCIES:
        raise errors.Invalid("user.agency", agency=agency)


def _check_roles(agency: str, held: frozenset[str]) -> None:
    if not held:
        raise errors.Invalid("user.no_role")
    if unknown := sorted(role for role in held if role not in tables.ROLES):
        raise errors.Invalid("user.roles_unknown", roles=", ".join(unknown))
    if agency in AGENCIES and (others := sorted(role for role in held if agency not in tables.ROLES[role].agencies)):
        raise errors.Invalid("user.roles", roles=", ".join(others), agency=agency)


def _check_apart(held: frozenset[str]) -> None:
    if apart := tables.clash(held):
        raise errors.Invalid("user.roles_apart", roles=", ".join(sorted(apart)))


def _check_branch(session: Any, branch: str) -> None:
    if not branch:
        raise errors.Invalid("user.no_branch")
    if session.execute(_BRANCH, {"branch": branch}).scalar() is None:
        raise errors.Invalid("user.branch", branch=branch)


def check_password(password: str, username: str) -> None:
    """Refuses a password that is too short, too long, or the user's own name (`password.short`, `password.long`, `password.like_name`)."""
    if len(password) < SHORTEST_PASSWORD:
        raise errors.Invalid("password.short", shortest=SHORTEST_PASSWORD)
    if len(password) > LONGEST_PASSWORD:
        raise errors.Invalid("password.long", longest=LONGEST_PASSWORD)
    if username and password.casefold().strip() == username.casefold():
        raise errors.Invalid("password.like_name")
