"""The demo Tunisia: about sixty cases at every stage, made by the engine itself under a moving clock.

It presses the buttons that people press: open a case, complete the task of one's role, let time pass. No row is written here. People act
while their branch is open, one thing after the other; timers fall due whenever they do.
"""

import datetime as dt
import random
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from engine import clock, errors, jobs
from engine.actors import users
from engine.casework import cases, tasks, timers
from engine.database import Database
from engine.demo import answers, people, stories
from engine.dossier import programmes
from engine.workdays import Calendar

_STAFF = text("SELECT user_id, username, name, agency, branch, roles, language FROM user_account WHERE is_demo AND is_active ORDER BY username")
_OPEN = text("""SELECT task_id, root_id, case_number, agency, branch, role, node, holder_id, opened_at, due_at FROM open_task
                 WHERE task_id <> ALL (CAST(:left AS uuid[])) ORDER BY opened_at, case_number, node, task_id""")
_QUICK = dt.timedelta(hours=10)  # what is due within so little is done at once, with the person still there
_LAST_WEEKS = dt.timedelta(days=45)  # in which something is left on each desk
# A sitting's tasks follow one another: each of these roles keeps its own in another branch, so that no sitting waits for two of them.
_SHOWN_AT = {"secretaire_commission": "TUN", "membre_commission": "SFX", "president_commission": "MED"}
_SAME_NAME = "Prénom, date de naissance et téléphone différents, vérifiés avec la personne."


@dataclass(frozen=True)
class Turn:
    """Who does a task, and when."""

    at: dt.datetime
    row: Any
    actor: users.Actor


class Player:
    """Plays the staff of the demonstration. `left` are tasks that it does not do: they wait for whoever visits. `ends_at`: when the visitor comes."""

    def __init__(self, database: Database, seed: int = 20, ends_at: dt.datetime | None = None) -> None:
        self.database, self.rng, self.ends_at = database, random.Random(seed), ends_at
        self.people: dict[UUID, people.Person] = {}
        self.left: set[UUID] = set()
        self.refused: list[str] = []
        self.busy: dict[UUID, dt.datetime] = {}  # until when each has somebody before them
        with database.reading(users.system()) as session:
            self.staff = [users.of_row(row) for row in session.execute(_STAFF)]
            self.calendar: Calendar = programmes.dated(session).calendar

    def now(self) -> dt.datetime:
        with self.database.reading(users.system()) as session:
            return clock.now(session)

    def who_does(self, agency: str, branch: str, role: str, holder_id: UUID | None = None) -> users.Actor | None:
        """The member of staff who does such a task: its holder, else the first of the role there."""
        able = [one for one in self.staff if one.agency == agency and one.branch == branch and role in one.roles]
        return next((one for one in able if one.user_id == holder_id), able[0] if able else None)

    def receive(self, person: people.Person) -> UUID:
        """Opens the case of a person at her branch."""
        return self._open("parcours", person, self.who_does("OTE", person.branch, "agent_accueil"))

    def leave_at_the_desks(self) -> None:
        """What waits for whoever visits: somebody at each branch's desk, and two returns that the social attaché signals, one of them just heard of."""
        today, attache = clock.today(self.now()), self.who_does("OTE", "TUN", "attache_social")
        for number, branch in enumerate(stories.BRANCHES, 900):
            self.receive(people.draw(self.rng, number, branch, today, "creation"))
        heard = self._open("signalement", people.draw(self.rng, 903, "MED", today, "social"), attache)
        self._open("signalement", people.draw(self.rng, 904, "SFX", today, "social"), attache)
        for row in self._look()[1]:
            if row.root_id == heard:
                self.complete(row, attache)
        timers.settle(self.database)

    def complete(self, row: Any, actor: users.Actor) -> bool:
        """Completes one task with what its person would say. A refusal is noted and the task is left."""
        person = self.people.get(row.root_id)
        try:
            if row.role == "operateur":
                actor = self._entrusted(row, actor)
            try:
                self._complete(row.task_id, person, actor)
            except errors.Conflict as doubt:
                if doubt.code != "beneficiary.possible_duplicate":
                    raise
                # Somebody of much the same name: looked at, and found to be another person.
                aside = {"not_duplicate_of": [one["case_id"] for one in doubt.details["candidates"]], "not_duplicate_reason": _SAME_NAME}
                self._complete(row.task_id, person, actor, aside)
        except errors.Refusal as refusal:
            self.left.add(row.task_id)
            self.refused.append(f"{row.node} {row.task_id} {refusal} {[found.message for found in refusal.findings]}")
            return False
        return True

    def _entrusted(self, row: Any, operator: users.Actor) -> users.Actor:
        """Who does an operator's task: she whom the case owner entrusts with it or, where the person did not agree to that (C3), the case owner."""
        owner = self.who_does("OTE", row.branch, "referent")
        try:
            with self.database.unit_of_work(operator) as session:
                tasks.view(session, operator, row.task_id)
            return operator
        except errors.NotFound:
            assert owner is not None
        try:
            with self.database.unit_of_work(owner) as session:
                tasks.pass_to(session, owner, row.task_id, operator.user_id)
            return operator
        except errors.Refusal:
            return owner

    def until(self, target: dt.datetime) -> None:
        """Lets time pass to `target`, everybody doing their work on the way."""
        timers.settle(self.database)
        now, waiting = self._look()
        while True:
            turns = self._turns(waiting, now)
            ready = self._each_case_once(turns, now)
            for turn in ready:
                self.busy[turn.actor.user_id] = now + dt.timedelta(minutes=_chance(f"{turn.row.case_number} {turn.row.node}", 6, 24))
                self.complete(turn.row, turn.actor)
            if ready:
                timers.settle(self.database)
                now, waiting = self._look()
            elif now >= target:
                return
            else:
                now, fell_due = timers.step_clock(self.database, min([target, *(turn.at for turn in turns[:1])]))
                if fell_due:
                    now, waiting = self._look()

    def _open(self, process: str, person: people.Person, actor: users.Actor) -> UUID:
        with self.database.unit_of_work(actor) as session:
            opened = cases.open_case(session, actor, process, person.branch)
        self.people[opened.case_id] = person
        return opened.case_id

    def _complete(self, task_id: UUID, person: people.Person | None, actor: users.Actor, also: Mapping[str, Any] | None = None) -> None:
        with self.database.unit_of_work(actor) as session:
            view = tasks.view(session, actor, task_id)
            raw = answers.to(view.form, person.truth if person else {}, clock.today(clock.now(session)), actor, session)
            tasks.complete(session, actor, task_id, raw | (also or {}), view.version)

    def _look(self) -> tuple[dt.datetime, list[Any]]:
        """What time it is, and which tasks wait."""
        with self.database.reading(users.system()) as session:
            return clock.now(session), session.execute(_OPEN, {"left": list(self.left)}).all()

    def _turns(self, waiting: Iterable[Any], now: dt.datetime) -> list[Turn]:
        """The tasks that will be done, the next first."""
        waiting, earliest = list(waiting), self.calendar.open_from(now)
        kept = self._kept(waiting) if self.ends_at and now >= self.ends_at - _LAST_WEEKS else frozenset()
        turns = []
        for row in waiting:
            actor = self.who_does(row.agency, row.branch, row.role, row.holder_id)
            if actor and row.task_id not in kept:
                turns.append(Turn(max(self._planned(row, actor), earliest), row, actor))
        return sorted(turns, key=lambda turn: turn.at)

    def _planned(self, row: Any, actor: users.Actor) -> dt.datetime:
        """When a task is done: its person's share of the delay later, while the branch is open and nobody else sits there."""
        person = self.people.get(row.root_id)
        delay = (row.due_at - row.opened_at) if row.due_at else dt.timedelta(days=2)
        wanted = row.opened_at if delay < _QUICK else row.opened_at + delay * (person.pace if person else 0.5)
        at = self.calendar.open_from(wanted)
        if at != wanted:  # in the course of the day on which the branch opens again
            at += self.calendar.hours_of(clock.today(at)) * _chance(f"{row.case_number} {row.node} at", 1, 85) / 100
        return self.calendar.open_from(max(at, self.busy.get(actor.user_id, at)))

    def _kept(self, waiting: Iterable[Any]) -> frozenset[UUID]:
        """What is left for the visitor: of each role its newest task, and on each desk the newest that will still be in time."""
        newest: dict[Any, UUID] = {}
        for row in waiting:
            if _SHOWN_AT.get(row.role, row.branch) == row.branch:
                newest[row.role] = row.task_id
            if row.due_at and row.due_at > self.ends_at and row.role not in _SHOWN_AT:
                newest[row.agency, row.branch, row.role] = row.task_id
        return frozenset(newest.values())

    @staticmethod
    def _each_case_once(turns: Iterable[Turn], now: dt.datetime) -> list[Turn]:
        """Those whose time has come, of each case and each person at work the first: one thing done may change what else there is to do."""
        seen: set[UUID] = set()
        found = []
        for turn in turns:
            if turn.at <= now and not {turn.row.root_id, turn.actor.user_id} & seen:
                found.append(turn)
                seen |= {turn.row.root_id, turn.actor.user_id}
        return found


