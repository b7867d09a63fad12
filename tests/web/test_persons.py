"""The pages of the registry: a search that no address tells of, a person's card, two side by side, and a charter's sheet."""

import datetime as dt
import io
import re

import pytest
from openpyxl import Workbook

from engine.demo import accounts
from engine.settings import Settings
from tests import world as worlds
from tests.stories.test_a_minor_does_not_sign import end_reception, received
from tests.stories.test_one_person_two_cards import FOREIGN, end
from tests.web.conftest import Browser
from tests.world import furnish
from web.app import create_app


@pytest.fixture(scope="module")
def town(make_database):
    database = make_database(furnish)
    world = worlds.World(database)
    world.app = create_app(Settings(is_demo=True), database)
    return world


def enter(town, username):
    browser = Browser(town.app)
    browser.sign_in(username, accounts.password())
    return browser


def test_two_cards_side_by_side_are_made_one_by_two_people_and_parted(town):
    names = {"person.prenom_fr": "Sonia", "person.nom_fr": "Ayari", "person.prenom_ar": "", "person.nom_ar": "", "person.tel": "+21698222333"}
    first = town.receive(town.somebody("emploi", 21) | names | FOREIGN | {"person.naissance_date": "1991-01-02"})
    second = town.receive(town.somebody("emploi", 22) | names | {"person.naissance_date": "1992-02-01"})
    town.does(first, "T101")
    town.does(second, "T101")
    karim, head = enter(town, "karim"), enter(town, town.agent("OTE", "MED", "chef_antenne").username)
    karim.get("/cases")
    found = karim.post("/cases", q="Sonya Ayari").text
    assert str(first) in found and str(second) in found
    card = karim.get(f"/cases/{second}/person").text
    assert f"/cases/{second}/beside/{first}" in card
    page = karim.get(f"/cases/{second}/beside/{first}")
    assert page.status_code == 200 and "take:person.naissance_date" in page.text
    refused = karim.post(f"/cases/{second}/beside/{first}", act="merge", kept=str(second), reason="La même")
    assert refused.status_code == 409 and "sont en cours" in refused.text, "both cases run"
    refused = karim.post(f"/cases/{second}/beside/{first}", act="apart", reason=" ", kept=str(first), **{"take:person.naissance_date": str(first)})
    assert refused.status_code == 422
    for name in ("kept", "take:person.naissance_date"):
        assert re.findall(rf'name="{name}"[^>]* value="([0-9a-f-]+)" checked', refused.text) == [str(first)], name
    end(town, first)
    karim.get(f"/cases/{second}/beside/{first}")
    page = karim.post(f"/cases/{second}/beside/{first}", act="merge", kept=str(second), reason="La même", **{"take:person.naissance_date": str(first)})
    assert page.url.path.endswith(f"/beside/{first}") and "Une autre personne doit décider" in page.text
    page = head.get("/mergers")
    assert page.text.count('/person"><bdi>Sonia Ayari</bdi>') == 2, "whoever decides reads of whom"
    merger = re.search(r'action="(/mergers/[0-9a-f-]+)"', page.text)[1]
    assert karim.get("/mergers").status_code == 200 and karim.post(merger, act="approve").status_code == 403
    head.get("/mergers")
    page = head.post(merger, act="approve")
    assert "Réunies" in page.text and page.text.count('/person"><bdi>Sonia Ayari</bdi>') == 2 and page.status_code == 200
    assert "1991" in head.get(f"/cases/{second}/person").text
    head.get("/mergers")
    page = head.post(merger, act="undo", reason="Deux cousines")
    assert "Séparées de nouveau" in page.text
    karim.get(f"/cases/{second}/beside/{first}")
    page = karim.post(f"/cases/{second}/beside/{first}", act="apart", reason="Deux cousines")
    assert "Ce sont deux personnes" in page.text and "Deux cousines" in page.text


def test_a_minor_joined_to_her_fathers_case_says_so_and_leads_to_it(town):
    father = town.receive(town.somebody("creation", 31))
    end_reception(town, father)
    child = received(town, 32, accueil__dossier_parent=town.file(father).case_number)
    page = enter(town, "karim").get(f"/cases/{child}").text
    assert "Suite dans un autre dossier" in page and f'<a href="/cases/{father}">' in page
    assert (page.count("(faite)"), page.count("(fini ici)"), page.count("(pas atteinte)")) == (0, 1, 4), "she was received; nothing else was done, nor is it to come"


def test_a_case_that_an_incident_stops_is_not_said_to_need_nothing(town):
    stopped = received(town, 33, accueil__dossier_parent="TN-MED-2020-99998")
    for username in ("salma", town.agent("OTE", "MED", "chef_antenne").username):
        page = enter(town, username).get(f"/cases/{stopped}").text
        assert "Un incident arrête ce dossier" in page and "Personne n'a rien à faire" not in page, username


