"""Running cases moved to another edition, on the real pathway and a real PostgreSQL: what goes on, what is refused and why, back again byte for byte, many at once."""

import datetime as dt

import pytest
from sqlalchemy import text

from engine import clock, errors
from engine.actors import users
from engine.casework import batches, cases, editions, moves, replays, tasks
from engine.demo import stories
from engine.ledger import proving
from tests import world as worlds
from tests.engine.casework import redrawn

REASON = "La nouvelle édition demande un bilan plus court."


@pytest.fixture(scope="module")
def world(make_database):
    database = make_database(worlds.furnish)
    return worlds.World(database)


def kept(world, files):
    """An edition that is there and not in force."""
    with world.database.unit_of_work(users.system()) as session:
        return editions.keep(session, files, clock.now(session), None, "essai")


@pytest.fixture(scope="module")
def edition(world):
    """A task added in the assessment and one in the employment measure, where one is taken out; one under another id."""
    files = redrawn.redrawn(worlds.bare_files(), "evaluation", redrawn.under_another_id("T203", "T203_competences"),
                            redrawn.added("T298", "evaluation_f_fermer_entretien__D3", "referent", "t204"))  # fmt: skip
    return kept(world, redrawn.redrawn(files, "emploi", redrawn.removed("T403"), redrawn.added("T411", "emploi_f_T402__T403", "conseiller_emploi", "t402", more=' sujet="mesure"')))


def person(world, number):
    return stories.mother_in_sfax(world.today()).truth | {"person.cin": f"0{6_000_000 + number}", "person.nom_fr": f"Mansour{chr(65 + number)}", "person.nom_ar": "تجربة" + "بتثجحخدذرزسش"[number],
                                                          "person.naissance_date": f"{1970 + number}-02-03", "person.tel": f"+216550001{number:02}",
                                                          "retour.date": (world.today() - dt.timedelta(days=9)).isoformat()}  # fmt: skip


def at_the_interview(world, number):
    case_id = world.receive(person(world, number), branch="SFX")
    for node in ("T101", "T102", "T104", "T106"):
        if any(one.startswith(node) for one in world.nodes(case_id)):
            world.does(case_id, node)
    assert world.nodes(case_id) == ["T201", "T202", "T203"]
    return case_id


def row(world, case_id):
    """Everything the database holds of an instance but its chain."""
    with world.database.reading(users.system()) as session:
        found = session.execute(moves._ROWS, {"id": case_id}).scalar_one()
        own = session.execute(text("SELECT state, status, outcome, stage, ended_at, scope, branch, priority, referent_id FROM instance WHERE instance_id = :id"), {"id": case_id}).one()
        return found, tuple(own)


def moved(world, case_id, edition, mapping=None):
    actor = world.agent("OTE", "TUN", "coordinateur")
    with world.database.unit_of_work(actor) as session:
        return moves.move(session, actor, case_id, edition.edition_id, mapping, REASON)


def back(world, case_id):
    actor = world.agent("OTE", "TUN", "coordinateur")
    with world.database.unit_of_work(actor) as session:
        moves.move_back(session, actor, case_id, "Fait trop tôt.")


def sound(world, case_id):
    """The chain holds, and the history gives the state."""
    assert [one for one in proving.prove(world.database, users.system()).wrong if one.instance_id == case_id] == []
    with world.database.reading(users.system()) as session:
        assert replays.is_exact(replays.history(session, case_id))


def test_who_is_at_the_interview_goes_on_under_the_same_ids_and_the_added_step_comes(world, edition):
    case_id = at_the_interview(world, 0)
    world.does(case_id, "T202")
    before = {one.node: one.task_id for one in world.open_tasks(case_id)}
    found = moved(world, case_id, edition)
    assert found.code == "move.done" and found.certificate.way == "replay"
    after = {one.node: one.task_id for one in world.open_tasks(case_id)}
    assert after == {"T201": before["T201"], "T203_competences": before["T203"]}
    sound(world, case_id)
    world.does(case_id, "T201")
    world.does(case_id, "T203_competences")
    assert world.nodes(case_id) == ["T298"]
    world.does(case_id, "T298")
    sound(world, case_id)


def test_a_move_is_undone_byte_for_byte_until_something_happens(world, edition):
    case_id = at_the_interview(world, 1)
    before = row(world, case_id)
    moved(world, case_id, edition)
    assert row(world, case_id) != before
    back(world, case_id)
    assert row(world, case_id) == before
    sound(world, case_id)
    with pytest.raises(errors.Conflict, match="move.went_on"):
        back(world, case_id)
    moved(world, case_id, edition)
    world.does(case_id, "T202")
    with pytest.raises(errors.Conflict, match="move.went_on"):
        back(world, case_id)
    with pytest.raises(errors.Conflict, match="move.already_there"):
        moved(world, case_id, edition)
    sound(world, case_id)


