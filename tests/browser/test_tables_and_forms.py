"""Forms and tables of a draft in a real browser: a question added and seen in Arabic, a condition broken and mended, a cell picked from a list and kept."""

import re
from urllib.parse import parse_qsl

from playwright.sync_api import expect

from tests.browser.conftest import first_held
from tests.browser.test_everybody_can_use_it import wrong_with
from tests.browser.test_the_next_edition import begin
from tests.web.test_fields_tables_and_letters import DMN, TABLE

FORM = "forms/tasks/accueil.toml"


def written(page, draft, path):
    return page.request.get(f"{draft}/content/{path}").text()


def test_a_question_is_added_and_seen_in_arabic_a_condition_is_broken_and_mended(visit):
    meriem = visit("meriem")
    draft = begin(meriem, "Ce que l'on demande")
    meriem.locator("summary:has-text('Formulaires')").click()
    meriem.locator("section:has(#files)").locator("a[href$='/forms/accueil.toml']").click()
    meriem.fill("#q", "demandez")
    meriem.click("button[value='ask:accueil.motif_visite']")
    meriem.wait_for_selector("#row-accueil\\.motif_visite.is-open")
    meriem.select_option("#said", "ar")
    meriem.wait_for_selector(".trial[lang=ar] legend:has-text('ما هو مطلبكم؟')")
    assert meriem.locator(".trial").get_attribute("dir") == "rtl" and meriem.locator("html").get_attribute("dir") == "ltr"
    meriem.fill("#f-when", "person.sexe = ")
    meriem.wait_for_selector("#row-accueil\\.motif_visite .wrong:has-text('Corrigez l\\'expression')")
    assert meriem.input_value("#f-when") == "person.sexe = " and meriem.locator("#f-when").evaluate("node => node === document.activeElement")
    meriem.wait_for_selector("#judged .fact:has-text('Corrigez l\\'expression')")
    meriem.fill("#f-when", "")
    meriem.select_option("#f-of", "person.sexe")
    meriem.select_option("#f-value", "F")
    meriem.wait_for_selector("#row-accueil\\.motif_visite .wrong", state="detached")
    meriem.click("button[value=condition]")
    expect(meriem.locator("#f-when")).to_have_value('person.sexe = "F"')
    meriem.wait_for_selector("#judged:has-text('Rien à redire')")
    assert 'person.sexe = "F"' in written(meriem, draft, FORM)
    assert meriem.locator(".trial legend:has-text('ما هو مطلبكم؟')").count() == 0, "asked only of women now"
    meriem.check(".trial input[name='person.sexe'][value=F]")
    meriem.wait_for_selector(".trial legend:has-text('ما هو مطلبكم؟')")
    meriem.locator("#row-accueil\\.motif_visite button[value^='up:']").press("Enter")
    meriem.wait_for_selector("#row-accueil\\.motif_visite + #row-person\\.delegation")
    assert meriem.locator(".trial input[name='person.sexe'][value=F]").is_checked(), "what was tried stays"
    meriem.evaluate("scrollTo(0, 0)")  # a row half under the bar that stays is no small button
    trouble = {"form": wrong_with(meriem)}
    for address in ("fields?q=sexe", "fields/person.sexe", "letters/rappel_pieces.toml"):
        meriem.goto(f"{draft}/{address}")
        trouble[address] = wrong_with(meriem)
    assert not any(trouble.values()), trouble


def test_a_cell_is_picked_from_the_dictionary_kept_and_judged(visit):
    meriem = visit("meriem")
    draft = begin(meriem, "Une table")
    meriem.set_input_files("#upload", {"name": "essai.dmn", "mimeType": "text/xml", "buffer": DMN})
    meriem.click("button:has-text('Envoyer')")
    meriem.wait_for_load_state()
    meriem.goto(f"{draft}/tables/{TABLE}")
    meriem.wait_for_selector("[data-tables][data-ready]")
    cell = meriem.locator(".tjs-table td.input-cell, .tjs-table td[data-element-id]").filter(has_text="-").first
    cell.click()
    assert [one.strip() for one in meriem.locator(".value").all_inner_texts()] == ["N'importe laquelle", 'Femme\n"F"', 'Homme\n"M"', "Inconnue"]
    assert not wrong_with(meriem)
    cell.click()  # it looked at what has the focus, everywhere
    meriem.click(".value:has-text('Femme')")
    meriem.wait_for_selector("[data-part=state][data-state=saved]")
    assert '<text>"F"</text>' in written(meriem, draft, TABLE)
    meriem.wait_for_selector("button.finding-error")
    meriem.locator("[data-view='essai']").click()
    meriem.wait_for_selector(".dmn-drd-container svg")
    meriem.locator("button.finding-error").first.click()
    meriem.wait_for_selector("[data-view='E1'][aria-current]")
    meriem.click(".value:has-text('importe laquelle')")
    meriem.wait_for_selector("button.finding-error", state="detached")
    assert '<text>-</text>' in written(meriem, draft, TABLE) and meriem.locator(".hit-policy").inner_text().startswith("Lignes retenues")
    named_in_two_languages(visit, meriem, draft, cell)


