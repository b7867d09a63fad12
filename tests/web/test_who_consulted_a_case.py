"""Access is history too: what is sensitive and was read, who asked and was refused, each in the chain of the case; told to whoever answers for the data, in sentences."""

import html
import json
import re
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from engine import doctor
from engine.actors import users
from engine.casework import staff
from engine.casework.instances import Change, lock
from engine.dossier import consents
from engine.dossier.facts import NewFact
from engine.insight import recipients
from engine.ledger import consultations
from tests.web.small.installation import PASSWORD
from tests.web.test_a_case_page import main
from tests.web.test_a_letter_on_paper import text_of
from tests.web.test_a_task_page import complete, task_of

_LINES = text("SELECT kind, line FROM consultation WHERE root_id = :root ORDER BY seq")
_STAFF = text("SELECT user_id, username, name, agency, branch, roles, language FROM user_account WHERE username = :name")


def lines(database, case):
    with database.reading(users.system()) as session:
        found = session.execute(_LINES, {"root": case if isinstance(case, UUID) else UUID(case.rpartition("/")[2])}).all()
    return [(row.kind, json.loads(row.line)) for row in found]


def kinds(database, case):
    return [(kind, line["body"]["act"], "".join(line["body"].get("classes", ()))) for kind, line in lines(database, case)]


def agree(database, case):
    """The person agrees that the agencies share her case (C1)."""
    with database.unit_of_work(users.system()) as session:
        karim = users.of_row(session.execute(_STAFF, {"name": "karim"}).one())
    with database.unit_of_work(karim) as session:
        held = lock(session, UUID(case.rpartition("/")[2]))
        new = [NewFact(f"case:{held.root_id}", "consentement.c1", True, "C")]
        consents.apply(held, new)
        change = Change(session, karim, held, held.now)
        change.note("consent.said", {}, new)
        change.write()


def test_what_is_sensitive_leaves_an_entry_and_what_is_not_leaves_none(small, browser):
    case = complete(browser("salma"))
    agree(small, case)
    browser("karim").get(f"{case}?tab=known")
    assert kinds(small, case) == [], "he reads no class that is told of"
    amel = browser("amel")
    assert "Dridi" in amel.get(f"{case}?tab=known").text
    assert kinds(small, case) == [("access.read", "case", "S")]
    amel.get(f"{case}?tab=history")
    assert kinds(small, case)[1:] == [("access.read", "case", "S"), ("access.read", "history", "S")]
    told = json.dumps(lines(small, case))
    assert "Dridi" not in told and "Besma" not in told and "depistage" not in told, "who, when, which classes: no value and no name of the person"


def test_what_was_refused_leaves_an_entry_from_both_faces_and_so_does_what_is_not_there(small, app, browser):
    salma = browser("salma")
    case = complete(salma)
    task = task_of(salma, case)
    ines = browser("ines")
    for address in (case, f"{case}?tab=history", task, f"{case}/readers"):
        assert ines.get(address).status_code == 404
    ines.get("/desk")
    assert ines.post(f"{task}", act="claim").status_code == 404
    asked = [act for kind, act, _ in kinds(small, case) if kind == "access.refused"]
    assert asked == ["case.read", "case.read", "task.read", "case.read", "task.change"]
    program = TestClient(app, base_url="http://masar.test")
    token = program.post("/api/v1/token", data={"username": "ines", "password": PASSWORD}).json()["access_token"]
    assert program.get(f"/api/v1{case}", headers={"authorization": f"Bearer {token}"}).status_code == 404
    assert [line["actor"]["branch"] for _, line in lines(small, case)][-1] == "SFX"
    assert len(lines(small, case)) == 6
    before = len(lines(small, consultations.NOBODYS))
    assert ines.get("/cases/00000000-0000-7000-8000-000000000000").status_code == 404
    assert len(lines(small, consultations.NOBODYS)) == before + 1


@pytest.mark.parametrize(("language", "said"), [("fr", "a lu le dossier : données sociales."), ("ar", "اطلاع"), ("en", "read the case: social data.")])
def test_whoever_answers_for_the_data_reads_who_consulted_it_in_sentences(small, browser, language, said):
    case = complete(browser("salma"))
    agree(small, case)
    browser("amel").get(f"{case}?tab=known")
    browser("ines").get(case)
    page = browser("chokri").get(f"{case}/readers?language={language}")
    assert page.status_code == 200
    assert said in main(page) and "[web." not in page.text
    assert ("Amel Dhaouadi" in main(page)) is (language != "ar") and ("Inès Bouzid" in main(page)) is (language != "ar")
    for who in ("karim", "meriem", "amel", "zied"):
        assert browser(who).get(f"{case}/readers").status_code == 404, who


def test_what_cannot_be_written_is_not_read_and_a_chain_that_was_touched_is_told(small, browser):
    case = complete(browser("salma"))
    agree(small, case)
    amel = browser("amel")
    with small.owner() as connection:
        connection.exec_driver_sql("REVOKE INSERT ON consultation FROM masar_app")
    try:
        amel.client = TestClient(amel.client.app, base_url="http://masar.test", raise_server_exceptions=False, cookies=amel.client.cookies)
        page = amel.get(f"{case}?tab=known")
        assert page.status_code == 500 and "Dridi" not in page.text
    finally:
        with small.owner() as connection:
            connection.exec_driver_sql("GRANT INSERT ON consultation TO masar_app")
    assert amel.get(f"{case}?tab=known").status_code == 200
    amel.get(f"{case}?tab=known")
    assert not [one for one in doctor.examine(small).faults if one.code == "consultation"]
    with small.owner() as connection:
        touched = connection.exec_driver_sql("UPDATE consultation SET line = replace(line, '\"S\"', '\"R\"') WHERE root_id = %s AND seq = 1", (case.rpartition("/")[2],))
        assert touched.rowcount == 1
    found = [one for one in doctor.examine(small).faults if one.code == "consultation"]
    assert [(one.instance_id, one.about) for one in found] == [(case.rpartition("/")[2], "line 1, hash")]


