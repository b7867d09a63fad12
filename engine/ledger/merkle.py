"""The tree of the log: RFC 6962 (and 9162) hashes, roots, proofs and their verification. Pure: leaves in, hashes out.

Nodes are kept by rows of tiles: row 0 holds leaf hashes, row 1 the roots of each 256 of them, and so on. So what is kept of a million entries is four
thousand tiles, and sealing a few entries reads no more than the last tile of each row. `TILE` is a power of two.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

HEIGHT = 8
TILE = 1 << HEIGHT
HASH_BYTES = 32
EMPTY = hashlib.sha256(b"").digest()
Range = tuple[int, int]
Row = Callable[[int, int, int], Sequence[bytes]]  # (row, first, past) → hashes of that row


def leaf(content: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\0" + content).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    return fold(peaks_of(leaves)) if leaves else EMPTY


def peaks_of(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the complete trees that these hashes make, the largest first."""
    found: list[bytes] = []
    first = 0
    while first < len(hashes):
        width = 1 << (len(hashes) - first).bit_length() - 1
        found.append(whole(hashes[first : first + width]))
        first += width
    return found


def whole(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [hashlib.sha256(b"\1" + hashes[place] + hashes[place + 1]).digest() for place in range(0, len(hashes), 2)]
    return hashes[0]


def fold(peaks: Sequence[bytes]) -> bytes:
    """One root of peaks, the largest first."""
    found = peaks[-1]
    for peak in reversed(peaks[:-1]):
        found = node(peak, found)
    return found


# ── Growing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Tile:
    """A complete tile: 256 hashes of a row, and their root, which is the hash `place` of the row above."""

    row: int
    place: int
    root: bytes
    hashes: bytes


@dataclass
class Edge:
    """The growing side of a tree: of each row the hashes that fill no tile yet. `size` counts leaves."""

    size: int = 0
    rows: list[list[bytes]] = field(default_factory=lambda: [[]])

    @classmethod
    def read(cls, size: int, hashes: Row) -> "Edge":
        """The edge of a tree of that size."""
        rows, count, row = [], size, 0
        while count or not rows:
            rows.append(list(hashes(row, count - count % TILE, count)))
            count, row = count // TILE, row + 1
        return cls(size, rows)

    def add(self, leaves: Iterable[bytes]) -> list[Tile]:
        """Adds leaf hashes; returns the tiles that became whole."""
        made: list[Tile] = []
        coming = list(leaves)
        for first in range(-len(self.rows[0]), len(coming), TILE):  # a tile at a time
            some = coming[max(0, first) : first + TILE]
            self.rows[0] += some
            self.size += len(some)
            if len(self.rows[0]) == TILE:
                self._carry(made)
        return made

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        peaks = [peak for row in reversed(self.rows) for peak in peaks_of(row)]
        return fold(peaks) if peaks else EMPTY

    def _carry(self, made: list[Tile]) -> None:
        count = self.size
        for row, hashes in enumerate(self.rows):
            if len(hashes) < TILE:
                return
            count //= TILE
            made.append(Tile(row, count - 1, whole(hashes), b"".join(hashes)))
            self.rows[row] = []
            if row + 1 == len(self.rows):
                self.rows.append([])
            self.rows[row + 1].append(made[-1].root)


# ── Proving ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def inclusion(index: int, size: int, hashes: Row) -> list[bytes]:
    """The proof that leaf `index` is in the tree of that size. Raises ValueError: it cannot be."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of that size")
    return [_hash_of(one, hashes) for one in _path(index, (0, size))]


def inclusions(places: Iterable[int], size: int, hashes: Row) -> tuple[list[bytes], list[list[int]]]:
    """The proofs of many leaves: the distinct hashes that they take, and each leaf's as places among those, from the leaf upwards."""
    found: dict[Range, int] = {}
    paths = [[found.setdefault(one, len(found)) for one in _path(index, (0, size))] for index in places]
    return [_hash_of(one, hashes) for one in found], paths


def consistency(old: int, new: int, hashes: Row) -> list[bytes]:
    """The proof that the tree of size `old` is the beginning of the tree of size `new`. Raises ValueError: it cannot be."""
    if not 0 < old <= new:
        raise ValueError("no tree of that size to begin with")
    return [_hash_of(one, hashes) for one in _ranges_kept(old, (0, new), is_known=True)]


def _path(index: int, within: Range) -> list[Range]:
    first, past = within
    if past - first == 1:
        return []
    middle = first + _half(past - first)
    if index < middle:
        return [*_path(index, (first, middle)), (middle, past)]
    return [*_path(index, (middle, past)), (first, middle)]


def _ranges_kept(old: int, within: Range, *, is_known: bool) -> list[Range]:
    """RFC 9162 §2.1.4.1 over ranges. `is_known`: whoever checks has the root of this range already."""
    first, past = within
    if old == past:
        return [] if is_known else [within]
    middle = first + _half(past - first)
    if old <= middle:
        return [*_ranges_kept(old, (first, middle), is_known=is_known), (middle, past)]
    return [*_ranges_kept(old, (middle, past), is_known=False), (first, middle)]


def _half(count: int) -> int:
    """The largest power of two below a count."""
    return 1 << (count - 1).bit_length() - 1


def _hash_of(within: Range, hashes: Row) -> bytes:
    """The root over the leaves of a range, out of the nodes that are kept."""
    first, past = within
    peaks = []
    while first < past:
        level = min((past - first).bit_length() - 1, (first & -first).bit_length() - 1 if first else 64)
        row, inside = divmod(level, HEIGHT)
        place = first >> row * HEIGHT
        peaks.append(whole(hashes(row, place, place + (1 << inside))))
        first += 1 << level
    return fold(peaks)


# ── Checking ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def is_included(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root_hash: bytes) -> bool:
    """Whether the proof shows that the leaf stands at `index` of the tree with that root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or any(len(one) != HASH_BYTES for one in (*proof, leaf_hash, root_hash)):
        return False
    place, last, found = index, size - 1, leaf_hash
    for one in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node(one, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node(found, one)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root_hash


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of size `old` is the beginning of the other (RFC 9162 §2.1.4.2). An empty tree begins everything: it proves nothing."""
    if old == new > 0:
        return not proof and old_root == new_root
    if not 0 < old < new or any(len(one) != HASH_BYTES for one in (*proof, old_root, new_root)):
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node(one, before), node(one, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node(after, one)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root
