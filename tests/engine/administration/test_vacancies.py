"""Whoever takes away a role that nobody else holds there reads first what would wait, and for whom it waits; on the real pathway."""

import pytest
from sqlalchemy import text

from engine import doctor, errors
from engine.actors import accounts, reviews, users, vacancies
from engine.casework import timers
from engine.ledger import journal
from tests.world import World, furnish

REASON = "Mutation"


@pytest.fixture
def world(make_database):
    return World(make_database(furnish))


@pytest.fixture
def admin(world):
    def do(verb, *given, who="administration", **named):
        with world.database.unit_of_work(world.staff[who]) as session:
            return verb(session, world.staff[who], *given, **named)

    return do


@pytest.fixture
def entrusted(world, admin):
    """A case whose owner has tasks, the only one of her branch; whose it is."""
    for other in [one for one in world.staff.values() if "referent" in one.roles and one.branch == "MED"][1:]:
        admin(accounts.close, other.user_id, REASON)
    case = world.receive(world.somebody("social"))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case, node)
    owner = next(one for one in world.staff.values() if "referent" in one.roles and one.branch == "MED")
    waiting = [row.node for row in world.open_tasks(case) if (row.agency, row.branch, row.role) == ("OTE", "MED", "referent")]
    assert waiting
    return owner, waiting


def took(admin, owner, way, **named):
    if way == "review":
        review = admin(reviews.begin, "OTE", "MED", 30, REASON)
        return admin(reviews.decide, review, owner.user_id, "withdrawn", REASON, **named)
    acts = {"role": (accounts.set_rights, "OTE", "MED", ["agent_accueil"]), "branch": (accounts.set_rights, "OTE", "SFX", ["referent"]), "closed": (accounts.close,)}
    verb, *given = acts[way]
    return admin(verb, owner.user_id, *given, REASON, **named)


@pytest.mark.parametrize("way", ["role", "branch", "closed", "review"])
def test_the_last_to_hold_a_role_leaves_it_only_once_what_waits_was_read(world, admin, entrusted, way):
    owner, waiting = entrusted
    (alone,) = [one for one in admin(vacancies.of, owner.user_id) if one.role == "referent"]
    assert (alone.open, alone.cases, alone.branch) == (len(waiting), 1, "MED") and sum(number for _, number in alone.tasks) == len(waiting)
    with pytest.raises(errors.Conflict, match=r"account\.last_holder") as refused:
        took(admin, owner, way)
    assert (refused.value.details["branch"], refused.value.details["tasks"], refused.value.details["cases"]) == ("MED", len(waiting), 1) and "referent" in refused.value.details["roles"]
    assert admin(accounts.show, owner.user_id).roles == tuple(sorted(owner.roles)), "nothing was taken"
    took(admin, owner, way, is_known=True)
    with world.database.reading(world.staff["administration"]) as session:
        told = [one.body["vacant"] for one in journal.read(session, about=f"user:{owner.user_id}", limit=20) if one.body.get("vacant")]
    assert told == [["referent"]], "the journal says what was left to nobody"
    timers.settle(world.database)
    assert doctor.examine(world.database).is_well


def test_the_second_administrator_reads_what_would_wait_before_she_approves(world, admin, entrusted):
    owner, waiting = entrusted
    admin(accounts.set_rights, owner.user_id, "OTE", "MED", ["chef_antenne"], REASON, is_known=True)
    (proposed,) = admin(accounts.proposals, who="administration2")
    assert "approve" in proposed.may and [(one.role, one.open, one.cases) for one in proposed.alone if one.role == "referent"] == [("referent", len(waiting), 1)]
    assert {one.role for one in proposed.alone} <= set(owner.roles) - {"chef_antenne"}, "what she keeps waits for nobody"
    assert not admin(accounts.proposals, who="auditeur")[0].alone, "an auditor decides nothing there"
    admin(accounts.approve, proposed.proposal_id, who="administration2")
    with world.database.reading(world.staff["administration"]) as session:
        (line,) = journal.read(session, about=f"user:{owner.user_id}", kind="account.rights_given", limit=1)
    assert "referent" in line.body["vacant"], "the journal says what was left to nobody"
    assert not admin(accounts.proposals, who="administration2")[0].alone, "what is decided asks no more"


def test_whoever_might_be_named_is_named_and_once_she_is_nobody_is_stopped(world, admin, entrusted):
    owner, _ = entrusted
    (alone,) = [one for one in admin(vacancies.of, owner.user_id) if one.role == "referent"]
    salma = next(one for one in world.staff.values() if one.username == "salma")
    assert (salma.user_id, "Salma Trabelsi") in alone.could and owner.user_id not in dict(alone.could)
    admin(accounts.set_rights, salma.user_id, "OTE", "MED", ["agent_accueil", "referent"], REASON)
    assert not [one for one in admin(vacancies.of, owner.user_id) if one.role == "referent"]
    admin(accounts.close, owner.user_id, REASON)


def test_what_nobody_holds_is_told_to_administrators_alone(world, entrusted):
    owner, _ = entrusted
    for who in ("coordination", "auditeur", "sonia"):
        with pytest.raises(errors.Forbidden), world.database.reading(world.staff[who]) as session:
            vacancies.of(session, world.staff[who], owner.user_id)
        with world.database.reading(world.staff[who]) as session:
            assert session.execute(text("SELECT * FROM masar_left_alone(:id)"), {"id": owner.user_id}).all() == []
    with world.database.reading(users.system()) as session:
        assert session.execute(text("SELECT * FROM masar_left_alone(:id)"), {"id": owner.user_id}).all() == []
