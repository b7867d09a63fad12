"""Separation of duties, dossier by dossier: who did one task does not do the one that the diagram keeps apart from it, whatever her roles (§4.0)."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine import errors
from engine.actors import users
from engine.casework import editions, tasks
from engine.casework.instances import Change, lock
from engine.pathway import bpmn
from tests import world as worlds


@pytest.fixture
def prepared(tempting):
    """A case whose preparation `double` did, and the task of ordering."""
    case_id = tempting.receive(process="essai")
    tempting.does(case_id, "consentir")
    tempting.does(case_id, "preparer", by=tempting.staff["double"])
    return case_id, next(row for row in tempting.open_tasks(case_id) if row.node == "ordonner")


def test_whoever_prepared_is_told_why_she_does_not_order_and_is_offered_no_button(tempting, prepared):
    case_id, row = prepared
    double = tempting.staff["double"]
    with tempting.database.reading(double) as session:
        view = tasks.view(session, double, row.task_id)
    assert view.kept_apart == "Préparer" and not {"claim", "complete"} & view.may
    (shown,) = [one for one in tempting.desk(double, "queue", case_id=case_id).items if one.node == "ordonner"]
    assert (shown.may_claim, shown.kept_apart) == (False, "Préparer")
    for verb, given in ((tasks.claim, ()), (tasks.complete, ({}, None))):
        with pytest.raises(errors.Forbidden, match="task.kept_apart") as refused, tempting.database.unit_of_work(double) as session:
            verb(session, double, row.task_id, *given)
        assert refused.value.details["did"] == "Préparer"


def test_another_of_the_same_role_does_it_and_the_same_person_does_it_in_another_dossier(tempting, prepared):
    case_id, row = prepared
    wafa, double = tempting.staff["wafa"], tempting.staff["double"]
    (shown,) = [one for one in tempting.desk(wafa, "queue", case_id=case_id).items if one.node == "ordonner"]
    assert (shown.may_claim, shown.kept_apart) == (True, "")
    other = tempting.receive(process="essai")
    tempting.does(other, "consentir")
    tempting.does(other, "preparer", by=tempting.staff["sonia"])
    tempting.does(other, "ordonner", by=double)
    tempting.does(case_id, "ordonner", by=wafa)


def test_it_cannot_be_passed_to_whoever_prepared(tempting, prepared):
    _, row = prepared
    wafa, double = tempting.staff["wafa"], tempting.staff["double"]
    with tempting.database.unit_of_work(wafa) as session:
        tasks.claim(session, wafa, row.task_id)
        assert double.user_id not in {one.user_id for one in tasks.colleagues(session, wafa, row.task_id)}
        with pytest.raises(errors.Invalid, match="task.colleague_cannot"):
            tasks.pass_to(session, wafa, row.task_id, double.user_id)


def test_the_database_itself_refuses_what_the_code_above_it_would_let_through(tempting, prepared):
    case_id, row = prepared
    double = tempting.staff["double"]
    with pytest.raises(DBAPIError, match="row-level security"), tempting.database.unit_of_work(double) as session:
        held = lock(session, case_id)
        change = Change(session, double, held, held.now)
        position = session.execute(text("SELECT position FROM open_task WHERE task_id = :task"), {"task": row.task_id}).scalar_one()
        change.done.append({"task_id": str(row.task_id), "node": "ordonner", "outcome": "completed", "done_by": str(double.user_id), "key": "", "digest": ""})
        change.give("task.completed", bpmn.Complete(task_id=position, variables={}, at=held.now, seq=0, facts={}), {"node": "ordonner"})
        change.write()


def test_the_pathway_keeps_apart_who_examines_and_who_grants_who_prepares_and_who_orders_the_advance_and_its_check(tempting):
    with tempting.database.reading(users.system()) as session:
        drawn = {task.node: set(task.distinct) for task in editions.current(session).definitions.tasks}
    assert "T603" in drawn["T604"] and "T607" in drawn["T608"] and "T617" in drawn["T614"] and "T604" in drawn["T606"]
    for member in ("T653", "T653_CPS", "T653_ANETI", "T653_PART"):
        assert {"T603", "T601_N1", "T601_N2", "T601_N3"} <= drawn[member]


@pytest.mark.parametrize("other", ["nowhere", "ordonner"])
def test_a_diagram_that_keeps_a_task_apart_from_none_is_refused(other):
    content = (worlds.ROOT / "tests/engine/casework/two_hands/essai.bpmn").read_bytes()
    with pytest.raises(errors.Invalid, match="pathway.refused") as refused:
        bpmn.parse({"essai.bpmn": content.replace(b'distinct="preparer"', f'distinct="{other}"'.encode())}, {})
    assert [(one.code, one.where) for one in refused.value.findings] == [("pathway.distinct_unknown", "essai.bpmn#ordonner")]
