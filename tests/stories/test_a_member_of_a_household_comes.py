"""Whoever was said to be of somebody's household comes as her own person: reception is told once where she is known; it is a hint, no double."""

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import users
from engine.casework import doubles, mergers
from engine.dossier import beneficiaries
from tests.stories.test_one_person_two_cards import FOREIGN, end, look, work

LINA = {"membre.prenom": "Lina", "membre.lien": "enfant", "membre.naissance": "2004-05-04", "membre.sexe": "F", "membre.a_charge": True, "membre.scolarise": True}
NABIL = {"membre.prenom": "Nabil", "membre.lien": "conjoint", "membre.naissance": "1990", "membre.sexe": "M", "membre.a_charge": False}
HER = {"person.prenom_fr": "", "person.nom_fr": "", "person.prenom_ar": "لينا", "person.nom_ar": "الطرابلسي", "person.naissance_date": "2004-05-04"}


def receive(world, number, **said):
    case_id = world.receive(world.somebody("emploi", number) | {name.replace("__", "."): value for name, value in said.items()})
    return case_id


@pytest.fixture
def mother(world):
    case_id = world.receive(world.somebody("social", 3) | {"foyer.membres": [LINA, NABIL]} | FOREIGN)
    world.does(case_id, "T101")
    return case_id


def kept(world, case_id):
    """By what the household of a case's person is found again."""
    with world.database.reading(users.system()) as session:
        asked = "SELECT k.token FROM person_token k JOIN instance i USING (person_id) WHERE i.instance_id = :id AND k.kind LIKE 'household%' ORDER BY 1"
        return session.execute(text(asked), {"id": case_id}).scalars().all()


def told(world, case_id):
    """What stops her first task: the cases she may be known in, each with what agrees."""
    with pytest.raises(errors.Conflict, match=r"beneficiary\.possible_duplicate") as stopped:
        world.does(case_id, "T101")
    return [(one["case_id"], one["matched"]) for one in stopped.value.details["candidates"]]


def goes_on(world, case_id, *aside):
    row = next(row for row in world.open_tasks(case_id) if row.node == "T101")
    world.complete(row, world.who_does(row), world.truth[case_id], not_duplicate_of=[str(one) for one in aside])
    world.settle()


def test_a_daughter_is_recognised_in_the_other_script_and_goes_on_without_a_reason(world, mother):
    assert kept(world, mother) == ["ln|2004-05-04", "nbl|1990"]
    her = world.receive(world.somebody("emploi", 1) | HER)
    assert told(world, her) == [(str(mother), ["household"])]
    goes_on(world, her, mother)
    assert world.nodes(her) == ["T102"], "no double: the head of the branch has nothing to check"
    assert look(world, "karim", doubles.suspected, her) == [] and [one.case_id for one in look(world, "karim", doubles.member_of, her)] == [mother]


@pytest.mark.parametrize(("said", "comes"), [("Fatma", "فاطمة"), ("Sara", "Sarah"), ("Ghazi", "غازي"), ("آية", "Aya")])
def test_however_a_first_name_is_written(said, comes):
    assert beneficiaries.household_tokens([said], "2004-05-04") == beneficiaries.household_tokens([comes], "2004-05-04")


@pytest.mark.parametrize("other", [{"person.naissance_date": "2004-05-05"}, {"person.prenom_ar": "سنية"}, {"person.naissance_date": "2004"}])
def test_another_name_or_day_is_nobody_known(world, mother, other):
    her = world.receive(world.somebody("emploi", 1) | HER | other)
    world.does(her, "T101")
    assert world.nodes(her) == ["T102"]


@pytest.mark.parametrize(("fathers", "family", "is_told"), [("Gabsi", "القابسي", True), ("Ferchichi", "الفرشيشي", True), ("Gabsi", "الطرابلسي", False)])
def test_of_whom_only_the_year_was_said_the_family_name_tells(world, fathers, family, is_told):
    father = world.receive(world.somebody("emploi", 3) | {"person.nom_fr": fathers, "person.nom_ar": "", "foyer.membres": [LINA | {"membre.naissance": "2004"}]})
    world.does(father, "T101")
    her = world.receive(world.somebody("emploi", 1) | HER | {"person.nom_ar": family})
    if is_told:
        assert told(world, her) == [(str(father), ["household"])]
    else:
        world.does(her, "T101")


def test_whose_parents_case_is_written_is_told_nothing(world, mother):
    child = world.receive(world.somebody("formation", 5) | HER | {"person.naissance_date": "2012-01-05", "accueil.accompagne": True, "accueil.tuteur_nom": "Sa mère",
                                                                   "accueil.dossier_parent": world.file(mother).case_number})
    with world.database.unit_of_work(users.system()) as session:
        beneficiaries.remember_household(session, person_of(world, mother))
    world.does(child, "T101")
    assert world.nodes(child) == ["T102"]


def person_of(world, case_id):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT person_id FROM instance WHERE instance_id = :id"), {"id": case_id}).scalar_one()


def says_again(world, case_id, members):
    """The household as she says it at her interview."""
    row = world.reaches("T201")
    world.complete(row, world.who_does(row), world.truth[case_id], **{"foyer.membres": members})
    world.settle()


@pytest.mark.parametrize(("members", "left"), [([], []), ([NABIL | {"membre.naissance": "1990-01-02"}], ["nbl|1990-01-02"])])
def test_a_household_said_anew_is_found_by_what_it_is_now(world, members, left):
    case_id = world.receive(world.somebody("emploi", 3) | {"foyer.membres": [LINA]})
    world.does(case_id, "T101")
    assert kept(world, case_id) == ["ln|2004-05-04"]
    says_again(world, case_id, members)
    assert kept(world, case_id) == left
    her = world.receive(world.somebody("emploi", 1) | HER)
    world.does(her, "T101")
    assert [one["name"] for one in look(world, "karim", doubles.person, case_id).members] == [one["membre.prenom"] for one in members], "whoever is no longer said to be of it is not shown in it"


def test_two_cards_made_one_are_one_household_and_parted_two(world):
    first = world.receive(world.somebody("social", 3) | {"foyer.membres": [NABIL | {"membre.naissance": "1990-01-02"}]} | FOREIGN)
    world.does(first, "T101")
    end(world, first)
    second = world.receive(world.somebody("emploi", 4) | {"foyer.membres": [LINA]})
    world.does(second, "T101")
    before = kept(world, first), kept(world, second)
    merger, head = work(world, "karim", mergers.propose, second, first, [], "La même"), world.agent("OTE", "MED", "chef_antenne").username
    work(world, head, mergers.approve, merger)
    assert kept(world, first) == kept(world, second) == ["ln|2004-05-04"], "the household she said last is hers"
    work(world, head, mergers.undo, merger, "Deux personnes")
    assert (kept(world, first), kept(world, second)) == before == (["nbl|1990-01-02"], ["ln|2004-05-04"])


def test_with_whom_is_forgotten_goes_her_household(world, mother):
    end(world, mother)
    world.forgets(mother)
    her = world.receive(world.somebody("emploi", 1) | HER)
    world.does(her, "T101")
    assert world.nodes(her) == ["T102"]


def test_known_in_another_branch_she_is_told_where_to_ask_and_no_more(world, mother):
    her = world.receive(world.somebody("emploi", 1, branch="SFX") | HER, branch="SFX")
    assert told(world, her) == [(str(mother), ["household"])]
    head = world.agent("OTE", "SFX", "chef_antenne").username
    with world.database.reading(world.staff[head]) as session:
        assert doubles.reached(session, [mother]) == [], "the page names its branch, and opens nothing"
