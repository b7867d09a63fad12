"""Aids that do not go straight (domain.md §4.4, §4.7): conditions, missing evidence, an empty fund, an emergency, a sitting without quorum, an objection."""

import datetime as dt

import pytest
from sqlalchemy import text

from engine import clock, errors
from engine.actors import users
from engine.casework import messages
from engine.ledger import access

MEMBERS = [("Sonia Ayari", "OTE", "president"), ("Hedi Zouari", "CPS", "membre"), ("Leila Ghali", "ANETI", "membre")]


def present(*agencies):
    return [{"presence.nom": name, "presence.agence": agency, "presence.qualite": quality} for name, agency, quality in MEMBERS if agency in agencies]


def votes(**cast):
    return [{"vote.agence": agency, "vote.vote": vote} for agency, vote in cast.items()]


def refuses(world, row, **said):
    with pytest.raises(errors.Invalid) as refused:
        world.answers(row, **said)
    return {finding.where.strip("/").partition("/")[0] for finding in refused.value.findings}


def instances(world, process):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT instance_id, status, outcome FROM instance WHERE process = :process ORDER BY opened_at, instance_id"), {"process": process}).all()


def fund(world, programme="TOUNESNA-EU"):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT available_millimes AS available, engaged_millimes AS engaged, paid_millimes AS paid FROM fund WHERE programme = :code"), {"code": programme}).one()


def set_fund(world, millimes, programme="TOUNESNA-EU"):
    """The funder pays in, or the year's money is spent: no task says so, an administrator does."""
    with world.database.owner() as connection:
        connection.execute(text("UPDATE fund SET available_millimes = :amount WHERE programme = :code"), {"amount": millimes, "code": programme})


def letters(world):
    with world.database.reading(users.system()) as session:
        return list(session.execute(text("SELECT template FROM letter ORDER BY produced_at")).scalars())


def test_a_sitting_without_quorum_puts_its_file_off_to_the_next_and_nobody_is_lost(world):
    world.receive(world.somebody("creation"))
    sitting = world.reaches("T654")
    few = {"seance.presence": present("OTE", "ANETI"), "aide.votes": votes(OTE="pour", ANETI="pour")}
    assert refuses(world, sitting, **few, aide__quorum_reuni=True) == {"aide.quorum_reuni"}, "two are no quorum"
    world.answers(sitting, **few, aide__quorum_reuni=False)
    assert world.facts("aide.decision") == {}, "nothing was decided"
    first, second = instances(world, "seance_commission")
    assert {"T651", "T655"} <= {row.node for row in world.open_tasks()}, "the minutes of the one, the notice of the next"
    again = world.reaches("T654")
    assert {row.instance_id for row in instances(world, "seance_commission") if row.status == "open"} == {second.instance_id}
    assert refuses(world, again, aide__quorum_reuni=False) == {"aide.quorum_reuni"}, "nor may it be said to lack when it is there"
    world.answers(again)
    world.reaches("T606")
    with world.database.reading(users.system()) as session:
        signed = set(session.execute(text("SELECT node FROM task_done WHERE instance_id = :id AND node LIKE 'T655%'"), {"id": second.instance_id}).scalars())
    assert signed == {"T655", "T655_CPS", "T655_ANETI"}, "whoever sat signs"
    assert world.facts("aide.decision") == {"aide.decision": "accorde"} and world.incidents() == [] and letters(world).count("proces_verbal") == 2


def test_the_chair_has_the_casting_vote(world):
    world.receive(world.somebody("creation"))
    sitting = world.reaches("T654")
    tied = {"aide.votes": votes(OTE="pour", CPS="contre", ANETI="abstention")}
    assert refuses(world, sitting, **tied, aide__voix_preponderante="contre") == {"aide.decision"}, "the chair said no: it is not granted"
    assert refuses(world, sitting, **{"seance.presence": [one | {"presence.qualite": "president"} for one in present("OTE", "CPS", "ANETI")]}) == {"seance.presence"}, "one alone chairs"
    assert refuses(world, sitting, **{"aide.votes": votes(OTE="contre", CPS="contre", ANETI="pour")}) == {"aide.decision"}
    world.answers(sitting, **tied, aide__voix_preponderante="pour")
    world.reaches("T606")


