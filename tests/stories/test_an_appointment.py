"""Appointments from the case to what came of them: free hours, the summons, nobody in two places, and absences that count against nobody but whoever was absent."""

import datetime as dt
import re
import threading

import pytest
from sqlalchemy import text

from engine import clock, errors
from engine.actors import users
from engine.casework import agendas, appointments, leaves, letters, notices
from engine.demo import accounts
from engine.dossier import catalogues, holidays, programmes
from engine.settings import Settings
from tests import world as worlds
from tests.web.conftest import Browser
from web.app import create_app


@pytest.fixture(scope="module")
def world(make_database):
    database = make_database(worlds.furnish)
    made = worlds.World(database)
    made.case = made.receive(made.somebody("social"))
    for node in ("T101", "T102"):
        made.does(made.case, node)
    return made


@pytest.fixture(scope="module")
def desk(world):
    return world.agent("OTE", "MED", "agent_accueil")


def offered(world, actor, case_id, **asked):
    """The hours of the next open day: whole, whatever the hour of the test."""
    asked = {"day": world.today() + dt.timedelta(days=1), **asked}
    with world.database.reading(actor) as session:
        return appointments.offer(session, actor, case_id, **asked)


def does(world, actor, act, *said, **more):
    with world.database.unit_of_work(actor) as session:
        done = getattr(appointments, act)(session, actor, *said, **more)
    world.settle()
    return done


def shown(world, actor, appointment_id):
    with world.database.reading(actor) as session:
        return appointments.show(session, actor, appointment_id)


def made(world, desk, agent, number=0, **more):
    hours = offered(world, desk, world.case, agent_id=agent.user_id)
    return does(world, desk, "make", world.case, agent.user_id, hours.slots[number], 30, "antenne", **more)


def test_hours_are_within_the_opening_of_the_branch_and_a_taken_one_is_offered_no_more(world, desk):
    adviser = world.agent("ANETI", "MED", "conseiller_emploi")
    before = offered(world, desk, world.case, agent_id=adviser.user_id)
    assert before.slots and all(one.astimezone(clock.TUNIS).weekday() < 5 and 8 <= one.astimezone(clock.TUNIS).hour < 17 for one in before.slots)
    appointment_id = made(world, desk, adviser, key="once")
    assert made(world, desk, adviser, number=3, key="once") == appointment_id, "a double click makes one"
    after = offered(world, desk, world.case, agent_id=adviser.user_id, day=before.day)
    assert before.slots[0] not in after.slots and before.slots[0] + dt.timedelta(minutes=30) in after.slots
    with world.database.reading(desk) as session:
        letter = letters.read(session, desk, shown(world, desk, appointment_id).letter_id)
    assert letter.template == "rendez_vous" and letter.slip
    told = str(letter.content)
    assert f"{before.slots[0].astimezone(clock.TUNIS):%H:%M}" in told and "بالفرع" in told
    does(world, desk, "cancel", appointment_id, "erreur")


@pytest.mark.parametrize(("begins", "code"), [(dt.timedelta(days=-9), "appointment.past"), (dt.timedelta(hours=11), "appointment.closed")])
def test_no_appointment_in_the_past_or_when_the_branch_is_closed(world, desk, begins, code):
    first = offered(world, desk, world.case, agent_id=desk.user_id).slots[0]
    with pytest.raises(errors.Invalid, match=code):
        does(world, desk, "make", world.case, desk.user_id, first + begins, 30, "antenne")


def test_the_database_refuses_a_second_appointment_at_the_same_hour_whoever_was_first(world, desk):
    other = world.receive(world.somebody("social", 2))
    adviser = world.agent("ANETI", "MED", "conseiller_emploi")
    hour = offered(world, desk, world.case, agent_id=adviser.user_id).slots[4]
    got, barrier = [], threading.Barrier(2)

    def try_it(case_id):
        barrier.wait()
        try:
            got.append(does(world, desk, "make", case_id, adviser.user_id, hour, 30, "antenne"))
        except errors.Conflict as refusal:
            got.append(refusal.code)

    both = [threading.Thread(target=try_it, args=(one,)) for one in (world.case, other)]
    [one.start() for one in both]
    [one.join() for one in both]
    assert sorted(isinstance(one, str) for one in got) == [False, True] and "appointment.agent_taken" in got
    referent = world.agent("OTE", "MED", "referent")
    case_id = shown(world, desk, next(one for one in got if not isinstance(one, str))).case_id
    with pytest.raises(errors.Conflict, match="appointment.person_taken"):
        does(world, desk, "make", case_id, referent.user_id, hour + dt.timedelta(minutes=15), 30, "antenne")


