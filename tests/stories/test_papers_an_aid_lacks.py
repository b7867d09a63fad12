"""The papers that an aid lacks (domain.md §4.4): asked once, reminded of, given more time or filed away in writing; brought, they take the file on."""

import datetime as dt
import io

import pytest

from engine.casework import holders, messages, pieces, tasks
from engine.dossier import documents
from tests.stories.test_a_quotation_sent_online import PDF
from tests.stories.test_aids_off_the_straight_road import fund, instances, letters, refuses, waiting

NO_ACCOUNT = {"aide.pj13": None}


def days_given(world):
    """Until the day by which papers are awaited, an open one."""
    return (dt.date.fromisoformat(world.facts("aide.pieces_limite_le")["aide.pieces_limite_le"]) - world.today()).days


def test_papers_that_do_not_come_are_reminded_of_then_decided_upon_then_closed_in_writing(world):
    case_id = world.receive(world.somebody("creation", **NO_ACCOUNT))
    listing = world.reaches("T602")
    assert refuses(world, listing, aide__pieces_toutes_remises=False, aide__pieces_manquantes=["PJ13"], aide__pieces_limite_le="@+31o") == {"aide.pieces_limite_le"}
    world.answers(listing, aide__pieces_toutes_remises=False, aide__pieces_manquantes=["PJ13"], aide__pieces_limite_le="@+25o")
    for days, reminded in ((9, 0), (1, 1), (9, 1), (1, 2), (days_given(world) - 21, 2)):
        world.passes(days=days)
        assert letters(world).count("rappel_pieces") == reminded and "T616" not in world.nodes()
    world.passes(days=1)
    more = next(row for row in world.open_tasks(case_id) if row.node == "T616")
    assert refuses(world, more, aide__suite_pieces="prolonger", aide__pieces_limite_le="@+31o") == {"aide.pieces_limite_le"}
    world.answers(more, aide__suite_pieces="prolonger", aide__pieces_limite_le="@+15o")
    world.passes(days=days_given(world) - 1)
    assert "T616" not in world.nodes(), "the date given is the date kept"
    world.passes(days=1)
    world.answers(next(row for row in world.open_tasks(case_id) if row.node == "T616"), aide__suite_pieces="classer")
    (aid,) = instances(world, "dossier_aide")
    assert aid.status == "ended" and "classe" in aid.outcome and fund(world).engaged == 0
    assert letters(world).count("sans_suite") == 1, "answered in writing, with the reason and the way of appeal"
    assert "T511" in world.nodes(case_id) and world.incidents() == [], "without the aid, another way is looked for"


@pytest.mark.parametrize("brought", ["at the desk", "later"])
def test_a_paper_brought_takes_the_file_on_without_asking_anything_twice(world, brought):
    case_id = world.receive(world.somebody("creation", **NO_ACCOUNT))
    listing = world.reaches("T602")
    if brought == "at the desk":
        world.answers(listing, aide__pieces_toutes_remises=True, aide__pj13="@document")
        assert "pieces_manquantes" not in letters(world), "nothing is asked of who has brought it all"
    else:
        world.answers(listing, aide__pieces_toutes_remises=False, aide__pieces_manquantes=["PJ13"])
        world.passes(days=12)
        (aid,) = instances(world, "dossier_aide")
        key = next(row.correlation for row in waiting(world) if row.name == "piece.recue" and row.instance_id == aid.instance_id)
        owner = world.agent("OTE", "MED", "referent")
        with world.database.unit_of_work(owner) as session:
            messages.send(session, owner, "piece.recue", key, {})
        world.settle()
        world.answers(next(row for row in world.open_tasks(case_id) if row.node == "T601_N3"), aide__pj13="@document")
    assert "T603" in world.nodes(case_id) and world.incidents() == []


@pytest.mark.parametrize(("wish", "node", "level"), [("social", "T601_N1", "N1"), ("creation", "T601_N3", "N3")])
def test_the_level_of_an_aid_is_its_measures_and_nobody_is_asked_it(world, wish, node, level):
    world.receive(world.somebody(wish))
    row = world.reaches(node)
    actor = world.who_does(row)
    with world.database.reading(actor) as session:
        form = tasks.view(session, actor, row.task_id).form
    assert "aide.niveau" not in {one.spec.id for one in form.questions()} and next(one.value for one in form.known if one.spec.id == "aide.niveau") == level
    world.answers(row)
    assert world.facts("aide.niveau") == {"aide.niveau": level} and world.incidents() == []


def test_between_two_instalments_the_evidence_of_the_last_is_awaited_not_what_lacked_long_before(world):
    case_id = world.receive(world.somebody("creation", **NO_ACCOUNT))
    world.answers(world.reaches("T602"), aide__pieces_toutes_remises=False, aide__pieces_manquantes=["PJ13"])
    owner = world.agent("OTE", "MED", "referent")
    brings(world, owner, case_id, "PJ13")
    world.answers(next(row for row in world.open_tasks(case_id) if row.node == "T601_N3"), aide__pj13="@document")
    world.reaches("T609")
    world.does(case_id, "T609")
    (found,) = [row for row in waiting(world) if row.name == "piece.recue"]
    assert [one.code for one in holders.page(world.database, case_id, "fr").pieces] == ["PJ14"]
    for kind, is_awaited in (("PJ13", False), ("PJ02", False), ("PJ14", True)):
        brings(world, owner, case_id, kind)
        assert (found.instance_id not in {row.instance_id for row in waiting(world) if row.name == "piece.recue"}) is is_awaited, kind
    assert "T607" in world.nodes(case_id) and world.incidents() == []


def brings(world, actor, case_id, kind):
    with world.database.unit_of_work(actor) as session:
        document = documents.upload(session, actor, f"{kind}.pdf", io.BytesIO(PDF + str(world.today()).encode()))
        choice = next(one for one in pieces.offered(session, actor, case_id) if one.piece == kind)
        pieces.lodge(session, actor, case_id, kind, choice.class_, document)
    world.settle()


def test_nobody_says_that_all_is_handed_in_while_a_quotation_lacks(world):
    expense = {"poste.nature": "scolarite", "poste.montant": 200_000, "poste.fournisseur": "École primaire"}
    world.receive(world.somebody("social", aide__postes=[expense]))
    listing = world.reaches("T602")
    assert refuses(world, listing, aide__pieces_toutes_remises=True) == {"aide.pieces_toutes_remises"}, "she would be asked the same again, and never told why"
    world.answers(listing, aide__pieces_toutes_remises=False, aide__pieces_manquantes=["PJ10"])
    assert "T602" not in world.nodes() and "pieces_manquantes" in letters(world) and world.incidents() == []
