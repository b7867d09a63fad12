"""The doctor: proves the ledger and its log, and asks the nine invariants of the whole (`INVARIANTS`). It reads; it mends nothing.

Faults are what must never be (a broken chain, an open case that nobody can move, a task both open and done); worries are what somebody should
look at (work due that no worker takes, jobs that fail again and again, lines that no checkpoint covers yet).
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from engine import clock, jobs
from engine.actors import users
from engine.casework import attested, erasures, projections
from engine.database import Database
from engine.errors import Refusal
from engine.ledger import consultations, proving, standing

INVARIANTS = {
    "I1": "What was said done is there once",
    "I2": "A task done, its ledger line and what comes next are there together",
    "I3": "No open case is without a next actor: a person, a date, a message or an incident",
    "I4": "The lines of a case follow one another without a gap, and the head is the last",
    "I5": "The tables are what the ledger tells, played again",
    "I6": "Every message was sent once and seen once",
    "I7": "A case is ended exactly where its diagram is at its end",
    "I8": "What was sealed and what each witness saw is the beginning of the log",
    "I9": "What a programme committed, paid and recovered is the sum of its dossiers",
}
_OF = {
    "task.twice": "I1", "key.twice": "I1", "task.open_and_done": "I2", "task.done_without_line": "I2", "task.line_without_done": "I2", "case.stuck": "I3",
    "chain": "I4", "journal": "I4", "consultation": "I4", "state.other": "I5", "table.other": "I5", "fact.other": "I5", "fact.without_line": "I5", "letter.other": "I5",
    "case.unreadable": "I5", "table.unreadable": "I5", "message.sent_otherwise": "I6", "message.seen_otherwise": "I6", "case.ended_with_work": "I7", "case.ended_otherwise": "I7", "log": "I8",
    "person.came_back": "I5", "fund.other": "I9", "edition.other": "I5", "scope.other": "I5", "person.other": "I5", "erasure.other": "I5", "repair.other": "I5", "rule.other": "I5",
    "account.other": "I5", "sample.other": "I5", "finding.other": "I5", "document.other": "I5", "wall": "I8", "row": "I8", "consulted": "I8",
}  # fmt: skip
_BROKEN = (DBAPIError, Refusal, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)  # what a line or a row that somebody broke may raise
_SEALED_WITHIN = dt.timedelta(minutes=5)
# Each finds rows (number or id, detail) of what must not be.
_FAULTS = {
    "case.stuck": """SELECT i.instance_id, coalesce(i.number, i.process) AS about FROM instance i WHERE i.status = 'open'
        AND NOT EXISTS (SELECT FROM open_task t WHERE t.instance_id = i.instance_id) AND NOT EXISTS (SELECT FROM wait w WHERE w.instance_id = i.instance_id)
        AND NOT EXISTS (SELECT FROM incident n WHERE n.instance_id = i.instance_id AND n.resolved_at IS NULL)""",
    "case.ended_with_work": """SELECT i.instance_id, coalesce(i.number, i.process) AS about FROM instance i WHERE i.status = 'ended'
        AND (EXISTS (SELECT FROM open_task t WHERE t.instance_id = i.instance_id) OR EXISTS (SELECT FROM wait w WHERE w.instance_id = i.instance_id))""",
    "task.open_and_done": "SELECT t.instance_id, t.node AS about FROM open_task t JOIN task_done d USING (task_id)",
    "task.twice": """SELECT instance_id, line::jsonb #>> '{body,node}' AS about FROM ledger_line WHERE kind = 'task.completed'
        GROUP BY instance_id, line::jsonb #>> '{body,task}', line::jsonb #>> '{body,node}' HAVING count(*) > 1""",
    "key.twice": "SELECT min(instance_id::text) AS instance_id, min(node) AS about FROM task_done WHERE key <> '' GROUP BY done_by, key HAVING count(*) > 1",
    "message.sent_otherwise": """SELECT i.instance_id, coalesce(i.number, i.process) AS about FROM instance i
        WHERE (SELECT count(*) FROM message m WHERE m.sender_id = i.instance_id)
           <> (SELECT coalesce(sum(jsonb_array_length(l.line::jsonb #> '{body,messages}')), 0) FROM ledger_line l
                WHERE l.instance_id = i.instance_id AND l.line::jsonb #> '{body,messages}' IS NOT NULL)""",
    "message.seen_otherwise": """SELECT i.instance_id, coalesce(i.number, i.process) AS about FROM instance i
        WHERE (SELECT count(*) FROM ledger_line l WHERE l.instance_id = i.instance_id AND l.kind = 'message.received')
            > (SELECT count(*) FROM message m WHERE m.consumed_by = i.instance_id)""",
    "fact.without_line": """SELECT f.instance_id, f.field AS about FROM fact f
        WHERE NOT EXISTS (SELECT FROM ledger_line l WHERE l.instance_id = f.instance_id AND l.seq = f.seq)""",
    # A fund against every movement in it; a dossier's movements against its own lines are I5's (`rebuilt`).
    "fund.other": """SELECT NULL AS instance_id, f.programme AS about FROM fund f LEFT JOIN (
            SELECT programme, sum(amount_millimes) FILTER (WHERE kind IN ('committed', 'brought_committed')) AS committed, sum(amount_millimes) FILTER (WHERE kind = 'paid') AS paid,
                   sum(amount_millimes) FILTER (WHERE kind IN ('advanced', 'brought_paid')) AS advanced, sum(amount_millimes) FILTER (WHERE kind = 'released') AS released,
                   sum(amount_millimes) FILTER (WHERE kind = 'recovered') AS recovered FROM fund_movement GROUP BY programme) m USING (programme)
        WHERE f.engaged_millimes <> coalesce(m.committed, 0) - coalesce(m.paid, 0) - coalesce(m.released, 0)
           OR f.paid_millimes <> coalesce(m.paid, 0) + coalesce(m.advanced, 0) OR f.recovered_millimes <> coalesce(m.recovered, 0)""",
}
_CASES = text("SELECT instance_id, coalesce(number, process) AS about FROM instance ORDER BY opened_at, instance_id")
_LATE = {
    "timer.late": "SELECT instance_id, node AS about FROM wait WHERE kind = 'timer' AND due_at < masar_now() - interval '1 minute'",
    "task.left": """SELECT t.instance_id, t.node AS about FROM open_task t JOIN user_account u ON u.user_id = t.holder_id
        WHERE NOT u.is_active AND t.claimed_at < masar_now() - interval '1 minute'""",
    "reminder.late": "SELECT instance_id, node AS about FROM open_task WHERE remind_at < masar_now() - interval '1 minute'",
}
_SENTENCES = {
    "chain": "A ledger line is not what its chain says",
    "journal": "A line of the administration journal is not what its chain says",
    "log": "The log is not what was sealed, signed or seen by a witness",
    "state.other": "The history of a case, played again, does not give the state that is stored",
    "table.other": "What is open in the tables is not what the state says",
    "fact.other": "A fact is not what its ledger line says",
    "letter.other": "A letter is not what its ledger line says",
    "case.unreadable": "The lines of a case cannot be played again",
    "table.unreadable": "Something could not be asked: a line or a row of it cannot be read",
    "task.twice": "A task was completed twice",
    "key.twice": "One submission completed two tasks",
    "task.line_without_done": "A ledger line tells of a task done that no row does",
    "message.sent_otherwise": "Messages sent and ledger lines do not agree in number",
    "message.seen_otherwise": "A case received a message that is nowhere",
    "case.ended_otherwise": "A case is ended and its diagram is not, or the other way about",
    "consultation": "An entry of who consulted a case is not what its chain says",
    "person.came_back": "A person who was erased is there again, as an old backup brings back: start Masar, or `masar forget`, and she is erased again",
    "case.stuck": "An open case has no task, no wait and no incident: nobody can move it",
    "case.ended_with_work": "An ended case still has open tasks or waits",
    "task.open_and_done": "A task is open and done at once",
    "task.done_without_line": "A task is done that no ledger line tells of",
    "fact.without_line": "A fact has no ledger line",
    "fund.other": "A fund is not the sum of what its dossiers committed, paid and recovered",
    "edition.other": "An edition is not what its digests say",
    "scope.other": "What cases were told of programmes and parameters is not what its digest says",
    "person.other": "Who was made one with whom is not what lines say",
    "erasure.other": "Who was erased is not what lines say",
    "repair.other": "A repair is not what its line says",
    "rule.other": "Which rules fired is not what lines say",
    "account.other": "What an account may do is not what the journal says",
    "sample.other": "A sample is not what its seed draws, or not what the journal says",
    "finding.other": "A finding is not what the journal says",
    "document.other": "A document is not what was sent",
    "wall": "A function, policy, trigger or table of the database is not as it was noted",
    "row": "A row that does not change is not as it was noted",
    "consulted": "Who consulted a case is less than, or other than, what was noted",
    "timer.late": "A timer has been due for more than a minute",
    "task.left": "A task is held by somebody whose account is closed",
    "reminder.late": "A reminder has been due for more than a minute",
    "job.troubled": "A job failed and will be tried again",
    "worker.none": "No worker is running",
    "log.unsealed": "Lines have waited for more than five minutes to be sealed",
}


