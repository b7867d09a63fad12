"""Whoever instructs an aid is one click from what answers her three questions (domain.md §4.7, T603): why a programme is open or not, other aids, what its fund holds."""

import datetime as dt
import io
import re

import pytest

from engine import errors
from engine.casework import aids, editions, holders
from engine.dossier import catalogues, programmes
from engine.insight import aid_files
from tests.stories.test_a_committee_day import Window

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def test_whoever_instructs_comes_in_one_click_to_the_page_that_answers_and_in_one_click_back(world):
    world.receive(world.somebody("creation", 1))
    task = world.reaches("T603")
    officer = world.who_does(task)
    screen = Window(world.database, officer.username)
    (address,) = re.findall(r'href="(/aids/[^"]+)"', screen.get(f"/tasks/{task.task_id}"))
    assert f'href="/tasks/{task.task_id}"' in screen.get(address)
    with world.database.reading(officer) as session:
        told = aid_files.show(session, officer, address.rpartition("/")[2]).programmes
    states = [one.is_open for one in told]
    assert "TOUNESNA-EU" in {one.code for one in told if one.is_open} and states == sorted(states, reverse=True), "what is open comes first"


def test_a_task_of_the_case_itself_leads_to_no_aid(world):
    world.receive(world.somebody("creation", 1))
    task = world.reaches("T202")
    assert "/aids/" not in Window(world.database, world.who_does(task).username).get(f"/tasks/{task.task_id}")


def test_whoever_calls_a_sitting_comes_in_one_click_to_the_files_that_wait_for_it(world):
    world.receive(world.somebody("creation", 1))
    call = world.reaches("T651")
    screen = Window(world.database, world.who_does(call).username)
    (address,) = re.findall(r'href="(/sittings/[^"]+)"', screen.get(f"/tasks/{call.task_id}"))
    assert "/cases/" in screen.get(address) and screen.page.status_code == 200


def test_whoever_signs_last_is_told_that_the_sitting_is_over_not_that_a_case_is(world):
    world.receive(world.somebody("creation", 1))
    world.answers(world.reaches("T654"))
    signed = [row for row in world.open_tasks() if row.node.startswith("T655")]
    while len(signed) > 1 or signed[0].node == "T655":
        world.answers(signed[0])
        signed = [row for row in world.open_tasks() if row.node.startswith("T655")]
    (last,) = signed
    screen = Window(world.database, world.who_does(last).username)
    field = re.search(r'name="(seance\.signature_\w+)~typed"', screen.get(f"/tasks/{last.task_id}"))[1]
    sent = {name: screen.hidden(name) for name in ("csrf", "version", "key")} | {f"{field}~name": screen.hidden(f"{field}~name"), f"{field}~typed": "yes", "act": "complete"}
    told = screen.client.post(f"/tasks/{last.task_id}", data=sent).text
    assert "La séance est close." in told and "Le dossier est clos." not in told


def test_the_one_list_begins_with_what_the_dossier_lacks_and_shrinks_as_papers_come(world):
    case_id = world.receive(world.somebody("creation", 1, **{"aide.pj13": None}))
    listing = world.reaches("T602")
    screen = Window(world.database, world.who_does(listing).username)

    def ticked(**kept):
        screen.get(f"/tasks/{listing.task_id}")
        sent = {name: screen.hidden(name) for name in ("csrf", "version", "key", "draft")} | {"aide.pieces_toutes_remises": "false", "act": "draft"}
        screen.client.post(f"/tasks/{listing.task_id}", data=sent | kept)
        return re.findall(r'name="aide.pieces_manquantes" value="(\w+)" checked', screen.get(f"/tasks/{listing.task_id}"))

    assert ticked() == ["PJ13"], "of the level's papers, the one that nobody has"
    assert ticked(**{"aide.pieces_manquantes~present": "1"}) == [], "she unticked it: so it stays"
    assert ticked() == ["PJ13"]
    holders.send_piece(world.database, case_id, "PJ13", "rib.pdf", io.BytesIO(PDF))
    assert ticked() == [], "it came: it waits to be looked at, and is not asked again"


