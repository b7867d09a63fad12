"""Moving running cases without script: chosen, tried, refused with a reason, moved, put back; in three languages; and who sees none of it."""

import re

import pytest
from sqlalchemy import text

from engine import clock
from engine.actors import users
from engine.casework import batches, cases, editions
from engine.settings import Settings
from tests.engine.casework import redrawn
from tests.web.conftest import Browser
from tests.web.small.installation import files, furnish
from web.app import create_app
from web.certificates import Telling
from web.formatting import Words
from web.pages import moves


STAFF = text("SELECT user_id, username, name, agency, branch, roles, language FROM user_account WHERE is_active")


@pytest.fixture(scope="module")
def place(make_database):
    """A Tunisia of its own: two cases stand at the desk, and an edition where that task has another id and a step more follows."""
    database = make_database(furnish)
    with database.unit_of_work(users.system()) as session:
        other = redrawn.redrawn(files(), "parcours", redrawn.under_another_id("accueillir", "recevoir"), redrawn.added("verifier", "f2b", "agent_accueil", "visiter"))
        edition = editions.keep(session, other, clock.now(session), None, "essai")
        salma = next(users.of_row(row) for row in session.execute(STAFF) if row.username == "salma")
    opened = []
    for _ in range(2):
        with database.unit_of_work(salma) as session:
            opened.append(cases.open_case(session, salma, "parcours", "MED"))
    return database, edition.edition_id, opened


@pytest.fixture(scope="module")
def sign_in(place):
    app = create_app(Settings(is_demo=True), place[0])

    def make(username, language="fr"):
        made = Browser(app)
        made.sign_in(username)
        if language != "fr":
            made.post("/account/language", language=language, next="/desk")
        return made

    return make


def chosen(page, opened, **mapping):
    return page.post(f"{page.path}", **{"case": [str(one.case_id) for one in opened]}, **{f"map:{name}": value for name, value in mapping.items()})


def test_tried_refused_moved_and_put_back(place, sign_in, monkeypatch):
    database, edition_id, opened = place
    meriem = sign_in("meriem")
    assert f"/editions/{edition_id}/moves" in meriem.get("/editions").text
    page = meriem.get(f"/editions/{edition_id}/moves").text
    assert "2 dossiers en cours" in page and all(one.case_number in page for one in opened)
    assert "Accueillir et identifier" in page and "2 dossiers y attendent" in page and 'value="parcours#recevoir" selected' in page

    chosen(meriem, opened, **{"parcours#accueillir": ""})
    assert meriem.path.startswith("/moves/") and "Cela va commencer" in meriem.page.text
    batches.work_off(database)
    refused = meriem.get(meriem.path).text
    assert f'href="{meriem.path}?result=move.refused#lines"' in refused
    monkeypatch.setattr(moves, "_SHOWN", 1)
    here, read = meriem.path, []
    for _ in opened:
        address = re.search(r'href="(/moves/[^"]*after=\d+)', read[-1])[1].replace("&amp;", "&") if read else f"{here}?result=move.refused"
        read.append(meriem.get(address).text)
    assert all(sum(one.case_number in page for one in opened) == 1 for page in read) and not re.search('href="/moves/[^"]*after=', read[-1]), "each case has its line, a page after the other"
    assert "case-" not in meriem.get(f"{here}?result=move.done").text and meriem.get(f"{here}?after=x").status_code == 422
    monkeypatch.undo()
    meriem.get(here)
    assert "2 refusés" in refused and "La tâche « Accueillir et identifier » est en cours, et la nouvelle édition ne la reprend pas" in refused
    assert "Déplacer pour de bon" not in refused

    meriem.get(f"/editions/{edition_id}/moves")
    chosen(meriem, opened[:1], **{"parcours#accueillir": "-"})
    batches.work_off(database)
    told = meriem.get(meriem.path).text
    assert 0 < told.index("« Accueillir et identifier » est abandonnée") < told.index("<details", told.index('id="lines"')), "what she would lose by it is folded away nowhere"

    meriem.get(f"/editions/{edition_id}/moves")
    chosen(meriem, opened, **{"parcours#accueillir": "parcours#recevoir"})
    batches.work_off(database)
    ready = meriem.get(meriem.path).text
    assert "2 prêts" in ready and "Son histoire, rejouée sur la nouvelle édition, mène au même endroit." in ready and "Il peut arriver à sa fin" in ready
    trial = meriem.path
    meriem.post(trial, act="move", reason="")
    assert meriem.page.status_code == 422 and "Dites pourquoi" in meriem.page.text
    meriem.get(trial)
    meriem.post(trial, act="move", reason="Un identifiant plus clair")
    batches.work_off(database)
    moved = meriem.path
    assert "2 déplacés" in meriem.get(moved).text

    case_id = opened[0].case_id
    assert "a été déplacé de l&#39;édition 1 à l&#39;édition 2" in meriem.get(f"/cases/{case_id}").text
    assert "Meriem Louati (OTE) a déplacé le dossier vers l&#39;édition 2" in meriem.get(f"/cases/{case_id}?tab=history").text
    meriem.get(f"/cases/{case_id}")
    meriem.post(f"/cases/{case_id}/move-back", reason="Fait trop tôt", root=str(case_id))
    assert meriem.path == f"/cases/{case_id}" and "Le dossier est remis comme il était." in meriem.page.text and "édition 1" in meriem.page.text
    meriem.get(moved)
    meriem.post(moved, act="back", reason="Fait trop tôt")
    batches.work_off(database)
    page = meriem.get(meriem.path).text
    assert "1 remis comme avant" in page and "Ce dossier a continué depuis son déplacement" in page


