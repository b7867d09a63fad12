"""Tokens: a user name and a password against a bearer token, which is a session kept on the server."""

from typing import Annotated

from fastapi import APIRouter, Form, Header, Request
from pydantic import BaseModel, Field

from api import problems
from api.dependencies import database_of
from engine.actors import signin, users

router = APIRouter(tags=["account"])


class Token(BaseModel):
    access_token: str
    token_type: str = "bearer"
    expires_in: int = Field(description="Seconds.", examples=[43_200])


@router.post("/token", responses=problems.described(401, 422, 429))
def open_session(
    request: Request,
    username: Annotated[str, Form(max_length=200, examples=["karim"])],
    password: Annotated[str, Form(max_length=500)],
    grant_type: Annotated[str, Form(pattern="^password$")] = "password",
    scope: Annotated[str, Form(max_length=500, description="Ignored: what a token opens follows from the account's roles.")] = "",
    client_id: Annotated[str, Form(max_length=200, description="Ignored.")] = "",
    client_secret: Annotated[str, Form(max_length=500, description="Ignored.")] = "",
    user_agent: Annotated[str, Header(include_in_schema=False)] = "",
) -> Token:
    """Opens a session (OAuth 2.0 password form). It lasts twelve hours, and its owner can end it from her account's page.

    Refuses with 401 a wrong pair, without saying which of the two is wrong; with 429 after five failures under one name in a quarter of an hour.
    """
    with database_of(request).unit_of_work(users.VISITOR) as session:
        opened = signin.sign_in(session, username, password, "api", user_agent)
    return Token(access_token=opened.token, expires_in=opened.hours * 3600)
