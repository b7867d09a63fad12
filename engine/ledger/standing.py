"""What stands and has no line of its own: the walls of the database, editions, who consulted what. Noted in the journal, so that the log and its witnesses bear it out too.

A line `log.stood` says what was not noted before: digests, never a value. What was noted once does not change: of the walls, while Masar's own migrations are the same.
Between two notes, an hour apart, whoever owns the database could still change it unseen.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.ledger import journal

_MIGRATIONS = Path(__file__).parents[1] / "migrations"
_LENGTH = 32  # hex digits of a digest
_UTC = text("SET LOCAL TIME ZONE 'UTC'")  # instants as text
_LINES = text("SELECT seq, line FROM journal_line WHERE kind = 'log.stood' ORDER BY seq")
_WALLS = text("""
    SELECT 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name, concat_ws(' ', pg_get_functiondef(p.oid), p.proacl, p.proowner::regrole) AS said
      FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prokind IN ('f', 'p')
    UNION ALL SELECT 'policy ' || policyname || ' on ' || tablename, concat_ws(' ', permissive, roles, cmd, qual, '/', with_check) FROM pg_policies WHERE schemaname = 'public'
    UNION ALL SELECT 'trigger ' || t.tgname || ' on ' || c.relname, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
               WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
    UNION ALL SELECT 'table ' || c.relname, concat_ws(' ', c.relrowsecurity, c.relforcerowsecurity, c.relowner::regrole, c.relacl,
                     (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attgenerated, a.attacl), ',' ORDER BY a.attname)
                        FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
                     (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgisinternal AND t.tgenabled <> 'O'))
                FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'alembic_version'
    UNION ALL SELECT 'constraint ' || n.conname || ' on ' || n.conrelid::regclass::text, concat_ws(' ', pg_get_constraintdef(n.oid), n.convalidated) FROM pg_constraint n WHERE n.connamespace = 'public'::regnamespace AND n.conrelid <> 0
    UNION ALL SELECT 'index ' || i.indexname, i.indexdef FROM pg_indexes i WHERE i.schemaname = 'public' AND i.indexdef LIKE 'CREATE UNIQUE%'
    UNION ALL SELECT 'role ' || rolname, concat_ws(' ', rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin) FROM pg_roles WHERE rolname = 'masar_app'""")
_SERVER = text("SELECT current_setting('server_version_num')::int / 10000 || ' ' || (SELECT datdba::regrole FROM pg_database WHERE datname = current_database())")
# Rows that stay as they are once they stand; of those that are decided later, what was asked. No column that tells of a person: digests outlive her.
_ROWS = {
    "edition": "SELECT number, row(number, edition_id, digest, files, published_at, published_by) FROM edition",
    "edition_start": "SELECT start_id, row(s.*) FROM edition_start s",
    "warning_accepted": "SELECT edition_id || ' ' || digest, row(w.*) FROM warning_accepted w",
    "programme": "SELECT code || ' ' || version, row(code, version, valid_from, content, is_inferred) FROM programme WHERE valid_from <= masar_now()::date",
    "parameter": "SELECT code || ' ' || valid_from, row(code, valid_from, value, is_inferred) FROM parameter WHERE valid_from <= masar_now()::date",
    "fund_movement": "SELECT movement_id, row(m.*) FROM fund_movement m",
    "erasure": "SELECT erasure_id, row(person_id, root_id, branch, ground, reference, proposed_by, proposed_at, retentions, kept) FROM erasure",
    "merger": "SELECT merger_id, row(kept, gone, instance_id, other_id, seq, proposed_by, proposed_at) FROM merger",
    "told_apart": "SELECT one || ' ' || other, row(t.*) FROM told_apart t",
    "repair": "SELECT repair_id, row(instance_id, root_id, branch, act, touches, class, seq, proposed_by, proposed_at, expires_at) FROM repair",
    "halfyear_report": "SELECT year || '/' || half, row(r.*) FROM halfyear_report r",
    "staff_leave": "SELECT leave_id, row(user_id, from_on, until_on, stand_in_id, said_by, said_at) FROM staff_leave",
}
# Those of which one may go: with its person, or before it began.
_MAY_GO = frozenset({"repair", "parameter", "programme"})
_CONSULTED = text("""SELECT DISTINCT ON (root_id) root_id, seq, encode(hash, 'hex') AS hash FROM consultation ORDER BY root_id, seq DESC""")
_ENTRY = text("SELECT encode(hash, 'hex') FROM consultation WHERE root_id = :root AND seq = :seq")


def note(session: Session, actor: Any) -> bool:
    """Notes what stands and was not noted yet; whether there was any. Records: `log.stood`."""
    noted = _noted(session)
    version = _version(session)
    walls = {} if version in noted.walls else _walls(session)
    rows = {name: digest for name, digest in _rows(session).items() if name not in noted.rows}
    consulted = {root: place for root, place in _consulted(session).items() if place[0] > noted.consulted.get(root, (0,))[0]}
    body = {"walls": {"version": version, "said": walls}} if walls else {}
    body |= ({"rows": rows} if rows else {}) | ({"consulted": consulted} if consulted else {})
    if body:
        journal.append(session, actor, "log.stood", "log", body, {})
    return bool(body)


def differences(session: Session) -> Iterator[tuple[str, str, str]]:
    """What is not as it was noted: (`wall`, `row` or `consulted`; what; of which case, or "")."""
    noted = _noted(session)
    said = noted.walls.get(_version(session))
    if said is not None:
        now = _walls(session)
        yield from (("wall", name, "") for name in sorted(said.keys() | now.keys()) if said.get(name) != now.get(name))
    now = _rows(session)
    for name, digest in noted.rows.items():
        if now.get(name, "" if name.partition(" ")[0] in _MAY_GO else None) not in (digest, ""):
            yield "row", name, ""
    for root, (seq, digest) in noted.consulted.items():
        if session.execute(_ENTRY, {"root": UUID(root), "seq": seq}).scalar() != digest:
            yield "consulted", f"line {seq}", root


def left_out(session: Session) -> Iterator[str]:
    """What cannot be held against a note, in words."""
    noted = _noted(session)
    if _version(session) not in noted.walls:
        yield "functions, policies and triggers of the database: this version of Masar has not noted them yet"
    if later := sum(1 for name in _rows(session) if name not in noted.rows):
        yield f"{later:,} rows that have no line of their own and were not noted yet"
    if later := sum(place[0] - noted.consulted.get(root, (0,))[0] for root, place in _consulted(session).items()):
        yield f"that the last {later:,} consultations are all there were: they were not noted yet"


class _Noted:
    """What lines said, the first of each: later ones add to it."""

    def __init__(self) -> None:
        self.walls: dict[str, Mapping[str, str]] = {}
        self.rows: dict[str, str] = {}
        self.consulted: dict[str, list[Any]] = {}


def _noted(session: Session) -> _Noted:
    found = _Noted()
    for row in session.execute(_LINES):
        body = json.loads(row.line)["body"]
        if "walls" in body:
            found.walls.setdefault(body["walls"]["version"], body["walls"]["said"])
        for name, digest in body.get("rows", {}).items():
            found.rows.setdefault(name, digest)
        for root, place in body.get("consulted", {}).items():
            if place[0] > found.consulted.get(root, (0,))[0]:  # a chain only grows
                found.consulted[root] = place
    return found


def _version(session: Session) -> str:
    """What the walls are expected to be the same under: the migrations of this Masar, the server's version, the database's owner."""
    said = hashlib.sha256(session.execute(_SERVER).scalar_one().encode())
    for path in sorted([*_MIGRATIONS.glob("*.sql"), *_MIGRATIONS.glob("versions/*.py")]):
        said.update(path.name.encode() + path.read_bytes())
    return said.hexdigest()[:_LENGTH]


def _walls(session: Session) -> dict[str, str]:
    return {row.name: _digest(row.said) for row in session.execute(_WALLS)}


def _rows(session: Session) -> dict[str, str]:
    session.execute(_UTC)
    return {f"{table} {key}": _digest(said) for table, query in _ROWS.items() for key, said in session.execute(text(f"SELECT a::text, b::text FROM ({query}) x(a, b)"))}


def _consulted(session: Session) -> dict[str, list[Any]]:
    return {str(row.root_id): [row.seq, row.hash] for row in session.execute(_CONSULTED)}


def _digest(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()[:_LENGTH]
