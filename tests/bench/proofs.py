"""What proof costs at a size: sealing, proving one line, proving the whole; time and memory.

`python -m tests.bench.proofs [entries] [lines a case]`, on an embedded server of its own; not in the timed suite. Lines are of the usual size, each seals what a
completion seals, under a key for each case; they are put there by COPY, with their hashes and links right.
"""

import base64
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from sqlalchemy import make_url, text

from engine import clock, postgres
from engine.actors import users
from engine.database import Database
from engine.identity import new_id
from engine.ledger import chain, log, merkle, notes, proving, sealing
from engine.ledger.keys import KeyStore
from tests.faults import village

_BODY = {"task": "12.3", "node": "T203", "form": "f09", "closed": [["12.3", "completed"]], "opened": [["13.1", "T204"], ["13.2", "T205"]], "branches": [["G21", ["F_oui"]]],
         "facts": [{"subject": "case:01999f3a-6a51-7c05-9d3e-0f6b3a1c2d4e", "field": f"evaluation.champ_{place}", "class": "C", "source": "person"} for place in range(3)]}  # fmt: skip
_SEALED = {**{f"case:01999f3a|evaluation.champ_{place}": {"value": "emploi salarié", "status": "known", "class": "C"} for place in range(3)},
           "inputs": {"kind": "complete", "task": "12.3", "facts": {"case": {"retour": {"pays": "IT", "mode": "volontaire"}, "evaluation": {"projet": "emploi"}}}, "dated": "a" * 64},
           "why": [{"node": "G21", "flows": ["F_oui"], "why": {"text": "evaluation.projet = \"emploi\"", "value": True}}]}  # fmt: skip


def main() -> None:
    entries, length = (int(sys.argv[place]) if len(sys.argv) > place else usual for place, usual in ((1, 1_000_000), (2, 100)))
    with tempfile.TemporaryDirectory() as folder:
        url = postgres.ensure_running(Path(folder) / "postgres", is_durable=False)
        database = Database(url, keys=KeyStore(Path(folder) / "keys", kept=20_000), documents=Path(folder) / "documents")
        try:
            database.migrate()
            village.furnish(database)
            timed(f"{entries:,} lines of {entries // length:,} cases written", lambda: fill(database, entries, length), entries)
            with database.owner() as connection:
                connection.execute(text("ANALYZE"))
            timed("sealed, a checkpoint for each 50,000", lambda: seal(database), entries)
            for name, act in proofs(database).items():
                taken = [timing(act)[0] for _ in range(50)]
                print(f"{name}: {statistics.median(taken) * 1000:.1f} ms (median of 50)", flush=True)
            found = timed("proved, whole: chains, commitments, log, signatures", lambda: proving.prove(database, users.system()), entries)
            assert found.wrong == [] and found.entries >= entries, found.wrong[:3]
            print(f"{found.lines:,} lines, {found.entries:,} entries, {found.checkpoints} checkpoints; {os.cpu_count()} cores")
        finally:
            database.dispose()
            postgres.stop(Path(folder) / "postgres")


def timed(what: str, act, entries: int):
    taken, found = timing(act)
    own, children = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"{what}: {taken:.1f} s, {entries / taken:,.0f} a second; at most {own:.0f} MB here, {children:.0f} MB in a child", flush=True)
    return found


def timing(act):
    began = time.perf_counter()
    found = act()
    return time.perf_counter() - began, found


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


def fill(database: Database, entries: int, length: int) -> None:
    """Copies of a case, each with `length` lines of its own."""
    model, _ = village.open_case(database)
    keys, at = database.carried["keys"], clock.system_now().isoformat()
    who = {"id": str(model), "kind": "person", "agency": "OTE", "branch": "MED"}
    heads = []
    address = make_url(database.owner_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection, psycopg.connect(address) as beside:
        for one in (connection, beside):
            one.execute("SET session_replication_role = replica")
        with (connection.cursor().copy("COPY ledger_line (instance_id, seq, kind, line, hash) FROM STDIN") as lines,
              beside.cursor().copy("COPY ledger_sealed (instance_id, seq, person_id, ciphertext) FROM STDIN") as sealed):  # fmt: skip
            for _ in range(entries // length):
                case, prev = new_id(), chain.BEGINNING
                key = keys.key(case)
                for seq in range(1, length + 1):
                    opened = {name: (chain.salt(), value) for name, value in _SEALED.items()}
                    commitments = {name: chain.commit(salt, value) for name, (salt, value) in opened.items()}
                    line, digest = chain.write(case, seq, prev, "task.completed", at, at, who, 1, _BODY, commitments)
                    lines.write_row((case, seq, "task.completed", line, digest))
                    sealed.write_row((case, seq, None, sealing.seal(key, case, seq, opened)))
                    prev = digest
                heads.append({"instance_id": str(case), "root_id": str(case), "seq": length, "head": f"\\x{prev.hex()}"})
        connection.execute("SET session_replication_role = replica")
        connection.execute("""INSERT INTO instance SELECT (jsonb_populate_record(i, h || jsonb_build_object('number', 'TN-' || n))).*
                                FROM instance i, jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS t(h, n) WHERE i.instance_id = %s""", [json.dumps(heads), model])  # fmt: skip


if __name__ == "__main__":
    main()
