"""What was not foreseen, begun from a case's page by who may, with one form: it runs beside the case's road and does to it what its diagram says."""

import datetime as dt

import pytest
from sqlalchemy import text

from engine import clock, doctor, errors
from engine.actors import users
from engine.casework import cases, diagrams, editions, exceptions
from engine.dossier import holidays, programmes
from engine.insight import casefile
from forms import answers
from tests import world as worlds
from web import sentences
from web.formatting import Words


def one(world, statement, **values):
    with world.database.reading(users.system()) as session:
        return session.execute(text(statement), values).one()


def dues(world, case_id):
    with world.database.reading(users.system()) as session:
        return dict(session.execute(text("SELECT node, due_at FROM open_task WHERE root_id = :id"), {"id": case_id}).all())


def suspend(world, case, **said):
    today = world.today()
    return world.begins(case, "suspension", world.agent("OTE", "MED", "referent"), suspension__motif="maladie", suspension__depuis_le=today.isoformat(), suspension__dit_le=today.isoformat(),
                        suspension__revue_le="@+60o", suspension__justificatif=None, **said)  # fmt: skip


def test_clocks_stand_still_are_listed_and_go_on_where_they_were(world, case):
    before = {node: due for node, due in dues(world, case).items() if due}
    started = world.today()
    suspend(world, case)
    assert {node for node, due in dues(world, case).items() if due} == {"T991"}, "what runs beside the road keeps its clock"
    page = world.beside(case, world.agent("OTE", "MED", "chef_antenne"))
    assert page.suspended_at is not None and len(page.clocks) >= len(before)
    assert "suspension" not in {offer.process for offer in page.offers}, "one at a time"
    world.passes(days=40)
    with world.database.owner() as connection:  # whoever would have been told, a post or somebody by name
        assert connection.execute(text("SELECT count(*) FROM notice WHERE code LIKE 'task.%late'")).scalar() == 0, "nothing rings"
    world.does(case, "T202")  # somebody works on all the same: what that opens rings only once the case goes on
    world.passes(days=10)
    world.does(case, "T991", suspension__suite="reprendre")
    after = dues(world, case)
    stood = {node: after[node] - due for node, due in before.items() if node in after}
    length, head = (world.today() - started).days, world.agent("OTE", "MED", "chef_antenne")
    with world.database.reading(head) as session:
        open_days, lines = programmes.dated(session).calendar, cases.history(session, head, case).items
    assert stood and all(length <= round(one.total_seconds() / 86400) <= length + 5 for one in stood.values())
    assert all(open_days.is_open(clock.today(after[node])) for node in stood), "no due date falls on a closed day"
    said = next(line for line in lines if line.kind == "clocks.started")
    assert sentences.happened(Words("fr"), said, {}) == f"Les délais du dossier reprennent, repoussés de {length} jours."
    page = world.beside(case, world.agent("OTE", "MED", "chef_antenne"))
    assert page.suspended_at is None and page.running == () and page.clocks == ()
    assert "T202" in world.done(case)


def test_a_suspension_nobody_ends_is_over_by_itself(world, case):
    suspend(world, case)
    world.does(case, "T991", suspension__suite="prolonger", suspension__prolongee_au="@+150o")
    assert "T991" in world.nodes(case)
    world.passes(days=182)
    assert "T991" not in world.nodes(case)
    assert world.beside(case, world.agent("OTE", "MED", "referent")).suspended_at is None


COMPLAINT = {"reclamation__objet": "delai", "reclamation__recit": "J'attends depuis un mois."}


def test_a_complaint_is_answered_by_the_head_and_read_by_nobody_else(world, case):
    desk = world.agent("OTE", "MED", "agent_accueil")
    for _ in range(2):  # two at once are two
        world.begins(case, "reclamation", desk, reclamation__vise_chef=False, **COMPLAINT)
    assert world.nodes(case).count("T942") == 2
    world.does(case, "T942", reclamation__fondee="oui", reclamation__reponse="Un rendez-vous est fixé.")
    world.does(case, "T942", reclamation__fondee="non", reclamation__reponse="Le délai est respecté.")
    answers = {fact.value for fact in world.file(case).known if fact.field == "reclamation.reponse"}
    assert answers == {"Un rendez-vous est fixé.", "Le délai est respecté."}, "each keeps its own answer"
    assert not {fact.field for fact in world.file(case, desk).known} & {"reclamation.recit", "reclamation.reponse"}, "who took it down does not read it again"
    letters = {letter["template"] for letter in world.file(case).letters}
    assert {"accuse_reclamation", "reponse_reclamation"} <= letters
    assert world.incidents() == []


