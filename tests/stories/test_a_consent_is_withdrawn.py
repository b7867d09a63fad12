"""A person withdraws what she had agreed to: from the next reading on nobody sees more than she still agrees to, what ran at them is taken back, and what was read before stays written."""

import datetime as dt

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import users
from engine.casework import agreements, appointments, cases, digests, exceptions, holders, rebuilt, search, sittings, tasks
from engine.casework import notices as came
from engine.insight import steering, waits
from engine.ledger import consultations
from tests import world as worlds
from tests.engine.test_the_mornings_email import to_morning, work


@pytest.fixture
def case(world):
    """A case of Médenine, its interview ahead at the three agencies; the social worker has her part in hand."""
    case_id = world.receive(world.somebody("emploi", **{"person__nom_fr": "Retirée", "person__prenom_fr": "Consent"}))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case_id, node)
    return case_id


def row(world, case, node):
    return next(one for one in world.open_tasks(case) if one.node == node)


def read(world, who, verb, *given):
    with world.database.reading(who) as session:
        return verb(session, who, *given)


def withdraws(world, case, *scopes, key="", canal="guichet"):
    desk = world.agent("OTE", "MED", "agent_accueil")
    said = {"consentement.retires": list(scopes), "consentement.retrait_canal": canal, "consentement.retrait_motif": "Je ne veux plus"}
    with world.database.unit_of_work(desk) as session:
        return agreements.withdraw(session, desk, case, said, key)


def nodes(world, who, case, scope):
    return {one.node for one in world.desk(who, scope, case_id=case).items}


def rows_of(world, who, case):
    """Instances of the case that the database shows to somebody."""
    return read(world, who, lambda session, _: list(session.execute(text("SELECT instance_id FROM instance WHERE root_id = :id"), {"id": case}).scalars()))


def notices(world, who):
    with world.database.reading(who) as session:
        return [one.details for one in session.execute(text("SELECT details FROM notice WHERE user_id = :me AND code = 'task.taken_back'"), {"me": who.user_id})]


def refusals(world, who):
    """Open cases that are OTE's alone, and how many of them were opened in the period."""
    actor = world.staff[who]
    with world.database.reading(actor) as session:
        found = steering.numbers(session, actor, steering.window(session, actor))
    return found["kept"], found["kept_opened"]


def told(world, case):
    with world.database.reading(users.system()) as session:
        return {one for part in session.execute(text("SELECT instance_id FROM instance WHERE root_id = :id"), {"id": case}).scalars() for one in rebuilt.differences(session, part)}


def test_what_is_withdrawn_is_closed_at_the_next_reading_and_its_tasks_go_to_the_case_owner(world, case):
    amel, owner = world.staff["amel"], world.owner(case)
    mine = row(world, case, "T202")
    with world.database.unit_of_work(amel) as session:
        tasks.claim(session, amel, mine.task_id)
    assert "Retirée" in read(world, amel, tasks.view, mine.task_id).person and read(world, amel, cases.file, case).known
    stands = read(world, amel, agreements.of_case, case)
    assert {one.code for one in stands.scopes if one.is_given} >= {"c1", "c2", "c3"} and stands.said[0].language and stands.said[0].is_signed and not stands.may_change

    assert withdraws(world, case, "c1", key="once") == ("c1",) and withdraws(world, case, "c1", key="once") == ()
    # Before any job ran: the walls ask the case's own row.
    for verb, given in ((tasks.view, mine.task_id), (cases.file, case), (cases.history, case), (agreements.of_case, case)):
        with pytest.raises(errors.NotFound):
            read(world, amel, verb, given)
    assert not read(world, amel, search.find, "Retirée Consent") and nodes(world, amel, case, "all") == nodes(world, amel, case, "mine") == set()
    for verb, given in ((tasks.release, ()), (tasks.complete, ({}, None))):
        with pytest.raises(errors.NotFound), world.database.unit_of_work(amel) as session:
            verb(session, amel, mine.task_id, *given)

    world.settle()
    assert {"T202", "T203", "T955"} <= nodes(world, owner, case, "queue") | nodes(world, owner, case, "mine")
    assert read(world, owner, tasks.view, mine.task_id).stands_in == "kept"
    assert "task.opened" in [one.code for one in read(world, owner, came.mine).items], "what the diagram opened for him is told"
    assert [one["scope"] for one in notices(world, amel)] == ["c1"], "she is told why it went"
    told_her = next(one for one in read(world, amel, came.mine).items if one.code == "task.taken_back")
    assert told_her.task and told_her.case_number and told_her.case_id is None, "which task, of which number; nothing to open"
    assert "bordereau_papier" in {letter["template"] for letter in world.file(case).letters}
    with world.database.reading(users.system()) as session:
        read_by = {one.agency for one in consultations.read(session, case, 0, 99)}
    assert "CPS" in read_by, "what she read lawfully stays written"
    # The case goes on: the case owner does it in her place, and is nobody's social worker for it.
    world.does(case, "T955")
    world.does(case, "T202")
    world.does(case, "T203")
    with world.database.reading(users.system()) as session:
        assert session.execute(text("SELECT social_worker_id FROM instance WHERE instance_id = :id"), {"id": case}).scalar() in (None, amel.user_id)
    assert world.incidents() == [] and told(world, case) == set()


