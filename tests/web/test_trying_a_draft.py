"""Trying a draft without script: a trial walked by hand and kept, a rehearsal followed to its end, scenarios and what they cover, a simulation; and who sees none of it."""

import html
import re
from types import SimpleNamespace

import pytest

from engine.casework import batches
from engine.pathway import simulation
from engine.settings import Settings
from tests.web.conftest import Browser
from tests.web.small.answers import reception
from tests.web.small.installation import files, furnish
from tests.web.test_a_task_page import complete
from web.app import create_app
from web.formatting import Words
from web.pages.simulation import _change

DIAGRAM = "processes/parcours.bpmn"
LATER = ('role="referent" delai="2"', 'role="referent" delai="9"')


@pytest.fixture(scope="module")
def installed(make_database):
    database = make_database(furnish)
    return database, create_app(Settings(is_demo=True), database)


@pytest.fixture
def sign_in(installed):
    def make(username):
        made = Browser(installed[1])
        made.sign_in(username)
        return made

    return make


def said(browser):
    """The words of the page's main part."""
    return html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", browser.page.text.partition("<main")[2].partition("</main>")[0])))


def opened(meriem, *edits):
    meriem.get("/editions")
    meriem.post("/drafts", title="Plus tard", edition_id="")
    draft = meriem.path
    if edits:
        content = files()[DIAGRAM].decode()
        for old, new in edits:
            assert old in content
            content = content.replace(old, new)
        meriem.get(f"{draft}/files/{DIAGRAM}")
        meriem.client.post(f"{draft}/files/{DIAGRAM}", data={"csrf": meriem.hidden("csrf"), "version": "0", "content": content, "act": "save"})
    return draft


def test_a_rehearsal_is_asked_followed_read_and_grows_stale(installed, sign_in):
    salma, meriem = sign_in("salma"), sign_in("meriem")
    case = complete(salma)
    draft = opened(meriem, LATER)
    assert "n'a pas été répété" in said(meriem.get(draft) and meriem)
    meriem.get(f"{draft}/rehearsal")
    meriem.post(f"{draft}/rehearsal", act="start")
    assert "La répétition va commencer" in said(meriem) and "<progress" in meriem.page.text and 'hx-trigger="every 2s"' in meriem.page.text
    batches.work_off(installed[0])
    meriem.get(f"{draft}/rehearsal")
    assert "Répétition terminée" in said(meriem) and "« Orienter la personne » : délai de 9 jours ouvrés au lieu de 2 jours ouvrés." in said(meriem)
    assert f'href="{case}"' in meriem.page.text and "every 2s" not in meriem.page.text
    chokri = sign_in("chokri")
    assert "délai de 9 jours ouvrés" in said(chokri.get(f"{draft}/rehearsal") and chokri) and "Répéter de nouveau" not in said(chokri)
    assert re.search("irai(en)?t autrement", said(sign_in("anis").get(draft) and meriem.get(draft) and meriem)), "whoever approves reads it on the draft's page"
    meriem.get(f"{draft}/files/{DIAGRAM}")
    meriem.client.post(f"{draft}/files/{DIAGRAM}", data={"csrf": meriem.hidden("csrf"), "version": "1", "content": files()[DIAGRAM].decode(), "act": "save"})
    assert "Le brouillon a changé depuis" in said(meriem.get(f"{draft}/rehearsal") and meriem)


def test_a_rehearsal_can_be_stopped(installed, sign_in):
    complete(sign_in("salma"))
    meriem = sign_in("meriem")
    draft = opened(meriem, LATER)
    meriem.get(f"{draft}/rehearsal")
    meriem.post(f"{draft}/rehearsal", act="start")
    meriem.post(f"{draft}/rehearsal", act="cancel")
    assert "Répétition arrêtée" in said(meriem) and batches.work_off(installed[0]) == 0


def typed(meriem, **more):
    return {name: meriem.hidden(name) for name in ("csrf", "version", "instance", "node", "turn")} | more


