"""How a tree becomes a Python closure: the table of what compiles which node, and what a compilation carries along.

A closure takes `(scope, state)`: where names are looked up, and the budget. No source text is ever generated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from lark import Token, Tree

from forms.feel.dates import read_literal
from forms.feel.values import CONTEXT

Closure = Callable[[Any, list], Any]


@dataclass(frozen=True, slots=True)
class Work:
    """What compiling a node depends on: the text, functions known by name, names bound around it, and whether to trace."""

    text: str
    functions: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    trace: bool = False

    def binding(self, *names: str) -> "Work":
        """For what repeats or is run later: binds names, and traces no more (only one of many values would show)."""
        return replace(self, bound=self.bound | set(names), trace=False)

    def including(self, name: str) -> "Work":
        """Binds one more name for what follows in the same pass."""
        return replace(self, bound=self.bound | {name})


class Frame:
    """Names bound by an expression (loop variables, parameters, entries of a context) in front of the scope around them."""

    __slots__ = ("names", "around")

    def __init__(self, names: Mapping[str, Any], around: Any) -> None:
        self.names, self.around = names, around

    def __getitem__(self, name: str) -> Any:
        inner: Any = self
        while type(inner) is Frame:
            if name in inner.names:
                return inner.names[name]
            inner = inner.around
        return inner[name]


COMPILERS: dict[str, Callable[[Tree, Work], Closure]] = {}


def compiles(*nodes: str):
    """Registers what compiles nodes of these names."""
    def register(function: Callable[[Tree, Work], Closure]) -> Callable[[Tree, Work], Closure]:
        COMPILERS.update(dict.fromkeys(nodes, function))
        return function
    return register


def compile_node(node: Tree, work: Work) -> Closure:
    """The closure of a node. Raises FeelError for what can never mean anything (an unknown function, a wrong argument)."""
    known = constant(node)
    if known:
        value = known[0]
        return lambda scope, state: value
    closure = COMPILERS[node.data](node, work)
    return _traced(closure, node.meta.start_pos, node.meta.end_pos) if work.trace and node.data not in _UNTOLD else closure


_UNTOLD = frozenset({"expression", "group", "definition"})


def _traced(closure: Closure, start: int, end: int) -> Closure:
    def traced(scope: Any, state: list) -> Any:
        value = closure(scope, state)
        state[2].append((start, end, value))
        return value
    return traced


def trees(node: Tree) -> list[Tree]:
    """The children of a node that are nodes."""
    return [child for child in node.children if isinstance(child, Tree)]


def named(node: Tree) -> str:
    """The first name or key under a node."""
    return next(str(child) for child in node.children if isinstance(child, Token) and child.type in ("NAME", "KEY"))


def weight(node: Tree) -> int:
    """How many nodes one evaluation visits, for the budget."""
    count, waiting = 0, [node]
    while waiting:
        count += 1
        waiting.extend(trees(waiting.pop()))
    return count


def constant(node: Tree) -> tuple[Any] | None:
    """The value of a node that is written out (a literal, a signed number, an interval of literals), in a tuple; else None."""
    if node.data in ("group", "expression"):
        return constant(trees(node)[0])
    if node.data in _LITERALS:
        return (_LITERALS[node.data](node),)
    if node.data == "negation":
        inner = constant(trees(node)[0])
        return (CONTEXT.minus(inner[0]),) if inner and type(inner[0]) is Decimal else None
    return None


_LITERALS: dict[str, Callable[[Tree], Any]] = {
    "number": lambda node: CONTEXT.create_decimal(str(node.children[0])), "string": lambda node: str(node.children[0]),
    "temporal": lambda node: read_literal(node.children[0]), "true": lambda node: True, "false": lambda node: False,
    "null": lambda node: None,
}


