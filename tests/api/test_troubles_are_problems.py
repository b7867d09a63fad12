"""Whatever goes wrong is a problem detail: a sentence in the reader's language, a code, the place; never a trace."""

import pytest
from fastapi.testclient import TestClient

from api import problems
from api.app import create_app
from engine.database import Database
from engine.settings import Settings

SOME = "00000000-0000-7000-8000-000000000000"


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == status and found["title"] and found["detail"] and found["type"] == f"urn:masar:problem:{found['code']}"
    assert not found["title"].startswith("[") and not found["detail"].startswith("[") and "Traceback" not in answer.text
    return found


@pytest.mark.parametrize(
    "address",
    ["/nowhere", "/cases", f"/cases/{SOME}", "/cases/not-an-id", f"/tasks/{SOME}", "/tasks/7", f"/documents/{SOME}", f"/cases/{SOME}/history", "/../etc"],
)
def test_what_is_not_there_is_a_404_and_a_malformed_id_looks_like_an_absent_one(program, address):
    answer = program("karim").get(address)
    assert problem(answer, 405 if address == "/cases" else 404)["code"] in (
        "api.not_found",
        "api.method",
        "case.not_found",
        "task.not_found",
        "document.not_found",
    )


def test_a_wrong_method_says_which_ones_there_are(program):
    answer = program("karim").client.delete("/me")
    assert problem(answer, 405)["code"] == "api.method" and answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [(b"{", 422, None), (b"", 422, "#"), (b"[]", 422, "#"), (b"null", 422, "#"), (b"{}", 422, "#/process"), (b'{"process": "parcours", "colour": 1}', 422,
     "#/colour"),
     (b'{"process": 3}', 422, "#/process"), (b'{"process": "a\\u0000b"}', 422, "#"), (b'{"process": "\\ud800"}', 422, "#"), (b"[" * 100_000, 400, None),
     (b'{"process": "x", "branch": NaN}', 422, "#"), (b"\xff\xfe", 422, None), (b'{"process": "' + b"x" * 2_000_000 + b'"}', 413, None)],
)  # fmt: skip
def test_a_body_of_the_wrong_shape_is_refused_at_its_place(program, body, status, pointer):
    found = problem(program("salma").post("/cases", content=body, headers={"content-type": "application/json"}), status)
    assert pointer is None or pointer in {one["pointer"] for one in found["errors"]}, found


def test_what_is_not_json_is_not_taken(program):
    assert problem(program("salma").post("/cases", data={"process": "parcours"}), 415)["code"] == "api.media"


def test_a_body_that_hides_its_size_is_stopped_too(program):
    def pieces():
        for _ in range(50):
            yield b" " * 100_000

    assert problem(program("salma").post("/cases", content=pieces(), headers={"content-type": "application/json"}), 413)["code"] == "api.too_large"


def test_a_parameter_is_named(program):
    found = problem(program("karim").get("/worklist", limit="many", scope="yours"), 422)
    assert {one["parameter"] for one in found["errors"]} == {"limit", "scope"}
    for forged in ("forged", "bnVsbA==", "WyJpbmZpbml0eSIsMV0=", "é"):  # null, ["infinity", 1]
        assert problem(program("karim").get("/worklist", cursor=forged), 422)["code"] == "worklist.cursor"


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "fr"),
        ("ar", "ar"),
        ("en-GB,en;q=0.9", "en"),
        ("de, ar-TN;q=0.4, fr;q=0.2", "ar"),
        ("fr;q=0.1, en", "en"),
        ("*", "fr"),
        ("de", "fr"),
        ("en;q=0", "fr"),
        (",;q=x,,ar;q=", "ar"),
    ],
)
def test_the_sentence_is_in_the_language_asked_for_else_in_ones_own(program, asked, language):
    answer = program("karim", asked).get(f"/cases/{SOME}")
    assert answer.headers["content-language"] == language
    assert {"fr": "dossier", "ar": "الملف", "en": "case"}[language] in problem(answer, 404)["detail"]


def test_an_account_kept_in_arabic_is_answered_in_arabic(program, furnished):
    with furnished.owner() as connection:
        connection.exec_driver_sql("UPDATE user_account SET language = 'ar' WHERE username = 'chokri'")
    assert program("chokri").get(f"/cases/{SOME}").headers["content-language"] == "ar"
    assert program("chokri").get("/me").json()["language"] == "ar"


def test_a_bug_gives_a_reference_and_nothing_else():
    app = create_app(Settings(), Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing"))

    @app.get("/breaks")
    def breaks():
        raise RuntimeError("the secret of the house")

    answer = TestClient(app, raise_server_exceptions=False).get("/breaks", headers={"accept-language": "en"})
    found = problem(answer, 500)
    assert "secret" not in answer.text and found["reference"] in found["detail"]


def test_a_database_that_does_not_answer_is_a_503():
    app = create_app(Settings(), Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing"))
    answer = TestClient(app, raise_server_exceptions=False).get("/me", headers={"authorization": "Bearer x"})
    assert problem(answer, 503)["code"] == "api.unreachable" and "127.0.0.1" not in answer.text


def test_the_documentation_shows_problems_where_routes_give_them(program):
    made = program().get("/openapi.json").json()
    assert "HTTPValidationError" not in made["components"]["schemas"]
    for path, methods in made["paths"].items():
        for method, route in methods.items():
            refusals = {status for status in route["responses"] if not status.startswith("2")}
            assert refusals and (path == "/token" or path.startswith("/log/") or "401" in refusals), (method, path)
            for status in refusals:
                assert list(route["responses"][status]["content"]) == [problems.MEDIA_TYPE], (method, path, status)
            assert route.get("description") or route.get("summary"), path
