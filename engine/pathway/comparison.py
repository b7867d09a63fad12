"""What differs between two versions of the diagrams and of the decision tables: element by element, rule by rule.

Files are read as they are written, whatever an editor left in them, so that a draft with errors is compared too and nothing goes unseen: a property
nobody foresaw is told under its own name. Only the drawing's layout is told once for the whole file. How differences are found, and why they are the
same both ways, is `forms.differences`'. What a change would do to people is `burden`'s.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.pathway import naming
from engine.pathway.spiff import xml
from engine.pathway.spiff.extensions import BPMN
from engine.pathway.written import M, foreign, local, plain, put, short, text
from forms.differences import Difference, Subject, of_files, same, title
from forms.likeness import Key, Thing

_B = f"{{{BPMN}}}"
_DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
_HOLDERS = frozenset({"definitions", "collaboration", "process", "subProcess", "transaction", "adHocSubProcess", "laneSet", "childLaneSet"})
_ABOVE = frozenset({"definitions", "collaboration", "laneSet", "childLaneSet"})
_TOLD_ELSEWHERE = frozenset({"incoming", "outgoing", "flowNodeRef"})  # by the flows, by the lane of each element
_FAMILIES = {"sequenceFlow": "flow", "messageFlow": "flow", "association": "flow", "lane": "lane", "process": "process", "participant": "participant",
             "message": "message", "signal": "signal", "error": "error", "escalation": "escalation", "definitions": "file"}  # fmt: skip
_LINKS = {"sourceRef": "source", "targetRef": "target", "attachedToRef": "host", "default": "default", "messageRef": "message_ref", "signalRef": "signal",
          "errorRef": "error", "escalationRef": "escalation", "processRef": "process"}  # fmt: skip
_CALLED = {"calledElement": "called", "cancelActivity": "interrupting", "isInterrupting": "interrupting", "triggeredByEvent": "event_subprocess",
           "loopMaximum": "loop_maximum", "loopCardinality": "loop_count", "completionCondition": "loop_until", "loopCondition": "loop_while",
           "conditionExpression": "condition", "condition": "condition", "documentation": "documentation", "errorCode": "code",
           "escalationCode": "code"}  # fmt: skip
# What says nothing when written out: attribute → the value it has anyway.
_ASSUMED = {"isSequential": "false", "cancelActivity": "true", "isInterrupting": "true", "triggeredByEvent": "false", "isClosed": "false",
            "isImmediate": "false", "isForCompensation": "false", "startQuantity": "1", "completionQuantity": "1", "instantiate": "false",
            "implementation": "##unspecified",
            "gatewayDirection": "Unspecified", "eventGatewayType": "Exclusive", "behavior": "All", "testBefore": "false", "parallelMultiple": "false",
            "processType": "None"}  # fmt: skip
_EXTENSIONS = {
    ("tache", "form"): "form", ("tache", "role"): "role", ("tache", "sujet"): "subject", ("tache", "presence"): "presence",
    ("tache", "distinct"): "distinct", ("tache", "echeance"): "due", ("tache", "ecart"): "due_shift", ("operation", "nom"): "operation",
    ("decision", "ref"): "decision", ("decision", "resultat"): "result", ("message", "nom"): "message", ("message", "cle"): "key",
    ("message", "resultat"): "result", ("collection", "valeur"): "loop_collection", ("collection", "element"): "loop_item",
}  # fmt: skip
_NAMED = {"parametre": "parameter", "entree": "input", "sortie": "output"}
_TIMERS = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}
_TOOLS = frozenset({"exporter", "exporterVersion"})


def of_diagrams(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> list[Difference]:
    """What differs between two sets of diagrams (path → content). Where elements stand on the sheet is told once a file, as `layout`."""
    found = of_files(old, new, "diagram", _things)
    pairs = sorted({(one.old.file, one.new.file) for one in found if one.old and one.new})
    laid = [told for before, after in pairs if (told := _laid_out_otherwise(before, old[before], after, new[after]))]
    places = {(one.old.file, one.new.file) for one in laid if one.old and one.new}
    kept = [one for one in found if not (one.what == "writing" and one.old and one.new and (one.old.file, one.new.file) in places)]
    return kept + laid


def _laid_out_otherwise(path: str, old: bytes, path_new: str, new: bytes) -> Difference | None:
    """That elements of both versions stand elsewhere on the sheet, said once."""
    things_old, things_new = _things(path, old), _things(path_new, new)
    if things_old is None or things_new is None:
        return None
    before, after = _layout(old), _layout(new)
    if all(before.get(key) == after.get(key_new) for key, key_new in same(things_old, things_new).items()):
        return None
    return Difference("layout", Subject(path, "diagram", path, title(things_old)), Subject(path_new, "diagram", path_new, title(things_new)), "layout")


def _layout(content: bytes) -> dict[str, str]:
    """Each element's place, size, colour and way on the sheet, as one text."""
    root, _ = xml.read("", content)
    found: dict[str, str] = {}
    for shape in () if root is None else root.iter(f"{_DI}BPMNShape", f"{_DI}BPMNEdge"):
        drawn = ((local(one), sorted((name, value) for name, value in one.attrib.items() if name not in ("id", "bpmnElement"))) for one in shape.iter())
        name = shape.get("bpmnElement", "").rpartition(":")[2]
        found[name] = found.get(name, "") + "".join(map(str, drawn))
    return found


