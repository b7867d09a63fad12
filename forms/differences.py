"""What differs between two versions of anything made of named things: a diagram's elements, a table's rules, a form's questions.

Which thing of one is which of the other is `likeness`'s. Reading what a file holds into things is `comparison`'s, here for
forms and dictionary, in `engine.pathway` for diagrams and tables. The words of a difference are casework's.

Nothing here has a side: the differences from new to old are those from old to new, mirrored.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from forms.likeness import Key, Matching, Names, Thing, pair_of

# Properties that say where a thing stands: it moved. Those that say its name: it was renamed.
_PLACES = frozenset({"lane", "scope", "section", "file", "order"})
_NAMES = frozenset({"name"})
_LONGEST_ROW = 1_500  # things whose order is looked at one against another


@dataclass(frozen=True, slots=True)
class Subject:
    """What a difference is about, as it stands on one side. `within`: the names of what it stands in; `rank`: its place in its row, from 1; `is_named`: the names are its own."""

    id: str
    kind: str
    file: str
    names: Names = field(default_factory=dict)
    within: Names = field(default_factory=dict)
    rank: int = 0
    is_named: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `kind` added|removed|renamed|moved|changed|layout. `old`, `new`: what it is about on each side, None where it is not.

    `what`: the property that differs ("" : the whole thing), `detail`: which of several (a language, a column, a parameter). `before`, `after`: as
    written, "" where there is nothing; where they name another thing, its names by language stand beside.
    """

    kind: str
    old: Subject | None
    new: Subject | None
    what: str = ""
    detail: str = ""
    before: str = ""
    after: str = ""
    before_names: Names = field(default_factory=dict)
    after_names: Names = field(default_factory=dict)
    detail_names: Names = field(default_factory=dict)

    @property
    def subject(self) -> Subject:
        """As it stands in the new version, else as it stood in the old."""
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def file(self) -> str:
        return self.subject.file

    @property
    def element(self) -> str:
        return self.subject.id

    def mirrored(self) -> "Difference":
        """The same, told from new to old."""
        kind = {"added": "removed", "removed": "added"}.get(self.kind, self.kind)
        return replace(self, kind=kind, old=self.new, new=self.old, before=self.after, after=self.before,
                       before_names=self.after_names, after_names=self.before_names)  # fmt: skip


Reader = Callable[[str, bytes], Sequence[Thing] | None]


def of_files(old: Mapping[str, bytes], new: Mapping[str, bytes], kind: str, read: Reader, read_new: Reader | None = None) -> list[Difference]:
    """What differs between two sets of files (path → content) of one kind. A file whose path changed is known by what it holds.

    `read` (and `read_new`, for the new ones, where names are looked up) gives the things of a file, or None where it cannot be read: then it
    is only said to have changed.
    """
    pages_old = {path: read(path, content) for path, content in old.items() if new.get(path) != content}
    pages_new = {path: (read_new or read)(path, content) for path, content in new.items() if old.get(path) != content}
    pairs: list[tuple[str, str]] = [(path, path) for path in pages_old if path in pages_new]
    gone = {path: pages_old[path] or () for path in pages_old if path not in new}
    come = {path: pages_new[path] or () for path in pages_new if path not in old}
    pairs += _renamed_files(gone, come)
    paired_old, paired_new = {one for one, _ in pairs}, {other for _, other in pairs}
    found = [Difference("removed", Subject(path, kind, path, title(things)), None) for path, things in sorted(gone.items()) if path not in paired_old]
    found += [Difference("added", None, Subject(path, kind, path, title(things))) for path, things in sorted(come.items()) if path not in paired_new]
    for before, after in sorted(pairs):
        one, other = pages_old[before], pages_new[after]
        told = []
        if before != after:
            told.append(replace(_whole("renamed", kind, before, after, one, other, "path"), before=before, after=after))
        if one is None or other is None:
            told.append(_whole("changed", kind, before, after, one, other, "content"))
        else:
            told += of_things(one, other)
        if not told:  # written otherwise, and nothing in it says otherwise
            told.append(_whole("layout", kind, before, after, one, other, "writing"))
        found += told
    return found


