"""Babel for fr-TN, ar-TN and en, Western digits, Tunisian months, three decimals."""

import datetime as dt

import pytest

from engine.workdays import Calendar, Present
from web.formatting import Words, without_bidi_controls

NOW = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
PRESENT = Present(NOW)


@pytest.mark.parametrize(
    ("language", "written"), [("fr", "3 juillet 2026"), ("ar", "3 جويلية 2026"), ("en", "3 July 2026")]
)
def test_a_day_is_written_with_the_months_of_the_country(language, written):
    assert Words(language).date(dt.date(2026, 7, 3)) == written


@pytest.mark.parametrize(("value", "written"), [("2024", "2024"), ("2024-03", "mars 2024"), ("2024-03-09", "9 mars 2024"), ("", ""), (None, "")])
def test_a_date_known_in_part_is_written_in_part(value, written):
    assert Words("fr").date(value) == written


def test_an_instant_is_told_at_tunis_time_on_twenty_four_hours():
    late = dt.datetime(2026, 11, 24, 23, 30, tzinfo=dt.UTC)
    assert Words("fr").time(late) == "00:30"
    assert Words("fr").date(late) == "25 novembre 2026"


@pytest.mark.parametrize(("language", "written"), [("fr", "1\u202f250,500\u00a0DT"), ("ar", "1\u202f250,500\u00a0د.ت"), ("en", "1,250.500\u00a0TND")])
def test_money_has_three_decimals_and_western_digits(language, written):
    assert Words(language).money(1_250_500) == written


def test_a_deadline_is_said_in_working_days_as_people_say_it():
    fr = Words("fr")
    at = lambda **more: fr.due(NOW + dt.timedelta(**more), PRESENT)  # noqa: E731
    assert at(hours=2) == "Aujourd'hui"
    assert at(days=1) == "Demain"
    assert at(days=6) == "Dans 4 jours ouvrés", "a week-end lies between"
    assert at(days=-1) == "1 jour ouvré de retard"
    assert at(days=-4) == "2 jours ouvrés de retard"
    assert at(days=100) == "Le 4 mars 2027", "far off, a date says more"
    assert fr.due(None, PRESENT) == "Sans échéance"


def test_a_day_off_is_no_working_day_and_lateness_of_a_week_end_is_none():
    fr, saturday = Words("fr"), dt.datetime(2026, 11, 28, 9, tzinfo=dt.UTC)
    feast = Present(NOW, Calendar(frozenset({dt.date(2026, 11, 26)})))
    assert fr.due(NOW + dt.timedelta(days=6), feast) == "Dans 3 jours ouvrés"
    assert fr.due(saturday - dt.timedelta(days=1), Present(saturday)) == "Échéance dépassée"
    assert (fr.urgency(NOW + dt.timedelta(days=2), PRESENT), fr.urgency(NOW + dt.timedelta(days=6), PRESENT)) == ("due", "good")


@pytest.mark.parametrize(
    ("days", "written"), [(1, "تأخير بيوم عمل"), (4, "تأخير بيومي عمل"), (5, "تأخير بـ3 أيام عمل"), (15, "تأخير بـ11 يوم عمل"), (140, "تأخير بـ100 يوم عمل")]
)
def test_arabic_counts_with_its_own_plurals(days, written):
    assert Words("ar").due(NOW - dt.timedelta(days=days), PRESENT) == written


def test_characters_that_turn_a_line_around_are_not_printed():
    assert without_bidi_controls("a\u202eb\u2066c\u2069") == "abc"
