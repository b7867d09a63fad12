"""Operations on signals before a return that diagrams ask for: which branch prepares, what a case takes up from what was signalled.

Registered beside `operations`; each runs in the unit of work that reached it.
"""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from engine.actors import authority
from engine.casework import operations
from engine.casework.instances import Change
from engine.casework.operations import CannotRun, Outcome
from engine.dossier import beneficiaries, facts

_SIGNAL = text("SELECT instance_id, person_id, number FROM instance WHERE instance_id = CAST(:id AS uuid) AND process = 'signalement'")
_BRANCH = text("SELECT 1 FROM branch WHERE code = :code")
# What a line of a list says, under the name that the person's own facts have.
_OF_A_LINE = {"signale.sexe": "person.sexe", "signale.naissance": "person.naissance_date", "signale.gouvernorat": "person.gouvernorat", "signale.tel": "person.tel"}
# What is said once of a whole list holds for each of its persons.
_OF_A_LIST = ("signalement.source", "signalement.source_nom", "signalement.source_tel", "signalement.consent_obtenu", "signalement.vulnerable")
_GROUPS = ("person", "retour")
# What somebody asked for, when she signalled herself.
_ASKED = ("accueil.motif_visite", "accueil.demande_libre")
_ARABIC = re.compile("[\u0621-\u064a]")


@operations.operation("confier_antenne", "antenne")
def hand_to_branch(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Hands an instance to the branch that is competent (D12): its next tasks wait there."""
    code = str(parameters.get("antenne") or "")
    if change.session.execute(_BRANCH, {"code": code}).scalar() is None:
        raise CannotRun("operation.no_branch")
    change.held.branch = code
    return Outcome({"branche": code})


@operations.operation("reprendre_signalement", "de", "ligne")
def take_up(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Takes up as known facts what the signal `de` says of the person and of the return (of the line `ligne`, where it is a list).

    What is unknown there is not taken up: it is asked of the person. Each fact names the signal as its source and may be corrected.
    """
    row = change.session.execute(_SIGNAL, {"id": parameters.get("de")}).one_or_none()
    if row is None:
        raise CannotRun("operation.no_signal")
    fields, line = change.held.edition.dictionary.fields, str(parameters.get("ligne") or "")
    wanted = [name for name, found in fields.items() if (found.group in _GROUPS and found.computed is None) or name in (*_OF_A_LIST, *_ASKED) or found.group == "signale"]
    told = facts.snapshot(change.session, facts.Subjects(row.instance_id, row.person_id), wanted)
    said = {fact.field: fact for fact in told if fact.status == "known" and not fact.subject.startswith("signale:")}
    values = {name: fact.value for name, fact in said.items() if fields[name].group in _GROUPS or name in _ASKED}
    if line:
        of_line = {fact.field: fact.value for fact in told if fact.subject == f"signale:{line}" and fact.status == "known"}
        values |= _person_of(of_line) | {name: said[name].value for name in _OF_A_LIST if name in said}
        values |= {"signalement.liste": False, "signalement.nb_personnes": 1}
        if "signale.besoin" in of_line:
            values["signalement.besoins_immediats"] = [of_line["signale.besoin"]]
        beneficiaries.remember(change.session, change.held.person_id, values)
    source = {"kind": "online" if any(fact.source.get("kind") == "online" for fact in said.values()) else "signal", "label": row.number or ""}
    return Outcome(new_facts=[
        facts.NewFact(change.held.subjects.key(fields[name].subject), name, value, authority.classes_of(fields[name]), source=source,
                      valid_until=said[name].valid_until if name in said else None)
        for name, value in values.items()
    ])  # fmt: skip


def _person_of(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line's person under her own field names, her name in the script it was written in."""
    found = {mine: line[name] for name, mine in _OF_A_LINE.items() if name in line}
    for name in ("nom", "prenom"):
        if written := line.get(f"signale.{name}"):
            found[f"person.{name}_{'ar' if _ARABIC.search(written) else 'fr'}"] = written
    return found
