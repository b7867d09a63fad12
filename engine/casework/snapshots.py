"""Instants kept at intervals, so that any instant of a history of thousands of lines is a few steps away: derived from the ledger, made by a job, never on a person's way.

What is kept is taken only where the line of that instant sealed that very state; the rest of it is as good as its own seal. What is missing, or is not borne out, is
unfolded from an earlier one.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlmodel import Session

from engine.casework.instants import Instant, Teller, Told
from engine.ledger import access, sealing
from engine.workdays import Calendar

EVERY = 16  # lines, as the trigger `replay_due` counts them
_AT_ONCE = 2_000  # lines in one unit of work
_DUE = text("SELECT instance_id FROM replay_due WHERE instance_id::text <> ALL (CAST(:but AS text[])) LIMIT :limit")
_SEEN_TO = text("DELETE FROM replay_due WHERE instance_id = :id")
_NEAREST = text("SELECT seq, person_id, ciphertext FROM masar_instants_before(:id, :upto)")
_KEEP = text("""INSERT INTO replay_snapshot (instance_id, seq, marks, person_id, ciphertext)
                VALUES (:id, :seq, CAST(:marks AS jsonb), :person, :ciphertext) ON CONFLICT DO NOTHING""")
_MARKS = text("SELECT marks FROM masar_marks_between(:id, :first, :last)")
_LINE = text("""SELECT l.line, s.person_id, s.ciphertext FROM ledger_line l LEFT JOIN ledger_sealed s USING (instance_id, seq)
                 WHERE l.instance_id = :id AND l.seq = :seq""")


def due(session: Session, limit: int = 500, but: Sequence[str] = ()) -> list[tuple[str]]:
    """The histories that grew. `but`: those that somebody sees to already."""
    return [(str(one),) for one in session.execute(_DUE, {"limit": limit, "but": list(but)}).scalars()]


def keep(session: Session, instance_id: UUID) -> bool:
    """Keeps instants of one history up to its end, a bounded number at once: what is left stays due."""
    session.execute(_SEEN_TO, {"id": instance_id})
    teller = Teller(session, instance_id)
    key = session.info["keys"].find(teller.person_id or instance_id)
    if key is None:  # erased: nothing to keep, nothing to keep it under
        return False
    since = nearest(session, teller, teller.last)
    last = begun = since.seq
    marks: list[list[Any]] = []
    for now, act in teller.unfold(since):
        if now.marks:
            marks.append([now.seq, *now.marks])
        if now.seq - last >= EVERY and now.is_told and any("state" in told.promised for told in act):
            ciphertext = sealing.seal(key, instance_id, now.seq, {"instant": (b"", base64.b64encode(msgspec.json.encode(now)).decode())})
            session.execute(_KEEP, {"id": instance_id, "seq": now.seq, "marks": json.dumps(marks), "person": teller.person_id, "ciphertext": ciphertext})
            last, marks = now.seq, []
        if now.seq - begun >= _AT_ONCE:
            session.execute(text("INSERT INTO replay_due (instance_id) VALUES (:id) ON CONFLICT DO NOTHING"), {"id": instance_id})
            break
    return True


def nearest(session: Session, teller: Teller, upto: int) -> Instant:
    """The latest instant kept at or before a line that its ledger bears out; the beginning where there is none."""
    key = session.info["keys"].find(teller.person_id or teller.instance_id)
    for row in session.execute(_NEAREST, {"id": teller.instance_id, "upto": upto}).all() if key else ():
        try:
            _, kept = sealing.unseal(key, teller.instance_id, row.seq, bytes(row.ciphertext))["instant"]
        except sealing.CannotOpen:
            continue
        found = msgspec.json.decode(base64.b64decode(kept), type=Instant)
        if found.seq == row.seq and _is_borne_out(session, teller.instance_id, found):
            return found
    return Instant()


def at(session: Session, instance_id: UUID, seq: int, calendar: Calendar | None = None) -> tuple[Instant, list[Told], Teller]:
    """The instant whose act holds a line, that act, and the teller. Past the last line: the last instant."""
    teller = Teller(session, instance_id, calendar)
    seq = max(1, min(seq, teller.last))
    found: tuple[Instant, list[Told]] | None = None
    for now, act in teller.unfold(nearest(session, teller, seq - 1)):
        found = now, act
        if now.seq >= seq:
            break
    assert found is not None
    return (*found, teller)


def marks(session: Session, instance_id: UUID) -> list[tuple[int, tuple[str, ...]]]:
    """What of a history is worth a halt: line and kinds, in order. Of a long one, the kinds of so many lines together, at the first of them (`strips`)."""
    return _end(session, instance_id)[0].strip.told()


def find(session: Session, instance_id: UUID, seq: int, kind: str, *, is_back: bool = False) -> int | None:
    """The next line after `seq` (or the last one before it) whose act is worth a halt for `kind`."""
    end, since, late = _end(session, instance_id)
    for first, last in end.strip.stretches(kind, max(seq, 1), is_back=is_back):
        kept = session.execute(_MARKS, {"id": instance_id, "first": first, "last": last}).all() if first <= since else ()
        told = [one for row in kept for one in row.marks] + late
        lines = [one[0] for one in told if kind in one[1:] and first <= one[0] <= last and (one[0] < seq if is_back else one[0] > seq)]
        if lines:
            return int(max(lines) if is_back else min(lines))
    return None


def _end(session: Session, instance_id: UUID) -> tuple[Instant, int, list[list[Any]]]:
    """The last instant, the line of the latest that is kept, and the marks of what came after that one."""
    teller = Teller(session, instance_id)
    end = nearest(session, teller, teller.last)
    since, late = end.seq, []
    for end, _ in teller.unfold(end):
        if end.marks:
            late.append([end.seq, *end.marks])
    return end, since, late


def _is_borne_out(session: Session, instance_id: UUID, kept: Instant) -> bool:
    """Whether the last step of its act sealed this very state."""
    for seq in range(kept.seq, kept.first - 1, -1):
        row = session.execute(_LINE, {"id": instance_id, "seq": seq}).one_or_none()
        if row is None:
            return False
        if "state" in json.loads(row.line)["sealed"]:
            opened = access.open_line(session, instance_id, seq, row.person_id, row.ciphertext) if row.ciphertext else {}
            return opened.get("state") == hashlib.sha256(kept.state).hexdigest()
    return False
