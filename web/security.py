"""What stands between the browser and the pages: headers, size of what is sent, cookies, and proof that a post came from our own page.

It does not say who may do what (`engine.actors.authority`) nor who is signed in (`engine.actors.signin`).
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine import errors
from engine.settings import Settings

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "x-frame-options": "DENY",
}
LARGEST_BODY = 1_000_000
LARGEST_UPLOAD = 21_000_000  # a document of 20 MB, and the form around it
LARGEST_OF_ANYBODY = 40_000  # what somebody without an account may send at once
ANYBODYS = frozenset({"/request", "/signin", "/receipt/open", "/receipt/withdraw", "/receipt/complain", "/receipt/leave"})
VISITED = (*sorted(ANYBODYS), "/receipt")  # whose forms need nobody signed in
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_READ_THROUGH = 10 * LARGEST_UPLOAD  # a browser reads our answer only once it has sent all
_DAY = 86_400


class Hardening:
    """Puts the security headers on every answer and stops bodies that are too large, whoever wrote the route."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"].startswith("/api/"):  # the API says by itself, as a problem detail, what is too large
            return await self.app(scope, receive, self._dressed(scope, send))
        headers = Headers(scope=scope)
        largest = LARGEST_UPLOAD if headers.get("content-type", "").startswith("multipart/") else LARGEST_BODY
        if scope["path"] in ANYBODYS:
            largest = LARGEST_OF_ANYBODY
        announced = headers.get("content-length", "0")
        if not announced.isdigit() or int(announced) > largest:
            return await self.app(scope, _too_large(receive, is_read_through=largest == LARGEST_UPLOAD and announced.isdigit() and int(announced) <= _READ_THROUGH), self._dressed(scope, send))
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > largest:
                raise errors.Invalid("web.too_large", megabytes=max(1, largest // 1_000_000))
            return message

        await self.app(scope, counted, self._dressed(scope, send))

    def _dressed(self, scope: Scope, send: Send) -> Send:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
                if self.settings.is_tls:
                    headers.setdefault("strict-transport-security", f"max-age={365 * _DAY}")
            await send(message)

        return dressed


def _too_large(receive: Receive, is_read_through: bool) -> Receive:
    """A body that is refused: whoever asks for it is told so, once what comes was thrown away."""

    async def read() -> Message:
        while is_read_through and (await receive()).get("more_body"):
            pass
        raise HTTPException(413)

    return read


def cookie_name(settings: Settings, name: str) -> str:
    """`__Host-` binds a cookie to this host over TLS; a browser refuses that name on plain http, which only 127.0.0.1 may use."""
    return f"__Host-{name}" if settings.is_tls else name


def set_cookie(response: Response, settings: Settings, name: str, value: str, seconds: int | None = None) -> None:
    """A cookie no script can read and no other site can send along."""
    response.set_cookie(cookie_name(settings, name), value, max_age=seconds, path="/", secure=settings.is_tls, httponly=True, samesite="lax")


def read_cookie(request: Request, settings: Settings, name: str) -> str:
    """The cookie's value, or nothing."""
    return request.cookies.get(cookie_name(settings, name), "")


def forget_cookie(response: Response, settings: Settings, name: str) -> None:
    """Takes the cookie back."""
    response.delete_cookie(cookie_name(settings, name), path="/", secure=settings.is_tls, httponly=True, samesite="lax")


def form_token(secret: str) -> str:
    """What a form of this visitor must carry: derived from the cookie that nobody else holds, so nothing is stored."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def came_from_us(request: Request) -> bool:
    """Whether the browser itself says that the request began on this site (Sec-Fetch-Site, else Origin)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc == request.headers.get("host", "") and origin != "null"


def check_post(request: Request, secret: str, token: str) -> None:
    """Refuses a writing request that another site may have made.

    Refuses: `web.forged` when the browser names another origin or the form's token is not this visitor's.
    """
    if not came_from_us(request) or not secret or not hmac.compare_digest(form_token(secret), token):
        raise errors.Forbidden("web.forged")


def seal(secret: str, content: dict[str, object]) -> str:
    """A note to ourselves carried by the browser for one redirection; it cannot be altered."""
    body = urlsafe_b64encode(json.dumps(content, ensure_ascii=False, default=str).encode()).decode()
    return f"{body}.{hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()}"


def unseal(secret: str, sealed: str) -> dict[str, object] | None:
    """The note, or None when it is not ours."""
    body, _, mark = sealed.partition(".")
    if not secret or not hmac.compare_digest(hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest(), mark):
        return None
    return json.loads(urlsafe_b64decode(body))


def local_address(target: str) -> str:
    """`target` when it is a path of this site, else the desk: a link must not send people elsewhere after signing in."""
    parts = urlsplit(target)
    is_ours = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if is_ours and "\\" not in target and target.isprintable() else "/desk"