def test_a_complaint_about_the_head_goes_to_the_coordinator(world, case):
    world.begins(case, "reclamation", world.agent("OTE", "MED", "referent"), reclamation__vise_chef=True, **COMPLAINT)
    assert [row.role for row in world.open_tasks(case) if row.node == "T943"] == ["coordinateur"]
    world.begins(case, "reclamation", world.agent("OTE", "MED", "referent"), reclamation__vise_chef=False, **COMPLAINT)
    world.passes(days=40)
    assert world.nodes(case).count("T943") == 2, "a head who does not answer is answered for"


def test_only_who_may_begins_and_the_same_click_twice_is_one(world, case):
    adviser, referent = world.agent("ANETI", "MED", "conseiller_emploi"), world.agent("OTE", "MED", "referent")
    assert {offer.process for offer in world.beside(case, adviser).offers}.isdisjoint({"transfert", "suspension", "reclamation"})
    with pytest.raises(errors.Forbidden), world.database.unit_of_work(adviser) as session:
        exceptions.ask(session, adviser, case, "transfert")
    with pytest.raises(errors.Invalid), world.database.unit_of_work(referent) as session:
        exceptions.begin(session, referent, case, "transfert", {})
    with world.database.unit_of_work(referent) as session:
        raw = worlds.answers.to(exceptions.ask(session, referent, case, "reclamation").form, {f.replace("__", "."): v for f, v in COMPLAINT.items()}, world.today(), referent, session)
        first = exceptions.begin(session, referent, case, "reclamation", raw, "one click")
    with world.database.unit_of_work(referent) as session:
        again = exceptions.begin(session, referent, case, "reclamation", raw, "one click")
    assert again.is_repeat and again.instance_id == first.instance_id
    assert len(world.beside(case, referent).running) == 1


def root(world, case):
    return one(world, "SELECT status, outcome FROM instance WHERE instance_id = :id", id=case)


def test_a_withdrawal_can_be_taken_back_for_ten_days_and_closes_the_case_after_them(world, case):
    referent = world.agent("OTE", "MED", "referent")
    for changes_her_mind in (True, False):
        world.begins(case, "desistement", referent, desistement__portee="dossier")
        world.does(case, "T921", desistement__maintenu=True, desistement__retractation_expliquee=True)
        if changes_her_mind:
            world.does(case, "T922")
            assert world.beside(case, referent).running == ()
    world.passes(days=8)
    assert root(world, case).status == "open"
    world.passes(days=4)
    assert root(world, case) == ("ended", "desistement") and world.nodes(case) == []
    assert world.facts("cloture.motif") == {"cloture.motif": "desistement"}


def test_whoever_comes_back_within_the_year_goes_on_in_the_same_case_and_is_asked_only_what_is_stale(world, case):
    test_a_withdrawal_can_be_taken_back_for_ten_days_and_closes_the_case_after_them(world, case)
    desk = world.agent("OTE", "MED", "agent_accueil")
    offers = {offer.process for offer in world.beside(case, desk).offers}
    assert "reouverture" in offers and "transfert" not in offers
    with pytest.raises(errors.Conflict), world.database.unit_of_work(desk) as session:
        exceptions.ask(session, desk, case, "transfert")
    world.passes(days=60)
    world.begins(case, "reouverture", desk, reouverture__nouveau_retour=False)
    assert root(world, case) == ("open", "") and {"T201", "T202", "T203"} <= set(world.nodes(case))
    assert "T101" not in world.nodes(case)
    for node in ("T201", "T202", "T203"):
        world.does(case, node)
    assert world.incidents() == []


def test_after_a_fraud_a_coordinator_decides_whether_the_case_is_opened_again(world, case):
    desk = world.agent("OTE", "MED", "agent_accueil")
    world.begins(case, "fraude", world.agent("OTE", "MED", "chef_antenne"), fraude__piece=None)
    for node in ("T971", "T972"):
        world.does(case, node)
    world.does(case, "T973", fraude__decision="cloture")
    assert root(world, case) == ("ended", "fraude_etablie")
    known = world.facts("person.")
    for decision, left in (("refuser", ("ended", "fraude_etablie")), ("rouvrir", ("open", ""))):
        world.begins(case, "reouverture", desk, reouverture__nouveau_retour=True)
        assert world.nodes(case) == ["T986"] and [row.role for row in world.open_tasks(case)] == ["coordinateur"], "nothing begins again before it is decided"
        world.does(case, "T986", reouverture__decision=decision)
        assert root(world, case) == left
    assert {"T201", "T202", "T203"} <= set(world.nodes(case)) and "T101" not in world.nodes(case) and world.facts("person.") == known
    assert world.beside(case, desk).suspended_at is None and one(world, "SELECT payments_held FROM instance WHERE instance_id = :id", id=case).payments_held is False
    for node in ("T201", "T202", "T203"):
        world.does(case, node)
    assert world.incidents() == []


