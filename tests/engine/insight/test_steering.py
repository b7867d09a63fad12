"""The indicators against a history made by hand, through the verbs that people use; each figure was computed on paper (the days beside the acts)."""

import datetime as dt
import io
import itertools
import json
import re
from dataclasses import replace

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from engine import clock, errors, jobs
from engine.actors import users
from engine.casework import tasks
from engine.insight import halfyear, halfyear_papers, masking, steering, waits
from forms import dictionary
from tests import world as worlds

COORDINATOR = "coordination"


def head(world, branch):
    return next(name for name, one in world.staff.items() if "chef_antenne" in one.roles and one.branch == branch)


@pytest.fixture(scope="module")
def lived(make_database):
    """Two cases of MED, begun the same morning. The first comes to a decision and its money; the second is withdrawn."""
    database = make_database(worlds.furnish)
    world = worlds.World(database)
    with database.reading(users.system()) as session:
        now = clock.now(session)
    monday = world.today() + dt.timedelta(days=7 - world.today().weekday())
    world.passes(seconds=(worlds.clock_at(monday) - now).total_seconds())
    return _live(world)


def _live(world):
    somebody = world.somebody("social", 1)
    case = world.receive(somebody | {"plan.mesures": somebody["plan.mesures"][:1]})
    other = world.receive(world.somebody("emploi", 2))
    for root in (case, other):
        for node in ("T101", "T102", "T104", "T106"):  # day 0: OTE, at the branch
            world.does(root, node)
    world.says(other, c1=True)  # asked again, and the same answer
    world.passes(days=1)
    claim(world, case, "T202")
    world.passes(hours=2)
    for node in ("T202", "T203", "T201", "T204", "T205", "T206", "T208", "T301"):  # day 1: CPS, ANETI, OTE twice, CPS, OTE twice, CPS
        world.does(case, node)
    world.does(other, "T202")  # CPS
    world.begins(other, "desistement", world.agent("OTE", "MED", "referent"), desistement__portee="dossier")
    world.does(other, "T921", desistement__maintenu=True, desistement__retractation_expliquee=True)  # OTE
    world.passes(days=25)
    for node in ("T303", "T601_N1"):  # day 26
        world.does(case, node)
    world.passes(days=2)
    world.does(case, "T603")
    world.passes(days=3)
    for node in ("T604", "T605", "T606", "T607", "T608", "T609", "T610", "T305"):  # day 31
        world.does(case, node)
    world.passes(days=1)
    sealed(world)
    return world, case, other


def sealed(world):
    """The minute's sealing, which counts what was done until then."""
    with world.database.unit_of_work(users.system()) as session:
        jobs.seal(session)


def claim(world, case, node):
    row = next(one for one in world.open_tasks(case) if one.node == node)
    actor = world.who_does(row)
    with world.database.unit_of_work(actor) as session:
        tasks.claim(session, actor, row.task_id)


def asked(world, username, days=90, branch=""):
    actor = world.staff[username]
    with world.database.reading(actor) as session:
        return {one.code: one for one in steering.indicators(session, actor, steering.window(session, actor, branch, days))}


def answers(world):
    """How many answers of persons the ledger tells of, papers and what counts for one act only aside."""
    with world.database.owner() as connection:
        lines = connection.execute(text("SELECT f.value ->> 'field' AS field FROM ledger_line l, jsonb_array_elements(l.line::jsonb #> '{body,facts}') f WHERE f.value ->> 'source' = 'person'")).scalars()
        fields = dictionary.load(worlds.FORMS / "dictionary").fields
        own = [fields[one] for one in lines]
    return sum(one.type not in ("doc", "list") and one.validity != "P0D" and one.computed is None and one.subject != "member" for one in own)


def aside(one):
    return {found.name: found.value for found in one.aside}


def behind(world, username, code):
    actor = world.staff[username]
    with world.database.reading(actor) as session:
        return {one.case_id: one.value for one in steering.cases(session, actor, steering.window(session, actor), code).items}


