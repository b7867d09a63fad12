"""Accounts: made, named, given rights, closed and opened again by administrators; what decides or pays only by two.

Every act has its reason and its line in the journal. What somebody holds when she leaves goes back to its queue by itself (`casework.departures`).
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from engine import errors, identity
from engine.actors import approvals, authority, roles, users, vacancies
from engine.ledger import journal

ONE_TIME_DAYS = 7
LONGEST_REASON, LONGEST_NAME = 500, 200
STATES = ("active", "closed", "new")
# Nobody signs in with it: what a dry run writes and takes back again.
_NO_PASSWORD = "!"

_COLUMNS = """u.user_id, u.username, u.name, u.name_ar, u.agency, u.branch, u.roles, u.language, u.is_active, u.created_at, s.last_signin_at, s.one_time_until,
              coalesce(p.kinds, '{}') AS proposed"""
_FROM = """user_account u LEFT JOIN masar_account_use() s USING (user_id)
           LEFT JOIN (SELECT user_id, array_agg(kind ORDER BY kind) AS kinds FROM account_proposal WHERE state = 'open' GROUP BY user_id) p USING (user_id)"""
_LIST = text(f"""SELECT {_COLUMNS} FROM {_FROM}
    WHERE (:search = '' OR strpos(lower(u.username || ' ' || u.name || ' ' || u.name_ar), lower(:search)) > 0) AND (:agency = '' OR u.agency = :agency)
      AND (:branch = '' OR u.branch = :branch) AND (:role = '' OR :role = ANY (u.roles))
      AND (:state = '' OR CASE :state WHEN 'closed' THEN NOT u.is_active WHEN 'new' THEN u.is_active AND s.one_time_until IS NOT NULL ELSE u.is_active END)
      AND (CAST(:idle_since AS timestamptz) IS NULL OR u.is_active AND coalesce(s.last_signin_at, u.created_at) < :idle_since)
    ORDER BY u.is_active DESC, u.branch, u.agency, u.username LIMIT :limit""")
_ONE = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE u.user_id = :id")
_LOCK = text("SELECT user_id, username, name, name_ar, agency, branch, roles, language, is_active FROM user_account WHERE user_id = :id FOR UPDATE")
_NOW = text("SELECT now()")
_TAKEN = text("SELECT 1 FROM user_account WHERE username = :username")
_INSERT = text("""INSERT INTO user_account (user_id, username, name, name_ar, agency, branch, roles, language, password_hash, one_time_until)
                  VALUES (:id, :username, :name, :name_ar, :agency, :branch, :roles, :language, :hash, now() + make_interval(days => :days))""")
_NAMES = text("UPDATE user_account SET name = :name, name_ar = :name_ar, language = :language WHERE user_id = :id")
_RIGHTS = text("UPDATE user_account SET agency = :agency, branch = :branch, roles = :roles, is_active = true WHERE user_id = :id")
_RIGHTS_ANEW = text("""UPDATE user_account SET agency = :agency, branch = :branch, roles = :roles, is_active = true, password_hash = :hash,
                       one_time_until = now() + make_interval(days => :days) WHERE user_id = :id""")
_ACTIVE = text("UPDATE user_account SET is_active = :is_active WHERE user_id = :id")
_PASSWORD = text("UPDATE user_account SET password_hash = :hash, one_time_until = now() + make_interval(days => :days) WHERE user_id = :id")
_END_SESSIONS = text("SELECT masar_end_sessions(:id)")
_PROPOSE = text("""INSERT INTO account_proposal (proposal_id, user_id, kind, agency, branch, roles, reason, proposed_by)
                   VALUES (:proposal, :id, :kind, :agency, :branch, :roles, :reason, :me)""")
_PROPOSALS = text("""SELECT p.*, u.username, u.name, u.name_ar, u.agency AS now_agency, u.branch AS now_branch, u.roles AS now_roles, u.is_active
                       FROM account_proposal p JOIN user_account u USING (user_id)
                      WHERE (CAST(:id AS uuid) IS NULL OR p.user_id = :id) AND (:state = '' OR p.state = :state) ORDER BY p.state <> 'open', p.proposed_at DESC LIMIT 100""")
_LOCK_PROPOSAL = text("SELECT * FROM account_proposal WHERE proposal_id = :id FOR UPDATE")
_DECIDE = text("""UPDATE account_proposal SET state = :state, decided_by = :me, decided_at = now(), refusal = :refusal, xid = pg_current_xact_id()
                   WHERE proposal_id = :id""")


@dataclass(frozen=True)
class Account:
    """One account as administrators see it. `proposed`: what waits for a second person (`rights`, `password`)."""

    user_id: UUID
    username: str
    name: str
    name_ar: str
    agency: str
    branch: str
    roles: tuple[str, ...]
    language: str
    is_active: bool
    created_at: dt.datetime
    last_signin_at: dt.datetime | None
    one_time_until: dt.datetime | None
    proposed: tuple[str, ...]


@dataclass(frozen=True)
class Given:
    """What an act did. `password`: said once, to be handed over; "" where none was made. `proposal_id`: what a second administrator has to approve."""

    user_id: UUID
    password: str = ""
    proposal_id: UUID | None = None


@dataclass(frozen=True)
class Proposal:
    """Rights or a password that one administrator asked for: what is held now, what shall be. `alone`: what nobody would hold any more once it is approved, while
    it waits, for those who may; `may`: what the reader may do with it."""

    proposal_id: UUID
    user_id: UUID
    username: str
    name: str
    name_ar: str
    kind: str
    now_agency: str
    now_branch: str
    now_roles: tuple[str, ...]
    agency: str
    branch: str
    roles: tuple[str, ...]
    reason: str
    proposed_by: UUID
    proposed_at: dt.datetime
    state: str
    decided_by: UUID | None
    decided_at: dt.datetime | None
    refusal: str
    alone: tuple[vacancies.Vacancy, ...]
    may: tuple[str, ...]


def listed(session: Session, actor: Any, *, search: str = "", agency: str = "", branch: str = "", role: str = "", state: str = "", idle_days: int = 0,
           limit: int = 500) -> tuple[Account, ...]:  # fmt: skip
    """The accounts, those in use first. `state`: `active`, `closed` or `new` (its password not yet chosen); `idle_days`: not used for so long. Refuses: Forbidden."""
    authority.require(actor, "admin.read")
    since = session.execute(_NOW).scalar_one() - dt.timedelta(days=idle_days) if idle_days else None
    search, agency, branch, role = (one.replace("\0", "") for one in (search, agency, branch, role))
    asked = {"search": search.strip(), "agency": agency, "branch": branch, "role": role, "state": state if state in STATES else "", "idle_since": since, "limit": limit}
    return tuple(_account(row) for row in session.execute(_LIST, asked))


def show(session: Session, actor: Any, user_id: UUID) -> Account:
    """One account. Refuses: `user.not_found`."""
    authority.require(actor, "admin.read")
    row = session.execute(_ONE, {"id": user_id}).one_or_none()
    if row is None:
        raise errors.NotFound("user.not_found")
    return _account(row)


def create(session: Session, actor: Any, username: str, name: str, agency: str, branch: str, held: Collection[str], reason: str, *, name_ar: str = "",
           language: str = "fr", is_trial: bool = False) -> Given:  # fmt: skip
    """Makes an account with a password that opens it once. Roles given by two wait for the second person; until then it holds the others. `is_trial`: no password
    is computed, since all of it will be undone.

    Refuses, all that is wrong at once: `user.username`, `user.exists` (Conflict), `user.name`, `user.language` and what `users.check_rights` does; `admin.reason`.
    Records: `account.created`.
    """
    authority.require(actor, "account.write")
    reason, wanted = given_reason(reason), frozenset(held)
    username, (name, name_ar), *_ = errors.together(
        lambda: _free(session, users.called(username)), lambda: _names(name, name_ar), lambda: users.check_rights(session, agency, branch, wanted),
        lambda: users.check_language(language),
    )  # fmt: skip
    user_id, at_once = identity.new_id(), sorted(wanted - roles.GIVEN_BY_TWO)
    journal.append(session, actor, "account.created", f"user:{user_id}", {"agency": agency, "branch": branch, "roles": at_once, "language": language},
                   {"username": username, "name": name, "name_ar": name_ar, "reason": reason})  # fmt: skip
    password, hashed = ("", _NO_PASSWORD) if is_trial else _one_time()
    row = {"id": user_id, "username": username, "name": name, "name_ar": name_ar, "agency": agency, "branch": branch, "roles": at_once, "language": language,
           "hash": hashed, "days": ONE_TIME_DAYS}  # fmt: skip
    try:
        with session.begin_nested():
            session.execute(_INSERT, row)
    except IntegrityError as trouble:
        raise errors.Conflict("user.exists", username=username) from trouble
    if not wanted & roles.GIVEN_BY_TWO:
        return Given(user_id, password)
    return Given(user_id, password, _propose(session, actor, user_id, "rights", agency, branch, wanted, reason))


def rename(session: Session, actor: Any, user_id: UUID, name: str, name_ar: str, language: str, reason: str) -> None:
    """Changes what somebody is called and the language of her pages. Refuses: `user.not_found`, `user.name`, `user.language`. Records: `account.renamed`."""
    row, reason = _locked(session, actor, user_id), given_reason(reason)
    name, name_ar = _names(name, name_ar)
    users.check_language(language)
    was = {"name": row.name, "name_ar": row.name_ar}
    journal.append(session, actor, "account.renamed", f"user:{user_id}", {"language": language}, {"was": was, "name": name, "name_ar": name_ar, "reason": reason})
    session.execute(_NAMES, {"id": user_id, "name": name, "name_ar": name_ar, "language": language})


def set_rights(session: Session, actor: Any, user_id: UUID, agency: str, branch: str, held: Collection[str], reason: str, *, is_known: bool = False) -> Given:
    """Gives an account its agency, branch and roles, at once where no role given by two is gained or moved, else as a proposal. A closed account is opened again.
    `is_known`: whoever does it has read what waits for nobody where the account alone holds what it loses (`vacancies`).

    Refuses: `user.not_found`, `account.own` (Forbidden), `user.roles`, `user.roles_apart`, `user.branch`, `account.same`, `account.last_holder`, `account.proposed` (Conflict).
    Records: `account.rights_given` or `account.rights_proposed`.
    """
    row, reason, wanted = _locked(session, actor, user_id), given_reason(reason), frozenset(held)
    users.check_rights(session, agency, branch, wanted)
    if (row.agency, row.branch, frozenset(row.roles), row.is_active) == (agency, branch, wanted, True):
        raise errors.Conflict("account.same")
    vacant = vacancies.require_known(session, user_id, _lost(row.roles, (row.agency, row.branch) == (agency, branch), wanted), is_known)
    if _needs_two(row, agency, branch, wanted):
        return Given(user_id, proposal_id=_propose(session, actor, user_id, "rights", agency, branch, wanted, reason))
    _give(session, actor, row, agency, branch, wanted, {"reason": reason}, {"vacant": vacant} if vacant else {})
    session.execute(_RIGHTS, {"id": user_id, "agency": agency, "branch": branch, "roles": sorted(wanted)})
    return Given(user_id)


def close(session: Session, actor: Any, user_id: UUID, reason: str, *, is_known: bool = False) -> None:
    """Closes an account: her sessions end now. `is_known`: as in `set_rights`. Refuses: `user.not_found`, `account.own` (Forbidden), `account.closed`,
    `account.last_holder` (Conflict). Records: `account.closed`."""
    row, reason = _locked(session, actor, user_id), given_reason(reason)
    if not row.is_active:
        raise errors.Conflict("account.closed")
    vacant = vacancies.require_known(session, user_id, row.roles, is_known)
    told = {"agency": row.agency, "branch": row.branch, "roles": list(row.roles)} | ({"vacant": vacant} if vacant else {})
    journal.append(session, actor, "account.closed", f"user:{user_id}", told, {"reason": reason})
    session.execute(_ACTIVE, {"id": user_id, "is_active": False})
    session.execute(_END_SESSIONS, {"id": user_id})


def reset_password(session: Session, actor: Any, user_id: UUID, reason: str) -> Given:
    """Gives an account a password that opens it once and ends her sessions; of whoever holds roles given by two, as a proposal.

    Refuses: `user.not_found`, `account.own` (Forbidden), `account.closed` (Conflict), `account.proposed` (Conflict). Records: `account.password_given` or `account.password_proposed`.
    """
    row, reason = _locked(session, actor, user_id), given_reason(reason)
    if not row.is_active:
        raise errors.Conflict("account.closed")
    if frozenset(row.roles) & roles.GIVEN_BY_TWO:
        return Given(user_id, proposal_id=_propose(session, actor, user_id, "password", row.agency, row.branch, frozenset(row.roles), reason))
    return _hand_over(session, actor, user_id, {"reason": reason})


def proposals(session: Session, actor: Any, *, state: str = "", user_id: UUID | None = None) -> tuple[Proposal, ...]:
    """What was proposed, what waits first. Refuses: Forbidden."""
    authority.require(actor, "admin.read")
    return tuple(_proposal(session, row, actor) for row in session.execute(_PROPOSALS, {"state": state, "id": user_id}))


def approve(session: Session, actor: Any, proposal_id: UUID) -> Given:
    """Does what another administrator proposed. A password that comes with it is said to whoever approves, once.

    Refuses: `proposal.not_found`, `proposal.own` (Forbidden), `proposal.decided` (Conflict), and what the act itself would. Records: `account.rights_given` or `account.password_given`.
    """
    found = _waiting(session, actor, proposal_id)
    if not authority.may(actor, "account.approve", authors=(found.proposed_by, found.user_id)):
        raise errors.Forbidden("proposal.own")
    row, wanted = _locked(session, actor, found.user_id), frozenset(found.roles)
    told = {"reason": found.reason}
    body = {"proposal": str(proposal_id), "proposed_by": str(found.proposed_by)}
    if found.kind == "password":
        if not row.is_active or (row.agency, row.branch, frozenset(row.roles)) != (found.agency, found.branch, wanted):
            raise errors.Conflict("proposal.outdated")
        return _hand_over(session, actor, found.user_id, told, body, lambda: _decide(session, actor, found, "approved"))
    users.check_rights(session, found.agency, found.branch, wanted)
    vacant = vacancies.require_known(session, found.user_id, _lost(row.roles, (row.agency, row.branch) == (found.agency, found.branch), wanted), is_known=True)  # `proposals` showed them
    _give(session, actor, row, found.agency, found.branch, wanted, told, body | ({"vacant": vacant} if vacant else {}))
    _decide(session, actor, found, "approved")
    given = {"id": found.user_id, "agency": found.agency, "branch": found.branch, "roles": sorted(wanted)}
    if row.is_active and frozenset(row.roles) & roles.GIVEN_BY_TWO:
        session.execute(_RIGHTS, given)
        return Given(found.user_id)
    # Whoever proposed may know the password of this account: with the first of such roles comes another.
    password, hashed = _one_time()
    session.execute(_RIGHTS_ANEW, given | {"hash": hashed, "days": ONE_TIME_DAYS})
    session.execute(_END_SESSIONS, {"id": found.user_id})
    return Given(found.user_id, password)


def refuse(session: Session, actor: Any, proposal_id: UUID, reason: str) -> str:
    """Refuses a proposal, or withdraws one's own: its state. Refuses: `proposal.not_found`, `proposal.decided` (Conflict), `admin.reason`. Records: `account.proposal_refused`."""
    found, reason = _waiting(session, actor, proposal_id), given_reason(reason)
    state = "withdrawn" if found.proposed_by == actor.user_id else "refused"
    journal.append(session, actor, "account.proposal_refused", f"user:{found.user_id}", {"proposal": str(proposal_id), "state": state}, {"reason": reason})
    _decide(session, actor, found, state, reason)
    return state


