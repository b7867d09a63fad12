"""Incidents: where the procedure broke, seen by the coordinator, tried again once the cause is mended. The case waits safely at that node."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.casework import cases
from engine.casework.instances import Change, lock
from engine.pathway import bpmn

_OPEN = text("""SELECT n.incident_id, n.instance_id, n.root_id, n.branch, n.node, n.code, n.details, n.opened_at, i.number, i.process FROM incident n
                  JOIN instance i USING (instance_id) WHERE n.resolved_at IS NULL ORDER BY n.opened_at LIMIT 200""")


def open_ones(session: Session, actor: Any) -> Sequence[Mapping[str, Any]]:
    """The incidents nobody has mended yet."""
    authority.require(actor, "incident.read")
    return [dict(row) for row in session.execute(_OPEN).mappings()]


def retry(session: Session, actor: Any, incident_id: UUID) -> None:
    """Tries the broken node again. Records: `incident.retried`; a new incident if it breaks again."""
    authority.require(actor, "incident.retry")
    row = session.execute(text("SELECT instance_id, position, node FROM incident WHERE incident_id = :id AND resolved_at IS NULL"), {"id": incident_id}).one_or_none()
    held = lock(session, row.instance_id) if row else None
    if held is None:
        raise errors.NotFound("incident.not_found")
    change = Change(session, actor, held, held.now)
    change.give("incident.retried", bpmn.Retry(incident_id=row.position, at=None, seq=0, facts={}), {"node": row.node})
    cases.finish(change)
    session.execute(text("UPDATE incident SET resolved_at = :at, resolved_by = :by WHERE incident_id = :id"), {"at": held.now, "by": actor.user_id, "id": incident_id})
