"""The API's document is a promise to those who wrote programs on it: it changes when somebody means it to, and the change is read in the diff.

To take the new one: `.venv/bin/python tests/house/test_openapi_is_pinned.py`.
"""

import json
from functools import cache
from pathlib import Path

import jsonschema_rs

from api.app import create_app
from engine.database import Database
from engine.settings import Settings

PINNED = Path(__file__).with_name("openapi.json")


@cache
def document() -> dict:
    """The document as a program gets it; made once, to be read only."""
    return json.loads(json.dumps(create_app(Settings(is_demo=True), Database("postgresql+psycopg://nobody@nowhere/none")).openapi()))


def test_the_document_is_the_one_that_was_agreed():
    assert document() == json.loads(PINNED.read_text("utf-8")), "the API changed: read the change, then run this file to pin it"


def test_the_routes_are_those_of_the_issues():
    routes = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}
    assert routes == {
        ("POST", "/token"),
        ("GET", "/me"),
        ("GET", "/worklist"),
        ("POST", "/search"),
        ("POST", "/cases"),
        ("GET", "/cases/{case_id}"),
        ("GET", "/cases/{case_id}/history"),
        ("GET", "/cases/{case_id}/entries/{seq}"),
        ("GET", "/cases/{case_id}/why"),
        ("GET", "/cases/{case_id}/why/{instance_id}/{seq}"),
        ("GET", "/audit/events"),
        ("GET", "/audit/rules"),
        ("GET", "/audit/departures"),
        ("GET", "/audit/pairs"),
        ("GET", "/audit/samples"),
        ("POST", "/audit/samples"),
        ("GET", "/audit/samples/{sample_id}"),
        ("GET", "/steering/equity"),
        ("GET", "/steering/indicators"),
        ("GET", "/steering/indicators/{code}/cases"),
        ("GET", "/steering/equity"),
        ("GET", "/steering/reports/{year}/{half}"),
        ("GET", "/findings"),
        ("POST", "/findings"),
        ("GET", "/findings/{finding_id}"),
        ("POST", "/findings/{finding_id}/{act}"),
        ("GET", "/log/checkpoint"),
        ("GET", "/log/checkpoints/{size}"),
        ("POST", "/log/checkpoints/{size}/cosignatures"),
        ("GET", "/log/consistency"),
        ("GET", "/log/receipts/{code}"),
        ("GET", "/cases/{case_id}/consultations"),
        ("GET", "/cases/{case_id}/casefile"),
        ("GET", "/cases/{case_id}/exceptions"),
        ("GET", "/cases/{case_id}/exceptions/{process}"),
        ("POST", "/cases/{case_id}/exceptions"),
        ("GET", "/cases/{case_id}/letters/{letter_id}.pdf"),
        ("GET", "/cases/{case_id}/copy.pdf"),
        ("POST", "/documents"),
        ("GET", "/documents/{document_id}"),
        ("GET", "/tasks/{task_id}"),
        ("POST", "/tasks/{task_id}/claim"),
        ("POST", "/tasks/{task_id}/release"),
        ("POST", "/tasks/{task_id}/complete"),
        ("POST", "/messages"),
        ("GET", "/editions"),
        ("GET", "/editions/{edition_id}/archive"),
        ("POST", "/editions/{edition_id}/bring-back"),
        ("GET", "/editions/{edition_id}/moves"),
        ("POST", "/editions/{edition_id}/moves"),
        ("GET", "/moves/{batch_id}"),
        ("POST", "/moves/{batch_id}/cancel"),
        ("POST", "/moves/{batch_id}/undo"),
        ("POST", "/cases/{case_id}/move"),
        ("POST", "/cases/{case_id}/move-back"),
        ("GET", "/drafts"),
        ("POST", "/drafts"),
        ("POST", "/drafts/import"),
        ("GET", "/drafts/{draft_id}"),
        ("GET", "/drafts/{draft_id}/archive"),
        ("GET", "/drafts/{draft_id}/comparison"),
        ("GET", "/drafts/{draft_id}/files/{path}"),
        ("PUT", "/drafts/{draft_id}/files/{path}"),
        ("DELETE", "/drafts/{draft_id}/files/{path}"),
        ("GET", "/drafts/{draft_id}/asides/{aside_id}"),
        ("POST", "/drafts/{draft_id}/asides/{aside_id}/take"),
        *(("POST", f"/drafts/{{draft_id}}/{verb}") for verb in ("asides/{aside_id}/drop", "update", "submit", "approve", "refuse", "drop")),
        *((method, f"/drafts/{{draft_id}}/{noun}") for method in ("GET", "POST") for noun in ("rehearsal", "trial", "scenarios")),
        ("POST", "/drafts/{draft_id}/rehearsal/cancel"),
        ("POST", "/drafts/{draft_id}/trial/acts"),
        ("POST", "/drafts/{draft_id}/trial/back"),
        ("POST", "/drafts/{draft_id}/scenarios/renew"),
        ("GET", "/drafts/{draft_id}/simulation"),
        ("POST", "/checks"),
        ("GET", "/incidents"),
        ("POST", "/incidents/{incident_id}/retry"),
        ("POST", "/incidents/{incident_id}/assign"),
        ("GET", "/cases/{case_id}/places"),
        ("POST", "/cases/{case_id}/correct"),
        ("GET", "/instances/{instance_id}/outlook"),
        ("POST", "/instances/{instance_id}/repair"),
        ("GET", "/repairs"),
        ("POST", "/repairs/{repair_id}/approve"),
        ("POST", "/repairs/{repair_id}/refuse"),
        *(("GET", f"/admin/{noun}") for noun in ("accounts", "proposals", "reviews", "journal", "branches", "agencies", "programmes", "parameters", "holidays")),
        *(("POST", f"/admin/{noun}") for noun in ("accounts", "reviews", "branches", "import/{kind}")),
        ("GET", "/admin/accounts/{user_id}"),
        *(("PUT", f"/admin/accounts/{{user_id}}/{what}") for what in ("names", "rights")),
        *(("POST", f"/admin/accounts/{{user_id}}/{what}") for what in ("close", "password")),
        *(("POST", f"/admin/proposals/{{proposal_id}}/{what}") for what in ("approve", "refuse")),
        ("GET", "/admin/reviews/{review_id}"),
        *(("POST", f"/admin/reviews/{{review_id}}/{what}") for what in ("accounts/{user_id}", "close")),
        *(("POST", f"/admin/{noun}/{{code}}/versions") for noun in ("branches", "agencies", "programmes", "parameters")),
        *(("POST", f"/admin/{noun}/{{code}}/versions/{{valid_from}}/take-back") for noun in ("branches", "programmes", "parameters")),
        *(("POST", f"/admin/programmes/{{code}}/{what}") for what in ("end", "fund")),
        ("PUT", "/admin/holidays/{day}"),
        ("POST", "/admin/holidays/{day}/drop"),
        *(("GET", f"/exports/{what}") for what in ("xes", "ocel", "csv/{table}")),
        ("GET", "/worklist/awaited"),
        ("POST", "/worklist/selection"),
        *(("POST", f"/worklist/selection/{verb}") for verb in ("colleagues", "preview")),
        *((method, "/worklist/views") for method in ("GET", "POST")),
        ("POST", "/worklist/views/{view_id}/drop"),
        ("POST", "/tasks/{task_id}/pass"),
        *((method, f"/cases/{{case_id}}/{noun}") for method in ("GET", "POST") for noun in ("appointments", "notes", "pieces", "consent/{act}")),
        *(("POST", f"/cases/{{case_id}}/pieces/{{document_id}}/{verb}") for verb in ("renew", "turn-down")),
        ("GET", "/cases/{case_id}/consent"),
        ("GET", "/cases/{case_id}/appointments/free"),
        ("GET", "/appointments"),
        *(("GET", f"/appointments/{{appointment_id}}{more}") for more in ("", "/appointment.ics")),
        *(("POST", f"/appointments/{{appointment_id}}/{verb}") for verb in ("move", "cancel", "settle")),
        *((method, "/leaves") for method in ("GET", "POST")),
        ("GET", "/leaves/stand-ins/{user_id}"),
        ("POST", "/leaves/{leave_id}/end"),
        *(("GET", f"/caseloads{more}") for more in ("", "/{user_id}")),
        *(("POST", f"/caseloads/{{user_id}}/{verb}") for verb in ("preview", "give")),
        ("GET", "/notices"),
        *(("POST", f"/notices/{what}") for what in ("read", "{notice_id}/read")),
        *(("GET", f"/sittings{more}") for more in ("", "/{sitting_id}", "/{sitting_id}/files/{aid_id}")),
        ("GET", "/aids/{dossier_id}"),
        *(("GET", f"/funds{more}") for more in ("", "/{programme}")),
        ("POST", "/demo/clock"),
    }


def test_every_schema_of_the_document_is_a_schema_and_every_route_is_described():
    made = document()
    for name, schema in made["components"]["schemas"].items():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}), name
    for path, methods in made["paths"].items():
        for method, route in methods.items():
            assert route["description"] and route["tags"], (method, path)


def test_every_answer_has_an_example_that_keeps_to_its_schema():
    made = document()
    shown = 0
    for path, methods in made["paths"].items():
        for method, route in methods.items():
            content = next(one["content"] for status, one in route["responses"].items() if status.startswith("2")).get("application/json")
            if content:
                shown += 1
                jsonschema_rs.validator_for({**content["schema"], "components": made["components"]}, validate_formats=True).validate(content["example"])
                assert content["example"].keys() == content_keys(made, content["schema"]), (method, path)
    assert shown == 164


def content_keys(made, schema):
    return made["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"].keys()


if __name__ == "__main__":
    PINNED.write_text(json.dumps(document(), ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
