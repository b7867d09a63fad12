"""A paper runs out after it was accepted, a minor comes of age: whoever answers for it is told once and in time, of what is still needed and to whoever may know; a new one serves all agencies."""

import datetime as dt
import io

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import users
from engine.casework import agreements, cases, holders, pieces, receipts, tasks, worklist
from engine.demo import answers
from engine.dossier import documents
from engine.insight import aid_files
from tests.stories.test_a_minor_does_not_sign import SIGNED
from tests.stories.test_a_quotation_sent_online import PDF

AMEN = {"plan.mesures": [{"mesure.type": "M06", "mesure.agence": "CPS", "mesure.debut": "@+3", "mesure.aide_demandee": False}]}
RUNS_OUT = ("piece.lapses", "piece.came_to_renew", "piece.renewed", "consent.of_age")


def told(world, actor):
    return [code for code in world.news(actor)[1] if code in RUNS_OUT]


def waits_for(world, case_id, actor):
    """What runs out, as the case's page says it to somebody: the paper, and of whom another is awaited."""
    with world.database.reading(actor) as session:
        return [(one.name, one.agency or one.awaits) for one in cases.waiting(session, case_id, "fr") if one.message in (cases.RENEWED, cases.OF_AGE)]


def asked_by(world, row):
    actor = world.who_does(row)
    with world.database.reading(actor) as session:
        return {one.spec.id for one in tasks.view(session, actor, row.task_id).form.questions() if one.visible}


def until(world, field):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT valid_until FROM fact WHERE field = :field AND is_current"), {"field": field}).scalar_one()


def days_before(world, field, days):
    """Lets time pass until so many days before an answer runs out."""
    at = until(world, field).astimezone(dt.UTC).date() - dt.timedelta(days=days)
    world.passes(days=(at - world.today()).days)


def may_renew(world, actor, case_id):
    with world.database.reading(actor) as session:
        return [one for one in pieces.received(session, actor, case_id, cases.editions.current(session).dictionary) if one.may_renew]


def code_of(world, case_id):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT receipt_code FROM instance WHERE instance_id = :id"), {"id": case_id}).scalar_one()


def brings(world, actor, case_id, kind):
    with world.database.unit_of_work(actor) as session:
        document = documents.upload(session, actor, f"{kind}.pdf", io.BytesIO(PDF + str(world.today()).encode() + b"\n%%EOF"))
        choice = next(one for one in pieces.offered(session, actor, case_id) if one.piece == kind)
        pieces.lodge(session, actor, case_id, kind, choice.class_, document)
    world.settle()
    return document


@pytest.fixture
def rights(world):
    """The rights of a person are being opened with her proof of address, given at reception; the task waits for months."""
    case_id = world.receive(world.somebody("social", 1, person__pj05="@document", **{name.replace(".", "__"): value for name, value in AMEN.items()}))
    return case_id, world.reaches("T302")


def test_a_paper_that_a_task_needs_is_asked_anew_in_time_and_once_and_a_new_one_serves_everybody(world, rights):
    case_id, row = rights
    owner, paper = world.owner(case_id), ("Justificatif d'adresse ou déclaration sur l'honneur", "person")
    assert "person.pj05" not in asked_by(world, row)
    days_before(world, "person.pj05", 31)
    assert told(world, owner) == [] and waits_for(world, case_id, owner) == []
    world.passes(days=2)
    assert told(world, owner) == ["piece.lapses"] and waits_for(world, case_id, owner) == [paper]
    with world.database.reading(owner) as session:
        assert (case_id, "piece.renouveler", paper[0]) in {(one.case_id, one.message, one.name) for one in worklist.awaited(session, owner).items}
        assert worklist.counts(session, owner)["person"] >= 1 and receipts.look_up(session, code_of(world, case_id)).person_since is not None
    (asked,) = holders.page(world.database, case_id, "fr").pieces
    assert (asked.code, asked.is_renewal, asked.until) == ("PJ05", True, until(world, "person.pj05").date().isoformat())
    world.passes(days=12)
    assert told(world, owner) == ["piece.lapses"], "once"
    holders.send_piece(world.database, case_id, "PJ05", "facture.pdf", io.BytesIO(PDF))
    assert told(world, owner) == ["piece.came_to_renew", "piece.lapses"] and waits_for(world, case_id, owner) == [] and holders.page(world.database, case_id, "fr").pieces == ()
    (wrong,) = may_renew(world, owner, case_id)
    with world.database.unit_of_work(owner) as session:
        pieces.turn_down(session, owner, case_id, wrong.document_id)
    (again,) = holders.page(world.database, case_id, "fr").pieces
    assert (again.code, again.sent_at, waits_for(world, case_id, owner), may_renew(world, owner, case_id)) == ("PJ05", wrong.at, [paper], [])
    world.passes(hours=2)
    holders.send_piece(world.database, case_id, "PJ05", "bonne.pdf", io.BytesIO(PDF))
    assert holders.page(world.database, case_id, "fr").pieces == ()
    with world.database.unit_of_work(owner) as session:
        (came,) = [one for one in pieces.received(session, owner, case_id, cases.editions.current(session).dictionary) if one.may_renew]
        pieces.renew(session, owner, case_id, came.document_id)
    assert world.facts("person.pj05") == {"person.pj05": str(came.document_id)} and until(world, "person.pj05").date() > world.today() + dt.timedelta(days=360)
    world.passes(days=30)
    row = next(one for one in world.open_tasks(case_id) if one.node.startswith("T302"))
    assert "person.pj05" not in asked_by(world, row), "the other agency's form does not ask it either"
    assert told(world, owner).count("piece.lapses") == 1 and world.incidents() == []


