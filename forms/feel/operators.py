"""Closures of names, paths, operators, logic, intervals and `if`."""

from collections.abc import Callable
from decimal import Decimal
import operator
from typing import Any

from lark import Tree

from forms.feel import arithmetic, comparison
from forms.feel.closures import Closure, Frame, Work, compile_node, compiles, constant, named, trees
from forms.feel.errors import FeelError
from forms.feel.functions.registry import BUILTINS
from forms.feel.texts import property_of
from forms.feel.values import Range, kind

_FAST = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "!=": operator.ne}
_SCALARS = frozenset({Decimal, str, bool})


@compiles("expression", "group")
def _inner(node: Tree, work: Work) -> Closure:
    return compile_node(trees(node)[0], work)


@compiles("name")
def _name(node: Tree, work: Work) -> Closure:
    name = named(node)
    otherwise = None if name in work.bound or name not in BUILTINS else BUILTINS[name].as_value()

    def read(scope: Any, state: list) -> Any:
        try:
            return scope[name]
        except KeyError:
            return otherwise
    return read


@compiles("path")
def _path(node: Tree, work: Work) -> Closure:
    inner, name = compile_node(trees(node)[0], work), named(node)

    def read(scope: Any, state: list) -> Any:
        value = inner(scope, state)
        return value.get(name) if type(value) is dict else None if value is None else property_of(value, name, state)
    return read


@compiles("compare")
def _compare(node: Tree, work: Work) -> Closure:
    left, sign, right = trees(node)
    relation = str(sign.children[0])
    slow, fast = comparison.RELATIONS[relation], _FAST[relation]
    known = constant(right)
    if known and type(known[0]) in _SCALARS and left.data == "name" and not work.trace and relation not in ("=", "!="):
        return _name_against(named(left), fast, slow, known[0])
    first, second = compile_node(left, work), compile_node(right, work)

    def compare(scope: Any, state: list) -> bool | None:
        a, b = first(scope, state), second(scope, state)
        if type(a) is type(b) and type(a) in _SCALARS and type(a) is not bool:
            return fast(a, b)
        return slow(a, b, state)
    return compare


def _name_against(name: str, fast: Callable[[Any, Any], bool], slow: Callable[[Any, Any, list], bool | None], known: Any) -> Closure:
    """A name compared with a literal, the commonest condition there is, in one closure."""
    expected = type(known)
    if expected is bool:
        return lambda scope, state: None

    def compare(scope: Any, state: list) -> bool | None:
        try:
            value = scope[name]
        except KeyError:
            return None
        return fast(value, known) if type(value) is expected else slow(value, known, state)
    return compare


@compiles("conjunction")
def _conjunction(node: Tree, work: Work) -> Closure:
    return _logic(node, work, False)


@compiles("disjunction")
def _disjunction(node: Tree, work: Work) -> Closure:
    return _logic(node, work, True)


def _logic(node: Tree, work: Work, decisive: bool) -> Closure:
    """`and` ends at the first false, `or` at the first true; what is neither true nor false leaves the answer null."""
    operands = tuple(compile_node(child, work) for child in trees(node))
    usual = not decisive
    if len(operands) == 2:
        first, second = operands

        def pair(scope: Any, state: list) -> bool | None:
            a = first(scope, state)
            if a is decisive:
                return decisive
            b = second(scope, state)
            return decisive if b is decisive else usual if a is usual and b is usual else None
        return pair

    def several(scope: Any, state: list) -> bool | None:
        answer: bool | None = usual
        for operand in operands:
            value = operand(scope, state)
            if value is decisive:
                return decisive
            if value is not usual:
                answer = None
        return answer
    return several


_COMPUTE = {
    "+": arithmetic.add, "-": arithmetic.subtract, "*": arithmetic.multiply, "/": arithmetic.divide, "**": arithmetic.power,
}


@compiles("chain")
def _chain(node: Tree, work: Work) -> Closure:
    first, *rest = trees(node)
    start = compile_node(first, work)
    steps = tuple(
        (_COMPUTE[str(sign.children[0])], compile_node(operand, work)) for sign, operand in zip(rest[::2], rest[1::2], strict=True)
    )
    if len(steps) == 1:
        compute, operand = steps[0]
        return lambda scope, state: compute(start(scope, state), operand(scope, state), state)

    def chain(scope: Any, state: list) -> Any:
        value = start(scope, state)
        for compute, operand in steps:
            value = compute(value, operand(scope, state), state)
        return value
    return chain


@compiles("negation")
def _negation(node: Tree, work: Work) -> Closure:
    inner = compile_node(trees(node)[0], work)
    return lambda scope, state: arithmetic.negate(inner(scope, state), state)


@compiles("choice")
def _choice(node: Tree, work: Work) -> Closure:
    condition, then, otherwise = (compile_node(child, work) for child in trees(node))
    return lambda scope, state: then(scope, state) if condition(scope, state) is True else otherwise(scope, state)


