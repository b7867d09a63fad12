"""Authority over actors × acts × cases × consents: the policy in code and the policies in the database let the same things through."""

import datetime as dt
from dataclasses import dataclass
from itertools import product
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.actors import agencies, authority, users
from engine.actors.roles import CLASSES, ROLES
from engine.casework import worklist
from engine.dossier import facts
from engine.dossier.facts import NewFact
from engine.identity import new_id
from engine.ledger import events

AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
NAMED, OPERATOR = uuid4(), uuid4()
JOINED = ("F,O", "S,F", "P,R", "E,F")
# Every table whose rows are of a case, of a part of one, of a task or of a person, as far as the application reads it at all.
BY_ID = text("""SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
                   WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.column_name = ANY (:columns)
                     AND has_column_privilege('masar_app', c.table_name::regclass, c.column_name, 'SELECT') ORDER BY 1, 2""")


def _actors():
    for role, found in ROLES.items():
        for agency, branch in product(sorted(found.agencies), ("TUN",) if found.is_central else ("MED", "SFX")):
            yield users.Actor(uuid4(), role, role, agency, branch, frozenset({role}))
    yield users.Actor(NAMED, "named", "Named", "CPS", "MED", frozenset({"travailleur_social"}))
    yield users.Actor(OPERATOR, "operator", "Operator", "PART", "MED", frozenset({"operateur"}))
    yield users.Actor(OPERATOR, "both", "Operator with a seat", "PART", "MED", frozenset({"operateur", "membre_commission"}))
    yield users.Actor(OPERATOR, "seat", "Operator no more", "PART", "MED", frozenset({"membre_commission"}))
    yield users.Actor(uuid4(), "two", "Two roles", "ANETI", "MED", frozenset({"conseiller_emploi", "membre_commission"}))
    yield users.Actor(uuid4(), "none", "No role", "OTE", "MED", frozenset())


ACTORS = tuple(_actors())


@dataclass(frozen=True)
class Case:
    case_id: UUID
    branch: str
    is_shared: bool
    is_shared_funder: bool
    is_shared_operator: bool
    social_worker_id: UUID | None
    assigned: tuple[UUID, ...]
    is_sitting: bool = False
    is_kept: bool = False


@pytest.fixture(scope="module")
def tunisia(make_database):
    """Cases of each branch, under each consent, with and without a named social worker and an operator, kept to OTE, and a sitting; in each, a fact of every class by
    every agency, something that its person is waited for, and a task of the operator (in his hands where he has the case alone), of the case owner (late),
    of an adviser, of the funder's member, of the headquarters and of a social attaché."""
    database, cases = make_database(), []
    with database.owner() as connection:
        agencies.install(connection)
        connection.exec_driver_sql("INSERT INTO edition VALUES (gen_random_uuid(), 1, 'x', '{}', now())")
    with database.unit_of_work(users.system()) as session:
        edition = session.execute(text("SELECT edition_id FROM edition")).scalar_one()
        for branch in ("TUN", "SFX", "MED"):
            agreed = tuple(product((True, False), repeat=3)) if branch == "MED" else ((True, True, True), (False, False, False))
            made = [Case(uuid4(), branch, *consents, worker, operators)
                    for consents in agreed for worker, operators in ((None, ()), (NAMED, (OPERATOR,)), (None, (uuid4(), OPERATOR)))]  # fmt: skip
            made += [Case(uuid4(), branch, False, True, True, worker, operators, is_kept=True) for worker, operators in ((None, ()), (NAMED, (OPERATOR,)))]
            made.append(Case(uuid4(), branch, True, True, False, None, (), is_sitting=True))
            for case in made:
                _make(session, case, edition)
            cases += made
    return database, tuple(cases)


