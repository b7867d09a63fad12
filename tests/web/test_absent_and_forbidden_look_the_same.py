"""An attacker with an account: whatever address of pages or API is tried with the id of somebody else's case, the answer is that of an id that never was."""

import io
import re
from types import SimpleNamespace
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.app import create_app as create_api
from engine.actors import signin, users
from engine.demo import stories
from engine.dossier import documents
from engine.settings import Settings
from tests import world as worlds
from tests.web.conftest import Browser
from web.app import create_app

# Who has nothing to do with a case of Médenine: another branch, a partner it is not entrusted to, a funder's member, who only signals, who only administers.
STRANGERS = ("ines", "rim", "operateur", "voisin", "bailleur", "attache", "administration")
ACTS = ("complete", "draft", "release", "add:foyer.membres", "correct:person.cin")
PAGE = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture(scope="module")
def village(make_database):
    """The real pathway with one case of Médenine, evaluated by its three agencies: its ids, by the name that routes give them."""
    database = make_database(worlds.furnish)
    with database.owner() as connection:
        for username, roles in (("voisin", ["operateur"]), ("bailleur", ["membre_commission"])):
            users.create(connection, username, username.title(), "PART", "MED", roles, signin.DEMO_PASSWORD, is_demo=True)
    world = worlds.World(database)
    case_id = world.receive(stories.pizzeria_of_zarzis(world.today()).truth)
    done = world.open_tasks(case_id)[0].task_id
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case_id, node)
    karim = world.staff["karim"]
    with database.unit_of_work(karim) as session:
        document = documents.upload(session, karim, "piece.pdf", io.BytesIO(PAGE))
    with database.reading(users.system()) as session:
        owned = session.execute(text("SELECT document_id FROM document WHERE root_id = :id LIMIT 1"), {"id": case_id}).scalar_one()
        line = session.execute(text("SELECT encode(token_digest, 'hex') FROM user_session LIMIT 1")).scalar()
    letter = world.file(case_id).letters[0]["letter_id"]
    tasks = {row.node: row.task_id for row in world.open_tasks(case_id)}
    ids = {"case_id": [case_id], "task_id": [*tasks.values(), done], "document_id": [document, owned], "letter_id": [letter], "incident_id": [uuid4()],
           "session_id": [line or uuid4().hex], "process": ["parcours"]}  # fmt: skip
    settings = Settings(is_demo=True)
    return SimpleNamespace(database=database, world=world, ids=ids, app=create_app(settings, database), api=create_api(settings, database))


def addresses(app, method):
    """(path, names of its parameters) of the routes that name something."""
    found = [route.path for route in app.routes if isinstance(route, APIRoute) and method in route.methods and "{" in route.path]
    return [(path, re.findall(r"{(\w+)}", path)) for path in found]


def pairs(village, app, method):
    """For each address, that of something which is there, and that of something which never was."""
    for path, names in addresses(app, method):
        assert set(names) <= village.ids.keys(), f"{path}: say here what its parameters name"
        for number, found in enumerate(village.ids[names[0]]):
            absent = str(uuid4()) if names[0] != "session_id" else uuid4().hex * 2
            more = {name: village.ids[name][0] for name in names[1:]}
            there = path.format(**{names[0]: found, **more})
            yield there, path.format(**{names[0]: absent, **more}), (str(found), absent), number


def told(answer, ids):
    """What an answer says, without the ids asked for and what changes at each page."""
    said = answer.text
    for one in ids:
        said = said.replace(one, "ID")
    said = re.sub(r'(name="(?:csrf|key)" value=")[^"]*', r"\1", said)
    return answer.status_code, answer.headers.get("location", "").replace(ids[0], "ID").replace(ids[1], "ID"), re.sub(r"since=[^\"&]*", "", said)


def browser_of(village, name):
    made = Browser(village.app)
    made.sign_in(name, signin.DEMO_PASSWORD)
    assert made.path == "/desk"
    return made


def program_of(village, name):
    client = TestClient(village.api, base_url="http://masar.test", raise_server_exceptions=False)
    token = client.post("/token", data={"username": name, "password": signin.DEMO_PASSWORD}).json()["access_token"]
    client.headers["authorization"] = f"Bearer {token}"
    return client


