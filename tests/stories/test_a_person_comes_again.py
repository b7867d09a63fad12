"""Somebody whose case was closed comes home a second time: a new case of hers, nothing of herself or her household asked again, consent asked anew."""

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import users
from engine.casework import cases, doubles, endings, rebuilt, tasks
from tests.stories.test_one_person_two_cards import FOREIGN, end, look


@pytest.fixture
def known(world):
    """Somebody with two children, received, consent given, her case then closed."""
    members = [{"membre.prenom": "Lina", "membre.lien": "enfant", "membre.naissance": "2019-05-04", "membre.sexe": "F", "membre.a_charge": True, "membre.scolarise": True},
               {"membre.prenom": "Slim", "membre.lien": "conjoint", "membre.naissance": "1990", "membre.sexe": "M", "membre.a_charge": False}]  # fmt: skip
    case_id = world.receive(world.somebody("social", 3) | {"foyer.membres": members} | FOREIGN)
    world.does(case_id, "T101")
    end(world, case_id)
    return case_id


@pytest.mark.parametrize("branch", ["MED", "SFX"])
def test_her_new_case_knows_her_and_her_household_and_asks_only_of_the_new_return(world, known, branch):
    truth = world.truth[known]
    again = world.receive(truth | {"retour.pays": "IT"}, branch=branch, returning=known)
    row = next(row for row in world.open_tasks(again) if row.node == "T101")
    actor = world.who_does(row)
    with world.database.reading(actor) as session:
        form = tasks.view(session, actor, row.task_id).form
    asked, shown = {question.spec.id for question in form.questions()}, {one.spec.id: one for one in form.known}
    assert {"person.nom_fr", "person.cin", "foyer.membres"} <= set(shown) and not {"person.nom_fr", "person.cin", "foyer.membres", "person.sexe"} & asked
    assert {"retour.date", "retour.pays", "retour.type"} <= asked, "of the new return all is asked"
    assert shown["foyer.membres"].source.kind == "case" and shown["foyer.membres"].source.label == number(world, known)
    world.does(again, "T101", **{"retour.pays": "IT"})
    assert world.nodes(again) == ["T102"], "she is no double of herself"
    head = world.agent("OTE", branch, "chef_antenne")
    assert world.file(again, head).person, "her name is known where she comes"
    person = look(world, head.username, doubles.person, again)
    assert [(member["name"], member["is_minor"]) for member in person.members] == [("Lina", True), ("Slim", False)] and person.is_minor is False
    with world.database.reading(users.system()) as session:
        persons, shares = zip(*session.execute(text("SELECT person_id, is_shared FROM instance WHERE process = 'parcours' ORDER BY opened_at")), strict=True)
    assert len(set(persons)) == 1 and shares == (True, False), "what she agreed to then is asked again"
    assert {one.field for one in world.file(known).known} >= {"retour.pays", "person.nom_fr"}
    assert world.incidents() == []


def number(world, case_id):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT number FROM instance WHERE instance_id = :id"), {"id": case_id}).scalar()


def test_whoever_was_forgotten_whole_is_received_as_somebody_new(world, known):
    world.forgets(known)
    with pytest.raises(errors.Conflict, match=r"case\.forgotten"):
        world.receive(world.truth[known], returning=known)


def test_one_open_case_each(world, known):
    again = world.receive(world.truth[known], returning=known)
    with pytest.raises(errors.Conflict, match=r"case\.one_open") as refused:
        world.receive(world.truth[known], returning=known)
    assert refused.value.details["number"] == number(world, again)
    with pytest.raises(errors.Conflict, match=r"case\.not_ended"):
        world.receive(world.truth[known], returning=again)
    # The database holds it too, whatever the code forgets.
    actor = world.agent("OTE", "MED", "agent_accueil")
    with world.database.reading(users.system()) as session:
        person = session.execute(text("SELECT person_id FROM instance WHERE instance_id = :id"), {"id": again}).scalar()
    with pytest.raises(Exception, match="instance_one_open_case"), world.database.unit_of_work(actor) as session:
        endings.finish(cases.begin(session, actor, cases.editions.current(session), "parcours", "MED", {}, person=person))


def test_a_new_return_told_at_her_closed_case_begins_a_case_that_is_shared_with_nobody_yet(world, known):
    """X8: what she agreed to then is of the case that was closed."""
    world.begins(known, "reouverture", world.agent("OTE", "MED", "agent_accueil"), reouverture__nouveau_retour=True)
    with world.database.reading(users.system()) as session:
        was, again = session.execute(text("""SELECT instance_id, is_shared, is_shared_funder, is_shared_operator, is_kept, assigned
                                               FROM instance WHERE process = 'parcours' ORDER BY opened_at""")).all()
        told = list(rebuilt.differences(session, again.instance_id))
    assert was.is_shared and tuple(again)[1:] == (False, False, False, False, []) and told == []
    assert world.nodes(again.instance_id) == ["T101"]
