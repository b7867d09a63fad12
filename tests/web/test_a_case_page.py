"""The case page: who has the ball, what comes next, the diagram, what is known, documents, history with its reasons; and who is kept out."""

import datetime as dt
import re

import pytest

from engine import i18n
from engine.casework import editions
from engine.dossier import documents
from engine.settings import ROOT
from tests.engine.dossier.test_documents import PNG
from tests.web.small.answers import reception
from tests.web.test_a_task_page import act, complete, open_case, orientation, task_of
from web import sentences
from web.formatting import Words


def main(page):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page.text.partition("<main")[2].partition("</main>")[0]))


def test_one_reads_first_who_has_the_ball_since_when_until_when_and_what_comes_next(browser):
    salma = browser("salma")
    page = salma.get(complete(salma))
    ball = page.text.partition("surface ball")[2].partition("</section>")[0]
    for said in ("Orienter la personne", "OTE", "depuis aujourd&#39;hui", "Dans "):
        assert said in ball or said.replace("&#39;", "'") in ball, said
    assert "Trouver un hébergement" in main(page).partition("Ensuite")[2]


def test_the_diagram_is_told_where_the_case_stands_and_what_it_passed(browser):
    salma = browser("salma")
    case = complete(salma)
    page = salma.get(f"{case}?tab=diagram").text
    assert 'data-here="[&#34;orienter&#34;]"' in page
    assert "accueillir" in re.search(r'data-done="([^"]*)"', page)[1]
    drawn = salma.get(re.search(r'data-diagram="([^"]+)"', page)[1])
    assert drawn.status_code == 200
    assert b"bpmn:definitions" in drawn.content
    assert salma.get(f"{case}/diagram/nothing").status_code == 404


def test_history_tells_who_did_what_in_sentences_and_why_the_way_went_so(browser):
    salma, karim = browser("salma"), browser("karim")
    case = complete(salma)
    told = main(salma.get(f"{case}?tab=history"))
    assert "Salma Trabelsi (OTE) a terminé « Accueillir et identifier »." in told
    assert "Numéro de la CIN" in told
    assert "dormir" not in told.partition("Pourquoi")[2], "an answer of the social class is not hers to read again"
    task = task_of(karim, case)
    karim.get(task)
    act(karim, "complete", orientation(karim.page))
    assert karim.path == "/desk"
    told = main(karim.get(f"{case}?tab=history"))
    assert "depistage.sans_abri_ce_soir" in told
    why = told.partition("Un toit ce soir")[2].partition("24 ")[0]
    assert "→ non affiché" in why, "neither the value nor how the condition came out"
    assert "true)" not in why


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_every_tab_is_shown_in_every_language(browser, language):
    meriem, case = browser("meriem"), complete(browser("salma"))
    for tab in ("overview", "diagram", "known", "aid", "documents", "history"):
        page = meriem.get(f"{case}?tab={tab}&language={language}")
        assert page.status_code == 200, tab
        assert f'<html lang="{language}"' in page.text
        assert "[web." not in page.text, tab


def test_who_is_kept_out(browser):
    case = complete(browser("salma"))
    for who, status in {"ines": 404, "zied": 404, "karim": 200, "meriem": 200, "chokri": 200}.items():
        for address in (case, f"{case}?tab=known", f"{case}?tab=history", f"{case}/diagram/parcours"):
            assert browser(who).get(address).status_code == status, (who, address)
    nabil = browser("nabil")
    page = nabil.get(f"{case}?tab=known")
    assert "Besma" not in page.text, "without consent, another agency reads nothing of the person"


