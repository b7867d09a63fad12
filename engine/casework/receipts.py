"""What the holder of a receipt may know without an account: the stage, who is waited for, the next date. No name, no content, no reason.

And the receipt's verifiable form: the ledger line that wrote the paper, and that it stands in the log; checked offline by `ledger/verify_receipt.py`.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.ledger import access, log, slip

FORMAT = "masar-receipt/1"
_LINE = text("SELECT instance_id, seq, line, hash, person_id, ciphertext, log_index FROM masar_log_receipt(:code)")
_CASE = text("SELECT i.branch, r.is_kept FROM instance i JOIN instance r ON r.instance_id = i.root_id WHERE i.instance_id = :id")
_RECEIPT = text("SELECT stage, status, agency, waiting_since, next_due FROM masar_receipt(:code)")
_NEXT = text("SELECT opened_at, person_since, begins_at, ends_at, place, branch, agency FROM masar_receipt_next(:code)")


@dataclass(frozen=True)
class NextAppointment:
    """When and where she is expected, and by which agency."""

    begins_at: dt.datetime
    ends_at: dt.datetime
    place: str
    branch: str
    agency: str


@dataclass(frozen=True)
class Receipt:
    """Where a case stands, for its own person. `agency` is "" when nobody is waited for; `asked_on`: when the case was opened; `person_since`: since when
    something is awaited of the person herself, None where nothing is."""

    stage: str
    is_closed: bool
    agency: str
    since: dt.datetime | None
    due: dt.datetime | None
    asked_on: dt.datetime | None = None
    person_since: dt.datetime | None = None
    appointment: NextAppointment | None = None


def look_up(session: Session, code: str) -> Receipt | None:
    """The case of a receipt's code; None when there is none."""
    row = session.execute(_RECEIPT, {"code": code.upper()}).one_or_none()
    if row is None:
        return None
    more = session.execute(_NEXT, {"code": code.upper()}).one()
    following = NextAppointment(more.begins_at, more.ends_at, more.place, more.branch, more.agency) if more.begins_at else None
    return Receipt(row.stage, row.status == "ended", row.agency or "", row.waiting_since, row.next_due, more.opened_at, more.person_since, following)


def proof(session: Session, code: str) -> Mapping[str, Any]:
    """The verifiable form of the paper with that code. It tells nothing of the person: the line names acts and steps, and commits to the code alone here.

    Refuses: `receipt.not_found` (NotFound), `receipt.not_sealed` (Conflict: within a minute it will be).
    """
    row = session.execute(_LINE, {"code": code.upper()}).one_or_none()
    if row is None:
        raise errors.NotFound("receipt.not_found")
    place = _place(session, row)
    if place is None:
        raise errors.Conflict("receipt.not_sealed")
    return {
        "format": FORMAT, "code": code.upper(), "line": row.line, "opening": _opening(session, row), "log": place,
        "keys": log.key_chain(session), "witnesses": [{"key": str(key), "agency": agency} for key, agency in log.witnesses(session)],
    }  # fmt: skip


def printed(session: Session, code: str) -> str:
    """What the square code on that paper holds: the same in short (`ledger.slip`); before its line is sealed, the line alone. "" where no line wrote the paper."""
    row = session.execute(_LINE, {"code": code.upper()}).one_or_none()
    return slip.write(code.upper(), row.line, _opening(session, row), _place(session, row), log.key_chain(session)) if row else ""


def _place(session: Session, row: Any) -> Mapping[str, Any] | None:
    under = log.best_for(session, row.log_index) if row.log_index is not None else None
    if under is None:
        return None
    found = log.included(session, row.log_index, row.instance_id, row.seq, bytes(row.hash), under)
    return {"index": found.index, "proof": found.proof, "checkpoint": found.checkpoint}


def _opening(session: Session, row: Any) -> Mapping[str, Any] | None:
    return access.opening(session, row.instance_id, row.seq, row.person_id, row.ciphertext, "code") if row.ciphertext else None


def entry(session: Session, actor: Any, instance_id: UUID, seq: int) -> log.Inclusion:
    """That a line of a case stands in the log. Refuses: `case.not_found`, `log.no_such_entry` (NotFound), `receipt.not_sealed` (Conflict)."""
    row = session.execute(_CASE, {"id": instance_id}).one_or_none()
    if row is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "history.read", branch=row.branch, case=row)
    found = log.inclusion(session, instance_id, seq)
    if found is not None:
        return found
    if session.execute(text("SELECT true FROM ledger_line WHERE instance_id = :id AND seq = :seq"), {"id": instance_id, "seq": seq}).scalar():
        raise errors.Conflict("receipt.not_sealed")
    raise errors.NotFound("log.no_such_entry")


def as_file(found: Mapping[str, Any]) -> bytes:
    """The verifiable form as the file that is kept."""
    return json.dumps(found, ensure_ascii=False, indent=1).encode()
