"""The case as one file, opened from a disk with the network off: it verifies, plays along its timeline, and turns red at one changed byte, naming the line."""

import json
import random
import re

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from engine.settings import Settings
from tests.web.conftest import ADDRESS, Browser
from tests.web.test_a_task_page import act, complete, orientation, task_of
from tests.web.test_who_consulted_a_case import agree
from web.app import create_app


@pytest.fixture(scope="module")
def somebody(installed):
    app = create_app(Settings(is_demo=True), installed)

    def make(username):
        made = Browser(app)
        made.client = TestClient(app, base_url=ADDRESS)
        made.sign_in(username)
        return made

    return make


@pytest.fixture(scope="module")
def case(installed, somebody):
    """A case with two tasks done, one of which answered what is social."""
    salma, karim = somebody("salma"), somebody("karim")
    address = complete(salma)
    karim.get(task_of(karim, address))
    act(karim, "complete", orientation(karim.page))
    agree(installed, address)
    return address


@pytest.fixture(scope="module")
def made(case, somebody):
    """The file as the auditor has it."""
    answer = somebody("chokri").get(f"{case}/casefile?language=fr")
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    return answer.content


@pytest.fixture
def opened(chromium, tmp_path):
    """Opens bytes as a file of the disk, in a browser that has no network; whatever the page asks for fails the test."""
    contexts, asked = [], []

    def show(content, size=None, is_sound=True):
        path = tmp_path / f"{len(contexts)}.html"
        path.write_bytes(content)
        context = chromium.new_context(offline=True, viewport=size or {"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url) if not request.url.startswith("file:") else None)
        if is_sound:
            page.on("pageerror", lambda error: asked.append(str(error)))
        page.goto(f"file://{path}")
        return page

    yield show
    for context in contexts:
        context.close()
    assert not asked, asked


def lines(content):
    return re.search(rb'<script id="ledger" type="text/plain">(.*?)</script>', content, re.S)[1].split(b"\n")[::2]


def test_it_verifies_and_plays_with_the_network_off(opened, made):
    page = opened(made)
    expect(page.locator("#state")).to_have_class("good")
    expect(page.locator("#state")).to_contain_text(f"{len(lines(made))} lignes")
    expect(page.locator("#absent")).to_contain_text("ni point de contrôle")
    steps = page.locator("ol.story button")
    assert steps.count() == len(lines(made))
    expect(page.locator("svg [data-id=accueillir].is, svg [data-id=accueillir].was")).to_have_count(0)
    page.locator("#time").focus()
    while page.locator("svg [data-id=accueillir].is").count() == 0:
        page.keyboard.press("ArrowRight")
        assert page.locator("#time").input_value() != str(steps.count() - 1), "the case stands at its first task at some time"
    page.keyboard.press("End")
    expect(page.locator("svg [data-id=accueillir].was")).to_have_count(1)
    expect(page.locator("svg [data-id=orienter].was")).to_have_count(1)
    told = steps.filter(has_text="Accueillir et identifier").filter(has_text="a terminé")
    told.click()
    expect(page.locator("#event")).to_contain_text("Numéro de la CIN")
    expect(page.locator("#event")).to_contain_text("Réponses laissées de côté")
    page.get_by_role("button", name="Rejouer").click()
    expect(page.locator("#time")).not_to_have_value(str(steps.count() - 1))


@pytest.mark.parametrize("where", ["early", "middle", "late"])
def test_one_changed_byte_of_a_line_turns_it_red_and_names_the_line(opened, made, where):
    rows = lines(made)
    place = {"early": 0, "middle": len(rows) // 2, "late": len(rows) - 1}[where]
    at = made.index(rows[place]) + rows[place].index(b'"occurred_at":"20') + len(b'"occurred_at":"2')
    page = opened(made[:at] + b"1" + made[at + 1 :])
    expect(page.locator("#state")).to_have_class("bad")
    expect(page.locator("#state")).to_contain_text(f"ligne {place + 1} ")


def test_a_removed_line_a_moved_line_a_changed_value_and_a_changed_word_turn_it_red(opened, made):
    text = made.decode()
    rows = [one for one in re.search(r'<script id="ledger" type="text/plain">(.*?)</script>', text, re.S)[1].split("\n")]
    pairs = [(rows[at], rows[at + 1]) for at in range(0, len(rows), 2)]
    without = text.replace(f"{pairs[2][0]}\n{pairs[2][1]}\n", "")
    moved = text.replace(f"{pairs[2][0]}\n{pairs[2][1]}\n{pairs[3][0]}\n{pairs[3][1]}", f"{pairs[3][0]}\n{pairs[3][1]}\n{pairs[2][0]}\n{pairs[2][1]}")
    cut = text.replace(f"\n{pairs[-1][0]}\n{pairs[-1][1]}", "")
    opened_values = next(second for _, second in pairs if '"person:' in second)
    salt = re.search(r'\["([0-9a-f]{32})"', opened_values)[1]
    lied = text.replace(salt, salt[:-1] + ("0" if salt[-1] != "0" else "1"))
    word = text.replace("a terminé", "a ouvert ", 1) if "a terminé" in text else ""
    for changed, said in ((without, "manque"), (moved, "place"), (cut, "fin de l'histoire"), (lied, "Une valeur"), (word, "phrases")):
        assert changed and changed != text, said
        page = opened(changed.encode())
        expect(page.locator("#state")).to_have_class("bad")
        expect(page.locator("#state")).to_contain_text(said)


def test_any_byte_of_the_file_turns_it_red(opened, made, chromium, tmp_path):
    """Wherever it lies, but in the marks of the page that say nothing: a sample, of a published seed."""
    draw = random.Random(1849)
    page = opened(made, is_sound=False)
    skeleton = len(made) - len(made.split(b"</main>", 1)[1])
    for at in [*(draw.randrange(len(made)) for _ in range(25)), made.index(b"<title") + 20, made.index(b'id="state"') + 60, skeleton + 60]:
        path = tmp_path / "changed.html"
        path.write_bytes(made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :])
        page.goto(f"file://{path}")
        assert page.locator("#state").count() == 0 or page.locator("#state").get_attribute("class") != "good", (at, made[at - 40 : at + 40])


def test_what_the_recipient_may_not_see_is_left_out_and_the_file_verifies_all_the_same(opened, made, case, somebody):
    text = made.decode()
    assert "Dridi" in text, "positive control: the auditor reads the common class"
    sealed = [json.loads(row.split(b" ", 2)[2])["sealed"] for row in lines(made)]
    assert any("depistage.sans_abri_ce_soir" in name for one in sealed for name in one), "the commitment stays"
    social = [one for row in re.search(r'<script id="ledger" type="text/plain">(.*?)</script>', text, re.S)[1].split("\n")[1::2] for one in json.loads(row)]
    assert social and not any("depistage" in name for name in social)
    for recipient, is_named in (("chef_cps", True), ("administrateur", False)):
        less = somebody("chokri").get(f"{case}/casefile?language=ar&recipient={recipient}").content
        assert (b"Dridi" in less) is is_named, recipient
        page = opened(less, {"width": 390, "height": 780})
        expect(page.locator("#state")).to_have_class("good")
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing is cut off on a phone"


def test_who_may_take_it_out_and_that_it_is_told(installed, case, somebody):
    for who, status in {"meriem": 200, "chokri": 200, "karim": 404, "salma": 404, "ines": 404, "zied": 404}.items():
        assert somebody(who).get(f"{case}/casefile").status_code == status, who
    assert somebody("chokri").get(f"{case}/casefile?recipient=personne").status_code == 422
    page = somebody("chokri").get(f"{case}/readers?language=fr").text
    assert "Meriem Louati" in page and "a sorti le dossier en un fichier" in page
