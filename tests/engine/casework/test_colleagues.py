"""People at work: who is away and who stands in, a whole caseload given at once, notes and whom they name. On the case drawn for what is kept apart."""

import datetime as dt
import random

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import users
from engine.casework import case_notes, caseloads, cases, leaves, notices, rebuilt, tasks

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def nobody_away(tempting):
    yield
    with tempting.database.owner() as connection:
        connection.execute(text("DELETE FROM staff_leave"))


def away(world, who, stand_in, by=None, days=3):
    by = by or who
    with world.database.unit_of_work(by) as session:
        return leaves.say(session, by, who.user_id, world.today(), world.today() + days * DAY, stand_in.user_id if stand_in else None)


def to_order(world, prepared_by):
    """A case prepared by somebody, whose ordering Wafa has in hand."""
    case_id = world.receive(process="essai")
    world.does(case_id, "consentir")
    world.does(case_id, "preparer", by=world.staff[prepared_by])
    row = next(one for one in world.open_tasks(case_id) if one.node == "ordonner")
    claim(world, world.staff["wafa"], row.task_id)
    return case_id, row.task_id


def claim(world, actor, task_id):
    with world.database.unit_of_work(actor) as session:
        tasks.claim(session, actor, task_id)


def seen(world, actor, scope="instead"):
    return {one.task_id: one for one in world.desk(actor, scope).items}


def came(world, actor):
    with world.database.reading(actor) as session:
        return [one.code for one in notices.mine(session, actor).items]


def test_a_stand_in_does_what_is_of_her_own_roles_and_never_orders_what_she_prepared(tempting):
    wafa, double = tempting.staff["wafa"], tempting.staff["double"]
    (_, hers), (case_id, other) = to_order(tempting, "double"), to_order(tempting, "sonia")
    with pytest.raises(errors.Conflict, match="task.held"):
        claim(tempting, double, other)
    leave = away(tempting, wafa, double)
    assert "leave.stand_in" in came(tempting, double)
    rows = seen(tempting, double)
    assert (rows[hers].may_claim, rows[hers].kept_apart, rows[other].may_claim) == (False, "Préparer", True)
    for verb, given in ((tasks.claim, ()), (tasks.complete, ({}, None))):
        with pytest.raises(errors.Forbidden, match="task.kept_apart"), tempting.database.unit_of_work(double) as session:
            verb(session, double, hers, *given)
    claim(tempting, double, other)
    assert "task.taken" in came(tempting, wafa), "whoever is away is told what was taken"
    tempting.does(case_id, "ordonner", by=double)
    with tempting.database.reading(double) as session:
        lines = cases.history(session, double, case_id).items
    assert [one.body["instead_of_name"] for one in lines if one.kind == "task.claimed" and one.body.get("instead_of")] == [wafa.name]
    with tempting.database.unit_of_work(wafa) as session:
        leaves.end(session, wafa, leave)
    assert seen(tempting, double) == {}


def test_a_circle_of_absences_is_nobody_and_a_stand_in_away_is_stood_in_for(tempting):
    wafa, double = tempting.staff["wafa"], tempting.staff["double"]
    _, task = to_order(tempting, "sonia")
    away(tempting, wafa, double)
    away(tempting, double, wafa)
    assert seen(tempting, double) == {} == seen(tempting, wafa)
    with pytest.raises(errors.Conflict, match="task.held"):
        claim(tempting, double, task)
    with tempting.database.reading(users.system()) as session:
        assert session.execute(text("SELECT masar_stand_in_of(:id)"), {"id": wafa.user_id}).scalar() is None


def test_who_stands_in_is_who_a_plain_reckoning_finds_whatever_the_absences(tempting):
    """Chains, circles, nobody named: 60 charts of six colleagues."""
    people, today, drawn = [one.user_id for one in tempting.staff.values()][:6], tempting.today(), random.Random(5)

    def follow(away, start):
        at, seen = start, set()
        while at in away:
            seen.add(at)
            if away[at] is None or away[at] in seen:
                return None
            at = away[at]
        return at if at != start else None

    with tempting.database.owner() as connection:
        for _ in range(60):
            away = {one: drawn.choice([None, *(other for other in people if other != one)]) for one in people if drawn.random() < 0.6}
            connection.execute(text("DELETE FROM staff_leave"))
            for one, stand_in in away.items():
                connection.execute(text("""INSERT INTO staff_leave (leave_id, user_id, from_on, until_on, stand_in_id, said_by, said_at)
                                           VALUES (gen_random_uuid(), :one, :today, :today, :other, :one, now())"""), {"one": one, "other": stand_in, "today": today})  # fmt: skip
            found = {one: connection.execute(text("SELECT masar_stand_in_of(:id)"), {"id": one}).scalar() for one in people}
            assert found == {one: follow(away, one) for one in people}, away