def history(session: Session, actor: Any, before: int = 0, about: str = "", kind: str = "", limit: int = 50) -> list[journal.Entry]:
    """What administration did, the newest first: `about` one thing (`user:<id>`, `branch:GAF`), of kinds that begin with `kind`. Refuses: Forbidden."""
    authority.require(actor, "journal.read")
    return journal.read(session, max(before, 0), about[:80].replace("\0", ""), kind[:40].replace("\0", ""), limit)


def _lost(held: Collection[str], is_same_place: bool, wanted: Collection[str]) -> frozenset[str]:
    """The roles that an account would hold no more where it now is."""
    return frozenset(held) - (frozenset(wanted) if is_same_place else frozenset())


def _needs_two(row: Any, agency: str, branch: str, wanted: frozenset[str]) -> bool:
    """Whether a role given by two would be gained, moved elsewhere or come back."""
    sensitive = wanted & roles.GIVEN_BY_TWO
    return bool(sensitive - frozenset(row.roles)) or bool(sensitive and (row.agency, row.branch, row.is_active) != (agency, branch, True))


def _propose(session: Session, actor: Any, user_id: UUID, kind: str, agency: str, branch: str, held: frozenset[str], reason: str) -> UUID:
    proposal_id = identity.new_id()
    journal.append(session, actor, f"account.{kind}_proposed", f"user:{user_id}",
                   {"proposal": str(proposal_id), "agency": agency, "branch": branch, "roles": sorted(held)}, {"reason": reason})  # fmt: skip
    row = {"proposal": proposal_id, "id": user_id, "kind": kind, "agency": agency, "branch": branch, "roles": sorted(held), "reason": reason, "me": actor.user_id}
    try:
        with session.begin_nested():
            session.execute(_PROPOSE, row)
    except IntegrityError as trouble:
        raise errors.Conflict("account.proposed") from trouble
    approvals.ask(session, actor, lambda one: authority.may(one, "account.approve", authors=(actor.user_id, user_id)), "account", proposal_id)
    return proposal_id


