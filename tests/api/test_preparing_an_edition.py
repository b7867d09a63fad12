"""A program of the coordination: drafts opened, files saved and imported, editions published by two; and who is turned away."""

import io
import zipfile

import pytest

from tests.web.small.installation import files

PATH = "forms/tasks/orienter.toml"


def opened(program):
    return program.post("/drafts", json={"title": "Shorter"}).json()["draft_id"]


def put(program, draft_id, text, version):
    return program.client.put(f"/drafts/{draft_id}/files/{PATH}", json={"content": text, "version": version})


def test_one_program_prepares_another_persons_approves_and_new_cases_follow(sign_in):
    meriem, anis = sign_in("meriem"), sign_in("anis")
    draft_id = opened(meriem)
    read = meriem.get(f"/drafts/{draft_id}/files/{PATH}").json()
    assert read["version"] == 0 and read["kind"] == "forms" and read["content"].encode() == files()[PATH]
    assert put(meriem, draft_id, read["content"] + "# un\n", 0).json() == {"path": PATH, "version": 1}
    asked = {"reason": "A comment was missing."}
    submitted = meriem.post(f"/drafts/{draft_id}/submit", json=asked).json()
    assert submitted["state"] == "submitted" and submitted["may"] == ["refuse", "try"]
    refused = meriem.post(f"/drafts/{draft_id}/approve", json={"version": submitted["version"]})
    assert refused.status_code == 403 and refused.json()["code"] == "draft.own" and "another coordinator" in refused.json()["detail"]
    done = anis.post(f"/drafts/{draft_id}/approve", json={"version": submitted["version"]}).json()
    assert done["state"] == "published" and done["edition_number"] == 2 and done["decided_by"] == "Anis Mabrouk"
    newest, first = meriem.get("/editions").json()["items"]
    assert newest["is_in_force"] and newest["starts"][0]["approved_by"] == "Anis Mabrouk" and first["starts"][0]["is_first"]
    back = anis.post(f"/editions/{first['edition_id']}/bring-back", json=asked)
    assert back.status_code == 201
    assert meriem.post(f"/drafts/{back.json()['draft_id']}/approve", json={"version": back.json()["version"]}).json()["edition_number"] == 1


def test_a_save_that_comes_too_late_is_told_who_was_first_and_kept(sign_in):
    meriem, anis = sign_in("meriem"), sign_in("anis")
    draft_id = opened(meriem)
    put(meriem, draft_id, "# Meriem", 0)
    late = put(anis, draft_id, "# Anis", 0)
    assert late.status_code == 409 and late.headers["content-type"] == "application/problem+json"
    told = late.json()
    assert (told["code"], told["who"], told["version"]) == ("draft.aside", "Meriem Louati", 1)
    shown = anis.get(f"/drafts/{draft_id}").json()
    assert [(one["aside_id"], one["saved_by"]) for one in shown["asides"]] == [(told["aside"], "Anis Mabrouk")]
    assert anis.get(f"/drafts/{draft_id}/asides/{told['aside']}").json()["content"] == "# Anis"
    assert anis.post(f"/drafts/{draft_id}/asides/{told['aside']}/take", json={"version": 0}).status_code == 409
    assert anis.post(f"/drafts/{draft_id}/asides/{told['aside']}/take", json={"version": 1}).json() == {"path": PATH, "version": 2}
    again = put(meriem, draft_id, "# Meriem encore", 1).json()["aside"]
    assert anis.post(f"/drafts/{draft_id}/asides/{again}/drop").json()["draft_id"] == draft_id
    assert anis.get(f"/drafts/{draft_id}").json()["asides"] == []


def test_an_error_is_a_finding_with_its_file_its_element_and_its_sentence(sign_in):
    meriem = sign_in("meriem")
    draft_id = opened(meriem)
    gone = meriem.client.delete(f"/drafts/{draft_id}/files/{PATH}", params={"version": 0})
    assert gone.json() == {"path": PATH, "version": 1} and meriem.get(f"/drafts/{draft_id}/files/{PATH}").json()["content"] is None
    found = meriem.get(f"/drafts/{draft_id}").json()["findings"]
    assert [(one["severity"], one["code"], one["file"], one["element"]) for one in found] == [("error", "edition.form_unknown", "parcours.bpmn", "orienter")]
    refused = meriem.post(f"/drafts/{draft_id}/submit", json={"reason": "x"})
    assert refused.status_code == 422 and refused.json()["errors"][0]["detail"] == found[0]["message"]


