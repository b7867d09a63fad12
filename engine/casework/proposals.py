"""What a draft would do, as whoever decides on it reads it: what changes, in sentences and on the diagrams, and what the pathway would cost those who walk it.

Sentences and figures are `comparisons`'; here it is said against which edition, and the same two contents are compared once. Who decides is `publication`'s.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.casework import comparisons, drafts, editions
from engine.casework.comparisons import BurdenLine, Marks, Told
from engine.casework.kept import Kept

_REPLACED = text("""SELECT s.edition_id FROM edition_start s, edition_start own WHERE own.draft_id = :id AND (s.starts_at, s.start_id) < (own.starts_at, own.start_id)
                     ORDER BY s.starts_at DESC, s.start_id DESC LIMIT 1""")
_compared = Kept[tuple[Any, ...]](32)
_told = Kept[tuple[Told, ...]](64)
_measured = Kept[tuple[BurdenLine, ...] | None](64)


@dataclass(frozen=True)
class Proposal:
    """A draft against an edition. `burden`: None where the draft cannot be read whole, which its findings explain."""

    edition_number: int
    changes: tuple[Told, ...]
    marks: Marks
    burden: tuple[BurdenLine, ...] | None

    @property
    def rises(self) -> tuple[BurdenLine, ...]:
        """What would be asked of people more than now."""
        return tuple(one for one in self.burden or () if one.is_rise)


def read(session: Session, actor: Any, whole: drafts.Whole) -> Proposal:
    """A draft as it is, for whoever may read it (`drafts.show`)."""
    old = against(session, whole)
    pair = _pair(old.files, whole.files)
    new = editions.Edition(whole.draft.draft_id, 0, whole.files)
    found = _compared.get(pair, lambda: comparisons.differences(old, new))
    changes = _told.get((*pair, actor.language), lambda: comparisons.in_words(found, old, new, actor.language))
    return Proposal(old.number, changes, comparisons.marks(found), _burden(old, new, actor.language))


def rises(session: Session, actor: Any, whole: drafts.Whole, at: dt.datetime) -> tuple[BurdenLine, ...]:
    """What a draft that begins at an instant would ask more of people than the edition then in force does."""
    followed = editions.in_force_at(session, at)
    if followed is None:
        return ()
    new = editions.Edition(whole.draft.draft_id, 0, whole.files)
    return tuple(one for one in _burden(editions.load(session, followed), new, actor.language) or () if one.is_rise)


def against(session: Session, whole: drafts.Whole) -> editions.Edition:
    """The edition that the draft would replace, or did; where it is given up or overtaken by another, the one it was forked from."""
    draft, now = whole.draft, clock.now(session)
    if draft.state == "published":
        found = session.execute(_REPLACED, {"id": draft.draft_id}).scalar()
    elif draft.state == "dropped" or draft.is_behind:
        found = None
    else:
        found = editions.in_force_at(session, max(now, draft.starts_at or now))
    return editions.load(session, found or draft.base_id)


def _burden(old: editions.Edition, new: editions.Edition, language: str) -> tuple[BurdenLine, ...] | None:
    def measure() -> tuple[BurdenLine, ...] | None:
        try:
            return comparisons.burden(old, new, language)
        except errors.Invalid:
            return None

    try:
        editions.require_light(new.files, old.files)
    except errors.Invalid:
        return None
    return _measured.get((*_pair(old.files, new.files), language), measure)


def _pair(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> tuple[str, str]:
    return editions.digest_of(editions.hashes_of(old)), editions.digest_of(editions.hashes_of(new))
