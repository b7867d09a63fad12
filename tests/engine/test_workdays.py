"""Delays as the offices count them."""

import datetime as dt

import pytest

from engine.clock import TUNIS
from engine.workdays import Calendar

PLAIN = Calendar()


def at(day: int, hour: int = 10, month: int = 3) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, tzinfo=TUNIS)  # 2 March 2026 is a Monday


@pytest.mark.parametrize(
    ("since", "number", "unit", "due"),
    [
        (at(2), 0, "jours_ouvres", at(2, 17)),
        (at(2), 2, "jours_ouvres", at(4, 17)),
        (at(6), 1, "jours_ouvres", at(9, 17)),
        (at(7), 0, "jours_ouvres", at(9, 17)),
        (at(2), 5, "jours", at(9, 17)),
        (at(2), 30, "jours", at(1, 17, month=4)),
        (at(2, 16), 4, "heures_ouvrees", at(3, 11)),
        (at(6, 16), 4, "heures_ouvrees", at(9, 11)),
        (at(7, 3), 4, "heures_ouvrees", at(9, 12)),
        (at(2, 10), 4, "heures_ouvrees", at(2, 14)),
    ],
)
def test_a_delay_ends_when_the_office_can_still_act(since, number, unit, due):
    assert PLAIN.due(since, number, unit) == due


def test_a_holiday_is_no_working_day():
    eve = Calendar(holidays=frozenset({dt.date(2026, 3, 20)}))  # Independence day, a Friday
    assert eve.due(at(19), 1, "jours_ouvres") == at(23, 17)


def test_single_session_days_close_at_two():
    summer = Calendar(single_session=((dt.date(2026, 3, 1), dt.date(2026, 3, 31)),))
    assert summer.due(at(2, 13), 2, "heures_ouvrees") == at(3, 9)
    assert summer.due(at(2), 0, "jours_ouvres") == at(2, 14)


@pytest.mark.parametrize(
    ("date", "shift", "unit", "due"),
    [
        (dt.date(2026, 3, 20), -2, "jours_ouvres", at(18, 17)),
        (dt.date(2026, 3, 15), -2, "jours_ouvres", at(12, 17)),  # a Sunday: Friday and Thursday before it
        (dt.date(2026, 3, 20), 0, "jours", at(20, 17)),
        (dt.date(2026, 3, 20), 1, "jours", at(23, 17)),
        (dt.date(2026, 3, 2), 0, "jours_ouvres", at(2, 17)),
        (dt.date(2026, 3, 3), -2, "jours_ouvres", at(3, 17)),  # gone by: one working day from now, Monday the 2nd
    ],
)
def test_what_is_due_by_a_date_is_due_at_the_close_of_its_day_or_at_once(date, shift, unit, due):
    assert PLAIN.by(at(2), date, shift, unit) == due


@pytest.mark.parametrize("closing", [17, 14])
def test_what_is_given_after_the_offices_closed_is_not_late_from_its_first_minute(closing):
    short = Calendar(single_session=((dt.date(2026, 3, 1), dt.date(2026, 3, 31)),)) if closing == 14 else PLAIN
    evening = at(6, closing)  # a Friday: what is due that day is over
    assert short.due(evening, 0, "jours_ouvres") == at(9, closing) == short.by(evening, dt.date(2026, 3, 6), 0, "jours")
    assert short.due(evening - dt.timedelta(minutes=1), 0, "jours_ouvres") == at(6, closing) == short.by(evening - dt.timedelta(minutes=1), dt.date(2026, 3, 8), -1, "jours_ouvres")


def test_working_days_backwards_for_a_preparation():
    assert PLAIN.shift(dt.date(2026, 3, 9), -2) == dt.date(2026, 3, 5)


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        (at(2, 10), at(2, 12), 2),
        (at(2, 16), at(3, 9), 2),
        (at(6, 16), at(9, 9), 2),
        (at(7, 10), at(8, 22), 0),
        (at(2, 3), at(2, 23), 9),
        (at(3), at(2), 0),
        (at(2, 8), at(9, 8), 45),
    ],
)
def test_time_that_passes_while_the_offices_are_open(since, until, hours):
    assert PLAIN.open_time(since, until) == dt.timedelta(hours=hours)
    closed, short = Calendar(frozenset({dt.date(2026, 3, 2)})), Calendar(single_session=((dt.date(2026, 3, 2), dt.date(2026, 3, 2)),))
    assert (closed.open_time(at(2, 8), at(3, 9)), short.open_time(at(2, 8), at(3, 9))) == (dt.timedelta(hours=1), dt.timedelta(hours=7))
