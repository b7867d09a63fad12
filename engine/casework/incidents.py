"""Incidents: where the procedure broke, why, who takes it in hand; tried again once the cause is mended. The case waits safely at that node."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.casework import cases, editions, endings, repairs, staff
from engine.casework.instances import Change, lock
from engine.i18n import catalogue
from engine.pathway import bpmn

_OPEN = text(f"""SELECT n.incident_id, n.instance_id, n.root_id, n.branch, n.position, n.node, n.code, n.details, n.opened_at, n.owner_id, i.process, i.edition_id,
                        c.number, c.is_shared, c.is_shared_funder, c.is_shared_operator, c.assigned, c.social_worker_id, {staff.called("u")} AS owner
                   FROM incident n JOIN instance i USING (instance_id) JOIN instance c ON c.instance_id = n.root_id LEFT JOIN user_account u ON u.user_id = n.owner_id
                  WHERE n.resolved_at IS NULL AND (CAST(:case AS uuid) IS NULL OR n.root_id = :case) ORDER BY n.opened_at LIMIT 200""")
_ONE = text("SELECT instance_id, position, node, branch FROM incident WHERE incident_id = :id AND resolved_at IS NULL")
_MEND = text("UPDATE incident SET resolved_at = :at, resolved_by = :by WHERE incident_id = :id")
_OWN = text("UPDATE incident SET owner_id = :owner WHERE incident_id = :id")
_OWNERS = text("""SELECT user_id, name, name_ar FROM user_account
                   WHERE is_active AND agency = 'OTE' AND ('coordinateur' = ANY (roles) OR ('chef_antenne' = ANY (roles) AND branch = :branch)) ORDER BY name""")


@dataclass(frozen=True)
class Looked:
    """A condition or a table that was asked when it broke: its text, how it came out, the values it read (None: not the reader's to see)."""

    text: str
    values: Mapping[str, Any]
    value: Any = None
    is_hidden: bool = False


@dataclass(frozen=True)
class Incident:
    """Where a case broke. `details` fill the sentence of `code`; `looked`: what was read; `may`: `retry`, `assign`, `repair`."""

    incident_id: UUID
    case_id: UUID
    instance_id: UUID
    case_number: str
    branch: str
    process: str
    position: str
    node: str
    name: str
    code: str
    details: Mapping[str, Any]
    looked: tuple[Looked, ...]
    opened_at: dt.datetime
    owner_id: UUID | None
    owner: str
    may: tuple[str, ...]


def open_ones(session: Session, actor: Any, case_id: UUID | None = None) -> Sequence[Incident]:
    """The incidents nobody has mended yet, the oldest first: all, or those of a case. Refuses: Forbidden."""
    authority.require(actor, "incident.read")
    return [_incident(session, actor, row) for row in session.execute(_OPEN, {"case": case_id, "language": actor.language})]


def retry(session: Session, actor: Any, incident_id: UUID, reason: str) -> None:
    """Tries the broken node again: of an operation, does it again. Refuses: Forbidden, `incident.not_found`, `repair.reason_needed`.
    Records: `incident.retried`; a new incident if it breaks again."""
    authority.require(actor, "incident.retry")
    row, held, reason = *_locked(session, incident_id), repairs.reason_of(reason)
    change = Change(session, actor, held, held.now)
    change.give("incident.retried", bpmn.Retry(incident_id=row.position, at=held.now, seq=0), {"node": row.node}, reason=reason)
    endings.finish(change)
    session.execute(_MEND, {"at": held.now, "by": actor.user_id, "id": incident_id})


def owners(session: Session, actor: Any, branch: str) -> Sequence[Any]:
    """Who may take an incident of a branch in hand: coordinators, and the head of the branch. Nobody, for whoever may not assign it."""
    return session.execute(_OWNERS, {"branch": branch}).all() if authority.may(actor, "incident.assign") else ()


def assign(session: Session, actor: Any, incident_id: UUID, owner_id: UUID | None) -> None:
    """Says who takes an incident in hand; None: nobody any more. Refuses: Forbidden, `incident.not_found`, `incident.no_owner`. Records: `incident.assigned`."""
    authority.require(actor, "incident.assign")
    row, held = _locked(session, incident_id)
    if owner_id is not None and owner_id not in {one.user_id for one in owners(session, actor, row.branch)}:
        raise errors.Invalid("incident.no_owner")
    change = Change(session, actor, held, held.now)
    change.note("incident.assigned", {"node": row.node, "owner": str(owner_id or "")})
    session.execute(_OWN, {"owner": owner_id, "id": incident_id})
    change.write()


def _locked(session: Session, incident_id: UUID) -> tuple[Any, Any]:
    row = session.execute(_ONE, {"id": incident_id}).one_or_none()
    held = lock(session, row.instance_id) if row else None
    if held is None or session.execute(_ONE, {"id": incident_id}).one_or_none() is None:
        raise errors.NotFound("incident.not_found")
    return row, held


def _incident(session: Session, actor: Any, row: Any) -> Incident:
    edition = editions.load(session, row.edition_id)

    def sees(name: str) -> bool:
        found = edition.dictionary.fields.get(name)
        return found is not None and authority.readable(actor, authority.classes_of(found), case=row)

    allowed = {"retry": "incident.retry", "assign": "incident.assign", "repair": "repair.read"}
    may = tuple(name for name, act in allowed.items() if authority.may(actor, act, branch=row.branch))
    name = edition.definitions.label(row.node, actor.language)
    details = {what: "…" if what == "value" else value for what, value in row.details.items() if what not in ("conditions", "values")}
    if row.code == "operation.failed":  # by the words of the diagram, and of what went wrong
        details |= {"operation": name, "error": catalogue(actor.language).get(error := details.get("error", ""), error)}
    return Incident(
        row.incident_id, row.root_id, row.instance_id, row.number or "", row.branch, row.process, row.position, row.node,
        name, row.code, details, tuple(looked(row.details, sees)), row.opened_at, row.owner_id, row.owner or "", may,
    )  # fmt: skip


def looked(details: Mapping[str, Any], sees: Callable[[str], bool]) -> list[Looked]:
    """What was read, without the values that are not the reader's: a condition on one does not say how it came out either."""
    found = []
    for asked in details.get("conditions") or ():
        values = cases.seen_values(asked.get("values") or {}, sees)
        is_hidden = any("." in name and not sees(name) for name in values)
        found.append(Looked(str(asked.get("text", "")), values, None if is_hidden else asked.get("value"), is_hidden))
    if values := details.get("values"):
        found.append(Looked(str(details.get("decision", "")), cases.seen_values(values, sees)))
    return found
