"""Reading a BPMN file that anybody may have written (`markup`): the root of a diagram, or why it is refused."""

from typing import Any

from engine.errors import Finding
from engine.pathway import markup

LARGEST = markup.LARGEST
_ROOT = "{http://www.omg.org/spec/BPMN/20100524/MODEL}definitions"


def read(name: str, content: bytes) -> tuple[Any | None, list[Finding]]:
    """The root of a diagram, or why it is refused."""
    try:
        root = markup.parse(content)
    except markup.Unfit as unfit:
        return None, [Finding(f"pathway.{unfit.fault}", name, unfit.details)]
    if root.tag != _ROOT:
        return None, [Finding("pathway.not_bpmn", name, {"root": root.tag[:100]})]
    return root, []
