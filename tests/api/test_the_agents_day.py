"""An agent's day led by programs on the real pathway: a person takes back what she had agreed to, has an appointment, her task changes hands, a note names a colleague, who is told."""

import datetime as dt

import pytest
from sqlalchemy import text

from api.app import create_app
from engine import clock
from engine.actors import signin, users
from engine.settings import Settings
from tests import world as worlds
from tests.api.conftest import Program
from tests.engine.dossier.test_documents import PDF

NOWHERE = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def world(make_database):
    """A case of Médenine whose evaluation is ahead; whoever owns it (`mine`) has a colleague of the same role (`beside`)."""
    made = worlds.World(make_database(worlds.furnish))
    made.case = made.receive(made.somebody("emploi"))
    for node in ("T101", "T102", "T104", "T106"):
        made.does(made.case, node)
    made.mine = made.owner(made.case)
    made.beside = next(one for one in made.staff.values() if one.branch == "MED" and "referent" in one.roles and one != made.mine)
    return made


@pytest.fixture(scope="module")
def program(world):
    app = create_app(Settings(is_demo=True), world.database, calendar=lambda entries, language: f"{language} {[one.case_number for one in entries]}".encode())
    signed_in = {}

    def make(username):
        if username not in signed_in:
            signed_in[username] = Program(app, "en")
            assert signed_in[username].sign_in(username, signin.DEMO_PASSWORD).status_code == 200
        return signed_in[username]

    return make


def lines(world, kind):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT count(*) FROM ledger_line WHERE kind = :kind"), {"kind": kind}).scalar_one()


def test_what_she_takes_back_is_closed_at_the_next_request_and_said_once(world, program):
    salma, amel, consent = program("salma"), program("amel"), f"/cases/{world.case}/consent"
    stands = {one["code"]: one["is_given"] for one in salma.get(consent).json()["scopes"]}
    assert stands["c3"] is True and salma.get(f"{consent}/withdraw").json()["form"]["properties"]["consentement.retires"]
    empty = salma.post(f"{consent}/withdraw", json={"answers": {"consentement.retires": []}})
    assert empty.status_code == 422 and "#/answers/consentement.retires" in {one["pointer"] for one in empty.json()["errors"]}
    assert amel.post(f"{consent}/withdraw", json={"answers": {}}).status_code == 403, "the social worker reads it and changes nothing of it"
    said = {"answers": {"consentement.retires": ["c3"], "consentement.retrait_canal": "guichet", "consentement.retrait_motif": "Je ne veux plus"}}
    for _ in range(2):
        done = salma.post(f"{consent}/withdraw", json=said, headers={"idempotency-key": "once"})
        assert done.status_code == 200 and done.json()["said"][0]["withdrawn"] == ["c3"], done.text
    assert lines(world, "consent.withdrawn") == 1
    assert salma.post(f"{consent}/withdraw", json=said).json()["code"] == "consent.not_given"
    for absent in (consent, f"{consent}/sign", f"{consent}/forget"):
        assert program("ines").get(absent).status_code == 404


