"""An appointment in a real browser: an hour chosen by keyboard, told on the agenda, without script too, and what came of it."""

import os

import icalendar
import pytest

from engine import clock
from tests import world as worlds
from tests.browser.test_everybody_can_use_it import wrong_with


@pytest.fixture(scope="module")
def installed(make_database):
    return make_database(worlds.furnish)


@pytest.fixture(scope="module")
def case(world):
    case_id = world.receive(world.somebody("emploi"))
    for node in ("T101", "T102"):
        world.does(case_id, node)
    return case_id


def keep(page, name):
    if folder := os.environ.get("MASAR_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize(("language", "size", "script"), [("fr", "desk", True), ("ar", "phone", False)])
def test_an_hour_is_chosen_and_stands_on_the_agenda(visit, world, case, language, size, script):
    page = visit("salma", language, size, script=script)
    page.goto(f"/cases/{case}")
    page.locator(f"a[href='/cases/{case}/appointments/new']").click()
    keep(page, f"choose-{language}")
    assert not script or wrong_with(page) == []
    if script:  # what is chosen above is what the hours below are of, at once: nobody agrees on half an hour who chose two
        page.select_option("#minutes", "120")
        page.wait_for_function("() => document.querySelector('#free input[name=minutes]').value === '120'")
        assert page.locator("#minutes").input_value() == "120" and "minutes=120" in page.url
    page.locator(".slot label").first.click()
    page.locator("main form[method=post] button[type=submit]").click()
    page.wait_for_selector("a[href$='appointment.ics']")
    keep(page, f"appointment-{language}")
    assert not script or wrong_with(page) == []
    found = icalendar.Calendar.from_ical(page.request.get(page.locator("a[href$='appointment.ics']").get_attribute("href")).body())
    (event,) = [one for one in found.walk("VEVENT")]
    shown = page.locator("main time").first.get_attribute("datetime")
    assert event["dtstart"].dt.astimezone(clock.TUNIS).strftime("%H:%M") in page.locator("main time").first.inner_text(), shown
    names = [str(value) for key, value in world.truth[case].items() if key in ("person.nom_fr", "person.nom_ar", "person.prenom_fr", "person.tel") and value]
    assert "TN-MED" in str(event["summary"]) and not any(name in str(event.to_ical().decode()) for name in names)
    page.goto("/appointments?of=branch")
    keep(page, f"agenda-{language}")
    assert page.locator(".agenda-entry").count() >= 1 or page.locator("a[href*='day=']").count()
    assert not script or wrong_with(page) == []
