"""Something unforeseen in a real browser: begun from the menu of a case's page with its one form, told there and drawn on the case's diagrams."""

import pytest
from playwright.sync_api import expect

from tests import world as worlds
from tests.browser.test_a_bad_line import come_back, wait_until_stored
from tests.browser.test_everybody_can_use_it import wrong_with


@pytest.fixture(scope="module")
def installed(make_database):
    return make_database(worlds.furnish)


@pytest.mark.parametrize(("language", "size", "script"), [("fr", "desk", True), ("ar", "phone", True), ("fr", "desk", False)])
def test_a_complaint_is_begun_from_the_menu(visit, world, case, language, size, script):
    page = visit("salma", language, size, script=script)
    before = world.nodes(case).count("T942")
    page.goto(f"/cases/{case}")
    page.click("#unforeseen > summary")
    page.locator(f"#unforeseen a[href='/cases/{case}/exceptions/reclamation']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/exceptions/reclamation")
    page.evaluate("scrollTo(0, document.body.scrollHeight)") if script else None  # what stays at the foot of the page covers no question there
    assert not script or wrong_with(page) == []
    page.locator("button[value=complete]").click()
    page.wait_for_selector("#summary")
    _fill(page, world)
    page.locator("button[value=complete]").click()
    page.wait_for_url(f"**/cases/{case}")
    world.settle()
    assert world.nodes(case).count("T942") == before + 1
    page.goto(f"/cases/{case}")
    assert page.locator("header a[href*='process=reclamation']").count() == before + 1
    if script:
        page.locator("header a[href*='process=reclamation']").first.click()
        page.wait_for_selector(".canvas .djs-element.masar-here[data-element-id=T942]")
        assert wrong_with(page) == []


def test_what_is_typed_survives_a_closed_tab_and_is_sent_once_over_a_line_that_failed_on_the_way_back(visit, world, case):
    page = visit("salma", size="phone")
    address, before = f"/cases/{case}/exceptions/reclamation", world.nodes(case).count("T942")
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    _fill(page, world)
    wait_until_stored(page)
    page.wait_for_timeout(500)  # the last of what is typed is put away a moment later
    again = come_back(page, address, "[name='reclamation.recit']", "J'attends depuis un mois.")
    again.route(f"**{address}", lambda route: (route.fetch(max_redirects=0), route.abort()))
    again.click("button[value=complete]")
    expect(again.locator("#trouble")).to_contain_text("partira toute seule")
    again.unroute(f"**{address}")
    again.evaluate("dispatchEvent(new Event('online'))")
    again.wait_for_url(f"**/cases/{case}")
    wait_until_stored(again, False)
    world.settle()
    assert world.nodes(case).count("T942") == before + 1


def _fill(page, world):
    today, date = world.today(), "[name='reclamation.recue_le"
    page.fill(f"{date}~day']", str(today.day))
    page.select_option(f"{date}~month']", index=today.month)
    page.fill(f"{date}~year']", str(today.year))
    for name, value in (("reclamation.canal", "guichet"), ("reclamation.objet", "delai"), ("reclamation.vise_chef", "false")):
        box = page.locator(f"[name='{name}']").first
        if box.evaluate("one => one.tagName") == "SELECT":
            box.select_option(value)
        else:
            page.locator(f"[name='{name}'][value='{value}']").press(" ")  # by keyboard: what stays at the foot of the page may cover it
    page.fill("[name='reclamation.recit']", "J'attends depuis un mois.")


@pytest.mark.parametrize("script", [True, False])
def test_an_emergency_of_now_is_dated_by_one_click(visit, world, case, script):
    page = visit("salma", "ar", script=script)
    page.goto(f"/cases/{case}/exceptions/urgence_sociale")
    page.click("button[value='today:urgence.signalee_le']")
    expect(page.locator("[name='urgence.signalee_le~year']")).to_have_value(str(world.today().year))
    assert len(page.locator("[name='urgence.signalee_le~hour']").input_value()) == 5
