"""The reception desk in a real browser: from the door to the first form done, with everything that only a browser shows."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import first_held
from tests.web.small.answers import letters

STAMPED = re.compile(r"\d\d:\d\d")


def open_case(page):
    page.goto("/intake")
    page.fill("#q", "quelqu'un")
    page.click("main form[role=search] button[type=submit]")
    page.click("form[action='/intake'][method=post] button[type=submit]")
    page.wait_for_url("**/tasks/*")
    return page.url


def fill(page, homeless="true"):
    """The first form, answered by keyboard and mouse as Salma would; the identity is new."""
    cin = f"{uuid4().int % 100_000_000:08d}"
    page.fill("#q-person-nom_fr", f"Dridi {letters(cin)}")
    page.fill("#q-person-prenom_fr", "Besma")
    page.check("input[name='person.sexe'][value=F]")
    page.fill("#q-person-naissance_date-year", "1987")
    page.fill("#q-person-cin", cin)
    page.select_option("#q-person-gouvernorat", "TN-82")
    page.select_option("#q-person-delegation", "TN-82-01")
    page.fill("#q-retour-date-day", "3")
    page.select_option("#q-retour-date-month", "02")
    page.fill("#q-retour-date-year", "2026")
    page.select_option("#q-retour-pays", "IT")
    pick(page, "input[name='accueil.accompagne'][value=false]")
    pick(page, f"input[name='depistage.sans_abri_ce_soir'][value={homeless}]")
    return cin


def pick(page, answer):
    """One answer of several. What the answer before it opened or hid may move it just then: it is aimed at again, as a person would."""
    for _ in range(3):
        page.click(answer)
        if page.is_checked(answer):
            return
    raise AssertionError(f"{answer} does not stay")


@pytest.mark.parametrize(("language", "size"), [("fr", "desk"), ("ar", "phone")])
def test_a_person_is_received_from_the_door_to_the_next_desk(visit, language, size):
    page = visit("salma", language, size)
    assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    open_case(page)
    fill(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing is cut off"
    page.click("button[value=complete]")
    page.wait_for_url("**/desk")
    said = page.locator(".notice-good")
    expect(said).to_contain_text("توجيه الشخص" if language == "ar" else "Orienter la personne")
    said.locator("a[href*='/cases/']").click()
    page.wait_for_url("**/cases/*")
    expect(page.locator(".ball")).to_contain_text("توجيه الشخص" if language == "ar" else "Orienter la personne")


def test_what_is_wrong_is_summed_up_and_leads_to_the_question_with_the_typing_kept(visit):
    page = visit("salma")
    open_case(page)
    fill(page)
    page.fill("#q-person-cin", "12")
    page.click("button[value=complete]")
    expect(page.locator("#summary")).to_be_focused()
    page.click("#summary a")
    expect(page.locator("#q-person-cin")).to_be_focused()
    expect(page.locator("#q-person-cin")).to_have_value("12")
    expect(page.locator("#q-person-cin")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#q-person-prenom_fr")).to_have_value("Besma")


def test_a_question_appears_and_goes_while_one_types_and_takes_nothing_away(visit):
    page = visit("salma")
    open_case(page)
    page.check("input[name='accueil.accompagne'][value=true]")
    page.fill("#q-person-nom_fr", "typed while the answer travels")
    expect(page.locator("#q-accueil-tuteur_nom")).to_be_visible()
    expect(page.locator("#q-person-nom_fr")).to_have_value("typed while the answer travels")
    expect(page.locator("#q-person-nom_fr")).to_be_focused()
    page.check("input[name='accueil.accompagne'][value=false]")
    expect(page.locator("#q-accueil-tuteur_nom")).to_have_count(0)


def test_what_is_typed_while_the_answer_is_on_its_way_stays(visit):
    page = visit("salma")
    open_case(page)

    def later(route):
        page.fill("#q-retour-date-day", "9")
        page.check("input[name='person.sexe'][value=F]")
        page.focus("#q-person-tel")
        route.continue_()

    page.route("**/tasks/*", later, times=1)
    page.check("input[name='accueil.accompagne'][value=true]")
    expect(page.locator("#q-accueil-tuteur_nom")).to_be_visible()
    expect(page.locator("#q-retour-date-day")).to_have_value("9")
    expect(page.locator("input[name='person.sexe'][value=F]")).to_be_checked()


def test_a_draft_survives_a_reload_and_says_when_it_was_kept(visit):
    page = visit("salma")
    open_case(page)
    page.fill("#q-person-nom_fr", "Brouillon")
    expect(page.locator("[data-saved]")).to_have_text(STAMPED)
    page.reload()
    expect(page.locator("#q-person-nom_fr")).to_have_value("Brouillon")


def test_leaving_at_once_loses_nothing(visit):
    page = visit("salma")
    address = open_case(page)
    page.fill("#q-person-nom_fr", "Parti vite")
    page.goto("/desk")
    page.wait_for_timeout(300)
    page.goto(address)
    expect(page.locator("#q-person-nom_fr")).to_have_value("Parti vite")


def test_the_line_fails_and_the_page_says_so_and_keeps_the_typing(visit):
    page = visit("salma")
    open_case(page)
    fill(page)
    page.route("**/tasks/**", lambda route: route.abort())
    page.click("button[value=complete]")
    expect(page.locator("#trouble")).to_contain_text("partira toute seule")
    page.evaluate("document.dispatchEvent(new CustomEvent('htmx:beforeRequest', { detail: { elt: document.body, target: document.body, xhr: new XMLHttpRequest(), requestConfig: { verb: 'get' } } }))")  # as the page asks by itself
    expect(page.locator("#trouble")).to_contain_text("partira toute seule")
    expect(page.locator("#q-person-prenom_fr")).to_have_value("Besma")
    page.unroute("**/tasks/**")
    page.click("button[value=complete]")
    page.wait_for_url("**/desk")


def test_an_answer_given_while_the_questions_are_on_their_way_is_followed_up_too(visit):
    page = visit("salma")
    open_case(page)
    held = first_held(page, "**/tasks/*")
    with page.expect_request("**/tasks/*"):
        page.fill("#q-person-cin", "08123456")
        page.press("#q-person-cin", "Tab")
    page.check("input[name='accueil.accompagne'][value=true]")
    held[0].continue_()
    expect(page.locator("[name='accueil.tuteur_nom']")).to_be_visible()
    expect(page.locator("[name='person.passport']")).to_have_count(0)


def test_rows_come_and_go_and_the_new_one_has_the_focus(visit):
    page = visit("salma")
    open_case(page)
    page.fill("#q-person-nom_fr", "Dridi")
    page.click("button[value='add:foyer.membres']")
    expect(page.locator("#q-foyer-membres-0")).to_be_focused()
    page.fill("[name='foyer.membres[0].membre.prenom']", "Ali")
    page.click("button[value='add:foyer.membres']")
    expect(page.locator("#q-foyer-membres-1")).to_be_focused()
    page.fill("[name='foyer.membres[1].membre.prenom']", "Mariem")
    page.click("button[value='remove:foyer.membres[0]']")
    expect(page.locator(".item")).to_have_count(1)
    expect(page.locator(".item input[type=text] >> nth=0")).to_have_value("Mariem")
    expect(page.locator("#q-person-nom_fr")).to_have_value("Dridi")


def test_two_people_on_one_task_one_wins_and_the_other_keeps_the_typing(visit):
    salma, selim = visit("salma"), visit("selim")
    address = open_case(salma)
    selim.goto(address)
    selim.fill("#q-person-prenom_fr", "Selma")
    fill(salma)
    salma.click("button[value=complete]")
    salma.wait_for_url("**/desk")
    selim.click("button[value=complete]")
    expect(selim.locator("#task")).to_contain_text("Salma Trabelsi")
    expect(selim.locator("#task")).to_contain_text("Selma")


def test_a_known_fact_is_corrected_in_place(visit):
    salma, karim = visit("salma"), visit("karim")
    open_case(salma)
    fill(salma)
    salma.click("button[value=complete]")
    salma.wait_for_url("**/desk")
    salma.click(".notice-good a[href*='/cases/']")
    salma.wait_for_url("**/cases/*")
    karim.goto(salma.url)
    karim.click(".ball a")
    karim.wait_for_url("**/tasks/*")
    karim.locator(".task-side details").first.evaluate("fold => { fold.open = true }")
    karim.click("button[value='correct:person.prenom_fr']")
    expect(karim.locator("#q-person-prenom_fr")).to_be_focused()
    expect(karim.locator("#q-person-prenom_fr")).to_have_value("Besma")
    expect(karim.locator(".task-side")).not_to_contain_text("Prénom, en lettres latines")
    karim.click("button[value='keep:person.prenom_fr']")
    expect(karim.locator("#q-person-prenom_fr")).to_have_count(0)


@pytest.mark.parametrize(("size", "script", "folds"), [("phone", True, 0), ("phone", False, 1), ("desk", True, 1)])
def test_on_a_phone_the_questions_come_before_what_is_known_and_a_fold_one_opens_stays_open(visit, size, script, folds):
    salma, karim = visit("salma"), visit("karim", size=size, script=script)
    open_case(salma)
    fill(salma)
    salma.click("button[value=complete]")
    salma.wait_for_url("**/desk")
    karim.goto(salma.locator(".notice-good a[href*='/cases/']").get_attribute("href"))
    karim.click(".ball a")
    karim.wait_for_url("**/tasks/*")
    shown = karim.locator(".task-side details.fold")
    shown.first.wait_for()
    opened = karim.locator(".task-side details.fold[open]")
    known = re.search(r"\d+", karim.locator(".task-side > p").inner_text())
    expect(opened).to_have_count(folds if int(known[0]) <= 12 else 0)
    if size == "phone" and script:
        shown.first.locator("summary").click()
        expect(opened).to_have_count(1)
        karim.click("button[value='correct:person.prenom_fr']")
        expect(karim.locator("#q-person-prenom_fr")).to_be_focused()
        expect(opened).to_have_count(1)


def test_everything_is_done_by_keyboard_alone(visit):
    page = visit("salma")
    page.goto("/intake")
    page.keyboard.type("quelqu'un")
    page.keyboard.press("Enter")
    page.wait_for_url("**/intake/search")
    page.focus("form[action='/intake'][method=post] button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks/*")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        at = page.evaluate("""() => { const at = document.activeElement; const ring = getComputedStyle(at);
            return [at.name === "act" ? at.value : at.name || at.value || at.textContent.trim().slice(0, 30), ring.outlineStyle !== 'none' || ring.boxShadow !== "none"
                    || at.matches(".file")] }""")
        seen.append(at[0])
        assert at[1], f"the focus cannot be seen on {at[0]}"
        if at[0].startswith("add:"):
            break
        if at[0] == "person.sexe":
            page.keyboard.press("Space")
        elif at[0].endswith(("~year", "nom_fr", "prenom_fr")):
            page.keyboard.type("1990")
    assert {"person.nom_ar", "person.sexe", "person.gouvernorat", "retour.pays"} <= set(seen)
    assert page.locator("input[name='person.sexe']:checked").count() == 1
    page.focus("#q-person-nom_fr")
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_have_text(STAMPED)  # Enter keeps the draft; it neither completes nor removes anything
    assert "/tasks/" in page.url


def test_the_desk_announces_news_and_moves_nothing(visit):
    selim, salma = visit("selim"), visit("salma")
    selim.goto("/desk?view=queue")
    before = selim.locator(".work > li").count()
    open_case(salma)
    expect(selim.locator(".arrivals a")).to_be_visible(timeout=12_000)
    assert selim.locator(".work > li").count() == before
    selim.click(".arrivals a")
    selim.wait_for_load_state()


def test_the_desk_by_its_keys(visit):
    page = visit("salma")
    open_case(page)
    page.goto("/desk?view=queue")
    page.locator("h1").press("j")
    expect(page.locator(".work a.open >> nth=0")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks/*")


def test_the_case_is_drawn_where_it_stands(visit):
    page = visit("salma", "ar")
    open_case(page)
    page.click("#task header a >> nth=0")
    page.wait_for_url("**/cases/*")
    page.click(".tabs a[href*=diagram]")
    expect(page.locator(".canvas .masar-here[data-element-id=accueillir]")).to_be_visible()
    expect(page.locator(".canvas")).to_contain_text("توجيه الشخص")


def test_without_script_one_receives_a_person_too(visit):
    page = visit("salma", script=False)
    open_case(page)
    fill(page)
    page.check("input[name='accueil.accompagne'][value=true]")
    page.click("button[value=refresh]")
    page.fill("#q-accueil-tuteur_nom", "Hédi")
    page.click("button[value='add:foyer.membres']")
    page.click("button[value='remove:foyer.membres[0]']")
    page.click(".staying button[value=complete]")
    assert page.url.endswith("/desk"), page.locator("#summary").inner_text()