def _give(session: Session, actor: Any, row: Any, agency: str, branch: str, held: frozenset[str], sealed: Mapping[str, Any], body: Mapping[str, Any] | None = None) -> None:
    was = {"agency": row.agency, "branch": row.branch, "roles": list(row.roles), "is_active": row.is_active}
    journal.append(session, actor, "account.rights_given", f"user:{row.user_id}", {"was": was, "agency": agency, "branch": branch, "roles": sorted(held), **(body or {})}, sealed)


def _hand_over(session: Session, actor: Any, user_id: UUID, sealed: Mapping[str, Any], body: Mapping[str, Any] | None = None, first: Any = None) -> Given:
    journal.append(session, actor, "account.password_given", f"user:{user_id}", body or {}, sealed)
    if first:
        first()
    password, hashed = _one_time()
    session.execute(_PASSWORD, {"id": user_id, "hash": hashed, "days": ONE_TIME_DAYS})
    session.execute(_END_SESSIONS, {"id": user_id})
    return Given(user_id, password)


def _decide(session: Session, actor: Any, found: Any, state: str, refusal: str = "") -> None:
    session.execute(_DECIDE, {"id": found.proposal_id, "state": state, "me": actor.user_id, "refusal": refusal})
    approvals.answer(session, actor, found.proposed_by, f"account.{state}", found.proposal_id)


