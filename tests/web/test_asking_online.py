"""A request by somebody without an account: taken once, told nothing but a code, at the branch of her governorate for a person to confirm."""

import re

import pytest
from sqlalchemy import text

from engine.actors import users
from engine.casework import receipts, requests, tasks
from engine.settings import Settings
from tests import world as worlds
from tests.web.conftest import Browser
from web.app import create_app
from web.pages import request as page

MARIEM = {
    "person.nom_fr": "Ben Romdhane", "person.prenom_fr": "Mariem", "person.naissance_date~day": "4", "person.naissance_date~month": "5", "person.naissance_date~year": "1992",
    "person.tel": "+33 6 12 34 56 78", "person.email": "mariem@exemple.fr", "person.canal_prefere": "whatsapp", "person.langue": "fr", "retour.pays": "FR",
    "retour.date_prevue~day": "1", "retour.date_prevue~month": "12", "retour.date_prevue~year": "2030", "person.gouvernorat": "TN-82",
    "accueil.motif_visite~present": "1", "accueil.motif_visite": ["emploi", "formation"], "accueil.demande_libre": "Je cherche une formation de couture.",
    "signalement.accord": "true", "act": "send",
}  # fmt: skip


@pytest.fixture(scope="module")
def world(make_database):
    database = make_database(worlds.furnish)
    return worlds.World(database)


@pytest.fixture(scope="module")
def app(world):
    return create_app(Settings(is_demo=True), world.database)


@pytest.fixture
def visitor(app, world, monkeypatch):
    monkeypatch.setattr(page, "_FASTEST", 0)
    with world.database.owner() as connection:
        connection.execute(text("DELETE FROM signin_attempt"))
    return Browser(app)


def sends(visitor, **other):
    visitor.get("/request?language=fr")
    return visitor.submit("/request", {**MARIEM, **{name.replace("__", "."): value for name, value in other.items()}})


def rows(world, statement, **given):
    with world.database.reading(users.system()) as session:
        return session.execute(text(statement), given).all()


def signals(world):
    return rows(world, "SELECT instance_id, branch, receipt_code, person_id, root_id FROM instance WHERE process = 'signalement' ORDER BY opened_at")


def code_of(answer):
    return re.search(r"data-code>.*?([A-Z0-9]{8})", answer.text, re.S)[1]


def test_she_gets_a_receipt_and_the_branch_of_her_governorate_a_task(world, visitor):
    answer = sends(visitor)
    assert answer.status_code == 200, answer.text
    code = code_of(answer)
    assert "Romdhane" not in answer.text
    signal = next(row for row in signals(world) if row.receipt_code == code)
    (task,) = world.open_tasks(signal.instance_id)
    assert (task.node, task.agency, task.branch, task.role) == ("T002", "OTE", "MED", "agent_accueil")
    # What she typed is known there, as hers and to be confirmed; her telephone can be put right.
    salma = world.who_does(task)
    with world.database.reading(salma) as session:
        known = {one.spec.id: one for one in tasks.view(session, salma, task.task_id).form.known}
    assert known["person.nom_fr"].value == "Ben Romdhane" and known["accueil.demande_libre"].value.startswith("Je cherche")
    assert {one.source.kind for name, one in known.items() if name.startswith(("person.", "accueil.", "retour."))} == {"online"}
    assert known["person.tel"].may_correct
    # The code tells where it stands, and nothing else.
    shown = visitor.get(f"/receipt?code={code}").text
    assert "Romdhane" not in shown and code in shown
    assert world.incidents() == []
    # Reception finds her among those awaited; nothing of it is asked again, and her code follows her case.
    found = world.look_for("Romdhane")
    assert [(one.case_id, one.is_expected) for one in found] == [(signal.instance_id, True)]
    case_id = world.receive({}, expected=signal.instance_id)
    row = world.open_tasks(case_id)[0]
    with world.database.reading(salma) as session:
        form = tasks.view(session, salma, row.task_id).form
    asked = {question.spec.id for question in form.questions()}
    assert not asked & {"person.nom_fr", "person.tel", "accueil.motif_visite", "retour.pays", "person.gouvernorat"}
    assert {one.source.kind for one in form.known if one.spec.id == "person.nom_fr"} == {"online"}
    world.settle()
    with world.database.reading(users.VISITOR) as session:
        stands = receipts.look_up(session, code)
    assert not stands.is_closed and stands.agency == "OTE"


