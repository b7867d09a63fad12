"""What leaves Masar of many cases: XES and OCEL logs without a name and by consent, tables no spreadsheet reckons with; each told of before it leaves."""

import csv
import io
import re
from uuid import UUID

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient
from lxml import etree
from sqlalchemy import text

from engine.actors import users
from engine.casework.instances import Change, lock
from engine.dossier import consents
from engine.dossier.facts import NewFact
from engine.insight import exchange, spreadsheets
from engine.ledger import consultations
from tests.web.conftest import Browser
from tests.web.small.installation import PASSWORD
from tests.web.test_a_task_page import act, complete, orientation, task_of
from tests.web.test_who_consulted_a_case import kinds

XES = "{http://www.xes-standard.org/}"
# The rules of the OCEL 2.0 page on its JSON form, as a schema.
_TYPES = {"type": "array", "items": {"type": "object", "required": ["name", "attributes"], "properties": {"name": {"type": "string"}, "attributes": {"type": "array", "items": {
    "type": "object", "required": ["name", "type"], "properties": {"name": {"type": "string"}, "type": {"enum": ["string", "time", "integer", "float", "boolean"]}}}}}}}  # fmt: skip
_LINKS = {"type": "array", "items": {"type": "object", "required": ["objectId", "qualifier"], "properties": {"objectId": {"type": "string"}, "qualifier": {"type": "string"}}}}


def _things(*required, timed):
    told = {"type": "object", "required": ["name", "value", *(["time"] if timed else [])], "properties": {"name": {"type": "string"}, "time": {"type": "string", "format": "date-time"}}}
    return {"type": "array", "items": {"type": "object", "required": ["id", "type", *required], "properties": {
        "id": {"type": "string"}, "type": {"type": "string"}, "time": {"type": "string", "format": "date-time"}, "attributes": {"type": "array", "items": told}, "relationships": _LINKS}}}  # fmt: skip


OCEL = {"type": "object", "required": ["objectTypes", "eventTypes", "objects", "events"], "properties": {
    "objectTypes": _TYPES, "eventTypes": _TYPES, "objects": _things(timed=True), "events": _things("time", timed=False)}}  # fmt: skip


def says(database, case, **said):
    """The person says a consent (`c5=True`), as the form that asks it records it."""
    with database.unit_of_work(users.system()) as session:
        karim = users.of_row(session.execute(text("SELECT user_id, username, name, agency, branch, roles, language FROM user_account WHERE username = 'karim'")).one())
    with database.unit_of_work(karim) as session:
        held = lock(session, UUID(case.rpartition("/")[2]))
        new = [NewFact(f"case:{held.root_id}", f"consentement.{name}", value, "C") for name, value in said.items()]
        consents.apply(held, new)
        change = Change(session, karim, held, held.now)
        change.note("consent.said", {}, new)
        change.write()


@pytest.fixture(scope="module")
def agreed(small, app):
    """Two cases whose persons agreed to statistics, one that did not, one that took it back."""
    salma, karim = Browser(app), Browser(app)
    salma.sign_in("salma")
    karim.sign_in("karim")
    made = [complete(salma) for _ in range(4)]
    karim.get(task_of(karim, made[0]))
    act(karim, "complete", orientation(karim.page))
    for case in (made[0], made[1], made[3]):
        says(small, case, c5=True)
    says(small, made[3], c5=False)
    return made


@pytest.fixture
def program(app):
    def make(username):
        client = TestClient(app, base_url="http://masar.test")
        token = client.post("/api/v1/token", data={"username": username, "password": PASSWORD}).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        return client

    return make


def test_the_xes_log_keeps_to_the_standard_and_holds_who_agreed_and_no_name(small, agreed, program):
    answer = program("chokri").get("/api/v1/exports/xes")
    assert answer.status_code == 200
    log = etree.fromstring(answer.content)
    assert (log.tag, log.get("xes.version")) == (f"{XES}log", "1849-2016")
    assert [one.tag for one in log][:10] == [f"{XES}extension"] * 5 + [f"{XES}global"] * 2 + [f"{XES}classifier"] * 2 + [f"{XES}string"], "in the order of the standard"
    declared = {one.get("prefix") for one in log.findall(f"{XES}extension")}
    needed = {scope.get("scope"): {one.get("key") for one in scope} for scope in log.findall(f"{XES}global")}
    traces = log.findall(f"{XES}trace")
    mine = [one for one in traces if [event for event in one if _value(event, "node") == "accueillir"]]
    names = [_value(one, "concept:name") for one in traces]
    assert len(mine) >= 2 and len(set(names)) == len(names)
    with small.reading(users.system()) as session:
        asked = exchange._Reading(session, "fr", session.info["keys"].key(exchange._PSEUDONYMS))
        by_case = {case: asked.pseudonym("case", case.rpartition("/")[2]) for case in agreed}
    assert [by_case[case] in names for case in agreed] == [True, True, False, False], "of those who agreed, and did not take it back"
    for trace in traces:
        assert needed["trace"] <= {one.get("key") for one in trace}
        events = trace.findall(f"{XES}event")
        assert [_value(one, "time:timestamp") for one in events] == sorted(_value(one, "time:timestamp") for one in events)
        for event in events:
            keys = [one.get("key") for one in event]
            assert needed["event"] <= set(keys) and len(keys) == len(set(keys))
            assert {key.partition(":")[0] for key in keys if ":" in key} <= declared
            assert _value(event, "lifecycle:transition") in {"schedule", "assign", "reassign", "withdraw", "complete", "ate_abort", "manualskip"}
    done = {(_value(one, "concept:instance"), _value(one, "lifecycle:transition")) for one in mine[0].findall(f"{XES}event") if _value(one, "node") == "accueillir"}
    assert {transition for _, transition in done} >= {"schedule", "complete"} and len({instance for instance, _ in done}) == 1, "one round of a task is one instance"
    for secret in ("Dridi", "Besma", "Salma", "Trabelsi", *(case.rpartition("/")[2] for case in agreed)):
        assert secret not in answer.text, secret


