"""Who has the ball: whose hands a case is in, and what it stands still for, as the first line of its page says it."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from engine.casework import pieces
from engine.casework.views import KnownFact, Waiting
from web import sentences
from web.formatting import Words


@dataclass(frozen=True)
class Pause:
    """What nobody can do but wait for. `kind`: `person`, `message` or `date`; `what` names every way out of one pause."""

    kind: str
    what: str
    since: dt.datetime
    until: dt.datetime | None


@dataclass(frozen=True)
class Ball:
    """`hands`, the most pressing first; `first`, the pauses that the first line tells; `others`, the rest; `next`: the nearest date, where those do not tell it."""

    hands: tuple[Waiting, ...]
    first: tuple[Pause, ...]
    others: tuple[Pause, ...]
    next: Pause | None


def ball(waiting: Iterable[Waiting], words: Words, known: Iterable[KnownFact] = ()) -> Ball:
    """What is waited for, gathered: the events that one pause can end with (granted, refused) are one wait. `known`: of the case, which names the papers that are awaited and
    the day given for them, to whoever may read it."""
    said = {(fact.subject, fact.field): fact.value for fact in known if fact.field in (pieces.MISSING, pieces.GIVEN)}
    waiting = tuple(waiting)
    hands = tuple(found for found in waiting if found.kind == "task")
    together: dict[tuple[str, dt.datetime, dt.datetime | None], list[str]] = {}
    for found in waiting:
        if found.kind != "task":
            names = together.setdefault((found.awaits, found.since, found.until), [])
            about = f"aide:{found.correlation}"
            if (name := sentences.awaited(words, found.message, found.name, found.node, said.get((about, pieces.MISSING), ""), said.get((about, pieces.GIVEN), ""), found.agency)) not in names:
                names.append(name)
    pauses = tuple(Pause(kind, " / ".join(names), since, until) for (kind, since, until), names in together.items())
    first = tuple(one for one in pauses if one.kind == "person") or (() if hands else pauses[:1])
    dated = [Pause("task", hand.name, hand.since, hand.until) for hand in hands] + list(pauses)
    soonest = min((one for one in dated if one.until), key=lambda one: one.until, default=None)
    is_told = soonest is None or soonest.until in (hands[0].until if hands else None, *(one.until for one in first))
    return Ball(hands, first, tuple(one for one in pauses if one not in first), None if is_told else soonest)
