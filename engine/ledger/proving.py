"""Proving the whole: every chain, what each line sealed, the log over all of them, its checkpoints and signatures; on a live database, as of one instant.

Chains are proved in slices, by two processes where there is much; the log beside them. Nothing is mended. What cannot be checked is told apart from what is wrong.
"""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.database import Acting, Database
from engine.ledger import chain, log, merkle, notes, sealing
from engine.ledger.journal import JOURNAL

_LINES_A_SLICE, _WORTH_A_PROCESS = 20_000, 60_000
_CHAINS = text("""SELECT instance_id, count(*) AS lines FROM (SELECT instance_id FROM ledger_line UNION ALL SELECT instance_id FROM log_entry
                   UNION ALL SELECT instance_id FROM instance) c WHERE instance_id <> :journal GROUP BY instance_id ORDER BY instance_id""")
_SLICE = text("""SELECT instance_id, seq, l.kind, l.line, l.hash, e.log_index, e.hash AS sealed_hash, s.person_id, s.ciphertext
                   FROM (SELECT * FROM ledger_line WHERE instance_id BETWEEN :first AND :last) l
                   FULL JOIN (SELECT * FROM log_entry WHERE instance_id BETWEEN :first AND :last) e USING (instance_id, seq)
                   LEFT JOIN ledger_sealed s USING (instance_id, seq) ORDER BY instance_id, seq""")
_HEADS = text("SELECT instance_id, seq, head FROM instance WHERE instance_id BETWEEN :first AND :last")
_JOURNAL = text("""SELECT CAST(:journal AS uuid) AS instance_id, seq, j.kind, j.line, j.hash, e.log_index, e.hash AS sealed_hash, j.key_id AS person_id, j.ciphertext
                     FROM journal_line j FULL JOIN (SELECT * FROM log_entry WHERE instance_id = :journal) e USING (seq) ORDER BY seq""")
_ENTRIES = text("SELECT log_index, instance_id, seq, hash FROM log_entry ORDER BY log_index")
_TILES = text("SELECT tile_row, place, root, hashes FROM log_tile ORDER BY tile_row, place")
_CHECKPOINTS = text("SELECT size, root, note FROM log_checkpoint ORDER BY size")
_COSIGNATURES = text("SELECT c.size, c.witness, c.line, w.key FROM log_cosignature c JOIN log_witness w ON w.name = c.witness ORDER BY c.size, c.witness")


@dataclass(frozen=True)
class Wrong:
    """The first thing wrong with a case (or with the log: `instance_id` None). `code` as in README; `seq`: its line; `index`: its place in the log."""

    code: str
    instance_id: UUID | None = None
    seq: int | None = None
    index: int | None = None
    about: str = ""


