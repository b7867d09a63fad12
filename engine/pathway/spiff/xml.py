"""Reading a BPMN file that anybody may have written: nothing outside it is ever opened, and it stays within limits.

lxml's defaults follow what the installed library thinks safe; these are ours. A document type is refused outright: no diagram needs one.
"""

from typing import Any

from lxml import etree

from engine.errors import Finding

LARGEST = 1_000_000  # bytes (decisions.md 27)
_MOST_ELEMENTS = 50_000
_ROOT = "{http://www.omg.org/spec/BPMN/20100524/MODEL}definitions"


def read(name: str, content: bytes) -> tuple[Any | None, list[Finding]]:
    """The root of a diagram, or why it is refused."""
    if len(content) > LARGEST:
        return None, [Finding("pathway.file_too_large", name, {"most": LARGEST})]
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        return None, [Finding("pathway.not_xml", name, {"reason": str(wrong)[:200]})]
    if root.getroottree().docinfo.doctype:
        return None, [Finding("pathway.doctype", name)]
    if root.tag != _ROOT:
        return None, [Finding("pathway.not_bpmn", name, {"root": root.tag[:100]})]
    if sum(1 for _ in root.iter()) > _MOST_ELEMENTS:
        return None, [Finding("pathway.file_too_large", name, {"most": _MOST_ELEMENTS})]
    return root, []
