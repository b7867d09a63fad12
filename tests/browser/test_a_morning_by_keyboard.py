"""An agent's morning without a mouse: she takes a task from the desk, fills it, goes on to the next, gives an appointment, says when she is away and who stands in."""

import datetime as dt

import pytest
from playwright.sync_api import expect

from tests import world as worlds

MOST = 130  # presses of Tab before a thing is out of reach
HERE = """async wanted => {
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
    const at = document.activeElement, ring = getComputedStyle(at), beneath = getComputedStyle(at, "::after")
    const seen = at === document.body || ring.outlineStyle !== "none" || ring.boxShadow !== "none" || beneath.outlineStyle !== "none" || at.matches(".file, .btn-check")
    const place = at.getBoundingClientRect()
    const over = document.elementFromPoint(place.left + place.width / 2, place.top + place.height / 2)?.closest(".staying, .bar, .bottom-bar, .selection")
    return { is: at.matches(wanted), seen, out: place.bottom < 0 || place.top > innerHeight || (over && !over.contains(at)), name: at.outerHTML.slice(0, 160) }
}"""
LOST = "() => document.activeElement === document.body"
UNANSWERED = """() => [...new Set([...document.querySelectorAll("#questions input[type=radio]")].map(one => one.name))]
    .filter(name => !document.querySelector(`[name="${name}"]:checked`))"""


@pytest.fixture(scope="module")
def installed(make_database):
    return make_database(worlds.furnish)


@pytest.fixture
def case(world, language):
    case_id = world.receive(world.somebody("emploi", 1 if language == "fr" else 2))
    for node in ("T101", "T102"):
        world.does(case_id, node)
    return case_id


def to(page, wanted, key="Tab"):
    """Presses Tab until the focus is on what is wanted: on each way there it can be seen, and it never stays where it is."""
    before = ""
    for _ in range(MOST):
        page.keyboard.press(key)
        here = page.evaluate(HERE, wanted)
        assert here["seen"], f"the focus cannot be seen on {here['name']}"
        assert not here["out"], f"the focus is off the screen on {here['name']}"
        if here["is"]:
            return
        before = here["name"]
    raise AssertionError(f"{wanted} is not reached; last on {before}")


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_a_morning(visit, world, case, language):
    page = visit("salma", language)
    page.keyboard.press("Tab")
    assert page.evaluate(HERE, "a.skip")["is"], "the first stop skips what every page begins with"
    page.keyboard.press("Enter")
    to(page, ".views a[href*='view=queue']")
    page.keyboard.press("Enter")
    expect(page.locator(".views a[aria-current]")).to_have_attribute("href", "/desk?view=queue")
    assert not page.evaluate(LOST), "the focus stays on the view that was chosen"

    # A task is taken in hand, and filled: what an answer opens is asked too, and takes no focus away.
    (task,) = [row.task_id for row in world.open_tasks(case) if row.node == "T104"]
    to(page, f".work li:has([href='/tasks/{task}']) [data-claim]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks/*")
    for _ in range(3):
        for name in page.evaluate(UNANSWERED):
            to(page, f"input[name='{name}']")
            page.keyboard.press("Space")
            page.wait_for_timeout(400)
            assert not page.evaluate(LOST), f"{name} took the focus away"
    assert page.evaluate(UNANSWERED) == []
    first = page.url
    to(page, "button[value=complete]")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/tasks/" in address and address != first)

    # The next task is an appointment: its hour is chosen from those that are free.
    to(page, f"a[href*='/cases/{case}/appointments/new?task=']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/appointments/new?*")
    to(page, ".slot input")
    page.keyboard.press("ArrowRight")
    to(page, "main form[method=post] button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/appointments/new" not in address)

    # She is away next week, and somebody stands in.
    to(page, "details.who > summary")
    page.keyboard.press("Enter")
    to(page, ".menu a[href='/account']")
    page.keyboard.press("Escape")
    assert page.evaluate(HERE, "details.who > summary")["is"], "Escape closes the menu and gives the focus back"
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    to(page, ".bar nav a[href='/leaves']", "Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/leaves")
    away = world.today() + dt.timedelta(days=7)
    for name, day in (("from_on", away), ("until_on", away + dt.timedelta(days=4))):
        to(page, f"#{name}-day")
        page.keyboard.type(f"{day:%d}")
        to(page, f"#{name}-month")
        page.keyboard.press("Home")
        for _ in range(day.month):
            page.keyboard.press("ArrowDown")
        to(page, f"#{name}-year")
        page.keyboard.type(f"{day:%Y}")
    to(page, "#stand_in")
    page.keyboard.press("ArrowDown")
    to(page, "main form[action='/leaves'][method=post] button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.locator(".notice-good")).to_be_visible()
    page.wait_for_url("**/leaves")
    to(page, "main form[action$='/end'] button")  # and takes it back
    page.keyboard.press("Enter")
    expect(page.locator("main form[action$='/end']")).to_have_count(0)
