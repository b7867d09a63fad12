"""Messages from outside: a paper received, a payment confirmed, an emergency."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api import problems
from api.dependencies import Acting, Body, Route, Writing
from engine.casework import messages

router = APIRouter(tags=["cases"], route_class=Route)


class NewMessage(Body):
    name: str = Field(min_length=1, max_length=200, examples=["piece.recue"])
    correlation: str = Field(max_length=200, description="Whom it is for, as the case's `waiting` says.")
    payload: dict[str, Any] = Field(default_factory=dict)


class Sent(BaseModel):
    name: str
    correlation: str


@router.post("/messages", status_code=202, responses=problems.described(401, 403, 404, 422))
def send(actor: Acting, session: Writing, message: NewMessage) -> Sent:
    """Sends a message that the account may send, to a case it reaches. It is kept until the case waits for it, and taken once.

    404 when nothing has this `correlation`, or nothing that the account may know.
    """
    messages.send(session, actor, message.name, message.correlation, message.payload)
    return Sent(name=message.name, correlation=message.correlation)
