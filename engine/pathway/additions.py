"""What Masar adds to BPMN and DMN (`urn:masar:bpmn:1`), and where each addition may stand: one table, for diagrams and decision tables alike.

What stands elsewhere would say nothing and be passed over in silence: each is a finding that names its element. Not here: what an addition means (`spiff.extensions`).
"""

from collections.abc import Iterator, Set
from typing import Any

from engine.errors import Finding
from engine.i18n import translate
from engine.pathway import naming

MASAR = "urn:masar:bpmn:1"
LANGUAGES = ("ar", "en")  # of `masar:libelle`; French is the name that any tool reads
_FAMILY = "urn:masar:"  # a namespace that was meant to be Masar's, and is not
_SENDS = {"sendTask", "endEvent", "intermediateThrowEvent"}
_HEARS = {"receiveTask", "startEvent", "intermediateCatchEvent", "boundaryEvent"}
_NODES = _SENDS | _HEARS | {
    "task", "userTask", "manualTask", "serviceTask", "businessRuleTask", "subProcess", "callActivity",
    "exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway",
}  # fmt: skip
# Each addition: its attributes, and what it says something to. Of a message, what is sent has parameters and what is heard a result.
_PLACES: dict[str, tuple[Set[str], Set[str]]] = {
    "libelle": ({"lang"}, _NODES | {"sequenceFlow", "process", "participant", "lane", "dataObjectReference", "decision", "input", "output"}),
    "infere": (set(), _NODES | {"sequenceFlow", "process", "decision", "rule"}),
    "tache": ({"form", "role", "delai", "unite", "echeance", "ecart", "sujet", "distinct", "presence"}, {"userTask", "manualTask"}),
    "operation": ({"nom"}, {"serviceTask"}),
    "decision": ({"ref", "resultat"}, {"businessRuleTask"}),
    "message": ({"nom", "cle", "resultat"}, _SENDS | _HEARS),
    "imprevu": ({"form", "roles", "sur", "seul"}, {"startEvent"}),
    "entree": ({"nom", "valeur"}, {"callActivity"}),
    "sortie": ({"nom", "valeur"}, {"callActivity"}),
    "collection": ({"valeur", "element"}, {"multiInstanceLoopCharacteristics"}),
    "parametre": ({"nom", "valeur"}, {"masar:operation", "masar:message"}),
}
_EACH = {"libelle": "lang", "entree": "nom", "sortie": "nom", "parametre": "nom"}  # may stand several times, once a name


def check(root: Any, file: str) -> list[Finding]:
    """All that is Masar's in a file where it says nothing: elements and attributes unknown, out of place, or said twice."""
    said: set[tuple[Any, str, str | None]] = set()
    names = naming.File(root)
    return [found for node in root.iter() if isinstance(node.tag, str) for found in (_of(node, file, names, said) if _is_masars(node.tag) else _on(node, file, names))]


def finding(code: str, file: str, names: naming.File, node: Any, **details: Any) -> Finding:
    """A finding on the nearest element that has an id, named as people see it."""
    while node is not None and (not node.get("id") or _is_masars(node.tag)):
        node = node.getparent()
    where = file if node is None else f"{file}#{node.get('id')}"
    return Finding(code, where, {"element": {"fr": file} if node is None else names.of(node), **details})


def _on(node: Any, file: str, names: naming.File) -> Iterator[Finding]:
    """What an element of others carries as attributes: Masar adds none."""
    for attribute in sorted(one for one in node.attrib if _is_masars(one)):
        yield finding("pathway.extension_unknown", file, names, node, name=_local(attribute))


def _of(node: Any, file: str, names: naming.File, said: set[tuple[Any, str, str | None]]) -> Iterator[Finding]:
    name, host = _local(node.tag), _host(node)
    if name not in _PLACES or node.tag != f"{{{MASAR}}}{name}":
        yield finding("pathway.extension_unknown", file, names, node, name=name)
        return
    once = (host, name, node.get(_EACH[name]) if name in _EACH else None)
    if once in said:
        yield finding("pathway.extension_repeated", file, names, node, name=_in_words(name))
        return
    said.add(once)
    attributes, hosts = _PLACES[name]
    if host is None or not _heeds(host, name, hosts):
        yield finding("pathway.extension_out_of_place", file, names, node, name=_in_words(name))
        return
    known = attributes - {"resultat"} if name == "message" and _local(host.tag) in _SENDS else attributes
    for attribute in sorted(set(node.attrib) - known):
        yield finding("pathway.attribute_unknown", file, names, node, name=_in_words(name), attribute=attribute)
    if name == "libelle" and node.get("lang") not in LANGUAGES:
        yield finding("pathway.label_language", file, names, node, written_in=node.get("lang", ""))


def _in_words(name: str) -> naming.Names:
    return {language: translate(f"pathway.addition.{name}", language) for language in ("fr", *LANGUAGES)}


def _host(node: Any) -> Any:
    """What an addition is said of: whatever holds the `extensionElements` it stands in, or the addition around it. None: nothing that heeds it."""
    around = node.getparent()
    if around is None or _is_masars(around.tag):
        return around
    return around.getparent() if _local(around.tag) == "extensionElements" else None


def _heeds(host: Any, name: str, hosts: Set[str]) -> bool:
    kind = _local(host.tag)
    if _is_masars(host.tag):
        around = _host(host)  # what a message that is heard holds is its sender's to say
        return f"masar:{kind}" in hosts and (kind != "message" or (around is not None and _local(around.tag) in _SENDS))
    if name in ("message", "imprevu") and kind.endswith("Event") and not any(_local(one.tag) == "messageEventDefinition" for one in host if isinstance(one.tag, str)):
        return False
    return kind in hosts and (name != "imprevu" or _local(host.getparent().tag) == "process")


def _is_masars(tag: Any) -> bool:
    return isinstance(tag, str) and tag.startswith(f"{{{_FAMILY}")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
