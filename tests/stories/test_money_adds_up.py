"""The ledger of a programme is the sum of its dossiers, whatever happens to them; and whoever examines, decides and pays are three persons (domain.md §4.0, §4.7)."""

import pytest
from sqlalchemy import text

from engine import doctor, errors
from engine.actors import users
from engine.casework import aids, repairs
from engine.insight import aid_files
from tests import world as worlds

CODE = "TOUNESNA-EU"


def fund(world):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT available_millimes AS available, engaged_millimes AS engaged, paid_millimes AS paid, recovered_millimes AS recovered FROM fund WHERE programme = :code"), {"code": CODE}).one()


def faults(world):
    return {(one.code, one.about) for one in doctor.examine(world.database).faults}


def _page(world, case_id, who):
    with world.database.reading(users.system()) as session:
        dossier_id = session.execute(text("SELECT instance_id FROM instance WHERE root_id = :id AND process = 'dossier_aide'"), {"id": case_id}).scalar_one()
    with world.database.reading(who) as session:
        return aid_files.show(session, who, dossier_id)


def explained(world, case_id, officer):
    """What the page of the dossier says while it is examined: the same as the edition's own table, condition by condition, and nothing of what a reader may not know."""
    told = _page(world, case_id, officer)
    is_open = {one.code: one.is_open for one in told.programmes}
    assert is_open[CODE] is True and is_open["OFII-TN-2025"] is False
    refused = next(one for one in told.programmes if one.code == "OFII-TN-2025")
    failing = [one for one in refused.conditions if one.holds is False]
    assert failing and any("Allemagne" in value for one in failing for _, value in one.values), "closed, and by which condition on which value: she came back from Germany"
    assert all(condition.holds for one in told.programmes if one.is_open for condition in one.conditions)
    assert {"F52 Plan d'affaires", "F53 Avis technique"} <= {one.label for one in told.pieces}, "none is a code alone"
    assert told.pieces and not any(one.is_missing for one in told.pieces) and [one.share for one in told.instalments] == [60, 30, 10]
    with pytest.raises(errors.NotFound):
        _page(world, case_id, world.agent("OTE", "SFX", "chef_antenne"))


def test_what_a_programme_committed_paid_and_recovered_is_the_sum_of_its_dossiers(world):
    case_id = world.receive(world.somebody("creation", 1))
    examined = world.reaches("T603")
    who_examined = world.who_does(examined)
    explained(world, examined.root_id, who_examined)
    world.answers(examined)
    sitting = world.reaches("T654")
    # Whoever examined it may not decide it, whatever else she is; nor order what she prepares.
    with world.database.owner() as connection:
        connection.execute(text("UPDATE user_account SET roles = roles || '{secretaire_commission}', branch = 'MED' WHERE user_id = :id"), {"id": who_examined.user_id})
    judge = worlds.World(world.database).staff[who_examined.username]
    with pytest.raises(errors.Forbidden) as refused:
        world.complete(sitting, judge, world.truth.get(sitting.root_id, {}))
    assert refused.value.code == "task.kept_apart"
    with world.database.owner() as connection:
        connection.execute(text("UPDATE user_account SET roles = array_remove(roles, 'secretaire_commission'), branch = 'TUN' WHERE user_id = :id"), {"id": who_examined.user_id})
    before = fund(world)
    world.answers(sitting)
    settled = world.reaches("T610", 800)
    granted = world.facts("aide.montant_accorde")["aide.montant_accorde"]
    told, veiled = (_page(world, settled.root_id, who) for who in (world.agent("OTE", "TUN", "gestionnaire_aides"), world.agent("CPS", "MED", "chef_cps")))
    assert told.money.paid == granted and {one.state for one in told.instalments} == {"paid"}
    assert veiled.money == aids.Money() and {one.state for one in veiled.instalments} <= {"to_come"}, "what reads no finance is told of no payment"
    assert (fund(world).paid, fund(world).engaged, fund(world).available) == (granted, 0, before.available - granted)

    # Two thousand dinars were not spent: they come back by a path that is drawn, entered by another person than who settled.
    world.answers(settled, aide__solde_depense=granted - 2_000_000, aide__solde_suite="restitue")
    back = world.reaches("T619")
    with pytest.raises(errors.Invalid):
        world.answers(back, aide__recouvre_montant=2_000_001)
    world.answers(back)
    assert (fund(world).paid, fund(world).recovered, fund(world).available) == (granted, 2_000_000, before.available - granted + 2_000_000)
    with world.database.reading(users.system()) as session:
        did = {node: who for node, who in session.execute(text("SELECT DISTINCT node, done_by FROM task_done WHERE node IN ('T603', 'T654', 'T607', 'T608', 'T610', 'T619')"))}
    assert did["T603"] not in (did["T654"], did["T608"]) and did["T654"] != did["T608"] and did["T607"] != did["T608"] and did["T610"] != did["T619"]

    officer = world.agent("OTE", "TUN", "gestionnaire_aides")
    with world.database.reading(officer) as session:
        told = aids.ledger(session, officer, CODE)
    assert told.is_even and [(one.committed, one.paid, one.recovered, one.case_id) for one in told.rows] == [(granted, granted, 2_000_000, case_id)]
    assert told.fund.recovered == 2_000_000 and faults(world) == set() and world.incidents() == []

    # What moves past the operations is found: a fund that was changed, a dossier's movement that was.
    with world.database.owner() as connection:
        connection.execute(text("UPDATE fund SET paid_millimes = paid_millimes - 1000 WHERE programme = :code"), {"code": CODE})
    assert ("fund.other", CODE) in faults(world)
    with world.database.owner() as connection:
        connection.execute(text("UPDATE fund SET paid_millimes = paid_millimes + 1000 WHERE programme = :code"), {"code": CODE})
        connection.execute(text("UPDATE fund_movement SET amount_millimes = amount_millimes - 1000 WHERE kind = 'recovered'"))
        connection.execute(text("UPDATE fund SET recovered_millimes = recovered_millimes - 1000 WHERE programme = :code"), {"code": CODE})
    assert ("table.other", "money: recovered") in {(code, about.partition(", ")[2]) for code, about in faults(world)}, "the fund and its movements agree, the dossier's lines do not"
    with world.database.owner() as connection:
        connection.execute(text("UPDATE fund_movement SET amount_millimes = amount_millimes + 1000 WHERE kind = 'recovered'"))


def test_a_repair_that_passes_the_commitment_again_commits_nothing_twice(world):
    case_id = world.receive(world.somebody("creation", 1))
    world.reaches("T607")
    before, (first, second) = fund(world), [one for one in world.staff.values() if "coordinateur" in one.roles][:2]
    with world.database.unit_of_work(first) as session:
        place = next(one for one in repairs.places(session, first, case_id) if one.node == "dossier_aide_payer")
        asked = repairs.move(session, first, place.instance_id, place.position, "T606", "Le contrat est à signer de nouveau.")
    with world.database.unit_of_work(second) as session:
        repairs.approve(session, second, asked, repairs.show(session, second, asked).at_seq)
    world.settle()
    world.does(case_id, "T606")
    assert before.engaged > 0 and fund(world) == before and "T607" in world.nodes(case_id)
    assert faults(world) == set() and world.incidents() == []
