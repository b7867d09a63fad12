"""How long a rehearsal takes: cases received and assessed on the real pathway, then a draft of it rehearsed by real workers, progress told as a page would.

`python -m tests.bench.rehearsal [cases] [workers]`, on an embedded server of its own; not in the timed suite. Two drafts: one that changes a diagram every case
walked (each history is played again), one that changes a diagram that none walked yet (which is seen without playing).
"""

import asyncio
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

from engine import errors, jobs, postgres
from engine.casework import batches, drafts, tasks
from engine.database import Database
from engine.demo import answers, people
from engine.insight import rehearsals
from engine.ledger.keys import KeyStore
from tests import world as worlds

WALK = ("T101", "T102", "T104", "T106", "T201", "T202", "T203")
WALKED, BESIDE = "processes/evaluation.bpmn", "processes/cloture.bpmn"


def main() -> None:
    cases, workers = (int(sys.argv[place]) if len(sys.argv) > place else usual for place, usual in ((1, 1000), (2, 1)))
    with tempfile.TemporaryDirectory() as folder:
        url = postgres.ensure_running(Path(folder) / "postgres", is_durable=False)
        database = Database(url, keys=KeyStore(Path(folder) / "keys"), documents=Path(folder) / "documents")
        try:
            database.migrate()
            worlds.furnish(database)
            town = worlds.World(database)
            began = time.monotonic()
            for number in range(cases):
                one_case(town, number)
            print(f"{cases} cases of up to {len(WALK)} tasks made in {time.monotonic() - began:.0f} s", flush=True)
            for path in (WALKED, BESIDE):
                rehearse(town, path, workers)
        finally:
            database.dispose()
            postgres.stop(Path(folder) / "postgres")


def one_case(town: worlds.World, number: int) -> None:
    person = people.draw(random.Random(number), number, "MED", town.today(), ("emploi", "formation", "creation", "social")[number % 4])
    actor = town.agent("OTE", "MED", "agent_accueil")
    with town.database.unit_of_work(actor) as session:
        case = worlds.cases.open_case(session, actor, "parcours", "MED").case_id
    for _ in WALK[: 3 + number % 5]:
        for row in town.open_tasks(case)[:3]:
            doer = town.who_does(row)
            with town.database.unit_of_work(doer) as session:
                view = tasks.view(session, doer, row.task_id)
                raw = answers.to(view.form, person.truth, town.today(), doer, session)
                try:
                    tasks.complete(session, doer, row.task_id, raw, view.version)
                except errors.Conflict:  # she is taken for somebody else: the case stays at the desk
                    return


def rehearse(town: worlds.World, path: str, workers: int) -> None:
    """A draft that changes a diagram, rehearsed; how far it is, every two seconds."""
    actor = town.agent("OTE", "TUN", "coordinateur")
    with town.database.unit_of_work(actor) as session:
        draft_id = drafts.open_draft(session, actor, "mesure")
        content = drafts.read(session, actor, draft_id, path).content
        drafts.save(session, actor, draft_id, path, content.replace(b"<bpmn:process ", b"<!-- autrement --><bpmn:process "), 0)
        batch_id = rehearsals.start(session, actor, draft_id)
    stops = [threading.Event() for _ in range(workers)]
    threads = [threading.Thread(target=_work, args=(town.database, stop), daemon=True) for stop in stops]
    for thread in threads:
        thread.start()
    while True:
        time.sleep(2)
        with town.database.reading(actor) as session:
            batch = batches.progress(session, actor, batch_id)
        print(f"  {path}: {batch.done} of {batch.total}", flush=True)
        if not batch.is_under_way:
            break
    for stop in stops:
        stop.set()
    for thread in threads:
        thread.join(30)
    with town.database.reading(actor) as session:
        found = rehearsals.report(session, actor, draft_id)
    print(f"{path}: {found.batch.done} cases in {found.batch.seconds:.1f} s by {workers} worker(s), {found.per_thousand:.1f} s per 1,000; {dict(found.counts)}", flush=True)


def _work(database: Database, stop: threading.Event) -> None:
    async def until() -> None:
        asked = asyncio.Event()

        async def watch() -> None:
            await asyncio.to_thread(stop.wait)
            asked.set()

        await asyncio.gather(watch(), jobs.work(database, asked))

    asyncio.run(until())


if __name__ == "__main__":
    main()
