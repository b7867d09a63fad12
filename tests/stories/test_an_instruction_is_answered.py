"""Whoever instructs an aid is one click from what answers her three questions (domain.md §4.7, T603): why a programme is open or not, other aids, what its fund holds."""

import datetime as dt
import re

import pytest

from engine import errors
from engine.dossier import catalogues
from engine.insight import aid_files
from tests.stories.test_a_committee_day import Window


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
    sent = {name: screen.hidden(name) for name in ("csrf", "version", "key")} | {f"{field}~name": "Hedi Zouari", f"{field}~typed": "yes", "act": "complete"}
    told = screen.client.post(f"/tasks/{last.task_id}", data=sent).text
    assert "La séance est close." in told and "Le dossier est clos." not in told


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
    assert world.facts("aide.programme") == {"aide.programme": "CH-2026"} and "Fonds suisse" in {one.value for one in world.file(case).known}