def test_it_is_moved_and_cancelled_with_a_line_each_and_no_more_once_it_is_over(world, desk):
    appointment_id = made(world, desk, desk, 8)
    hour = offered(world, desk, world.case, agent_id=desk.user_id).slots[-1]
    does(world, desk, "move", appointment_id, desk.user_id, hour, 15, "telephone")
    now = shown(world, desk, appointment_id)
    assert (now.begins_at, now.minutes, now.place, now.changes) == (hour, 15, "telephone", 1)
    with pytest.raises(errors.Conflict, match="appointment.not_begun"):
        does(world, desk, "settle", appointment_id, "missed")
    with pytest.raises(errors.Invalid, match="appointment.reason"):
        does(world, desk, "cancel", appointment_id, " ")
    does(world, desk, "cancel", appointment_id, "Elle est en voyage")
    with world.database.reading(desk) as session:
        letter = letters.read(session, desk, shown(world, desk, appointment_id).letter_id)
    told = str(letter.content)
    assert letter.template == "rendez_vous_annule" and letter.slip and f"{hour.astimezone(clock.TUNIS):%H:%M}" in told and "هاتف" in told and "voyage" not in told, "what it was, on paper; why is ours"
    with pytest.raises(errors.Conflict, match="appointment.over"):
        does(world, desk, "move", appointment_id, desk.user_id, hour, 15, "telephone")
    with world.database.reading(users.system()) as session:
        kinds = session.execute(text("SELECT kind FROM ledger_line WHERE instance_id = :id AND kind LIKE 'appointment.%' ORDER BY seq"), {"id": world.case}).scalars().all()
    assert kinds[-3:] == ["appointment.made", "appointment.moved", "appointment.cancelled"]


def test_absences_of_the_administration_are_never_counted_against_the_person(world, desk):
    def missed(outcome, cause=""):
        appointment_id = made(world, desk, desk)
        world.passes(days=7)
        return does(world, desk, "settle", appointment_id, outcome, cause)

    assert missed("attended").next_tasks == ()
    for cause in ("agent", "fermeture", "agent"):
        assert missed("not_held", cause).next_tasks, "another date is set"
        assert "T981" in world.nodes(world.case)
        world.does(world.case, "T981")
    missed("missed")
    assert "T981" in world.nodes(world.case), "the first that counts"
    world.does(world.case, "T981")
    missed("missed")
    assert "T982" in world.nodes(world.case), "the second: called by another way"


def test_from_a_task_it_is_made_and_its_form_filled_and_an_agenda_opens_by_its_address_alone(world, desk):
    case_id = world.receive(world.somebody("emploi", 3))
    for node in ("T101", "T102", "T104"):
        world.does(case_id, node)
    (task,) = [row for row in world.open_tasks(case_id) if row.node == "T106"]
    salma = Browser(create_app(Settings(is_demo=True), world.database))
    salma.sign_in("salma", accounts.password())
    page = salma.get(f"/tasks/{task.task_id}").text
    assert page.count("/appointments/new?task=") == 1 and page.index('name="accueil.rdv_le~hour"') < page.index("/appointments/new?task="), "one way: beside the date it fills"
    salma.get(re.search(r"/cases/[0-9a-f-]{36}/appointments/new\?task=[0-9a-f-]{36}", page)[0], params={"task": str(task.task_id), "day": (world.today() + dt.timedelta(days=3)).isoformat()})
    hour = re.search(r'name="begins_at" id="slot-3" value="([^"]+)"', salma.page.text)[1]
    salma.post(f"/cases/{case_id}/appointments", agent=salma.hidden("agent"), minutes="30", place="telephone", key=salma.hidden("key"), task=str(task.task_id), begins_at=hour)
    assert salma.path == f"/tasks/{task.task_id}", salma.page.text
    local = dt.datetime.fromisoformat(hour).astimezone(clock.TUNIS)
    assert f'value="{local:%H:%M}"' in salma.page.text and re.search(r'value="telephone"[^>]*(?:selected|checked)', salma.page.text), "what was agreed is not typed twice"
    salma.get("/appointments", params={"day": local.date().isoformat(), "span": "day"})
    assert f"{local:%H:%M}" in salma.page.text
    address = re.search(r'value="http://masar.test(/calendar/[^"]+\.ics)"', salma.post("/appointments/calendar", act="make").text)[1]
    feed = Browser(salma.client.app).get(address)
    assert feed.headers["content-type"].startswith("text/calendar") and world.file(case_id).case_number in feed.text and world.file(case_id).person not in feed.text
    with world.database.unit_of_work(desk) as session:
        agendas.take_back(session, desk)
    assert Browser(salma.client.app).get(address).status_code == 404


