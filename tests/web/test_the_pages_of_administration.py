"""Administration in a browser without script: what an administrator does, what an auditor sees, what nobody else opens."""

import re

import pytest
from sqlalchemy import text

from engine.actors import users
from engine.settings import Settings
from tests.web.conftest import Browser
from tests.web.small.installation import PASSWORD, furnish_administered
from web.app import create_app

PAGES = ["/admin", "/admin/accounts", "/admin/proposals", "/admin/reviews", "/admin/roles", "/admin/branches", "/admin/branches/MED", "/admin/programmes", "/admin/programmes/TOUNESNA-EU",
         "/admin/parameters", "/admin/parameters/quorum_minimum", "/admin/parameters/seance_unique", "/admin/parameters/tranches", "/admin/holidays", "/admin/journal"]  # fmt: skip
WRITING = ["/admin/accounts/new", "/admin/programmes/new", "/admin/import"]
WHY = "Note du 3 novembre"


@pytest.fixture(scope="module")
def house(make_database):
    """An installation of its own: what is administered here is nobody else's."""
    return make_database(furnish_administered)


@pytest.fixture(scope="module")
def enter(house):
    app, known = create_app(Settings(is_demo=True), house), {}

    def make(username, password=PASSWORD, again=False):
        if username not in known or again:
            known[username] = Browser(app)
            known[username].sign_in(username, password)
        return known[username]

    return make


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
@pytest.mark.parametrize("address", PAGES + WRITING)
def test_every_page_is_whole_in_every_language(enter, address, language):
    page = enter("zied").get(f"{address}?language={language}")
    assert page.status_code == 200, page.text[-500:]
    assert not re.search(r"\[(web\.|admin\.)[\w.]+\]", page.text), re.findall(r"\[(?:web|admin)[\w.]+\]", page.text)[:5]
    ids = re.findall(r'\sid="([^"]+)"', page.text)
    assert len(ids) == len(set(ids)), [one for one in ids if ids.count(one) > 1]
    assert set(re.findall(r'<label[^>]*\sfor="([^"]+)"', page.text)) <= set(ids)


@pytest.mark.parametrize("address", PAGES)
def test_the_auditor_reads_all_of_it_and_finds_no_way_to_write(enter, address):
    page = enter("chokri").get(address)
    assert page.status_code == 200 and 'action="/admin' not in re.sub(r'<form[^>]*method="get"[^>]*>', "", page.text)


@pytest.mark.parametrize("name", ["meriem", "karim", "amel"])
def test_nobody_else_opens_it(enter, name):
    browser = enter(name)
    assert "/admin" not in browser.get("/desk").text
    for address in PAGES + WRITING:
        assert browser.get(address).status_code == 403, address


def test_the_auditor_posts_nothing(enter):
    auditor = enter("chokri")
    auditor.get("/admin")
    for address in ("/admin/accounts/new", "/admin/reviews", "/admin/branches", "/admin/programmes", "/admin/parameters/quorum_minimum", "/admin/holidays", "/admin/import"):
        assert auditor.post(address, reason=WHY, day="2031-01-01", valid_from="2031-01-01", kind="users", csrf=re.search(r'name="csrf" value="([^"]*)"', auditor.get("/admin").text)[1]).status_code in (403, 422), address


def test_an_account_is_made_its_password_shown_once_and_changed_at_the_first_sign_in(enter, house):
    zied = enter("zied")
    zied.get("/admin/accounts/new")
    page = zied.post("/admin/accounts/new", username="imen.saidi", name="Imen Saïdi", name_ar="إيمان السعيدي", language="ar", agency="OTE", branch="MED", roles="referent", reason=WHY)
    password = re.search(r'<code dir="ltr">((?:\w{4}-){3}\w{4})</code>', page.text)[1]
    address = re.search(r"/admin/accounts/[0-9a-f-]{36}", page.text)[0]
    assert password not in zied.get(address).text and "إيمان السعيدي" in zied.page.text
    imen = enter("imen.saidi", password)
    assert imen.path == "/account" and "حسابي" in imen.page.text and 'role="alert"' in imen.page.text
    assert imen.get("/desk").url.path == "/account" and imen.post("/intake", process="parcours", branch="MED").status_code == 403
    imen.get("/account")
    imen.post("/account/password", old=password, new="une phrase à elle seule")
    assert imen.path == "/desk"
    zied.get(address)
    zied.post(f"{address}/close", reason="Départ")
    assert imen.get("/desk").url.path == "/signin"


