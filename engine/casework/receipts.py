"""What the holder of a receipt may know without an account: the stage, who is waited for, the next date. No name, no content, no reason."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

_RECEIPT = text("SELECT stage, status, agency, waiting_since, next_due FROM masar_receipt(:code)")


@dataclass(frozen=True)
class Receipt:
    """Where a case stands, for its own person. `agency` is "" when nobody is waited for."""

    stage: str
    is_closed: bool
    agency: str
    since: dt.datetime | None
    due: dt.datetime | None


def look_up(session: Session, code: str) -> Receipt | None:
    """The case of a receipt's code; None when there is none."""
    row = session.execute(_RECEIPT, {"code": code.upper()}).one_or_none()
    return row and Receipt(row.stage, row.status == "ended", row.agency or "", row.waiting_since, row.next_due)
