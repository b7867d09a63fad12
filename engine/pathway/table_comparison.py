"""What differs between two versions of the decision tables: decisions, their columns, their rules and cells.

Read as written, like diagrams (`comparison`); what rules decide, and whether they are sound, is not asked here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.pathway import markup
from engine.pathway.written import M, foreign, labels, local, plain, put, short, text
from forms.differences import Difference, of_files
from forms.likeness import Key, Thing

_CELLS = ("inputEntry", "outputEntry", "annotationEntry")
_TOOLS = frozenset({"exporter", "exporterVersion"})


def of_tables(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> list[Difference]:
    """What differs between two sets of DMN files (path → content)."""
    return of_files(old, new, "table", _things)


def _things(path: str, content: bytes) -> list[Thing] | None:
    try:
        root = markup.parse(content)
    except markup.Unfit:
        return None
    if local(root) != "definitions":
        return None
    return list(_File(path, root).things())


class _File:
    """One DMN file read into things."""

    def __init__(self, path: str, root: Any) -> None:
        self.path, self.root = path, root
        self.keys: set[str] = set()

    def things(self) -> Iterator[Thing]:
        apart = {local(one) for one in self.root} - {"extensionElements", "description"}
        yield self._thing(self.root, "definitions", "file", *self._written(self.root, leave=apart))
        for node in self.root:
            kind = local(node)
            if not kind or kind in ("extensionElements", "description", "DMNDI"):
                continue
            table = next((one for one in node if local(one) == "decisionTable"), None)
            names, properties = self._written(node, leave={"decisionTable"})
            if table is not None:
                properties["hit_policy", ""] = table.get("hitPolicy", "UNIQUE")
                for attribute, value in table.attrib.items():
                    if attribute == "aggregation":
                        properties["aggregation", ""] = value
                    elif attribute not in ("id", "hitPolicy") and (attribute, value) != ("preferredOrientation", "Rule-as-Row"):
                        properties["other", f"table.{short(attribute)}"] = plain(value)
            decision = self._thing(node, kind, kind, names, properties)
            yield decision
            if table is not None:
                yield from self._table(table, decision.key)

    def _table(self, table: Any, parent: str) -> Iterator[Thing]:
        columns: dict[str, list[str]] = {one: [] for one in _CELLS}
        for node in table:
            kind = local(node)
            if kind in ("input", "output", "annotation"):
                names, properties = self._written(node)
                if node.get("label"):
                    names = {**names, "fr": plain(node.get("label"))}
                read = properties.get(("expression", "")) or properties.get(("output_name", "")) or node.get("name", "")
                made = self._thing(node, kind, kind, names or {"fr": read}, properties, parent, f"{parent}/{kind}", read)
                columns[f"{kind}Entry"].append(made.key)
                yield made
        for node in table:
            kind = local(node)
            if kind == "rule":
                names, properties = self._written(node, leave=set(_CELLS))
                for sort, what in zip(_CELLS, ("cell", "outcome", "annotation"), strict=True):
                    cells = [one for one in node if local(one) == sort]
                    for place, cell in enumerate(cells):
                        written = self._cell(cell)
                        if written and not (what == "cell" and written == "-"):
                            put(properties, what, columns[sort][place] if place < len(columns[sort]) else str(place + 1), written)
                said = properties.get(("description", ""), "")
                yield self._thing(node, kind, "rule", {"fr": said} if said else {}, properties, parent, f"{parent}/rule", " | ".join(properties.values()))

    def _cell(self, cell: Any) -> str:
        return plain(" ".join("".join(one.itertext()) for one in cell if local(one) == "text"))

    def _written(self, node: Any, leave: set[str] | frozenset[str] = frozenset()) -> tuple[dict[str, str], dict[Key, str]]:
        """Names and properties of what stands in a node, but for what is told by itself."""
        properties: dict[Key, str] = {}
        extensions = None
        for attribute, value in node.attrib.items():
            if attribute == "id" or attribute in _TOOLS:
                continue
            kind = local(node)
            if attribute == "label" or (attribute == "name" and kind not in ("output", "annotation")):
                put(properties, "name", "fr", plain(value))
            elif attribute == "name":
                put(properties, "output_name", "", plain(value))
            elif attribute == "typeRef":
                put(properties, "type", "", plain(value))
            else:
                put(properties, "other", short(attribute), plain(value))
        for child in node:
            name = local(child)
            if not name or name in leave:
                continue
            if name == "extensionElements":
                extensions = child
                self._extensions(child, properties)
            elif name == "description":
                put(properties, "description", "", plain("".join(child.itertext())))
            elif name in ("inputExpression", "literalExpression"):
                put(properties, "expression", "", self._cell(child))
                if child.get("typeRef"):
                    put(properties, "type", "", plain(child.get("typeRef")))
                for attribute, value in child.attrib.items():
                    if attribute not in ("id", "typeRef"):
                        put(properties, "other", f"{name}.{short(attribute)}", plain(value))
            elif name in ("inputValues", "outputValues"):
                put(properties, "values", "", self._cell(child))
            elif name == "defaultOutputEntry":
                put(properties, "default_value", "", self._cell(child))
            elif name.endswith("Requirement"):
                for one in child:
                    if local(one):
                        put(properties, "requires", one.get("href", "").rpartition("#")[2] or local(one), one.get("href", ""))
            else:
                foreign(child, name, properties)
        return labels(node, extensions), properties

    def _extensions(self, holder: Any, properties: dict[Key, str]) -> None:
        for child in holder:
            name = local(child)
            if not name:
                continue
            if child.tag == f"{M}libelle":
                put(properties, "name", child.get("lang", ""), text(child))
            elif child.tag == f"{M}infere":
                put(properties, "inferred", "", "true")
            else:
                foreign(child, name, properties)

    def _thing(self, node: Any, kind: str, family: str, names: dict[str, str], properties: dict[Key, str], parent: str = "", row: str | None = None,
               traits: str = "") -> Thing:  # fmt: skip
        name = node.get("id", "")
        key, turn = name or f"{parent}/{kind}", 1
        while key in self.keys:
            turn += 1
            key = f"{name or f'{parent}/{kind}'}#{turn}"
        self.keys.add(key)
        return Thing(key, name if turn == 1 else key, kind, self.path, family, names, properties, parent=parent, row=row,
                     traits="" if name else traits or " ".join(properties.values()))  # fmt: skip
