"""Words: what people read on a task, a step, a way, a table or one of its columns, in each language."""

import re
from collections.abc import Iterator

from engine.errors import Finding
from engine.pathway.definitions import Definitions
from engine.pathway.naming import Names, flow_named, name_of, process_named
from engine.pathway.spiff.activities import PersonTask

LANGUAGES = ("fr", "ar", "en")
_LONGEST, _SHOWN = 200, 60
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://|\bwww\.|\b(?:javascript|data):", re.IGNORECASE)


def check(definitions: Definitions) -> list[Finding]:
    """Labels missing in a language: an error on tasks, which desks show; a warning on what only cases and diagrams do. Labels too long, or that hold an address."""
    findings: list[Finding] = []
    for process in definitions.processes.values():
        findings += _labels(process.names, f"{process.file}#{process.id}", process_named(process.id, definitions.processes), is_needed=False)
    for element in definitions.nodes:
        findings += _labels(element.names, element.place, name_of(element), is_needed=isinstance(element, PersonTask))
        for flow in element.flows_out:
            findings += _labels(flow.names, f"{element.file}#{flow.id}", flow_named(flow), is_needed=False)
    for decision in (definitions.decision(one) for one in sorted(definitions.decisions)):
        place = f"{decision.file}#{decision.decision_id}"
        for names in (decision.names, *decision.titles, *(output.names for output in decision.outputs)):
            findings += _labels(names, place, names or decision.names, is_needed=False)
    return findings


def _labels(names: Names, place: str, shown: Names, is_needed: bool) -> Iterator[Finding]:
    shown = {language: f"{name[:_SHOWN]}…" if len(name) > _SHOWN else name for language, name in shown.items()}
    missing = [language for language in LANGUAGES if not names.get(language)]
    if missing and (names or is_needed):
        yield Finding("check.label_missing", place, {"element": shown, "languages": missing}, severity="error" if is_needed else "warning")
    if any(len(text) > _LONGEST for text in names.values()):
        yield Finding("check.label_long", place, {"element": shown, "most": _LONGEST})
    if any(_ADDRESS.search(text) for text in names.values()):
        yield Finding("check.label_address", place, {"element": shown})
