"""An aid given up after its contract goes to its settlement (domain.md §4.9, X4): what was paid is accounted for, what comes back is recovered, the rest is free again."""

import pytest
from sqlalchemy import text

from engine import doctor, errors
from engine.actors import users
from engine.casework import aids

CODE = "TOUNESNA-EU"


def balance(world):
    officer = world.agent("OTE", "TUN", "gestionnaire_aides")
    with world.database.reading(officer) as session:
        told = aids.ledger(session, officer, CODE)
    assert told.is_even
    return told.fund


def aid(world):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT status, outcome FROM instance WHERE process = 'dossier_aide'")).one()


def gives_up(world, case_id, scope="aide"):
    world.begins(case_id, "desistement", world.agent("OTE", "MED", "referent"), desistement__portee=scope, desistement__mesure=world.facts("mesure.type")["mesure.type"])
    world.does(case_id, "T921", desistement__maintenu=True, desistement__retractation_expliquee=True)
    world.passes(days=12)


def nodes(world):
    return {row.node for row in world.open_tasks()}


def task(world, node):
    return next(row for row in world.open_tasks() if row.node == node)


def sound(world):
    return world.incidents() == [] and not doctor.examine(world.database).faults


@pytest.mark.parametrize("at", ["T607", "T608"])
def test_before_anything_was_paid_what_was_committed_is_free_again_and_nobody_has_accounts_to_make(world, at):
    case_id, before = world.receive(world.somebody("creation", 1)), balance(world)
    world.reaches(at)
    assert balance(world).committed > 0
    gives_up(world, case_id)
    assert balance(world) == before and aid(world).status == "ended" and not nodes(world) & {"T607", "T608", "T610"} and sound(world)


@pytest.mark.parametrize("scope", ["aide", "mesure", "dossier"])
def test_after_a_payment_accounts_are_made_and_what_was_not_spent_comes_back(world, scope):
    case_id, before = world.receive(world.somebody("creation", 1)), balance(world)
    world.answers(world.reaches("T609"))
    paid = balance(world).paid
    assert paid > 0
    gives_up(world, case_id, scope)
    assert aid(world).status == "open" and "T610" in nodes(world) and not nodes(world) & {"T607", "T608", "T609"}
    back = 500_000
    world.answers(task(world, "T610"), aide__solde_depense=paid - back, aide__solde_suite="restitue")
    assert world.facts("aide.solde_reliquat") == {"aide.solde_reliquat": back}, "worked out, not asked"
    assert not world.does(case_id, "T619", aide__recouvre_montant=back).has_ended, "the aid is over, not its case"
    after = balance(world)
    assert aid(world).status == "ended" and (after.committed, after.paid, after.recovered) == (0, paid, back) and after.available == before.available - paid + back and sound(world)


def test_an_order_already_sent_is_confirmed_or_rejected_before_the_accounts_are_made(world):
    case_id = world.receive(world.somebody("creation", 1))
    world.reaches("T609")
    gives_up(world, case_id)
    assert "T609" in nodes(world) and "T610" not in nodes(world)
    world.answers(task(world, "T609"))
    assert balance(world).paid > 0 and "T610" in nodes(world) and "T607" not in nodes(world)


def test_an_order_rejected_by_the_bank_after_the_aid_was_given_up_is_not_prepared_again(world):
    case_id, before = world.receive(world.somebody("creation", 1)), balance(world)
    world.reaches("T609")
    gives_up(world, case_id)
    world.answers(task(world, "T609"), aide__paiement_issue="rejete", aide__paiement_rejet_motif="Compte clos")
    assert balance(world) == before and aid(world).status == "ended" and sound(world)


def test_more_than_was_paid_cannot_be_accounted_for(world):
    case_id = world.receive(world.somebody("creation", 1))
    world.answers(world.reaches("T609"))
    gives_up(world, case_id)
    paid = balance(world).paid
    with pytest.raises(errors.Invalid) as refused:
        world.answers(task(world, "T610"), aide__solde_depense=paid + 1_000)
    assert "aide.solde_depense" in {one.where.strip("/") for one in refused.value.findings}


def leaves(world, case_id):
    world.begins(case_id, "deces_redepart", world.agent("OTE", "MED", "referent"), sortie__evenement="redepart", sortie__preuve=None)
    return task(world, "T962")


def test_of_whoever_leaves_again_nobody_reckons_by_hand_what_was_paid(world):
    case_id = world.receive(world.somebody("creation", 1))
    world.answers(world.reaches("T609"))
    settles, paid = leaves(world, case_id), balance(world).paid
    assert world.facts("sortie.verse") == {"sortie.verse": paid} and paid > 0
    with pytest.raises(errors.Invalid) as refused:
        world.answers(settles, sortie__solde="remboursement", sortie__a_rendre=paid + 1)
    assert [one.where for one in refused.value.findings] == ["/sortie.a_rendre"]
    world.answers(settles, sortie__solde="remboursement", sortie__a_rendre=paid - 1_000)
    assert world.stands(case_id).status == "ended"


def test_of_whoever_was_paid_nothing_nothing_can_be_asked_back(world):
    settles = leaves(world, world.receive(world.somebody("creation", 1)))
    assert world.facts("sortie.verse") == {"sortie.verse": 0}
    with pytest.raises(errors.Invalid):
        world.answers(settles, sortie__solde="remboursement", sortie__a_rendre=1)
    world.answers(settles, sortie__solde="rien_du")


def test_an_emergency_advance_is_checked_by_another_though_its_person_leaves(world):
    case_id = world.receive(world.somebody("social", 5, depistage__sans_abri_ce_soir=True, urgence__avance_necessaire=True, urgence__depense=120_000, urgence__depense_objet="Une nuit d'hôtel",
                                     aide__montant_propose=280_000, **{"aide.postes": [{"poste.nature": "loyer", "poste.montant": 280_000, "poste.fournisseur": "Bailleur", "poste.bail": "@document"}]}))  # fmt: skip
    world.answers(world.reaches("T901"))
    world.answers(world.reaches("T617", 14))
    gives_up(world, case_id, "dossier")
    assert "T614" in nodes(world)
    world.answers(task(world, "T614"))
    assert aid(world).status == "ended" and sound(world)
