"""Simulations: what is to be expected of a draft against the edition in force, from the durations and frequencies that the ledger shows, and who there is. No case is named.

Only the latest cases are read (`MOST_CASES`): how things went lately, not ever. Durations observed hold the queues of today; what the draft, or other people, would make of the
queues is what tasks are open longer by, or less. Not here: how a case is walked by chance (`pathway.simulation`), how a queue goes (`queues`), who there is (`teams`).
"""

import datetime as dt
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority, roles
from engine.casework import drafts, editions
from engine.casework.kept import Kept
from engine.casework.rows import LANES
from engine.dossier import programmes
from engine.insight import queues, teams
from engine.insight.queues import Post, Queue, Team, Work
from engine.pathway import simulation
from engine.pathway.definitions import Definitions
from engine.pathway.simulation import Observed, Range, Turn, Walks, middle
from engine.workdays import Calendar

SHOWN = ("parcours", "dossier_aide")
WORKED = (*SHOWN, "signalement", "seance_commission")  # everything that takes people's time
MOST_CASES = 1_500
MOST_PEOPLE = 500  # of a role in a branch
_LAP_DAYS, _MOST_WORKS = 91, 2_500  # days that a queue is looked at; fewer where so many tasks come sooner
_FULL = 0.95  # part of their time from which work cannot be had for more
_DAY = dt.timedelta(days=1)
_MONTH = 30.436875
_LATEST = text("SELECT instance_id, process, edition_id, branch, status, opened_at FROM instance WHERE state <> '' ORDER BY opened_at DESC, instance_id LIMIT :most")
_LINES = text("""SELECT instance_id, kind, line::jsonb ->> 'occurred_at' AS at, line::jsonb -> 'body' AS body, line::jsonb -> 'actor' ->> 'id' AS who FROM ledger_line
                  WHERE instance_id = ANY (:ids) AND (kind IN ('task.claimed', 'task.released', 'task.passed')
                        OR (line::jsonb -> 'body') ?| ARRAY['opened', 'closed', 'branches', 'waits', 'wait', 'message']) ORDER BY instance_id, seq""")

Asked = Mapping[Post, int]  # how many are to hold a role in a branch, in place of those who do


@dataclass(frozen=True)
class Compared:
    """One process, now and with the draft; `is_same`: it is drawn alike in both, and its queues are the same."""

    process: str
    now: simulation.Forecast
    then: simulation.Forecast
    is_same: bool


@dataclass(frozen=True)
class Load:
    """A role in a branch, as it would be. `people`: who hold it; `tasks` a month; `hours` of work a month; `busy`: part of their open hours that their tasks take, those of
    their other roles too; `waits`: open hours until somebody is free, on average. Each is the middle of the draws: cases that go in rounds make some of them heavy. Where there are `tasks` and no `people`, nobody does them."""

    people: int
    tasks: Range
    hours: Range
    busy: Range
    waits: Range

    @property
    def is_full(self) -> bool:
        return self.busy.mean >= _FULL

    @property
    def is_nobodys(self) -> bool:
        return not self.people and self.tasks.mean > 0


@dataclass(frozen=True)
class PostCompared:
    """A role in a branch: now (the edition in force, who there is) and then (the draft, who is asked)."""

    post: Post
    now: Load
    then: Load


@dataclass(frozen=True)
class Outlook:
    """A draft against the edition in force. `cases`: how many the observations come of; `observations`: tasks and waits that ended; `measured`: tasks whose work was
    measured; `posts`: each role in each branch; `is_other_team`: other people than there are were asked; `hours_a_month`: those that one person is there."""

    draft: drafts.Draft
    compared: tuple[Compared, ...]
    cases: int
    observations: int
    measured: int
    posts: tuple[PostCompared, ...]
    is_other_team: bool
    hours_a_month: float


_turning = Kept[list[simulation.Turning]](16)
_forecast = Kept[tuple[tuple[Compared, ...], tuple[PostCompared, ...]]](8)


