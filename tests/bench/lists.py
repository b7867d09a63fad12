"""The worklist over HTTP at two sizes: its 95th percentile must not grow with the number of open tasks.

The many tasks are copies of one that the engine opened, written by the owner with the guards off: a hundred thousand cases played one by one
would measure the playing. The queries, the policies and the indexes are the real ones.
"""

import asyncio
import tempfile
from pathlib import Path

from engine.database import Database
from engine.demo import accounts
from engine.ledger.keys import KeyStore
from tests import world
from tests.bench import servers
from tests.bench.client import Connection, quantile, together

_COPIES = """
SET LOCAL session_replication_role = replica;
INSERT INTO instance (instance_id, root_id, process, edition_id, person_id, number, branch, stage, state, seq, head, opened_at)
SELECT gen_random_uuid(), gen_random_uuid(), i.process, i.edition_id, i.person_id, 'TN-' || (ARRAY['MED','SFX','TUN'])[1 + mod(n, 3)] || '-2026-' || lpad((n + 90000)::text, 6, '0'),
       (ARRAY['MED','SFX','TUN'])[1 + mod(n, 3)], i.stage, i.state, i.seq, i.head, i.opened_at - n * interval '1 second'
  FROM generate_series(1, %(number)s) n, (SELECT * FROM instance WHERE process = 'petit' LIMIT 1) i;
UPDATE instance SET root_id = instance_id WHERE number LIKE 'TN-%%-2026-0%%' AND root_id <> instance_id;
INSERT INTO open_task (task_id, instance_id, root_id, position, process, node, names, form, agency, branch, role, opened_at, due_at, case_number, case_branch, stage)
SELECT gen_random_uuid(), i.instance_id, i.root_id, t.position, t.process, t.node, t.names, t.form, t.agency, i.branch, t.role, i.opened_at,
       t.due_at - random() * interval '40 days', i.number, i.branch, t.stage
  FROM instance i, (SELECT * FROM open_task LIMIT 1) t WHERE i.number LIKE 'TN-%%-2026-09%%' OR i.number LIKE 'TN-%%-2026-1%%';
"""


def print_figures(server: str, sizes: tuple[int, int]) -> None:
    """p50 and p95 of `GET /worklist` (the queue, fifty rows) at both sizes."""
    found = [_at(server, size) for size in sizes]
    print("Worklist over HTTP (queue, first fifty rows, one client)\n")
    for size, (p50, p95, rows) in zip(sizes, found, strict=True):
        print(f"  {size:>8} open tasks: p50 {p50:.2f} ms, p95 {p95:.2f} ms ({rows} rows)")
    print(f"  p95 at {sizes[1]} is {found[1][1] / found[0][1]:.2f}× that at {sizes[0]}\n")


def _at(server: str, size: int) -> tuple[float, float, int]:
    url = servers.make_database(server, "bench_lists")
    folder = Path(tempfile.mkdtemp(prefix="masar-bench-"))
    database = Database(url, keys=KeyStore(folder / "keys"), documents=folder / "documents")
    try:
        database.migrate()
        world.furnish(database, servers.edition_files("petit.bpmn"))
        world.World(database).receive(process="petit")
        with database.owner() as connection:
            for statement in (_COPIES.replace('%(number)s', str(size - 1))).split(";\n"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
            connection.exec_driver_sql("ANALYZE")
        port = servers.free_port()
        environment = {"BENCH_DATABASE": url, "BENCH_FOLDER": str(folder)}
        with servers.serving(servers.uvicorn("tests.bench.masar:app", port), environment, port):
            return asyncio.run(_ask(port))
    finally:
        database.dispose()
        servers.drop_database(server, "bench_lists")


async def _ask(port: int) -> tuple[float, float, int]:
    rows = 0

    async def login(connection: Connection) -> None:
        _, answer = await connection.ask("POST", "/token", f"username=salma&password={accounts.password()}", form=True)
        connection.headers = f"Authorization: Bearer {answer['access_token']}\r\n"

    async def act(connection: Connection, notes: list[float]) -> None:
        nonlocal rows
        loop = asyncio.get_running_loop()
        for turn in range(230):
            began = loop.time()
            status, answer = await connection.ask("GET", "/worklist?scope=queue&limit=50")
            if status != 200:
                raise SystemExit(f"the worklist answered {status}: {answer}")
            rows = len(answer["items"])
            if turn >= 30:
                notes.append(loop.time() - began)

    notes, _ = await together(port, 1, act, login)
    return quantile(notes, 0.5) * 1e3, quantile(notes, 0.95) * 1e3, rows
