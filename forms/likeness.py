"""Which thing of one version is which of another: the same by their id, else by likeness (an id that was renamed).

Nothing here has a side: both ways give the same pairs.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Names = Mapping[str, str]
Key = tuple[str, str]

# What many things have in common tells nothing of which is which.
_WEAK = frozenset({"kind", "lane", "scope", "section", "file", "required", "interrupting", "inferred", "class", "owner", "purpose", "retention", "type"})
_ALIKE = 6_000  # of 10,000
_COMMON = 400  # pairs that one trait may propose: more, and it tells nothing
_ROUNDS = 4
_FEWEST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of a file. `key` is unique in what is compared; `id` what people call it by (else ""), unique beside its `parent`.

    `properties`: (what, detail) → as written, where detail may be the key of another thing (a rule's cell, by its column). `links`: what → key of
    another thing. `around`: keys of its neighbours, to know it by when its id was renamed. `row`: key of the list whose order counts (None: none does).
    A thing whose `parent` came or went is not told of: the parent is. `is_named`: its names are its own, and not those of what stands around it.
    """

    key: str
    id: str
    kind: str
    file: str
    family: str
    names: Names = field(default_factory=dict)
    properties: Mapping[Key, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    around: frozenset[str] = frozenset()
    parent: str = ""
    row: str | None = None
    traits: str = ""  # what it is known by where it has no id
    is_named: bool = True


class Matching:
    """Two versions side by side. `forth`: key in the old → key in the new; `back` the other way."""

    def __init__(self, old: Sequence[Thing], new: Sequence[Thing]) -> None:
        self.old, self.new = {one.key: one for one in old}, {one.key: one for one in new}
        self.forth: dict[str, str] = {}
        self.back: dict[str, str] = {}
        for _ in range(4):  # a thing is looked for among the things of its parent: parents first
            before = len(self.forth)
            self._by_id()
            for _ in range(_ROUNDS):  # who is found tells of her neighbours
                if not self._by_likeness():
                    break
            if len(self.forth) == before:
                break

    def _by_id(self) -> None:
        places = {(one.family, one.parent, one.id or one.traits): one.key for one in self.new.values() if one.key not in self.back}
        for one in self.old.values():
            if one.key not in self.forth and (not one.parent or one.parent in self.forth):
                found = places.get((one.family, self.forth.get(one.parent, ""), one.id or one.traits))
                if found is not None and found not in self.back:
                    self._join(one.key, found)

    def _join(self, old: str, new: str) -> None:
        self.forth[old], self.back[new] = new, old

    def _left(self, things: Mapping[str, Thing], matched: Mapping[str, str]) -> list[Thing]:
        return [one for one in things.values() if one.key not in matched and (not one.parent or one.parent in matched)]

    def _by_likeness(self) -> bool:
        """Joins what is most alike first. Ties are broken by both ids together, so that neither side decides."""
        old, new = self._left(self.old, self.forth), self._left(self.new, self.back)
        scored = []
        for one, other in self._candidates(old, new):
            likeness = self._likeness(one, other)
            if likeness >= _ALIKE:
                scored.append((-likeness, pair_of(one, other), one.key, other.key))
        found = False
        for _, _, before, after in sorted(scored):
            if before not in self.forth and after not in self.back:
                self._join(before, after)
                found = True
        return found

    def _candidates(self, old: Sequence[Thing], new: Sequence[Thing]) -> list[tuple[Thing, Thing]]:
        """Pairs that share something telling: comparing everything with everything would have no bound."""
        by_trait: dict[object, list[Thing]] = defaultdict(list)
        for other in new:
            for trait in self._traits(other, None):
                by_trait[trait].append(other)
        holders: dict[object, list[Thing]] = defaultdict(list)
        for one in old:
            for trait in self._traits(one, self.forth):
                if trait in by_trait:
                    holders[trait].append(one)
        pairs: dict[tuple[str, str], tuple[Thing, Thing]] = {}
        for trait, ones in holders.items():
            if len(ones) * len(by_trait[trait]) <= _COMMON:
                for one in ones:
                    for other in by_trait[trait]:
                        if one.family == other.family and self.forth.get(one.parent, "") == other.parent:
                            pairs[one.key, other.key] = (one, other)
        return list(pairs.values())

    def _traits(self, one: Thing, forth: Mapping[str, str] | None) -> Iterator[object]:
        """What may tell a thing from others, its neighbours by their keys in the new version."""
        for (what, detail), value in one.properties.items():
            if what not in _WEAK:
                yield what, detail if forth is None else forth.get(detail, detail), value
        near = [*one.around, *(target for what, target in one.links.items() if what not in _WEAK)]
        for key in near if forth is None else [forth[key] for key in near if key in forth]:
            yield one.family, key

    def _likeness(self, one: Thing, other: Thing) -> int:
        """From 0 to 10,000; whole numbers, so that it is the same both ways."""
        mine, its = self.properties_of(one), other.properties
        links = {what: self.forth.get(target) for what, target in one.links.items()}
        equal = whole = 0
        for key in mine.keys() | its.keys():
            weight = 2 if key == ("name", "fr") else 1
            whole += weight * 1_000
            equal += weight * _alike(mine.get(key, ""), its.get(key, ""))
        for what in links.keys() | other.links.keys():
            weight = 1_000 if what in _WEAK else 3_000
            whole += weight
            equal += weight * (what in links and links[what] == other.links.get(what))
        around = {self.forth[key] for key in one.around if key in self.forth}
        shared = len(around & other.around)
        near = len(one.around) + len(other.around) - shared
        return (equal + (3_000 * shared // near if near else 0)) * 10_000 // (whole + (3_000 if near else 0) or 1)

    def properties_of(self, one: Thing) -> dict[Key, str]:
        """The properties of an old thing as the new version would name them."""
        return {(what, self.forth.get(detail, detail)): value for (what, detail), value in one.properties.items()}


def pair_of(one: Thing, other: Thing) -> tuple[tuple[str, str], ...]:
    """A name for a pair that neither side decides."""
    return tuple(sorted(((one.id or one.traits, one.key), (other.id or other.traits, other.key))))


def _alike(one: str, other: str) -> int:
    """From 0 to 1,000: the same, or how many words of a longer text are."""
    if one == other:
        return 1_000
    words, others = set(one.split()), set(other.split())
    if min(len(words), len(others)) < _FEWEST_WORDS:
        return 0
    return 1_000 * len(words & others) // len(words | others)
