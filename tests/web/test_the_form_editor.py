"""A coordinator edits a form without script: questions from the dictionary, their order, conditions, checks; the form as each role has it stands beside."""

import re
import tomllib

import pytest

from tests.web.small.installation import files

PATH = "forms/tasks/accueil.toml"
FORM = tomllib.loads(files()[PATH].decode())



@pytest.fixture
def meriem(browser):
    return browser("meriem")


def opened(browser, title="Plus court"):
    browser.get("/editions")
    browser.post("/drafts", title=title, edition_id="")
    return browser.path


def act(browser, address, wanted="save", headers=None, **typed):
    """Presses a button of the editor, with what the page shows and what is typed besides (`f_when` for `f-when`)."""
    shown = {name: browser.hidden(name) for name in ("version", "open")}
    if 'name="f-opened"' in browser.page.text:
        shown["f-opened"] = "1"
    return browser.post(address, act=wanted, headers=headers, **{**shown, **{name.replace("_", "-"): value for name, value in typed.items()}})


def content(browser, draft, path=PATH):
    return tomllib.loads(browser.client.get(f"{draft}/content/{path}").text)


def live(page):
    return page.text.partition('id="questions"')[2].partition("</form>")[0]


def test_a_question_is_found_asked_moved_and_taken_out(meriem):
    draft = opened(meriem)
    address = f"{draft}/forms/accueil.toml"
    assert meriem.get(address).status_code == 200
    act(meriem, address, "look", q="passeport")
    assert "déjà demandée ici" in meriem.page.text
    act(meriem, address, "look", q="demandez motif_visite", owner="OTE")
    assert 'value="ask:accueil.motif_visite"' in meriem.page.text and meriem.hidden("version") == "0", "looking saves nothing"
    act(meriem, address, "look", q="demandez motif_visite", owner="CPS")
    assert "Rien dans le dictionnaire" in meriem.page.text
    act(meriem, address, "ask:accueil.motif_visite", into="0")
    asked = FORM["section"][0]["ask"]
    assert content(meriem, draft)["section"][0]["ask"] == [*asked, "accueil.motif_visite"]
    assert "Que demandez-vous" in live(meriem.page) and meriem.hidden("open") == f"s0-q{len(asked)}"
    act(meriem, address, f"up:s0-q{len(asked)}")
    assert content(meriem, draft)["section"][0]["ask"] == [*asked[:-1], "accueil.motif_visite", asked[-1]]
    act(meriem, address, "down:s0-q12")
    act(meriem, address, f"down:s0-q{len(asked)}")
    assert content(meriem, draft)["section"][1]["ask"][0] == asked[-1], "past the end it goes on into the next section"
    act(meriem, address, f"remove:s0-q{len(asked) - 1}")
    act(meriem, address, "up:s1-q0")
    assert content(meriem, draft) == FORM


def test_a_condition_is_checked_at_once_put_together_from_lists_and_followed_by_the_form_beside(meriem):
    draft = opened(meriem)
    address = f"{draft}/forms/accueil.toml"
    meriem.get(address)
    last = len(FORM["section"][0]["ask"]) - 1  # the delegation
    act(meriem, address, f"open:s0-q{last}")
    act(meriem, address, f_when="person.sexe = ")
    row = meriem.page.text.partition('class="place is-open is-wrong"')[2].partition("</li>")[0]
    assert "Corrigez l&#39;expression « person.sexe =" in row and "Ce qui a une erreur" in meriem.page.text
    assert content(meriem, draft)["section"][0]["ask"][last]["when"] == "person.sexe =", "kept though it is wrong"
    act(meriem, address, f_when="person.inconnu = 1")
    assert "Corrigez « person.inconnu » : aucune donnée ne porte ce nom." in meriem.page.text
    first = FORM["section"][0]["ask"][0]
    act(meriem, address, f_when="", f_of=first)
    act(meriem, address, "condition", f_when="", f_of=first, f_is="known")
    entry = content(meriem, draft)["section"][0]["ask"][last]
    assert entry["when"] == f"{first} != null" and "place is-open is-wrong" not in meriem.page.text
    act(meriem, address, f_when=entry["when"], f_required="no")
    assert content(meriem, draft)["section"][0]["ask"][last]["required"] is False


def test_the_form_beside_speaks_each_language_and_is_each_roles(meriem):
    draft = opened(meriem)
    address = f"{draft}/forms/accueil.toml"
    meriem.get(address)
    act(meriem, address, "look", said="ar", eyes="agent_accueil")
    assert 'lang="ar" dir="rtl"' in meriem.page.text and "الاسم" in live(meriem.page)
    act(meriem, address, "look", said="en", eyes="auditeur")
    assert "Non demandé à ce rôle" in meriem.page.text and "<input" not in live(meriem.page).replace('<input type="hidden"', "")
    act(meriem, address, "look", said="fr", eyes="agent_accueil", known="yes")
    assert "Ce que l&#39;on sait déjà" in meriem.page.text or 'id="known-title"' in meriem.page.text
    tried = meriem.post(f"{address}/preview?said=ar&eyes=agent_accueil", act="refresh")
    assert tried.status_code == 200 and meriem.hidden("version") == "0", "trying keeps nothing"


