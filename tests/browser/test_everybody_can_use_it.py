"""Accessibility with axe on each screen, in French and in Arabic, at a desk and on a phone, in daylight and in the dark."""

from pathlib import Path

import pytest

from tests.browser.test_reception import fill, open_case
from tests.browser.test_the_next_edition import begin

AXE = (Path(__file__).parents[2] / "web" / "assets" / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A page has settled when nothing that it asked for is on its way, its diagrams are drawn and nothing moves any more.
SETTLED = """async () => {
    const moves = () => document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling") || document.getAnimations().some(one => one.playState === "running")
        || [...document.querySelectorAll("[data-diagram]")].some(one => one.offsetParent && !one.textContent.trim() && !one.querySelector(".djs-element"))
    if (document.querySelector("[hx-trigger^='load']")) await new Promise(done => setTimeout(done, 400))
    for (let quiet = 0, tries = 0; quiet < 3 && tries < 250; tries++) { quiet = moves() ? 0 : quiet + 1; await new Promise(done => setTimeout(done, 20)) }
    await document.fonts.ready
}"""
# What a bar that stays happens to cover at one height of scrolling is scrolled out of under it: the bars are looked at where they stand in the page.
FOUND = """async rules => {
    const bars = [...document.querySelectorAll(".staying, .bottom-bar, .bar")]
    bars.forEach(one => one.style.position = "static")
    const found = await axe.run(document, { runOnly: { type: "tag", values: rules }, resultTypes: ["violations"] })
    bars.forEach(one => one.style.position = "")
    return found.violations.map(one => [one.id, one.nodes.slice(0, 4).map(node => node.target), one.nodes[0].failureSummary])
}"""

# WCAG 2.2's 2.4.11, which axe does not judge: what has the focus is not wholly under a bar that stays, going down the page by tab and up again.
COVERED = """() => {
    const root = document.documentElement, told = new Map()
    const tells = one => `${one.tagName.toLowerCase()}${one.id && "#" + one.id}${[...one.classList].map(name => "." + name).join("")} ${one.textContent.trim().slice(0, 30)}`
    const stays = one => one && (["sticky", "fixed"].includes(getComputedStyle(one).position) ? one : stays(one.parentElement))
    const over = (one, x, y) => { const bar = stays(document.elementFromPoint(x, y)); return bar && !bar.contains(one) ? bar : null }
    const reached = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")].filter(one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }))
    root.style.scrollBehavior = "auto"
    for (const one of [...reached, ...reached.toReversed()]) {
        one.focus()
        const box = (getComputedStyle(one).clip === "auto" ? one : one.labels?.[0] ?? one).getClientRects()[0]
        if (document.activeElement !== one || !box || box.width < 2) continue
        const above = [0.1, 0.5, 0.9].flatMap(x => [0.1, 0.5, 0.9].map(y => over(one, box.x + box.width * x, box.y + box.height * y)))
        if (above.every(Boolean)) told.set(one, above[4])
    }
    document.activeElement.blur()
    root.style.scrollBehavior = ""
    scrollTo(0, 0)
    return [...told].map(([one, top]) => ["focus-not-obscured", tells(one), `under ${tells(top)}`])
}"""


def wrong_with(page):
    """What axe finds, and what a bar covers: the rule, where, and why. Its script is put in by the debugger: the page's own policy would refuse it, as it should."""
    page.wait_for_load_state()
    page.evaluate(SETTLED)
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE)
    return page.evaluate(FOUND, RULES) + page.evaluate(COVERED)


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
    for address in ("/steering", "/steering?tab=waits", "/steering?tab=stuck", "/steering?tab=indicators", "/steering?tab=equity", "/steering?tab=flow", "/steering?tab=report", "/steering/cases/b11", "/steering/waiting"):
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
        if "holidays" in address:
            zied.locator("main details.fold > summary").first.press("Enter")
        trouble[address] = wrong_with(zied)
    told = [f"{place}: {rule} at {where}: {why}" for place, found in trouble.items() for rule, where, why in found]
    assert not told, "\n".join(told)