def test_who_comes_again_is_opened_a_case_from_her_card(town):
    former = town.receive(town.somebody("emploi", 23) | FOREIGN | {"person.prenom_fr": "Habiba", "person.nom_fr": "Zouari"})
    town.does(former, "T101")
    end(town, former)
    salma = enter(town, town.agent("OTE", "MED", "agent_accueil").username)
    salma.get("/intake")
    page = salma.post("/intake/search", q="حبيبة الزواري")
    assert f"/cases/{former}/returned" in page.text
    salma.get(f"/cases/{former}/returned")
    page = salma.post(f"/cases/{former}/returned", channel="guichet")
    assert page.url.path.startswith("/tasks/") and "Habiba" in page.text


def test_a_person_out_of_reach_is_not_there(town):
    case = town.receive(town.somebody("emploi", 24), branch="MED")
    town.does(case, "T101")
    stranger = enter(town, town.agent("OTE", "SFX", "chef_antenne").username)
    other = town.receive(town.somebody("emploi", 25), branch="SFX")
    for address in (f"/cases/{case}/person", f"/cases/{other}/beside/{case}", f"/cases/{case}/beside/{other}"):
        assert stranger.get(address).status_code == 404, address


def test_a_charters_sheet_comes_back_with_what_is_wrong_in_it(town):
    attache = enter(town, town.agent("OTE", "TUN", "attache_social").username)
    day = town.today().strftime("%d/%m/%Y")
    attache.get("/charter")
    head = {"retour.date_prevue": day, "retour.type": "force_charter", "retour.pays": "IT", "signalement.source": "frontiere"}
    page = attache.submit("/charter", head | {"key": attache.hidden("key"), "sheet": "Nom;Prénom;Naissance\nKefi;Adel;1990\nJaziri;Nizar;1990-13-45\n?;;\n"})
    assert page.status_code == 422 and "2 personnes enregistrées" in page.text and "1 ligne à revoir" in page.text
    kept = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.S)[1]
    assert kept == "Nom;Prénom;Naissance\nJaziri;Nizar;1990-13-45"
    page = attache.submit("/charter", head | {"key": attache.hidden("key"), "sheet": kept.replace("1990-13-45", "1990") + "\nKefi;Adel;1990"})
    assert page.status_code == 200 and "1 personne enregistrée" in page.text and "1 ligne était déjà" in page.text
    page = attache.submit("/charter", head | {"retour.pays": "FR", "sheet": "Kefi;Adel;M;1990\nRiahi;Sami;M;1991"})
    assert page.status_code == 422 and "1 personne enregistrée" in page.text and "Déjà saisie le" in page.text and "liste du signalement SG-TUN-" in page.text
    said = re.search(r'type="checkbox" name="apart" id="apart-1" value="([^"]*)"', page.text)[1]
    page = attache.submit("/charter", head | {"retour.type": "nonsense", "sheet": "Kefi;Adel;M;1990", "apart": said})
    assert page.status_code == 422 and f'type="hidden" name="apart" value="{said}"' in page.text, "what was said of a line is there again"
    page = attache.submit("/charter", head | {"sheet": "Kefi;Adel;M;1990", "apart": said})
    assert page.status_code == 200 and "1 personne enregistrée" in page.text and "Voir le signalement" in page.text
    page = attache.submit("/charter", {"key": attache.hidden("key"), "sheet": "Riahi;Sami;1991", "retour.type": "nonsense"})
    assert page.status_code == 422 and "Riahi;Sami;1991" in page.text, "what was typed is there"
    assert enter(town, "karim").get("/charter").status_code == 403
    for content, status, words in ((workbook(("Nom", "Prénom", "Naissance"), ("Zouari", "Hatem", dt.date(1988, 3, 5)), ("Zouari", "Nidhal", "1990-13-45")), 422, "1 personne enregistrée"),
                                   (b"PK\x03\x04 no workbook", 422, "Ce classeur ne peut pas être lu"), (b"%PDF-1.7\0\0", 422, "n&#39;est ni un CSV ni un classeur")):  # fmt: skip
        attache.get("/charter")
        sent = {name: (None, value) for name, value in (head | {"csrf": attache.hidden("csrf"), "key": attache.hidden("key"), "sheet": ""}).items()}
        page = attache.client.post("/charter", files=sent | {"file": ("liste.xlsx", content)})
        assert page.status_code == status and words in page.text, words
    assert "Zouari\tNidhal\t1990-13-45" in attache.client.post("/charter", files=sent | {"file": ("l.xlsx", workbook(("Zouari", "Nidhal", "1990-13-45")))}).text, "as text, to be corrected"


def workbook(*rows):
    made, written = Workbook(), io.BytesIO()
    for row in rows:
        made.active.append(row)
    made.save(written)
    return written.getvalue()


def test_a_whole_number_opens_its_case_and_a_part_of_one_lists(town):
    case_id = town.receive(town.somebody("emploi", 31))
    salma = enter(town, "salma")
    number = re.search(r"TN-MED-\d{4}-\d{5}", salma.get(f"/cases/{case_id}").text)[0]
    salma.get("/cases")
    salma.post("/cases", q=f" {number.lower()} ")
    assert salma.path == f"/cases/{case_id}"
    salma.get("/cases")
    salma.post("/cases", q=number[:-1])
    assert salma.path == "/cases"
