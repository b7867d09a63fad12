"""Walk-through A (domain.md §4.14): 27, Zarzis, expelled from Germany by charter on 12 March; class 1; a pizzeria; 16 000 TND in 60/30/10; closed with his goals reached."""

import datetime as dt
import json

from sqlalchemy import text

from engine.actors import users
from engine.casework import cases, repairs
from engine.demo import stories
from engine.ledger import proving
from tests import world as worlds


def test_from_the_desk_in_medenine_to_the_signed_closure(tunisia, staff, on_the_day):
    walid = stories.pizzeria_of_zarzis(dt.date(2026, 11, 24))
    on_the_day(walid.arrives_on)
    world = worlds.World(tunisia)

    # The desk opens one case; what it waits for is said with a name, a lane and a date.
    case_id = world.receive(walid.truth)
    staff.people[case_id] = walid
    first = world.desk(world.agent("OTE", role="agent_accueil")).items
    assert [(row.node, row.agency, row.branch) for row in first] == [("T101", "OTE", "MED")]
    world.does(case_id, "T101")
    world.does(case_id, "T102")
    file = world.file(case_id)
    assert file.receipt_code, "a receipt is handed over the same day"
    assert file.person == "Walid Ben Romdhane"
    world.does(case_id, "T104")
    world.does(case_id, "T106")

    # One joint interview in place of three: each agency finds its own part.
    assert world.nodes(case_id) == ["T201", "T202", "T203"]
    assert {(row.node, row.agency) for row in world.open_tasks(case_id)} == {("T201", "OTE"), ("T202", "CPS"), ("T203", "ANETI")}
    for node in ("T203", "T202", "T201"):
        world.does(case_id, node)

    # From here everybody does their work in their own time.
    day = walid.arrives_on
    while world.file(case_id).ended_at is None and day < walid.arrives_on + dt.timedelta(days=1100):
        day += dt.timedelta(days=30)
        staff.until(worlds.clock_at(day))
    assert staff.refused == [] and world.incidents() == []
    file = world.file(case_id)
    assert file.ended_at is not None and file.state == "CLOS" and file.waiting == ()

    done = _done(tunisia)
    assert {"T502", "T504", "T505", "T506", "T603", "T605", "T606", "T651", "T654", "T655", "T610", "T507", "T508", "T510", "T802", "T804"} <= {name[:4] for name in done}
    assert "T107" not in done and "T602" not in done

    # The committee granted what was asked; three instalments, ordered by somebody else than who prepared them.
    with tunisia.reading(users.system()) as session:
        paid = session.execute(text("SELECT value FROM fact WHERE field = 'aide.versement_montant' ORDER BY fact_id")).scalars().all()
        hands = session.execute(text("SELECT node, done_by FROM task_done WHERE node IN ('T607', 'T608')")).all()
        motive = session.execute(text("SELECT value FROM fact WHERE field = 'cloture.motif' AND is_current")).scalar_one()
        fund = session.execute(text("SELECT engaged_millimes, paid_millimes FROM fund WHERE programme = 'TOUNESNA-EU'")).one()
    assert paid == [9_600_000, 4_800_000, 1_600_000]
    assert not {row.done_by for row in hands if row.node == "T607"} & {row.done_by for row in hands if row.node == "T608"}
    assert tuple(fund) == (0, 16_000_000)
    assert motive == "objectifs_atteints"


def test_no_question_is_put_twice(tunisia, staff, on_the_day):
    """Every fact he gave is asked once; only answers good for one act (a visit, a decision) come back."""
    walid = stories.pizzeria_of_zarzis(dt.date(2026, 11, 24))
    on_the_day(walid.arrives_on)
    case_id = staff.receive(walid)
    staff.until(worlds.clock_at(walid.arrives_on + dt.timedelta(days=120)))
    world = worlds.World(tunisia)
    with tunisia.reading(users.system()) as session:
        asked = session.execute(text("SELECT field, subject, count(*) AS times FROM fact WHERE root_id = :id AND valid_until IS NULL AND source ->> 'kind' = 'person' GROUP BY 1, 2"), {"id": case_id}).all()
        again = session.execute(text("SELECT count(*) FROM fact f WHERE f.root_id = :id AND f.field LIKE 'person.%' AND NOT f.is_current"), {"id": case_id}).scalar_one()
    assert len(asked) > 40
    assert [row.field for row in asked if row.times > 1] == []
    assert again == 0
    assert world.file(case_id).person


def test_the_ledger_tells_it_all_and_is_whole(tunisia, staff, on_the_day):
    walid = stories.pizzeria_of_zarzis(dt.date(2026, 11, 24))
    on_the_day(walid.arrives_on)
    case_id = staff.receive(walid)
    staff.until(worlds.clock_at(walid.arrives_on + dt.timedelta(days=90)))
    assert proving.prove(tunisia, users.system()).wrong == []
    with tunisia.reading(users.system()) as session:
        lines = session.execute(text("SELECT line FROM ledger_line")).scalars().all()
    personal = ["Walid", "Romdhane", "رمضان", walid.truth["person.cin"], walid.truth["person.tel"]]
    assert [one for one in personal if any(one in line for line in lines)] == []
    reader = worlds.World(tunisia).agent("OTE", role="chef_antenne")
    with tunisia.reading(reader) as session:
        history, stands = cases.history(session, reader, case_id, limit=200), repairs.places(session, reader, case_id)
    assert "projet_attente_decision" in {one.node for one in stands} and all(one.name != one.node for one in stands), "where he stands is said in words, also at what bears no name"
    turns = [why for one in history.items for why in one.why]
    decided = {why["decision"] for why in turns if "decision" in why}
    assert {"D0", "D1", "D3", "D4", "D4a"} <= decided
    assert all(json.loads(line)["actor"] for line in lines)


def _done(database):
    with database.reading(users.system()) as session:
        return set(session.execute(text("SELECT node FROM task_done WHERE outcome = 'completed'")).scalars())
