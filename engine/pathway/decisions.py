"""Decision tables (DMN 1.3–1.5): read once at publication, decided with an account of which rules fired on which values.

Answers for tables with every hit policy and for literal decisions, each in FEEL. Not for where the values come from: the caller's scope.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from lxml import etree

from engine import errors
from engine.pathway import additions, hit_policies, markup
from forms.feel import Expression, FeelError, UnaryTests, about, bounded, compile_expression, compile_unary_tests

MOST_ROWS, MOST_COLUMNS = 300, 60  # of one table; gaps are looked for a call a column deep
_UNREADABLE = {"column": "dmn.column", "cell": "dmn.cell", "result": "dmn.result", "literal": "dmn.literal", "allowed": "dmn.allowed"}  # a part of a table → what is told of it
_LABEL, _INFERRED = f"{{{additions.MASAR}}}libelle", f"{{{additions.MASAR}}}infere"


@dataclass(frozen=True)
class Output:
    """A column of results. `values`: its allowed values, the first being the most important (PRIORITY, OUTPUT ORDER); `names`: its title by language."""

    name: str
    values: tuple[Any, ...] = ()
    default: Expression | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    rule_id: str
    tests: tuple[UnaryTests, ...]
    results: tuple[Expression, ...]
    label: str = ""
    is_inferred: bool = False

    @cached_property
    def asked(self) -> tuple[tuple[int, UnaryTests], ...]:
        """The tests that ask something (`-` takes any value), each with the place of its column."""
        return tuple((place, test) for place, test in enumerate(self.tests) if test.tree[0] != "any")


@dataclass(frozen=True)
class Decision:
    """A table (`rules`) or a literal expression (`literal`); `requires` are the decisions it reads by name; `types` what each input is said to be,
    `titles` what it is called, by language."""

    decision_id: str
    name: str
    policy: str = "UNIQUE"
    aggregation: str = ""
    inputs: tuple[Expression, ...] = ()
    outputs: tuple[Output, ...] = ()
    rules: tuple[Rule, ...] = ()
    literal: Expression | None = None
    requires: tuple[str, ...] = ()
    file: str = ""
    types: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)  # what it is called, by language; `name` is French
    titles: tuple[Mapping[str, str], ...] = ()
    is_inferred: bool = False

    def column(self, place: int) -> Mapping[str, str] | str:
        """What an input is called, by language; its expression where it has no title."""
        return (self.titles[place] if self.titles else {}) or self.inputs[place].text

    @cached_property
    def paths(self) -> frozenset[str]:
        """The dotted paths of the scope that its inputs, cells and results may read."""
        parts = [*self.inputs, *(part for rule in self.rules for part in (*rule.tests, *rule.results)), *([self.literal] if self.literal else [])]
        return frozenset(path for part in parts for path in part.paths)


@dataclass(frozen=True)
class Verdict:
    """What was decided. `rules`: ids of those that fired; `values`: input expression → value; `findings`: overlap, no match (then outputs is None)."""

    decision: str
    outputs: Any
    rules: tuple[str, ...]
    values: Mapping[str, Any]
    findings: tuple[errors.Finding, ...] = ()


@dataclass(frozen=True)
class Decisions:
    """The decisions of one or more files."""

    by_id: Mapping[str, Decision] = field(default_factory=dict)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(self.by_id)

    def reads(self, decision_id: str) -> frozenset[str]:
        """The paths that a decision and those it requires may read."""
        found, waiting, seen = set(), [decision_id], set()
        while waiting:
            decision = self.by_id[waiting.pop()]
            if decision.decision_id not in seen:
                seen.add(decision.decision_id)
                found |= decision.paths
                waiting += [one for one in decision.requires if one in self.by_id]
        names = {self.by_id[one].name for one in seen} | seen
        return frozenset(path for path in found if path.partition(".")[0] not in names)

    def decide(self, decision_id: str, scope: Mapping[str, Any], made: dict[str, Verdict] | None = None) -> Verdict:
        """Decides. `made`: verdicts on this very scope, taken as they are; those made on the way are added. Raises FeelError when an expression takes too many steps."""
        return self._decide(decision_id, bounded(scope), {} if made is None else made)

    def cells(self, decision_id: str, scope: Mapping[str, Any]) -> list[tuple[Rule, list[tuple[str, Any, str, bool]]]]:
        """Each rule of a table with its cells on a scope: the column's expression, its value, the cell, whether it holds. Of a literal decision: none."""
        decision = self.by_id[decision_id]
        made: dict[str, Verdict] = {}
        inner = bounded(scope)
        for one in decision.requires:
            if one in self.by_id:
                inner[self.by_id[one].name] = inner[one] = self._decide(one, inner, made).outputs
        asked = [(one.text, one.evaluate(inner)) for one in decision.inputs]
        return [(rule, [(text, value, test.text, test.matches(value, inner) is True) for (text, value), test in zip(asked, rule.tests, strict=True)]) for rule in decision.rules]

    def _decide(self, decision_id: str, scope: Mapping[str, Any], made: dict[str, Verdict]) -> Verdict:
        """`made`: what was decided on the way; a decision that several others require is made once."""
        if decision_id not in made:
            made[decision_id] = self._made(decision_id, scope, made)
        return made[decision_id]

    def _made(self, decision_id: str, scope: Mapping[str, Any], made: dict[str, Verdict]) -> Verdict:
        decision = self.by_id[decision_id]
        inner = dict(scope)
        for one in decision.requires:
            if one in self.by_id:
                required = self._decide(one, scope, made)
                if required.findings:  # without an answer below there is none above
                    return Verdict(decision_id, None, (), dict(required.values), required.findings)
                inner[self.by_id[one].name] = inner[one] = required.outputs
        if decision.literal is not None:
            told = decision.literal.explain(inner)
            # What it read of a group is told path by path; the group itself, with all that nobody asked of it, is no reason.
            return Verdict(decision_id, told.value, (), {part: value for part, value in told.parts if not (isinstance(value, Mapping) and scope.get(part) is value)})
        values = [one.evaluate(inner) for one in decision.inputs]
        asked = {one.text: value for one, value in zip(decision.inputs, values, strict=True)}
        columns = [about(value, inner) for value in values]
        fired = [rule for rule in decision.rules if all(test.holds(columns[place]) is True for place, test in rule.asked)]
        hits = [hit_policies.Hit(rule.rule_id, _result(decision, rule, inner)) for rule in fired]
        chosen = hit_policies.choose(decision.policy, decision.aggregation, hits, [(one.name, one.values) for one in decision.outputs])
        findings = tuple(errors.Finding(code, decision_id, {"rules": [hit.rule_id for hit in hits]}) for code in chosen.findings)
        if not hits and any(one.default for one in decision.outputs):
            defaults = {one.name: one.default.evaluate(inner) if one.default else None for one in decision.outputs}
            return Verdict(decision_id, _folded(defaults), (), asked)
        return Verdict(decision_id, chosen.outputs, chosen.rules, asked, findings)


