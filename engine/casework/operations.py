"""Operations: what a service task of a diagram may ask of Masar. Registered here by name; nothing else can be called.

Each runs in the unit of work that reached it, gives variables back to the diagram, and may record facts, letters and who is in charge.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import event, text
from sqlmodel import Session

from engine import clock, identity
from engine.actors import authority
from engine.casework import editions, letters, notices
from engine.casework.instances import Change
from engine.dossier import beneficiaries, facts
from engine.pathway import bpmn
from engine.workdays import UNITS
from forms import field_types

_MOST = 200  # operations in one act: more is a diagram that turns in circles
LEAST_LOADED = text("""
    SELECT u.user_id, u.name FROM user_account u LEFT JOIN instance i ON i.referent_id = u.user_id AND i.status = 'open' AND i.root_id = i.instance_id
     WHERE u.is_active AND u.agency = 'OTE' AND u.branch = :branch AND 'referent' = ANY (u.roles) GROUP BY u.user_id ORDER BY count(i.instance_id), u.username LIMIT 1""")
_OF_PARENT = text("SELECT instance_id, number, branch, referent_id FROM instance WHERE number = :number AND root_id = instance_id AND process = 'parcours' AND status = 'open' AND person_id <> :person")
_AID_HOME = text("SELECT * FROM masar_home_of_aid(:subject)")


@dataclass
class Outcome:
    """What an operation gives back: variables for the diagram, facts to record; the letter it wrote, which its line names and commits to."""

    outputs: dict[str, Any] = field(default_factory=dict)
    new_facts: list[facts.NewFact] = field(default_factory=list)
    letter: letters.Made | None = None


Operation = Callable[[Change, Mapping[str, Any], str], Outcome]
REGISTERED: dict[str, Operation] = editions.OPERATIONS


TAKES: dict[str, tuple[str, ...]] = {}
ANY_NAME = "*"  # the diagram names the parameters


def operation(name: str, *takes: str) -> Callable[[Operation], Operation]:
    """Registers an operation under the name that diagrams use; `takes`: the parameters it reads."""

    def register(act: Operation) -> Operation:
        REGISTERED[name], TAKES[name] = act, takes
        return act

    return register


def run(change: Change, acts: Mapping[str, Operation] = REGISTERED) -> None:
    """Runs what the diagram asked for, in order, each answer being a stimulus with a line of its own. `acts`: what does it, by name."""
    seen = 0
    for _ in range(_MOST):
        asked = next(((place, one) for place, one in enumerate(change.happenings[seen:], seen) if isinstance(one, bpmn.OperationRequested)), None)
        if asked is None:
            return
        seen, request = asked[0] + 1, asked[1]
        act = acts.get(request.operation)
        outcome, error = Outcome(), None
        if act is None:
            error = "operation.unknown"
        else:
            try:
                outcome = act(change, _read(request.operation, request.parameters), request.subject or "")
            except CannotRun as trouble:
                error = str(trouble)
        stimulus = bpmn.OperationDone(task_id=request.task_id, outputs=outcome.outputs, error=error, at=change.at, seq=0, facts={})
        body = {"operation": request.operation, "node": request.node} | ({"error": error} if error else {}) | ({"letter": str(outcome.letter.letter_id)} if outcome.letter else {})
        change.give("operation.done", stimulus, body, outcome.new_facts, sealed=outcome.letter.sealed if outcome.letter else {})


class CannotRun(Exception):
    """The operation found nothing to work with: an incident on the case, with this code."""


def _number(value: Any, most: int = 10**9) -> Decimal:
    """A number as the pathway hands it over: whole as such, else as text."""
    read = Decimal("NaN") if isinstance(value, bool) else Decimal(str(value))
    if not abs(read) <= most:
        raise ValueError(value)
    return read


def _visits(value: Any) -> list[Any]:
    for one in value:
        dt.datetime.fromisoformat(one["le"])
        if not isinstance(one["echeance"], str):
            raise ValueError(value)
    return list(value)


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(value)
    return value


def _instant(value: Any) -> dt.datetime:
    read = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return read if read.tzinfo else read.replace(tzinfo=clock.TUNIS)


# How a parameter of this name is read, whichever operation takes it; a diagram may compute it of whatever is known.
_READ: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("classe", "montant", "k", "deja", "paye", "du", "rang"), _number), "jours": lambda value: _number(value, 36_500),
    "unite": lambda value: UNITS[UNITS.index(value)], "echeances": _visits, "portees": _listed, "de": lambda value: str(UUID(value)), "le": _instant,
}  # fmt: skip


def _read(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the operation takes them. Raises CannotRun: one is of another kind, which only the case shows."""
    found = dict(parameters)
    for name in TAKES.get(operation, ()):
        if name in _READ and found.get(name) is not None:
            try:
                found[name] = _READ[name](found[name])
            except (ValueError, ArithmeticError, TypeError, LookupError, AttributeError) as trouble:
                raise CannotRun("operation.parameter") from trouble
    return found


