"""Turns a view model into a page: Jinja with everything escaped and nothing undefined, the reader's words, the built assets.

Pages say what is shown; this says how a template is found and what every template may count on.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from engine import i18n
from engine.dossier import documents
from web.formatting import NAMES, Words, without_bidi_controls

_HERE = Path(__file__).parent
ASSETS = _HERE / "assets" / "dist"


def _finalize(value: Any) -> Any:
    """Runs on everything a template prints: nothing for None, and no character that turns the line around."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return without_bidi_controls(value)
    return value


@cache
def manifest() -> dict[str, str]:
    """Name of an asset → the file it was built into."""
    return json.loads((ASSETS / "manifest.json").read_text("utf-8"))


def asset(name: str) -> str:
    """The address of a built asset; it changes when its content does."""
    return f"/assets/{manifest()[name]}"


@cache
def environment() -> Environment:
    """The only template environment. Every extension is escaped: the framework's default leaves some out."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, finalize=_finalize,
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.do"],
    )  # fmt: skip
    made.globals.update(asset=asset, language_names=NAMES, pick=i18n.pick, largest_file=documents.LARGEST)
    return made


@cache
def words(language: str) -> Words:
    return Words(language)


def render(template: str, language: str, context: dict[str, Any]) -> str:
    """The text of a template in a language."""
    reader = words(language)
    given = {"w": reader, "t": reader.text, "n": reader.count, "language": language, "direction": "rtl" if language == "ar" else "ltr"}
    return environment().get_template(template).render({**given, **context})
