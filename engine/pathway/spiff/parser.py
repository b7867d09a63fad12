"""From a diagram to the specs that tokens run on: SpiffWorkflow's parser with readers of our own at its extension points.

Its process reader walked flows by recursion (a long diagram broke it), left conditional flows of tasks, links and signal ends out, and looked for data
objects for ever. Here each element is read once, in the order of the file; what cannot run is a finding that names it.
"""

import re
from typing import Any

from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.util import full_tag

from engine.errors import Finding
from engine.pathway import additions, naming
from engine.pathway.spiff import readers, xml
from engine.pathway.spiff.activities import SubProcess
from engine.pathway.spiff.elements import Element, Flow
from engine.pathway.spiff.events import BoundaryEvent, CatchEvent, StartEvent, ThrowEvent
from engine.pathway.spiff.expressions import compile_text
from engine.pathway.spiff.extensions import BPMN, Reading
from engine.pathway.spiff.gateways import EventGateway, ExclusiveGateway, InclusiveGateway, ParallelGateway
from engine.pathway.spiff.scopes import ScopeSpec

_PASSED_OVER = {
    "laneSet", "documentation", "extensionElements", "incoming", "outgoing", "dataObject", "dataObjectReference", "textAnnotation", "association", "group",
    "ioSpecification", "property", "dataInputAssociation", "dataOutputAssociation", "multiInstanceLoopCharacteristics", "standardLoopCharacteristics",
    "auditing", "monitoring", "performer", "potentialOwner", "humanPerformer", "resourceRole", "supports", "correlationSubscription", "category",
}  # fmt: skip
_DEEPEST = 12
_UNREAD = compile_text("null")  # stands for a condition that could not be read, so that it is not told to be missing too
_ID = re.compile(r"[^\W\d][\w.-]{0,149}")


class DiagramParser(BpmnParser):
    """All the diagrams of an edition. `readings`: file → what was read of its extensions, with findings.

    Names that files share nothing of but their id (messages, signals, errors) are kept by file: SpiffWorkflow let the last file win.
    """

    PARSER_CLASSES = {full_tag(name): (reader, kind) for name, (reader, kind) in readers.READERS.items()}

    def __init__(self) -> None:
        super().__init__()
        self.readings: dict[str, Reading] = {}
        self._roots: list[Any] = []  # kept alive: lanes are found by the root's identity
        self.findings: list[Finding] = []

    def add(self, name: str, root: Any) -> None:
        """Takes one file in."""
        self._roots.append(root)
        reading = self.readings[name] = Reading(name, root)
        self.findings += additions.check(root, name)
        seen: set[str] = set()
        for node in root.iter(f"{{{BPMN}}}*"):
            if not readers.is_feel(node.get("language")):
                reading.report("pathway.language_unknown", node, written_in=node.get("language")[:100])
            found = node.get("id")
            if found is None:
                continue
            if not found:
                reading.report("pathway.id_missing", node, kind=naming.kind_named(node.tag.rpartition("}")[2]))
            elif not _ID.fullmatch(found):
                self.findings.append(Finding("pathway.id_unfit", name, {"element": found[:100]}))
            elif found in seen:
                reading.report("pathway.id_repeated", node)
            seen.add(found)
        lanes = {(place.text or "").strip(): place.getparent().get("name") for place in root.iter(full_tag("flowNodeRef"))}
        self.document_lanes[self._document_key(root)] = lanes  # innermost last: an inner lane stands after the one around it
        self._add_processes(root, name)

    def _add_processes(self, bpmn: Any, filename: str | None = None) -> None:
        assert filename is not None
        executable = 0
        for process in bpmn.findall(full_tag("process")):
            if process.get("id") is None:
                self.readings[filename].report("pathway.id_missing", process, kind=naming.kind_named("process"))
            elif process.get("id") and process.get("isExecutable", "true") == "true":
                executable += 1
                known = self.process_parsers.get(process.get("id"))
                if known is not None:
                    self.findings.append(
                        Finding("pathway.process_repeated", f"{filename}#{process.get('id')}", {"element": process.get("id"), "other": known.filename})
                    )
                else:
                    self.process_parsers[process.get("id")] = ProcessReader(self, process, self.namespaces, {}, filename=filename)
        if not executable:
            self.findings.append(Finding("pathway.nothing_executable", filename))

    def specs(self) -> dict[str, ScopeSpec]:
        """The spec of each executable process, by its id."""
        return {name: reader.get_spec() for name, reader in sorted(self.process_parsers.items())}

    def every_finding(self) -> list[Finding]:
        """All that forbids these diagrams to run."""
        return self.findings + [found for reading in self.readings.values() for found in reading.findings]


