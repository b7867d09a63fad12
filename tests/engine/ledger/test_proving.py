"""Whoever has every right in the database changes what happened: each attack of threats.md §5 is seen and located, on a live case and on a closed one.

The defences are taken away one by one in the last tests: what each of them sees is then seen by nobody.
"""

import pytest
from sqlalchemy import text

from engine import doctor
from engine.actors import users
from engine.ledger import log, notes, proving
from tests.faults import village


def seal(database) -> None:
    with database.unit_of_work(users.system()) as session:
        log.seal(session, users.system())


@pytest.fixture
def hamlet(make_database):
    database = make_database()
    village.furnish(database)
    village.open_case(database)
    seal(database)
    return database


def test_a_clean_ledger_has_nothing_wrong(hamlet):
    proof = proving.prove(hamlet, users.system())
    assert proof.wrong == []
    assert (proof.unsealed, proof.entries) == (0, proof.lines)