def test_each_indicator_is_what_was_computed_by_hand(lived):
    world, case, other = lived
    found = asked(world, COORDINATOR)
    figures = {code: one.value for code, one in found.items()}
    hours = 26 + 120  # T203 waits from the morning of day 0 to 10:30 on day 1, T603 and T604 from day 26 to day 31; all else was in somebody's hands
    withdrawn = 11 * 24 + 14.5  # from 9:30 on day 0 to the midnight that ends the tenth day after day 1: T203 waits throughout
    assert figures == pytest.approx({
        "b1": 100 / answers(world), "b2": (5 + 2) / 2,  # PJ01 and PJ02 of each; PJ13, PJ17 and a quotation of the first; the inquiry's report is the CPS's own
        "b3": 4, "b4": 2, "b5": 31 + 2 / 24, "b6": 100 * (hours + withdrawn) / (32 * 24 + 2 + withdrawn), "b7": 5, "b8": 100,
        "b9": ((2 + 22 / 2) * 12 + 5 * 8 + 3 * 12 + 2 * 8) / 2, "b10": 0, "b11": 100 * 28 / 29, "b12": 50,
    }, abs=0.01)  # fmt: skip
    assert found["b4"].cases == 1 and found["b7"].tenth == pytest.approx(5, abs=0.01)
    assert aside(found["b4"]) == {"ping_pong": 1} and aside(found["b11"]) == {"receipts": 100} and aside(found["b2"])["held"] == 2
    waited = aside(found["b6"])  # ANETI: T203 of both; CPS, at the same time: T202 of both, from day 0 to day 1; OTE: T603 and T604
    assert waited == pytest.approx({"ANETI": 100 * (26 + withdrawn) / (32 * 24 + 2 + withdrawn), "OTE": 100 * 120 / (32 * 24 + 2 + withdrawn), "CPS": 100 * (24 + 26) / (32 * 24 + 2 + withdrawn)}, abs=0.01)
    assert aside(found["b9"])["per_hundred"] == pytest.approx(100 * 248 / 600, abs=0.01)  # 600 dinars were paid
    assert all(one.before is None and one.trend == "" for one in found.values())


def test_the_time_to_a_first_service_is_told_by_how_vulnerable_the_person_was_found(lived, monkeypatch):
    world, case, other = lived
    assert [(one.name, one.value, one.cases) for one in asked(world, COORDINATOR)["b5"].by_class] == [("2", None, None)], "of so few nobody is told how vulnerable they are, within OTE neither"
    monkeypatch.setattr(masking, "FEWEST", 1)
    (found,) = asked(world, COORDINATOR)["b5"].by_class
    assert (found.name, found.value, found.tenth, found.cases) == ("2", pytest.approx(31 + 2 / 24, abs=0.01), pytest.approx(31 + 2 / 24, abs=0.01), 1)


def test_the_cases_behind_a_figure_say_what_each_adds_to_it(lived):
    world, case, other = lived
    assert behind(world, COORDINATOR, "b9") == pytest.approx({case: 196, other: 52}, abs=0.01)
    assert list(behind(world, COORDINATOR, "b12").items())[0] == (other, 100) and list(behind(world, COORDINATOR, "b11")) == [case, other]  # T303 was late
    assert behind(world, COORDINATOR, "b4") == {other: 2} and next(iter(behind(world, COORDINATOR, "b1"))) == other


def test_the_period_before_is_what_a_figure_is_compared_with(lived):
    world, case, other = lived
    actor = world.staff[COORDINATOR]
    with world.database.reading(actor) as session:
        asked_for = steering.window(session, actor, "", 30)
        now = {one.code: one for one in steering.indicators(session, actor, asked_for)}
        numbers = steering.numbers(session, actor, asked_for)
        holding, awaited = waits.holding(session, actor, asked_for, numbers), waits.awaited(session, actor, asked_for)
    assert numbers == {"stock": 1, "stock_before": 2, "opened": 0, "opened_before": 2, "ended": 1, "ended_before": 0, "worked": 2, "worked_before": 2, "kept": 0, "kept_opened": 0}
    assert (now["b3"].value, now["b3"].before, now["b3"].trend) == (4, None, "")
    assert now["b11"].value == pytest.approx(100 * 10 / 11) and now["b11"].before == 100 and now["b11"].trend == "worse"  # since day 2: T303 late, of eleven
    held = {one.code: one for one in holding.who}
    assert held["OTE"].days == pytest.approx(5 + 10 * 2 + 13.5 / 24 * 2 - 2 * 2 / 24, abs=3) and held["OTE"].per_case == held["OTE"].days / 2 and awaited == []
    assert sum(one.days for one in holding.where) == pytest.approx(sum(one.days for one in holding.who)) and set(holding.heat) >= {one.code for one in holding.where}