def test_the_ocel_log_keeps_to_its_schema_and_every_reference_is_there(agreed, program):
    answer = program("meriem").get("/api/v1/exports/ocel")
    log = answer.json()
    jsonschema_rs.validator_for(OCEL, validate_formats=True).validate(log)
    objects, ids = {one["id"]: one["type"] for one in log["objects"]}, [one["id"] for one in log["events"]]
    assert len(ids) == len(set(ids)) and len(objects) == len(log["objects"])
    for one in [*log["events"], *log["objects"]]:
        assert all(link["objectId"] in objects for link in one["relationships"])
    for kind, things in (("eventTypes", log["events"]), ("objectTypes", log["objects"])):
        known = {one["name"]: {told["name"] for told in one["attributes"]} for one in log[kind]}
        assert all({told["name"] for told in one["attributes"]} <= known[one["type"]] for one in things)
    assert set(objects.values()) == {"case", "part", "agent"}
    assert "Dridi" not in answer.text and "Salma" not in answer.text


@pytest.mark.parametrize("cell", ['=HYPERLINK("http://e.tn")', "+216 71", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1+1", "＝1+1", "＋1", "－1", "＠A1", '=cmd|"/c calc"!A0'])
def test_no_cell_is_a_formula(cell):
    written = next(csv.reader(io.StringIO(spreadsheets.line(["plain", cell, -5, None, 'a "quoted", one']).decode(), newline="")))
    assert written[1] == f"'{cell}"
    assert [written[0], *written[2:]] == ["plain", "-5", "", 'a "quoted", one'], "numbers and plain text are as they were"


def test_tables_are_those_of_the_reader_and_history_is_neutralised_too(small, agreed, program, browser):
    case = agreed[1].rpartition("/")[2]
    with small.unit_of_work(users.system()) as session:
        meriem = users.of_row(session.execute(text("SELECT user_id, username, name, agency, branch, roles, language FROM user_account WHERE username = 'meriem'")).one())
    with small.unit_of_work(meriem) as session:
        held = lock(session, UUID(case))
        change = Change(session, meriem, held, held.now)
        change.note("fact.corrected", {}, (), reason="=1+1")
        change.write()
    rows = _rows(program("chokri").get("/api/v1/exports/csv/history", params={"case_id": case}))
    assert any(row[4] == "'=1+1" for row in rows) and any("a terminé" in row[1] for row in rows)
    listed = _rows(program("meriem").get("/api/v1/exports/csv/worklist"))
    assert listed[0][0] == "Dossier" and any("Orienter" in row[1] for row in listed[1:])
    figures = _rows(program("chokri").get("/api/v1/exports/csv/figures"))
    assert sum(int(row[3]) for row in figures[1:]) >= 4
    assert kinds(small, agreed[1])[-1][:2] == ("access.exported", "export.history")
    page = browser("chokri").get("/exports")
    assert page.status_code == 200 and "[web." not in page.text
    assert browser("chokri").get("/exports/csv/figures").content.startswith("\ufeffAntenne".encode())


def test_each_export_is_told_of_before_its_first_byte_and_is_refused_to_who_may_not(small, agreed, program, browser):
    before = len(kinds(small, consultations.NOBODYS))
    for what in ("xes", "ocel", "csv/figures"):
        assert program("salma").get(f"/api/v1/exports/{what}").status_code == 403
        assert browser("karim").get(f"/exports/{what}").status_code == 403
    assert program("zied").get("/api/v1/exports/csv/worklist").status_code == 403
    assert program("ines").get("/api/v1/exports/csv/history", params={"case_id": agreed[0].rpartition("/")[2]}).status_code == 403
    assert len(kinds(small, consultations.NOBODYS)) == before
    assert program("chokri").get("/api/v1/exports/xes").status_code == 200
    assert kinds(small, consultations.NOBODYS)[-1][:2] == ("access.exported", "export.xes")
    with small.owner() as connection:
        connection.exec_driver_sql("REVOKE INSERT ON consultation FROM masar_app")
    try:
        client = program("chokri")
        client._transport.raise_server_exceptions = False
        answer = client.get("/api/v1/exports/xes")
        assert answer.status_code == 500 and b"<log" not in answer.content, "what cannot be told of does not leave"
    finally:
        with small.owner() as connection:
            connection.exec_driver_sql("GRANT INSERT ON consultation TO masar_app")


def _value(element, key):
    return next((one.get("value") for one in element if one.get("key") == key), None)


def _rows(answer):
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(re.sub("^\ufeff", "", answer.text), newline="")))
