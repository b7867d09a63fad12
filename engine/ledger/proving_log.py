"""Proving the log over all chains: its entries without a gap, the tiles made of them, checkpoints and who signed them, what witnesses saw. Not the chains themselves (`proving`)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine.ledger import log, merkle, notes
from engine.ledger.found import Proof, Reader, Seen, Wrong

_ENTRIES_A_PAGE = 64 * merkle.TILE
_ENTRIES = "SELECT log_index, uuid_send(instance_id) || int8send(seq) || hash FROM log_entry WHERE log_index >= %(first)s AND log_index < %(past)s ORDER BY log_index"
_NEXT_ENTRY = "SELECT min(log_index) FROM log_entry WHERE log_index >= %(first)s"
_TILES = "SELECT place, root, hashes FROM log_tile WHERE tile_row = %(row)s AND place >= %(first)s AND place < %(past)s"
_TILES_BEYOND = "SELECT min(place) FROM log_tile WHERE tile_row = %(row)s AND place >= %(past)s"
_TILE_ROWS = text("SELECT coalesce(max(tile_row), -1) FROM log_tile")
_CHECKPOINTS = text("SELECT size, root, note FROM log_checkpoint ORDER BY size")
_COSIGNATURES = text("SELECT c.size, c.witness, c.line, w.key FROM log_cosignature c JOIN log_witness w ON w.name = c.witness ORDER BY c.size, c.witness")


def prove(session: Session, seen: Sequence[Seen]) -> Proof:
    """Every entry counted into the tree; tiles, checkpoints and what witnesses saw (`seen`) against it."""
    found = Proof()
    checkpoints = session.execute(_CHECKPOINTS).all()
    asked = sorted({row.size for row in checkpoints} | {one.size for one in seen}, reverse=True)
    edge, read = merkle.Edge(), Reader(session)
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


def _prove_tiles(read: Reader, made: Sequence[merkle.Tile], found: Proof) -> None:
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
    try:
        keys, known, good = log.keys(session), 0, 0
    except (ValueError, KeyError, TypeError):  # a line of the journal that cannot be read, which its chain says: nobody is known to have signed
        keys, known, good = [], 0, 0
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
