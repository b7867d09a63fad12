"""The file of a scenario: TOML, as readable as a walk can be. FEEL's values are TOML's own; those it has no kind for stand in a small table of one key.

Whatever is in a file, reading it answers with findings and never with a fault: it comes from outside as any other file of an edition.
"""

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from engine.errors import Finding, Invalid
from engine.i18n import LANGUAGES
from forms import toml
from forms.feel import PartialDate, YearsMonths, compile_expression

FOLDER = "processes/scenarios/"
MOST_STEPS = 1_000
OTHERS = ("ar", "en")  # languages of a title besides the one it was given in
ACTS = ("start", "complete", "message", "timer", "signal", "operation", "retry")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PARTIAL = re.compile(r"[12][0-9]{3}(-(0[1-9]|1[0-2]))?")
_DEEPEST = 8
_SPECIAL = ("@duration", "@partial", "@null")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One act. `node` and `turn`: at which element (its first token, its second …); `name`, `key`: of a message or a signal; `values`: what goes to the
    diagram; `facts`: what it is told, as in a stimulus; then what must come of it: the tasks it opens, how the walk ends, where it breaks."""

    at: dt.datetime
    act: str
    node: str = ""
    turn: int = 1
    name: str = ""
    key: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    opens: tuple[str, ...] = ()
    ends: str | None = None
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """A walk of one process. `title`: as it was given; `titles`: in other languages. `made_of`: `case` or `trial`. `names`: what the elements that it speaks of were
    called where it was made, by language: of one that is no more, nothing else can be told."""

    title: str
    process: str
    made_of: str
    steps: tuple[Step, ...]
    titles: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def named(self) -> dict[str, str]:
        """The title by language: French where nothing says otherwise."""
        return {"fr": self.title, **self.titles}


def read_all(files: Mapping[str, bytes]) -> tuple[dict[str, Scenario], list[Finding]]:
    """The scenarios among the files of an edition, by path, and what is wrong with those that cannot be read."""
    found: dict[str, Scenario] = {}
    findings: list[Finding] = []
    for path, content in files.items():
        if path.startswith(FOLDER) and path.endswith(".toml"):
            try:
                found[path] = read(content)
            except Unreadable as trouble:
                findings.append(Finding("scenario.unreadable", path, {"reason": str(trouble)[:200]}))
    return found, findings


class Unreadable(Exception):
    """In a few words, where."""


def read(content: bytes) -> Scenario:
    """The scenario of a file. Raises `Unreadable`."""
    try:
        written = toml.load(content, parse_float=Decimal)
    except ValueError as trouble:
        raise Unreadable(str(trouble)) from trouble
    steps = written.get("step", [])
    if not isinstance(steps, list) or not 0 < len(steps) <= MOST_STEPS:
        raise Unreadable(f"step: 1-{MOST_STEPS}")
    read_steps = tuple(_step(number, one) for number, one in enumerate(steps, 1))
    if read_steps[0].act != "start":
        raise Unreadable("step 1: act = start")
    titles = {language: found for language in OTHERS if (found := _text(written, f"title_{language}", "")[:200])}
    return Scenario(_text(written, "title", "")[:200], _text(written, "process", ""), _text(written, "made_of", "trial"), read_steps, titles, _names(written.get("names", {})))


def write(scenario: Scenario) -> bytes:
    """The file of a scenario; the same scenario gives the same bytes."""
    named = [f"title_{language} = {_written(scenario.titles[language])}" for language in OTHERS if language in scenario.titles]
    lines = [f"title = {_written(scenario.title)}", *named, f"process = {_written(scenario.process)}", f"made_of = {_written(scenario.made_of)}"]
    if scenario.names:
        lines += ["", "[names]", *(f"{_key(node)} = {_written(dict(names))}" for node, names in sorted(scenario.names.items()))]
    for step in scenario.steps:
        lines += ["", "[[step]]", f"at = {_written(step.at)}", f"act = {_written(step.act)}"]
        lines += [f"{name} = {_written(value)}" for name, value, usual in _members(step) if value != usual]
        for subject, groups in sorted(step.facts.items()):
            lines += _tables(f"step.facts.{_key(subject)}", groups)
    return ("\n".join(lines) + "\n").encode()


def _members(step: Step) -> Iterator[tuple[str, Any, Any]]:
    yield from (("node", step.node, ""), ("turn", step.turn, 1), ("name", step.name, ""), ("key", step.key, None), ("error", step.error, ""))
    yield from (("values", dict(step.values), {}), ("opens", list(step.opens), []), ("ends", step.ends, None), ("breaks", list(step.breaks), []))


def _tables(head: str, groups: Mapping[str, Any]) -> list[str]:
    """The facts of a subject: what is no context first, then a table for each context."""
    plain = [f"{_key(group)} = {_written(value)}" for group, value in sorted(groups.items()) if not isinstance(value, Mapping)]
    lines = [f"[{head}]", *plain] if plain else []
    for group, context in sorted(groups.items()):
        if isinstance(context, Mapping):
            lines += [f"[{head}.{_key(group)}]", *(f"{_key(name)} = {_written(value)}" for name, value in sorted(context.items()))]
    return lines


def is_same(value: Any, other: Any) -> bool:
    """Whether two values are written alike (`true` is not 1, though Python says so)."""
    return _written(value) == _written(other)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False).replace("\x7f", "\\u007f")


def _written(value: Any) -> str:
    match value:
        case None:
            return '{ "@null" = true }'
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case int():
            return str(value)
        case Decimal():
            plain = format(value, "f")
            return plain if value == value.to_integral_value() and "." not in plain else plain if "." in plain else f"{plain}.0"
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case Mapping():
            return "{ " + ", ".join(f"{_key(str(name))} = {_written(inner)}" for name, inner in sorted(value.items())) + " }" if value else "{}"
        case list() | tuple():
            return "[" + ", ".join(_written(inner) for inner in value) + "]"
        case YearsMonths():
            return f'{{ "@duration" = "P{value.months}M" }}' if value.months >= 0 else f'{{ "@duration" = "-P{-value.months}M" }}'
        case dt.timedelta():
            sign, seconds = ("-", -value) if value < dt.timedelta() else ("", value)
            return f'{{ "@duration" = "{sign}P{seconds.days}DT{seconds.seconds}S" }}'
        case PartialDate():
            return f'{{ "@partial" = "{value.year:04d}{f"-{value.month:02d}" if value.month else ""}" }}'
        case _:
            raise Invalid("scenario.value", kind=type(value).__name__)


def _step(number: int, written: Any) -> Step:
    if not isinstance(written, dict):
        raise Unreadable(f"step {number}")
    at, act, facts = written.get("at"), written.get("act"), written.get("facts", {})
    if not isinstance(at, dt.datetime) or at.tzinfo is None:
        raise Unreadable(f"step {number}: at")
    if act not in ACTS:
        raise Unreadable(f"step {number}: act")
    if not isinstance(facts, dict) or not all(isinstance(groups, dict) for groups in facts.values()):
        raise Unreadable(f"step {number}: facts")
    values, turn = written.get("values", {}), written.get("turn", 1)
    if not isinstance(values, dict) or not isinstance(turn, int) or turn < 1:
        raise Unreadable(f"step {number}: values, turn")
    try:
        told, given = _value(facts, _DEEPEST), _value(values, _DEEPEST)
    except (ValueError, ArithmeticError, KeyError) as trouble:
        raise Unreadable(f"step {number}: {trouble}") from trouble
    return Step(
        at=at, act=act, node=_text(written, "node", ""), turn=turn, name=_text(written, "name", ""), key=_text(written, "key", None), values=given,
        error=_text(written, "error", ""), facts=told, opens=_ids(written, "opens", number), ends=_text(written, "ends", None), breaks=_ids(written, "breaks", number),
    )  # fmt: skip


def _text(written: Mapping[str, Any], name: str, usual: Any) -> Any:
    found = written.get(name, usual)
    if found is not usual and not isinstance(found, str):
        raise Unreadable(name)
    return found


def _names(written: Any) -> dict[str, dict[str, str]]:
    if not isinstance(written, dict) or not all(isinstance(names, dict) and all(isinstance(one, str) for one in names.values()) for names in written.values()):
        raise Unreadable("names")
    return {node: {language: name[:200] for language, name in names.items() if language in LANGUAGES} for node, names in written.items()}


def _ids(written: Mapping[str, Any], name: str, number: int) -> tuple[str, ...]:
    found = written.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise Unreadable(f"step {number}: {name}")
    return tuple(sorted(found))


def _value(written: Any, depth: int) -> Any:
    """A TOML value as FEEL has it. Raises ValueError for what FEEL has no kind for, and for what is nested too deep."""
    if depth < 0:
        raise ValueError("nested too deep")
    if isinstance(written, dict):
        if len(written) == 1 and (name := next(iter(written))) in _SPECIAL:
            return _special(name, written[name])
        return {name: _value(inner, depth - 1) for name, inner in written.items()}
    if isinstance(written, list):
        return [_value(inner, depth - 1) for inner in written]
    if isinstance(written, int) and not isinstance(written, bool):
        return Decimal(written)
    if isinstance(written, dt.datetime) and written.tzinfo is None:
        raise ValueError("an instant without its offset")
    return written


def _special(name: str, written: Any) -> Any:
    if name == "@null":
        return None
    if not isinstance(written, str) or len(written) > 40 or '"' in written or "\\" in written:
        raise ValueError(name)
    if name == "@duration":
        found = compile_expression(f'duration("{written}")').evaluate({})
        if found is None:
            raise ValueError(written)
        return found
    if not _PARTIAL.fullmatch(written):
        raise ValueError(written)
    year, _, month = written.partition("-")
    return PartialDate(int(year), int(month) if month else None)
