"""The answer being made to one request: the reader, her language, and the ways to answer her: a page, a fragment, another address."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from engine import errors, i18n
from engine.casework import judging
from engine.settings import Settings
from forms import text as words
from web import rendering, security
from web.navigation import links_for

SESSION, VISITOR, LANGUAGE, SAID, HOLDER = "masar", "masar-visitor", "masar-language", "masar-said", "masar-receipt"
_YEAR = 31_536_000


class Screen:
    """What a page answers with; every page of Masar goes through `show` or `go`."""

    def __init__(self, request: Request, actor: Any, unread: int = 0) -> None:
        self.request, self.actor, self.unread = request, actor, unread
        self.settings: Settings = request.app.state.settings
        self.secret = (security.read_cookie(request, self.settings, SESSION) if actor else "") or security.read_cookie(request, self.settings, VISITOR)
        self._new_visitor = "" if self.secret else secrets.token_urlsafe(24)
        self.secret = self.secret or self._new_visitor
        self.language = self._language()
        if actor is not None and actor.language != self.language:  # one page, one language: the engine's words too
            self.actor = replace(actor, language=self.language)

    @property
    def is_patch(self) -> bool:
        """Whether a script of ours asks, and puts the answer into the page that is there."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def words(self) -> rendering.Words:
        return rendering.words(self.language)

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
            "links": links_for(self.actor), "unread": self.unread, "is_demo": self.settings.is_demo, "address": self._address(),
        }  # fmt: skip
        answer = HTMLResponse(rendering.render(template, self.language, {**given, **context}), status, headers)
        if said is not None:
            security.forget_cookie(answer, self.settings, SAID)
        return self._dress(answer)

    def go(self, address: str, said: str = "", links: Sequence[tuple[str, str]] = (), is_good: bool = True, **details: object) -> Response:
        """On to another page (303, or its equivalent for htmx), with a sentence to be said there (`is_good`: as good news) and links beside it (address,
        `web.said.link.<words>`)."""
        answer: Response = Response(status_code=200, headers={"HX-Redirect": address}) if self.is_patch else RedirectResponse(address, 303)
        if said:
            note = {"code": said, "links": list(links), "is_good": is_good, "details": details}
            security.set_cookie(answer, self.settings, SAID, security.seal(self.secret, note), 60)
        return self._dress(answer)

    def refusal(self, code: str, details: Any) -> str:
        """The sentence of a refusal, its instants written as the reader writes them."""
        return judging.worded(code, {name: self.words.moment(value) if hasattr(value, "astimezone") else value for name, value in dict(details).items()}, self.language)

    def findings(self, found: Iterable[errors.Finding]) -> list[dict[str, str]]:
        """Findings as a page shows them: how grave, in which file and element, the sentence."""
        shown = []
        for one in found:
            file, _, element = one.where.partition("#")
            shown.append({"severity": one.severity, "file": file, "element": element, "sentence": self.sentence(one)})
        return shown

    def sentence(self, found: Any) -> str:
        """What a finding says, in the reader's language: by its code wherever that is worded, since a form's finding comes worded in the form's own."""
        return self.refusal(found.code, found.details) if not found.message or found.code in words.messages() else found.message

    def _address(self) -> str:
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def _dress(self, answer: Any) -> Any:
        if self._new_visitor:
            security.set_cookie(answer, self.settings, VISITOR, self._new_visitor)
        if not self.actor and self.request.query_params.get("language") == self.language:
            security.set_cookie(answer, self.settings, LANGUAGE, self.language, _YEAR)
        return answer
