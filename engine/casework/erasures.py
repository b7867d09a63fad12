"""Erasures: forgetting a person. What is due is listed by the dictionary's retentions; one proposes, another approves, and the approval does it (law 2004-63, art. 45).

Her facts, tokens, letters, documents and what was written beside go in one transaction; then her key and the sealed files, which cannot come back. Her cases
stay as lines, positions, numbers and dates: every chain verifies, figures stand. What sittings said of her aids lies under her key too; of their papers goes what
tells of her, and a line says what each is from then on. Who was erased is kept beside the keys too: an old backup is erased again.
Where only some classes of retention are over, what they hold goes and the rest stands: what stays is sealed anew under a new key, the old one is destroyed.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import create_engine, event, text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import approvals, authority, users
from engine.casework import editions, letters, staff
from engine.database import Alone, Database
from engine.dossier import beneficiaries
from engine.ledger import events, sealing
from forms import field_types
from forms import letter as texts

_DUE = text("SELECT person_id, root_id, number, branch, ended_at, fields FROM masar_ended_persons() ORDER BY ended_at, person_id")
_CASE = text("SELECT i.instance_id AS root_id, i.person_id, i.branch, i.number FROM instance i WHERE i.instance_id = :id AND i.root_id = i.instance_id AND i.person_id IS NOT NULL")
_MADE_ONE = text("SELECT merged_into FROM person WHERE person_id = :person")
_RUNS = text("SELECT 1 FROM instance WHERE person_id = :person AND status = 'open' LIMIT 1")
_PROPOSE = text("""INSERT INTO erasure (erasure_id, person_id, root_id, branch, ground, reference, proposed_by, proposed_at, retentions, kept)
                   VALUES (:id, :person, :root, :branch, :ground, :reference, :by, :at, :retentions, :kept) ON CONFLICT DO NOTHING RETURNING 1""")
_ROWS = """SELECT e.*, i.number FROM erasure e JOIN instance i ON i.instance_id = e.root_id"""
_LISTED = text(f"{_ROWS} ORDER BY e.state <> 'proposed', e.proposed_at DESC LIMIT 200")
_ONE = text(f"{_ROWS} WHERE e.erasure_id = :id")
_LOCK = text("SELECT erasure_id, person_id, root_id, branch, proposed_by, state, retentions, kept FROM erasure WHERE erasure_id = :id FOR UPDATE")
_DECIDE = text("UPDATE erasure SET state = :state, decided_by = :by, decided_at = :at, xid = pg_current_xact_id() WHERE erasure_id = :id")
_INSTANCES = text("SELECT instance_id, seq, head, edition, subjects FROM masar_instances_of_person(:person)")
_LOCK_INSTANCE = text("SELECT seq, head FROM instance WHERE instance_id = :id FOR UPDATE")
_HEAD = text("UPDATE instance SET seq = :seq, head = :head WHERE instance_id = :id")
_DOCUMENTS = text("SELECT masar_documents_of_person(:person)")
_MERGED_INTO = text("SELECT masar_merged_into(:person)")
_FORGET = text("SELECT masar_forget_person(:person)")
_FORGET_LISTS = text("SELECT masar_forget_lists(:person)")
_FORGET_FINDINGS = text("SELECT masar_forget_findings(:person)")
_BACK = text("SELECT masar_came_back(CAST(:persons AS uuid[]))")
_DONE = text("SELECT person_id FROM erasure WHERE state = 'done' AND kept IS NULL")
_DONE_IN_PART = text("SELECT DISTINCT ON (person_id) person_id, kept, decided_at FROM erasure WHERE state = 'done' AND kept IS NOT NULL ORDER BY person_id, decided_at DESC")
_PAPERS = text("SELECT letter_id, instance_id, content, aids, numbers FROM masar_papers_of_person(:person, :kept)")
_FORGET_AT_SITTINGS = text("SELECT masar_forget_at_sittings(:person, :kept, CAST(:papers AS jsonb))")
_DOCUMENTS_BESIDE = text("SELECT masar_documents_beside(:person, :kept)")
_FORGET_IN_PART = text("SELECT masar_forget_in_part(:person, :kept)")
_SEALED = text("SELECT instance_id, seq, ciphertext, letter FROM masar_sealed_of_person(:person, :key, :kept)")
_SEAL_ANEW = text("SELECT masar_seal_anew(:person, :key, :kept, :instances, :seqs, :ciphertexts)")
_BACK_IN_PART = text("SELECT masar_came_back_in_part(CAST(:asked AS jsonb))")
_ONE_SEALED = text("SELECT instance_id, seq, ciphertext FROM ledger_sealed WHERE person_id = :person LIMIT 1")
# Where rows of a person lay, and what the planner remembers of their values.
_OLDER = text("""SELECT 1 WHERE pg_snapshot_xmin(pg_current_snapshot()) < CAST(:mark AS xid8) UNION ALL
                 SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND age(backend_xmin) > age(CAST(CAST(:mark AS xid8) AS xid)) LIMIT 1""")
_SCRUBBED = ("fact", "person_token", "letter", "document", "draft", "message", "incident", "notice", "repair", "instance", "ledger_sealed", "replay_snapshot",
             "finding", "finding_word", "journal_line", "charter_line", "pg_catalog.pg_statistic")  # fmt: skip


@dataclass(frozen=True)
class Retained:
    """What is kept of a person under one class of retention (`P5Y`): how many fields, and the day their time ends."""

    retention: str
    fields: int
    due_on: dt.date
    is_due: bool


@dataclass(frozen=True)
class Due:
    """A person of whom nothing runs any more, by her last case. `classes`: what is kept of her, what is over first; `due_on`: the day the first of them ended or ends; `is_due`: some
    are over, `is_whole`: all are."""

    case_id: UUID
    case_number: str
    branch: str
    ended_at: dt.datetime
    due_on: dt.date
    is_due: bool
    is_whole: bool
    classes: tuple[Retained, ...]


@dataclass(frozen=True)
class Erasure:
    """An erasure, and what its procès-verbal says. `ground`: `retention` or `asked`; `retentions`: the classes that went where others stay, () where all went; `counts`: how much
    went, by what it was."""

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
    retentions: tuple[str, ...]


def due(session: Session, actor: Any) -> list[Due]:
    """Persons of whom nothing runs any more, those whose retention is over first."""
    authority.require(actor, "erasure.read", branch=actor.branch)
    today = clock.today(clock.now(session))
    return sorted((_due(row, _classes(session, row), today) for row in session.execute(_DUE)), key=lambda one: one.due_on)


def _classes(session: Session, row: Any) -> dict[str, list[str]]:
    """The fields that are kept of somebody, by their class of retention: what the dictionary in force says (decisions.md 12); one it does not know is kept no longer than the case."""
    fields, found = editions.current(session).dictionary.fields, {}
    for name in row.fields:
        found.setdefault(fields[name].retention if name in fields else "P0D", []).append(name)
    return found


def _due(row: Any, classes: Mapping[str, Sequence[str]], today: dt.date) -> Due:
    ends = {retention: _after(row.ended_at, retention) for retention in classes}
    held = sorted((Retained(one, len(classes[one]), day, day <= today) for one, day in ends.items()), key=lambda one: one.due_on)
    first = held[0].due_on if held else clock.today(row.ended_at)
    return Due(row.root_id, row.number or "", row.branch, row.ended_at, first, first <= today, all(one.is_due for one in held), tuple(held))


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
    """Proposes to erase the person of a case. `reference`: the number under which she asked for it, and all goes; without one, what goes is what is past its class's time, the rest stands.

    Refuses: `case.not_found`; `erasure.running`, `erasure.not_due`, `erasure.proposed`, `erasure.made_one` (she was made one with another in the same moment; Conflict).
    """
    row = session.execute(_CASE, {"id": case_id}).one_or_none()
    if row is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "erasure.propose", branch=row.branch)
    if session.execute(_RUNS, {"person": row.person_id}).scalar():
        raise errors.Conflict("erasure.running")
    reference = reference.strip()[:60]
    over, kept = ((), None) if reference else _over(session, case_id)
    erasure_id = identity.new_id()
    given = {"id": erasure_id, "person": row.person_id, "root": row.root_id, "branch": row.branch, "ground": "asked" if reference else "retention",
             "reference": reference, "by": actor.user_id, "at": clock.now(session), "retentions": list(over), "kept": kept}  # fmt: skip
    if session.execute(_PROPOSE, given).scalar() is None:
        raise errors.Conflict("erasure.proposed")
    # The row above refers to her, so it waited for whoever was making her one with another (`masar_merge` locks both): whose case this is, is asked again.
    if session.execute(_CASE, {"id": case_id}).one().person_id != row.person_id or session.execute(_MADE_ONE, {"person": row.person_id}).scalar() is not None:
        raise errors.Conflict("erasure.made_one")
    about = {"branch": row.branch, "authors": [actor.user_id]}
    approvals.ask(session, actor, lambda one: authority.may(one, "erasure.approve", **about), "erasure", erasure_id, instance_id=case_id)
    return erasure_id


def _over(session: Session, case_id: UUID) -> tuple[tuple[str, ...], list[str] | None]:
    """The classes of retention that are over and the fields that stay; ((), None) where all are over. Refuses: `erasure.not_due`."""
    row = next((one for one in session.execute(_DUE) if one.root_id == case_id), None)
    classes = _classes(session, row) if row is not None else {}
    known = _due(row, classes, clock.today(clock.now(session))) if row is not None else None
    if known is None or not known.is_due:
        raise errors.Conflict("erasure.not_due")
    if known.is_whole:
        return (), None
    over = tuple(one.retention for one in known.classes if one.is_due)
    return over, sorted(name for retention, names in classes.items() if retention not in over for name in names)


def refuse(session: Session, actor: Any, erasure_id: UUID) -> bool:
    """Puts a proposal away; whoever made it takes it back the same way: whether it was so. Refuses: `erasure.not_found`, `erasure.decided`."""
    row = _locked(session, erasure_id)
    authority.require(actor, "erasure.propose", branch=row.branch)
    session.execute(_DECIDE, {"id": erasure_id, "state": "refused", "by": actor.user_id, "at": clock.now(session)})
    approvals.answer(session, actor, row.proposed_by, "erasure.refused", erasure_id, instance_id=row.root_id)
    return row.proposed_by == actor.user_id


def approve(session: Session, actor: Any, erasure_id: UUID) -> Mapping[str, int]:
    """Erases: another than whoever proposed it agrees. Says how much went.

    Refuses: `erasure.not_found`; `erasure.decided`, `erasure.running` (Conflict); Forbidden to whoever proposed it. Records: `person.erased` or `person.erased_in_part` in each instance.
    """
    row = _locked(session, erasure_id)
    authority.require(actor, "erasure.approve", branch=row.branch, authors=[row.proposed_by])
    if session.execute(_RUNS, {"person": row.person_id}).scalar():
        raise errors.Conflict("erasure.running")
    session.execute(_DECIDE, {"id": erasure_id, "state": "done", "by": actor.user_id, "at": clock.now(session)})
    approvals.answer(session, actor, row.proposed_by, "erasure.done", erasure_id)  # of no case: what tells of hers is to be forgotten
    told = {"erasure": str(erasure_id)}
    return _forget(session, actor, row.person_id, told) if row.kept is None else _forget_in_part(session, actor, row.person_id, told | {"retentions": list(row.retentions)}, list(row.kept))


def again(database: Database) -> int:
    """After an old backup was restored, or a death between commit and key: erases once more who was erased. Says how many came back."""
    with database.unit_of_work(users.system()) as session:
        Alone.ERASING.take(session)
        keys = session.info["keys"]
        erased = keys.erased() | set(session.execute(_DONE).scalars())
        back = set(came_back(session, erased))
        for person in sorted(back):
            _forget(session, users.system(), person, {"again": True})
        for person in erased - back:
            keys.remember(person)
            keys.erase(person)
        for person, new in keys.renewing().items():
            _settle(session, keys, person, new)
    return len(back) + _again_in_part(database, erased)


def _again_in_part(database: Database, erased: set[UUID]) -> int:
    """The same of those of whom a part stays: an old backup brings the rest back, and what it sealed is under a key that is gone."""
    with database.unit_of_work(users.system()) as session:
        keys = session.info["keys"]
        for row in session.execute(_DONE_IN_PART).all():
            keys.remember_in_part(row.person_id, row.kept, row.decided_at)
        back = came_back_in_part(session, erased)
        for person, kept in back.items():
            _forget_in_part(session, users.system(), person, {"again": True, "retentions": []}, kept)
    return len(back)


def _settle(session: Session, keys: Any, person: UUID, new: bytes) -> None:
    """After a death at it: the new key is the one where what is sealed opens with it."""
    row = session.execute(_ONE_SEALED, {"person": person}).one_or_none()
    try:
        if row is not None:
            sealing.unseal(new, row.instance_id, row.seq, bytes(row.ciphertext))
        keys.settle(person)
    except sealing.CannotOpen:
        keys.drop_next(person)


def came_back(session: Session, persons: set[UUID] | None = None) -> Sequence[UUID]:
    """Those erased of whom there are rows again."""
    erased = session.info["keys"].erased() if persons is None else persons
    return session.execute(_BACK, {"persons": [str(one) for one in erased]}).scalars().all()


def came_back_in_part(session: Session, erased: set[UUID] | None = None) -> dict[UUID, list[str]]:
    """Those forgotten in part, and not whole since, of whom more than what was kept is there again; with what was kept."""
    keys = session.info["keys"]
    known = {one: told for one, told in keys.erased_in_part().items() if one not in (keys.erased() if erased is None else erased)}
    asked = json.dumps([{"person_id": str(one), "kept": kept, "at": at or None} for one, (kept, at) in known.items()])
    return {one: known[one][0] for one in session.execute(_BACK_IN_PART, {"asked": asked}).scalars()} if known else {}


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
    _tell(session, actor, person_id, "person.erased", told)
    documents = session.execute(_DOCUMENTS, {"person": person_id}).scalars().all()
    lists = session.execute(_FORGET_LISTS, {"person": person_id}).scalars().all()  # before the facts, which name them; each is under a key of its own
    counts = session.execute(_FORGET, {"person": person_id}).scalar_one()
    session.execute(_FORGET_FINDINGS, {"person": person_id})
    was = session.execute(_MERGED_INTO, {"person": person_id}).scalars().all()  # what was told of her under another person's key
    for whose in (person_id, *was, *lists):
        event.listen(session, "after_commit", _destroying(session.info["keys"], Path(session.info["documents"]), whose, documents), once=True)
    return counts


def _forget_in_part(session: Session, actor: Any, person_id: UUID, told: Mapping[str, Any], kept: list[str]) -> Mapping[str, int]:
    """The same of all but some fields. What stays is sealed anew; the old key goes, and with it what the rest sealed, once this is committed."""
    keys, asked = session.info["keys"], {"person": person_id, "kept": kept}
    Alone.ERASING.take(session)
    _tell(session, actor, person_id, "person.erased_in_part", {**told, "kept": kept}, kept)
    documents = session.execute(_DOCUMENTS_BESIDE, asked).scalars().all()
    counts = session.execute(_FORGET_IN_PART, asked).scalar_one()
    beneficiaries.remember_household(session, person_id)
    session.execute(_FORGET_FINDINGS, asked)
    hers = (person_id, *session.execute(_MERGED_INTO, {"person": person_id}).scalars())
    for key in hers:
        old, new = keys.find(key), keys.renew(key)
        rows = session.execute(_SEALED, asked | {"key": key}).all()
        sealed = [sealing.seal(new, row.instance_id, row.seq, _left(old, row, frozenset(kept))) for row in rows]
        session.execute(_SEAL_ANEW, asked | {"key": key, "instances": [row.instance_id for row in rows], "seqs": [row.seq for row in rows], "ciphertexts": sealed})
    event.listen(session, "after_commit", _renewing(keys, Path(session.info["documents"]), hers, kept, clock.now(session), documents), once=True)
    event.listen(session, "after_rollback", lambda _session: [keys.drop_next(key) for key in hers], once=True)
    return counts


def _left(old: bytes | None, row: Any, kept: frozenset[str]) -> Mapping[str, tuple[bytes, Any]]:
    """Of what a line sealed, what stays: answers that are kept, and what proves a paper that is."""
    try:
        opened = sealing.unseal(old, row.instance_id, row.seq, bytes(row.ciphertext)) if old else {}
    except sealing.CannotOpen:  # from an old backup
        opened = {}
    return {name: one for name, one in opened.items() if name.rpartition("|")[2] in kept or (row.letter is not None and name in ("letter", "code"))}


def _tell(session: Session, actor: Any, person_id: UUID, kind: str, told: Mapping[str, Any], kept: list[str] | None = None) -> None:
    """A line in each instance that told of her; the papers of sittings lose what they tell of her, and their line says what each is from then on."""
    now, asked = clock.now(session), {"person": person_id, "kept": kept}
    papers = {row.letter_id: (row.instance_id, texts.without(row.content, row.aids, row.numbers)) for row in session.execute(_PAPERS, asked)}
    for row in session.execute(_INSTANCES, {"person": person_id}).all():
        held = session.execute(_LOCK_INSTANCE, {"id": row.instance_id}).one()
        left = {str(paper): letters.digest(content) for paper, (instance_id, content) in papers.items() if instance_id == row.instance_id}
        body = {**told, **({"subjects": row.subjects} if row.subjects else {}), **({"papers": left} if left else {})}
        head = events.append(session, actor, events.Head(row.instance_id, held.seq, bytes(held.head)), None, kind, now, body, {}, row.edition)
        session.execute(_HEAD, {"id": row.instance_id, "seq": head.seq, "head": head.hash})
    session.execute(_FORGET_AT_SITTINGS, asked | {"papers": json.dumps([{"letter_id": str(paper), "content": content} for paper, (_, content) in papers.items()])})


def _renewing(keys: Any, folder: Path, hers: Sequence[UUID], kept: Sequence[str], at: dt.datetime, documents: Sequence[UUID]) -> Callable[[Session], None]:
    def renew(_session: Session) -> None:
        for key in hers:
            keys.remember_in_part(key, kept, at)
            keys.settle(key)
        _unlink(keys, folder, documents)

    return renew


def _destroying(keys: Any, folder: Path, person_id: UUID, documents: Sequence[UUID]) -> Callable[[Session], None]:
    def destroy(_session: Session) -> None:
        keys.remember(person_id)
        keys.erase(person_id)
        _unlink(keys, folder, documents)

    return destroy


def _unlink(keys: Any, folder: Path, documents: Sequence[UUID]) -> None:
    for one in documents:
        keys.erase(one)
        (folder / one.hex[-2:] / f"{one}.sealed").unlink(missing_ok=True)


def _locked(session: Session, erasure_id: UUID) -> Any:
    row = session.execute(_LOCK, {"id": erasure_id}).one_or_none()
    if row is None:
        raise errors.NotFound("erasure.not_found")
    if row.state != "proposed":
        raise errors.Conflict("erasure.decided")
    return row


def _erasures(session: Session, actor: Any, rows: Sequence[Any]) -> list[Erasure]:
    names = staff.names(session, actor.language, (one for row in rows for one in (row.proposed_by, row.decided_by)))
    return [Erasure(row.erasure_id, row.root_id, row.number or "", row.branch, row.ground, row.reference, approvals.state_of(row), names.get(str(row.proposed_by), ""),
                    row.proposed_at, names.get(str(row.decided_by), ""), row.decided_at, row.counts,
                    row.state == "proposed" and authority.may(actor, "erasure.approve", branch=row.branch, authors=[row.proposed_by]),
                    tuple(row.retentions)) for row in rows]  # fmt: skip


def _after(at: dt.datetime, retention: str) -> dt.date:
    return clock.today(at + field_types.duration(retention))