def test_who_has_a_conflict_of_interest_does_not_vote_and_is_not_counted(world):
    world.receive(world.somebody("creation"))
    world.answers(world.reaches("T653_CPS"), aide__conflit_cps=True)
    sitting = world.reaches("T654")
    assert refuses(world, sitting) == {"aide.votes"}, "CPS declared a conflict: no vote of hers stands"
    recused = votes(OTE="pour", CPS="recusation", ANETI="pour")
    assert refuses(world, sitting, **{"aide.votes": recused}) == {"aide.quorum_reuni"}, "three present, two counted"
    fourth = [*present("OTE", "CPS", "ANETI"), {"presence.nom": "Nadia Fakhfakh", "presence.agence": "OTE", "presence.qualite": "membre"}]
    world.answers(sitting, **{"seance.presence": fourth, "aide.votes": [*recused, {"vote.agence": "OTE", "vote.vote": "pour"}]})
    world.reaches("T606")


def test_a_member_who_leaves_before_the_end_is_not_counted_any_more_and_her_agency_signs_what_she_voted(world):
    for number in (1, 2):
        world.receive(world.somebody("creation", number))
    sitting = world.reaches("T654")
    four = [*present("OTE", "CPS", "ANETI"), {"presence.nom": "Anna Rossi", "presence.agence": "PART", "presence.qualite": "membre"}]
    world.answers(sitting, **{"seance.presence": four, "aide.votes": votes(OTE="pour", CPS="pour", ANETI="pour", PART="pour")})
    assert (after := world.reaches("T654")).root_id == sitting.root_id
    assert refuses(world, after, **{"aide.votes": votes(OTE="pour", CPS="pour", ANETI="absent", PART="absent")}) == {"aide.quorum_reuni"}, "four present, two counted"
    world.answers(after, **{"aide.votes": votes(OTE="pour", CPS="pour", ANETI="pour", PART="absent")})
    world.does(sitting.root_id, "T655")
    assert set(world.nodes(sitting.root_id)) == {"T655_CPS", "T655_ANETI", "T655_PART"} and world.incidents() == []


def test_unanimous_opinions_decide_in_writing_before_the_day_of_the_sitting(world):
    world.receive(world.somebody("social", 3, person__sexe="F", social__besoins_estimation=1_400_000, aide__montant_propose=1_200_000,
                           **{"aide.postes": [{"poste.nature": "loyer", "poste.montant": 1_400_000, "poste.fournisseur": "Bailleur", "poste.bail": "@document"}]}))
    written = world.reaches("T656")
    day = dt.date.fromisoformat(world.facts("seance.date")["seance.date"])
    assert world.today() < day, "no need to wait for the sitting"
    assert refuses(world, written, aide__decision="refuse") == {"aide.decision"}
    world.answers(written)
    world.reaches("T606")
    assert "T654" not in {row.node for row in world.open_tasks()} and world.facts("seance.presence") == {}
    assert world.facts("aide.montant_accorde")["aide.montant_accorde"] == world.facts("aide.montant_propose")["aide.montant_propose"] > 800_000


@pytest.mark.parametrize("lifted", [True, False])
def test_a_grant_under_conditions_waits_until_they_are_lifted(world, lifted):
    world.receive(world.somebody("creation"))
    conditions = [{"reserve.libelle": "Bail enregistré"}]
    world.answers(world.reaches("T654"), aide__decision="sous_reserve", **{"aide.reserves": conditions})
    task = world.reaches("T611")
    with world.database.reading(users.system()) as session:
        opened, due = session.execute(text("SELECT opened_at, due_at FROM open_task WHERE task_id = :id"), {"id": task.task_id}).one()
    assert (clock.today(due) - clock.today(opened)).days == 60
    assert "T606" not in world.nodes()
    world.answers(task, aide__reserves_levees=lifted)
    if lifted:
        world.reaches("T606")
    else:
        (aid,) = instances(world, "dossier_aide")
        assert aid.status == "ended" and "reserves" in aid.outcome and fund(world).engaged == 0


def test_an_instalment_may_be_corrected_downwards_but_never_above_its_share(world):
    world.receive(world.somebody("creation", 1))
    first = world.reaches("T607")
    granted = world.facts("aide.montant_accorde")["aide.montant_accorde"]
    for rank, share in enumerate((60, 30, 10), 1):
        row = first if rank == 1 else world.reaches("T607")
        due = granted * share // 100
        assert world.facts("aide.versement_montant")["aide.versement_montant"] == due
        truth = world.truth[row.root_id]
        with pytest.raises(errors.Invalid) as refused:
            world.complete(row, world.who_does(row), truth, **{"aide.versement_montant": due + 1})
        assert {finding.where for finding in refused.value.findings} == {"/aide.versement_montant"}, "the rest of the grant has its own conditions"
        world.complete(row, world.who_does(row), truth, **{"aide.versement_montant": due - 1_000})
        world.settle()
    world.reaches("T610")
    assert fund(world).paid == granted - 3_000


