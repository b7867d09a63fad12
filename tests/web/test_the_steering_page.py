"""The page of steering: whole for whoever steers, absent for whoever does not, the same figures by the API."""

import html
import json
import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.app import create_app
from engine import jobs
from engine.actors import users
from engine.insight import halfyear
from engine.settings import Settings
from tests.web.conftest import Browser
from tests.web.small.installation import PASSWORD
from tests.world import World


@pytest.fixture(scope="module", autouse=True)
def reports(small):
    with small.unit_of_work(users.system()) as session:
        halfyear.make(session, 2024, 1)


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_a_coordinator_reads_it_in_each_language(browser, language):
    meriem = browser("meriem")
    meriem.get(f"/steering?language={language}")
    assert meriem.page.status_code == 200 and "[web." not in meriem.page.text
    assert {"fr": "Partage refusé (C1)", "ar": "رفض المشاركة (C1)", "en": "Sharing refused (C1)"}[language] in meriem.page.text
    for code in range(1, 13):
        assert f"<bdi>B{code}</bdi>" in meriem.page.text
    for tab in ("waits", "stuck", "indicators", "equity", "flow", "report", "nothing"):
        meriem.get(f"/steering?tab={tab}")
        assert meriem.page.status_code == 200 and "[web." not in meriem.page.text and 'aria-current="page"' in meriem.page.text, tab
    meriem.get("/steering/waiting?who=OTE&node=T101&aid=X&cursor=z")
    assert meriem.page.status_code == 200 and "[web." not in meriem.page.text
    meriem.get(f"/steering/cases/b11?language={language}")
    assert meriem.page.status_code == 200 and "[web." not in meriem.page.text


def test_a_programme_is_kept_from_page_to_page_and_is_of_no_use_outside_ote(browser, small):
    meriem, code = browser("meriem"), "TOUNESNA-EU"
    with small.owner() as connection:
        connection.execute(text("INSERT INTO fund VALUES (:code, 1000)"), {"code": code})
    for tab in ("overview", "waits", "stuck", "indicators", "equity", "flow"):
        meriem.get(f"/steering?tab={tab}&programme={code}")
        links = [one for one in re.findall(r'href="(/steering[^"]*)"', meriem.page.text) if one.startswith(("/steering?", "/steering/cases", "/steering/waiting"))]
        assert meriem.page.status_code == 200 and f'<option value="{code}" selected>' in meriem.page.text and len(links) >= 5 and all(f"programme={code}" in one for one in links), tab
    with small.owner() as connection:
        users.create(connection, "hela", "Hela Chebbi", "CPS", "MED", ["chef_cps"], PASSWORD, name_ar="هالة الشابي", is_demo=True)
    head = browser("hela")
    assert 'id="programme"' not in head.get("/steering").text
    refused = head.get(f"/steering?programme={code}")
    assert refused.status_code == 422 and "Hors de l&#39;OTE" in refused.text


def test_what_waits_is_listed_with_when_it_is_due(browser, small):
    world = World(small)
    case_id = world.receive(world.somebody("social", 41))
    with small.unit_of_work(users.system()) as session:
        jobs.seal(session)
    meriem = browser("meriem")
    meriem.get("/steering/waiting?who=OTE")
    assert meriem.page.status_code == 200 and f'href="/cases/{case_id}"' in meriem.page.text and "[web." not in meriem.page.text
    assert "échéance" in meriem.page.text.casefold()


def test_who_steers_nothing_is_turned_away(browser):
    karim = browser("karim")
    for address in ("/steering", "/steering/cases/b1", "/steering/diagram/1/parcours", "/steering/report/2024/1", "/steering/report/2024/1/sheet", "/steering/report/2024/1/paper", "/steering/waiting"):
        karim.get(address)
        assert karim.page.status_code == 403, address
    chokri = browser("chokri")
    chokri.get("/steering/report/2024/1")
    assert chokri.page.status_code == 200 and "[web." not in chokri.page.text
    for address, status in (("/steering/cases/b13", 404), ("/steering?days=7", 422), ("/steering?branch=XXX", 422), ("/steering?programme=XXX", 422), ("/steering/report/2024/3", 404), ("/steering/report/2024/2", 404)):
        chokri.get(address)
        assert chokri.page.status_code == status, address


def test_the_sheet_leaves_and_is_told_of(browser):
    meriem = browser("meriem")
    answer = meriem.client.get("/steering/report/2024/1/sheet")
    assert answer.status_code == 200 and answer.content[:2] == b"PK" and "attachment" in answer.headers["content-disposition"]
    paper = meriem.client.get("/steering/report/2024/1/paper")
    assert paper.content[:5] == b"%PDF-" and b"Amiri" in paper.content and "attachment" in paper.headers["content-disposition"]


def test_programs_have_the_same(small):
    client = TestClient(create_app(Settings(is_demo=True), small), base_url="http://masar.test")
    headers = {name: {"authorization": "Bearer " + client.post("/token", data={"username": name, "password": PASSWORD}).json()["access_token"]} for name in ("meriem", "karim")}
    found = client.get("/steering/indicators", headers=headers["meriem"]).json()
    assert [one["code"] for one in found["items"]] == [f"b{number}" for number in range(1, 13)]
    assert client.get("/steering/indicators/b11/cases", headers=headers["meriem"]).status_code == 200
    assert client.get("/steering/reports/2024/1", headers=headers["meriem"]).json()["blocks"][0]["code"] == "country"
    assert [one["by"] for one in client.get("/steering/equity", headers=headers["meriem"]).json()["items"]] == ["sex", "branch", "kind", "reads", "age"]
    for address in ("/steering/indicators", "/steering/equity", "/steering/indicators/b1/cases", "/steering/reports/2024/1"):
        assert client.get(address, headers=headers["karim"]).status_code == 403 and client.get(address).status_code == 401


def test_each_figure_leads_to_its_definition_and_its_cases_and_what_holds_most_is_painted_on_its_diagram(world):
    case_id = world.receive(world.somebody("social", 1))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case_id, node)
    world.passes(days=9)
    with world.database.unit_of_work(users.system()) as session:
        jobs.seal(session)
    meriem = Browser(world.app)
    meriem.sign_in("coordination")
    overview, shown = meriem.get("/steering").text, meriem.get("/steering?tab=indicators").text
    led = 0
    for code in (f"b{number}" for number in range(1, 13)):
        assert re.search(rf'href="/steering\?[^"]*#{code}"', overview) and f'id="{code}"' in shown, code
        part = shown.partition(f'id="{code}"')[2].partition('id="b')[0]
        if found := re.search(rf'href="(/steering/cases/{code}[^"]*)"', part):
            behind = meriem.get(found[1].replace("&amp;", "&")).text
            assert len(set(re.findall(r'href="/cases/[0-9a-f-]{36}', behind))) == int(re.search(r"\d+", part.partition(found[0])[2].partition(">")[2])[0]), code
            led += 1
    assert led >= 4
    meriem.get("/steering?tab=stuck")
    held = re.search(r'<td><a href="/steering\?([^"]*process=(\w+)[^"]*)"', meriem.page.text)
    page = meriem.get(f"/steering?{held[1].replace('&amp;', '&')}").text
    heat = json.loads(html.unescape(re.search(r'data-heat="([^"]*)"', page)[1]))
    warmest = max(heat, key=lambda one: heat[one][0])
    assert f'data-diagram="/steering/diagram/1/{held[2]}"' in page and heat[warmest][0] == 4 and f"node={warmest}" in page
