"""What conditions compare and call: a value that is no choice of its field, a field or a function that nobody knows. All give null, in silence, for ever.

Answers for every FEEL expression of the diagrams, tables and forms. Variables that operations and messages give are not declared: nothing is said of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.errors import Finding
from engine.pathway.definitions import Definitions
from engine.pathway.domains import Domains, results_of
from engine.pathway.naming import Names, flow_named, name_of
from engine.pathway.spiff.activities import Activity, CallActivity
from engine.pathway.spiff.elements import Element
from forms.definitions import FormDefinition
from forms.dictionary import Dictionary
from forms.feel import Expression
from forms.feel.signatures import TABLE

_MANY = "multi"
_CLOCK = {"now", "today"}


@dataclass(frozen=True)
class Said:
    """An expression and where it stands. `element` as people read it; `process` whose variables it sees."""

    expression: Expression
    where: str
    element: Names
    process: str = ""


def check(definitions: Definitions, dictionary: Dictionary, forms: Mapping[str, FormDefinition]) -> list[Finding]:
    """Unknown values and unknown fields in conditions."""
    closed = _Closed(definitions, dictionary)
    findings: list[Finding] = []
    for said in expressions(definitions, forms):
        for path, value in compared(said.expression.tree):
            allowed = closed.values(path, said.process)
            if allowed is not None and value not in allowed:
                details = {"element": said.element, "field": _called(path, dictionary), "value": str(value)[:60], "text": " ".join(said.expression.text.split())[:200]}
                findings.append(Finding("check.value_unknown", said.where, details))
        for name in dict.fromkeys(called_unknown(said.expression.tree)):
            details = {"element": said.element, "name": name[:60], "text": " ".join(said.expression.text.split())[:200]}
            findings.append(Finding("check.function_unknown", said.where, details))
        for path in sorted(said.expression.paths):
            if closed.lacks(path):
                details = {"element": said.element, "field": ".".join(path.split(".")[:2])[:100], "text": " ".join(said.expression.text.split())[:200]}
                findings.append(Finding("check.field_unknown", said.where, details))
    return list({(found.code, found.where, str(found.details)): found for found in findings}.values())


def _called(path: str, dictionary: Dictionary) -> Names | str:
    field = dictionary.fields.get(path)
    return path if field is None else dict(field.label)


class _Closed:
    """The values that paths may hold, where that is known: fields, decisions, and variables of a process that are only ever given those."""

    def __init__(self, definitions: Definitions, dictionary: Dictionary) -> None:
        self.dictionary, self.definitions = dictionary, definitions
        self.domains = Domains(dictionary, {one: definitions.decision(one) for one in definitions.decisions})
        # (process, variable) → what it is given: a decision, an expression, or None where nobody can tell.
        self.made: dict[tuple[str, str], list[str | Expression | None]] = {}
        self.sent: set[str] = set()  # a message that begins a process gives it variables
        for element in definitions.nodes:
            self._given(element)

    def _given(self, element: Element) -> None:
        process, notes = element.scope_spec.process, element.extensions
        made: list[tuple[str, str, str | Expression | None]] = [(process, one.name, one.value) for one in (*notes.outputs, *notes.parameters)]
        if isinstance(element, CallActivity):
            made += [(element.called, one.name, one.value) for one in notes.inputs]
        if notes.decision:
            made.append((process, notes.result, notes.decision))
        loop, trigger = element.loop if isinstance(element, Activity) else None, getattr(element, "trigger", None)
        made += [(process, name, None) for name in (loop.item if loop else "", trigger.result if trigger else "") if name]
        for where, name, value in made:
            self.made.setdefault((where, name), []).append(value)
        if trigger is not None:
            self.sent |= {one.name for one in trigger.parameters}

    def values(self, path: str, process: str) -> tuple[Any, ...] | None:
        """The only values that a path may hold, seen from a process; None where that cannot be known."""
        rows, _, column = path.partition("[].")
        if column:
            listed = self.dictionary.fields.get(rows)
            path = next((one for one in (listed.items if listed else ()) if one.partition(".")[2] == column), "")
        field = self.dictionary.fields.get(path)
        if field is not None and field.type == _MANY:
            return tuple(field.codes)
        name, _, column = path.partition(".")
        given = self.made.get((process, name))
        if name in self.sent:
            return None
        if given is None:
            return self.domains.closed(path)
        found: list[Any] = []
        for one in given:
            values = self._of(one, column)
            if values is None:
                return None
            found += values
        return tuple(found)

    def _of(self, given: str | Expression | None, column: str) -> tuple[Any, ...] | None:
        if isinstance(given, str):
            return results_of(self.domains.decisions[given], column) if given in self.domains.decisions else None
        if given is None:
            return None
        if given.tree[0] == "string" and not column:
            return (given.tree[3],)
        return None

    def lacks(self, path: str) -> bool:
        """Whether a path names a field of a group that has no such field."""
        group, _, rest = path.partition(".")
        name = rest.partition(".")[0].removesuffix("_statut")
        if not name or name == "id" or group not in self.dictionary.groups or group in self.sent or any(made == group for _, made in self.made):
            return False
        return f"{group}.{name}" not in self.dictionary.fields


def expressions(definitions: Definitions, forms: Mapping[str, FormDefinition]) -> Iterator[Said]:
    """Every expression of an edition."""
    for element in definitions.nodes:
        for flow in element.flows_out:
            if flow.condition is not None:
                yield Said(flow.condition, f"{element.file}#{flow.id}", flow_named(flow), element.scope_spec.process)
        for expression in _of_element(element):
            yield Said(expression, element.place, name_of(element), element.scope_spec.process)
    for name in sorted(definitions.decisions):
        decision = definitions.decision(name)
        place = f"{decision.file}#{decision.decision_id}"
        for expression in (*decision.inputs, *((decision.literal,) if decision.literal else ())):
            yield Said(expression, place, dict(decision.names))
        for rule in decision.rules:
            for expression in (*rule.tests, *rule.results):
                yield Said(expression, f"{decision.file}#{rule.rule_id}", dict(decision.names))
    for form in forms.values():
        for section in form.sections:
            for ask in section.ask:
                if ask.when is not None:
                    yield Said(ask.when, f"{form.id}.toml#{ask.field}", dict(form.title))
        for check_ in form.checks:
            yield Said(check_.holds, f"{form.id}.toml#check", dict(form.title))


@lru_cache(maxsize=8)
def newly_weighed(then: Definitions, now: Definitions) -> Mapping[str, frozenset[str]]:
    """What elements and tables of `now` read that decide otherwise than in `then`, or are not there: each path with the paths of facts that it may come of."""
    before = {(one.scope_spec.process, one.id): _says(one) for one in then.nodes}
    tables = {name: _says_table(then, name) for name in then.decisions}
    read: set[str] = set()
    for one in now.nodes:
        if before.get((one.scope_spec.process, one.id)) != _says(one):
            read |= one.weighs | {path for expression in _of_element(one) for path in expression.paths} | now.read_by(one.extensions.decision)
    read = read.union(*(now.read_by(name) for name in now.decisions if tables.get(name) != _says_table(now, name)))
    made: dict[str, set[str]] = {}  # variable → the paths that it was made of
    for one in now.nodes:
        notes, loop = one.extensions, one.loop if isinstance(one, Activity) else None
        for given in (*notes.outputs, *notes.parameters, *notes.inputs, *(one.trigger.parameters if getattr(one, "trigger", None) else ())):
            made.setdefault(given.name, set()).update(given.value.paths)
        if notes.decision:
            made.setdefault(notes.result, set()).update(now.read_by(notes.decision))
        if loop is not None and loop.item and loop.collection is not None:
            made.setdefault(loop.item, set()).update(loop.collection.paths)
    return {path: frozenset(_comes_of(path, made)) for path in read}


def _says(element: Element) -> tuple[Any, ...]:
    """What an element decides by; not where its ways lead, since which one a case took is told anyway."""
    ways = sorted(flow.condition.text for flow in element.flows_out if flow.condition is not None)
    return (*ways, element.extensions.decision, *(one.text for one in _of_element(element)))


def _says_table(definitions: Definitions, name: str) -> tuple[Any, ...]:
    one = definitions.decision(name)
    cells = (part.text for rule in one.rules for part in (*rule.tests, *rule.results))
    return (one.policy, one.aggregation, one.literal.text if one.literal else "", *(given.text for given in one.inputs), *cells, *(out.default.text for out in one.outputs if out.default))


def _comes_of(path: str, made: Mapping[str, set[str]]) -> set[str]:
    """The paths of facts behind a path, through the variables that were made of others."""
    found, waiting = set[str](), [path]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += made.get(one.partition(".")[0], ())
    return found


def _of_element(element: Element) -> Iterator[Expression]:
    extensions = element.extensions
    for one in (*extensions.parameters, *extensions.inputs, *extensions.outputs):
        yield one.value
    if extensions.task is not None and extensions.task.due is not None:
        yield extensions.task.due
    trigger = getattr(element, "trigger", None)
    if trigger is not None:
        yield from (trigger.expression,) if trigger.expression is not None else ()
        yield from (one.value for one in trigger.parameters)
    loop = element.loop if isinstance(element, Activity) else None
    if loop is not None:
        yield from (one for one in (loop.condition, loop.collection, loop.cardinality) if one is not None)


def called_unknown(node: Any, bound: frozenset[str] = frozenset()) -> Iterator[str]:
    """The functions called that neither FEEL nor the expression itself defines: such a call gives null."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list) or not (isinstance(node, tuple) and node and isinstance(node[0], str)):
        for part in node if isinstance(node, list | tuple) else ():
            yield from called_unknown(part, bound)
        return
    match node[0]:
        case "call":
            callee = node[3]
            if callee[0] == "name" and callee[3] not in TABLE and callee[3] not in _CLOCK and callee[3] not in bound:
                yield str(callee[3])
            elif callee[0] == "path" and _first(callee) not in bound:
                yield _path(callee, "") or "…"
        case "for" | "some" | "every":
            for name, source in node[3]:
                yield from called_unknown(source, bound)
                bound |= {name}
            yield from called_unknown(node[4], bound)
            return
        case "function":
            yield from called_unknown(node[4], bound | set(node[3]))
            return
        case "context":
            for key, member in node[3]:
                yield from called_unknown(member, bound)
                bound |= {key}
            return
        case "filter":
            yield from called_unknown(node[3], bound)
            yield from called_unknown(node[4], bound | {"item"})
            return
    for part in node[1:]:
        yield from called_unknown(part, bound)


