"""A task that nobody can do (X13): whether anybody could be found for it, and the diagram that begins where nobody is.

Asked when a task falls due and nobody has it in hand: of an office that is staffed nothing is asked at each step. Not here: who stands in for somebody away.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine.actors import authority
from engine.actors.agencies import PARTNERS
from engine.actors.roles import ROLES
from engine.casework import operations
from engine.casework.instances import SERIES, Change, Held
from engine.casework.operations import Outcome

MESSAGE = "tache.orpheline"
_HOLDS = text("SELECT 1 FROM user_account WHERE is_active AND agency = :agency AND branch = :branch AND :role = ANY (roles) LIMIT 1")
_ELSEWHERE = text("""SELECT branch FROM user_account WHERE is_active AND agency = :agency AND branch <> :branch AND :role = ANY (roles)
                      GROUP BY branch ORDER BY count(*) DESC, branch LIMIT 1""")


def call(session: Session, change: Change, row: Any) -> None:
    """Begins the diagram beside the case where nobody of the task's agency holds its role in its branch. `row`: the task, free and due."""
    held: Held = change.held
    is_anothers = row.agency == PARTNERS or authority.is_withheld({"agency": row.agency, "case": held})  # the case owner's for want of them
    if row.holder_id is not None or is_anothers or held.process in SERIES or held.process in held.edition.definitions.beside:
        return
    if session.execute(_HOLDS, {"agency": row.agency, "branch": row.branch, "role": row.role}).scalar() is None:
        payload = {"role": row.role, "agence": row.agency, "tache": row.names.get("fr", row.node)}
        change.send(MESSAGE, str(held.root_id), payload, row.node)


@operations.operation("chercher_relais", "role", "agence", "tache")
def look_for_relief(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Who answers for a role that nobody fills: `relais` is the agency whose head in the branch is asked, "" where there is none; and where colleagues of that agency hold it."""
    role, branch = str(parameters.get("role") or ""), change.held.branch
    agency = str(parameters.get("agence") or (min(ROLES[role].agencies, default="") if role in ROLES else ""))
    head = authority.head_of(agency)
    is_there = head != role and change.session.execute(_HOLDS, {"agency": agency, "branch": branch, "role": head}).scalar() is not None
    elsewhere = change.session.execute(_ELSEWHERE, {"agency": agency, "branch": branch, "role": role}).scalar()
    # Whoever told of it by hand said the rest.
    told = {"orpheline.role": role, "orpheline.tache": parameters["tache"], "orpheline.cause": "poste_vide"} if parameters.get("tache") else {}
    said = told | {"orpheline.antenne_relais": elsewhere}
    return Outcome({"relais": agency if is_there else ""}, [operations.recorded(change, name, value) for name, value in said.items() if value])