@dataclass
class Proof:
    """What was looked at, what is wrong, and what could not be checked."""

    wrong: list[Wrong] = field(default_factory=list)
    chains: int = 0
    lines: int = 0
    entries: int = 0
    unsealed: int = 0
    erased: int = 0
    checkpoints: int = 0
    cosignatures: int = 0
    oldest_unsealed: str = ""  # when the oldest of them was recorded
    roots: dict[int, bytes] = field(default_factory=dict)  # of the sizes asked for

    def __iadd__(self, other: "Proof") -> "Proof":
        self.wrong += other.wrong
        for name in ("chains", "lines", "entries", "unsealed", "erased", "checkpoints", "cosignatures"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.oldest_unsealed = min(filter(None, (self.oldest_unsealed, other.oldest_unsealed)), default="")
        self.roots |= other.roots
        return self


@dataclass(frozen=True)
class Seen:
    """A checkpoint that somebody keeps elsewhere (a witness), and who."""

    by: str
    size: int
    root: bytes


def prove(database: Database, actor: Acting, seen: Sequence[Seen] = (), tell: Callable[[int, int], None] = lambda _done, _all: None) -> Proof:
    """Proves everything. `seen`: checkpoints kept elsewhere, which the log must still begin with. `tell(done, all)`: lines looked at so far."""
    whole = Proof()
    with database.still(actor) as (session, snapshot):
        slices, lines = _slices(session.execute(_CHAINS, {"journal": JOURNAL}))
        done = 0

        def count(found: Proof) -> None:
            nonlocal whole, done
            whole += found
            done += found.lines + found.entries
            tell(done, 2 * lines)

        pool, futures = _pool(database, actor, snapshot, lines)
        if pool is None:
            for first, last in slices:
                count(_prove_slice(session, first, last))
        else:
            futures = [pool.submit(_in_process, first, last) for first, last in slices]
        count(_prove_journal(session))
        count(_prove_log(session, seen))
        for one in futures:
            count(one.result())
        if pool is not None:
            pool.shutdown()
    whole.wrong.sort(key=lambda one: (one.instance_id is not None, str(one.instance_id), one.seq or 0))
    return whole


# ── Chains ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _slices(rows: Iterable[Any]) -> tuple[list[tuple[UUID, UUID]], int]:
    """Ranges of instances with some 20,000 lines each, and how many lines there are."""
    found: list[tuple[UUID, UUID]] = []
    first, count, total = None, 0, 0
    for row in rows:
        first, last, count, total = first or row.instance_id, row.instance_id, count + row.lines, total + row.lines
        if count >= 2 * _LINES_A_SLICE:
            found.append((first, last))
            first, count = None, 0
    if first:
        found.append((first, last))
    return found, total // 2


_process: Any = None


def _pool(database: Database, actor: Acting, snapshot: str, lines: int) -> tuple[Executor | None, list[Any]]:
    """A second process that sees what this one sees; none where it would cost more than it saves."""
    if lines < _WORTH_A_PROCESS:
        return None, []
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin_process, (database.app_url, database.carried, actor, snapshot)), []


def _begin_process(url: str, carried: Mapping[str, Any], actor: Acting, snapshot: str) -> None:
    global _process
    _process = (Database(url, **carried), actor, snapshot)


def _in_process(first: UUID, last: UUID) -> Proof:
    database, actor, snapshot = _process
    with database.still(actor, snapshot) as (session, _):
        return _prove_slice(session, first, last)


def _prove_slice(session: Session, first: UUID, last: UUID) -> Proof:
    asked = {"first": first, "last": last}
    heads = {row.instance_id: (row.seq, bytes(row.head)) for row in session.execute(_HEADS, asked)}
    found = _prove_chains(session, _rows(session, _SLICE, asked), heads)
    for instance_id in heads:  # without any line at all
        found.wrong.append(Wrong("chain.gone", instance_id, 1))
    return found


def _prove_journal(session: Session) -> Proof:
    return _prove_chains(session, _rows(session, _JOURNAL, {"journal": JOURNAL}), {})


def _rows(session: Session, statement: Any, asked: Mapping[str, Any]) -> Iterator[Any]:
    return session.execute(statement, asked, execution_options={"yield_per": 5_000})


def _prove_chains(session: Session, rows: Iterable[Any], heads: dict[UUID, tuple[int, bytes]]) -> Proof:
    """Proves chains whose rows come one chain after the other; takes out of `heads` those it met."""
    found = Proof()
    link: _Link | None = None
    for row in rows:
        if link is None or row.instance_id != link.instance_id:
            if link:
                link.end(heads, found)
            link = _Link(row.instance_id)
            found.chains += 1
        link.take(session, row, found)
    if link:
        link.end(heads, found)
    return found