def test_what_she_withdraws_by_her_receipt_is_closed_at_once_and_the_case_owner_is_told(world, case):
    amel, owner = world.staff["amel"], world.owner(case)
    assert read(world, amel, cases.file, case).known
    holders.withdraw(world.database, case, ["consentement.c1", "consentement.c6"], "", "once", "ar")
    holders.withdraw(world.database, case, ["consentement.c1", "consentement.c6"], "", "once", "ar")  # a second click
    with pytest.raises(errors.NotFound):
        read(world, amel, cases.file, case)
    assert [one.code for one in read(world, owner, came.mine).items].count("consent.withdrawn") == 1 and rows_of(world, amel, case) == []
    world.settle()
    assert {"T202", "T955"} <= nodes(world, owner, case, "queue") | nodes(world, owner, case, "mine") and nodes(world, amel, case, "all") == set()
    hers = holders.page(world.database, case, "ar")
    assert hers.receipt.agency == "OTE", "she is told who does it now, not who did"
    assert [one.name for one in hers.requests] == ["سحب موافقة"] and len(hers.taken_back) == 2, "her page is the proof: what, and since when"
    said = read(world, owner, agreements.of_case, case).said[0]
    assert (said.to, said.withdrawn, said.channel) == ("", ("c1", "c6"), "En ligne")
    with pytest.raises(errors.Refusal), world.database.unit_of_work(users.holder(case)) as session:
        agreements.sign(session, users.holder(case), case, {})  # what she gives, she signs before somebody
    other = world.receive(world.somebody("emploi", 5))
    with pytest.raises(errors.Refusal), world.database.unit_of_work(users.holder(case)) as session:
        agreements.withdraw(session, users.holder(case), other, {"consentement.retires": ["c1"], "consentement.retrait_canal": "en_ligne"}, is_typed=False)
    assert told(world, case) == set() and world.incidents() == []


def test_a_withdrawal_begun_from_the_cases_menu_counts_at_once_too(world, case):
    amel, owner = world.staff["amel"], world.owner(case)
    with world.database.unit_of_work(owner) as session:
        exceptions.begin(session, owner, case, "retrait_consentement", {"consentement.retires": ["c1"], "consentement.retrait_canal": "guichet"}, is_typed=False)
    with pytest.raises(errors.NotFound):
        read(world, amel, cases.file, case)
    world.settle()
    assert nodes(world, amel, case, "all") == set() and "T955" in world.nodes(case) and world.incidents() == [] and told(world, case) == set()


def test_she_signs_anew_and_it_is_theirs_again(world, case):
    amel, desk = world.staff["amel"], world.agent("OTE", "MED", "agent_accueil")
    withdraws(world, case, "c1", "c6")
    world.settle()
    assert nodes(world, amel, case, "queue") == set()
    with pytest.raises(errors.Invalid, match="consent.not_given"):
        withdraws(world, case, "c1")
    with pytest.raises(errors.NotFound), world.database.unit_of_work(world.staff["mourad"]) as session:
        agreements.sign(session, world.staff["mourad"], case, {})
    with world.database.unit_of_work(desk) as session:
        asked = agreements.ask(session, desk, case, "sign")
        raw = worlds.answers.to(asked.form, world.truth[case], world.today(), desk, session)
        agreements.sign(session, desk, case, raw)
    world.settle()
    assert nodes(world, amel, case, "queue") == {"T202"}
    said = read(world, desk, agreements.of_case, case).said
    assert [(one.withdrawn, bool(one.given)) for one in said] == [((), True), (("c1", "c6"), False), ((), True)]
    assert told(world, case) == set()


