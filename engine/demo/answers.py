"""What somebody would answer to any form: what is true of the person first, then what is usual, then anything of the right type.

For the demonstration, the bench and the tests that walk every path; it answers only what the form asks, as the API takes it.
"""

import datetime as dt
import io
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, workdays
from engine.dossier import documents, programmes
from forms.dictionary import Field
from forms.form import Form

NO_PAPER = "00000000-0000-4000-8000-000000000001"  # in the place of a document, where there is nowhere to keep one
_TAKEN = text("SELECT 1 FROM appointment WHERE branch = :branch AND state = 'set' AND during && tstzrange(:at, CAST(:at AS timestamptz) + interval '1 hour')")
_USUAL = Path(__file__).with_name("usual.toml")
# The smallest page a reader opens: what a scanned paper is in the demonstration.
_PAGE = (b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
         b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")  # fmt: skip


@cache
def _usual() -> dict[str, Any]:
    groups = tomllib.loads(_USUAL.read_text("utf-8"))
    return {f"{group}.{name}": value for group, fields in groups.items() for name, value in fields.items()}


def to(form: Form, truth: Mapping[str, Any], today: dt.date, actor: Any, session: Session | None, base: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Answers to the questions of a form whose conditions hold, in order: field id → JSON value."""
    scope = form.scope(base)
    said = {}
    for question in form.questions():
        spec = question.spec
        if question.when is not None and question.when.evaluate(scope.contexts) is not True:
            continue
        if spec.id in truth:
            found = truth[spec.id]
        elif spec.id in _usual():
            found = _usual()[spec.id]
        elif not question.required:
            continue
        else:
            found = _any(spec)
        if isinstance(found, str) and found.startswith("@="):
            same = form.facts.get(found[2:])
            found = same.value if same and same.value is not None else _any(spec)
        value = _made(found, today, actor, session, base)
        if spec.type == "list":
            offered = {"id", *(inner.id for inner in question.rows)}
            value = [{name: one for name, one in row.items() if name in offered} for row in value]
        said[spec.id] = value
        if _is_unsaid(value):
            scope.put(spec, None, value["status"])
        else:
            scope.put(spec, [{name: one for name, one in row.items() if not _is_unsaid(one)} for row in value] if spec.type == "list" else value)
    return said


def _is_unsaid(value: Any) -> bool:
    """Not known or not said: `{"status": "inconnu"}`, as the API takes it."""
    return isinstance(value, Mapping) and set(value) == {"status"}


def _any(spec: Field) -> Any:
    match spec.type:
        case "enum" | "gov" | "district" | "country" | "language":
            return next(iter(spec.codes))
        case "multi":
            return [next(iter(spec.codes))]
        case "bool" | "tri":
            return True
        case "int" | "number" | "percent" | "score" | "money":
            return spec.min or 1
        case "date":
            return "@+0"
        case "datetime":
            return "@+1oT09:00"
        case "list":
            return []
        case "signature" | "doc":
            return {"signature": "@signature", "doc": "@document"}[spec.type]
        case "phone":
            return "+21622118833"
        case "cin":
            return "08123456"
        case "passport":
            return "K123456"
        case _:
            return "Néant"


def _made(value: Any, today: dt.date, actor: Any, session: Session | None, base: Mapping[str, Any] | None) -> Any:
    if isinstance(value, list):
        return [_made(one, today, actor, session, base) for one in value]
    if isinstance(value, Mapping):
        return {name: _made(one, today, actor, session, base) for name, one in value.items()}
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    if value == "@signature":
        return {"name": actor.name, "strokes": "M10 20L40 5L70 22L100 8"}
    if value == "@document":
        return str(documents.upload(session, actor, "piece.pdf", io.BytesIO(_PAGE))) if session is not None else NO_PAPER
    if value == "@agent":
        return actor.name
    days, _, hour = value[1:].partition("T")
    day = today + dt.timedelta(days=int(days.removesuffix("o")))
    if days.endswith("o"):
        day = (programmes.present(session).calendar if session is not None else workdays.calendar((base or {})["parametres"]["jours_feries"])).shift(day, 0)
    if not hour:
        return day.isoformat()
    at = dt.datetime.fromisoformat(f"{day.isoformat()}T{hour}:00+01:00")
    while session is not None and session.execute(_TAKEN, {"branch": actor.branch, "at": at}).scalar():
        at = programmes.present(session).calendar.open_from(at + dt.timedelta(hours=1))
    return at.astimezone(clock.TUNIS).isoformat()
