"""What a case's page says once something unforeseen has begun: who is waited for although the case is closed, the paper to hand over, and that nothing came of it."""

import re
from itertools import count

import pytest

from engine.actors import users
from engine.demo import accounts
from tests import world as worlds
from tests.web.conftest import Browser
from tests.web.test_a_case_page import main

_NUMBERS = count(1)
_ASKED = """SELECT f.value #>> '{}' FROM fact f JOIN open_task t USING (root_id, subject) WHERE t.root_id = :id AND t.node = 'T401' AND f.field = 'mesure.type' AND f.is_current"""


@pytest.fixture
def karim(world):
    made = Browser(world.app)
    made.sign_in("karim", accounts.password())
    return made


@pytest.fixture
def case(world):
    """A case at the door of the employment adviser: of all its measures, only this one waits for an answer."""
    return world.arrives(world.receive(world.somebody("emploi", next(_NUMBERS))), "T401")


def begin(karim, case, process, **said):
    """Posts the form of the page; returns the page it leads to. `said`: field with `__` for the dot."""
    address = f"/cases/{case}/exceptions/{process}"
    karim.get(address)
    return karim.submit(address, {"csrf": karim.hidden("csrf"), "key": karim.hidden("key"), "act": "complete"} | {name.replace("__", "."): value for name, value in said.items()})


def day(field, today):
    return {f"{field}~day": str(today.day), f"{field}~month": f"{today.month:02}", f"{field}~year": str(today.year)}


def complaint(karim, case, today):
    return begin(karim, case, "reclamation", **day("reclamation__recue_le", today), reclamation__canal="guichet", reclamation__objet="delai",
                 reclamation__recit="J'attends depuis un mois.", reclamation__vise_chef="false")  # fmt: skip


def refused(karim, case, today, kind):
    return begin(karim, case, "refus_signale", **day("refus_signale__dit_le", today), refus_signale__canal="appel", refus_signale__mesure=kind, refus_signale__acceptation_motif="Pas de conseiller")


def ball(page):
    return re.sub("<[^>]+>", " ", page.text.partition("surface ball")[2].partition("</section>")[0]).replace("&#39;", "'")


def test_whoever_takes_a_complaint_is_handed_the_receipt_to_print(world, karim, case):
    page = complaint(karim, case, world.today())
    assert "C'est commencé : Réclamation." in main(page).replace("&#39;", "'")
    letter = re.search(r'href="(/letters/[^"]+)">Imprimer la lettre', page.text)[1]
    assert "réclamation" in karim.get(letter).text


def test_of_a_closed_case_the_page_says_who_is_waited_for_and_what_comes_next(world, karim, case):
    world.begins(case, "deces_redepart", world.agent("OTE", "MED", "referent"), sortie__evenement="redepart", sortie__preuve=None)
    world.does(case, "T962")
    page = karim.get(f"/cases/{case}")
    assert "Clos" in ball(page) and "Chez" not in ball(page)
    assert (page.text.count('<li class="past">'), page.text.count('<li class="stop">'), page.text.count('<li class="never">')) == (2, 1, 2), "a case that ended on its way did not walk the whole of it"
    complaint(karim, case, world.today())
    world.settle()
    page = karim.get(f"/cases/{case}")
    for said in ("Clos", "Chez", "Chef d'antenne", "Répondre à la réclamation", "jours ouvrés"):
        assert said in ball(page), said


def test_a_refusal_that_nothing_waits_for_is_not_said_to_have_begun(world, karim, case):
    with world.database.reading(users.system()) as session:
        waiting = session.execute(worlds.text(_ASKED), {"id": case}).scalar_one()
    said = main(refused(karim, case, world.today(), waiting))
    assert "« Refus à régler »" in said
    world.settle()
    assert "T976" in world.nodes(case)
    assert "« Rien n'attendait sa réponse »" in main(refused(karim, case, world.today(), waiting)).replace("&#39;", "'")


def test_a_clock_that_stands_still_is_not_called_without_a_deadline(world, karim, case):
    today = world.today()
    world.begins(case, "suspension", world.staff["karim"], suspension__motif="maladie", suspension__depuis_le=today.isoformat(), suspension__dit_le=today.isoformat(),
                 suspension__revue_le="@+60o", suspension__justificatif=None)  # fmt: skip
    said = ball(karim.get(f"/cases/{case}"))
    assert "Délai arrêté" in said and "Sans échéance" not in said


def test_what_was_begun_comes_to_the_case_a_moment_later_and_its_page_follows(world, karim, case):
    assert 'hx-trigger="every 2s"' in complaint(karim, case, world.today()).text
    assert 'hx-trigger="every 2s"' not in karim.get(f"/cases/{case}").text, "asked once: nothing is polled for ever"
