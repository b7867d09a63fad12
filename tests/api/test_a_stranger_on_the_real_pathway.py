"""The whole pathway by the API: a client that knows the routes and JSON Schema, and nothing of Masar, leads a case to its closure."""

import datetime as dt

import pytest
from sqlalchemy import text

from api.app import create_app
from engine import clock, installation
from engine.actors import agencies
from engine.demo import accounts
from engine.dossier import programmes
from engine.settings import Settings
from tests.api.conftest import Program
from tests.api.stranger import Stranger


@pytest.fixture(scope="module")
def programs(make_database):
    """A client for each account of Médenine and of the headquarters, on the edition that an installation is born with."""
    database, settings = make_database(), Settings(is_demo=True)
    year = clock.today(clock.system_now()).year
    with database.owner() as connection:
        connection.execute(text("INSERT INTO installation (is_demo) VALUES (true)"))
        agencies.install(connection)
        programmes.seed_holidays(connection, range(year - 1, year + 5), settings.processes)
        programmes.seed(connection, settings.processes)
        accounts.make(connection)
    installation.publish(database, settings)
    app = create_app(settings, database)
    made = {one["username"]: Program(app) for one in accounts.listed() if one["branch"] in ("MED", "TUN")}
    for username, program in made.items():
        assert program.sign_in(username, accounts.password()).status_code == 200
    return made


def test_a_case_is_led_from_reception_to_closure(programs):
    case_id = programs["salma"].post("/cases", json={"process": "parcours", "branch": "MED"}).json()["case_id"]

    def later():
        return dt.datetime.fromisoformat(programs["coordination"].post("/demo/clock", json={"advance": "P15D"}).json()["now"]).date()

    stranger = Stranger(programs, later())
    ended = stranger.lead(case_id, later)
    assert ended["ended_at"], (stranger.done, ended["waiting"])
    assert ended["waiting"] == [] and {"T101", "T104", "T201", "T206", "T801"} <= set(stranger.done)
    history = programs["auditeur"].get(f"/cases/{case_id}/history", limit=200).json()["items"]
    assert sum(one["kind"] == "task.completed" for one in history) >= 15 and not any("incidents" in one["body"] for one in history)


@pytest.mark.parametrize(
    ("correlation", "payload", "place"),
    [("MED", {"branche": {"a": 1}}, "#/payload/branche"), ("MED", {"branche": "XXX"}, "#/payload/branche"), ("MED", {"branche": 7}, "#/payload/branche"),
     ("", {}, "#/correlation"), ("x" * 200, {"a.b": 1, "": 2}, "#/correlation"), ("MED", {"n": 10**400}, "#/payload")],
)  # fmt: skip
def test_a_message_that_nothing_could_begin_with_is_refused_at_its_place(programs, correlation, payload, place):
    answer = programs["salma"].post("/messages", json={"name": "signalement.recu", "correlation": correlation, "payload": payload})
    assert answer.status_code == 422 and [one["pointer"] for one in answer.json()["errors"]] == [place]
    assert programs["coordination"].post("/demo/clock", json={"advance": "PT1S"}).status_code == 200


def test_a_message_cannot_say_which_instance_it_begins(programs):
    lying = {"branche": "MED", "instance": "another", "numero": 5}
    assert programs["salma"].post("/messages", json={"name": "signalement.recu", "correlation": "MED", "payload": lying}).status_code == 202
    assert programs["coordination"].post("/demo/clock", json={"advance": "PT1S"}).status_code == 200
    listed = programs["attache"].get("/worklist", scope="queue").json()["items"]
    signalled = next(one for one in listed if one["process"] == "signalement")
    history = programs["auditeur"].get(f"/cases/{signalled['case_id']}/history").json()["items"]
    assert signalled["case_number"].startswith("SG-MED-") and {one["kind"] for one in history} >= {"case.opened", "case.started"}


@pytest.mark.parametrize("process", ["accueil", "suivi", "cloture", "visite", "dossier_aide", "seance_commission"])
def test_a_part_of_a_case_is_not_opened_by_itself(programs, process):
    answer = programs["salma"].post("/cases", json={"process": process})
    assert (answer.status_code, answer.json()["code"]) == (422, "process.part") and answer.json()["errors"][0]["pointer"] == "#/process"