class _Link:
    """Where the proving of one chain stands. The first thing wrong is what is told: all after it hangs on it."""

    __slots__ = ("instance_id", "is_wrong", "keys", "last", "missing", "prev", "sealed_to")

    def __init__(self, instance_id: UUID) -> None:
        self.instance_id, self.last, self.prev, self.sealed_to, self.is_wrong = instance_id, 0, chain.BEGINNING, 0, False
        self.keys: dict[UUID, bytes | None] = {}
        self.missing: dict[str, tuple[int, int | None]] = {}  # names sealed and not there any more, with the first line and its place in the log: an erasure in part must tell of them

    def take(self, session: Session, row: Any, found: Proof) -> None:
        seq = row.seq
        if row.line is None:  # sealed, and gone
            self._blame("line.gone", seq, row.log_index, found)
            return
        found.lines += 1
        digest = bytes(row.hash)
        if row.log_index is None:
            found.unsealed += 1
        elif self.sealed_to != seq - 1:
            self._blame("line.never_sealed", self.sealed_to + 1, None, found)
        if row.log_index is not None:
            self.sealed_to = seq
            if bytes(row.sealed_hash) != digest:
                self._blame("line.not_as_sealed", seq, row.log_index, found)
        if not self.is_wrong:
            told, faults = chain.verify_line(self.instance_id, self.last + 1, self.prev, seq, row.line, digest)
            for at, code in faults:
                self._blame(f"chain.{code}", at, row.log_index, found)
            if not faults:
                if row.log_index is None:
                    found.oldest_unsealed = min(found.oldest_unsealed or "~", told["recorded_at"])
                if told["kind"] != row.kind:
                    self._blame("line.kind", seq, row.log_index, found)
                self._open(session, row, told["sealed"], found)
                if told["kind"] == "person.erased_in_part":
                    kept = () if told["body"].get("again") else set(told["body"]["kept"])  # done again after an old backup: what that one sealed opens with no key
                    self.missing = {name: place for name, place in self.missing.items() if name in kept}
        self.last, self.prev = seq, digest

    def _open(self, session: Session, row: Any, told: Mapping[str, str], found: Proof) -> None:
        """Whether what the line sealed is what it committed to, where the key still is."""
        if row.ciphertext is None or not told:  # values without a commitment were put there, key or no key
            if told or row.ciphertext is not None:
                self._blame("sealed.gone" if told else "sealed.other", row.seq, row.log_index, found)
            return
        owner = row.person_id or self.instance_id
        if owner not in self.keys:
            self.keys[owner] = session.info["keys"].find(owner)
        key = self.keys[owner]
        if key is None:
            found.erased += 1
            return
        try:
            opened = sealing.unseal(key, self.instance_id, row.seq, bytes(row.ciphertext))
        except sealing.CannotOpen:
            opened = {"": (b"", None)}
        committed = chain.commitments(opened)
        if not committed.items() <= told.items():
            self._blame("sealed.other", row.seq, row.log_index, found)
            return
        for name in told.keys() - committed.keys():
            self.missing.setdefault(name.rpartition("|")[2] if "|" in name else "", (row.seq, row.log_index))

    def end(self, heads: dict[UUID, tuple[int, bytes]], found: Proof) -> None:
        if self.missing and not self.is_wrong:
            self._blame("sealed.other", *min(self.missing.values(), key=lambda one: one[0]), found)
        seq, head = heads.pop(self.instance_id, (None, b""))
        if seq is None:
            if self.instance_id != JOURNAL:
                self._blame("case.gone", 1, None, found)
        elif (seq, head) != (self.last, self.prev):
            self._blame("chain.head", min(seq, self.last) + 1 if seq != self.last else seq, None, found)

    def _blame(self, code: str, seq: int, index: int | None, found: Proof) -> None:
        if not self.is_wrong:
            found.wrong.append(Wrong(code, self.instance_id, seq, index))
        self.is_wrong = True


# ── The log ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _prove_log(session: Session, seen: Sequence[Seen]) -> Proof:
    found = Proof()
    checkpoints = session.execute(_CHECKPOINTS).all()
    asked = {row.size for row in checkpoints} | {one.size for one in seen}
    kept = {(row.tile_row, row.place): (bytes(row.root), bytes(row.hashes)) for row in _rows(session, _TILES, {})}
    edge, places = merkle.Edge(), []
    for row in _rows(session, _ENTRIES, {}):
        if row.log_index != edge.size:
            found.wrong.append(Wrong("entry.gone", index=edge.size))
            break
        for tile in edge.add((merkle.leaf(log.leaf_content(row.instance_id, row.seq, bytes(row.hash))),)):
            _compare(tile, kept.pop((tile.row, tile.place), None), found)
        if edge.size in asked:
            found.roots[edge.size] = edge.root()
    found.entries = edge.size
    for row, place in kept:
        found.wrong.append(Wrong("tile.too_many", index=(place + 1) * merkle.TILE ** (row + 1)))
    _prove_checkpoints(session, checkpoints, edge.size, found)
    _prove_seen([*_cosigned(session, checkpoints, found), *seen], found)
    return found


