"""A task as a person works on it, without script: what is asked, what is known, mending, drafts, two people, a second click."""

import html
import re

from engine import clock
from tests.web.small.answers import reception, row


def open_case(browser):
    browser.get("/intake")
    browser.post("/intake", process="parcours", branch="MED", q="personne")
    assert browser.path.startswith("/tasks/"), browser.page.text
    return browser.path


def act(browser, wanted, fields):
    return browser.submit(browser.path, {**fields, "act": wanted})


def complete(browser, **changed):
    """Opens a case and completes its first form; the address of the case."""
    open_case(browser)
    case = re.search(r"/cases/[0-9a-f-]{36}", browser.page.text)[0]
    act(browser, "complete", reception(**changed))
    assert browser.path == "/desk", summary(browser.page)
    return case


def task_of(browser, case):
    """The address of the first task a case waits for."""
    return re.search(r"/tasks/[0-9a-f-]{36}", browser.get(case).text)[0]


def orientation(page):
    """Every question of the second form that must be answered."""
    return {
        "evaluation.ressources_mensuelles": "350,500", "accueil.motif_visite~present": "1",
        "accueil.motif_visite": re.search(r'name="accueil.motif_visite" value="([^"]+)"', page.text)[1],
        "accueil.rdv_le~day": "3", "accueil.rdv_le~month": "12", "accueil.rdv_le~year": "2028", "accueil.rdv_le~hour": "09:30", "consentement.signature~name": "Besma Dridi", "consentement.signature~typed": "yes",
    }  # fmt: skip


def test_what_was_typed_to_look_for_her_is_not_typed_again(browser):
    salma = browser("salma")
    salma.get("/intake")
    page = salma.post("/intake", process="parcours", branch="MED", q="Besma Ben Dridi")
    assert (value_of(page, "person.prenom_fr"), value_of(page, "person.nom_fr"), value_of(page, "person.nom_ar")) == ("Besma", "Ben Dridi", "")


def summary(page):
    return [html.unescape(re.sub("<[^>]+>", "", one)).strip() for one in re.findall(r"<li><a href=\"#[^>]*>.*?</a></li>", page.text)]


def value_of(page, name):
    return re.search(rf'name="{re.escape(name)}"[^>]* value="([^"]*)"', page.text)[1]


def known(page):
    """Label → what is shown of it, of the known facts beside the questions; a source told once for its section is told of each."""
    side = page.text.partition('id="known-title"')[2].partition("</aside>")[0]
    shown = {}
    for section in side.split("<details")[1:]:
        source = re.search(r'<p class="source[^>]*>(.*?)</p>', section)
        for label, said in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", section, re.S):
            of_all = source[1] if source and 'class="source"' not in said and 'class="held"' not in said else ""
            shown[re.sub("<[^>]+>", "", label)] = html.unescape(re.sub("<[^>]+>", " ", said) + of_all)
    return shown


def test_what_is_wrong_is_said_on_top_and_beside_and_the_typing_stays(browser):
    salma = browser("salma")
    open_case(salma)
    typed = reception(person__cin="12", retour__pays="")
    page = act(salma, "complete", typed)
    assert page.status_code == 422
    assert len(summary(page)) == 2
    for anchor in re.findall(r'<li><a href="#([^"]+)">', page.text):
        assert f'id="{anchor}"' in page.text
    assert page.text.count('class="wrong"') == 2
    for name in ("person.nom_ar", "person.nom_fr", "person.cin", "retour.date~year"):
        assert value_of(page, name) == typed[name]
    assert 'value="TN-82-01" selected' in page.text
    assert value_of(salma.get(salma.path), "person.nom_fr") == typed["person.nom_fr"], "the draft too"


def test_a_question_appears_when_its_condition_becomes_true_and_goes_when_it_is_not(browser):
    salma = browser("salma")
    open_case(salma)
    assert 'name="accueil.tuteur_nom"' not in salma.page.text
    assert 'name="accueil.tuteur_nom"' in act(salma, "refresh", reception(**{"accueil.accompagne": "true"})).text
    assert 'name="accueil.tuteur_nom"' not in act(salma, "refresh", reception() | {"accueil.tuteur_nom": "Hédi"}).text
    # Left in the page by somebody who changed her mind: not an answer any more, and no reason to refuse.
    assert act(salma, "complete", reception() | {"accueil.tuteur_nom": "Hédi"}).status_code == 200
    assert salma.path == "/desk"


