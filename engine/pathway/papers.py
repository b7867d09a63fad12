"""Letters: those that the diagrams write must be there, and none may show what its readers may not read."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import Finding
from engine.pathway.definitions import Definitions, DrawnOperation
from forms.dictionary import Dictionary
from forms.letter import COPY

RECEIPT = "recepisse"  # the operation that gives a receipt, and the letter it writes
_LETTERS = ("lettre", "convoquer")


def check(definitions: Definitions, dictionary: Dictionary, letters: Mapping[str, Any], opens: Callable[[str, str], bool]) -> list[Finding]:
    """`opens(letter class, fact classes)`: whether whoever reads the one may read the other."""
    findings: list[Finding] = []
    for one in definitions.operations:
        named = _letter_of(one)
        if named is not None and (named not in letters or named == COPY):
            findings.append(Finding("edition.letter_unknown", f"{one.file}#{one.node}", {"letter": named, "element": one.names}))
    for letter in letters.values():
        for name in letter.fields:
            field = dictionary.fields[name]
            if not opens(letter.class_, ",".join((field.class_, *field.also))):
                findings.append(Finding("edition.letter_shows_too_much", f"{letter.id}.toml", {"letter": dict(letter.title), "field": dict(field.label), "id": name, "class": letter.class_}))
    return findings


def _letter_of(one: DrawnOperation) -> str | None:
    """The letter that a drawn operation writes, None where it writes none."""
    if one.operation == RECEIPT:
        return RECEIPT
    return one.parameters.get("modele", "").strip('"') if one.operation in _LETTERS else None
