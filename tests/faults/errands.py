"""A kind of work for the tests of the queue: an errand is due at an instant, takes a while, and counts how often it was run.

`python -m tests.faults.errands <database url>` is a worker of errands in a process of its own, to be killed.
"""

import asyncio
import sys
import time
from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session

from engine import jobs
from engine.database import Database

TABLE = """
CREATE TABLE errand (errand_id text PRIMARY KEY, due_at timestamptz NOT NULL DEFAULT now(), done integer NOT NULL DEFAULT 0, breaks boolean NOT NULL DEFAULT false,
                     pause double precision NOT NULL DEFAULT 0, run_by text NOT NULL DEFAULT '');
GRANT SELECT, UPDATE ON errand TO masar_app;
"""
_DUE = text("SELECT errand_id FROM errand WHERE done = 0 AND due_at <= masar_now() AND errand_id <> ALL (CAST(:but AS text[])) ORDER BY due_at LIMIT :limit")
_TAKE = text("SELECT breaks, pause FROM errand WHERE errand_id = :id AND done = 0 AND due_at <= masar_now() FOR UPDATE")
_DONE = text("UPDATE errand SET done = done + 1, run_by = run_by || pg_backend_pid() || ' ' WHERE errand_id = :id")


def due(session: Session, limit: int, but: Sequence[str]) -> list[tuple[str, ...]]:
    return [(errand_id,) for errand_id in session.execute(_DUE, {"limit": limit, "but": list(but)}).scalars()]


def do(session: Session, errand_id: str) -> bool:
    row = session.execute(_TAKE, {"id": errand_id}).one_or_none()
    if row is None:
        return False
    session.execute(_DONE, {"id": errand_id})
    if row.breaks:
        raise RuntimeError("this errand breaks")
    time.sleep(row.pause)
    return True


KIND = jobs.Kind("errand", due, do)


SILENT_AFTER = 2.0  # in these tests a worker is given up sooner


async def _main(database: Database) -> None:
    jobs.SILENT_AFTER = SILENT_AFTER
    print("working", flush=True)
    await jobs.work(database, asyncio.Event(), [KIND])


if __name__ == "__main__":
    asyncio.run(_main(Database(sys.argv[1])))
