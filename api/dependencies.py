"""What a route asks for: who acts, in which language, and a session to read or to write in.

`Reading` and `Writing` end before the answer leaves (`scope="function"`): a commit that fails is never followed by a 200.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError
from sqlmodel import Session
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from engine import errors
from engine.actors import signin, users
from engine.database import Database
from engine.dossier import documents

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
    found = None
    if token:
        found = signin.enter(database_of(request), token)
    if found is None or found.kind != "api":
        raise errors.Unauthenticated("signin.needed")
    request.state.language = problems.asked_language(request.headers.get("accept-language", "")) or found.actor.language
    return replace(found.actor, language=request.state.language)


def reading(request: Request, actor: Annotated[users.Actor, Depends(acting)]) -> Iterator[Session]:
    with database_of(request).reading(actor) as session:
        yield session


def writing(request: Request, actor: Annotated[users.Actor, Depends(acting)]) -> Iterator[Session]:
    with database_of(request).unit_of_work(actor) as session:
        yield session


Acting = Annotated[users.Actor, Depends(acting)]
Reading = Annotated[Session, Depends(reading, scope="function")]
Writing = Annotated[Session, Depends(writing, scope="function")]


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