def outlook(session: Session, actor: Any, draft_id: UUID, people: Asked | None = None) -> Outlook:
    """What is to be expected, of the draft with these `people` in place of those there are. The same history, files and people give the same figures.

    Refuses: Forbidden, `draft.not_found`, `simulation.people` (no such branch or role, or too many); what cannot be read of the draft.
    """
    authority.require(actor, "draft.read")
    whole = drafts.show(session, actor, draft_id)
    now, then = editions.current(session).definitions, whole.edition.definitions
    tables, at = programmes.dated(session), clock.now(session)
    seen, name = observed(session, tables.calendar)
    team = teams.present(session)
    asked = _team(team, people or {}, {row["code"] for row in tables.branches})
    town = _Town(seen, tables.calendar, at)
    key = (now.digest, then.digest, name, clock.today(at), tables.version, frozenset(team.people.items()), frozenset(asked.people.items()))
    compared, posts = _forecast.get(key, lambda: town.compare((now, team), (then, asked)))  # seconds, once for a draft, a history and a team
    observations, measured = (sum(len(one) for one in found.values()) for found in (seen.lasted, seen.works))
    return Outlook(whole.draft, compared, seen.cases, observations, measured, posts, asked != team, town.hours / town.days * _MONTH)


def _team(team: Team, people: Asked, branches: set[str]) -> Team:
    for post, number in people.items():
        role = roles.ROLES.get(post.role)
        if post.branch not in branches or role is None or post.agency not in role.agencies or not 0 <= number <= MOST_PEOPLE:
            raise errors.Invalid("simulation.people", post=":".join(post), most=MOST_PEOPLE)
        team = team.with_holders(post, number)
    return team