def test_an_appointment_is_made_at_a_free_hour_moved_cancelled_and_nobody_has_two(world, program):
    salma, karim = program("salma"), world.staff["karim"]
    day = world.today() + dt.timedelta(days=1)
    free = salma.get(f"/cases/{world.case}/appointments/free", agent_id=str(karim.user_id), day=day.isoformat()).json()
    hour = {"agent_id": str(karim.user_id), "begins_at": free["slots"][0], "minutes": 30}
    made = [salma.post(f"/cases/{world.case}/appointments", json=hour, headers={"idempotency-key": "once"}) for _ in range(2)]
    one = made[0].json()
    assert [answer.status_code for answer in made] == [201, 201] and made[1].json() == one and one["letter_id"], made[0].text
    assert salma.post(f"/cases/{world.case}/appointments", json=hour).json()["code"].endswith("_taken")
    night = dt.datetime.combine(dt.date.fromisoformat(free["day"]), dt.time(23), clock.TUNIS).isoformat()
    closed = salma.post(f"/cases/{world.case}/appointments", json=hour | {"begins_at": night})
    assert closed.status_code == 422 and closed.json()["errors"][0]["pointer"] == "#/begins_at"
    address = f"/appointments/{one['appointment_id']}"
    moved = salma.post(f"{address}/move", json=hour | {"begins_at": free["slots"][4]}).json()
    assert dt.datetime.fromisoformat(moved["begins_at"]) == dt.datetime.fromisoformat(free["slots"][4]) and moved["changes"] == 1
    assert [each["appointment_id"] for each in program("karim").get("/appointments", first=free["day"], days=1).json()["items"]] == [one["appointment_id"]]
    assert program("karim").get(f"{address}/appointment.ics").text == f"en {[one['case_number']]}"
    assert salma.post(f"{address}/settle", json={"outcome": "attended"}).json()["code"] == "appointment.not_begun"
    assert salma.post(f"{address}/cancel", json={"reason": "Erreur"}).json()["state"] == "cancelled"
    assert salma.post(f"{address}/cancel", json={"reason": "Erreur"}).json()["code"] == "appointment.over"
    assert program("ines").get(address).status_code == program("ines").post(f"{address}/cancel", json={"reason": "x"}).status_code == 404


def test_a_task_changes_hands_line_by_line_and_a_note_names_a_colleague_who_is_told(world, program):
    mine, beside = (program(one.username) for one in (world.mine, world.beside))
    task = str(next(row.task_id for row in world.open_tasks(world.case) if row.node == "T201"))
    assert mine.post(f"/tasks/{task}/claim").status_code == 200
    to = mine.post("/worklist/selection/colleagues", json={"tasks": [task]}).json()["items"]
    assert [one["name"] for one in to] == [world.beside.name]
    wish = {"act": "give", "tasks": [task, NOWHERE], "to": to[0]["user_id"], "reason": "Je pars en formation"}
    assert mine.post("/worklist/selection", json=wish | {"reason": ""}).json()["code"] == "selection.reason"
    for way in ("/preview", ""):
        assert world.open_tasks(world.case) and mine.get(f"/tasks/{task}").json()["holder"] == world.mine.name, "a preview changes nothing"
        assert [one["code"] for one in mine.post(f"/worklist/selection{way}", json=wish).json()["items"]] == ["", "task.not_found"]
    assert mine.get(f"/tasks/{task}").json()["holder"] == world.beside.name

    given = beside.get("/notices").json()["items"][0]
    assert (given["code"], given["task_id"], given["is_read"]) == ("task.given", task, False)
    said = {"text": f"@{world.mine.username} elle rappelle lundi"}
    for _ in range(2):
        noted = beside.post(f"/cases/{world.case}/notes", json=said, headers={"idempotency-key": "lundi"})
        assert noted.status_code == 201 and [one["text"] for one in noted.json()["items"]] == [said["text"]], noted.text
    assert beside.post(f"/cases/{world.case}/notes", json={"text": "@personne"}).json()["code"] == "note.nobody"
    (told,) = [one for one in mine.get("/notices").json()["items"] if one["code"] == "note.mention"]
    assert told["who"] == world.beside.name and said["text"] not in str(told)
    assert beside.post(f"/notices/{told['notice_id']}/read").status_code == 404, "another's notice is nobody's"
    assert mine.post(f"/notices/{told['notice_id']}/read").json()["case_id"] == str(world.case)
    assert [one["is_read"] for one in mine.get("/notices").json()["items"] if one["notice_id"] == told["notice_id"]] == [True]
    assert program("ines").get(f"/cases/{world.case}/notes").status_code == program("ines").post(f"/cases/{world.case}/notes", json=said).status_code == 404
    assert beside.post(f"/tasks/{task}/pass", json={"to": str(world.mine.user_id)}).json()["holder_id"] == str(world.mine.user_id)


