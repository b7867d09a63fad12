"""The demonstration as a visitor finds it: played to a Sunday night in August, when branches close early and nobody is at work."""

import datetime as dt
from collections import Counter

import pytest
from sqlalchemy import text

from engine import clock, jobs
from engine.actors import users
from engine.casework.rows import STAGE_ORDER
from engine.demo import play, stories
from engine.insight import equity, steering, waits
from engine.ledger import proving
from tests import world as worlds
from tests.stories import counted_anew

SUNDAY_NIGHT = dt.datetime(2026, 8, 16, 2, 0, tzinfo=dt.UTC)
# An auditor reads, an administrator keeps accounts.
WITHOUT_A_DESK = {"auditeur", "administrateur"}


@pytest.fixture(scope="module")
def visited(make_database):
    """The world, who played it, and which shares of the playing were told on the way."""
    database = make_database(worlds.furnish)
    told: list[float] = []
    player = play.load(database, SUNDAY_NIGHT, told.append)
    return worlds.World(database), player, told


def rows(world, asked):
    with world.database.reading(users.system()) as session:
        return session.execute(text(asked)).all()


def test_it_was_played_without_a_refusal_or_an_incident_and_stands_where_it_was_to_end(visited):
    world, player, told = visited
    assert player.refused == [] and world.incidents() == []
    with world.database.reading(users.system()) as session:
        assert abs(clock.now(session) - SUNDAY_NIGHT) < dt.timedelta(minutes=10)
    assert proving.prove(world.database, users.system()).wrong == []
    assert told == sorted(told) and told[0] == 0 and told[-1] == 1, "somebody who waits sees how far it is"


def test_every_branch_has_a_case_at_every_stage(visited):
    world, *_ = visited
    found = Counter((row.branch, row.stage) for row in rows(world, "SELECT branch, stage FROM instance WHERE process = 'parcours' AND root_id = instance_id"))
    assert {(branch, stage) for branch in stories.BRANCHES for stage in STAGE_ORDER} <= found.keys()
    assert 50 <= sum(found.values()) <= 75


def test_people_act_while_their_branch_is_open(visited):
    world, player, _ = visited
    done = rows(world, "SELECT node, done_at FROM task_done WHERE done_by IS NOT NULL UNION ALL SELECT 'receive', opened_at FROM instance WHERE process = 'parcours' AND parent_id IS NULL")
    assert len(done) > 800
    assert [row for row in done if player.calendar.open_from(row.done_at) != row.done_at] == []
    hours = Counter(row.done_at.astimezone(clock.TUNIS).hour for row in done)
    assert len([hour for hour, times in hours.items() if times > len(done) / 50]) >= 6, "all day long, not all at eight o'clock"


def test_nobody_does_two_things_at_once(visited):
    world, *_ = visited
    apart = rows(world, """SELECT done_by, done_at - lag(done_at) OVER (PARTITION BY done_by ORDER BY done_at) AS since FROM task_done WHERE done_by IS NOT NULL""")
    assert [row for row in apart if row.since is not None and row.since < dt.timedelta(minutes=5)] == []


def test_every_role_has_something_on_its_desk_and_most_is_in_time(visited):
    world, *_ = visited
    desks = {}
    for actor in world.staff.values():
        for row in world.desk(actor, "queue", limit=200).items + world.desk(actor, "mine", limit=200).items:
            desks.setdefault(row.role, {})[row.task_id] = row.is_late
    held = {role for actor in world.staff.values() for role in actor.roles} - WITHOUT_A_DESK
    assert desks.keys() == held, held - desks.keys()
    late = [is_late for desk in desks.values() for is_late in desk.values()]
    assert 2 <= sum(late) <= len(late) / 3, Counter(late)


def test_the_pizzeria_of_zarzis_has_reached_its_goals(visited):
    world, player, _ = visited
    case_id = next(case_id for case_id, person in player.people.items() if person.name == "Walid Ben Romdhane")
    file = world.file(case_id)
    assert file.state == "CLOS" and file.ended_at
    assert {"T607", "T608", "T609", "T610", "T702", "T801", "T802", "T804"} <= world.done(case_id)
    reason = rows(world, f"SELECT value FROM fact WHERE root_id = '{case_id}' AND field = 'cloture.motif' AND is_current")
    assert [row.value for row in reason] == ["objectifs_atteints"]


@pytest.mark.parametrize(("days", "branch", "programme"), [(30, "", ""), (90, "", ""), (365, "", ""), (365, "MED", ""), (365, "", "TOUNESNA-EU"), (90, "", "TOUNESNA-EU")])
def test_each_indicator_and_the_cases_behind_it_are_what_the_ledger_tells(visited, days, branch, programme):
    world, *_ = visited
    with world.database.unit_of_work(users.system()) as session:
        jobs.seal(session)
    actor = world.agent("OTE", "TUN", "coordinateur")
    with world.database.reading(actor) as session:
        asked = steering.window(session, actor, branch, days, programme)
        found = {one.code: one for one in steering.indicators(session, actor, asked)}
        behind = {code: {case.case_id: case.value for case in steering.cases(session, actor, asked, code).items} for code in found}
    now, then = (counted_anew.indicators(world.database, *span, branch, programme) for span in ((asked.first, asked.last), (asked.before, asked.first)))
    for code, one in found.items():
        assert (one.value, one.before) == (approx(counted_anew.figure(code, now[code])), approx(counted_anew.figure(code, then[code]))), code
        assert behind[code] == approx({root: counted_anew.of_a_case(code, rows) for root, rows in now[code].items()}) and one.cases == len(behind[code]), code
    if programme:
        return
    aside = {one.name: one.value for one in found["b7"].aside}
    assert aside.get("to_payment") == approx(counted_anew.to_payment(world.database, asked.first, asked.last, branch))
    assert days < 365 or branch or (all(now[code] for code in found) and aside["to_payment"]), "each has cases in a year"


