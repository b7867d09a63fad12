"""The domain's table of timers (domain.md §4.10, and the limits of §4.9), line by line: what the diagrams give a task, what the dated data say, and who is told once it is late."""

import tomllib

import pytest
from lxml import etree
from sqlalchemy import text

from engine.actors import users
from engine.insight.measures import MEASURES
from tests import world as worlds
from tests.processes import reading
from tests.processes.test_the_diagrams import FILES, carried

WD, DAYS, HOURS = "jours_ouvres", "jours", "heures_ouvrees"
DRAWN = {node.get("id"): (int(note.get("delai")), note.get("unite")) for path in FILES for node, note in carried(etree.parse(path).getroot(), "tache") if note.get("delai")}
PARAMETERS = {row["code"]: row["value"] for row in tomllib.loads((reading.PROCESSES / "parametres.toml").read_text("utf-8"))["parametres"] if "valid_to" not in row}

TASKS = {
    "the plan, within 30 days": {"T206": (30, DAYS)},
    "an agency accepts an orientation within 2 working days": {"T301": (2, WD), "T401": (2, WD), "T501": (2, WD)},
    "the social inquiry, within 10 working days": {"T205": (10, WD)},
    "a file is studied within 10 working days": {"T603": (10, WD)},
    "a committee every 14 days": {"T651": (14, DAYS)},
    "the decision is notified within 5 working days": {"T605": (5, WD)},
    "the contract is signed within 15 days": {"T606": (15, DAYS)},
    "the payment is ordered within 5 working days": {"T608": (5, WD)},
    "reserves are lifted within 60 days": {"T611": (60, DAYS)},
    "an urgency is looked at within 4 open hours, and told of within 2 working days": {"T901": (4, HOURS), "T902": (2, WD)},
    "the other branch answers a transfer within 3 working days, and 5 in all": {"T912": (3, WD), "T914": (2, WD)},
    "a complaint is answered within 10 working days": {"T942": (10, WD), "T943": (10, WD)},
    "a withdrawal may be taken back for 10 days": {"T922": (10, DAYS)},
    "a suspension is looked at again after 90 days": {"T991": (90, DAYS)},
    "the person is heard within 10 days where fraud is suspected": {"T972": (10, DAYS)},
    "a refused orientation: 2 working days for another proposal, 3 to settle it": {"T977": (2, WD), "T978": (2, WD), "T979": (3, WD)},
    "somebody is found for an orphan task within 2 working days": {"T992_OTE": (2, WD), "T992_CPS": (2, WD), "T992_ANETI": (2, WD)},
    "a reopening is decided within 3 working days": {"T986": (3, WD)},
    "a new date within 7 days of an absence": {"T981": (7, DAYS)},
}  # fmt: skip
DATED = {
    "the first interview: the same day, 2 or 5 working days, 7 days by class": ("delai_evaluation", {"urgente": 0, "haute": 2, "moyenne": 5, "standard": 7}),
    "missing pieces, 30 days": ("delai_pieces_jours", 30), "reserves, 60 days": ("delai_reserves_jours", 60), "an appeal is made within 15 days": ("delai_recours_jours", 15),
    "an appeal is answered within 30 days": ("delai_reponse_recours_jours", 30), "silence on a transfer, 3 working days": ("transfert_reponse_jours", 3),
    "a suspension is looked at again": ("suspension_revue_jours", 90), "a suspension at most": ("suspension_max_jours", 180), "a complaint at most": ("reclamation_max_jours", 20),
    "a withdrawal is taken back": ("retractation_jours", 10), "a case is reopened freely": ("reouverture_mois", 12), "silence after three absences": ("absences_silence_jours", 60),
    "a waiting list is looked at again": ("liste_attente_jours", 14),
    "follow-ups": ("rythme_suivi", {"classe_4": {"semaines": [1, 2, 3, 4], "mois": [*range(2, 13)]}, "classe_3": {"semaines": [], "mois": [1, 2, 3, 4, 5, 6, 8, 10, 12]},
                                    "classe_1_2": {"semaines": [], "mois": [1, 3, 6, 12]}, "niveau_3": {"semaines": [], "mois": [18, 24]}}),
}  # fmt: skip


@pytest.mark.parametrize("said", TASKS)
def test_a_task_is_due_when_the_domain_says(said):
    assert {node: DRAWN[node] for node in TASKS[said]} == TASKS[said]


@pytest.mark.parametrize("said", DATED)
def test_a_limit_that_is_dated_data_is_the_domains(said):
    code, value = DATED[said]
    assert PARAMETERS[code] == value


def test_what_is_done_in_steps_ends_in_the_time_the_domain_gives_the_whole():
    whole = {"an appeal": ("T932", "T933", "T934"), "suspected fraud": ("T971", "T972", "T973")}
    assert {said: sum(DRAWN[node][0] for node in nodes) for said, nodes in whole.items()} == {"an appeal": PARAMETERS["delai_reponse_recours_jours"], "suspected fraud": 30}
    assert {DRAWN[node][1] for nodes in whole.values() for node in nodes} == {DAYS}


def test_the_targets_of_the_whole_way_are_those_steering_measures_against():
    assert (MEASURES["b5"].target, MEASURES["b7"].target) == (15, 30), "from request to first service, from a complete file to its decision"


def test_every_task_is_due_some_time():
    assert [node.get("id") for path in FILES for node, note in carried(etree.parse(path).getroot(), "tache") if not note.get("delai")] == []


def test_once_late_the_holders_post_then_her_own_agencys_head_then_a_coordinator_is_told(make_database):
    """The parts that three agencies fill side by side, nobody doing anything."""
    world = worlds.World(make_database(worlds.furnish))
    case = world.receive(world.somebody("emploi", 1))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case, node)
    world.passes(days=60)
    with world.database.reading(users.system()) as session:
        told = session.execute(text("SELECT line::jsonb #>> '{body,node}' AS node, kind, line::jsonb #>> '{body,to}' AS who FROM ledger_line WHERE instance_id = :case AND kind LIKE 'task.%' ORDER BY seq"), {"case": case}).all()
    found: dict[str, list[tuple[str, str]]] = {}
    for row in told:
        if row.kind in ("task.due", "task.late", "task.very_late"):
            found.setdefault(row.node, []).append((row.kind, row.who))
    assert found == {node: [("task.due", post), ("task.late", head), ("task.very_late", "coordinateur")] for node, post, head in (
        ("T201", "referent", "chef_antenne"), ("T202", "travailleur_social", "chef_cps"), ("T203", "conseiller_emploi", "chef_aneti"))}  # fmt: skip