def test_a_claim_a_draft_and_a_deadline_go_on(world, edition):
    case_id = at_the_interview(world, 2)
    nabil = world.agent("ANETI", "SFX", "conseiller_emploi")
    task = next(one for one in world.open_tasks(case_id) if one.node == "T203")
    with world.database.unit_of_work(nabil) as session:
        tasks.claim(session, nabil, task.task_id)
        tasks.save_draft(session, nabil, task.task_id, {"emploi.metier": "Couturière"})
    due = due_of(world, task.task_id)
    world.passes(days=1)
    moved(world, case_id, edition)
    assert due_of(world, task.task_id) == due
    with world.database.reading(nabil) as session:
        view = tasks.view(session, nabil, task.task_id)
    assert view.draft == {"emploi.metier": "Couturière"} and view.node == "T203_competences" and view.holder_id == nabil.user_id


def due_of(world, task_id):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT due_at, holder_id FROM open_task WHERE task_id = :id"), {"id": task_id}).one()


def goes_on(world, case_id, *stops, most=300, **said):
    """Everybody does their work until one of these tasks waits (or the case is over)."""
    for _ in range(most):
        waiting = [one for one in world.open_tasks(case_id) if one.node not in stops]
        if not waiting:
            if world.open_tasks(case_id) or world.file(case_id).ended_at:
                return
            world.passes(days=16)
            continue
        world.does(case_id, waiting[0].node, **said)
    raise AssertionError(world.nodes(case_id))


def searching(world, number):
    """Two measures of help to find work, beside one another."""
    measure = {"mesure.type": "M13", "mesure.agence": "ANETI", "mesure.debut": "@+3", "mesure.aide_demandee": False}
    case_id = at_the_interview(world, number)
    world.truth[case_id] |= {"plan.mesures": [measure, dict(measure)], "mesure.recherche_issue": "en_cours"}
    return case_id


def test_inside_two_measures_side_by_side_a_task_taken_out_is_given_up_only_when_said_so(world, edition):
    case_id = searching(world, 3)
    goes_on(world, case_id, "T403")
    assert world.nodes(case_id) == ["T403", "T403"]
    before = row(world, case_id)
    refused = moved(world, case_id, edition)
    assert refused.code == "move.refused" and {(one.code, one.node, one.breaks) for one in refused.certificate.refused} == {("task_dropped", "T403", "obligations")}
    assert row(world, case_id) == before
    found = moved(world, case_id, edition, {"emploi#T403": "", "evaluation#T203": "evaluation#T203_competences"})
    assert found.code == "move.done" and found.certificate.way == "positions"
    assert world.nodes(case_id) == ["T404", "T404"]
    back(world, case_id)
    assert row(world, case_id) == before
    moved(world, case_id, edition, {"emploi#T403": "", "evaluation#T203": "evaluation#T203_competences"})
    goes_on(world, case_id, **{"mesure__recherche_issue": "poste_trouve"})
    file = world.file(case_id)
    assert file.ended_at is not None and "T404" in world.done(case_id) and "T403" not in world.done(case_id)
    assert world.incidents() == []
    sound(world, case_id)


def test_after_turns_of_a_loop_the_step_that_was_added_is_passed_over_and_the_month_runs_on(world, edition):
    case_id = searching(world, 4)
    goes_on(world, case_id, "T407")
    for _ in range(2):
        for _ in range(2):
            world.does(case_id, "T407")
        world.passes(days=32)
    world.does(case_id, "T407")
    waits = due_of_waits(world, case_id)
    found = moved(world, case_id, edition, {"emploi#T403": "", "evaluation#T203": "evaluation#T203_competences"})
    assert found.code == "move.done" and found.certificate.way == "positions", found
    assert {one.node for one in found.certificate.notes if one.code == "passed_over"} == {"T298"}
    assert due_of_waits(world, case_id) == waits
    goes_on(world, case_id, **{"mesure__recherche_issue": "poste_trouve"})
    assert world.file(case_id).ended_at is not None and world.incidents() == []
    sound(world, case_id)


def due_of_waits(world, case_id):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT position, due_at FROM wait WHERE instance_id = :id ORDER BY position"), {"id": case_id}).all()


def test_what_was_done_is_not_asked_again_and_the_way_to_it_is_named(world):
    """An edition where the interview comes after the two other parts, for a case whose interview is done."""
    later = kept(world, redrawn.redrawn(worlds.bare_files(), "evaluation", redrawn.removed("T201"),
                                        redrawn.added("T201", "evaluation_f_fermer_entretien__D3", "referent", "f21")))  # fmt: skip
    case_id = at_the_interview(world, 5)
    world.does(case_id, "T201")
    before = row(world, case_id)
    refused = moved(world, case_id, later)
    reason = next(one for one in refused.certificate.refused if one.code == "asked_again")
    assert (refused.code, reason.node, reason.breaks) == ("move.refused", "T201", "work")
    assert reason.way[-1] == ("evaluation", "T201") and len(reason.way) > 1
    assert row(world, case_id) == before


