"""How an act on an instance is finished; and how appointments to come are called off, by hand, by a case's end, its going to another branch, a measure given up or a consent taken back: each with its line and a paper
for the person; whoever holds one is told. What began already is still to be settled (`appointments`)."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from engine import i18n
from engine.casework import letters, notices, operations
from engine.casework.instances import Change
from engine.pathway import bpmn
from forms.text import LANGUAGES, meeting

NOTICE = "rendez_vous_annule"  # the letter of the edition
CALLED_OFF = {"annule": "appointment.cancelled", "clos": "appointment.called_off", "transfert": "appointment.handed_over", "mesure": "appointment.given_up", "accord": "appointment.withheld"}  # line and notice, by why
_DEATH = "deces"  # an end of which nobody writes to the person
_TO_COME = text("""SELECT appointment_id, agent_id, branch, lower(during) AS begins_at, place FROM appointment
                    WHERE instance_id = :case AND state = 'set' AND lower(during) > :at AND :of IN ('', subject) AND (CAST(:agencies AS text[]) = '{}' OR agency = ANY (CAST(:agencies AS text[]))) ORDER BY lower(during)""")
_CALL_OFF = text("""UPDATE appointment SET state = 'cancelled', letter_id = CAST(:letter AS uuid), changes = changes + 1, changed_at = :at
                     WHERE appointment_id = :id""")


def finish(change: Change) -> None:
    """Runs the operations that the diagram asked for until none is left, calls off what its end does, then writes everything."""
    operations.run(change)
    _call_off(change)
    change.write()


def _call_off(change: Change) -> None:
    """Cancels what was to come of a case that ends in this act; of any other does nothing."""
    held, ended = change.held, next((one for one in change.happenings if isinstance(one, bpmn.Ended)), None)
    if held.instance_id == held.root_id and ended:
        call_off_all(change, "clos", is_written=ended.outcome != _DEATH)


def call_off_all(change: Change, why: str, *, of: str = "", agencies: Sequence[str] = (), is_written: bool = True) -> bool:
    """Calls off what was to come of the case; False where nothing was. `of`: only what was agreed about this (`mesure:<id>`); `agencies`: only with theirs."""
    rows = change.session.execute(_TO_COME, {"case": change.held.instance_id, "at": change.at, "of": of, "agencies": list(agencies)}).all()
    for row in rows:
        call_off(change, row, why, is_written=is_written)
    return bool(rows)


def call_off(change: Change, row: Any, why: str, *, reason: str = "", is_written: bool = True) -> None:
    """Calls off one appointment that was to come (its id, agent, branch, beginning and place). `why`: of `CALLED_OFF`; `is_written`: the person is told on paper. Records: as `CALLED_OFF` says."""
    kind = CALLED_OFF[why]
    told = occasion(row.begins_at, row.place) | {"suite": {one: i18n.translate(f"web.appointment.off.{why}", one) for one in LANGUAGES}}
    letter = letters.write(change, NOTICE, "", told=told) if is_written else None
    body = {"appointment": str(row.appointment_id), "owner": str(row.agent_id)} | ({"letter": str(letter.letter_id)} if letter else {})
    change.note(kind, body, reason=reason, sealed=letter.sealed if letter else {})
    change.session.execute(_CALL_OFF, {"id": row.appointment_id, "letter": letter and letter.letter_id, "at": change.at})
    notices.tell(change.session, change.actor, row.agent_id, kind, row.branch, instance_id=None if why == "accord" else change.held.instance_id)  # what is kept from her is not named


def occasion(begins_at: dt.datetime, place: str) -> dict[str, Mapping[str, str]]:
    """When and where, in the words of a letter."""
    return {"rendez_vous": {one: meeting(begins_at, one) for one in LANGUAGES}, "lieu": {one: i18n.translate(f"web.appointment.place.{place}", one) for one in LANGUAGES}}
