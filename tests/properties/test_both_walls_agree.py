"""Authority over actors × acts × cases: the policy in code and the policies in the database let the same things through."""

import datetime as dt
from dataclasses import dataclass
from itertools import product
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.actors import agencies, authority, users
from engine.actors.roles import CLASSES, ROLES
from engine.dossier import facts
from engine.dossier.facts import NewFact
from engine.identity import new_id
from engine.ledger import events

AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
NAMED, OPERATOR = uuid4(), uuid4()
JOINED = ("F,O", "S,F", "P,R", "E,F")


def _actors():
    for role, found in ROLES.items():
        for agency, branch in product(sorted(found.agencies), ("TUN",) if found.is_central else ("MED", "SFX")):
            yield users.Actor(uuid4(), role, role, agency, branch, frozenset({role}))
    yield users.Actor(NAMED, "named", "Named", "CPS", "MED", frozenset({"travailleur_social"}))
    yield users.Actor(OPERATOR, "operator", "Operator", "PART", "MED", frozenset({"operateur"}))
    yield users.Actor(uuid4(), "two", "Two roles", "ANETI", "MED", frozenset({"conseiller_emploi", "membre_commission"}))
    yield users.Actor(uuid4(), "none", "No role", "OTE", "MED", frozenset())


ACTORS = tuple(_actors())


@dataclass(frozen=True)
class Case:
    case_id: UUID
    branch: str
    is_shared: bool
    social_worker_id: UUID | None
    assigned: tuple[UUID, ...]


@pytest.fixture(scope="module")
def tunisia(make_database):
    """Cases of each branch, shared or not, with and without a named social worker; in each, a fact of every class by every agency."""
    database, cases = make_database(), []
    with database.owner() as connection:
        agencies.install(connection)
        connection.exec_driver_sql("INSERT INTO edition VALUES (gen_random_uuid(), 1, 'x', '{}', now())")
    with database.unit_of_work(users.system()) as session:
        edition = session.execute(text("SELECT edition_id FROM edition")).scalar_one()
        for branch, is_shared, worker in product(("TUN", "SFX", "MED"), (True, False), (None, NAMED)):
            case = Case(uuid4(), branch, is_shared, worker, (OPERATOR,) if is_shared and branch == "MED" else ())
            cases.append(case)
            _make(session, case, edition)
    return database, tuple(cases)


def _make(session, case, edition):
    person = new_id()
    session.execute(text("INSERT INTO person (person_id) VALUES (:p)"), {"p": person})
    head = events.append(session, users.system(), events.Head(case.case_id, 0, b""), person, "case.opened", AT, {}, {})
    session.execute(
        text("""INSERT INTO instance (instance_id, root_id, process, edition_id, person_id, branch, state, seq, head, opened_at, is_shared,
         social_worker_id, assigned)
                VALUES (:i, :i, 'p', :e, :p, :b, '', 1, :h, now(), :s, :w, :a)"""),
        {
            "i": case.case_id,
            "e": edition,
            "p": person,
            "b": case.branch,
            "h": head.hash,
            "s": case.is_shared,
            "w": case.social_worker_id,
            "a": list(case.assigned),
        },
    )
    for agency in agencies.AGENCIES:
        author = users.Actor(None, "a", "A", agency, case.branch, frozenset(), kind="system")
        new = [NewFact(f"case:{case.case_id}", f"{agency}.{one}", "x", one) for one in (*CLASSES, *JOINED)]
        facts.record(session, author, facts.Subjects(case.case_id, person), case.case_id, AT, 1, new)


def _reaches(actor, case):
    return {"all": True, "branch": case.branch == actor.branch, "own": actor.user_id in case.assigned, "none": False}[actor.reach]


@pytest.mark.parametrize("actor", ACTORS, ids=lambda one: f"{one.username}-{one.agency}-{one.branch}")
def test_facts_are_read_by_the_same_people_on_both_sides(tunisia, actor):
    database, cases = tunisia
    with database.reading(actor) as session:
        seen = {
            (row.root_id, row.author_agency, row.field_class) for row in session.execute(text("SELECT root_id, author_agency, class AS field_class FROM fact"))
        }
    allowed = {
        (case.case_id, agency, one)
        for case, agency, one in product(cases, agencies.AGENCIES, (*CLASSES, *JOINED))
        if _reaches(actor, case) and authority.readable(actor, one, agency, case)
    }
    assert seen == allowed


@pytest.mark.parametrize("actor", ACTORS, ids=lambda one: f"{one.username}-{one.agency}-{one.branch}")
def test_a_case_that_the_policy_opens_the_database_opens_too(tunisia, actor):
    database, cases = tunisia
    with database.reading(actor) as session:
        seen = set(session.execute(text("SELECT instance_id FROM instance")).scalars())
    assert seen == {case.case_id for case in cases if _reaches(actor, case)}
    for case in cases:
        if authority.may(actor, "case.read", branch=case.branch) and actor.reach != "own":
            assert case.case_id in seen
        if authority.may(actor, "incident.read", branch=case.branch):
            assert case.case_id in seen


@pytest.mark.parametrize("actor", ACTORS, ids=lambda one: f"{one.username}-{one.agency}-{one.branch}")
def test_facts_are_written_by_the_same_people_on_both_sides(tunisia, actor):
    database, cases = tunisia
    case = next(one for one in cases if one.branch == actor.branch and one.is_shared)
    for one in (*CLASSES, *JOINED):
        with database.unit_of_work(actor) as session:
            with pytest.raises(DBAPIError) as refused:
                facts.record(session, actor, facts.Subjects(case.case_id, None), case.case_id, AT, 9, [NewFact(f"case:{case.case_id}", "x.y", "x", one)])
            session.rollback()
        # No line tells of this fact: whoever passes the policy is stopped by the ledger's guard, and by nothing before it.
        passes = "has no ledger line" in str(refused.value)
        assert passes or "row-level security" in str(refused.value)
        assert passes == (authority.writable(actor, one) and _reaches(actor, case)), one
