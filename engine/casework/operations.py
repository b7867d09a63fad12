"""Operations: what a service task of a diagram may ask of Masar. Registered here by name; nothing else can be called.

Each runs in the unit of work that reached it, gives variables back to the diagram, and may record facts, letters and who is in charge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import json
import datetime as dt

from sqlalchemy import text

from engine import clock, identity
from engine.actors import authority
from engine.casework.instances import Change
from engine.dossier import beneficiaries, facts
from engine.pathway import bpmn

_MOST = 200  # operations in one act: more is a diagram that turns in circles
_LEAST_LOADED = text("""
    SELECT u.user_id, u.name FROM user_account u LEFT JOIN instance i ON i.referent_id = u.user_id AND i.status = 'open' AND i.root_id = i.instance_id
     WHERE u.is_active AND u.agency = 'OTE' AND u.branch = :branch AND 'referent' = ANY (u.roles) GROUP BY u.user_id ORDER BY count(i.instance_id), u.username LIMIT 1""")
_LETTER = text("""INSERT INTO letter (letter_id, instance_id, root_id, template, content, class, produced_at)
                  VALUES (:id, :instance, :root, :template, CAST(:content AS jsonb), :class, :at)""")


@dataclass
class Outcome:
    """What an operation gives back: variables for the diagram, facts to record."""

    outputs: dict[str, Any] = field(default_factory=dict)
    new_facts: list[facts.NewFact] = field(default_factory=list)


Operation = Callable[[Change, Mapping[str, Any], str], Outcome]
REGISTERED: dict[str, Operation] = {}


def operation(name: str) -> Callable[[Operation], Operation]:
    """Registers an operation under the name that diagrams use."""

    def register(act: Operation) -> Operation:
        REGISTERED[name] = act
        return act

    return register


def run(change: Change) -> None:
    """Runs what the diagram asked for, in order, each answer being a stimulus with a line of its own."""
    seen = 0
    for _ in range(_MOST):
        asked = next(((place, one) for place, one in enumerate(change.happenings[seen:], seen) if isinstance(one, bpmn.OperationRequested)), None)
        if asked is None:
            return
        seen, request = asked[0] + 1, asked[1]
        act = REGISTERED.get(request.operation)
        outcome, error = Outcome(), None
        if act is None:
            error = "operation.unknown"
        else:
            try:
                outcome = act(change, dict(request.parameters), request.subject or "")
            except CannotRun as trouble:
                error = str(trouble)
        stimulus = bpmn.OperationDone(task_id=request.task_id, outputs=outcome.outputs, error=error, at=change.at, seq=0, facts={})
        change.give("operation.done", stimulus, {"operation": request.operation, "node": request.node} | ({"error": error} if error else {}), outcome.new_facts)


class CannotRun(Exception):
    """The operation found nothing to work with: an incident on the case, with this code."""


def _new(change: Change, name: str, value: Any, subject: str = "") -> facts.NewFact:
    found = change.held.edition.dictionary.fields.get(name)
    if found is None:
        raise CannotRun("operation.field_unknown")
    inner = change.held.subjects.narrowed([subject] if subject else [])
    return facts.NewFact(inner.key(found.subject) or "", name, value, authority.classes_of(found), source={"kind": "system"})


@operation("recepisse")
def receipt(change: Change, parameters: Mapping[str, Any], subject: str) -> Outcome:
    """The receipt the law asks for on each request: a public code, and the letter in French and Arabic."""
    change.held.receipt_code = change.held.receipt_code or identity.receipt_code()
    return letter(change, {"modele": "recepisse", **parameters}, subject)


@operation("lettre")
def letter(change: Change, parameters: Mapping[str, Any], subject: str) -> Outcome:
    """A letter of a template (§4.12), with what it says kept as it was that day."""
    held, tree = change.held, change.snapshot()
    person = tree["case"].get("person", {})
    content = {
        "numero": held.number, "code": held.receipt_code, "antenne": held.branch, "date": clock.today(change.at).isoformat(), "parametres": parameters,
        "personne": {name: str(person.get(name) or "") for name in ("prenom_fr", "nom_fr", "prenom_ar", "nom_ar")},
        "aide": {key: str(value) for found, inner in tree.items() if found.startswith("aide:") for key, value in inner.get("aide", {}).items()
                 if key in ("decision", "montant_accorde", "motif_decision", "niveau")},
    }  # fmt: skip
    letter_id = identity.new_id()
    change.session.execute(_LETTER, {"id": letter_id, "instance": held.instance_id, "root": held.root_id, "template": str(parameters.get("modele", "")),
                                     "content": json.dumps(content, ensure_ascii=False, default=str), "class": "C", "at": change.at})  # fmt: skip
    return Outcome({"lettre": str(letter_id)})


@operation("designer_referent")
def name_referent(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """The case owner: the branch's referent with the fewest open cases (a recorded input: replay does not count again)."""
    row = change.session.execute(_LEAST_LOADED, {"branch": change.held.branch}).one_or_none()
    if row is None:
        raise CannotRun("operation.no_referent")
    change.held.referent_id = row.user_id
    return Outcome({"referent": str(row.user_id)})


@operation("rechercher_doublons")
def look_for_doubles(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """What D0 weighs: whether the CIN is known, how alike the nearest name is, whether that case is open."""
    known = {fact.field: fact.value for fact in facts.snapshot(change.session, change.held.subjects, beneficiaries.IDENTITY_FIELDS)}
    known |= {fact.field: fact.value for fact in change.pending if fact.field in beneficiaries.IDENTITY_FIELDS}
    found = beneficiaries.matches(change.session, known, besides=change.held.person_id)
    exact = next((one for one in found if {"cin", "passport"} & set(one.kinds)), None)
    nearest = exact or next(iter(found), None)
    return Outcome({"doublon": {
        "cin": "exact" if exact else "non", "ressemblance": 1 if nearest else 0, "dossier": ("ouvert" if nearest.status == "open" else "clos") if nearest else "aucun",
    }})  # fmt: skip
