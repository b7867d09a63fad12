"""A case on the small pathway of the pages' tests: opened, done task by task, ended; what each step leaves behind."""

import datetime as dt

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import users
from engine.casework import cases, notices, repairs, tasks
from engine.demo import stories
from engine.ledger import proving
from tests.web.small import installation as small
from tests.world import World


@pytest.fixture(scope="module")
def world(make_database):
    database = make_database(small.furnish)
    return World(database)


def somebody(world, number, **more):
    return stories.pizzeria_of_zarzis(world.today()).truth | {"person.cin": f"0{7_000_000 + number}", "person.nom_fr": f"Essai{chr(65 + number)}", "person.nom_ar": "تجربة" + "بتثجح"[number % 5],
                                                             "person.naissance_date": f"{1970 + number}-02-03", "person.tel": f"+2165500000{number}"} | more  # fmt: skip


def test_a_case_goes_from_the_desk_to_its_end_and_leaves_a_whole_ledger(world):
    case_id = world.receive(somebody(world, 1))
    world.does(case_id, "accueillir")
    done = world.does(case_id, "orienter")
    file = world.file(case_id, world.staff["karim"])
    assert done.has_ended and file.ended_at is not None and file.waiting == ()
    with world.database.reading(world.staff["karim"]) as session:
        history = cases.history(session, world.staff["karim"], case_id)
    assert [one.kind for one in reversed(history.items) if one.kind != "operation.done"] == ["case.opened", "case.started", "task.completed", "task.completed"]
    why = history.items[0].why
    assert why and why[0]["node"] == "choix"
    assert proving.prove(world.database, users.system()).wrong == []


def test_what_another_was_typing_goes_once_the_task_is_done_and_nothing_else(world):
    done, open_ = world.receive(somebody(world, 0)), world.receive(somebody(world, 12, **{"person.tel": "+21655000012"}))
    first, second = (world.open_tasks(case_id)[0] for case_id in (done, open_))
    for name, row in (("salma", first), ("selim", first), ("selim", second)):
        with world.database.unit_of_work(world.staff[name]) as session:
            tasks.save_draft(session, world.staff[name], row.task_id, {"answers": {}})
    world.does(done, "accueillir")

    def swept():
        with world.database.unit_of_work(users.system()) as session:
            return tasks.sweep_drafts(session)

    assert swept() >= 1 and swept() == 0
    with world.database.owner() as connection:
        left = connection.execute(text("SELECT task_id, user_id FROM draft WHERE task_id = ANY (:tasks)"), {"tasks": [first.task_id, second.task_id]}).all()
    assert left == [(second.task_id, world.staff["selim"].user_id)]


def test_a_fact_of_an_ended_case_corrected_leaves_how_and_when_it_ended(world):
    case_id = world.receive(somebody(world, 9))
    world.does(case_id, "accueillir")
    assert world.does(case_id, "orienter").has_ended
    world.passes(days=3)
    query = text("SELECT outcome, ended_at FROM instance WHERE instance_id = :id")
    with world.database.owner() as connection:
        was = connection.execute(query, {"id": case_id}).one()
        connection.exec_driver_sql("ALTER TABLE instance DISABLE TRIGGER ended_as_it_ended")
    assert was.outcome and was.ended_at
    coordinator = world.staff["meriem"]
    try:
        with world.database.unit_of_work(coordinator) as session:
            repairs.correct(session, coordinator, case_id, f"retour:{case_id}", "retour.pays", "FR", "Relu avec elle.")
    finally:
        with world.database.owner() as connection:
            connection.exec_driver_sql("ALTER TABLE instance ENABLE TRIGGER ended_as_it_ended")
    with world.database.unit_of_work(coordinator) as session:
        assert session.execute(query, {"id": case_id}).one() == was
        repairs.correct(session, coordinator, case_id, f"retour:{case_id}", "retour.pays", "IT", "Relu avec elle.")
        session.execute(text("UPDATE instance SET outcome = '', ended_at = now() WHERE instance_id = :id"), {"id": case_id})
        assert session.execute(query, {"id": case_id}).one() == was, "the guard behind it"


def test_what_was_said_once_is_not_asked_again_but_shown(world):
    case_id = world.receive(somebody(world, 2))
    world.does(case_id, "accueillir")
    row = world.open_tasks(case_id)[0]
    with world.database.reading(world.staff["karim"]) as session:
        view = tasks.view(session, world.staff["karim"], row.task_id)
    asked = {question.spec.id for question in view.form.questions()}
    shown = {known.spec.id for known in view.form.known}
    assert "person.nom_fr" not in asked
    assert not asked & shown


def test_the_second_of_two_is_told_who_was_first(world):
    case_id = world.receive(somebody(world, 3))
    row = world.open_tasks(case_id)[0]
    salma, selim = world.staff["salma"], world.staff["selim"]
    with world.database.unit_of_work(salma) as session:
        tasks.claim(session, salma, row.task_id)
    with pytest.raises(errors.Conflict) as refused, world.database.unit_of_work(selim) as session:
        tasks.claim(session, selim, row.task_id)
    assert refused.value.code == "task.held" and refused.value.details["who"] == "Salma Trabelsi"
    world.does(case_id, "accueillir", by=salma)
    with pytest.raises(errors.Conflict) as refused, world.database.unit_of_work(selim) as session:
        tasks.complete(session, selim, row.task_id, {}, 0)
    assert refused.value.code == "task.done" and refused.value.details["who"] == "Salma Trabelsi"


