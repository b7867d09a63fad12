"""Whether what is said of why is true: every why-record evaluated anew gives the branch it says, and its smallest change gives another. A command asks it of all cases.

Each record is the ledger's own, what its node saw comes of the same history played again; a change is applied here once more, by itself, before it is believed.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.casework import editions, replays
from engine.ledger import access
from engine.pathway import replay, why

_ALL = text("SELECT instance_id, coalesce(number, process) AS about FROM instance WHERE state <> '' ORDER BY opened_at, instance_id")
_WHY = text("""SELECT l.seq, s.person_id, s.ciphertext, (l.line::jsonb ->> 'edition')::integer AS edition FROM ledger_line l JOIN ledger_sealed s USING (instance_id, seq)
                WHERE l.instance_id = :id AND l.line::jsonb -> 'sealed' ? 'why' ORDER BY l.seq""")
_EDITIONS = text("SELECT number, edition_id FROM edition")

_SENTENCES = {
    "why.number": "There are not as many why-records as turns",
    "why.other": "A why-record evaluated anew says otherwise",
    "why.change": "A smallest change does not lead elsewhere",
    "why.replay": "The history cannot be played again",
    "why.left": "A why-record belongs to no step",
}


@dataclass
class Proof:
    """`records`: why-records by kind, `free` those without a condition; `same` evaluated to what they say; `one`, `two`: those whose smallest change is so long and leads
    elsewhere; `none`: those for which there is none; `unread`: cases whose key is gone; `faults`: what does not hold, with its place."""

    cases: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, str, int, str]] = field(default_factory=list)
    none: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return {"cases": self.cases, "counts": dict(self.counts), "without_change": dict(self.none), "faults": [list(one) for one in self.faults]}

    def lines(self) -> Iterator[str]:
        """What was found, for somebody at a terminal."""
        told = self.counts
        yield f"{self.cases:,} cases and dossiers, {told['turned'] + told['decided']:,} why-records ({told['turned']:,} gateways, {told['decided']:,} decisions); {told['same']:,} evaluate to what they say."
        if told["one"] + told["two"] + told["none"]:
            yield f"Smallest change: one value {told['one']:,}, two values {told['two']:,}, none within two {told['none']:,}."
        yield from (f"  none within two values at {node}: {number:,}" for node, number in self.none.most_common())
        if told["unread"]:
            yield f"{told['unread']:,} could not be read: their keys are gone."
        yield from (f"FAULT  {_SENTENCES[code]}: {about}, line {seq} {detail}" for code, about, seq, detail in self.faults)
        yield "All hold." if not self.faults else f"{len(self.faults)} faults."


def prove(session: Session, *, changes: bool = True, only: frozenset[UUID] | None = None) -> Proof:
    """Looks at every instance the reader reaches (`only`: at these). `changes`: the smallest changes too, which takes the longer."""
    proof = Proof()
    for row in session.execute(_ALL).all():
        if only is None or row.instance_id in only:
            proof.cases += 1
            for code, seq, detail in _of(session, row.instance_id, proof, changes):
                proof.faults.append((code, str(row.about), seq, detail))
    return proof


def _of(session: Session, instance_id: UUID, proof: Proof, changes: bool) -> Iterator[tuple[str, int, str]]:
    found = replays.history(session, instance_id)
    if not found.is_whole:
        proof.counts["unread"] += 1
        return
    rows = {row.seq: row for row in session.execute(_WHY, {"id": instance_id}).all()}
    numbers = {row.number: row.edition_id for row in session.execute(_EDITIONS)}
    try:
        for said, step in replay.again(found.held.process, found.said):
            row = rows.pop(said.seq, None)
            stored = [one for one in records(session, instance_id, row) if not is_free(one)] if row else []
            if len(stored) != len(step.reasons):
                yield "why.number", said.seq, f"{len(stored)} / {len(step.reasons)}"
                continue
            dictionary = editions.load(session, numbers[row.edition]).dictionary if row else None
            for record, reason in zip(stored, step.reasons, strict=True):
                if problem := _one(said.definitions, dictionary, record, reason, proof, changes):
                    yield problem, said.seq, record["node"]
    except errors.Refusal as refused:
        yield "why.replay", 0, refused.code
    for seq, row in rows.items():
        if not all(is_free(one) for one in records(session, instance_id, row)):
            yield "why.left", seq, ""


def records(session: Session, instance_id: UUID, row: Any) -> list[Any]:
    """The why-records of a line."""
    return access.open_line(session, instance_id, row.seq, row.person_id, row.ciphertext).get("why", [])


def is_free(record: Any) -> bool:
    """A branch that weighed nothing."""
    return "decision" not in record and all(one.get("flow") is None for one in record["why"])


def _one(definitions: Any, dictionary: Any, record: Any, reason: why.Reason, proof: Proof, changes: bool) -> str:
    """What does not hold of a record; "" where all does."""
    proof.counts["decided" if "decision" in record else "turned"] += 1
    if not why.is_same(definitions, reason, record):
        return "why.other"
    proof.counts["same"] += 1
    if not changes:
        return ""
    away = why.elsewhere(definitions, dictionary, reason)
    if away is None:
        proof.counts["none"] += 1
        proof.none[record["node"]] += 1
    elif not why.leads_elsewhere(definitions, reason, away):
        return "why.change"
    else:
        proof.counts[("one", "two")[len(away.changes) - 1]] += 1
    return ""