def test_whoever_was_slower_chooses_among_the_hours_that_are_left_and_loses_nothing(world, desk):
    adviser, other = world.agent("ANETI", "MED", "conseiller_emploi"), world.receive(world.somebody("emploi", 44))
    app = create_app(Settings(is_demo=True), world.database)
    salma, nabil = Browser(app), Browser(app)
    asked = {"agent": str(adviser.user_id), "day": (world.today() + dt.timedelta(days=6)).isoformat(), "minutes": "45", "place": "bureau_emploi"}
    for browser, name, case in ((salma, "salma", world.case), (nabil, "nabil", other)):
        browser.sign_in(name, accounts.password())
        browser.get(f"/cases/{case}/appointments/new", params=asked)
    hours = re.findall(r'name="begins_at" id="slot-\d+" value="([^"]+)"', nabil.page.text)
    made = salma.post(f"/cases/{world.case}/appointments", agent=asked["agent"], minutes="45", place="bureau_emploi", key=salma.hidden("key"), begins_at=hours[4])
    assert salma.path.startswith("/appointments/"), made.text
    late = nabil.post(f"/cases/{other}/appointments", agent=asked["agent"], minutes="45", place="bureau_emploi", key=nabil.hidden("key"), begins_at=hours[4])
    left = re.findall(r'name="begins_at" id="slot-\d+" value="([^"]+)"', late.text)
    assert late.status_code == 409 and "d&#39;être pris à cette heure" in late.text and hours[4] not in left and set(left) < set(hours)
    assert re.search(r'value="45"[^>]*selected', late.text) and re.search(r'value="bureau_emploi"[^>]*selected', late.text)
    nabil.post(f"/cases/{other}/appointments", agent=asked["agent"], minutes="45", place="bureau_emploi", key=nabil.hidden("key"), begins_at=left[0])
    appointment = nabil.path
    assert appointment.startswith("/appointments/")
    again = nabil.post(f"{appointment}/move", csrf=nabil.hidden("csrf"), agent=asked["agent"], minutes="45", place="bureau_emploi", begins_at=hours[4])
    assert again.status_code == 409 and "d&#39;être pris à cette heure" in again.text and nabil.get(appointment).status_code == 200


