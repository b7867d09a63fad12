"""A diagram as plain geometry, for whoever draws it without a BPMN viewer: shapes, ways, names in one language. Pure."""

from functools import lru_cache
from typing import Any

from lxml import etree

from engine.i18n import pick

_BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
_DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
_DC = "{http://www.omg.org/spec/DD/20100524/DC}"
_WAY = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
_MASAR = "{urn:masar:bpmn:1}"
_MARGIN = 20


@lru_cache(maxsize=256)
def geometry(content: bytes, language: str) -> dict[str, Any]:
    """`box`: x, y, width, height; `shapes`: id, kind, x, y, width, height, name, and the box of the name where it stands apart; `ways`: id and points.

    `kind` is `lane`, `pool`, `task`, `call`, `event`, `end`, `gateway`, `part` (a sub-process) or `note`.
    """
    tree = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    elements = {one.get("id"): one for one in tree.iter() if isinstance(one.tag, str) and one.tag.startswith(_BPMN) and one.get("id")}
    shapes, ways = [], []
    for drawn in tree.iter(f"{_DI}BPMNShape", f"{_DI}BPMNEdge"):
        element = elements.get(drawn.get("bpmnElement"))
        if element is None:
            continue
        if drawn.tag.endswith("BPMNEdge"):
            ways.append([element.get("id"), [float(point.get(axis)) for point in drawn.iter(_WAY) for axis in "xy"], _name(element, language)])
        else:
            shapes.append([element.get("id"), _kind(element), *_bounds(drawn), _name(element, language), _bounds(drawn.find(f"{_DI}BPMNLabel"))])
    xs = [value for shape in shapes for value in (shape[2], shape[2] + shape[4])] + [value for way in ways for value in way[1][::2]]
    ys = [value for shape in shapes for value in (shape[3], shape[3] + shape[5])] + [value for way in ways for value in way[1][1::2]]
    if not xs:
        return {"box": [0, 0, 0, 0], "shapes": [], "ways": []}
    left, top = min(xs) - _MARGIN, min(ys) - _MARGIN
    return {"box": [left, top, max(xs) + _MARGIN - left, max(ys) + _MARGIN - top], "shapes": shapes, "ways": ways}


def _bounds(drawn: Any) -> list[float]:
    found = drawn.find(f"{_DC}Bounds") if drawn is not None else None
    return [float(found.get(name)) for name in ("x", "y", "width", "height")] if found is not None else []


def _kind(element: Any) -> str:
    tag = element.tag.removeprefix(_BPMN)
    if tag.endswith("Gateway"):
        return "gateway"
    if tag.endswith("Event"):
        return "end" if tag == "endEvent" else "event"
    if tag.endswith(("Task", "task")):
        return "task"
    return {"participant": "pool", "lane": "lane", "callActivity": "call", "subProcess": "part"}.get(tag, "note")


def _name(element: Any, language: str) -> str:
    said = {found.get("lang"): (found.text or "").strip() for found in element.iterfind(f"{_BPMN}extensionElements/{_MASAR}libelle")}
    return pick({"fr": " ".join((element.get("name") or "").split()), **said}, language)