def _things(path: str, content: bytes) -> list[Thing] | None:
    root, _ = xml.read(path, content)
    return None if root is None else list(_Diagram(path, root).things())


class _Diagram:
    """One diagram read into things."""

    def __init__(self, path: str, root: Any) -> None:
        self.path, self.root, self.file = path, root, naming.File(root)
        self.nodes = list(self._nodes(root))
        self.drawn = set(self.nodes)
        self.by_id = {node.get("id"): node for node in self.nodes if node.get("id")}
        self.choices = self._choices()
        self.lanes = {(one.text or "").strip(): lane.get("id", "") for lane in root.iter(f"{_B}lane") for one in lane.findall(f"{_B}flowNodeRef")}
        self.near: dict[str, set[str]] = {}
        for flow in self.nodes:
            source, target = flow.get("sourceRef", ""), flow.get("targetRef", "")
            if source and target:
                self.near.setdefault(source, set()).add(target)
                self.near.setdefault(target, set()).add(source)
            if flow.get("attachedToRef"):
                self.near.setdefault(flow.get("id", ""), set()).add(flow.get("attachedToRef"))

    def _nodes(self, holder: Any) -> Iterator[Any]:
        """What is drawn: the holder, then what stands in it."""
        yield holder
        for child in holder:
            name = local(child)
            is_drawn = name and child.tag.startswith(_B) and name not in _TOLD_ELSEWHERE and (local(holder) in _HOLDERS or name == "childLaneSet")
            if is_drawn and (child.get("id") or name in _HOLDERS):
                yield from self._nodes(child)

    def _choices(self) -> dict[str, str]:
        """The flows whose conditions a choice tries one after the other, each with the choice: among the nodes they now stand in that order, which counts."""
        places: dict[str, list[int]] = {}
        for place, node in enumerate(self.nodes):
            source = self.by_id.get(node.get("sourceRef"))
            if source is not None and local(source) == "exclusiveGateway" and node.find(f"{_B}conditionExpression") is not None:
                places.setdefault(node.get("sourceRef"), []).append(place)
        for choice, taken in places.items():
            for place, node in zip(taken, xml.tried(self.by_id[choice], [self.nodes[one] for one in taken], lambda way: way.get("id", "")), strict=True):
                self.nodes[place] = node
        return {self.nodes[place].get("id", ""): choice for choice, taken in places.items() for place in taken}

    def things(self) -> Iterator[Thing]:
        seen: dict[str, int] = {}
        for place, node in enumerate(self.nodes):
            kind, name = local(node), node.get("id", "")
            key = name or f"{kind}.{place}"
            seen[key] = seen.get(key, 0) + 1
            key += f"#{seen[key]}" if seen[key] > 1 else ""
            properties: dict[Key, str] = {}
            links: dict[str, str] = {}
            self._attributes(node, kind, "", properties, links)
            self._inside(node, kind, "", properties, links)
            if name in self.lanes:
                links["lane"] = self.lanes[name]
            holder = node.getparent()
            if holder is not None and local(holder) in ("process", "subProcess", "transaction", "adHocSubProcess"):
                links["scope"] = holder.get("id", "")
            yield Thing(key, name, kind, self.path, _FAMILIES.get(kind, "node"), self._names(node, kind), properties, links, frozenset(self.near.get(name, ())),
                        row=self.choices.get(name), traits="" if name else kind, is_named=kind in _ABOVE or kind in naming.ARROWS or naming.is_named(node))  # fmt: skip

    def _names(self, node: Any, kind: str) -> naming.Names:
        """As findings call it; what holds a whole drawing, by its process."""
        if kind in _ABOVE:
            node = next((one for one in self.nodes if local(one) == "process" and naming.is_named(one)), node)
        return self.file.of(node)

    def _attributes(self, node: Any, kind: str, path: str, properties: dict[Key, str], links: dict[str, str]) -> None:
        for name in ("cancelActivity",) if kind == "boundaryEvent" else ("isInterrupting",) if kind == "startEvent" and _is_event(node.getparent()) else ():
            properties["interrupting", ""] = plain(node.get(name, "true"))
        for name, value in node.attrib.items():
            value = plain(value)
            if name == "id" or name in _TOOLS or value == _ASSUMED.get(name):
                continue
            if name == "name" and not path:
                properties["name", "fr"] = value
            elif name in _LINKS and value.rpartition(":")[2] in self.by_id:
                links[_LINKS[name]] = value.rpartition(":")[2]
            elif name in _CALLED and not (name == "isInterrupting" and ("interrupting", "") not in properties):
                properties[_CALLED[name], ""] = value
            elif name not in _LINKS or not path:
                properties["other", f"{path}{short(name)}"] = value
            else:
                properties[_LINKS[name], ""] = value

    def _inside(self, node: Any, kind: str, path: str, properties: dict[Key, str], links: dict[str, str]) -> None:
        """What an element holds that is not drawn for itself."""
        for child in node:
            name = local(child)
            if not name or (not path and child.tag.startswith(_B) and (name in _TOLD_ELSEWHERE or child in self.drawn)) or child.tag.startswith(_DI):
                continue
            if name == "extensionElements" and child.tag.startswith(_B):
                self._extensions(child, path, properties)
            elif name.endswith("EventDefinition"):
                event = name.removesuffix("EventDefinition")
                put(properties, "event", "", event)
                self._attributes(child, name, f"{event}.", properties, links)
                self._inside(child, name, f"{event}.", properties, links)
            elif name in _TIMERS:
                put(properties, "timer", "", text(child))
                put(properties, "timer_kind", "", _TIMERS[name])
            elif name in ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics"):
                kind_of = "standard" if name.startswith("standard") else "sequential" if plain(child.get("isSequential", "false")) == "true" else "parallel"
                put(properties, "loop", "", kind_of)
                for attribute, value in child.attrib.items():
                    if attribute not in ("id", "isSequential") and plain(value) != _ASSUMED.get(attribute):
                        put(properties, _CALLED.get(attribute, "other"), "" if attribute in _CALLED else f"loop.{short(attribute)}", plain(value))
                self._inside(child, name, "loop.", properties, links)
            elif name in _CALLED:
                put(properties, _CALLED[name], "", text(child))
                for attribute, value in child.attrib.items():
                    if attribute != "id" and short(attribute) != "type":
                        put(properties, "other", f"{path}{name}.{short(attribute)}", plain(value))
            else:
                foreign(child, f"{path}{name}", properties)

    def _extensions(self, holder: Any, path: str, properties: dict[Key, str]) -> None:
        for child in holder:
            name = local(child)
            if not name:
                continue
            if not child.tag.startswith(M):
                foreign(child, f"{path}{short(child.tag)}", properties)
            elif name == "libelle":
                put(properties, "name", child.get("lang", ""), text(child))
            elif name == "infere":
                put(properties, "inferred", "", "true")
            elif name in _NAMED:
                put(properties, _NAMED[name], child.get("nom", ""), child.get("valeur", ""))
            else:
                for attribute, value in child.attrib.items():
                    known = _EXTENSIONS.get((name, attribute))
                    if known:
                        put(properties, known, "", plain(value))
                    elif name == "tache" and attribute in ("delai", "unite"):
                        number, unit = child.get("delai"), child.get("unite", "jours")
                        properties["deadline", ""] = f"{number} {unit}" if number else f"? {unit}"
                    else:
                        put(properties, "other", f"{name}.{short(attribute)}", plain(value))
                for inner in child:
                    if local(inner) in _NAMED:
                        put(properties, _NAMED[local(inner)], inner.get("nom", ""), inner.get("valeur", ""))
                    elif local(inner):
                        foreign(inner, f"{name}.{local(inner)}", properties)


def _is_event(node: Any) -> bool:
    return node is not None and node.get("triggeredByEvent") == "true"
