"""Letters on paper: the kept text of one, in French then in Arabic, as a PDF/A that keeps the words of both scripts as they are read."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

_SHEET = Path(__file__).with_name("letter.typ")
_FONTS = Path(__file__).parents[1] / "assets" / "dist" / "print"
# Archived for years and read aloud by screen readers: PDF/A-2a and PDF/UA-1, both with the structure of the text.
_STANDARDS = ["a-2a", "ua-1"]


def pdf(content: Mapping[str, Any], written_at: datetime) -> bytes:
    """The letter as it was written that day; the same bytes each time with the same version of the fonts and of typst."""
    text = json.dumps({language: content[language] for language in ("fr", "ar")}, ensure_ascii=False)
    return typst.compile(
        str(_SHEET), root=str(_SHEET.parent), font_paths=[str(_FONTS)], ignore_system_fonts=True, sys_inputs={"letter": text},
        pdf_standards=_STANDARDS, timestamp=int(written_at.timestamp()),
    )  # fmt: skip