def test_a_question_that_another_answer_calls_for_is_asked_at_completion_without_script(browser):
    salma = browser("salma")
    open_case(salma)
    page = act(salma, "complete", reception(**{"accueil.accompagne": "true"}))
    assert page.status_code == 422
    assert 'name="accueil.tuteur_nom"' in page.text


def test_rows_are_added_removed_and_kept(browser):
    salma = browser("salma")
    open_case(salma)
    page = act(salma, "add:foyer.membres", reception())
    assert 'name="foyer.membres[0].membre.prenom"' in page.text
    page = act(salma, "add:foyer.membres", reception() | row(0))
    assert value_of(page, "foyer.membres[0].membre.prenom") == "Ali"
    page = act(salma, "remove:foyer.membres[0]", reception() | row(0) | row(1, prenom="Mariem"))
    assert "foyer.membres[0]" not in page.text
    assert value_of(page, "foyer.membres[1].membre.prenom") == "Mariem"
    page = act(salma, "complete", reception() | row(1, prenom="Mariem", sexe=""))
    assert 'id="q-foyer-membres-1-membre-sexe"' in page.text
    assert len(summary(page)) == 1
    act(salma, "complete", reception() | row(1, prenom="Mariem"))
    assert salma.path == "/desk"


def test_a_day_that_is_today_takes_one_click_and_one_known_in_part_takes_none(browser):
    salma = browser("salma")
    open_case(salma)
    assert 'value="today:retour.date"' in salma.page.text and "today:person.naissance_date" not in salma.page.text
    unsaid = {f"retour.date~{part}": "" for part in ("year", "month", "day")}
    page = act(salma, "today:retour.date", reception() | unsaid)
    today = clock.today(clock.system_now())
    assert (value_of(page, "retour.date~year"), value_of(page, "retour.date~day")) == (str(today.year), f"{today.day:02}") and f'value="{today.month:02}" selected' in page.text
    assert 'data-focus="q-retour-date"' in page.text and "today:retour.date" not in page.text
    assert value_of(salma.get(salma.path), "retour.date~year") == str(today.year), "the draft too"


def test_what_is_known_is_not_asked_again_but_shown_with_its_source_and_can_be_corrected(browser):
    salma, karim = browser("salma"), browser("karim")
    case = complete(salma, person__prenom_fr="Besma")
    task = task_of(karim, case)
    page = karim.get(task)
    assert 'name="person.nom_fr"' not in page.text
    shown = known(page)
    assert "Saisi par Salma Trabelsi (OTE)" in shown["Prénom, en lettres latines"]
    page = act(karim, "correct:person.prenom_fr", {})
    assert value_of(page, "person.prenom_fr") == "Besma"
    assert "Prénom, en lettres latines" not in known(page)
    page = act(karim, "complete", {"correcting": "person.prenom_fr", "person.prenom_fr": "Basma", "accueil.motif_visite~present": "1"})
    assert value_of(page, "person.prenom_fr") == "Basma", "kept while the rest is mended"
    page = act(karim, "complete", {**orientation(page), "correcting": "person.prenom_fr", "person.prenom_fr": "Basma"})
    assert karim.path == "/desk", summary(page)
    told = karim.get(f"{case}?tab=known").text
    assert "Basma" in told
    assert "350,500" in told
    assert "Karim Ben Amor" in told
    assert "3 décembre 2028" in told


def test_a_correction_can_be_dropped(browser):
    salma, karim = browser("salma"), browser("karim")
    task = task_of(karim, complete(salma))
    karim.get(task)
    act(karim, "correct:person.prenom_fr", {})
    page = act(karim, "keep:person.prenom_fr", {"correcting": "person.prenom_fr", "person.prenom_fr": "Autre"})
    assert 'name="person.prenom_fr"' not in page.text
    assert "Besma" in known(page)["Prénom, en lettres latines"]


def test_what_the_reader_may_not_see_is_said_to_be_held_and_nothing_more(browser):
    salma, karim = browser("salma"), browser("karim")
    page = karim.get(task_of(karim, complete(salma)))
    shown = known(page)
    held = next(said for label, said in shown.items() if "dormir" in label)
    assert "non affiché" in held
    assert "Corriger" not in held
    assert "Oui" not in held


