"""Papers that nobody asked for: brought to a desk or sent online, they have a place in the case, and whoever asks for one later finds it."""

import io
import re
from itertools import count

import pytest
from sqlalchemy import text

from engine.actors import users
from engine.casework import attested, holders, pieces
from engine.demo import accounts
from tests import world as worlds
from tests.web.conftest import Browser

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
BILL, HEALTH, DIPLOMAS = "PJ05|C", "PJ06|H", "PJ08|E"
_NUMBERS = count(1)


@pytest.fixture
def case(world):
    """A case whose owner is named, at the door of the employment adviser (T401): nothing waits for a paper."""
    return world.arrives(world.receive(world.somebody("emploi", next(_NUMBERS))), "T401")


@pytest.fixture
def browser(world):
    def make(username, language="fr"):
        made = Browser(world.app)
        made.sign_in(username, accounts.password())
        if language != "fr":
            made.post("/account/language", language=language, next=made.path)
        return made

    return make


def brings(browser, case, kind, content=PDF, name="IMG_0042.pdf", title=""):
    browser.get(f"/cases/{case}?tab=documents")
    files = {"document~file": (name, content, "application/pdf")} if content is not None else None
    browser.page = browser.client.post(f"/cases/{case}/documents", data={"csrf": browser.hidden("csrf"), "kind": kind, "title": title}, files=files)
    return browser.page


def kinds(browser, case):
    return set(re.findall(r'<option value="([^"]+\|[^"]+)"', browser.get(f"/cases/{case}?tab=documents").text))


def came(world, actor, case):
    with world.database.reading(actor) as session:
        return pieces.received(session, actor, case, worlds.editions.current(session).dictionary)


def test_a_paper_is_brought_at_any_time_and_says_what_it_is_who_brought_it_and_who_reads_it(world, case, browser):
    salma = browser("salma")
    page = brings(salma, case, BILL)
    assert page.url.path == f"/cases/{case}" and "La pièce est au dossier" in page.text
    for said in ("Justificatif d&#39;adresse", "PDF", "versée par", "valable jusqu&#39;au", "Tous ceux qui suivent le dossier", "Empreinte SHA-256"):
        assert said in page.text, said
    assert "a versé une pièce au dossier" in salma.get(f"/cases/{case}?tab=history").text
    (one,) = came(world, world.agent("CPS", "MED", "travailleur_social"), case)
    sonia = browser("sonia")
    assert "personne encore" in of_received(sonia, case)
    assert salma.get(f"/documents/{one.document_id}").content == PDF
    assert "Salma Trabelsi" in of_received(sonia, case).partition("Ouvert par")[2], "whoever answers for the data reads who opened it"


def of_received(browser, case):
    """What the page says of the papers that came."""
    return browser.get(f"/cases/{case}?tab=documents").text.partition('id="received"')[2].partition("</section>")[0]


def test_the_task_that_asks_for_it_later_finds_it_whichever_agencys_it_is(world, case, browser):
    assert brings(browser("karim"), case, DIPLOMAS, name="diplome.pdf").status_code == 200
    world.does(case, "T401")
    (task,) = [row for row in world.open_tasks(case) if row.node == "T402"]
    nabil = browser("nabil")
    page = nabil.get(f"/tasks/{task.task_id}").text
    (one,) = came(world, world.staff["nabil"], case)
    assert f'name="emploi.diplomes" value="{one.document_id}"' in page and "diplome.pdf" in page and "elle n&#39;est pas à redemander" in page
    left = nabil.submit(f"/tasks/{task.task_id}", {"act": "take:emploi.diplomes="}).text
    assert 'name="emploi.diplomes" value=""' in left and f"take:emploi.diplomes={one.document_id}" in left
    nabil.submit(f"/tasks/{task.task_id}", {"act": f"take:emploi.diplomes={one.document_id}"})
    world.does(case, "T402", emploi__diplomes=str(one.document_id))
    assert world.facts("emploi.diplomes") == {"emploi.diplomes": str(one.document_id)}
    assert [each.is_used for each in came(world, world.staff["nabil"], case)] == [True]
    with world.database.reading(world.staff["nabil"]) as session:
        dictionary = worlds.editions.current(session).dictionary
        assert pieces.at_hand(session, world.staff["nabil"], case, dictionary, [dictionary.fields["emploi.diplomes"]], one.at) == {}, "it is offered once"
    after = nabil.get(f"/cases/{case}?tab=documents").text
    assert "que rien n&#39;emploie encore" not in after and f"/documents/{one.document_id}" in after
    with world.database.reading(users.system()) as session:
        assert list(attested.differences(session)) == []


