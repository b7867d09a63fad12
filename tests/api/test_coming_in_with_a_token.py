"""Tokens: who gets one, what it opens, when it stops opening."""

import pytest
from sqlalchemy import text

from engine.actors import signin, users
from tests.web.small.installation import PASSWORD


def test_a_right_pair_gives_a_bearer_token_and_me_says_whose(program):
    answer = program().sign_in("karim")
    assert answer.json()["token_type"] == "bearer" and answer.json()["expires_in"] > 0 and answer.headers["cache-control"] == "no-store"
    me = program("karim").get("/me").json()
    assert (me["username"], me["agency"], me["branch"], me["roles"], me["language"]) == ("karim", "OTE", "MED", ["referent"], "fr")


def test_a_wrong_pair_is_refused_in_the_same_words_whatever_was_wrong(program):
    one, other = program().sign_in("karim", "not it"), program().sign_in("nobody at all", PASSWORD)
    assert one.status_code == other.status_code == 401 and one.content == other.content
    assert one.json()["code"] == "signin.wrong" and one.headers["content-type"] == "application/problem+json"


def test_after_five_failures_one_waits(program):
    for _ in range(5):
        assert program().sign_in("guessed", "not it").status_code == 401
    answer = program().sign_in("guessed", "not it")
    assert answer.status_code == 429 and answer.json()["code"] == "signin.too_many" and int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer nothing", "Basic a2FyaW06eA==", "Bearer " + "x" * 5000])
def test_without_a_token_that_opens_everything_is_401(program, header):
    stranger = program()
    if header:
        stranger.client.headers["authorization"] = header
    answer = stranger.get("/me")
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer" and answer.json()["code"] == "signin.needed"


def test_a_token_of_the_pages_does_not_open_the_api(program, furnished):
    with furnished.unit_of_work(users.VISITOR) as session:
        opened = signin.sign_in(session, "karim", PASSWORD, "web")
    stranger = program()
    stranger.client.headers["authorization"] = f"Bearer {opened.token}"
    assert stranger.get("/me").status_code == 401


def test_a_session_ended_on_the_server_is_over_at_once_and_rights_taken_away_too(program, furnished):
    one = program("selim")
    token = one.client.headers["authorization"].removeprefix("Bearer ")
    with furnished.unit_of_work(users.VISITOR) as session:
        signin.sign_out(session, token)
    assert one.get("/me").status_code == 401
    other = program("selim")
    with furnished.owner() as connection:
        connection.execute(text("UPDATE user_account SET roles = '{}' WHERE username = 'selim'"))
    assert other.get("/me").json()["roles"] == []
    assert other.post("/cases", json={"process": "parcours"}).status_code == 403
    with furnished.owner() as connection:
        connection.execute(text("UPDATE user_account SET roles = '{agent_accueil}' WHERE username = 'selim'"))


@pytest.mark.parametrize(("sent", "status"), [({}, 422), ({"username": "karim"}, 422), ({"username": "karim", "password": PASSWORD, "grant_type": "magic"},
    422),
                                              ({"username": "karim", "password": PASSWORD, "grant_type": "password", "scope": ""}, 200),
                                              ({"username": "k" * 300, "password": "x"}, 422), ({"username": "\0", "password": "\0"}, 401)])  # fmt: skip
def test_the_form_is_that_of_oauth(program, sent, status):
    answer = program().post("/token", data=sent)
    assert answer.status_code == status, answer.text
    assert status != 422 or answer.json()["errors"][0]["pointer"].startswith("#/")
