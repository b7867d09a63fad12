"""Whoever instructs an aid is one click from what answers her three questions (domain.md §4.7, T603): why a programme is open or not, other aids, what its fund holds."""

import re

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
