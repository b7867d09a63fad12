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
from engine.casework.instances import Change, Held, lock
from engine.i18n import catalogue
from engine.pathway import bpmn

MOST = 200  # incidents shown, or retried together
_OPEN = text(f"""SELECT n.incident_id, n.instance_id, n.root_id, n.branch, n.position, n.node, n.code, n.details, n.opened_at, n.owner_id, i.process, i.edition_id,
                        c.number, c.is_shared, c.is_shared_funder, c.is_shared_operator, c.assigned, c.social_worker_id, {staff.called("u")} AS owner,
                        count(*) OVER (PARTITION BY n.branch, i.process, n.node, n.code, n.details ->> 'error') - 1 AS alike
                   FROM incident n JOIN instance i USING (instance_id) JOIN instance c ON c.instance_id = n.root_id LEFT JOIN user_account u ON u.user_id = n.owner_id
                  WHERE n.resolved_at IS NULL AND (CAST(:case AS uuid) IS NULL OR n.root_id = :case) ORDER BY n.opened_at LIMIT {MOST}""")
_STOPPED = text("SELECT EXISTS (SELECT FROM incident WHERE root_id = :case AND resolved_at IS NULL)")
_ONE = text("SELECT incident_id, instance_id, position, node, branch, owner_id FROM incident WHERE incident_id = :id AND resolved_at IS NULL")
_ALIKE = text("""SELECT a.incident_id FROM incident n JOIN incident a USING (branch, node, code) JOIN instance i ON i.instance_id = n.instance_id JOIN instance j ON j.instance_id = a.instance_id
                  WHERE n.incident_id = :id AND n.resolved_at IS NULL AND a.resolved_at IS NULL AND j.process = i.process
                    AND a.details ->> 'error' IS NOT DISTINCT FROM n.details ->> 'error' ORDER BY a.instance_id, a.incident_id LIMIT :most""")
_AGAIN = text("UPDATE incident SET owner_id = :owner WHERE instance_id = :instance AND node = :node AND resolved_at IS NULL AND split_part(position, '.', 1)::bigint > :seq RETURNING incident_id")
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
    """Where a case broke. `details` fill the sentence of `code`; `looked`: what was read; `alike`: how many more of those shown broke there of the
    same cause; `may`: `retry`, `assign`, `repair`."""

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
    alike: int
    may: tuple[str, ...]


@dataclass(frozen=True)
class Retried:
    """How many incidents went on, and how many broke again at once."""

    went_on: int
    broke_again: int


def open_ones(session: Session, actor: Any, case_id: UUID | None = None) -> Sequence[Incident]:
    """The incidents nobody has mended yet, the oldest first: all, or those of a case. Refuses: Forbidden."""
    authority.require(actor, "incident.read")
    return [_incident(session, actor, row) for row in session.execute(_OPEN, {"case": case_id, "language": actor.language})]


def is_stopped(session: Session, case_id: UUID) -> bool:
    """Whether an incident keeps a case: what it is stays with whoever may read incidents, that it waits to be mended is told to whoever reads the case."""
    return bool(session.execute(_STOPPED, {"case": case_id}).scalar_one())


def retry(session: Session, actor: Any, incident_id: UUID, reason: str, *, is_alike: bool = False) -> Retried:
    """Tries the broken node again: of an operation, does it again. What breaks again stays with whoever had it in hand. `is_alike`: with it all that broke there of
    the same cause, in the same branch.

    Refuses: Forbidden, `incident.not_found`, `repair.reason_needed`. Records: `incident.retried`; a new incident if it breaks again.
    """
    authority.require(actor, "incident.retry")
    asked, reason = [incident_id], repairs.reason_of(reason)
    if is_alike:  # in one order, so that two who do this do not wait for each other; what somebody mended meanwhile is left out
        asked = [one for one in session.execute(_ALIKE, {"id": incident_id, "most": MOST}).scalars() if _taken(session, one)] or asked
    broke = [_again(session, actor, *_locked(session, one), reason) for one in asked]
    return Retried(broke.count(False), broke.count(True))


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


def _again(session: Session, actor: Any, row: Any, held: Held, reason: str) -> bool:
    """Whether it broke again."""
    change, before = Change(session, actor, held, held.now), held.seq
    change.give("incident.retried", bpmn.Retry(incident_id=row.position, at=held.now, seq=0), {"node": row.node}, reason=reason)
    endings.finish(change)
    session.execute(_MEND, {"at": held.now, "by": actor.user_id, "id": row.incident_id})
    return session.execute(_AGAIN, {"owner": row.owner_id, "instance": row.instance_id, "node": row.node, "seq": before}).first() is not None


def _locked(session: Session, incident_id: UUID) -> tuple[Any, Held]:
    found = _taken(session, incident_id)
    if found is None:
        raise errors.NotFound("incident.not_found")
    return found


def _taken(session: Session, incident_id: UUID) -> tuple[Any, Held] | None:
    """An incident and what it stands in, locked; None once it is mended."""
    row = session.execute(_ONE, {"id": incident_id}).one_or_none()
    held = lock(session, row.instance_id) if row else None
    row = session.execute(_ONE, {"id": incident_id}).one_or_none() if held else None
    return (row, held) if row and held else None


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
        name, row.code, details, tuple(looked(row.details, sees)), row.opened_at, row.owner_id, row.owner or "", row.alike, may,
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
