"""Time: what may wait without anybody being reminded, or for ever."""

from collections.abc import Iterator

from engine.errors import Finding
from engine.pathway.definitions import Definitions
from engine.pathway.naming import name_of
from engine.pathway.spiff.activities import PersonTask, ReceiveTask
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.events import BoundaryEvent, CatchEvent, Listener, StartEvent
from engine.pathway.spiff.gateways import EventGateway
from forms.dictionary import Dictionary

_FOR_EVER = ("message", "signal", "condition")
_DATES = ("date", "datetime")
_NO_DATES = ("parametres", "programmes")


def check(definitions: Definitions) -> list[Finding]:
    """Tasks without a deadline (errors), and waits beside which no timer runs (warnings)."""
    return [found for element in definitions.nodes for found in _of(element, definitions)]


def dates(definitions: Definitions, dictionary: Dictionary) -> list[Finding]:
    """Tasks due by a date that no fact they read can be (errors). Of variables, which are not declared, nothing is said."""
    findings = []
    for element in definitions.nodes:
        note = element.extensions.task if isinstance(element, PersonTask) else None
        if note is not None and note.due is not None and not any(_may_be_a_date(path, dictionary) for path in note.due.paths):
            findings.append(Finding("check.due_is_no_date", element.place, {"element": name_of(element), "text": " ".join(note.due.text.split())[:200]}))
    return findings


def _may_be_a_date(path: str, dictionary: Dictionary) -> bool:
    field = dictionary.fields.get(path)
    return path.partition(".")[0] not in _NO_DATES and (field is None or field.type in _DATES)


def _of(element: Element, definitions: Definitions) -> Iterator[Finding]:
    if isinstance(element, PersonTask):
        note = element.extensions.task
        if note is not None and note.deadline is None and (note.due is not None or not _timed(element, definitions)):
            yield Finding("check.due_without_delay" if note.due is not None else "check.deadline_missing", element.place, {"element": name_of(element)})
    elif isinstance(element, EventGateway):
        if element.flows_out and not any(_is_timer(flow.target) for flow in element.flows_out) and not _timed(element, definitions):
            yield Finding("check.waits_for_ever", element.place, {"element": name_of(element)}, severity="warning")
    elif isinstance(element, ReceiveTask) or (isinstance(element, CatchEvent) and element.trigger.kind in _FOR_EVER):
        is_rival = any(isinstance(flow.source, EventGateway) for flow in element.flows_in)
        if not is_rival and not _timed(element, definitions):
            yield Finding("check.waits_for_ever", element.place, {"element": name_of(element)}, severity="warning")


def _is_timer(element: Element) -> bool:
    return isinstance(element, Listener) and element.trigger.kind == "timer"


def _timed(element: Element, definitions: Definitions) -> bool:
    """Whether a timer runs beside it: on its edge, on that of a sub-process around it, or at the start of an event sub-process."""
    scope = element.scope_spec
    while True:
        if any(isinstance(one, BoundaryEvent) and _is_timer(one) for one in element.boundaries):
            return True
        if any(isinstance(entry, StartEvent) and _is_timer(entry) for beside in scope.event_subprocesses for entry in beside.inner.entries):
            return True
        host = next((one for one in definitions.nodes if one.inner is scope), None)
        if host is None:
            return False
        element, scope = host, host.scope_spec
