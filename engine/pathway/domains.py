"""What a column of a decision table may be given, as a few values that stand for all: the choices of a field, the points and gaps between thresholds, null.

Thresholds that are dated data (`parametres.seuil`) have no value here: every order in which they may lie is tried (`orders`), and what a table is told of
must hold in each. A column that FEEL leaves too free to know is `None`: nothing is said of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations
from typing import Any

from engine.pathway.decisions import Decision
from forms.dictionary import Dictionary
from forms.feel import UnaryTests

_CHOSEN = {"enum", "gov", "district", "country", "language"}
_COUNTED = {"int", "number", "percent", "score", "money"}
_TRUTHS = {"bool", "tri"}
_NUMBERS = {"number", "integer", "long", "double"}
_MOST_SYMBOLS = 3
OTHER = "\0"  # a text that no cell names


@dataclass(frozen=True)
class Domain:
    """`values`: all a closed column may hold but null; `None` where numbers or texts are without bound. `symbols`: the thresholds its cells name."""

    kind: str  # truth | choice | number | text | known
    values: tuple[Any, ...] = ()
    constants: tuple[Any, ...] = ()
    symbols: tuple[str, ...] = ()
    is_whole_number: bool = False
    low: Decimal | None = None
    high: Decimal | None = None

    def orders(self) -> Iterator[Mapping[str, Decimal]]:
        """Every way in which the thresholds may lie among themselves and the numbers written."""
        yield from _placed(self.symbols, self.constants, self.low, self.high) if self.symbols else ({},)

    def stand_ins(self, order: Mapping[str, Decimal]) -> list[Any]:
        """The values that stand for all others, null last."""
        if self.kind == "number":
            return [*self._points(sorted({*self.constants, *order.values()}), set(order.values())), None]
        if self.kind == "text":
            return [*self.constants, OTHER, None]
        if self.kind == "known":
            return [OTHER, None]
        return [*self.values, None]

    def _points(self, marks: list[Decimal], moving: set[Decimal]) -> list[Decimal]:
        if not marks:
            return [Decimal(0)]
        found = [marks[0] - 1]
        for one, next_ in zip(marks, [*marks[1:], None], strict=True):
            found.append(one)
            if next_ is None:
                found.append(one + 1)
            elif not self.is_whole_number or one in moving or next_ in moving or next_ - one > 1:
                found.append((one + next_) / 2)
        found += [end for end in (self.low, self.high) if end is not None and end not in found]
        return [one for one in found if (self.low is None or one >= self.low) and (self.high is None or one <= self.high)]


def _placed(symbols: Sequence[str], constants: Sequence[Decimal], low: Decimal | None, high: Decimal | None) -> Iterator[Mapping[str, Decimal]]:
    marks = sorted({*constants, *(end for end in (low, high) if end is not None)})
    first, last = int(low is not None), len(marks) - int(high is not None)
    for names in permutations(symbols):
        for places in _steps(len(names), last, first):
            found = {}
            for rank, (name, place) in enumerate(zip(names, places, strict=True)):
                below = marks[place - 1] if place else (marks[0] - 100 if marks else Decimal(0))
                above = marks[place] if place < len(marks) else below + 100
                found[name] = below + (above - below) * (rank + 1) / (len(names) + 1)
            yield found


def _steps(count: int, most: int, least: int = 0) -> Iterator[tuple[int, ...]]:
    """Places that never go back."""
    if not count:
        yield ()
        return
    for place in range(least, most + 1):
        for rest in _steps(count - 1, most, place):
            yield (place, *rest)


class Domains:
    """The domains of the columns of an edition's tables."""

    def __init__(self, dictionary: Dictionary, decisions: Mapping[str, Decision]) -> None:
        self.fields, self.decisions = dictionary.fields, decisions
        self._by_name = {one.name: one for one in decisions.values()} | dict(decisions)

    def of(self, decision: Decision, place: int) -> Domain | None:
        """The domain of a column, or None."""
        text = decision.inputs[place].text.strip()
        type_ = decision.types[place] if place < len(decision.types) else ""
        cells = [rule.tests[place] for rule in decision.rules]
        closed = self.closed(text)
        if closed is not None:
            return None if any(cell.paths for cell in cells) else Domain("choice", closed)
        field = self.fields.get(text)
        kind = field.type if field else type_
        literals, symbols, is_plain = _gathered(cells)
        if kind in _TRUTHS | {"boolean"}:
            return None if symbols or not is_plain else Domain("truth", (True, False))
        if kind in _COUNTED | _NUMBERS:
            if not is_plain or len(symbols) > _MOST_SYMBOLS or any(not isinstance(one, Decimal) for one in literals):
                return None
            bounded = field is not None and field.type != "money"
            low, high = (Decimal(str(one)) if bounded and one is not None else None for one in ((field.min, field.max) if field else (None, None)))
            return Domain("number", (), tuple(sorted(literals)), tuple(sorted(symbols)), kind in {"int", "score"}, low, high)
        if symbols or not is_plain:
            return None
        if not literals:
            return Domain("known")
        if kind == "string" and all(isinstance(one, str) for one in literals):
            return Domain("text", (), tuple(sorted(literals)))
        return None

    def closed(self, path: str) -> tuple[Any, ...] | None:
        """The only values that a path may hold beside null: the choices of a field, the results of a decision."""
        field = self.fields.get(path)
        if field is not None:
            return tuple(field.codes) if field.type in _CHOSEN and field.codes else None
        name, _, column = path.partition(".")
        decision = self._by_name.get(name)
        return None if decision is None else results_of(decision, column)


def results_of(decision: Decision, column: str = "") -> tuple[Any, ...] | None:
    """The values that a table says its column gives; None where it says none."""
    if decision.policy not in ("UNIQUE", "FIRST", "ANY", "PRIORITY") or decision.literal is not None:
        return None
    if column:
        return next((one.values or None for one in decision.outputs if one.name == column and len(decision.outputs) > 1), None)
    return (decision.outputs[0].values or None) if len(decision.outputs) == 1 else None


def _gathered(cells: Sequence[UnaryTests]) -> tuple[set[Any], set[str], bool]:
    """The values and the thresholds that cells name, and whether they are made of nothing else."""
    values: set[Any] = set()
    symbols: set[str] = set()
    is_plain = all(_plain(cell.tree, values, symbols) for cell in cells)
    return values, symbols, is_plain


def _plain(node: Any, values: set[Any], symbols: set[str]) -> bool:
    match node[0]:
        case "any":
            return True
        case "tests":
            return all(_plain(one, values, symbols) for one in node[4])
        case "test":
            return _plain(node[4], values, symbols)
        case "group":
            return _plain(node[3], values, symbols)
        case "range":
            return _plain(node[4], values, symbols) and _plain(node[5], values, symbols)
        case "open range":
            return _plain(node[4], values, symbols)
        case "list":
            return all(_plain(one, values, symbols) for one in node[3])
        case "number":
            values.add(Decimal(node[3]))
        case "negate":
            if node[3][0] != "number":
                return False
            values.add(-Decimal(node[3][3]))
        case "string":
            values.add(node[3])
        case "constant":
            pass
        case "name" | "path":
            dotted = _dotted(node)
            if not dotted or dotted == "?":
                return False
            symbols.add(dotted)
        case _:
            return False
    return True


def _dotted(node: Any) -> str:
    if node[0] == "name":
        return str(node[3])
    inner = _dotted(node[3]) if node[0] == "path" else ""
    return f"{inner}.{node[4]}" if inner else ""
