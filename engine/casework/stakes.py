"""What a repair touches: `money` where aids are decided or funds moved, `rights` where consent, an appeal or a complaint is passed; then two must agree.

Weighed on what is drawn: everything that a move leaves, reaches or passes over, there or back, with what is inside of it.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from engine.actors import authority
from engine.casework.instances import OWN_SUBJECT, Change
from engine.pathway import bpmn

MONEY, RIGHTS = "money", "rights"
_MONEY_OPERATIONS = frozenset({"calculer_aide", "engager_fonds", "preparer_tranche", "verser_tranche", "liberer_fonds", "verser_avance"})
_MONEY_MESSAGES = frozenset({"aide.demandee", "aide.accordee", "aide.terminee", "dossier.inscrit", "dossier.decide", "fonds.revenus", "paiement.confirme"})
_MONEY_GROUPS, _RIGHTS_GROUPS = frozenset({"aide"}), frozenset({"consentement"})


def of_move(edition: Any, process: str, passed: Iterable[bpmn.Passed]) -> tuple[str, ...]:
    """What moving a token of an instance touches. Whatever is moved in a dossier or a sitting is about an aid."""
    found = {MONEY} if process in OWN_SUBJECT else set()
    for one in passed:
        if one.operation in _MONEY_OPERATIONS or one.message in _MONEY_MESSAGES:
            found.add(MONEY)
        form = edition.forms.get(one.form) if one.form else None
        if form is not None:
            found.update(of_fields(edition, [ask.field for section in form.sections for ask in section.ask]))
    return tuple(sorted(found))


def of_fields(edition: Any, fields: Iterable[str]) -> tuple[str, ...]:
    """What saying these fields touches: classes F and R, the aid and consent, whatever their class."""
    found = set()
    for name in fields:
        spec = edition.dictionary.fields.get(name)
        classes = set(authority.classes_of(spec).split(",")) if spec else set()
        if "F" in classes or name.partition(".")[0] in _MONEY_GROUPS:
            found.add(MONEY)
        if "R" in classes or name.partition(".")[0] in _RIGHTS_GROUPS:
            found.add(RIGHTS)
    return tuple(sorted(found))


def dressed(change: Change, stimulus: Any) -> Any:
    """The stimulus as it would be given now, to be played and not kept."""
    return replace(stimulus, at=change.at, seq=change.held.seq + 1, facts=change.snapshot())
