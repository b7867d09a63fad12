"""How long any instant of a case takes to open, by the length of its history: cases that turn, of 50, 1,000 and 10,000 lines, looked at turn about.

`python -m tests.bench.replay [lines …]`, on an embedded server of its own, not in the timed suite; part of `make bench`. Instants are drawn over the whole of the history (seeded), as an
auditor reads them. Three looks at each: all that a page needs (`player.frame`), the page as it is first opened (its timeline and its diagram with it), and a step of the page, both as a
browser asks for them, in the process of the web server. One of each length after the other, so that a busy machine is as busy for all of them.
"""

import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text

from engine import postgres
from engine.actors import users
from engine.casework import player, snapshots, tasks
from engine.database import Database
from engine.demo import accounts
from engine.ledger.keys import KeyStore
from engine.settings import Settings
from tests import world as worlds
from tests.bench import servers
from tests.bench.endurance import Loop
from tests.web.conftest import Browser
from web.app import create_app

_SEQ = text("SELECT seq FROM instance WHERE instance_id = :id")
_SIZE = text("SELECT count(*), coalesce(sum(octet_length(ciphertext)), 0) FROM replay_snapshot WHERE instance_id = :id")
_LOOKS, _WARMING = 41, 3
Look = Callable[[int], int]  # looks at a line; the bytes sent for it


def main() -> None:
    print_figures([int(one) for one in sys.argv[1:]] or [50, 1_000, 10_000])


def print_figures(lengths: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = postgres.ensure_running(Path(folder) / "postgres", is_durable=False)
        database = Database(url, keys=KeyStore(Path(folder) / "keys"), documents=Path(folder) / "documents")
        try:
            database.migrate()
            worlds.furnish(database, servers.edition_files("boucle.bpmn"))
            cases = {length: grown(database, length) for length in lengths}
            with database.owner() as connection:
                connection.exec_driver_sql("ANALYZE")
            print(f"\nAny instant of a case, by the lines of its history, {_LOOKS} looks each, turn about; {servers.machine()}\n")
            for name, of in looks(database).items():
                found = measured({length: of(case_id) for length, case_id in cases.items()})
                for length, noted in found.items():
                    print(f"  {name}, {length:>6,} lines: {told(noted, found[lengths[0]])}", flush=True)
        finally:
            database.dispose()
            postgres.stop(Path(folder) / "postgres")


def grown(database: Database, length: int) -> Any:
    """A case with so many lines, its instants kept."""
    loop = Loop(database, 10**9)
    before = bare(loop, length) if length <= 1_000 else ""
    kept_in = keep(database, loop.case_id) if before else 0.0
    while not before and not is_long(loop, length):
        turn_until(loop, min(length, loop.turned + 500))
        kept_in += keep(database, loop.case_id)
    with database.owner() as connection:
        count, octets = connection.execute(_SIZE, {"id": loop.case_id}).one()
    print(f"{length:>6,} lines: {count} instants kept, {octets / 1024:.0f} kB, in {kept_in:.1f} s{before}", flush=True)
    return loop.case_id


def bare(loop: Loop, length: int) -> str:
    """What an instant takes before any was kept."""
    turn_until(loop, length)
    auditor, taken = loop.there.agent("OTE", "TUN", "auditeur"), []
    for place in (length // 2, length // 3, length // 2, length):
        began = time.perf_counter()
        with loop.database.reading(auditor) as session:
            player.frame(session, auditor, loop.case_id, at=place)
        taken.append(time.perf_counter() - began)
    return f"; before any was kept, an instant in {statistics.median(taken[1:]) * 1e3:.0f} ms"


def is_long(loop: Loop, length: int) -> bool:
    with loop.database.reading(users.system()) as session:
        return session.execute(_SEQ, {"id": loop.case_id}).scalar_one() >= length


def turn_until(loop: Loop, length: int) -> None:
    """Completes its task over and over; the answers are known, so no form is made."""
    while not is_long(loop, length):
        for row in loop.there.open_tasks(loop.case_id):
            with loop.database.unit_of_work(loop.actor) as session:
                tasks.complete(session, loop.actor, row.task_id, {"essai.membres": loop.turned, "essai.emploi": True}, None)
            loop.turned += 1


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


def looks(database: Database) -> dict[str, Callable[[Any], Look]]:
    auditor = worlds.World(database).agent("OTE", "TUN", "auditeur")
    browser = Browser(create_app(Settings(is_demo=True), database))
    browser.sign_in(auditor.username, accounts.password())

    def frame(case_id: Any) -> Look:
        def look(line: int) -> int:
            with database.reading(auditor) as session:
                player.frame(session, auditor, case_id, at=line)
            return 0

        return look

    def page(case_id: Any) -> Look:
        def look(line: int) -> int:
            answer = browser.get(f"/cases/{case_id}/replay?at={line}")
            drawn = browser.get(re.search(r'data-diagram="([^"]+)"', answer.text)[1])
            assert (answer.status_code, drawn.status_code) == (200, 200)
            return len(answer.content) + len(drawn.content)

        return look

    def step(case_id: Any) -> Look:
        return lambda line: len(browser.get(f"/cases/{case_id}/replay?at={line}", headers={"hx-request": "true"}).content)

    return {"an instant": frame, "the page, first opened": page, "a step of the page": step}


def measured(those: dict[int, Look]) -> dict[int, list[tuple[float, float, int]]]:
    """Of each look: seconds by the clock, seconds of this process's own work, bytes. Of each length in turn."""
    drawn = {length: random.Random(length) for length in those}
    found: dict[int, list[tuple[float, float, int]]] = {length: [] for length in those}
    for turn in range(_WARMING + _LOOKS):
        for length, look in those.items():
            line = drawn[length].randint(1, length)
            began, own = time.perf_counter(), time.process_time()
            size = look(line)
            if turn >= _WARMING:
                found[length].append((time.perf_counter() - began, time.process_time() - own, size))
    return found


def told(noted: list[tuple[float, float, int]], base: list[tuple[float, float, int]]) -> str:
    clock = sorted(one for one, _, _ in noted)
    p50, p95, own = statistics.median(clock) * 1e3, clock[int(len(clock) * 0.95)] * 1e3, statistics.median(one for _, one, _ in noted) * 1e3
    size = max(size for _, _, size in noted)
    paired = statistics.median(one / other for (one, _, _), (other, _, _) in zip(noted, base, strict=True))
    return f"{p50:.1f} ms (p50), {p95:.1f} ms (p95), of which {own:.1f} ms of processor here (p50); {paired:.2f}× the shortest beside it" + (f"; at most {size / 1024:.0f} kB" if size else "")


if __name__ == "__main__":
    main()
