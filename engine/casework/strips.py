"""The whole of a history in 256 places: which kinds of halt lie in which stretch of it. Of one size whatever the length, and written as the history goes on."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

PLACES = 256


class Strip(msgspec.Struct, frozen=True):
    """`grain`: lines a place; `kinds`: of each kind the places that hold one, as bits (little-endian). Where the places are used up, each takes twice as many lines."""

    grain: int = 1
    kinds: Mapping[str, bytes] = {}

    def marked(self, seq: int, kinds: Iterable[str]) -> "Strip":
        """With a line that is worth a halt for these kinds."""
        grain, found = self.grain, {kind: int.from_bytes(bits, "little") for kind, bits in self.kinds.items()}
        while seq > grain * PLACES:
            grain, found = grain * 2, {kind: _halved(bits) for kind, bits in found.items()}
        for kind in kinds:
            found[kind] = found.get(kind, 0) | 1 << (seq - 1) // grain
        return Strip(grain, {kind: bits.to_bytes(PLACES // 8, "little") for kind, bits in found.items()})

    def told(self) -> list[tuple[int, tuple[str, ...]]]:
        """The first line of each place that holds something, and what kinds."""
        found: dict[int, list[str]] = {}
        for kind in sorted(self.kinds):
            for place in self._places(kind):
                found.setdefault(place * self.grain + 1, []).append(kind)
        return [(seq, tuple(found[seq])) for seq in sorted(found)]

    def stretches(self, kind: str, seq: int, *, is_back: bool) -> Iterator[tuple[int, int]]:
        """The stretches (first line, last line) that hold one of the kind, on from a line or back from it, the nearest first; the line's own stretch too."""
        here = (seq - 1) // self.grain
        places = [place for place in self._places(kind) if (place <= here if is_back else place >= here)]
        for place in reversed(places) if is_back else places:
            yield place * self.grain + 1, (place + 1) * self.grain

    def _places(self, kind: str) -> list[int]:
        bits = int.from_bytes(self.kinds.get(kind, b""), "little")
        return [place for place in range(PLACES) if bits >> place & 1]


def _halved(bits: int) -> int:
    return sum(1 << place for place in range(PLACES // 2) if bits >> 2 * place & 3)
