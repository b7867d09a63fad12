"""The registry in a browser: looking for somebody while typing, two cards side by side, a charter's sheet; in French and in Arabic, by whoever uses an aid."""

import os

import pytest
from playwright.sync_api import expect

from tests import world as worlds
from tests.browser.test_everybody_can_use_it import wrong_with
from tests.stories.test_one_person_two_cards import FOREIGN, end

LOOK = os.environ.get("MASAR_LOOK")  # a folder for pictures, to look at


@pytest.fixture(scope="module")
def installed(make_database):
    return make_database(worlds.furnish)


@pytest.fixture(scope="module")
def town(world):
    names = {"person.prenom_fr": "Mohamed Amine", "person.nom_fr": "Gabsi", "person.prenom_ar": "محمد أمين", "person.nom_ar": "القابسي"}
    members = [{"membre.prenom": "Lina", "membre.lien": "enfant", "membre.naissance": "2019-05-04", "membre.sexe": "F", "membre.a_charge": True, "membre.scolarise": True}]
    world.first = world.receive(world.somebody("emploi", 1) | names | FOREIGN | {"person.naissance_date": "1994-03-11", "person.tel": "+21698111222", "foyer.membres": members})
    world.does(world.first, "T101")
    world.second = world.receive(world.somebody("emploi", 2) | names | {"person.naissance_date": "1995-11-03", "person.tel": "+21698111222", "person.nom_fr": "Gabssi"})
    world.does(world.second, "T101")
    end(world, world.first)
    return world


def look(page, name):
    if LOOK:
        page.screenshot(path=f"{LOOK}/{name}.png", full_page=True)


@pytest.mark.parametrize(("language", "size"), [("fr", "desk"), ("ar", "phone")])
def test_who_came_again_is_opened_a_case_where_she_was_found(visit, town, language, size):
    page = visit("salma", language, size)
    page.goto("/intake")
    page.fill("#q", "محمد أمين القابسي")
    page.press("#q", "Enter")
    page.click(f"a[href='/cases/{town.first}/returned']")  # not the row's link, which lies over the whole row
    page.wait_for_url("**/returned")


@pytest.mark.parametrize(("language", "size", "words"), [("fr", "desk", "Mohammed Gabsy"), ("ar", "phone", "محمد القابسي")])
def test_somebody_is_found_compared_and_told_apart(visit, town, language, size, words):
    page, trouble = visit("karim", language, size), {}
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
    head, body = (page.locator(f"table.lines {part}").bounding_box() for part in ("thead", "tbody"))
    assert head["y"] + head["height"] <= body["y"] + 1 and abs(head["x"] - body["x"]) < 2, "whose each column is stands above it"
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
def test_a_sheet_comes_back_with_what_is_wrong(visit, town, language, script):
    page = visit(town.agent("OTE", "TUN", "attache_social").username, language, script=script)
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


def fill_a_sheet(page, town, lines):
    page.goto("/charter")
    page.wait_for_load_state("networkidle")
    page.fill("#retour-date_prevue", town.today().strftime("%d/%m/%Y"))
    page.select_option("#signalement-source", "frontiere")
    page.select_option("#retour-pays", "IT")
    page.fill("#sheet", lines)


@pytest.mark.parametrize("fails", ["on the way there", "on the way back"])
def test_a_sheet_handed_in_without_a_line_is_entered_once(visit, town, fails):
    page, name = visit(town.agent("OTE", "TUN", "attache_social").username), "Aller" if fails == "on the way there" else "Retour"
    fill_a_sheet(page, town, f"Sans{name};Adel;M;1990;Médenine\nSans{name};Nizar;M;1991;Médenine\n?")

    def fail(route):
        if fails == "on the way back":
            route.fetch(max_redirects=0)
        route.abort()

    page.route("**/charter", fail)
    page.click("button[value=complete]")
    expect(page.locator("#trouble")).to_contain_text("partira toute seule")
    page.unroute("**/charter")
    expect(page.locator("main .notice-good")).to_contain_text("3 personnes enregistrées" if fails == "on the way there" else "3 lignes étaient déjà enregistrées", timeout=20_000)
    expect(page.locator("#trouble")).to_be_empty()  # it did leave
    town.settle()
    assert len(town.look_for(f"Sans{name}")) == 2 and page.locator("#sheet").input_value() == ""
    page.reload()
    page.wait_for_load_state("networkidle")
    assert page.locator("#sheet").input_value() == "" and page.evaluate("localStorage.length") == 0, "nothing of it stays on the device"


def test_a_file_s_lines_are_in_the_sheet_as_soon_as_it_is_chosen_and_a_closed_tab_takes_none_of_what_was_typed(visit, town):
    page = visit(town.agent("OTE", "TUN", "attache_social").username, "ar")
    fill_a_sheet(page, town, "Onglet;Adel;1990")
    page.set_input_files("#file", {"name": "liste.csv", "mimeType": "text/csv", "buffer": "Onglet;Nizar;1991\n".encode()})
    expect(page.locator("#sheet")).to_have_value("Onglet;Adel;1990\nOnglet;Nizar;1991\n")
    assert page.locator("#file").input_value() == "" and page.locator("#retour-pays").input_value() == "IT"
    page.context.set_offline(True)
    page.fill("#sheet", "Onglet;Adel;1990\nOnglet;Nizar;1991\nOnglet;Sami;")
    page.set_input_files("#file", {"name": "suite.csv", "mimeType": "text/csv", "buffer": "Onglet;Walid;1992\n".encode()})
    expect(page.locator("#trouble .notice-late")).to_be_visible()
    page.click("button[value=complete]")
    expect(page.locator("#trouble")).not_to_contain_text("سيُرسل من تلقاء نفسه")
    page.wait_for_timeout(500)
    page.close()
    page.context.set_offline(False)
    again = page.context.new_page()
    again.goto("/charter")
    expect(again.locator("#sheet")).to_have_value("Onglet;Adel;1990\nOnglet;Nizar;1991\nOnglet;Sami;")
    assert town.look_for("Onglet") == [], "a file that has not left yet is not left behind"
