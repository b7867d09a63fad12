"""Files that a committee has no more before it: an aid that ended while it waited for its sitting, or members who may know no more of its case.

The aid orders it of each open sitting that has it on its agenda (`orders.leave_sittings`); the sitting says why in a line, and its diagram closes the tasks about the file (message
`dossier.ecarte`, key: the aid and whose task it is). Whoever had one in hand is told. A file put down later comes without those who may not know it (`put_down`).
Not here: what a withdrawn consent ends in the case itself (`withdrawals`).
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import text

from engine.actors.agencies import ANETI, CPS, PARTNERS
from engine.casework import notices, operations, orders
from engine.casework.instances import Change

MESSAGE = "dossier.ecarte"
NOTHING_LEFT = "sans_dossier"  # how a sitting ends whose files were all withdrawn
_STUDY = "etude_dossier"
_TASKS = text("SELECT task_id, process, names, agency, branch, holder_id FROM open_task WHERE instance_id = :id AND subjects ? :aid AND holder_id IS NOT NULL ORDER BY position")
_ENDED = text("SELECT subject FROM instance WHERE subject = ANY (:aids) AND process = 'dossier_aide' AND status = 'ended'")
_KEPT = text("SELECT r.is_kept, r.is_shared_funder FROM instance d JOIN instance r ON r.instance_id = d.root_id WHERE d.subject = :aid AND d.process = 'dossier_aide'")


def lost_by(scopes: Collection[str]) -> list[str]:
    """The members who study an aid no more once these consents are withdrawn."""
    return [*((CPS, ANETI) if "c1" in scopes else ()), *((PARTNERS,) if "c2" in scopes else ())]


def put_down(change: Change, aid: str) -> None:
    """An aid was put down for a sitting: nobody of it who may not know its case studies it. `change`: the sitting's."""
    row = change.session.execute(_KEPT, {"aid": f"aide:{aid}"}).one_or_none()
    whose = [*((CPS, ANETI) if row.is_kept else ()), *(() if row.is_shared_funder else (PARTNERS,))] if row is not None else []
    if whose:
        _close(change, aid, whose)
        change.note("sitting.file_closed", {"aide": aid, "whose": whose, "why": ""})


@orders.order("ordre.seance")
def _told(change: Change, payload: Mapping[str, Any]) -> None:
    held, aid, whose = change.held, str(payload["aide"]), [str(one) for one in payload["pour"]]
    if held.status != "open" or aid not in (held.scope.get("aide") or ()):
        return
    is_whole = set(whose) >= set(orders.EVERYBODY)
    rows = [row for row in change.session.execute(_TASKS, {"id": held.instance_id, "aid": f"aide:{aid}"}) if is_whole or (row.process == _STUDY and row.agency in whose)]
    _close(change, aid, whose)
    change.note("sitting.file_withdrawn" if is_whole else "sitting.file_closed", {"aide": aid, "whose": whose, "why": str(payload.get("motif") or "")})
    for row in rows:
        notices.tell(change.session, change.actor, row.holder_id, "task.set_aside", row.branch, instance_id=held.instance_id, task=row.names)
    if is_whole and not left(change):
        orders.end(change, NOTHING_LEFT)
    else:
        change.write()


def _close(change: Change, aid: str, whose: Collection[str]) -> None:
    for one in whose:
        change.send(MESSAGE, f"{aid} {one}", {})


def left(change: Change) -> list[str]:
    """The files of a sitting's agenda that are still its to decide, in their order."""
    aids = change.held.scope.get("aide") or []
    gone = set(change.session.execute(_ENDED, {"aids": [f"aide:{one}" for one in aids]}).scalars())
    return [one for one in aids if f"aide:{one}" not in gone]


@operations.operation("ordre_du_jour")
def freeze_agenda(change: Change, _parameters: Mapping[str, Any], _subject: str) -> operations.Outcome:
    """The files put down for a sitting, in the order they came: `dossiers`. Later ones go to the next sitting."""
    found = left(change)
    if not found:
        raise operations.CannotRun("operation.no_file")
    return operations.Outcome({"dossiers": [{"id": one} for one in found]})


@operations.operation("dossiers_decides")
def decided(change: Change, _parameters: Mapping[str, Any], _subject: str) -> operations.Outcome:
    """The files that a sitting decided: `decides`, without those it put off (none, where there was no quorum at all) and those withdrawn."""
    return operations.Outcome({"decides": [{"id": one} for one in left(change)]})