def test_a_trial_by_hand_from_the_form_that_people_get_to_a_scenario(sign_in):
    meriem = sign_in("meriem")
    draft = opened(meriem)
    here = f"{draft}/trial"
    meriem.get(here)
    meriem.post(here, act="begin", process="parcours", branch="MED", wish="emploi")
    assert "Accueillir et identifier" in said(meriem) and 'name="person.nom_fr"' in meriem.page.text and "data-upload" not in meriem.page.text
    meriem.client.headers["accept-language"] = "fr"
    wrong = meriem.client.post(here, data=typed(meriem, act="answer") | reception(**{"person.nom_fr": "", "person.cin": "12"}))
    assert wrong.status_code == 422 and "person.cin" in wrong.text
    meriem.get(here)
    meriem.page = meriem.client.post(here, data=typed(meriem, act="answer") | reception(**{"depistage.sans_abri_ce_soir": "true"}))
    assert "À faire : « Orienter la personne »." in said(meriem) and "Fait par Masar : « Remettre le récépissé »." in said(meriem)
    assert 'data-here="[&#34;orienter&#34;]"' in meriem.page.text
    meriem.page = meriem.client.post(here, data=typed(meriem, act="invent"))
    assert "vers « Non »" in said(meriem) and "À faire : « Trouver un hébergement »." in said(meriem)
    meriem.post(here, act="back", version=meriem.hidden("version"))
    assert "À faire : 1 tâche Orienter la personne" in said(meriem)
    assert 'value="invent" aria-label="Inventer et terminer Orienter la personne"' in meriem.page.text, "without opening its form"
    meriem.page = meriem.client.post(here, data=typed(meriem, act="invent"))
    meriem.page = meriem.client.post(here, data=typed(meriem, act="answer"))
    assert "Tout est terminé." in said(meriem)
    meriem.post(here, act="keep", title="Sans toit", version=meriem.hidden("version"))
    assert meriem.path == f"{draft}/scenarios" and "Gardé dans le brouillon. Scénarios faits : 1." in said(meriem)
    assert "1 scénario Sans toit Passe" in said(meriem) and "Ce que les scénarios parcourent : 7 éléments sur 7" in said(meriem)
    assert "Besma" not in meriem.get(f"{draft}/content/processes/scenarios/sans-toit-parcours.toml").text
    meriem.get(here)
    meriem.post(here, act="drop")
    assert "Commencer un essai" in said(meriem)


def test_a_case_becomes_a_scenario_and_one_that_cannot_says_why(sign_in):
    salma, meriem = sign_in("salma"), sign_in("meriem")
    number = re.search(r"TN-MED-\d{4}-\d{5}", salma.get(complete(salma)).text)[0]
    draft = opened(meriem)
    meriem.get(f"{draft}/scenarios")
    meriem.post(f"{draft}/scenarios", act="make", number="TN-MED-1999-00001", title="Personne")
    assert meriem.page.status_code == 404 and 'value="TN-MED-1999-00001"' in meriem.page.text
    meriem.post(f"{draft}/scenarios", act="make", number=number, title="Accueil")
    assert "fait d'un dossier réel" in said(meriem)
    meriem.post(f"{draft}/scenarios", act="remove", path="processes/scenarios/accueil-parcours.toml")
    assert "Aucun scénario encore." in said(meriem)


