"""Programs of the coordination at the repair desk: what broke and why, a move foreseen and made, what waits for a second person; and who is turned away."""

import pytest
from sqlalchemy import text

from api.app import create_app
from engine.settings import Settings
from tests.api.conftest import Program
from tests.engine.casework.test_repairs import broken_files, received
from tests.web.small.installation import furnish
from tests.world import World

WHY = {"reason": "Nobody that day; agreed with the branch."}


@pytest.fixture(scope="module")
def world(make_database):
    database = make_database()
    furnish(database, broken_files())
    return World(database)


@pytest.fixture
def stuck(world):
    referents = text("UPDATE user_account SET is_active = :active WHERE 'referent' = ANY (roles)")
    with world.database.owner() as connection:
        connection.execute(referents, {"active": False})
    case_id = received(world)
    with world.database.owner() as connection:
        connection.execute(referents, {"active": True})
    return case_id


@pytest.fixture
def sign_in(world):
    app = create_app(Settings(is_demo=True), world.database)

    def make(username):
        made = Program(app, "en")
        assert made.sign_in(username).status_code == 200
        return made

    return make


def test_a_broken_case_is_found_foreseen_and_moved_on(sign_in, stuck, world):
    meriem, salma = sign_in("meriem"), sign_in("salma")
    found = next(one for one in meriem.get("/incidents").json()["items"] if one["case_id"] == str(stuck))
    assert found["name"] == "Hand over the receipt" and found["details"]["operation"] == found["name"] and "case owner" in found["details"]["error"]
    owner = str(world.staff["anis"].user_id)
    assert meriem.post(f"/incidents/{found['incident_id']}/assign", json={"user_id": owner}).json()["owner_id"] == owner
    place = meriem.get(f"/cases/{stuck}/places").json()["items"][0]
    at = {"position": place["position"], "act": "move", "to": "orienter"}
    outlook = meriem.get(f"/instances/{stuck}/outlook", **at).json()
    assert outlook["opened"] == ["Orient the person"] and outlook["touches"] == []
    assert salma.get(f"/cases/{stuck}/places").status_code == 403 and salma.post(f"/instances/{stuck}/repair", json={**at, "seq": place["seq"], **WHY}).status_code == 403
    assert meriem.post(f"/instances/{stuck}/repair", json={**at, "seq": place["seq"], "reason": ""}).status_code == 422
    assert meriem.post(f"/instances/{stuck}/repair", json={**at, "seq": place["seq"], **WHY}).json() == {"proposed": None}
    late = meriem.post(f"/instances/{stuck}/repair", json={**at, "seq": place["seq"], **WHY})
    assert (late.status_code, late.json()["code"]) == (409, "repair.stale")
    corrected = meriem.post(f"/cases/{stuck}/correct", json={"subject": f"retour:{stuck}", "field": "retour.pays", "value": "DE", **WHY})
    assert corrected.json() == {"proposed": None}


def test_what_touches_money_is_approved_by_another(sign_in, stuck):
    meriem, anis = sign_in("meriem"), sign_in("anis")
    place = meriem.get(f"/cases/{stuck}/places").json()["items"][0]
    asked = {"position": place["position"], "act": "move", "to": "fin", "seq": place["seq"], **WHY}
    proposed = meriem.post(f"/instances/{stuck}/repair", json=asked).json()["proposed"]
    waiting = next(one for one in anis.get("/repairs").json()["items"] if one["repair_id"] == proposed)
    assert waiting["touches"] == ["money"] and waiting["may"] == ["approve", "refuse"]
    own = meriem.post(f"/repairs/{proposed}/approve", json={"seq": waiting["at_seq"]})
    assert (own.status_code, own.json()["code"]) == (403, "repair.own")
    assert anis.post(f"/repairs/{proposed}/approve", json={"seq": waiting["at_seq"]}).json()["state"] == "applied"
    assert anis.post(f"/repairs/{proposed}/refuse", json=WHY).json()["code"] == "repair.decided"
    assert meriem.get(f"/cases/{stuck}").json()["ended_at"]


def test_a_condition_is_retried_with_a_reason(sign_in, stuck):
    meriem = sign_in("meriem")
    found = next(one for one in meriem.get("/incidents").json()["items"] if one["case_id"] == str(stuck))
    assert meriem.post(f"/incidents/{found['incident_id']}/retry", json={}).status_code == 422
    assert meriem.post(f"/incidents/{found['incident_id']}/retry", json=WHY).json() == {"incident_id": found["incident_id"], "went_on": 1, "broke_again": 0}
    assert meriem.post(f"/incidents/{found['incident_id']}/retry", json=WHY).status_code == 404