def test_the_same_submission_twice_changes_nothing_the_second_time(world):
    truth = somebody(world, 4)
    case_id = world.receive(truth)
    row = world.open_tasks(case_id)[0]
    salma = world.staff["salma"]
    from_form = {}
    with world.database.unit_of_work(salma) as session:
        view = tasks.view(session, salma, row.task_id)
        from_form = {question.spec.id: truth[question.spec.id] for question in view.form.questions() if question.spec.id in truth} | {
            "depistage.sans_abri_ce_soir": False, "accueil.accompagne": False}  # fmt: skip
        first = tasks.complete(session, salma, row.task_id, from_form, view.version, "key-1")
    with world.database.reading(users.system()) as session:
        before = session.execute(text("SELECT count(*) FROM ledger_line WHERE instance_id = :id"), {"id": case_id}).scalar_one()
    with world.database.unit_of_work(salma) as session:
        second = tasks.complete(session, salma, row.task_id, from_form, view.version, "key-1")
        lines = session.execute(text("SELECT count(*) FROM ledger_line WHERE instance_id = :id"), {"id": case_id}).scalar_one()
    assert second.is_repeat and second.case_id == first.case_id and lines == before
    with pytest.raises(errors.Conflict) as refused, world.database.unit_of_work(salma) as session:
        tasks.complete(session, salma, row.task_id, from_form | {"person.nom_fr": "Autre"}, view.version, "key-1")
    assert refused.value.code == "task.key_reused"


def test_wrong_answers_change_nothing_and_each_is_pointed_at(world):
    case_id = world.receive(somebody(world, 5))
    row = world.open_tasks(case_id)[0]
    salma = world.staff["salma"]
    with pytest.raises(errors.Invalid) as refused, world.database.unit_of_work(salma) as session:
        tasks.complete(session, salma, row.task_id, {"person.cin": "12", "person.inconnue": "x"}, 0)
    assert {"/person.cin", "/person.inconnue", "/person.sexe"} <= {found.where for found in refused.value.findings}
    assert world.nodes(case_id) == ["accueillir"]


def test_a_person_who_is_known_already_must_be_looked_at_first(world):
    truth = somebody(world, 6)
    world.does(world.receive(truth), "accueillir")
    again = world.receive(truth)
    with pytest.raises(errors.Conflict) as refused:
        world.does(again, "accueillir")
    assert refused.value.code == "beneficiary.possible_duplicate"
    (candidate,) = refused.value.details["candidates"]
    assert "cin" in candidate["matched"]


def test_a_task_of_another_agency_is_not_ones_to_do(world):
    case_id = world.receive(somebody(world, 7))
    row = world.open_tasks(case_id)[0]
    for name in ("nabil", "amel"):
        with pytest.raises(errors.Forbidden), world.database.unit_of_work(world.staff[name]) as session:
            tasks.complete(session, world.staff[name], row.task_id, {}, 0)
    with pytest.raises(errors.NotFound), world.database.unit_of_work(world.staff["ines"]) as session:
        tasks.view(session, world.staff["ines"], row.task_id)


def test_a_task_left_undone_reminds_its_holder_then_the_head_then_the_coordinator(world):
    case_id = world.receive(somebody(world, 8))
    with world.database.reading(users.system()) as session:
        due = session.execute(text("SELECT due_at - opened_at FROM open_task WHERE root_id = :id"), {"id": case_id}).scalar_one()
    world.passes(seconds=(due * 2 + dt.timedelta(hours=1)).total_seconds())
    with world.database.reading(users.system()) as session:
        told = session.execute(text("SELECT code, role FROM notice WHERE instance_id = :id AND user_id IS NULL"), {"id": case_id}).all()
    assert [tuple(row) for row in told] == [("task.due", "agent_accueil"), ("task.late", "chef_antenne")], "nobody has it in hand, and nobody heads this branch: their posts are told"

    def named():
        """The coordinators in whose name it stands, and those whose bell tells of it."""
        found = {}
        for name in ("meriem", "anis", "rim"):
            actor = world.staff[name]
            with world.database.owner() as connection:
                unread = connection.execute(text("SELECT masar_unread(:id)"), {"id": actor.user_id}).scalar_one()
            with world.database.reading(actor) as session:
                found |= {name: unread} if [one for one in notices.mine(session, actor).items if one.code == "task.very_late" and one.case_id == case_id] else {}
        return found

    (name,) = named()
    with world.database.reading(world.staff[name]) as session:
        line = next(one for one in cases.history(session, world.staff[name], case_id).items if one.kind == "task.very_late")
    assert line.body["told_name"] == world.staff[name].called("fr") and named()[name] >= 1
    world.does(case_id, "accueillir")
    assert named() == {}, "what is done is asked of nobody any more"
