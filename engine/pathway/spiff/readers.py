"""How each kind of element is read from its XML: which class runs it, what it listens for or throws, how it repeats."""

from typing import Any

from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag

from engine.pathway import naming
from engine.pathway.spiff import timing
from engine.pathway.spiff.activities import Activity, CallActivity, Loop, OperationTask, PersonTask, PlainTask, ReceiveTask, RuleTask, SendTask, SubProcess
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.events import NOTHING, BoundaryEvent, CatchEvent, StartEvent, ThrowEvent, Trigger
from engine.pathway.spiff.expressions import Fault
from engine.pathway.spiff.extensions import LANES, Extensions, Reading
from engine.pathway.spiff.gateways import EventGateway, ExclusiveGateway, InclusiveGateway, ParallelGateway

_EVENTS = {
    "messageEventDefinition": "message", "signalEventDefinition": "signal", "timerEventDefinition": "timer", "conditionalEventDefinition": "condition",
    "errorEventDefinition": "error", "escalationEventDefinition": "escalation", "linkEventDefinition": "link", "terminateEventDefinition": "terminate",
}  # fmt: skip
# What each kind of event may carry.
_ALLOWED = {
    "startEvent": {"none", "message", "signal", "timer", "condition", "error", "escalation"},
    "intermediateCatchEvent": {"message", "signal", "timer", "condition", "link"},
    "intermediateThrowEvent": {"none", "message", "signal", "escalation", "link"},
    "endEvent": {"none", "message", "signal", "error", "escalation", "terminate"},
    "boundaryEvent": {"message", "signal", "timer", "condition", "error", "escalation"},
}
_INTERRUPTS = {"boundaryEvent": "cancelActivity", "startEvent": "isInterrupting"}
# What an element may carry that would change how it runs, and does not run here: attribute → the value that changes nothing.
_PLAIN = {"isForCompensation": "false", "instantiate": "false", "startQuantity": "1", "completionQuantity": "1", "eventGatewayType": "Exclusive"}
_REFUSED_INSIDE = {"compensateEventDefinition", "cancelEventDefinition", "eventDefinitionRef", "script"}
_INSIDE_SEVERAL = {"extensionElements", "documentation", "loopCardinality", "completionCondition"}


def refused_kind(node: Any) -> str:
    """What is refused about a node, in BPMN's words."""
    inside = (str(child.tag.rpartition("}")[2]) for child in node)
    attributes = (f'{name}="{node.get(name)}"' for name, harmless in _PLAIN.items() if node.get(name, harmless) != harmless)
    return next((name for name in inside if name in _REFUSED_INSIDE), None) or next(attributes, None) or str(node.tag.rpartition("}")[2])


def is_refused(node: Any) -> bool:
    """Whether a node of a kind that runs carries what does not."""
    return refused_kind(node) != node.tag.rpartition("}")[2]


def is_feel(language: str | None) -> bool:
    """Whether an expression is said to be FEEL, or says nothing of its language."""
    return language is None or "feel" in language.lower()


class ElementReader(TaskParser):
    """Reads any element: id, labels, lane, extensions."""

    @property
    def reading(self) -> Reading:
        found: Reading = self.process_parser.reading
        return found

    @property
    def kind(self) -> str:
        return str(self.node.tag.rpartition("}")[2])

    def create_task(self) -> Element:
        reading = self.reading
        element: Element = self.spec_class(
            self.spec, self.bpmn_id, kind=self.kind, names=reading.names(self.node), lane=self.lane, extensions=reading.extensions(self.node)
        )
        self.furnish(element)
        return element

    def furnish(self, element: Any) -> None:
        """What this kind of element has beyond the others."""


