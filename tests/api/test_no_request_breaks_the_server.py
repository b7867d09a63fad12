"""Whatever a program sends, the answer is one of ours: never a 500."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.api.conftest import Program

TEXTS = some.one_of(
    some.text(max_size=30),
    some.sampled_from(["", "\0", "\ud800", "parcours", "MED", "x" * 5000, "person.cin", "P1D", "../..", "01a20e25-f78d-72b2-b6bc-61aa48cc54a6"]),
)
JSON = some.recursive(
    some.one_of(some.none(), some.booleans(), some.integers(-(10**30), 10**30), some.floats(), TEXTS),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXTS, inner, max_size=3),
)
FIELDS = [
    "person.cin",
    "person.naissance_date",
    "person.nom_fr",
    "foyer.membres",
    "retour.date",
    "retour.pays",
    "person.tel",
    "accueil.accompagne",
    "depistage.sans_abri_ce_soir",
]
MEMBERS = ["process", "branch", "answers", "version", "not_duplicate_of", "not_duplicate_reason", "name", "correlation", "payload", "advance", "text", "named", "to", "reason", "tasks", "act", "filters",
           "from_on", "until_on", "stand_in", "agent_id", "begins_at", "minutes", "place", "outcome", "cause"]  # fmt: skip
ADDRESSES = ["/cases", "/messages", "/demo/clock", "/leaves", "/worklist/views", "/worklist/selection", "/worklist/selection/preview", "/worklist/selection/colleagues",
             "/cases/{case}/notes", "/cases/{case}/appointments", "/cases/{case}/consent/sign", "/tasks/{task}/pass"]  # fmt: skip
QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


@pytest.fixture(scope="module")
def salma(app):
    made = Program(app)
    assert made.sign_in("salma").status_code == 200
    return made


@pytest.fixture(scope="module")
def opened(salma):
    case = salma.post("/cases", json={"process": "parcours"}).json()
    return salma, case["task_id"], case["case_id"]


@settings(max_examples=150, **QUIET)
@given(body=some.one_of(JSON, some.dictionaries(some.sampled_from(MEMBERS), JSON, max_size=4)), address=some.sampled_from(ADDRESSES))
def test_bodies(opened, body, address):
    program, task_id, case_id = opened
    address = address.format(task=task_id, case=case_id)
    answer = program.post(address, content=json.dumps(body), headers={"content-type": "application/json"})
    assert answer.status_code < 500, (address, body, answer.text)


@settings(max_examples=150, **QUIET)
@given(
    answers=some.dictionaries(some.sampled_from(FIELDS) | TEXTS, JSON, max_size=5),
    version=some.integers(-(2**70), 2**70) | JSON,
    key=some.text("abc é", max_size=5),
)
def test_answers(opened, answers, version, key):
    program, task_id, _ = opened
    sent = json.dumps({"answers": answers, "version": version})
    answer = program.post(f"/tasks/{task_id}/complete", content=sent, headers={"content-type": "application/json", "idempotency-key": key.encode()})
    assert answer.status_code < 500 and answer.status_code != 200, (answers, version, answer.text)


@settings(max_examples=100, **QUIET)
@given(
    query=some.dictionaries(
        some.sampled_from(["scope", "case_id", "limit", "cursor"]), TEXTS.filter(lambda one: "\ud800" not in one) | some.integers(), max_size=4
    )
)
def test_parameters(salma, query):
    answer = salma.get("/worklist", **query)
    assert answer.status_code < 500, (query, answer.text)
    answer = salma.get("/cases/01a20e25-f78d-72b2-b6bc-61aa48cc54a6/history", **query)
    assert answer.status_code < 500, (query, answer.text)


@settings(max_examples=40, **QUIET)
@given(query=some.dictionaries(some.sampled_from(["first", "days", "of", "day", "minutes", "agent_id", "before"]),
                               some.dates().map(str) | some.datetimes(timezones=some.timezones()).map(str) | some.integers().map(str) | some.sampled_from(["branch", "9999-12-31", "0001-01-01T00:00:00+14:00"]),
                               max_size=3))  # fmt: skip
def test_days_and_hours(opened, query):
    program, _, case_id = opened
    for address in ("/appointments", f"/cases/{case_id}/appointments/free", "/notices"):
        answer = program.get(address, **{"first": "2026-03-18"} | query)
        assert answer.status_code < 500, (address, query, answer.text)


@settings(max_examples=40, **QUIET)
@given(begins=some.datetimes(timezones=some.timezones()), days=some.tuples(some.dates(), some.dates()))
def test_any_hour_and_any_days(opened, begins, days):
    program, _, case_id = opened
    agent = program.get(f"/cases/{case_id}/appointments/free").json()["agent_id"]
    answer = program.post(f"/cases/{case_id}/appointments", json={"agent_id": agent, "begins_at": begins.isoformat()})
    assert answer.status_code < 500, (begins, answer.text)
    answer = program.post("/leaves", json={"from_on": days[0].isoformat(), "until_on": days[1].isoformat()})
    assert answer.status_code < 500, (days, answer.text)