def test_what_is_kept_from_an_agency_is_not_counted_for_it_in_the_morning(world, case):
    amel = world.staff["amel"]
    with world.database.unit_of_work(amel) as session:
        digests.ask(session, amel, "amel@social.tn")
    assert withdraws(world, case, "c1") == ("c1",)
    world.settle()
    world.passes(days=90)
    to_morning(world.database, 2)
    kept = [one for one in world.open_tasks(case) if one.agency == "CPS" and one.holder_id is None]
    assert kept and not {one.task_id for one in kept} & {one.task_id for one in world.desk(amel).items}, "it waits, for others than her"
    assert work(world.database) == 0, "and nothing else does: no message leaves"


def test_what_somebody_begins_beside_a_case_that_is_kept_is_hers_to_do_and_tells_her_nothing_of_the_case(world, case):
    amel, owner = world.staff["amel"], world.owner(case)
    number = world.file(case).case_number
    withdraws(world, case, "c1")
    world.settle()
    beside = world.begins(case, "urgence_sociale", owner)
    waiting = next(one for one in world.desk(amel, "queue").items if one.node == "T901")
    asked = read(world, amel, tasks.view, waiting.task_id)
    assert asked.person == "" and "complete" in asked.may and world.truth[case]["person.tel"] not in str(asked)
    assert rows_of(world, amel, case) == [beside], "the emergency has its row, the case and what closes it none"
    world.does(case, "T901", by=amel, urgence__avance_necessaire=True, urgence__depense=200_000, urgence__depense_objet="Médicaments")
    advance = next(one for one in world.desk(world.agent("OTE", "MED", "chef_antenne"), "all", case_id=case).items if one.node == "T903")
    assert advance.case_number == number, "what she did goes on under the case's number"
    report = next(one for one in world.desk(amel, "mine").items if one.node == "T902")
    assert "Médicaments" in str(read(world, amel, tasks.view, report.task_id)), "what she wrote there she reads again"
    for node in ("T902", "T903"):
        world.does(case, node)
    assert rows_of(world, amel, case) == [] == list(read(world, amel, search.find, number)) and world.incidents() == [] and told(world, case) == set()


def test_a_request_on_data_withdraws_too(world, case):
    world.begins(case, "droits", world.agent("OTE", "MED", "referent"), droits__type="retrait_consentement")
    world.does(case, "T951", droits__identite_verifiee=True)
    amel = world.staff["amel"]
    recording = row(world, case, "T954")
    assert read(world, amel, cases.file, case).known
    world.complete(recording, world.who_does(recording), world.truth[case] | {"consentement.retires": ["c1", "c3"], "consentement.retrait_motif": "Je ne veux plus"})
    with pytest.raises(errors.NotFound):  # as its form says: at once, no job has run
        read(world, amel, cases.file, case)
    assert rows_of(world, amel, case) == []
    (said,) = [one for one in read(world, world.agent("OTE", "MED", "referent"), agreements.of_case, case).said if one.withdrawn]
    assert (said.withdrawn, said.to) == (("c1", "c3"), world.who_does(recording).name)
    world.settle()
    assert nodes(world, world.staff["amel"], case, "all") == set() and "T955" in world.nodes(case)
    stands = {one.code: one.is_given for one in read(world, world.agent("OTE", "MED", "referent"), agreements.of_case, case).scopes}
    assert (stands["c1"], stands["c2"], stands["c3"]) == (False, True, False)
    assert told(world, case) == set()


def test_without_c2_the_aid_that_its_funder_must_know_is_over_and_without_c3_the_operator_has_the_case_no_more(world):
    case = world.receive(world.somebody("social", 2, retour__pays="FR"))
    world.answers(world.reaches("T603"), aide__programme="OFII-TN-2025")
    with world.database.reading(users.system()) as session:
        aid = session.execute(text("SELECT instance_id FROM instance WHERE root_id = :id AND subject LIKE 'aide:%' AND status = 'open'"), {"id": case}).scalar_one()
    assert withdraws(world, case, "c2", "c3", canal="appel") == ("c2", "c3")
    world.settle()
    with world.database.reading(users.system()) as session:
        assert session.execute(text("SELECT status, outcome FROM instance WHERE instance_id = :id"), {"id": aid}).one() == ("ended", "consentement_retire")
        assert session.execute(text("SELECT status, assigned FROM instance WHERE instance_id = :id"), {"id": case}).one() == ("open", [])
    assert "T955" in world.nodes(case) and world.incidents() == [] and told(world, case) == set()


