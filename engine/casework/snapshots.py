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
_NEAREST = text("SELECT seq, person_id, ciphertext FROM replay_snapshot WHERE instance_id = :id AND seq <= :upto ORDER BY seq DESC LIMIT 3")
_KEEP = text("""INSERT INTO replay_snapshot (instance_id, seq, marks, kinds, person_id, ciphertext)
                VALUES (:id, :seq, CAST(:marks AS jsonb), :kinds, :person, :ciphertext) ON CONFLICT DO NOTHING""")
_KINDS = text("SELECT seq, kinds FROM replay_snapshot WHERE instance_id = :id ORDER BY seq")
_MARKS = text("SELECT marks FROM replay_snapshot WHERE instance_id = :id ORDER BY seq")
# What lies in a row ends at its line: the first row past a line may hold marks of before it, hence two.
_AHEAD = text("SELECT marks FROM replay_snapshot WHERE instance_id = :id AND seq > :seq AND :kind = ANY (kinds) ORDER BY seq LIMIT 2")
_BEHIND = text("""SELECT marks FROM (SELECT seq, marks FROM replay_snapshot WHERE instance_id = :id AND seq >= :seq AND :kind = ANY (kinds) ORDER BY seq LIMIT 1) here
                  UNION ALL
                  SELECT marks FROM (SELECT seq, marks FROM replay_snapshot WHERE instance_id = :id AND seq < :seq AND :kind = ANY (kinds) ORDER BY seq DESC LIMIT 1) before""")
_FINE = 1_600  # lines up to which each mark is told
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
            kinds = sorted({kind for _, *those in marks for kind in those})
            ciphertext = sealing.seal(key, instance_id, now.seq, {"instant": (b"", base64.b64encode(msgspec.json.encode(now)).decode())})
            session.execute(_KEEP, {"id": instance_id, "seq": now.seq, "marks": json.dumps(marks), "kinds": kinds, "person": teller.person_id, "ciphertext": ciphertext})
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
    """What of a history is worth a halt: line and kinds, in order. Of a long one, the kinds of so many lines together, at their last."""
    kept = session.execute(_KINDS, {"id": instance_id}).all()
    if len(kept) * EVERY <= _FINE:
        kept = [(one[0], one[1:]) for row in session.execute(_MARKS, {"id": instance_id}).all() for one in row.marks]
    return [(seq, tuple(kinds)) for seq, kinds in kept if kinds] + _after(session, instance_id)


def find(session: Session, instance_id: UUID, seq: int, kind: str, *, is_back: bool = False) -> int | None:
    """The next line after `seq` (or the last one before it) whose act is worth a halt for `kind`."""
    if is_back:
        for found in reversed(_after(session, instance_id)):
            if found[0] < seq and kind in found[1]:
                return found[0]
        rows = session.execute(_BEHIND, {"id": instance_id, "seq": seq, "kind": kind}).all()
        return next((one[0] for row in rows for one in reversed(row.marks) if one[0] < seq and kind in one[1:]), None)
    for row in session.execute(_AHEAD, {"id": instance_id, "seq": seq, "kind": kind}).all():
        for one in row.marks:
            if one[0] > seq and kind in one[1:]:
                return int(one[0])
    return next((line for line, kinds in _after(session, instance_id) if line > seq and kind in kinds), None)


def _after(session: Session, instance_id: UUID) -> list[tuple[int, tuple[str, ...]]]:
    """The marks of what came after the last instant kept."""
    teller = Teller(session, instance_id)
    return [(now.seq, now.marks) for now, _ in teller.unfold(nearest(session, teller, teller.last)) if now.marks]


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