class ProcessReader(ProcessParser):
    """Reads one process or sub-process."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.spec: ScopeSpec | None = None
        self.depth = 0
        self.behind: list[Element] = []
        self.left_out: set[str] = set()  # elements of kinds that do not run: told once, not again by every arrow that touches them

    @property
    def reading(self) -> Reading:
        found: Reading = self.parser.readings[self.filename]
        return found

    def create_spec(self) -> ScopeSpec:
        return ScopeSpec(self.bpmn_id, self.filename, self.bpmn_id)

    def _parse(self) -> None:
        self.spec = self.create_spec()
        self.fill(self.spec, is_inside=False, is_event=False)

    def fill(self, spec: ScopeSpec, is_inside: bool, is_event: bool) -> None:
        """Reads every element of the node into the spec, then what connects them."""
        self.spec = spec
        found: dict[str, Element] = {}
        flows: list[Any] = []
        for node in self.node:
            name = node.tag.rpartition("}")[2]
            if not node.tag.startswith(f"{{{BPMN}}}") or name in _PASSED_OVER:
                continue
            if name == "sequenceFlow":
                flows.append(node)
                continue
            reader, kind = self.parser._get_parser_class(node.tag)
            if reader is None or readers.is_refused(node):
                self.reading.report("pathway.unsupported", node, kind=naming.kind_named(readers.refused_kind(node)))
                self.left_out.add(node.get("id", ""))
            elif node.get("id") is None:
                self.reading.report("pathway.id_missing", node, kind=naming.kind_named(name))
            elif node.get("id") and node.get("id") not in found:  # a repeated id was found already
                found[node.get("id")] = self._element(reader, kind, node)
        self._connect(found, flows)
        self._attach(found)
        self._link(spec)
        self._begin(spec, is_inside, is_event)

    def _element(self, reader: Any, kind: Any, node: Any) -> Element:
        element: Element = reader(self, kind, node, self.nsmap, lane=self.get_lane_name(node.get("id")) or self.lane).create_task()
        if isinstance(element, SubProcess):
            assert element.inner is not None
            inner = ProcessReader(self.parser, node, self.nsmap, {}, filename=self.filename, lane=element.lane)
            inner.depth = self.depth + 1
            if inner.depth > _DEEPEST:
                self.reading.report("pathway.nested_too_deep", node, most=_DEEPEST)
            else:
                inner.fill(element.inner, is_inside=True, is_event=element.is_event)
        return element

    def _connect(self, found: dict[str, Element], flows: list[Any]) -> None:
        for node in flows:
            source, target = found.get(node.get("sourceRef", "")), found.get(node.get("targetRef", ""))
            if {node.get("sourceRef", ""), node.get("targetRef", "")} & self.left_out:
                self.behind += [target] if target is not None else []
                continue
            if source is None or target is None or not node.get("id"):
                self.reading.report("pathway.flow_loose", node)
                continue
            if isinstance(target, StartEvent | BoundaryEvent) or (isinstance(source, ThrowEvent) and source.kind == "endEvent"):
                self.reading.report("pathway.flow_forbidden", node, source=naming.name_of(source), target=naming.name_of(target))
                continue
            text = node.find(full_tag("conditionExpression"))
            condition = (self.reading.feel(text.text, node) or _UNREAD) if text is not None else None
            default = self.get_node_by_id(source.id).get("default") == node.get("id")
            if default and text is not None:
                self.reading.report("pathway.condition_on_default", node)
            flow = Flow(node.get("id"), source, target, self.reading.names(node), condition, default)
            flow.place = len(target.flows_in)
            source.flows_out.append(flow)
            target.flows_in.append(flow)
            source.connect(target)  # SpiffWorkflow's own lists of what follows what
        beside_left_out = {node.get("sourceRef", "") for node in flows if node.get("targetRef", "") in self.left_out}
        for element in found.values():
            if element.id not in beside_left_out:
                self._check_flows(element)

    def _check_flows(self, element: Element) -> None:
        node = self.get_node_by_id(element.id)
        out = element.flows_out
        if isinstance(element, ExclusiveGateway):
            element.tried = xml.tried(node, out, lambda flow: flow.id)
        if isinstance(element, ParallelGateway | EventGateway):
            for flow in out:
                if flow.condition is not None:
                    self.reading.report("pathway.condition_out_of_place", self.get_node_by_id(flow.id), gateway=naming.name_of(element))
        elif isinstance(element, ExclusiveGateway | InclusiveGateway) and len(out) > 1:
            bare = [flow for flow in out if flow.condition is None and not flow.is_default]
            # An inclusive split without any condition takes every flow, and is drawn so; half conditioned it is a slip of the pen.
            if bare and (isinstance(element, ExclusiveGateway) or len(bare) < len(out)):
                for flow in bare:
                    self.reading.report("pathway.condition_missing", self.get_node_by_id(flow.id), gateway=naming.name_of(element))
        if not out and isinstance(element, ExclusiveGateway | InclusiveGateway | ParallelGateway):
            self.reading.report("pathway.gateway_without_exit", node)
        if node.get("default") and not any(flow.is_default for flow in out):
            self.reading.report("pathway.default_unknown", node, flow=self.reading.names_of.at(node.get("default")))
        if isinstance(element, EventGateway):
            if not out or not all(getattr(flow.target, "listens", False) and len(flow.target.flows_in) == 1 for flow in out):
                self.reading.report("pathway.event_gateway_targets", node)

    def _attach(self, found: dict[str, Element]) -> None:
        for element in list(found.values()):
            if isinstance(element, BoundaryEvent):
                node = self.get_node_by_id(element.id)
                if node.get("attachedToRef", "") in self.left_out:
                    self.behind.append(element)
                    continue
                host = found.get(node.get("attachedToRef", ""))
                if host is None or not hasattr(host, "loop") or getattr(host, "is_event", False):
                    self.reading.report("pathway.boundary_loose", node)
                    continue
                element.host = host
                host.boundaries.append(element)
        for element in found.values():
            loop = getattr(element, "loop", None)
            if loop is not None and loop.kind == "standard" and loop.condition is None and loop.maximum is None:
                if not any(boundary.is_interrupting for boundary in element.boundaries):
                    self.reading.report("pathway.loop_endless", self.get_node_by_id(element.id))

    def _link(self, spec: ScopeSpec) -> None:
        landings: dict[str, Element] = {}
        for element in spec.elements:
            if isinstance(element, CatchEvent) and element.trigger.kind == "link":
                if element.trigger.name in landings:
                    self.reading.report("pathway.link_repeated", self.get_node_by_id(element.id), name=element.trigger.name)
                landings[element.trigger.name] = element
        for element in spec.elements:
            if isinstance(element, ThrowEvent) and element.trigger.kind == "link":
                element.landing = landings.get(element.trigger.name)
                if element.landing is None:
                    self.reading.report("pathway.link_loose", self.get_node_by_id(element.id), name=element.trigger.name)

    def _begin(self, spec: ScopeSpec, is_inside: bool, is_event: bool) -> None:
        """Where it begins: its start events, or whatever nothing leads to."""
        starts: list[Element] = [element for element in spec.elements if isinstance(element, StartEvent)]
        spec.event_subprocesses = [element for element in spec.elements if isinstance(element, SubProcess) and element.is_event]
        spec.inclusive_joins = [element for element in spec.elements if isinstance(element, InclusiveGateway) and len(element.flows_in) > 1]
        spec.entries = starts or [
            element for element in spec.elements
            if not element.flows_in and not isinstance(element, BoundaryEvent) and element not in spec.event_subprocesses
            and not (isinstance(element, CatchEvent) and element.trigger.kind == "link")
        ]  # fmt: skip
        if not spec.entries and not self.left_out:
            self.reading.report("pathway.no_start", self.node)
        for element in starts:
            assert isinstance(element, StartEvent)
            kind = element.trigger.kind
            node = self.get_node_by_id(element.id)
            if is_event and kind == "none":
                self.reading.report("pathway.event_start_missing", node)
            elif not is_event and kind not in (("none",) if is_inside else ("none", "message")):
                self.reading.report("pathway.start_never_happens", node, kind=naming.trigger_named(kind))
        if is_event and len(starts) != 1 and not self.left_out:
            self.reading.report("pathway.event_start_missing", self.node)
        plain = [element for element in starts if isinstance(element, StartEvent) and element.trigger.kind == "none"]
        if len(plain) > 1:
            self.reading.report("pathway.start_repeated", self.get_node_by_id(plain[1].id))
        for element in spec.event_subprocesses:
            if element.flows_in or element.flows_out:
                self.reading.report("pathway.event_subprocess_connected", self.get_node_by_id(element.id))
        for element in _never_reached(spec, self.behind):
            self.reading.report("pathway.nothing_leads_here", self.get_node_by_id(element.id))


def _never_reached(spec: ScopeSpec, behind: list[Element]) -> list[Element]:
    """What no token can ever come to: drawn as part of the procedure, and silently not. `behind`: what would follow an element that does not run."""
    reached, waiting = set(spec.event_subprocesses), [*spec.entries, *behind]
    while waiting:
        element = waiting.pop()
        if element not in reached:
            reached.add(element)
            waiting += [flow.target for flow in element.flows_out]
            waiting += element.boundaries
            landing = getattr(element, "landing", None)
            if landing is not None:
                waiting.append(landing)
    return [element for element in spec.elements if element not in reached]
