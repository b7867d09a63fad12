"""A form on a line that fails: the typing stays on the device, sealed; what was handed in is sent once; what changed meanwhile is shown, never replaced."""

import time

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from tests.browser.test_reception import fill, open_case
from tests.web.small.installation import PASSWORD


def stored(page):
    return page.evaluate("Object.entries(localStorage).map((one) => one.join('=')).join('\\n')")


def wait_until_stored(page, is_there=True):
    for _ in range(80):
        if bool(stored(page)) is is_there:
            return
        page.wait_for_timeout(100)
    raise AssertionError(stored(page) or "nothing is kept")


def typed_without_a_line(page, words):
    page.context.set_offline(True)
    page.fill("#q-person-prenom_fr", words)
    wait_until_stored(page)
    page.wait_for_timeout(500)  # the last of what is typed is put away a moment later


def come_back(page, address, field, typed):
    """The tab is closed, there is a line again: what was typed is in the page opened anew, which says so."""
    page.evaluate("delete document.querySelector('form[data-keep]').dataset.unsaved")  # switched off: no last word is sent on the way out, which a slow machine may still send once there is a line
    page.close()
    page.context.set_offline(False)
    again = page.context.new_page()
    again.goto(address)
    expect(again.locator(field)).to_have_value(typed)
    expect(again.locator("#trouble")).to_contain_text("est revenu")
    return again


def done(installed, address):
    """How often the task of an address was done."""
    with installed.owner() as connection:
        return connection.execute(text("SELECT count(*) FROM task_done WHERE task_id::text = :id"), {"id": address.rpartition("/")[2]}).scalar()


def case_of(installed, address):
    with installed.owner() as connection:
        return connection.execute(text("SELECT root_id::text FROM open_task WHERE task_id::text = :id"), {"id": address.rpartition("/")[2]}).scalar()


def test_what_was_typed_before_the_tab_was_closed_comes_back_and_cannot_be_read_on_the_device(visit):
    page = visit("salma", size="phone")
    address = open_case(page)
    page.wait_for_load_state("networkidle")
    typed_without_a_line(page, "Yosra Hapax")
    kept = stored(page)
    assert "Hapax" not in kept and "salma" not in kept and "person." not in kept
    again = come_back(page, address, "#q-person-prenom_fr", "Yosra Hapax")
    wait_until_stored(again, False)


def test_typing_is_kept_too_where_the_line_was_lost_while_the_page_was_loading(visit):
    page = visit("salma", size="phone")
    address = open_case(page)
    page.route("**/account/keeping", lambda route: route.abort(), times=1)
    page.route("**/draft", lambda route: route.abort())
    page.reload()
    page.fill("#q-person-prenom_fr", "Yosra Hapax")
    wait_until_stored(page)
    page.wait_for_timeout(500)
    come_back(page, address, "#q-person-prenom_fr", "Yosra Hapax")


@pytest.mark.parametrize("fails", ["on the way there", "on the way back"])
def test_what_is_handed_in_without_a_line_is_sent_once(visit, installed, fails):
    page = visit("salma", "ar" if fails == "on the way back" else "fr", size="phone")
    address = open_case(page)
    fill(page)
    page.wait_for_load_state("networkidle")

    def fail(route):
        if fails == "on the way back":
            route.fetch(max_redirects=0)
        route.abort()

    page.route(address, fail)
    page.click("button[value=complete]")
    expect(page.locator("#trouble")).to_contain_text("سيُرسل من تلقاء نفسه" if fails == "on the way back" else "partira toute seule")
    assert done(installed, address) == (fails == "on the way back")
    page.unroute(address)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_url("**/desk")
    assert done(installed, address) == 1
    wait_until_stored(page, False)


