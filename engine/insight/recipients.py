"""Recipients of a case file: to whom it may be given, and what each may see of it.

A file never shows more than whoever makes it sees herself, nor an agency what the person did not agree to share with it. Not here: the file (`casefile`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.actors.agencies import ANETI, CPS, OTE, PARTNERS
from engine.actors.roles import CLASSES, ROLES

_CASE = text("SELECT * FROM instance WHERE instance_id = :id AND root_id = instance_id")
_HEALTH = frozenset("H")  # leaves to the person alone


def _of_agency(agency: str) -> frozenset[str]:
    """What those read who work for this agency alone."""
    return frozenset("".join(role.reads for role in ROLES.values() if role.agencies == {agency})) - _HEALTH


# The person reads all that is kept of her (law 2004-63, art. 32); a court what it asks for, save health; an auditor what auditors read (decisions.md 19).
RECIPIENTS: Mapping[str, frozenset[str]] = {
    "personne": frozenset(CLASSES),
    "tribunal": frozenset(CLASSES) - _HEALTH,
    **{agency: _of_agency(agency) for agency in (OTE, CPS, ANETI, PARTNERS)},
    "auditeur": frozenset(ROLES["auditeur"].reads),
}


@dataclass(frozen=True)
class Choice:
    """A recipient as one chooses it. `shown`: classes that the file will show; `kept`: what the recipient may see and whoever makes the file does not;
    `is_refused`: the person did not agree that this agency be told."""

    code: str
    shown: tuple[str, ...]
    kept: tuple[str, ...]
    is_refused: bool


@dataclass(frozen=True)
class Choices:
    """What is said before somebody leaves with a case file."""

    case_id: UUID
    case_number: str
    items: tuple[Choice, ...]


def choices(session: Session, actor: Any, case_id: UUID) -> Choices:
    """Refuses: `case.not_found` (absent, or not hers to take out)."""
    case = session.execute(_CASE, {"id": case_id}).one_or_none()
    if case is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "casefile.export", branch=case.branch, case=case)
    return Choices(case_id, case.number or "", tuple(_choice(actor, case, code) for code in RECIPIENTS))


def sees(actor: Any, recipient: str, field_class: str, case: Any) -> bool:
    """Whether a file for this recipient shows a fact of this class ("": whoever makes it, for herself)."""
    return authority.readable(actor, field_class, case=case) and (not recipient or bool(set(field_class.split(",")) & RECIPIENTS[recipient]))


def classes(actor: Any, recipient: str, case: Any) -> tuple[str, ...]:
    """The classes that it shows."""
    return tuple(one for one in CLASSES if sees(actor, recipient, one, case))


def require(recipient: str, case: Any) -> None:
    """Refuses: `casefile.recipient` (Invalid), `casefile.not_agreed` (Forbidden)."""
    if recipient and recipient not in RECIPIENTS:
        raise errors.wrong("casefile.recipient", "/recipient", recipient=recipient[:40])
    if not _agreed(recipient, case):
        raise errors.Forbidden("casefile.not_agreed")


def _choice(actor: Any, case: Any, code: str) -> Choice:
    shown = classes(actor, code, case)
    return Choice(code, shown, tuple(one for one in CLASSES if one in RECIPIENTS[code] and one not in shown), not _agreed(code, case))


def _agreed(recipient: str, case: Any) -> bool:
    """C1 for the other agencies; C2 or C3 for a partner."""
    if recipient == PARTNERS:
        return bool(case.is_shared_funder or case.is_shared_operator)
    return recipient not in (CPS, ANETI) or bool(case.is_shared)
