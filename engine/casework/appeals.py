"""What may be appealed against (X5): the decisions on aids of which the person was told. What Masar told her, and when, it does not ask back."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from engine.casework import operations, orders
from engine.casework.instances import Change
from engine.casework.operations import Outcome
from engine.dossier import facts

_TOLD, _LEVEL, _KIND = "aide.notifie_le", "aide.niveau", "mesure.type"
_THE_HIGHEST = "N3"


def notified(session: Session, subjects: facts.Subjects) -> list[dict[str, Any]]:
    """The decisions on the case's aids that were notified, the newest first: `mesure` (the kind of measure that the aid goes with), `niveau`, `notifie_le`."""
    found: dict[str, dict[str, Any]] = {}
    for fact in facts.snapshot(session, subjects, (_TOLD, _LEVEL, _KIND)):
        found.setdefault(fact.subject.partition(":")[2], {})[fact.field] = fact.value
    told = [{"mesure": one.get(_KIND), "niveau": one.get(_LEVEL), "notifie_le": one[_TOLD]} for one in found.values() if one.get(_TOLD)]
    return sorted(told, key=lambda one: one["notifie_le"], reverse=True)


@operations.operation("retrouver_decision")
def look_up(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Of an appeal against a decision on an aid: when it was notified and whether it is of the highest level, unless that was said."""
    if orders.said(change, "recours", "decision_visee") != "aide":
        return Outcome()
    kind = orders.said(change, "recours", "mesure")
    one = next((one for one in notified(change.session, change.held.subjects) if kind in (None, one["mesure"])), None)
    known = {} if one is None else {"notifie_le": one["notifie_le"], "niveau3": one["niveau"] == _THE_HIGHEST}
    return Outcome({}, [operations.recorded(change, f"recours.{name}", value) for name, value in known.items() if orders.said(change, "recours", name) is None])
