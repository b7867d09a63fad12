"""What a command says where the database is not there, not Masar's, not of this version, or where somebody broke a line: one sentence, and exit 1."""

import json
import sys

import pytest
from sqlalchemy import make_url, text

from engine import cli
from engine.casework.instances import Change, lock
from engine.database import Database
from engine.dossier.facts import NewFact
from engine.ledger import notes
from tests import world as worlds
from tests.engine.casework.test_forgetting import closed
from tests.web.small.installation import furnish

KEY = notes.make_key("cps.gov.tn", notes.COSIGNATURE).key
# Every command that opens the database, with what it needs; FILE is a file to write.
COMMANDS = ["worker", "export FILE", "export casefile TN-MED-2026-00001 FILE", "export xes FILE", "export ocel FILE", "doctor", "doctor --json", "why", "why --short --json", "forget", "verify", "verify --json",
            "log key", "log rotate", f"witness name {KEY} --agency CPS", "import README.md", "user add x --name X --agency OTE --branch MED --role referent --password-file PASSWORD"]  # fmt: skip


@pytest.fixture
def masar(tmp_path, monkeypatch, capfd):
    """Types a command: what it answers (its exit status, what it printed, what it said of trouble)."""

    def types(database: Database, command: str):
        monkeypatch.setenv("MASAR_DATABASE_URL", database.owner_url)
        monkeypatch.setenv("MASAR_KEYS", str(database._carried["keys"]._folder) if "keys" in database._carried else str(tmp_path / "keys"))
        (tmp_path / "password").write_text("assez-long-pour-tous\n")
        monkeypatch.setattr(sys, "argv", ["masar", *command.replace("FILE", str(tmp_path / "written")).replace("PASSWORD", str(tmp_path / "password")).split()])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capfd.readouterr()
        return end.value.code or 0, said.out, said.err

    return types


def is_one_sentence(said: str) -> bool:
    return said.startswith("masar: ") and said.count("\n") == 1 and said.rstrip().endswith(".") and "Traceback" not in said


@pytest.mark.parametrize("command", COMMANDS, ids=[one.partition(str(KEY))[0] for one in COMMANDS])
def test_a_database_that_is_not_there_is_not_masars_or_is_of_another_version_is_told_so(command, masar, server_url, make_database):
    nowhere = Database(make_url(server_url).set(drivername="postgresql+psycopg", query={"host": "/nowhere"}).render_as_string(hide_password=False))
    empty = Database(make_url(server_url).set(drivername="postgresql+psycopg", database="template1").render_as_string(hide_password=False))
    other = make_database()
    for database, change, told in ((nowhere, "", "cannot be reached"), (empty, "", "masar migrate"), (other, "UPDATE alembic_version SET version_num = '0001'", "masar migrate"),
                                   (other, "UPDATE alembic_version SET version_num = '9999'", "newer version")):  # fmt: skip
        if change:
            with database.owner() as connection:
                connection.exec_driver_sql(change)
        code, _, said = masar(database, command)
        assert code == 1 and is_one_sentence(said) and told in said, (command, said)


@pytest.fixture(scope="module")
def town(make_database):
    database = make_database(furnish)
    town = worlds.World(database)
    case, salma = closed(town, 1), town.staff["salma"]
    with database.unit_of_work(salma) as session:  # she agreed that her data serve statistics
        change = Change(session, salma, held := lock(session, case), held.now)
        change.note("fact.corrected", {}, [NewFact(f"case:{case}", "consentement.c5", True, "C")], reason="Elle l'a dit.")
        change.write()
    with database.owner() as connection:
        town.number = connection.execute(text("SELECT number FROM instance WHERE instance_id = :id"), {"id": case}).scalar_one()
    town.case = case
    return town


BROKEN = {
    "cut": "UPDATE ledger_line SET line = left(line, length(line) / 2) WHERE instance_id = :id AND seq = 5",
    "emptied": "UPDATE ledger_line SET line = '{}' WHERE instance_id = :id AND seq = 5",
    "of another form": "UPDATE ledger_line SET line = jsonb_set(line::jsonb, '{body}', '[]')::text WHERE instance_id = :id AND seq = 5",
    "sealed otherwise": "UPDATE ledger_sealed SET ciphertext = set_byte(ciphertext, 30, get_byte(ciphertext, 30) # 1) WHERE instance_id = :id AND seq = (SELECT max(seq) FROM ledger_sealed WHERE instance_id = :id AND seq <= 5)",
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_line_that_somebody_broke_is_named_and_nothing_is_written(town, masar, tmp_path, broken):
    read = [f"export casefile {town.number} FILE", "export xes FILE", "export ocel FILE", "why", "why --short --json"]
    assert [masar(town.database, one)[0] for one in read] == [0] * len(read)
    kept = (tmp_path / "written").read_bytes()
    with town.database.owner() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        lines = connection.execute(text("SELECT seq, line FROM ledger_line WHERE instance_id = :id"), {"id": town.case}).all()
        sealed = connection.execute(text("SELECT seq, ciphertext FROM ledger_sealed WHERE instance_id = :id"), {"id": town.case}).all()
        connection.execute(text(BROKEN[broken]), {"id": town.case})
    try:
        told = [masar(town.database, one) for one in read]
        seq = json.loads(masar(town.database, "verify --json")[1])["wrong"][0]["line"]
        assert masar(town.database, "verify")[0] == masar(town.database, "doctor")[0] == 1
    finally:
        with town.database.owner() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.execute(text("UPDATE ledger_line SET line = :line WHERE instance_id = :id AND seq = :seq"), [{"id": town.case, "seq": row.seq, "line": row.line} for row in lines])
            connection.execute(text("UPDATE ledger_sealed SET ciphertext = :ciphertext WHERE instance_id = :id AND seq = :seq"), [{"id": town.case, "seq": row.seq, "ciphertext": row.ciphertext} for row in sealed])
    assert any(code for code, _, _ in told)
    for command, (code, _, said) in zip(read, told, strict=True):
        assert code == 0 or (code == 1 and is_one_sentence(said) and f"line {seq}, {town.number}" in said), (command, said)
    if all(code for code, _, _ in told):
        assert (tmp_path / "written").read_bytes() == kept and [one.name for one in tmp_path.iterdir() if one.name.endswith(".part")] == []


def test_a_key_file_that_is_damaged_is_told_of_by_the_line_that_it_seals(town, masar):
    keys = town.database._carried["keys"]
    with town.database.owner() as connection:
        person = connection.execute(text("SELECT person_id FROM instance WHERE instance_id = :id"), {"id": town.case}).scalar_one()
    file = keys._path(person)
    was = file.read_bytes()
    file.write_bytes(was[:5])
    try:
        wrong = json.loads(masar(town.database, "verify --json")[1])["wrong"]
        code, _, said = masar(town.database, "why --short")
        assert masar(town.database, "doctor")[0] == 1
    finally:
        file.write_bytes(was)
    assert {(one["code"], one["instance"]) for one in wrong} == {("sealed.key_damaged", str(town.case))}
    assert code == 1 and is_one_sentence(said) and "put it back" in said