def test_nothing_of_what_is_typed_is_sent_behind_what_is_handed_in(visit, installed):
    page = visit("salma")
    address = open_case(page)
    fill(page)
    page.wait_for_timeout(1200)  # what was typed so far is kept
    late, answers = [], []
    page.on("response", lambda found: answers.append((found.url, found.status)))

    def slow(route):  # a slow line: the moment in which a draft would have been sent passes
        page.on("request", lambda sent: late.append(sent.url) if sent.url.endswith("/draft") else None)
        time.sleep(2)
        route.continue_()

    page.route(address, slow)
    page.locator("#q-person-prenom_fr").press_sequentially("X")
    page.click("button[value=complete]")
    page.wait_for_url("**/desk")
    assert done(installed, address) == 1 and late == [] and not [one for one in answers if one[1] == 409]


def test_what_was_handed_in_is_sent_from_another_page_once_the_tab_was_closed(visit, installed):
    page = visit("salma")
    address = open_case(page)
    fill(page)
    page.wait_for_load_state("networkidle")
    page.route(address, lambda route: route.abort())
    page.click("button[value=complete]")
    expect(page.locator("#trouble")).to_contain_text("partira toute seule")
    page.close()
    again = page.context.new_page()
    again.goto("/desk")
    expect(again.locator("#trouble")).to_contain_text("est parti")
    assert done(installed, address) == 1


def test_an_ended_session_takes_no_typing_away_and_another_person_does_not_get_it(visit):
    page = visit("salma")
    address = open_case(page)
    page.wait_for_load_state("networkidle")
    page.context.clear_cookies()
    page.fill("#q-person-prenom_fr", "Yosra")
    wait_until_stored(page)
    expect(page.locator("#trouble")).to_contain_text("session est terminée")  # told while she types, not when she hands it in
    page.click("button[value=complete]")
    expect(page.locator("#trouble")).to_contain_text("session est terminée")

    def enter(name, by_the_link=False):
        page.click("#trouble a") if by_the_link else page.goto(f"/signin?next=/tasks/{address.rpartition('/')[2]}")
        page.fill("#username", name)
        page.fill("#password", PASSWORD)
        page.click("form[action='/signin'] .btn-primary")
        page.wait_for_url(address)
        page.wait_for_load_state("networkidle")

    enter("karim", by_the_link=True)
    assert page.locator("#q-person-prenom_fr").count() == 0 or page.input_value("#q-person-prenom_fr") == ""
    page.context.clear_cookies()
    enter("salma")
    expect(page.locator("#q-person-prenom_fr")).to_have_value("Yosra")


@pytest.mark.parametrize("choice", ["Reprendre", "Garder"])
def test_what_another_device_saved_meanwhile_is_not_replaced_without_her(visit, choice):
    page = visit("salma")
    address = open_case(page)
    page.wait_for_load_state("networkidle")
    typed_without_a_line(page, "Ici")
    other = visit("salma")
    other.goto(address)
    other.fill("#q-person-prenom_fr", "Ailleurs")
    expect(other.locator("[data-saved]")).to_contain_text("Enregistré")
    page.close()
    page.context.set_offline(False)
    again = page.context.new_page()
    again.goto(address)
    expect(again.locator("#trouble")).to_contain_text("Rien n'est remplacé sans vous")
    expect(again.locator("#q-person-prenom_fr")).to_have_value("Ailleurs")
    again.click(f"#trouble button:has-text('{choice}')")
    expect(again.locator("#q-person-prenom_fr")).to_have_value("Ici" if choice == "Reprendre" else "Ailleurs")
    wait_until_stored(again, False)


NAME, FAMILY = "#q-person-prenom_fr", "#q-person-nom_fr"


