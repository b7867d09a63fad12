"""Arithmetic on numbers, texts, dates and durations (DMN 1.5 §10.3.2.3): `RECKON[operator](left, right)`; null for what does not fit."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from forms.feel import temporal
from forms.feel.values import CTX, LONGEST_TEXT, FeelError, YearsMonths


def _add(a: Any, b: Any) -> Any:
    match a, b:
        case Decimal(), Decimal():
            return CTX.add(a, b)
        case str(), str():
            if len(a) + len(b) > LONGEST_TEXT:
                raise FeelError("", 0, "the text grows too long")
            return a + b
        case YearsMonths(x), YearsMonths(y):
            return YearsMonths(x + y)
        case dt.timedelta(), dt.timedelta():
            return a + b
        case _, dt.timedelta() | YearsMonths():
            return temporal.shift(a, b, 1)
        case dt.timedelta() | YearsMonths(), _:
            return temporal.shift(b, a, 1)
    return None


def _subtract(a: Any, b: Any) -> Any:
    match a, b:
        case Decimal(), Decimal():
            return CTX.subtract(a, b)
        case YearsMonths(x), YearsMonths(y):
            return YearsMonths(x - y)
        case dt.timedelta(), dt.timedelta():
            return a - b
        case _, dt.timedelta() | YearsMonths():
            return temporal.shift(a, b, -1)
    return temporal.between(a, b)


def _multiply(a: Any, b: Any) -> Any:
    match a, b:
        case Decimal(), Decimal():
            return CTX.multiply(a, b)
        case YearsMonths(months), Decimal():
            return YearsMonths(int(months * b))
        case dt.timedelta(), Decimal():
            return dt.timedelta(microseconds=int(_micro(a) * b))
        case Decimal(), YearsMonths() | dt.timedelta():
            return _multiply(b, a)
    return None


def _divide(a: Any, b: Any) -> Any:
    match a, b:
        case Decimal(), Decimal():
            return CTX.divide(a, b) if b else None
        case YearsMonths(months), Decimal():
            return YearsMonths(int(months / b)) if b else None
        case dt.timedelta(), Decimal():
            return dt.timedelta(microseconds=int(_micro(a) / b)) if b else None
        case YearsMonths(x), YearsMonths(y):
            return CTX.divide(Decimal(x), Decimal(y)) if y else None
        case dt.timedelta(), dt.timedelta():
            return CTX.divide(_micro(a), _micro(b)) if b else None
    return None


def _power(a: Any, b: Any) -> Any:
    return CTX.power(a, b) if isinstance(a, Decimal) and isinstance(b, Decimal) else None


def _micro(value: dt.timedelta) -> Decimal:
    return Decimal(value // dt.timedelta(microseconds=1))


RECKON: dict[str, Callable[[Any, Any], Any]] = {"+": _add, "-": _subtract, "*": _multiply, "/": _divide, "**": _power}
