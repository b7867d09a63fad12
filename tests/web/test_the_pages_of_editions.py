"""Parcours without script: a coordinator changes a file, another approves; who is first and who is second; and who sees none of it."""

import io
import re
import zipfile

import pytest

from tests.web.small.installation import files

PATH = "forms/tasks/orienter.toml"


@pytest.fixture
def sign_in(sign_in):
    """On the page of editions, whoever may see it."""

    def make(username, language="fr"):
        made = sign_in(username, language)
        made.get("/editions" if username in ("meriem", "anis", "rim", "chokri", "zied") else "/desk")
        return made

    return make


def opened(meriem, title="Plus court"):
    meriem.post("/drafts", title=title, edition_id="")
    return meriem.path


def version(browser):
    return browser.hidden("version")


def saved(browser, draft, text, at="0"):
    browser.get(f"{draft}/files/{PATH}")
    sent = {"csrf": browser.hidden("csrf"), "version": at, "content": text, "act": "save"}
    return browser.client.post(f"{draft}/files/{PATH}", files={name: (None, value) for name, value in sent.items()})


def typed(text):
    """As a browser sends what stands in a text area."""
    return text.replace("\n", "\r\n")


def test_what_its_author_takes_back_is_said_to_be_taken_back_and_not_refused(sign_in):
    meriem, anis = sign_in("meriem"), sign_in("anis", "ar")
    draft = opened(meriem)
    saved(meriem, draft, typed(files()[PATH].decode() + "# autrement\n"))
    meriem.get(draft)
    meriem.post(draft, act="submit", reason="Une question de moins")
    assert "On attend Anis Mabrouk ou Rim Chaouch." in meriem.page.text
    assert "Reprendre le brouillon" in meriem.page.text and "Renvoyer" not in meriem.page.text
    assert anis.get(draft).status_code == 200 and "الإعادة إلى التحضير" in anis.page.text and "استرجاع المسودة" not in anis.page.text
    meriem.post(draft, act="refuse", version=version(meriem), why="Un mot à revoir")
    assert "Vous avez repris le brouillon" in meriem.page.text and "Repris par Meriem Louati" in meriem.page.text and "Renvoyé" not in meriem.page.text
    assert "استرجعها مريم اللواتي" in anis.get(draft).text


def test_one_changes_and_submits_another_approves_and_the_former_is_brought_back(sign_in):
    meriem, anis = sign_in("meriem"), sign_in("anis")
    assert "Depuis l" in meriem.page.text and "Aucun brouillon" in meriem.page.text
    draft = opened(meriem)
    answer = saved(meriem, draft, typed(files()[PATH].decode() + "# autrement\n"))
    assert answer.status_code == 200 and "Le fichier est enregistré." in answer.text and "# autrement" in answer.text
    assert meriem.get(f"{draft}/content/{PATH}").content == files()[PATH] + b"# autrement\n", "byte for byte, whatever ends a browser's lines"
    assert meriem.page.headers["content-disposition"].startswith("attachment") and meriem.page.headers["masar-version"] == "1"
    meriem.get(draft)
    assert "Ce qui change : 1 fichier" in meriem.page.text and "Approuver" not in meriem.page.text
    meriem.post(draft, act="submit", reason="Une question de moins")
    assert "Attend un accord" in meriem.page.text and "Approuver et publier" not in meriem.page.text
    assert meriem.post(draft, act="approve", version=version(meriem)).status_code == 403
    anis.get(draft)
    assert "Une question de moins" in anis.page.text and "<bdi>Orientation</bdi></a>" in anis.page.text
    differs = re.search(r"<details[^>]* open><summary>Lignes qui diffèrent.*?</pre>", anis.get(f"{draft}/files/{PATH}").text, re.DOTALL)[0]
    assert re.findall(r"^[+-].*", differs, re.MULTILINE) == ["+# autrement</pre>"]
    anis.get(draft)
    anis.post(draft, act="approve", version=version(anis))
    assert "L&#39;édition 2 est publiée." in anis.page.text and re.search(r'href="/editions/[0-9a-f-]{36}/moves"', anis.page.text), "what comes next: the running cases"
    anis.get("/editions")
    assert "Proposée par Meriem Louati, approuvée par Anis Mabrouk" in anis.page.text
    back = re.search(r'action="(/editions/[^"]+/bring-back)"', anis.page.text)[1]
    anis.post(back, reason="Elle ne va pas")
    returned = anis.path
    assert "Retour à l&#39;édition 1" in anis.page.text
    meriem.get(returned)
    meriem.post(returned, act="approve", version=version(meriem))
    assert "L&#39;édition 1 est publiée." in meriem.page.text


