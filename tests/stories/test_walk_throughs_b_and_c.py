"""Walk-throughs B and C with their exceptions (domain.md §4.14), each from the desk to its end."""

import datetime as dt

from sqlalchemy import text

from engine.actors import users
from engine.demo import stories
from engine.demo.people import measures
from engine.dossier import programmes

AMEN = {"mesure.type": "M06", "mesure.agence": "CPS", "mesure.debut": "@+3", "mesure.aide_demandee": False}
PAPERS = {"mesure.type": "M08", "mesure.agence": "CPS", "mesure.debut": "@+3", "mesure.aide_demandee": False}
TO_TUNIS = {"transfert__motif": "famille", "transfert__antenne": "TUN", "transfert__adresse": "3, rue de Marseille, Tunis", "transfert__gouvernorat": "TN-11", "transfert__delegation": None}


def letters(world, case):
    return [letter["template"] for letter in world.file(case).letters]


def visits(world):
    """The days for which visits are planned, and the calendar of the branches."""
    with world.database.reading(users.system()) as session:
        planned = session.execute(text("SELECT value #>> '{}' FROM fact WHERE field = 'visite.prevue_le'")).scalars()
        return [dt.date.fromisoformat(one) for one in planned], programmes.dated(session).calendar


def goes_on(world, case, days):
    """Everybody does what waits, and days pass, until the case is closed; the tasks done on the way, in order."""
    done, last = [], world.today() + dt.timedelta(days=days)
    while world.stands(case).status == "open" and world.today() <= last:
        rows = world.open_tasks()
        if not rows:
            world.passes(days=5)
        for row in rows[:1]:
            done.append(row.node)
            world.answers(row)
    return done


def test_b_a_mother_whose_amen_is_refused_objects_is_trained_moves_to_tunis_and_closes_after_a_year(world):
    samia, came = stories.mother_in_sfax(world.today() + dt.timedelta(days=420)), world.today()
    case = world.receive(samia.truth | {"plan.mesures": [*measures("social")[:1], AMEN, *measures("formation")]}, branch="SFX")
    refused = world.reaches("T306")
    assert {"T205", "T207"} <= world.done(case), "class 3: seen together, at home too"
    world.answers(refused, mesure__droit_reponse="refuse", mesure__droit_motif="Score au-dessus du seuil")
    world.passes(days=9)
    assert "rappel_opposition" not in letters(world, case)
    world.does(case, "T307")  # the objection, on the ninth day
    world.does(case, "T306", mesure__droit_reponse="obtenu")
    world.begins(case, "transfert", world.agent("OTE", "SFX", "referent"), **TO_TUNIS)
    before = set(world.nodes(case))
    world.does(case, "T912", transfert__reponse="accepte")
    assert world.stands(case).branch == "TUN" and set(world.nodes(case)) == before - {"T912"} | {"T914"} and world.file(case).case_number.startswith("TN-SFX")
    done = goes_on(world, case, 500)
    assert not {one for one in done if one[:2] in ("T1", "T2")}, "nothing is asked or weighed again"
    assert {"T402", "T604", "T608", "T702", "T914"} <= world.done(case), "trained by ANETI, paid and followed"
    assert world.stands(case).status == "ended" and world.facts("cloture.motif")["cloture.motif"] == "objectifs_atteints"
    planned, calendar = visits(world)
    assert len(planned) > 3 and [one for one in planned if not calendar.is_open(one)] == [], "nobody is visited on a closed day"
    assert 355 <= (world.today() - came).days <= 400 and "attestation" in letters(world, case) and world.incidents() == []
    assert world.facts("aide.decision") == {"aide.decision": "accorde"}


def test_c_a_man_of_sixty_one_without_a_right_to_aid_is_lost_sight_of_comes_back_and_his_service_ends(world):
    bechir = stories.long_back_from_italy(world.today() + dt.timedelta(days=150))
    case = world.receive(bechir.truth | {"plan.mesures": [AMEN, PAPERS]}, branch="TUN")
    world.reaches("T306")
    desk = world.agent("OTE", "TUN", "agent_accueil")
    for task, said in (("T981", {}), ("T982", {"absence__jointe": False}), ("", {})):
        world.begins(case, "absence", desk, absence__rdv_le=world.today().isoformat(), absence__cause="personne")
        if task:
            world.does(case, task, **said)
            world.passes(days=7)
    assert world.beside(case, desk).suspended_at is not None and "absences" in letters(world, case)
    world.passes(days=63)
    assert (world.stands(case).status, world.stands(case).outcome) == ("ended", "perdu_de_vue")
    world.passes(days=40)
    known = world.facts("person.")
    world.begins(case, "reouverture", desk, reouverture__nouveau_retour=False)
    assert world.stands(case).status == "open" and not {one for one in world.nodes(case) if one.startswith("T1")} and world.facts("person.") == known, "nothing is taken down again"
    assert world.beside(case, desk).suspended_at is None, "its clocks go again"
    done = goes_on(world, case, 460)
    assert {"T306", "T702", "T801", "T804"} <= set(done), "AMEN asked again, followed, closed"
    assert world.stands(case).status == "ended" and world.incidents() == [] and "attestation" in letters(world, case)
    assert not [one for one in world.done(case) if one.startswith("T6")] and world.facts("aide.") == {}, "a service, and no aid"


def test_nobody_is_looked_for_any_more_in_a_case_that_was_lost_sight_of(world):
    case = world.receive(world.somebody("social", 7))
    for node in ("T101", "T102"):
        world.does(case, node)
    desk = world.agent("OTE", "MED", "agent_accueil")
    for _ in range(3):
        world.begins(case, "absence", desk, absence__rdv_le=world.today().isoformat(), absence__cause="personne")
    assert {"T981", "T982", "T984"} <= set(world.nodes(case))
    world.passes(days=63)
    if "T985" in world.nodes(case):
        world.does(case, "T985", absence__retrouvee=False)
    assert (world.stands(case).outcome, world.nodes(case), world.beside(case, desk).running) == ("perdu_de_vue", [], ())
