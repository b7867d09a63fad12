"""What proof costs at a size: sealing, proving one line, proving the whole; time, processor time and memory.

`python -m tests.bench.proofs [entries] [lines a case]`, on an embedded server of its own, not in the timed suite; part of `make bench`. The rows are made for the bench: no act wrote
them. They are of the usual size, each seals what a completion seals under a key for each case, `chain.write` and `sealing.seal` make them as they make any line, two hundred cases grow
side by side so that the lines of one lie apart, and two processes put them there by COPY.
"""

import base64
import json
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url, text

from engine import clock, postgres
from engine.actors import users
from engine.database import Database
from engine.identity import new_id
from engine.ledger import chain, log, merkle, notes, proving, sealing
from engine.ledger.keys import KeyStore
from tests.bench import servers
from tests.faults import village

_BODY = {"task": "12.3", "node": "T203", "form": "f09", "closed": [["12.3", "completed"]], "opened": [["13.1", "T204"], ["13.2", "T205"]], "branches": [["G21", ["F_oui"]]],
         "facts": [{"subject": "case:01999f3a-6a51-7c05-9d3e-0f6b3a1c2d4e", "field": f"evaluation.champ_{place}", "class": "C", "source": "person"} for place in range(3)]}  # fmt: skip
_SEALED = {**{f"case:01999f3a|evaluation.champ_{place}": {"value": "emploi salarié", "status": "known", "class": "C"} for place in range(3)},
           "inputs": {"kind": "complete", "task": "12.3", "facts": {"case": {"retour": {"pays": "IT", "mode": "volontaire"}, "evaluation": {"projet": "emploi"}}}, "dated": "a" * 64},
           "why": [{"node": "G21", "flows": ["F_oui"], "why": {"text": "evaluation.projet = \"emploi\"", "value": True}}]}  # fmt: skip

_SIDE_BY_SIDE, _WRITERS = 200, 2


def main() -> None:
    print_figures(*(int(sys.argv[place]) if len(sys.argv) > place else usual for place, usual in ((1, 1_000_000), (2, 100))))


def print_figures(entries: int, length: int = 100) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = postgres.ensure_running(Path(folder) / "postgres", is_durable=False)
        database = Database(url, keys=KeyStore(Path(folder) / "keys"), documents=Path(folder) / "documents")
        meter = Meter(Path(folder) / "postgres")
        try:
            database.migrate()
            village.furnish(database)
            print(f"\nProof at {entries:,} entries; {servers.machine()}\n")
            with meter.of(f"{entries:,} lines of {entries // length:,} cases written", entries):
                fill(database, entries, length)
            with database.owner() as connection:
                connection.execute(text("ANALYZE"))
            with meter.of(f"sealed, a checkpoint for each {log.SLICE:,}", entries):
                seal(database)
            for name, act in proofs(database).items():
                taken = [timing(act) for _ in range(50)]
                print(f"{name}: {statistics.median(taken) * 1000:.1f} ms (median of 50)", flush=True)
            database.dispose()
            with meter.of("proved, whole: chains, commitments, log, signatures", entries):
                found = proving.prove(database, users.system())
            assert found.wrong == [] and found.entries >= entries, found.wrong[:3]
            print(f"{found.lines:,} lines, {found.entries:,} entries, {found.checkpoints} checkpoints", flush=True)
        finally:
            database.dispose()
            postgres.stop(Path(folder) / "postgres")


