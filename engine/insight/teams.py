"""Teams: how many colleagues hold which roles where, how long they are there, and how long the work took them, as far as the ledger shows it. No colleague is named.

Work is never clocked. What is measured is an upper bound: a task's work began at the earliest when its doer took it in hand, or did what she did before it that day.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from engine import clock
from engine.actors import authority
from engine.actors.agencies import PARTNERS
from engine.insight.queues import Post, Profile, Team
from engine.workdays import Calendar

LONGEST = 4.0  # hours at one go: half a day
USUAL = 0.5  # hours a task takes where nothing like it was measured
_SHORTEST = dt.timedelta(minutes=1)  # two acts of the same minute are one
_PEOPLE = text("SELECT branch, agency, roles, count(*) AS number FROM user_account WHERE is_active AND roles <> '{}' GROUP BY branch, agency, roles")


class Act(NamedTuple):
    """What a colleague did. `node`: the task that she did, open (or in her hands) `since`; "" for what is no task."""

    who: str
    at: dt.datetime
    node: str = ""
    since: dt.datetime | None = None
    is_in_hand: bool = False


def present(session: Session) -> Team:
    """Everybody with an account that is open."""
    return Team({Profile(row.branch, row.agency, frozenset(row.roles)): row.number for row in session.execute(_PEOPLE)})


def post_of(team: Team, agency: str, role: str, case_branch: str) -> Post:
    """Where a task of a case of a branch waits. A partner's is the case owner's where no partner is there."""
    post = Post(authority.branch_of_task(role, case_branch), agency, role)
    instead = authority.stands_in_for({"agency": agency, "role": role}) if agency == PARTNERS and not team.holders(post) else ""
    return Post(case_branch, "OTE", instead) if instead else post


def worked(acts: Iterable[Act], calendar: Calendar) -> dict[str, list[float]]:
    """Element → hours of each task whose work can be told: from when it was taken in hand, or from the doer's act before it of the same day, to when it was done."""
    by_person: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        by_person[act.who].append(act)
    found: dict[str, list[float]] = defaultdict(list)
    for own in by_person.values():
        before: dt.datetime | None = None
        for act in sorted(own, key=lambda one: one.at):
            began = act.since if act.is_in_hand else None
            if before is not None and clock.today(before) == clock.today(act.at):
                began = max(before, act.since or before)
            if act.node and began is not None and act.at - began >= _SHORTEST:
                hours = calendar.open_time(max(began, act.at - dt.timedelta(days=10)), act.at) / dt.timedelta(hours=1)
                if hours:
                    found[act.node].append(min(hours, LONGEST))
            before = act.at
    return found


def open_hours(calendar: Calendar, now: dt.datetime, days: int) -> float:
    """How many hours branches are open in so many days from now: holidays and short days of those very days are counted."""
    first = clock.today(now)
    return sum((calendar.hours_of(day) / dt.timedelta(hours=1) for day in (first + dt.timedelta(days=number) for number in range(1, days + 1)) if calendar.is_open(day)), 0.0)


def usual(works: Mapping[str, list[float]], roles: Mapping[str, str]) -> dict[str, float]:
    """Role → hours that its tasks took on average. `roles`: role by element."""
    hours: dict[str, list[float]] = defaultdict(list)
    for node, found in works.items():
        hours[roles.get(node, "")] += found
    return {role: sum(found) / len(found) for role, found in hours.items() if found}


def begun_at(cases: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Process → branch → cases begun there."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for process, branch in cases:
        found[process][branch] += 1
    return {process: dict(branches) for process, branches in found.items()}
