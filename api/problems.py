"""Every trouble as `application/problem+json` (RFC 9457): what is wrong and what to do, in the reader's language; never a trace.

`code` is the dotted code of the refusal, `errors` names each place by a JSON pointer into the body (`pointer`) or by a parameter's name.
"""

import datetime as dt
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine import errors, i18n
from engine.casework import judging, readers

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
_RESERVED = {"type", "title", "status", "detail", "instance", "code", "errors"}
_STATUSES = {"signin.too_many": 429}
_CODES = {400: "api.not_json", 404: "api.not_found", 405: "api.method", 413: "api.too_large", 415: "api.media", 422: "api.request"}
_FAULTS = {"missing": "api.missing", "extra_forbidden": "api.unknown_field", "json_invalid": "api.not_json", "unsound": "api.unsound"}


class Fault(BaseModel):
    """One place that is wrong."""

    detail: str = Field(description="What is wrong there, and what to do.")
    pointer: str = Field(default="", description="JSON pointer into the body, as a URI fragment.", examples=["#/answers/person.cin"])
    pointers: list[str] = Field(default=[], description="Where a rule holds between several answers: each of them.")
    parameter: str = Field(default="", description="Name of the query or header parameter.")
    code: str = ""


class Problem(BaseModel):
    """A problem detail (RFC 9457). Further members depend on the code: who was first, since when, the candidates of a possible duplicate."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(examples=["urn:masar:problem:task.held"])
    title: str
    status: int
    detail: str = Field(description="A sentence in the reader's language.")
    instance: str = ""
    code: str = Field(examples=["task.held"])
    errors: list[Fault] = []


def install(app: FastAPI) -> None:
    """Gives every kind of trouble its answer."""
    app.add_exception_handler(errors.Refusal, refused)
    app.add_exception_handler(RequestValidationError, unreadable)
    app.add_exception_handler(HTTPException, not_served)
    app.add_exception_handler(OperationalError, unreachable)
    app.add_exception_handler(Exception, broken)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that are problems, as its documentation shows them."""
    words = i18n.catalogue("en")
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": words[f"api.title.{status}"], "content": content} for status in statuses}


@contextmanager
def within(member: str) -> Iterator[None]:
    """What is found wrong stands in this member of the body."""
    try:
        yield
    except errors.Invalid as refusal:
        raise errors.Invalid(refusal.code, [replace(found, where=f"/{member}{found.where}") for found in refusal.findings], **refusal.details) from refusal


def refused(request: Request, trouble: errors.Refusal) -> Response:
    readers.note_refusal(request.app.state.database, getattr(request.state, "actor", None), request.path_params, trouble, request.method not in ("GET", "HEAD"))
    language = language_of(request)
    faults = [_finding(one, language) for one in trouble.findings]
    status = _STATUSES.get(trouble.code, trouble.status)
    return answer(request, status, trouble.code, i18n.translate(trouble.code, language, **trouble.details), faults, trouble.details)


def unreadable(request: Request, trouble: RequestValidationError) -> Response:
    """A request of the wrong shape. A malformed id in the path is an absent one."""
    found = trouble.errors()
    if any(one["loc"][0] == "path" for one in found):
        return not_served(request, HTTPException(404))
    language = language_of(request)
    faults = [_fault(one, language) for one in found]
    if any(one["type"] == "json_invalid" for one in found):
        return answer(request, 422, "api.not_json", i18n.translate("api.not_json", language))
    if any(one["loc"] == ("body",) for one in found) and not request.headers.get("content-type", "application/json").startswith("application/json"):
        return answer(request, 415, "api.media", i18n.translate("api.media", language))
    return answer(request, 422, "api.request", i18n.translate("api.request", language), faults)


def not_served(request: Request, trouble: HTTPException) -> Response:
    code = _CODES.get(trouble.status_code, "api.request")
    details = {"megabytes": trouble.detail} if trouble.status_code == 413 else {}
    made = answer(request, trouble.status_code, code, i18n.translate(code, language_of(request), **details))
    made.headers.update(trouble.headers or {})
    return made


def unreachable(request: Request, trouble: OperationalError) -> Response:
    log.warning("api.database_unreachable", path=request.url.path, reason=str(trouble.orig).splitlines()[0])
    return answer(request, 503, "api.unreachable", i18n.translate("api.unreachable", language_of(request)))


def broken(request: Request, trouble: Exception) -> Response:
    reference = secrets.token_hex(4)
    log.error("api.bug", reference=reference, path=request.url.path, exc_info=trouble)
    return answer(request, 500, "api.broken", i18n.translate("api.broken", language_of(request), reference=reference), details={"reference": reference})


def answer(
    request: Request, status: int, code: str, detail: str, faults: Iterable[Mapping[str, Any]] = (), details: Mapping[str, Any] | None = None
) -> Response:
    """The problem itself."""
    language = language_of(request)
    body = {"type": f"urn:masar:problem:{code}", "title": i18n.translate(f"api.title.{status}", language), "status": status, "detail": detail,
            "instance": request.url.path, "code": code}  # fmt: skip
    if listed := list(faults):
        body["errors"] = listed
    body |= {name: value for name, value in (details or {}).items() if name not in _RESERVED}
    headers = {"content-language": language, "cache-control": "no-store"}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if status in (429, 503):
        headers["retry-after"] = "900" if status == 429 else "5"
    return Response(json.dumps(body, ensure_ascii=False, default=_plain), status, headers, MEDIA_TYPE)


def language_of(request: Request) -> str:
    """The language of the answer: asked for, else the account's, else French."""
    return getattr(request.state, "language", "") or asked_language(request.headers.get("accept-language", "")) or "fr"


def asked_language(header: str) -> str:
    """The first of our languages in order of preference; "" when none is named (a star names none)."""
    wanted: list[tuple[float, str]] = []
    for part in header.split(",")[:20]:
        tag, _, weight = part.partition(";")
        quality = weight.strip().removeprefix("q=")
        wanted.append((-float(quality) if quality.replace(".", "", 1).isdecimal() else -1.0, tag.strip().lower()[:2]))
    return next((tag for weight, tag in sorted(wanted, key=lambda one: one[0]) if tag in i18n.LANGUAGES and weight < 0), "")


def _finding(found: Any, language: str) -> dict[str, Any]:
    sentence = found.message or judging.worded(found.code, found.details, language)
    place: dict[str, Any] = {"pointer": f"#{found.where}"} if found.where.startswith("/") or not found.where else {"pointer": "", "where": found.where}
    if len(together := found.details.get("fields", ())) > 1 and found.where.startswith("/"):
        place["pointers"] = [f"#{found.where.rpartition('/')[0]}/{name}" for name in together]
    return {"detail": sentence, **place, "code": found.code}


def _fault(one: Mapping[str, Any], language: str) -> dict[str, str]:
    where, *path = one["loc"]
    name = next((part for part in reversed(path) if isinstance(part, str)), str(where))  # a place in a list has the name of the list
    code = _FAULTS.get(one["type"], "api.value")
    pointer = "#" + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
    place = {"pointer": pointer} if where == "body" else {"pointer": "", "parameter": name}
    return {"detail": i18n.translate(code, language, name=name), **place, "code": code}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else str(value)
