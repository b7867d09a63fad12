"""What is to be paid waits as long as anything holds it: two suspicions of fraud, or a fraud and a death, are two holds, and a payment goes on when the last is lifted."""

import pytest
from sqlalchemy import text

from engine import doctor
from engine.casework import tasks
from engine.insight import aid_files
from tests.stories.test_aids_off_the_straight_road import fund
from tests.stories.test_an_aid_given_up_is_settled import aid, gives_up


@pytest.fixture
def ordered(world):
    """A payment that is ordered: the case, and what its fund had paid before."""
    case_id = world.receive(world.somebody("creation"))
    order = world.reaches("T608")
    return case_id, order, fund(world).paid


def confirms(world, case_id, order):
    world.answers(order)
    world.does(case_id, "T609")


def suspects(world, case_id):
    return world.begins(case_id, "fraude", world.agent("OTE", "MED", "chef_antenne"), fraude__piece=None)


def cleared(world, case_id):
    for node in ("T971", "T972"):
        world.does(case_id, node)
    world.does(case_id, "T973", fraude__decision="sans_suite")


def held(world):
    return [one.details["error"] for one in world.incidents()]


def test_of_two_suspicions_the_second_cleared_lets_the_payment_go(world, ordered):
    case_id, order, before = ordered
    suspects(world, case_id)
    suspects(world, case_id)
    confirms(world, case_id, order)
    assert held(world) == ["operation.payments_held"]
    cleared(world, case_id)
    assert fund(world).paid == before and held(world) == ["operation.payments_held"], "one is lifted, the other stands"
    cleared(world, case_id)
    assert fund(world).paid > before and held(world) == []
    assert {fault.code for fault in doctor.examine(world.database).faults} == set()


def test_the_thirty_days_of_a_suspicion_lift_nothing_that_a_departure_holds(world, ordered):
    case_id, order, before = ordered
    suspects(world, case_id)
    world.begins(case_id, "deces_redepart", world.agent("OTE", "MED", "referent"), sortie__evenement="redepart", sortie__preuve=None)
    confirms(world, case_id, order)
    cleared(world, case_id)
    assert fund(world).paid == before and held(world) == ["operation.payments_held"]
    world.does(case_id, "T962")
    assert fund(world).paid == before and fund(world).engaged == 0 and held(world) == [], "the case is closed, and what it had not spent is the fund's again"


def test_a_payment_still_held_when_the_aid_is_given_up_is_never_made_and_its_money_is_free_again(world, ordered):
    case_id, order, before = ordered
    suspects(world, case_id)
    confirms(world, case_id, order)
    assert held(world) == ["operation.payments_held"]
    gives_up(world, case_id)
    now = fund(world)
    assert (now.paid, now.engaged) == (before, 0) and aid(world).status == "ended" and held(world) == []
    assert {fault.code for fault in doctor.examine(world.database).faults} == set()


def test_whoever_is_about_to_order_or_pay_is_told_that_payments_are_held(world, ordered):
    case_id, order, _ = ordered
    assert not shown(world, order).payments_held
    suspects(world, case_id)
    assert shown(world, order).payments_held
    cleared(world, case_id)
    assert not shown(world, order).payments_held


def test_the_page_of_an_aid_says_who_holds_its_payments_and_that_one_is_made_and_not_entered(world, ordered):
    case_id, order, _ = ordered
    suspects(world, case_id)
    confirms(world, case_id, order)
    told = page(world, order)
    assert [one.node for one in told.waiting if one.kind == "task"] == ["T971"] and [one.state for one in told.instalments] == ["held", "to_come", "to_come"]
    cleared(world, case_id)
    told = page(world, order)
    assert "T973" not in [one.node for one in told.waiting] and [one.state for one in told.instalments] == ["paid", "to_come", "to_come"]


def page(world, row):
    officer = world.agent("OTE", "TUN", "gestionnaire_aides")
    with world.database.reading(officer) as session:
        dossier_id = session.execute(text("SELECT instance_id FROM instance WHERE root_id = :id AND process = 'dossier_aide'"), {"id": row.root_id}).scalar_one()
        return aid_files.show(session, officer, dossier_id)


def shown(world, row):
    who = world.who_does(row)
    with world.database.reading(who) as session:
        return tasks.view(session, who, row.task_id)
