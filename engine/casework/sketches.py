"""New diagrams: a few beginnings that the judge accepts but for what only she who draws knows (the form, the role), in place of a blank sheet."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from engine import errors
from engine.casework.vocabulary import LANES

# What a sketch begins with: the elements of its first lane, in order (kind, name by language).
KINDS: Mapping[str, Sequence[tuple[str, Mapping[str, str]]]] = {
    "task": (("startEvent", {"fr": "Début", "ar": "البداية", "en": "Start"}), ("userTask", {"fr": "Nouvelle tâche", "ar": "مهمة جديدة", "en": "New task"}),
             ("endEvent", {"fr": "Fin", "ar": "النهاية", "en": "End"})),
    "rule": (("startEvent", {"fr": "Début", "ar": "البداية", "en": "Start"}), ("businessRuleTask", {"fr": "Nouvelle règle", "ar": "قاعدة جديدة", "en": "New rule"}),
             ("userTask", {"fr": "Nouvelle tâche", "ar": "مهمة جديدة", "en": "New task"}), ("endEvent", {"fr": "Fin", "ar": "النهاية", "en": "End"})),
    "empty": (("startEvent", {"fr": "Début", "ar": "البداية", "en": "Start"}), ("endEvent", {"fr": "Fin", "ar": "النهاية", "en": "End"})),
}  # fmt: skip
_SIZES = {"startEvent": (36, 36), "endEvent": (36, 36)}
_TASK, _GAP, _LANE, _HEAD = (145, 80), 60, 180, 30
_SPACES = " ".join(
    f'xmlns:{prefix}="{space}"' for prefix, space in {
        "bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL", "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI", "dc": "http://www.omg.org/spec/DD/20100524/DC",
        "di": "http://www.omg.org/spec/DD/20100524/DI", "xsi": "http://www.w3.org/2001/XMLSchema-instance", "masar": "urn:masar:bpmn:1",
    }.items()
)  # fmt: skip


def draw(kind: str, process: str, names: Mapping[str, str], lanes: Sequence[str]) -> bytes:
    """A BPMN file of one process in a pool, with these lanes. Refuses: `draft.sketch` (an unknown kind or lane, no lane, no French name)."""
    if kind not in KINDS or not lanes or not set(lanes) <= set(LANES) or not names.get("fr"):
        raise errors.Invalid("draft.sketch")
    steps = [(f"{process}_{number}", name, labels) for number, (name, labels) in enumerate(KINDS[kind], 1)]
    flows = [(f"{process}_f{number}", source[0], target[0]) for number, (source, target) in enumerate(zip(steps, steps[1:], strict=False), 1)]
    width = _HEAD + _GAP + sum(_SIZES.get(name, _TASK)[0] + _GAP for _, name, _ in steps) + 2 * _GAP
    inner = [_element(one, name, labels) for one, name, labels in steps] + [f'<bpmn:sequenceFlow id="{one}" sourceRef="{source}" targetRef="{target}"/>' for one, source, target in flows]
    drawn = "".join(
        (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<bpmn:definitions {_SPACES} id="definitions_{process}" targetNamespace="urn:masar:processus">',
            f'<bpmn:collaboration id="collaboration_{process}"><bpmn:participant id="participant_{process}" name={quoteattr(names["fr"])} processRef="{process}">',
            f"{_labels(names)}</bpmn:participant></bpmn:collaboration>",
            f'<bpmn:process id="{process}" name={quoteattr(names["fr"])} isExecutable="true">{_labels(names)}',
            f'<bpmn:laneSet id="couloirs_{process}">{_lanes(process, lanes, [one for one, _, _ in steps])}</bpmn:laneSet>{"".join(inner)}</bpmn:process>',
            f'<bpmndi:BPMNDiagram id="diagramme_{process}"><bpmndi:BPMNPlane id="plan_{process}" bpmnElement="collaboration_{process}">',
            *_shapes(process, lanes, steps, flows, width), "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram></bpmn:definitions>\n",
        )
    )  # fmt: skip
    return drawn.encode()


def _element(one: str, kind: str, labels: Mapping[str, str]) -> str:
    return f'<bpmn:{kind} id="{one}" name={quoteattr(labels["fr"])}>{_labels(labels)}</bpmn:{kind}>'


def _labels(names: Mapping[str, str]) -> str:
    written = "".join(f'<masar:libelle lang="{language}">{escape(names[language])}</masar:libelle>' for language in ("ar", "en") if names.get(language))
    return f"<bpmn:extensionElements>{written}</bpmn:extensionElements>" if written else ""


def _lanes(process: str, lanes: Sequence[str], first: Sequence[str]) -> str:
    inside = "".join(f"<bpmn:flowNodeRef>{one}</bpmn:flowNodeRef>" for one in first)
    return "".join(
        f'<bpmn:lane id="couloir_{process}_{lane}" name="{lane}">{_labels(LANES[lane][1])}{"" if number else inside}</bpmn:lane>' for number, lane in enumerate(lanes)
    )


def _shapes(process: str, lanes: Sequence[str], steps: Sequence[tuple[str, str, Mapping[str, str]]], flows: Sequence[tuple[str, str, str]], width: int) -> list[str]:
    left, top, drawn = 160, 80, []
    drawn.append(_shape(f"participant_{process}", left, top, width, _LANE * len(lanes), ' isHorizontal="true"'))
    drawn += [_shape(f"couloir_{process}_{lane}", left + _HEAD, top + _LANE * at, width - _HEAD, _LANE, ' isHorizontal="true"') for at, lane in enumerate(lanes)]
    middle, at, ends = top + _LANE // 2, left + _HEAD + _GAP, {}
    for one, kind, _ in steps:
        wide, high = _SIZES.get(kind, _TASK)
        drawn.append(_shape(one, at, middle - high // 2, wide, high))
        ends[one] = (at, at + wide)
        at += wide + _GAP
    for one, source, target in flows:
        points = "".join(f'<di:waypoint x="{x}" y="{middle}"/>' for x in (ends[source][1], ends[target][0]))
        drawn.append(f'<bpmndi:BPMNEdge id="di_{one}" bpmnElement="{one}">{points}</bpmndi:BPMNEdge>')
    return drawn


def _shape(one: str, x: int, y: int, width: int, height: int, more: str = "") -> str:
    return f'<bpmndi:BPMNShape id="di_{one}" bpmnElement="{one}"{more}><dc:Bounds x="{x}" y="{y}" width="{width}" height="{height}"/></bpmndi:BPMNShape>'