@pytest.mark.parametrize("choice", ["Reprendre", "Garder"])
def test_two_pages_open_at_once_do_not_replace_one_another(visit, choice):
    desk = visit("salma")
    address = open_case(desk)
    phone = visit("salma", size="phone")
    phone.goto(address)
    phone.wait_for_load_state("networkidle")
    desk.fill(NAME, "Du bureau")
    expect(desk.locator("[data-saved]")).to_contain_text("Enregistré")
    phone.fill(NAME, "Du téléphone")
    expect(phone.locator("#trouble")).to_contain_text("Rien n'est remplacé sans vous")
    expect(phone.locator("[data-saved]")).to_contain_text("autre onglet")
    assert "<" not in phone.inner_text("[data-saved]"), "a sentence, not the page that says it"
    desk.fill(FAMILY, "Dridi")
    desk.wait_for_timeout(1500)
    phone.click(f"#trouble button:has-text('{choice}')")
    expect(phone.locator(NAME)).to_have_value("Du téléphone" if choice == "Reprendre" else "Du bureau")
    expect(phone.locator(FAMILY)).to_have_value("quelqu'un" if choice == "Reprendre" else "Dridi")


def test_what_is_handed_in_over_what_another_page_kept_is_a_conflict_first(visit, installed):
    desk = visit("salma")
    address = open_case(desk)
    phone = visit("salma", size="phone")
    phone.goto(address)
    phone.wait_for_load_state("networkidle")
    phone.context.set_offline(True)
    fill(phone)
    phone.click("button[value=complete]")
    expect(phone.locator("#trouble")).to_contain_text("partira toute seule")
    desk.fill(NAME, "Du bureau")
    expect(desk.locator("[data-saved]")).to_contain_text("Enregistré")
    phone.context.set_offline(False)
    phone.evaluate("dispatchEvent(new Event('online'))")
    expect(phone.locator("#task [role=alert]")).to_contain_text("un autre onglet ou sur un autre appareil")
    expect(phone.locator(NAME)).to_have_value("Besma")
    assert done(installed, address) == 0
    phone.click("button[value=complete]")
    phone.wait_for_url("**/desk")
    assert done(installed, address) == 1


def test_a_server_that_was_restarted_meanwhile_is_a_lost_line(visit, installed):
    page = visit("salma", size="phone")
    address = open_case(page)
    fill(page)
    page.wait_for_load_state("networkidle")
    page.route(address, lambda route: route.fulfill(status=502, body="Bad gateway"))
    page.click("button[value=complete]")
    expect(page.locator("#trouble")).to_contain_text("partira toute seule")
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_timeout(300)
    page.unroute(address)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_url("**/desk")
    assert done(installed, address) == 1


def test_what_was_handed_in_and_refused_after_the_tab_was_closed_is_given_back_not_something_else_sent(visit, installed):
    page = visit("salma", size="phone")
    address = open_case(page)
    fill(page)
    expect(page.locator("[data-saved]")).to_contain_text("Enregistré")
    page.context.set_offline(True)
    page.fill("#q-person-cin", "12")
    page.click("button[value=complete]")
    expect(page.locator("#trouble")).to_contain_text("partira toute seule")
    again = come_back(page, address, "#q-person-cin", "12")
    again.wait_for_timeout(500)
    assert done(installed, address) == 0


