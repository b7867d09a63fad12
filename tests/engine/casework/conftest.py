"""A small Tunisia with one more diagram, drawn for what is kept apart: `essai`, and the accounts that would be tempted."""

from pathlib import Path

import pytest

from engine.actors import signin, users
from engine.casework import editions
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
    return tempting.says