def test_what_is_no_paper_of_the_list_needs_a_name_and_goes_to_whom_one_says(world, case, browser):
    salma = browser("salma")
    refused = brings(salma, case, "autre|O")
    assert refused.status_code == 422 and "Donnez un nom" in refused.text and re.search(r'<option value="autre\|O" selected', refused.text)
    assert "jugement de divorce" in brings(salma, case, "autre|O", title="jugement de divorce").text
    assert "jugement de divorce" not in browser("nabil").get(f"/cases/{case}?tab=documents").text, "OTE alone reads it"


def test_nobody_brings_a_paper_whose_class_she_does_not_write_nor_a_hostile_file_nor_anothers(world, case, browser):
    salma = browser("salma")
    assert BILL in kinds(salma, case) and HEALTH not in kinds(salma, case)
    assert brings(salma, case, HEALTH).status_code == 422
    for content, name in ((b"", "vide.pdf"), (b"<html><script>alert(1)</script>", "page.pdf"), (None, "")):
        assert brings(salma, case, BILL, content, name).status_code == 422
    other = world.receive(world.somebody("emploi", 3, branch="SFX"), branch="SFX")
    salma.get("/desk")
    assert salma.client.post(f"/cases/{other}/documents", data={"csrf": salma.hidden("csrf"), "kind": BILL}, files={"document~file": ("a.pdf", PDF, "application/pdf")}).status_code == 404
    assert kinds(browser("auditeur"), case) == set() and HEALTH in kinds(browser("amel"), case)
    assert came(world, world.agent("OTE", "MED", "referent"), case) == ()


def test_what_she_sends_unasked_is_kept_told_to_the_case_owner_and_found(world, case, browser):
    with world.database.unit_of_work(world.agent("OTE", "MED", "agent_accueil")) as session:
        code, secret = holders.give_secret(session, world.agent("OTE", "MED", "agent_accueil"), case)
    phone = Browser(world.app)
    phone.get("/receipt", params={"code": code})
    phone.post("/receipt/open", code=code, secret=secret)
    assert "Envoyer une autre pièce" in phone.page.text and "Justificatif d&#39;adresse" in phone.page.text and "enquête sociale" not in phone.page.text
    sent = phone.client.post("/receipt/piece", data={"csrf": phone.hidden("csrf"), "piece": "PJ05"}, files={"file": ("facture.pdf", PDF, "application/pdf")})
    assert sent.url.path == "/receipt/mine", sent.text
    owner = world.agent("OTE", "MED", "referent")
    with world.database.owner() as connection:
        told = connection.execute(text("SELECT n.code FROM notice n JOIN instance i ON i.instance_id = n.instance_id AND i.referent_id = n.user_id WHERE i.instance_id = :case"), {"case": case}).scalars().all()
    assert "piece.came" in told
    (one,) = came(world, owner, case)
    assert (one.piece, one.by) == ("PJ05", "")


def test_what_she_sends_in_the_place_of_a_paper_that_runs_out_is_accepted_or_not_by_whoever_may(world, browser):
    measure = {"mesure.type": "M06", "mesure.agence": "CPS", "mesure.debut": "@+3", "mesure.aide_demandee": False}
    case = world.receive(world.somebody("social", next(_NUMBERS), person__pj05="@document", plan__mesures=[measure]))
    while "T302" not in world.nodes(case):
        world.does(case, world.nodes(case)[0])
    world.passes(days=340)
    owner = browser(world.owner(case).username)
    assert "à renouveler" in owner.get(f"/cases/{case}?tab=documents").text
    holders.send_piece(world.database, case, "PJ05", "facture.pdf", io.BytesIO(PDF))
    page = owner.get(f"/cases/{case}?tab=documents").text
    (address,) = re.findall(rf'action="(/cases/{case}/documents/[^"]+/renew)"', page)
    down = address.replace("/renew", "/turn-down")
    auditor = browser("auditeur")
    assert "/renew" not in auditor.get(f"/cases/{case}?tab=documents").text and auditor.client.post(address, data={"csrf": auditor.hidden("csrf")}).status_code == 404
    assert "Une autre est attendue" in owner.client.post(down, data={"csrf": owner.hidden("csrf")}).text
    assert "vaut pour tous les organismes" in owner.client.post(address, data={"csrf": owner.hidden("csrf")}).text, "she may think better of it"
    assert "/renew" not in owner.get(f"/cases/{case}?tab=documents").text and "à renouveler" not in owner.page.text
