"""The log: lines of every chain sealed under one tree, and a signed checkpoint at each sealing; proofs of what stands in it.

Sealing is a chore of the worker, one at a time, at least every minute. The key that signs lies in the key folder, never in the database; which key signs is
told by the journal (`log.key_made`, `log.key_rotated`), whose lines are entries like all others. Not here: who checks (`proving`, `witness`).
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.database import Alone
from engine.ledger import journal, merkle, notes

SLICE = 50_000  # lines under one checkpoint
_UNSEALED = text("SELECT instance_id, seq, hash FROM masar_log_unsealed(:most)")
_LATEST = text("SELECT size, root, note, sealed_at FROM log_checkpoint ORDER BY size DESC LIMIT 1")
_OF_SIZE = text("SELECT size, root, note, sealed_at FROM log_checkpoint WHERE size = :size")
_BEST_FOR = text("""SELECT p.size, p.root, p.note FROM log_checkpoint p LEFT JOIN (SELECT size, count(*) AS words FROM log_cosignature WHERE size > :index GROUP BY size) w USING (size)
                     WHERE p.size > :index ORDER BY coalesce(w.words, 0) DESC, p.size DESC LIMIT 1""")
_COSIGNATURES = text("SELECT c.line FROM log_cosignature c WHERE c.size = :size ORDER BY c.witness")
_WITNESSES = text("SELECT name, key, agency FROM log_witness ORDER BY name")
_LEAVES = text("SELECT leaf FROM masar_log_leaves(:first, :past)")
_ROOTS = text("SELECT root FROM log_tile WHERE tile_row = :row AND place >= :first AND place < :past ORDER BY place")
_TILE = text("SELECT hashes FROM log_tile WHERE tile_row = :row AND place = :place")
_ADD_ENTRIES = text("""INSERT INTO log_entry (log_index, instance_id, seq, hash)
    SELECT :first + n - 1, i, s, h FROM unnest(CAST(:instances AS uuid[]), CAST(:seqs AS bigint[]), CAST(:hashes AS bytea[])) WITH ORDINALITY AS t(i, s, h, n)""")
_ADD_TILE = text("INSERT INTO log_tile (tile_row, place, root, hashes) VALUES (:row, :place, :root, :hashes)")
_ADD_CHECKPOINT = text("INSERT INTO log_checkpoint (size, root, note) VALUES (:size, :root, :note)")
_COSIGN = text("SELECT masar_log_cosign(:size, :witness, :line)")
_NAME_WITNESS = text("INSERT INTO log_witness (name, key, agency) VALUES (:name, :key, :agency)")
_KEYS = text("SELECT seq, line FROM masar_log_keys()")
_ENTRY = text("SELECT log_index, hash FROM log_entry WHERE instance_id = :instance AND seq = :seq")


@dataclass(frozen=True)
class Sealed:
    """A checkpoint as it is kept. `note` is what was signed, with the lines of the witnesses that saw it."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True)
class Inclusion:
    """That a line stands in the log: its place, and the hashes that lead from its leaf to the root of `checkpoint` (base64)."""

    index: int
    instance_id: UUID
    seq: int
    hash: str
    proof: tuple[str, ...]
    checkpoint: str


def leaf_content(instance_id: UUID, seq: int, digest: bytes) -> bytes:
    """What a leaf is of: a line by its chain, number and hash."""
    return instance_id.bytes + seq.to_bytes(8, "big") + digest


# ── Sealing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def seal(session: Session, actor: Any) -> int:
    """Takes the lines that no entry stands for yet, makes them entries and signs; returns how many there were. Without any, nothing is written.

    Records: `log.key_made`, the first time. Raises KeyMissing.
    """
    Alone.LOG.take(session)
    secret = _secret(session) or _first_key(session, actor)
    sealed = 0
    while made := _seal_slice(session, (secret,)):
        sealed += made
    return sealed


def rotate(session: Session, actor: Any) -> notes.Key:
    """From now on another key signs; the checkpoint that says so is signed by both. Whoever knew the old key learns the new one by its word (`key_chain`).

    Records: `log.key_rotated`. Raises KeyMissing.
    """
    Alone.LOG.take(session)
    old = _secret(session) or _first_key(session, actor)
    new = notes.make_key(old.key.name)
    _keep(session.info["keys"].log_folder, new)
    word = notes.sign(notes.rotation_word(old.key, new.key), old)
    journal.append(session, actor, "log.key_rotated", "log", {"key": str(new.key), "old": str(old.key), "word": word}, {})
    while _seal_slice(session, (old, new)):
        pass
    return new.key


