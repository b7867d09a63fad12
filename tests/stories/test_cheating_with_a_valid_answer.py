"""Whole, valid answers sent by whoever may not send them, and answers that take more than their right: each is refused in a sentence (RFC 9457) and nothing is written."""

import pytest
from sqlalchemy import text

from api.app import create_app
from engine import clock
from engine.actors import signin, users
from engine.casework import tasks
from engine.demo import answers
from engine.settings import Settings
from tests import world as worlds
from tests.api.conftest import Program
from tests.stories.test_aids_off_the_straight_road import fund, present, votes


def whole(world, row, **said):
    """A complete and valid answer to a task, as whoever does it reads its form; and the version she read."""
    who = world.who_does(row)
    with world.database.unit_of_work(who) as session:
        view = tasks.view(session, who, row.task_id)
        truth = {**world.truth.get(row.root_id, {}), **{name.replace("__", "."): value for name, value in said.items()}}
        return {"answers": answers.to(view.form, truth, clock.today(clock.now(session)), who, session), "version": view.version}


def written(world):
    """How much was written: lines, facts, tasks done, movements of money."""
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT (SELECT count(*) FROM ledger_line), (SELECT count(*) FROM fact), (SELECT count(*) FROM task_done), (SELECT count(*) FROM fund_movement)")).one()


def sends(world, who, row, body, **also):
    """The answer of the API to somebody who completes a task."""
    program = Program(create_app(Settings(is_demo=True), world.database), "fr")
    assert program.sign_in(who.username, signin.DEMO_PASSWORD).status_code == 200
    return program.post(f"/tasks/{row.task_id}/complete", json=body | {"answers": body["answers"] | also})


def refused(world, who, row, body, **also):
    """The code of the refusal, or of what is to be mended: told in a sentence, and nothing written."""
    before = written(world)
    answer = sends(world, who, row, body, **also)
    told = answer.json()
    assert answer.status_code in (403, 404, 409, 422) and answer.headers["content-type"] == "application/problem+json", told
    assert told["title"] and told["detail"].endswith((".", "!")) and written(world) == before
    return {one["pointer"].rpartition("/answers/")[2] for one in told["errors"]} if told.get("errors") else told["code"]


def also(world, who, role, branch):
    """Somebody who is given one more role, in a branch: two duties in one hand."""
    with world.database.owner() as connection:
        connection.execute(text("UPDATE user_account SET roles = roles || ARRAY[:role], branch = :branch WHERE user_id = :id"), {"role": role, "branch": branch, "id": who.user_id})
    return worlds.World(world.database).staff[who.username]


def done_by(world, node):
    with world.database.reading(users.system()) as session:
        who = session.execute(text("SELECT done_by FROM task_done WHERE node = :node ORDER BY done_at DESC LIMIT 1"), {"node": node}).scalar_one()
    return next(one for one in world.staff.values() if one.user_id == who)


@pytest.mark.parametrize("node", ["T603", "T654", "T653", "T607"])
def test_who_examined_or_granted_or_prepared_orders_no_payment(world, node):
    world.receive(world.somebody("creation"))
    order = world.reaches("T608")
    body = whole(world, order)
    cheat = also(world, done_by(world, node), "ordonnateur", "TUN")
    assert refused(world, cheat, order, body) == "task.kept_apart"
    assert sends(world, world.agent("OTE", "TUN", "ordonnateur"), order, body).status_code == 200, "the same answer, from whoever may"


def test_who_examined_notes_no_grant_in_writing(world):
    world.receive(world.somebody("social", 3, person__sexe="F", social__besoins_estimation=1_400_000, aide__montant_propose=1_200_000,
                                 **{"aide.postes": [{"poste.nature": "loyer", "poste.montant": 1_400_000, "poste.fournisseur": "Bailleur", "poste.bail": "@document"}]}))  # fmt: skip
    granted = world.reaches("T656")
    assert refused(world, also(world, done_by(world, "T603"), "secretaire_commission", granted.branch), granted, whole(world, granted)) == "task.kept_apart"


