"""Nothing is typed twice: what is known stands in the question of the page, what has one right answer is told beside it as one types."""

import html
from html.parser import HTMLParser

import pytest

from engine.demo import accounts
from tests.web.conftest import Browser

ROOM = {"mesure.type": "M09", "mesure.agence": "CPS", "mesure.debut": "@+3", "mesure.aide_demandee": False}


class Filled(HTMLParser):
    """What the form of a task would send as it stands."""

    def __init__(self, page):
        super().__init__()
        self.pairs, self.select, self.long, self.on = {}, None, None, False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        had = dict(attrs)
        self.on = had.get("id") == "answers" if tag == "form" else self.on
        name, value = had.get("name"), had.get("value", "on")
        if not self.on:
            return
        if tag == "select":
            self.select = name
        elif tag == "option" and "selected" in had and self.select:
            self.pairs[self.select] = [value]
        elif tag == "textarea":
            self.long, self.pairs[name] = name, [""]
        elif tag == "input" and name and had.get("type") not in ("file", "submit") and (had.get("type") not in ("radio", "checkbox") or "checked" in had):
            self.pairs.setdefault(name, []).append(had.get("value", ""))

    def handle_data(self, data):
        if self.long:
            self.pairs[self.long][0] += data

    def handle_endtag(self, tag):
        self.select = None if tag == "select" else self.select
        self.long = None if tag == "textarea" else self.long
        self.on = self.on and tag != "form"


@pytest.fixture
def opens(world):
    def make(row):
        browser = Browser(world.app)
        browser.sign_in(world.who_does(row).username, accounts.password())
        browser.get(f"/tasks/{row.task_id}")
        return browser

    return make


def sends(browser, row, act, **changed):
    fields = Filled(browser.page.text).pairs | {name.replace("__", "."): [value] for name, value in changed.items()}
    return browser.submit(f"/tasks/{row.task_id}", {**fields, "act": act})


def test_a_plan_that_is_revised_stands_there_and_nothing_of_it_is_opened_again(world, opens):
    world.receive(world.somebody("social", 31, **{"plan.mesures": [ROOM]}))
    world.answers(world.reaches("T308"))
    world.answers(world.reaches("T702"), visite__suite="ajuster")
    world.answers(world.reaches("T703"), plan__a_reviser=True)
    again, before = world.reaches("T206"), world.facts("plan.")
    browser = opens(again)
    assert before["plan.engagements_beneficiaire"] in html.unescape(browser.page.text) and "Repris de ce qui est déjà su" in browser.page.text
    sends(browser, again, "complete")
    assert browser.path != f"/tasks/{again.task_id}", browser.page.text
    after = world.facts("plan.")
    assert after["plan.mesures"] == before["plan.mesures"] and after["plan.objectifs"] == before["plan.objectifs"]
    assert "T308" not in world.nodes()


def test_whoever_examines_an_aid_finds_the_programme_of_the_rules_and_reads_what_its_fund_has_left(world, opens):
    world.receive(world.somebody("social", 32))
    examined = world.reaches("T603", 400)
    browser = opens(examined)
    page = browser.page.text
    assert 'name="aide.fonds_disponibles"' not in page and 'value="TOUNESNA-EU" checked' in page
    told = html.unescape(page.partition('id="q-aide-fonds_libres"')[2].partition("</div>")[0])
    assert "Argent libre au fonds du programme" in told and "2\u202f500\u202f000,000\u202fDT" in told.replace(" ", "\u202f").replace("\u00a0", "\u202f") and "Calculé" in told
    assert ">Oui<" in page.partition('id="q-aide-fonds_disponibles"')[2].partition("</div>")[0]
    assert ">0,000" in html.unescape(sends(browser, examined, "refresh", aide__programme="EURP-V").text.partition('id="q-aide-fonds_libres"')[2].partition("</div>")[0])
    sends(browser, examined, "complete", aide__programme="TOUNESNA-EU", aide__criteres_verifies="true", aide__cumul_verifie="true")
    assert world.facts("aide.fonds")["aide.fonds_disponibles"] is True


def test_what_was_paid_less_what_was_spent_is_told_as_one_types_and_asked_of_nobody(world, opens):
    settled = world.reaches("T610", 800)
    paid = world.facts("aide.montant_paye")["aide.montant_paye"]
    browser = opens(settled)
    assert 'name="aide.solde_reliquat"' not in browser.page.text and 'name="aide.solde_suite"' not in browser.page.text
    page = sends(browser, settled, "refresh", aide__solde_depense=f"{(paid - 20_000) / 1000:.3f}").text
    assert "<bdi>20,000" in html.unescape(page.partition('id="q-aide-solde_reliquat"')[2].partition("</div>")[0]) and 'name="aide.solde_suite"' in page
    assert page.index('id="q-aide-solde_reliquat"') < page.index('name="aide.solde_suite"'), "told before what depends on it is asked"
    assert 'name="aide.solde_suite"' not in sends(browser, settled, "refresh", aide__solde_depense=f"{paid / 1000:.3f}").text, "nothing is left: nothing is to be done with it"
