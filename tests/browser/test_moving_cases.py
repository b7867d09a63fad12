"""Running cases moved in a real browser: chosen, tried in the background, moved, brought back; the pages pass axe in French and in Arabic."""

import threading
import time
import os

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from engine import clock
from engine.actors import users
from engine.casework import batches, cases, editions
from tests.browser.test_everybody_can_use_it import wrong_with
from tests.engine.casework import redrawn
from tests.web.small.installation import files

STAFF = text("SELECT user_id, username, name, agency, branch, roles, language FROM user_account WHERE username = 'salma'")


@pytest.fixture(scope="module")
def edition_id(installed):
    """A second edition, three cases at the desk, and what moves cases in the background."""
    database = installed
    with database.unit_of_work(users.system()) as session:
        other = redrawn.redrawn(files(), "parcours", redrawn.under_another_id("accueillir", "recevoir"))
        edition = editions.keep(session, other, clock.now(session), None, "essai")
        salma = users.of_row(session.execute(STAFF).one())
    for _ in range(3):
        with database.unit_of_work(salma) as session:
            cases.open_case(session, salma, "parcours", "MED")
    stopped = threading.Event()

    def carry_on():
        while not stopped.is_set():
            batches.work_off(database)
            time.sleep(0.3)

    worker = threading.Thread(target=carry_on, daemon=True)
    worker.start()
    yield edition.edition_id
    stopped.set()
    worker.join(10)


def seen(page, name):
    """A picture to look at, where somebody asked for some."""
    if folder := os.environ.get("MASAR_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_cases_are_tried_moved_and_one_is_brought_back(visit, edition_id):
    meriem = visit("meriem")
    meriem.goto("/editions")
    meriem.click(f"a[href='/editions/{edition_id}/moves']")
    meriem.wait_for_url("**/moves")
    assert meriem.locator("input[name=case]").count() == 3 and meriem.input_value("select[name^='map:']") == "parcours#recevoir"
    wrong = {"choice": wrong_with(meriem)}
    seen(meriem, "moves-choice-fr")
    expect(meriem.locator("input[name=case]:checked")).to_have_count(0)
    meriem.locator("input[name=case]").first.check()
    expect(meriem.locator("[data-chosen]")).to_have_text("Choisis : 1")
    meriem.check("#all")
    expect(meriem.locator("input[name=case]:checked")).to_have_count(3)
    meriem.locator("input[name=case]").last.uncheck()
    assert not meriem.is_checked("#all") and meriem.inner_text("[data-chosen]") == "Choisis : 2"
    meriem.click("button:has-text('Essayer à blanc')")
    meriem.wait_for_selector("button:has-text('Déplacer 2 dossiers')")
    meriem.locator("summary:has-text('Ce qui a été vérifié')").first.click()
    wrong["trial"] = wrong_with(meriem)
    seen(meriem, "moves-trial-fr")
    meriem.fill("#reason", "Un identifiant plus clair")
    meriem.click("button:has-text('Déplacer 2 dossiers')")
    meriem.wait_for_selector("text=2 déplacés")
    wrong["moved"] = wrong_with(meriem)
    meriem.locator("#lines ~ ul a").first.click()
    meriem.wait_for_url("**/cases/*")
    seen(meriem, "moves-case-fr")
    meriem.click("summary:has-text('Remettre comme avant')")
    meriem.fill("input[name=reason] >> visible=true", "Fait trop tôt")
    meriem.click("button:has-text('Remettre comme avant') >> visible=true")
    meriem.wait_for_selector("text=Le dossier est remis comme il était.")
    assert {name: found for name, found in wrong.items() if found} == {}


def test_the_pages_in_arabic_on_a_phone(visit, edition_id):
    anis = visit("anis", "ar", "phone", color_scheme="dark")
    anis.goto(f"/editions/{edition_id}/moves")
    wrong = {"choice": wrong_with(anis)}
    seen(anis, "moves-choice-ar")
    anis.check("#all")
    anis.click("button:has-text('تجربة دون تغيير')")
    anis.wait_for_selector("#do")
    anis.locator("summary:has-text('ما تم التحقق منه')").first.click()
    wrong["trial"] = wrong_with(anis)
    seen(anis, "moves-trial-ar")
    assert {name: found for name, found in wrong.items() if found} == {}