def test_evidence_missing_for_sixty_days_brings_an_interview_and_what_is_renounced_serves_the_next_in_line(world):
    world.receive(world.somebody("creation", 1))
    world.reaches("T609")
    world.answers(world.reaches("T609"))
    second = world.reaches("T607")
    world.receive(world.somebody("creation", 2))
    contract = world.reaches("T606", but={second.task_id})
    set_fund(world, 0)
    world.answers(contract)
    waits = [row.name for row in waiting(world) if row.name == "fonds.revenus"]
    assert waits == ["fonds.revenus"], "granted, and on the waiting list"
    world.answers(second, aide__extrait_rne=False)
    interview = world.reaches("T612")
    world.answers(interview, aide__suite_entretien="poursuivre", aide__nouveau_delai="@+20o")
    world.answers(world.reaches("T607", 30), aide__extrait_rne=False)
    world.answers(world.reaches("T612"), aide__suite_entretien="renoncer")
    before = fund(world)
    world.answers(world.reaches("T610"), aide__solde_depense=9_600_000)
    # 40 % of the first grant came back: not enough for the second, who goes on waiting, first in line.
    assert fund(world).available == before.available + 6_400_000 and fund(world).engaged == 0
    set_fund(world, 16_000_000)
    world.passes(days=14)
    assert fund(world).engaged == 16_000_000 and [row.name for row in waiting(world) if row.name == "fonds.revenus"] == []
    assert world.incidents() == []


@pytest.mark.parametrize(("opinion", "granted"), [("favorable", 20_000_000), ("defavorable", 16_000_000)])
def test_what_is_above_the_ceiling_goes_through_headquarters_and_the_funder_first(world, opinion, granted):
    case_id = world.receive(world.somebody("creation"))
    examined = world.reaches("T603")
    more = {"aide.montant_propose": {"value": 20_000_000, "reason": "Devis révisés à la hausse"}}
    world.complete(examined, world.who_does(examined), world.truth[case_id], **more)
    world.settle()
    task = world.reaches("T613")
    assert (task.agency, task.branch, task.role) == ("OTE", "TUN", "coordinateur")
    assert instances(world, "seance_commission") == [], "nothing is on an agenda before"
    world.answers(task, aide__avis_bailleur=opinion, aide__avis_bailleur_motif="Crédits de l'année")
    sitting = world.reaches("T654")
    if opinion == "defavorable":
        assert refuses(world, sitting, aide__montant_accorde=16_000_001) == {"aide.montant_accorde"}
    world.answers(sitting, aide__montant_accorde=granted)
    world.reaches("T606")
    assert world.facts("aide.montant_accorde") == {"aide.montant_accorde": granted} and "T656" not in world.done(task.root_id)
    assert world.incidents() == []


def test_a_deferred_project_is_reworked_and_judged_again_on_what_changed(world):
    case_id = world.receive(world.somebody("creation"))
    sitting = world.reaches("T654")
    before = world.facts("projet.note_marche")["projet.note_marche"]
    world.answers(sitting, aide__decision="ajourne", aide__motif_decision="Marché mal étudié")
    rework = world.reaches("T615")
    assert (rework.agency, rework.role) == ("ANETI", "conseiller_entreprendre") and letters(world).count("decision_aide") == 1
    (aid,) = instances(world, "dossier_aide")
    assert aid.status == "open" and fund(world).engaged == 0, "put off, not refused"
    actor = world.who_does(rework)
    mended = {"projet.note_marche": {"value": before + 1, "reason": "Étude de marché refaite"}, "projet.ventes_mensuelles": {"value": 6_500_000, "reason": "Idem"}}
    world.complete(rework, actor, world.truth[case_id], **mended)
    world.settle()
    result = world.facts("projet.resultat_mensuel")["projet.resultat_mensuel"]
    world.reaches("T603")
    first, again = scores(world, aid.instance_id)
    assert float(again) > float(first), "judged again, and better"
    assert result == 6_500_000 - 4_600_000
    world.answers(world.reaches("T654"))
    world.reaches("T606")
    assert len(instances(world, "seance_commission")) == 2 and letters(world).count("decision_aide") == 2
    assert world.facts("aide.decision") == {"aide.decision": "accorde"} and world.incidents() == []


