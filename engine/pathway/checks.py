"""Checks across the diagrams and tables of an edition, once each has been read: what calls, decides or starts what.

Returns findings; what one diagram alone gets wrong is found while reading it (`spiff`), forms and fields are casework's to check.
"""

from engine import errors
from engine.pathway.definitions import Definitions
from engine.pathway.naming import name_of, process_named
from engine.pathway.spiff.activities import PersonTask

ORDERS = "ordre."


def references(definitions: Definitions, has_every_table: bool, has_every_diagram: bool) -> list[errors.Finding]:
    """Calls of processes that are not there or cannot be called, unknown decisions, tasks kept apart from none, two processes started by one message, messages that only
    Masar itself sends (`ORDERS`: they suspend, close or move without a task that says so). What may stand in a file that could not be read is not told to be missing."""
    findings = []
    for call in definitions.calls():
        details = {"element": name_of(call), "process": process_named(call.called, definitions.processes)}
        if call.called and call.called not in definitions.processes:
            findings += [errors.Finding("pathway.call_unknown", call.place, details)] if has_every_diagram else []
        elif call.called and not definitions.spec(call.called).begins():
            findings.append(errors.Finding("pathway.call_without_start", call.place, details))
    for rule in definitions.rules():
        reference = rule.extensions.decision
        if has_every_table and reference and reference not in definitions.decisions:
            findings.append(errors.Finding("pathway.decision_unknown", rule.place, {"element": name_of(rule), "decision": reference}))
    drawn = {element.id: name_of(element) for element in definitions.nodes if isinstance(element, PersonTask)}
    for element in definitions.nodes:
        for other in element.extensions.task.distinct if isinstance(element, PersonTask) and element.extensions.task else ():
            if other not in drawn.keys() | definitions.begun_by_hand or other == element.id:
                findings.append(errors.Finding("pathway.distinct_unknown", element.place, {"element": name_of(element), "task": drawn.get(other, {"fr": other})}))
        trigger = getattr(element, "trigger", None)
        if trigger is not None and trigger.kind == "message" and trigger.name.startswith(ORDERS):
            findings.append(errors.Finding("pathway.message_reserved", element.place, {"element": name_of(element), "name": trigger.name}))
    starts: dict[str, str] = {}
    for process in definitions.processes.values():
        for message in process.start_messages:
            if message in starts:
                place = f"{process.file}#{process.id}"
                findings.append(errors.Finding("pathway.start_message_repeated", place, {"element": process_named(process.id, definitions.processes), "name": message, "other": process_named(starts[message], definitions.processes)}))
            starts[message] = process.id
    return findings