def test_of_two_saves_the_later_is_kept_beside_and_its_author_is_told(sign_in):
    meriem, anis = sign_in("meriem"), sign_in("anis")
    draft = opened(meriem)
    saved(meriem, draft, "# Meriem\n")
    answer = saved(anis, draft, "# Anis\n")
    assert "Version mise de côté : Anis Mabrouk" in answer.text and "# Meriem" in answer.text and "# Anis" in answer.text
    meriem.get(draft)
    assert "Une version mise de côté" in meriem.page.text and "Corrigez les erreurs, choisissez" in meriem.page.text
    aside = re.search(r'action="(/drafts/[^"]+/asides/\d+)"', answer.text)[1]
    anis.get(f"{draft}/files/{PATH}")
    assert anis.post(aside, act="take", version="0").status_code == 409
    anis.get(f"{draft}/files/{PATH}")
    anis.post(aside, act="take", version="1")
    assert "# Anis" in anis.page.text and "# Meriem" not in anis.page.text


def test_a_script_is_told_the_version_or_what_stands_aside(sign_in):
    meriem, anis = sign_in("meriem"), sign_in("anis")
    draft = opened(meriem)
    address, json = f"{draft}/files/{PATH}", {"accept": "application/json"}
    assert meriem.post(address, content="# un", version="0", headers=json).json() == {"path": PATH, "version": 1}
    anis.get(draft)
    late = anis.post(address, content="# deux", version="0", headers=json)
    assert late.status_code == 409 and late.json()["who"] == "Meriem Louati" and late.json()["version"] == 1 and late.json()["aside"] > 0
    meriem.get(draft)
    by_itself = meriem.post(address, content="# trois", version="1", headers={"hx-request": "true"})
    assert by_itself.headers["masar-version"] == "2" and by_itself.text.startswith("Enregistré à")
    anis.get(draft)
    beside = anis.post(address, content="# quatre", version="1", headers={"hx-request": "true"})
    assert beside.status_code == 409 and int(beside.headers["masar-aside"]) > late.json()["aside"] and "Meriem Louati" in beside.text


def test_an_error_is_a_sentence_with_the_way_to_its_element_and_forbids(sign_in):
    meriem = sign_in("meriem")
    draft = opened(meriem)
    meriem.get(f"{draft}/files/{PATH}")
    meriem.post(f"{draft}/files/{PATH}", act="remove", version="0")
    assert "Ce fichier est retiré" in meriem.page.text
    meriem.get(draft)
    assert "1 erreur : elle interdit la publication" in meriem.page.text and "qui n&#39;existe pas" in meriem.page.text
    link = re.search(r'href="(/drafts/[^"]+element=[^"]+)"', meriem.page.text)[1]
    assert link.endswith("/diagrams/processes/parcours.bpmn?element=orienter")
    assert f'{link}"><bdi>Petit parcours</bdi></a>' in meriem.page.text and "#orienter</" not in meriem.page.text, "the file is told by its title"
    assert link.replace("/diagrams/", "/files/") in meriem.get(link).text, "the same place as a text, for whoever has no script"
    meriem.get(link.replace("/diagrams/", "/files/"))
    assert re.search(r"« orienter » est écrit à la ligne \d+", meriem.page.text)
    meriem.get(draft)
    refused = meriem.post(draft, act="submit", reason="Quand même & vite")
    assert refused.status_code == 422 and "Le brouillon a des erreurs" in refused.text
    meriem.post(f"{draft}/files/{PATH}", act="restore", version="1")
    meriem.get(draft)
    assert "Rien à redire" in meriem.page.text and "Rien n&#39;a changé" in meriem.page.text