@pytest.mark.parametrize(("language", "words"), [("ar", "نقل ملفات إلى الإصدار عدد 2"), ("en", "Move cases to edition 2")])
def test_the_page_is_in_the_reader_s_language(place, sign_in, language, words):
    anis = sign_in("anis", language)
    assert words in anis.get(f"/editions/{place[1]}/moves").text


def test_nothing_is_chosen_before_she_chooses_and_what_she_chose_stays_after_a_refusal(place, sign_in, monkeypatch):
    _, edition_id, opened = place
    meriem, here = sign_in("meriem"), f"/editions/{edition_id}/moves"
    assert " checked" not in meriem.get(here).text
    refused = chosen(meriem, [], **{"parcours#accueillir": "-"})
    assert refused.status_code == 422 and "choisissez-en au moins un" in refused.text and '<option value="-" selected' in refused.text
    meriem.get(here)
    meriem.post(here, case=str(opened[0].case_id), **{"map:parcours#accueillir": "parcours#nulle_part"})
    assert meriem.page.status_code == 422 and re.findall(r'name="case" value="([^"]*)" data-one checked', meriem.page.text) == [str(opened[0].case_id)]
    meriem.get(here)
    meriem.post(here, all="yes", case=str(opened[0].case_id))
    assert re.search(r'max="2"', meriem.page.text), "the box of all speaks for every row"
    assert "Montrés" not in meriem.get(here).text
    monkeypatch.setattr(moves, "_SHOWN", 1)
    cut = meriem.get(here).text
    assert "Montrés : 1 sur 2" in cut and 'data-all="2"' in cut, "what the list does not show is said"


def test_nobody_but_a_coordinator_moves_cases(place, sign_in):
    _, edition_id, opened = place
    for name in ("chokri", "karim"):
        other = sign_in(name)
        assert other.get(f"/editions/{edition_id}/moves").status_code == 403
        other.get("/desk")
        assert other.post(f"/editions/{edition_id}/moves", case=str(opened[0].case_id)).status_code == 403
        other.get("/desk")
        assert other.post(f"/cases/{opened[0].case_id}/move-back", reason="x").status_code == 403


@pytest.mark.parametrize(("language", "said"), [("fr", "le message « la décision de la commission »"), ("ar", "قرار اللجنة")])
def test_a_message_that_refuses_a_move_is_named_as_people_call_it(language, said):
    refused = {"code": "message_other", "node": "attente", "process": "", "details": {"then": "dossier.decide", "now": "dossier.tranche"}}
    told = Telling(Words(language)).reason(refused)
    assert said in told and "dossier.decide" not in told and "dossier.tranche" in told, "the other is a message that only the new edition knows"