def test_a_paper_that_nothing_needs_any_more_runs_out_in_silence(world, rights):
    case_id, row = rights
    world.answers(row)
    days_before(world, "person.pj05", -2)
    assert told(world, world.owner(case_id)) == [] and waits_for(world, case_id, world.owner(case_id)) == [] and holders.page(world.database, case_id, "fr").pieces == ()


def test_a_task_that_does_not_ask_for_it_this_time_needs_no_paper(world):
    case_id = world.receive(world.somebody("social", 1, person__pj05="@document", plan__mesures=[AMEN["plan.mesures"][0] | {"mesure.type": "M07"}]))
    world.reaches("T302")
    days_before(world, "person.pj05", 3)
    assert told(world, world.owner(case_id)) == [] and "T302" in world.nodes(case_id)


def test_what_was_awaited_is_awaited_no_more_once_nothing_needs_it(world, rights):
    case_id, row = rights
    days_before(world, "person.pj05", 10)
    world.settle()  # looked at today already
    assert waits_for(world, case_id, world.owner(case_id))
    world.answers(row)
    assert waits_for(world, case_id, world.owner(case_id)) == [] and holders.page(world.database, case_id, "fr").pieces == ()


def test_a_paper_brought_to_a_desk_renews_at_once(world, rights):
    case_id, _ = rights
    days_before(world, "person.pj05", 10)
    document = brings(world, world.agent("OTE", "MED", "agent_accueil"), case_id, "PJ05")
    assert world.facts("person.pj05") == {"person.pj05": str(document)} and told(world, world.owner(case_id)) == ["piece.renewed", "piece.lapses"]
    with world.database.unit_of_work(world.owner(case_id)) as session, pytest.raises(errors.Conflict, match="piece.nothing_to_renew"):
        pieces.renew(session, world.owner(case_id), world.receive(world.somebody("emploi", 2)), document)


@pytest.fixture
def inquired(world):
    """An aid of level one waits for its examination for months; its social inquiry runs out."""
    case_id = world.receive(world.somebody("social", 1))
    row = world.reaches("T603")
    assert "enquete.pj16" in world.facts("enquete.pj16")
    return case_id, row


def missing(world, case_id, actor):
    with world.database.reading(actor) as session:
        (aid,) = session.execute(text("SELECT instance_id FROM instance WHERE root_id = :root AND process = 'dossier_aide'"), {"root": case_id}).scalars()
        return aid_files.missing(session, actor, aid)


def test_a_report_that_an_agency_makes_is_awaited_from_it_and_never_from_the_person(world, inquired):
    case_id, _ = inquired
    social, owner = world.agent("CPS", "MED", "travailleur_social"), world.owner(case_id)
    days_before(world, "enquete.pj16", 3)
    assert told(world, social) == ["piece.lapses"] and waits_for(world, case_id, social) == [("Rapport d'enquête sociale", "CPS")]
    assert told(world, owner) == [] and waits_for(world, case_id, owner) == [], "a social report is not the case owner's to know of"
    assert holders.page(world.database, case_id, "fr").pieces == () and missing(world, case_id, social) == ()
    world.passes(days=4)
    assert missing(world, case_id, social) == ("PJ16",), "what ran out is there no more"
    brings(world, social, case_id, "PJ16")
    assert missing(world, case_id, social) == () and waits_for(world, case_id, social) == []


