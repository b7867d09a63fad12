"""The page of whoever holds a receipt and its second secret: nothing of the person without it, three things to do with it, and everybody else alike turned away."""

import html
import re
import zlib

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import users
from engine.casework import appointments, holders, pieces
from engine.demo import accounts
from tests import world as worlds
from tests.web.conftest import Browser

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture(scope="module")
def world(world):
    made = world
    made.case = made.receive(made.somebody("social", retour__prouve=False, consentement__c2=True))
    for node in ("T101", "T102"):
        made.does(made.case, node)
    made.desk = made.agent("OTE", "MED", "agent_accueil")
    made.code = made.file(made.case).receipt_code
    return made


@pytest.fixture
def secret(world):
    with world.database.unit_of_work(world.desk) as session:
        code, secret = holders.give_secret(session, world.desk, world.case)
    assert code == world.code
    forget_tries(world)
    return secret


@pytest.fixture
def phone(world):
    return Browser(world.app)


def forget_tries(world):
    with world.database.owner() as connection:
        connection.execute(text("DELETE FROM signin_attempt"))


def asked(world, sql, **named):
    with world.database.reading(users.system()) as session:
        return session.execute(text(sql), named).all()


def opened(phone, world, secret):
    phone.get("/receipt", params={"code": world.code})
    phone.post("/receipt/open", code=world.code, secret=secret)
    assert phone.path == "/receipt/mine", phone.page.text
    return phone


def names(world):
    truth = world.truth[world.case]
    return [str(truth[name]) for name in ("person.nom_fr", "person.nom_ar", "person.prenom_fr", "person.cin", "person.tel") if truth.get(name)]


@pytest.mark.parametrize(("language", "said"), [("fr", "On attend quelque chose de vous"), ("ar", "ننتظر منكم شيئا"), ("en", "Something is awaited of you")])
def test_the_code_alone_tells_where_it_stands_and_nothing_of_the_person(world, phone, language, said):
    page = phone.get("/receipt", params={"code": world.code, "language": language}).text
    assert said in page and "<script" not in page
    sheet = phone.client.get(re.search(r'rel="stylesheet" href="([^"]+)"', page)[1]).content
    assert len(zlib.compress(page.encode())) + len(zlib.compress(sheet)) < 16_000, "with the square of its proof, on a slow line"
    assert "TN-MED" not in page and not any(name in page for name in names(world)) and "PJ02" not in page


def test_the_next_appointment_is_told_with_its_place(world, phone):
    with world.database.unit_of_work(world.desk) as session:
        hours = appointments.offer(session, world.desk, world.case, agent_id=world.desk.user_id)
        made = appointments.make(session, world.desk, world.case, world.desk.user_id, hours.slots[0], 30, "antenne")
    page = phone.get("/receipt", params={"code": world.code}).text
    assert "Prochain rendez-vous" in page and "À l&#39;antenne, Médenine" in page and world.desk.name not in page
    with world.database.unit_of_work(world.desk) as session:
        appointments.cancel(session, world.desk, made, "essai")
    assert "Aucun rendez-vous" in phone.get("/receipt", params={"code": world.code}).text


def test_a_wrong_secret_an_absent_one_and_an_unknown_receipt_look_the_same(world, phone, secret):
    other = world.receive(world.somebody("emploi", 2))
    for node in ("T101", "T102"):
        world.does(other, node)
    said = []
    for code, typed in ((world.code, "0000 0000"), (world.file(other).receipt_code, secret), ("ZZZZZZZZ", secret)):
        phone.get("/receipt", params={"code": world.code})
        answer = phone.post("/receipt/open", code=code, secret=typed)
        said.append((answer.status_code, re.search(r'role="alert">([^<]*)', answer.text)[1]))
    assert len(set(said)) == 1 and said[0][0] == 404


