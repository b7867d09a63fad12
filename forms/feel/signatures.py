"""How standard functions are called: signatures, the table of them all, and the call.

A parameter's letter says what it accepts: n number, s string, b boolean, l list (anything else becomes a list of one), d date, t date or date
and time, c context, f function, * anything; `?` after it: may be left out or null; `+` last: any number of them.
"""

from collections.abc import Callable
from decimal import DecimalException
from typing import Any

from forms.feel.values import kind

_KINDS = {"n": ("number",), "s": ("string",), "b": ("boolean",), "l": ("list",), "d": ("date", "date and time"), "c": ("context",), "f": ("function",),
    "r": ("range",)}
TABLE: dict[str, list["Signature"]] = {}
NULL = object()


class Signature:
    """One way to call a function: parameter names, what they accept, what is done."""

    def __init__(self, specification: str, act: Callable[..., Any]) -> None:
        self.act, self.variadic = act, specification.endswith("+")
        parts = [part.rsplit(":", 1) for part in specification.rstrip("+").split(", ") if part]
        self.names = [name for name, _ in parts]
        self.kinds = [letter[0] for _, letter in parts]
        self.optional = [letter.endswith("?") for _, letter in parts]

    def bind(self, positional: list[Any], named: dict[str, Any]) -> list[Any] | None:
        """The arguments in order, or None when this signature does not take them."""
        if self.variadic:
            given = [named.get(self.names[0])] if named.keys() == {self.names[0]} and isinstance(named[self.names[0]], list) else positional
            if named and given is positional:
                return None
            if len(given) == 1 and isinstance(given[0], list):
                return [given[0]]
            return [list(given)] if given else None
        if named:
            if not named.keys() <= set(self.names):
                return None
            values = [named.get(name, NULL) for name in self.names]
        else:
            if len(positional) > len(self.names):
                return None
            values = [*positional, *[NULL] * (len(self.names) - len(positional))]
        bound = []
        for value, letter, optional in zip(values, self.kinds, self.optional, strict=True):
            if value is NULL or (value is None and optional):
                if not optional:
                    return None
                bound.append(None)
                continue
            fitted = _fit(value, letter)
            if fitted is NULL:
                return None
            bound.append(fitted)
        return bound


def _fit(value: Any, letter: str) -> Any:
    if letter == "*":
        return value
    if letter == "l":
        return NULL if value is None else value if isinstance(value, list) else [value]
    if kind(value) in _KINDS[letter]:
        return value
    if isinstance(value, list) and len(value) == 1 and kind(value[0]) in _KINDS[letter]:
        return value[0]  # a list of one is its item where an item is wanted
    return NULL


def feel(name: str, *specifications: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(act: Callable[..., Any]) -> Callable[..., Any]:
        TABLE.setdefault(name, []).extend(Signature(one, act) for one in specifications)
        return act

    return register


def call(name: str, positional: list[Any], named: dict[str, Any]) -> Any:
    """The value of a standard function; null when no signature takes the arguments."""
    for signature in TABLE[name]:
        bound = signature.bind(positional, named)
        if bound is not None:
            try:
                return signature.act(*bound)
            except (DecimalException, OverflowError, ValueError, ZeroDivisionError):
                return None
    return None