class _Town:
    """What comes, and what becomes of it with an edition and a team. `days`: how long its queues are looked at; `hours`: those that branches are open meanwhile."""

    def __init__(self, seen: Observed, calendar: Calendar, at: dt.datetime) -> None:
        self.seen, self.days = seen, float(_LAP_DAYS)
        self.hours = teams.open_hours(calendar, at, _LAP_DAYS)

    def compare(self, before: tuple[Definitions, Team], after: tuple[Definitions, Team]) -> tuple[tuple[Compared, ...], tuple[PostCompared, ...]]:
        (now, team), (then, asked) = before, after
        walked = {process: self._walk(now, process) for process in WORKED if process in now.processes}
        drawn = {process: walked[process] if process in walked and _drawn(now, process) == _drawn(then, process) else self._walk(then, process)
                 for process in WORKED if process in then.processes}  # fmt: skip
        self._shorten(walked)
        queued, requeued = self._queues(now, team, walked), self._queues(then, asked, drawn)
        wait = self._longer(team, asked, queued, requeued)
        found = []
        for process in SHOWN:
            if process not in walked or process not in drawn:
                continue
            is_same = drawn[process] is walked[process]
            if queued == requeued:
                again = drawn[process]
            else:
                again = self._walk(then, process, wait)
                is_same = is_same and again.rounds == walked[process].rounds
            found.append(Compared(process, simulation.forecast(walked[process]), simulation.forecast(again), is_same))
        posts = sorted({post for lap in (*queued, *requeued) for post in lap} | {*team.posts(), *asked.posts()})
        return tuple(found), tuple(PostCompared(post, self._load(team, post, queued), self._load(asked, post, requeued)) for post in posts)

    def _walk(self, definitions: Definitions, process: str, longer: simulation.Longer | None = None) -> Walks:
        return simulation.walk(definitions, process, self.seen, f"masar {process}", LANES, longer)

    def _shorten(self, walked: Mapping[str, Walks]) -> None:
        """A lap of fewer days, where so many tasks come in it that one would wait for the figures; a month at least."""
        a_day = sum(one.cases_a_month / _MONTH * sum(len(case.turns) for cases in one.rounds for case in cases) / sum(map(len, one.rounds)) for one in walked.values())
        days = min(self.days, max(_MOST_WORKS / a_day, _MONTH)) if a_day else self.days
        self.days, self.hours = days, self.hours * days / self.days

    def _queues(self, definitions: Definitions, team: Team, walked: Mapping[str, Walks]) -> list[dict[Post, Queue]]:
        """Round by round. Cases begin at any time; a task comes when its case comes to it, be that in a later lap: a lap is a circle, so that it holds late tasks too."""
        held_by = {task.node: task.role for task in definitions.tasks}
        rounds = max((len(one.rounds) for one in walked.values()), default=0)
        return [queues.run(team, [work for walks in walked.values() for work in self._works(walks, number, team, held_by)], self.hours) for number in range(rounds)]

    def _works(self, walks: Walks, number: int, team: Team, held_by: Mapping[str, str]) -> list[Work]:
        rng = random.Random(f"masar queue {walks.process} {number}")
        cases, seen = walks.rounds[number], walks.drawn[number].works
        usual, found = teams.usual({node: list(hours) for node, hours in seen.items()}, held_by), []
        for place in range(_poisson(rng, walks.cases_a_month * self.days / _MONTH)):
            case, begun = cases[rng.randrange(len(cases))], rng.random() * self.days
            for order, turn in enumerate(case.turns):
                if not turn.role:
                    continue
                luck, known = simulation.chance(f"{walks.process} {number} {place} {turn.node} {order}"), seen.get(turn.node)
                hours = known[int(luck * len(known))] if known else usual.get(turn.role, teams.USUAL)
                found.append(Work((begun + turn.at) % self.days / self.days * self.hours, teams.post_of(team, turn.agency, turn.role, case.branch), hours))
        return found

    def _longer(self, team: Team, asked: Team, queued: Sequence[Mapping[Post, Queue]], requeued: Sequence[Mapping[Post, Queue]]) -> simulation.Longer:
        """A task waits longer by what the queue is longer for one as lucky. Where nobody is now or then, nothing is said."""
        in_days = self.days / self.hours if self.hours else 0.0

        def longer(number: int, branch: str, turn: Turn, luck: float) -> float:
            before, after = (lap.get(teams.post_of(of, turn.agency, turn.role, branch)) for of, lap in ((team, queued[number]), (asked, requeued[number])))
            if before is None or after is None or not before.waits or not after.waits:
                return 0.0
            return (simulation.quantile(after.waits, luck) - simulation.quantile(before.waits, luck)) * in_days

        return longer

    def _load(self, team: Team, post: Post, laps: Sequence[Mapping[Post, Queue]]) -> Load:
        found = [lap.get(post, queues.NOTHING) for lap in laps]
        months = self.days / _MONTH
        return Load(team.holders(post), middle([(len(one.waits) + one.nobody) / months for one in found]), middle([one.hours / months for one in found]),
                    middle([one.busy for one in found]), middle([sum(one.waits) / len(one.waits) if one.waits else 0.0 for one in found]))  # fmt: skip


def _poisson(rng: random.Random, mean: float) -> int:
    """How many come, where so many come on average."""
    if mean > 60:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    number, left = 0, rng.random()
    limit = math.exp(-mean)
    while left > limit:
        number, left = number + 1, left * rng.random()
    return number


def observed(session: Session, calendar: Calendar) -> tuple[Observed, str]:
    """How the latest cases went, and a name for it: the same where nothing happened since."""
    cases = session.execute(_LATEST, {"most": MOST_CASES}).all()
    by_id = {one.instance_id: one for one in cases}
    parts, acts, last, lines = [], list[teams.Act](), "", 0
    for instance_id, rows in groupby(session.execute(_LINES, {"ids": list(by_id)}), key=lambda row: row.instance_id):
        case = by_id[instance_id]
        shown = _Shown(editions.load(session, case.edition_id).definitions)
        for row in rows:
            shown.read(row)
            last, lines = max(last, row.at), lines + 1
        acts += shown.acts
        parts.append(shown.part(is_over=case.status != "open"))
    works = {node: sorted(hours) for node, hours in sorted(teams.worked([act for act in acts if act.who], calendar).items())}
    found = Observed(begun=_begun(cases, clock.now(session)), cases=len(cases), works=works, branches=teams.begun_at((one.process, one.branch) for one in cases), parts=parts)
    return found.pooled(parts), f"{len(cases)} {lines} {last}"