def test_two_people_on_one_task_one_wins_and_the_other_keeps_the_typing(browser):
    salma, selim = browser("salma"), browser("selim")
    task = open_case(salma)
    selim.get(task)
    act(salma, "complete", reception())
    page = act(selim, "complete", reception(person__prenom_fr="Selma"))
    assert page.status_code == 409
    assert "Salma Trabelsi" in page.text
    assert "Selma" in page.text


def test_a_task_that_somebody_took_tells_who_and_keeps_the_typing(browser):
    salma, selim = browser("salma"), browser("selim")
    task = open_case(salma)
    selim.get(task)
    typed = reception()
    salma.post(f"{task}/claim")
    assert "en charge" in salma.page.text
    page = act(selim, "complete", typed)
    assert page.status_code == 409
    assert "Salma Trabelsi" in page.text
    assert value_of(page, "person.nom_fr") == typed["person.nom_fr"]


def test_a_second_click_of_the_same_submission_changes_nothing_and_ends_well(browser):
    salma = browser("salma")
    task = open_case(salma)
    held = {name: salma.hidden(name) for name in ("csrf", "version", "key")}
    sent = {**reception(), **held, "act": "complete"}
    first = salma.client.post(task, data=sent, follow_redirects=False)
    second = salma.client.post(task, data=sent, follow_redirects=False)
    assert (first.status_code, second.status_code) == (303, 303)
    assert second.headers["location"].startswith(("/desk", "/tasks/"))


def test_drafts_are_kept_for_their_author_alone(browser):
    salma, selim = browser("salma"), browser("selim")
    task = open_case(salma)
    saved = salma.submit(f"{task}/draft", reception(person__nom_fr="Brouillon"))
    assert saved.text.startswith("Enregistré à")
    assert value_of(salma.get(task), "person.nom_fr") == "Brouillon"
    assert "Brouillon" not in selim.get(task).text


def test_the_page_patched_in_place_equals_the_page_loaded_again(browser):
    salma = browser("salma")
    task = open_case(salma)
    typed = reception(**{"accueil.accompagne": "true"}) | row(0)

    def questions(page):
        inner = page.text.partition('<div id="questions">')[2].partition('<div class="staying')[0]
        return re.sub(r"\s+", " ", inner)

    patched = salma.submit(task, {**typed, "act": "draft"}, headers={"hx-request": "true"})
    assert patched.status_code == 200
    assert 'name="foyer.membres[0].membre.prenom"' in patched.text
    assert questions(patched) == questions(salma.get(task))
    for address in ("/desk", "/desk?view=queue", "/cases"):
        plain, patch = (re.sub(r"since=[^&\"]+", "", salma.get(address, headers=headers).text) for headers in ({}, {"hx-request": "true"}))
        assert plain == patch


def test_a_possible_double_is_shown_before_it_is_made_and_set_aside_with_a_reason(browser):
    salma = browser("salma")
    cin = "07654321"
    complete(salma, person__cin=cin)
    open_case(salma)
    page = act(salma, "complete", reception(person__cin=cin))
    assert page.status_code == 409
    other = re.search(r'name="not_duplicate_of" value="([^"]+)"', page.text)[1]
    assert value_of(page, "person.cin") == cin
    page = act(salma, "complete", reception(person__cin=cin) | {"not_duplicate_of": other})
    assert page.status_code == 422, "a reason is needed"
    act(salma, "complete", reception(person__cin=cin) | {"not_duplicate_of": other, "not_duplicate_reason": "Jumeaux, numéro mal recopié"})
    assert salma.path == "/desk"


def test_whoever_may_not_do_a_task_reads_it_at_most(browser):
    salma = browser("salma")
    task = open_case(salma)
    assert 'value="complete"' not in browser("karim").get(task).text
    page = browser("chokri").get(task).text
    assert "Un autre remplit cette tâche" in page and "Vérifiez, puis terminez" not in page, "who audits is asked nothing, nor told to finish it"
    assert browser("nabil").get(task).status_code in (200, 404)
    assert browser("ines").get(task).status_code == 404, "another branch"
    assert browser("zied").get(task).status_code == 404, "the administrator sees no case"
