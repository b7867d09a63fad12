"""Queues: how long tasks wait for somebody to be free, given who there is, what comes and how long each takes. Pure: in, out, no luck.

Time is open hours, those of branches: nights, holidays and short days are not there. A person takes what waits longest among her own. Not here: what comes (`simulations`).
"""

import heapq
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Post(NamedTuple):
    """Where a task waits: a branch, an agency, a role."""

    branch: str
    agency: str
    role: str


class Profile(NamedTuple):
    """Colleagues who may stand for one another: a branch, an agency, the roles held."""

    branch: str
    agency: str
    roles: frozenset[str]

    def holds(self, post: Post) -> bool:
        return (self.branch, self.agency) == (post.branch, post.agency) and post.role in self.roles


class Work(NamedTuple):
    """A task that comes: at which open hour, where, how many hours it takes."""

    at: float
    post: Post
    hours: float


@dataclass(frozen=True)
class Team:
    """How many there are of each profile."""

    people: Mapping[Profile, int]

    def holders(self, post: Post) -> int:
        return sum(number for profile, number in self.people.items() if profile.holds(post))

    def posts(self) -> list[Post]:
        return sorted({Post(one.branch, one.agency, role) for one, number in self.people.items() if number for role in one.roles})

    def with_holders(self, post: Post, number: int) -> "Team":
        """So many holders of a role: more hold it alone; of fewer, those go first who hold the fewest others."""
        people = dict(self.people)
        more = number - self.holders(post)
        if more > 0:
            alone = Profile(post.branch, post.agency, frozenset({post.role}))
            people[alone] = people.get(alone, 0) + more
        for profile in sorted((one for one in people if one.holds(post)), key=lambda one: (len(one.roles), sorted(one.roles))):
            gone = min(people[profile], max(-more, 0))
            people[profile] -= gone
            more += gone
        return Team({profile: number for profile, number in people.items() if number})


@dataclass(frozen=True)
class Queue:
    """What a lap showed at a post. `waits`: open hours that each task waited, least first; `busy`: part of its holders' time that tasks took (0..1),
    those of their other roles too; `hours`: hours of work that came; `nobody`: tasks for which nobody is there."""

    waits: tuple[float, ...]
    busy: float
    hours: float
    nobody: int


NOTHING = Queue((), 0.0, 0.0, 0)


def run(team: Team, works: Iterable[Work], length: float) -> dict[Post, Queue]:
    """What comes in `length` open hours, twice over: the first lap makes the queues, the second is looked at. What still waits then is done after."""
    coming = sorted(works)
    own = [profile for profile, number in sorted(team.people.items(), key=lambda one: (one[0].branch, one[0].agency, len(one[0].roles), sorted(one[0].roles))) for _ in range(number)]
    able = {post: [place for place, profile in enumerate(own) if profile.holds(post)] for post in {one.post for one in coming}}
    mine: list[list[Post]] = [[post for post in able if place in able[post]] for place in range(len(own))]
    waiting: dict[Post, deque[tuple[float, float, bool]]] = defaultdict(deque)
    idle, busy = [True] * len(own), [0.0] * len(own)
    waits: dict[Post, list[float]] = {post: [] for post in able}
    ends: list[tuple[float, int]] = []

    def begin(place: int, post: Post, now: float, came: float, hours: float, is_looked_at: bool) -> None:
        idle[place] = False
        if is_looked_at:
            waits[post].append(now - came)
        busy[place] += max(0.0, min(now + hours, 2 * length) - max(now, length))
        heapq.heappush(ends, (now + hours, place))

    def free(until: float) -> None:
        """Whoever ends before an instant takes what waits longest of hers."""
        while ends and ends[0][0] <= until:
            now, place = heapq.heappop(ends)
            idle[place] = True
            post = min((one for one in mine[place] if waiting[one]), key=lambda one: waiting[one][0][0], default=None)
            if post is not None:
                begin(place, post, now, *waiting[post].popleft())

    for lap in (0, 1):
        for at, post, hours in coming:
            now = at + lap * length
            free(now)
            place = next((one for one in able[post] if idle[one]), None)
            if place is not None:
                begin(place, post, now, now, hours, bool(lap))
            elif able[post]:
                waiting[post].append((now, hours, bool(lap)))
    free(float("inf"))
    came: dict[Post, list[float]] = defaultdict(list)
    for one in coming:
        came[one.post].append(one.hours)
    return {post: Queue(tuple(sorted(waits[post])), sum(busy[one] for one in able[post]) / (length * len(able[post])) if able[post] else 0.0, sum(came[post]),
                        0 if able[post] else len(came[post])) for post in sorted(able)}  # fmt: skip
