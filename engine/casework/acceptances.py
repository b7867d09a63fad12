"""Acceptances: why warnings of an edition are accepted, by whom and since when; kept with the edition, so that nobody is asked again for what stayed as it was.

A warning is the same while its code, its place and what it says are. Not here: what is warned of (`judging`), and when a reason is asked (`publication`).
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import i18n
from engine.casework import staff
from engine.errors import Finding

# What the pathway that comes with Masar is warned of, for reasons that came with it (`acceptance.<code>`).
SHIPPED = {
    ("duties.exception", "dossier_aide.bpmn#T617"),
    ("check.waits_for_ever", "accompagnement.bpmn#accompagnement_attente_suivi"),
    ("check.waits_for_ever", "dossier_aide.bpmn#dossier_aide_decide"),
    ("check.waits_for_ever", "emploi.bpmn#emploi_attente_aide"),
    ("check.waits_for_ever", "projet.bpmn#projet_attente_decision"),
    ("check.waits_for_ever", "projet.bpmn#projet_aide_terminee"),
    ("check.waits_for_ever", "social.bpmn#social_aide_terminee"),
}
_OF = text("SELECT digest, reason, accepted_by, accepted_at FROM warning_accepted WHERE edition_id = ANY (:editions) ORDER BY accepted_at DESC")
_BORN = text("SELECT min(published_at) FROM edition")
_KEEP = text("""INSERT INTO warning_accepted (edition_id, digest, reason, accepted_by, accepted_at)
                SELECT :edition, digest, reason, accepted_by, accepted_at FROM jsonb_to_recordset(CAST(:rows AS jsonb))
                       AS r(digest text, reason text, accepted_by uuid, accepted_at timestamptz) ON CONFLICT DO NOTHING""")


@dataclass(frozen=True)
class Accepted:
    """A reason, whose it is ("" for what came with Masar) and since when."""

    reason: str
    by: str
    at: dt.datetime | None
    user_id: UUID | None = None


def digest_of(found: Finding) -> str:
    """What makes a warning the same."""
    said = json.dumps([found.code, found.where, dict(found.details)], ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()


def of(session: Session, language: str, editions: Sequence[UUID], standing: Sequence[Finding]) -> Mapping[str, Accepted]:
    """By digest, what was accepted in these editions, or came with Masar. `standing`: what the edition in force is found wanting of."""
    born = session.execute(_BORN).scalar()
    found = {digest_of(one): Accepted(i18n.translate(f"acceptance.{one.code}", language), "", born) for one in standing if (one.code, one.where) in SHIPPED}
    rows = session.execute(_OF, {"editions": list(editions)}).all()
    names = staff.names(session, language, [row.accepted_by for row in rows])
    for row in reversed(rows):
        found[row.digest] = Accepted(row.reason, names.get(str(row.accepted_by), ""), row.accepted_at, row.accepted_by)
    return found


def keep(session: Session, edition_id: UUID, warnings: Sequence[Finding], before: Mapping[str, Accepted], reason: str, by: UUID, at: dt.datetime) -> None:
    """Keeps with an edition why each of its warnings is accepted: as before where somebody said, else for this reason."""
    rows = []
    for one in dict.fromkeys(digest_of(found) for found in warnings):
        known = before.get(one)
        if known is None or known.user_id is not None:
            told = known or Accepted(reason, "", at, by)
            rows.append({"digest": one, "reason": told.reason, "accepted_by": str(told.user_id), "accepted_at": told.at and told.at.isoformat()})
    if rows:
        session.execute(_KEEP, {"edition": edition_id, "rows": json.dumps(rows, ensure_ascii=False)})
