"""Closed days, as administrators change them, and who is told: whoever has an appointment at an hour that was open and is not any more. It stays until she moves it; so does a deadline that was given."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, i18n
from engine.actors import accounts, authority
from engine.actors.branches import not_before_tomorrow
from engine.dossier import programmes
from engine.ledger import journal

Said = ParamSpec("Said")
_FARTHEST = 371  # days: as far as appointments are made
_TELL = text("SELECT masar_tell_closed(CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[]))")
_HOLIDAYS = text("SELECT day, names, is_estimate FROM holiday WHERE extract(year FROM day) = :year ORDER BY day")
_HOLIDAY = text("SELECT day, names, is_estimate FROM holiday WHERE day = :day")
_NAMES = text("SELECT names FROM holiday ORDER BY day")
_ADD_HOLIDAY = text("INSERT INTO holiday (day, names, is_estimate) VALUES (:day, CAST(:names AS jsonb), :estimate)")
_DROP_HOLIDAY = text("DELETE FROM holiday WHERE day = :day")


@dataclass(frozen=True)
class Holiday:
    """A closed day. `may`: whether it can still be changed."""

    day: dt.date
    names: Mapping[str, str]
    is_estimate: bool
    may: bool


def tells(change: Callable[Concatenate[Session, Said], None]) -> Callable[Concatenate[Session, Said], int]:
    """A change that may shorten hours returns how many appointments to come it leaves at a closed one; their agents are told."""

    @wraps(change)
    def changed(session: Session, /, *said: Said.args, **more: Said.kwargs) -> int:
        before = programmes.calendar_now(session)
        change(session, *said, **more)
        after, today = programmes.calendar_now(session), clock.today(clock.now(session))
        days = [today + dt.timedelta(days=number) for number in range(1, _FARTHEST)] if after != before else []
        lost = [(day, after.open_until(day), before.open_until(day)) for day in days if after.open_until(day) < before.open_until(day)]
        since, until = ([dt.datetime.combine(one[0], one[place], clock.TUNIS) for one in lost] for place in (1, 2))
        return session.execute(_TELL, {"since": since, "until": until}).scalar_one() if lost else 0

    return changed


def listed(session: Session, actor: Any, year: int) -> tuple[Holiday, ...]:
    """The closed days of a year. Refuses: Forbidden."""
    authority.require(actor, "admin.read")
    today = clock.today(clock.now(session))
    return tuple(Holiday(row.day, row.names, row.is_estimate, row.day > today) for row in session.execute(_HOLIDAYS, {"year": year}))


def feasts(session: Session) -> Mapping[str, Mapping[str, str]]:
    """The feasts of the calendar, by the English name that a period of shorter days goes by: what each is called. Two of one day stand in its names with a point between."""
    found: dict[str, Mapping[str, str]] = {}
    for names in session.execute(_NAMES).scalars():
        parts = {language: said.split(" · ") for language, said in names.items()}
        for place, code in enumerate(parts["en"]):
            found[code] = {language: each[place] for language, each in parts.items() if len(each) == len(parts["en"])}
    return found


@tells
def set_holiday(session: Session, actor: Any, day: dt.date, names: Mapping[str, str], is_estimate: bool, reason: str) -> None:
    """Closes the branches on a day to come, or names that day otherwise; an estimate is confirmed by saying it is none. Deadlines already given stay;
    whoever has an appointment then is told.

    Refuses: `dated.too_soon`, `branch.names`, `dated.same` (Conflict), `admin.reason`. Records: `holiday.set`.
    """
    authority.require(actor, "dated.write")
    reason = accounts.given_reason(reason)
    _, said = errors.together(lambda: not_before_tomorrow(session, day, "/day"), lambda: _names(names))
    known = session.execute(_HOLIDAY, {"day": day}).one_or_none()
    if known and (dict(known.names), known.is_estimate) == (said, is_estimate):
        raise errors.Conflict("dated.same")
    journal.append(session, actor, "holiday.set", f"holiday:{day.isoformat()}", {"names": said, "is_estimate": is_estimate, **({"was": dict(known.names)} if known else {})}, {"reason": reason})
    if known:
        session.execute(_DROP_HOLIDAY, {"day": day})
    session.execute(_ADD_HOLIDAY, {"day": day, "names": json.dumps(said, ensure_ascii=False), "estimate": is_estimate})


def move_holiday(session: Session, actor: Any, day: dt.date, to: dt.date, names: Mapping[str, str], is_estimate: bool, reason: str) -> int:
    """A feast falls on another day than was thought: closes the branches then, and opens them on the day it was. Returns as `tells` does.

    Refuses: as `set_holiday` and `drop_holiday` do; `dated.closed_then` (Conflict): another feast is that day. Records: `holiday.set`, `holiday.dropped`.
    """
    authority.require(actor, "dated.write")
    if session.execute(_HOLIDAY, {"day": to}).one_or_none() is not None:
        raise errors.Conflict("dated.closed_then")
    told = set_holiday(session, actor, to, names, is_estimate, reason)  # first: the short days before a feast go by its name
    drop_holiday(session, actor, day, reason)
    return told


@tells
def drop_holiday(session: Session, actor: Any, day: dt.date, reason: str) -> None:
    """Opens the branches on a day to come that was closed. Refuses: `dated.not_found`, `dated.too_soon`, `admin.reason`. Records: `holiday.dropped`."""
    authority.require(actor, "dated.write")
    reason = accounts.given_reason(reason)
    not_before_tomorrow(session, day, "/day")
    known = session.execute(_HOLIDAY, {"day": day}).one_or_none()
    if known is None:
        raise errors.NotFound("dated.not_found")
    journal.append(session, actor, "holiday.dropped", f"holiday:{day.isoformat()}", {"names": dict(known.names)}, {"reason": reason})
    session.execute(_DROP_HOLIDAY, {"day": day})


def _names(names: Mapping[str, str]) -> dict[str, str]:
    said = {language: " ".join(str(names.get(language, "")).split()) for language in i18n.LANGUAGES}
    if not all(0 < len(one) <= 200 and one.isprintable() for one in said.values()):
        raise errors.wrong("branch.names", "/names")
    return said