def test_rights_by_two(enter, house):
    zied, hajer = enter("zied"), enter("hajer")
    with house.reading(users.system()) as session:
        karim = session.execute(text("SELECT user_id FROM user_account WHERE username = 'karim'")).scalar_one()
    zied.get(f"/admin/accounts/{karim}")
    zied.post(f"/admin/accounts/{karim}/rights", agency="OTE", branch="MED", roles="chef_antenne", reason=WHY, is_known="yes")
    proposal = re.search(r"/admin/proposals/([0-9a-f-]{36})/refuse", zied.get("/admin/proposals").text)[1]
    assert f"{proposal}/approve" not in zied.page.text and zied.post(f"/admin/proposals/{proposal}/approve").status_code == 403
    assert "Cette personne est seule à tenir ce qui suit" in hajer.get("/admin/proposals").text, "she reads what would wait before she approves"
    page = hajer.post(f"/admin/proposals/{proposal}/approve")
    assert re.search(r"(?:\w{4}-){3}\w{4}", page.text) and page.status_code == 200
    zied.get(f"/admin/accounts/{karim}")
    assert "ordonnateur" in zied.page.text and zied.post(f"/admin/accounts/{karim}/rights", agency="OTE", branch="MED", roles="auditeur", reason="").status_code == 422
    assert WHY in enter("chokri").get("/admin/journal?kind=account.").text


def test_a_parameter_and_a_programme_are_planned_from_their_pages(enter, house):
    zied = enter("zied")
    zied.get("/admin/parameters/tranches")
    fields = {"value.N1": "100", "value.N2": "40 60", "value.N3": "60 30 10", "valid_from": "2031-01-01", "source": "Note", "reason": WHY}
    assert zied.submit("/admin/parameters/tranches", fields).url.path == "/admin/parameters/tranches" and "40, 60" in zied.page.text
    assert zied.submit("/admin/parameters/tranches", fields | {"value.N2": "40 40", "valid_from": "2032-01-01"}).status_code == 422 and 'value="40 40"' in zied.page.text
    zied.get("/admin/parameters/base_adulte_millimes")
    assert zied.submit("/admin/parameters/base_adulte_millimes", {"value": "1 350,5", "valid_from": "2031-01-01", "source": "Note", "reason": WHY}).status_code == 200
    zied.get("/admin/programmes/TOUNESNA-EU")
    fields = {"code": "TOUNESNA-EU", "known": "yes", "valid_from": "2031-01-01", "name_fr": "T", "name_ar": "ت", "name_en": "T", "pays": ["FR", "BE"], "delai_mois": "6", "date_comptee": "depot",
              "fonds_requis": "yes", "seuil_consultation_millimes": "8 000", "N3~on": "on", "N3~plafond_millimes": "16000", "N3~suivi_mois": "24", "source": "Note", "reason": WHY}  # fmt: skip
    assert zied.submit("/admin/programmes", fields).url.path == "/admin/programmes/TOUNESNA-EU"
    with house.reading(users.system()) as session:
        content = session.execute(text("SELECT content FROM programme WHERE code = 'TOUNESNA-EU' AND version = 2")).scalar_one()
        assert session.execute(text("SELECT value FROM parameter WHERE code = 'base_adulte_millimes' AND valid_from = '2031-01-01'")).scalar_one() == 1_350_500
    assert content == {"label": {"fr": "T", "ar": "ت", "en": "T"}, "pays": ["FR", "BE"], "delai_mois": 6, "date_comptee": "depot", "fonds_requis": True, "seuil_consultation_millimes": 8_000_000,
                       "niveaux": [{"niveau": "N3", "plafond_millimes": 16_000_000, "suivi_mois": 24}]}  # fmt: skip
    refused = zied.submit("/admin/programmes", fields | {"valid_from": "2032-01-01", "delai_mois": "six", "N3~plafond_millimes": "beaucoup"})
    assert refused.status_code == 422 and 'value="six"' in refused.text and 'value="beaucoup"' in refused.text


