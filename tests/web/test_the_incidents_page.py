"""The page of incidents: a retry says what came of it, what stopped of one cause goes on together, and no sentence ends twice."""

import html
import re

import pytest
from sqlalchemy import text

from engine.settings import Settings
from tests.engine.casework.test_repairs import broken_files, received
from tests.web.conftest import Browser
from tests.web.small.installation import furnish
from tests.world import World
from web.app import create_app

REFERENTS = text("UPDATE user_account SET is_active = :active WHERE 'referent' = ANY (roles)")


@pytest.fixture(scope="module")
def installed(make_database):
    database = make_database()
    furnish(database, broken_files())
    return database


WORDS = {
    "fr": ("Le dossier s&#39;est arrêté de nouveau", "2 dossiers reprennent leur cours", "Masar n&#39;a pas pu faire « Remettre le récépissé »."),
    "ar": ("تعطل الملف من جديد", "استأنف ملفان مسارهما", "لم تتمكن المنظومة من إنجاز «تسليم الوصل»"),
}


@pytest.mark.parametrize("language", WORDS)
def test_a_retry_in_vain_is_no_good_news_and_one_click_takes_all_of_one_cause(installed, language):
    in_vain, done, failed = WORDS[language]
    world = World(installed)
    with installed.owner() as connection:
        connection.execute(REFERENTS, {"active": False})
    case_id = [received(world) for _ in range(2)][0]
    meriem = Browser(create_app(Settings(is_demo=True), installed))
    meriem.sign_in("meriem")
    meriem.post("/account/language", language=language, next="/incidents")
    page = meriem.get("/incidents").text
    assert page.count('name="alike"') == 2 and ".." not in re.sub("<[^>]+>", " ", page)
    retry = re.search(r'action="(/incidents/[^"]+/retry)"', page)[1]
    told = meriem.post(retry, reason="Pour voir").text
    assert in_vain in told and re.search(r'class="notice notice-good', told) is None
    retry = re.search(r'action="(/incidents/[^"]+/retry)"', told)[1]
    with installed.owner() as connection:
        connection.execute(REFERENTS, {"active": True})
    told = meriem.post(retry, reason="Un référent est arrivé", alike="yes").text
    assert done in told and re.search(r'class="notice notice-good', told) and world.incidents() == []
    world.does(case_id, "orienter")
    story = meriem.get(f"/cases/{case_id}?tab=history").text
    assert failed in story, "what failed is not told as done"
    offered = re.findall(r'href="(/cases/[^"]+/correct[^"]+)"', meriem.get(f"/cases/{case_id}?tab=known").text)
    assert offered and [one for one in offered if meriem.get(html.unescape(one)).status_code != 200] == [], "a correction that is offered can be made"


def test_from_what_stopped_one_comes_to_the_answer_that_is_wrong_and_back_to_retry(installed):
    world = World(installed)
    with installed.owner() as connection:
        connection.execute(REFERENTS, {"active": False})
    case_id = received(world)
    with installed.owner() as connection:
        connection.execute(REFERENTS, {"active": True})
    meriem = Browser(create_app(Settings(is_demo=True), installed))
    meriem.sign_in("meriem")
    known = f"/cases/{case_id}?tab=known"
    page = meriem.get("/incidents").text
    stopped = re.search(r'id="(i-[^"]+)"', page)[1]
    assert f'href="{known}"' in page
    asked = html.unescape(next(one for one in re.findall(r'href="(/cases/[^"]+/correct[^"]+)"', meriem.get(known).text) if "prenom_fr" in one))
    meriem.get(asked)
    page = meriem.post(f"/cases/{case_id}/correct", subject=meriem.hidden("subject"), name="person.prenom_fr", reason="Mal lu", **{"person.prenom_fr": "Nour"}).text
    assert f'href="/incidents#{stopped}"' in page and f'href="/incidents#{stopped}"' in meriem.get(f"/cases/{case_id}/repair").text
