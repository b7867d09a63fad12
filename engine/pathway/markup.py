"""XML that anybody may have written: nothing outside it is ever opened, and it stays within limits. Diagrams and tables are both read here.

lxml's defaults follow what the installed library thinks safe; these are ours. A document type is refused outright: no file needs one. Of encodings, those
that every editor writes and that hide nothing. Letters that turn the direction of what follows are refused (Trojan Source, CVE-2021-42574).
"""

import re
from typing import Any

from lxml import etree

from forms.text import UNSAFE

LARGEST = 1_000_000  # bytes (decisions.md 27)
MOST_ELEMENTS, MOST_ATTRIBUTES = 50_000, 200  # attributes: of one element
_MOST = {"megabytes": LARGEST // 1_000_000, "elements": MOST_ELEMENTS, "attributes": MOST_ATTRIBUTES}
_ENCODINGS = {"utf-8", "us-ascii", "ascii", "iso-8859-1"}
_DECLARED = re.compile(rb"""^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
_XINCLUDE = "{http://www.w3.org/2001/XInclude}"
_BESIDE = re.compile(r"\w[\w .-]*(/\w[\w .-]*)*")  # what an import may name: a file of the edition, by its path; never an address


class Unfit(Exception):
    """Why a file is not read: the last word of its code (`pathway.…`, `dmn.…`), and what fills the sentence."""

    def __init__(self, fault: str, **details: Any) -> None:
        super().__init__(fault)
        self.fault, self.details = fault, details


def parse(content: bytes) -> Any:
    """The root of the tree. Raises Unfit: `file_too_large`, `encoding`, `not_xml`, `doctype`, `text_unsafe`, `import_outside`."""
    if len(content) > LARGEST:
        raise Unfit("file_too_large", **_MOST)
    declared = _DECLARED.match(content[:200])
    encoding = declared.group(1).decode("ascii").lower() if declared else "utf-8"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "UTF-16"
    elif not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):  # libxml2 would guess at EBCDIC
        raise Unfit("not_xml", line=1)
    elif b"\0" in content[:200]:
        encoding = "UTF-16"
    if encoding not in _ENCODINGS:
        raise Unfit("encoding", encoding=encoding[:40])
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise Unfit("not_xml", line=getattr(wrong, "lineno", None) or 1) from wrong
    if root.getroottree().docinfo.doctype:
        raise Unfit("doctype")
    count = 0
    for node in root.iter():
        count += 1
        if count > MOST_ELEMENTS:
            raise Unfit("file_too_large", **_MOST)
        if len(node.attrib) > MOST_ATTRIBUTES:
            raise Unfit("file_too_large", **_MOST)
        if not isinstance(node.tag, str) or node.tag.startswith(_XINCLUDE):
            raise Unfit("not_xml", line=node.sourceline)
        for text in (node.text, node.tail, *node.attrib.values()):
            if text and (found := UNSAFE.search(text)):
                raise Unfit("text_unsafe", line=node.sourceline, letter=f"U+{ord(found.group()):04X}")
        if node.tag.rpartition("}")[2] == "import":
            for place in (node.get("location"), node.get("locationURI")):  # of BPMN, of DMN
                if place and not _BESIDE.fullmatch(place):
                    raise Unfit("import_outside", line=node.sourceline, place=place[:100])
    return root
