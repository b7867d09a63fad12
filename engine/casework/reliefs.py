"""A task that nobody can do (X13): whether anybody could be found for it, and the diagram that begins where nobody is.

Where colleagues of its agency in another branch hold its role, the task is lent there: they read the case, as far as their role does, while it waits for them, and
the case stays where it is. Else the head of the agency in the branch is asked, then the coordinator, who fills the post. Asked when a task falls due and nobody
has it in hand: of an office that is staffed nothing is asked at each step. Not here: who stands in for somebody away.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine import identity
from engine.actors import authority
from engine.actors.agencies import PARTNERS
from engine.actors.roles import ROLES
from engine.casework import operations, orders
from engine.casework.instances import SERIES, Change, Held
from engine.casework.operations import Outcome

MESSAGE = "tache.orpheline"
_HOLDS = text("SELECT 1 FROM user_account WHERE is_active AND agency = :agency AND branch = :branch AND :role = ANY (roles) LIMIT 1")
_FREE = text("SELECT task_id, position, node FROM open_task WHERE instance_id = :id AND position = :position AND holder_id IS NULL")
_LENT = text("UPDATE instance SET lent_to = :to WHERE instance_id = :id")
_WAITS_THERE = text("UPDATE open_task SET branch = :to, version = version + 1 WHERE task_id = :task")
_ELSEWHERE = text("""SELECT branch FROM user_account WHERE is_active AND agency = :agency AND branch <> :branch AND :role = ANY (roles)
                      GROUP BY branch ORDER BY count(*) DESC, branch LIMIT 1""")


def call(session: Session, change: Change, row: Any) -> None:
    """Begins the diagram beside the case where nobody of the task's agency holds its role in its branch. `row`: the task, free and due."""
    held: Held = change.held
    is_anothers = row.agency == PARTNERS or authority.is_withheld({"agency": row.agency, "case": held})  # the case owner's for want of them
    if row.holder_id is not None or is_anothers or held.process in SERIES or held.process in held.edition.definitions.beside:
        return
    if session.execute(_HOLDS, {"agency": row.agency, "branch": row.branch, "role": row.role}).scalar() is None:
        payload = {"role": row.role, "agence": row.agency, "tache": row.names.get("fr", row.node), "partie": str(held.instance_id), "position": row.position}
        change.send(MESSAGE, str(held.root_id), payload, row.node)


@operations.operation("chercher_relais", "role", "agence", "tache", "partie", "position")
def look_for_relief(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Who does what nobody here can: `pretee` is the branch whose colleagues of the agency hold the role, which the task (`partie`, `position`) is lent to, "" where nobody does or
    no task was named; `relais` is the agency whose head in the branch is asked instead, "" where there is none."""
    role, branch = str(parameters.get("role") or ""), change.held.branch
    agency = str(parameters.get("agence") or (min(ROLES[role].agencies, default="") if role in ROLES else ""))
    head = authority.head_of(agency)
    is_there = head != role and change.session.execute(_HOLDS, {"agency": agency, "branch": branch, "role": head}).scalar() is not None
    elsewhere = change.session.execute(_ELSEWHERE, {"agency": agency, "branch": branch, "role": role}).scalar()
    # Whoever told of it by hand said the rest.
    told = {"orpheline.role": role, "orpheline.tache": parameters["tache"], "orpheline.cause": "poste_vide"} if parameters.get("tache") else {}
    said = told | {"orpheline.antenne_relais": elsewhere}
    position, part = str(parameters.get("position") or ""), identity.parse(str(parameters.get("partie") or ""))
    lent_to = str(elsewhere or "") if position and part else ""
    if lent_to:
        orders.give(change, "ordre.preter", {"antenne": lent_to, "agence": agency, "position": position}, dict.fromkeys([change.held.root_id, part]))
    return Outcome({"relais": agency if is_there else "", "pretee": lent_to}, [operations.recorded(change, name, value) for name, value in said.items() if value])


@orders.order("ordre.preter")
def _lend(change: Change, payload: Mapping[str, Any]) -> None:
    """The case, and the part that the task is of, are read where it is lent to; the task waits there if nobody took it meanwhile."""
    held, to, agency = change.held, str(payload["antenne"]), str(payload["agence"])
    row = change.session.execute(_FREE, {"id": held.instance_id, "position": str(payload["position"])}).one_or_none()
    if held.status != "open" or (row is None and held.instance_id != held.root_id):
        return
    change.note("task.lent", {"branch": to, "agency": agency} | ({"task": row.position, "node": row.node} if row else {}))
    change.write()
    change.session.execute(_LENT, {"id": held.instance_id, "to": f"{to} {agency}"})
    if row is not None:
        change.session.execute(_WAITS_THERE, {"task": row.task_id, "to": to})