def named_in_two_languages(visit, meriem, draft, cell):
    """A column and its table are named in Arabic beside the table; whoever reads Arabic sees those names in the heads, and French stays what other tools read."""
    cell.click()
    for place, name in (("", "الجنس المصرح به"), ("[data-view='E1']", "جدول تجريبي")):
        if place:
            meriem.click(place)
        with meriem.expect_response(lambda answer: f"/files/{TABLE}" in answer.url):
            meriem.fill("[data-key='name-ar']", name)
            meriem.press("[data-key='name-ar']", "Tab")
    kept = written(meriem, draft, TABLE)
    assert kept.count('<masar:libelle lang="ar">') == 2 and 'xmlns:masar="urn:masar:bpmn:1"' in kept, kept
    assert "الجنس المصرح به" not in meriem.locator(".tjs-table thead").inner_text(), "who reads French reads French"
    anis = visit("anis", "ar")
    anis.goto(f"{draft}/tables/{TABLE}")
    anis.wait_for_selector("[data-tables][data-ready]")
    anis.click("[data-view='E1']")
    assert "الجنس المصرح به" in anis.locator(".tjs-table thead").inner_text() and "جدول تجريبي" in anis.locator(".decision-table-name").inner_text()
    assert "جدول تجريبي" in anis.locator("[data-view='E1']").inner_text()
    assert "نص" in anis.locator(".tjs-table thead").inner_text() and "string" not in anis.locator(".tjs-table thead").inner_text()
    anis.locator(".tjs-table th.input-cell").dblclick()
    kind = anis.locator(".type-ref-edit .dms-input")
    expect(kind).to_have_text("نص")
    with anis.expect_response(lambda answer: f"/files/{TABLE}" in answer.url):
        kind.click()
        anis.click(".dms-select-options .option:has-text('عدد')")
    expect(kind).to_have_text("عدد")
    assert 'typeRef="number"' in written(anis, draft, TABLE), "the file keeps DMN's word"
    anis.click("[data-do=undo]")
    anis.keyboard.press("Escape")
    assert not wrong_with(anis)


def reaching(page):
    tells = "document.activeElement.value || document.activeElement.id"

    def tab_to(wanted, most=80):
        for _ in range(most):
            page.keyboard.press("Tab")
            if page.evaluate(tells).startswith(wanted):
                return
        raise AssertionError(f"{wanted} is not reached; {page.evaluate(tells)} is")

    return tab_to


def settled(page):
    """Until nothing is on its way any more."""
    page.evaluate("window.quiet = 0")
    page.wait_for_function("() => (window.quiet = document.querySelector('.htmx-request') ? 0 : window.quiet + 1) > 15", polling=100)


def test_a_column_and_a_value_are_added_to_a_letter_by_keyboard_alone(visit):
    meriem = visit("meriem", "ar")
    draft = begin(meriem, "Une colonne")
    meriem.goto(f"{draft}/letters/rappel_pieces.toml")
    tab_to = reaching(meriem)
    meriem.locator("#worked summary").focus()
    meriem.keyboard.press("Enter")
    tab_to("f-worked")
    meriem.keyboard.type("demain")
    tab_to("work", 1)
    meriem.keyboard.press("Enter")
    meriem.wait_for_selector("#v-demain-feel")
    meriem.locator("#v-demain-feel").focus()
    meriem.keyboard.type("today")
    tab_to("line:b1")
    meriem.keyboard.press("Enter")
    meriem.wait_for_selector("#b1-2-shows")
    expect(meriem.locator("#b1-2-ar")).to_be_focused()
    meriem.keyboard.type("الأجل")
    meriem.locator("#b1-2-fr").focus()
    meriem.keyboard.type("Délai")
    meriem.locator("#b1-2-ar").focus()
    tab_to("b1-2-shows", 1)
    meriem.keyboard.press("ArrowDown")
    meriem.wait_for_selector("#b1-2-text-ar")
    tab_to("b1-2-text-fr", 1)
    meriem.keyboard.type("Dès demain")
    tab_to("b1-2-text-ar", 1)
    meriem.keyboard.type("غدا")
    meriem.wait_for_selector("[data-saved], .saved:not(:empty)", state="attached")
    meriem.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
    assert wrong_with(meriem) == []
    said = written(meriem, draft, "forms/letters/rappel_pieces.toml")
    assert "الأجل" in said and 'demain = { feel = "today"' in said


