"""Messages between instances: kept in a table, each consumed once, in a unit of work of its own.

A message goes to the instance that waits for it under its correlation; where none does and a process starts with it, it starts one;
otherwise it is parked until somebody begins to wait. No unit of work ever holds the locks of two cases.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors, identity
from engine.actors import authority, users
from engine.casework import cases, editions, endings, holds, orders, set_aside
from engine.casework.instances import OWN_SUBJECT, Change, find, lock
from engine.ledger import chain
from engine.pathway import bpmn

_DELIVERABLE = text("""
    SELECT m.message_id FROM message m
     WHERE m.consumed_at IS NULL AND (NOT m.is_parked OR m.name = ANY (CAST(:starts AS text[]))) AND m.message_id::text <> ALL (CAST(:but AS text[]))
     ORDER BY m.created_at, m.message_id LIMIT :limit""")
_TAKE = text("""
    SELECT m.message_id, m.name, m.correlation, m.payload, m.sender_id,
           (SELECT w.instance_id FROM wait w WHERE w.kind = 'message' AND w.name = m.name AND w.correlation = m.correlation ORDER BY w.opened_at LIMIT 1) AS receiver
      FROM message m WHERE m.message_id = :id AND m.consumed_at IS NULL FOR UPDATE OF m SKIP LOCKED""")
_CASE = text("SELECT root_id FROM instance WHERE number = :key OR instance_id::text = :key LIMIT 1")
_PARK = text("SELECT masar_park(:id, :name, :correlation)")
_BRANCH = text("SELECT 1 FROM branch WHERE code = :branch")
_CONSUME = text("UPDATE message SET consumed_at = masar_now(), consumed_by = :by WHERE message_id = :id")
_INSERT = text("INSERT INTO message (message_id, name, correlation, payload, sender_id, created_at) VALUES (:id, :name, :correlation, CAST(:payload AS jsonb), NULL, masar_now())")


_REACHED = text("SELECT masar_addressee(:key), masar_addressee_anywhere(:key)")


def send(session: Session, actor: Any, name: str, correlation: str, payload: Mapping[str, Any]) -> None:
    """A message from outside (an account that may send it), to a case of its sender's reach; one that begins a case may name none yet.

    Refuses: Forbidden; `message.unknown` when no diagram knows the name; `message.payload` what a ledger line cannot hold; `branch.unknown`
    where it is to start a process at a branch that there is not; `message.no_addressee` (NotFound): nothing has this key, or nothing of hers.
    """
    authority.require(actor, "message.send", name=name)
    definitions = editions.current(session).definitions
    if name not in definitions.message_names:
        raise errors.wrong("message.unknown", "/name", name=name)
    try:
        chain.canonical(dict(payload))
    except ValueError as trouble:  # a number beyond exact doubles
        raise errors.wrong("message.payload", "/payload") from trouble
    begins = definitions.starting_messages.get(name)
    if begins in definitions.unforeseen:  # it runs beside a case, which the key names
        begins = None
    if begins is not None:
        branch = payload.get("branche", correlation)
        if not isinstance(branch, str) or session.execute(_BRANCH, {"branch": branch}).scalar() is None:
            raise errors.wrong("branch.unknown", "/payload/branche" if "branche" in payload else "/correlation", branch=str(branch)[:40])
    is_reached, is_there = session.execute(_REACHED, {"key": correlation}).one()
    is_new = begins is not None and not is_there and authority.may(actor, "case.open", branch=_branch(payload, correlation), process=begins)
    if actor.kind != "system" and not is_reached and not is_new:
        raise errors.NotFound("message.no_addressee")
    session.execute(_INSERT, {"id": identity.new_id(), "name": name, "correlation": correlation, "payload": json.dumps(dict(payload))})


def _branch(payload: Mapping[str, Any], correlation: str) -> str:
    """The branch of a case that a message from outside begins."""
    return str(payload.get("branche") or correlation)


def deliverable(session: Session, limit: int = 500, but: Sequence[str] = ()) -> list[UUID]:
    """The messages to carry, the oldest first: all but those that are parked and start nothing. `but`: the ids that somebody carries already."""
    edition = editions.current_or_none(session)
    starts = [name for name, process in edition.definitions.starting_messages.items() if process not in edition.definitions.unforeseen] if edition else []
    return list(session.execute(_DELIVERABLE, {"starts": starts, "limit": limit, "but": list(but)}).scalars())


def deliver(session: Session, message_id: UUID) -> bool:
    """Delivers one message, unless it was taken already or nobody waits for it (then it is parked). Asked twice at once, it is delivered once."""
    actor = users.system()
    row = session.execute(_TAKE, {"id": message_id}).one_or_none()
    if row is None:
        return False
    if row.name in orders.HEARD:
        orders.obey(session, actor, row.name, UUID(row.correlation), row.payload)
        session.execute(_CONSUME, {"id": row.message_id, "by": UUID(row.correlation)})
        return True
    message = bpmn.Message(name=row.name, correlation=row.correlation, payload=dict(row.payload), at=None, seq=0, facts={})
    change = _to_waiting(session, actor, row, message) if row.receiver else None
    edition = editions.current_or_none(session)
    starts = edition.definitions.starting_messages if edition else {}
    if change is None and row.name in starts:
        change = _to_start(session, actor, row, message, edition, starts[row.name])
    if change is None:
        if row.receiver is None:
            session.execute(_PARK, {"id": row.message_id, "name": row.name, "correlation": row.correlation})
        return False
    endings.finish(change)
    session.execute(_CONSUME, {"id": row.message_id, "by": change.held.instance_id})
    return True


def _to_waiting(session: Session, actor: Any, row: Any, message: bpmn.Message) -> Change | None:
    held = lock(session, row.receiver)
    still = session.execute(text("SELECT 1 FROM wait WHERE instance_id = :id AND kind = 'message' AND name = :name AND correlation = :correlation LIMIT 1"),
                            {"id": row.receiver, "name": row.name, "correlation": row.correlation}).scalar()  # fmt: skip
    if held is None or not still:
        return None
    added = ""
    if row.sender_id:  # what comes from outside puts no file on an agenda
        added = widen(held.scope, held.process, row.payload)
    change = Change(session, actor, held, held.now)
    if added:
        set_aside.put_down(change, added)
    change.give("message.received", message, {"message": row.name, "correlation": row.correlation, "from": str(row.sender_id or "")})
    return change


def _to_start(session: Session, actor: Any, row: Any, message: bpmn.Message, edition: editions.Edition, process: str) -> Change | None:
    parent = find(session, row.sender_id) if row.sender_id else None
    if process in edition.definitions.unforeseen:  # beside the case that sent it, or that its key names; without one nothing begins
        found = parent.root_id if parent else session.execute(_CASE, {"key": row.correlation}).scalar()
        parent = find(session, found) if found else None
        if parent is None:
            return None
    own = cases.own_subject(edition.definitions, process)
    scope: dict[str, Any] = {}
    if process in edition.definitions.unforeseen and isinstance(row.payload.get("mesure"), str):  # what runs beside a case may be about one of its measures
        scope["mesure"] = row.payload["mesure"]
    if own == "aide":
        scope = {"mesure": row.correlation, "aide": row.correlation}
    elif own == "seance":
        widen(scope, process, row.payload)
    branch = _branch(row.payload, parent.branch if parent else row.correlation)
    change = cases.begin(session, actor, edition, process, branch, dict(row.payload), parent=parent, scope=scope, message=message)
    if own == "seance" and scope.get("aide"):
        set_aside.put_down(change, scope["aide"][0])
    holds.hold_as_its_case(change)
    return change


def widen(scope: dict[str, Any], process: str, payload: Mapping[str, Any]) -> str:
    """A sitting reads the aids on its agenda: each message that adds one widens what it is about. Returns the aid that it added, "" where it added none."""
    if OWN_SUBJECT.get(process) == "seance" and payload.get("aide"):
        aid = payload["aide"]["id"] if isinstance(payload["aide"], dict) else payload["aide"]
        scope.setdefault("aide", [])
        if aid not in scope["aide"]:
            scope["aide"].append(aid)
            return str(aid)
    return ""