class _Shown:
    """What the lines of one case show."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.acts: list[teams.Act] = []
        self.lasted: list[tuple[str, float]] = []
        self.went: list[tuple[str, tuple[str, ...], bool]] = []
        self.met: Counter[str] = Counter()
        self.open_since: dict[str, tuple[str, dt.datetime]] = {}
        self.in_hand: dict[str, tuple[str, dt.datetime]] = {}
        self.messages: dict[str, list[tuple[str, dt.datetime]]] = {}

    def read(self, row: Any) -> None:
        """One line more."""
        at, body = dt.datetime.fromisoformat(row.at), row.body
        if row.kind in ("task.claimed", "task.released", "task.passed"):
            self.in_hand.pop(body["task"], None)
            if row.kind == "task.claimed":
                self.in_hand[body["task"]] = (row.who, at)
            self.acts.append(teams.Act(row.who, at))
            return
        for key, outcome in body.get("closed", ()):
            opened = self.open_since.pop(key, None)
            if opened is not None and outcome == "completed":
                self.lasted.append((opened[0], (at - opened[1]) / _DAY))
                holder, since = self.in_hand.pop(key, ("", opened[1]))
                self.acts.append(teams.Act(row.who, at, opened[0], since if holder == row.who else opened[1], holder == row.who))
        if row.kind == "timer.fired" and (opened := self.open_since.pop(body["wait"], None)) is not None:
            self.lasted.append((opened[0], (at - opened[1]) / _DAY))
        if row.kind == "message.received" and (heard := self.messages.get(body["message"])):
            node, since = heard.pop(0)
            self.lasted.append((node, (at - since) / _DAY))
        for key, node in body.get("opened", ()):
            self.open_since[key] = (node, at)
            self.met[node] += 1
        for key, node, kind, name, _ in body.get("waits", ()):
            self.met[node] += 1
            if kind == "message":
                self.messages.setdefault(name, []).append((node, at))
            else:
                self.open_since[key] = (node, at)
        for node, flows in body.get("branches", ()):
            self.went.append((node, tuple(sorted(self.definitions.target_of(flow) for flow in flows)), bool(self.met[node])))
            self.met[node] += 1

    def part(self, *, is_over: bool) -> simulation.Part:
        """All of it. What is done one after another is only counted once the case is over: more of it may come."""
        entered = Counter(target for _, way, _ in self.went for target in way)
        turns: list[tuple[str, int]] = []
        for one in _turning.get(self.definitions.digest, lambda: simulation.turning(self.definitions)):
            times = max((self.met[node] for node in one.counted), default=0)
            visits = entered[one.node] or sum(entered[call] for call in one.called_by)
            if (times or visits) and (one.is_parallel or is_over):
                turns += [(one.node, round(times / (visits or 1)))] * (visits or 1)
        return simulation.Part(tuple(self.lasted), tuple(self.went), tuple(turns))


def _begun(cases: Any, now: dt.datetime) -> dict[str, float]:
    """Cases of each process begun a month, over the time that these cover."""
    counted = Counter(one.process for one in cases)
    first = min((one.opened_at for one in cases), default=now)
    months = max((now - first) / _DAY / _MONTH, 1.0)
    return {process: number / months for process, number in counted.items()}


def _drawn(definitions: Definitions, process: str) -> dict[str, bytes]:
    """The diagrams that a process and those that it calls are drawn on."""
    found: dict[str, bytes] = {}
    left = [process]
    while left:
        one = left.pop()
        if one in found or one not in definitions.processes:
            continue
        found[one] = definitions.diagram(one)
        left += [call.called for call in definitions.calls() if call.scope_spec.process == one]
    return found
