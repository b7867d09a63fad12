"""The doctor: proves every ledger chain and looks for cases that cannot go on. It reads; it mends nothing.

Faults are what must never be (a broken chain, an open case that nobody can move, a task both open and done); worries are what somebody should
look at (work due that no worker takes, jobs that fail again and again).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine import jobs
from engine.actors import users
from engine.casework import replays
from engine.database import Database
from engine.ledger import access, consultations, journal

# Each finds rows (number or id, detail) of what must not be.
_FAULTS = {
    "case.stuck": """SELECT i.instance_id, coalesce(i.number, i.process) AS about FROM instance i WHERE i.status = 'open'
        AND NOT EXISTS (SELECT FROM open_task t WHERE t.instance_id = i.instance_id) AND NOT EXISTS (SELECT FROM wait w WHERE w.instance_id = i.instance_id)
        AND NOT EXISTS (SELECT FROM incident n WHERE n.instance_id = i.instance_id AND n.resolved_at IS NULL)""",
    "case.ended_with_work": """SELECT i.instance_id, coalesce(i.number, i.process) AS about FROM instance i WHERE i.status = 'ended'
        AND (EXISTS (SELECT FROM open_task t WHERE t.instance_id = i.instance_id) OR EXISTS (SELECT FROM wait w WHERE w.instance_id = i.instance_id))""",
    "task.open_and_done": "SELECT t.instance_id, t.node AS about FROM open_task t JOIN task_done d USING (task_id)",
    "task.done_without_line": """SELECT i.instance_id, coalesce(i.number, i.process) AS about FROM instance i
        WHERE (SELECT count(*) FROM task_done d WHERE d.instance_id = i.instance_id AND d.outcome = 'completed')
           <> (SELECT count(*) FROM ledger_line l WHERE l.instance_id = i.instance_id AND l.kind = 'task.completed')""",
    "fact.without_line": """SELECT f.instance_id, f.field AS about FROM fact f
        WHERE NOT EXISTS (SELECT FROM ledger_line l WHERE l.instance_id = f.instance_id AND l.seq = f.seq)""",
}
_OPEN = text("SELECT instance_id, coalesce(number, process) AS about FROM instance WHERE status = 'open' ORDER BY opened_at, instance_id")
_LATE = {
    "timer.late": "SELECT instance_id, node AS about FROM wait WHERE kind = 'timer' AND due_at < masar_now() - interval '1 minute'",
    "task.left": """SELECT t.instance_id, t.node AS about FROM open_task t JOIN user_account u ON u.user_id = t.holder_id
        WHERE NOT u.is_active AND t.claimed_at < masar_now() - interval '1 minute'""",
    "reminder.late": "SELECT instance_id, node AS about FROM open_task WHERE remind_at < masar_now() - interval '1 minute'",
}
_SENTENCES = {
    "chain": "A ledger line is not what its chain says",
    "state.other": "The history of an open case, played again, does not give the state that is stored",
    "journal": "A line of the administration journal is not what its chain says",
    "consultation": "An entry of who consulted a case is not what its chain says",
    "case.stuck": "An open case has no task, no wait and no incident: nobody can move it",
    "case.ended_with_work": "An ended case still has open tasks or waits",
    "task.open_and_done": "A task is open and done at once",
    "task.done_without_line": "Tasks done and ledger lines do not agree in number",
    "fact.without_line": "A fact has no ledger line",
    "timer.late": "A timer has been due for more than a minute",
    "task.left": "A task is held by somebody whose account is closed",
    "reminder.late": "A reminder has been due for more than a minute",
    "job.troubled": "A job failed and will be tried again",
    "worker.none": "No worker is running",
}


@dataclass(frozen=True)
class Found:
    code: str
    instance_id: str
    about: str


@dataclass(frozen=True)
class Report:
    """What the doctor found, and how much there was to look at."""

    faults: tuple[Found, ...]
    worries: tuple[Found, ...]
    counts: Mapping[str, int]

    @property
    def is_well(self) -> bool:
        return not self.faults

    def as_json(self) -> dict[str, Any]:
        return {"is_well": self.is_well, "faults": [vars(one) for one in self.faults], "worries": [vars(one) for one in self.worries], "counts": dict(self.counts)}

    def lines(self) -> Iterator[str]:
        yield ", ".join(f"{count:,} {name}" for name, count in self.counts.items()) + "."
        for title, found in (("FAULT", self.faults), ("worry", self.worries)):
            for one in found:
                yield f"{title}  {_SENTENCES[one.code]}: {one.about} ({one.instance_id})" if one.instance_id else f"{title}  {_SENTENCES[one.code]}{': ' if one.about else ''}{one.about}."
        yield "All is well: every chain holds, every case can go on." if self.is_well else f"{len(self.faults)} faults."


def examine(database: Database) -> Report:
    """Looks at everything; each question is one statement, so that what is being done meanwhile is not taken for a fault."""
    with database.reading(users.system()) as session:
        faults = [Found("chain", str(one.instance_id), f"line {one.seq}, {one.code}") for one in access.faults(session)]
        faults += [Found("journal", "", f"line {one.seq}, {one.code}") for one in journal.faults(session)]
        faults += [Found("consultation", str(one.instance_id), f"line {one.seq}, {one.code}") for one in consultations.faults(session)]
        faults += [found for code, query in _FAULTS.items() for found in _look(session, code, query)]
        faults += [Found("state.other", str(row.instance_id), str(row.about)) for row in session.execute(_OPEN).all() if _is_other(session, row.instance_id)]
        worries = [found for code, query in _LATE.items() for found in _look(session, code, query)]
        worries += [Found("job.troubled", "", f"{job['task_name']} {' '.join(job['args'].get('ids', ()))}, tried {job['attempts']} times") for job in jobs.troubled(session)]
        if not jobs.living_workers(session):
            worries.append(Found("worker.none", "", ""))
        counts = {
            name: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for name, table in {"ledger lines": "ledger_line", "cases and dossiers": "instance", "open tasks": "open_task", "facts": "fact"}.items()
        }
    return Report(tuple(faults), tuple(worries), counts)


def _is_other(session: Session, instance_id: Any) -> bool:
    """Whether the stored state is not what the ledger tells. Of somebody whose key was erased nothing can be told."""
    found = replays.history(session, instance_id)
    return found.is_whole and not replays.is_exact(found)


def _look(session: Session, code: str, query: str) -> list[Found]:
    return [Found(code, str(row.instance_id), str(row.about)) for row in session.execute(text(f"{query} LIMIT 100"))]
