"""Jobs: what falls due, carried by procrastinate to any number of workers, each occurrence done once.

The truth is in the domain's own rows (`wait.due_at`, `open_task.remind_at`, `message`); a job only carries their ids. A bell looks every
two seconds, and at once when the database says that work came in; it makes one job for each thing due that has none yet. The job locks the case and asks
again whether the thing is still due, so a job made twice, or done by a worker that died before saying so, does nothing the second time.
A job that fails is tried again, later and later, at least every ten minutes, and stands in `troubled` until it succeeds: it is never given up.
Not here: what a timer, a reminder or a message does (`casework.timers`, `casework.messages`).
"""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import procrastinate
import psycopg
from procrastinate import exceptions, retry
from sqlalchemy import make_url, text
from sqlmodel import Session

from engine import clock
from engine.actors import users
from engine.casework import batches, departures, digests, lapses, messages, moves, snapshots, tasks, timers  # noqa: F401 (moves says how its batches are worked)
from engine.database import Alone, Database
from engine.dossier import documents
from engine.insight import halfyear, rehearsals, steering  # noqa: F401 (rehearsals says how its kind of batch is worked)
from engine.ledger import log as logs
from engine.ledger import standing

log = logging.getLogger("masar.jobs")

LOOK_EVERY = 2.0  # seconds between two looks when nothing rings
HEARTBEAT = 1.0  # a worker says it lives every second …
SILENT_AFTER = 6.0  # … and after six of silence others do what it had in hand: a false alarm costs nothing, the case's lock decides
LONGEST_PAUSE = 600  # seconds between two tries of a job that fails
AT_ONCE = 500  # things taken up in one look

_CARRIED = text("SELECT task_name, queueing_lock FROM queue.procrastinate_jobs WHERE status IN ('todo', 'doing') AND queueing_lock IS NOT NULL")
_TROUBLED = text("SELECT task_name, args, attempts, scheduled_at, status FROM queue.procrastinate_jobs WHERE attempts > 0 OR status = 'failed' ORDER BY attempts DESC, id")
_LIVING = text("SELECT count(*) FROM queue.procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :silent)")


@dataclass(frozen=True)
class Kind:
    """One kind of work: what of it is due (`due(session, limit, but)` → ids; `but`: the joined ids of what is carried already), and how one is done."""

    name: str
    due: Callable[[Session, int, Sequence[str]], Sequence[tuple[str, ...]]]
    do: Callable[..., bool]
    priority: int = 0  # what persons wait for goes before what they asked to be done beside


KINDS = (
    Kind(
        "timer",
        lambda session, limit, but: [(str(instance_id), position) for instance_id, position in timers.due(session, limit, but)],
        lambda session, instance_id, position: timers.fire(session, UUID(instance_id), position),
    ),
    Kind(
        "reminder",
        lambda session, limit, but: [(str(task_id),) for task_id in timers.late(session, limit, but)],
        lambda session, task_id: timers.remind(session, UUID(task_id)),
    ),
    Kind(
        "message",
        lambda session, limit, but: [(str(message_id),) for message_id in messages.deliverable(session, limit, but)],
        lambda session, message_id: messages.deliver(session, UUID(message_id)),
    ),
    Kind(
        "departure",
        lambda session, limit, but: [(str(task_id),) for task_id in departures.left(session, limit, but)],
        lambda session, task_id: departures.give_back(session, UUID(task_id)),
    ),
    Kind("lapse", lapses.due, lambda session, fact_id, root_id: lapses.look(session, int(fact_id), UUID(root_id))),
    Kind("digest", digests.due, lambda session, user_id: digests.tell(session, UUID(user_id))),
    Kind("batch", batches.due, lambda session, batch_id, number: batches.work_slice(session, UUID(batch_id), int(number)), priority=-10),
    Kind("replay", snapshots.due, lambda session, instance_id: snapshots.keep(session, UUID(instance_id)), priority=-20),
)


@dataclass(frozen=True)
class Chore:
    """Work of the clock alone, about no case: done once at each time of `cron`, by whichever worker comes first."""

    name: str
    cron: str
    do: Callable[[Session], object]


def seal(session: Session) -> None:
    """Seals the lines there are, and counts them where steering looks."""
    logs.seal(session, users.system())
    steering.gather(session)


def report(session: Session) -> None:
    """Makes the reports of the half-years that are over, once all that was done in them is counted."""
    if due := halfyear.due(session):
        seal(session)
        for year, half in due:
            halfyear.make(session, year, half)


CHORES = (
    Chore("sweep_documents", "23 * * * *", documents.sweep),
    Chore("sweep_drafts", "41 * * * *", tasks.sweep_drafts),
    Chore("note_standing", "17 * * * *", lambda session: standing.note(session, users.system())),
    Chore("seal_log", "* * * * *", seal),
    Chore("report_halfyear", "* * * * *", report),
)


class LaterAndLater(retry.BaseRetryStrategy):
    """Tries again after 1, 2, 4, 8 … seconds, then every ten minutes, without end: what is due stays due until it is done."""

    def get_retry_decision(self, *, exception: BaseException, job: procrastinate.jobs.Job) -> retry.RetryDecision:
        return retry.RetryDecision(retry_in={"seconds": _pause(job.attempts)})


def queue(database: Database, kinds: Sequence[Kind] = KINDS) -> procrastinate.App:
    """The job queue of a database, as the application's role sees it."""
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=_libpq(database), min_size=1, max_size=6, timeout=10, kwargs={"application_name": "masar jobs"}, configure=_become_app
        )
    )
    for kind in kinds:
        app.task(_doing(database, kind), name=kind.name, queue="due", retry=LaterAndLater())
    for chore in CHORES:
        app.periodic(cron=chore.cron)(app.task(_tidying(database, chore), name=chore.name, queue="due", queueing_lock=chore.name, retry=LaterAndLater()))
    return app


