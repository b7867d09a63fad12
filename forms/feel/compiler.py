"""A tree becomes closures, once: `compile_node(tree) -> act`, where `act(scope)` gives the value. No code is generated or evaluated.

The scope is a dict; under `BUDGET` it holds what may still be spent (`budget`). Three-valued logic throughout: what does not fit is null, never an exception.
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Any

from forms.feel import functions, lists, relations, signatures, temporal  # noqa: F401  (functions, lists and relations register theirs)
from forms.feel.budget import BUDGET, Act, Budget, borne
from forms.feel.iteration import filtered, for_each, function, quantified, series
from forms.feel.reader import Node, Reader
from forms.feel.reads import names_of
from forms.feel.reckoning import RECKON
from forms.feel.types import is_instance
from forms.feel.values import CTX, FeelError, Function, Range, YearsMonths, compare, equal, kind, let_in

_PLAIN = (Decimal, str, bool, list, dict, type(None))


def compile_node(node: Node, watch: Callable[[Node, Act], Act] | None = None) -> Act:
    """The closure of a tree; `watch` may wrap each one (explanations do)."""
    act = _COMPILERS[node[0]](node, lambda inner: compile_node(inner, watch))
    return watch(node, act) if watch else act


def _constant(node: Node, _: Any) -> Act:
    value = node[3]
    return lambda scope: value


def _number(node: Node, _: Any) -> Act:
    try:
        value = CTX.create_decimal(node[3])
    except DecimalException:  # beyond what numbers hold
        value = None
    return lambda scope: value


def _at(node: Node, _: Any) -> Act:
    value = temporal.literal(node[3])
    return lambda scope: value


def _name(node: Node, _: Any) -> Act:
    name = node[3]

    def act(scope: dict[str, Any]) -> Any:
        if name in scope:
            value = scope[name]
            return value if type(value) in _PLAIN else let_in(value)
        if name in signatures.TABLE:
            return Function((), lambda positional, named: signatures.call(name, positional, named), is_builtin=True)
        return None

    return act


def _group(node: Node, build: Any) -> Act:
    return build(node[3])


def _list(node: Node, build: Any) -> Act:
    items = [build(item) for item in node[3]]
    return lambda scope: [item(scope) for item in items]


def _context(node: Node, build: Any) -> Act:
    members = [(key, build(member)) for key, member in node[3]]

    def act(scope: dict[str, Any]) -> dict[str, Any]:
        inner, found = dict(scope), {}
        for key, member in members:
            found[key] = inner[key] = borne(inner, member(inner))
        return found

    return act


def _range(node: Node, build: Any) -> Act:
    has_low, low, high, has_high = node[3], build(node[4]), build(node[5]), node[6]

    def act(scope: dict[str, Any]) -> Range | None:
        first, last = low(scope), high(scope)
        if first is None and last is None or (first is not None and last is not None and compare(first, last) is None):
            return None
        return Range(first, last, has_low, has_high)

    return act


def _open_range(node: Node, build: Any) -> Act:
    op, bound = node[3], build(node[4])

    def act(scope: dict[str, Any]) -> Range:
        value = bound(scope)
        if op == "=":
            return Range(value, value)
        return Range(None, value, False, op == "<=") if op[0] == "<" else Range(value, None, op == ">=", False)

    return act


def _if(node: Node, build: Any) -> Act:
    condition, yes, no = (build(part) for part in node[3:6])
    return lambda scope: yes(scope) if condition(scope) is True else no(scope)


def _and(node: Node, build: Any) -> Act:
    parts = [build(part) for part in node[3]]

    def act(scope: dict[str, Any]) -> bool | None:
        verdict: bool | None = True
        for part in parts:
            value = part(scope)
            if value is False:
                return False
            if value is not True:
                verdict = None
        return verdict

    return act


def _or(node: Node, build: Any) -> Act:
    parts = [build(part) for part in node[3]]

    def act(scope: dict[str, Any]) -> bool | None:
        verdict: bool | None = False
        for part in parts:
            value = part(scope)
            if value is True:
                return True
            if value is not False:
                verdict = None
        return verdict

    return act


_ORDERS: dict[str, Callable[[int], bool]] = {"<": lambda o: o < 0, "<=": lambda o: o <= 0, ">": lambda o: o > 0, ">=": lambda o: o >= 0}


def _compare(node: Node, build: Any) -> Act:
    op, left, right = node[3], build(node[4]), build(node[5])
    if op in ("=", "!="):

        def equality(scope: dict[str, Any]) -> bool | None:
            verdict = equal(borne(scope, left(scope)), borne(scope, right(scope)))
            return verdict if op == "=" or verdict is None else not verdict

        return equality
    holds = _ORDERS[op]

    def act(scope: dict[str, Any]) -> bool | None:
        order = compare(left(scope), right(scope))
        return None if order is None else holds(order)

    return act


def _between(node: Node, build: Any) -> Act:
    value, low, high = (build(part) for part in node[3:6])

    def act(scope: dict[str, Any]) -> bool | None:
        found = value(scope)
        below, above = compare(found, low(scope)), compare(found, high(scope))
        if below is None or above is None:
            return None
        return below >= 0 and above <= 0

    return act


def _in(node: Node, build: Any) -> Act:
    value, tests = build(node[3]), [build(test) for test in node[4]]

    def act(scope: dict[str, Any]) -> bool | None:
        return _any_holds(tests, {**scope, "?": borne(scope, value(scope))})

    return act


def _any_holds(tests: list[Act], scope: dict[str, Any]) -> bool | None:
    verdict: bool | None = False
    for test in tests:
        held = test(scope)
        if held is True:
            return True
        if held is None:
            verdict = None
    return verdict


def _test(node: Node, build: Any) -> Act:
    """One unary test of the value under `?`."""
    op, inner = node[3], build(node[4])
    asks = op == "" and "?" in names_of(node[4])
    if op in _ORDERS:
        holds = _ORDERS[op]

        def ordered(scope: dict[str, Any]) -> bool | None:
            order = compare(scope["?"], inner(scope))
            return None if order is None else holds(order)

        return ordered

    def act(scope: dict[str, Any]) -> bool | None:
        value, wanted = scope["?"], borne(scope, inner(scope))
        if asks:
            return wanted if isinstance(wanted, bool) else None
        if op:
            verdict = equal(value, wanted)
            return verdict if op == "=" or verdict is None else not verdict
        return holds_in(value, wanted)

    return act


def holds_in(value: Any, wanted: Any) -> bool | None:
    """Whether a value is `wanted`, lies in it (a range), or among it (a list of values and ranges)."""
    if isinstance(wanted, Range) and not isinstance(value, Range):
        return wanted.contains(value)
    if isinstance(wanted, list):
        if isinstance(value, list) and equal(value, wanted):
            return True
        verdicts = [holds_in(value, one) if not isinstance(one, list) else equal(value, one) for one in wanted]
        return True if True in verdicts else False
    return equal(value, wanted)


def _any_test(node: Node, build: Any) -> Act:
    return lambda scope: True


def _tests(node: Node, build: Any) -> Act:
    negated, tests = node[3], [build(test) for test in node[4]]

    def act(scope: dict[str, Any]) -> bool | None:
        held = _any_holds(tests, scope)
        return held if not negated or held is None else not held

    return act


def _negate(node: Node, build: Any) -> Act:
    inner = build(node[3])

    def act(scope: dict[str, Any]) -> Any:
        match inner(scope):
            case Decimal() as value:
                return CTX.minus(value)
            case dt.timedelta() as value:
                return -value
            case YearsMonths(months):
                return YearsMonths(-months)
        return None

    return act


def _arithmetic(node: Node, build: Any) -> Act:
    left, right, reckon = build(node[4]), build(node[5]), RECKON[node[3]]

    def act(scope: dict[str, Any]) -> Any:
        try:
            return borne(scope, reckon(left(scope), right(scope)))
        except (DecimalException, OverflowError, ZeroDivisionError):
            return None

    return act


def _path(node: Node, build: Any) -> Act:
    value, member = build(node[3]), node[4]

    def act(scope: dict[str, Any]) -> Any:
        found = value(scope)
        return member_of(borne(scope, found) if type(found) is list else found, member)

    return act


def member_of(value: Any, member: str) -> Any:
    """`value.member`: of a context, of each item of a list, of a date, a duration, a range."""
    if isinstance(value, dict):
        found = value.get(member)
        return found if type(found) in _PLAIN else let_in(found)
    if isinstance(value, list):
        return [member_of(item, member) for item in value]
    if isinstance(value, Range):
        return {"start": value.low, "end": value.high, "start included": value.has_low, "end included": value.has_high}.get(member)
    return temporal.properties(value).get(member)


def _call(node: Node, build: Any) -> Act:
    callee = node[3]
    positional, named = [build(one) for one in node[4]], {name: build(one) for name, one in node[5].items()}
    standard = callee[3] if callee[0] == "name" and callee[3] in signatures.TABLE else None
    clock = callee[3] if callee[0] == "name" and callee[3] in ("now", "today") else None
    value = build(callee)

    def act(scope: dict[str, Any]) -> Any:
        budget: Budget = scope[BUDGET]
        budget.spend()
        arguments, by_name = [budget.bear(one(scope)) for one in positional], {name: budget.bear(one(scope)) for name, one in named.items()}
        if clock and not isinstance(scope.get(clock), Function):
            return scope.get(clock) if not arguments and not by_name else None
        if standard and not isinstance(scope.get(standard), Function):
            if standard in lists.PAIRED:
                budget.bear_pairs(sum(len(one) for one in (*arguments, *by_name.values()) if isinstance(one, list)))
            return budget.bear(signatures.call(standard, arguments, by_name))
        found = value(scope)
        return budget.bear(found.call(arguments, by_name)) if isinstance(found, Function) else None

    return act


def _instance(node: Node, build: Any) -> Act:
    value, wanted = build(node[3]), node[4]
    return lambda scope: is_instance(borne(scope, value(scope)), wanted)


@signatures.feel("range", "from:s")
def _range_of(text: str) -> Range | None:
    """A range from its text: literal ends only, as the standard asks."""
    try:
        reader = Reader(text, ())
        tree = reader.expression()
        reader.finish()
    except FeelError:
        return None
    if tree[0] != "range" or any(end[0] not in ("number", "string", "at", "negate", "constant", "call") for end in tree[4:6]):
        return None
    found = compile_node(tree)({BUDGET: Budget(10)})
    if found is None or (found.low is not None and found.high is not None and (kind(found.low) != kind(found.high) or compare(found.low, found.high) > 0)):
        return None
    return found


_COMPILERS: dict[str, Callable[[Node, Any], Act]] = {
    "constant": _constant, "string": _constant, "number": _number, "at": _at, "name": _name, "group": _group, "list": _list, "context": _context,
    "range": _range,
    "open range": _open_range, "if": _if, "and": _and, "or": _or, "compare": _compare, "between": _between, "in": _in, "test": _test, "tests": _tests,
    "any": _any_test,
    "negate": _negate, "arithmetic": _arithmetic, "path": _path, "filter": filtered, "series": series, "for": for_each, "some": quantified(True),
    "every": quantified(False), "function": function, "call": _call, "instance": _instance,
}  # fmt: skip