def test_nobody_votes_twice(world):
    world.receive(world.somebody("creation"))
    study = world.reaches("T653_CPS")
    body = whole(world, study)
    world.answers(study)
    member = world.agent("CPS", "MED", "membre_commission")
    assert refused(world, member, study, body) == refused(world, also(world, world.agent("CPS", "MED", "travailleur_social"), "membre_commission", "MED"), study, body) == "task.done"
    sitting = world.reaches("T654")
    secretary = world.who_does(sitting)
    twice = whole(world, sitting, **{"aide.votes": [*votes(OTE="pour"), *votes(OTE="pour", ANETI="contre")]})
    assert refused(world, secretary, sitting, twice) == {"aide.votes"}, "two votes of an agency of which one member sits"
    named = [one | {"vote.nom": "Sonia Ayari"} for one in votes(OTE="pour", CPS="pour", ANETI="pour")]
    assert refused(world, secretary, sitting, whole(world, sitting, **{"aide.votes": named})) == {"aide.votes"}, "one name, three votes"
    guest = [*present("OTE", "CPS"), present("ANETI")[0] | {"presence.qualite": "invite"}]
    assert refused(world, secretary, sitting, whole(world, sitting, **{"seance.presence": guest})) >= {"aide.votes"}, "a guest votes"


def test_another_branch_a_finished_task_and_another_agency_get_nothing(world):
    world.receive(world.somebody("creation"))
    for node, cheats in (("T653_ANETI", ("OTE SFX chef_antenne", "ANETI SFX membre_commission", "CPS MED membre_commission")), ("T655_CPS", ("CPS SFX membre_commission", "ANETI MED membre_commission", "OTE MED president_commission"))):
        row = world.reaches(node)
        body = whole(world, row)
        assert {refused(world, world.agent(*cheat.split()), row, body) for cheat in cheats} <= {"task.not_found", "task.not_yours"}
        world.answers(row)
        assert refused(world, world.who_does(row), row, body) == "task.done"
        assert sends(world, world.who_does(row), row, body).json()["code"] == "task.done"


def test_a_payment_is_what_was_granted_prepared_and_ordered_and_nothing_else(world):
    world.receive(world.somebody("creation"))
    row = world.reaches("T607")
    granted, before = world.facts("aide.montant_accorde")["aide.montant_accorde"], fund(world)
    officer, chief = world.who_does(row), world.agent("OTE", "TUN", "ordonnateur")
    body = whole(world, row)
    assert refused(world, officer, row, body, **{"aide.versement_montant": granted}) == {"aide.versement_montant"}, "the whole in one instalment"
    for said in ({"aide.montant_accorde": granted * 2}, {"aide.pj13": answers.NO_PAPER}, {"aide.paye_le": world.today().isoformat()}):
        assert refused(world, officer, row, body, **said)
    world.answers(row)
    order = world.reaches("T608")
    body = whole(world, order)
    for said in ({"aide.versement_montant": granted}, {"aide.versement_destinataire": "Un ami"}, {"aide.versement_mode": "especes"}, {"aide.pj13": answers.NO_PAPER}):
        assert refused(world, chief, order, body, **said), said
    world.answers(order)
    paid = world.reaches("T609")
    body = whole(world, paid)
    for said in ({"aide.versement_montant": granted}, {"aide.versement_destinataire": "Un ami"}, {"aide.ordre_numero": "OP-1"}):
        assert refused(world, officer, paid, body, **said), said
    assert fund(world) == before
    world.answers(paid)
    assert fund(world).paid - before.paid == int(granted * 0.6) and world.incidents() == []


def test_who_had_payments_held_releases_them_not_nor_whoever_looked_into_it(world):
    case_id = world.receive(world.somebody("creation"))
    world.reaches("T608")
    raised, other = (one for one in world.staff.values() if "coordinateur" in one.roles)
    world.begins(case_id, "fraude", raised, fraude__piece=None)
    for node in ("T971", "T972"):
        world.does(case_id, node)
    decision = next(one for one in world.open_tasks(case_id) if one.node == "T973")
    body = whole(world, decision, fraude__decision="sans_suite")
    for cheat in (raised, also(world, done_by(world, "T972"), "coordinateur", "TUN")):
        assert refused(world, cheat, decision, body) == "task.kept_apart"
    assert sends(world, other, decision, body).status_code == 200


def test_a_consent_withdrawn_closes_the_task_that_was_open_on_the_screen(world):
    case_id = world.receive(world.somebody("social"))
    row = world.reaches("T601_N1")
    body = whole(world, row)
    social_worker = world.who_does(row)
    world.says(case_id, c1=False)
    assert refused(world, social_worker, row, body) in ("task.not_found", "task.not_yours")