def recorded(change: Change, name: str, value: Any, around: Sequence[str] = (), *, is_said: bool = False) -> facts.NewFact:
    """A fact that an operation found out. `around`: the keys of the subjects it is about, where they are not the instance's own. `is_said`: somebody said it, and it
    goes stale as what is answered does; what an operation reckons holds until it is corrected."""
    found = change.held.edition.dictionary.fields.get(name)
    if found is None:
        raise CannotRun("operation.field_unknown")
    subject = change.held.subjects.narrowed(around).key(found.subject)
    if subject is None:
        raise CannotRun("operation.no_subject")
    until = change.at + field_types.duration(found.validity) if is_said and found.validity else None
    return facts.NewFact(subject, name, value, authority.classes_of(found), source={"kind": "system"}, valid_until=until)


def home_of_aid(session: Session, subject: str) -> Any:
    """The case that an aid belongs to and what its person agreed to, or None: what a sitting says of an aid is recorded there, its own line tells of it."""
    return session.execute(_AID_HOME, {"subject": subject}).one_or_none() if subject else None


@operation("retenir", ANY_NAME)
def keep(_change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Keeps values in variables of the diagram, for a gateway further on."""
    return Outcome(dict(parameters))


@operation("fixer_rendez_vous", "jours", "unite")
def propose_date(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """The day before which the appointment is to be, in the branch's own days (`jours`, `unite`)."""
    last = change.tables.calendar.due(change.at, int(parameters.get("jours") or 0), str(parameters.get("unite") or "jours"))
    return Outcome({"rendez_vous_avant": clock.today(last)})


@operation("rattacher_dossier_parent")
def attach_to_parent(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """A minor who came with a family: her case points at her parent's, by its number as it was said; whoever owns that one is told."""
    row = change.session.execute(_OF_PARENT, {"number": change.snapshot()["case"].get("accueil", {}).get("dossier_parent"), "person": change.held.person_id}).one_or_none()
    if row is None:
        raise CannotRun("operation.no_parent_case")
    notices.tell(change.session, change.actor, row.referent_id, "case.attached", row.branch, instance_id=row.instance_id, title=change.held.number or "")
    return Outcome({"dossier_parent": str(row.instance_id), "numero_parent": row.number})


@operation("conservation")
def start_retention(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """The day from which what is kept of the case counts its age (each field's own retention, §2.4)."""
    return Outcome({"conserve_depuis": clock.today(change.at)})


@operation("effacer_signalement")
def erase_signal(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Erases what was said of somebody who never came: the facts go, and the key under which the ledger kept them."""
    change.flush()
    if not change.session.execute(text("SELECT masar_forget_signal(:root)"), {"root": change.held.root_id}).scalar_one():
        raise CannotRun("operation.not_forgotten")
    keys, whose = change.session.info["keys"], change.held.person_id or change.held.instance_id
    # The key cannot come back: it goes only once the rest is committed.
    event.listen(change.session, "after_commit", lambda _session: keys.erase(whose), once=True)
    change.known = []
    return Outcome({"efface_le": clock.today(change.at)})


@operation(editions.RECEIPT)
def receipt(change: Change, _parameters: Mapping[str, Any], subject: str) -> Outcome:
    """The receipt the law asks for on each request: a public code, and the letter that bears it in French and Arabic."""
    change.held.receipt_code = change.held.receipt_code or identity.receipt_code()
    return written(letters.write(change, editions.RECEIPT, subject, change.held.receipt_code))


@operation("lettre", "modele")
def letter(change: Change, parameters: Mapping[str, Any], subject: str) -> Outcome:
    """A letter of the edition (`modele`, §4.12), with its text kept as it was that day."""
    return written(letters.write(change, str(parameters.get("modele", "")), subject))


def written(letter: letters.Made | None) -> Outcome:
    """What writing a letter gives back. Raises CannotRun: the edition has none of that name."""
    if letter is None:
        raise CannotRun("operation.letter_unknown")
    return Outcome({"lettre": str(letter.letter_id)}, letter=letter)


@operation("designer_referent")
def name_referent(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """The case owner: the branch's referent with the fewest open cases (a recorded input: replay does not count again)."""
    row = change.session.execute(LEAST_LOADED, {"branch": change.held.branch}).one_or_none()
    if row is None:
        raise CannotRun("operation.no_referent")
    change.held.referent_id = row.user_id
    return Outcome({"referent": str(row.user_id)})


@operation("rechercher_doublons")
def look_for_doubles(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """What D0 weighs: whether the CIN is known, how alike the nearest name is, whether that case is open."""
    known = {fact.field: fact.value for fact in change.look(change.held.subjects, beneficiaries.IDENTITY_FIELDS)}
    known |= {fact.field: fact.value for fact in change.pending if fact.field in beneficiaries.IDENTITY_FIELDS}
    found = [one for one in beneficiaries.matches(change.session, known, besides=change.held.person_id) if not one.is_expected]
    exact = next((one for one in found if {"cin", "passport"} & set(one.kinds)), None)
    nearest = exact or next(iter(found), None)
    return Outcome({"doublon": {
        "cin": "exact" if exact else "non", "ressemblance": Decimal(str(round(nearest.likeness, 2))) if nearest else 0, "dossier": ("ouvert" if nearest.status == "open" else "clos") if nearest else "aucun",
    }})  # fmt: skip
