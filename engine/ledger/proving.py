"""Proving the whole: every chain, what each line sealed, the log over all of them, its checkpoints and signatures; on a live database, as of one instant.

Chains are proved in slices, by as many processes as there are processors where there is much; the log beside them. Rows are read by ranges of keys, a page at a time, past SQLAlchemy:
of a million lines every microsecond counts, and no more than a page is ever in memory. Nothing is mended. What cannot be checked is told apart from what is wrong.
"""

import gc
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.types.string import ByteaBinaryLoader
from sqlalchemy import text
from sqlmodel import Session

from engine.database import Acting, Database
from engine.ledger import chain, log, merkle, notes, sealing
from engine.ledger.journal import JOURNAL

_LINES_A_SLICE, _WORTH_A_PROCESS, _MOST_PROCESSES = 20_000, 60_000, 8
_LINES_A_PAGE, _ENTRIES_A_PAGE = 4_000, 64 * merkle.TILE
_LAST = 2**63 - 1
_INSTANCES = text("SELECT instance_id, seq FROM instance ORDER BY instance_id")
_HEADS = text("SELECT instance_id, seq, head FROM instance WHERE instance_id > :after AND instance_id <= :last")
# By index, whatever the planner takes the tables for: pages come in the order of the keys, and of what is not asked for nothing is read.
_BY_INDEX = text("SELECT set_config(name, 'off', true) FROM unnest(ARRAY['enable_seqscan', 'enable_bitmapscan', 'enable_sort', 'enable_hashjoin', 'enable_mergejoin']) name")
_RANGE = "(instance_id, seq) > (%(instance)s, %(seq)s) AND (instance_id, seq) <= (%(to_instance)s, %(to_seq)s) ORDER BY instance_id, seq"
_LINES = f"SELECT instance_id, seq, kind, line, hash FROM ledger_line WHERE {_RANGE} LIMIT %(most)s"
_SEALED = f"SELECT instance_id, seq, person_id, ciphertext FROM ledger_sealed WHERE {_RANGE}"
_STAND_FOR = f"SELECT instance_id, seq, log_index, hash FROM log_entry WHERE {_RANGE}"
_JOURNAL_LINES = """SELECT %(instance)s::uuid, seq, kind, line, hash FROM journal_line WHERE seq > %(seq)s AND seq <= %(to_seq)s ORDER BY seq LIMIT %(most)s"""
_JOURNAL_SEALED = "SELECT %(instance)s::uuid, seq, key_id, ciphertext FROM journal_line WHERE seq > %(seq)s AND seq <= %(to_seq)s AND ciphertext IS NOT NULL"
_ENTRIES = "SELECT log_index, uuid_send(instance_id) || int8send(seq) || hash FROM log_entry WHERE log_index >= %(first)s AND log_index < %(past)s ORDER BY log_index"
_NEXT_ENTRY = "SELECT min(log_index) FROM log_entry WHERE log_index >= %(first)s"
_TILES = "SELECT place, root, hashes FROM log_tile WHERE tile_row = %(row)s AND place >= %(first)s AND place < %(past)s"
_TILES_BEYOND = "SELECT min(place) FROM log_tile WHERE tile_row = %(row)s AND place >= %(past)s"
_TILE_ROWS = text("SELECT coalesce(max(tile_row), -1) FROM log_tile")
_CHECKPOINTS = text("SELECT size, root, note FROM log_checkpoint ORDER BY size")
_COSIGNATURES = text("SELECT c.size, c.witness, c.line, w.key FROM log_cosignature c JOIN log_witness w ON w.name = c.witness ORDER BY c.size, c.witness")
_Key = tuple[bytes, int]  # instance, line


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
        slices, lines = _slices(session.execute(_INSTANCES))
        done = 0

        def count(found: Proof) -> None:
            nonlocal whole, done
            whole += found
            done += found.lines + found.entries
            tell(done, 2 * lines)

        pool, futures = _pool(database, actor, snapshot, lines)
        if pool is None:
            for after, last in slices:
                count(_prove_slice(session, after, last))
        else:
            futures = [pool.submit(_in_process, after, last) for after, last in slices]
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
    """Ranges of instances (after, last) with some 20,000 lines each that together hold every instance there could be, and how many lines there should be."""
    found: list[tuple[UUID, UUID]] = []
    after, count, total = JOURNAL, 0, 0
    for row in rows:
        count, total = count + row.seq, total + row.seq
        if count >= _LINES_A_SLICE:
            found.append((after, row.instance_id))
            after, count = row.instance_id, 0
    return [*found, (after, UUID(int=2**128 - 1))], total


_process: Any = None