def test_a_document_sent_with_the_form_is_kept_named_and_given_back_as_a_file(browser):
    salma, karim, ines = browser("salma"), browser("karim"), browser("ines")
    case = complete(salma)
    task = task_of(karim, case)
    karim.get(task)
    held = {name: karim.hidden(name) for name in ("csrf", "version", "key")}
    sent = {**held, "act": "draft"}
    bad = karim.client.post(task, data=sent, files={"person.pj01~file": ("cin.png", b"not a picture", "image/png")})
    assert bad.status_code == 422
    assert "q-person-pj01" in bad.text
    kept = karim.client.post(task, data=sent, files={"person.pj01~file": ("cin.png", PNG, "image/png")})
    assert "Document enregistré" in kept.text
    karim.page = kept
    document = re.search(r'name="person.pj01" value="([0-9a-f-]{36})"', kept.text)[1]
    assert salma.get(f"/documents/{document}").status_code == 404, "its sender's alone until the form is done"
    act(karim, "complete", orientation(kept) | {"person.pj01": document})
    assert karim.path == "/desk"
    listed = salma.get(f"{case}?tab=documents")
    assert f"/documents/{document}" in listed.text
    given = salma.get(f"/documents/{document}")
    assert given.headers["content-type"] == "image/png" and documents.kind_of(given.content) == "image/png"
    assert "PNG" in main(listed) and re.search(r"[0-9a-f]{64}", main(listed)) and "Ouvert par" not in main(listed), "who opened it is told by whoever answers for the data"
    told = main(browser("chokri").get(f"{case}?tab=documents"))
    assert "Ouvert par" in told and "Salma" in told
    assert "a lu la pièce" in main(browser("chokri").get(f"{case}/readers"))
    assert given.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in given.headers["content-security-policy"]
    assert ines.get(f"/documents/{document}").status_code == 404


def test_a_case_is_found_by_those_who_may_know_it(browser):
    salma = browser("salma")
    case = complete(salma, person__cin="09988776")
    for username, address, is_found in (("salma", "/cases", True), ("meriem", "/cases", True), ("ines", "/cases", False), ("salma", "/intake/search", True)):
        assert (case in browser(username).post(address, q="09988776").text) is is_found, (username, address)


def test_a_case_just_opened_has_no_name_yet_and_says_so(browser):
    salma = browser("salma")
    open_case(salma)
    case = re.search(r"/cases/[0-9a-f-]{36}", salma.page.text)[0]
    assert "Nom non disponible" in salma.get(case).text
    salma.get(re.search(r"/tasks/[0-9a-f-]{36}", salma.page.text)[0])
    act(salma, "complete", reception())
    assert "Besma" in salma.get(case).text


def test_every_message_of_the_pathway_has_its_sentence_in_the_history():
    """`paiement.confirme` is a name of the diagrams: an auditor reads that a payment is confirmed."""
    edition = editions.Edition(None, 1, editions.files_of(ROOT / "processes", ROOT / "forms"))
    names = edition.definitions.message_names | set(edition.definitions.starting_messages)
    missing = {(name, language) for name in names for language in i18n.LANGUAGES if f"web.heard.{name.replace('.', '_')}" not in i18n.catalogue(language)}
    assert names and missing == set()


@pytest.mark.parametrize(("language", "said"), [("fr", "Saisi par Salma Trabelsi (OTE)"), ("ar", "سجلها سلمى الطرابلسي (ديوان التونسيين بالخارج)"), ("en", "Entered by Salma Trabelsi (OTE)")])
def test_an_answer_is_told_as_entered_by_whoever_typed_it_and_another_case_or_herself_as_such(language, said):
    words, day = Words(language), dt.datetime(2026, 11, 9, 9, tzinfo=dt.UTC)
    author = "سلمى الطرابلسي" if language == "ar" else "Salma Trabelsi"
    for kind in ("", "person", "agency"):
        assert sentences.source(words, kind, day, author, "OTE").startswith(said)
    told = {kind: sentences.source(words, kind, day, "", "") for kind in ("person", "agency", "holder", "case", "online", "signal", "system", "computed")}
    assert not any("[" in one for one in told.values()) and told["person"] == told["agency"] and len(set(told.values())) == len(told) - 1
