"""A program of an administrator: accounts by two, dated data, files tried first; and who is turned away."""

import pytest

from api.app import create_app
from engine.actors import users
from engine.dossier import programmes
from engine.settings import Settings
from tests.api.conftest import Program
from tests.web.small.installation import PASSWORD, ROOT, furnish

WHY = {"reason": "Note du 3 novembre"}
NEW = {"username": "imen", "name": "Imen Saïdi", "agency": "OTE", "branch": "MED", "roles": ["referent", "chef_antenne"], **WHY}


@pytest.fixture(scope="module")
def sign_in(make_database):
    database = make_database(furnish)
    with database.owner() as connection:
        programmes.seed(connection, ROOT / "processes")
        users.create(connection, "hajer", "Hajer Mansouri", "OTE", "TUN", ["administrateur"], PASSWORD)
    app = create_app(Settings(is_demo=True), database)

    def make(username, password=PASSWORD):
        made = Program(app, "en")
        return made, made.sign_in(username, password)

    return make


def test_an_account_is_made_by_one_and_given_its_rights_by_another(sign_in):
    (zied, _), (hajer, _) = sign_in("zied"), sign_in("hajer")
    made = zied.post("/admin/accounts", json=NEW)
    assert made.status_code == 201 and made.json()["account"]["roles"] == ["referent"]
    given = made.json()
    _, answer = sign_in("imen", given["password"])
    assert answer.status_code == 401 and "choose" in answer.json()["detail"]
    address = f"/admin/proposals/{given['proposal_id']}/approve"
    assert zied.post(address).json()["code"] == "proposal.own"
    done = hajer.post(address).json()
    assert done["account"]["roles"] == ["chef_antenne", "referent"] and done["password"] not in ("", given["password"])
    assert zied.post("/admin/accounts", json=NEW).status_code == 409
    user = f"/admin/accounts/{given['account']['user_id']}"
    assert zied.post(f"{user}/password", json=WHY).json()["password"] == ""
    left = zied.post(f"{user}/close", json=WHY)
    assert (left.status_code, left.json()["code"]) == (409, "account.last_holder")
    assert zied.post(f"{user}/close", json={**WHY, "is_known": True}).json()["is_active"] is False
    me = next(one for one in zied.get("/admin/accounts").json()["items"] if one["username"] == "zied")
    assert zied.client.put(f"/admin/accounts/{me['user_id']}/rights", json={"agency": "OTE", "branch": "TUN", "roles": ["coordinateur"], **WHY}).json()["code"] == "account.own"
    kinds = [one["kind"] for one in zied.get("/admin/journal", about=f"user:{given['account']['user_id']}").json()["items"]]
    assert kinds == ["account.closed", "account.password_proposed", "account.rights_given", "account.rights_proposed", "account.created"]


def test_dated_data_and_files(sign_in):
    zied, _ = sign_in("zied")
    names = {"fr": "Gafsa", "ar": "قفصة", "en": "Gafsa"}
    opened = zied.post("/admin/branches", json={"code": "GAF", "names": names, "valid_from": "2035-01-01", "governorates": ["TN-71"], "agencies": ["OTE"], **WHY})
    assert opened.status_code == 201 and opened.json()["gave_up"] == ["SFX"]
    value = zied.post("/admin/parameters/quorum_minimum/versions", json={"valid_from": "2035-01-01", "value": 4, "is_inferred": True, **WHY})
    assert value.status_code == 201 and [one["state"] for one in value.json()["versions"]] == ["now", "to_come"]
    refused = zied.post("/admin/parameters/quorum_minimum/versions", json={"valid_from": "2020-01-01", "value": 4, "source": "x", **WHY})
    assert refused.status_code == 422 and refused.json()["code"] == "dated.too_soon" and refused.json()["errors"][0]["pointer"] == "#/valid_from"
    assert zied.post("/admin/parameters/quorum_minimum/versions/2035-01-01/take-back", json=WHY).status_code == 200
    csv = "jour;nom_fr;nom_ar;nom_en\n01/02/2035;A;ا;A\n01/02/2020;A;ا;A\n"
    told = zied.post("/admin/import/holidays", json={"content": csv, **WHY}).json()
    assert [(one["line"], one["code"]) for one in told["errors"]] == [(3, "dated.too_soon")] and not told["is_done"]
    done = zied.post("/admin/import/holidays", json={"content": csv.replace("2020", "2036"), "is_trial": False, **WHY}).json()
    assert done["is_done"] and done["count"] == 2 and len(zied.get("/admin/holidays", year=2036).json()["items"]) == 1
    assert zied.client.put("/admin/holidays/2036-02-03", json={"names": names, **WHY}).status_code == 200
    assert zied.client.put("/admin/holidays/2036-02-03", json={"names": names, "moves_to": "2036-02-01", **WHY}).json()["code"] == "dated.closed_then"
    assert [one["day"] for one in zied.client.put("/admin/holidays/2036-02-03", json={"names": names, "moves_to": "2036-02-04", **WHY}).json()["items"]] == ["2036-02-01", "2036-02-04"]
    assert zied.post("/admin/holidays/2036-02-04/drop", json=WHY).status_code == 200
    assert zied.get("/admin/holidays", year=2036).json()["items"][0]["day"] == "2036-02-01"


def test_a_review_is_walked_by_a_program(sign_in):
    zied, _ = sign_in("zied")
    whole = zied.post("/admin/reviews", json={"agency": "ANETI", **WHY}).json()
    review = f"/admin/reviews/{whole['review']['review_id']}"
    assert zied.post(f"{review}/close", json=WHY).json()["code"] == "review.unfinished"
    for line in whole["lines"]:
        assert zied.post(f"{review}/accounts/{line['user_id']}", json={"decision": "kept"}).status_code == 200
    assert zied.post(f"{review}/close", json=WHY).json()["review"]["closed_at"]


@pytest.mark.parametrize("name", ["chokri", "meriem", "karim"])
def test_the_auditor_reads_and_nobody_else_does_anything(sign_in, name):
    program, _ = sign_in(name)
    reads = {program.get(f"/admin/{noun}", **({"year": 2030} if noun == "holidays" else {})).status_code
             for noun in ("accounts", "proposals", "reviews", "journal", "branches", "agencies", "programmes", "parameters", "holidays")}  # fmt: skip
    assert reads == ({200} if name == "chokri" else {403})
    names = {"fr": "X", "ar": "ا", "en": "X"}
    for address, body in (("/admin/accounts", NEW), ("/admin/reviews", WHY), ("/admin/import/users", {"content": "a", **WHY}),
                          ("/admin/programmes/X-1/versions", {"valid_from": "2035-01-01", "content": {}, **WHY}), ("/admin/programmes/PAD-NL/fund", {"amount_millimes": 1, **WHY}),
                          ("/admin/branches", {"code": "XX", "names": names, "valid_from": "2035-01-01", "governorates": [], "agencies": ["OTE"], **WHY})):  # fmt: skip
        assert program.post(address, json=body).status_code == 403, address
