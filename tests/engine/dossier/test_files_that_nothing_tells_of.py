"""Sealed files whose sender's transaction never came to its commit: swept, and no other."""

import io
import signal
import subprocess
import sys
import time
from uuid import UUID

import pytest

from engine import errors
from engine.actors import users
from engine.dossier import documents
from tests.engine.dossier.test_documents import PDF, fetch, keep, person  # noqa: F401 (keep is a fixture)

KILLED = """
import io, os, signal, sys, uuid
from pathlib import Path
from engine.actors import users
from engine.database import Database
from engine.dossier import documents
from engine.ledger.keys import KeyStore
owner, app, keys, folder = sys.argv[1:]
database = Database(owner, app, keys=KeyStore(Path(keys)), documents=Path(folder))
me = users.Actor(uuid.uuid4(), "u", "Amel", "OTE", "MED", frozenset({"referent"}))
with database.unit_of_work(me) as session:
    print(documents.upload(session, me, "scan.pdf", io.BytesIO(sys.stdin.buffer.read())), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def database(make_database):
    """A database of its own: what others leave behind is not counted here."""
    return make_database()


def sealed(database):
    return {path.name.partition(".")[0] for path in database._carried["documents"].glob("??/*")}


def swept(database):
    with database.unit_of_work(users.system()) as session:
        return documents.sweep(session)


def test_a_file_whose_sender_was_killed_before_the_commit_is_swept_with_its_key(database, keep):  # noqa: F811
    me = person()
    kept = keep(me, PDF)
    keys, folder = database._carried["keys"], database._carried["documents"]
    killed = subprocess.run([sys.executable, "-c", KILLED, database.owner_url, database.app_url, str(keys._folder), str(folder)], input=PDF, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    lost = killed.stdout.decode().strip()
    assert lost in sealed(database) and keys._path(UUID(lost)).exists(), "its sealed file and its key are left over"
    (folder / lost[-2:] / f"{lost}.part").write_bytes(b"half")
    for _ in range(50):  # the server notices the cut connection in its own time
        if swept(database):
            break
        time.sleep(0.1)
    assert sealed(database) == {str(kept)} and not keys._path(UUID(lost)).exists()
    assert fetch(database, me, kept).content == PDF
    assert swept(database) == 0


def test_a_file_on_its_way_is_left_alone(database):
    me = person()
    with database.unit_of_work(me) as session:
        document_id = documents.upload(session, me, "scan.pdf", io.BytesIO(PDF))
        assert swept(database) == 0 and str(document_id) in sealed(database)
    assert swept(database) == 0
    assert fetch(database, me, document_id).content == PDF


def test_a_file_committed_between_two_looks_of_the_sweeper_is_kept(database, monkeypatch):
    """The worst moment: it was not told of at the first look, and nobody holds the lock any more at the second."""
    me, look = person(), documents._not_told_of
    with database.unit_of_work(me) as session:
        document_id = documents.upload(session, me, "scan.pdf", io.BytesIO(PDF))

        def looking(sweeping, ids):
            found = look(sweeping, ids)
            session.commit()  # between the first look and the lock
            return found

        monkeypatch.setattr(documents, "_not_told_of", looking)
        assert swept(database) == 0
    monkeypatch.undo()
    assert fetch(database, me, document_id).content == PDF


def test_a_file_of_a_unit_of_work_that_failed_is_swept(database):
    me = person()
    with pytest.raises(ZeroDivisionError), database.unit_of_work(me) as session:
        document_id = documents.upload(session, me, "scan.pdf", io.BytesIO(PDF))
        raise ZeroDivisionError
    assert sealed(database) == {str(document_id)}
    assert swept(database) == 1 and sealed(database) == set()


def test_nobody_fills_the_disk_with_files_that_nothing_names(database, keep, monkeypatch):  # noqa: F811
    monkeypatch.setattr(documents, "_MOST_WAITING", 3)
    me = person()
    for _ in range(3):
        keep(me, PDF)
    with pytest.raises(errors.Conflict, match="document.quota"):
        keep(me, PDF)
    assert keep(person(), PDF), "another sender has room of her own"