class EventReader(ElementReader):
    """Reads what an event listens for or throws."""

    def furnish(self, element: Any) -> None:
        definitions = [child for child in self.node if child.tag.endswith("EventDefinition")]
        if len(definitions) > 1:
            self.reading.report("pathway.several_triggers", self.node)
        element.trigger = self.trigger(definitions[0], element.extensions) if definitions else NOTHING
        if element.trigger.kind not in _ALLOWED[self.kind]:
            self.reading.report("pathway.trigger_out_of_place", self.node, kind=naming.trigger_named(element.trigger.kind))
        attribute = _INTERRUPTS.get(self.kind)
        if attribute:
            element.is_interrupting = self.node.get(attribute, "true") in ("true", "1")
            if element.trigger.kind == "error" and not element.is_interrupting:
                self.reading.report("pathway.error_interrupts", self.node)

    def trigger(self, definition: Any, extensions: Extensions) -> Trigger:
        """The trigger of an event definition."""
        kind = _EVENTS.get(definition.tag.rpartition("}")[2], "none")
        if kind == "message":
            return self.message(definition.get("messageRef"), extensions)
        if kind == "timer":
            return self._timer(definition)
        if kind == "condition":
            text = definition.findtext(full_tag("condition"))
            expression = self.reading.feel(text, self.node)
            return Trigger(kind, expression=expression, what=(text or "").strip())
        if kind == "link":
            name = definition.get("name") or self.node.get("name")
            if not name:
                self.reading.report("pathway.name_missing", self.node, kind=naming.trigger_named(kind))
            return Trigger(kind, name or "")
        if kind == "signal":
            name = self.reading.named(kind, definition.get("signalRef"))
            if not name:
                self.reading.report("pathway.name_missing", self.node, kind=naming.trigger_named(kind))
            return Trigger(kind, name)
        if kind in ("error", "escalation"):
            return Trigger(kind, self._code(definition, kind))
        return Trigger(kind)

    def _code(self, definition: Any, kind: str) -> str:
        reference = definition.get(f"{kind}Ref")
        code = self.reading.named(kind, reference)
        if (reference or "Throw" in self.kind or self.kind == "endEvent") and not code:
            self.reading.report("pathway.name_missing", self.node, kind=naming.trigger_named(kind))
        return code

    def message(self, reference: str | None, extensions: Extensions) -> Trigger:
        """A message by `masar:message`, else by the message the element refers to."""
        note = extensions.message
        name = (note.name if note else "") or self.reading.named("message", reference)
        if not name:
            self.reading.report("pathway.name_missing", self.node, kind=naming.trigger_named("message"))
        return Trigger("message", name, expression=note.key if note else None, result=note.result if note else "", parameters=note.parameters if note else ())

    def _timer(self, definition: Any) -> Trigger:
        for tag, kind in (("timeDate", "date"), ("timeDuration", "duration"), ("timeCycle", "cycle")):
            text = (definition.findtext(full_tag(tag)) or "").strip()
            if not text:
                continue
            if not timing.is_iso(kind, text) and not timing.is_nearly_iso(text):
                return Trigger("timer", timer=kind, expression=self.reading.feel(text, self.node), what=text)
            try:
                timing.read_cycle(text) if kind == "cycle" else timing.read_duration(text) if text.startswith("P") else timing.read_instant(text)
            except Fault:
                self.reading.report("pathway.timer_unreadable", self.node, text=text)
            return Trigger("timer", timer=kind, literal=text, what=text)
        self.reading.report("pathway.timer_missing", self.node)
        return Trigger("timer")


