"""What a table answers when rules fired: the hit policies of DMN 1.5 §8.2.8 and the aggregators of COLLECT."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from forms.feel.values import CTX, compare, equal

POLICIES = ("UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER")
AGGREGATIONS = ("", "SUM", "MIN", "MAX", "COUNT")


@dataclass(frozen=True)
class Hit:
    """A rule that fired, and its result (a context where the table has several outputs)."""

    rule_id: str
    result: Any


@dataclass(frozen=True)
class Choice:
    """`findings`: `decision.no_match`, `decision.overlap` (UNIQUE), `decision.disagreement` (ANY), `decision.cannot_aggregate`."""

    outputs: Any
    rules: tuple[str, ...]
    findings: tuple[str, ...] = ()


def choose(policy: str, aggregation: str, hits: Sequence[Hit], outputs: Sequence[tuple[str, tuple[Any, ...]]]) -> Choice:
    """`outputs`: name and allowed values of each output, the most important value first."""
    ids = tuple(hit.rule_id for hit in hits)
    results = [hit.result for hit in hits]
    if policy == "COLLECT":
        return _collect(aggregation, ids, results)
    if not hits:
        return Choice([] if policy.endswith("ORDER") else None, (), () if policy.endswith("ORDER") else ("decision.no_match",))
    match policy:
        case "UNIQUE" if len(hits) > 1:
            return Choice(None, ids, ("decision.overlap",))
        case "ANY" if not all(equal(result, results[0]) or (result is None and results[0] is None) for result in results):
            return Choice(None, ids, ("decision.disagreement",))
        case "ANY":
            return Choice(results[0], ids)
        case "PRIORITY":
            best = min(hits, key=lambda hit: _rank(hit.result, outputs))
            return Choice(best.result, (best.rule_id,))
        case "RULE ORDER":
            return Choice(results, ids)
        case "OUTPUT ORDER":
            ordered = sorted(hits, key=lambda hit: _rank(hit.result, outputs))
            return Choice([hit.result for hit in ordered], tuple(hit.rule_id for hit in ordered))
    return Choice(results[0], ids[:1])  # UNIQUE with one hit, FIRST


def _rank(result: Any, outputs: Sequence[tuple[str, tuple[Any, ...]]]) -> tuple[int, ...]:
    """Places of the values among those allowed, output by output; a value that is not allowed comes last."""
    values = [result] if len(outputs) == 1 else [result.get(name) for name, _ in outputs]
    return tuple(
        next((place for place, one in enumerate(allowed) if equal(one, value)), len(allowed)) for value, (_, allowed) in zip(values, outputs, strict=True)
    )


def _collect(aggregation: str, ids: tuple[str, ...], results: list[Any]) -> Choice:
    if aggregation == "":
        return Choice(results, ids)
    if aggregation == "COUNT":
        return Choice(Decimal(len(results)), ids)
    if not results:
        return Choice(Decimal(0) if aggregation == "SUM" else None, ids)
    if aggregation == "SUM":
        if not all(isinstance(one, Decimal) for one in results):
            return Choice(None, ids, ("decision.cannot_aggregate",))
        total = Decimal(0)
        for one in results:
            total = CTX.add(total, one)
        return Choice(total, ids)
    best = results[0]
    for one in results[1:]:
        order = compare(one, best)
        if order is None:
            return Choice(None, ids, ("decision.cannot_aggregate",))
        best = one if (order < 0) == (aggregation == "MIN") and order else best
    return Choice(best, ids)