def test_nobody_of_an_agency_is_told_once_the_case_is_kept_from_it(world, inquired):
    case_id, _ = inquired
    days_before(world, "enquete.pj16", 40)
    world.says(case_id, c1=False)
    days_before(world, "enquete.pj16", 3)
    assert told(world, world.agent("CPS", "MED", "travailleur_social")) == []


def test_an_aid_whose_contract_is_signed_asks_for_no_paper_anew(world):
    case_id = world.receive(world.somebody("social", 1))
    world.reaches("T606")
    world.does(case_id, "T606")
    social = world.agent("CPS", "MED", "travailleur_social")
    days_before(world, "enquete.pj16", -2)
    assert told(world, social) == [] and missing(world, case_id, social) == ()


@pytest.fixture
def nearly_of_age(world):
    """A boy who is eighteen in five days, on his own; his guardian signed, and holds the receipt's second secret."""
    birth = (world.today().replace(year=world.today().year - 18) + dt.timedelta(days=5)).isoformat()
    case_id = world.receive(world.somebody("formation", 3) | {"person.naissance_date": birth, "accueil.accompagne": False})
    world.does(case_id, "T101")
    world.does(case_id, "T102", accueil__tuteur_nom="Moncef Guesmi", consentement__signature_tuteur=SIGNED)
    while row := next((row for row in world.open_tasks(case_id) if row.node.startswith("T10")), None):
        world.answers(row)
    return case_id


def agreed(world, case_id, actor):
    with world.database.reading(actor) as session:
        return agreements.of_case(session, actor, case_id)


def test_on_the_day_of_age_the_adviser_is_told_and_her_own_consent_is_asked_once(world, nearly_of_age):
    case_id = nearly_of_age
    owner = world.owner(case_id)
    with world.database.unit_of_work(owner) as session:
        code, secret = holders.give_secret(session, owner, case_id)
    world.passes(days=4)
    assert told(world, owner) == [] and agreed(world, case_id, owner).of_age_since is None and holders.enter(world.database, code, secret, "a")
    world.passes(days=2)
    assert told(world, owner) == ["consent.of_age"] and waits_for(world, case_id, owner) == [("", "person")]
    before = agreed(world, case_id, owner)
    assert before.of_age_since is not None and before.scopes[0].is_given, "what the guardian agreed to holds until she answers"
    with pytest.raises(errors.NotFound, match="receipt.not_opened"):
        holders.enter(world.database, code, secret, "a")
    world.passes(days=9)
    assert told(world, owner) == ["consent.of_age"], "once"
    actor = world.agent("OTE", "MED", "agent_accueil")
    with world.database.unit_of_work(actor) as session:
        form = agreements.ask(session, actor, case_id, "sign").form
        said = answers.to(form, {"consentement.c1": True, "consentement.c2": False, "consentement.signature": SIGNED}, world.today(), actor, session)
        assert "consentement.signature" in said and "consentement.signature_tuteur" not in said
        agreements.sign(session, actor, case_id, said, is_typed=False)
    world.settle()
    after = agreed(world, case_id, owner)
    assert after.of_age_since is None and waits_for(world, case_id, owner) == [] and after.said[-1].guardian == "Moncef Guesmi", "the guardian's stays as proof of what was lawful"
    assert [one.is_given for one in after.scopes[:2]] == [True, False] and world.incidents() == []


def test_of_a_case_opened_again_after_the_day_of_age_her_consent_is_asked_too(world, nearly_of_age):
    case_id, owner = nearly_of_age, world.owner(nearly_of_age)
    world.begins(case_id, "desistement", owner, desistement__portee="dossier")
    world.does(case_id, "T921", desistement__maintenu=True, desistement__retractation_expliquee=True, desistement__signature=SIGNED, desistement__signature_tuteur=SIGNED)
    world.passes(days=16)
    world.settle()  # looked at once it was over
    assert (world.stands(case_id).status, waits_for(world, case_id, owner)) == ("ended", []), "nobody is asked anything of a case that is over"
    world.begins(case_id, "reouverture", world.agent("OTE", "MED", "agent_accueil"), reouverture__nouveau_retour=False)
    world.passes(days=2)
    world.settle()
    assert world.stands(case_id).status == "open" and waits_for(world, case_id, owner) == [("", "person")]


def test_somebody_of_age_who_signed_herself_is_asked_nothing(world):
    case_id = world.receive(world.somebody("formation", 3))
    world.does(case_id, "T101")
    world.does(case_id, "T102")
    world.passes(days=3)
    assert waits_for(world, case_id, world.agent("OTE", "MED", "referent")) == []
