"""What a case stands still for, told apart from what its diagrams merely listen to; and how the desk lists it."""

import pytest

from sqlalchemy import text

from engine.actors import users
from engine.casework import cases, diagrams, worklist
from engine.casework.instances import Change, lock
from engine.demo import stories
from tests import world as worlds


@pytest.fixture(scope="module")
def tunisia(make_database):
    database = make_database(worlds.furnish)
    return worlds.World(database)


@pytest.fixture(scope="module")
def case_id(tunisia):
    """A case that waits for the proof of a return."""
    truth = stories.pizzeria_of_zarzis(tunisia.today()).truth | {"retour.prouve": False}
    case_id = tunisia.receive(truth)
    tunisia.does(case_id, "T101")
    tunisia.does(case_id, "T102")
    return case_id


def read(tunisia, actor, act, **asked):
    with tunisia.database.reading(actor) as session:
        return act(session, actor, **asked)


def test_a_case_waits_for_its_person_and_not_for_what_its_diagram_listens_to(tunisia, case_id):
    waiting = tunisia.file(case_id).waiting
    assert [(found.awaits, found.message) for found in waiting if found.kind != "task"] == [("person", "piece.recue"), ("date", "")]
    assert "parcours_deux_ans" not in {found.node for found in waiting}, "the review after two years is not waited for"
    with tunisia.database.reading(tunisia.staff["karim"]) as session:
        edition = diagrams.edition_of(session, tunisia.staff["karim"], case_id)
    assert {"parcours_deux_ans", "suivi_absence", "social_rappel"} <= diagrams.listening(edition)
    assert not {"accueil_piece_recue", "accueil_delai_preuve"} & diagrams.listening(edition)


def test_the_desk_of_the_branch_lists_and_counts_whom_it_waits_for_and_no_other_desk_does(tunisia, case_id):
    karim, hela, auditor = tunisia.staff["karim"], tunisia.staff["hela"], tunisia.staff["auditeur"]
    found = read(tunisia, karim, worklist.awaited)
    assert [(row.case_id, row.message) for row in found.items] == [(case_id, "piece.recue")]
    assert read(tunisia, karim, worklist.counts)["person"] == 1
    assert read(tunisia, hela, worklist.awaited).items == ()
    assert read(tunisia, hela, worklist.counts)["person"] == 0
    assert read(tunisia, auditor, worklist.counts)["person"] == 1


def test_a_page_of_those_awaited_leads_to_the_next(tunisia, case_id):
    truth = stories.mother_in_sfax(tunisia.today()).truth | {"retour.prouve": False}
    other = tunisia.receive(truth)
    tunisia.does(other, "T101")
    tunisia.does(other, "T102")
    karim = tunisia.staff["karim"]
    first = read(tunisia, karim, worklist.awaited, limit=1)
    second = read(tunisia, karim, worklist.awaited, limit=1, cursor=first.next)
    assert [row.case_id for row in (*first.items, *second.items)] == [case_id, other] and second.next == ""


def test_news_are_what_came_since_and_is_mine_to_do(tunisia):
    salma, nabil = tunisia.staff["salma"], tunisia.staff["nabil"]
    with tunisia.database.reading(salma) as session:
        since = cases.clock.now(session)
    tunisia.receive({})
    assert read(tunisia, salma, worklist.arrived, since=since) == {"mine": 0, "queue": 1}
    assert read(tunisia, nabil, worklist.arrived, since=since) == {"mine": 0, "queue": 0}


def test_every_scope_pages_through_the_same_tasks_that_the_table_holds(tunisia):
    sonia = tunisia.staff["sonia"]
    seen, cursor = [], ""
    while True:
        page = read(tunisia, sonia, worklist.desk, scope="all", limit=2, cursor=cursor)
        seen += [row.task_id for row in page.items]
        cursor = page.next
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == read(tunisia, sonia, worklist.counts)["all"]
    assert set(seen) == {row.task_id for row in tunisia.open_tasks() if row.branch == "MED"}


def test_somebody_signalled_is_waited_for_all_the_while_that_her_arrival_is_prepared(tunisia):
    known = {"retour.date_prevue": tunisia.today().isoformat(), "person.gouvernorat": "TN-82", "person.nom_fr": "Attendue", "person.prenom_fr": "Nour"}
    case_id = tunisia.signal(known)
    waiting = tunisia.file(case_id).waiting
    assert [(found.awaits, found.message) for found in waiting if found.awaits == "person"] == [("person", "signalement.arrivee")]
    assert "T002" in {found.node for found in waiting}, "and reception has its task meanwhile"
    leila = tunisia.agent("OTE", tunisia.file(case_id).branch, "chef_antenne")
    assert case_id in {row.case_id for row in read(tunisia, leila, worklist.awaited).items}


def test_what_waits_of_a_case_goes_with_it_to_another_branch(tunisia, case_id):
    karim, hela = tunisia.agent("OTE", "MED", "chef_antenne"), tunisia.agent("OTE", "SFX", "chef_antenne")
    with tunisia.database.unit_of_work(users.system()) as session:
        held = lock(session, case_id)
        held.branch = "SFX"
        change = Change(session, users.system(), held, held.now)
        change.note("case.moved", {})
        change.write()
    for who, has_it in ((karim, False), (hela, True)):
        assert (case_id in {row.case_id for row in read(tunisia, who, worklist.awaited).items}) is has_it
    with tunisia.database.reading(users.system()) as session:
        for table, column in (("wait", "branch"), ("open_task", "case_branch")):
            found = session.execute(text(f"SELECT DISTINCT w.{column} = i.branch FROM {table} w JOIN instance i USING (instance_id)")).scalars().all()
            assert found == [True], table
