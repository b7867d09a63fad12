"""A paper photographed where there is no line: it leaves when there is one again, and nothing is handed in without it."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from tests import world as worlds
from tests.web.test_absent_and_forbidden_look_the_same import PAGE

FILE = "form#answers input[type=file][data-upload]"


@pytest.fixture(scope="module")
def installed(make_database):
    return make_database(worlds.furnish)


def test_a_file_chosen_without_a_line_leaves_when_there_is_one_and_what_is_handed_in_waits_for_it(visit, installed, world):
    case = world.receive(world.somebody("emploi"))
    world.does(case, "T101")
    (row,) = [one for one in world.open_tasks(case) if one.node == "T102"]
    page = visit("salma", size="phone")
    page.goto(f"/tasks/{row.task_id}")
    if page.locator("button[value=claim], form[action$='/claim'] button").count():
        page.locator("button[value=claim], form[action$='/claim'] button").first.click()
    expect(page.locator(FILE).first).to_be_visible()
    page.wait_for_load_state("networkidle")
    box = page.locator("[data-file]").first
    page.set_input_files(FILE, {"name": "film.pdf", "mimeType": "application/pdf", "buffer": PAGE + b" " * 20_000_000})
    expect(box).to_contain_text("dépasse 20 Mo")  # said at once: nothing of it goes over a slow line
    page.context.set_offline(True)
    page.set_input_files(FILE, {"name": "feuille.pdf", "mimeType": "application/pdf", "buffer": PAGE})
    expect(box).to_contain_text("le fichier partira dès qu'elle revient")
    page.click("button[value=complete]")
    expect(page.locator("#trouble")).to_contain_text("ne répond pas")
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(box).to_contain_text("feuille.pdf · enregistré")
    page.wait_for_timeout(500)
    with installed.owner() as connection:
        assert connection.execute(text("SELECT count(*) FROM task_done WHERE task_id = :id"), {"id": row.task_id}).scalar() == 0, "not without its paper"
        assert connection.execute(text("SELECT count(*) FROM document WHERE name = 'feuille.pdf'")).scalar() == 1
    kept = box.locator("input[type=hidden]").input_value()
    assert kept
    page.reload()
    expect(page.locator("[data-file] input[type=hidden]").first).to_have_value(kept)