def test_on_a_telephone_that_two_share_one_gets_nothing_of_what_the_other_handed_in(visit, installed):
    page = visit("salma", size="phone")
    address = open_case(page)
    fill(page)
    page.wait_for_load_state("networkidle")
    page.route(address, lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.click("button[value=complete]")
    expect(page.locator("#trouble")).to_contain_text("partira toute seule")
    page.unroute(address)

    def enter(one, name):
        one.context.clear_cookies()
        one.goto(f"/signin?next=/tasks/{address.rpartition('/')[2]}")
        one.fill("#username", name)
        one.fill("#password", PASSWORD)
        one.click("form[action='/signin'] .btn-primary")
        one.wait_for_url("**/tasks/*")
        one.wait_for_load_state("networkidle")

    beside = page.context.new_page()
    enter(beside, "karim")
    assert "Besma" not in beside.content() and not beside.locator("#trouble").inner_text()
    page.evaluate("dispatchEvent(new Event('online'))")  # hers is still open in the other tab
    page.wait_for_timeout(500)
    assert done(installed, address) == 0 and "Besma" not in stored(beside)
    page.close()
    enter(beside, "salma")
    beside.wait_for_url("**/desk") if done(installed, address) else expect(beside.locator("#q-person-prenom_fr")).to_have_value("Besma")


def test_what_is_typed_while_a_draft_is_under_way_is_hers_wherever_that_draft_got_to(visit, installed):
    """A slow line: half of the form is on its way when the rest is typed and handed in. The server then has that half, from this very page: it is no other typing."""
    page = visit("salma")
    address = open_case(page)
    page.wait_for_load_state("networkidle")

    def there_but_never_back(route):
        route.fetch()

    page.route("**/draft", there_but_never_back, times=1)
    with page.expect_request("**/draft"):
        page.fill("#q-person-nom_fr", "Hapax")
    page.wait_for_timeout(300)
    page.route(address, lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.fill("#q-person-prenom_fr", "Besma")
    page.click("button[value=complete]")
    expect(page.locator("#trouble")).to_contain_text("partira toute seule")
    page.unroute(address)
    typed_without_a_line(page, "Besma Yosra")  # typed on: it is not handed in any more
    come_back(page, address, "#q-person-prenom_fr", "Besma Yosra")


def test_what_is_typed_while_a_draft_is_saved_is_kept_when_the_answer_comes(visit):
    page = visit("salma")
    address = open_case(page)
    page.wait_for_load_state("networkidle")
    answers = []
    page.route("**/draft", lambda route: answers.append((route, route.fetch())))
    with page.expect_request("**/draft"):
        page.fill("#q-person-nom_fr", "Hapax")
    page.fill("#q-person-prenom_fr", "Yosra")
    wait_until_stored(page)
    page.wait_for_timeout(500)
    page.route("**/draft", lambda route: route.abort())
    route, answer = answers[0]
    route.fulfill(response=answer)
    expect(page.locator("[data-saved]")).not_to_be_empty()
    page.close()
    again = page.context.new_page()
    again.goto(address)
    expect(again.locator("#q-person-prenom_fr")).to_have_value("Yosra")
    assert again.locator("#q-person-nom_fr").input_value() == "Hapax"


def notes_of(installed, case):
    with installed.owner() as connection:
        return connection.execute(text("SELECT count(*) FROM fact WHERE root_id::text = :id AND field LIKE 'note.%'"), {"id": case}).scalar()


@pytest.mark.parametrize("fails", ["on the way there", "on the way back"])
def test_a_note_on_a_case_is_kept_while_it_is_typed_and_written_once(visit, installed, fails):
    page = visit("salma", "ar" if fails == "on the way back" else "fr", size="phone")
    case = case_of(installed, open_case(page))
    page.goto(f"/cases/{case}?tab=notes")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.fill("#note", "Elle rappelle lundi")
    wait_until_stored(page)
    page.wait_for_timeout(500)
    assert "rappelle" not in stored(page)
    page.close()
    page.context.set_offline(False)
    page = page.context.new_page()
    page.goto(f"/cases/{case}?tab=notes")
    expect(page.locator("#note")).to_have_value("Elle rappelle lundi")

    def fail(route):
        if fails == "on the way back":
            route.fetch(max_redirects=0)
        route.abort()

    page.route(f"**/cases/{case}/notes", fail)
    page.click("#note-form button[value=complete]")
    expect(page.locator("#trouble")).to_contain_text("سيُرسل من تلقاء نفسه" if fails == "on the way back" else "partira toute seule")
    expect(page.locator("#trouble .notice")).to_be_in_viewport()  # wherever the page stands
    assert notes_of(installed, case) == (fails == "on the way back")
    page.unroute(f"**/cases/{case}/notes")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#notes")).to_contain_text("Elle rappelle lundi")
    assert notes_of(installed, case) == 1
    wait_until_stored(page, False)
