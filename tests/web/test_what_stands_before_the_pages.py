"""Headers, cookies, sizes and the proof that a post is ours, on a small application of our own behind the real wall."""

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from engine.settings import Settings
from web import security


@pytest.fixture
def client():
    app = FastAPI()
    app.add_middleware(security.Hardening, settings=Settings())

    @app.get("/page")
    def page():
        return PlainTextResponse("ok")

    @app.post("/post")
    async def post(request: Request):
        return PlainTextResponse(str(len(await request.body())))

    return TestClient(app)


def test_every_answer_carries_the_strict_policy_and_is_kept_by_nobody(client):
    for answer in (client.get("/page"), client.get("/absent")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_a_body_larger_than_allowed_is_refused_before_it_is_read(client):
    assert client.post("/post", content=b"x" * 10_000).text == "10000"
    assert client.post("/post", content=b"x" * (security.LARGEST_BODY + 1)).status_code == 413


@pytest.mark.parametrize(("language", "words"), [("fr", "20 Mo au plus"), ("ar", "20 ميغابايت على الأكثر")])
def test_a_file_of_a_hundred_megabytes_is_a_sentence_and_is_thrown_away_as_it_comes(browser, language, words):
    salma = browser("salma")
    salma.post("/account/language", language=language, next="/desk")
    csrf, sent = salma.hidden("csrf"), {"file": ("film.pdf", b"%PDF-1.4" + b" " * 100_000_000)}
    page = salma.client.post("/documents", data={"csrf": csrf}, files=sent)
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (413, "text/html") and words in page.text
    by_script = salma.client.post("/documents", data={"csrf": csrf}, files=sent, headers={"accept": "application/json", "hx-request": "true"})
    assert by_script.status_code == 413 and words in by_script.text and "<" not in by_script.text
    assert salma.client.post("/receipt/complain", data={"csrf": csrf, "reclamation.recit": "x" * 50_000}).status_code == 413
    hers = browser()
    hers.get("/receipt")
    refused = hers.client.post("/receipt/piece", data={"csrf": "x"}, files=sent)
    assert refused.status_code == 413 and 'href="/receipt/mine"' in refused.text and 'href="/signin"' not in refused.text.partition("<main")[2], "no door of agents for who has no account"
    salma.post("/account/language", csrf=csrf, language="fr", next="/desk")


def test_over_tls_the_cookie_is_bound_to_this_host_and_out_of_reach_of_scripts():
    answer = PlainTextResponse("ok")
    security.set_cookie(answer, Settings(is_tls=True), "masar", "secret")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-masar=secret")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, True),
        ({"origin": "http://masar.tn"}, True),
        ({"origin": "http://elsewhere.tn"}, False),
        ({"origin": "null"}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-origin", "origin": "http://elsewhere.tn"}, False),
    ],
)
def test_a_post_is_ours_only_when_the_browser_says_so(headers, is_ours):
    pairs = [(name.encode(), value.encode()) for name, value in ({"host": "masar.tn"} | headers).items()]
    assert security.came_from_us(Request({"type": "http", "method": "POST", "path": "/", "headers": pairs})) is is_ours


def test_a_form_token_of_another_visitor_is_worth_nothing():
    assert security.form_token("mine") == security.form_token("mine")
    assert security.form_token("mine") != security.form_token("hers")


def test_a_note_that_was_altered_is_not_read():
    sealed = security.seal("secret", {"code": "completed", "name": "تم"})
    assert security.unseal("secret", sealed) == {"code": "completed", "name": "تم"}
    assert security.unseal("other", sealed) is None
    assert security.unseal("secret", "x" + sealed) is None
    assert security.unseal("", sealed) is None


@pytest.mark.parametrize("target", ["//evil.tn", "https://evil.tn", "/\\evil.tn", "javascript:alert(1)", "desk", "", "/a\nb", "\\\\evil"])
def test_after_signing_in_nobody_is_sent_to_another_site(target):
    assert security.local_address(target) == "/desk"


def test_after_signing_in_one_comes_back_to_the_page_one_wanted():
    assert security.local_address("/tasks/1?x=2") == "/tasks/1?x=2"
