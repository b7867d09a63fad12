"""A sitting worked through without a mouse, studied by a member and decided by its secretary: nothing lost on a reload, one key to the next file, on an Arabic keyboard too; its
pages and those of an aid and a fund as everybody can use them."""

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


IN_SIGHT = """() => [".sitting-files [aria-current]", "#questions input:not([type=hidden])"].map((one) => document.querySelector(one).getBoundingClientRect()).every((box) => box.top > 0 && box.bottom < innerHeight)"""


def test_every_file_is_decided_by_keyboard_alone(visit, world, sitting_id):
    for row in [one for one in world.open_tasks(sitting_id) if one.node.startswith("T653")]:
        world.answers(row)
    world.reaches("T654")
    secretary = world.agent("OTE", "MED", "secretaire_commission")
    page = visit(secretary.username, "ar")
    page.goto(f"/sittings/{sitting_id}")
    assert page.evaluate(IN_SIGHT), "the file that is open and its first question, without scrolling"
    assert wrong_with(page) == []
    press, write = page.keyboard.press, page.keyboard.type
    press("v")
    write("09:30")
    press("Tab")
    for _ in range(3):  # three members are there
        press("Space")
        press("Tab")
    assert page.locator("[name='seance.presence~tick']:checked").count() == 3
    _goes_to(page, "act", "add:seance.presence")
    press("Enter")
    page.wait_for_selector("[name='seance.presence[0].presence.nom']")
    for field, value in (("nom", "Nadia Fakhfakh"), ("agence", "OTE"), ("qualite", "invite")):
        _goes_to(page, f"seance.presence[0].presence.{field}")
        if field == "nom":
            write(value)
        else:
            _chooses(page, value)
    press("Escape")
    press("u")  # all for, granted as proposed
    page.wait_for_selector("[name='aide.votes[2].vote.vote'][value=pour]:checked")
    with page.expect_navigation():
        press("Control+Enter")
    assert page.evaluate(IN_SIGHT) and look(world, secretary, sitting_id).counts["decided"] == 1

    # The other is refused, vote by vote; on a keyboard of Arabic letters a key is that of its place.
    page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ر', code: 'KeyV', bubbles: true}))")
    assert page.evaluate("Boolean(document.activeElement.closest('#questions'))")
    for place in range(3):
        _goes_to(page, f"aide.votes[{place}].vote.vote")
        _chooses(page, "contre")
    _goes_to(page, "aide.quorum_reuni")
    _chooses(page, "true")
    page.wait_for_selector("[name='aide.decision']")
    _goes_to(page, "aide.decision")
    _chooses(page, "refuse")
    page.wait_for_selector("[name='aide.motif_decision']")
    _goes_to(page, "aide.motif_decision")
    write("Marché déjà servi")
    with page.expect_navigation():
        press("Control+Enter")
    assert sorted(one.decision_code for one in look(world, secretary, sitting_id).files) == ["accorde", "refuse"]
    page.wait_for_selector(".sitting-files")
    page.wait_for_function("() => !Object.keys(localStorage).some((one) => one.startsWith('masar:'))")  # of what is done nothing stays on the device


def _goes_to(page, name, value=""):
    """By Tab alone; what a form asks next may be on its way."""
    for _ in range(120):  # round the whole page, should the focus have been lost
        if page.evaluate("([name, value]) => document.activeElement.name === name && (!value || document.activeElement.value === value)", [name, value]):
            return
        page.keyboard.press("Tab")
        page.wait_for_timeout(50)
    raise AssertionError(f"{name} is not on the way of the keyboard; {page.evaluate('document.activeElement.outerHTML.slice(0, 200)')} has the focus")


def _chooses(page, value):
    """By the arrows alone."""
    for _ in range(8):
        if page.evaluate("value => document.activeElement.value === value", value):
            if not page.evaluate("document.activeElement.checked"):
                page.keyboard.press("Space")
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{value} is not offered")
