"""Files that mean well, more than two hundred: those of the project, the reference models of the BPMN MIWG, sound processes at random.

Drawings that were not made for Masar are furnished first as a coordinator would in its panel: roles, forms, deadlines, lanes, names of messages,
conditions in FEEL. What is drawn is not touched: no element or arrow is added, moved or taken away.
"""

import random
from pathlib import Path

from lxml import etree

from tests.engine.pathway import drawing as draw
from tests.properties.random_processes import Blocks, Written

MODEL, MASAR = "http://www.omg.org/spec/BPMN/20100524/MODEL", "urn:masar:bpmn:1"
MIWG = Path(__file__).parents[3] / "shared" / "testdata" / "miwg"
RANDOM = 70
_EVENTS = {"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"}
_BRANCHING = {"exclusiveGateway", "inclusiveGateway", "complexGateway"}


def reference_models():
    """(name, content as it is published) of the 21 models."""
    return [(path.name, path.read_bytes()) for path in sorted(MIWG.glob("*.bpmn"))]


def random_models():
    """Sound processes, block in block."""
    found = []
    for seed in range(RANDOM):
        written = Written(Blocks(random.Random(seed)).block(3))
        found.append((f"random_{seed}.bpmn", draw.diagram(written.xml.replace('id="p"', f'id="random_{seed}"', 1))))
    return found


def furnished(content):
    """The same drawing with what Masar needs to run it."""
    root = etree.fromstring(content)
    for process in root.iter(_tag("process")):
        if process.find(_tag("sequenceFlow")) is not None:  # a pool may be drawn empty
            process.set("isExecutable", "true")
    _names(root)
    for node in list(root.iter(_tag("task"))):  # of no kind: somebody's, in these drawings
        node.tag = _tag("userTask")
    for node in list(root.iter()):
        kind = node.tag.rpartition("}")[2] if isinstance(node.tag, str) and node.tag.startswith(f"{{{MODEL}}}") else ""
        for attribute in ("expressionLanguage", "language", "scriptFormat"):
            node.attrib.pop(attribute, None)
        if kind in ("userTask", "manualTask"):
            _note(node, "tache", form="essai", role="agent_accueil", delai="2", unite="jours")
        elif kind == "serviceTask":
            _note(node, "operation", nom="retenir")
        elif kind == "businessRuleTask":
            _note(node, "decision", ref="D0", resultat="action")
        elif kind in ("sendTask", "receiveTask"):
            _note(node, "message", nom=f"essai.{node.get('id')}", **({"cle": "instance"} if kind == "sendTask" else {}))
        elif kind == "callActivity":
            node.set("calledElement", "cloture")
        elif kind in _EVENTS and node.find(_tag("messageEventDefinition")) is not None:
            _note(node, "message", nom=f"essai.{node.get('id')}", **({"cle": "instance"} if kind in ("endEvent", "intermediateThrowEvent") else {}))
        elif kind == "timerEventDefinition":
            _replaced(node, "timeDuration", "P1D")
        elif kind == "conditionalEventDefinition":
            _replaced(node, "condition", "accueil.accompagne = true")
        elif kind == "multiInstanceLoopCharacteristics":
            _replaced(node, "loopCardinality", "2")
        elif kind == "standardLoopCharacteristics":
            node.set("loopMaximum", "3")
            _replaced(node, None, "")
        elif kind == "linkEventDefinition" and not node.get("name"):
            node.set("name", "lien")
        elif kind in _BRANCHING:
            _conditions(root, node)
    for flow in root.iter(_tag("conditionExpression")):
        flow.attrib.clear()
        for inner in list(flow):
            flow.remove(inner)
        flow.text = "accueil.accompagne = true"
    _lanes(root)
    for node in root.iter():
        if (
            isinstance(node.tag, str)
            and node.tag.startswith(f"{{{MODEL}}}")
            and (node.get("name") or node.tag in (_tag("process"), _tag("userTask"), _tag("manualTask")))
        ):
            if node.tag.rpartition("}")[2] in {"process", "sequenceFlow", *_EVENTS} | {"userTask", "manualTask"}:
                node.set("name", node.get("name") or node.get("id", ""))
                for language in ("ar", "en"):
                    _note(node, "libelle", text=node.get("name"), lang=language)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _tag(name):
    return f"{{{MODEL}}}{name}"


def _note(node, name, text=None, **attributes):
    holder = node.find(_tag("extensionElements"))
    if holder is None:
        holder = etree.Element(_tag("extensionElements"))
        node.insert(0, holder)
    for before in [one for one in holder.findall(f"{{{MASAR}}}{name}") if one.get("lang") == attributes.get("lang")]:
        holder.remove(before)
    note = etree.SubElement(holder, f"{{{MASAR}}}{name}", attributes)
    note.text = text


def _replaced(node, name, text):
    for inner in list(node):
        if inner.tag != _tag("extensionElements"):
            node.remove(inner)
    if name:
        etree.SubElement(node, _tag(name)).text = text


def _names(root):
    """Signals, errors and escalations that events refer to, where the drawing named none."""
    for kind, attribute in (("signal", "name"), ("error", "errorCode"), ("escalation", "escalationCode")):
        for node in root.iter(_tag(kind)):
            node.set(attribute, node.get(attribute) or node.get("id"))
        wanting = [node for node in root.iter(_tag(f"{kind}EventDefinition")) if not node.get(f"{kind}Ref")]
        if wanting:
            root.insert(0, etree.Element(_tag(kind), {"id": f"essai_{kind}", attribute: f"essai_{kind}"}))
        for node in wanting:
            node.set(f"{kind}Ref", f"essai_{kind}")


def _conditions(root, gateway):
    flows = [flow for flow in root.iter(_tag("sequenceFlow")) if flow.get("sourceRef") == gateway.get("id")]
    default = next((flow for flow in flows if flow.get("id") == gateway.get("default")), flows[-1] if flows else None)
    if len(flows) == 1 and flows[0].find(_tag("conditionExpression")) is not None:  # closes branches, yet asks
        flows[0].remove(flows[0].find(_tag("conditionExpression")))
    if default is not None and len(flows) > 1:
        gateway.set("default", default.get("id"))
        for flow in flows:
            if flow is not default and flow.find(_tag("conditionExpression")) is None:
                etree.SubElement(flow, _tag("conditionExpression"))
            elif flow is default and flow.find(_tag("conditionExpression")) is not None:
                flow.remove(flow.find(_tag("conditionExpression")))


def _lanes(root):
    for lane in root.iter(_tag("lane")):
        lane.set("name", "OTE")
    for process in root.iter(_tag("process")):
        held = {(one.text or "").strip() for one in process.iter(_tag("flowNodeRef"))}
        free = [node.get("id") for node in process.iter(_tag("userTask"), _tag("manualTask")) if node.get("id") not in held]
        if free:
            holder = process.find(_tag("laneSet"))
            if holder is None:
                holder = etree.Element(_tag("laneSet"), {"id": f"{process.get('id')}_lanes"})
                process.insert(0, holder)
            lane = etree.SubElement(holder, _tag("lane"), {"id": f"{process.get('id')}_lane", "name": "OTE"})
            for one in free:
                etree.SubElement(lane, _tag("flowNodeRef")).text = one
