"""Forgetting on its pages, without script: proposed by one, refused to herself, approved by another, and the procès-verbal; in three languages; and who sees none of it."""

import random
import re

import pytest
from fastapi.testclient import TestClient

from engine.demo import people
from engine.settings import Settings
from tests import world as worlds
from tests.web.conftest import ADDRESS, Browser
from web.app import create_app


@pytest.fixture
def town(own_tunisia):
    return worlds.World(own_tunisia)


@pytest.fixture
def sign(town):
    app = create_app(Settings(is_demo=True), town.database)

    def make(username):
        made = Browser(app)
        made.client = TestClient(app, base_url=ADDRESS)
        made.sign_in(username)
        return made

    return make


def test_two_coordinators_forget_a_person_and_print_the_record(town, sign):
    case = town.receive(people.draw(random.Random(1), 1, "MED", town.today(), "emploi").truth | {"depistage.sans_abri_ce_soir": False, "foyer.membres": [], "person.nom_fr": "Kanarouziya"})
    for node in ("accueillir", "orienter"):
        town.does(case, node)
    meriem, anis, chokri = sign("meriem"), sign("anis"), sign("chokri")
    assert str(case) in meriem.get("/erasures").text
    assert 'name="reference"' in meriem.page.text, "her time is not over: a request is needed"
    assert meriem.post("/erasures", case_id=str(case)).status_code == 409
    page = meriem.post("/erasures", case_id=str(case), reference="BO-2026-9")
    assert "BO-2026-9" in page.text and "Approuver et effacer" not in page.text
    address = re.search(r'action="(/erasures/[0-9a-f-]{36})"', page.text)[1]
    assert meriem.post(address, act="approve").status_code == 403
    assert "Approuver et effacer" in anis.get("/erasures").text
    record = anis.post(address, act="approve")
    assert anis.path == address and "Meriem Louati" in record.text and "Anis Mabrouk" in record.text and "Réponses" in record.text
    assert "Kanarouziya" not in chokri.get(f"/cases/{case}?tab=known").text and "Kanarouziya" not in chokri.get(f"/cases/{case}?tab=history").text
    assert "ont été effacées" in chokri.page.text
    for language in ("fr", "ar", "en"):
        for shown in (address, "/erasures"):
            assert "[web." not in chokri.get(f"{shown}?language={language}").text
    assert anis.post(address, act="approve").status_code == 409
    for who in ("karim", "zied"):
        assert sign(who).get("/erasures").status_code == 403


def test_the_record_is_a_paper_to_sign_and_the_list_goes_by_class(town, sign):
    case = town.receive(people.draw(random.Random(2), 2, "MED", town.today(), "emploi").truth | {"depistage.sans_abri_ce_soir": False, "foyer.membres": []})
    for node in ("accueillir", "orienter"):
        town.does(case, node)
    meriem, anis, karim = sign("meriem"), sign("anis"), sign("karim")
    assert re.search(r"5 ans : \d+ sortes? de réponses?", re.sub(r"<[^>]+>|\xa0", " ", meriem.get("/erasures").text).replace("  ", " "))
    page = meriem.post("/erasures", case_id=str(case), reference="BO-2026-10")
    address = re.search(r'action="(/erasures/[0-9a-f-]{36})"', page.text)[1]
    assert meriem.get(f"{address}/record.pdf").status_code == 404, "nothing was done yet"
    anis.post(address, act="approve")
    assert f"{address}/record.pdf" in anis.get(address).text
    paper = anis.get(f"{address}/record.pdf")
    assert paper.headers["content-type"] == "application/pdf" and paper.content.startswith(b"%PDF") and len(paper.content) > 5000
    assert karim.get(f"{address}/record.pdf").status_code == 404
