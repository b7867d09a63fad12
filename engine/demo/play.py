"""The demo Tunisia: about sixty cases at every stage, made by the engine itself under a moving clock.

It presses the buttons that people press: open a case, complete the task of one's role, let time pass. No row is written here.
"""

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import text

from engine import clock, errors
from engine.actors import users
from engine.casework import cases, tasks, timers
from engine.database import Database
from engine.demo import answers, people, stories

_STAFF = text("SELECT user_id, username, name, agency, branch, roles, language FROM user_account WHERE is_demo AND is_active ORDER BY username")
_OPEN = text("""SELECT t.task_id, t.root_id, t.agency, t.branch, t.role, t.node, t.holder_id, t.opened_at, t.due_at FROM open_task t
                 WHERE NOT t.task_id = ANY (CAST(:left AS uuid[])) ORDER BY t.opened_at, t.task_id""")
_LONGEST_STEP = dt.timedelta(days=3)
_QUICK = dt.timedelta(hours=10)  # what is due within so little is done at once, with the person still there


class Player:
    """Plays the staff of the demonstration. `left` are tasks that it does not do: they wait for whoever visits."""

    def __init__(self, database: Database, seed: int = 20) -> None:
        self.database, self.rng = database, random.Random(seed)
        self.people: dict[UUID, people.Person] = {}
        self.left: set[UUID] = set()
        self.refused: list[str] = []
        with database.reading(users.system()) as session:
            self.staff = [users.of_row(row) for row in session.execute(_STAFF)]

    def now(self) -> dt.datetime:
        with self.database.reading(users.system()) as session:
            return clock.now(session)

    def who_does(self, agency: str, branch: str, role: str, holder_id: UUID | None = None) -> users.Actor | None:
        """The member of staff who does such a task: its holder, else the first of the role there."""
        able = [one for one in self.staff if one.agency == agency and one.branch == branch and role in one.roles]
        return next((one for one in able if one.user_id == holder_id), able[0] if able else None)

    def receive(self, person: people.Person) -> UUID:
        """Opens the case of a person at her branch."""
        actor = self.who_does("OTE", person.branch, "agent_accueil")
        with self.database.unit_of_work(actor) as session:
            opened = cases.open_case(session, actor, "parcours", person.branch)
        self.people[opened.case_id] = person
        return opened.case_id

    def leave_at_the_desks(self) -> None:
        """What waits for whoever visits: somebody at each branch's desk, and in Médenine a return that the social attaché signalled."""
        today = clock.today(self.now())
        for number, branch in enumerate(("MED", "SFX", "TUN"), 900):
            self.receive(people.draw(self.rng, number, branch, today, "creation"))
        attache = self.who_does("OTE", "TUN", "attache_social")
        with self.database.unit_of_work(attache) as session:
            signal = cases.open_case(session, attache, "signalement", "MED")
        self.people[signal.case_id] = people.draw(self.rng, 903, "MED", today, "social")
        for row in self._waiting():
            if row.root_id == signal.case_id:
                self.complete(row.task_id, row.root_id, attache)
        timers.settle(self.database)

    def work(self) -> int:
        """Does every task whose time has come, and those that follow at once. Returns how many."""
        done = 0
        while ready := list(self._ready()):
            for row, actor in ready:
                done += self.complete(row.task_id, row.root_id, actor)
            timers.settle(self.database)
        return done

    def complete(self, task_id: UUID, case_id: UUID, actor: users.Actor) -> bool:
        """Completes one task with what its person would say. A refusal is noted and the task is left."""
        person = self.people.get(case_id)
        try:
            with self.database.unit_of_work(actor) as session:
                view = tasks.view(session, actor, task_id)
                raw = answers.to(view.form, person.truth if person else {}, clock.today(clock.now(session)), actor, session)
                tasks.complete(session, actor, task_id, raw, view.version)
        except errors.Refusal as refusal:
            self.left.add(task_id)
            self.refused.append(f"{task_id} {refusal} {[found.message for found in refusal.findings]}")
            return False
        return True

    def until(self, target: dt.datetime) -> None:
        """Lets time pass to `target`, everybody doing their work on the way."""
        self.work()
        while (now := self.now()) < target:
            step = min(self._next_ready(now), now + _LONGEST_STEP, target)
            timers.advance_clock(self.database, max(step - now, dt.timedelta(seconds=1)))
            self.work()

    def _waiting(self) -> list[Any]:
        with self.database.reading(users.system()) as session:
            return session.execute(_OPEN, {"left": list(self.left)}).all()

    def _planned(self, row: Any) -> dt.datetime:
        person = self.people.get(row.root_id)
        delay = (row.due_at - row.opened_at) if row.due_at else dt.timedelta(days=2)
        return row.opened_at if delay < _QUICK else row.opened_at + delay * (person.pace if person else 0.5)

    def _ready(self) -> Iterator[tuple[Any, users.Actor]]:
        now = self.now()
        for row in self._waiting():
            actor = self.who_does(row.agency, row.branch, row.role, row.holder_id)
            if actor is None:
                self.left.add(row.task_id)
            elif self._planned(row) <= now:
                yield row, actor

    def _next_ready(self, now: dt.datetime) -> dt.datetime:
        return max(min((self._planned(row) for row in self._waiting()), default=now + _LONGEST_STEP), now + dt.timedelta(minutes=1))


def load(database: Database) -> Player:
    """Plays the demonstration, from its first return to today, and leaves the clock at the present instant."""
    player = Player(database)
    arrivals = stories.arrivals(player.rng, player.now())
    start = min(person.arrives_on for person in arrivals)
    with database.unit_of_work(users.system()) as session:
        clock.advance(session, (_morning(start) - clock.now(session)).total_seconds())
    end = clock.system_now()
    for person in sorted(arrivals, key=lambda one: (one.arrives_on, one.name)):
        player.until(min(_morning(person.arrives_on), end))
        player.receive(person)
    player.until(end)
    player.leave_at_the_desks()
    return player


def _morning(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(9, 30), clock.TUNIS).astimezone(dt.UTC)
