"""FEEL, the language of conditions, timers, collections and table cells (DMN 1.5 §10): compiled once, evaluated within a budget of steps.

    compile_expression("age >= 18 and famille").evaluate({"age": 20, "famille": True})

Names come from the scope alone; a missing one is null. Nothing here reads a file, a clock or a database. Text of users is never code.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from forms.feel.budget import BUDGET, Act, Budget
from forms.feel.compiler import compile_node
from forms.feel.reader import Node, Reader
from forms.feel.reads import paths_of
from forms.feel.signatures import TABLE
from forms.feel.values import FeelError, Function, PartialDate, Range, YearsMonths, let_in

__all__ = ["ACT", "BUDGET", "Budget", "Explanation", "Expression", "FeelError", "Function", "PartialDate", "Range", "UnaryTests", "YearsMonths", "about", "bounded", "compile_expression",
    "compile_unary_tests"]

_PROPERTIES = {"time offset", "start included", "end included"}
_PHRASES = frozenset({name for name in TABLE if " " in name} | _PROPERTIES)
_EXPLAINED = {"name", "path", "compare", "between", "in", "call", "filter", "some", "every", "test"}
_PARTS = "\0parts"
_COUNTED = {"for", "some", "every", "filter", "call", "function", "context", "in"}  # what does a thing again, or gives it a name
STEPS = 10_000  # of an expression by itself
ACT = 10 * STEPS  # of all that one act evaluates


@contextmanager
def _shallow(text: str) -> Iterator[None]:
    """Around what goes down a tree: one too deep for it is refused."""
    try:
        yield
    except RecursionError as trouble:
        raise FeelError(text, 0, "the expression is nested too deep") from trouble


@dataclass(frozen=True)
class Explanation:
    """A value and how it came: `parts` are (text, value) of the sub-expressions that were evaluated, inner ones first."""

    value: Any
    parts: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, eq=False)
class Expression:
    """A compiled expression. `paths`: the dotted names it may read (`person.sexe`); `names`: their first segments."""

    text: str
    tree: Node = field(repr=False)
    paths: frozenset[str]

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(path.partition(".")[0] for path in self.paths)

    @cached_property
    def _act(self) -> Act:
        return compile_node(self.tree)

    @cached_property
    def _is_counted(self) -> bool:
        return _has(self.tree, _COUNTED)

    def evaluate(self, scope: Mapping[str, Any], budget: int = STEPS) -> Any:
        """The value in a scope of nested contexts. Raises FeelError when it takes more than `budget` steps, or what is left to a scope made by `bounded`."""
        try:  # as `_shallow`, for what is done most
            if self._is_counted and BUDGET not in scope:
                scope = {**scope, BUDGET: Budget(budget)}
            elif type(scope) is not dict:
                scope = dict(scope)
            return self._act(scope)
        except RecursionError as trouble:
            raise FeelError(self.text, 0, "the expression is nested too deep") from trouble

    def explain(self, scope: Mapping[str, Any], budget: int = STEPS) -> Explanation:
        """The value, with those of the comparisons, names and calls it came from."""
        parts: dict[str, Any] = {}
        with _shallow(self.text):
            value = self._telling({BUDGET: Budget(budget), **scope, _PARTS: parts})
        return Explanation(value, tuple((text, one) for text, one in parts.items() if not isinstance(one, Function)))

    @cached_property
    def _telling(self) -> Act:
        """As `_act`; what is evaluated on the way is kept in the scope's `_PARTS`."""

        def watch(node: Node, act: Act) -> Act:
            if node[0] not in _EXPLAINED:
                return act
            text = self.text[node[1] : node[2]].strip()

            def told(inner: dict[str, Any]) -> Any:
                value = act(inner)
                inner[_PARTS][text] = value
                return value

            return told

        return compile_node(self.tree, watch)


@dataclass(frozen=True, eq=False)
class UnaryTests(Expression):
    """A table's cell: tests of one value."""

    def matches(self, value: Any, scope: Mapping[str, Any], budget: int = STEPS) -> bool | None:
        """Whether the value passes; None where that cannot be known."""
        return self.holds(about(value, scope), budget)

    def holds(self, about_value: Mapping[str, Any], budget: int = STEPS) -> bool | None:
        """As `matches`, in a scope made by `about` once for many cells."""
        found = self.evaluate(about_value, budget)
        return found if isinstance(found, bool) else None


def bounded(scope: Mapping[str, Any], budget: int = ACT) -> dict[str, Any]:
    """The scope of all the expressions of one act, which share one budget: a table has thousands of cells, a form hundreds of conditions."""
    return {BUDGET: Budget(budget), **scope}


def about(value: Any, scope: Mapping[str, Any]) -> dict[str, Any]:
    """The scope of cells that test this value."""
    return {**scope, "?": let_in(value)}


def _has(node: Any, kinds: set[str]) -> bool:
    if isinstance(node, tuple) and node and isinstance(node[0], str) and node[0] in kinds and len(node) > 2:
        return True
    if isinstance(node, dict):
        node = list(node.values())
    return isinstance(node, tuple | list) and any(_has(part, kinds) for part in node)


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """Reads an expression. Raises FeelError naming the place."""
    reader = Reader(text, _PHRASES)
    with _shallow(text):
        tree = reader.expression()
        reader.finish()
        return Expression(text, tree, frozenset(paths_of(tree)))


@lru_cache(maxsize=8192)
def compile_unary_tests(text: str) -> UnaryTests:
    """Reads a cell: `-`, `"a", "b"`, `>= 3`, `[1..5]`, `not(…)`. Raises FeelError naming the place."""
    reader = Reader(text, _PHRASES)
    with _shallow(text):
        tree = reader.unary_tests()
        return UnaryTests(text, tree, frozenset(path for path in paths_of(tree) if path != "?"))
