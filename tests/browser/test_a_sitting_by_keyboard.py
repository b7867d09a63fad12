"""A sitting worked through without a mouse: nothing lost on a reload, one key to the next file; its pages and those of an aid and a fund as everybody can use them."""

import pytest

from tests import world as worlds
from tests.browser.test_everybody_can_use_it import wrong_with
from tests.stories.test_a_committee_day import convened, look


@pytest.fixture(scope="module")
def installed(make_database):
    return make_database(worlds.furnish)


@pytest.fixture(scope="module")
def sitting_id(world):
    """Two files put down at one sitting."""
    return convened(world, [("creation", {}), ("creation", {})])


def test_two_files_are_studied_by_keyboard_and_the_pages_are_for_everybody(visit, world, sitting_id):
    member = world.who_does(next(row for row in world.open_tasks(sitting_id) if row.node == "T653_CPS"))
    page = visit(member.username)
    page.goto(f"/sittings/{sitting_id}")
    assert wrong_with(page) == []
    press = page.keyboard.press
    press("j")
    page.wait_for_selector(".sitting-files .is-open:nth-child(2)")
    press("k")
    page.wait_for_selector(".sitting-files .is-open:first-child")
    press("v")
    press("ArrowRight")  # no conflict of interest
    page.wait_for_selector("[name='aide.prevote_cps']")
    press("Tab")
    press("Space")
    page.wait_for_selector("[data-saved]:not(:empty)")
    page.reload()
    assert page.is_checked("[name='aide.prevote_cps'][value=favorable]"), "nothing is lost on a reload"
    first = look(world, member, sitting_id).files[0]
    for _ in range(2):
        if not page.is_checked("[name='aide.conflit_cps'][value=false]"):
            press("v")
            press("ArrowRight")
            page.wait_for_selector("[name='aide.prevote_cps']")
            press("Tab")
            press("Space")
        with page.expect_navigation():
            press("Control+Enter")
    assert look(world, member, sitting_id).counts == {"study": 2}

    officer = world.agent("OTE", "TUN", "gestionnaire_aides")
    page, small = visit(officer.username), visit(member.username, "ar", "phone", color_scheme="dark")
    trouble = {}
    for address in (f"/aids/{first.dossier_id}", "/funds", "/funds/TOUNESNA-EU"):
        page.goto(address)
        trouble[address] = wrong_with(page)
    for address in ("/sittings", f"/sittings/{sitting_id}", f"/aids/{first.dossier_id}"):
        small.goto(address)
        trouble[f"{address} ar"] = wrong_with(small)
        assert small.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    assert {name: found for name, found in trouble.items() if found} == {}
