"""The calendar as it was known at an instant: which days were closed and which were short, as they had been announced by then.

What is in force today is undone by the journal of administration, change by change. A feast that was moved moves the short days before it, so that working time counted of a past
week may be another today. Not here: the calendar of today (`programmes.dated`).
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlmodel import Session

from engine.dossier import programmes
from engine.workdays import Calendar

_HOLIDAYS = text("SELECT day, names ->> 'en' AS name FROM holiday")
_CHANGES = text("SELECT at, kind, about, body FROM masar_calendar_changes()")
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Calendars:
    """`known[0]` until `since[0]`, then `known[1]`, and so on to today's."""

    since: tuple[dt.datetime, ...]
    known: tuple[Calendar, ...]

    def at(self, instant: dt.datetime) -> Calendar:
        """The calendar that was known at an instant."""
        return self.known[bisect_right(self.since, instant)]


@dataclass
class _Then:
    """Closed days with their English names, and the versions of the parameter of short days by their first day; undone step by step."""

    closed: dict[dt.date, str]
    short: dict[dt.date, dict[str, Any]]

    def calendar(self) -> Calendar:
        days = [programmes.Closed(day, name) for day, name in sorted(self.closed.items())]
        return Calendar(frozenset(self.closed), programmes.short_days(self.short.values(), days))

    def undo(self, kind: str, about: str, body: Mapping[str, Any], values: Mapping[dt.date, Any]) -> None:
        """Takes a change back: `values` are those of versions of short days that were taken back since."""
        if kind == "holiday.set":
            day = dt.date.fromisoformat(about)
            self.closed.pop(day, None)
            if body.get("was"):
                self.closed[day] = body["was"]["en"]
        elif kind == "holiday.dropped":
            self.closed[dt.date.fromisoformat(about)] = body["names"]["en"]
        else:
            first = dt.date.fromisoformat(body["valid_from"])
            before = next((row for row in self.short.values() if row["valid_to"] in (None, first - _DAY) and row["valid_from"] < first), None)
            if kind == "parameter.set":
                self.short.pop(first, None)
                if before is not None:
                    before["valid_to"] = None
            elif first in values:  # parameter.taken_back
                self.short[first] = {"code": programmes.SHORT_DAYS, "valid_from": first, "valid_to": None, "value": values[first]}
                if before is not None:
                    before["valid_to"] = first - _DAY


_kept: WeakKeyDictionary[Any, tuple[int, Calendars]] = WeakKeyDictionary()  # by the database's engine


def of(session: Session) -> Calendars:
    """The calendars since ever, from memory when nothing changed."""
    database, tables = session.get_bind(), programmes.dated(session)
    kept = _kept.get(database)
    if kept is None or kept[0] != tables.version:
        kept = _kept[database] = (tables.version, _read(session, tables))
    return kept[1]


def _read(session: Session, tables: programmes.DatedTables) -> Calendars:
    changes = session.execute(_CHANGES).all()
    if not changes:
        return Calendars((), (tables.calendar,))
    now = _Then({row.day: row.name or "" for row in session.execute(_HOLIDAYS)}, {row["valid_from"]: dict(row) for row in tables.parameters if row["code"] == programmes.SHORT_DAYS})
    values = {dt.date.fromisoformat(one.body["valid_from"]): one.body["value"] for one in changes if one.kind == "parameter.set"}
    known, since = [tables.calendar], []
    for one in reversed(changes):
        now.undo(one.kind, one.about, one.body, values)
        since.append(one.at)
        known.append(now.calendar())
    return Calendars(tuple(reversed(since)), tuple(reversed(known)))
