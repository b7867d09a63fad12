"""Reading a BPMN file that anybody may have written (`markup`): the root of a diagram, or why it is refused."""

from collections.abc import Callable, Sequence
from typing import Any

from engine.errors import Finding
from engine.pathway import markup

LARGEST = markup.LARGEST
_BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
_ROOT = f"{_BPMN}definitions"


def read(name: str, content: bytes) -> tuple[Any | None, list[Finding]]:
    """The root of a diagram, or why it is refused."""
    try:
        root = markup.parse(content)
    except markup.Unfit as unfit:
        return None, [Finding(f"pathway.{unfit.fault}", name, unfit.details)]
    if root.tag != _ROOT:
        return None, [Finding("pathway.not_bpmn", name, {"root": root.tag[:100]})]
    return root, []


def tried(choice: Any, ways: Sequence[Any], name: Callable[[Any], str]) -> list[Any]:
    """The ways out of a choice in the order in which their conditions are tried: that of its `outgoing` where it lists them all, which every editor keeps;
    else that of the file, which some write anew when an element is moved."""
    listed = {(one.text or "").strip().rpartition(":")[2]: place for place, one in enumerate(choice.findall(f"{_BPMN}outgoing"))}
    return sorted(ways, key=lambda way: listed[name(way)]) if {name(way) for way in ways} <= listed.keys() else list(ways)
