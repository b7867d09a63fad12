"""Disguise: a scenario made of a real case is about nobody. What could tell who she is goes before anything enters an edition; the walk stays what it was.

Names, numbers, papers and free words become the same ones for everybody; ids and case numbers are counted anew; the whole is moved by whole weeks to another
time, her own dates are told to the year, amounts and measures to two digits. What is of health stays out, unless the walk depends on it: then the case
makes no scenario. Played again, the disguised walk must open the same tasks and end alike: if not at the coarsest, then one degree finer, and no further.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from engine import errors
from engine.pathway import scenario_files, scenarios
from engine.pathway.scenario_files import Scenario, Step
from engine.pathway.sources import Sources
from forms.dictionary import Dictionary, Field
from forms.feel import PartialDate

_AWAY = dt.timedelta(days=10_227)  # 28 years, after which days, months and leap years fall alike …
_WEEKS = (-7, -3, 5, 11, 2)  # … and so many weeks besides, so that no date is hers
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DAY = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_INSTANT = re.compile(r"[12]\d{3}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_NUMBER = re.compile(r"\b(TN|SC|SG)-([A-Z]{2,8})-\d{4}-\d{5}\b")
_SAID = {"text": "Texte", "longtext": "Texte", "address": "Adresse", "phone": "+21600000000", "email": "nom@exemple.tn", "cin": "00000000", "passport": "A000000"}
_PAPER = {"doc": "00000000-0000-4000-8000-000000000000", "signature": {"name": "Texte"}}
_CODES = frozenset({"enum", "multi", "bool", "tri", "gov", "country", "language"})
_AMOUNTS = frozenset({"money", "number", "percent", "int", "score"})
_HERS = frozenset({"person", "membre", "signale"})  # groups whose dates are somebody's own
_HEALTH = "H"


@dataclass(frozen=True)
class _Degree:
    """How coarse: the digits that an amount keeps, and what a date of hers becomes."""

    digits: int
    day: Callable[[dt.date], dt.date]


_DEGREES = (
    _Degree(1, lambda day: day.replace(month=1, day=1)),
    _Degree(2, lambda day: day.replace(month=1, day=1)),
    _Degree(2, lambda day: day.replace(day=1)),
)


def disguise(sources: Sources, scenario: Scenario) -> Scenario:
    """The same walk, of nobody; `sources`: the edition that it was walked on. Refuses: `scenario.personal`, where it depends on what a file may not hold."""
    is_written = _words_of(sources)
    for degree in _DEGREES:
        for weeks in _WEEKS:
            made = scenarios.retimed(sources.definitions, _Disguising(sources.dictionary, degree, weeks, is_written, scenario).whole())
            made = scenario_files.read(scenario_files.write(scenarios.told_once(made)))  # as it will be read: what the file cannot hold is not there
            if scenarios.play(sources.definitions, made).finding is None:
                return made
    raise errors.Invalid("scenario.personal")


def _words_of(sources: Sources) -> Callable[[str], bool]:
    """Whether a word stands in the diagrams or tables themselves: it is then a word of the procedure."""
    drawn = [content for path, content in sources.files.items() if path.endswith((".bpmn", ".dmn"))]
    return lambda word: any(f'"{word}"'.encode() in content or f"&quot;{word}&quot;".encode() in content for content in drawn)


def names_a_case(words: str) -> bool:
    """Whether a text holds the number of a case, or an id."""
    return bool(_NUMBER.search(words.upper()) or _UUID.search(words))


class _Disguising:
    def __init__(self, dictionary: Dictionary, degree: _Degree, weeks: int, is_written: Callable[[str], bool], scenario: Scenario) -> None:
        self.dictionary, self.degree, self.is_written, self.scenario = dictionary, degree, is_written, scenario
        self.shift = dt.timedelta(weeks=weeks) - _AWAY
        self.year = (scenario.steps[0].at + self.shift).year
        self.ids: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        self.codes = frozenset(code for spec in dictionary.fields.values() for code in spec.codes)

    def whole(self) -> Scenario:
        return replace(self.scenario, steps=tuple(self._step(step) for step in self.scenario.steps))

    def _step(self, step: Step) -> Step:
        told = {self._id(subject): {group: self._group(group, context) for group, context in groups.items()} for subject, groups in step.facts.items()}
        return replace(step, at=self._instant(step.at), key=None if step.key is None else self._word(step.key), values=self._value(step.values), facts=told)

    def _group(self, group: str, context: Any) -> Any:
        if group in ("parametres", "programmes", "antennes"):  # of the Dispositif, and of nobody
            return self._shifted(context)
        if not isinstance(context, Mapping):
            return self._value(context)
        found = {}
        for name, value in context.items():
            spec = self.dictionary.fields.get(f"{group}.{name}")
            said = self.dictionary.fields.get(f"{group}.{name.removesuffix('_statut')}")
            if spec is None and said is not None:  # that it is not known, or was not said
                found |= {name: value} if said.class_ != _HEALTH else {}
            elif spec is None:
                found[name] = self._value(value)
            elif spec.class_ != _HEALTH:
                found[name] = self._fact(spec, value)
        return found

    def _fact(self, spec: Field, value: Any) -> Any:
        """A value of the dictionary, by its type."""
        if value is None or spec.type in _CODES:
            return value
        if spec.type in _SAID or spec.type in _PAPER:
            return _SAID.get(spec.type) or _PAPER[spec.type]
        if spec.type == "district":  # a delegation is small: the first of its governorate
            return next((code for code in spec.codes if code[:5] == str(value)[:5]), value)
        if spec.type in ("date", "datetime"):
            return self._day(value, spec.group in _HERS)
        if spec.type in _AMOUNTS and isinstance(value, Decimal):
            return _rounded(value, self.degree.digits)
        if spec.type == "list" and isinstance(value, list):
            return [self._row(row) for row in value]
        return self._value(value)

    def _row(self, row: Any) -> Any:
        """A row is a context of short names, of the group of its list."""
        if not isinstance(row, Mapping):
            return self._value(row)
        return {name: self._cell(name, value) for name, value in row.items() if not self._is_left_out(name)}

    def _is_left_out(self, name: str) -> bool:
        return any(spec.class_ == _HEALTH for spec in self._specs(name))

    def _cell(self, name: str, value: Any) -> Any:
        specs = self._specs(name)
        return self._fact(specs[0], value) if specs else self._value(value)

    def _specs(self, name: str) -> list[Field]:
        return [spec for spec in self.dictionary.fields.values() if spec.id.partition(".")[2] == name]

    def _value(self, value: Any) -> Any:
        """A value that no field describes: a variable of the diagram, what a message carried."""
        if isinstance(value, Mapping):
            return {self._id(str(name)): self._value(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(inner) for inner in value]
        if isinstance(value, str):
            return self._word(value)
        if isinstance(value, Decimal):
            return _rounded(value, max(self.degree.digits, 2))
        return self._shifted(value)

    def _shifted(self, value: Any) -> Any:
        """The same, as many weeks away."""
        match value:
            case Mapping():
                return {name: self._shifted(inner) for name, inner in value.items()}
            case list():
                return [self._shifted(inner) for inner in value]
            case dt.datetime():
                return self._instant(value)
            case dt.date():
                return value + self.shift
            case _:
                return value

    def _day(self, value: Any, is_hers: bool) -> Any:
        match value:
            case dt.datetime():
                return self._instant(value)
            case dt.date():
                return self.degree.day(value + self.shift) if is_hers else value + self.shift
            case PartialDate():
                return PartialDate((value.first + self.shift).year)
            case _:
                return None

    def _instant(self, at: dt.datetime) -> dt.datetime:
        """To the hour, upwards: what was due before is still due before."""
        at = at.astimezone(dt.UTC)
        whole = at.replace(minute=0, second=0, microsecond=0)
        return whole + (dt.timedelta(hours=1) if at > whole else dt.timedelta()) + self.shift

    def _word(self, word: str) -> str:
        """A word of the procedure stays; ids and case numbers are counted anew; any other is replaced."""
        if word == "" or word in self.codes or self.is_written(word):
            return word
        if _DAY.fullmatch(word):  # what a message carried went through JSON
            with suppress(ValueError):
                return (dt.date.fromisoformat(word) + self.shift).isoformat()
        if _INSTANT.fullmatch(word):
            with suppress(ValueError):
                return self._instant(dt.datetime.fromisoformat(word)).isoformat()
        known = self._id(word)
        if known != word or _UUID.search(word):
            return known
        return word if re.fullmatch("[A-Z]{2,4}", word) else "texte"

    def _id(self, text: str) -> str:
        text = _UUID.sub(lambda found: self.ids.setdefault(found[0].lower(), f"00000000-0000-4000-8000-{len(self.ids) + 1:012x}"), text)
        return _NUMBER.sub(lambda found: self.numbers.setdefault(found[0], f"{found[1]}-{found[2]}-{self.year}-{len(self.numbers) + 1:05d}"), text)


def _rounded(value: Decimal, digits: int) -> Decimal:
    """To so many digits; what is smaller than a hundred tells nothing of anybody and stays."""
    if not value.is_finite() or abs(value) < 100:
        return value
    places = value.adjusted() - digits + 1
    return (value / Decimal(10) ** places).to_integral_value() * Decimal(10) ** places

