"""A demo installation with two administrators, an auditor and the pathway's staff, on the real pathway; each test makes its own accounts and dates."""

import datetime as dt

import pytest

from engine import clock
from engine.actors import accounts, signin, users
from engine.casework import cases  # noqa: F401  (with it come the operations that the edition's diagrams call)
from engine.identity import new_id
from tests.web.small.installation import PASSWORD, furnish_administered

REASON = "Note de service du 3 novembre"


@pytest.fixture(scope="module")
def house(make_database):
    """A database furnished once, with a second administrator."""
    return make_database(furnish_administered)


@pytest.fixture(scope="module")
def who(house):
    """Somebody signed in, by user name."""
    known = {}

    def find(username, password=PASSWORD):
        if username not in known:
            with house.unit_of_work(users.VISITOR) as session:
                known[username] = signin.sign_in(session, username, password, "web").actor
        return known[username]

    return find


@pytest.fixture
def act(house, who):
    """Does one act as somebody: `act("zied", accounts.close, user_id, reason)`."""

    def do(username, verb, *given, **named):
        actor = who(username)
        with house.unit_of_work(actor) as session:
            return verb(session, actor, *given, **named)

    return do


@pytest.fixture
def account(act):
    """A new account of a referent in Médenine, unless told otherwise; its id."""

    def make(agency="OTE", branch="MED", roles=("referent",), by="zied"):
        return act(by, accounts.create, f"u{new_id().hex[-12:]}", "Imen Saïdi", agency, branch, roles, REASON, name_ar="إيمان السعيدي")

    return make


@pytest.fixture(scope="module")
def today(house):
    """The day in Tunis."""
    with house.reading(users.system()) as session:
        return clock.today(clock.now(session))


@pytest.fixture
def days(today):
    """A day so many days from now."""
    return lambda number: today + dt.timedelta(days=number)
