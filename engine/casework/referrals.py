"""Giving a task to somebody: what a diagram asks once two agencies cannot agree on a measure (X12), and that a measure takes another way.

The task may open only after the operation asked: who is to have it is ordered, and the order is obeyed once the act is over. Not here: what a person passes to another (`tasks`).
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from engine.actors import authority
from engine.casework import operations, orders
from engine.casework.instances import Change
from engine.casework.operations import CannotRun, Outcome

# Who holds the role where its tasks wait, with the fewest of them in hand.
_FEWEST = text("""SELECT u.user_id FROM user_account u LEFT JOIN open_task t ON t.holder_id = u.user_id
                   WHERE u.is_active AND :role = ANY (u.roles) AND u.branch = :branch GROUP BY u.user_id, u.username ORDER BY count(t.task_id), u.username LIMIT 1""")
_OPEN = text("SELECT task_id, position, node, apart FROM open_task WHERE instance_id = :id AND node = :node AND holder_id IS NULL ORDER BY opened_at DESC LIMIT 1")
_HOLD = text("UPDATE open_task SET holder_id = :holder, claimed_at = :at, version = version + 1 WHERE task_id = :task")
_DID_BEFORE = text("SELECT masar_did_before(:task, :user)")


@operations.operation("confier_tache", "tache", "role")
def entrust(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Gives the task `tache`, which opens next, to a named person of a role (`role`): who has the fewest tasks in hand where that role is held."""
    role = str(parameters.get("role") or "")
    row = change.session.execute(_FEWEST, {"role": role, "branch": authority.branch_of_task(role, change.held.branch)}).one_or_none()
    if row is None:
        raise CannotRun("operation.nobody")
    orders.give(change, "ordre.confier", {"tache": str(parameters.get("tache") or ""), "a": str(row.user_id)}, [change.held.instance_id])
    return Outcome({"confie_a": str(row.user_id)})


@orders.order("ordre.confier")
def _given(change: Change, payload: Mapping[str, Any]) -> None:
    row = change.session.execute(_OPEN, {"id": change.held.instance_id, "node": str(payload.get("tache"))}).one_or_none()
    if row is None:  # taken in hand already
        return
    if row.apart and change.session.execute(_DID_BEFORE, {"task": row.task_id, "user": payload["a"]}).scalar() is not None:
        return
    change.note("task.passed", {"task": row.position, "node": row.node, "holder": str(payload["a"])})
    change.session.execute(_HOLD, {"task": row.task_id, "holder": payload["a"], "at": change.at})
    change.write()


@operations.operation("reorienter_mesure", "type")
def redirect(change: Change, parameters: Mapping[str, Any], subject: str) -> Outcome:
    """Makes another measure (`type`) of the one that an agency did not take."""
    code = str(parameters.get("type") or "")
    if not code:
        raise CannotRun("operation.no_measure")
    return Outcome({"suite": "reorientee"}, [operations.recorded(change, "mesure.type", code, [subject] if subject else [])])
