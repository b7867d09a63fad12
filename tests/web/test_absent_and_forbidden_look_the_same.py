"""An attacker with an account: whatever address of pages or API is tried with the id of somebody else's case, the answer is that of an id that never was."""

import datetime as dt
import io
import json
import re
from types import SimpleNamespace
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.app import create_app as create_api
from engine.actors import signin, users
from engine.casework import appointments, case_notes, desk_views, leaves, notices
from engine.demo import stories
from engine.dossier import documents
from engine.settings import Settings
from tests import world as worlds
from tests.house.test_openapi_is_pinned import PINNED
from tests.web.conftest import Browser, routes_of
from web.app import create_app

NOBODY = str(uuid4())
# Who has nothing to do with a case of Médenine: another branch, a partner it is not entrusted to, a funder's member, who only signals, who only administers.
STRANGERS = ("ines", "rim", "operateur", "voisin", "bailleur", "attache", "administration")
# Pages and API ask the same verbs: those whom the two walls keep out in different ways read every page too.
READERS = ("ines", "voisin", "attache")
# What an address names that is of nobody's case, or of which there is none here; who may enter there is asked elsewhere.
ELSEWHERE = {"aid_id", "batch_id", "code", "dossier_id", "draft_id", "edition", "edition_id", "erasure_id", "finding_id", "incident_id", "indicator", "kind", "merger_id", "programme",
             "proposal_id", "repair_id", "review_id", "sample_id", "secret", "sitting_id", "size", "table", "year", "day"}  # fmt: skip
# Pages that say of any case and of any task alike what they ask.
ASKING = {"/cases/{case_id}/returned", "/tasks/{task_id}/pass"}
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
    with database.unit_of_work(karim) as session:
        hours = appointments.offer(session, karim, case_id, day=world.today() + dt.timedelta(days=1))
        appointment = appointments.make(session, karim, case_id, karim.user_id, hours.slots[0], 30, "antenne")
        view = desk_views.keep(session, karim, "Ma file", {"view": "queue"}, False)
        leave = leaves.say(session, karim, karim.user_id, world.today(), world.today(), None)
    sonia = world.staff["sonia"]
    with database.unit_of_work(sonia) as session:
        case_notes.write(session, sonia, case_id, "@karim", "C")
    with database.reading(karim) as session:
        notice = notices.mine(session, karim).items[0].notice_id
    ids = {"case_id": [case_id], "task_id": [tasks["T202"], done], "document_id": [document, owned], "letter_id": [letter], "session_id": [line or uuid4().hex], "process": ["parcours"],
           "instance_id": [case_id], "appointment_id": [appointment], "view_id": [view], "leave_id": [leave], "notice_id": [notice], "user_id": [karim.user_id],
           "act": ["withdraw"], "seq": [1], "number": [1], "other_id": [uuid4()]}  # fmt: skip
    settings = Settings(is_demo=True)
    return SimpleNamespace(database=database, world=world, ids=ids, app=create_app(settings, database), api=create_api(settings, database, lambda *_: b"", lambda *_: b""))


def pairs(village, app, method):
    """Each route that names something of somebody, with the address of something which is there, and that of something which never was."""
    for verb, route in routes_of(app):
        names = re.findall(r"{(\w+)(?::path)?}", route.path)
        if verb != method or not names or names[0] in ELSEWHERE or route.path.startswith("/admin/"):
            continue
        assert set(names) <= village.ids.keys(), f"{route.path}: say here what its parameters name"
        for found in village.ids[names[0]]:
            absent = str(uuid4()) if names[0] != "session_id" else uuid4().hex * 2
            more = {name: village.ids[name][0] for name in names[1:]}
            yield route.path, route.path.format(**{names[0]: found, **more}), route.path.format(**{names[0]: absent, **more}), (str(found), absent)


def least(schema, parts):
    """The smallest body that a schema takes."""
    if "$ref" in schema:
        return least(parts[schema["$ref"].rpartition("/")[2]], parts)
    if "anyOf" in schema or "enum" in schema:
        return least(schema["anyOf"][0], parts) if "anyOf" in schema else schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: least(schema["properties"][name], parts) for name in schema.get("required", ())}
        case "array":
            return [least(schema["items"], parts)] * schema.get("minItems", 0)
        case "string":
            return {"uuid": str(uuid4()), "date-time": "2030-01-07T09:00:00Z", "date": "2030-01-07"}.get(schema.get("format", ""), "1.0")
        case "integer":
            return schema.get("minimum", 0)
        case "boolean":
            return False
    return "x"


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


def differs(path, found, never, ids):
    """What tells the one that is there from the one that never was, if anything does."""
    if told(found, ids) != told(never, ids):
        return told(found, ids)[:2], told(never, ids)[:2]
    return found.status_code if found.status_code not in (403, 404) and path not in ASKING else ""


@pytest.mark.parametrize("name", READERS)
def test_every_page_answers_alike(village, name):
    stranger, before = browser_of(village, name), state_of(village)
    token, wrong = stranger.hidden("csrf"), {}
    for path, there, absent, ids in pairs(village, village.app, "GET"):
        wrong["GET", there] = differs(path, *(stranger.client.get(address, follow_redirects=False) for address in (there, absent)), ids)
    for path, there, absent, ids in pairs(village, village.app, "POST"):
        for wanted in ACTS if path == "/tasks/{task_id}" else ("",):
            said = {"act": wanted, "to": NOBODY, "version": "0", "key": "k", "agent": NOBODY, "begins_at": "2030-01-07T09:00:00+01:00", "minutes": "30"}
            wrong[wanted or "POST", there] = differs(path, *(stranger.post(address, csrf=token, follow=False, **said) for address in (there, absent)), ids)
    assert [(place, why) for place, why in wrong.items() if why] == [] and state_of(village) == before


@pytest.mark.parametrize("name", STRANGERS)
def test_every_call_answers_alike(village, name):
    program, before, made, wrong = program_of(village, name), state_of(village), json.loads(PINNED.read_text("utf-8")), {}
    for path, there, absent, ids in pairs(village, village.api, "GET"):
        asked = {one["name"]: "1.0" for one in made["paths"][path]["get"].get("parameters", ()) if one["in"] == "query" and one.get("required")}
        wrong["GET", there] = differs(path, *(program.get(address, params=asked) for address in (there, absent)), ids)
    for path, there, absent, ids in pairs(village, village.api, "POST"):
        body = made["paths"][path]["post"].get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        sent = least(body, made["components"]["schemas"]) if body else None
        wrong["POST", there] = differs(path, *(program.post(address, json=sent) for address in (there, absent)), ids)
    assert [(place, why) for place, why in wrong.items() if why] == []
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
    token = auditor.get("/desk") and auditor.hidden("csrf")
    for path, there, _, _ in pairs(village, village.app, "POST"):
        for wanted in ACTS if path == "/tasks/{task_id}" else ("",):
            assert auditor.post(there, csrf=token, follow=False, act=wanted, to=str(uuid4()), version="0", key="k").status_code in (403, 404, 409, 422), (there, wanted)
    assert state_of(village) == before


def test_a_case_is_not_opened_where_no_case_begins(village):
    program = program_of(village, "salma")
    for process in ("versements", "dossier_aide", "seance_commission", "accueil"):
        answer = program.post("/cases", json={"process": process, "branch": "MED"})
        assert (answer.status_code, answer.json()["code"]) == (422, "process.part"), process
    assert program.post("/cases", json={"process": "parcours", "branch": "MED"}).status_code == 201