def _waiting(session: Session, actor: Any, proposal_id: UUID) -> Any:
    authority.require(actor, "account.write")
    found = session.execute(_LOCK_PROPOSAL, {"id": proposal_id}).one_or_none()
    if found is None:
        raise errors.NotFound("proposal.not_found")
    if found.state != "open":
        raise errors.Conflict("proposal.decided")
    return found


def _locked(session: Session, actor: Any, user_id: UUID) -> Any:
    """The account of somebody else, locked."""
    authority.require(actor, "account.write")
    if not authority.may(actor, "account.write", user_id=user_id):
        raise errors.Forbidden("account.own")
    row = session.execute(_LOCK, {"id": user_id}).one_or_none()
    if row is None:
        raise errors.NotFound("user.not_found")
    return row


def _one_time() -> tuple[str, str]:
    password = identity.one_time_password()
    return password, users.PASSWORDS.hash(password)


def _free(session: Session, username: str) -> str:
    if session.execute(_TAKEN, {"username": username}).scalar():
        raise errors.Conflict("user.exists", username=username)
    return username


def _names(name: str, name_ar: str) -> tuple[str, str]:
    name, name_ar = " ".join(name.split()), " ".join(name_ar.split())
    if not name or len(name) > LONGEST_NAME or len(name_ar) > LONGEST_NAME or not name.isprintable() or not name_ar.isprintable():
        raise errors.wrong("user.name", "/name")
    return name, name_ar


