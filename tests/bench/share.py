"""What the ledger and the why-records are of a completion, measured: the same completion with them and without (`without`), turn about within the second.

Two databases of one server, one process: the same person comes to both, each task is completed in both, now one first, now the other, through `tasks.complete` and its commit. The share is
what the completion with the ledger took more, of what it took: by the clock, and in processor time of this process and of its backends, where waiting (for the disk, for a busy machine)
counts nothing. With a quartile of the single pairs on either side, since a pair meets the same second and a sum does not say how sure it is.

`python -m tests.bench.share [cases]`; part of `make bench`.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import event

from engine.casework import tasks
from engine.database import Database
from engine.demo import answers
from engine.ledger.keys import KeyStore
from tests import world as worlds
from tests.bench import contenders, servers, without

_WARMING = 3
Taken = tuple[float, float, float]  # seconds by the clock, of processor here, of processor in PostgreSQL


def main() -> None:
    server = servers.server_address()
    try:
        print_figures(server, int(sys.argv[1]) if len(sys.argv) > 1 else 24)
    finally:
        servers.stop_server()


def print_figures(server: str, cases: int) -> None:
    """The share, on the small pathway and on the real one."""
    print(f"\nLedger and why-records as a share of a completion, measured against the same without, {cases} cases each; {servers.machine()}\n")
    for contender in (contenders.Small, contenders.Real):
        one = contender.__new__(contender)  # its edition and what is true of a person, without a server of its own
        print(f"  {contender.name}: {told(measured(server, one, cases))}", flush=True)


class Side:
    """One of the two: a furnished database, and the way things are done in it."""

    def __init__(self, server: str, name: str, contender: Any, way: Callable[[], AbstractContextManager[None]]) -> None:
        self.server, self.name, self.way, self.backends = server, name, way, set[int]()
        folder = Path(tempfile.mkdtemp(prefix="masar-bench-"))
        self.database = Database(servers.make_database(server, name), keys=KeyStore(folder / "keys"), documents=folder / "documents")
        self.database.migrate()
        worlds.furnish(self.database, contender.edition())
        if way is not nullcontext:
            assert without.unguard(self.database) > 5
        event.listen(self.database.app, "connect", lambda connection, _record: self.backends.add(connection.info.backend_pid))
        self.there = worlds.World(self.database)

    def receive(self, truth: Any, process: str) -> Any:
        with self.way():
            return self.there.receive(truth, process=process)

    def complete(self, case_id: Any, truth: Any, node: str) -> Taken:
        """Completes the task of a node."""
        row = next(row for row in self.there.open_tasks(case_id) if row.node == node)
        actor = self.there.who_does(row)
        with self.way():
            with self.database.unit_of_work(actor) as session:
                view = tasks.view(session, actor, row.task_id)
                raw = answers.to(view.form, truth, self.there.today(), actor, session)
            began, here, server = time.perf_counter(), time.process_time(), self._serving()
            with self.database.unit_of_work(actor) as session:
                tasks.complete(session, actor, row.task_id, raw, view.version)
            taken = time.perf_counter() - began, time.process_time() - here, self._serving() - server
            self.there.settle()
        return taken

    def _serving(self) -> float:
        """Seconds that the backends of this side's connections were on a processor."""
        found = (Path(f"/proc/{pid}/schedstat") for pid in self.backends)
        return sum(int(path.read_text().split()[0]) for path in found if path.exists()) / 1e9

    def close(self) -> None:
        self.database.dispose()
        servers.drop_database(self.server, self.name)


def measured(server: str, contender: Any, cases: int) -> list[tuple[Taken, Taken]]:
    """Of each completion: with the ledger, and without."""
    sides = [Side(server, "bench_share", contender, nullcontext), Side(server, "bench_without", contender, without.ledger)]
    try:
        return [pair for number in range(_WARMING + cases) for pair in played(sides, contender) if number >= _WARMING]
    finally:
        for side in sides:
            side.close()


def played(sides: list[Side], contender: Any) -> list[tuple[Taken, Taken]]:
    """One person's case in both, to its end or to where nobody has a task."""
    truth, pairs = contender.truth(), []
    those = [side.receive(truth, contender.process) for side in sides]
    while (waiting := [sorted(row.node for row in side.there.open_tasks(case)) for side, case in zip(sides, those, strict=True)])[0]:
        assert waiting[0] == waiting[1], waiting
        taken: list[Any] = [None, None]
        for place in (0, 1) if len(pairs) % 2 else (1, 0):
            taken[place] = sides[place].complete(those[place], truth, waiting[0][0])
        pairs.append((taken[0], taken[1]))
    return pairs


def told(pairs: list[tuple[Taken, Taken]]) -> str:
    clock, here, there = ([[1e3 * side[part] for side in pair] for pair in pairs] for part in range(3))
    work = [[a + b for a, b in zip(*both, strict=True)] for both in zip(here, there, strict=True)]
    return f"{_share(work)} of its processor time (here {_means(here)}, in PostgreSQL {_means(there)}); {_share(clock)} of its time by the clock ({_means(clock)}); {len(pairs)} pairs"


def _share(pairs: list[list[float]]) -> str:
    whole, bare = (sum(one) for one in zip(*pairs, strict=True))
    quartiles = statistics.quantiles([1 - one[1] / one[0] for one in pairs if one[0]], n=4)
    return f"{1 - bare / whole:.0%} (half of the pairs between {quartiles[0]:.0%} and {quartiles[2]:.0%})"


def _means(pairs: list[list[float]]) -> str:
    with_it, bare = (statistics.fmean(one) for one in zip(*pairs, strict=True))
    return f"{with_it:.2f} ms, without {bare:.2f} ms"


if __name__ == "__main__":
    main()
