"""Proving the whole: every chain, what each line sealed, the log over all of them, its checkpoints and signatures; on a live database, as of one instant.

Chains are proved in slices, by as many processes as there are processors where there is much; the log beside them. Rows are read by ranges of keys, a page at a time, past SQLAlchemy:
of a million lines every microsecond counts, and no more than a page is ever in memory. Nothing is mended. What cannot be checked is told apart from what is wrong.
"""

import gc
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.database import Acting, Database
from engine.ledger import chain, proving_log, sealing
from engine.ledger.found import Proof, Reader, Seen, Wrong
from engine.ledger.journal import JOURNAL
from engine.ledger.keys import Damaged

_LINES_A_SLICE, _WORTH_A_PROCESS, _MOST_PROCESSES = 20_000, 60_000, 8
_LINES_A_PAGE = 4_000
_LAST = 2**63 - 1
_ERASES = "effacer_signalement"  # the operation that destroys the key of somebody who never came
_INSTANCES = text("SELECT instance_id, seq FROM instance ORDER BY instance_id")
_HEADS = text("SELECT instance_id, seq, head FROM instance WHERE instance_id > :after AND instance_id <= :last")
_RANGE = "(instance_id, seq) > (%(instance)s, %(seq)s) AND (instance_id, seq) <= (%(to_instance)s, %(to_seq)s) ORDER BY instance_id, seq"
_LINES = f"SELECT instance_id, seq, kind, line, hash FROM ledger_line WHERE {_RANGE} LIMIT %(most)s"
_SEALED = f"SELECT instance_id, seq, person_id, ciphertext FROM ledger_sealed WHERE {_RANGE}"
_STAND_FOR = f"SELECT instance_id, seq, log_index, hash FROM log_entry WHERE {_RANGE}"
_JOURNAL_LINES = """SELECT %(instance)s::uuid, seq, kind, line, hash FROM journal_line WHERE seq > %(seq)s AND seq <= %(to_seq)s ORDER BY seq LIMIT %(most)s"""
_JOURNAL_SEALED = "SELECT %(instance)s::uuid, seq, key_id, ciphertext FROM journal_line WHERE seq > %(seq)s AND seq <= %(to_seq)s AND ciphertext IS NOT NULL"
_FORGOTTEN = text("SELECT masar_forgotten_findings()")
_Key = tuple[bytes, int]  # instance, line


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
        count(proving_log.prove(session, seen))
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
    forgotten = {one.bytes for one in session.execute(_FORGOTTEN).scalars()}
    return _prove_chains(session, _pages(session, _JOURNAL_LINES, _JOURNAL_SEALED, (JOURNAL.bytes, 0), (JOURNAL.bytes, _LAST)), {}, forgotten)


def _pages(session: Session, lines: str, sealed: str, after: _Key, last: _Key) -> Iterator[tuple[list[Any], dict[_Key, Any], dict[_Key, Any]]]:
    """The lines of a range of keys, a page at a time, with what they sealed and the entries that stand for them; of entries also those whose line is gone."""
    read = Reader(session)
    while after < last:
        asked = {"instance": UUID(bytes=after[0]), "seq": after[1]}
        page = read.rows(lines, **asked, to_instance=UUID(bytes=last[0]), to_seq=last[1], most=_LINES_A_PAGE)
        end = page[-1][:2] if len(page) == _LINES_A_PAGE else last
        to = {"to_instance": UUID(bytes=end[0]), "to_seq": end[1]}
        yield page, {row[:2]: row for row in read.rows(sealed, **asked, **to)}, {row[:2]: row for row in read.rows(_STAND_FOR, **asked, **to)}
        after = end


def _prove_chains(session: Session, pages: Iterable[tuple[list[Any], dict[_Key, Any], dict[_Key, Any]]], heads: dict[bytes, tuple[int, bytes]],
                  forgotten: Set[bytes] = frozenset()) -> Proof:  # fmt: skip
    """Proves chains whose lines come one chain after the other; takes out of `heads` those it met. `forgotten`: keys whose owners' erasure other chains tell of."""
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
                link = _Link(line[0], find, opener, forgotten)
                found.chains += 1
            link.take(line, sealed.get(line[:2]), entries.get(line[:2]), found)
    if link:
        link.end(heads, found)
    return found


class _Link:
    """Where the proving of one chain stands. The first thing wrong is what is told: all after it hangs on it."""

    __slots__ = ("find", "forgotten", "instance", "instance_id", "is_erased", "is_wrong", "keyless", "keys", "last", "missing", "name", "opener", "prev", "sealed_to")

    def __init__(self, instance: bytes, find: Callable[[UUID], bytes | None], opener: sealing.Opener, forgotten: Set[bytes]) -> None:
        self.instance, self.find, self.opener, self.forgotten = instance, find, opener, forgotten
        self.instance_id = UUID(bytes=instance)
        self.name = str(self.instance_id)
        self.last, self.prev, self.sealed_to, self.is_wrong = 0, chain.BEGINNING, 0, False
        self.keys: dict[bytes, bytes | None] = {}
        self.keyless: tuple[int, int | None] | None = None  # the first line whose key is gone: an erasure must tell of it
        self.is_erased = False
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
                try:
                    self._read(seq, kind, told, sealed, index, entry is None, found)
                except (KeyError, TypeError, AttributeError):  # a line that holds and tells nothing that lines tell: it is no reason to look at no other
                    self._blame("chain.form", seq, index, found)
        self.last, self.prev = seq, digest

    def _read(self, seq: int, kind: bytes, told: Mapping[str, Any], sealed: Any, index: int | None, is_unsealed: bool, found: Proof) -> None:
        if is_unsealed:
            found.oldest_unsealed = min(found.oldest_unsealed or "~", told["recorded_at"])
        if told["kind"] != kind.decode():
            self._blame("line.kind", seq, index, found)
        self._open(seq, sealed, told["sealed"], index, found)
        self.is_erased = self.is_erased or told["kind"] == "person.erased" or (told["kind"] == "operation.done" and told["body"].get("operation") == _ERASES)
        if told["kind"] == "person.erased_in_part":
            kept = () if told["body"].get("again") else set(told["body"]["kept"])  # done again after an old backup: what that one sealed opens with no key
            self.missing = {name: place for name, place in self.missing.items() if name in kept}

    def _open(self, seq: int, sealed: Any, told: Mapping[str, str], index: int | None, found: Proof) -> None:
        """Whether what the line sealed is what it committed to, where the key still is."""
        if sealed is None or not told:  # values without a commitment were put there, key or no key
            if told or sealed is not None:
                self._blame("sealed.gone" if told else "sealed.other", seq, index, found)
            return
        owner = sealed[2] or self.instance
        if owner not in self.keys:
            try:
                self.keys[owner] = self.find(UUID(bytes=owner))
            except Damaged:
                self.keys[owner] = None
                self._blame("sealed.key_damaged", seq, index, found)
        key = self.keys[owner]
        if key is None:
            found.erased += 1
            if owner not in self.forgotten:
                self.keyless = self.keyless or (seq, index)
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
        if self.keyless and not self.is_erased:
            self._blame("sealed.key_gone", *self.keyless, found)
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


def located(session: Session, first: int, past: int) -> list[tuple[int, UUID, int]]:
    """The entries of a range of the log: index, instance, line."""
    rows = session.execute(text("SELECT log_index, instance_id, seq FROM log_entry WHERE log_index >= :first AND log_index < :past ORDER BY log_index LIMIT 50"), {"first": first, "past": past})
    return [(row.log_index, row.instance_id, row.seq) for row in rows]
