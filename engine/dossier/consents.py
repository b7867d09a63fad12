"""Consent: what the person agreed to share, and what follows for the case's row, which both walls read (§2.4).

C1 opens the case to the other agencies, C2 to the funder's member of a sitting, C3 to the operator it is entrusted to. What is withdrawn is closed at the
next read.
"""

from collections.abc import Sequence
from typing import Any

from engine import errors
from engine.dossier.facts import NewFact

SHARING = {"consentement.c1": "is_shared", "consentement.c2": "is_shared_funder", "consentement.c3": "is_shared_operator"}


def apply(held: Any, new: Sequence[NewFact]) -> None:
    """Sets with whom the case is shared, when a consent has just been given, refused or withdrawn.

    Refuses: `consent.elsewhere` (Invalid) where it is said in a dossier or a sitting: the walls read the case's own row, and consent is signed there.
    """
    said = [fact for fact in new if fact.field in SHARING]
    if said and held.instance_id != held.root_id:
        raise errors.Invalid("consent.elsewhere")
    for fact in said:
        setattr(held, SHARING[fact.field], fact.status == "known" and fact.value is True)