def _result(decision: Decision, rule: Rule, scope: Mapping[str, Any]) -> Any:
    return _folded({one.name: result.evaluate(scope) for one, result in zip(decision.outputs, rule.results, strict=True)})


def _folded(results: dict[str, Any]) -> Any:
    """One output is its value; several are a context."""
    return next(iter(results.values())) if len(results) == 1 else results


def parse(xml: bytes, file: str = "") -> Decisions:
    """Reads a DMN file. Refuses `dmn.refused` (Invalid) with one finding for each decision, rule and cell that cannot be read."""
    try:
        root = markup.parse(xml)
    except markup.Unfit as unfit:
        raise errors.Invalid("dmn.refused", [errors.Finding(f"dmn.{unfit.fault}", file, unfit.details)]) from unfit
    if _tag(root) != "definitions" or "/DMN/" not in str(etree.QName(root).namespace):
        raise errors.Invalid("dmn.refused", [errors.Finding("dmn.not_dmn", file)])
    findings = additions.check(root, file)
    found: dict[str, Decision] = {}
    for element in root:
        if _tag(element) == "decision":
            decision = _Reading(element, file, findings).decision()
            if decision.decision_id in found:
                findings.append(errors.Finding("dmn.id_twice", f"{file}#{decision.decision_id}", {"decision": dict(decision.names), "other": dict(found[decision.decision_id].names)}))
            found[decision.decision_id] = decision
    findings += [errors.Finding("dmn.requires_itself", f"{file}#{one}", {"decision": dict(found[one].names)}) for one in found if _turns(one, found)]
    if findings:
        raise errors.Invalid("dmn.refused", findings)
    return Decisions(found)


def merge(*parts: Decisions) -> Decisions:
    return Decisions({decision_id: decision for part in parts for decision_id, decision in part.by_id.items()})


def _turns(start: str, found: Mapping[str, Decision]) -> bool:
    waiting, seen = list(found[start].requires), set()
    while waiting:
        one = waiting.pop()
        if one == start:
            return True
        if one in found and one not in seen:
            seen.add(one)
            waiting += found[one].requires
    return False