def test_a_head_sees_her_branch_and_nobody_else_any(lived):
    world, case, other = lived
    assert asked(world, head(world, "SFX"))["b9"].cases == 0 and behind(world, head(world, "SFX"), "b9") == {}
    assert asked(world, head(world, "MED"), branch="SFX")["b9"].cases == 2, "a branch that is not hers is not taken for hers"
    social = asked(world, next(name for name, one in world.staff.items() if "chef_cps" in one.roles and one.branch == "MED"))
    assert all((one.value, one.before, one.cases, one.aside, one.is_masked) == (None, None, 0, (), True) for one in social.values()), "fewer than five, outside OTE"
    assert all((group.value, group.cases) == (None, None) for one in social.values() for group in one.by_branch)
    agent = world.agent("OTE", "MED", "referent")
    with world.database.reading(agent) as session:
        with pytest.raises(errors.Forbidden):
            steering.window(session, agent)
        assert session.execute(text("SELECT count(*) FROM passage")).scalar() == 0
        assert session.execute(text("SELECT count(*) FROM asked")).scalar() == 0
    sfax = world.staff[head(world, "SFX")]
    with world.database.reading(sfax) as session:
        assert session.execute(text("SELECT count(*) FROM passage p WHERE NOT EXISTS (SELECT FROM instance i WHERE i.instance_id = p.instance_id)")).scalar() == 0
        assert session.execute(text("SELECT count(*) FROM asked")).scalar() == 0


def test_passages_are_what_the_ledger_tells(lived):
    world, case, _ = lived
    columns = "instance_id, kind, position, node, name, opened_at, due_at, held_at, claimed_at, closed_at, outcome, closed_seq, way"
    with world.database.owner() as connection:
        before = connection.execute(text(f"SELECT {columns} FROM passage ORDER BY 1, 2, 3")).all()
        connection.execute(text("DELETE FROM passage"))
        connection.execute(text("SELECT masar_note_passages(instance_id, seq, kind, line) FROM (SELECT * FROM ledger_line ORDER BY instance_id, seq) l"))
        assert connection.execute(text(f"SELECT {columns} FROM passage ORDER BY 1, 2, 3")).all() == before and len(before) > 60
        connection.rollback()


def test_what_was_asked_is_what_facts_and_ledger_tell(lived):
    """Told line by line as it was sealed, and told anew from the first line on."""
    world, case, _ = lived
    for said in (True, False):  # the second is another answer, while the first is valid
        world.says(case, c6=said)
    sealed(world)
    kept = text("SELECT instance_id, seq, at, asks, again, corrected, given, given_held FROM asked ORDER BY at, seq")
    with world.database.owner() as connection:
        before = connection.execute(kept).all()
        connection.execute(text("DELETE FROM asked"))
        connection.execute(text("UPDATE passage_told SET asked_upto = 0"))
    sealed(world)
    with world.database.owner() as connection:
        assert connection.execute(kept).all() == before and sum(row.asks for row in before) == answers(world)
    assert (before[-1].asks, before[-1].again, before[-1].corrected) == (1, 0, 1) and sum(row.given for row in before) == 7 and sum(row.given_held for row in before) == 2


def test_what_a_head_of_another_agency_is_shown_tells_of_no_four_cases(lived):
    world, *_ = lived
    social = next(one for one in world.staff.values() if "chef_cps" in one.roles and one.branch == "MED")
    with world.database.reading(social) as session:
        asked_for = steering.window(session, social)
        numbers, stock, flow = steering.numbers(session, social, asked_for), steering.stock(session, social, asked_for), steering.flow(session, social, asked_for)
        left = steering.stages_left(session, social, asked_for)
    assert numbers["stock"] == 1 and {steering.shown(social, numbers)[one] for one in ("stock", "opened", "ended")} == {None}
    assert {number for stages in stock.values() for number in stages.values()} == {None} and {number for _, *both in flow for number in both} == {0, None}
    assert all(number in (0, None) for _, entered, gone, _ in left for number in (entered, gone))
    with world.database.reading(world.staff[COORDINATOR]) as session:
        assert steering.stock(session, world.staff[COORDINATOR], asked_for) == {"MED": {"accompagnement": 1, "all": 1}}


def reported(world):
    with world.database.unit_of_work(users.system()) as session:
        jobs.report(session)


def half_of(at):
    return at.year, 1 if at.month <= 6 else 2


