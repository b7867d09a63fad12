"""What the n-th task of a case costs: a case that turns for a thousand tasks, the milliseconds of a completion at its beginning and at its end.

In one process, through `tasks.complete` and its commit: HTTP would add the same to each. The machine's pace changes within minutes,
hence the young case beside the old one.
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

_COMPARED = 12  # turns of each, so that the young case is observed from its 5th to its 16th


def print_figures(server: str, turns: int) -> None:
    """Completions of one case that loops over one task, its last ones beside those around the 10th of a case opened in the same minute, turn about."""
    url = servers.make_database(server, "bench_endurance")
    folder = Path(tempfile.mkdtemp(prefix="masar-bench-"))
    database = Database(url, keys=KeyStore(folder / "keys"), documents=folder / "documents")
    try:
        database.migrate()
        world.furnish(database, servers.edition_files("boucle.bpmn"))
        old, young = Loop(database, turns), Loop(database, 10_000)
        for _ in range(turns - _COMPARED):
            old.turn()
        for _ in range(10 - _COMPARED // 2):
            young.turn()
        both = [(old.turn(), young.turn()) for _ in range(_COMPARED)]
        late, early = statistics.median(one for one, _ in both), statistics.median(one for _, one in both)
        print(f"\nOne case of {turns} tasks: {late * 1e3:.2f} ms a completion around the last, {early * 1e3:.2f} ms around the 10th of a case beside it ({late / early:.2f}×); "
              f"stored state {old.state()} bytes at the last, {young.state()} at the {young.turned}th\n")  # fmt: skip
    finally:
        database.dispose()
        servers.drop_database(server, "bench_endurance")


class Loop:
    """One case that turns until it has had so many tasks."""

    def __init__(self, database: Database, turns: int) -> None:
        self.database, self.turns, self.turned, self.there = database, turns, 0, world.World(database)
        self.actor = self.there.agent("OTE", "MED", "agent_accueil")
        with database.unit_of_work(self.actor) as session:
            self.case_id = cases.open_case(session, self.actor, "boucle", "MED").case_id

    def turn(self) -> float:
        """Completes its task; the seconds this took."""
        row = self.there.open_tasks(self.case_id)[0]
        with self.database.reading(self.actor) as session:
            view = tasks.view(session, self.actor, row.task_id)
            raw: dict[str, Any] = answers.to(view.form, {"essai.membres": self.turned, "essai.emploi": self.turned + 1 < self.turns}, self.there.today(), self.actor, session)
            if not raw:  # known from the first turn: each turn says it otherwise
                raw = {"essai.membres": self.turned}
        began = time.perf_counter()
        with self.database.unit_of_work(self.actor) as session:
            tasks.complete(session, self.actor, row.task_id, raw, view.version)
        self.turned += 1
        return time.perf_counter() - began

    def state(self) -> int:
        """Bytes of its stored state."""
        with self.database.owner() as connection:
            return connection.exec_driver_sql("SELECT octet_length(state) FROM instance WHERE instance_id = %s", (self.case_id,)).scalar_one()
