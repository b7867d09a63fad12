"""A second verifier, written from the text of RFC 6962 §2.1 and from engine/ledger/README.md, sharing no code with Masar.

It goes the other way about: recursion over the tree's own definition, where the application walks bits.
"""

import base64
import hashlib


def _sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(data):
    return _sha(b"\x00", data)


def _split(n):
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def tree_hash(leaf_hashes):
    """MTH(D[n]) over hashes of leaves."""
    n = len(leaf_hashes)
    if n == 0:
        return _sha(b"")
    if n == 1:
        return leaf_hashes[0]
    k = _split(n)
    return _sha(b"\x01", tree_hash(leaf_hashes[:k]), tree_hash(leaf_hashes[k:]))


class _Wrong(Exception):
    pass


def _root_from_path(m, n, leaf, path):
    """PATH(m, D[n]) read backwards: the last of the path is the sibling nearest the root."""
    if n == 1:
        if path:
            raise _Wrong
        return leaf
    if not path:
        raise _Wrong
    k = _split(n)
    if m < k:
        return _sha(b"\x01", _root_from_path(m, k, leaf, path[:-1]), path[-1])
    return _sha(b"\x01", path[-1], _root_from_path(m - k, n - k, leaf, path[:-1]))


def inclusion_holds(leaf, m, n, path, root):
    if n < 1 or not 0 <= m < n or {len(one) for one in [leaf, root, *path]} != {32}:
        return False
    try:
        return _root_from_path(m, n, leaf, path) == root
    except _Wrong:
        return False


def _roots_from_subproof(m, n, path, known):
    """SUBPROOF(m, D[n], b) read backwards: (the root over the first m, the root over all n). `known`: the old root, where b is true, else None."""
    if m == n:
        if known is not None:
            if path:
                raise _Wrong
            return known, known
        if len(path) != 1:
            raise _Wrong
        return path[0], path[0]
    if not path:
        raise _Wrong
    k = _split(n)
    if m <= k:
        old, new = _roots_from_subproof(m, k, path[:-1], known)
        return old, _sha(b"\x01", new, path[-1])
    old, new = _roots_from_subproof(m - k, n - k, path[:-1], None)
    return _sha(b"\x01", path[-1], old), _sha(b"\x01", path[-1], new)


def consistency_holds(m, old_root, n, new_root, path):
    if not 0 < m <= n or any(len(one) != 32 for one in path):
        return False
    try:
        old, new = _roots_from_subproof(m, n, path, old_root)
    except _Wrong:
        return False
    return old == old_root and new == new_root


def entry_leaf(instance, seq, line):
    """README: the 16 bytes of the instance's UUID, its line's number in 8 bytes, the SHA-256 of the line."""
    return leaf_hash(bytes.fromhex(instance.replace("-", "")) + seq.to_bytes(8, "big") + _sha(line.encode()))


def checkpoint(note):
    """README: (origin, size, root) of a signed note."""
    origin, size, root = note.split("\n")[:3]
    return origin, int(size), base64.b64decode(root)
