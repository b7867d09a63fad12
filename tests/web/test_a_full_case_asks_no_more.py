"""How often a page asks the database does not grow with what is in a case, nor a list with how much is in it: statements are counted, nothing is timed."""

import datetime as dt
import io

import pytest

from engine.casework import appointments, case_notes, pieces
from engine.demo import accounts
from engine.dossier import documents
from tests import statements
from tests.web.conftest import Browser
from tests.web.test_papers_that_come import PDF
from web.pages.case import TABS

PAGES = {
    "karim": (*(f"/cases/{{case}}?tab={tab}" for tab in TABS), *(f"/cases/{{case}}/{page}" for page in ("notes", "person", "consent", "why", "appointments/new"))),
    "coordination": ("/cases/{case}", "/cases/{case}/repair", "/cases/{case}/replay"),
    "auditeur": ("/cases/{case}", "/cases/{case}/readers", "/cases/{case}/casefile"),
}  # fmt: skip
LISTS = {"karim": ("/desk", "/desk?scope=queue", "/appointments", "/appointments?of=branch", "/notices", "/cases?q=ben", "/mergers"), "coordination": ("/caseloads", "/desk?scope=all", "/cases", "/incidents", "/funds")}


@pytest.fixture(scope="module")
def lived(world):
    """A case whose plan is signed, one as old in which much was said, written, brought and agreed; what each list asked before that one was filled and four more came."""
    few, much = (receive(world, number) for number in (1, 2))
    for case in (few, much):
        while "T301" not in world.nodes(case):
            world.answers(world.open_tasks(case)[0])
        agree(world, case, 2)
    before = {(username, page): asked(world, username, page) for username, pages in LISTS.items() for page in pages}
    fill(world, much)
    for number in range(3, 7):
        receive(world, number)
    return few, much, before


def receive(world, number):
    case = world.receive(world.somebody("social", number))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case, node)
    return case


def fill(world, case):
    karim = world.staff["karim"]
    for number in range(12):
        world.says(case, c6=bool(number % 2))
        with world.database.unit_of_work(karim) as session:
            case_notes.write(session, karim, case, f"Note {number}", "C")
            kind = next(one for one in pieces.offered(session, karim, case) if one.class_ == "C")
            document = documents.upload(session, karim, f"{number}.pdf", io.BytesIO(PDF + b"%%%d" % number))
            pieces.lodge(session, karim, case, kind.piece, kind.class_, document, f"Papier {number}")
    for number in range(8):
        agree(world, case, 3 + number)


def agree(world, case, days):
    """An appointment about a measure of hers, so many days from now or when there is room next."""
    karim = world.staff["karim"]
    with world.database.reading(karim) as session:
        hours = appointments.offer(session, karim, case, day=world.today() + dt.timedelta(days=days))
    with world.database.unit_of_work(karim) as session:
        appointments.make(session, karim, case, hours.agent_id, hours.slots[0], 30, "antenne", measure=hours.measures[0].subject)


def asked(world, username, address):
    """How often a page asks once it was seen: what it reads once for all is read."""
    browser = Browser(world.app)
    browser.sign_in(username, accounts.password())
    assert browser.get(address).status_code == 200, (username, address)
    with statements.sent() as ran:
        browser.get(address)
    return len(ran)


@pytest.mark.parametrize(("username", "page"), [(username, page) for username, pages in PAGES.items() for page in pages])
def test_a_page_of_a_full_case_asks_as_often_as_that_of_a_new_one(world, lived, username, page):
    few, much, _ = lived
    assert asked(world, username, page.format(case=much)) <= asked(world, username, page.format(case=few)) + 2


@pytest.mark.parametrize(("username", "page"), [(username, page) for username, pages in LISTS.items() for page in pages])
def test_a_list_asks_as_often_however_much_is_in_it(world, lived, username, page):
    assert asked(world, username, page) <= lived[2][username, page] + 2
