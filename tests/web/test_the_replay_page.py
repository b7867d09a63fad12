"""The page of a case's replay: each instant is a link, what is not the reader's to see is counted and left out, and who is kept out of the history is kept out of it."""

import re
from uuid import UUID

import pytest
from sqlalchemy import text

from engine.actors import users
from tests.web.test_a_case_page import main
from tests.web.test_a_task_page import act, complete, open_case, orientation, task_of

ELSEWHERE = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def gone_on(browser):
    """A case that was received and oriented; its address."""
    case = complete(browser("salma"))
    karim = browser("karim")
    page = karim.get(task_of(karim, case))
    act(karim, "complete", orientation(page))
    return case


def held(page, name):
    return int(re.search(rf'id="moment"[^>]*data-{name}="(\d+)"', page.text)[1])


def link(page, name):
    return re.search(rf'data-go="{name}" href="([^"]+)"', page.text)[1].replace("&amp;", "&")


def test_the_auditor_steps_from_the_opening_to_the_end_and_back(browser, gone_on):
    chokri = browser("chokri")
    assert f'href="{gone_on}/replay"' in chokri.get(f"{gone_on}?tab=history").text
    page = chokri.get(f"{gone_on}/replay")
    assert held(page, "first") == 1 and "Salma Trabelsi (OTE) a ouvert le dossier" in main(page)
    said = main(page).partition("Qui devait agir")[2]
    assert re.match(r" Chez OTE Médenine .{5,40} Accueil", said), said[:200]
    seen = [held(page, "seq")]
    while held(page, "seq") < held(page, "last"):
        page = chokri.get(link(page, "on"))
        seen.append(held(page, "seq"))
    assert seen == sorted(set(seen)) and len(seen) >= 3
    back = []
    while held(page, "first") > 1:
        page = chokri.get(link(page, "back"))
        back.append(held(page, "seq"))
    assert back == seen[-2::-1]
    # What an instant shows does not change with the way one came to it, and the past does not know the future.
    assert "a terminé «" not in main(chokri.get(f"{gone_on}/replay?at=1"))
    decision = chokri.get(link(page, "decision"))
    assert held(decision, "seq") in seen and decision.url.path == f"{gone_on}/replay"
    assert "Il n'y a pas d'autre retard de ce côté." in main(chokri.get(link(decision, "delay"))).replace("&#39;", "'")


def test_a_step_is_fetched_alone_and_is_the_page_reloaded(browser, gone_on):
    chokri = browser("chokri")
    whole = chokri.get(f"{gone_on}/replay?at=3").text
    alone = chokri.get(f"{gone_on}/replay?at=3", headers={"hx-request": "true"}).text
    assert "<html" not in alone and alone.strip() in whole


def test_what_is_not_the_auditors_to_see_is_counted_and_in_no_byte(browser, gone_on):
    """Being without a roof is social: the auditor learns that something was said; the referent, of the reception's agency, reads what is hers."""
    chokri = browser("chokri")
    last = held(chokri.get(f"{gone_on}/replay"), "last")
    for at in range(1, last + 1):
        assert "sans endroit où dormir" not in chokri.get(f"{gone_on}/replay?at={at}").text
    page = chokri.get(f"{gone_on}/replay?at={last}")
    assert re.search(r"\d+ réponses? non affichées?", main(page)) and "Dridi" in main(page)


def test_who_may_not_read_the_history_finds_nothing(browser, gone_on):
    ines, zied, chokri = browser("ines"), browser("zied"), browser("chokri")  # another branch; an administrator
    for reader in (ines, zied):
        for address in (f"{gone_on}/replay", f"{gone_on}/replay/diagram/1/parcours"):
            assert reader.get(address).status_code == 404, address
    assert chokri.get(f"/cases/{ELSEWHERE}/replay").status_code == 404
    assert chokri.get(f"{gone_on}/replay/diagram/1/parcours").status_code == 200
    for nothing in ("1/nowhere", "7/parcours"):
        assert chokri.get(f"{gone_on}/replay/diagram/{nothing}").status_code == 404
    # A part is a part of this case; another case is looked at under its own rights.
    other = complete(browser("salma"))
    assert chokri.get(f"{gone_on}/replay?part={other.rpartition('/')[2]}").status_code == 404
    assert len(re.findall('class="replay-side', chokri.get(f"{gone_on}/replay?beside={other.rpartition('/')[2]}").text)) == 2
    assert "Aucun dossier que vous puissiez voir" in main(chokri.get(f"{gone_on}/replay?beside={ELSEWHERE}"))


def test_of_somebody_who_was_erased_positions_are_left(browser, gone_on, small):
    case_id = UUID(gone_on.rpartition("/")[2])
    with small.reading(users.system()) as session:
        person = session.execute(text("SELECT person_id FROM instance WHERE instance_id = :id"), {"id": case_id}).scalar_one()
        session.info["keys"].erase(person)
    page = browser("chokri").get(f"{gone_on}/replay?at=3")
    assert "on ne voit plus que les positions et les chemins pris" in main(page)
    assert "Orienter la personne" in main(page) and "Dridi" not in page.text


def test_a_case_just_opened_has_one_instant(browser):
    salma, chokri = browser("salma"), browser("chokri")
    open_case(salma)
    page = chokri.get(re.search(r"/cases/[0-9a-f-]{36}", salma.page.text)[0] + "/replay?at=999")
    assert held(page, "seq") == held(page, "last") and 'aria-disabled="true"' in page.text
