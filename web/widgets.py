"""One question as it is drawn, and what was typed into it as `forms.answers` takes it.

Templates know widgets only, never the dictionary. Nothing is judged here; the page as a whole is `web.layout`'s.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from engine.clock import TUNIS
from engine.i18n import pick
from forms import field_types
from forms.text import say
from web.formatting import Words
from web.typed import Typed

# A person who cannot draw signs by writing her name: the mark that stands in the place of strokes.
TYPED_SIGNATURE = "M0 0"
STATUSES = {"inconnu": "task.unknown", "refuse": "task.refused"}
_SELECT_FROM = 7  # more choices than this are a list to open rather than buttons
_NUMBERS = {"int": "", "number": "", "percent": "%", "score": "", "money": ""}
_SOME_DAY = dt.date(9000, 1, 1)  # after any day that a field names itself: what is later is reckoned from today
_HOUR = re.compile(r"(?P<hour>\d{1,2})(?:\s*[h:.,]?\s*(?P<minute>\d{2})?)")
_NARROW = {"cin": "short", "passport": "short", "phone": "short", "int": "tiny", "email": "middle", "text": "middle"}


@dataclass(frozen=True)
class Widget:
    """One question as drawn. `kind` names the macro; `errors` are sentences; `items` are the rows of a list, `ticks` those that only need ticking, and whether they are; `at_hand`: papers that came, or hours that are free, and may be its answer."""

    kind: str
    name: str
    id: str
    label: str
    action: str
    help: str = ""
    required: bool = True
    in_item: bool = False
    refreshes: bool = False
    errors: tuple[str, ...] = ()
    value: str = ""
    values: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    statuses: tuple[tuple[str, str], ...] = ()
    status: str = ""
    width: str = ""
    input_type: str = "text"
    direction: str = "auto"
    input_mode: str = ""
    longest: int = 0
    unit: str = ""
    parts: tuple[str, str, str] = ("", "", "")
    has_hour: bool = False
    may_be_today: bool = False
    drawn: str = ""
    typed: bool = False
    signer: str = ""
    is_own_hand: bool = False
    file_name: str = ""
    at_hand: tuple[Any, ...] = ()
    items: tuple["Item", ...] = ()
    ticks: tuple[tuple["ReadyRow", bool], ...] = ()
    item_label: str = ""
    may_add: bool = True
    corrects: bool = False


@dataclass(frozen=True)
class ReadyRow:
    """A row of a list that need not be typed: ticked, it stands there with these cells."""

    key: str
    label: str
    cells: Mapping[str, str]
    told: str = ""


@dataclass(frozen=True)
class Item:
    """One row of a list."""

    name: str
    id: str
    widgets: tuple[Widget, ...]

    @property
    def anchor(self) -> str:
        return element_id(self.name)


def element_id(name: str) -> str:
    """The id in the page of the question `name`."""
    return "q-" + name.replace(".", "-").replace("[", "-").replace("]", "")


def _lies_behind(spec: Any) -> bool:
    """Whether an instant of this field is never after now."""
    return spec.max_on is not None and spec.max_on(_SOME_DAY) <= _SOME_DAY


def _lies_ahead(spec: Any) -> bool:
    """Whether a date of this field is always after today."""
    return spec.min_on is not None and spec.min_on(_SOME_DAY) > _SOME_DAY


def draw(spec: Any, name: str, typed: Typed, words: Words, action: str, *, stored: Any = None, status: str = "", required: bool = True, refreshes: bool = False,
         errors: Sequence[str] = (), in_item: bool = False, at_hand: Sequence[Any] = (), signer: str = "") -> Widget:  # fmt: skip
    """The widget of one field of the dictionary, holding what was typed, else what was stored. `signer`: the name of whoever answers."""
    has = typed.has(name)
    text = typed.one(name) if has else written(spec.type, stored)
    made = Widget(
        kind="text", name=name, id=element_id(name), label=pick(spec.label, words.language), action=action,
        help=pick(spec.help, words.language), required=required,
        in_item=in_item, refreshes=refreshes, errors=tuple(errors), value=text, longest=spec.max_length or 0, width=_NARROW.get(spec.type, ""),
        status=typed.one(f"{name}~status") if has else status, statuses=statuses(spec, words),
    )  # fmt: skip
    match spec.type:
        case "longtext" | "address":
            return replace(made, kind="long")
        case "score" if (ends := field_types.bounds(spec))[1] - ends[0] < _SELECT_FROM:
            return _choice(replace(made, choices=tuple((str(mark), words.number(mark)) for mark in range(ends[0], ends[1] + 1))))
        case "int" | "number" | "percent" | "score" | "money":
            unit = words.text("format.dinar") if spec.type == "money" else pick(getattr(spec, "unit", None), words.language) or _NUMBERS[spec.type]
            return replace(made, kind="unit", unit=unit)
        case "cin" | "passport" | "phone" | "email":
            mode = {"cin": "numeric", "phone": "tel", "email": "email"}.get(spec.type, "")
            return replace(made, direction="ltr", input_mode=mode, width="short" if spec.type != "email" else "middle")
        case "date":
            parts = (typed.one(f"{name}~year"), typed.one(f"{name}~month"), typed.one(f"{name}~day")) if has else _parts(stored)
            help_ = " ".join(filter(None, (made.help, words.text("task.partial_date") if spec.partial else "")))
            return replace(made, kind="date_parts", parts=parts, help=help_, may_be_today=not spec.partial and not _lies_ahead(spec))
        case "datetime":
            day, _, hour = written(spec.type, stored).partition("T")
            parts = (typed.one(f"{name}~year"), typed.one(f"{name}~month"), typed.one(f"{name}~day")) if has else _parts(day)
            return replace(made, kind="date_parts", parts=parts, has_hour=True, may_be_today=_lies_behind(spec), at_hand=tuple(at_hand), value=typed.one(f"{name}~hour") if has else hour)
        case "bool" | "tri":
            choices = [("true", words.text("format.yes")), ("false", words.text("format.no"))]
            return _choice(replace(made, choices=tuple(choices)))
        case "enum" | "gov" | "district" | "country" | "language":
            choices = tuple((code, spec.choice_label(code, words.language)) for code in spec.codes)
            if spec.type == "enum" and len(choices) < _SELECT_FROM:
                return _choice(replace(made, choices=choices))
            return replace(made, kind="select", choices=choices, width="middle")
        case "multi":
            values = typed.many(name) if has else stored or ()
            return replace(made, kind="choices", values=tuple(values), choices=tuple((code, spec.choice_label(code, words.language)) for code in spec.codes))
        case "doc":
            return replace(made, kind="file", at_hand=tuple(at_hand), file_name=next((one.name for one in at_hand if str(one.document_id) == text), ""))
        case "signature":
            kept = stored if isinstance(stored, Mapping) else {}
            drawn = typed.one(f"{name}~drawn") if has else kept.get("strokes", "")
            is_typed = typed.one(f"{name}~typed") == "yes" if has else drawn == TYPED_SIGNATURE
            named = signer if spec.own_hand and signer else typed.one(f"{name}~name") if has else kept.get("name", "")
            return replace(made, kind="signature", drawn="" if drawn == TYPED_SIGNATURE else drawn, typed=is_typed, signer=named, is_own_hand=spec.own_hand and bool(signer))
        case _:
            return made


def written(type_: str, value: Any) -> str:
    """A stored value as one would type it again."""
    match type_, value:
        case _, None | list() | dict():
            return ""
        case "money", int():
            return f"{Decimal(value) / 1000:.3f}".replace(".", ",")
        case "bool" | "tri", bool():
            return "true" if value else "false"
        case "datetime", str():
            return dt.datetime.fromisoformat(value).astimezone(TUNIS).strftime("%Y-%m-%dT%H:%M")
        case _:
            return str(value)


def answer(spec: Any, name: str, typed: Typed) -> Any:
    """What was typed for one field, as `forms.answers` takes it; None when it was left empty."""
    status = typed.one(f"{name}~status")
    if status:
        return {"status": status}
    match spec.type:
        case "multi":
            return typed.many(name) or None
        case "date" | "datetime":
            parts = [typed.one(f"{name}~{part}") for part in ("year", "month", "day")]
            if not any(parts):
                return None
            year, month, day = parts
            written_day = "-".join(part for part in (year, month.zfill(2) if month else "", day.zfill(2) if day else "") if part)
            hour = typed.one(f"{name}~hour")
            return f"{written_day}T{_hour(hour)}" if hour else written_day
        case "signature":
            strokes = TYPED_SIGNATURE if typed.one(f"{name}~typed") == "yes" else typed.one(f"{name}~drawn")
            signer = typed.one(f"{name}~name")
            if not strokes and (spec.own_hand or not signer):
                return None
            return {"name": signer} | ({"strokes": strokes} if strokes else {})
        case _:
            text = typed.one(name)
            return {"status": text[1:]} if text.startswith("~") else text or None


def _hour(said: str) -> str:
    """An hour as one types it (9, 9h, 9h30, 9.30, 930) as the form reads it; what is none of these stays as it is."""
    found = _HOUR.fullmatch(said.strip().lower())
    return f"{found['hour'].zfill(2)}:{(found['minute'] or '').zfill(2)}" if found else said


def _choice(made: Widget) -> Widget:
    """Buttons to choose from; "does not know" stands among them, so that one answer takes the place of another."""
    extra = made.statuses
    value = f"~{made.status}" if made.status else made.value
    return replace(made, kind="choice", choices=made.choices + tuple((f"~{code}", said) for code, said in extra), value=value, statuses=())


def statuses(spec: Any, words: Words) -> tuple[tuple[str, str], ...]:
    """The ways not to answer that the dictionary allows: does not know, would rather not say."""
    offered = (["inconnu"] if spec.unknown else []) + (["refuse"] if spec.refusable else [])
    return tuple((code, words.text(STATUSES[code])) for code in offered)


def _parts(stored: Any) -> tuple[str, str, str]:
    parts = str(stored or "").split("-")
    return (parts[0], parts[1] if len(parts) > 1 else "", str(int(parts[2])) if len(parts) > 2 else "")


def typed_lines(fields: Mapping[str, Any], pairs: Mapping[str, Sequence[str]], language: str) -> list[dict[str, str]]:
    """What was typed, as lines to copy from, when the question it answered is gone."""
    lines: dict[str, dict[str, str]] = {}
    for name, values in pairs.items():
        plain = name.partition("~")[0]
        own = plain.rpartition("].")[2]
        said = " · ".join(value for value in values if value)
        if not said or own not in fields or name.endswith(("~present", "~item", "~drawn", "~status", "~typed")):
            continue
        known = {code: fields[own].choice_label(code, language) for code in fields[own].codes} if fields[own].codes else {}
        if fields[own].type in ("bool", "tri"):
            known = {"true": say("word.yes", language), "false": say("word.no", language)}
        said = " · ".join(known.get(value, value) for value in values if value)
        if plain in lines:
            lines[plain]["value"] += f" {said}"
        else:
            lines[plain] = {"label": pick(fields[own].label, language), "value": said}
    return list(lines.values())
