"""A small Tunisia with one more diagram, drawn for what is kept apart: `essai`, and the accounts that would be tempted."""

from pathlib import Path

import pytest

from engine.actors import signin, users
from engine.casework import editions
from engine.casework.instances import Change, lock
from engine.dossier import consents
from engine.dossier.facts import NewFact
from tests import world as worlds

HERE = Path(__file__).parent
# An operator that is nothing else, a second one, a funder's member, and somebody who holds the two roles of one dossier.
ACCOUNTS = {
    "voisin": ("PART", "MED", ["operateur"]),
    "voisine": ("PART", "MED", ["operateur"]),
    "bailleur": ("PART", "MED", ["membre_commission"]),
    "double": ("OTE", "MED", ["chef_antenne", "secretaire_commission"]),
}


@pytest.fixture(scope="module")
def tempting(make_database):
    database = make_database()
    worlds.furnish(database, editions.files_of(worlds.PROCESSES, worlds.FORMS) | {"processes/essai.bpmn": (HERE / "two_hands" / "essai.bpmn").read_bytes()})
    with database.owner() as connection:
        for username, (agency, branch, roles) in ACCOUNTS.items():
            users.create(connection, username, username.title(), agency, branch, roles, signin.DEMO_PASSWORD, is_demo=True)
    return worlds.World(database)


@pytest.fixture
def withdraw(tempting):
    """Says a consent anew, as the form that withdraws one does."""

    def say(case_id, **said):
        actor = tempting.staff["karim"]
        with tempting.database.unit_of_work(actor) as session:
            held = lock(session, case_id)
            new = [NewFact(f"case:{case_id}", f"consentement.{name}", value, "C") for name, value in said.items()]
            consents.apply(held, new)
            change = Change(session, actor, held, held.now)
            change.note("consent.said", {}, new)
            change.write()

    return say
