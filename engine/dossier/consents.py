"""Consent: what the person agreed to share, and what follows for the case's row, which both walls read (§2.4).

C1 opens the case to the other agencies, C2 to the funder's member of a sitting, C3 to the operator it is entrusted to. What is withdrawn is closed at the
next read. C1 refused, or withdrawn, keeps the case to OTE. Not here: how it is said and what it ends (`casework.agreements`).
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.dossier.facts import NewFact

SHARING = {"consentement.c1": "is_shared", "consentement.c2": "is_shared_funder", "consentement.c3": "is_shared_operator"}
_KEEP = text("UPDATE instance SET is_kept = :is_kept WHERE instance_id = :id AND is_kept <> :is_kept")


def apply(held: Any, new: Sequence[NewFact]) -> None:
    """Sets with whom the case is shared, when a consent has just been given, refused or withdrawn.

    Refuses: `consent.elsewhere` (Invalid) where it is said in a dossier or a sitting: the walls read the case's own row, and consent is signed there.
    """
    said = [fact for fact in new if fact.field in SHARING]
    if said and held.instance_id != held.root_id:
        raise errors.Invalid("consent.elsewhere")
    for fact in said:
        setattr(held, SHARING[fact.field], fact.status == "known" and fact.value is True)


def keep(session: Session, held: Any, new: Sequence[NewFact]) -> None:
    """Keeps the case to OTE where C1 was just refused, opens it again where it was given; after the line that tells of it."""
    if any(fact.field == "consentement.c1" for fact in new):
        held.is_kept = is_kept(held, new)
        session.execute(_KEEP, {"id": held.instance_id, "is_kept": held.is_kept})


def is_kept(held: Any, new: Sequence[NewFact]) -> bool:
    """Whether the case is kept to OTE once this is said."""
    said = next((fact for fact in new if fact.field == "consentement.c1"), None)
    return held.is_kept if said is None else not (said.status == "known" and said.value is True)