def of_things(old: Sequence[Thing], new: Sequence[Thing], *, across_files: bool = False) -> list[Difference]:
    """What differs between the things of two versions, in the order of the new one; those that went come last. `across_files`: which file holds
    a thing counts too."""
    return _Comparison(old, new, across_files).differences()


def of_sheet(old: Mapping[str, bytes], new: Mapping[str, bytes], kind: str, read: Reader) -> list[Difference]:
    """What differs between two sets of files whose things may move from one to another, as those of the dictionary. Only files that changed are read."""
    same_files = {path for path in old.keys() & new.keys() if old[path] == new[path]}
    old, new = ({path: content for path, content in side.items() if path not in same_files} for side in (old, new))
    things_old = [(path, read(path, content)) for path, content in sorted(old.items())]
    things_new = [(path, read(path, content)) for path, content in sorted(new.items())]
    found = of_things([one for _, things in things_old for one in things or ()], [one for _, things in things_new for one in things or ()], across_files=True)
    told = {side.file for one in found for side in (one.old, one.new) if side}
    unreadable = {path for path, things in (*things_old, *things_new) if things is None}
    for path in sorted(old.keys() | new.keys()):
        if path in told and path not in unreadable:
            continue
        before, after = (Subject(path, kind, path) if path in side else None for side in (old, new))
        if before and after:
            found.append(Difference("changed", before, after, "content") if path in unreadable else Difference("layout", before, after, "writing"))
        else:
            found.append(Difference("added" if after else "removed", before, after))
    return found


def same(old: Sequence[Thing], new: Sequence[Thing]) -> dict[str, str]:
    """Which thing of the old version is which of the new one, by key."""
    return dict(Matching(old, new).forth)


def _whole(kind: str, of: str, before: str, after: str, one: Sequence[Thing] | None, other: Sequence[Thing] | None, what: str) -> Difference:
    return Difference(kind, Subject(before, of, before, title(one or ())), Subject(after, of, after, title(other or ())), what)


def title(things: Sequence[Thing]) -> Names:
    """A file is called by its process, else by the first of its things that has a name."""
    named = [one for one in things if one.names and one.is_named]
    return next((one.names for one in sorted(named, key=lambda one: one.kind != "process")), {})


