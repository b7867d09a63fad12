"""The square code of a paper, as a drawing: of a letter in print, of a receipt on screen."""

from dataclasses import dataclass
from itertools import groupby

import segno

_QUIET = 4  # modules of nothing around it, as the standard asks


@dataclass(frozen=True)
class Square:
    """`size` modules a side, and the dark ones as the path of an SVG."""

    size: int
    path: str


def square(text: str) -> Square:
    """The code of a text. Least correction: a code this full is read best with large modules, and its content proves itself."""
    rows = segno.make_qr(text, error="l", boost_error=False).matrix
    path = []
    for y, row in enumerate(rows, _QUIET):
        x = _QUIET
        for is_dark, run in groupby(row):
            width = len(list(run))
            if is_dark:
                path.append(f"M{x} {y}h{width}v1h-{width}z")
            x += width
    return Square(len(rows) + 2 * _QUIET, "".join(path))


def svg(text: str) -> str:
    """The same as a drawing of its own, black on white."""
    made = square(text)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {made.size} {made.size}"><path d="M0 0h{made.size}v{made.size}h-{made.size}z" fill="#fff"/><path d="{made.path}"/></svg>'