def _first(node: Any) -> str:
    while node[0] == "path":
        node = node[3]
    return str(node[3]) if node[0] == "name" else ""


def compared(node: Any, rows: str = "") -> Iterator[tuple[str, Any]]:
    """The (path, text) pairs that a tree compares. Inside a filter, `item.x` is told as `<what is filtered>[].x`."""
    if not isinstance(node, tuple | list | dict):
        return
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list) or not (node and isinstance(node[0], str)):
        for part in node:
            yield from compared(part, rows)
        return
    match node[0]:
        case "compare" if node[3] in ("=", "!="):
            for one, other in ((node[4], node[5]), (node[5], node[4])):
                path = _path(one, rows)
                if path and other[0] == "string":
                    yield path, other[3]
        case "in" if path := _path(node[3], rows):
            for test in node[4]:
                yield from ((path, value) for value in _texts(test))
        case "call" if node[3][0] == "name" and node[3][3] == "list contains" and len(node[4]) == 2:
            held, sought = node[4]
            if held[0] == "list" and (path := _path(sought, rows)):
                yield from ((path, one[3]) for one in held[3] if one[0] == "string")
            elif sought[0] == "string" and (path := _path(held, rows)):
                yield path, sought[3]
        case "filter":
            inner = _path(node[3], rows)
            yield from compared(node[3], rows)
            yield from compared(node[4], inner)
            return
        case "for" | "some" | "every" | "function" | "context":
            return  # names bound inside may hide those outside
    for part in node[1:]:
        yield from compared(part, rows)


def _path(node: Any, rows: str) -> str:
    if node[0] == "group":
        return _path(node[3], rows)
    if node[0] == "name":
        return str(node[3])
    if node[0] == "path":
        if node[3][0] == "name" and node[3][3] == "item":
            return f"{rows}[].{node[4]}" if rows else ""
        inner = _path(node[3], rows)
        return f"{inner}.{node[4]}" if inner else ""
    return ""


def _texts(test: Any) -> Iterator[str]:
    inner = test[4] if test[0] == "test" and test[3] in ("", "=") else None
    if inner is None:
        return
    for one in inner[3] if inner[0] == "list" else [inner]:
        if one[0] == "string":
            yield one[3]
