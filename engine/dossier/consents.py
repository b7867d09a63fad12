"""Consent: what the person agreed to share, and what follows for the case's row (§2.4: C1 opens the case to the other agencies)."""

from collections.abc import Sequence
from typing import Any

from engine.dossier.facts import NewFact

SHARING = "consentement.c1"


def apply(held: Any, new: Sequence[NewFact]) -> None:
    """Sets whether the case is shared between the three agencies, when consent C1 has just been given, refused or withdrawn."""
    for fact in new:
        if fact.field == SHARING:
            held.is_shared = fact.status == "known" and fact.value is True
