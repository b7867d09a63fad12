"""A draft tried in Chromium: a rehearsal whose bar grows by itself, a trial that morphs in place and shows its token, right to left on a phone; each page through axe."""

from tests.browser.test_everybody_can_use_it import wrong_with
from tests.browser.test_reception import fill, open_case
from tests.browser.test_the_next_edition import begin


def test_a_draft_is_tried_on_nobody_and_rehearsed_on_everybody(visit, worker):
    salma = visit("salma")
    open_case(salma)
    fill(salma)
    salma.click("button[value=complete]")
    salma.wait_for_url("**/desk")
    meriem, trouble = visit("meriem", "ar", "phone", color_scheme="dark"), {}
    draft = begin(meriem, "Plus tard")
    meriem.goto(f"{draft}/files/processes/parcours.bpmn")
    meriem.fill("#content", meriem.input_value("#content").replace('role="referent" delai="2"', 'role="referent" delai="9"'))
    meriem.click("button[value=save]")
    meriem.wait_for_load_state()

    meriem.goto(f"{draft}/rehearsal")
    meriem.click("#rehearsal .btn-primary")
    meriem.wait_for_selector("#rehearsal h2#outcome", timeout=30_000)  # nobody touched the page
    assert meriem.locator("progress").count() == 0 and meriem.locator("#kind-waits").count() == 1
    trouble["rehearsal"] = wrong_with(meriem)

    meriem.goto(f"{draft}/trial")
    trouble["trial, begin"] = wrong_with(meriem)
    meriem.click("button[value=begin]")
    meriem.wait_for_selector("#answers")
    for done in range(2):
        meriem.click("button[value=invent]")
        meriem.wait_for_url("**/trial")
        meriem.wait_for_selector(f"#now >> text=/{done + 2}/")
    meriem.wait_for_selector(".canvas .djs-element.masar-done")
    trouble["trial, further"] = wrong_with(meriem)
    meriem.fill("#title", "Avec un toit")
    meriem.click("button[value=keep]")
    meriem.wait_for_url("**/scenarios")
    meriem.wait_for_selector(".canvas .djs-element.masar-done")
    trouble["scenarios"] = wrong_with(meriem)
    meriem.goto(f"{draft}/simulation")
    trouble["simulation"] = wrong_with(meriem)
    assert meriem.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), "nothing hangs over the edge"
    meriem.goto(f"{draft}/simulation?branch=MED&n.MED.OTE.referent=0")
    meriem.wait_for_selector("#people .notice-late")
    assert meriem.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), "nor what goes wrong without a case owner"
    told = [f"{place}: {rule} at {where}: {why}" for place, found in trouble.items() for rule, where, why in found]
    assert not told, "\n".join(told)