def test_who_refuses_to_share_at_reception_leaves_with_a_paper_slip_and_is_counted(world):
    case, before = world.receive(world.somebody("emploi", 6, consentement__c1=False)), refusals(world, "coordination")
    for node in ("T101", "T102"):
        world.does(case, node)
    assert refusals(world, "coordination") == (before[0] + 1, before[1] + 1), "who steers sees it"
    head = next(one for one in world.staff.values() if "chef_cps" in one.roles and one.branch == "MED")
    assert refusals(world, head.username) == (0, 0), "but not those it is kept from"
    with world.database.reading(head) as session:
        assert case not in {one.case_id for one in waits.behind(session, head, steering.window(session, head))[0]}
    assert {"recepisse", "bordereau_papier"} <= {letter["template"] for letter in world.file(case).letters}
    with world.database.reading(users.system()) as session:
        counted = session.execute(text("""SELECT count(*) FROM ledger_line WHERE instance_id = :id AND line::jsonb ->> 'kind' = 'operation.done'
                                           AND line::jsonb #>> '{body,node}' = 'accueil_bordereau'"""), {"id": case}).scalar_one()  # fmt: skip
    assert counted == 1 and told(world, case) == set()


def studied(world, wish="creation", **said):
    """A file that the members of a sitting study, the funder's too; who studies it, by agency."""
    case = world.receive(world.somebody(wish, 4, **said))
    world.answers(world.reaches("T651"), seance__bailleur_convoque=True)
    sitting = world.reaches("T653").root_id
    return case, sitting, {one.agency: one for one in world.open_tasks(sitting) if one.node.startswith("T653")}


def look(world, who, sitting):
    return read(world, who, sittings.show, sitting).files[0]


def test_members_who_may_know_no_more_study_a_file_no_more_and_it_is_decided_by_the_others(world):
    case, sitting, by = studied(world)
    assert set(by) == {"OTE", "CPS", "ANETI", "PART"}
    member = world.who_does(by["CPS"])
    with world.database.unit_of_work(member) as session:
        tasks.claim(session, member, by["CPS"].task_id)
    withdraws(world, case, "c1")
    world.settle()
    assert {one.agency for one in world.open_tasks(sitting) if one.node.startswith("T653")} == {"OTE", "PART"}
    assert "task.set_aside" in [one.code for one in read(world, member, came.mine).items], "who had it in hand is told"
    withdraws(world, case, "c2")
    world.settle()
    assert {one.agency for one in world.open_tasks(sitting) if one.node.startswith("T653")} <= {"OTE"}
    assert world.incidents() == [] and told(world, case) == set() and told(world, sitting) == set()


def test_an_aid_that_ends_is_withdrawn_from_its_sitting_which_says_why(world):
    case, sitting, _ = studied(world)
    head = world.agent("OTE", "MED", "chef_antenne")
    world.begins(case, "deces_redepart", world.agent("OTE", "MED", "referent"), sortie__evenement="deces", sortie__preuve=None)
    while "T961" in world.nodes(case):
        world.does(case, "T961")
    assert not [one for one in world.open_tasks(sitting)] and not read(world, head, sittings.show, sitting).is_open, "nothing is left to decide there"
    file = look(world, head, sitting)
    assert (file.state, file.why) == ("withdrawn", "Décès")
    with world.database.reading(users.system()) as session:
        assert session.execute(text("SELECT outcome FROM instance WHERE instance_id = :id"), {"id": sitting}).scalar_one() == "sans_dossier"
    assert world.incidents() == [] and told(world, case) == set() and told(world, sitting) == set()


def test_nobody_is_expected_by_a_service_that_may_know_no_more_of_her(world, case):
    karim, amel, owner = world.staff["karim"], world.staff["amel"], world.owner(case)
    with world.database.unit_of_work(karim) as session:
        hours = {who.username: appointments.offer(session, karim, case, agent_id=who.user_id, day=world.today() + dt.timedelta(days=days)) for days, who in ((1, karim), (4, amel))}
        made = {name: appointments.make(session, karim, case, world.staff[name].user_id, free.slots[0], 30, "antenne") for name, free in hours.items()}
    withdraws(world, case, "c1")
    world.settle()
    with world.database.reading(users.system()) as session:
        states = dict(session.execute(text("SELECT appointment_id, state FROM appointment")).all())
    assert (states[made["amel"]], states[made["karim"]]) == ("cancelled", "set"), "the social worker's is called off, OTE's stays"
    assert "appointment.withheld" in world.news(amel)[1] and "appointment.instead" in world.news(owner)[1]
    items = [one for one in read(world, amel, came.mine).items if one.code == "appointment.withheld"]
    assert [one.case_id for one in items] == [None], "she is not told of whom"
    assert told(world, case) == set() and world.incidents() == []