def test_a_refusal_keeps_what_was_typed(sign_in):
    meriem = sign_in("meriem")
    draft = opened(meriem)
    saved(meriem, draft, files()[PATH].decode() + "# x\n")
    meriem.get(draft)
    meriem.post(draft, act="submit", reason="Bien pesé", starts_at="2020-01-01T08:00")
    assert meriem.page.status_code == 422
    assert all(words in meriem.page.text for words in ("La date de début est passée", "Bien pesé", "2020-01-01T08:00"))
    meriem.post(draft, act="submit", reason="Bien pesé", starts_at="demain")
    assert "ne se lit pas" in meriem.page.text
    meriem.post(draft, act="submit", reason="Bien pesé", starts_at="2099-01-01T08:00")
    assert "1 janvier 2099 à 08:00" in meriem.page.text.replace("janv.", "janvier")


@pytest.mark.parametrize("content", [b"\xff\xfe not a text", b"a\r\nb\nc", b"a\rb", "pas \u202e vu".encode(), b"x = 1\0"])
def test_a_file_that_a_page_would_not_give_back_whole_is_not_offered_as_a_text(sign_in, content):
    meriem = sign_in("meriem")
    draft = opened(meriem)
    meriem.client.post(draft, files=[("csrf", (None, meriem.hidden("csrf"))), ("act", (None, "upload")), ("files", ("orienter.toml", content))])
    shown = meriem.get(f"{draft}/files/{PATH}")
    assert "<textarea" not in shown.text and "ne se modifie pas ici" in shown.text
    assert meriem.get(f"{draft}/content/{PATH}").content == content
    assert meriem.get(draft).status_code == 200, "whatever a file holds, the draft is shown"


def test_lines_ended_as_windows_does_stay_so(sign_in):
    meriem = sign_in("meriem")
    draft = opened(meriem)
    meriem.client.post(draft, files=[("csrf", (None, meriem.hidden("csrf"))), ("act", (None, "upload")), ("files", ("orienter.toml", b"\r\n\r\na = 1\r\n"))])
    shown = meriem.get(f"{draft}/files/{PATH}").text
    inside = re.search(r"<textarea[^>]*>\r?\n(.*?)</textarea>", shown, re.DOTALL)[1]
    saved(meriem, draft, typed(inside.replace("\r\n", "\n")) + "b = 2\r\n", "1")
    assert meriem.get(f"{draft}/content/{PATH}").content == b"\r\n\r\na = 1\r\nb = 2\r\n"


def test_an_upload_made_from_an_old_page_stands_aside(sign_in):
    meriem, anis = sign_in("meriem"), sign_in("anis")
    draft = opened(meriem)
    anis.get(draft)
    saved(meriem, draft, "# Meriem\n")
    late = anis.client.post(draft, files=[("csrf", (None, anis.hidden("csrf"))), ("act", (None, "upload")), ("files", ("orienter.toml", b"# Anis\n"))])
    assert "Une version mise de côté" in late.text and meriem.get(f"{draft}/content/{PATH}").content == b"# Meriem\n"


def test_an_archive_is_kept_and_brought_in(sign_in):
    meriem = sign_in("meriem")
    exported = meriem.client.get(re.search(r'href="(/editions/[^"]+/archive)"', meriem.page.text)[1])
    with zipfile.ZipFile(io.BytesIO(exported.content)) as archive:
        assert archive.read(PATH) == files()[PATH]
    sent = [("csrf", (None, meriem.hidden("csrf"))), ("title", (None, "Rendu")), ("files", ("e.zip", exported.content))]
    meriem.page = meriem.client.post("/drafts/import", files=sent)
    assert "Rendu" in meriem.page.text and "Rien n&#39;a changé" in meriem.page.text
    meriem.get("/editions")
    refused = meriem.client.post("/drafts/import", files=[("csrf", (None, meriem.hidden("csrf"))), ("files", ("e.zip", b"no"))])
    assert refused.status_code == 422 and "ne se lit pas" in refused.text
    nothing = meriem.post("/drafts/import", title="x")
    assert nothing.status_code == 422 and "Aucun fichier" in nothing.text


