"""Requests made online by somebody who has no account: her return signals itself, at the branch of her governorate, for a person there to confirm.

She is told the code of her receipt and nothing else: whether she is known already is reception's to see. What she typed is known with the source
`online` until somebody has heard it from her; nobody who comes leaves nothing (the signal expires, §4.1).
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import authority, users
from engine.casework import cases, editions, endings, receipts
from engine.casework.instances import Held
from engine.database import Database
from engine.dossier import beneficiaries, facts, programmes
from engine.pathway import bpmn
from engine.pathway.questions import ANYBODYS
from forms import answers, field_types
from forms import form as forms

STARTS = "signalement.en_ligne"
# Requests taken in a quarter of an hour: from one address, and from anywhere.
MOST_FROM_ONE, MOST_OF_ALL, MINUTES = 5, 60, 15
# Counted beside failed sign-ins, under names that no account can have.
_TAKEN = text("SELECT masar_signin_failures(:one), masar_signin_failures(:all)")
_COUNT = text("SELECT masar_note_signin_failure(:one), masar_note_signin_failure(:all)")
_ALL = "\x01online"
# What a signal says that its own person need not be asked.
_ITS_OWN = {"signalement.source": "personne", "signalement.consent_obtenu": True, "signalement.liste": False, "signalement.nb_personnes": 1}


def form(database: Database, language: str) -> forms.Form:
    """The questions put to anybody, in words of the edition in force. Refuses: `request.closed` (NotFound) where that edition takes no request online."""
    with database.reading(users.system()) as session:
        return _form(session, language)


def receive(database: Database, visitor: users.Actor, raw: Mapping[str, Any], key: str, address: str, language: str) -> str:
    """Takes a request; returns the code of its receipt. The same `key` again gives the same code and changes nothing. `address`: where it was sent from,
    of which a digest is kept for a day.

    Refuses: `request.closed` (NotFound), `request.answers` (Invalid, findings), `request.too_many` (Conflict). Records: `case.opened`.
    """
    authority.require(visitor, "request.send")
    code = identity.receipt_code_of(key)
    with database.unit_of_work(users.system()) as session:
        if receipts.look_up(session, code) is not None:
            return code
        asked = _form(session, language)
        said = answers.read(asked, raw, language, programmes.of_today(session)[1])
        if said.findings:
            raise errors.Invalid("request.answers", said.findings)
        _count(session, address)
        edition = editions.current(session)
        start = bpmn.Message(name=STARTS, correlation="", payload={}, at=None, seq=0, facts={})
        change = cases.begin(session, visitor, edition, edition.definitions.starting_messages[STARTS], authority.HEADQUARTERS, {}, message=start,
                             told=lambda held: _facts(held, said))  # fmt: skip
        change.held.receipt_code = code
        values = {fact.field: fact.value for fact in change.pending if fact.field in beneficiaries.IDENTITY_FIELDS and fact.status == "known"}
        beneficiaries.remember(session, change.held.person_id, values)
        endings.finish(change)
    return code


def _form(session: Session, language: str) -> forms.Form:
    edition = editions.current_or_none(session)
    definition = edition.forms.get(ANYBODYS) if edition else None
    if edition is None or definition is None or STARTS not in edition.definitions.starting_messages:
        raise errors.NotFound("request.closed")
    today, around = programmes.of_today(session)
    return forms.ask(definition, {}, lambda _field, _agency: False, lambda _field: True, today, language, around)


def _count(session: Session, address: str) -> None:
    """Counts a request taken. Nobody is kept out for long: the quarter of an hour slides."""
    whence = hashlib.sha256(f"{clock.system_now().date()} {address}".encode()).hexdigest()[:32]
    subjects = {"one": f"{_ALL} {whence}", "all": _ALL}
    from_one, of_all = session.execute(_TAKEN, subjects).one()
    if from_one >= MOST_FROM_ONE or of_all >= MOST_OF_ALL:
        raise errors.Conflict("request.too_many", minutes=MINUTES)
    session.execute(_COUNT, subjects)


def _facts(held: Held, said: answers.Answers) -> list[facts.NewFact]:
    fields, own = held.edition.dictionary.fields, {name: answers.Answer(value) for name, value in _ITS_OWN.items()}
    told = []
    for name, answer in {**own, **said.values}.items():
        found = fields.get(name)
        subject = held.subjects.key(found.subject) if found else None
        if found is None or subject is None:
            continue
        until = held.now + field_types.duration(found.validity) if found.validity else None
        told.append(facts.NewFact(subject, name, answer.value, authority.classes_of(found), answer.status, {"kind": "online"}, until))
    return told