def test_many_at_once_each_has_its_line_and_all_come_back(world, edition):
    chosen = [at_the_interview(world, number) for number in (6, 7)]
    beginning = world.receive(person(world, 10), branch="SFX")
    before = {case_id: row(world, case_id) for case_id in chosen}
    meriem = world.agent("OTE", "TUN", "coordinateur")
    with world.database.reading(meriem) as session:
        tried = moves.dry_run(session, meriem, [*chosen, beginning], edition.edition_id)
    assert [one.code for one in tried] == ["move.ready", "move.ready", "move.ready"] and {case_id: row(world, case_id) for case_id in chosen} == before
    with world.database.unit_of_work(meriem) as session:
        batch_id = moves.start(session, meriem, chosen, edition.edition_id, {"evaluation#T203": "evaluation#T203_competences"}, REASON)
    assert batches.work_off(world.database) == 2
    with world.database.reading(meriem) as session:
        assert {(line.instance_id, line.code) for line in batches.lines(session, meriem, batch_id)} == {(case_id, "move.done") for case_id in chosen}
    world.does(chosen[1], "T202")
    with world.database.unit_of_work(meriem) as session:
        undone = moves.start_back(session, meriem, batch_id, "Fait trop tôt.")
    batches.work_off(world.database)
    with world.database.reading(meriem) as session:
        assert {line.instance_id: line.code for line in batches.lines(session, meriem, undone)} == {chosen[0]: "move.undone", chosen[1]: "move.went_on"}
    assert row(world, chosen[0]) == before[chosen[0]]


def test_only_a_coordinator_moves_cases_and_says_why(world, edition):
    case_id = at_the_interview(world, 8)
    meriem, karim = world.agent("OTE", "TUN", "coordinateur"), world.agent("OTE", "SFX", "referent")
    with world.database.unit_of_work(karim) as session, pytest.raises(errors.Forbidden):
        moves.move(session, karim, case_id, edition.edition_id, None, REASON)
    with world.database.unit_of_work(meriem) as session, pytest.raises(errors.Invalid, match="move.reason_needed"):
        moves.move(session, meriem, case_id, edition.edition_id, None, " ")
    with world.database.unit_of_work(meriem) as session, pytest.raises(errors.Invalid, match="move.mapping_unknown"):
        moves.move(session, meriem, case_id, edition.edition_id, {"evaluation#T203": "evaluation#nulle_part"}, REASON)


def test_a_dossier_moves_by_itself_amid_its_payments_and_ends_as_its_case_waits_for(world):
    """An aid on its way to payment, on an edition where the order of payment has another id and the contract another delay."""
    files = redrawn.redrawn(worlds.bare_files(), "versements", redrawn.under_another_id("T608", "T608_ordre"))
    other = kept(world, redrawn.redrawn(files, "dossier_aide", redrawn.removed("T618")))
    ordered = kept(world, files)
    measure = {"mesure.type": "M01", "mesure.agence": "CPS", "mesure.debut": "@+3", "mesure.aide_demandee": True, "mesure.cout_estime": 600_000}
    case_id = at_the_interview(world, 9)
    world.truth[case_id] |= {"plan.mesures": [measure]}
    paying = with_the_committee(world, case_id, "T608")
    with world.database.reading(users.system()) as session:
        aid_id = session.execute(text("SELECT instance_id FROM instance WHERE root_id = :id AND process = 'dossier_aide'"), {"id": case_id}).scalar_one()
    before, due = row(world, aid_id), due_of(world, paying.task_id)
    found = moved(world, aid_id, ordered)
    assert found.code == "move.done" and found.certificate.way == "replay", found
    assert due_of(world, paying.task_id) == due
    assert [one.node for one in world.open_tasks(case_id) if one.task_id == paying.task_id] == ["T608_ordre"]
    back(world, aid_id)
    assert row(world, aid_id) == before
    moved(world, aid_id, other, {"versements#T608": "versements#T608_ordre"})
    with_the_committee(world, case_id)
    assert world.file(case_id).ended_at is not None and world.incidents() == []
    with world.database.reading(users.system()) as session:
        assert session.execute(text("SELECT outcome FROM instance WHERE instance_id = :id"), {"id": aid_id}).scalar_one() == "dossier_aide_fin_soldee"
    sound(world, aid_id)


def with_the_committee(world, case_id, *stops):
    """As `goes_on`, with what sittings do beside. Returns the task that waits."""
    sittings = text("SELECT task_id, node, agency, branch, role, holder_id, root_id FROM open_task WHERE process = 'seance_commission' OR process = 'etude_dossier'")
    for _ in range(300):
        with world.database.reading(users.system()) as session:
            beside = session.execute(sittings).all()
        mine = world.open_tasks(case_id)
        if found := next((one for one in mine if one.node in stops), None):
            return found
        if world.file(case_id).ended_at:
            return None
        for one in [*mine, *beside][:1]:
            world.complete(one, world.who_does(one), world.truth.get(one.root_id, world.truth[case_id]))
            world.settle()
        if not mine and not beside:
            world.passes(days=10)
    raise AssertionError(world.nodes(case_id))
