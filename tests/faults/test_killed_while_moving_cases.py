"""A worker killed with -9 in the middle of moving many cases: nothing is lost, nothing is moved twice, each case has its line."""

import subprocess
import sys

from sqlalchemy import text

from engine import clock, doctor
from engine.actors import users
from engine.casework import batches, editions, moves
from tests.conftest import ROOT
from tests.faults import village
from tests.faults.conftest import Village, until

CASES = 40
WORKS = """
import sys
from pathlib import Path
from engine.casework import batches, moves
from engine.database import Database
from engine.ledger.keys import KeyStore
batches.work_off(Database(sys.argv[1], keys=KeyStore(Path(sys.argv[2]))))
"""


def test_another_worker_takes_up_what_is_left(hamlet: Village):
    with hamlet.database.owner() as connection:
        users.create(connection, "meriem", "Meriem", "OTE", "TUN", ["coordinateur"], village.PASSWORD, is_demo=True)
    cases = [village.open_case(hamlet.database)[0] for _ in range(CASES)]
    drawn = village.files()["processes/village.bpmn"].decode().replace('id="saisir" name="saisir"', 'id="ecrire" name="saisir"')
    drawn = drawn.replace('targetRef="saisir"', 'targetRef="ecrire"').replace('sourceRef="saisir"', 'sourceRef="ecrire"')
    with hamlet.database.unit_of_work(users.system()) as session:
        edition = editions.keep(session, village.files() | {"processes/village.bpmn": drawn.encode()}, clock.now(session), None, "essai")
    meriem = village.actor(hamlet.database, "meriem")
    with hamlet.database.unit_of_work(meriem) as session:
        moves.start(session, meriem, cases, edition.edition_id, {"parcours#saisir": "parcours#ecrire"}, "essai")
    worker = subprocess.Popen([sys.executable, "-c", WORKS, hamlet.database.owner_url, str(hamlet.folder / "keys")], cwd=ROOT)
    until(lambda: village.lines(hamlet.database, "case.moved") >= 3, 60)
    worker.kill()
    worker.wait()
    assert village.lines(hamlet.database, "case.moved") < CASES, "killed too late to show anything"
    batches.work_off(hamlet.database)
    with hamlet.database.owner() as connection:
        moved = connection.execute(text("SELECT count(*), count(DISTINCT instance_id) FROM ledger_line WHERE kind = 'case.moved'")).one()
        results = connection.execute(text("SELECT result, count(*) FROM batch_line GROUP BY result")).all()
    assert tuple(moved) == (CASES, CASES) and [tuple(one) for one in results] == [("move.done", CASES)]
    assert village.open_tasks(hamlet.database) == ["ecrire"] * CASES
    assert list(doctor.examine(hamlet.database).faults) == []
