"""FEEL as the pathway uses it: compiled once at parsing, evaluated on what a node may see, every fault turned into a `Fault`.

Not here: the language (forms.feel), nor what a node may see (scopes).
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from forms.feel import Expression, FeelError, PartialDate, YearsMonths, compile_expression

# What evaluating may raise beside FeelError: a value of an unforeseen kind. An incident tells it; the case never breaks.
FAULTS = (FeelError, ArithmeticError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
_LONGEST = 200  # items of a list that a why-record shows


class Fault(Exception):
    """The procedure broke at a node: becomes an incident there (`code`, JSON-able `details`)."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code, self.details = code, details


def compile_text(text: str) -> Expression:
    """The compiled expression. Raises FeelError."""
    return compile_expression(text.strip())


READ = ""  # under this name, which no expression can say, a scope carries the paths that a run has read so far


def evaluate(expression: Expression, scope: Mapping[str, Any]) -> Any:
    """The value, or a Fault `feel.fault`. The paths it may read are noted in the scope (`READ`)."""
    if READ in scope:
        scope[READ].update(expression.paths)
    try:
        return expression.evaluate(scope)
    except FAULTS as fault:
        raise Fault("feel.fault", text=expression.text, reason=reason_of(fault)) from fault


def reason_of(fault: Exception) -> str:
    """What a fault of evaluating says, for people who draw."""
    return str(getattr(fault, "reason", None) or f"{type(fault).__name__}: {fault}")


def holds(expression: Expression, scope: Mapping[str, Any]) -> bool:
    """Whether a condition is true; null is not. A value that is no truth value is a Fault `feel.not_boolean`."""
    value = evaluate(expression, scope)
    if value is True:
        return True
    if value is None or value is False:
        return False
    raise Fault("feel.not_boolean", text=expression.text, value=plain(value))


def read_values(expression: Expression, scope: Mapping[str, Any]) -> dict[str, Any]:
    """The paths an expression read, with their values, JSON-able."""
    return {path: plain(look_up(scope, path)) for path in sorted(expression.paths)}


def look_up(scope: Mapping[str, Any], path: str) -> Any:
    """The value under a dotted path; None where nothing is. Over a list, the values of its items."""
    value: Any = scope
    for name in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list):
            value = [item.get(name) if isinstance(item, Mapping) else None for item in value]
        else:
            return None
    return value


def feel_value(value: Any) -> Any:
    """A value from outside as FEEL has it: numbers are decimals, sequences lists; what FEEL has no kind for is a Fault."""
    if value is None or isinstance(value, bool | str | Decimal | dt.date | dt.time | dt.timedelta):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {str(name): feel_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [feel_value(inner) for inner in value]
    if isinstance(value, YearsMonths | PartialDate):
        return value
    raise Fault("value.unknown_kind", kind=type(value).__name__)


def plain(value: Any) -> Any:
    """A FEEL value as JSON holds it: whole decimals as int, others as text, instants in ISO 8601."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else str(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value[:_LONGEST]]
    return str(value)