def test_nobody_writes_in_the_name_of_another(small, browser):
    case = complete(browser("salma"))
    with small.unit_of_work(users.system()) as session:
        karim = users.of_row(session.execute(_STAFF, {"name": "karim"}).one())
        amel = users.of_row(session.execute(_STAFF, {"name": "amel"}).one())
    with pytest.raises(Exception, match="row-level security|says of itself"), small.unit_of_work(karim) as session:
        consultations.refused(session, amel, UUID(case.rpartition("/")[2]), "case.read", "case.not_found")


def test_the_person_is_handed_a_sheet_in_french_and_in_arabic(small, browser, tmp_path):
    case = complete(browser("salma"))
    agree(small, case)
    browser("amel").get(f"{case}?tab=known")
    browser("ines").get(case)
    page = browser("chokri").get(f"{case}/readers?language=fr").text
    assert f"{case}/readers.pdf" in page
    sheet = browser("chokri").get(f"{case}/readers.pdf")
    assert sheet.status_code == 200 and sheet.content.startswith(b"%PDF")
    words = text_of(sheet.content, tmp_path)
    together = " ".join(words)
    for said in ("Qui consulté votre dossier", "Amel Dhaouadi", "lu le dossier données sociales", "Inès Bouzid", "من اطلع على ملفكم"):
        assert said in together, said
    assert "Dridi" not in together, "handed in person: the paper itself names nobody but colleagues"
    with small.reading(users.system()) as session:
        ids = [one.user_id for one in consultations.read(session, UUID(case.rpartition("/")[2])) if one.user_id]
        arabic = set(staff.names(session, "ar", ids).values())
    assert any(name.split()[0] in words for name in arabic)
    assert "la liste de qui a consulté le dossier, destiné" in main(browser("chokri").get(f"{case}/readers?language=fr")), "that she was told is history too"
    for who in ("karim", "meriem", "amel", "zied"):
        assert browser(who).get(f"{case}/readers.pdf").status_code == 404, who


def test_whoever_leaves_with_a_case_is_told_beforehand_what_each_recipient_will_see(small, browser):
    case = complete(browser("salma"))
    page = browser("chokri").get(f"{case}/casefile?language=fr")
    assert page.status_code == 200 and "attachment" not in page.headers.get("content-disposition", "")
    shown = {code: html.unescape(re.search(rf'aria-labelledby="for-{code}".*?</section>', page.text, re.S)[0]) for code in recipients.RECIPIENTS}
    assert "données financières" in shown["OTE"] and "données de santé" not in shown["tribunal"].partition("montrera")[2] and "données sociales" in shown["personne"].partition("mais pas vous")[2]
    for code in ("CPS", "ANETI", "PART"):  # she has not agreed
        assert "n'a pas accepté" in shown[code] and f"recipient={code}" not in shown[code]
        assert browser("chokri").get(f"{case}/casefile?recipient={code}").status_code == 403
    agree(small, case)
    page = browser("chokri").get(f"{case}/casefile?language=ar").text
    assert f"{case}/casefile?recipient=CPS&amp;language=ar" in page and "recipient=PART" not in page and "[web." not in page
    mine = html.unescape(browser("amel").get(f"{case}/casefile?language=fr").text)
    assert "données sociales" in re.search(r'for-personne".*?montrera.*?</p>', mine, re.S)[0].partition("montrera")[2], "the social worker hands over what is social"
    assert "depistage.sans_abri_ce_soir\":[" in browser("amel").get(f"{case}/casefile?recipient=personne").text
    browser("chokri").get(f"{case}/casefile?recipient=tribunal")
    *_, (kind, line) = [one for one in lines(small, case) if one[0] == "access.exported"]
    assert (line["body"]["act"], line["body"]["recipient"]) == ("casefile", "tribunal")
    assert "destiné à : un tribunal." in main(browser("chokri").get(f"{case}/readers?language=fr"))


def test_a_program_names_the_same_recipients(small, app, browser):
    case = complete(browser("salma"))
    program = TestClient(app, base_url="http://masar.test")
    token = program.post("/api/v1/token", data={"username": "chokri", "password": PASSWORD}).json()["access_token"]
    asked = {recipient: program.get(f"/api/v1{case}/casefile", params={"recipient": recipient}, headers={"authorization": f"Bearer {token}"}) for recipient in ("personne", "CPS", "voisin", "")}
    assert {recipient: answer.status_code for recipient, answer in asked.items()} == {"personne": 200, "CPS": 403, "voisin": 422, "": 200}
    listed = program.get(f"/api/v1{case}/consultations", headers={"authorization": f"Bearer {token}"}).json()["items"]
    assert [one["recipient"] for one in listed if one["kind"] == "exported"] == ["", "personne"]
