"""Samples that anybody draws again: a published seed, a written rule, and the population it was drawn from.

The rule: of each case of the population, SHA-256 of the seed followed by the case's id as text (UTF-8); the smallest first. The database draws again before it keeps.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors, identity
from engine.actors import authority
from engine.casework import staff
from engine.ledger import journal

MOST = 1_000
LARGEST = 100_000  # cases of a population
_POPULATION = text("""SELECT instance_id FROM instance WHERE root_id = instance_id AND process = :process AND (:branch = '' OR branch = :branch)
    AND (CAST(:opened_from AS date) IS NULL OR opened_at >= :opened_from) AND (CAST(:opened_to AS date) IS NULL OR opened_at < CAST(:opened_to AS date) + 1)
    ORDER BY instance_id LIMIT :most""")
_ADD = text("""INSERT INTO audit_sample (sample_id, seed, size, process, branch, opened_from, opened_to, population, drawn, drawn_by)
    VALUES (:id, :seed, :size, :process, :branch, :opened_from, :opened_to, :population, :drawn, :me)""")
_LIST = text("""SELECT s.sample_id, s.seed, s.size, s.process, s.branch, s.opened_from, s.opened_to, cardinality(s.population) AS population, s.drawn_by, s.drawn_at
    FROM audit_sample s ORDER BY s.drawn_at DESC LIMIT 100""")
_ONE = text("SELECT * FROM audit_sample WHERE sample_id = :id")
_NUMBERS = text("SELECT instance_id, number, branch, status FROM instance WHERE instance_id = ANY (:ids)")


@dataclass(frozen=True)
class Sample:
    """A sample: what it is of (`process`, `branch` "" for all, days of opening), its `seed`, how many were asked and how many there are."""

    sample_id: UUID
    seed: str
    size: int
    process: str
    branch: str
    opened_from: dt.date | None
    opened_to: dt.date | None
    population: int
    drawn_by: str
    drawn_at: dt.datetime


@dataclass(frozen=True)
class Drawn:
    """One case of a sample, with the digest that put it in its place."""

    case_id: UUID
    case_number: str
    branch: str
    status: str
    digest: str


@dataclass(frozen=True)
class Whole:
    """A sample with its cases in the order drawn; `ids` is the population, in order."""

    sample: Sample
    drawn: tuple[Drawn, ...]
    ids: tuple[UUID, ...]


def digest(seed: str, case_id: UUID) -> str:
    """What orders a population: SHA-256 of the seed followed by the id, in hexadecimal."""
    return hashlib.sha256(f"{seed}{case_id}".encode()).hexdigest()


def draw(seed: str, population: Iterable[UUID], size: int) -> list[UUID]:
    """The sample: the first `size` of a population in the order of `digest`."""
    return sorted(population, key=lambda one: (digest(seed, one), str(one)))[:size]


def make(session: Session, actor: Any, process: str, branch: str, opened_from: dt.date | None, opened_to: dt.date | None, size: int, seed: str = "") -> UUID:
    """Draws a sample of the cases that the actor reaches and keeps it. Without a seed one is made.

    Refuses: Forbidden, `sample.size` (1 to `MOST`), `sample.seed` (at most 100 characters), `sample.empty`, `sample.too_large`. Records: `sample.drawn` in the journal.
    """
    authority.require(actor, "audit.sample")
    seed = seed.strip() or secrets.token_hex(8)
    if not 1 <= size <= MOST:
        raise errors.Invalid("sample.size", most=MOST)
    if len(seed) > 100 or "\0" in seed:
        raise errors.Invalid("sample.seed", longest=100)
    asked = {"process": process, "branch": branch, "opened_from": opened_from, "opened_to": opened_to}
    population = list(session.execute(_POPULATION, asked | {"most": LARGEST + 1}).scalars())
    if not population:
        raise errors.Invalid("sample.empty")
    if len(population) > LARGEST:
        raise errors.Invalid("sample.too_large", most=LARGEST)
    sample_id = identity.new_id()
    body = {name: str(value or "") for name, value in asked.items()} | {"seed": seed, "size": size, "population": len(population), "sha256": digest("", _whole(population))}
    journal.append(session, actor, "sample.drawn", f"sample:{sample_id}", body, {})
    session.execute(_ADD, asked | {"id": sample_id, "seed": seed, "size": size, "population": population, "drawn": draw(seed, population, size), "me": actor.user_id})
    return sample_id


def listed(session: Session, actor: Any) -> tuple[Sample, ...]:
    """The samples that were drawn, the newest first. Refuses: Forbidden."""
    authority.require(actor, "audit.sample")
    rows = session.execute(_LIST).all()
    names = staff.names(session, actor.language, (row.drawn_by for row in rows))
    return tuple(_sample(row, row.population, names) for row in rows)


def show(session: Session, actor: Any, sample_id: UUID) -> Whole:
    """One sample. Refuses: Forbidden, `sample.not_found`."""
    authority.require(actor, "audit.sample")
    row = session.execute(_ONE, {"id": sample_id}).one_or_none()
    if row is None:
        raise errors.NotFound("sample.not_found")
    cases = {one.instance_id: one for one in session.execute(_NUMBERS, {"ids": list(row.drawn)})}
    drawn = tuple(Drawn(one, cases[one].number or "", cases[one].branch, cases[one].status, digest(row.seed, one)) for one in row.drawn if one in cases)
    return Whole(_sample(row, len(row.population), staff.names(session, actor.language, [row.drawn_by])), drawn, tuple(row.population))


def _whole(population: list[UUID]) -> Any:
    """The population as one text, a case a line, for its digest in the journal."""
    return "\n".join(str(one) for one in population)


def _sample(row: Any, population: int, names: Any) -> Sample:
    return Sample(row.sample_id, row.seed, row.size, row.process, row.branch, row.opened_from, row.opened_to, population, names.get(str(row.drawn_by), ""), row.drawn_at)
