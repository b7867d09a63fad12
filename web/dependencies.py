"""What a page asks for: who acts, a session to read or to write in, the form that was posted, and the screen to answer on.

`Reading` and `Writing` end before the answer leaves (`scope="function"`): a commit that fails is never followed by a 200.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlmodel import Session
from starlette.datastructures import FormData

from engine import errors
from engine.actors import signin, users
from engine.database import Database
from engine.dossier import programmes
from web import security
from web.screen import SESSION, VISITOR, Screen


def database_of(request: Request) -> Database:
    """The database this server works on."""
    return request.app.state.database


def entered(request: Request) -> signin.Entered | None:
    """Whose session the cookie names; None for a visitor."""
    token = security.read_cookie(request, request.app.state.settings, SESSION)
    if not token:
        return None
    found = signin.enter(database_of(request), token)
    return found if found and found.kind == "web" else None  # a program's token opens no page


def screen(request: Request, found: Annotated[signin.Entered | None, Depends(entered)]) -> Screen:
    """The screen to answer on; also left on the request, for the pages of refusal."""
    request.state.screen = Screen(request, found.actor if found else None, found.unread if found else 0)
    programmes.say_names(database_of(request))
    return request.state.screen


def acting(shown: Annotated[Screen, Depends(screen)]) -> users.Actor:
    """The person signed in. Refuses: `signin.needed`; `password.change_first`, everywhere but on her account, while her password is one that was given to her."""
    if shown.actor is None:
        raise errors.Unauthenticated("signin.needed")
    if shown.actor.must_change and not shown.request.url.path.startswith("/account"):
        raise errors.Forbidden("password.change_first")
    return shown.actor


def reading(request: Request, actor: Annotated[users.Actor, Depends(acting)]) -> Iterator[Session]:
    with database_of(request).reading(actor) as session:
        yield session


def writing(request: Request, actor: Annotated[users.Actor, Depends(acting)]) -> Iterator[Session]:
    with database_of(request).unit_of_work(actor) as session:
        yield session


async def posted(request: Request) -> FormData:
    """The form of a post that came from our own page; refuses any other. Runs before every route that is not a mere look."""
    if request.method in security.SAFE_METHODS:
        return FormData()
    settings = request.app.state.settings
    session = security.read_cookie(request, settings, SESSION)
    secret = session or security.read_cookie(request, settings, VISITOR)
    if not session and security.came_from_us(request) and not request.url.path.startswith(security.VISITED):
        raise errors.Unauthenticated("signin.needed")  # the browser let go of an old session by itself
    if not secret or not security.came_from_us(request):
        raise errors.Forbidden("web.forged")
    form = await request.form(max_files=20, max_fields=3000)
    token = form.get("csrf")
    security.check_post(request, secret, token if isinstance(token, str) else "")
    return form


OnScreen = Annotated[Screen, Depends(screen)]
Acting = Annotated[users.Actor, Depends(acting)]
Reading = Annotated[Session, Depends(reading, scope="function")]
Writing = Annotated[Session, Depends(writing, scope="function")]
Posted = Annotated[FormData, Depends(posted)]


def field(form: Any, name: str, longest: int = 4000) -> str:
    """A text field of a posted form, trimmed and cut; "" when absent or a file."""
    value = form.get(name, "")
    return value.strip()[:longest] if isinstance(value, str) else ""
