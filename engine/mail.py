"""E-mail: how a message leaves this installation. A demo sends none: what it would have sent is kept where an administrator sees it."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, identity

_IS_DEMO = text("SELECT coalesce((SELECT is_demo FROM installation), false)")
_KEEP = text("INSERT INTO mail_kept (mail_id, address, subject, body, kept_at) VALUES (:id, :address, :subject, :body, :at)")
_WAIT = 20.0  # seconds


@dataclass(frozen=True)
class Post:
    """Where messages go out. `smtp`: `smtp://user:password@host:587` (encrypted as soon as the server offers it) or `smtps://…`, "" where there is none;
    `sender`: who they are from; `address`: where people find Masar, as links in messages say it."""

    smtp: str = ""
    sender: str = ""
    address: str = ""


def can_send(session: Session) -> bool:
    """Whether a message would go anywhere: to the server that was named, or to what a demo keeps."""
    return bool(session.info.get("post", Post()).smtp) or session.execute(_IS_DEMO).scalar_one()


def send(session: Session, address: str, subject: str, body: str) -> None:
    """Sends one message, or keeps it in a demo. Raises OSError, smtplib.SMTPException where the server would not have it: a job tries again."""
    if session.execute(_IS_DEMO).scalar_one():
        session.execute(_KEEP, {"id": identity.new_id(), "address": address, "subject": subject, "body": body, "at": clock.now(session)})
        return
    post = session.info["post"]
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = post.sender, address, subject
    message["Date"], message["Message-ID"], message["Auto-Submitted"] = formatdate(), make_msgid(domain=post.sender.rpartition("@")[2] or None), "auto-generated"
    message.set_content(body, cte="quoted-printable")
    where = urlsplit(post.smtp)
    with _server(where.scheme, where.hostname or "", where.port) as server:
        if where.username:
            server.login(unquote(where.username), unquote(where.password or ""))
        server.send_message(message)


def _server(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=_WAIT, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port or 25, timeout=_WAIT)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
    return server
