"""A form as JSON Schema 2020-12: what the API shows of a task and refuses at its door.

What a schema cannot say (conditions of some depth, checks between answers, days counted from today) is left to `answers.read`. Whatever the
schema refuses, `answers.read` refuses too; a test holds the two together.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from forms import answers, field_types, text
from forms.dictionary import Field
from forms.feel import Expression
from forms.field_types import (
    CIN, CONTROLS, CONTROLS_OF_LINES, DATE, DATETIME, EMAIL, LONGEST, LONGEST_STROKES, PARTIAL_DATE, PASSPORT, PHONE, ROWS, SPACES, STROKES, UUID, bounds,
)  # fmt: skip
from forms.form import Form, Question

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(form: Form) -> dict[str, Any]:
    """The schema of the answers to a form: questions, and known facts that may be corrected."""
    questions = list(form.questions())
    properties = {question.spec.id: _question(question, form) for question in questions}
    for known in form.known:
        if known.may_correct:
            properties[known.spec.id] = _annotated(known.spec, form.language, _correction(_answer(known.spec, known.rows, form.language))) | {"x-known": True}
    required = sorted(question.spec.id for question in questions if question.required and question.when is None and not question.corrects)
    made: dict[str, Any] = {"$schema": DIALECT, "title": form.title, "type": "object", "properties": properties, "required": required,
        "additionalProperties": False}
    if form.intro or form.confirmation:
        made["description"] = form.intro or form.confirmation
    # A known fact that stands in the answers again unchanged is no fault, whether or not it may be corrected.
    for known in form.known:
        properties.setdefault(known.spec.id, {"title": text.pick(known.spec.label, form.language), "readOnly": True})
    rules = [rule for question in questions if (rule := _rule(question, form))]
    if rules:
        made["allOf"] = rules
    return made


def _question(question: Question, form: Form) -> dict[str, Any]:
    spec = question.spec
    said = _answer(spec, question.rows, form.language)
    if spec.own_hand and form.signer:
        said["properties"]["name"] = {"enum": list(form.signer)}
    if question.corrects:
        said = _correction(said)
    elif not question.required or question.when is not None:
        said = _or_nothing(spec, said)
    made = _annotated(spec, form.language, said)
    if question.proposed is not None:
        made["default"] = question.proposed
    if question.when is not None:
        made["x-when"] = question.when.text
    return made


def _annotated(spec: Field, language: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    made = {"title": text.pick(spec.label, language), **schema, "x-type": spec.type, "x-class": spec.class_, "x-owner": spec.owner}
    if spec.help:
        made["description"] = text.pick(spec.help, language)
    return made


def _correction(said: Mapping[str, Any]) -> dict[str, Any]:
    reason = {"type": ["string", "null"], "maxLength": answers.LONGEST_REASON}
    return {"anyOf": [said, {"type": "null"}, _blank(),
                      {"type": "object", "properties": {"value": said, "reason": reason}, "required": ["value"], "additionalProperties": False}]}  # fmt: skip


def _or_nothing(spec: Field, said: Mapping[str, Any]) -> dict[str, Any]:
    nothing = [{"type": "null"}, _blank()] + ([{"type": "array", "maxItems": 0}] if spec.type == "multi" else [])
    return {"anyOf": [said, *nothing]}


def _blank() -> dict[str, Any]:
    return {"type": "string", "pattern": f"^[{SPACES}]*$"}


def _answer(spec: Field, rows: Sequence[Field], language: str) -> dict[str, Any]:
    """A value, or a status where the dictionary allows one."""
    statuses = [code for code, allowed in zip(answers.STATUSES, (spec.unknown, spec.refusable), strict=True) if allowed]
    said = _rows(spec, rows, language) if spec.type == ROWS else _value(spec, language)
    if not statuses:
        return said
    return {"anyOf": [said, {"type": "object", "properties": {"status": {"enum": statuses}}, "required": ["status"], "additionalProperties": False}]}


def _rows(spec: Field, rows: Sequence[Field], language: str) -> dict[str, Any]:
    properties: dict[str, Any] = {"id": {"type": ["string", "null"]}}
    for inner in rows:
        said = _answer(inner, (), language)
        properties[inner.id] = _annotated(inner, language, _or_nothing(inner, said) if inner.optional else said)
    required = sorted(inner.id for inner in rows if not inner.optional)
    row = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"type": "array", "maxItems": spec.max_items, "items": row}


def _value(spec: Field, language: str) -> dict[str, Any]:
    match spec.type:
        case "text" | "longtext" | "address":
            controls = CONTROLS if spec.type == "text" else CONTROLS_OF_LINES
            made: dict[str, Any] = {"type": "string", "maxLength": spec.max_length or LONGEST[spec.type],
                "pattern": f"^[^{controls}]*[^\\s{controls}][^{controls}]*$"}
            return {**made, "allOf": [{"pattern": spec.pattern}]} if spec.pattern else made
        case "int" | "score" | "money" | "number" | "percent":
            low, high = bounds(spec)
            made = {"type": "number" if spec.type in ("number", "percent") else "integer", "minimum": low, "maximum": high}
            return made | ({"x-unit": "millime", "x-currency": "TND"} if spec.type == "money" else {})
        case "date":
            pattern = f"^({DATE}|{PARTIAL_DATE})$" if spec.partial else f"^{DATE}$"
            return {"type": "string", "pattern": pattern} | ({} if spec.partial else {"format": "date"})
        case "datetime":
            return {"type": "string", "pattern": f"^{DATETIME}$", "format": "date-time"}
        case "bool" | "tri":
            return {"type": "boolean"}
        case "enum":
            return _choice(spec, language)
        case "gov" | "district" | "country" | "language":
            return {"enum": list(spec.codes), "x-labels": {code: spec.choice_label(code, language) for code in spec.codes}}
        case "multi":
            return {"type": "array", "items": _choice(spec, language), "uniqueItems": True, "minItems": 1}
        case "phone":
            return {"type": "string", "pattern": f"^{PHONE}$"}
        case "email":
            return {"type": "string", "pattern": f"^{EMAIL}$", "maxLength": 254, "format": "email"}
        case "cin" | "passport":
            return {"type": "string", "pattern": f"^{CIN if spec.type == 'cin' else PASSPORT}$"}
        case "doc":
            return _document() | {"x-piece": spec.piece} if spec.piece else _document()
        case "signature":
            return {
                "type": "object", "required": ["name"], "additionalProperties": False, "anyOf": [{"required": ["strokes"]}, {"required": ["document"]}],
                "properties": {"name": {"type": "string", "maxLength": field_types.LONGEST_SIGNER}, "at": {"type": "string", "pattern": f"^{DATETIME}$"},
                               "strokes": {"type": "string", "minLength": 1, "maxLength": LONGEST_STROKES, "pattern": f"^{STROKES}$"}, "document": _document()},
            }  # fmt: skip
    raise ValueError(spec.type)


def _choice(spec: Field, language: str) -> dict[str, Any]:
    return {"oneOf": [{"const": code, "title": spec.choice_label(code, language)} for code in spec.codes]}


def _document() -> dict[str, Any]:
    return {"type": "string", "format": "uuid", "pattern": f"^{UUID}$", "x-upload": True}


def _rule(question: Question, form: Form) -> dict[str, Any] | None:
    """if/then of a required question whose condition compares unconditional questions with constants; None where it is not so simple."""
    if question.when is None or not question.required or question.corrects:
        return None
    holds = _condition(question.when, form)
    return {"if": holds, "then": {"required": [question.spec.id]}} if holds else None


def _condition(when: Expression, form: Form) -> dict[str, Any] | None:
    free = {one.spec.id: one.spec for one in form.questions() if one.when is None and not one.corrects}
    parts = when.tree[3] if when.tree[0] == "and" else [when.tree]
    properties: dict[str, Any] = {}
    for part in parts:
        if part[0] != "compare" or part[3] != "=" or part[4][0] != "path" or part[4][3][0] != "name" or part[5][0] not in ("string", "constant"):
            return None
        name, value = f"{part[4][3][3]}.{part[4][4]}", part[5][3]
        spec = free.get(name)
        if spec is None or name in properties or not (spec.type == "enum" and value in spec.codes or spec.type in ("bool", "tri") and isinstance(value, bool)):
            return None
        properties[name] = {"const": value}
    return {"properties": properties, "required": sorted(properties)}
