"""Whoever is under eighteen does not sign: the guardian or parent does, on the consent, the plan and the contract, until the day she is of age."""

import datetime as dt

import pytest
from sqlalchemy import text

from engine.actors import users
from engine.casework import agreements, notices, tasks

SIGNED = {"name": "Moncef Guesmi", "strokes": "M10 20L40 5"}


def born(world, years, days=0):
    return (world.today().replace(year=world.today().year - years) + dt.timedelta(days=days)).isoformat()


def who_signs(world, case_id, node):
    row = next(row for row in world.open_tasks(case_id) if row.node.startswith(node))
    actor = world.who_does(row)
    with world.database.reading(actor) as session:
        return {question.spec.id for question in tasks.view(session, actor, row.task_id).form.questions()
                if question.visible and ("signature" in question.spec.id or question.spec.id == "accueil.tuteur_nom")}  # fmt: skip


def test_the_guardian_signs_for_a_minor_and_is_asked_for_once(world):
    child = world.receive(world.somebody("formation", 1) | {"person.naissance_date": born(world, 15), "accueil.accompagne": False})
    world.does(child, "T101")
    assert {"accueil.tuteur_nom", "consentement.signature_tuteur"} == who_signs(world, child, "T102"), "she came without family: whoever answers for her is asked here"
    world.does(child, "T102", accueil__tuteur_nom="Moncef Guesmi", consentement__signature_tuteur=SIGNED)
    salma = world.agent("OTE", "MED", "agent_accueil")
    with world.database.reading(salma) as session:
        said = agreements.of_case(session, salma, child).said
    assert said[0].is_signed and said[0].guardian == "Moncef Guesmi"
    world.reaches("T208")
    assert {"plan.signature_tuteur", "plan.signature_referent"} == who_signs(world, child, "T208"), "once"
    assert any(one.field == "person.mineur" for one in world.file(child).known)


def test_who_comes_of_age_signs_herself(world):
    grown = world.receive(world.somebody("formation", 2) | {"person.naissance_date": born(world, 18), "accueil.accompagne": True})
    world.does(grown, "T101")
    assert {"consentement.signature"} == who_signs(world, grown, "T102")
    assert not any(one.field == "person.mineur" for one in world.file(grown).known), "of whoever is of age nothing is said of it"


GUARDIANS = {"plan.signature_tuteur", "aide.contrat_signature_tuteur", "desistement.signature_tuteur"}


@pytest.mark.parametrize("comes_of_age", [False, True])
def test_from_the_day_she_is_of_age_she_signs_contract_and_withdrawal_herself_and_before_her_guardian_does(world, comes_of_age):
    birth = born(world, 18 if comes_of_age else 15, 3 if comes_of_age else 0)  # a minor at reception, for three days yet
    child = world.receive(world.somebody("creation", 8) | {"person.naissance_date": birth, "accueil.accompagne": False})
    world.does(child, "T101")
    assert "consentement.signature_tuteur" in who_signs(world, child, "T102")
    world.does(child, "T102", accueil__tuteur_nom="Moncef Guesmi", consentement__signature_tuteur=SIGNED)
    if comes_of_age:
        world.passes(days=5)
    world.reaches("T208")
    assert who_signs(world, child, "T208") & GUARDIANS == (set() if comes_of_age else {"plan.signature_tuteur"})
    world.reaches("T606")
    assert who_signs(world, child, "T606") == {"aide.contrat_signature" if comes_of_age else "aide.contrat_signature_tuteur"}
    world.does(child, "T606")
    world.begins(child, "desistement", world.owner(child), desistement__portee="dossier")
    world.does(child, "T921", desistement__maintenu=True, desistement__retractation_expliquee=True, desistement__signature=SIGNED, desistement__signature_tuteur=SIGNED)
    said = world.facts("desistement.")
    assert ("desistement.signature_tuteur" in said, "desistement.signature" in said) == ((False, True) if comes_of_age else (True, False))
    assert world.incidents() == []


def received(world, number, **said):
    """A boy of fifteen who came with his father."""
    with_him = {"person.naissance_date": born(world, 15), "accueil.accompagne": True, "accueil.tuteur_nom": "Moncef Guesmi"}
    child = world.receive(world.somebody("formation", number) | with_him | {name.replace("__", "."): value for name, value in said.items()})
    world.does(child, "T101")
    world.does(child, "T102", consentement__signature_tuteur=SIGNED)
    end_reception(world, child)
    return child


def end_reception(world, case_id):
    while row := next((row for row in world.open_tasks(case_id) if row.node.startswith("T10")), None):
        world.answers(row)


def test_a_minor_joins_the_case_of_the_parent_whose_number_is_written_and_its_owner_is_told(world):
    father = world.receive(world.somebody("creation", 4))
    end_reception(world, father)
    owner = next(one for one in world.staff.values() if str(one.user_id) == str(owner_of(world, father)))
    child = received(world, 5, accueil__dossier_parent=world.file(father).case_number)
    assert world.stands(child).status == "ended" and world.incidents() == []
    with world.database.reading(owner) as session:
        told = notices.mine(session, owner).items[0]
    assert (told.code, told.case_id, told.title) == ("case.attached", father, world.file(child).case_number)


def owner_of(world, case_id):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT referent_id FROM instance WHERE instance_id = :id"), {"id": case_id}).scalar()


def test_a_minor_whose_parent_has_no_case_is_served_and_a_wrong_number_waits_for_a_human(world):
    served = received(world, 6)
    assert world.stands(served).status == "open" and world.open_tasks(served), "he is not attached to nothing"
    wrong = received(world, 7, accueil__dossier_parent="TN-MED-2020-99999")
    assert world.stands(wrong).status == "open" and [one.details["error"] for one in world.incidents()] == ["operation.no_parent_case"]
