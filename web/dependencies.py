"""What a page asks for: who acts, a session to read or to write in, the form that was posted, and the screen to answer on.

`Reading` and `Writing` end before the answer leaves (`scope="function"`): a commit that fails is never followed by a 200.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, RedirectResponse, Response

from engine import clock, errors, i18n
from engine.actors import signin
from engine.database import Database
from engine.settings import Settings
from web import rendering, security
from web.navigation import links_for

SESSION, VISITOR, LANGUAGE, SAID = "masar", "masar-visitor", "masar-language", "masar-said"


class Screen:
    """The answer being made to one request: the reader, her language, and the ways to answer her."""

    def __init__(self, request: Request, actor: signin.Actor | None, token: str) -> None:
        self.request, self.actor = request, actor
        self.settings: Settings = request.app.state.settings
        self.secret = token or security.read_cookie(request, self.settings, VISITOR)
        self._new_visitor = "" if self.secret else security.seal_secret()
        self.secret = self.secret or self._new_visitor
        self.language = self._language()

    @property
    def is_patch(self) -> bool:
        """Whether htmx asks for a fragment of the page rather than the page."""
        return self.request.headers.get("hx-request") == "true"

    def _language(self) -> str:
        asked = self.request.query_params.get("language", "")
        if asked in i18n.LANGUAGES:
            return asked
        if self.actor:
            return self.actor.language
        kept = security.read_cookie(self.request, self.settings, LANGUAGE)
        if kept in i18n.LANGUAGES:
            return kept
        for wanted in self.request.headers.get("accept-language", "").lower().split(","):
            if wanted.strip()[:2] in i18n.LANGUAGES:
                return wanted.strip()[:2]
        return "fr"

    def show(self, template: str, status: int = 200, headers: dict[str, str] | None = None, **context: Any) -> HTMLResponse:
        """A page or a fragment, in the reader's language."""
        said = security.unseal(self.secret, security.read_cookie(self.request, self.settings, SAID))
        given = {
            "actor": self.actor, "csrf": security.form_token(self.secret), "path": self.request.url.path, "said": said,
            "links": links_for(self.actor), "is_demo": self.settings.is_demo, "address": str(self.request.url.path),
        }  # fmt: skip
        answer = HTMLResponse(rendering.render(template, self.language, {**given, **context}), status, headers)
        if said is not None:
            security.forget_cookie(answer, self.settings, SAID)
        return self._dress(answer)

    def go(self, address: str, said: str = "", **details: object) -> Response:
        """On to another page (303, or its equivalent for htmx), with a sentence to be said there."""
        answer: Response = Response(status_code=200, headers={"HX-Redirect": address}) if self.is_patch else RedirectResponse(address, 303)
        if said:
            security.set_cookie(answer, self.settings, SAID, security.seal(self.secret, {"code": said, **details}), 60)
        return self._dress(answer)

    def _dress(self, answer: Response) -> Any:
        if self._new_visitor:
            security.set_cookie(answer, self.settings, VISITOR, self._new_visitor)
        if not self.actor and self.request.query_params.get("language") == self.language:
            security.set_cookie(answer, self.settings, LANGUAGE, self.language, 31_536_000)
        return answer


def database_of(request: Request) -> Database:
    """The database this server works on."""
    return request.app.state.database
