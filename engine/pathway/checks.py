"""Checks across the diagrams and tables of an edition, once each has been read: what calls, decides or starts what.

Returns findings; what one diagram alone gets wrong is found while reading it (`spiff`), forms and fields are casework's to check.
"""

from engine import errors
from engine.pathway.definitions import Definitions

ORDERS = "ordre."


def references(definitions: Definitions) -> list[errors.Finding]:
    """Calls of processes that are not there or cannot be called, unknown decisions, tasks kept apart from none, two processes started by one message, messages that only
    Masar itself sends (`ORDERS`: they suspend, close or move without a task that says so)."""
    findings = []
    for call in definitions.calls():
        details = {"element": call.bpmn_name or call.id, "process": call.called}
        if call.called and call.called not in definitions.processes:
            findings.append(errors.Finding("pathway.call_unknown", call.place, details))
        elif call.called and not definitions.spec(call.called).begins():
            findings.append(errors.Finding("pathway.call_without_start", call.place, details))
    for rule in definitions.rules():
        reference = rule.extensions.decision
        if reference and reference not in definitions.decisions:
            findings.append(errors.Finding("pathway.decision_unknown", rule.place, {"element": rule.bpmn_name or rule.id, "decision": reference}))
    drawn = {task.node for task in definitions.tasks} | definitions.begun_by_hand
    for task in definitions.tasks:
        for other in task.distinct:
            if other not in drawn or other == task.node:
                findings.append(errors.Finding("pathway.distinct_unknown", f"{task.file}#{task.node}", {"element": task.name, "task": other}))
    for element in definitions.nodes:
        trigger = getattr(element, "trigger", None)
        if trigger is not None and trigger.kind == "message" and trigger.name.startswith(ORDERS):
            findings.append(errors.Finding("pathway.message_reserved", element.place, {"element": element.bpmn_name or element.id, "name": trigger.name}))
    starts: dict[str, str] = {}
    for process in definitions.processes.values():
        for message in process.start_messages:
            if message in starts:
                place = f"{process.file}#{process.id}"
                findings.append(errors.Finding("pathway.start_message_repeated", place, {"element": process.id, "name": message, "other": starts[message]}))
            starts[message] = process.id
    return findings