def test_who_may_say_it_and_who_may_stand_in(tempting):
    wafa, karim, amel, sonia = (tempting.staff[one] for one in ("wafa", "karim", "amel", "sonia"))
    with pytest.raises(errors.Invalid, match="leave.stand_in"):
        away(tempting, wafa, karim)  # no role in common: standing in gives none
    with pytest.raises(errors.NotFound, match="user.not_found"):
        away(tempting, wafa, None, by=karim)
    with pytest.raises(errors.NotFound, match="user.not_found"):
        away(tempting, amel, None, by=sonia)  # of another agency: her head is the CPS's
    with pytest.raises(errors.Invalid, match="leave.dates"):
        away(tempting, karim, None, days=-1)
    away(tempting, karim, None, by=sonia)
    with pytest.raises(errors.Conflict, match="leave.overlaps"):
        away(tempting, karim, None)


def test_a_caseload_goes_to_a_colleague_case_by_case_with_a_reason(tempting):
    sonia, karim = tempting.staff["sonia"], tempting.staff["karim"]
    with tempting.database.owner() as connection:
        users.create(connection, "karima", "Karima Sassi", "OTE", "MED", ["referent"], "une phrase assez longue", is_demo=True)
    world = type(tempting)(tempting.database)
    karima = world.staff["karima"]
    before = [one.task_id for one in world.open_tasks()]
    world.receive(world.somebody("emploi"))
    held = world.reaches("T201", but=before)
    root = held.root_id
    owner = next(one for one in world.staff.values() if one.user_id == held.holder_id)
    to = karima if owner == karim else karim
    with world.database.unit_of_work(sonia) as session:
        looked = caseloads.preview(session, sonia, owner.user_id, to.user_id, "Départ")
    assert root in {one.case_id for one in looked if one.is_named and not one.code}
    assert next(one for one in world.open_tasks(root) if one.task_id == held.task_id).holder_id == owner.user_id, "a preview changes nothing"
    with pytest.raises(errors.Invalid, match="selection.reason"):
        caseloads.give(world.database, sonia, owner.user_id, to.user_id, " ")
    with pytest.raises(errors.NotFound, match="user.not_found"):
        caseloads.give(world.database, karim if owner != karim else karima, owner.user_id, to.user_id, "Pour rire")
    done = caseloads.give(world.database, sonia, owner.user_id, to.user_id, "Départ")
    assert done and all(not one.code for one in done)
    assert next(one for one in world.open_tasks(root) if one.task_id == held.task_id).holder_id == to.user_id
    assert world.file(root).referent == to.name
    assert "case.given" in came(world, to)
    with world.database.reading(users.system()) as session:
        assert list(rebuilt.differences(session, root)) == [], "the ledger tells who has it"


def test_what_is_given_to_whoever_has_it_already_is_no_news_to_anybody(tempting):
    case_id, task = to_order(tempting, "sonia")
    meriem, wafa = tempting.staff["coordination"], tempting.staff["wafa"]

    def told():
        with tempting.database.reading(meriem) as session:
            return came(tempting, wafa).count("task.given"), [one.kind for one in cases.history(session, meriem, case_id).items]

    before = told()
    with tempting.database.unit_of_work(meriem) as session:
        tasks.pass_to(session, meriem, task, wafa.user_id, "Réunion")
    assert told() == before


def test_a_note_is_read_by_its_class_names_only_who_reads_it_and_is_sealed(tempting):
    karim, amel, nabil, wafa, salma = (tempting.staff[one] for one in ("karim", "amel", "nabil", "wafa", "salma"))
    case_id = tempting.receive(tempting.somebody("emploi"))
    tempting.says(case_id, c1=True)

    def write(actor, said, class_="C", named=()):
        with tempting.database.unit_of_work(actor) as session:
            case_notes.write(session, actor, case_id, said, class_, named)

    def read(actor):
        with tempting.database.reading(actor) as session:
            return [one.text for one in case_notes.of_case(session, actor, case_id).items]

    write(karim, "Attend sa famille, @nabil merci de rappeler.")
    write(amel, "Violences au foyer.", "S")
    write(karim, "Entre nous.", "O")
    assert read(karim) == ["Entre nous.", "Attend sa famille, @nabil merci de rappeler."]
    assert read(nabil) == ["Attend sa famille, @nabil merci de rappeler."]
    assert read(amel) == ["Violences au foyer.", "Attend sa famille, @nabil merci de rappeler."]
    assert "note.mention" in came(tempting, nabil) and "note.mention" not in came(tempting, wafa)
    for code, actor, said, class_, named in (
        ("note.colleague_cannot", amel, "…", "S", [nabil.user_id]), ("note.colleague_cannot", amel, "@karim ?", "S", ()), ("note.nobody", karim, "@ines ?", "C", ()),
        ("note.class", nabil, "…", "S", ()), ("note.empty", karim, "  ", "C", ()),
    ):  # fmt: skip
        with pytest.raises(errors.Invalid, match=code):
            write(actor, said, class_, named)
    tempting.says(case_id, c1=False)
    for one in (nabil, amel, tempting.staff["ines"]):  # without consent the case is not there for another agency, nor are its notes
        with pytest.raises(errors.NotFound, match="case.not_found"):
            read(one)
    with tempting.database.reading(users.system()) as session:
        assert not session.execute(text("SELECT 1 FROM ledger_line WHERE line LIKE '%Violences%'")).first()
        assert not session.execute(text("SELECT 1 FROM notice WHERE details::text LIKE '%famille%'")).first()
        assert list(rebuilt.differences(session, case_id)) == []
