"""Accessibility with axe on each screen, in French and in Arabic, at a desk and on a phone, in daylight and in the dark."""

from pathlib import Path

import pytest

from tests.browser.test_reception import fill, open_case
from tests.browser.test_the_next_edition import begin

AXE = Path(__file__).parents[2] / "web" / "assets" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


# What a bar that stays happens to cover at one height of scrolling is scrolled out of under it: the bars are looked at where they stand in the page.
STAY = "is => document.querySelectorAll('.staying, .bottom-bar, .bar').forEach(one => one.style.position = is ? '' : 'static')"


def wrong_with(page):
    """What axe finds: the rule, and where. Its script is put in by the debugger: the page's own policy would refuse it, as it should."""
    page.wait_for_load_state("networkidle") if "/desk" not in page.url else page.wait_for_timeout(200)
    page.evaluate(AXE.read_text("utf-8"))
    page.evaluate(STAY, False)
    found = page.evaluate("rules => axe.run(document, { runOnly: { type: 'tag', values: rules } })", RULES)
    page.evaluate(STAY, True)
    return [(one["id"], [node["target"] for node in one["nodes"]][:4], one["nodes"][0]["failureSummary"]) for one in found["violations"]]


@pytest.mark.parametrize(("language", "size", "scheme"), [("fr", "desk", "light"), ("ar", "phone", "dark")])
def test_every_screen(visit, language, size, scheme):
    trouble = {}
    door = visit(language=language, size=size, color_scheme=scheme)
    trouble["/signin"] = wrong_with(door)
    door.goto("/receipt")
    trouble["/receipt"] = wrong_with(door)
    page = visit("salma", language, size, color_scheme=scheme)
    task = open_case(page)
    trouble["task"] = wrong_with(page)
    page.click("button[value='add:foyer.membres']")
    page.wait_for_selector(".item")
    page.click("button[value=complete]")
    page.wait_for_selector("#summary")
    trouble["task, refused"] = wrong_with(page)
    page.goto(task)
    fill(page)
    page.click("button[value='remove:foyer.membres[0]']")
    page.wait_for_selector(".item", state="detached")
    case = page.locator("#task header a >> nth=0").get_attribute("href")
    page.click("button[value=complete]")
    page.wait_for_url("**/desk")
    tabs = [f"{case}?tab={tab}" for tab in ("overview", "diagram", "known", "aid", "documents", "history")]
    for address in ("/desk?view=all", "/intake", "/cases", "/account", "/demo/clock", "/incidents", *tabs):
        page.goto(address)
        if "diagram" in address:
            page.wait_for_selector(".canvas .djs-element")
        trouble[address] = wrong_with(page)
    for address in ("/intake", "/cases"):
        page.goto(address)
        page.fill("#q", "Besma Dridi")
        page.press("#q", "Enter")
        page.wait_for_selector("main ul.work a.open")
        trouble[f"{address}, found"] = wrong_with(page)
    karim = visit("karim", language, size, color_scheme=scheme)
    karim.goto(case)
    karim.click(".ball a")
    karim.wait_for_url("**/tasks/*")
    trouble["task, known facts"] = wrong_with(karim)
    karim.goto(karim.url + "/pass")
    trouble["pass"] = wrong_with(karim)
    meriem = visit("meriem", language, size, color_scheme=scheme)
    for address in ("/incidents", "/inferred", "/editions"):
        meriem.goto(address)
        trouble[address] = wrong_with(meriem)
    for address in ("/steering", "/steering?tab=waits", "/steering?tab=stuck", "/steering?tab=indicators"):
        meriem.goto(address)
        if "stuck" in address:
            meriem.wait_for_selector(".canvas .djs-element")
        trouble[address] = wrong_with(meriem)
    begin(meriem)
    trouble["draft"] = wrong_with(meriem)
    meriem.goto(f"{meriem.url}/files/forms/tasks/accueil.toml")
    trouble["file of a draft"] = wrong_with(meriem)
    zied = visit("zied", language, size, color_scheme=scheme)
    for address in ("/admin", "/admin/accounts/new", "/admin/roles", "/admin/branches/MED", "/admin/holidays", "/admin/import"):
        zied.goto(address)
        trouble[address] = wrong_with(zied)
    told = [f"{place}: {rule} at {where}: {why}" for place, found in trouble.items() for rule, where, why in found]
    assert not told, "\n".join(told)