@dataclass(frozen=True)
class Found:
    code: str
    instance_id: str
    about: str

    @property
    def invariant(self) -> str:
        """Which of `INVARIANTS` does not hold; "" for a worry."""
        return _OF.get(self.code, "")


@dataclass(frozen=True)
class Report:
    """What the doctor found, and how much there was to look at."""

    faults: tuple[Found, ...]
    worries: tuple[Found, ...]
    counts: Mapping[str, int]
    unchecked: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        return not self.faults

    def as_json(self) -> dict[str, Any]:
        return {"is_well": self.is_well, "faults": [vars(one) | {"invariant": one.invariant} for one in self.faults], "worries": [vars(one) for one in self.worries], "counts": dict(self.counts),
                "not_checked": list(self.unchecked)}  # fmt: skip

    def lines(self) -> Iterator[str]:
        yield ", ".join(f"{count:,} {name}" for name, count in self.counts.items()) + "."
        for title, found in (("FAULT", self.faults), ("worry", self.worries)):
            for one in found:
                title = one.invariant or title
                yield f"{title}  {_SENTENCES[one.code]}: {one.about} ({one.instance_id})" if one.instance_id else f"{title}  {_SENTENCES[one.code]}{': ' if one.about else ''}{one.about}."
        yield from (f"Could not check: {one}." for one in self.unchecked)
        broken = {one.invariant for one in self.faults}
        yield from (f"{name}  {'BROKEN' if name in broken else 'holds '}  {said}." for name, said in INVARIANTS.items())
        yield "All is well: every chain holds, every case can go on." if self.is_well else f"{len(self.faults)} faults."


