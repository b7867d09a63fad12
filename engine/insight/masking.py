"""Which figures of a table are not shown, so that none of one to four can be found: not by reading it, nor by taking what is shown from what it adds up to. Pure.

One masking for every face: the page, the sheet, the paper, programs. What is hidden at first are cells of one to four; then, as long as one of those hidden follows from what is
shown (by any chain of sums, told by elimination), or those hidden of one sum make together fewer than five, the smallest of what is shown beside it is hidden too.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

FEWEST = 5


class Sum(NamedTuple):
    """`parts` add up to `whole`; `whole` None: to a number that everybody knows."""

    whole: Hashable | None
    parts: Sequence[Hashable]


def hidden(cells: Mapping[Hashable, int], sums: Sequence[Sum]) -> frozenset[Hashable]:
    """The cells not to be shown. Nothing is hidden where a cell is nobody (0): that no one was there tells of no one."""
    found = {key for key, number in cells.items() if 0 < number < FEWEST}
    while weak := _weak(cells, sums, found):
        found.add(weak)
    return frozenset(found)


def column(cells: Mapping[Hashable, int]) -> Mapping[Hashable, bool]:
    """Of cells whose total is known, which are not shown."""
    found = hidden(cells, [Sum(None, tuple(cells))])
    return {key: key in found for key in cells}


def _weak(cells: Mapping[Hashable, int], sums: Sequence[Sum], found: Collection[Hashable]) -> Hashable | None:
    """The next cell to hide; None once no hidden cell can be found."""
    told, choices = _told(sums, found), []
    for one in sums:
        away = [part for part in one.parts if part in found]
        is_thin = one.whole not in found and away and (len(away) < 2 or sum(cells[part] for part in away) < FEWEST)
        if is_thin or told & {one.whole, *away}:
            shown = sorted((cells[part], place, part) for place, part in enumerate(one.parts) if part not in found and cells[part])
            if shown:
                choices.append((len(shown), shown[0][2]))
            elif one.whole is not None and one.whole not in found and cells[one.whole]:
                choices.append((0, one.whole))
    return min(choices, key=lambda one: one[0])[1] if choices else None  # where there is least to choose from first: it may serve the others too


def _told(sums: Sequence[Sum], found: Collection[Hashable]) -> set[Hashable]:
    """The hidden cells that follow from what is shown: those that stand alone in a line once the sums are reduced (Gauss, Jordan)."""
    names = list(found)
    lines = [[Fraction((name in one.parts) - (name == one.whole)) for name in names] for one in sums]
    lines = [line for line in lines if any(line)]
    done = 0
    for place in range(len(names)):
        pivot = next((at for at in range(done, len(lines)) if lines[at][place]), None)
        if pivot is None:
            continue
        lines[done], lines[pivot] = lines[pivot], lines[done]
        lead = lines[done][place]
        lines[done] = [value / lead for value in lines[done]]
        for at, line in enumerate(lines):
            if at != done and line[place]:
                factor = line[place]
                lines[at] = [value - factor * other for value, other in zip(line, lines[done], strict=True)]
        done += 1
    return {names[alone[0]] for line in lines[:done] if len(alone := [place for place, value in enumerate(line) if value]) == 1}