def _pool(database: Database, actor: Acting, snapshot: str, lines: int) -> tuple[Executor | None, list[Any]]:
    """Processes that see what this one sees; none where they would cost more than they save."""
    if lines < _WORTH_A_PROCESS:
        return None, []
    number = min(_MOST_PROCESSES, len(os.sched_getaffinity(0)))
    # A copy of this process is ready at once; one begun anew imports for seconds. Whoever has threads is not copied: a lock of theirs would stay shut.
    way = multiprocessing.get_context("fork" if threading.active_count() == 1 else "spawn")
    return ProcessPoolExecutor(number, way, _begin_process, (database.app_url, database.carried, actor, snapshot)), []


def _begin_process(url: str, carried: Mapping[str, Any], actor: Acting, snapshot: str) -> None:
    """In a connection of its own: the one that a copy was given is the first process's."""
    global _process
    gc.disable()  # nothing here turns in circles, and looking for circles takes a tenth of the time
    _process = (Database(url, **carried), actor, snapshot)


def _in_process(after: UUID, last: UUID) -> Proof:
    database, actor, snapshot = _process
    with database.still(actor, snapshot) as (session, _):
        return _prove_slice(session, after, last)


def _prove_slice(session: Session, after: UUID, last: UUID) -> Proof:
    heads = {row.instance_id.bytes: (row.seq, bytes(row.head)) for row in session.execute(_HEADS, {"after": after, "last": last})}
    found = _prove_chains(session, _pages(session, _LINES, _SEALED, (after.bytes, _LAST), (last.bytes, _LAST)), heads)
    for instance in heads:  # without any line at all
        found.wrong.append(Wrong("chain.gone", UUID(bytes=instance), 1))
    return found


def _prove_journal(session: Session) -> Proof:
    return _prove_chains(session, _pages(session, _JOURNAL_LINES, _JOURNAL_SEALED, (JOURNAL.bytes, 0), (JOURNAL.bytes, _LAST)), {})


class _Reader:
    """Rows of one session as tuples, UUIDs and texts as bytes."""

    def __init__(self, session: Session) -> None:
        session.execute(_BY_INDEX)
        self._cursor = session.connection().connection.driver_connection.cursor(binary=True)
        for kind in ("uuid", "text"):
            self._cursor.adapters.register_loader(kind, ByteaBinaryLoader)

    def rows(self, statement: str, **asked: Any) -> list[Any]:
        """All the rows of a statement."""
        return self._cursor.execute(statement, asked, prepare=True).fetchall()


def _pages(session: Session, lines: str, sealed: str, after: _Key, last: _Key) -> Iterator[tuple[list[Any], dict[_Key, Any], dict[_Key, Any]]]:
    """The lines of a range of keys, a page at a time, with what they sealed and the entries that stand for them; of entries also those whose line is gone."""
    read = _Reader(session)
    while after < last:
        asked = {"instance": UUID(bytes=after[0]), "seq": after[1]}
        page = read.rows(lines, **asked, to_instance=UUID(bytes=last[0]), to_seq=last[1], most=_LINES_A_PAGE)
        end = page[-1][:2] if len(page) == _LINES_A_PAGE else last
        to = {"to_instance": UUID(bytes=end[0]), "to_seq": end[1]}
        yield page, {row[:2]: row for row in read.rows(sealed, **asked, **to)}, {row[:2]: row for row in read.rows(_STAND_FOR, **asked, **to)}
        after = end


def _prove_chains(session: Session, pages: Iterable[tuple[list[Any], dict[_Key, Any], dict[_Key, Any]]], heads: dict[bytes, tuple[int, bytes]]) -> Proof:
    """Proves chains whose lines come one chain after the other; takes out of `heads` those it met."""
    found = Proof()
    link: _Link | None = None
    find, opener = session.info["keys"].find, sealing.Opener()
    for lines, sealed, entries in pages:
        if len(entries) > len(lines) or not entries.keys() <= {line[:2] for line in lines}:  # sealed, and gone
            gone = [(*key, None, None, None) for key in entries.keys() - {line[:2] for line in lines}]
            lines = sorted([*lines, *gone], key=lambda line: line[:2])
        for line in lines:
            if link is None or line[0] != link.instance:
                if link:
                    link.end(heads, found)
                link = _Link(line[0], find, opener)
                found.chains += 1
            link.take(line, sealed.get(line[:2]), entries.get(line[:2]), found)
    if link:
        link.end(heads, found)
    return found