def scores(world, instance_id):
    """What D7 made of a project, each time it was asked."""
    with world.database.reading(users.system()) as session:
        rows = session.execute(text("SELECT seq, person_id, ciphertext FROM ledger_sealed WHERE instance_id = :id ORDER BY seq"), {"id": instance_id}).all()
        opened = [access.open_line(session, instance_id, row.seq, row.person_id, row.ciphertext) for row in rows]
    return [one["outputs"]["score"] for line in opened for one in line.get("why", ()) if one.get("decision") == "D7"]


def waiting(world):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT name, node, correlation, instance_id FROM wait WHERE kind = 'message'")).all()


def test_the_waiting_list_is_served_by_class_then_by_date(world):
    first = world.receive(world.somebody("creation", 1))
    for number, more in ((2, {"aide.date_demande": "@-1"}), (3, {"depistage.aucune_ressource_7j": True, "depistage.enfants_charge_seule": True, "depistage.handicap": True})):
        world.passes(days=1)
        world.receive(world.somebody("creation", number, **more))
    while len(rows := [row for row in world.open_tasks() if row.node == "T606"]) < 3:
        world.reaches("T6", but={row.task_id for row in rows})
        other = next(row for row in world.open_tasks() if row.node != "T606")
        world.complete(other, world.who_does(other), world.truth.get(other.root_id, {}))
        world.settle()
    set_fund(world, 0)
    by_case = {row.root_id: row for row in rows}
    cases = list(world.truth)
    assert cases[0] == first
    for case_id in cases:
        world.answers(by_case[case_id])
    assert fund(world).engaged == 0 and len(in_line(world)) == 3
    served = []
    for _ in range(3):
        set_fund(world, 16_000_000)
        world.passes(days=15)
        left = in_line(world)
        served += [case_id for case_id in cases if case_id not in left and case_id not in served]
    assert served == [cases[2], cases[1], cases[0]], "class 3 first though she came last, then the earlier request"


def in_line(world):
    with world.database.reading(users.system()) as session:
        return set(session.execute(text("SELECT i.root_id FROM wait w JOIN instance i USING (instance_id) WHERE w.name = 'fonds.revenus'")).scalars())


@pytest.mark.parametrize("verdict", ["conforme", "non_conforme"])
def test_an_emergency_advance_is_paid_at_once_by_one_person_and_checked_afterwards_by_another(world, verdict):
    case_id = world.receive(world.somebody("social", 5, depistage__sans_abri_ce_soir=True, urgence__avance_necessaire=True, urgence__depense=120_000, urgence__depense_objet="Une nuit d'hôtel",
                                     aide__montant_propose=280_000, **{"aide.postes": [{"poste.nature": "loyer", "poste.montant": 280_000, "poste.fournisseur": "Bailleur", "poste.bail": "@document"}]}))  # fmt: skip
    alarm = world.reaches("T901")
    assert alarm.agency == "CPS"
    assert refuses(world, alarm, urgence__depense=300_001) == {"urgence.depense"}, "the ceiling is the programme's"
    world.answers(alarm)
    check = world.reaches("T903", 5)
    assert check.agency == "OTE", "paid by the social worker, checked by the head of the branch"
    grant = world.reaches("T617", 14)
    paid_before = fund(world).paid
    assert refuses(world, grant, aide__montant_accorde=300_001) == {"aide.montant_accorde"}
    world.answers(grant)
    # Paid before anybody looked; then the check waits for another person, two working days at most.
    assert fund(world).paid == paid_before + 280_000 and fund(world).engaged == 0
    after = next(row for row in world.open_tasks(case_id) if row.node == "T614")
    assert world.who_does(after).user_id != world.who_does(grant).user_id
    world.answers(after, aide__controle_urgence=verdict, aide__controle_urgence_motif="Reçu absent")
    if verdict == "non_conforme":
        world.answers(world.reaches("T618", 5))
    (aid,) = instances(world, "dossier_aide")
    assert aid.status == "ended" and "avance" in aid.outcome
    assert not {"T604", "T606", "T607", "T608"} & world.done(case_id)
    assert "decision_aide" in letters(world) and world.incidents() == []


