"""A small Tunisia for tests: the three agencies in three branches, the demonstration's staff, and the real pathway as edition 1.

`world.agent("ANETI", "SFX")` is somebody; `world.receive(...)` opens a case; `world.does(case, "T201", …)` completes a task as who does it;
`world.passes(days=3)` lets time pass. What a test says nothing of is answered as in the demonstration.
"""

import datetime as dt
import random
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from engine import clock
from engine.actors import agencies, authority, users
from engine.casework import cases, editions, erasures, exceptions, notices, tasks, timers, worklist
from engine.casework.instances import Change, lock
from engine.database import Database
from engine.demo import accounts, answers, people
from engine.dossier import consents as given
from engine.dossier import programmes
from engine.dossier.facts import NewFact
from engine.pathway import scenario_files

ROOT = Path(__file__).parents[1]
PROCESSES, FORMS = ROOT / "processes", ROOT / "forms"
_STAFF = text("SELECT user_id, username, name, agency, branch, roles, language FROM user_account WHERE is_active ORDER BY username")
_OPEN = text("SELECT task_id, node, agency, branch, role, holder_id, root_id, masar_is_kept(instance_id) AS is_kept FROM open_task WHERE (CAST(:case AS uuid) IS NULL OR root_id = :case) ORDER BY opened_at, task_id")


def furnish(database: Database, files: Mapping[str, bytes] | None = None) -> None:
    """Gives an empty migrated database what a demo installation is born with, but its cases. `files`: its edition, instead of the real one."""
    year = clock.today(clock.system_now()).year
    with database.owner() as connection:
        connection.execute(text("INSERT INTO installation (is_demo, is_ready) VALUES (true, true) ON CONFLICT DO NOTHING"))
        agencies.install(connection)
        programmes.seed_holidays(connection, range(year - 3, year + 6), PROCESSES)
        programmes.seed(connection, PROCESSES)
        accounts.make(connection)
    with database.unit_of_work(users.system()) as session:
        editions.publish(session, users.system(), files or editions.files_of(PROCESSES, FORMS), "tests")


def bare_files() -> dict[str, bytes]:
    """The real edition without its scenarios: for tests that draw it otherwise, which those scenarios would rightly refuse."""
    return {path: content for path, content in editions.files_of(PROCESSES, FORMS).items() if not path.startswith(scenario_files.FOLDER)}


def clock_at(day: dt.date) -> dt.datetime:
    """The morning of a day, when the branches open."""
    return dt.datetime.combine(day, dt.time(9, 30), clock.TUNIS).astimezone(dt.UTC)


