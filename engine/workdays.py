"""Working time in Tunisia: when a delay of so many days, working days or open hours is over.

Monday to Friday, less the holidays of a table that an administrator edits; shorter days (séance unique: Ramadan, summer) are periods
of that table too. A delay in days ends at the close of its last day, since an adviser works a day, not a second.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.clock import TUNIS

OPENING, CLOSING, CLOSING_SINGLE_SESSION = dt.time(8), dt.time(17), dt.time(14)
UNITS = ("jours", "jours_ouvres", "heures_ouvrees")


@dataclass(frozen=True)
class Calendar:
    """`holidays`: closed days; `single_session`: periods (first, last) that close at 14:00."""

    holidays: frozenset[dt.date] = frozenset()
    single_session: tuple[tuple[dt.date, dt.date], ...] = field(default=())

    def is_open(self, day: dt.date) -> bool:
        return day.weekday() < 5 and day not in self.holidays

    def closing(self, day: dt.date) -> dt.time:
        short = any(first <= day <= last for first, last in self.single_session)
        return CLOSING_SINGLE_SESSION if short else CLOSING

    def open_until(self, day: dt.date) -> dt.time:
        """When the branches close on a day; on a closed one, when they would have opened."""
        return self.closing(day) if self.is_open(day) else OPENING

    def hours_of(self, day: dt.date) -> dt.timedelta:
        """How long the branches are open on an open day."""
        return dt.datetime.combine(day, self.closing(day)) - dt.datetime.combine(day, OPENING)

    def has_room(self, since: dt.datetime, until: dt.datetime) -> bool:
        """Whether a branch is open from one instant to the other, both of one day."""
        first, last = since.astimezone(TUNIS), until.astimezone(TUNIS)
        day = first.date()
        return since < until and last.date() == day and self.is_open(day) and first.time() >= OPENING and last.time() <= self.closing(day)

    def starts(self, day: dt.date, length: dt.timedelta, step: dt.timedelta) -> list[dt.datetime]:
        """The UTC instants of a day at which something of that length may begin within opening hours, each `step` after the one before; none on a closed day."""
        begins, found = dt.datetime.combine(day, OPENING, TUNIS).astimezone(dt.UTC), []
        while self.has_room(begins, begins + length):
            found.append(begins)
            begins += step
        return found

    def open_from(self, instant: dt.datetime) -> dt.datetime:
        """The UTC instant itself when the branch is open then, else when it opens next."""
        local = instant.astimezone(TUNIS)
        day = local.date()
        if self.is_open(day) and OPENING <= local.time() < self.closing(day):
            return instant
        if not self.is_open(day) or local.time() >= OPENING:
            day = self.shift(day, 1)
        return dt.datetime.combine(day, OPENING, TUNIS).astimezone(dt.UTC)

    def due(self, since: dt.datetime, number: float, unit: str) -> dt.datetime:
        """The UTC instant at which a delay counted from `since` is over.

        `jours`: calendar days, moved to the next working day when the last is closed (an office cannot act on it);
        `jours_ouvres`: working days, the first being the day after; 0 is the end of the same day, of the next where that is over; `heures_ouvrees`: opening hours.
        """
        local = since.astimezone(TUNIS)
        if unit == "heures_ouvrees":
            return self._after_hours(local, dt.timedelta(hours=number))
        day = local.date()
        if unit == "jours":
            day += dt.timedelta(days=int(number))
            while not self.is_open(day):
                day += dt.timedelta(days=1)
        elif unit == "jours_ouvres":
            day = self.shift(day, int(number))
        else:
            raise ValueError(f"unit of delay: {unit!r}")
        closes = self._closes(day)
        return closes if closes > since else self._closes(self.shift(day, 1))

    def by(self, since: dt.datetime, date: dt.date, shift: int, unit: str) -> dt.datetime:
        """The close of the day `shift` units (`jours`, `jours_ouvres`) after a date, or of the next working day where it is closed.

        A day gone by at `since`, or over by then, gives one working day from then: what can no longer be in time is to be done at once.
        """
        closes = self._closes(self.shift(date, shift) if unit == "jours_ouvres" else self.shift(date + dt.timedelta(days=shift), 0))
        return closes if closes > since else self.due(since, 1, "jours_ouvres")

    def shift(self, day: dt.date, number: int) -> dt.date:
        """`number` working days after (or, negative, before) `day`; with 0, `day` itself or the next working day."""
        step = dt.timedelta(days=1 if number >= 0 else -1)
        while number == 0 and not self.is_open(day):
            day += step
        for _ in range(abs(number)):
            day += step
            while not self.is_open(day):
                day += step
        return day

    def open_days(self, first: dt.date, last: dt.date) -> int:
        """Working days after `first`, up to and with `last`."""
        return sum(self.is_open(first + dt.timedelta(days=number)) for number in range(1, (last - first).days + 1))

    def open_time(self, since: dt.datetime, until: dt.datetime) -> dt.timedelta:
        """How long the branches were open between two instants."""
        first, last = since.astimezone(TUNIS), until.astimezone(TUNIS)
        total, day = dt.timedelta(), first.date()
        while day <= last.date():
            if self.is_open(day):
                opening = max(dt.datetime.combine(day, OPENING, TUNIS), first)
                total += max(min(dt.datetime.combine(day, self.closing(day), TUNIS), last) - opening, dt.timedelta())
            day += dt.timedelta(days=1)
        return total

    def _closes(self, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, self.closing(day), TUNIS).astimezone(dt.UTC)

    def _after_hours(self, local: dt.datetime, left: dt.timedelta) -> dt.datetime:
        day, start = local.date(), local.timetz().replace(tzinfo=None)
        while True:
            if self.is_open(day):
                opening = dt.datetime.combine(day, max(start, OPENING))
                closing = dt.datetime.combine(day, self.closing(day))
                if opening < closing and left <= closing - opening:
                    return (opening + left).replace(tzinfo=TUNIS).astimezone(dt.UTC)
                left -= max(closing - opening, dt.timedelta())
            day, start = day + dt.timedelta(days=1), dt.time()


@dataclass(frozen=True)
class Present:
    """Business time now, and the calendar that is in force."""

    at: dt.datetime
    calendar: Calendar = field(default_factory=Calendar)


def calendar(holidays: Iterable[dt.date], single_session: Iterable[tuple[dt.date, dt.date]] = ()) -> Calendar:
    return Calendar(frozenset(holidays), tuple(single_session))
