"""The words of the engine and its faces: a dotted code and a language give a sentence.

Texts are TOML under `locales/<language>/*.toml`, flattened to dotted codes; a test keeps the three languages complete.
What is counted is written in each plural form of its language: `{left:one=# account|other=# accounts}` within a sentence, codes `….one`, `….other` where the whole differs.
Names of fields, tasks and diagrams are not here: an edition carries its own.
"""

import re
import tomllib
from collections.abc import Container, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale

from forms import text as words

LANGUAGES = ("fr", "ar", "en")
ONWARD = {"fr": "→", "ar": "←", "en": "→"}  # from one step of a way to the next, as one reads
_LOCALES = Path(__file__).with_name("locales")
_PLACES = "branch."
_COUNTED = re.compile(r"\{(\w+):(\w+=[^{}|]*(?:\|\w+=[^{}|]*)*)\}")


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
    return counted(text, language, details).format_map(in_words(details, language))


def form_of(number: int | Decimal, language: str, written: Container[str]) -> str:
    """Which of the forms that are `written` a number takes: Arabic has six, French and English two, any language one for none."""
    form = "zero" if number == 0 and "zero" in written else _locale(language).plural_form(number)
    return form if form in written else "other"


def counted(text: str, language: str, details: Mapping[str, Any]) -> str:
    """A sentence with each count in its form, `#` being the number as it is given."""

    def chosen(found: re.Match[str]) -> str:
        forms = dict(one.split("=", 1) for one in found[2].split("|"))
        return forms[form_of(_number(str(details.get(found[1], "")), language), language, forms)].replace("#", f"{{{found[1]}}}")

    return _COUNTED.sub(chosen, text)


def _number(written: str, language: str) -> int | Decimal:
    """A number as it is written for a reader: thousands apart, decimals after a comma (in English a point)."""
    plain = written.replace(",", "" if language == "en" else ".")
    found = re.search(r"\d+(?:\.\d+)?", re.sub(r"[^\d.]", "", plain))
    number = Decimal(found[0]) if found else Decimal(0)
    return int(number) if number == int(number) else number


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


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