class World:
    """The small Tunisia on one database. `truth`: what each case's person says, by case."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.truth: dict[UUID, dict[str, Any]] = {}
        with database.reading(users.system()) as session:
            self.staff = {row.username: users.of_row(row) for row in session.execute(_STAFF)}

    def agent(self, agency: str, branch: str = "MED", role: str = "") -> users.Actor:
        """Somebody of an agency in a branch, of a role where one is asked."""
        return next(one for one in self.staff.values() if one.agency == agency and one.branch == branch and (not role or role in one.roles))

    def owner(self, case_id: UUID) -> users.Actor:
        """Whoever a case was given to: its référent."""
        with self.database.reading(users.system()) as session:
            referent = session.execute(text("SELECT referent_id FROM instance WHERE instance_id = :id"), {"id": case_id}).scalar_one()
        return next(one for one in self.staff.values() if one.user_id == referent)

    def receive(self, truth: Mapping[str, Any] | None = None, *, branch: str = "MED", process: str = "parcours", channel: str = "", expected: UUID | None = None, returning: UUID | None = None) -> UUID:
        """Somebody comes to the desk: a case is opened, and what she would say is kept for its tasks. `expected`: the signal reception found her by."""
        actor = self.agent("OTE", branch, "agent_accueil")
        with self.database.unit_of_work(actor) as session:
            opened = cases.open_case(session, actor, process, branch, channel=channel, expected=expected, returning=returning)
        self.truth[opened.case_id] = dict(truth or {})
        self.settle()
        return opened.case_id

    def signal(self, truth: Mapping[str, Any], branch: str = "MED") -> UUID:
        """The social attaché signals a return to a branch, and says what is known of it (T001)."""
        attache = self.agent("OTE", "TUN", "attache_social")
        with self.database.unit_of_work(attache) as session:
            opened = cases.open_case(session, attache, "signalement", branch)
        self.truth[opened.case_id] = dict(truth)
        self.does(opened.case_id, "T001")
        return opened.case_id

    def look_for(self, words: str, branch: str = "MED") -> list[Any]:
        """Whom reception finds when it looks for somebody before opening a case."""
        actor = self.agent("OTE", branch, "agent_accueil")
        with self.database.reading(actor) as session:
            return list(cases.candidates(session, actor, words))

    def open_tasks(self, case_id: UUID | None = None) -> list[Any]:
        with self.database.reading(users.system()) as session:
            return session.execute(_OPEN, {"case": case_id}).all()

    def nodes(self, case_id: UUID | None = None) -> list[str]:
        """The ids, as drawn, of the tasks that wait."""
        return sorted(row.node for row in self.open_tasks(case_id))

    def arrives(self, case_id: UUID, node: str) -> UUID:
        """The case, once nothing of it waits but one task: of what waits, the first is done again and again."""
        while (nodes := self.nodes(case_id)) != [node]:
            self.does(case_id, nodes[0])
        return case_id

    def who_does(self, row: Any) -> users.Actor:
        """Its holder, else somebody of its role in its agency and branch."""
        held = next((one for one in self.staff.values() if one.user_id == row.holder_id), None)
        if held is None and authority.is_withheld({"agency": row.agency, "case": row}):
            return self.agent("OTE", row.branch, "referent")
        return held or self.agent(row.agency, row.branch, row.role)

    def does(self, case_id: UUID | None, node: str, *, by: users.Actor | None = None, **said: Any) -> Any:
        """Completes the task of a node (its id or the beginning of it). `said`: field with `__` for the dot."""
        row = next((one for one in self.open_tasks(case_id) if one.node.startswith(node)), None)
        assert row is not None, f"{node} does not wait; {self.nodes(case_id)} do"
        actor = by or self.who_does(row)
        given = {name.replace("__", "."): value for name, value in said.items()}
        done = self.complete(row, actor, {**self.truth.get(row.root_id, {}), **given})
        self.settle()
        return done

    def complete(self, row: Any, actor: users.Actor, truth: Mapping[str, Any], **also: Any) -> Any:
        """`also`: `not_duplicate_of` and its reason, or `same_as`, as the page sends them."""
        with self.database.unit_of_work(actor) as session:
            view = tasks.view(session, actor, row.task_id)
            raw = answers.to(view.form, truth, clock.today(clock.now(session)), actor, session)
            return tasks.complete(session, actor, row.task_id, raw | also, view.version)

    def begins(self, case_id: UUID, process: str, by: users.Actor, **said: Any) -> UUID:
        """Somebody begins something unforeseen from the case's page; returns what runs beside it from then on. `said` as for `does`."""
        given = {name.replace("__", "."): value for name, value in said.items()}
        with self.database.unit_of_work(by) as session:
            asked = exceptions.ask(session, by, case_id, process)
            raw = answers.to(asked.form, {**self.truth.get(case_id, {}), **given}, clock.today(clock.now(session)), by, session)
            begun = exceptions.begin(session, by, case_id, process, raw)
        self.settle()
        return begun.instance_id

    def beside(self, case_id: UUID, actor: users.Actor) -> exceptions.Unforeseen:
        """What a case's page says of what was not foreseen."""
        with self.database.reading(actor) as session:
            return exceptions.of_case(session, actor, case_id)

    def somebody(self, wish: str, number: int = 1, branch: str = "MED", **more: Any) -> dict[str, Any]:
        """What a person of thirty, back from Germany for twenty days, would say; `wish`: what she came for (`creation`, `social`, …)."""
        truth = people.draw(random.Random(number), number, branch, self.today(), wish).truth
        truth |= {"retour.date": (self.today() - dt.timedelta(days=20)).isoformat(), "retour.pays": "DE", "person.naissance_date": f"{self.today().year - 30}-02-03"}
        return truth | {name.replace("__", "."): value for name, value in more.items()}

    def answers(self, row: Any, **said: Any) -> None:
        """Completes a task as who does it; `said` as for `does`."""
        self.complete(row, self.who_does(row), {**self.truth.get(row.root_id, {}), **{name.replace("__", "."): value for name, value in said.items()}})
        self.settle()

    def reaches(self, node: str, days: int = 200, but: Collection[UUID] = ()) -> Any:
        """Everybody does their work, and days pass, until a task waits; returns it. `but`: tasks that are left alone."""
        last = self.today() + dt.timedelta(days=days)
        while self.today() <= last:
            rows = [row for row in self.open_tasks() if row.task_id not in but]
            found = next((row for row in rows if row.node.startswith(node)), None)
            if found:
                return found
            if not rows:
                self.passes(days=1)
            for row in rows[:1]:
                self.answers(row)
        raise AssertionError(f"{node} never waited; {self.nodes()} do")

    def says(self, case_id: UUID, **consents: bool) -> None:
        """The person says a consent anew (`c1=False`), as the form that withdraws one does."""
        actor = self.staff["karim"]
        with self.database.unit_of_work(actor) as session:
            held = lock(session, case_id)
            new = [NewFact(f"case:{case_id}", f"consentement.{name}", value, "C") for name, value in consents.items()]
            given.apply(held, new)
            change = Change(session, actor, held, held.now)
            change.note("consent.said", {}, new)
            change.write()
            given.keep(session, held, new)

    def forgets(self, case_id: UUID, reference: str = "BO-2026-117") -> None:
        """Two coordinators agree that the person is erased, since she asked; without a reference, since the time of keeping is over."""
        one, other = [who for who in self.staff.values() if "coordinateur" in who.roles][:2]
        with self.database.unit_of_work(one) as session:
            erasure = erasures.propose(session, one, case_id, reference=reference)
        with self.database.unit_of_work(other) as session:
            erasures.approve(session, other, erasure)

    def settle(self) -> None:
        timers.settle(self.database)

    def passes(self, **duration: float) -> None:
        """Lets time pass; what falls due on the way is done."""
        timers.advance_clock(self.database, dt.timedelta(**duration))

    def today(self) -> dt.date:
        with self.database.reading(users.system()) as session:
            return clock.today(clock.now(session))

    def stands(self, instance_id: UUID) -> Any:
        """An instance's status, outcome and branch."""
        with self.database.reading(users.system()) as session:
            return session.execute(text("SELECT status, outcome, branch FROM instance WHERE instance_id = :id"), {"id": instance_id}).one()

    def file(self, case_id: UUID, actor: users.Actor | None = None) -> Any:
        """The case as somebody sees it; by default the head of its branch."""
        with self.database.reading(users.system()) as session:
            branch = session.execute(text("SELECT branch FROM instance WHERE instance_id = :id"), {"id": case_id}).scalar_one()
        actor = actor or self.agent("OTE", branch, "chef_antenne")
        with self.database.reading(actor) as session:
            return cases.file(session, actor, case_id)

    def news(self, actor: users.Actor) -> tuple[int, list[str]]:
        """How many notices the bell says are unread, and the codes of those on the page."""
        with self.database.reading(actor) as session:
            unread = session.execute(text("SELECT masar_unread(:id)"), {"id": actor.user_id}).scalar_one()
            return unread, [one.code for one in notices.mine(session, actor).items]

    def desk(self, actor: users.Actor, scope: str = "queue", **asked: Any) -> Any:
        with self.database.reading(actor) as session:
            return worklist.desk(session, actor, scope, **asked)

    def done(self, case_id: UUID) -> set[str]:
        """The tasks that were completed in a case and its dossiers."""
        with self.database.reading(users.system()) as session:
            return set(session.execute(text("SELECT node FROM task_done WHERE root_id = :id AND outcome = 'completed'"), {"id": case_id}).scalars())

    def facts(self, beginning: str) -> dict[str, Any]:
        """The current facts whose field begins so, in the whole Tunisia."""
        with self.database.reading(users.system()) as session:
            return dict(session.execute(text("SELECT field, value FROM fact WHERE is_current AND field LIKE :like"), {"like": f"{beginning}%"}).all())

    def listed(self, name: str, *columns: str) -> set[tuple[Any, ...]]:
        """The rows of a list that is known once in the whole Tunisia, as these columns say them."""
        with self.database.reading(users.system()) as session:
            rows = session.execute(text("""SELECT r.subject, r.field, r.value FROM fact l, jsonb_array_elements_text(l.value) one, fact r
                                            WHERE l.is_current AND l.field = :name AND split_part(r.subject, ':', 2) = one AND r.is_current"""), {"name": name})
            found: dict[str, dict[str, Any]] = {}
            for row in rows:
                found.setdefault(row.subject, {})[row.field] = row.value
        return {tuple(one.get(column) for column in columns) for one in found.values()}

    def incidents(self) -> list[Any]:
        """What broke, on any case."""
        with self.database.reading(users.system()) as session:
            return session.execute(text("SELECT node, code, details FROM incident WHERE resolved_at IS NULL")).all()