def test_a_double_click_is_one_request(world, visitor):
    before = len(signals(world))
    visitor.get("/request?language=fr")
    held = visitor.page
    first = visitor.submit("/request", MARIEM)
    visitor.page = held
    again = visitor.submit("/request", MARIEM)
    assert code_of(first) == code_of(again) and len(signals(world)) == before + 1


def test_it_says_the_same_of_somebody_known_and_of_a_stranger(world, visitor):
    def plain(answer):
        return re.sub(r"[A-Z0-9]{8}|value=\"[^\"]*\"", "", answer.text)

    once, twice, stranger = sends(visitor), sends(visitor), sends(visitor, person__nom_fr="Zzz", person__prenom_fr="Qqq", person__tel="+33 7 00 00 00 00")
    assert plain(once) == plain(twice) == plain(stranger)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("person.nom_fr", "", "q-person-nom_ar"), ("signalement.accord", "false", "q-signalement-accord"), ("signalement.accord", "", "q-signalement-accord"),
        ("person.gouvernorat", "FR-75", "q-person-gouvernorat"), ("retour.date_prevue~year", "", "q-retour-date_prevue"), ("accueil.demande_libre", "x" * 1001, "q-accueil-demande_libre"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_told_beside_its_question_and_the_typing_is_kept(world, visitor, field, value, said):
    before = len(signals(world))
    answer = sends(visitor, **{field: value})
    assert answer.status_code == 422 and f'href="#{said}"' in answer.text and len(signals(world)) == before
    assert "mariem@exemple.fr" in answer.text


def test_neither_a_machine_nor_another_site_gets_one_in(world, visitor, monkeypatch):
    before = len(signals(world))
    assert sends(visitor, fax="1").status_code == 422
    monkeypatch.setattr(page, "_FASTEST", 4)
    assert sends(visitor).status_code == 422, "sent as fast as no person types"
    monkeypatch.setattr(page, "_FASTEST", 0)
    visitor.get("/request?language=fr")
    assert visitor.client.post("/request", data={**MARIEM, "csrf": "0" * 64, "key": visitor.hidden("key")}).status_code == 403
    visitor.get("/request?language=fr")
    assert visitor.submit("/request", {**MARIEM, "key": "forged.0"}).status_code == 422
    visitor.get("/request?language=fr")
    assert visitor.submit("/request", {**MARIEM, "person.cin": "08123456", "person.adresse": "x"}).status_code == 200, "what was not asked is not read"
    assert visitor.submit("/request", {**MARIEM, "accueil.demande_libre": "x" * 50_000}).status_code == 413
    assert len(signals(world)) == before + 1
    told = {row.field for row in rows(world, "SELECT field FROM fact WHERE root_id = :id", id=signals(world)[-1].root_id)}
    assert not {"person.cin", "person.adresse"} & told


def test_from_one_address_five_in_a_quarter_of_an_hour_and_from_all_sixty(world, visitor, monkeypatch):
    assert [sends(visitor).status_code for _ in range(requests.MOST_FROM_ONE + 1)] == [200] * requests.MOST_FROM_ONE + [409]
    assert "mariem@exemple.fr" in visitor.page.text, "and what was typed is kept"
    monkeypatch.setattr(page, "whence", lambda _request: "203.0.113.9")
    assert sends(visitor).status_code == 200
    with world.database.owner() as connection:
        connection.execute(text("INSERT INTO signin_attempt (subject) SELECT :all FROM generate_series(1, :many)"), {"all": requests._ALL, "many": requests.MOST_OF_ALL})
    monkeypatch.setattr(page, "whence", lambda _request: "203.0.113.10")
    assert sends(visitor).status_code == 409
    with world.database.owner() as connection:
        kept = connection.execute(text("SELECT subject FROM signin_attempt")).scalars().all()
    assert not any("203.0.113" in one or "testclient" in one for one in kept), "no address is kept"


def test_it_needs_no_script_and_reads_in_arabic(visitor):
    shown = visitor.get("/request?language=ar").text
    assert 'dir="rtl"' in shown and "طلب مرافقة" in shown and 'action="/request"' in shown
    assert "hx-" not in re.search(r"<form.*</form>", shown, re.S)[0]