def examine(database: Database) -> Report:
    """Looks at everything; each question is one statement, so that what is being done meanwhile is not taken for a fault."""
    proof = proving.prove(database, users.system())
    faults = [_proved(one) for one in proof.wrong]
    broken = {one.instance_id for one in faults if one.code == "chain"}
    unchecked: list[str] = []
    with database.reading(users.system()) as session:
        faults += _asked_of_rows(session, unchecked)
        unchecked += [f"{tables}: {why}" for tables, why in attested.UNTOLD.items()]
        cases = session.execute(_CASES).all()
        worries = [found for code, query in _LATE.items() for found in _look(session, code, query)]
        worries += [Found("job.troubled", "", f"{job['task_name']} {' '.join(job['args'].get('ids', ()))}, tried {job['attempts']} times") for job in jobs.troubled(session)]
        if not jobs.living_workers(session):
            worries.append(Found("worker.none", "", ""))
        counts = {
            name: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for name, table in {"ledger lines": "ledger_line", "cases and dossiers": "instance", "open tasks": "open_task", "facts": "fact"}.items()
        }
    for row in cases:
        if str(row.instance_id) not in broken:
            faults += _projected(database, row.instance_id, str(row.about))
    if proof.oldest_unsealed and clock.system_now() - dt.datetime.fromisoformat(proof.oldest_unsealed) > _SEALED_WITHIN:
        worries.append(Found("log.unsealed", "", f"{proof.unsealed:,}"))
    if proof.erased:
        unchecked.insert(0, f"what {proof.erased:,} lines sealed, whose keys were erased")
    return Report(tuple(faults), tuple(worries), counts, tuple(unchecked))


def _asked_of_rows(session: Session, unchecked: list[str]) -> Iterator[Found]:
    """What each question finds. Where a line or a row that it reads cannot be read, that is a fault, said under `unchecked` too; the others are asked all the same."""
    questions: dict[str, Callable[[], Iterable[Found]]] = {code: partial(_look, session, code, query) for code, query in _FAULTS.items()} | {
        "consultations": lambda: (Found("consultation", str(one.instance_id), f"line {one.seq}, {one.code}") for one in consultations.faults(session)),
        "erasures": lambda: (Found("person.came_back", "", str(one)) for one in (*erasures.came_back(session), *erasures.came_back_in_part(session))),
        "rows that lines attest": lambda: (Found(code, instance_id, about) for code, instance_id, about in attested.differences(session)),
        "rows that were noted": lambda: (Found(code, instance_id, about) for code, about, instance_id in standing.differences(session)),
        "what was not noted yet": lambda: unchecked.extend(standing.left_out(session)) or (),
    }  # fmt: skip
    for what, found in questions.items():
        try:
            with session.begin_nested():
                yield from list(found())
        except _BROKEN as trouble:
            unchecked.append(f"{what}: something that it reads cannot be read")
            yield Found("table.unreadable", "", f"{what}, {type(trouble).__name__}")


def _proved(one: proving.Wrong) -> Found:
    if one.instance_id is None:
        return Found("log", "", " ".join(part for part in (one.code, f"entry {one.index}" if one.index is not None else "", one.about) if part))
    if one.instance_id == proving.JOURNAL:
        return Found("journal", "", f"line {one.seq}, {one.code}")
    return Found("chain", str(one.instance_id), f"line {one.seq}, {one.code}")


def _projected(database: Database, instance_id: Any, about: str) -> list[Found]:
    """What rows of a case say otherwise than its lines; as of one instant, so that a case may go on meanwhile."""
    with database.still(users.system()) as (session, _):
        try:
            return [Found(one.code, str(instance_id), f"line {one.seq}, {one.about}" if one.seq else one.about) for one in projections.differences(session, instance_id)]
        except _BROKEN as trouble:
            return [Found("case.unreadable", str(instance_id), f"{about}: {type(trouble).__name__}")]


def _look(session: Session, code: str, query: str) -> list[Found]:
    return [Found(code, str(row.instance_id or ""), str(row.about)) for row in session.execute(text(f"{query} LIMIT 100"))]
