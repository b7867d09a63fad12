"""How an act on an instance is finished; and what a case's end calls off: its appointments to come, each with its line; whoever holds one is told. What began already is
still to be settled (`appointments`)."""

from sqlalchemy import text

from engine.casework import notices, operations
from engine.casework.instances import Change
from engine.pathway import bpmn

_TO_COME = text("SELECT appointment_id, agent_id, branch FROM appointment WHERE instance_id = :case AND state = 'set' AND lower(during) > :at ORDER BY lower(during)")
_CALL_OFF = text("UPDATE appointment SET state = 'cancelled', changes = changes + 1, changed_at = :at WHERE appointment_id = :id")


def finish(change: Change) -> None:
    """Runs the operations that the diagram asked for until none is left, calls off what its end does, then writes everything."""
    operations.run(change)
    _call_off(change)
    change.write()


def _call_off(change: Change) -> None:
    """Cancels what was to come of a case that ends in this act; of any other does nothing. Records: `appointment.called_off`."""
    held = change.held
    if held.instance_id != held.root_id or not any(isinstance(one, bpmn.Ended) for one in change.happenings):
        return
    for row in change.session.execute(_TO_COME, {"case": held.instance_id, "at": change.at}).all():
        change.note("appointment.called_off", {"appointment": str(row.appointment_id), "owner": str(row.agent_id)})
        change.session.execute(_CALL_OFF, {"id": row.appointment_id, "at": change.at})
        notices.tell(change.session, change.actor, row.agent_id, "appointment.called_off", row.branch, instance_id=held.instance_id)
