"""Erasures: forgetting a person. What is due is listed by the dictionary's retentions; one proposes, another approves, and the approval does it (law 2004-63, art. 45).

Her facts, tokens, letters, documents and what was written beside go in one transaction; then her key and the sealed files, which cannot come back. Her cases
stay as lines, positions, numbers and dates: every chain verifies, figures stand. Who was erased is kept beside the keys too: an old backup is erased again.
Not here: what a sitting's own lines say of her aid, under the sitting's key, without her name.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import create_engine, event, text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import authority, users
from engine.casework import editions, staff
from engine.database import Database
from engine.ledger import events
from forms import field_types

_DUE = text("SELECT person_id, root_id, number, branch, ended_at, fields FROM masar_ended_persons() ORDER BY ended_at, person_id")
_CASE = text("SELECT i.instance_id AS root_id, i.person_id, i.branch, i.number FROM instance i WHERE i.instance_id = :id AND i.root_id = i.instance_id AND i.person_id IS NOT NULL")
_RUNS = text("SELECT 1 FROM instance WHERE person_id = :person AND status = 'open' LIMIT 1")
_PROPOSE = text("""INSERT INTO erasure (erasure_id, person_id, root_id, branch, ground, reference, proposed_by, proposed_at)
                   VALUES (:id, :person, :root, :branch, :ground, :reference, :by, :at) ON CONFLICT DO NOTHING RETURNING 1""")
_ROWS = """SELECT e.*, i.number FROM erasure e JOIN instance i ON i.instance_id = e.root_id"""
_LISTED = text(f"{_ROWS} ORDER BY e.state <> 'proposed', e.proposed_at DESC LIMIT 200")
_ONE = text(f"{_ROWS} WHERE e.erasure_id = :id")
_LOCK = text("SELECT erasure_id, person_id, branch, proposed_by, state FROM erasure WHERE erasure_id = :id FOR UPDATE")
_DECIDE = text("UPDATE erasure SET state = :state, decided_by = :by, decided_at = :at, xid = pg_current_xact_id() WHERE erasure_id = :id")
_INSTANCES = text("SELECT instance_id, seq, head, edition, subjects FROM masar_instances_of_person(:person)")
_LOCK_INSTANCE = text("SELECT seq, head FROM instance WHERE instance_id = :id FOR UPDATE")
_HEAD = text("UPDATE instance SET seq = :seq, head = :head WHERE instance_id = :id")
_DOCUMENTS = text("SELECT masar_documents_of_person(:person)")
_MERGED_INTO = text("SELECT masar_merged_into(:person)")
_FORGET = text("SELECT masar_forget_person(:person)")
_BACK = text("SELECT masar_came_back(CAST(:persons AS uuid[]))")
_DONE = text("SELECT person_id FROM erasure WHERE state = 'done'")
# Where rows of a person lay, and what the planner remembers of their values.
_OLDER = text("""SELECT 1 WHERE pg_snapshot_xmin(pg_current_snapshot()) < CAST(:mark AS xid8) UNION ALL
                 SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND age(backend_xmin) > age(CAST(CAST(:mark AS xid8) AS xid)) LIMIT 1""")
_SCRUBBED = ("fact", "person_token", "letter", "document", "draft", "message", "incident", "notice", "repair", "instance", "pg_catalog.pg_statistic")


@dataclass(frozen=True)
class Due:
    """A person whose retention is over, by her last case. `due_on`: the day the longest of what is kept of her ended."""

    case_id: UUID
    case_number: str
    branch: str
    ended_at: dt.datetime
    due_on: dt.date
    is_due: bool


@dataclass(frozen=True)
class Erasure:
    """An erasure, and what its procès-verbal says. `ground`: `retention` or `asked`; `counts`: how much went, by what it was."""

    erasure_id: UUID
    case_id: UUID
    case_number: str
    branch: str
    ground: str
    reference: str
    state: str
    proposed_by: str
    proposed_at: dt.datetime
    decided_by: str
    decided_at: dt.datetime | None
    counts: Mapping[str, int]
    may_approve: bool


def due(session: Session, actor: Any) -> list[Due]:
    """Persons of whom nothing runs any more, those whose retention is over first."""
    authority.require(actor, "erasure.read", branch=actor.branch)
    fields, today = editions.current(session).dictionary.fields, clock.today(clock.now(session))
    found = []
    for row in session.execute(_DUE):
        last = max((_after(row.ended_at, fields[name].retention) for name in row.fields if name in fields), default=clock.today(row.ended_at))
        found.append(Due(row.root_id, row.number or "", row.branch, row.ended_at, last, last <= today))
    return sorted(found, key=lambda one: one.due_on)


def listed(session: Session, actor: Any) -> list[Erasure]:
    authority.require(actor, "erasure.read", branch=actor.branch)
    return _erasures(session, actor, session.execute(_LISTED).all())


def show(session: Session, actor: Any, erasure_id: UUID) -> Erasure:
    """Refuses: `erasure.not_found`."""
    row = session.execute(_ONE, {"id": erasure_id}).one_or_none()
    if row is None or not authority.may(actor, "erasure.read", branch=row.branch):
        raise errors.NotFound("erasure.not_found")
    return _erasures(session, actor, [row])[0]


def propose(session: Session, actor: Any, case_id: UUID, reference: str = "") -> UUID:
    """Proposes to erase the person of a case. `reference`: the number under which she asked for it; without one, her retention must be over.

    Refuses: `case.not_found`; `erasure.running`, `erasure.not_due`, `erasure.proposed` (Conflict).
    """
    row = session.execute(_CASE, {"id": case_id}).one_or_none()
    if row is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "erasure.propose", branch=row.branch)
    if session.execute(_RUNS, {"person": row.person_id}).scalar():
        raise errors.Conflict("erasure.running")
    reference = reference.strip()[:60]
    if not reference and not any(one.is_due and one.case_id == case_id for one in due(session, actor)):
        raise errors.Conflict("erasure.not_due")
    erasure_id = identity.new_id()
    given = {"id": erasure_id, "person": row.person_id, "root": row.root_id, "branch": row.branch, "ground": "asked" if reference else "retention",
             "reference": reference, "by": actor.user_id, "at": clock.now(session)}  # fmt: skip
    if session.execute(_PROPOSE, given).scalar() is None:
        raise errors.Conflict("erasure.proposed")
    return erasure_id


def refuse(session: Session, actor: Any, erasure_id: UUID) -> None:
    """Puts a proposal away; whoever made it may too. Refuses: `erasure.not_found`, `erasure.decided`."""
    row = _locked(session, erasure_id)
    authority.require(actor, "erasure.propose", branch=row.branch)
    session.execute(_DECIDE, {"id": erasure_id, "state": "refused", "by": actor.user_id, "at": clock.now(session)})


def approve(session: Session, actor: Any, erasure_id: UUID) -> Mapping[str, int]:
    """Erases: another than whoever proposed it agrees. Says how much went.

    Refuses: `erasure.not_found`; `erasure.decided`, `erasure.running` (Conflict); Forbidden to whoever proposed it. Records: `person.erased` in each instance.
    """
    row = _locked(session, erasure_id)
    authority.require(actor, "erasure.approve", branch=row.branch, authors=[row.proposed_by])
    if session.execute(_RUNS, {"person": row.person_id}).scalar():
        raise errors.Conflict("erasure.running")
    session.execute(_DECIDE, {"id": erasure_id, "state": "done", "by": actor.user_id, "at": clock.now(session)})
    return _forget(session, actor, row.person_id, {"erasure": str(erasure_id)})


def again(database: Database) -> int:
    """After an old backup was restored, or a death between commit and key: erases once more who was erased. Says how many came back."""
    with database.unit_of_work(users.system()) as session:
        keys = session.info["keys"]
        erased = keys.erased() | set(session.execute(_DONE).scalars())
        back = set(came_back(session, erased))
        for person in sorted(back):
            _forget(session, users.system(), person, {"again": True})
        for person in erased - back:
            keys.remember(person)
            keys.erase(person)
    return len(back)


def came_back(session: Session, persons: set[UUID] | None = None) -> Sequence[UUID]:
    """Those erased of whom there are rows again."""
    erased = session.info["keys"].erased() if persons is None else persons
    return session.execute(_BACK, {"persons": [str(one) for one in erased]}).scalars().all()


def scrub(database: Database) -> None:
    """Writes anew the tables that erased rows lay in, and lets go of old write-ahead log where the server is ours to tell so.

    Waits for whoever may still see those rows, in whatever database of the server: a table written anew keeps what somebody sees.
    """
    engine = create_engine(database.owner_url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            is_ours = connection.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).scalar()
            mark = connection.exec_driver_sql("SELECT CAST(pg_current_xact_id() AS text)").scalar_one()
            while connection.execute(_OLDER, {"mark": mark}).first():
                connection.exec_driver_sql("SELECT pg_sleep(0.1)")
            for name in _SCRUBBED if is_ours else _SCRUBBED[:-1]:
                connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {name}")
            if not is_ours:
                return
            connection.exec_driver_sql("ALTER SYSTEM SET wal_recycle = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
            # Files kept for reuse hold what they held: each is gone through, which fills it with zeros, until none of before is ahead.
            for _ in range(connection.exec_driver_sql("SELECT count(*) FROM pg_ls_waldir()").scalar_one() + 1):
                connection.exec_driver_sql("SELECT pg_logical_emit_message(true, 'masar', ''), pg_switch_wal()")
            for _ in range(2):
                connection.exec_driver_sql("CHECKPOINT")
            connection.exec_driver_sql("ALTER SYSTEM RESET wal_recycle")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
    finally:
        engine.dispose()


def _forget(session: Session, actor: Any, person_id: UUID, told: Mapping[str, Any]) -> Mapping[str, int]:
    """A line in each instance that told of her, then the rows; the key, the files and the list once this is committed."""
    now = clock.now(session)
    for row in session.execute(_INSTANCES, {"person": person_id}).all():
        held = session.execute(_LOCK_INSTANCE, {"id": row.instance_id}).one()
        head = events.append(session, actor, events.Head(row.instance_id, held.seq, bytes(held.head)), None, "person.erased", now, {**told, **({"subjects": row.subjects} if row.subjects else {})}, {}, row.edition)
        session.execute(_HEAD, {"id": row.instance_id, "seq": head.seq, "head": head.hash})
    documents = session.execute(_DOCUMENTS, {"person": person_id}).scalars().all()
    counts = session.execute(_FORGET, {"person": person_id}).scalar_one()
    was = session.execute(_MERGED_INTO, {"person": person_id}).scalars().all()  # what was told of her under another person's key
    for whose in (person_id, *was):
        event.listen(session, "after_commit", _destroying(session.info["keys"], Path(session.info["documents"]), whose, documents), once=True)
    return counts


def _destroying(keys: Any, folder: Path, person_id: UUID, documents: Sequence[UUID]) -> Callable[[Session], None]:
    def destroy(_session: Session) -> None:
        keys.remember(person_id)
        keys.erase(person_id)
        for one in documents:
            keys.erase(one)
            (folder / one.hex[-2:] / f"{one}.sealed").unlink(missing_ok=True)

    return destroy


def _locked(session: Session, erasure_id: UUID) -> Any:
    row = session.execute(_LOCK, {"id": erasure_id}).one_or_none()
    if row is None:
        raise errors.NotFound("erasure.not_found")
    if row.state != "proposed":
        raise errors.Conflict("erasure.decided")
    return row


def _erasures(session: Session, actor: Any, rows: Sequence[Any]) -> list[Erasure]:
    names = staff.names(session, actor.language, (one for row in rows for one in (row.proposed_by, row.decided_by)))
    return [Erasure(row.erasure_id, row.root_id, row.number or "", row.branch, row.ground, row.reference, row.state, names.get(str(row.proposed_by), ""),
                    row.proposed_at, names.get(str(row.decided_by), ""), row.decided_at, row.counts,
                    row.state == "proposed" and authority.may(actor, "erasure.approve", branch=row.branch, authors=[row.proposed_by])) for row in rows]  # fmt: skip


def _after(at: dt.datetime, retention: str) -> dt.date:
    return clock.today(at + field_types.duration(retention))
