"""Digests: each working morning, for whoever asked for it, an e-mail that says how much waits for her and for her post. Numbers and a link, nothing of any case or person."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, database, errors, i18n, mail
from engine.actors import authority, users
from engine.casework import worklist
from engine.dossier import programmes

HOUR = 7  # in Tunis
_DUE = text("""SELECT d.user_id FROM digest d JOIN user_account u USING (user_id) WHERE u.is_active AND (d.told_on IS NULL OR d.told_on < :today)
                AND d.user_id::text <> ALL (CAST(:but AS text[])) ORDER BY d.user_id LIMIT :limit""")
_TAKE = text("""SELECT d.address, u.language FROM digest d JOIN user_account u USING (user_id)
                 WHERE d.user_id = :id AND u.is_active AND (d.told_on IS NULL OR d.told_on < :today) FOR UPDATE OF d""")
_COUNTS = text("""SELECT (SELECT count(*) FROM open_task WHERE holder_id = :id) AS mine, (SELECT count(*) FROM open_task WHERE holder_id = :id AND due_at < masar_now()) AS late,
                         masar_unread(:id) AS unread""")
_TOLD = text("UPDATE digest SET told_on = :today WHERE user_id = :id")
_MINE = text("SELECT address FROM digest WHERE user_id = :me")
_ASK = text("""INSERT INTO digest (user_id, address, told_on) VALUES (:me, :address, :today) ON CONFLICT (user_id) DO UPDATE SET address = excluded.address""")
_STOP = text("DELETE FROM digest WHERE user_id = :me")
_KEPT = text("SELECT address, subject, body, kept_at FROM mail_kept ORDER BY kept_at DESC, mail_id LIMIT 100")


@dataclass(frozen=True)
class Kept:
    """A message that a demo would have sent."""

    address: str
    subject: str
    body: str
    at: dt.datetime


def due(session: Session, limit: int = 500, but: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """Whom the digest of this morning has not reached; nobody before seven, on a closed day, or where no message can leave."""
    now = programmes.present(session)
    local = now.at.astimezone(clock.TUNIS)
    if local.hour < HOUR or not now.calendar.is_open(local.date()) or not mail.can_send(session):
        return []
    return [(str(one),) for one in session.execute(_DUE, {"today": local.date(), "limit": limit, "but": list(but)}).scalars()]


def tell(session: Session, user_id: UUID) -> bool:
    """Sends one person hers, once a day, where anything waits for her."""
    today = clock.today(clock.now(session))
    row = session.execute(_TAKE, {"id": user_id, "today": today}).one_or_none()
    if row is None:
        return False
    session.execute(_TOLD, {"id": user_id, "today": today})
    counts = _counted(session, user_id)
    if not any(counts.values()):
        return False
    mail.send(session, row.address, *_written(counts, row.language, session.info.get("post", mail.Post()).address))
    return True


def address(session: Session, actor: Any) -> str:
    """Where the actor's goes, "" where she wants none."""
    return session.execute(_MINE, {"me": actor.user_id}).scalar() or ""


def ask(session: Session, actor: Any, to: str) -> None:
    """From the next working morning on, to this address; "" stops it. Refuses: `digest.address` (Invalid)."""
    to = to.strip()
    if not to:
        session.execute(_STOP, {"me": actor.user_id})
        return
    name, at, host = to.rpartition("@")
    if not (name and at and "." in host.strip(".")) or len(to) > 200 or not to.isprintable() or any(one in to for one in " ,;<>\"'"):
        raise errors.Invalid("digest.address")
    session.execute(_ASK, {"me": actor.user_id, "address": to, "today": clock.today(clock.now(session))})


def kept(session: Session, actor: Any) -> tuple[Kept, ...]:
    """What a demo would have sent, the newest first. Refuses: Forbidden."""
    authority.require(actor, "mail.read")
    return tuple(Kept(row.address, row.subject, row.body, row.kept_at) for row in session.execute(_KEPT))


def _counted(session: Session, user_id: UUID) -> dict[str, int]:
    """What waits, as she herself would see it."""
    actor = users.find(session, user_id)
    database.act_as(session, actor)
    row = session.execute(_COUNTS, {"id": user_id}).one()
    counts = {"mine": row.mine, "late": row.late, "instead": worklist.of_the_absent(session, actor), "of_post": worklist.late_and_free(session, actor), "unread": row.unread}
    database.act_as(session, users.system())
    return counts


def _written(counts: dict[str, int], language: str, where: str) -> tuple[str, str]:
    """Subject and text."""
    told = [i18n.translate(f"digest.{name}", language, number=number) for name, number in counts.items() if number]
    lines = [i18n.translate("digest.hello", language), *(f"– {one}" for one in told), i18n.translate("digest.link", language, address=f"{where}/desk"), i18n.translate("digest.why", language)]
    return i18n.translate("digest.subject", language), "\n\n".join([lines[0], "\n".join(lines[1:-2]), *lines[-2:]])