def test_the_auditor_reads_the_administrator_sees_the_editions_others_nothing(sign_in):
    meriem = sign_in("meriem")
    draft = opened(meriem)
    chokri = sign_in("chokri")
    assert "Plus court" in chokri.page.text and "Ouvrir le brouillon" not in chokri.page.text
    assert "Proposer" not in chokri.get(draft).text and "readonly" in chokri.get(f"{draft}/files/{PATH}").text
    assert chokri.post(f"{draft}/files/{PATH}", content="x", version="0", csrf=chokri.hidden("csrf")).status_code == 403
    zied = sign_in("zied")
    assert zied.page.status_code == 200 and "Plus court" not in zied.page.text and zied.get(draft).status_code == 403
    for who in ("salma", "amel", "karim"):
        agent = sign_in(who)
        assert "/editions" not in agent.page.text
        addresses = ("/editions", draft, f"{draft}/archive", f"{draft}/files/{PATH}", f"{draft}/content/{PATH}")
        assert [agent.get(address).status_code for address in addresses] == [403] * 5


def test_a_case_says_its_edition(sign_in):
    salma = sign_in("salma")
    salma.get("/intake")
    salma.post("/intake", q="personne", branch="MED", process="parcours")
    case = re.search(r'href="(/cases/[0-9a-f-]+)"', salma.page.text)[1]
    assert "édition 1" in salma.get(case).text


def test_in_arabic_every_word_is_there(sign_in):
    meriem = sign_in("meriem", "ar")
    draft = opened(meriem, "أقصر")
    for address in ("/editions", draft, f"{draft}/files/{PATH}"):
        shown = meriem.get(address)
        assert 'dir="rtl"' in shown.text and "[web." not in shown.text and "[draft." not in shown.text
    assert "مريم اللواتي" in meriem.get(draft).text


DIAGRAM = "processes/parcours.bpmn"


def slower(meriem):
    """A draft whose case owner has seven days where she has two."""
    draft = opened(meriem, "Plus lent")
    written = files()[DIAGRAM].decode().replace('form="orienter" role="referent" delai="2"', 'form="orienter" role="referent" delai="7"')
    meriem.get(f"{draft}/files/{DIAGRAM}")
    sent = {"csrf": meriem.hidden("csrf"), "version": "0", "content": typed(written), "act": "save"}
    assert meriem.client.post(f"{draft}/files/{DIAGRAM}", files={name: (None, value) for name, value in sent.items()}).status_code == 200
    return draft


def test_the_approver_reads_what_changes_what_it_costs_and_why(sign_in):
    meriem, anis = sign_in("meriem"), sign_in("anis")
    draft = slower(meriem)
    page = meriem.get(draft).text
    assert "La tâche « Orienter la personne » passe de 2 à 7 jours ouvrés." in page and "Sur le chemin habituel, jours ouvrés" in page
    assert re.findall(r'data-diagram="([^"]+)" data-language="fr" data-marks="([^"]+)"', page) == [
        (f"{draft}/{side}/{DIAGRAM}", "{&#34;orienter&#34;: &#34;changed&#34;}") for side in ("before", "content")
    ]
    assert f"{draft}?diagram={DIAGRAM}&amp;element=orienter#drawings" in page
    assert meriem.get(f"{draft}/before/{DIAGRAM}").content == files()[DIAGRAM]
    meriem.get(draft)
    refused = meriem.post(draft, act="submit", reason="Deux entretiens")
    assert refused.status_code == 422 and "Dites pourquoi" in refused.text and "Deux entretiens" in refused.text
    meriem.post(draft, act="submit", reason="Deux entretiens", burden_reason="La famille est vue deux fois")
    page = anis.get(draft).text
    assert "La famille est vue deux fois" in page and "passe de 2 à 7 jours ouvrés" in page and "Approuver et publier" in page
    anis.post(draft, act="approve", version=version(anis))
    assert "La famille est vue deux fois" in anis.get("/editions").text
    assert "توجيه الشخص" in sign_in("rim", "ar").get(draft).text and sign_in("salma").get(f"{draft}/before/{DIAGRAM}").status_code == 403