def test_the_report_of_a_half_year_names_nobody_and_shows_no_small_cell(lived):
    world, case, _ = lived
    actor = world.staff[COORDINATOR]
    with world.database.owner() as connection:
        half = half_of(connection.execute(text("SELECT opened_at FROM instance WHERE instance_id = :id"), {"id": case}).scalar_one())
    with world.database.unit_of_work(users.system()) as session, pytest.raises(errors.NotFound):
        halfyear.make(session, *half_of(clock.now(session)))  # it is not over: from day to day it would tell of single persons
    world.passes(days=200)
    reported(world)
    with world.database.reading(actor) as session:
        assert half in halfyear.halves(session, actor)
        made = halfyear.report(session, actor, *half)
        book = load_workbook(io.BytesIO(halfyear_papers.sheet(session, actor, *half)))
        content, _ = halfyear_papers.paper(session, actor, *half)
    blocks = {one.code: one for one in made.blocks}
    assert blocks["country"].total is None and all(row.persons is None for block in made.blocks for row in block.rows), "two persons are fewer than five"
    assert blocks["country"].rows and blocks["sex"].rows and all(one.value is None for one in made.indicators if one.is_masked) and next(one for one in made.indicators if one.code == "b11").is_masked
    head, *indicators = book.worksheets[1].iter_rows(values_only=True)
    targets = {row[0].split()[0]: row[head.index("Cible")] for row in indicators}
    assert targets == {one.code.upper(): one.target for one in made.indicators} and targets["B2"] == 5, "what is aimed at stands beside what was reached, as on the paper"
    book.worksheets[1].delete_cols(head.index("Cible") + 1)
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None]
    assert len(book.worksheets) == 3 and "masqué" in cells and not any(isinstance(cell, str) and cell.startswith("=") for cell in cells)
    assert not any(isinstance(cell, int) for cell in cells) and not re.search(r"\[\"web\.|\d 500|null", json.dumps(content))
    assert "Équité" in json.dumps(content, ensure_ascii=False) and not re.search(r"\[[a-z_.]+\]", json.dumps(content)), "no sentence waits for a word it was not given"


def test_what_a_label_says_is_text_in_the_sheet_whatever_it_begins_with(lived):
    world, *_ = lived
    rows = [[code, 7, 1000, False] for code in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1")]
    content = {"blocks": [{"code": "granted", "rows": rows, "total": 35, "amount": 5000}], "indicators": [], "masked": []}
    with world.database.owner() as connection:
        connection.execute(text("INSERT INTO halfyear_report (year, half, content, made_at) VALUES (2020, 1, CAST(:content AS jsonb), now())"), {"content": json.dumps(content)})
    with world.database.reading(world.staff[COORDINATOR]) as session:
        book = load_workbook(io.BytesIO(halfyear_papers.sheet(session, world.staff[COORDINATOR], 2020, 1)))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert not any(cell.data_type == "f" for cell in cells) and not any(isinstance(cell.value, str) and cell.value[:1] in "=+-@\t" for cell in cells)
    assert sum("SUM(A1)" in str(cell.value) for cell in cells) == 1


def test_there_is_one_report_of_a_half_year_and_no_other_to_take_from_it(lived):
    """Whoever holds a branch's report and the land's, one reader's and another's, today's and tomorrow's, takes one from the other: they are the same, for ever."""
    world, *_ = lived
    for number in range(30, 35):
        world.receive(world.somebody("social", number))
    sealed(world)
    coordinator = world.staff[COORDINATOR]
    with world.database.reading(coordinator) as session:
        half, asked_for = half_of(clock.now(session)), steering.window(session, coordinator)
        awaited, (by_branch, by_programme) = waits.awaited(session, coordinator, asked_for), waits.apart(session, coordinator, asked_for)
        found, after = waits.behind(session, coordinator, asked_for, "OTE", "T101")
    assert [(one.who, one.node, one.times) for one in awaited] == [("OTE", "T101", 5), ("OTE", "T701", 1)] and [(one.code, one.by_who["OTE"][0]) for one in by_branch] == [("MED", 6)]
    with world.database.reading(social := next(one for one in world.staff.values() if "chef_cps" in one.roles and one.branch == "MED")) as session:
        tasks_of = {one.node: one.times for one in waits.awaited(session, social, asked_for)}
        (of_branch,), _ = waits.apart(session, social, asked_for)
        tardy = waits.late(session, social, asked_for)
        held = waits.holding(session, social, asked_for, steering.numbers(session, social, asked_for))
    assert tasks_of["T701"] is None and (tasks_of["T101"] is None or of_branch.by_who["OTE"] is None), "one case, which six less five would tell"
    assert (tardy.open is None) is (of_branch.by_who["OTE"] is None) is (next(one for one in tardy.by_agency if one.agency == "OTE").open is None), "the same number in three places"
    assert all(one.times is None and one.days is None and one.per_case is None for one in held.where if one.code != "T101") and "T701" not in held.heat, "two cases stood there"
    assert len(found) == 5 and not after and by_programme == [] and all(one.branch == "MED" and one.who == "OTE" for one in found)
    world.passes(days=200)
    reported(world)
    readers = [coordinator, *(world.staff[head(world, branch)] for branch in ("MED", "SFX"))]

    def read():
        found = []
        for actor in readers:
            with world.database.reading(actor) as session:
                found.append(halfyear.report(session, replace(actor, language="fr"), *half))
        return found

    before = read()
    branch = next(one for one in before[0].blocks if one.code == "branch")
    assert [(row.code, row.persons) for row in branch.rows] == [("MED", 5)] and branch.total == 5
    assert before[0] == before[1] == before[2]
    world.passes(days=1)
    with world.database.owner() as connection:  # somebody corrects what was said then, somebody is erased
        connection.execute(text("UPDATE fact SET is_current = false WHERE field IN ('retour.pays', 'person.sexe')"))
    reported(world)
    assert read() == before


def granted(level, programme, decision):
    return {"level": level, "granted": programme, "decision": decision}


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        (granted({"N1": 22, "N3": 7}, {"A": 14, "B": 15}, {"accorde": 27, "sous_reserve": 2, "refuse": 9}), ("decision", "sous_reserve")),  # who was granted, less who was granted without reserve
        ({"level": {"N1": 2, "N2": 30, "N3": 7}, "sector": {"agri": 7}}, ("level", "N1")),  # N3 hidden for N1's sake, and told by the projects
        ({"closed": {"desistement": 2, "perdu_de_vue": 9, "fin": 8}, "b12": 11}, ("closed", "desistement")),  # the share of cases that were left
    ],
)
def test_no_small_cell_of_a_table_can_be_found_by_way_of_another(tables, told):
    share = tables.pop("b12", None)
    indicators = [replace(EMPTY, code="b12", value=100 * share / 100, cases=100)] if share else []
    away = halfyear.hidden({block: {code: (number, None) for code, number in rows.items()} for block, rows in tables.items()}, indicators)
    cells = {(block, code): number for block, rows in tables.items() for code, number in rows.items()}
    assert told in away
    for values in _solutions(tables, cells, away, share):
        if values[told] != cells[told]:
            return
    pytest.fail("what is shown leaves one number only for it")


