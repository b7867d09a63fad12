"""Decision tables: lines that cover the same case, cases no line covers, lines that never apply, results nobody reads, values that are none.

A table is a set of boxes over the domains of its columns. Nothing is said where that cannot be decided, nor of what holds for some thresholds only.
Where two columns read the same fact, a combination may not exist: what is found of it is a warning.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Any

from engine.errors import Finding
from engine.i18n import LANGUAGES, pick, translate
from engine.pathway.decisions import Decision, Output, Rule
from engine.pathway.definitions import Definitions
from engine.pathway.domains import OTHER, Domain, Domains
from engine.pathway.naming import Names
from forms import text as words
from forms.dictionary import Dictionary, Field
from forms.feel import UnaryTests

_MOST_ORDERS, _MOST_BOXES = 128, 20_000
_SILENT = {"COLLECT", "RULE ORDER", "OUTPUT ORDER"}  # policies for which no line, or several, is an answer


def check(definitions: Definitions, dictionary: Dictionary) -> list[Finding]:
    """All that is wrong in the tables."""
    decisions = {one: definitions.decision(one) for one in sorted(definitions.decisions)}
    domains = Domains(dictionary, decisions)
    findings: list[Finding] = []
    for decision in decisions.values():
        if decision.rules:
            findings += _Table(decision, domains, decisions).findings()
    return findings + list(_unread(definitions, decisions))


@dataclass(frozen=True)
class _Box:
    """One line on one order of thresholds: by column, the stand-ins it surely holds for, and those it may hold for."""

    rule: Rule
    sure: tuple[frozenset[int], ...]
    may: tuple[frozenset[int], ...]


class _Table:
    def __init__(self, decision: Decision, domains: Domains, decisions: Mapping[str, Decision]) -> None:
        self.decision, self.decisions, self.fields = decision, decisions, domains.fields
        self.domains = [domains.of(decision, place) for place in range(len(decision.inputs))]
        self.boxes_seen = 0

    def findings(self) -> Iterator[Finding]:
        wrong = list(self._values())
        yield from wrong
        told = {found.where for found in wrong}
        seen: list[dict[tuple[str, ...], Finding]] = []
        for order in self._orders():
            seen.append({key: found for key, found in self._on(order) if found.where not in told})
        for key, found in (seen[0] if seen else {}).items():
            if all(key in others for others in seen[1:]):
                yield found

    def _finding(self, code: str, rule: Rule | None = None, severity: str = "error", **details: Any) -> Finding:
        place = rule.rule_id if rule else self.decision.decision_id
        row = {"row": self.decision.rules.index(rule) + 1} if rule else {}
        return Finding(
            code, f"{self.decision.file}#{place}", {"decision": dict(self.decision.names), "element": dict(self.decision.names), **row, **details}, severity=severity
        )

    def _values(self) -> Iterator[Finding]:
        """Cells that name what their column never holds, results that are none of those announced."""
        for rule in self.decision.rules:
            for place, (cell, domain) in enumerate(zip(rule.tests, self.domains, strict=True)):
                if domain is not None and domain.kind == "choice":
                    for value in _named(cell.tree):
                        if value not in domain.values:
                            yield self._finding("table.value_unknown", rule, value=shown(value), column=self._column(place))
            for output, result in zip(self.decision.outputs, rule.results, strict=True):
                if output.values and result.tree[0] in ("string", "number"):
                    value = result.evaluate({})
                    if value not in output.values:
                        yield self._finding("table.result_unknown", rule, value=shown(value), column=_title(output, self.decision))

    def _orders(self) -> Iterator[dict[str, Decimal]]:
        choices = [list(domain.orders()) if domain is not None else [{}] for domain in self.domains]
        count = 1
        for one in choices:
            count *= len(one)
        named = [symbol for domain in self.domains if domain is not None for symbol in domain.symbols]
        if count > _MOST_ORDERS or len(set(named)) < len(named):  # one threshold in two columns: its places would have to agree
            self.domains = [None if domain is not None and domain.symbols else domain for domain in self.domains]
            choices = [[{}]]
        for orders in product(*choices):
            yield {name: value for order in orders for name, value in order.items()}

    def _on(self, order: Mapping[str, Decimal]) -> Iterator[tuple[tuple[str, ...], Finding]]:
        columns = [domain.stand_ins({name: order[name] for name in domain.symbols}) if domain else [OTHER] for domain in self.domains]
        scope = _nested(order)
        boxes = [_box(rule, columns, self.domains, scope) for rule in self.decision.rules]
        for box in boxes:
            if not all(box.may):
                place = next(place for place, one in enumerate(box.may) if not one)
                found = self._finding("table.never_applies", box.rule, column=self._column(place), cell=box.rule.tests[place].text)
                yield ("never", box.rule.rule_id), found
        boxes = [box for box in boxes if all(box.may)]
        if self.decision.policy == "FIRST":
            for rank, box in enumerate(boxes):
                covering = [one for one in boxes[:rank] if self._same_or_sure(one, box)]
                if covering and self._is_covered(box, covering):
                    by = [str(self.decision.rules.index(one.rule) + 1) for one in covering if _meets(one, box)]
                    yield ("masked", box.rule.rule_id), self._finding("table.masked", box.rule, rows=", ".join(by), count=len(by))
        if self.decision.policy in ("UNIQUE", "ANY"):
            yield from self._overlaps(boxes, columns)
        if self.decision.policy not in _SILENT and not any(one.default for one in self.decision.outputs):
            yield from self._gaps(boxes, columns)

    def _overlaps(self, boxes: Sequence[_Box], columns: Sequence[Sequence[Any]]) -> Iterator[tuple[tuple[str, ...], Finding]]:
        for rank, one in enumerate(boxes):
            for other in boxes[rank + 1 :]:
                common = [a & b for a, b in zip(one.sure, other.sure, strict=True)]
                if not all(common) or (self.decision.policy == "ANY" and not _differ(one.rule, other.rule)):
                    continue
                example = self._told([min(found) for found in common], columns)
                severity = "warning" if self._is_entangled else "error"
                other_row = self.decision.rules.index(other.rule) + 1
                yield ("overlap", one.rule.rule_id, other.rule.rule_id), self._finding("table.overlap", one.rule, severity, other=other_row, example=example)

    def _gaps(self, boxes: Sequence[_Box], columns: Sequence[Sequence[Any]]) -> Iterator[tuple[tuple[str, ...], Finding]]:
        for with_null in (False, True):
            gap = self._gap(boxes, columns, with_null)
            if gap is not None:
                severity = "warning" if with_null or self._is_entangled else "error"
                yield ("gap",), self._finding("table.gap", None, severity, example=self._told(gap, columns))
                return

    def _gap(self, boxes: Sequence[_Box], columns: Sequence[Sequence[Any]], with_null: bool) -> list[int] | None:
        """The places of a case that no line may hold for."""
        safe: set[tuple[int, frozenset[int]]] = set()
        self.boxes_seen = 0

        def search(column: int, left: frozenset[int], way: list[int]) -> list[int] | None:
            if not left:
                return [*way, *([-1] * (len(columns) - column))]
            if column == len(columns) or (column, left) in safe or self.boxes_seen > _MOST_BOXES:
                return None
            self.boxes_seen += 1
            tried: set[frozenset[int]] = set()
            for place, value in enumerate(columns[column]):
                if value is None and not with_null:
                    continue
                after = frozenset(rank for rank in left if place in boxes[rank].may[column])
                if after not in tried:
                    tried.add(after)
                    found = search(column + 1, after, [*way, place])
                    if found is not None:
                        return found
            safe.add((column, left))
            return None

        return search(0, frozenset(range(len(boxes))), [])

    def _same_or_sure(self, one: _Box, other: _Box) -> bool:
        """Whether a line may be relied on to cover another: its cells are known, or the very same."""
        return all(
            domain is not None or cell.tree[0] == "any" or cell.text == its.text
            for domain, cell, its in zip(self.domains, one.rule.tests, other.rule.tests, strict=True)
        )

    def _is_covered(self, box: _Box, earlier: Sequence[_Box]) -> bool:
        """Whether earlier lines hold wherever this one may."""
        self.boxes_seen = 0

        def search(column: int, left: frozenset[int]) -> bool:
            if not left:
                return False
            if column == len(box.may):
                return True
            self.boxes_seen += 1
            if self.boxes_seen > _MOST_BOXES:
                return False
            groups = {frozenset(rank for rank in left if self.domains[column] is None or place in earlier[rank].sure[column]) for place in box.may[column]}
            return all(search(column + 1, group) for group in groups)

        return search(0, frozenset(range(len(earlier))))

    @cached_property
    def _is_entangled(self) -> bool:
        """Whether two columns depend on the same fact."""
        seen: set[str] = set()
        for expression in self.decision.inputs:
            paths = set(expression.paths)
            waiting = [path.partition(".")[0] for path in paths]
            for name in waiting:
                required = next((one for one in self.decisions.values() if name in (one.decision_id, one.name)), None)
                if required is not None and required is not self.decision:
                    fresh = required.paths - paths
                    paths |= fresh
                    waiting += [path.partition(".")[0] for path in fresh]
            if paths & seen:
                return True
            seen |= paths
        return False

    def _column(self, place: int) -> Names:
        """What an input is called: by its title, else by the datum that it is, else by what it reads."""
        written = self.decision.column(place)
        field = self.fields.get(written.strip()) if isinstance(written, str) else None
        if field is not None or not isinstance(written, str):
            return written if field is None else dict(field.label)
        return {language: translate("table.words.quoted", language, text=" ".join(written.split())[:80]) for language in LANGUAGES}

    def _told(self, places: Sequence[int], columns: Sequence[Sequence[Any]]) -> Names:
        """A case as people read it: `Niveau de l'aide : N1, Montant : 300`."""
        parts = []
        for number, (expression, domain, column, place) in enumerate(zip(self.decision.inputs, self.domains, columns, places, strict=True)):
            if place >= 0 and domain is not None and len(column) > 1:
                parts.append((self._column(number), column[place], domain, self.fields.get(expression.text.strip())))
        return {
            language: f"{translate('web.format.comma', language)} ".join(
                f"{pick(column, language)} = {_said(value, domain, field, language)}" for column, value, domain, field in parts)
            for language in LANGUAGES
        }  # fmt: skip


def _said(value: Any, domain: Domain, field: Field | None, language: str) -> str:
    """A value in words: a choice by its label, yes and no, a datum that nobody knows."""
    if value == OTHER or (isinstance(value, Decimal) and domain.symbols):
        return "…"
    if value is None:
        return translate("table.words.not_known", language)
    if isinstance(value, bool):
        return words.say("word.yes" if value else "word.no", language)
    return field.choice_label(value, language) if field is not None and isinstance(value, str) else shown(value)


def shown(value: Any) -> str:
    return f"{value}"[:60]


def _box(rule: Rule, columns: Sequence[Sequence[Any]], domains: Sequence[Domain | None], scope: Mapping[str, Any]) -> _Box:
    sure, may = [], []
    for cell, column, domain in zip(rule.tests, columns, domains, strict=True):
        everything = frozenset(range(len(column)))
        if cell.tree[0] == "any":
            sure.append(everything)
            may.append(everything)
        elif domain is None:
            sure.append(frozenset())
            may.append(everything)
        else:
            held = frozenset(place for place, value in enumerate(column) if _holds(cell, value, scope))
            sure.append(held)
            may.append(held)
    return _Box(rule, tuple(sure), tuple(may))


def _holds(cell: UnaryTests, value: Any, scope: Mapping[str, Any]) -> bool:
    return cell.matches(value, scope) is True


def _meets(one: _Box, other: _Box) -> bool:
    return all(a & b for a, b in zip(one.may, other.may, strict=True))


def _differ(one: Rule, other: Rule) -> bool:
    """Whether two lines surely give different results."""
    return any(a.tree[0] in ("string", "number", "constant") and b.tree[0] in ("string", "number", "constant") and a.evaluate({}) != b.evaluate({})
               for a, b in zip(one.results, other.results, strict=True))  # fmt: skip


def _nested(order: Mapping[str, Decimal]) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    for path, value in order.items():
        *outer, last = path.split(".")
        inner = scope
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return scope


def _named(node: Any) -> Iterator[Any]:
    """The texts and numbers that a cell names one by one."""
    if node[0] == "tests":
        for one in node[4]:
            yield from _named(one)
    elif node[0] == "test" and node[3] in ("", "=", "!="):
        yield from _named(node[4])
    elif node[0] in ("group", "list"):
        for one in node[3] if node[0] == "list" else [node[3]]:
            yield from _named(one)
    elif node[0] == "string":
        yield node[3]
    elif node[0] == "number":
        yield Decimal(node[3])


def _title(output: Output, decision: Decision) -> Mapping[str, str] | str:
    """What a column of results is called, by language; its name where it has no title."""
    return output.names or output.name or dict(decision.names)


def _unread(definitions: Definitions, decisions: Mapping[str, Decision]) -> Iterator[Finding]:
    """Results that no condition, table or operation reads."""
    read = set(definitions.reads) | {path for one in decisions.values() for path in one.paths}
    names: dict[str, set[str]] = {one.decision_id: {one.decision_id, one.name} for one in decisions.values()}
    for task in definitions.rules():
        if task.extensions.decision in names and task.extensions.result:
            names[task.extensions.decision].add(task.extensions.result)
    for decision in decisions.values():
        if not decision.rules or names[decision.decision_id] & read:
            continue
        for output in decision.outputs:
            paths = {f"{name}.{output.name}" if len(decision.outputs) > 1 else name for name in names[decision.decision_id]}
            if not any(path == one or one.startswith(f"{path}.") for path in paths for one in read):
                details = {"decision": dict(decision.names), "element": dict(decision.names), "column": _title(output, decision)}
                yield Finding("table.result_unread", f"{decision.file}#{decision.decision_id}", details, severity="warning")
