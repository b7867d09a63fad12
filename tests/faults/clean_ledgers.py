"""Clean ledgers raise no alarm: each of its own shape, of its own seed; sealed at random, keys changed and lost, persons erased, a witness beside it.

`python -m tests.faults.clean_ledgers [ledgers] [entries]` makes a hundred of ten thousand entries, on an embedded server of its own, and prints each alarm with its
seed; a few small ones on every push. Each ledger is then touched at one place and must raise its alarm there: a prover that says nothing would pass the rest.
"""

import os
import random
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy import make_url, text

from sqlmodel import Session

from engine import clock, postgres
from engine.actors import users
from engine.database import Database
from engine.ledger import events, log, merkle, notes, proving
from engine.ledger.keys import KeyStore
from tests.bench import proofs
from tests.engine.ledger import attacks
from tests.faults import village

_CASES = text("SELECT instance_id FROM instance ORDER BY instance_id")
_SEALED = text("SELECT instance_id, seq FROM log_entry JOIN ledger_line USING (instance_id, seq) ORDER BY log_index")


class Witness:
    """Keeps each checkpoint it saw, after the proof that it goes on from the one before."""

    def __init__(self) -> None:
        self.seen: list[proving.Seen] = []

    def look(self, database: Database) -> None:
        with database.reading(users.VISITOR) as session:
            last = log.latest(session)
            if last is None or (self.seen and self.seen[-1].size == last.size):
                return
            told = notes.read_checkpoint(notes.open_note(last.note).text)
            if self.seen:
                before = self.seen[-1]
                assert merkle.is_consistent(before.size, told.size, before.root, told.root, log.consistency(session, before.size, told.size))
        self.seen.append(proving.Seen("OTE", told.size, told.root))


def grow(database: Database, seed: int, entries: int) -> Witness:
    """A ledger of about so many entries in a furnished database: copies of a case of random length, then some that live, with all that may happen to a log."""
    draw, witness = random.Random(seed), Witness()
    proofs.fill(database, entries, draw.choice((10, 17, 60, max(entries // 4, 3))), writers=1)
    usual, log.SLICE = log.SLICE, draw.randrange(entries // 20 + 2, entries)
    try:
        for turn in range(draw.randrange(3, 9)):
            _, task_id = village.open_case(database)
            with database.unit_of_work(users.system()) as session:
                happens = draw.choice(("seal", "seal", "rotate", "lose")) if turn else "seal"
                {"seal": log.seal, "rotate": log.rotate, "lose": log.replace_lost_key}[happens](session, users.system())
            witness.look(database)
            village.complete(database, task_id)
    finally:
        log.SLICE = usual
    with database.unit_of_work(users.system()) as session:
        for case in draw.sample(cases := list(session.execute(_CASES).scalars()), min(3, len(cases) // 3)):
            forget(session, case)
    return witness


def forget(session: Session, case: UUID) -> None:
    """The key of a case goes, and a line says so."""
    row = session.execute(text("SELECT seq, head FROM instance WHERE instance_id = :id"), {"id": case}).one()
    head = events.append(session, users.system(), events.Head(case, row.seq, bytes(row.head)), None, "person.erased", clock.now(session), {}, {}, 1)
    session.execute(text("UPDATE instance SET seq = :seq, head = :head WHERE instance_id = :id"), {"id": case, "seq": head.seq, "head": head.hash})
    session.info["keys"].erase(case)


def alarms(database: Database, witness: Witness) -> list[proving.Wrong]:
    return proving.prove(database, users.system(), witness.seen).wrong


def touch(database: Database, seed: int) -> tuple[UUID, int]:
    """Changes one letter of one sealed line, past all guards; which one."""
    with attacks.past_the_guards(database) as connection:
        case, seq = random.Random(seed).choice(connection.execute(_SEALED).all())
        attacks.run(connection, "UPDATE ledger_line SET line = replace(line, '\"v\"', '\"w\"') WHERE instance_id = :case AND seq = :seq", case=case, seq=seq)
    return case, seq


def main() -> int:
    ledgers, entries = (int(sys.argv[place]) if len(sys.argv) > place else usual for place, usual in ((1, 100), (2, 10_000)))
    false = missed = 0
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        url = postgres.ensure_running(Path(folder) / "postgres", is_durable=False)
        try:
            with psycopg.connect(_plain(url, "postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE clean")
                clean = Database(_named(url, "clean"))
                clean.migrate()
                village.furnish(clean)
                clean.dispose()
                for seed in range(1, ledgers + 1):
                    connection.execute('CREATE DATABASE one TEMPLATE "clean"')
                    database = Database(_named(url, "one"), keys=KeyStore(Path(folder) / f"keys{seed}"), documents=Path(folder) / "documents")
                    found = alarms(database, witness := grow(database, seed, entries))
                    false += bool(found)
                    touched = touch(database, seed)
                    seen = {(one.instance_id, one.seq) for one in alarms(database, witness)}
                    missed += seen != {touched}
                    if found or seen != {touched}:
                        print(f"seed {seed}: clean {found[:3]}; touched {touched}, told {sorted(seen, key=str)[:3]}", flush=True)
                    database.dispose()
                    connection.execute("DROP DATABASE one WITH (FORCE)")
        finally:
            postgres.stop(Path(folder) / "postgres")
    print(f"{ledgers} clean ledgers of some {entries:,} entries: {false} false alarms; touched at one line each: {ledgers - missed} named it and nothing else; "
          f"{time.perf_counter() - began:.0f} s, {os.cpu_count()} cores")  # fmt: skip
    return 1 if false or missed else 0


def _named(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _plain(url: str, name: str) -> str:
    return make_url(url).set(drivername="postgresql", database=name).render_as_string(hide_password=False)


if __name__ == "__main__":
    sys.exit(main())