AMEN = {"plan.mesures": [{"mesure.type": "M06", "mesure.agence": "CPS", "mesure.debut": "@+3", "mesure.aide_demandee": False}]}


def test_a_refusal_of_amen_is_objected_to_with_a_reminder_on_the_tenth_day(world):
    case_id = world.receive(world.somebody("social", 7, **AMEN))
    world.answers(world.reaches("T306"), mesure__droit_reponse="refuse", mesure__droit_motif="Score au-dessus du seuil")
    assert "T307" in world.nodes(case_id)
    world.passes(days=9)
    assert "rappel_opposition" not in letters(world)
    world.passes(days=1)
    assert letters(world).count("rappel_opposition") == 1
    world.does(case_id, "T307")
    assert "T306" in world.nodes(case_id), "the answer to the objection is awaited"
    world.does(case_id, "T306", mesure__droit_reponse="obtenu")
    assert "T307" not in world.nodes(case_id) and "T305" in world.nodes(case_id)
    assert world.incidents() == []


def test_an_objection_after_fifteen_days_is_not_taken_and_may_be_given_up(world):
    case_id = world.receive(world.somebody("social", 7, **AMEN))
    world.answers(world.reaches("T306"), mesure__droit_reponse="refuse", mesure__droit_motif="Score au-dessus du seuil")
    world.passes(days=16)
    task = next(row for row in world.open_tasks(case_id) if row.node == "T307")
    assert refuses(world, task) == {"mesure.opposition_le"}
    world.answers(task, mesure__opposition_choix="hors_delai")
    assert "T306" not in world.nodes(case_id) and "T305" in world.nodes(case_id)


def test_a_suspected_fraud_stops_what_is_to_be_paid_and_its_lifting_pays_it(world):
    case_id = world.receive(world.somebody("creation"))
    order = world.reaches("T608")
    before, head = fund(world).paid, world.agent("OTE", "MED", "chef_antenne")
    world.begins(case_id, "fraude", head, fraude__piece=None)
    world.answers(order)
    for row in [one for one in world.open_tasks(case_id) if one.node == "T609"]:
        world.answers(row)
    assert fund(world).paid == before and [one.details["error"] for one in world.incidents()] == ["operation.payments_held"], "ordered, and not paid"
    for node in ("T971", "T972"):
        world.does(case_id, node)
    world.does(case_id, "T973", fraude__decision="sans_suite")
    assert world.incidents() == [] and fund(world).paid > before, "paid by itself, once nothing is held"


def test_an_aid_asked_for_while_a_fraud_is_looked_into_is_held_from_its_first_day(world):
    case_id = world.receive(world.somebody("creation"))
    asks = world.reaches("T506")
    world.begins(case_id, "fraude", world.agent("OTE", "MED", "chef_antenne"), fraude__piece=None)
    world.answers(asks)

    def held():
        with world.database.reading(users.system()) as session:
            return [row.payments_held for row in session.execute(text("SELECT payments_held FROM instance WHERE process = 'dossier_aide'"))]

    assert held() == [True]
    for node in ("T971", "T972"):
        world.does(case_id, node)
    world.does(case_id, "T973", fraude__decision="sans_suite")
    assert held() == [False] and world.incidents() == []


def test_one_aid_given_up_ends_that_one_alone(world):
    two = [{"mesure.type": kind, "mesure.agence": "CPS", "mesure.debut": "@+3", "mesure.aide_demandee": True, "mesure.cout_estime": 300_000} for kind in ("M01", "M02")]
    case_id = world.receive(world.somebody("social", **{"plan.mesures": two}))
    while len(found := instances(world, "dossier_aide")) < 2:
        world.answers(world.reaches("T", but=[row.task_id for row in world.open_tasks() if row.node.startswith("T6")]))
    world.begins(case_id, "desistement", world.agent("OTE", "MED", "referent"), desistement__portee="aide", desistement__mesure="M02")
    world.does(case_id, "T921", desistement__maintenu=True, desistement__retractation_expliquee=True)
    world.passes(days=12)
    with world.database.reading(users.system()) as session:
        ended = session.execute(text("""SELECT f.value #>> '{}' FROM instance i JOIN fact f ON f.subject = 'mesure:' || split_part(i.subject, ':', 2) AND f.field = 'mesure.type' AND f.is_current
                                         WHERE i.process = 'dossier_aide' AND i.status = 'ended'""")).scalars().all()
    assert len(found) == 2 and ended == ["M02"] and world.incidents() == []
