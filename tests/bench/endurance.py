"""What the n-th task of a case costs: a case that turns for a thousand tasks, the milliseconds of a completion at its beginning and at its end.

In one process, through `tasks.complete` and its commit: HTTP would add the same to each.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from engine.casework import cases, tasks
from engine.database import Database
from engine.demo import answers
from engine.ledger.keys import KeyStore
from tests import world
from tests.bench import servers


def print_figures(server: str, turns: int) -> None:
    """Completions of one case that loops over one task: around the 10th, and the last ones."""
    url = servers.make_database(server, "bench_endurance")
    folder = Path(tempfile.mkdtemp(prefix="masar-bench-"))
    database = Database(url, keys=KeyStore(folder / "keys"), documents=folder / "documents")
    try:
        database.migrate()
        world.furnish(database, servers.edition_files("boucle.bpmn"))
        seconds, state = _turn(database, turns)
    finally:
        database.dispose()
        servers.drop_database(server, "bench_endurance")
    early, late = statistics.median(seconds[5:25]), statistics.median(seconds[-20:])
    print(f"\nOne case of {turns} tasks: {early * 1e3:.2f} ms a completion around the 10th, {late * 1e3:.2f} ms around the last ({late / early:.2f}×); "
          f"stored state {state[0]} bytes at the 10th, {state[1]} at the last\n")  # fmt: skip


def _turn(database: Database, turns: int) -> tuple[list[float], tuple[int, int]]:
    there = world.World(database)
    actor = there.agent("OTE", "MED", "agent_accueil")
    with database.unit_of_work(actor) as session:
        case_id = cases.open_case(session, actor, "boucle", "MED").case_id
    seconds, sizes = [], []
    for turn in range(turns):
        row = there.open_tasks(case_id)[0]
        with database.reading(actor) as session:
            view = tasks.view(session, actor, row.task_id)
            raw: dict[str, Any] = answers.to(view.form, {"essai.membres": turn, "essai.emploi": turn + 1 < turns}, there.today(), actor, session)
            if not raw:  # known from the first turn: each turn says it otherwise
                raw = {"essai.membres": turn}
        began = time.perf_counter()
        with database.unit_of_work(actor) as session:
            tasks.complete(session, actor, row.task_id, raw, view.version)
        seconds.append(time.perf_counter() - began)
        sizes.append(_state(database, case_id))
    return seconds, (sizes[9], sizes[-1])


def _state(database: Database, case_id: Any) -> int:
    with database.owner() as connection:
        return connection.exec_driver_sql("SELECT octet_length(state) FROM instance WHERE instance_id = %s", (case_id,)).scalar_one()
