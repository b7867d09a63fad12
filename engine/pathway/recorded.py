"""What a ledger line keeps of a stimulus, so that its step can be made again: written as JSON that reads back as the very same values.

A text that begins with `=` says what it stands for (`=n:12.50` a number, `=d:2026-01-31` a date); a text of its own that begins so is `=s:` and itself.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.pathway import stimuli
from engine.pathway.stimuli import Stimulus
from forms.feel import PartialDate, YearsMonths

_LARGEST = 2**53 - 1  # beyond, JSON's numbers are not exact
_MICRO = dt.timedelta(microseconds=1)
_KINDS = {one.__name__: one for one in stimuli.Stimulus.__subclasses__()}
_APART = ("at", "seq", "facts")


def write(value: Any) -> Any:
    """A FEEL value as JSON."""
    match value:
        case None | bool():
            return value
        case str():
            return f"=s:{value}" if value.startswith("=") else value
        case int():
            return value if -_LARGEST <= value <= _LARGEST else f"=n:{value}"
        case Decimal():
            return f"=n:{value}"
        case float():
            return f"=n:{value!r}"
        case dt.datetime():
            return f"=i:{value.isoformat()}"
        case dt.date():
            return f"=d:{value.isoformat()}"
        case dt.time():
            return f"=t:{value.isoformat()}"
        case dt.timedelta():
            return f"=p:{value // _MICRO}"
        case YearsMonths():
            return f"=m:{value.months}"
        case PartialDate():
            return f"=y:{value}"
        case Mapping():
            return {str(name): write(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [write(inner) for inner in value]
    return str(value)


def read(value: Any) -> Any:
    """The value that JSON of `write` stands for."""
    if isinstance(value, Mapping):
        return {name: read(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [read(inner) for inner in value]
    if not isinstance(value, str) or not value.startswith("="):
        return value
    kind, text = value[1:2], value[3:]
    match kind:
        case "s":
            return text
        case "n":
            return Decimal(text)
        case "i":
            return dt.datetime.fromisoformat(text)
        case "d":
            return dt.date.fromisoformat(text)
        case "t":
            return dt.time.fromisoformat(text)
        case "p":
            return int(text) * _MICRO
        case "m":
            return YearsMonths(int(text))
        case "y":
            return PartialDate(int(text[:4]), int(text[5:7]) if len(text) > 4 else None)
    raise ValueError(f"a recorded value of unknown kind: {kind!r}")


def write_stimulus(stimulus: Stimulus, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The stimulus: its kind, its own values, the facts it came with (but for the groups `without`, which are kept elsewhere). `at` and `seq` are the line's."""
    own = {name: write(value) for name, value in vars(stimulus).items() if name not in _APART}
    facts = {subject: {name: write(value) for name, value in told.items() if name not in without} for subject, told in stimulus.facts.items()}
    return {"stimulus": type(stimulus).__name__, "facts": facts, **own}


def read_stimulus(written: Mapping[str, Any], at: dt.datetime, seq: int, beside: Mapping[str, Any]) -> Stimulus:
    """The stimulus of a line. `beside`: the groups that were kept elsewhere, under the case's own facts."""
    kind = _KINDS[written["stimulus"]]
    facts = {subject: read(told) for subject, told in written["facts"].items()}
    facts["case"] = {**facts.get("case", {}), **beside}
    own = {name: read(written[name]) for name in kind.__dataclass_fields__ if name not in _APART and name in written}
    return kind(at=at, seq=seq, facts=facts, **own)