def test_a_period_is_shown_from_its_beginning_and_goes_back_as_it_came(enter, house):
    zied = enter("zied")
    page = zied.get("/admin/parameters/seance_unique").text
    typed = re.search(r"<textarea[^>]*name=\"value\"[^>]*>([^<]*)</textarea>", page)[1]
    assert typed.split("\n") == ["01/07 31/08", "Aïd el-Fitr 30"] and page.index("01/07") < page.index("31/08")
    assert zied.submit("/admin/parameters/seance_unique", {"value": typed, "valid_from": "2031-01-01", "source": "Note", "reason": WHY}).status_code == 200
    with house.reading(users.system()) as session:
        kept = session.execute(text("SELECT value FROM parameter WHERE code = 'seance_unique' AND valid_from = '2031-01-01'")).scalar_one()
    assert kept == [{"du": "07-01", "au": "08-31"}, {"avant": "Eid al-Fitr", "jours": 30}]
    said = {"valid_from": "2031-02-01", "source": "Note", "reason": WHY}
    refused = zied.submit("/admin/parameters/seance_unique", {"value": "1/7/2031 31/8/2031\nRamadan 30", **said}).text
    assert "n&#39;est pas une fête du calendrier" in refused and 'value="2031-02-01"' in refused and "Ramadan 30" in refused and WHY in refused
    assert zied.submit("/admin/parameters/seance_unique", {"value": "1/7/2031 31/8/2031\nعيد الفطر 29\n2031-09-01 2031-09-02", **said}).status_code == 200
    with house.reading(users.system()) as session:
        kept = session.execute(text("SELECT value FROM parameter WHERE code = 'seance_unique' AND valid_from = '2031-02-01'")).scalar_one()
    assert kept == [{"du": "2031-07-01", "au": "2031-08-31"}, {"avant": "Eid al-Fitr", "jours": 29}, {"du": "2031-09-01", "au": "2031-09-02"}]


def test_a_branch_opened_by_an_administrator_is_called_by_its_name_everywhere(enter):
    zied = enter("zied")
    zied.get("/admin/branches")
    fields = {"code": "GAF", "name_fr": "Gafsa", "name_ar": "قفصة", "name_en": "Gafsa", "valid_from": "2031-01-01", "governorates": "TN-71", "agencies": ["OTE", "CPS", "ANETI"], "reason": WHY}
    page = zied.submit("/admin/branches", fields)
    assert page.url.path == "/admin/branches/GAF" and "Sfax" in page.text
    assert "OTE" in page.text and "Agent d&#39;accueil · OTE" in page.text and "/admin/parameters/adresses_antennes" in page.text, "who and what it lacks before its day"
    assert "قفصة" in zied.get("/admin/accounts?language=ar").text


def test_a_file_is_tried_told_line_by_line_in_the_readers_language_then_taken(enter):
    zied = enter("zied")
    zied.get("/admin/import")
    csrf, bad = zied.hidden("csrf"), "jour;nom_fr;nom_ar;nom_en\n01/02/2031;A;ا;A\n01/02/2020;A;ا;A\n".encode()
    send = {"csrf": csrf, "kind": "holidays", "reason": WHY, "act": "try"}
    page = zied.client.post("/admin/import?language=ar", data=send, files={"file": ("jours.csv", bad, "text/csv")})
    assert page.status_code == 422 and "<bdi>3</bdi>" in page.text and "غدا على أقرب تقدير" in page.text
    zied.page = zied.client.post("/admin/import", data=send, files={"file": ("jours.csv", bad.replace(b"2020", b"2031").replace(b"01/02/2031;A;\xd8\xa7;A\n01/", b"01/02/2031;A;\xd8\xa7;A\n02/"), "text/csv")})
    assert zied.page.status_code == 200 and 'name="content"' in zied.page.text
    held = {name: re.search(rf'name="{name}" value="([^"]*)"', zied.page.text, re.DOTALL)[1] for name in ("kind", "content", "reason")}
    page = zied.submit("/admin/import", held | {"act": "do"})
    assert page.status_code == 200 and "2 choses" in page.text
    assert zied.get("/admin/import/users/template").headers["content-disposition"].startswith("attachment")


def test_what_waits_for_nobody_is_read_before_the_last_one_leaves_and_what_was_typed_stays(enter):
    zied = enter("zied")
    address = re.search(r"/admin/accounts/[0-9a-f-]{36}", zied.get("/admin/accounts?q=amel").text)[0]
    assert "Cette personne est seule à tenir ce qui suit" in zied.get(address).text and "Aucun collègue de cette agence" in zied.page.text
    assert zied.post(f"{address}/close", reason="Mutation à Gafsa").status_code == 409
    assert "Personne d" in zied.page.text and 'value="Mutation à Gafsa"' in zied.page.text and "En service" in zied.page.text
    assert zied.post(f"{address}/close", reason="Mutation à Gafsa", is_known="yes").status_code == 200
    assert "Plus personne n" in zied.page.text, "the journal says it"


