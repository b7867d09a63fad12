"""Her own page by the receipt, on a telephone, without script: what she is writing goes with her into another language and beyond what she sends first."""

import pytest
from playwright.sync_api import expect

from engine.casework import holders
from tests import world as worlds


@pytest.fixture(scope="module")
def installed(make_database):
    return make_database(worlds.furnish)


def test_what_she_writes_is_there_in_another_language_and_after_the_other_thing_is_sent(visit, world):
    case = world.receive(world.somebody("social", retour__prouve=False, consentement__c2=True))
    for node in ("T101", "T102"):
        world.does(case, node)
    desk = world.agent("OTE", "MED", "agent_accueil")
    with world.database.unit_of_work(desk) as session:
        code, secret = holders.give_secret(session, desk, case)
    hers = visit(size="phone")
    hers.goto(f"/receipt?code={code}&language=fr")
    hers.fill("[name=secret]", secret)
    hers.press("[name=secret]", "Enter")
    hers.wait_for_url("**/receipt/mine")
    hers.goto("/receipt/mine?language=fr")
    for summary in hers.locator("form#writes summary").all():
        summary.click()
    story, words = hers.locator("textarea[name='reclamation.recit']"), hers.locator("[name=words]")
    story.fill("J'attends depuis deux mois")
    words.fill("Plus le bailleur")
    hers.check("[value='consentement.c2']")
    hers.click("nav.languages [lang=ar]")
    expect(hers.locator("html")).to_have_attribute("dir", "rtl")
    expect(story).to_be_visible()
    expect(story).to_have_value("J'attends depuis deux mois")
    expect(words).to_have_value("Plus le bailleur")
    expect(hers.locator("[value='consentement.c2']")).to_be_checked()
    hers.click("button[formaction='/receipt/withdraw']")  # the complaint beside it is not finished: that is no hindrance
    expect(hers.locator("[role=status]")).to_be_visible()
    expect(story).to_have_value("J'attends depuis deux mois")
    expect(words).to_have_value("")
    hers.select_option("[name='reclamation.objet']", "delai")
    hers.click("form#writes > details:last-of-type button")
    hers.wait_for_url("**/receipt/mine")
    expect(hers.locator("[role=status]")).to_be_visible()
