"""A case led by programs: opened, its tasks claimed and completed, two at once, twice, too late, by the wrong one."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import jsonschema_rs
import pytest

from tests.api.stranger import Stranger

IDENTITY = {
    "person.nom_fr": "Ben Salah",
    "person.prenom_fr": "Mounir",
    "person.sexe": "M",
    "person.naissance_date": "1999",
    "person.gouvernorat": "TN-82",
    "person.delegation": "TN-82-01",
    "retour.date": "2026-03-12",
    "retour.pays": "DE",
    "accueil.accompagne": False,
    "foyer.membres": [],
    "depistage.sans_abri_ce_soir": False,
}
_count = iter(range(10_000_000, 99_999_999))


@pytest.fixture
def opened(program):
    """A case just opened by the reception, and its first task."""
    salma = program("salma")
    answer = salma.post("/cases", json={"process": "parcours", "branch": "MED"})
    assert answer.status_code == 201 and answer.headers["location"].endswith(answer.json()["case_id"])
    return salma, answer.json()


def identity(more=()):
    """Somebody nobody has met: a new CIN, and a name whose consonants no other has."""
    number = str(next(_count))
    return IDENTITY | {"person.cin": number, "person.naissance_date": f"{1950 + int(number) % 50}-{1 + int(number) // 50 % 12:02d}-11", "person.nom_fr": "m".join("bdfhjklnrs"[int(digit)] for digit in number)} | dict(more)


def complete(program, task_id, answers, version=0, key="", **more):
    return program.post(f"/tasks/{task_id}/complete", json={"answers": answers, "version": version, **more}, headers={"idempotency-key": key} if key else {})


def test_a_case_is_opened_seen_and_listed(program, opened):
    salma, case = opened
    file = salma.get(f"/cases/{case['case_id']}").json()
    assert file["case_number"] == case["case_number"] and file["case_number"].startswith("TN-MED-") and file["state"] and file["ended_at"] is None
    assert [one["task_id"] for one in file["waiting"]] == [case["task_id"]]
    listed = salma.get("/worklist", scope="queue", case_id=case["case_id"]).json()
    assert [(one["task_id"], one["case_id"], one["node"]) for one in listed["items"]] == [(case["task_id"], case["case_id"], "accueillir")]
    assert listed["next"] is None and listed["items"][0]["name"] and listed["items"][0]["due_at"]
    assert program("salma", "ar").get("/worklist", scope="queue", case_id=case["case_id"]).json()["items"][0]["name"] == "الاستقبال والتعرف على الهوية"


def test_who_may_not_open_or_see_a_case_is_told_nothing_of_it(program, opened):
    _, case = opened
    assert program("nabil").post("/cases", json={"process": "parcours", "branch": "MED"}).status_code == 403
    assert program("ines").post("/cases", json={"process": "parcours", "branch": "MED"}).status_code == 403
    assert program("salma").post("/cases", json={"process": "nowhere"}).json()["code"] == "process.unknown"
    assert program("meriem").post("/cases", json={"process": "parcours", "branch": "XXX"}).json()["code"] == "branch.unknown"
    absent = program("ines").get("/cases/00000000-0000-7000-8000-000000000000")
    for address in (f"/cases/{case['case_id']}", f"/cases/{case['case_id']}/history"):
        for stranger in ("ines", "zied"):
            refused = program(stranger).get(address)
            assert (refused.status_code, refused.json()["detail"]) == (404, absent.json()["detail"])
    for act in ("", "/claim", "/release", "/complete"):
        address = f"/tasks/{case['task_id']}{act}"
        answer = program("ines").get(address) if not act else program("ines").post(address, json={"answers": {}, "version": 0} if act == "/complete" else None)
        assert (answer.status_code, answer.json()["code"]) == (404, "task.not_found"), act


def test_a_task_shows_its_form_as_json_schema_and_its_answers_are_checked_by_it(opened):
    salma, case = opened
    task = salma.get(f"/tasks/{case['task_id']}").json()
    assert task["form"]["$schema"].endswith("2020-12/schema") and task["may"] == ["claim", "complete"] and task["version"] == 0 and task["known"] == []
    jsonschema_rs.validator_for(task["form"]).validate(identity())
    answer = complete(salma, case["task_id"], {"person.cin": "12", "colour": "red"})
    pointers = {one["pointer"]: one["detail"] for one in answer.json()["errors"]}
    assert answer.status_code == 422 and {"#/answers/person.cin", "#/answers/colour", "#/answers/person.sexe"} <= pointers.keys() and all(pointers.values())
    assert salma.get(f"/tasks/{case['task_id']}").status_code == 200


def test_a_task_is_done_and_what_was_said_is_known_to_the_next_agency_and_not_asked_again(program, opened):
    salma, case = opened
    done = complete(salma, case["task_id"], identity(), key="once")
    assert done.status_code == 200 and done.json()["case_id"] == case["case_id"] and done.json()["has_ended"] is False
    karim = program("karim")
    item = karim.get("/worklist", scope="queue", case_id=case["case_id"]).json()["items"][0]
    task = karim.get(f"/tasks/{item['task_id']}").json()
    known = {one["field"]: one for one in task["known"]}
    assert {"person.nom_fr", "person.cin"} <= known.keys() and not known.keys() & task["form"]["properties"].keys() and task["version"] > 0
    assert known["person.cin"]["author"] == "Salma Trabelsi" and known["person.cin"]["correction"]
    assert (
        known["depistage.sans_abri_ce_soir"]["is_hidden"]
        and known["depistage.sans_abri_ce_soir"]["value"] is None
        and known["depistage.sans_abri_ce_soir"]["text"] == ""
    )


def test_a_second_submission_changes_nothing_and_answers_as_the_first(opened):
    salma, case = opened
    answers = identity()
    first = complete(salma, case["task_id"], answers, key="k-1")
    again = complete(salma, case["task_id"], answers, key="k-1")
    assert first.status_code == again.status_code == 200 and again.json()["is_repeat"] and not first.json()["is_repeat"]
    assert complete(salma, case["task_id"], identity(), key="k-1").json()["code"] == "task.key_reused"
    other = complete(salma, case["task_id"], answers, key="k-2")
    assert other.status_code == 409 and other.json()["code"] == "task.done" and other.json()["who"] == "Salma Trabelsi" and other.json()["at"]
    assert len([one for one in salma.get(f"/cases/{case['case_id']}/history").json()["items"] if one["kind"] == "task.completed"]) == 1


def test_two_at_once_one_wins_and_the_other_learns_who(program, opened):
    salma, case = opened
    pair = [salma, program("selim")]
    with ThreadPoolExecutor(2) as together:
        answers = list(together.map(lambda one: one.post(f"/tasks/{case['task_id']}/claim"), pair))
    assert sorted(one.status_code for one in answers) == [200, 409]
    loser = next(one for one in answers if one.status_code == 409)
    assert loser.json()["code"] == "task.held" and loser.json()["who"] in loser.json()["detail"]
    winner = pair[[one.status_code for one in answers].index(200)]
    assert winner.post(f"/tasks/{case['task_id']}/claim").status_code == 200
    assert complete(pair[1 - pair.index(winner)], case["task_id"], identity()).json()["code"] == "task.held"
    assert winner.post(f"/tasks/{case['task_id']}/release").json()["holder_id"] is None
    assert complete(pair[1 - pair.index(winner)], case["task_id"], identity()).status_code == 200


def test_a_stale_version_is_refused_and_names_what_changed(program, opened):
    salma, case = opened
    complete(salma, case["task_id"], identity())
    karim = program("karim")
    item = karim.get("/worklist", scope="queue", case_id=case["case_id"]).json()["items"][0]
    stale = complete(karim, item["task_id"], {}, version=0)
    assert stale.status_code == 409 and stale.json()["code"] == "task.stale" and stale.json()["fields"]
    assert complete(karim, item["task_id"], {}, version=-1).status_code == 422
    assert karim.post(f"/tasks/{item['task_id']}/complete", json={"answers": {}}).json()["errors"][0]["pointer"] == "#/version"


def test_a_possible_duplicate_stops_the_case_until_somebody_says_why_it_is_none(program, opened):
    salma, case = opened
    same = identity()
    assert complete(salma, case["task_id"], same).status_code == 200
    second = salma.post("/cases", json={"process": "parcours"}).json()
    stopped = complete(salma, second["task_id"], same)
    assert stopped.status_code == 409 and stopped.json()["code"] == "beneficiary.possible_duplicate"
    candidates = [one["case_id"] for one in stopped.json()["candidates"]]
    assert case["case_id"] in candidates
    assert complete(salma, second["task_id"], same, not_duplicate_of=candidates).json()["code"] == "beneficiary.reason_needed"
    assert complete(salma, second["task_id"], same, not_duplicate_of=candidates, not_duplicate_reason="Deux frères jumeaux").status_code == 200


def test_history_tells_who_did_what_page_by_page_and_hides_what_is_not_the_readers(program, opened):
    salma, case = opened
    complete(salma, case["task_id"], identity())
    first = salma.get(f"/cases/{case['case_id']}/history", limit=2).json()
    assert len(first["items"]) == 2 and first["next"]
    rest = salma.get(f"/cases/{case['case_id']}/history", cursor=first["next"]).json()
    assert {one["kind"] for one in first["items"] + rest["items"]} >= {"case.opened", "task.completed"} and rest["next"] is None
    for forged in ("9" * 50, "²", "-1", "x"):
        assert salma.get(f"/cases/{case['case_id']}/history", cursor=forged).status_code == 422
    for reader, sees in (("karim", False), ("meriem", False), ("amel", False)):  # amel: before consent, what OTE wrote is OTE's
        values = [value["field"] for one in program(reader).get(f"/cases/{case['case_id']}/history").json()["items"] for value in one["values"]]
        assert ("depistage.sans_abri_ce_soir" in values) is sees, reader


def test_messages_are_taken_by_name_and_by_role(program):
    unknown = program("meriem").post("/messages", json={"name": "nothing.of.ours", "correlation": "x"})
    assert unknown.status_code == 422 and unknown.json()["code"] == "message.unknown"
    for name in ("dossier.decide", "paiement.confirme"):
        assert program("karim").post("/messages", json={"name": name, "correlation": "x", "payload": {}}).status_code == 403


def test_a_stranger_leads_a_case_to_its_end(program):
    programs = {name: program(name) for name in ("salma", "karim", "amel", "nabil")}
    case_id = programs["salma"].post("/cases", json={"process": "parcours"}).json()["case_id"]
    coordination = program("meriem")

    def tomorrow():
        return dt.datetime.fromisoformat(coordination.post("/demo/clock", json={"advance": "P1D"}).json()["now"]).date()

    stranger = Stranger(programs, tomorrow())
    ended = stranger.lead(case_id, tomorrow)
    assert ended["ended_at"] and ended["waiting"] == [] and "accueillir" in stranger.done