def test_a_letter_is_written_by_keyboard_alone(visit):
    meriem = visit("meriem", "ar")
    draft = begin(meriem, "Au clavier")
    meriem.goto(f"{draft}/letters/rappel_pieces.toml")
    tab_to = reaching(meriem)
    tab_to("open:b0")
    meriem.keyboard.press("Enter")
    meriem.wait_for_selector("#f-name")
    meriem.locator("#b0-fr").focus()
    meriem.keyboard.press("Control+Home")
    meriem.keyboard.type("Bonjour ")
    meriem.wait_for_selector("[data-saved], .saved:not(:empty)", state="attached")
    tab_to("f-name")
    meriem.keyboard.press("ArrowDown")
    tab_to("insert")
    meriem.keyboard.press("Enter")
    expect(meriem.locator("#b0-fr")).to_have_value(re.compile(r"^Bonjour \{"))
    assert "Bonjour {" in written(meriem, draft, "forms/letters/rappel_pieces.toml")
    meriem.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
    assert wrong_with(meriem) == []


def test_what_is_typed_or_chosen_while_an_answer_is_on_its_way_stays_in_the_editor_and_in_the_form_beside_it(visit):
    meriem = visit("meriem", "fr")
    draft, there = begin(meriem, "Sur une ligne lente"), "**/forms/accueil.toml"
    meriem.goto(f"{draft}/forms/accueil.toml")
    meriem.click("button[value='open:head']")
    meriem.wait_for_selector("#f-title-fr")
    held = first_held(meriem, there)
    with meriem.expect_request(there):
        meriem.select_option("#said", "ar")
    meriem.fill("#f-title-fr", "Accueil au guichet")
    meriem.fill("#trial #q-person-nom_fr", "Trabelsi")
    meriem.check("#trial input[name='person.sexe'][value=F]")
    held[0].continue_()
    settled(meriem)
    assert meriem.input_value("#f-title-fr") == "Accueil au guichet" and meriem.input_value("#trial #q-person-nom_fr") == "Trabelsi"
    assert meriem.locator(".trial").get_attribute("lang") == "ar" and meriem.is_checked("#trial input[name='person.sexe'][value=F]")
    assert 'fr = "Accueil au guichet"' in written(meriem, draft, FORM)
    again = first_held(meriem, there)
    with meriem.expect_request(there):
        meriem.click("button[value='open:s0']")
    meriem.fill("#f-title-fr", "Trop tard")
    again[0].continue_()
    settled(meriem)
    assert meriem.input_value("#f-title-fr") == "Identité", "what was typed of one place never stands in another"


def test_what_is_saved_by_itself_does_no_act_of_the_button_that_one_is_passing(visit):
    meriem, acts = visit("meriem", "fr"), []
    draft = begin(meriem, "En passant")
    meriem.goto(f"{draft}/letters/rappel_pieces.toml")
    meriem.locator("button[value='open:b0']").click()
    meriem.wait_for_selector("#f-name")
    settled(meriem)
    meriem.on("request", lambda one: one.method == "POST" and acts.append(dict(parse_qsl(one.post_data)).get("act", "")))
    held = first_held(meriem, "**/letters/rappel_pieces.toml")
    meriem.locator("#b0-fr").focus()
    with meriem.expect_request("**/letters/rappel_pieces.toml"):
        meriem.keyboard.type("Bon")
    meriem.keyboard.type("jour ")
    meriem.locator("button[value='remove:b1']").focus()  # what she leaves waits for the answer on its way
    held[0].continue_()
    settled(meriem)
    assert len(acts) > 1 and not any(acts), acts
    assert "Bonjour " in written(meriem, draft, "forms/letters/rappel_pieces.toml")
