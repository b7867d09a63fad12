"""A case replayed in a real browser by an auditor: stepped, dragged, jumped through, compared, by keyboard and without script; axe in French and in Arabic."""

import datetime as dt
import os

import pytest

from engine.actors import users
from engine.casework import snapshots
from engine import clock
from engine.demo import play, stories
from tests import world as worlds
from tests.browser.test_everybody_can_use_it import wrong_with

TODAY = dt.date(2026, 11, 24)
AUDITOR = "auditeur"


@pytest.fixture(scope="module")
def installed(make_database):
    return make_database(worlds.furnish)


@pytest.fixture(scope="module")
def cases(installed):
    """A mother of two helped with her rent, and a man whose case is younger, on the real pathway."""
    database = installed
    samia, walid = stories.mother_in_sfax(TODAY), stories.pizzeria_of_zarzis(TODAY)
    staff = play.Player(database)
    with database.unit_of_work(users.system()) as session:
        clock.advance(session, (worlds.clock_at(samia.arrives_on) - clock.now(session)).total_seconds())
    case_id = staff.receive(samia)
    staff.until(worlds.clock_at(samia.arrives_on + dt.timedelta(days=9)))
    other_id = staff.receive(walid)
    staff.until(worlds.clock_at(samia.arrives_on + dt.timedelta(days=11)))
    with database.unit_of_work(users.system()) as session:
        for (one,) in snapshots.due(session):
            snapshots.keep(session, worlds.UUID(one))
    return case_id, other_id


@pytest.fixture
def watch(visit):
    """The auditor's window on an address, in a language."""

    def make(where, language="fr", size="desk", **more):
        page = visit(AUDITOR, language, size, **more)
        page.goto(where)
        return page

    return make


def seen(page, name):
    """A picture to look at, where somebody asked for some."""
    if folder := os.environ.get("MASAR_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def seq(page):
    return int(page.locator("#moment").get_attribute("data-seq"))


def test_an_auditor_watches_a_case_happen_again(watch, cases):
    page = watch(f"/cases/{cases[0]}?tab=history")
    page.click("text=Rejouer ce dossier")
    page.wait_for_selector(".canvas .masar-here")
    assert seq(page) > 1 and page.locator("#at").input_value() == str(seq(page))
    seen(page, "player-first-fr")
    drawn = page.locator(".canvas .djs-container").element_handle()
    # Keyboard: a step, the next hand-over, and back; the diagram stays and is marked anew, the place is announced, the address follows.
    here = seq(page)
    page.keyboard.press(".")
    page.wait_for_function("seq => Number(document.querySelector('#moment').dataset.seq) > seq", arg=here)
    assert drawn.is_visible() or page.locator(".canvas").count() == 1
    assert page.inner_text("#announced").startswith(f"Ligne {seq(page)} sur") and f"at={seq(page)}" in page.url
    here = seq(page)
    page.keyboard.press("h")
    page.wait_for_function("seq => Number(document.querySelector('#moment').dataset.seq) > seq", arg=here)
    handed = seq(page)
    page.keyboard.press(",")
    page.wait_for_function("seq => Number(document.querySelector('#moment').dataset.seq) < seq", arg=handed)
    # A link keeps the focus where it was.
    page.focus("[data-go=decision]")
    page.keyboard.press("Enter")
    page.wait_for_function("seq => Number(document.querySelector('#moment').dataset.seq) >= seq", arg=handed)
    assert page.evaluate("document.activeElement.dataset.go") == "decision"
    # The timeline: dragged to its end, then by arrow.
    page.focus("#at")
    page.keyboard.press("End")
    page.wait_for_function("() => document.querySelector('#moment').dataset.seq === document.querySelector('#moment').dataset.last")
    last = seq(page)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("seq => Number(document.querySelector('#moment').dataset.seq) < seq", arg=last)
    page.click("[data-go=heat]")
    page.wait_for_function("() => document.querySelector('#moment').dataset.address.includes('heat=1')")
    page.click("[data-go=process-parcours]")  # a call holds the time of all that it calls
    page.wait_for_selector(".masar-time")
    page.locator("summary:has-text('Ce que l’on savait'), summary:has-text('Ce que l\\'on savait')").first.click()
    page.locator("summary:has-text('Temps de travail')").first.click()
    seen(page, "player-late-fr")
    assert "non affichée" in page.inner_text("#moment") and not any(word in page.inner_text("#moment") for word in ("hypertension", "Santé"))
    assert wrong_with(page) == []
    # It plays by itself, and stops when asked.
    page.click("[data-go=first]")
    page.wait_for_function("() => Number(document.querySelector('#moment').dataset.seq) < 6")
    here = seq(page)
    page.click("[data-do=play]")
    page.wait_for_function("seq => Number(document.querySelector('#moment').dataset.seq) > seq", arg=here)
    page.click("[data-do=play]")
    assert page.inner_text("[data-do=play]") == "Jouer"


def test_two_cases_side_by_side_in_arabic_on_a_mirrored_sheet(watch, cases):
    page = watch(f"/cases/{cases[0]}/replay?at=30&beside={cases[1]}&by=stage", "ar", color_scheme="dark")
    page.wait_for_function("() => document.querySelectorAll('.canvas .masar-here').length >= 2")
    assert page.locator("html").get_attribute("dir") == "rtl" and page.locator(".replay-side").count() == 2
    seen(page, "player-beside-ar")
    for canvas in page.locator(".replay-side .canvas").all():
        buttons, sheet = canvas.locator(".canvas-tools").bounding_box(), canvas.locator(".djs-container").bounding_box()
        assert sheet["height"] > 200 and buttons["y"] + buttons["height"] <= sheet["y"], "the buttons stand above the drawing"
    assert wrong_with(page) == []
    phone = watch(f"/cases/{cases[0]}/replay?at=40", "ar", "phone")
    phone.wait_for_selector(".canvas .masar-here")
    start = phone.evaluate("() => { const box = [...document.querySelectorAll('.canvas .djs-element.masar-done')].map(one => one.getBoundingClientRect().x); return box.length }")
    assert start
    seen(phone, "player-phone-ar")
    assert wrong_with(phone) == []


def test_it_works_without_script(watch, cases):
    page = watch(f"/cases/{cases[0]}/replay", script=False)
    first = seq(page)
    page.click("[data-go=on]")
    assert seq(page) > first
    page.click("[data-go=handover]")
    handed = seq(page)
    page.click("[data-go=back]")
    assert first < seq(page) < handed
    assert page.locator("#at").is_visible() and page.inner_text(".replay-side").count("ligne") >= 1