def test_nobody_signs_the_minutes_in_the_name_of_another(world):
    world.receive(world.somebody("creation", 1))
    world.answers(world.reaches("T654"))
    minutes = next(row for row in world.open_tasks() if row.node == "T655")
    chair = world.who_does(minutes)
    screen = Window(world.database, chair.username)
    assert re.search(rf'name="seance.signature_ote~name" value="{chair.name}"[^>]* readonly', screen.get(f"/tasks/{minutes.task_id}")), "her name stands there already"
    for name in ("Hédi Zouari", chair.username, f"{chair.name} et Hédi Zouari"):
        with pytest.raises(errors.Invalid) as refused:
            world.answers(minutes, seance__signature_ote={"name": name, "strokes": "M10 20L40 5"})
        assert [(found.code, found.where) for found in refused.value.findings] == [("signature.signer", "/seance.signature_ote")]
    world.answers(minutes)
    assert world.facts("seance.signature_ote")["seance.signature_ote"]["name"] == chair.name


def test_a_name_to_come_is_not_told_before_its_day_and_a_new_programme_takes_the_code_of_no_other(world):
    chief, called = world.staff["administration"], {"fr": "Fonds rebaptisé", "ar": "الصندوق باسمه الجديد", "en": "Renamed fund"}
    content, first = {"label": called, "niveaux": [{"niveau": "N3", "plafond_millimes": 16_000_000}]}, world.today() + dt.timedelta(days=20)
    with pytest.raises(errors.Conflict) as refused, world.database.unit_of_work(chief) as session:
        catalogues.add_programme(session, chief, "TOUNESNA-EU", first, content, "convention", True, "nouveau programme", is_new=True)
    assert refused.value.code == "programme.code_taken"
    with world.database.unit_of_work(chief) as session:
        catalogues.add_programme(session, chief, "TOUNESNA-EU", first, content, "convention", True, "avenant")

    def told():
        with world.database.reading(chief) as session:
            programmes.dated(session)
            dictionary = editions.current(session).dictionary
            return {dictionary.fields["aide.programme"].choice_label("TOUNESNA-EU", "fr"), catalogues.programmes_listed(session, chief, "TOUNESNA-EU")[0].labels["fr"],
                    next(one.label for one in aids.funds(session, world.staff["aides"]) if one.programme == "TOUNESNA-EU")}

    assert told() == {"Tounesna, fonds européen"}


def test_a_programme_that_an_administrator_begins_may_be_chosen_and_one_that_has_ended_may_not(world):
    """A programme is dated data: no edition has to be published for it."""
    chief, label = world.staff["administration"], {"fr": "Fonds suisse", "ar": "الصندوق السويسري", "en": "Swiss fund"}
    with world.database.unit_of_work(chief) as session:
        content = {"label": label, "niveaux": [{"niveau": "N3", "plafond_millimes": 16_000_000}]}
        catalogues.add_programme(session, chief, "CH-2026", world.today() + dt.timedelta(days=1), content, "Convention", False, "Convention signée", 90_000_000)
    world.passes(days=2)
    case = world.receive(world.somebody("creation", 1))
    task = world.reaches("T603")
    screen = Window(world.database, world.who_does(task).username)
    offered = re.findall(r'<option value="([A-Z][^"]+)"', screen.get(f"/tasks/{task.task_id}"))
    assert "CH-2026" in offered and "Fonds suisse" in screen.page.text and "OFII-TN-2023" not in offered, "the one of 2023 ended in 2025"
    with pytest.raises(errors.Invalid):
        world.answers(task, aide__programme="OFII-TN-2023")
    world.answers(task, aide__programme="CH-2026")
    assert world.facts("aide.programme") == {"aide.programme": "CH-2026", "aide.programme_regle": "CH-2026"} and "Fonds suisse" in {one.value for one in world.file(case).known}
