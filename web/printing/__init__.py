"""Letters on paper: the kept text of one, in French then in Arabic, as a PDF/A that keeps the words of both scripts as they are read."""

import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any
from unicodedata import bidirectional, category

import typst

from engine import errors, i18n
from engine.ledger.slip import is_sealed
from web.printing.square import svg

_SHEET = Path(__file__).with_name("letter.typ")
_FONTS = Path(__file__).parents[1] / "assets" / "dist" / "print"
# Archived for years and read aloud by screen readers: PDF/A-2a and PDF/UA-1, both with the structure of the text.
_STANDARDS = ["a-2a", "ua-1"]
LONGEST, MOST_CELLS = 400_000, 12_000  # characters, and texts, of both languages together
_PATIENCE = 20.0  # seconds that one waits for a press
_presses = BoundedSemaphore(2)
_KEPT = "\n\u2066\u2067\u2069"  # the isolates of numbers and names
_ISOLATED = re.compile("\u2066([^\u2066-\u2069]*)\u2069")
_DATE = re.compile(r"(?<!\d)(\d{1,2}(?:er)?) ([^\W\d]+) (\d{4})(?!\d)")  # not torn at the end of a line
_INSTEAD = {"Cc": "", "Cf": "", "Zs": " ", "Zl": "\n", "Zp": "\n"}
_STAND_IN = "?"  # for what somebody typed and the fonts do not draw (a smiley, a Chinese name): the standards refuse a letter with a hole in it


def pdf(content: Mapping[str, Any], written_at: datetime, slip: str = "") -> bytes:
    """The letter as it was written that day, with its square code (`slip`); the same bytes each time with the same version of the fonts and of typst.

    The sheet is one and fixed, so what bounds the text bounds the time (some three seconds for the longest); typst lets other threads go on meanwhile.
    Refuses: `letter.too_long` (Invalid), `letter.busy` (Conflict).
    """
    square = {"svg": svg(slip), "words": {language: _told(slip, language) for language in ("fr", "ar")}} if slip else None
    text = json.dumps({"square": square, "fr": _drawable(content["fr"], _unwrapped), "ar": _drawable(content["ar"])}, ensure_ascii=False)
    if len(text) > LONGEST or text.count('["') + text.count('", "') > MOST_CELLS:
        raise errors.Invalid("letter.too_long")
    if not _presses.acquire(timeout=_PATIENCE):
        raise errors.Conflict("letter.busy")
    try:
        return typst.compile(
            str(_SHEET), root=str(_SHEET.parent), font_paths=[str(_FONTS)], ignore_system_fonts=True, sys_inputs={"letter": text},
            pdf_standards=_STANDARDS, timestamp=int(written_at.timestamp()),
        )  # fmt: skip
    finally:
        _presses.release()


def _told(slip: str, language: str) -> Mapping[str, str]:
    """What stands beside a square code. One that holds no signature yet is short."""
    what = "what" if is_sealed(slip) else "unsealed"
    return {name: i18n.translate(f"web.qr.{code}", language) for name, code in (("title", "title"), ("what", what), ("alt", "alt"))}


def _drawable(said: Any, also: Callable[[str], str] = str) -> Any:
    """The same text with only what the fonts draw. `also`: what else is done to each text."""
    if isinstance(said, str):
        drawn = "".join(one if one in _KEPT or ord(one) in _drawn() else _INSTEAD.get(category(one), _STAND_IN) for one in said)
        return also(_DATE.sub("\\1\u00a0\\2\u00a0\\3", drawn))
    if isinstance(said, Mapping):
        return {name: _drawable(inner, also) for name, inner in said.items()}
    return [_drawable(inner, also) for inner in said]


def _unwrapped(said: str) -> str:
    """French without isolates around what is read from the left too: Amiri draws a full stop that stands alone after one as an Arabic one."""
    return _ISOLATED.sub(lambda found: found[0] if any(bidirectional(one) in ("R", "AL") for one in found[1]) else found[1], said)


@cache
def _drawn() -> frozenset[int]:
    """The characters that every face of the fonts draws."""
    return frozenset.intersection(*(frozenset(_characters(path.read_bytes())) for path in sorted(_FONTS.glob("*.ttf"))))


def _characters(font: bytes) -> Iterator[int]:
    """The characters of a font's table `cmap` (OpenType 1.9): from its widest part, format 12, or else the one of the first plane, format 4."""
    count = struct.unpack(">H", font[4:6])[0]
    tables = {font[place : place + 4]: struct.unpack(">I", font[place + 8 : place + 12])[0] for place in range(12, 12 + 16 * count, 16)}
    start = tables[b"cmap"]
    count = struct.unpack(">H", font[start + 2 : start + 4])[0]
    places = [start + struct.unpack(">I", font[at + 4 : at + 8])[0] for at in range(start + 4, start + 4 + 8 * count, 8)]
    formats = {struct.unpack(">H", font[at : at + 2])[0]: at for at in places}
    if 12 in formats:
        at = formats[12]
        for group in range(struct.unpack(">I", font[at + 12 : at + 16])[0]):
            first, last, _ = struct.unpack(">III", font[at + 16 + 12 * group : at + 28 + 12 * group])
            yield from range(first, last + 1)
        return
    at = formats[4]
    count = struct.unpack(">H", font[at + 6 : at + 8])[0] // 2
    ends, starts = (struct.unpack(f">{count}H", font[place : place + 2 * count]) for place in (at + 14, at + 16 + 2 * count))
    for first, last in zip(starts, ends, strict=True):
        yield from range(first, last + 1)
