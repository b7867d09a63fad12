"""Three tasks chosen by keyboard, looked at first, given to a colleague; she sees it in her bar. The same pages in Arabic, and axe on each."""

import os
from pathlib import Path

from tests.browser.test_everybody_can_use_it import wrong_with
from tests.browser.test_reception import open_case


def photograph(page, name):
    """Kept only for whoever wants to look (`MASAR_PICTURES`: a folder)."""
    if folder := os.environ.get("MASAR_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_three_tasks_are_given_to_a_colleague_who_is_told(visit):
    salma, trouble = visit("salma"), {}
    for _ in range(3):
        open_case(salma)
    salma.goto("/desk?view=queue")
    for _ in range(3):
        salma.keyboard.press("j")
        salma.keyboard.press("x")
    assert salma.locator("[data-choose]:checked").count() == 3
    photograph(salma, "fr-desk")
    trouble["desk"] = wrong_with(salma)
    salma.click("#selection button[value=claim]")
    salma.wait_for_selector("tr[data-line=yes] >> nth=2")
    salma.click("form[action='/desk/selection/do'] button")
    salma.wait_for_selector("text=C'est fait pour 3")
    salma.goto("/desk?view=mine")
    for _ in range(3):
        salma.keyboard.press("j")
        salma.keyboard.press("x")
    salma.click("#selection button[value=give]")
    salma.check("label:has-text('Selim Jaziri')")
    salma.fill("#reason", "Je pars en formation")
    trouble["choice"] = wrong_with(salma)
    photograph(salma, "fr-choice")
    salma.click("form[action='/desk/selection'] .btn-primary")
    salma.wait_for_selector("text=Rien n'est encore changé")
    trouble["preview"] = wrong_with(salma)
    photograph(salma, "fr-preview")
    salma.click("form[action='/desk/selection/do'] .btn-primary")
    salma.wait_for_selector("text=C'est fait pour 3")
    assert salma.locator("tr[data-line=yes]").count() == 3
    photograph(salma, "fr-result")

    selim = visit("selim", language="ar", size="phone")
    assert selim.locator(".bell .unread").inner_text() == "3"
    selim.click(".bell")
    assert selim.locator(".notices .is-new").count() == 3
    trouble["notices"] = wrong_with(selim)
    photograph(selim, "ar-notices")
    selim.click(".notices form button >> nth=0")
    selim.wait_for_url("**/tasks/*")
    assert selim.locator(".bell .unread").inner_text() == "2"
    selim.goto("/desk?view=mine")
    photograph(selim, "ar-desk")
    selim.goto("/leaves")
    trouble["leaves"] = wrong_with(selim)
    photograph(selim, "ar-leaves")
    selim.goto("/desk?view=mine")
    selim.goto(selim.locator(".work a.open >> nth=0").get_attribute("href"))
    case = selim.locator("#task header a >> nth=0").get_attribute("href")
    karim = visit("karim", language="ar")
    karim.goto(f"{case}?tab=notes")
    karim.fill("#note", "اتصلت بها اليوم @selim")
    karim.click("form[action$='/notes'] .btn-primary")
    karim.wait_for_selector("#notes li")
    trouble["notes"] = wrong_with(karim)
    photograph(karim, "ar-notes")
    meriem = visit("meriem", size="desk")
    meriem.goto("/caseloads")
    photograph(meriem, "fr-team")
    meriem.click("text=Selim Jaziri")
    trouble["caseload"] = wrong_with(meriem)
    photograph(meriem, "fr-caseload")
    told = [f"{place}: {rule} at {where}: {why}" for place, found in trouble.items() for rule, where, why in found]
    assert not told, "\n".join(told)


def test_all_of_a_list_is_chosen_at_once_and_why_one_is_refused_is_read_without_scrolling(visit):
    karim, salma = visit("karim"), visit("salma")
    for _ in range(2):
        open_case(salma)
    for page in (karim, salma):
        page.goto("/desk?view=all")
        page.click("[data-choose-all]")
    assert salma.locator("[data-choose]:checked").count() == salma.locator("[data-choose]").count() > 1
    karim.click("#selection button[value=claim]")  # the reception's tasks are not his to do
    karim.wait_for_selector("tr[data-line=no] >> nth=1")
    table = karim.locator(".scroll:has(table.lines)")
    assert table.evaluate("one => one.scrollWidth <= one.clientWidth"), table.inner_text()
    salma.click("[data-choose-all]")
    assert salma.locator("[data-choose]:checked").count() == 0
