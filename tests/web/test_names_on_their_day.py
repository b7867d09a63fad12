"""What is renamed from a day on is called so on that day, on every page and form, though nobody wrote anything since and no server was started again."""

import datetime as dt
from types import SimpleNamespace

import pytest

from api.app import create_app
from engine import clock
from engine.actors import branches
from engine.casework import editions
from engine.demo import accounts
from engine.dossier import catalogues
from engine.settings import Settings
from tests.web.conftest import Browser
from tests.web.test_absent_and_forbidden_look_the_same import program_of

CALLED, FUND = ({"fr": f"{name} rebaptisé", "ar": f"{name} باسمه الجديد", "en": f"{name} renamed"} for name in ("Médenine", "Fonds européen"))


@pytest.fixture
def first(world):
    """The day from which a branch and a programme are called otherwise."""
    chief, day = world.staff["administration"], world.today() + dt.timedelta(days=20)
    content = {"label": FUND, "niveaux": [{"niveau": "N3", "plafond_millimes": 16_000_000}]}
    with world.database.unit_of_work(chief) as session:
        held = branches.show(session, chief, "MED").present
        branches.change_branch(session, chief, "MED", day, CALLED, held.governorates, held.agencies, "Nouveau nom")
        catalogues.add_programme(session, chief, "TOUNESNA-EU", day, content, "convention", True, "avenant")
    return day


def test_what_is_renamed_from_a_day_on_is_called_so_on_that_day_and_not_before(world, first):
    case = world.receive(world.somebody("emploi", accueil__antenne_choisie="MED"))
    for node in ("T101", "T102"):
        world.does(case, node)
    program = program_of(SimpleNamespace(api=create_app(Settings(is_demo=True), world.database, lambda *_: b"", lambda *_: b"")), "salma")
    salma, coordination = Browser(world.app), Browser(world.app)
    salma.sign_in("salma", accounts.password())
    coordination.sign_in("coordination", accounts.password())

    def told():
        """By page: what of the new names it says; none of these pages reads what is dated by itself."""
        pages = {"call": program.get(f"/cases/{case}").text}  # first: a page says the names to whoever asks after it in the same process
        pages |= {"account": salma.get("/account").text, "door": Browser(world.app).get("/signin").text, "steering": coordination.get("/steering").text}
        with world.database.reading(world.staff["salma"]) as session:
            pages["form"] = editions.current(session).dictionary.field("aide.programme").choice_label("TOUNESNA-EU", "fr")
        return {page: {name for name in (CALLED["fr"], FUND["fr"]) if name in text} for page, text in pages.items()}

    assert set().union(*told().values()) == set()
    moved(world, first - dt.timedelta(days=1))
    assert set().union(*told().values()) == set(), "the evening before"
    moved(world, first)
    assert told() == {"call": {CALLED["fr"]}, "account": {CALLED["fr"]}, "door": {CALLED["fr"]}, "steering": {CALLED["fr"], FUND["fr"]}, "form": {FUND["fr"]}}


def moved(world, day):
    """It is that day at noon; nothing was done meanwhile."""
    with world.database.unit_of_work(world.staff["administration"]) as session:
        clock.advance(session, (dt.datetime.combine(day, dt.time(12), clock.TUNIS) - clock.now(session)).total_seconds())
