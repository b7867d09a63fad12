"""Who somebody is is remembered between her acts and believed at none: what changed meanwhile counts at once."""

import pytest
from sqlalchemy import text

from engine.actors import signin, users
from tests.web.small.installation import PASSWORD


@pytest.fixture
def as_owner(furnished):
    def run(statement, **values):
        with furnished.owner() as connection:
            connection.execute(text(statement), values)

    return run


def test_a_session_closed_elsewhere_opens_nothing_at_the_next_act(program, as_owner):
    salma = program("salma")
    assert salma.get("/worklist").status_code == 200
    as_owner("UPDATE user_session SET revoked_at = now() WHERE kind = 'api' AND user_id = (SELECT user_id FROM user_account WHERE username = 'salma')")
    for answer in (salma.get("/worklist"), salma.post("/cases", json={"process": "parcours", "branch": "MED"}), salma.get("/me")):
        assert (answer.status_code, answer.json()["code"]) == (401, "signin.needed")


def test_a_role_taken_away_or_given_counts_at_the_next_act(program, as_owner):
    salma, case = program("salma"), {"process": "parcours", "branch": "MED"}
    assert salma.post("/cases", json=case).status_code == 201
    as_owner("UPDATE user_account SET roles = '{membre_commission}' WHERE username = 'salma'")
    try:
        assert salma.post("/cases", json=case).status_code == 403
    finally:
        as_owner("UPDATE user_account SET roles = '{agent_accueil}' WHERE username = 'salma'")
    assert salma.post("/cases", json=case).status_code == 201


def test_an_account_put_out_of_use_opens_nothing_at_the_next_act(program, as_owner):
    salma = program("salma")
    assert salma.get("/worklist").status_code == 200
    as_owner("UPDATE user_account SET is_active = false WHERE username = 'salma'")
    try:
        assert salma.get("/worklist").status_code == 401
    finally:
        as_owner("UPDATE user_account SET is_active = true WHERE username = 'salma'")


def test_a_browser_s_session_is_no_program_s_token(program, furnished):
    with furnished.unit_of_work(users.VISITOR) as session:
        opened = signin.sign_in(session, "salma", PASSWORD, "web")
    stranger = program()
    stranger.client.headers["authorization"] = f"Bearer {opened.token}"
    for _ in range(2):
        assert stranger.get("/worklist").status_code == 401