def test_an_appeal_is_examined_by_somebody_who_did_not_decide(world):
    refused = world.receive(world.somebody("emploi", 2, person__nationalite=["FR"]))
    for node in ("T101", "T102"):
        world.does(refused, node)
    decided_by = world.agent("OTE", "MED", "chef_antenne")
    world.does(refused, "T107", by=decided_by)
    assert root(world, refused).status == "ended"
    world.begins(refused, "recours", world.agent("OTE", "MED", "agent_accueil"), recours__decision_visee="aide", recours__niveau3=True, recours__piece=None, recours__souhaite_audition=True)
    examined = next(row for row in world.open_tasks(refused) if row.node == "T932")
    assert one(world, "SELECT masar_did_before(:task, :user) AS did", task=examined.task_id, user=decided_by.user_id).did == "T107", "kept apart across the whole case"
    coordinators = [who for who in world.staff.values() if "coordinateur" in who.roles]
    world.does(refused, "T932", by=coordinators[0])
    with pytest.raises(errors.Forbidden, match="kept_apart"):
        world.does(refused, "T933", by=coordinators[0])
    world.does(refused, "T933", by=coordinators[1])
    world.does(refused, "T934", recours__issue="reforme")
    world.does(refused, "T935")
    assert {"accuse_recours", "reponse_recours"} <= {letter["template"] for letter in world.file(refused).letters}
    assert world.incidents() == []


@pytest.mark.parametrize(("wish", "is_highest"), [("social", False), ("creation", True)])
def test_of_an_appeal_about_an_aid_nobody_is_asked_what_masar_told_the_person(world, wish, is_highest):
    """When it was notified, and its level, which says whether the committee is heard."""
    asked_of, desk = world.receive(world.somebody(wish)), world.agent("OTE", "MED", "agent_accueil")
    world.reaches("T606")
    notified = world.facts("aide.notifie_le")["aide.notifie_le"]
    with world.database.unit_of_work(desk) as session:
        form = exceptions.ask(session, desk, asked_of, "recours").form
    asked = {of: answers.asked(form, {"recours.decision_visee": of}) for of in ("aide", "admission")}
    assert not {"recours.notifie_le", "recours.niveau3", "recours.mesure"} & asked["aide"] and "recours.notifie_le" in asked["admission"]
    world.begins(asked_of, "recours", desk, recours__decision_visee="aide", recours__piece=None)
    said = world.facts("recours.")
    assert (said["recours.notifie_le"], said["recours.niveau3"]) == (notified, is_highest)
    world.does(asked_of, "T932")
    assert ("T933" in world.nodes(asked_of)) is is_highest and world.incidents() == []


def test_a_coordinator_who_decided_examines_no_appeal_against_it(world, case):
    """Not only of aids: of a suspected fraud, of an orientation that two agencies refused, of a case that is not opened again."""
    decided_by, other = sorted((who for who in world.staff.values() if "coordinateur" in who.roles), key=lambda who: who.name)[:2]
    world.begins(case, "fraude", world.agent("OTE", "MED", "chef_antenne"), fraude__piece=None)
    for node in ("T971", "T972"):
        world.does(case, node)
    world.does(case, "T973", by=decided_by, fraude__decision="sans_suite")
    world.begins(case, "recours", world.agent("OTE", "MED", "agent_accueil"), recours__niveau3=False, recours__piece=None)
    with pytest.raises(errors.Forbidden, match="kept_apart"):
        world.does(case, "T932", by=decided_by)
    world.does(case, "T932", by=other)
    with pytest.raises(errors.Forbidden, match="kept_apart"):
        world.does(case, "T934", by=decided_by, recours__issue="maintien")
    examining = {one.node: set(one.distinct) for one in bpmn_tasks(world) if one.process == "recours" and one.role == "coordinateur"}
    deciding = {one.node for one in bpmn_tasks(world) if one.role == "coordinateur" and one.node in ("T973", "T979", "T986")}
    assert len(deciding) == 3 and all(deciding <= apart for apart in examining.values())
    assert world.incidents() == []


def bpmn_tasks(world):
    with world.database.reading(users.system()) as session:
        return editions.current(session).definitions.tasks