def test_a_day_that_is_closed_afterwards_is_told_to_whoever_has_an_appointment_then(world, desk):
    """A feast that the moon moves, and hours that a single session shortens: the appointment stands until it is moved, and nobody stands before a closed door unwarned."""
    adviser, zied = world.agent("ANETI", "MED", "conseiller_emploi"), next(one for one in world.staff.values() if "administrateur" in one.roles)
    names = {language: "Aïd" for language in ("fr", "ar", "en")}
    day = offered(world, desk, world.case, agent_id=adviser.user_id, day=world.today() + dt.timedelta(days=20)).day
    hour = offered(world, desk, world.case, agent_id=adviser.user_id, day=day).slots[-1]
    appointment_id = does(world, desk, "make", world.case, adviser.user_id, hour, 30, "antenne")

    def told():
        with world.database.reading(adviser) as session:
            return [one.case_id for one in notices.mine(session, adviser).items if one.code == "appointment.closed"]

    def decides(verb, *said):
        with world.database.unit_of_work(zied) as session:
            return verb(session, zied, *said, "Annonce officielle")

    assert decides(holidays.set_holiday, day + dt.timedelta(days=40), names, False) == 0 and told() == [], "another day is nothing to her"
    assert decides(holidays.set_holiday, day, names, True) == 1 and told() == [world.case]
    assert decides(holidays.set_holiday, day, {**names, "fr": "Aïd el-Fitr"}, False) == 0 and len(told()) == 1, "a name is no news"
    assert shown(world, desk, appointment_id).state == "set"
    nabil = Browser(create_app(Settings(is_demo=True), world.database))
    nabil.sign_in("nabil")
    assert "Fermé : à déplacer" in nabil.get(f"/appointments/{appointment_id}").text
    assert decides(holidays.drop_holiday, day) == 0
    assert "Fermé : à déplacer" not in nabil.get(f"/appointments/{appointment_id}").text
    thought = day + dt.timedelta(days=40)
    assert decides(holidays.move_holiday, thought, day, names, False) == 1 and len(told()) == 2, "the moon was seen elsewhere"
    with world.database.reading(zied) as session:
        assert {thought: programmes.calendar_now(session).is_open(thought), day: programmes.calendar_now(session).is_open(day)} == {thought: thought.weekday() < 5, day: False}
    decides(holidays.drop_holiday, day)
    short = [{"du": day.isoformat(), "au": day.isoformat()}]
    assert decides(catalogues.set_parameter, "seance_unique", day - dt.timedelta(days=1), short, "Note", False) == 1 and len(told()) == 3, "the branch closes at two, and hers was at half past four"
    decides(catalogues.take_back, "parameter", "seance_unique", day - dt.timedelta(days=1))
    does(world, desk, "cancel", appointment_id, "erreur")


def test_an_agent_on_leave_is_free_for_nobody_and_what_she_has_then_is_said(world, desk):
    adviser = world.agent("ANETI", "MED", "conseiller_emploi")
    before = offered(world, desk, world.case, agent_id=adviser.user_id)
    hour = before.slots[0]
    appointment_id = does(world, desk, "make", world.case, adviser.user_id, hour, 30, "antenne")
    with world.database.unit_of_work(adviser) as session:
        leave = leaves.say(session, adviser, adviser.user_id, before.day, before.day, None)
    after = offered(world, desk, world.case, agent_id=adviser.user_id, day=before.day)
    assert not set(before.slots) & set(after.slots), "no hour of hers that day"
    with pytest.raises(errors.Conflict, match="appointment.agent_away"):
        does(world, desk, "move", appointment_id, adviser.user_id, before.slots[4], 30, "antenne")
    with world.database.reading(adviser) as session:
        assert [one.to_move for one in leaves.coming(session, adviser)] == [1]
    with world.database.unit_of_work(adviser) as session:
        leaves.end(session, adviser, leave)
    assert set(offered(world, desk, world.case, agent_id=adviser.user_id, day=before.day).slots) >= set(before.slots[2:])
    does(world, desk, "cancel", appointment_id, "fin")


@pytest.mark.parametrize(("agency", "role", "number"), [("CPS", "chef_cps", 7), ("ANETI", "chef_aneti", 11)])
def test_whoever_settles_an_appointment_that_was_missed_begins_what_follows(world, desk, agency, role, number):
    case_id = world.receive(world.somebody("social", number))
    for node in ("T101", "T102"):
        world.does(case_id, node)
    head = world.agent(agency, "MED", role)
    hour = offered(world, head, case_id, agent_id=head.user_id).slots[0]
    appointment_id = does(world, head, "make", case_id, head.user_id, hour, 30, "antenne")
    world.passes(days=7)
    does(world, head, "settle", appointment_id, "missed")
    assert "T981" in world.nodes(case_id)