def _renamed_files(gone: Mapping[str, Sequence[Thing]], come: Mapping[str, Sequence[Thing]]) -> Iterator[tuple[str, str]]:
    """Files that hold the same things under another path: at least half of them."""
    scored = []
    for before, old in gone.items():
        had = {(one.family, one.id or one.traits) for one in old}
        for after, new in come.items():
            has = {(one.family, one.id or one.traits) for one in new}
            shared, whole = len(had & has), len(had | has)
            if whole and 2 * shared >= whole:
                scored.append((-shared * 10_000 // whole, tuple(sorted((before, after))), before, after))
    used: set[str] = set()
    for _, _, before, after in sorted(scored):
        if before not in used and after not in used:
            used |= {before, after}
            yield before, after


class _Comparison(Matching):
    """Two versions side by side, and what differs."""

    def __init__(self, old: Sequence[Thing], new: Sequence[Thing], across_files: bool = False) -> None:
        super().__init__(old, new)
        self.across_files = across_files

    def differences(self) -> list[Difference]:
        ranks_old, ranks_new = _ranks(self.old), _ranks(self.new)
        shifted = self._shifted()
        found: list[Difference] = []
        for other in self.new.values():
            subject = self._subject(self.new, ranks_new, other)
            if other.key in self.back:
                one = self.old[self.back[other.key]]
                found += self._changes(one, other, self._subject(self.old, ranks_old, one), subject, other.key in shifted)
            elif not other.parent or other.parent in self.back:
                found.append(Difference("added", None, subject))
        for one in self.old.values():
            if one.key not in self.forth and (not one.parent or one.parent in self.forth):
                found.append(Difference("removed", self._subject(self.old, ranks_old, one), None))
        return found

    def _subject(self, things: Mapping[str, Thing], ranks: Mapping[str, int], one: Thing) -> Subject:
        parent = things.get(one.parent)
        return Subject(one.id or one.traits, one.kind, one.file, one.names, parent.names or {"fr": parent.id} if parent else {}, ranks.get(one.key, 0), one.is_named)

    def _changes(self, one: Thing, other: Thing, old: Subject, new: Subject, is_shifted: bool) -> Iterator[Difference]:
        if one.id != other.id:
            yield Difference("changed", old, new, "id", before=one.id, after=other.id)
        if one.kind != other.kind:
            yield Difference("changed", old, new, "kind", before=one.kind, after=other.kind)
        if self.across_files and one.file != other.file:
            yield Difference("moved", old, new, "file", before=one.file, after=other.file)
        before, after = self.properties_of(one), other.properties
        for key in (*after, *(key for key in before if key not in after)):
            if before.get(key, "") != after.get(key, ""):
                what, detail = key
                column = self.new.get(detail) or self.old.get(detail)
                kind = "renamed" if what in _NAMES else "moved" if what in _PLACES else "changed"
                shown = (column.id or column.traits) if column else detail
                yield Difference(kind, old, new, what, shown, before.get(key, ""), after.get(key, ""), detail_names=column.names if column else {})
        for what in (*other.links, *(what for what in one.links if what not in other.links)):
            had, has = one.links.get(what, ""), other.links.get(what, "")
            if (self.forth.get(had) if had in self.old else had) != has:
                was, now = self.old.get(had), self.new.get(has)
                yield Difference("moved" if what in _PLACES else "changed", old, new, what, before=_called(was, had), after=_called(now, has),
                                 before_names=was.names if was else {}, after_names=now.names if now else {})  # fmt: skip
        if is_shifted:
            yield Difference("moved", old, new, "order", before=str(old.rank), after=str(new.rank))

    def _shifted(self) -> set[str]:
        """Keys of the new version whose place among those that stayed is another: the fewest that explain the new order."""
        rows: dict[str, list[tuple[Thing, Thing]]] = defaultdict(list)
        for key in self.old:
            if key in self.forth:
                one, other = self.old[key], self.new[self.forth[key]]
                if one.row is not None and other.row is not None and self.forth.get(one.row, one.row) == other.row:
                    rows[other.row].append((one, other))
        place = {key: rank for rank, key in enumerate(self.new)}
        found: set[str] = set()
        for pairs in rows.values():
            ordered = sorted(pairs, key=lambda pair: place[pair[1].key])
            weight = {name: rank for rank, name in enumerate(sorted(pair_of(one, other) for one, other in pairs))}
            new_rank = {other.key: rank for rank, (_, other) in enumerate(ordered)}
            sequence = [new_rank[other.key] for _, other in pairs]
            kept = _longest_rise(sequence, [weight[pair_of(one, other)] for one, other in pairs])
            found |= {pairs[at][1].key for at in range(len(pairs)) if at not in kept}
        return found


def _called(one: Thing | None, key: str) -> str:
    return (one.id or one.traits) if one else key


def _ranks(things: Mapping[str, Thing]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    ranks = {}
    for one in things.values():
        if one.row is not None:
            counts[one.row] += 1
            ranks[one.key] = counts[one.row]
    return ranks


def _longest_rise(sequence: Sequence[int], weights: Sequence[int]) -> set[int]:
    """Positions of the longest rising part; of several as long, the one of the greatest weights, so that both directions choose the same."""
    start, end = 0, len(sequence)
    while start < end and sequence[start] == start:
        start += 1
    while end > start and sequence[end - 1] == end - 1:
        end -= 1
    kept = {*range(start), *range(end, len(sequence))}
    middle = range(start, end)
    if len(middle) > _LONGEST_ROW:
        return kept | {at for at in middle if sequence[at] == at}
    best: dict[int, tuple[int, int, int]] = {}
    for at in middle:
        length, weight, before = max(((best[one][0], best[one][1], one) for one in range(start, at) if sequence[one] < sequence[at]), default=(0, 0, -1))
        best[at] = (length + 1, weight | 1 << weights[at], before)
    at = max(middle, key=lambda one: best[one][:2], default=-1)
    while at >= 0:
        kept.add(at)
        at = best[at][2]
    return kept
