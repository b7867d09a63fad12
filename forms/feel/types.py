"""Types of FEEL: whether a value conforms to one (`instance of`, DMN 1.5 §10.3.2.9)."""

from typing import Any

from forms.feel.values import kind

_TYPES = {"number", "string", "boolean", "date", "time", "date and time", "days and time duration", "years and months duration", "list", "context", "range",
    "function"}


def is_instance(value: Any, wanted: tuple[Any, ...]) -> bool | None:
    """Whether a value conforms to a type (DMN 1.5 §10.3.2.9)."""
    name = wanted[0]
    if name == "Any":
        return value is not None
    if name == "Null":
        return value is None
    if name not in _TYPES:
        return None
    if kind(value) != name or value is None:
        return False
    match wanted:
        case ("list", inner):
            return all(is_instance(item, inner) or (item is None) for item in value)
        case ("range", inner):
            return all(bound is None or is_instance(bound, inner) for bound in (value.low, value.high))
        case ("context", tuple() as members):
            return all(key in value and (value[key] is None or is_instance(value[key], inner)) for key, inner in members)
        case ("function", tuple() as parameters, _):
            return not value.is_builtin and len(value.names) == len(parameters)
    return True