class ActivityReader(EventReader):
    """Reads an activity: what its kind needs, and how it repeats."""

    def furnish(self, element: Any) -> None:
        element.loop = self._loop()
        extensions = element.extensions
        if isinstance(element, PersonTask):
            self._person(element)
        elif isinstance(element, SendTask | ReceiveTask):
            element.trigger = self.message(self.node.get("messageRef"), extensions)
        elif isinstance(element, OperationTask) and not extensions.operation:
            self.reading.report("pathway.operation_missing", self.node)
        elif isinstance(element, RuleTask) and not extensions.decision:
            self.reading.report("pathway.decision_missing", self.node)
        elif isinstance(element, CallActivity):
            element.called = (self.node.get("calledElement") or "").rpartition(":")[2]
            if not element.called:
                self.reading.report("pathway.call_missing", self.node)
        elif isinstance(element, SubProcess):
            element.is_event = self.node.get("triggeredByEvent") == "true"
            if element.is_event and element.loop is not None:
                self.reading.report("pathway.unsupported", self.node, kind=naming.kind_named("multiInstanceLoopCharacteristics"))

    def _person(self, element: PersonTask) -> None:
        note = element.extensions.task
        if note is None or not note.role:
            self.reading.report("pathway.role_missing", self.node)
        if element.kind == "userTask" and (note is None or not note.form):
            self.reading.report("pathway.form_missing", self.node)
        if element.lane and element.lane not in LANES:
            self.reading.report("pathway.lane_unknown", self.node, lane=element.lane)

    def _loop(self) -> Loop | None:
        standard = self.node.find(full_tag("standardLoopCharacteristics"))
        if standard is not None:
            text, maximum = standard.findtext(full_tag("loopCondition")), standard.get("loopMaximum")
            if maximum is not None and not (maximum.isdigit() and len(maximum) < 6):
                self.reading.report("pathway.loop_maximum", self.node, text=maximum)
                maximum = None
            condition = self.reading.feel(text, self.node) if text and text.strip() else None
            return Loop("standard", condition, int(maximum) if maximum else None, standard.get("testBefore") == "true")
        several = self.node.find(full_tag("multiInstanceLoopCharacteristics"))
        if several is None:
            return None
        unheard = [child.tag.rpartition("}")[2] for child in several if child.tag.rpartition("}")[2] not in _INSIDE_SEVERAL]
        if several.get("behavior", "All") != "All":
            unheard.append("behavior")
        for name in unheard:
            self.reading.report("pathway.unsupported", self.node, kind=naming.kind_named(name))
        kind = "sequential" if several.get("isSequential") == "true" else "parallel"
        text = several.findtext(full_tag("completionCondition"))
        condition = self.reading.feel(text, self.node) if text and text.strip() else None
        collection, count = self.reading.collection(several, self.node), several.findtext(full_tag("loopCardinality"))
        if collection is not None:
            return Loop(kind, condition, collection=collection[0], item=collection[1])
        if count and count.strip():
            return Loop(kind, condition, cardinality=self.reading.feel(count, self.node))
        self.reading.report("pathway.collection_missing", self.node)
        return Loop(kind, condition)


READERS: dict[str, tuple[type[ElementReader], type[Element]]] = {
    "startEvent": (EventReader, StartEvent),
    "endEvent": (EventReader, ThrowEvent),
    "intermediateThrowEvent": (EventReader, ThrowEvent),
    "intermediateCatchEvent": (EventReader, CatchEvent),
    "boundaryEvent": (EventReader, BoundaryEvent),
    "exclusiveGateway": (ElementReader, ExclusiveGateway),
    "parallelGateway": (ElementReader, ParallelGateway),
    "inclusiveGateway": (ElementReader, InclusiveGateway),
    "eventBasedGateway": (ElementReader, EventGateway),
    "task": (ActivityReader, PlainTask),
    "userTask": (ActivityReader, PersonTask),
    "manualTask": (ActivityReader, PersonTask),
    "serviceTask": (ActivityReader, OperationTask),
    "businessRuleTask": (ActivityReader, RuleTask),
    "sendTask": (ActivityReader, SendTask),
    "receiveTask": (ActivityReader, ReceiveTask),
    "subProcess": (ActivityReader, SubProcess),
    "callActivity": (ActivityReader, CallActivity),
}

__all__ = ["READERS", "Activity", "ElementReader", "is_feel", "is_refused", "refused_kind"]
