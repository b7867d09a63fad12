"""What a tree reads: the dotted paths of the scope, found without evaluating it."""

from typing import Any

from forms.feel.reader import KINDS, Node
from forms.feel.signatures import TABLE

_CLOCK = {"now", "today"}


def paths_of(node: Node, bound: frozenset[str] = frozenset()) -> set[str]:
    """The dotted paths of the scope that a tree may read; names bound inside it are not among them."""
    match node[0]:
        case "name":
            return set() if node[3] in bound else {node[3]}
        case "path":
            inner = paths_of(node[3], bound)
            base = _dotted(node[3])
            return {f"{base}.{node[4]}"} if base and base.partition(".")[0] not in bound else inner
        case "for" | "some" | "every":
            found: set[str] = set()
            for name, source in node[3]:
                found |= paths_of(source, bound)
                bound |= {name}
            return found | paths_of(node[4], bound | {"partial"})
        case "function":
            return paths_of(node[4], bound | set(node[3]))
        case "context":
            found = set()
            for key, member in node[3]:
                found |= paths_of(member, bound)
                bound |= {key}
            return found
        case "call" if node[3][0] == "name" and (node[3][3] in TABLE or node[3][3] in _CLOCK):
            return {path for part in node[4:] for path in _inside(part, bound)}
        case "filter":
            # `plan.mesures[item.issue = null]` reads a field of each row: `plan.mesures.issue`.
            base = _dotted(node[3])
            inner = paths_of(node[4], bound - {"item"})
            of_rows = {f"{base}.{path[5:]}" for path in inner if path.startswith("item.")} if base and base.partition(".")[0] not in bound else set()
            return paths_of(node[3], bound) | of_rows | {path for path in inner if path != "item" and not path.startswith("item.")}
    return {path for part in node[3:] for path in _inside(part, bound)}


def _inside(part: Any, bound: frozenset[str]) -> set[str]:
    if isinstance(part, tuple) and part and part[0] in KINDS and len(part) >= 3 and isinstance(part[1], int):
        return paths_of(part, bound)
    if isinstance(part, dict):
        part = list(part.values())
    return {path for one in part for path in _inside(one, bound)} if isinstance(part, list) else set()


def _dotted(node: Node) -> str:
    if node[0] == "name":
        return node[3]
    if node[0] == "path":
        base = _dotted(node[3])
        return f"{base}.{node[4]}" if base else ""
    return ""


def names_of(node: Node) -> set[str]:
    return {path.partition(".")[0] for path in paths_of(node)}
