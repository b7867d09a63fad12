"""The tree against the public vectors, and against a second verifier that was written from RFC 6962 alone (`second_verifier`)."""

import base64
import hashlib
import json
import os
import random
from pathlib import Path

import pytest

from engine.ledger import merkle
from tests.engine.ledger import second_verifier

VECTORS = Path(__file__).parents[4] / "shared" / "testdata" / "merkle_proofs.jsonl"
ABSENT = "{} is not there: put merkle_proofs.jsonl (test data of transparency-dev/merkle) in a folder shared/testdata beside the clone (without MASAR_TEST_ALL this test is left out)"


def test_the_public_vectors_are_told_right():
    if not VECTORS.exists():
        if os.environ.get("MASAR_TEST_ALL"):
            pytest.fail(ABSENT.format(VECTORS))
        pytest.skip(ABSENT.format(VECTORS))
    told = [json.loads(line) for line in VECTORS.read_text("utf-8").splitlines()]
    wrong = [one["name"] for one in told for judge in (_ours, _theirs) if judge(one) == one["wantErr"]]
    assert len(told) == 196
    assert wrong == []


def _ours(one):
    proof = [base64.b64decode(each) for each in one["proof"] or ()]
    if one["kind"] == "inclusion":
        return merkle.is_included(one["leafIdx"], one["treeSize"], base64.b64decode(one["leafHash"]), proof, base64.b64decode(one["root"]))
    return merkle.is_consistent(one["size1"], one["size2"], base64.b64decode(one["root1"]), base64.b64decode(one["root2"]), proof)


def _theirs(one):
    proof = [base64.b64decode(each) for each in one["proof"] or ()]
    if one["kind"] == "inclusion":
        return second_verifier.inclusion_holds(base64.b64decode(one["leafHash"]), one["leafIdx"], one["treeSize"], proof, base64.b64decode(one["root"]))
    return second_verifier.consistency_holds(one["size1"], base64.b64decode(one["root1"]), one["size2"], base64.b64decode(one["root2"]), proof)


class Grown:
    """A tree grown in slices, its tiles kept as the database keeps them."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self.tiles: dict[tuple[int, int], merkle.Tile] = {}

    def add(self, leaves: list[bytes]) -> bytes:
        edge = merkle.Edge.read(len(self.leaves), self.hashes)
        for tile in edge.add(leaves):
            assert (tile.row, tile.place) not in self.tiles, "a tile is written once"
            self.tiles[tile.row, tile.place] = tile
        self.leaves += leaves
        return edge.root()

    def hashes(self, row: int, first: int, past: int) -> list[bytes]:
        if row == 0:
            return self.leaves[first:past]
        return [self.tiles[row - 1, place].root for place in range(first, past)]


def _leaves(seed: int, count: int) -> list[bytes]:
    return [hashlib.sha256(b"%d %d" % (seed, place)).digest() for place in range(count)]


@pytest.mark.parametrize("seed", range(40))
def test_two_verifiers_agree_on_random_logs(seed):
    """Sizes around the edges of tiles come up by themselves: growth is by random slices up to some 70,000 leaves in two of the logs."""
    luck = random.Random(seed)
    most = 70_000 if seed in (7, 23) else luck.choice([3, 40, 600, 1500])
    grown, sizes, roots = Grown(), [], []
    while len(grown.leaves) < most:
        roots.append(grown.add([second_verifier.leaf_hash(one) for one in _leaves(luck.random().__hash__(), luck.choice([1, 2, 5, 255, 256, 257, most // 3 + 1]))]))
        sizes.append(len(grown.leaves))
    assert roots[-1] == second_verifier.tree_hash(grown.leaves) == merkle.root(grown.leaves)
    for _ in range(12):
        at = luck.randrange(len(sizes))
        size, root = sizes[at], roots[at]
        index = luck.randrange(size)
        proof = merkle.inclusion(index, size, grown.hashes)
        assert merkle.is_included(index, size, grown.leaves[index], proof, root)
        assert second_verifier.inclusion_holds(grown.leaves[index], index, size, proof, root)
        other = luck.randrange(size)
        answers = {judge(size, other, grown.leaves[index], proof, root) for judge in (_included, _included_by_the_second)}
        assert answers == {other == index}
        was = luck.randrange(at + 1)
        proof = merkle.consistency(sizes[was], size, grown.hashes)
        assert merkle.is_consistent(sizes[was], size, roots[was], root, proof)
        assert second_verifier.consistency_holds(sizes[was], roots[was], size, root, proof)


def _included(size, index, leaf, proof, root):
    return merkle.is_included(index, size, leaf, proof, root)


def _included_by_the_second(size, index, leaf, proof, root):
    return second_verifier.inclusion_holds(leaf, index, size, proof, root)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 20, 257, 600])
def test_no_proof_with_a_byte_flipped_is_accepted(size):
    grown = Grown()
    old = size // 2 + 1
    old_root = grown.add(_leaves(size, old))
    root = grown.add(_leaves(-size, size - old)) if size > old else old_root
    for index in {0, size // 2, size - 1}:
        proof = merkle.inclusion(index, size, grown.hashes)
        for changed in _flipped(proof):
            assert not merkle.is_included(index, size, grown.leaves[index], changed, root)
            assert not second_verifier.inclusion_holds(grown.leaves[index], index, size, changed, root)
    for changed in _flipped(merkle.consistency(old, size, grown.hashes)):
        assert not merkle.is_consistent(old, size, old_root, root, changed)
        assert not second_verifier.consistency_holds(old, old_root, size, root, changed)


def _flipped(proof):
    for place, one in enumerate(proof):
        for byte in range(len(one)):
            yield [*proof[:place], one[:byte] + bytes([one[byte] ^ 1]) + one[byte + 1 :], *proof[place + 1 :]]


def test_growing_by_one_reads_the_edge_and_not_the_log():
    grown = Grown()
    grown.add(_leaves(1, 70_000))
    read = []
    merkle.Edge.read(70_000, lambda row, first, past: read.append(past - first) or grown.hashes(row, first, past))
    assert sum(read) < 3 * merkle.TILE