def look(database: Database, kinds: Sequence[Kind] = KINDS) -> Mapping[str, Sequence[tuple[str, ...]]]:
    """What is due now and has no job yet, by kind, the earliest first."""
    with database.reading(users.system()) as session:
        carried = session.execute(_CARRIED).all()
        return {kind.name: kind.due(session, AT_ONCE, [lock.removeprefix(f"{name} ") for name, lock in carried if name == kind.name]) for kind in kinds}


def troubled(session: Session) -> list[Mapping[str, Any]]:
    """The jobs that failed at least once and are not done: kind, ids, how often they were tried, when next."""
    return [dict(row) for row in session.execute(_TROUBLED).mappings()]


def living_workers(session: Session) -> int:
    """How many workers said within the last seconds that they live."""
    return session.execute(_LIVING, {"silent": SILENT_AFTER}).scalar_one()


async def work(database: Database, stop: asyncio.Event, kinds: Sequence[Kind] = KINDS) -> None:
    """Does what falls due until `stop` is set, then ends what it has in hand; when the database goes away, waits for it to come back."""
    asked = asyncio.create_task(stop.wait())
    is_lost = False
    while not stop.is_set():
        app = queue(database, kinds)
        working = asyncio.create_task(_work(app, database, kinds))
        await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            working.cancel()
        trouble = (await asyncio.gather(working, return_exceptions=True))[0]
        if stop.is_set():
            break
        if not _is_absence(trouble):
            log.error("the worker stumbled and starts again", exc_info=trouble if isinstance(trouble, BaseException) else None)
        elif not is_lost:
            log.warning("the database is away; the worker waits for it")
        is_lost = _is_absence(trouble)
        await asyncio.wait({asked}, timeout=1.0)


async def _work(app: procrastinate.App, database: Database, kinds: Sequence[Kind]) -> None:
    async with app.open_async(), asyncio.TaskGroup() as group:
        bell = group.create_task(_ring(app, database, kinds))
        # Four at a time: while one waits for a case that somebody holds, others go on.
        await app.run_worker_async(
            concurrency=4, delete_jobs="successful", install_signal_handlers=False, update_heartbeat_interval=HEARTBEAT, stalled_worker_timeout=SILENT_AFTER,
            shutdown_graceful_timeout=20.0, fetch_job_polling_interval=1.0,  # nothing rings for a job that is tried again
        )  # fmt: skip
        bell.cancel()


async def _ring(app: procrastinate.App, database: Database, kinds: Sequence[Kind]) -> None:
    async with await psycopg.AsyncConnection.connect(_libpq(database), autocommit=True, application_name="masar bell") as connection:
        await _become_app(connection)
        await connection.execute("LISTEN masar_work")
        while True:
            # One worker looks at a time; a lock of the connection, so that it dies with it.
            if (await (await connection.execute("SELECT pg_try_advisory_lock(%s)", [Alone.LOOKING])).fetchone())[0]:
                try:
                    await _take_up(app, database, kinds)
                finally:
                    await connection.execute("SELECT pg_advisory_unlock(%s)", [Alone.LOOKING])
            async for _ in connection.notifies(timeout=LOOK_EVERY, stop_after=1):
                pass
            async for _ in connection.notifies(timeout=0):  # rung a hundred times: one look
                pass


async def _take_up(app: procrastinate.App, database: Database, kinds: Sequence[Kind]) -> None:
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_AFTER):
        # Not at once: it may be the job that ended its worker.
        await app.job_manager.retry_job(job, retry_at=clock.system_now() + dt.timedelta(seconds=_pause(job.attempts)))
    found = await asyncio.to_thread(look, database, kinds)
    for kind in kinds:
        for ids in found[kind.name]:
            try:
                await app.configure_task(kind.name, queueing_lock=f"{kind.name} {' '.join(ids)}", priority=kind.priority).defer_async(ids=list(ids))
            except exceptions.AlreadyEnqueued:
                continue


def _doing(database: Database, kind: Kind) -> Callable[..., None]:
    def do(ids: list[str]) -> None:
        try:
            with database.unit_of_work(users.system()) as session:
                kind.do(session, *ids)
        except Exception:
            log.exception("a job failed and will be tried again: %s %s", kind.name, " ".join(ids))
            raise

    return do


def _tidying(database: Database, chore: Chore) -> Callable[..., None]:
    def do(timestamp: int) -> None:
        try:
            with database.unit_of_work(users.system()) as session:
                chore.do(session)
        except Exception:
            log.exception("a chore failed and will be tried again: %s", chore.name)
            raise

    return do


def _pause(attempts: int) -> int:
    return min(2 ** min(attempts, 30), LONGEST_PAUSE)


def _libpq(database: Database) -> str:
    return make_url(database.app_url).set(drivername="postgresql").render_as_string(hide_password=False)


async def _become_app(connection: psycopg.AsyncConnection) -> None:
    if (await (await connection.execute("SELECT current_user")).fetchone())[0] != "masar_app":
        await connection.execute("SET SESSION ROLE masar_app")
    await connection.execute("SET search_path TO queue")
    await connection.commit()


def _is_absence(trouble: object) -> bool:
    """Whether what ended a worker is the database's going away, alone or in a group; the worker ends without a word when only its heartbeat noticed."""
    if isinstance(trouble, BaseExceptionGroup):
        return all(_is_absence(one) for one in trouble.exceptions)
    return trouble is None or isinstance(trouble, psycopg.OperationalError | exceptions.ConnectorException | asyncio.CancelledError)