def _make(session, case, edition):
    person = new_id()
    session.execute(text("INSERT INTO person (person_id) VALUES (:p)"), {"p": person})
    head = events.append(session, users.system(), events.Head(case.case_id, 0, b""), person, "case.opened", AT, {}, {})
    session.execute(
        text("""INSERT INTO instance (instance_id, root_id, process, edition_id, person_id, branch, state, seq, head, opened_at, is_shared,
         is_shared_funder, is_shared_operator, is_kept, social_worker_id, assigned, subject)
                VALUES (:i, :i, 'p', :e, :p, :b, '', 1, :h, now(), :s, :f, :o, :k, :w, :a, :subject)"""),
        {
            "i": case.case_id,
            "e": edition,
            "p": person,
            "b": case.branch,
            "h": head.hash,
            "s": case.is_shared,
            "f": case.is_shared_funder,
            "o": case.is_shared_operator,
            "k": case.is_kept,
            "subject": f"seance:{case.case_id}" if case.is_sitting else "",
            "w": case.social_worker_id,
            "a": list(case.assigned),
        },
    )
    for agency in agencies.AGENCIES:
        author = users.Actor(None, "a", "A", agency, case.branch, frozenset(), kind="system")
        new = [NewFact(f"case:{case.case_id}", f"{agency}.{one}", "x", one) for one in (*CLASSES, *JOINED)]
        facts.record(session, author, facts.Subjects(case.case_id, person), case.case_id, AT, 1, new)
    for role, agency in _tasks(case):
        session.execute(
            text("""INSERT INTO open_task (task_id, instance_id, root_id, position, process, node, names, agency, branch, case_branch, role, opened_at,
                                           holder_id, due_at)
                    VALUES (gen_random_uuid(), :i, :i, :r, 'p', :r, '{}', :a, :b, :c, :r, now(), :h, :d)"""),
            {
                "i": case.case_id,
                "r": role,
                "a": agency,
                "b": authority.branch_of_task(role, case.branch),
                "c": case.branch,
                "h": _holder(case, role),
                "d": AT if role == "referent" else None,
            },
        )
    for agency in agencies.AGENCIES:
        session.execute(text("INSERT INTO notice (notice_id, branch, agency, code, instance_id, created_at) VALUES (gen_random_uuid(), :b, :a, 'task.opened', :i, now())"),
                        {"i": case.case_id, "b": case.branch, "a": agency})  # fmt: skip
    session.execute(text("INSERT INTO incident (incident_id, instance_id, root_id, branch, position, node, code, opened_at) VALUES (gen_random_uuid(), :i, :i, :b, 'x', 'x', 'x', now())"),
                    {"i": case.case_id, "b": case.branch})  # fmt: skip
    session.execute(
        text("INSERT INTO wait (instance_id, position, node, kind, name, opened_at, branch, awaits) VALUES (:i, 'w', 'w', 'message', 'm', now(), :b, 'person')"),
        {"i": case.case_id, "b": case.branch},
    )


TASKS = {
    "operateur": "PART", "membre_commission": "PART", "referent": "OTE", "conseiller_emploi": "ANETI", "gestionnaire_aides": "OTE", "attache_social": "OTE",
}  # fmt: skip


def _tasks(case):
    """Role and agency of what waits: a member's task only at a sitting, where an operator has none."""
    return [(role, agency) for role, agency in TASKS.items() if role not in ("operateur", "membre_commission") or case.is_sitting == (role == "membre_commission")]


def _holder(case, role):
    return OPERATOR if role == "operateur" and case.assigned == (OPERATOR,) else None


def _reaches(actor, case):
    if case.is_kept and actor.agency in ("CPS", "ANETI"):
        return False
    if actor.agency == "PART":
        has = "operateur" in actor.roles and case.is_shared_operator and actor.user_id in case.assigned
        return has or (case.is_sitting and "membre_commission" in actor.roles and case.branch == actor.branch)
    return {"all": True, "branch": case.branch == actor.branch, "none": False}[actor.reach]


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
        if authority.may(actor, "case.read", branch=case.branch, case=case):
            assert case.case_id in seen
        if authority.may(actor, "incident.read", branch=case.branch):
            assert case.case_id in seen


@pytest.mark.parametrize("actor", ACTORS, ids=lambda one: f"{one.username}-{one.agency}-{one.branch}")
def test_facts_are_written_by_the_same_people_on_both_sides(tunisia, actor):
    database, cases = tunisia
    case = next(one for one in cases if one.branch == actor.branch and one.is_shared and one.is_shared_operator and one.assigned)
    for one in (*CLASSES, *JOINED):
        with database.unit_of_work(actor) as session:
            with pytest.raises(DBAPIError) as refused:
                facts.record(session, actor, facts.Subjects(case.case_id, None), case.case_id, AT, 9, [NewFact(f"case:{case.case_id}", "x.y", "x", one)])
            session.rollback()
        # No line tells of this fact: whoever passes the policy is stopped by the ledger's guard, and by nothing before it.
        passes = "has no ledger line" in str(refused.value)
        assert passes or "row-level security" in str(refused.value)
        assert passes == (authority.writable(actor, one) and _reaches(actor, case)), one