def test_who_is_away_whose_caseload_goes_and_a_kept_view(world, program):
    mine, sonia, ines = program(world.mine.username), program("sonia"), program("ines")
    me, today = str(world.mine.user_id), world.today().isoformat()
    (stand_in,) = [one["user_id"] for one in mine.get(f"/leaves/stand-ins/{me}").json()["items"] if one["name"] == world.beside.name]
    leave = mine.post("/leaves", json={"from_on": today, "until_on": today, "stand_in": stand_in}).json()["leave_id"]
    assert mine.post("/leaves", json={"from_on": today, "until_on": today}).json()["code"] == "leave.overlaps"
    assert [one["stand_in"] for one in mine.get("/leaves").json()["items"]] == [world.beside.name]
    assert program(world.beside.username).get("/worklist", scope="instead").json()["items"]
    assert ines.post(f"/leaves/{leave}/end").status_code == 404 and mine.post(f"/leaves/{leave}/end").status_code == 200
    assert mine.get("/caseloads").status_code == 403 and me in {one["user_id"] for one in sonia.get("/caseloads").json()["items"]}
    before = sonia.get(f"/caseloads/{me}").json()["load"]
    looked = sonia.post(f"/caseloads/{me}/preview", json={"to": stand_in, "reason": "Départ"}).json()["items"]
    assert {one["case_id"] for one in looked} == {str(world.case)} and sonia.get(f"/caseloads/{me}").json()["load"] == before
    for stranger in (mine, ines):
        assert stranger.get(f"/caseloads/{me}").json()["detail"] == stranger.get(f"/caseloads/{NOWHERE}").json()["detail"]
    done = sonia.post(f"/caseloads/{me}/give", json={"to": stand_in, "reason": "Départ"}).json()["items"]
    assert [one["code"] for one in done] == [""] and sonia.get(f"/cases/{world.case}").json()["referent"] == world.beside.name
    view = mine.post("/worklist/views", json={"name": "Retards", "filters": {"view": "late", "stage": "evaluation"}, "is_shared": True}).json()["view_id"]
    assert [(one["name"], one["is_mine"]) for one in sonia.get("/worklist/views").json()["items"]] == [("Retards", False)] and ines.get("/worklist/views").json()["items"] == []
    assert sonia.post(f"/worklist/views/{view}/drop").status_code == 404 and mine.post(f"/worklist/views/{view}/drop").status_code == 200


def test_a_paper_is_brought_into_a_case_once_by_whoever_writes_its_class_and_read_by_whoever_reads_it(world, program):
    salma, karim, pieces = program("salma"), program("karim"), f"/cases/{world.case}/pieces"
    choices = {(one["piece"], one["class_"]) for one in salma.get(pieces).json()["choices"]}
    assert ("PJ05", "C") in choices and ("autre", "O") in choices and not [one for one in choices if one[1] == "H"]
    sent = {"document_id": salma.post("/documents", files={"file": ("IMG_1.pdf", PDF, "application/pdf")}).json()["document_id"], "piece": "PJ05", "class_": "C"}
    for wrong, status, code in (({"piece": "PJ06", "class_": "H"}, 422, "piece.kind"), ({"piece": "autre", "class_": "O"}, 422, "piece.title"), ({"document_id": NOWHERE}, 422, "document.not_yours")):
        refused = salma.post(pieces, json=sent | wrong)
        assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert karim.post(pieces, json=sent).json()["code"] == "document.not_yours", "what one sent is hers to bring"
    for _ in range(2):
        done = salma.post(pieces, json=sent)
        assert done.status_code == 201, done.text
    (one,) = done.json()["items"]
    assert (one["document_id"], one["piece"], one["by"], one["is_used"]) == (sent["document_id"], "PJ05", "Salma Trabelsi", False) and lines(world, "piece.lodged") == 1
    assert program("amel").get(f"/documents/{one['document_id']}").content == PDF
    assert program("ines").get(pieces).status_code == program("ines").post(pieces, json=sent).status_code == 404
    assert program("auditeur").get(pieces).json()["choices"] == [] and program("auditeur").post(pieces, json=sent).status_code == 404
