"""Words: what people read on a task, a step, a way, a table or one of its columns, in each language."""

import re
from collections.abc import Iterator, Mapping

from engine.errors import Finding
from engine.pathway.definitions import Definitions
from engine.pathway.spiff.activities import PersonTask

LANGUAGES = ("fr", "ar", "en")
_LONGEST = 200
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://|\bwww\.|\b(?:javascript|data):", re.IGNORECASE)


def check(definitions: Definitions) -> list[Finding]:
    """Labels missing in a language: an error on tasks, which desks show; a warning on what only cases and diagrams do. Labels too long, or that hold an address."""
    findings: list[Finding] = []
    for process in definitions.processes.values():
        findings += _labels(process.names, f"{process.file}#{process.id}", process.id, is_needed=False)
    for element in definitions.nodes:
        findings += _labels(element.names, element.place, element.id, is_needed=isinstance(element, PersonTask))
        for flow in element.flows_out:
            findings += _labels(flow.names, f"{element.file}#{flow.id}", flow.id, is_needed=False)
    for decision in (definitions.decision(one) for one in sorted(definitions.decisions)):
        place = f"{decision.file}#{decision.decision_id}"
        for names in (decision.names, *decision.titles, *(output.names for output in decision.outputs)):
            findings += _labels(names, place, decision.decision_id, is_needed=False)
    return findings


def _labels(names: Mapping[str, str], place: str, element_id: str, is_needed: bool) -> Iterator[Finding]:
    shown = names.get("fr") or element_id
    missing = [language for language in LANGUAGES if not names.get(language)]
    if missing and (names or is_needed):
        yield Finding("check.label_missing", place, {"element": shown, "languages": missing}, severity="error" if is_needed else "warning")
    if any(len(text) > _LONGEST for text in names.values()):
        yield Finding("check.label_long", place, {"element": shown[:60], "most": _LONGEST})
    if any(_ADDRESS.search(text) for text in names.values()):
        yield Finding("check.label_address", place, {"element": shown[:60]})