class _Link:
    """Where the proving of one chain stands. The first thing wrong is what is told: all after it hangs on it."""

    __slots__ = ("find", "instance", "instance_id", "is_wrong", "keys", "last", "missing", "name", "opener", "prev", "sealed_to")

    def __init__(self, instance: bytes, find: Callable[[UUID], bytes | None], opener: sealing.Opener) -> None:
        self.instance, self.find, self.opener = instance, find, opener
        self.instance_id = UUID(bytes=instance)
        self.name = str(self.instance_id)
        self.last, self.prev, self.sealed_to, self.is_wrong = 0, chain.BEGINNING, 0, False
        self.keys: dict[bytes, bytes | None] = {}
        self.missing: dict[str, tuple[int, int | None]] = {}  # names sealed and not there any more, with the first line and its place in the log: an erasure in part must tell of them

    def take(self, row: Any, sealed: Any, entry: Any, found: Proof) -> None:
        """A line (instance, number, kind, text, hash; without its text where it is gone), what it sealed, the entry that stands for it."""
        _, seq, kind, line, digest = row
        index = entry[2] if entry else None
        if line is None:
            self._blame("line.gone", seq, index, found)
            return
        found.lines += 1
        if entry is None:
            found.unsealed += 1
        else:
            if self.sealed_to != seq - 1:
                self._blame("line.never_sealed", self.sealed_to + 1, None, found)
            self.sealed_to = seq
            if entry[3] != digest:
                self._blame("line.not_as_sealed", seq, index, found)
        if not self.is_wrong:
            told, faults = chain.verify_line(self.name, self.last + 1, self.prev, seq, line, digest)
            for at, code in faults:
                self._blame(f"chain.{code}", at, index, found)
            if not faults:
                if entry is None:
                    found.oldest_unsealed = min(found.oldest_unsealed or "~", told["recorded_at"])
                if told["kind"] != kind.decode():
                    self._blame("line.kind", seq, index, found)
                self._open(seq, sealed, told["sealed"], index, found)
                if told["kind"] == "person.erased_in_part":
                    kept = () if told["body"].get("again") else set(told["body"]["kept"])  # done again after an old backup: what that one sealed opens with no key
                    self.missing = {name: place for name, place in self.missing.items() if name in kept}
        self.last, self.prev = seq, digest

    def _open(self, seq: int, sealed: Any, told: Mapping[str, str], index: int | None, found: Proof) -> None:
        """Whether what the line sealed is what it committed to, where the key still is."""
        if sealed is None or not told:  # values without a commitment were put there, key or no key
            if told or sealed is not None:
                self._blame("sealed.gone" if told else "sealed.other", seq, index, found)
            return
        owner = sealed[2] or self.instance
        if owner not in self.keys:
            self.keys[owner] = self.find(UUID(bytes=owner))
        key = self.keys[owner]
        if key is None:
            found.erased += 1
            return
        try:
            committed = self.opener.commitments(key, self.instance + seq.to_bytes(8), sealed[3])
        except sealing.CannotOpen:
            committed = {"": ""}
        if committed == told:
            return
        if not committed.items() <= told.items():
            self._blame("sealed.other", seq, index, found)
            return
        for name in told.keys() - committed.keys():
            self.missing.setdefault(name.rpartition("|")[2] if "|" in name else "", (seq, index))

    def end(self, heads: dict[bytes, tuple[int, bytes]], found: Proof) -> None:
        if self.missing and not self.is_wrong:
            self._blame("sealed.other", *min(self.missing.values(), key=lambda one: one[0]), found)
        seq, head = heads.pop(self.instance, (None, b""))
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
    asked = sorted({row.size for row in checkpoints} | {one.size for one in seen}, reverse=True)
    edge, read = merkle.Edge(), _Reader(session)
    while True:
        first = edge.size
        page = read.rows(_ENTRIES, first=first, past=first + _ENTRIES_A_PAGE)
        gap = next((at for at, (index, _) in enumerate(page, first) if index != at), None)
        leaves = [merkle.leaf(content) for _, content in page[: None if gap is None else gap - first]]
        made: list[merkle.Tile] = []
        while leaves:
            number = len(leaves)
            while asked and asked[-1] <= edge.size:
                asked.pop()
            if asked:
                number = min(number, asked[-1] - edge.size)
            made += edge.add(leaves[:number])
            del leaves[:number]
            if asked and asked[-1] == edge.size:
                found.roots[edge.size] = edge.root()
        _prove_tiles(read, made, found)
        if gap is not None or not page:
            break
    if gap is not None:
        found.wrong.append(Wrong("entry.gone", index=gap))
    elif read.rows(_NEXT_ENTRY, first=edge.size)[0][0] is not None:
        found.wrong.append(Wrong("entry.gone", index=edge.size))
    found.entries = edge.size
    for row in range(session.execute(_TILE_ROWS).scalar_one() + 1):
        place = read.rows(_TILES_BEYOND, row=row, past=edge.size // merkle.TILE ** (row + 1))[0][0]
        if place is not None:
            found.wrong.append(Wrong("tile.too_many", index=(place + 1) * merkle.TILE ** (row + 1)))
    _prove_checkpoints(session, checkpoints, edge.size, found)
    _prove_seen([*_cosigned(session, checkpoints, found), *seen], found)
    return found


def _prove_tiles(read: "_Reader", made: Sequence[merkle.Tile], found: Proof) -> None:
    """The tiles that became whole against those kept, a row at a time."""
    for row in {one.row for one in made}:
        places = [one.place for one in made if one.row == row]
        kept = {place: (root, hashes) for place, root, hashes in read.rows(_TILES, row=row, first=places[0], past=places[-1] + 1)}
        for one in made:
            if one.row == row:
                _compare(one, kept.get(one.place), found)


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