def test_a_death_stops_everything_and_the_case_is_closed(world, case):
    world.begins(case, "deces_redepart", world.agent("OTE", "MED", "referent"), sortie__evenement="deces", sortie__preuve=None)
    world.does(case, "T961")
    assert root(world, case) == ("ended", "deces") and world.nodes(case) == []


def test_three_appointments_missed_suspend_and_silence_closes(world, case):
    desk, today = world.agent("OTE", "MED", "agent_accueil"), world.today().isoformat()
    world.begins(case, "absence", desk, absence__rdv_le=today, absence__cause="agent")
    world.does(case, "T981")
    world.begins(case, "absence", desk, absence__rdv_le=today, absence__cause="personne")
    world.does(case, "T981")
    world.begins(case, "absence", desk, absence__rdv_le=today, absence__cause="personne")
    world.does(case, "T982", absence__jointe=False)
    world.begins(case, "absence", desk, absence__rdv_le=today, absence__cause="personne")
    assert "T984" in world.nodes(case) and world.beside(case, desk).suspended_at is not None
    world.passes(days=63)
    if "T985" in world.nodes(case):
        world.does(case, "T985", absence__retrouvee=False)
    assert root(world, case) == ("ended", "perdu_de_vue")


def test_the_interview_is_on_a_day_and_at_an_hour_at_which_the_branch_is_open(world):
    case_id, today = world.receive(world.somebody("emploi")), world.today()
    for node in ("T101", "T102", "T104"):
        world.does(case_id, node)
    saturday = today + dt.timedelta(days=7 + (5 - today.weekday()) % 7)
    with pytest.raises(errors.Invalid, match="rdv_le"):
        world.does(case_id, "T106", accueil__rdv_le=f"{saturday.isoformat()}T09:30:00+01:00")
    tuesday = saturday + dt.timedelta(days=3)
    for hour in ("03:00", "07:45", "17:00", "23:30"):
        with pytest.raises(errors.Invalid, match="rdv_le"):
            world.does(case_id, "T106", accueil__rdv_le=f"{tuesday}T{hour}:00+01:00")
    with world.database.owner() as connection:
        connection.execute(text("UPDATE parameter SET value = CAST(:value AS jsonb) WHERE code = 'seance_unique'"), {"value": f'[{{"du": "{tuesday:%m-%d}", "au": "{tuesday:%m-%d}"}}]'})
    with pytest.raises(errors.Invalid, match="rdv_le"):
        world.does(case_id, "T106", accueil__rdv_le=f"{tuesday}T14:30:00+01:00")
    world.does(case_id, "T106", accueil__rdv_le=f"{tuesday}T13:30:00+01:00")


def test_no_new_date_is_given_for_a_day_on_which_the_branch_is_closed(world, case):
    desk, administrator = world.agent("OTE", "MED", "agent_accueil"), next(one for one in world.staff.values() if "administrateur" in one.roles)
    today = world.today()
    saturday = today + dt.timedelta(days=7 + (5 - today.weekday()) % 7)
    monday = saturday + dt.timedelta(days=2)
    with world.database.unit_of_work(administrator) as session:
        holidays.set_holiday(session, administrator, monday, {"fr": "Aïd", "ar": "العيد", "en": "Eid"}, True, "Annonce officielle")
    world.begins(case, "absence", desk, absence__rdv_le=world.today().isoformat(), absence__cause="agent")
    for closed in (saturday, monday):
        with pytest.raises(errors.Invalid):
            world.does(case, "T981", absence__nouvelle_date=closed.isoformat())
    world.does(case, "T981", absence__nouvelle_date=(monday + dt.timedelta(days=1)).isoformat())


def test_the_review_of_a_suspension_lies_ahead(world, case):
    referent, today = world.agent("OTE", "MED", "referent"), world.today()
    said = {"suspension__motif": "maladie", "suspension__depuis_le": today.isoformat(), "suspension__justificatif": None}
    with pytest.raises(errors.Invalid):
        world.begins(case, "suspension", referent, suspension__revue_le=today.isoformat(), **said)
    world.begins(case, "suspension", referent, suspension__revue_le="@+1o", **said)


def test_a_suspected_fraud_holds_what_is_to_be_paid_and_is_decided_by_another(world, case):
    head = world.agent("OTE", "MED", "chef_antenne")
    world.begins(case, "fraude", head, fraude__piece=None)
    _is_no_partners(world, case)
    for node in ("T971", "T972"):
        world.does(case, node)
    world.does(case, "T973", fraude__decision="sans_suite")
    assert root(world, case).status == "open" and world.beside(case, head).running == ()