def _tag(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _child(element: Any, name: str) -> Any:
    return next((one for one in element if _tag(one) == name), None)


def _children(element: Any, name: str) -> list[Any]:
    return [one for one in element if _tag(one) == name]


def _text(element: Any) -> str:
    inner = None if element is None else _child(element, "text")
    return "" if inner is None else "".join(inner.itertext()).strip()


def _names(element: Any, french: str) -> dict[str, str]:
    """What an element is called, by language: French is what any tool reads, `masar:libelle` the others."""
    beside = _child(element, "extensionElements")
    said = {one.get("lang", ""): "".join(one.itertext()).strip() for one in (() if beside is None else beside) if one.tag == _LABEL}
    return ({"fr": french} if french else {}) | {language: text for language, text in said.items() if text}


def _is_inferred(element: Any) -> bool:
    return any(one.tag == _INFERRED for beside in _children(element, "extensionElements") for one in beside)


class _Reading:
    """One decision being read; what cannot be is a finding, and reading goes on to find the rest."""

    def __init__(self, element: Any, file: str, findings: list[errors.Finding]) -> None:
        self.element, self.file, self.findings = element, file, findings
        self.id, self.name = element.get("id", ""), element.get("name") or element.get("id", "")

    def refuse(self, code: str, **details: Any) -> None:
        self.findings.append(errors.Finding(code, f"{self.file}#{self.id}", {"decision": _names(self.element, self.name), **details}))

    def decision(self) -> Decision:
        return replace(self._logic(), names=_names(self.element, self.name), is_inferred=_is_inferred(self.element))

    def _logic(self) -> Decision:
        links = (one for link in _children(self.element, "informationRequirement") for one in link if _tag(one) == "requiredDecision")
        requires = tuple(one.get("href", "").rpartition("#")[2] for one in links)
        table, literal = _child(self.element, "decisionTable"), _child(self.element, "literalExpression")
        if table is not None:
            return self._table(table, requires)
        if literal is None:
            self.refuse("dmn.no_logic")
            return Decision(self.id, self.name)
        return Decision(self.id, self.name, literal=self._feel(compile_expression, _text(literal), "literal"), requires=requires, file=self.file)

    def _table(self, table: Any, requires: tuple[str, ...]) -> Decision:
        policy, aggregation = table.get("hitPolicy", "UNIQUE"), table.get("aggregation", "")
        if policy not in hit_policies.POLICIES or aggregation not in hit_policies.AGGREGATIONS:
            self.refuse("dmn.hit_policy", policy=" ".join((policy, aggregation)).strip()[:60])
        inputs = tuple(
            self._feel(compile_expression, _text(_child(one, "inputExpression")), "column", column=place) for place, one in enumerate(_children(table, "input"), 1)
        )
        asked = (_child(one, "inputExpression") for one in _children(table, "input"))
        types = tuple("" if one is None else one.get("typeRef", "").rpartition(":")[2] for one in asked)
        titles = tuple(_names(one, one.get("label", "").strip()) for one in _children(table, "input"))
        outputs = tuple(self._output(one) for one in _children(table, "output"))
        rules, written = [], _children(table, "rule")
        if len(written) > MOST_ROWS:
            self.refuse("dmn.table_too_long", rows=len(written), most=MOST_ROWS)
            written = []
        if len(inputs) + len(outputs) > MOST_COLUMNS:
            self.refuse("dmn.table_too_wide", columns=len(inputs) + len(outputs), most=MOST_COLUMNS)
            written = []
        for row, rule in enumerate(written, 1):
            cells = [_text(one) or "-" for one in _children(rule, "inputEntry")]
            results = [_text(one) or "null" for one in _children(rule, "outputEntry")]
            if len(cells) != len(inputs) or len(results) != len(outputs):
                self.refuse("dmn.row_length", rule=row)
                continue
            tests = tuple(self._feel(compile_unary_tests, text, "cell", row=row, column=place) for place, text in enumerate(cells, 1))
            said = tuple(self._feel(compile_expression, text, "result", row=row, column=place) for place, text in enumerate(results, 1))
            description = _child(rule, "description")
            rules.append(Rule(rule.get("id") or f"{self.id}_{row}", tests, said, "".join(description.itertext()).strip() if description is not None else "", _is_inferred(rule)))
        if not outputs:
            self.refuse("dmn.no_output")
        return Decision(self.id, self.name, policy, aggregation, inputs, outputs, tuple(rules), None, requires, self.file, types, titles=titles)

    def _output(self, element: Any) -> Output:
        allowed = _text(_child(element, "outputValues"))
        values = self._values(allowed) if allowed else ()
        default = _text(_child(element, "defaultOutputEntry"))
        return Output(
            element.get("name") or element.get("label") or "", tuple(values or ()), self._feel(compile_expression, default, "allowed") if default else None,
            _names(element, element.get("label", "").strip()),
        )

    def _values(self, allowed: str) -> Any:
        announced = self._feel(compile_expression, f"[{allowed}]", "allowed")
        try:
            return announced.evaluate({})
        except FeelError as trouble:
            self.refuse(_UNREADABLE["allowed"], text=allowed[:200], reason=trouble.reason)
            return ()

    def _feel(self, compiler: Any, text: str, part: str, **place: int) -> Any:
        try:
            return compiler(text)
        except FeelError as trouble:
            self.refuse(_UNREADABLE[part], text=text[:200], reason=trouble.reason, **place)
            return compiler("null" if compiler is compile_expression else "-")