def test_a_case_that_the_draft_leads_elsewhere_is_kept_as_one_chooses(sign_in):
    salma, meriem = sign_in("salma"), sign_in("meriem")
    number = re.search(r"TN-MED-\d{4}-\d{5}", salma.get(complete(salma)).text)[0]
    draft = opened(meriem, ('"orienter"', '"orienter_bis"'))
    here, asked = f"{draft}/scenarios", {"act": "make", "number": number, "title": "Accueil"}
    meriem.get(here)
    assert meriem.post(here, **asked, expects="").status_code == 409
    assert "Le brouillon mène ce dossier ailleurs" in said(meriem) and "Aucun scénario encore." in said(meriem) and f'name="number" value="{number}"' in meriem.page.text
    meriem.get(here)
    meriem.post(here, **asked, expects="case")
    assert "Accueil Ne passe plus" in said(meriem)
    assert f'href="{here}"' in meriem.get(draft).text.partition('id="findings"')[2].partition("</section>")[0], "the finding leads to where it is mended in one act"
    meriem.get(here)
    meriem.post(here, act="remove", path="processes/scenarios/accueil-parcours.toml")
    meriem.post(here, **asked, expects="draft")
    assert "Accueil Passe" in said(meriem) and "Ne passe plus" not in said(meriem)


def test_a_simulation_says_what_is_to_be_expected_and_on_what_it_rests(sign_in):
    complete(sign_in("salma"))
    meriem = sign_in("meriem")
    draft = opened(meriem, ('<bpmn:endEvent id="fin"', '<bpmn:userTask id="revoir" name="Revoir"><bpmn:extensionElements><masar:tache form="visiter" role="referent" delai="5" unite="jours"/>'
                            '</bpmn:extensionElements></bpmn:userTask><bpmn:sequenceFlow id="f9" sourceRef="revoir" targetRef="fin"/><bpmn:endEvent id="fin"'),
                   ('sourceRef="visiter" targetRef="fin"', 'sourceRef="visiter" targetRef="revoir"'))  # fmt: skip
    meriem.get(f"{draft}/simulation")
    assert "« Revoir » n'a encore jamais été fait : on suppose que tout son délai est pris." in said(meriem) and "tâches par mois" in said(meriem)
    assert meriem.page.text == meriem.get(f"{draft}/simulation").text, "the same figures again"
    assert 'name="n.MED.OTE.referent"' in meriem.page.text and "Une personne est là" in said(meriem)
    page = said(meriem.get(f"{draft}/simulation?branch=MED&n.MED.OTE.referent=0") and meriem)
    assert "personne ne tient le rôle" in page and "Calculé avec d'autres personnes qu'aujourd'hui" in page
    assert meriem.get(f"{draft}/simulation?branch=MED&n.MED.OTE.referent=999").status_code == 422


@pytest.mark.parametrize(("later", "kind"), [((4.9, 4.9, *(5.0,) * 18), "same"), ((4.4, 4.6) * 10, "less"), ((3.0, 7.0) * 10, "unsure"), ((5.4, 5.6) * 10, "more")])
def test_figures_that_read_alike_are_no_difference(later, kind):
    before, after = (simulation.Range(0.0, 0.0, 0.0, drawn) for drawn in ((5.0,) * 20, later))
    told = _change(SimpleNamespace(words=Words("ar")), before, after, 1)
    assert told["kind"] == kind and not any("-0," in text and text.strip("-0,") == "" for text, _ in told["said"])
    assert all(is_apart == any(one.isdigit() for one in text) for text, is_apart in told["said"]), "each number stands apart: in Arabic its sign would come behind it"


@pytest.mark.parametrize("part", ["trial", "rehearsal", "scenarios", "simulation"])
@pytest.mark.parametrize("language", ["ar", "en"])
def test_each_page_speaks_the_readers_language(sign_in, part, language):
    meriem = sign_in("meriem")
    draft = opened(meriem)
    page = meriem.get(f"{draft}/{part}?language={language}")
    assert page.status_code == 200 and f'<html lang="{language}"' in page.text and "[web." not in page.text


@pytest.mark.parametrize("part", ["trial", "rehearsal", "scenarios", "simulation"])
def test_who_prepares_no_edition_sees_none_of_it(sign_in, part):
    draft = opened(sign_in("meriem"))
    for username in ("salma", "zied"):
        other = sign_in(username)
        assert other.get(f"{draft}/{part}").status_code == 403