def test_tries_are_limited_and_a_new_secret_ends_the_former_and_what_it_opened(world, phone, secret):
    mine = opened(phone, world, secret.replace(" ", ""))
    with world.database.unit_of_work(world.desk) as session:
        _, newer = holders.give_secret(session, world.desk, world.case)
    assert mine.get("/receipt/mine").url.path == "/receipt", "what the former opened is closed"
    forget_tries(world)
    for _ in range(holders.MOST_OF_ONE):
        with pytest.raises(errors.NotFound):
            holders.enter(world.database, world.code, secret, "10.0.0.1")
    with pytest.raises(errors.Conflict, match="receipt.too_many"):
        holders.enter(world.database, world.code, newer, "10.0.0.2")
    forget_tries(world)
    assert holders.enter(world.database, world.code, newer.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")), "10.0.0.2")


def test_the_right_secret_is_no_try_and_takes_no_wrong_one_away(world):
    with world.database.unit_of_work(world.desk) as session:
        _, secret = holders.give_secret(session, world.desk, world.case)
    forget_tries(world)
    for _ in range(holders.MOST_OF_ONE + 1):
        assert holders.enter(world.database, world.code, secret, "10.0.0.3")
    for typed in ["0000 0000"] * (holders.MOST_OF_ONE - 1) + [secret, "0000 0000"]:
        if typed == secret:
            assert holders.enter(world.database, world.code, secret, "10.0.0.3")
        else:
            with pytest.raises(errors.NotFound):
                holders.enter(world.database, world.code, typed, "10.0.0.3")
    with pytest.raises(errors.Conflict, match="receipt.too_many"):
        holders.enter(world.database, world.code, secret, "10.0.0.3")
    forget_tries(world)


def test_a_missing_paper_is_sent_through_the_checks_of_every_document_and_wakes_who_waits(world, phone, secret):
    mine = opened(phone, world, secret)
    page = mine.page.text
    assert "Passeport" in page and "TN-MED" in page
    csrf = mine.hidden("csrf")

    def send(piece, name, content):
        return mine.client.post("/receipt/piece", data={"csrf": csrf, "piece": piece}, files={"file": (name, content, "application/pdf")})

    assert send("PJ02", "page.pdf", b"<html><script>alert(1)</script>").status_code == 422
    assert send("PJ02", "vide.pdf", b"").status_code == 422
    assert send("PJ16", "enquete.pdf", PDF).status_code == 422, "an agency writes it"
    assert asked(world, "SELECT 1 FROM received_piece") == [] and "T109" not in world.nodes(world.case)
    assert send("PJ02", "passeport.pdf", PDF).url.path == "/receipt/mine"
    world.settle()
    assert "T109" in world.nodes(world.case)
    (row,) = asked(world, "SELECT d.root_id, d.class, p.piece FROM received_piece p JOIN document d USING (document_id)")
    assert (row.root_id, row.piece) == (world.case, "PJ02")
    with world.database.reading(world.desk) as session:
        (sent,) = pieces.received(session, world.desk, world.case, worlds.editions.current(session).dictionary)
    salma = Browser(world.app)
    salma.sign_in("salma", accounts.password())
    assert salma.get(f"/documents/{sent.document_id}").content == PDF
    assert "envoyée en ligne" in salma.get(f"/cases/{world.case}?tab=documents").text and "La personne a envoyé une pièce" in salma.get(f"/cases/{world.case}?tab=history").text


def test_a_consent_is_withdrawn_and_a_complaint_made_once_each(world, phone, secret):
    mine = opened(phone, world, secret)
    key = mine.hidden("key")
    for _ in range(2):  # a second click
        mine.get("/receipt/mine")
        mine.post("/receipt/withdraw", consent="consentement.c2", words="Plus le bailleur", key=key)
        assert mine.path == "/receipt/mine" and "l&#39;accès est fermé dès maintenant" in mine.page.text
    assert asked(world, "SELECT is_shared_funder FROM instance WHERE instance_id = :id", id=world.case)[0].is_shared_funder is False, "no job has run, nobody has checked anything"
    assert 'value="consentement.c2"' not in mine.page.text and "Consentements retirés" in mine.page.text and "Transmettre à l&#39;OFII" in mine.page.text
    assert mine.post("/receipt/withdraw", consent="consentement.c2", words="Encore", key=mine.hidden("key")).status_code == 422 and ">Encore</textarea>" in mine.page.text, "it is over already"
    assert mine.post("/receipt/withdraw", consent="consentement.c3", words="x" * 5000, key=mine.hidden("key")).status_code == 422 and "x" * 5000 in mine.page.text
    mine.get("/receipt/mine")
    mine.post("/receipt/complain", **{"reclamation.objet": "delai", "reclamation.recit": "J'attends depuis deux mois", "reclamation.agent_vise": ""}, key=mine.hidden("key"))
    assert mine.page.status_code == 200 and "réclamation est enregistrée" in mine.page.text, mine.page.text
    world.settle()
    begun = [row.process for row in asked(world, "SELECT process FROM instance WHERE root_id = :id AND subject LIKE 'imprevu:%' ORDER BY opened_at", id=world.case)]
    assert sorted(begun) == ["reclamation", "retrait_consentement"] and {"T955", "T942"} <= set(world.nodes(world.case)) and "T951" not in world.nodes(world.case)
    said = {row.field: row for row in asked(world, "SELECT field, value, source ->> 'kind' AS kind FROM fact WHERE root_id = :id AND is_current AND (field LIKE 'consentement.%' OR field LIKE 'reclamation.%')", id=world.case)}
    assert (said["consentement.c2"].value, said["consentement.c2"].kind) == (False, "holder") and said["consentement.retrait_canal"].value == "en_ligne" and said["consentement.retrait_motif"].value == "Plus le bailleur"
    assert said["reclamation.canal"].value == "en_ligne" and said["reclamation.vise_chef"].value is False
    assert "Retrait d&#39;un consentement" in mine.get("/receipt/mine").text, "what was asked, and when"
    desk = Browser(world.app)
    desk.sign_in(world.desk.username, accounts.password())
    assert "Dit par la personne elle-même · Dit par : En ligne" in desk.get(f"/cases/{world.case}/consent").text
    assert "La personne, en ligne a enregistré le retrait" in desk.get(f"/cases/{world.case}?tab=history").text
    assert "deux mois" not in mine.get("/receipt/mine").text
    assert asked(world, "SELECT DISTINCT source ->> 'kind' AS kind FROM fact WHERE field = 'reclamation.recit'")[0].kind == "holder"
    assert mine.post("/receipt/complain", **{"reclamation.objet": "", "reclamation.recit": ""}, key="x").status_code == 422


def test_what_is_half_written_stays_beside_what_is_sent_and_no_link_of_her_page_loses_it(world, phone, secret):
    mine = opened(phone, world, secret)
    assert 'href="/receipt/mine' not in mine.page.text and len(re.findall('form="writes" formaction="/receipt/complain', mine.page.text)) == 3
    before = mine.hidden("key")
    page = mine.post("/receipt/complain", **{"reclamation.objet": "delai", "reclamation.recit": "J'attends", "words": "Encore"}, key=mine.hidden("key"))
    assert ">Encore</textarea>" in page.text and "J&#39;attends</textarea>" not in page.text and "réclamation est enregistrée" in page.text
    assert page.text.count('<details class="surface" open>') == 1 and mine.hidden("key") != before, "what stays is open, and another thing to send"
    assert mine.post("/receipt/withdraw", key=mine.hidden("key"), **{"reclamation.recit": "J'attends encore"}).status_code == 422
    assert "J&#39;attends encore</textarea>" in mine.page.text, "a refusal keeps both"


def test_what_she_was_writing_when_her_page_closed_is_there_when_she_comes_in_again(world, phone, secret):
    mine = opened(phone, world, secret)
    said = {"reclamation.objet": "delai", "reclamation.recit": "J'attends « encore » <depuis> deux mois", "reclamation.agent_vise": "le guichet"}
    key, code = mine.hidden("key"), mine.hidden("code")
    with world.database.owner() as connection:
        connection.execute(text("UPDATE receipt_session SET expires_at = now() - interval '1 minute'"))
    closed = mine.post("/receipt/complain", **said, key=key, code=code)
    assert closed.status_code == 401 and "Ce que vous avez écrit est gardé ici" in closed.text and "TN-MED" not in closed.text
    assert asked(world, "SELECT 1 FROM fact WHERE field = 'reclamation.agent_vise' AND value = '\"le guichet\"'") == []

    def comes_in(typed):
        held = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', mine.page.text)
        assert html.unescape(dict(held)["reclamation.recit"]) == said["reclamation.recit"] and dict(held)["code"] == world.code
        return mine.submit("/receipt/open", {**{name: html.unescape(value) for name, value in held}, "secret": typed})

    assert comes_in("0000 0000").status_code == 404, "a wrong secret keeps it too"
    held = {name: html.unescape(value) for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', mine.page.text)}
    assert re.search(r'<button form="door" formaction="/receipt/open\?language=ar" formnovalidate name="act" value="language"', mine.page.text)
    mine.submit("/receipt/open?language=ar", held | {"act": "language"})
    assert 'lang="ar" dir="rtl"' in mine.page.text, "in another language it is there too"
    page = comes_in(secret)
    assert page.status_code == 200 and said["reclamation.recit"] in html.unescape(page.text) and 'value="le guichet"' in page.text
    page = mine.submit("/receipt/complain?language=fr", {**said, "key": key, "code": code, "act": "language"})
    assert 'lang="fr"' in page.text and said["reclamation.recit"] in html.unescape(page.text) and 'form="writes" formaction="/receipt/complain?language=ar"' in page.text
    assert asked(world, "SELECT 1 FROM fact WHERE field = 'reclamation.agent_vise' AND value = '\"le guichet\"'") == []
    assert re.search(r'<option value="delai" selected', page.text) and mine.hidden("key") == key
    mine.post("/receipt/complain", **said, key=key, code=code)
    assert mine.path == "/receipt/mine" and len(asked(world, "SELECT 1 FROM fact WHERE field = 'reclamation.agent_vise' AND value = '\"le guichet\"'")) == 1
    for address in ("/receipt/withdraw", "/receipt/piece"):
        with world.database.owner() as connection:
            connection.execute(text("UPDATE receipt_session SET expires_at = now() - interval '1 minute'"))
        assert mine.post(address, consent="consentement.c3", words="plus", code=code, csrf=mine.hidden("csrf")).status_code == 401
        assert address == "/receipt/piece" or 'name="consent" value="consentement.c3"' in mine.page.text and 'name="words" value="plus"' in mine.page.text


def test_her_token_opens_nothing_else(world, phone, secret):
    mine = opened(phone, world, secret)
    for address in (f"/cases/{world.case}", "/desk", f"/cases/{world.case}/casefile"):
        assert mine.client.get(address, follow_redirects=False).headers["location"].startswith("/signin")
    me = users.holder(world.case)
    for act in ("task.complete", "letter.read", "document.read", "history.read", "message.send", "appointment.write", "casefile.export"):
        assert not worlds.cases.authority.may(me, act, branch="MED")
    mine.get("/receipt/mine")
    mine.post("/receipt/leave")
    assert mine.get("/receipt/mine").url.path == "/receipt"


def test_the_slip_that_is_handed_over_bears_the_address_and_the_secret_once(world, phone):
    phone.sign_in("salma", accounts.password())
    phone.get(f"/cases/{world.case}")
    slip = phone.post(f"/cases/{world.case}/receipt-secret").text
    secret = re.search(r">(\d{4} \d{4})<", slip)[1]
    assert "رمز" in slip and "scannez" in slip and f"/receipt?code={world.code}" in slip and not any(name in slip for name in names(world))
    assert secret not in phone.get(f"/cases/{world.case}").text
    forget_tries(world)
    assert holders.enter(world.database, world.code, secret, "10.0.0.3")


def test_only_whoever_works_on_the_case_gives_a_secret(world):
    for actor, trouble in ((world.agent("OTE", "SFX", "agent_accueil"), errors.NotFound), (world.agent("PART", "MED", "operateur"), errors.NotFound), (world.agent("OTE", "TUN", "auditeur"), errors.Forbidden)):
        with world.database.unit_of_work(actor) as session, pytest.raises(trouble):
            holders.give_secret(session, actor, world.case)
    with world.database.reading(world.desk) as session, pytest.raises(Exception, match="permission denied"):
        session.execute(text("SELECT secret_hash FROM receipt_secret"))


def test_code_after_code_from_one_address_is_stopped(world, phone):
    forget_tries(world)
    for _ in range(holders.MOST_UNKNOWN):
        holders.note_unknown(world.database, "testclient")
    assert phone.get("/receipt", params={"code": "ZZZZZZZZ"}).status_code == phone.get("/receipt", params={"code": world.code}).status_code == 409
    forget_tries(world)


def test_what_is_written_on_one_receipts_page_never_goes_to_another_that_was_opened_since_on_the_same_telephone(world, phone, secret):
    brother = world.receive(world.somebody("emploi", 7))
    for node in ("T101", "T102"):
        world.does(brother, node)
    with world.database.unit_of_work(world.desk) as session:
        code, his = holders.give_secret(session, world.desk, brother)
    mine = opened(phone, world, secret)
    csrf = mine.hidden("csrf")
    mine.post("/receipt/open", code=code, secret=his)
    before = asked(world, "SELECT count(*) FROM received_piece")
    answer = mine.client.post("/receipt/piece", data={"csrf": csrf, "piece": "PJ02", "code": world.code}, files={"file": ("p.pdf", PDF, "application/pdf")})
    assert answer.status_code == 401 and "Une autre page a été ouverte" in html.unescape(answer.text) and asked(world, "SELECT count(*) FROM received_piece") == before
    told = mine.client.post("/receipt/complain", data={"csrf": csrf, "code": world.code, "reclamation.recit": "On ne me répond pas.", "key": "k"})
    assert told.status_code == 401 and "On ne me répond pas." in html.unescape(told.text), "what she wrote stays"
    assert asked(world, "SELECT 1 FROM instance WHERE root_id = :one AND process = 'reclamation'", one=brother) == []