def test_an_archive_goes_out_and_comes_in(sign_in):
    meriem = sign_in("meriem")
    edition_id = meriem.get("/editions").json()["items"][0]["edition_id"]
    archive = meriem.get(f"/editions/{edition_id}/archive")
    assert archive.headers["content-type"] == "application/zip" and archive.content == meriem.get(f"/editions/{edition_id}/archive").content
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened_archive:
        assert opened_archive.read(PATH) == files()[PATH]
    whole = meriem.post("/drafts/import", files=[("files", ("edition.zip", archive.content))], data={"title": "Back in"}).json()
    assert whole["title"] == "Back in" and {one["change"] for one in meriem.get(f"/drafts/{whole['draft_id']}").json()["files"]} == {""}
    loose = meriem.post("/drafts/import", files=[("files", ("orienter.toml", files()[PATH] + b"# x\n"))]).json()
    assert [one["path"] for one in meriem.get(f"/drafts/{loose['draft_id']}").json()["files"] if one["change"]] == [PATH]
    assert meriem.get(f"/drafts/{loose['draft_id']}/archive").headers["content-disposition"].startswith("attachment;")
    hostile = meriem.post("/drafts/import", files=[("files", ("edition.zip", b"PK nothing"))])
    assert hostile.status_code == 422 and hostile.json()["code"] == "archive.unreadable"
    assert meriem.post("/drafts/import", data={"title": "x"}).json()["code"] == "draft.nothing_sent"


def test_who_reads_and_who_is_turned_away(sign_in):
    meriem = sign_in("meriem")
    draft_id = opened(meriem)
    auditor = sign_in("chokri")
    assert auditor.get(f"/drafts/{draft_id}").json()["draft"]["may"] == [] and auditor.get("/editions").status_code == 200
    verbs = [("submit", {"reason": "x"}), ("approve", {"version": 1}), ("refuse", {"version": 1, "reason": "x"}), ("drop", None), ("update", None)]
    for who in ("chokri", "salma", "amel", "zied"):
        program = sign_in(who)
        assert put(program, draft_id, "x", 0).status_code == 403 and program.post("/drafts", json={}).status_code == 403
        assert program.post("/drafts/import", files=[("files", ("a.bpmn", b"x"))]).status_code == 403
        for verb, body in verbs:
            assert program.post(f"/drafts/{draft_id}/{verb}", json=body).status_code == 403, (who, verb)
    for who in ("salma", "amel", "zied"):
        program = sign_in(who)
        assert [program.get(address).status_code for address in ("/drafts", f"/drafts/{draft_id}", f"/drafts/{draft_id}/archive")] == [403] * 3
    assert sign_in("salma").get("/editions").status_code == 403 and sign_in("zied").get("/editions").json()["items"][0]["open_cases"] is None
    absent = "00000000-0000-7000-8000-000000000000"
    assert [meriem.get(address).status_code for address in (f"/drafts/{absent}", f"/editions/{absent}/archive")] == [404, 404]
    assert put(meriem, absent, "x", 0).status_code == 404


@pytest.mark.parametrize(
    ("path", "version", "status"), [("forms/tasks/../../x.toml", 0, (404, 405, 422)), ("etc/passwd", 0, (422,)), (PATH, 9, (409,)), (PATH, -1, (422,))]
)
def test_a_save_out_of_place_or_out_of_time_is_a_problem(sign_in, path, version, status):
    meriem = sign_in("meriem")
    answer = meriem.client.put(f"/drafts/{opened(meriem)}/files/{path}", json={"content": "x", "version": version})
    assert answer.status_code in status and answer.headers["content-type"] == "application/problem+json"


def test_what_a_draft_would_change_and_cost_is_answered_and_a_rise_without_reason_refused(sign_in):
    meriem, salma = sign_in("meriem"), sign_in("salma")
    draft_id, diagram = opened(meriem), "processes/parcours.bpmn"
    slower = files()[diagram].decode().replace('role="referent" delai="2"', 'role="referent" delai="7"')
    assert meriem.client.put(f"/drafts/{draft_id}/files/{diagram}", json={"content": slower, "version": 0}).status_code == 200
    found = meriem.get(f"/drafts/{draft_id}/comparison").json()
    assert [one["text"] for one in found["changes"]] == ["The task “Orient the person” goes from 2 to 7 working days."]
    assert found["marks"] == {side: {diagram: {"orienter": "changed"}} for side in ("old", "new")} and found["edition_number"] == 1
    rises = [one for one in found["burden"] if one["is_rise"]]
    assert {(one["path"], one["figure"]) for one in rises} == {(path, "working_days") for path in ("shortest", "typical", "longest")}
    refused = meriem.post(f"/drafts/{draft_id}/submit", json={"reason": "Two visits."})
    assert (refused.status_code, refused.json()["code"]) == (422, "draft.burden_needs_reason")
    assert [one["detail"] for one in refused.json()["errors"]] == [one["text"] for one in rises]
    submitted = meriem.post(f"/drafts/{draft_id}/submit", json={"reason": "Two visits.", "burden_reason": "The family is seen twice."}).json()
    assert submitted["state"] == "submitted" and submitted["burden_reason"] == "The family is seen twice."
    assert salma.get(f"/drafts/{draft_id}/comparison").status_code == 403