def test_what_was_to_come_is_called_off_when_the_case_closes_and_whoever_holds_it_is_told(world, desk):
    case_id = world.receive(world.somebody("social", 8))
    for node in ("T101", "T102"):
        world.does(case_id, node)
    adviser = world.agent("ANETI", "MED", "conseiller_emploi")
    day = world.today() + dt.timedelta(days=60)
    hour = offered(world, desk, case_id, agent_id=adviser.user_id, day=day).slots[0]
    appointment_id = does(world, desk, "make", case_id, adviser.user_id, hour, 30, "antenne")
    world.begins(case_id, "deces_redepart", world.agent("OTE", "MED", "referent"), sortie__evenement="deces", sortie__preuve=None)
    while "T961" in world.nodes(case_id):
        world.does(case_id, "T961")
    with world.database.reading(users.system()) as session:
        assert session.execute(text("SELECT status FROM instance WHERE instance_id = :id"), {"id": case_id}).scalar_one() == "ended"
        assert session.execute(text("SELECT state FROM appointment WHERE appointment_id = :id"), {"id": appointment_id}).scalar_one() == "cancelled"
        assert session.execute(text("SELECT count(*) FROM ledger_line WHERE instance_id = :id AND kind = 'appointment.called_off'"), {"id": case_id}).scalar_one() == 1
    with world.database.reading(adviser) as session:
        assert "appointment.called_off" in [one.code for one in notices.mine(session, adviser).items]
        assert hour in appointments.offer(session, adviser, world.case, agent_id=adviser.user_id, day=day).slots, "the hour is free again"


def test_another_branch_and_whoever_audits_make_none(world, desk):
    appointment_id = made(world, desk, desk, 2)
    for actor in (world.agent("OTE", "SFX", "agent_accueil"), world.agent("PART", "MED", "operateur")):
        with pytest.raises(errors.NotFound):
            shown(world, actor, appointment_id)
        with pytest.raises(errors.NotFound):
            does(world, actor, "cancel", appointment_id, "x")
    auditor = world.agent("OTE", "TUN", "auditeur")
    assert not shown(world, auditor, appointment_id).may_write
    with pytest.raises(errors.Forbidden):
        does(world, auditor, "cancel", appointment_id, "x")
    does(world, desk, "cancel", appointment_id, "fin")


def test_the_private_address_of_an_agenda_names_nobody_and_can_be_taken_back(world, desk):
    appointment_id = made(world, desk, desk, 2)
    with world.database.unit_of_work(desk) as session:
        former = agendas.make_address(session, desk)
        secret = agendas.make_address(session, desk)
    language, entries = agendas.read(world.database, secret)
    assert language == desk.language and appointment_id in {one.appointment_id for one in entries}
    assert {name for one in entries for name in vars(one)} == {"appointment_id", "case_number", "branch", "place", "begins_at", "ends_at", "state", "changes", "changed_at"}
    with pytest.raises(errors.NotFound):
        agendas.read(world.database, former)
    with world.database.unit_of_work(desk) as session:
        agendas.take_back(session, desk)
    with pytest.raises(errors.NotFound):
        agendas.read(world.database, secret)
    does(world, desk, "cancel", appointment_id, "fin")


def test_whoever_comes_late_is_not_counted_absent_until_somebody_followed_it(world, desk):
    case_id = world.receive(world.somebody("social", 41))
    for node in ("T101", "T102"):
        world.does(case_id, node)

    def missed():
        """An appointment of tomorrow that nobody came to."""
        hours = offered(world, desk, case_id, agent_id=desk.user_id)
        one = does(world, desk, "make", case_id, desk.user_id, hours.slots[0], 30, "antenne")
        with world.database.reading(desk) as session:
            left = hours.slots[0] - clock.now(session)
        world.passes(seconds=left.total_seconds() + 60)
        does(world, desk, "settle", one, "missed")
        return one

    late = missed()
    assert shown(world, desk, late).may_say_late and "T981" in world.nodes(case_id)
    does(world, desk, "settle", late, "attended")
    assert shown(world, desk, late).state == "attended" and "T981" not in world.nodes(case_id) and world.beside(case_id, desk).running == ()
    with pytest.raises(errors.Conflict, match=r"appointment\.over"):
        does(world, desk, "settle", late, "missed")
    again = missed()
    assert "T981" in world.nodes(case_id), "the first to be counted: a new date, no call yet"
    world.does(case_id, "T981", absence__nouvelle_date=(world.today() + dt.timedelta(days=7)).isoformat())
    assert not shown(world, desk, again).may_say_late
    with pytest.raises(errors.Conflict, match=r"appointment\.followed"):
        does(world, desk, "settle", again, "attended")