@compiles("between")
def _between(node: Tree, work: Work) -> Closure:
    value, low, high = (compile_node(child, work) for child in trees(node))

    def between(scope: Any, state: list) -> bool | None:
        found = value(scope, state)
        return comparison.both(
            comparison.at_least(found, low(scope, state)), comparison.at_most(found, high(scope, state)))
    return between


@compiles("member")
def _member(node: Tree, work: Work) -> Closure:
    left, target = trees(node)
    value = compile_node(left, work)
    tests = [compile_test(test, work) for test in (trees(target) if target.data == "any_test" else [target])]
    return lambda scope, state: any_of(tests, value(scope, state), scope, state)


Test = Callable[[Any, Any, list], bool | None]


def any_of(tests: list[Test], value: Any, scope: Any, state: list) -> bool | None:
    """Whether one of the tests holds for a value: true, else null if one cannot say, else false."""
    answer: bool | None = False
    for test in tests:
        found = test(value, scope, state)
        if found is True:
            return True
        if found is None:
            answer = None
    return answer


def compile_test(node: Tree, work: Work) -> Test:
    """A test on the right of `in`: a relation (`< 5`) or an expression giving a range, a list or a value."""
    if node.data == "relation_test":
        sign, operand = trees(node)
        compare, bound = comparison.RELATIONS[str(sign.children[0])], compile_node(operand, work)
        return lambda value, scope, state: compare(value, bound(scope, state), state)
    inner = compile_node(node, work)
    return lambda value, scope, state: comparison.member(value, inner(scope, state), state)


@compiles("interval")
def _interval(node: Tree, work: Work) -> Closure:
    low, high = (compile_node(child, work) for child in trees(node))
    opening, closing = (str(child) for child in (node.children[0], node.children[-1]))

    def interval(scope: Any, state: list) -> Range | None:
        return made_range(low(scope, state), high(scope, state), opening == "[", closing == "]")
    return interval


def made_range(low: Any, high: Any, low_included: bool, high_included: bool) -> Range | None:
    """An interval between two values of one ordered kind, the first not after the second; null otherwise."""
    return Range(low, high, low_included, high_included) if comparison.at_most(low, high) is True else None


@compiles("relation_range")
def _relation_range(node: Tree, work: Work) -> Closure:
    sign, operand = trees(node)
    relation, end = str(sign.children[0]), compile_node(operand, work)

    def relation_range(scope: Any, state: list) -> Range | None:
        value = end(scope, state)
        if value is None and relation not in ("=", "!="):
            return None
        above = relation in (">", ">=")
        return Range(value if above else None, None if above else value, relation == ">=", relation == "<=", relation)
    return relation_range


@compiles("list")
def _list(node: Tree, work: Work) -> Closure:
    elements = tuple(compile_node(child, work) for child in trees(node))
    return lambda scope, state: [element(scope, state) for element in elements]


@compiles("context")
def _context(node: Tree, work: Work) -> Closure:
    entries, keys = [], set()
    for entry in trees(node):
        name = named(entry)
        if name in keys:
            raise FeelError(work.text, entry.meta.start_pos, "duplicate_key", found=name)
        keys.add(name)
        entries.append((name, compile_node(trees(entry)[0], work)))
        work = work.including(name)

    def context(scope: Any, state: list) -> dict[str, Any]:
        made: dict[str, Any] = {}
        inner = Frame(made, scope)
        for name, value in entries:
            made[name] = value(inner, state)
        return made
    return context


@compiles("instance")
def _instance(node: Tree, work: Work) -> Closure:
    left, type_node = trees(node)
    inner, conforms = compile_node(left, work), compile_type(type_node, work)
    return lambda scope, state: conforms(inner(scope, state))


_TYPES = frozenset({
    "number", "string", "boolean", "date", "time", "date and time", "days and time duration", "years and months duration",
})


def compile_type(node: Tree, work: Work) -> Callable[[Any], bool]:
    """The test of a type. Raises FeelError for a type there is not."""
    name = ".".join(str(child) for child in node.children if not isinstance(child, Tree) and child is not None and child.type != "_DOT")
    if node.data == "named_type":
        if name == "Any":
            return lambda value: value is not None
        if name not in _TYPES:
            raise FeelError(work.text, node.meta.start_pos, "unknown_type", found=name)
        return lambda value: kind(value) == name
    if node.data == "function_type":
        arguments = trees(node)
        return lambda value: kind(value) == "function" and len(value.parameters) in (len(arguments), len(arguments) - 1)
    name = str(node.children[0])
    if node.data == "context_type":
        fields = {named(field): compile_type(trees(field)[0], work) for field in trees(node)}
        return lambda value: kind(value) == "context" and all(
            field in value and (value[field] is None or conforms(value[field])) for field, conforms in fields.items())
    inner = [compile_type(child, work) for child in trees(node)]
    if name == "list" and len(inner) == 1:
        return lambda value: kind(value) == "list" and all(element is None or inner[0](element) for element in value)
    if name == "range" and len(inner) == 1:
        return lambda value: kind(value) == "range" and inner[0](value.low if value.low is not None else value.high)
    raise FeelError(work.text, node.meta.start_pos, "unknown_type", found=name)
