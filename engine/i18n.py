"""The words of the engine and its faces: a dotted code and a language give a sentence.

Texts are TOML under `locales/<language>/*.toml`, flattened to dotted codes; a test keeps the three languages complete.
Names of fields, tasks and diagrams are not here: an edition carries its own.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from forms import text as words

LANGUAGES = ("fr", "ar", "en")
_LOCALES = Path(__file__).with_name("locales")
_PLACES = "branch."


def _flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat.update(_flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


@cache
def catalogue(language: str) -> dict[str, str]:
    """Every text of a language, by dotted code."""
    texts: dict[str, str] = {}
    for path in sorted((_LOCALES / language).glob("*.toml")):
        texts.update(_flatten(tomllib.loads(path.read_text("utf-8"))))
    return texts


_learnt: dict[str, dict[str, str]] = {}


def learn(names: Mapping[str, Mapping[str, str]]) -> None:
    """Takes up the names of what is data (`branch.GAF`): they come before the catalogue's. Kept by this process until told anew."""
    _learnt.update({code: dict(said) for code, said in names.items() if said})


def translate(code: str, language: str, **details: Any) -> str:
    """The sentence of `code`, filled with `details`; a code nobody worded is shown as it is, in brackets, a branch nobody named by its own code."""
    language = language if language in LANGUAGES else "fr"
    plain = code.removeprefix("web.")
    if plain in _learnt:
        return pick(_learnt[plain], language)
    text = catalogue(language).get(code)
    if text is None:
        return plain.partition(".")[2] if plain.startswith(_PLACES) else f"[{code}]"
    return text.format_map(in_words(details, language))


def pick(labels: Mapping[str, str] | None, language: str) -> str:
    """The label in the language, else French, else any."""
    labels = labels or {}
    return labels.get(language) or labels.get("fr") or next(iter(labels.values()), "")


def in_words(details: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Details as a sentence takes them: what has words by language (a name on a diagram) in this one, and why an expression cannot be read."""
    given = {name: pick(one, language) if isinstance(one, Mapping) else one for name, one in details.items()}
    return _Details(given | ({"reason": words.reason(given["reason"], language)} if "reason" in given else {}))


class _Details(dict):
    def __missing__(self, key: str) -> str:
        return f"[{key}]"