class KeyMissing(Exception):
    """The key that the journal names is not in the key folder: nothing is sealed until it is back, or until a new one is made at the terminal."""


def replace_lost_key(session: Session, actor: Any) -> notes.Key:
    """A new key where the old one is lost. No old key speaks for it: every witness says so, and is told by a person whether to believe it.

    Records: `log.key_made`.
    """
    Alone.LOG.take(session)
    name = known[-1].name if (known := keys(session)) else None
    secret = _first_key(session, actor, name)
    while _seal_slice(session, (secret,)):
        pass
    return secret.key


def vouch(session: Session, said: str) -> str:
    """The log's word on a text that is no checkpoint: the line of its signature under a note of it; "" where no key signs (none yet, or it is lost)."""
    try:
        secret = _secret(session)
    except KeyMissing:
        return ""
    return notes.sign(said, secret).rpartition("\n\n")[2] if secret else ""


def _seal_slice(session: Session, signers: Sequence[notes.SecretKey]) -> int:
    rows = session.execute(_UNSEALED, {"most": SLICE}).all()
    if not rows:
        return 0
    last = session.execute(_LATEST).one_or_none()
    size = last.size if last else 0
    edge = merkle.Edge.read(size, reader(session))
    tiles = edge.add(merkle.leaf(leaf_content(row.instance_id, row.seq, bytes(row.hash))) for row in rows)
    session.execute(_ADD_ENTRIES, {"first": size, "instances": [row.instance_id for row in rows], "seqs": [row.seq for row in rows], "hashes": [bytes(row.hash) for row in rows]})
    if tiles:
        session.execute(_ADD_TILE, [{"row": one.row, "place": one.place, "root": one.root, "hashes": one.hashes} for one in tiles])
    told = notes.Checkpoint(signers[0].key.name, edge.size, edge.root())
    session.execute(_ADD_CHECKPOINT, {"size": edge.size, "root": told.root, "note": notes.sign(str(told), *signers)})
    return len(rows)


def _secret(session: Session) -> notes.SecretKey | None:
    """The key that signs now; None before there is one."""
    known = keys(session)
    if not known:
        return None
    try:
        return notes.read_secret((session.info["keys"].log_folder / f"{known[-1].id.hex()}.key").read_text("ascii"))
    except OSError as trouble:
        raise KeyMissing(f"the key {known[-1].id.hex()} that signs the log is not in the key folder") from trouble


def _first_key(session: Session, actor: Any, name: str | None = None) -> notes.SecretKey:
    secret = notes.make_key(name or f"masar/{secrets.token_hex(6)}")
    _keep(session.info["keys"].log_folder, secret)
    journal.append(session, actor, "log.key_made", "log", {"key": str(secret.key)}, {})
    return secret


