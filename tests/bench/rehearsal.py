"""How long a rehearsal and a move take: cases received and assessed on the real pathway, a draft of it rehearsed by real workers, then published by two and the open
cases tried and moved to it; progress told as a page would, and how soon the workers stop once one is asked to.

`python -m tests.bench.rehearsal [cases] [workers]`, on an embedded server of its own; not in the timed suite. Two drafts: one that changes a diagram every case
walked (each history is played again), one that changes a diagram that none walked yet (which is seen without playing). The floor of the same minute stands beside:
the same histories opened and played once on the edition they had, by one loop with no work kept; a rehearsal must do that, and play them once more.
"""

import asyncio
import contextlib
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from engine import errors, jobs, postgres
from engine.actors import users
from engine.casework import batches, drafts, editions, moves, publication, replays, tasks
from engine.database import Database
from engine.demo import answers, people
from engine.insight import rehearsals
from engine.ledger.keys import KeyStore
from engine.pathway import replay
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
            least = floor(town)
            for path in (BESIDE, WALKED):
                draft_id = rehearse(town, path, workers, least)
            move(town, draft_id, workers)
        finally:
            database.dispose()
            postgres.stop(Path(folder) / "postgres")


def floor(town: worlds.World) -> float:
    """Seconds for 1,000 cases of the least that a rehearsal must do: histories opened, and played on their own edition."""
    with town.database.reading(users.system()) as session:
        own = session.execute(text("SELECT instance_id, process FROM instance WHERE root_id = instance_id AND state <> '' ORDER BY instance_id")).all()
        edition, began = editions.current(session), time.monotonic()
        for row in own:
            for _ in replay.again(row.process, replays.history(session, row.instance_id, on=edition).said):
                pass
        seconds = (time.monotonic() - began) / max(len(own), 1) * 1000
    print(f"floor: {len(own)} histories opened and played once, {seconds:.1f} s per 1,000", flush=True)
    return seconds


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


def rehearse(town: worlds.World, path: str, workers: int, least: float) -> UUID:
    """A draft that changes a diagram, rehearsed; how far it is, every two seconds."""
    actor = town.agent("OTE", "TUN", "coordinateur")
    with town.database.unit_of_work(actor) as session:
        draft_id = drafts.open_draft(session, actor, "mesure")
        content = drafts.read(session, actor, draft_id, path).content
        drafts.save(session, actor, draft_id, path, content.replace(b"<bpmn:process ", b"<!-- autrement --><bpmn:process "), 0)
        batch_id = rehearsals.start(session, actor, draft_id)
    per_thousand = work(town, actor, batch_id, path, workers)
    print(f"  {per_thousand / least:.1f} times the floor", flush=True)
    return draft_id


def move(town: worlds.World, draft_id: UUID, workers: int) -> None:
    """Publishes a draft; tries to move every open case to it, stops halfway, tries them all, moves what is ready and puts it back."""
    first, second = (one for one in town.staff.values() if "coordinateur" in one.roles)
    with town.database.unit_of_work(first) as session:
        publication.submit(session, first, draft_id, "mesure", accepted="mesure", burden_reason="mesure")
    with town.database.unit_of_work(second) as session:
        publication.approve(session, second, draft_id, drafts.show(session, second, draft_id).draft.version)
        edition_id = editions.current(session).edition_id
        cases = session.execute(text("SELECT instance_id FROM instance WHERE status = 'open' AND state <> '' AND edition_id <> :id ORDER BY instance_id"), {"id": edition_id}).scalars().all()
    with town.database.unit_of_work(first) as session:
        batch_id = moves.try_many(session, first, cases, edition_id, {})
    work(town, first, batch_id, "a trial stopped halfway", workers, stop_at=len(cases) // 2)
    with town.database.unit_of_work(first) as session:
        trial_id = moves.try_many(session, first, cases, edition_id, {})
    work(town, first, trial_id, "dry run", workers)
    with town.database.unit_of_work(first) as session:
        moved_id = moves.start_ready(session, first, trial_id, "mesure")
    work(town, first, moved_id, "move", workers)
    with town.database.unit_of_work(first) as session:
        back_id = moves.start_back(session, first, moved_id, "mesure")
    work(town, first, back_id, "move back", workers)


def work(town: worlds.World, actor: users.Actor, batch_id: UUID, name: str, workers: int, stop_at: int = 0) -> float:
    """Works a batch by real workers; how far it is, every two seconds. `stop_at`: so many done, somebody stops it. Answers the seconds for 1,000."""
    stops = [threading.Event() for _ in range(workers)]
    threads = [threading.Thread(target=_work, args=(town.database, stop), daemon=True) for stop in stops]
    for thread in threads:
        thread.start()
    asked = 0.0
    while True:
        time.sleep(0.2 if stop_at else 2)
        with town.database.reading(actor) as session:
            batch = batches.progress(session, actor, batch_id)
        if not stop_at:
            print(f"  {name}: {batch.done} of {batch.total}", flush=True)
        if not batch.is_under_way:
            break
        if stop_at and batch.done >= stop_at:
            asked = time.monotonic()
            with contextlib.suppress(errors.Conflict), town.database.unit_of_work(actor) as session:  # it may have ended meanwhile
                batches.cancel(session, actor, batch_id)
    for stop in stops:
        stop.set()
    for thread in threads:
        thread.join(30)
    with town.database.reading(actor) as session:
        batch, counts = batches.progress(session, actor, batch_id), batches.counts(session, actor, batch_id)
    if stop_at:
        print(f"{name}: {batch.state}, {batch.done} of {batch.total} done, workers idle {time.monotonic() - asked:.1f} s after", flush=True)
    elif batch.seconds:
        print(f"{name}: {batch.done} cases in {batch.seconds:.1f} s by {workers} worker(s), {batch.seconds / max(batch.done, 1) * 1000:.1f} s per 1,000; {dict(counts)}", flush=True)
    return (batch.seconds or 0.0) / max(batch.done, 1) * 1000


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
