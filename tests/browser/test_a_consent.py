"""What a person agreed to, in a real browser: one screen that shows it, withdrawn from there by its form; whoever may know no more is told on her desk why a task went."""

import pytest

from engine.casework import tasks
from tests import world as worlds
from tests.browser.test_everybody_can_use_it import wrong_with


@pytest.fixture(scope="module")
def installed(make_database):
    return make_database(worlds.furnish)


@pytest.fixture(scope="module")
def case(world, case):
    amel = world.staff["amel"]
    with world.database.unit_of_work(amel) as session:
        tasks.claim(session, amel, next(row.task_id for row in world.open_tasks(case) if row.node == "T202"))
    return case


def test_a_consent_is_read_and_withdrawn_on_a_phone_in_arabic_and_her_who_had_the_task_is_told(visit, world, case):
    page = visit("salma", "ar", "phone")
    page.goto(f"/cases/{case}")
    page.locator(f"a[href='/cases/{case}/consent']").click()
    page.wait_for_url("**/consent")
    assert wrong_with(page) == []
    page.locator("a[href$='/consent/withdraw']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/consent/withdraw")
    page.locator("button[value=complete]").click()
    page.wait_for_selector("#summary")
    assert wrong_with(page) == []
    page.check("input[value=c1]")
    page.locator("[name='consentement.retrait_canal']").first.scroll_into_view_if_needed()
    page.evaluate("""() => { const one = document.querySelector("select[name='consentement.retrait_canal']"); if (one) { one.value = "guichet"; one.dispatchEvent(new Event("change", {bubbles: true})); }
                             else document.querySelector("input[name='consentement.retrait_canal'][value=guichet]").click(); }""")
    page.locator("button[value=complete]").click()
    page.wait_for_url(f"**/cases/{case}/consent")
    assert wrong_with(page) == [] and page.locator("ol.story > li").count() == 2
    world.settle()
    hers = visit("amel")
    hers.goto("/notices")
    assert hers.locator(".notices li", has_text="a retiré son accord").count() == 1 and wrong_with(hers) == []
    assert hers.goto(f"/cases/{case}").status == 404