EMPTY = steering.Indicator("", "percent", 0, None, None, 0, "", None, None, True, None, (), (), ())


def _solutions(tables, cells, away, share):
    """Every way to fill in what is not shown that agrees with all that is, by trial: an attacker who knows how the tables hang together, and that no cell is above 40."""
    blank = [one for one in cells if one in away]

    def agrees(values):
        totals = {block: sum(values[block, code] for code in rows) for block, rows in tables.items()}
        shown = all((block, "total") in away or total == sum(tables[block].values()) for block, total in totals.items())
        linked = "decision" not in tables or totals["granted"] == totals["level"] == values["decision", "accorde"] + values["decision", "sous_reserve"]
        linked = linked and ("sector" not in tables or totals["sector"] == values["level", "N3"])
        left = share is None or "b12" in away or values["closed", "desistement"] + values["closed", "perdu_de_vue"] == share
        return shown and linked and left

    for guess in itertools.product(range(1, 41), repeat=len(blank)):
        values = cells | dict(zip(blank, guess, strict=True))
        if agrees(values):
            yield values


@pytest.mark.parametrize(
    ("counts", "shown"),
    [([9, 5, 7], [9, 5, 7]), ([9, 3, 7], [9, None, None]), ([4, 2, 30], [None, None, 30]), ([1, 2, 6, 30], [None, None, None, 30]), ([3, 0, 50], [None, 0, None]), ([2, 2, 2], [None, None, None])],
)
def test_no_cell_of_fewer_than_five_can_be_found_by_taking_the_others_from_the_total(counts, shown):
    hidden = [*masking.column(dict(enumerate(counts))).values()]
    assert [None if is_hidden else one for one, is_hidden in zip(counts, hidden, strict=True)] == shown
    assert not any(hidden) or (sum(hidden) > 1 and sum(one for one, is_hidden in zip(counts, hidden, strict=True) if is_hidden) >= 5)
