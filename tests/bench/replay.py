"""How long any instant of a case takes to open, by the length of its history: one case that turns, looked at from its 50th line to its 10,000th.

`python -m tests.bench.replay [lines …]` (50, 1,000 and 10,000), on an embedded server of its own; not in the timed suite. Instants are drawn over the whole of the
history (seeded), as an auditor reads them: `player.frame` with all that a page needs, and beside it the same before any job has kept an instant, for a comparison.
"""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from engine import postgres
from engine.actors import users
from engine.casework import player, snapshots
from engine.database import Database
from engine.ledger.keys import KeyStore
from tests import world as worlds
from tests.bench import servers
from tests.bench.endurance import Loop

_SEQ = text("SELECT seq FROM instance WHERE instance_id = :id")
_SIZE = text("SELECT count(*), coalesce(sum(octet_length(ciphertext)), 0) FROM replay_snapshot WHERE instance_id = :id")
_LOOKS = 41


def main() -> None:
    lengths = [int(one) for one in sys.argv[1:]] or [50, 1_000, 10_000]
    with tempfile.TemporaryDirectory() as folder:
        url = postgres.ensure_running(Path(folder) / "postgres", is_durable=False)
        database = Database(url, keys=KeyStore(Path(folder) / "keys"), documents=Path(folder) / "documents")
        try:
            database.migrate()
            worlds.furnish(database, servers.edition_files("boucle.bpmn"))
            loop = Loop(database, 10**9)
            auditor = loop.there.agent("OTE", "TUN", "auditeur")
            for length in lengths:
                turn_until(loop, length)
                bare = looks(database, auditor, loop.case_id, length, 5) if length <= 1_000 else []
                kept_in = keep(database, loop.case_id)
                print(told(length, looks(database, auditor, loop.case_id, length), bare, kept_in, size(database, loop.case_id)), flush=True)
        finally:
            database.dispose()
            postgres.stop(Path(folder) / "postgres")


def turn_until(loop: Loop, length: int) -> None:
    while True:
        with loop.database.reading(users.system()) as session:
            if session.execute(_SEQ, {"id": loop.case_id}).scalar_one() >= length:
                return
        loop.turn()


def keep(database: Database, case_id: object) -> float:
    """Seconds of the job that keeps instants."""
    began = time.perf_counter()
    while True:
        with database.reading(users.system()) as session:
            due = snapshots.due(session)
        if not due:
            return time.perf_counter() - began
        for (one,) in due:
            with database.unit_of_work(users.system()) as session:
                snapshots.keep(session, worlds.UUID(one))


def looks(database: Database, auditor: object, case_id: object, length: int, number: int = _LOOKS) -> list[tuple[float, float]]:
    """Seconds by the clock and of this process's own work, of each look."""
    drawn = random.Random(length)
    found: list[tuple[float, float]] = []
    for place in [length // 2, *(drawn.randint(1, length) for _ in range(number))]:
        began, own = time.perf_counter(), time.process_time()
        with database.reading(auditor) as session:
            player.frame(session, auditor, case_id, at=place)
        found.append((time.perf_counter() - began, time.process_time() - own))
    return found[1:]  # the first one warms what an edition is read into


def size(database: Database, case_id: object) -> tuple[int, int]:
    with database.owner() as connection:
        count, octets = connection.execute(_SIZE, {"id": case_id}).one()
        return count, octets


def told(length: int, found: list[tuple[float, float]], bare: list[tuple[float, float]], kept_in: float, kept: tuple[int, int]) -> str:
    clock = sorted(one for one, _ in found)
    p50, p95, own = statistics.median(clock) * 1e3, clock[int(len(clock) * 0.95)] * 1e3, statistics.median(one for _, one in found) * 1e3
    before = f"; before any was kept {statistics.median(one for one, _ in bare) * 1e3:.0f} ms" if bare else ""
    return f"{length:>6} lines: any instant in {p50:.1f} ms (p50), {p95:.1f} ms (p95), of which {own:.1f} ms of processor here (p50){before}; {kept[0]} instants kept, {kept[1] / 1024:.0f} kB, since the last length in {kept_in:.1f} s"


if __name__ == "__main__":
    main()
