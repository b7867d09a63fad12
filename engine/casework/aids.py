"""The money of aids: what each dossier committed, was paid, gave back and released, and a programme's ledger, which is their sum (`doctor`, I9). It looks; operations move it (`aid_operations`)."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.i18n import pick

_SUMS = """coalesce(sum(m.amount_millimes) FILTER (WHERE m.kind IN ('committed', 'brought_committed')), 0)::bigint AS committed,
           coalesce(sum(m.amount_millimes) FILTER (WHERE m.kind IN ('paid', 'advanced', 'brought_paid')), 0)::bigint AS paid,
           coalesce(sum(m.amount_millimes) FILTER (WHERE m.kind IN ('paid')), 0)::bigint AS paid_of_committed,
           coalesce(sum(m.amount_millimes) FILTER (WHERE m.kind = 'released'), 0)::bigint AS released,
           coalesce(sum(m.amount_millimes) FILTER (WHERE m.kind = 'recovered'), 0)::bigint AS recovered"""
# What comes back by a plan beside the case (X11) is its aid's, whoever entered it: each aid has one dossier, which committed or advanced its money.
_BY_AID = """SELECT aid_id, kind, amount_millimes, first_value(instance_id) OVER (PARTITION BY aid_id ORDER BY kind = 'recovered', movement_id) AS instance_id
               FROM fund_movement WHERE programme = :code"""
_OF_PROGRAMME = text(f"""SELECT m.aid_id, m.instance_id, i.root_id, r.number, i.status, i.outcome, {_SUMS} FROM ({_BY_AID}) m LEFT JOIN instance i ON i.instance_id = m.instance_id
                          LEFT JOIN instance r ON r.instance_id = i.root_id GROUP BY m.aid_id, m.instance_id, i.root_id, r.number, i.status, i.outcome
                         ORDER BY r.number NULLS FIRST, m.aid_id""")
_OF_AID = text(f"SELECT {_SUMS} FROM fund_movement m WHERE m.aid_id = :aid")
_MOVES = text("SELECT kind, amount_millimes, moved_at FROM fund_movement WHERE aid_id = :aid ORDER BY movement_id")
_FUNDS = text("""SELECT f.programme, f.available_millimes AS available, f.engaged_millimes AS committed, f.paid_millimes AS paid, f.recovered_millimes AS recovered,
                        (SELECT p.content -> 'label' FROM programme p WHERE p.code = f.programme
                          ORDER BY p.valid_from <= (masar_now() AT TIME ZONE 'Africa/Tunis')::date DESC, p.version DESC LIMIT 1) AS labels
                   FROM fund f WHERE :code = '' OR f.programme = :code ORDER BY f.programme""")
_WAITING = text("""SELECT w.aid_id, w.class, w.asked_on, w.instance_id, r.instance_id AS root_id, r.number FROM fund_waiting w JOIN instance i ON i.instance_id = w.instance_id AND i.status = 'open'
                     JOIN instance r ON r.instance_id = i.root_id WHERE w.programme = :code ORDER BY w.class DESC, w.asked_on, w.arrival""")
_PLACE = text("SELECT place, waiting FROM masar_place_in_line(CAST(:aid AS uuid))")


@dataclass(frozen=True)
class Balance:
    """A programme's fund, in millimes: what is free, committed and not yet paid, paid, and come back of what was paid."""

    programme: str
    label: str
    available: int
    committed: int
    paid: int
    recovered: int


@dataclass(frozen=True)
class Money:
    """What one dossier moved in its fund, in millimes; `moves`: kind, amount and when, in order."""

    committed: int = 0
    paid: int = 0
    released: int = 0
    recovered: int = 0
    moves: tuple[tuple[str, int, dt.datetime], ...] = ()


@dataclass(frozen=True)
class DossierRow:
    """A dossier's line in its programme's ledger; without ids where it is what was there before movements were kept, or a forgotten person's."""

    committed: int
    paid: int
    released: int
    recovered: int
    number: str = ""
    dossier_id: UUID | None = None
    case_id: UUID | None = None
    is_open: bool = False


@dataclass(frozen=True)
class InLine:
    """A dossier that waits for money: served by class, then by the day it was asked."""

    number: str
    dossier_id: UUID
    case_id: UUID
    vulnerability: int
    asked_on: dt.date


@dataclass(frozen=True)
class Ledger:
    """A programme's ledger. `is_whole`: the reader sees every dossier of it; `is_even`: they add up to the fund (None where she does not see all)."""

    fund: Balance
    rows: tuple[DossierRow, ...]
    waiting: tuple[InLine, ...]
    is_whole: bool
    is_even: bool | None

    @property
    def total(self) -> DossierRow:
        """The sum of the dossiers shown."""
        return DossierRow(*(sum(getattr(row, name) for row in self.rows) for name in ("committed", "paid", "released", "recovered")))


def funds(session: Session, actor: Any) -> tuple[Balance, ...]:
    """Every programme's fund. Refuses: Forbidden."""
    authority.require(actor, "fund.read", branch=actor.branch)
    return tuple(_fund(row, actor) for row in session.execute(_FUNDS, {"code": ""}))


def ledger(session: Session, actor: Any, programme: str) -> Ledger:
    """A programme's ledger, dossier by dossier, as far as the reader reaches. Refuses: Forbidden; `programme.not_found`."""
    authority.require(actor, "fund.read", branch=actor.branch)
    row = session.execute(_FUNDS, {"code": programme}).one_or_none() if programme else None
    if row is None:
        raise errors.NotFound("programme.not_found")
    fund, moved = _fund(row, actor), session.execute(_OF_PROGRAMME, {"code": programme}).all()
    is_whole = actor.reach == "all"
    committed = sum(one.committed - one.paid_of_committed - one.released for one in moved)
    is_even = (fund.committed, fund.paid, fund.recovered) == (committed, sum(one.paid for one in moved), sum(one.recovered for one in moved)) if is_whole else None
    waiting = tuple(InLine(one.number or "", one.instance_id, one.root_id, one._mapping["class"], one.asked_on) for one in session.execute(_WAITING, {"code": programme}))
    return Ledger(fund, _rows(moved), waiting, is_whole, is_even)


def money(session: Session, aid_id: str) -> Money:
    """What a dossier moved, as far as the reader reaches it."""
    row = session.execute(_OF_AID, {"aid": aid_id}).one()
    moves = tuple((one.kind, int(one.amount_millimes), one.moved_at) for one in session.execute(_MOVES, {"aid": aid_id}))
    return Money(row.committed, row.paid, row.released, row.recovered, moves)


def fund_of(session: Session, actor: Any, programme: str) -> Balance | None:
    """The fund of a dossier's programme."""
    row = session.execute(_FUNDS, {"code": programme}).one_or_none() if programme else None
    return _fund(row, actor) if row is not None else None


def place(session: Session, aid_id: str) -> tuple[int, int] | None:
    """Where a dossier stands in its programme's waiting list, and how many wait; None where it waits for no money."""
    row = session.execute(_PLACE, {"aid": aid_id}).one_or_none()
    return (row.place, row.waiting) if row is not None else None


def _fund(row: Any, actor: Any) -> Balance:
    return Balance(row.programme, pick(row.labels or {}, actor.language) or row.programme, row.available, row.committed, row.paid, row.recovered)


def _rows(moved: Sequence[Any]) -> tuple[DossierRow, ...]:
    return tuple(DossierRow(one.committed, one.paid, one.released, one.recovered, one.number or "", one.instance_id if one.root_id else None, one.root_id, one.status == "open")
                 for one in moved)  # fmt: skip
