"""A case's own history, as its ledger keeps it: each stimulus with what it was told, ready to be played again (`pathway.replay`) on its edition or another.

Reads what lines sealed: for the engine's use under a system actor or a verb that shows none of it. Not here: what a replay means (rehearsal, moves).
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.casework import editions
from engine.casework.instances import Held, find
from engine.database import named
from engine.dossier import facts, programmes
from engine.ledger import access
from engine.pathway import recorded, replay
from engine.pathway.replay import Said

_LINES = text("""SELECT l.seq, l.line, s.person_id, s.ciphertext FROM ledger_line l LEFT JOIN ledger_sealed s USING (instance_id, seq)
                  WHERE l.instance_id = :id ORDER BY l.seq""")
_COLUMNS = "subject field value status class author_agency source author_name author_id recorded_at valid_until fact_id instance_id seq"
_FACTS = named(f"SELECT {_COLUMNS.replace(' ', ', ')} FROM masar_fact_history(:root, :person, :subjects, :fields)", _COLUMNS)
MOVES = ("case.moved", "case.moved_back")  # lines that say where the case stands from then on
_EDITIONS = text("SELECT number, edition_id FROM edition")


@dataclass(frozen=True)
class History:
    """What moved an instance, from its opening. `is_whole`: every line could be opened; false where a key was erased or a line does not say enough."""

    held: Held
    said: tuple[Said, ...]
    is_whole: bool


def history(session: Session, instance_id: UUID, *, on: editions.Edition | None = None) -> History:
    """The history of a case, a dossier, a sitting or a signal. `on`: an edition it is to be played on, whose conditions may read more: each step then carries
    all that was known at that moment of what that edition reads.

    Refuses: `case.not_found` (NotFound).
    """
    held = find(session, instance_id)
    if held is None:
        raise errors.NotFound("case.not_found")
    numbers = {row.number: row.edition_id for row in session.execute(_EDITIONS)}
    known = _Known(session, held, on) if on else None
    said: list[Said] = []
    for row in session.execute(_LINES, {"id": instance_id}).all():
        line = json.loads(row.line)
        is_move = line["kind"] in MOVES
        if "inputs" not in line["sealed"] and not is_move:
            continue
        opened = access.open_line(session, instance_id, row.seq, row.person_id, row.ciphertext) if row.ciphertext else {}
        at = dt.datetime.fromisoformat(line["occurred_at"])
        definitions = editions.load(session, numbers[line["edition"]]).definitions
        if is_move:
            if "after" not in opened:
                return History(held, tuple(said), False)
            said.append(Said(row.seq, line["kind"], definitions, state=access.bytes_of(opened["after"])))
            continue
        if "inputs" not in opened:
            return History(held, tuple(said), False)
        inputs = opened["inputs"]
        stimulus = recorded.read_stimulus(inputs, at, row.seq, programmes.recall(session, inputs["dated"]))
        said.append(Said(row.seq, line["kind"], definitions, stimulus, facts=known.at(row.seq, at) if known else {}))
    return History(held, tuple(said), True)


def is_exact(found: History) -> bool:
    """Whether the history, played again on the editions it had, gives the very state that is stored."""
    state = b""
    try:
        for _, step in replay.again(found.held.process, found.said):
            state = step.state
    except errors.Refusal:  # a line that its own edition refuses
        return False
    return found.is_whole and state == found.held.state


class _Known:
    """What was known of a case at each of its lines, by the rows of `fact`: what was replaced since is among them, what was erased is not."""

    def __init__(self, session: Session, held: Held, edition: editions.Edition) -> None:
        self.held, self.edition = held, edition
        self.now: dict[tuple[str, str], facts.Fact] = {}
        asked = {"root": held.root_id, "person": held.person_id, "subjects": held.subjects.keys(), "fields": " ".join(edition.reads)}
        self.later = [(facts.Fact(*row[:12]), row.instance_id, row.seq) for row in session.execute(_FACTS, asked)]

    def at(self, seq: int, at: dt.datetime) -> Mapping[str, Mapping[str, Any]]:
        """The facts at a line, as a diagram reads them; those said in it too. To be asked line after line."""
        held, edition = self.held, self.edition
        waiting = []
        for one, instance_id, line in self.later:
            if line <= seq if instance_id == held.instance_id else one.recorded_at <= at:
                self.now[(one.subject, one.field)] = one
            else:
                waiting.append((one, instance_id, line))
        self.later = waiting
        tree = facts.tree(edition.counting(self.now.values(), at), held.subjects, edition.to_feel, edition.lists)
        edition.add_of_the_day(tree, clock.today(at))
        tree["case"]["dossier"] = {"numero": held.number, "antenne": held.branch, "ouvert_le": clock.today(held.opened_at), "partage": held.is_shared}
        return tree
