"""Accessibility with axe on what only the real pathway has: what stands around the task, each kind of page once, in Arabic on a phone in the dark and in French at a desk."""

import pytest

from tests import world as worlds
from tests.browser.test_everybody_can_use_it import wrong_with

# Who looks at what; `*` is the case, every <details> of the page is opened.
PAGES = {
    "salma": ("/cases/*?tab=documents", "/cases/*?tab=notes", "/cases/*/person", "/cases/*/consent", "/cases/*/appointments/new", "/cases/*/exceptions/desistement", "/appointments", "/leaves", "/notices"),
    "sonia": ("/caseloads", "/caseloads/+", "/erasures", "/exports", "/findings", "/cases/*/casefile", "/cases/*/readers", "/funds", "/sittings", "/steering?tab=report"),
    "auditeur": ("/audit", "/audit/events", "/cases/*/replay", "/admin/journal"),
    "coordination": ("/repairs", "/cases/*/repair", "/cases/*/why"),
    "attache": ("/charter",),
}


@pytest.fixture(scope="module")
def installed(make_database):
    return make_database(worlds.furnish)


@pytest.mark.parametrize(("language", "size", "scheme"), [("fr", "desk", "light"), ("ar", "phone", "dark")])
def test_each_kind_of_page(visit, case, language, size, scheme):
    told, looked_at = [], 0
    for who, addresses in PAGES.items():
        page = visit(who, language, size, color_scheme=scheme)
        for address in addresses:
            if address.endswith("/+"):
                page.goto(address[:-2])
                address = page.locator("main table a").first.get_attribute("href")
            answer = page.goto(address.replace("*", str(case)))
            assert answer and answer.status == 200, f"{who} {address}: {answer and answer.status}"
            page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
            told += [f"{who} {address}: {rule} at {where}: {why}" for rule, where, why in wrong_with(page)]
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{address} is wider than the screen"
            looked_at += 1
    assert not told, "\n".join(told)
    assert looked_at == sum(map(len, PAGES.values()))


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_on_a_phone_the_bar_says_whole_who_i_am_and_leads_wherever_the_desk_s_does(visit, language):
    for who in ("salma", "operateur"):
        page = visit(who, language, "phone")
        page.click("details.who > summary")
        for width in (360, 390):
            page.set_viewport_size({"width": width, "height": 700})
            cut = page.evaluate("[...document.querySelectorAll('.who-name, .who small')].filter(one => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight + 1).map(one => one.textContent)")
            assert cut == [] and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            there = {one.get_attribute("href") for one in page.locator(".menu a, .bottom-bar a").all() if one.is_visible()}
            offered = {one.get_attribute("href") for one in page.locator(".bar nav a").all()}
            assert offered <= there, "what the bar of a desk offers is in the menu, or below"