def test_a_suspicion_nobody_decides_holds_nothing_after_thirty_days(world, case):
    head = world.agent("OTE", "MED", "chef_antenne")
    world.begins(case, "fraude", head, fraude__piece=None)
    world.does(case, "T971")
    world.passes(days=33)
    with world.database.reading(users.system()) as session:
        passed = session.execute(text("""SELECT count(*) FROM ledger_line l JOIN instance i USING (instance_id)
                                          WHERE i.root_id = :id AND l.kind = 'operation.done' AND l.line::jsonb -> 'body' ->> 'operation' = 'liberer_versements'"""), {"id": case}).scalar_one()
    assert passed == 1 and "T972" in world.nodes(case), "the hold is lifted once; the matter goes on"


def _is_no_partners(world, case):
    """Whoever was entrusted with the case is not told that a fraud is looked into: it may be hers."""
    operator = next(one for one in world.staff.values() if one.agency == "PART" and "operateur" in one.roles)
    statement = "UPDATE instance SET assigned = CAST(:whom AS uuid[]), is_shared_operator = :agreed WHERE instance_id = :id"
    was = one(world, "SELECT assigned, is_shared_operator FROM instance WHERE instance_id = :id", id=case)
    for whom, agreed, told in (([operator.user_id], True, True), (was.assigned, was.is_shared_operator, False)):
        with world.database.owner() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.execute(text(statement), {"whom": whom, "agreed": agreed, "id": case})
        if told:
            page = world.beside(case, operator)
            assert page.running == () == page.offers
            with world.database.reading(users.system()) as session:
                files = {whom: casefile.make(session, users.system(), case, whom).content.decode() for whom in ("PART", "tribunal")}
            assert "fraude" not in files["PART"] and "fraude" in files["tribunal"], "no file tells her either"


def test_an_emergency_is_begun_by_any_officer_and_by_the_screening(world, case):
    adviser = world.agent("ANETI", "MED", "conseiller_emploi")
    assert {offer.process for offer in world.beside(case, adviser).offers} == {"urgence_sociale", "absence"}
    world.begins(case, "urgence_sociale", world.agent("OTE", "MED", "agent_accueil"))
    assert "T901" in world.nodes(case)
    other = world.receive(world.somebody("social", 3, depistage__sans_abri_ce_soir=True))
    for node in ("T101", "T102", "T104"):
        world.does(other, node)
    assert "T901" in world.nodes(other) and [one.process for one in world.beside(other, adviser).running] == ["urgence_sociale"]


def test_a_request_on_data_is_answered(world, case):
    world.begins(case, "droits", world.agent("OTE", "MED", "referent"), droits__type="rectification")
    world.does(case, "T951", droits__identite_verifiee=True)
    world.does(case, "T953", droits__suite="faite")
    assert "reponse_droits" in {letter["template"] for letter in world.file(case).letters}


def test_what_code_sends_is_told_in_a_line_as_what_diagrams_send_is(world, case):
    """Orders, what a signal hears, an aid that is over: the doctor counts messages against lines."""
    head = world.agent("OTE", "MED", "chef_antenne")
    world.begins(case, "suspension", head)
    row = one(world, "SELECT count(*) AS sent FROM message WHERE name LIKE 'ordre.%'")
    faults = {(fault.code, fault.about) for fault in doctor.examine(world.database).faults if fault.code.startswith("message.")}
    assert row.sent and faults == set()


def test_what_follows_a_later_edition_than_its_case_is_drawn_as_that_one_has_it(world, case):
    later = worlds.bare_files()
    later["processes/fraude.bpmn"] = later["processes/fraude.bpmn"].replace(b"T971", b"T971_autrement")
    with world.database.unit_of_work(users.system()) as session:
        edition_id = editions.keep(session, later, clock.now(session), None, "later").edition_id
    with world.database.owner() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(text("INSERT INTO edition_start (edition_id, starts_at) VALUES (:id, masar_now())"), {"id": edition_id})
    head = world.agent("OTE", "MED", "chef_antenne")
    world.begins(case, "fraude", head, fraude__piece=None)
    with world.database.reading(head) as session:
        drawings = diagrams.of_case(session, diagrams.edition_of(session, head, case), cases.file(session, head, case), "fr")
        drawn = next(one for one in drawings if one.process == "fraude")
        assert drawn.here == ("T971_autrement",) and b'id="T971_autrement"' in diagrams.xml(session, head, case, "fraude", drawn.edition_id)
        assert b'id="T971"' in diagrams.xml(session, head, case, "fraude"), "the case's own is another"
