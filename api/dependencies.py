"""What a route asks for: who acts, in which language, and a session to read or to write in.

A session ends before the answer leaves: a commit that fails is never followed by a 200.
"""

import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.exceptions import ResponseValidationError
from fastapi.routing import APIRoute
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError
from sqlmodel import Session
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from engine import errors
from engine.actors import signin, users
from engine.database import Database
from engine.dossier import documents, programmes

_bearer = OAuth2PasswordBearer("token", scheme_name="token", description="The access token that `POST /token` gave.", auto_error=False)
_DEEPEST = 32
_MEGABYTE = 1_000_000
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'; frame-ancestors 'none'"}
LARGEST_BODY, LARGEST_UPLOAD = _MEGABYTE, documents.LARGEST + _MEGABYTE


def database_of(request: Request) -> Database:
    """The database this server works on."""
    return request.app.state.database


def acting(request: Request, token: Annotated[str | None, Depends(_bearer)]) -> users.Actor:
    """The person whose token it is, reading in the language the request asks for, else in her own. Refuses: `signin.needed`."""
    found = signin.enter(database_of(request), token) if token else None
    if found is None or found.kind != "api":
        raise errors.Unauthenticated("signin.needed")
    return _speaking(request, found.actor)


def _speaking(request: Request, actor: users.Actor) -> users.Actor:
    """The actor in the language of the answer, which refusals speak too."""
    request.state.language = problems.asked_language(request.headers.get("accept-language", "")) or actor.language
    request.state.actor = actor
    return actor if request.state.language == actor.language else replace(actor, language=request.state.language)


Key = Annotated[
    str, Header(alias="Idempotency-Key", max_length=200, description="Any text of one's own: the same submission sent again answers as the first did.")
]


class _Way(Enum):
    """How a route works on the database: see `Route`."""

    READING = "reading"
    WRITING = "writing"


Acting = Annotated[users.Actor, Depends(acting)]
Reading = Annotated[Session, _Way.READING]
Writing = Annotated[Session, _Way.WRITING]


@dataclass(frozen=True)
class _Door:
    request: Request
    token: str


async def _door(request: Request, token: Annotated[str | None, Depends(_bearer)]) -> _Door:
    if not token:
        raise errors.Unauthenticated("signin.needed")
    return _Door(request, token)


class Route(APIRoute):
    """A route that asks for `actor: Acting` and a `session` of `Reading` or `Writing` has both in the thread that runs it, its commit and the bytes of its answer too.

    As four dependencies and an answer each of them would cross from one thread to another, which took a fifth of a completion's time. The commit stands before the
    answer by construction.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        super().__init__(path, _in_one_thread(endpoint, self._written), **given)

    def _written(self, answer: Any) -> Any:
        """An answer as it is sent, of the shape that the route promises; where the route sets headers of its own, FastAPI puts the two together."""
        if isinstance(answer, Response) or self.response_field is None or self.dependant.response_param_name:
            return answer
        value, wrong = self.response_field.validate(answer, {}, loc=("response",))
        if wrong:
            raise ResponseValidationError(wrong, body=answer)
        return Response(self.response_field.serialize_json(value), self.status_code or 200, media_type="application/json")


def _in_one_thread(endpoint: Callable[..., Any], written: Callable[[Any], Any]) -> Callable[..., Any]:
    asked = inspect.signature(endpoint)
    ways = [way for one in asked.parameters.values() for way in getattr(one.annotation, "__metadata__", ()) if isinstance(way, _Way)]
    if not ways:
        return endpoint

    @functools.wraps(endpoint)
    def act(_door: _Door, **given: Any) -> Any:
        database = database_of(_door.request)
        way = database.unit_of_work if ways[0] is _Way.WRITING else database.reading
        if ways[0] is _Way.READING:  # whoever writes reads what is dated as it goes
            programmes.say_names(database)
        with signin.acting(database, _door.token, "api", way) as (actor, session):
            answer = endpoint(actor=_speaking(_door.request, actor), session=session, **given)
        return written(answer)

    parameters = [one for name, one in asked.parameters.items() if name not in ("actor", "session")]
    door = inspect.Parameter("_door", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[_Door, Depends(_door)])
    act.__signature__ = asked.replace(parameters=[*(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters), door])  # type: ignore[attr-defined]
    return act


class Body(BaseModel):
    """A JSON body: no unknown member, no number that JSON does not have, no character that the database cannot hold."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _is_sound(cls, raw: Any) -> Any:
        if not _sound(raw, 0):
            raise PydanticCustomError("unsound", "holds a character or a number that cannot be kept, or is nested too deep")
        return raw


def _sound(value: Any, depth: int) -> bool:
    if depth > _DEEPEST:
        return False
    if isinstance(value, str):
        return "\0" not in value and value.isascii() or not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_sound(name, depth) and _sound(inner, depth + 1) for name, inner in value.items())
    if isinstance(value, list):
        return all(_sound(inner, depth + 1) for inner in value)
    return True


class Guard:
    """Stops bodies that are too large before they are read (1 MB, 21 MB where a document is sent); no answer is kept or guessed at by whoever gets it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        largest = LARGEST_UPLOAD if headers.get("content-type", "").startswith("multipart/") else LARGEST_BODY
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > largest:
            return await problems.not_served(Request(scope), _too_large(largest))(scope, receive, send)

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answered.setdefault(name, value)
            await send(message)

        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > largest:
                raise _too_large(largest)
            return message

        await self.app(scope, counted, dressed)


def _too_large(largest: int) -> HTTPException:
    return HTTPException(413, str(largest // _MEGABYTE))
