"""A plan of repayments after a fraud (X11): what comes back enters the fund of the programme that paid, as often as needed, and is not asked again when its aid is settled."""

import pytest
from sqlalchemy import text

from engine import doctor, errors
from engine.actors import users
from engine.casework import aids

CODE = "TOUNESNA-EU"


def fund(world):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT available_millimes AS available, engaged_millimes AS engaged, paid_millimes AS paid, recovered_millimes AS recovered FROM fund WHERE programme = :code"), {"code": CODE}).one()


def is_sound(world):
    return not doctor.examine(world.database).faults and world.incidents() == []


def task(world, case_id, node):
    return next(row for row in world.open_tasks(case_id) if row.node == node)


@pytest.fixture
def paid(world):
    """A case whose aid was paid its first instalment, and a fraud looked into that waits for its decision."""
    case_id = world.receive(world.somebody("creation", 1))
    world.answers(world.reaches("T609"))
    suspected(world, case_id)
    return case_id, fund(world)


def suspected(world, case_id):
    world.begins(case_id, "fraude", world.agent("OTE", "MED", "chef_antenne"), fraude__piece=None)
    for node in ("T971", "T972"):
        world.does(case_id, node)


def ledger(world, case_id):
    officer = world.agent("OTE", "TUN", "gestionnaire_aides")
    with world.database.reading(officer) as session:
        told = aids.ledger(session, officer, CODE)
    assert told.is_even
    return [one for one in told.rows if one.case_id == case_id]


def test_each_repayment_enters_the_fund_until_nothing_is_left_and_is_not_asked_again(world, paid):
    case_id, before = paid
    world.does(case_id, "T973", fraude__decision="echeancier")
    agrees = task(world, case_id, "T974")
    for wrong in (before.paid + 1, 0):
        with pytest.raises(errors.Invalid) as refused:
            world.answers(agrees, fraude__a_rendre=wrong)
        assert [one.where for one in refused.value.findings] == ["/fraude.a_rendre"]
    world.answers(agrees, fraude__a_rendre=3_000_000)
    checks = task(world, case_id, "T975")
    with pytest.raises(errors.Invalid):
        world.answers(checks, fraude__rendu_montant=3_000_001)
    for given_back, left in ((1_000_000, 2_000_000), (0, 2_000_000), (500_000, 1_500_000)):
        world.does(case_id, "T975", fraude__rendu_montant=given_back, fraude__remboursement_suite="en_cours", fraude__remboursement_le="@+20o")
        assert world.facts("fraude.reste_du") == {"fraude.reste_du": left} and "T975" in world.nodes(case_id)
        now = fund(world)
        assert (now.paid, now.recovered, now.available) == (before.paid, 3_000_000 - left, before.available + 3_000_000 - left) and is_sound(world)
    world.does(case_id, "T975", fraude__rendu_montant=1_500_000)
    assert "T975" not in world.nodes(case_id) and world.stands(case_id).status == "open" and fund(world).recovered == 3_000_000
    row, = ledger(world, case_id)
    assert (row.paid, row.recovered, row.is_open) == (before.paid, 3_000_000, True), "one dossier, one line"
    with world.database.reading(users.system()) as session:
        assert session.execute(text("SELECT process FROM instance WHERE instance_id = :id"), {"id": row.dossier_id}).scalar() == "dossier_aide"

    # The aid goes on, is paid whole and settled: of what was not spent, only what did not come back yet is recovered.
    settled = world.reaches("T610", 800)
    whole = fund(world).paid
    assert whole > before.paid and world.facts("aide.rendu") == {"aide.rendu": 3_000_000}
    world.answers(settled, aide__solde_depense=whole - 4_000_000, aide__solde_suite="restitue")
    assert world.facts("aide.reste_a_rendre") == {"aide.reste_a_rendre": 1_000_000}
    world.does(case_id, "T619", aide__recouvre_montant=1_000_000)
    assert fund(world).recovered == 4_000_000 and "T619" not in world.nodes(case_id) and is_sound(world)


def test_what_came_back_whole_leaves_nothing_to_recover_when_the_aid_is_settled(world, paid):
    case_id, before = paid
    world.does(case_id, "T973", fraude__decision="echeancier")
    world.does(case_id, "T974", fraude__a_rendre=before.paid)
    world.does(case_id, "T975", fraude__rendu_montant=before.paid)
    settled = world.reaches("T610", 800)
    world.answers(settled, aide__solde_depense=fund(world).paid - 1_000_000, aide__solde_suite="restitue")
    assert "T619" not in world.nodes(case_id) and fund(world).recovered == before.paid and is_sound(world)


def test_an_aid_that_is_over_still_takes_what_a_fraud_gives_back_and_default_closes_the_case(world):
    case_id = world.receive(world.somebody("creation", 1))
    settled = world.reaches("T610", 800)
    whole = fund(world).paid
    world.answers(settled, aide__solde_depense=whole - 2_000_000, aide__solde_suite="restitue")
    world.does(case_id, "T619", aide__recouvre_montant=2_000_000)
    suspected(world, case_id)
    world.does(case_id, "T973", fraude__decision="echeancier")
    with pytest.raises(errors.Invalid):
        world.does(case_id, "T974", fraude__a_rendre=whole - 2_000_000 + 1)
    world.does(case_id, "T974", fraude__a_rendre=whole - 2_000_000)
    world.does(case_id, "T975", fraude__rendu_montant=1_000_000, fraude__remboursement_suite="defaut")
    assert world.stands(case_id).status == "ended" and fund(world).recovered == 3_000_000 and is_sound(world)
    assert [one.recovered for one in ledger(world, case_id)] == [3_000_000]


def test_of_whoever_was_paid_nothing_no_repayment_is_agreed(world):
    case_id = world.receive(world.somebody("creation", 1))
    world.reaches("T609")
    suspected(world, case_id)
    with pytest.raises(errors.Invalid) as refused:
        world.does(case_id, "T973", fraude__decision="echeancier")
    assert [one.where for one in refused.value.findings] == ["/fraude.decision"]
    world.does(case_id, "T973", fraude__decision="sans_suite")
    assert "T974" not in world.nodes(case_id) and is_sound(world)


def test_whoever_decided_does_not_enter_the_money(world, paid):
    case_id, _ = paid
    decides = task(world, case_id, "T973")
    decided_by = world.who_does(decides)
    world.answers(decides, fraude__decision="echeancier")
    world.does(case_id, "T974", fraude__a_rendre=1_000_000)
    assert decided_by.user_id in {row.done_by for row in done(world, "T973")}
    with world.database.owner() as connection:
        connection.execute(text("UPDATE user_account SET roles = roles || '{gestionnaire_aides}' WHERE user_id = :id"), {"id": decided_by.user_id})
    checks = task(world, case_id, "T975")
    with pytest.raises(errors.Forbidden) as refused:
        world.complete(checks, type(world)(world.database).staff[decided_by.username], {"fraude.rendu_montant": 1_000_000})
    with world.database.owner() as connection:
        connection.execute(text("UPDATE user_account SET roles = array_remove(roles, 'gestionnaire_aides') WHERE user_id = :id"), {"id": decided_by.user_id})
    assert refused.value.code == "task.kept_apart"


def done(world, node):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT done_by FROM task_done WHERE node = :node"), {"node": node}).all()