def test_a_feast_is_moved_where_it_is_listed_and_what_was_refused_is_shown_again_there(enter):
    zied, names = enter("zied"), {"name_fr": "Aïd", "name_ar": "العيد", "name_en": "Eid"}
    for day in ("2031-03-05", "2031-03-06"):
        zied.get("/admin/holidays?year=2031")
        zied.post("/admin/holidays", day=day, act="set", reason=WHY, **names)
    zied.get("/admin/holidays?year=2031")
    refused = zied.post("/admin/holidays", was="2031-03-05", day="2031-03-06", estimate="on", act="set", reason="Annonce", **names | {"name_fr": "Aïd el-Fitr"})
    assert refused.status_code == 409 and "déjà fermées ce jour-là" in refused.text and refused.text.count("<details class=\"fold\" open>") == 1
    row = refused.text.partition('name="was" value="2031-03-05"')[2].partition("</form>")[0]
    assert 'value="2031-03-06"' in row and 'value="Aïd el-Fitr"' in row and 'value="Annonce"' in row and " checked" in row
    moved = zied.post("/admin/holidays", was="2031-03-05", day="2031-03-07", act="set", reason=WHY, **names)
    assert "Le jour fermé est déplacé" in moved.text and [day in moved.text for day in ("2031-03-05", "2031-03-06", "2031-03-07")] == [False, True, True]
    opened = zied.post("/admin/holidays", was="2031-03-07", day="2031-03-09", act="drop", reason=WHY)
    assert "de nouveau ouvert" in opened.text and "2031-03-07" not in opened.text


def test_a_programme_without_a_level_is_accepted_once_one_ticked_that_it_is_meant(enter):
    zied = enter("zied")
    zied.get("/admin/programmes/new")
    fields = {"code": "SERVICES-1", "valid_from": "2033-01-01", "name_fr": "Services", "name_ar": "خدمات", "name_en": "Services", "source": "Note", "reason": WHY}
    page = zied.submit("/admin/programmes", fields)
    assert page.status_code == 409 and 'name="is_known"' in page.text and page.text.count("Aucun niveau d&#39;aide n&#39;est ouvert") == 1 and f'value="{WHY}"' in page.text
    assert zied.submit("/admin/programmes", fields | {"is_known": "yes"}).url.path == "/admin/programmes/SERVICES-1"
    zied.get("/admin/import")
    head, row = "code;valable_du;nom_fr;nom_ar;nom_en;source;infere", "SERVICES-2;01/01/2033;Services;خدمات;Services;Note;non"
    send = {"csrf": zied.hidden("csrf"), "kind": "programmes", "reason": WHY, "act": "try"}
    zied.page = zied.client.post("/admin/import", data=send, files={"file": ("p.csv", f"{head}\n{row}\n".encode(), "text/csv")})
    assert zied.page.status_code == 200 and "Aucun niveau d&#39;aide" in zied.page.text and 'name="is_known"' in zied.page.text
    held = {name: re.search(rf'name="{name}" value="([^"]*)"', zied.page.text, re.DOTALL)[1] for name in ("kind", "content", "reason")} | {"act": "do"}
    wrong = zied.client.post("/admin/import", data=send, files={"file": ("p.csv", f"{head}\n{row}\nX 1;01/01/2033;X;ا;X;Note;non\n".encode(), "text/csv")}).text
    assert "Une erreur :" in wrong and "Aucun niveau d&#39;aide" not in wrong, "errors first"
    assert 'name="is_known"' in zied.submit("/admin/import", held).text, "not read: nothing is done"
    assert "1 chose" in zied.submit("/admin/import", held | {"is_known": "yes"}).text


def test_an_agency_that_is_not_named_keeps_what_was_typed(enter):
    zied = enter("zied")
    zied.get("/admin/branches")
    refused = zied.submit("/admin/agencies/CPS", {"name_fr": "Centre de promotion", "name_ar": "مركز", "name_en": "Centre", "valid_from": "2001-01-01", "reason": WHY}).text
    assert refused.count('value="Centre de promotion"') == 1 and 'value="2001-01-01"' in refused and WHY in refused