def _compare(made: merkle.Tile, stored: tuple[bytes, bytes] | None, found: Proof) -> None:
    """A stored tile against the entries: names the first entry that it does not stand for."""
    if stored == (made.root, made.hashes):
        return
    at = next((at for at in range(merkle.TILE) if stored is None or stored[1][at * 32 : at * 32 + 32] != made.hashes[at * 32 : at * 32 + 32]), 0)
    found.wrong.append(Wrong("tile.other", index=(made.place * merkle.TILE + at) * merkle.TILE**made.row))


def _prove_checkpoints(session: Session, checkpoints: Sequence[Any], size: int, found: Proof) -> None:
    keys, known, good = log.keys(session), 0, 0
    for row in checkpoints:
        found.checkpoints += 1
        try:
            note = notes.open_note(row.note)
            said = notes.read_checkpoint(note.text)
        except notes.Unreadable:
            found.wrong.append(Wrong("checkpoint.unreadable", index=row.size))
            continue
        signed = [place for place, key in enumerate(keys[known:], known) if notes.is_signed(note, key)]
        if not signed:
            found.wrong.append(Wrong("checkpoint.unsigned", index=row.size))
        known = max([known, *signed])  # a key that gave way to another signs no more
        if (said.size, said.root) != (row.size, bytes(row.root)):
            found.wrong.append(Wrong("checkpoint.other", index=row.size))
        if found.roots.get(said.size) == said.root:
            good = said.size
        else:
            found.wrong.append(Wrong("checkpoint.root", index=good, about=f"{good}–{said.size - 1}"))
            break  # every later one hangs on it
    if checkpoints and not found.wrong and checkpoints[-1].size != size:
        found.wrong.append(Wrong("entry.without_checkpoint", index=checkpoints[-1].size))
    if not checkpoints and size:
        found.wrong.append(Wrong("entry.without_checkpoint", index=0))


def _cosigned(session: Session, checkpoints: Sequence[Any], found: Proof) -> Iterator[Seen]:
    texts = {row.size: row.note for row in checkpoints}
    for row in session.execute(_COSIGNATURES):
        found.cosignatures += 1
        try:
            note = notes.open_note(texts[row.size])
            said, when = notes.read_checkpoint(note.text), notes.cosigned_at(note.text, row.line, notes.read_key(row.key))
        except (notes.Unreadable, KeyError):
            when = None
        if when is None:
            found.wrong.append(Wrong("cosignature.wrong", index=row.size, about=row.witness))
        else:
            yield Seen(row.witness, said.size, said.root)


def _prove_seen(seen: Iterable[Seen], found: Proof) -> None:
    """What each witness saw is the beginning of the log: names the first that it is not, and between which two sizes it changed."""
    good: dict[str, int] = {}
    bad: set[str] = set()
    for one in sorted(seen, key=lambda one: one.size):
        if one.by in bad:
            continue
        if found.roots.get(one.size) == one.root:
            good[one.by] = one.size
        else:
            bad.add(one.by)
            since = good.get(one.by, 0)
            found.wrong.append(Wrong("witness.other", index=since, about=f"{one.by}, {since}–{one.size - 1}"))


def located(session: Session, first: int, past: int) -> list[tuple[int, UUID, int]]:
    """The entries of a range of the log: index, instance, line."""
    rows = session.execute(text("SELECT log_index, instance_id, seq FROM log_entry WHERE log_index >= :first AND log_index < :past ORDER BY log_index LIMIT 50"), {"first": first, "past": past})
    return [(row.log_index, row.instance_id, row.seq) for row in rows]
