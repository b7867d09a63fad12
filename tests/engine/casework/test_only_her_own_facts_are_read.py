"""What is read of a case's facts does not grow with the cases of others: rows are counted before and after more of them came, nothing is timed."""

import pytest
from sqlalchemy import text

from engine.actors import users
from engine.casework import agreements, case_notes, mergers, projections, rebuilt
from engine.insight import whys
from tests import world as worlds

_READ = text("SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'fact'")


@pytest.fixture(scope="module")
def lived(make_database):
    """A case with a plan, and a person made one with another; what each act read of facts, before and after six more cases came."""
    world = worlds.World(make_database(worlds.furnish))
    case, old, new = world.receive(world.somebody("social", 1)), ended(world, 2), world.receive(world.somebody("emploi", 3))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case, node)
    world.does(new, "T101")
    karim, head = world.staff["karim"], world.agent("OTE", "MED", "chef_antenne")
    with world.database.unit_of_work(karim) as session:
        merger = mergers.propose(session, karim, new, old, [], "Même passeport")
    with world.database.unit_of_work(head) as session:
        mergers.approve(session, head, merger)
    before = {name: read(world, act, case) for name, act in ACTS.items()}
    for number in range(10, 16):
        world.does(world.receive(world.somebody("social", number)), "T101")
    return before, {name: read(world, act, case) for name, act in ACTS.items()}


def ended(world, number):
    """A case that ends at once: not for us (D1)."""
    case = world.receive(world.somebody("emploi", number) | {"person.nationalite": ["FR"]})
    while world.stands(case).status != "ended":
        world.answers(world.open_tasks(case)[0])
    return case


def read(world, act, case):
    actor = users.system() if act in (proved, rebuilt_anew) else world.agent("OTE", "MED", "chef_antenne")
    with world.database.unit_of_work(actor) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))  # few facts are read faster all together: what counts is that there is an index
        before = session.execute(_READ).scalar() or 0
        act(session, actor, case)
        return session.execute(_READ).scalar_one() - before


def proved(session, actor, case):
    assert [*projections.differences(session, case)] == []


def rebuilt_anew(session, actor, case):
    assert [*rebuilt.differences(session, case)] == []


def reasoned(session, actor, case):
    for one in whys.of_case(session, actor, case).items:
        whys.of_act(session, actor, case, one.instance_id, one.seq)


ACTS = {
    "what she agreed to": lambda session, actor, case: agreements.of_case(session, actor, case),
    "a note": lambda session, actor, case: case_notes.write(session, actor, case, "Rappeler lundi", "C", key="la même"),
    "why": reasoned,
    "who was made one with whom": lambda session, actor, case: mergers.listed(session, actor),
    "the proof of its rows": proved,
    "its rows told anew": rebuilt_anew,
}  # fmt: skip


@pytest.mark.parametrize("name", ACTS)
def test_more_cases_of_others_are_nothing_more_to_read(lived, name):
    before, after = lived
    assert after[name] <= before[name] + 40, (before, after)
