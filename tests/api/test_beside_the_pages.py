"""The API mounted under the pages: each keeps to its own manners."""

import pytest
from fastapi.testclient import TestClient

from engine.settings import Settings
from tests.api.conftest import Program
from tests.api.test_driving_a_case import identity
from tests.web.small.installation import PASSWORD
from web.app import create_app


@pytest.fixture(scope="module")
def served(furnished):
    return TestClient(create_app(Settings(is_demo=True), furnished), base_url="http://masar.test/api/v1", raise_server_exceptions=False)


def test_the_api_is_at_its_address_and_needs_no_proof_that_a_page_sent_it(served):
    token = served.post("/token", data={"username": "karim", "password": PASSWORD}).json()["access_token"]
    me = served.get("/me", headers={"authorization": f"Bearer {token}"})
    assert me.json()["username"] == "karim" and me.headers["x-content-type-options"] == "nosniff" and me.headers["cache-control"] == "no-store"
    assert served.get("/openapi.json").json()["servers"] == [{"url": "/api/v1"}]


@pytest.mark.parametrize(("method", "address", "more", "status"), [
    ("GET", "/nowhere", {}, 404), ("DELETE", "/me", {}, 405), ("GET", "/me", {}, 401), ("POST", "/cases", {"content": b"x" * 1_500_000}, 413),
    ("POST", "/token", {"content": (b" " * 100_000 for _ in range(30)), "headers": {"content-type": "application/x-www-form-urlencoded"}}, 413),
])  # fmt: skip
def test_its_troubles_are_problems_and_not_pages(served, method, address, more, status):
    answer = served.request(method, address, **more)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert answer.json()["instance"] == f"/api/v1{address}"


def test_a_cookie_of_the_pages_opens_nothing_here_and_a_token_of_the_api_no_page(served):
    program = Program(served.app)
    program.client.base_url = "http://masar.test/api/v1"
    token = program.sign_in("karim").json()["access_token"]
    pages = TestClient(served.app, base_url="http://masar.test", cookies={"masar": token, "__Host-masar": token})
    assert pages.get("/api/v1/me").status_code == 401
    assert pages.get("/desk", follow_redirects=False).headers["location"].startswith("/signin")


def test_a_letter_of_a_case_is_printed_as_the_pages_print_it_for_whoever_may_read_it(served):
    def program(username):
        token = served.post("/token", data={"username": username, "password": PASSWORD}).json()["access_token"]
        return {"authorization": f"Bearer {token}"}

    salma = program("salma")
    opened = served.post("/cases", json={"process": "parcours", "branch": "MED"}, headers=salma).json()
    task = served.get(f"/tasks/{opened['task_id']}", headers=salma).json()
    done = served.post(f"/tasks/{opened['task_id']}/complete", json={"answers": identity(), "version": task["version"]}, headers=salma)
    assert done.status_code == 200, done.text
    case = served.get(f"/cases/{opened['case_id']}", headers=salma).json()
    (letter,) = case["letters"]
    address = f"/cases/{opened['case_id']}/letters/{letter['letter_id']}.pdf"
    printed = served.get(address, headers=salma)
    assert (printed.status_code, printed.headers["content-type"], printed.content[:8]) == (200, "application/pdf", b"%PDF-1.7"), printed.text[:300]
    assert printed.headers["content-disposition"] == f'attachment; filename="{letter["template"]}-{case["receipt_code"]}.pdf"'
    other = served.post("/cases", json={"process": "parcours", "branch": "MED"}, headers=salma).json()["case_id"]
    for where, who in ((address, program("nabil")), (address.replace(opened["case_id"], other), salma), (address.replace(letter["letter_id"], other), salma)):
        assert served.get(where, headers=who).status_code == 404
    assert served.get(address).status_code == 401


def test_an_appointment_leaves_for_a_calendar_as_the_pages_write_it(served):
    token = served.post("/token", data={"username": "salma", "password": PASSWORD}).json()["access_token"]
    salma = {"authorization": f"Bearer {token}", "accept-language": "en"}
    case = served.post("/cases", json={"process": "parcours", "branch": "MED"}, headers=salma).json()
    free = served.get(f"/cases/{case['case_id']}/appointments/free", headers=salma).json()
    hour = {"agent_id": free["agent_id"], "begins_at": free["slots"][0], "place": "telephone", "task_id": case["task_id"]}
    made = served.post(f"/cases/{case['case_id']}/appointments", json=hour, headers=salma)
    assert made.status_code == 201, made.text
    entry = served.get(f"{made.headers['location'].removeprefix('/api/v1')}/appointment.ics", headers=salma)
    assert entry.headers["content-type"].startswith("text/calendar") and f"SUMMARY:Appointment {case['case_number']}" in entry.text and "METHOD:PUBLISH" in entry.text