def given_reason(reason: str) -> str:
    """Why something is changed, as it goes into the journal. Refuses: `admin.reason`."""
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise errors.wrong("admin.reason", "/reason", longest=LONGEST_REASON)
    return reason


def _account(row: Any) -> Account:
    return Account(row.user_id, row.username, row.name, row.name_ar, row.agency, row.branch, tuple(row.roles), row.language, row.is_active, row.created_at,
                   row.last_signin_at, row.one_time_until, tuple(row.proposed))  # fmt: skip


def _proposal(session: Session, row: Any, actor: Any) -> Proposal:
    may: list[str] = []
    alone: tuple[vacancies.Vacancy, ...] = ()
    if row.state == "open" and authority.may(actor, "account.write"):
        if authority.may(actor, "account.approve", authors=(row.proposed_by, row.user_id)):
            may.append("approve")
        may.append("withdraw" if row.proposed_by == actor.user_id else "refuse")
        if row.kind == "rights" and (lost := _lost(row.now_roles, (row.now_agency, row.now_branch) == (row.agency, row.branch), row.roles)):
            alone = vacancies.of(session, actor, row.user_id, lost)
    return Proposal(row.proposal_id, row.user_id, row.username, row.name, row.name_ar, row.kind, row.now_agency, row.now_branch, tuple(row.now_roles), row.agency, row.branch,
                    tuple(row.roles), row.reason, row.proposed_by, row.proposed_at, row.state, row.decided_by, row.decided_at, row.refusal, alone, tuple(may))  # fmt: skip
