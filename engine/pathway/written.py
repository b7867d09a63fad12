"""What an XML file holds, as it is written, for comparing: texts without their spacing, labels, and whatever no reader of ours foresaw."""

from typing import Any

from lxml import etree

from engine.pathway.additions import MASAR
from forms.likeness import Key

M = f"{{{MASAR}}}"


def local(node: Any) -> str:
    """The name of an element without its namespace; "" for a comment."""
    return str(etree.QName(node).localname) if isinstance(node.tag, str) else ""


def short(name: str) -> str:
    return name.rpartition("}")[2]


def plain(value: str) -> str:
    return " ".join(value.split())


def text(node: Any) -> str:
    return plain(node.text or "")


def put(properties: dict[Key, str], what: str, detail: str, value: str) -> None:
    """Keeps a property; one written twice is kept twice."""
    key, turn = (what, detail), 1
    while key in properties:
        turn += 1
        key = (what, f"{detail}#{turn}")
    properties[key] = value


def foreign(node: Any, path: str, properties: dict[Key, str]) -> None:
    """What another tool wrote, or what Masar does not read: under the path where it stands. Ids say nothing."""
    put(properties, "other", path, text(node))
    for attribute, value in node.attrib.items():
        if attribute != "id":
            put(properties, "other", f"{path}.{short(attribute)}", plain(value))
    for child in node:
        if local(child):
            foreign(child, f"{path}.{local(child)}", properties)


def labels(node: Any, extensions: Any) -> dict[str, str]:
    """The label by language: the `name` attribute is French, `masar:libelle` the others."""
    found = {"fr": plain(node.get("name", ""))} if node.get("name") else {}
    for one in () if extensions is None else extensions.findall(f"{M}libelle"):
        if text(one):
            found[one.get("lang", "")] = text(one)
    return found