class Meter:
    """Time, processor time of this process, of its children and of the server, and memory: what the processes here held at most so far."""

    def __init__(self, server: Path) -> None:
        self.postmaster = int((server / "data" / "postmaster.pid").read_text().split()[0])

    @contextmanager
    def of(self, what: str, entries: int):
        began, before = time.perf_counter(), (_own(), _server(self.postmaster))
        yield
        taken, own, server = time.perf_counter() - began, _own() - before[0], _server(self.postmaster) - before[1]
        here, children = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        print(f"{what}: {taken:.1f} s, {entries / taken:,.0f} a second; processor time {own:.1f} s here and {server:.1f} s in PostgreSQL, at best {(own + server) / 2:.1f} s on two processors of its own; "
              f"so far at most {here:.0f} MB here, {children:.0f} MB in a child; load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip


def _own() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _server(postmaster: int) -> float:
    """Seconds that a PostgreSQL and its backends, ended ones included, were on a processor."""
    ticks = 0
    for folder in Path("/proc").iterdir():
        try:
            told = (folder / "stat").read_text().rpartition(")")[2].split() if folder.name.isdecimal() else []
        except OSError:
            continue
        if told and (int(folder.name) == postmaster or int(told[1]) == postmaster):
            ticks += sum(int(one) for one in told[11:15])  # its own, and those of the children it waited for
    return ticks / os.sysconf("SC_CLK_TCK")


def timing(act) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def seal(database: Database) -> int:
    with database.unit_of_work(users.system()) as session:
        return log.seal(session, users.system())


def proofs(database: Database):
    with database.reading(users.system()) as session:
        rows = session.execute(text("SELECT instance_id, seq FROM log_entry WHERE log_index % (SELECT 1 + max(log_index) / 60 FROM log_entry) = 0")).all()
        sizes = session.execute(text("SELECT size FROM log_checkpoint ORDER BY size")).scalars().all()
        checkpoint = notes.read_checkpoint(notes.open_note(log.latest(session).note).text)
    turns = iter(range(10**6))

    def include() -> None:
        row = rows[next(turns) % len(rows)]
        with database.reading(users.system()) as session:
            found = log.inclusion(session, row.instance_id, row.seq)
        leaf = merkle.leaf(log.leaf_content(row.instance_id, row.seq, bytes.fromhex(found.hash)))
        assert merkle.is_included(found.index, checkpoint.size, leaf, [base64.b64decode(one) for one in found.proof], checkpoint.root)

    def go_on() -> None:
        with database.reading(users.VISITOR) as session:
            log.consistency(session, sizes[next(turns) % len(sizes)], sizes[-1])

    return {"a line proved to be in the log, and checked": include, "one checkpoint proved to begin the last": go_on}


def fill(database: Database, entries: int, length: int, writers: int = _WRITERS) -> None:
    """Copies of a case, of nobody (a person has one open case), each with `length` lines of its own, in the order in which cases grow beside one another.
    One writer is this process."""
    model, _ = village.open_case(database)
    address = make_url(database.owner_url).set(drivername="postgresql").render_as_string(hide_password=False)
    cases = entries // length
    parts = [cases // writers + (place < cases % writers) for place in range(writers)]
    if writers == 1:
        heads = _write(address, database.carried["keys"], str(model), cases, length)
    else:
        with ProcessPoolExecutor(writers, multiprocessing.get_context("spawn")) as pool:
            heads = [one for made in pool.map(_write, [address] * writers, [database.carried["keys"]] * writers, [str(model)] * writers, parts, [length] * writers) for one in made]
    with psycopg.connect(address) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("""INSERT INTO instance SELECT (jsonb_populate_record(i, h || jsonb_build_object('number', 'TN-' || n, 'person_id', NULL))).*
                                FROM instance i, jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS t(h, n) WHERE i.instance_id = %s""", [json.dumps(heads), model])  # fmt: skip


def _write(address: str, keys: KeyStore, model: str, number: int, length: int) -> list[dict[str, object]]:
    """The lines of so many cases; returns where each stands."""
    at, who = clock.system_now().isoformat(), {"id": model, "kind": "person", "agency": "OTE", "branch": "MED"}
    heads: list[dict[str, object]] = []
    with psycopg.connect(address) as connection, psycopg.connect(address) as beside:
        for one in (connection, beside):
            one.execute("SET session_replication_role = replica")
        with (connection.cursor().copy("COPY ledger_line (instance_id, seq, kind, line, hash) FROM STDIN") as lines,
              beside.cursor().copy("COPY ledger_sealed (instance_id, seq, person_id, ciphertext) FROM STDIN") as sealed):  # fmt: skip
            while len(heads) < number:
                prevs = {new_id(): chain.BEGINNING for _ in range(min(_SIDE_BY_SIDE, number - len(heads)))}
                own = {case: keys.key(case) for case in prevs}
                for seq in range(1, length + 1):
                    for case, prev in prevs.items():
                        opened = {name: (chain.salt(), value) for name, value in _SEALED.items()}
                        commitments = {name: chain.commit(salt, value) for name, (salt, value) in opened.items()}
                        line, prevs[case] = chain.write(case, seq, prev, "task.completed", at, at, who, 1, _BODY, commitments)
                        lines.write_row((case, seq, "task.completed", line, prevs[case]))
                        sealed.write_row((case, seq, None, sealing.seal(own[case], case, seq, opened)))
                heads += [{"instance_id": str(case), "root_id": str(case), "person_id": None, "seq": length, "head": f"\\x{prev.hex()}"} for case, prev in prevs.items()]
    return heads


if __name__ == "__main__":
    main()
