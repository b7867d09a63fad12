"""The posts that the edition in force needs in a branch: a role of an agency that some task waits for. Not who sits on a committee, nor who works where."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine.actors import authority
from engine.actors.agencies import AGENCIES, PARTNERS
from engine.actors.roles import ROLES
from engine.casework import editions
from engine.pathway.questions import AGENCY_OF_LANE

Post = tuple[str, str]  # agency, role
_HELD = text("SELECT DISTINCT agency, unnest(roles) AS role FROM user_account WHERE is_active AND branch = :branch")


def vacant(session: Session, actor: Any, branch: str) -> tuple[Post, ...]:
    """The posts that nobody holds there: a task for one would be opened and wait for ever. Partners' are left out: the case owner stands in for an operator,
    a funder sits where a programme asks for one. Refuses: Forbidden."""
    authority.require(actor, "admin.read")
    edition = editions.current_or_none(session)
    held = {(row.agency, row.role) for row in session.execute(_HELD, {"branch": branch})}
    tasks = edition.definitions.tasks if edition else ()
    needed = {(AGENCY_OF_LANE.get(one.lane, ""), one.role) for one in tasks if one.role in ROLES and not ROLES[one.role].is_central}
    wanted = {(agency, role) for agency, role in needed - held if agency in AGENCIES and agency != PARTNERS}
    return tuple(sorted(wanted, key=lambda one: (list(AGENCIES).index(one[0]), list(ROLES).index(one[1]))))