def _keep(folder: Path, secret: notes.SecretKey) -> None:
    """Writes a key file, whole and on the disk before anything names it. One that nothing names afterwards does no harm."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(folder / f"{secret.key.id.hex()}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secret.written())
        file.flush()
        os.fsync(file.fileno())
    inside = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(inside)
    finally:
        os.close(inside)


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def reader(session: Session) -> merkle.Row:
    """The hashes of a row of the tree, out of tiles and, at the edge, of entries. A tile read once is kept for the proof that asked."""
    kept: dict[tuple[int, int], bytes] = {}

    def tile(row: int, place: int) -> bytes:
        if (row, place) not in kept:
            kept[row, place] = bytes(session.execute(_TILE, {"row": row, "place": place}).scalar() or b"")
        return kept[row, place]

    def hashes(row: int, first: int, past: int) -> list[bytes]:
        if first == past:
            return []
        place, inside = divmod(first, merkle.TILE)
        content = tile(row, place)
        if content:
            return [content[at * 32 : at * 32 + 32] for at in range(inside, inside + past - first)]
        asked = (_LEAVES, {"first": first, "past": past}) if row == 0 else (_ROOTS, {"row": row - 1, "first": first, "past": past})
        found = [bytes(one) for one in session.execute(*asked).scalars()]
        if len(found) != past - first:
            raise errors.NotFound("log.no_such_entry")
        return found

    return hashes


def latest(session: Session) -> Sealed | None:
    """The newest checkpoint, with what witnesses said of it; None before the first."""
    row = session.execute(_LATEST).one_or_none()
    return row and _sealed(session, row)


def of_size(session: Session, size: int) -> Sealed:
    """The checkpoint of that size. Refuses: `log.no_such_entry`."""
    row = session.execute(_OF_SIZE, {"size": size}).one_or_none()
    if row is None:
        raise errors.NotFound("log.no_such_entry")
    return _sealed(session, row)


def best_for(session: Session, index: int) -> Sealed | None:
    """The checkpoint over an entry that most witnesses saw, the newest of those; None before there is one."""
    row = session.execute(_BEST_FOR, {"index": index}).one_or_none()
    return row and _sealed(session, row)


def consistency(session: Session, old: int, new: int) -> tuple[bytes, ...]:
    """The proof that the log of size `old` is the beginning of that of size `new`. Refuses: `log.no_such_entry`."""
    last = session.execute(_LATEST).one_or_none()
    if last is None or not 0 < old <= new <= last.size:
        raise errors.NotFound("log.no_such_entry")
    return tuple(merkle.consistency(old, new, reader(session)))


def inclusion(session: Session, instance_id: UUID, seq: int) -> Inclusion | None:
    """That a line stands in the log, under the newest checkpoint; None while it is not sealed. The caller has asked who may know."""
    found, last = session.execute(_ENTRY, {"instance": instance_id, "seq": seq}).one_or_none(), latest(session)
    return included(session, found.log_index, instance_id, seq, bytes(found.hash), last) if found and last else None


def included(session: Session, index: int, instance_id: UUID, seq: int, digest: bytes, under: Sealed) -> Inclusion:
    """The same of an entry whose place is known."""
    proof = merkle.inclusion(index, under.size, reader(session))
    return Inclusion(index, instance_id, seq, digest.hex(), tuple(base64.b64encode(one).decode() for one in proof), under.note)


def keys(session: Session) -> list[notes.Key]:
    """The keys that signed the log, the oldest first; the last one signs now."""
    return [notes.read_key(one["key"]) for one in key_chain(session)]


def key_chain(session: Session) -> list[Mapping[str, str]]:
    """How each key came: `key`, and where another gave way to it `word`, a note that the one before signed; "" for the first, and after one was lost."""
    bodies = [json.loads(row.line)["body"] for row in session.execute(_KEYS)]
    return [{"key": body["key"], "word": body.get("word", "")} for body in bodies]


def _sealed(session: Session, row: Any) -> Sealed:
    return Sealed(row.size, bytes(row.root), row.note + "".join(session.execute(_COSIGNATURES, {"size": row.size}).scalars()))


# ── Witnesses ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def name_witness(session: Session, actor: Any, key: notes.Key, agency: str) -> None:
    """From now on this witness's word is kept with the checkpoints. At the terminal. Records: `log.witness_named`."""
    if key.algorithm != notes.COSIGNATURE:
        raise notes.Unreadable("this key signs logs; a witness's cosigns (its algorithm is 4)")
    journal.append(session, actor, "log.witness_named", "log", {"name": key.name, "key": str(key), "agency": agency}, {})
    session.execute(_NAME_WITNESS, {"name": key.name, "key": str(key), "agency": agency})


def witnesses(session: Session) -> list[tuple[notes.Key, str]]:
    """Whose word is kept: each witness's key, and its agency."""
    return [(notes.read_key(row.key), row.agency) for row in session.execute(_WITNESSES)]


def take_cosignature(session: Session, size: int, line: str) -> notes.Key:
    """Keeps a witness's line under the checkpoint of that size. Refuses: `log.no_such_entry`, `log.cosignature_wrong` (Invalid)."""
    said = notes.open_note(of_size(session, size).note).text
    for key, _ in witnesses(session):
        if notes.cosigned_at(said, line, key):
            session.execute(_COSIGN, {"size": size, "witness": key.name, "line": line})
            return key
    raise errors.wrong("log.cosignature_wrong", "/line")