def state_of(village):
    with village.database.reading(users.system()) as session:
        return session.execute(text("SELECT (SELECT count(*) FROM ledger_line), (SELECT count(*) FROM draft), (SELECT count(*) FROM message)")).one()


@pytest.mark.parametrize("name", STRANGERS)
def test_every_page_answers_alike(village, name):
    stranger, before = browser_of(village, name), state_of(village)
    for there, absent, ids, _ in pairs(village, village.app, "GET"):
        found, never = (stranger.client.get(address, follow_redirects=False) for address in (there, absent))
        assert told(found, ids) == told(never, ids), there
        assert found.status_code == 404, there
    for there, absent, ids, _ in pairs(village, village.app, "POST"):
        for wanted in ACTS if there.count("/") == 2 and "/tasks/" in there else ("",):
            answers = []
            for address in (there, absent):
                stranger.get("/desk")
                answers.append(stranger.post(address, follow=False, act=wanted, to=str(uuid4()), version="0", key="k"))
            assert told(answers[0], ids) == told(answers[1], ids), (there, wanted)
            assert answers[0].status_code in (403, 404), (there, wanted)
    assert state_of(village) == before


@pytest.mark.parametrize("name", STRANGERS)
def test_every_call_answers_alike(village, name):
    program, before = program_of(village, name), state_of(village)
    for there, absent, ids, _ in pairs(village, village.api, "GET"):
        found, never = program.get(there), program.get(absent)
        assert told(found, ids) == told(never, ids) and found.status_code == 404, there
    for there, absent, ids, _ in pairs(village, village.api, "POST"):
        found, never = (program.post(address, json={"answers": {}, "version": 0}) for address in (there, absent))
        assert told(found, ids) == told(never, ids) and found.status_code == 404, there
    for message in ("piece.recue", "desistement", "visite.realisee", "urgence", "paiement.confirme"):
        found, never = (program.post("/messages", json={"name": message, "correlation": key}) for key in (str(village.ids["case_id"][0]), str(uuid4())))
        assert told(found, ("", "")) == told(never, ("", "")) and found.status_code in (403, 404, 422), message
    assert state_of(village) == before


@pytest.mark.parametrize("name", STRANGERS)
def test_lists_and_searches_hold_nothing_of_it(village, name):
    stranger = browser_of(village, name)
    file = village.world.file(village.ids["case_id"][0])
    for address, words in (*((f"/desk?view={view}", "") for view in ("all", "queue", "mine", "late")), ("/desk", file.case_number), ("/cases", file.case_number), ("/cases", file.person)):
        stranger.get("/desk")
        answer = stranger.post(address, q=words, view="all") if words else stranger.client.get(address, follow_redirects=True)
        said = answer.text.replace(f'value="{file.case_number}"', "").replace(f'value="{file.person}"', "")
        said = re.sub(r"« .*? »", "", said)
        assert f"/cases/{file.case_id}" not in said and not [task for task in village.ids["task_id"] if str(task) in said], address


def test_who_audits_reads_and_changes_nothing(village):
    auditor, before = browser_of(village, "auditeur"), state_of(village)
    assert auditor.client.get(f"/cases/{village.ids['case_id'][0]}").status_code == 200
    for there, _, _, _ in pairs(village, village.app, "POST"):
        for wanted in ACTS if there.count("/") == 2 and "/tasks/" in there else ("",):
            auditor.get("/desk")
            assert auditor.post(there, follow=False, act=wanted, to=str(uuid4()), version="0", key="k").status_code in (403, 404, 409, 422), (there, wanted)
    assert state_of(village) == before


def test_a_case_is_not_opened_where_no_case_begins(village):
    program = program_of(village, "salma")
    for process in ("versements", "dossier_aide", "seance_commission", "accueil"):
        answer = program.post("/cases", json={"process": process, "branch": "MED"})
        assert (answer.status_code, answer.json()["code"]) == (422, "process.part"), process
    assert program.post("/cases", json={"process": "parcours", "branch": "MED"}).status_code == 201
