"""What people saw of a case around an instant of its replay: who read what is sensitive since the act before, and what the form of a task done had in front of whoever did it.

Readings come from the chain of consultations, forms from the case's edition and what was known then. Fields are named, never their values; whoever may not read the consultations is
told of none.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.actors import authority
from engine.actors.roles import ROLES
from engine.casework import editions, readers
from engine.casework.known_then import Known
from engine.casework.views import Happened
from engine.i18n import pick

MOST = 12  # readings told of one instant
_AT = text("SELECT at FROM ledger_line WHERE instance_id = :id AND seq = :seq")


@dataclass(frozen=True)
class OnForm:
    """A task done in the act: the fields that its form showed as known, by label. `hidden`: how many more the reader may not know of; `elsewhere`: how many the form itself
    only said were held by another agency."""

    node: str
    who: str
    labels: tuple[str, ...]
    hidden: int
    elsewhere: int


@dataclass(frozen=True)
class Seen:
    """`readings`: the latest first, None where they are not the reader's to know; `more`: there were others."""

    readings: tuple[readers.Consulted, ...] | None
    more: bool
    forms: tuple[OnForm, ...]


def around(session: Session, actor: Any, root: Any, instance_id: UUID, first: int, until: dt.datetime, edition: editions.Edition, happened: Sequence[Happened],
           known: Sequence[Known], veiled: Sequence[Known]) -> Seen:  # fmt: skip
    """What was seen between the act before line `first` and `until`, and in the act itself. `known`, `veiled`: what was known, the reader's to know or not."""
    shown, hidden = ([fact for fact in facts if fact.instance_id != instance_id or fact.seq < first] for facts in (known, veiled))
    forms = tuple(_on_form(one, edition, shown, hidden, actor.language) for one in happened if one.kind == "task.completed" and _drawn(edition, one) is not None)
    if not authority.may(actor, "consultation.read", branch=root.branch):
        return Seen(None, False, forms)
    written = session.execute(_AT, {"id": instance_id, "seq": first - 1}).scalar() if first > 1 else None
    since = dt.datetime.fromisoformat(written) if written else dt.datetime.min.replace(tzinfo=dt.UTC)
    found = readers.between(session, actor, root.instance_id, since, until, MOST + 1)
    return Seen(found[:MOST], len(found) > MOST, forms)


def _drawn(edition: editions.Edition, one: Happened) -> Any:
    found = next((task for task in edition.definitions.tasks if task.node == one.body.get("node")), None)
    return found if found is not None and found.form in edition.forms else None


def _on_form(one: Happened, edition: editions.Edition, known: Sequence[Known], veiled: Sequence[Known], language: str) -> OnForm:
    drawn, fields = _drawn(edition, one), edition.dictionary.fields
    form = edition.forms[drawn.form]
    named = {*form.show, *(ask.field for section in form.sections for ask in section.ask)} & fields.keys()
    reads = set(ROLES[drawn.role].reads if drawn.role in ROLES else "")

    def on(facts: Sequence[Known], hers: bool) -> list[str]:
        return list(dict.fromkeys(fact.field for fact in facts if fact.field in named and bool(reads & set(fact.field_class.split(","))) == hers))

    labels = tuple(pick(fields[name].label, language) for name in on(known, True))
    return OnForm(one.body["node"], one.actor, labels, len(on(veiled, True)), len({*on(known, False), *on(veiled, False)}))