@pytest.mark.parametrize("actor", ACTORS, ids=lambda one: f"{one.username}-{one.agency}-{one.branch}")
def test_a_task_that_the_policy_shows_the_database_shows_too_and_to_a_partner_no_other(tunisia, actor):
    database, cases = tunisia
    with database.reading(actor) as session:
        seen = set(session.execute(text("SELECT instance_id, role FROM open_task")).all())
    shown = {
        (case.case_id, role)
        for case in cases
        for role, agency in _tasks(case)
        if authority.may(actor, "task.read", agency=agency, role=role, branch=authority.branch_of_task(role, case.branch), case=case, case_branch=case.branch)
    }
    assert shown <= seen
    if actor.agency == "PART":
        assert seen == shown
    kept = {case.case_id for case in cases if case.is_kept}
    assert {one for one in seen - shown if one[0] in kept} == set() or actor.agency == "OTE"


def test_a_partner_sees_no_task_that_another_of_hers_holds(tunisia):
    database, cases = tunisia
    operator = next(one for one in ACTORS if one.username == "operator")
    mine = [one for one in cases if _reaches(operator, one)]
    assert mine
    with database.reading(operator) as session:
        assert set(session.execute(text("SELECT DISTINCT agency FROM open_task")).scalars()) == {"PART"}
        for table in ("ledger_sealed", "letter", "task_done"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


def _pages(read, key):
    """What every page of a list holds, in its order."""
    found, cursor = [], ""
    while True:
        page = read(cursor)
        found += [key(row) for row in page.items]
        if not (cursor := page.next):
            return found


@pytest.mark.parametrize("actor", ACTORS, ids=lambda one: f"{one.username}-{one.agency}-{one.branch}")
def test_the_desk_lists_what_both_walls_let_through_and_counts_what_it_lists(tunisia, actor):
    database, cases = tunisia
    with database.reading(actor) as session:
        counted = worklist.counts(session, actor)
        came = worklist.arrived(session, actor, AT)
        views = {name: {"scope": name} for name in worklist.SCOPES} | {"late": {"scope": "all", "late": True}}
        listed = {
            name: _pages(lambda cursor, asked=asked: worklist.desk(session, actor, **asked, limit=7, cursor=cursor), lambda row: (row.case_id, row.role))
            for name, asked in views.items()
        }
        listed["person"] = _pages(lambda cursor: worklist.awaited(session, actor, limit=7, cursor=cursor), lambda row: row.case_id)
        shown = set(session.execute(text("SELECT instance_id, role FROM open_task")).all())
    assert all(len(found) == len(set(found)) for found in listed.values())
    assert counted == {name: min(len(found), worklist.COUNTED) for name, found in listed.items()}
    assert came == {name: min(len(listed[name]), worklist.COUNTED) for name in ("mine", "queue")}

    reads = authority.may(actor, "case.read", branch=actor.branch)
    about = {
        (case.case_id, role): {"agency": agency, "role": role, "branch": authority.branch_of_task(role, case.branch), "case": case, "holder_id": _holder(case, role)}
        for case in cases
        for role, agency in _tasks(case)
    }
    own = {one for one in shown if authority.may(actor, "task.complete", **about[one])}
    held = {one for one in shown if about[one]["holder_id"] == actor.user_id}
    assert set(listed["mine"]) == held
    assert set(listed["queue"]) == own - held
    assert set(listed["all"]) == (shown if reads else own | held)
    assert set(listed["late"]) == {one for one in listed["all"] if one[1] == "referent"}
    assert set(listed["others"]) == ({one for one in shown if about[one]["agency"] != actor.agency} if reads else set())
    assert set(listed["person"]) == ({case.case_id for case in cases if _reaches(actor, case)} if reads else set())


def rows_of(database, actor, cases):
    """How many rows of these cases each table shows to somebody."""
    with database.reading(actor) as session:
        found = [(table, column, session.execute(text(f"SELECT count(*) FROM {table} WHERE {column} = ANY (:cases)"), {"cases": cases}).scalar_one()) for table, column in session.execute(BY_ID, {"columns": ["instance_id", "root_id"]}).all()]
    return {table: number for table, _, number in sorted(found, key=lambda one: one[2])}


@pytest.mark.parametrize("actor", [one for one in ACTORS if one.agency in ("CPS", "ANETI")], ids=lambda one: f"{one.username}-{one.agency}-{one.branch}")
def test_of_a_case_that_is_kept_to_ote_no_table_has_a_row_for_the_others(tunisia, actor):
    database, cases = tunisia
    kept = [case.case_id for case in cases if case.is_kept]
    there, seen = ({table: number for table, number in rows_of(database, who, kept).items() if number} for who in (users.system(), actor))
    assert {"instance", "fact", "open_task", "wait", "ledger_line", "incident", "notice"} <= there.keys() and seen == {}