def test_sections_checks_and_what_is_shown_are_edited_too(meriem):
    draft = opened(meriem)
    address = f"{draft}/forms/accueil.toml"
    meriem.get(address)
    act(meriem, address, "add-section")
    place = meriem.hidden("open")
    assert "Donnez le libellé en français, en arabe et en anglais." in meriem.page.text
    act(meriem, address, "close:", f_title_fr="Suite", f_title_ar="تتمة", f_title_en="More")
    assert content(meriem, draft)["section"][-1] == {"title": {"fr": "Suite", "ar": "تتمة", "en": "More"}, "ask": []}
    act(meriem, address, f"up:{place}")
    assert content(meriem, draft)["section"][-2]["title"]["fr"] == "Suite"
    act(meriem, address, "show:person.langue", q="langue")
    assert content(meriem, draft)["show"][-1] == "person.langue"
    act(meriem, address, "add-check")
    first = FORM["section"][0]["ask"][0]
    act(meriem, address, "close:", f_holds=f"{first} != null", f_fields=first, f_message_fr="Écrire.", f_message_ar="اكتب.", f_message_en="Write.")
    assert content(meriem, draft)["check"][-1] == {"holds": f"{first} != null", "fields": [first], "message": {"fr": "Écrire.", "ar": "اكتب.", "en": "Write."}}
    act(meriem, address, "open:head")
    act(meriem, address, "close:", f_title_fr="Accueillir", f_title_ar="استقبال", f_title_en="Welcome", f_intro_fr="", f_intro_ar="", f_intro_en="")
    assert content(meriem, draft)["title"]["ar"] == "استقبال"
    assert "0 errors" not in meriem.get(f"{address}/findings").text


def test_two_coordinators_on_one_form_lose_nothing(meriem, browser):
    draft = opened(meriem)
    address = f"{draft}/forms/accueil.toml"
    anis = browser("anis")
    anis.get(address)
    meriem.get(address)
    act(meriem, address, "show:person.langue")
    late = act(anis, address, "show:person.passeport")
    assert late.status_code == 409 and "Meriem Louati" in late.text and "#aside-" in late.text
    assert "person.langue" in content(anis, draft)["show"] and "person.passeport" not in content(anis, draft)["show"]
    beside = anis.get(re.search(r'href="([^"]+)#aside-', late.text)[1])
    assert "person.passeport" in beside.text


def test_a_new_form_begins_and_a_file_that_is_no_form_is_a_text(meriem):
    draft = opened(meriem)
    meriem.get(draft)
    meriem.post(f"{draft}/forms", form="t999", **{"title-fr": "Essai", "title-ar": "تجربة", "title-en": "Trial"})
    assert meriem.path.endswith("/forms/t999.toml") and "Posez une question" in meriem.page.text
    meriem.get(draft)
    assert meriem.post(f"{draft}/forms", form="T 9").status_code == 422
    meriem.get(draft)
    assert meriem.post(f"{draft}/forms", form="accueil").status_code == 422
    meriem.post(f"{draft}/files/{PATH}", content="section = 3\n", version="0", csrf=meriem.hidden("csrf") if 'name="csrf"' in meriem.page.text else None)
    meriem.get(f"{draft}/forms/accueil.toml")
    assert meriem.path.endswith(f"/files/{PATH}")


def test_who_reads_drafts_sees_it_and_nobody_else(meriem, browser):
    draft = opened(meriem)
    address = f"{draft}/forms/accueil.toml"
    chokri = browser("chokri")
    assert "disabled" in chokri.get(address).text and act(chokri, address, "show:person.langue").status_code == 403
    for who in ("salma", "zied"):
        assert browser(who).get(address).status_code == 403
    assert meriem.get(f"{draft}/forms/absent.toml").status_code == 404
    meriem.get(f"{address}?element=section[0].ask[1].when")
    assert meriem.hidden("open") == "s0-q1"


def test_in_arabic_every_word_is_there(meriem):
    draft = opened(meriem, "أقصر")
    address = f"{draft}/forms/accueil.toml?language=ar"
    meriem.get(address)
    for wanted in ("open:s0-q1", "open:s0", "open:head", "look"):
        shown = act(meriem, address, wanted, q="رقم").text
        assert 'dir="rtl"' in shown and "[web." not in shown and "[draft." not in shown
    act(meriem, address, "open:s0-q1")
    act(meriem, address, f_when="person.sexe =")
    assert "صحّح العبارة «person.sexe =»: تنقص قيمة في الآخر" in meriem.page.text