def test_a_programme_has_the_cases_with_a_dossier_in_it_and_what_waits_in_them(visited):
    """Stock, flow, lateness, waits and where cases stand, counted by statements of their own."""
    world, *_ = visited
    with world.database.unit_of_work(users.system()) as session:
        jobs.seal(session)
    of = """WITH mine AS (SELECT i.root_id, i.instance_id FROM instance i JOIN fact f ON f.subject = i.subject AND f.field = 'aide.programme' AND f.is_current WHERE i.process = 'dossier_aide' AND f.value = '"TOUNESNA-EU"'),
               within AS (SELECT i.instance_id FROM instance i WHERE i.root_id IN (SELECT root_id FROM mine) AND (i.process <> 'dossier_aide' OR i.instance_id IN (SELECT instance_id FROM mine)))"""
    stages = rows(world, f"{of} SELECT branch, stage, count(*) AS number FROM instance WHERE instance_id IN (SELECT root_id FROM mine) AND ended_at IS NULL GROUP BY 1, 2")
    begun = rows(world, f"{of} SELECT to_char(opened_at AT TIME ZONE 'Africa/Tunis', 'YYYY-MM') AS month, count(*) AS number FROM instance WHERE instance_id IN (SELECT root_id FROM mine) GROUP BY 1")
    tasks = rows(world, f"{of} SELECT agency, count(*) AS open, count(*) FILTER (WHERE due_at < masar_now()) AS late FROM open_task WHERE instance_id IN (SELECT instance_id FROM within) GROUP BY 1")
    stood = rows(world, f"""{of} SELECT node, count(*) AS number FROM passage WHERE kind = 'task' AND instance_id IN (SELECT instance_id FROM within) AND coalesce(closed_at, 'infinity') > masar_now() - interval '365 days' GROUP BY 1""")
    actor = world.agent("OTE", "TUN", "coordinateur")
    with world.database.reading(actor) as session:
        asked, everything = (steering.window(session, actor, "", 365, one) for one in ("TOUNESNA-EU", ""))
        stock, flow, late, awaited = steering.stock(session, actor, asked), steering.flow(session, actor, asked), waits.late(session, actor, asked), waits.awaited(session, actor, asked)
        where = {one.code: one.times for one in waits.holding(session, actor, asked, steering.numbers(session, actor, asked)).where}
        listed, whole = waits.behind(session, actor, asked)[0], waits.late(session, actor, everything)
        money = steering.programmes(session, actor, asked)
    assert {(branch, stage): number for branch, found in stock.items() for stage, number in found.items() if stage != "all"} == {(row.branch, row.stage): row.number for row in stages} and stages
    assert {month: opened for month, opened, _ in flow if opened} == {row.month: row.number for row in begun if row.month >= flow[0][0]}
    assert {one.agency: (one.open, one.late) for one in late.by_agency} == {row.agency: (row.open, row.late) for row in tasks} and 0 < late.open < whole.open
    drawn = {row.node: row.number for row in stood}
    assert where.keys() & drawn.keys() and all(where[node] == drawn[node] for node in where.keys() & drawn.keys()) and not where.keys() & {node for node in drawn if node not in where}
    assert sum(one.times for one in awaited) == len(listed) and {one.programme for one in listed} <= {"", "TOUNESNA-EU"} and [one["programme"] for one in money] == ["TOUNESNA-EU"]


def test_who_was_granted_is_what_the_files_tell(visited):
    world, *_ = visited
    said = {(row.subject, row.field): row.value for row in rows(world, "SELECT subject, field, value FROM fact WHERE is_current AND field IN ('person.sexe', 'person.lit_ecrit', 'aide.decision')")}
    files = rows(world, """SELECT i.subject, r.branch, r.person_id, r.instance_id, (SELECT max(f.recorded_at) FROM fact f WHERE f.subject = i.subject AND f.field = 'aide.decision') AS at, (SELECT f.value #>> '{}' FROM fact f
        WHERE f.root_id = r.instance_id AND f.field = 'retour.type' AND f.is_current) AS kind FROM instance i JOIN instance r ON r.instance_id = i.root_id WHERE i.process = 'dossier_aide'""")
    actor = world.agent("OTE", "TUN", "coordinateur")
    with world.database.reading(actor) as session:
        asked = steering.window(session, actor, "", 365)
        found = equity.counted(session, actor, asked)
        shown = equity.checks(session, actor, asked)
    granted = {}
    for row in files:
        decision = said.get((row.subject, "aide.decision"))
        if decision in ("accorde", "sous_reserve", "refuse") and asked.first <= row.at < asked.last:
            granted[row.instance_id, row.person_id, row.branch, row.kind] = granted.get((row.instance_id, row.person_id, row.branch, row.kind), False) or decision != "refuse"
    for by, group in (("sex", lambda key: said.get((f"person:{key[1]}", "person.sexe"))), ("reads", lambda key: said.get((f"person:{key[1]}", "person.lit_ecrit"))), ("branch", lambda key: key[2]), ("kind", lambda key: key[3])):
        expected = Counter((group(key) or "", was) for key, was in granted.items())
        assert {code: (one.decided, one.granted) for code, one in found[by].items()} == {code: (expected[code, True] + expected[code, False], expected[code, True]) for code in {code for code, _ in expected}}, by
    assert sum(one.decided for one in found["age"].values()) == len(granted) > 5 and any(one.days for one in found["sex"].values())
    assert all(one.decided is None or min(one.decided, one.granted or 5, one.decided - one.granted or 5) >= 5 for check in shown for one in check.parts)


def approx(value):
    return None if value is None else pytest.approx(value, abs=1e-6)