def load(database: Database, ends_at: dt.datetime | None = None, tell: Callable[[float], None] = lambda _share: None) -> Player:
    """Plays the demonstration, from its first return to the present instant, or to `ends_at`. `tell` hears which share of it is done.

    The clock stands there at the end, whatever the hour: the last things were done when the branches were open last.
    """
    is_present = ends_at is None
    ends_at = ends_at or clock.system_now()
    player = Player(database, ends_at=ends_at)
    expected = [(player.calendar.open_from(_morning(person)), person) for person in stories.arrivals(player.rng, ends_at)]
    expected = sorted(((at, person) for at, person in expected if at < ends_at), key=lambda one: (one[0], one[1].name))
    with database.unit_of_work(users.system()) as session:
        clock.advance(session, (expected[0][0] - clock.now(session)).total_seconds())
    for number, (at, person) in enumerate(expected):
        player.until(at)
        player.receive(person)
        tell(number / len(expected))
    player.until(_last_open(player.calendar, ends_at))
    player.leave_at_the_desks()
    timers.advance_clock(database, (clock.system_now() if is_present else ends_at) - player.now())
    with database.unit_of_work(users.system()) as session:
        jobs.seal(session)
        jobs.report(session)
    tell(1.0)
    return player


def _morning(person: people.Person) -> dt.datetime:
    at = dt.datetime.combine(person.arrives_on, dt.time(8, 20), clock.TUNIS) + dt.timedelta(minutes=_chance(person.name, 0, 180))
    return at.astimezone(dt.UTC)


def _last_open(calendar: Calendar, instant: dt.datetime) -> dt.datetime:
    """The last instant, at the latest this one, at which the branches are open: a quarter of an hour before closing where they are closed."""
    day = clock.today(instant)
    while True:
        closing = dt.datetime.combine(day, calendar.closing(day), clock.TUNIS).astimezone(dt.UTC) - dt.timedelta(minutes=15)
        found = min(instant, closing)
        if calendar.open_from(found) == found:
            return found
        day -= dt.timedelta(days=1)


def _chance(of: str, least: int, most: int) -> int:
    """A number that looks drawn and is always the same for the same words."""
    return least + zlib.crc32(of.encode()) % (most - least + 1)
