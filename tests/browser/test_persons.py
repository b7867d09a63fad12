"""The registry in a browser: looking for somebody while typing, two cards side by side, a charter's sheet; in French and in Arabic, by whoever uses an aid."""

import os

import pytest
from playwright.sync_api import expect

from engine.demo import accounts
from tests import world as worlds
from tests.browser.conftest import SIZES, served
from tests.browser.test_everybody_can_use_it import wrong_with
from tests.stories.test_one_person_two_cards import FOREIGN, end

LOOK = os.environ.get("MASAR_LOOK")  # a folder for pictures, to look at


@pytest.fixture(scope="module")
def town(make_database):
    database = make_database(worlds.furnish)
    world = worlds.World(database)
    names = {"person.prenom_fr": "Mohamed Amine", "person.nom_fr": "Gabsi", "person.prenom_ar": "محمد أمين", "person.nom_ar": "القابسي"}
    members = [{"membre.prenom": "Lina", "membre.lien": "enfant", "membre.naissance": "2019-05-04", "membre.sexe": "F", "membre.a_charge": True, "membre.scolarise": True}]
    world.first = world.receive(world.somebody("emploi", 1) | names | FOREIGN | {"person.naissance_date": "1994-03-11", "person.tel": "+21698111222", "foyer.membres": members})
    world.does(world.first, "T101")
    world.second = world.receive(world.somebody("emploi", 2) | names | {"person.naissance_date": "1995-11-03", "person.tel": "+21698111222", "person.nom_fr": "Gabssi"})
    world.does(world.second, "T101")
    end(world, world.first)
    for address in served(database):
        world.address = address
        yield world


@pytest.fixture
def enter(chromium, town):
    opened = []

    def make(username, language, size="desk", script=True):
        context = chromium.new_context(base_url=town.address, viewport=SIZES[size], locale=f"{language}-TN", java_script_enabled=script)
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(8000)
        page.goto(f"/signin?language={language}")
        page.fill("#username", username)
        page.fill("#password", accounts.password())
        page.click("form[action='/signin'] .btn-primary")
        page.wait_for_url("**/desk")
        if page.locator("html").get_attribute("lang") != language:
            page.click("details.who > summary") if script else page.goto("/account")
            page.click(f"button[name=language][value={language}] >> visible=true")
            page.wait_for_load_state()
        return page

    yield make
    for context in opened:
        context.close()


def look(page, name):
    if LOOK:
        page.screenshot(path=f"{LOOK}/{name}.png", full_page=True)


@pytest.mark.parametrize(("language", "size", "words"), [("fr", "desk", "Mohammed Gabsy"), ("ar", "phone", "محمد القابسي")])
def test_somebody_is_found_compared_and_told_apart(enter, town, language, size, words):
    page, trouble = enter("karim", language, size), {}
    page.goto("/cases")
    page.press("#q", "Control+a")
    page.locator("#q").press_sequentially(words, delay=15)
    expect(page.locator("#found a.open")).to_have_count(2)
    assert page.url.partition("?")[0].endswith("/cases") and "q=" not in page.url, "whom one looks for stands in no address"
    look(page, f"search-{language}")
    trouble["search"] = wrong_with(page)
    page.goto(f"/cases/{town.second}/person")
    look(page, f"person-{language}")
    trouble["person"] = wrong_with(page)
    page.goto(f"/cases/{town.second}/beside/{town.first}")
    expect(page.locator("table.lines tbody tr").first).to_be_visible()
    look(page, f"beside-{language}")
    trouble["beside"] = wrong_with(page)
    if page.locator("#reason").count():  # proposed once for both languages
        page.focus("#reason")
        page.keyboard.type("Même passeport")
        page.click("button[value=merge]")
        page.wait_for_url("**/beside/**")
    expect(page.locator(".state-due").first).to_be_visible()
    trouble["proposed"] = wrong_with(page)
    look(page, f"proposed-{language}")
    assert [f"{place}: {rule} at {where}: {why}" for place, found in trouble.items() for rule, where, why in found] == []


@pytest.mark.parametrize(("language", "script"), [("fr", False), ("ar", True)])
def test_a_sheet_comes_back_with_what_is_wrong(enter, town, language, script):
    page = enter(town.agent("OTE", "TUN", "attache_social").username, language, script=script)
    page.goto("/charter")
    page.fill("#retour-date_prevue", town.today().strftime("%d/%m/%Y"))
    page.select_option("#signalement-source", "frontiere")
    page.select_option("#retour-pays", "IT")
    page.fill("#sheet", f"Nom;Prénom;Naissance\nKefi{language};Adel;1990\nJaziri{language};Nizar;1990-13-45\n?;;\n")
    page.click("main form button[type=submit]")
    expect(page.locator("table.lines tbody tr")).to_have_count(1)
    assert page.locator("#sheet").input_value() == f"Nom;Prénom;Naissance\nJaziri{language};Nizar;1990-13-45"
    look(page, f"charter-{language}")
    if script:
        assert wrong_with(page) == []
