"""The next edition in a real browser: one coordinator changes a form and submits, another approves, a new case follows it; then the former comes back."""

from tests.browser.test_reception import open_case
from tests.web.small.installation import files

FILE = "forms/tasks/accueil.toml"
ORIENT = files()["forms/tasks/orienter.toml"] + b"# relu\n"


def begin(page, title=""):
    """A draft from the first edition of the list."""
    page.goto("/editions")
    page.locator("details:has(form[action='/drafts']) > summary").first.click()
    page.fill("input[name=title] >> visible=true", title)
    page.click("form[action='/drafts'] button >> visible=true")
    page.wait_for_url("**/drafts/*")
    return page.url


def edition_of_a_new_case(page):
    open_case(page)
    page.locator("#task header a").first.click()
    page.wait_for_url("**/cases/*")
    return page.locator("#case header p").first.inner_text()


def test_one_changes_another_approves_a_new_case_follows_and_the_former_comes_back(visit):
    meriem, anis, salma = visit("meriem"), visit("anis"), visit("salma")
    assert "édition 1" in edition_of_a_new_case(salma)
    draft = begin(meriem, "Accueil plus court")
    meriem.goto(f"{draft}/files/{FILE}")
    before = meriem.input_value("#content")
    meriem.fill("#content", before + "# relu\n")
    meriem.wait_for_selector("[data-saved]:has-text('Enregistré à')")
    meriem.locator("#content").press("Control+End")
    meriem.locator("#content").press_sequentially("# deux fois\n")
    meriem.wait_for_selector("[name=version][value='2']", state="attached")
    meriem.reload()
    assert meriem.input_value("#content") == before + "# relu\n# deux fois\n", "kept without a click"

    anis.goto(f"{draft}/files/{FILE}")
    late = visit("anis")  # a page opened before a colleague saved again
    late.goto(f"{draft}/files/{FILE}")
    meriem.fill("#content", before + "# relu\n# par Meriem\n")
    meriem.click("button[value=save]")
    meriem.wait_for_load_state()
    late.fill("#content", before + "# par Anis\n")
    late.wait_for_selector("[data-saved]:has-text('Meriem Louati')")
    late.click("[data-saved] a:has-text('Comparer')")
    late.wait_for_selector("section[id^=aside-]:target pre:has-text('par Anis')")
    meriem.goto(draft)
    assert meriem.locator("#asides").inner_text() == "Une version mise de côté"
    meriem.click("#asides ~ ul a")
    beside = meriem.locator("section[id^=aside-] pre").first.inner_text()
    assert "+# par Anis" in beside and "-# par Meriem" in beside
    meriem.click("button:has-text('L\\'écarter')")
    meriem.wait_for_selector("text=est écartée")

    meriem.goto(draft)
    meriem.set_input_files("#upload", {"name": "orienter.toml", "mimeType": "text/plain", "buffer": ORIENT})
    assert meriem.locator("[data-status]").inner_text() == "orienter.toml"
    meriem.click("button:has-text('Envoyer')")
    meriem.wait_for_selector("text=Ce qui change : 2 fichiers")
    meriem.fill("#reason", "Une question de moins à l'accueil")
    meriem.click("button:has-text('Proposer')")
    meriem.wait_for_selector("text=Attend un accord")
    assert meriem.locator("button:has-text('Approuver')").count() == 0
    anis.goto(draft)
    assert anis.locator("button:has-text('Approuver')").count() == 0, "what he wrote stands aside, but he wrote"
    rim = visit("rim")
    rim.goto(draft)
    assert "Accueil et identité" in rim.locator("section:has(#changes)").inner_text()
    rim.click("button:has-text('Approuver et publier')")
    rim.wait_for_selector("text=est publiée")
    assert "édition 2" in edition_of_a_new_case(salma)

    meriem.goto("/editions")
    meriem.locator("details:has(form[action$='bring-back']) > summary").last.click()
    meriem.fill("input[name=reason] >> visible=true", "Les agents la préfèrent")
    meriem.click("button:has-text('Demander ce retour') >> visible=true")
    meriem.wait_for_url("**/drafts/*")
    assert "édition 2" in edition_of_a_new_case(salma), "asked for, not yet approved"
    anis.goto(meriem.url)
    anis.click("button:has-text('Approuver et publier')")
    anis.wait_for_selector("text=est publiée")
    assert "édition 1" in edition_of_a_new_case(salma)
