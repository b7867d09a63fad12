"""A program of the coordination tries a draft: a trial act by act, a scenario of it, a rehearsal, the simulation; and who is turned away."""

from sqlalchemy import text

from engine.actors import users
from engine.casework import batches

SAID = {"person.nom_ar": "الدريدي", "person.prenom_ar": "بسمة", "person.nom_fr": "Dridi", "person.prenom_fr": "Besma", "person.sexe": "F", "person.naissance_date": "1987",
        "person.cin": "08112233", "person.gouvernorat": "TN-82", "person.delegation": "TN-82-01", "retour.date": "2026-02-03", "retour.pays": "IT", "accueil.accompagne": False,
        "foyer.membres": [], "depistage.sans_abri_ce_soir": False}  # fmt: skip
ORIENTED = {"evaluation.ressources_mensuelles": 0, "accueil.motif_visite": ["info"], "accueil.rdv_le": "2027-03-03T09:00:00+01:00", "person.tel": "+21622118833"}


def test_a_draft_is_tried_and_what_was_tried_is_kept_and_played(sign_in):
    meriem = sign_in("meriem")
    at = f"/drafts/{meriem.post('/drafts', json={'title': 'Shorter'}).json()['draft_id']}"
    assert meriem.get(f"{at}/trial").json()["code"] == "trial.not_begun" and meriem.get(f"{at}/rehearsal").json()["code"] == "rehearsal.none"
    begun = meriem.post(f"{at}/trial", json={"process": "parcours", "branch": "MED"})
    assert begun.status_code == 201 and [(one["node"], one["agency"]) for one in begun.json()["tasks"]] == [("accueillir", "OTE")]
    wrong = meriem.post(f"{at}/trial/acts", json={"do": "answer", "version": 1, "node": "accueillir", "answers": {"person.cin": "12"}})
    assert wrong.status_code == 422 and wrong.json()["code"] == "task.answers"
    moved = meriem.post(f"{at}/trial/acts", json={"do": "answer", "version": 1, "node": "accueillir", "answers": SAID}).json()
    assert moved["version"] == 2 and [one["node"] for one in moved["tasks"]] == ["orienter"], moved
    assert meriem.post(f"{at}/trial/acts", json={"do": "jump", "version": 1}).json()["code"] == "trial.stale"
    assert meriem.post(f"{at}/trial/acts", json={"do": "jump", "version": 2}).json()["code"] == "trial.nothing_due"
    over = meriem.post(f"{at}/trial/acts", json={"do": "answer", "version": 2, "node": "orienter", "answers": ORIENTED}).json()
    assert over["instances"] == [{"process": "parcours", "is_open": False, "stands": [], "incidents": []}], over
    assert meriem.post(f"{at}/trial/back", json={"version": 3}).json()["tasks"][0]["node"] == "orienter"
    made = meriem.post(f"{at}/scenarios", json={"title": "Straight on"}).json()
    assert made["items"][0]["finding"] == "" and made["items"][0]["made_of"] == "trial"
    assert {one["process"]: one["missed"] for one in made["coverage"]}["parcours"] == ["choix", "visiter", "fin"]
    diagram = meriem.get(f"{at}/files/processes/parcours.bpmn").json()
    meriem.client.put(f"{at}/files/processes/parcours.bpmn", json={"content": diagram["content"].replace('"orienter"', '"diriger"').replace(">orienter<", ">diriger<").replace('form="diriger"', 'form="orienter"'), "version": 0})
    found = [one for one in meriem.get(at).json()["findings"] if one["code"].startswith("scenario.")]
    assert [(one["severity"], one["file"]) for one in found] == [("error", made["items"][0]["path"])]
    renewed = meriem.post(f"{at}/scenarios/renew", params={"path": made["items"][0]["path"]})
    assert renewed.status_code == 200 and renewed.json()["items"][0]["finding"] == ""


def test_a_draft_is_rehearsed_and_simulated(sign_in, own_tunisia):
    meriem, salma = sign_in("meriem"), sign_in("salma")
    case = salma.post("/cases", json={"process": "parcours", "branch": "MED"}).json()
    at = f"/drafts/{meriem.post('/drafts', json={'title': 'Later'}).json()['draft_id']}"
    diagram = meriem.get(f"{at}/files/processes/parcours.bpmn").json()["content"]
    meriem.client.put(f"{at}/files/processes/parcours.bpmn", json={"content": diagram.replace('delai="8" unite="heures_ouvrees"', 'delai="9" unite="jours"'), "version": 0})
    asked = meriem.post(f"{at}/rehearsal", json={})
    assert asked.status_code == 202 and asked.json()["state"] == "waiting" and asked.json()["total"] == 1
    batches.work_off(own_tunisia)
    found = meriem.get(f"{at}/rehearsal").json()
    assert (found["state"], found["counts"], found["is_stale"]) == ("done", {"differs": 1}, False) and found["seconds_per_thousand"] > 0
    assert [(one["kind"], one["element"], one["then"], one["now"], one["cases_named"]) for one in found["differences"]] == [
        ("waits", "accueillir", ["8", "heures_ouvrees"], ["9", "jours"], [case["case_number"]])]  # fmt: skip
    assert meriem.post(f"{at}/rehearsal/cancel", json={}).json()["code"] == "batch.ended"
    with own_tunisia.reading(users.system()) as session:
        batch_id = session.execute(text("SELECT batch_id FROM batch WHERE kind = 'rehearsal'")).scalar_one()
    assert meriem.get(f"/moves/{batch_id}").status_code == 404, "its lines are told by its report alone"
    simulated = meriem.get(f"{at}/simulation").json()
    assert simulated["cases"] == 1 and simulated["processes"][0]["is_same"] is False and simulated == meriem.get(f"{at}/simulation").json()
    desk = next(one for one in simulated["posts"] if (one["branch"], one["role"]) == ("MED", "agent_accueil"))
    assert desk["current"]["people"] == desk["draft"]["people"] > 0 and desk["current"]["tasks_a_month"]["mean"] > 0
    fewer = meriem.get(f"{at}/simulation", people="MED:OTE:agent_accueil:0").json()
    assert next(one for one in fewer["posts"] if (one["branch"], one["role"]) == ("MED", "agent_accueil"))["draft"]["people"] == 0
    assert meriem.get(f"{at}/simulation", people="XXX:OTE:agent_accueil:1").json()["code"] == "simulation.people"
    assert meriem.get(f"{at}/simulation", people="MED:CPS:agent_accueil:1").status_code == 422 == meriem.get(f"{at}/simulation", people="MED").status_code
    for username in ("salma", "zied"):
        other = sign_in(username)
        for address in ("rehearsal", "trial", "scenarios", "simulation"):
            assert other.get(f"{at}/{address}").status_code == 403
        assert other.post(f"{at}/rehearsal", json={}).status_code == 403
