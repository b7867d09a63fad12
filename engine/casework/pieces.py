"""Papers that come of themselves: brought to a desk, or sent by the page of a receipt, whether or not something waits for them.

Each becomes a document of the case at once, as the paper that it is and under the class of the fields that hold it; the first form that asks for that paper finds it
(`at_hand`), whichever agency's it is. Where it is awaited anew (`lapses`), it takes the place of the one that runs out once somebody of an agency looked at it. What a form asks and what comes with its answers is `tasks`'.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority, users
from engine.casework import case_notes, editions, lapses, messages, notices, staff
from engine.casework.instances import Change, Held, lock
from engine.dossier import documents, facts
from engine.i18n import pick
from forms import field_types
from forms.dictionary import Dictionary, Field

RECEIVED = "piece.recue"
OTHER = "autre"  # the code of a paper that the dictionary has no name for: its own name says what it is
PROOFS = ("PJ02", "PJ03")  # what reception waits for before it knows which aids are asked
EVIDENCE = ("PJ14",)  # what the next instalment of an aid waits for: how the one before was spent
_ONE_ACT = "P0D"
MISSING, GIVEN, INSTALMENT = "aide.pieces_manquantes", "aide.pieces_limite_le", "aide.versement_rang"  # what a person was asked for, the day she was given, what is paid since
_CARRIER = "mesure.agence"
_CASE = text("""SELECT instance_id, root_id, branch, is_shared, is_shared_funder, is_shared_operator, assigned, social_worker_id, is_kept, also_read_by, lent_to, edition_id FROM instance
                 WHERE instance_id = :id AND root_id = instance_id""")
_LODGED = text("SELECT 1 FROM received_piece p JOIN document d USING (document_id) WHERE p.document_id = :id AND p.instance_id = :case AND d.uploaded_by = :by")
_INSERT = text("INSERT INTO received_piece (document_id, instance_id, piece, received_at) VALUES (:id, :case, :piece, :now)")
# Of what waits for papers: whom it is about, and the papers that came since it began to. The first that it awaited has woken it.
_WAITING = text("""SELECT w.correlation, i.subject, ARRAY(SELECT p.piece FROM received_piece p WHERE p.instance_id = :case AND p.received_at > w.opened_at AND p.document_id <> :id) AS came
                     FROM wait w JOIN instance i USING (instance_id) WHERE i.root_id = :case AND w.kind = 'message' AND w.name = 'piece.recue' ORDER BY w.opened_at""")
# What a paper renews: the answers of its kind and class that are told to run out.
_RENEWS = text("""SELECT f.subject, f.field, f.class FROM lapse l JOIN fact f USING (fact_id) WHERE l.root_id = :case AND l.piece = :piece AND l.told_at IS NOT NULL AND f.is_current
                    AND (CAST(:class AS text) IS NULL OR f.class = :class) ORDER BY l.fact_id""")
_RUNNING_OUT = text("SELECT f.value #>> '{}' FROM lapse l JOIN fact f USING (fact_id) WHERE l.root_id = :case AND l.piece <> '' AND l.told_at IS NOT NULL AND l.closed_at IS NULL AND masar_still_lapses(l.fact_id)")
_AGAIN = text("SELECT masar_await_again(:case, :piece, :class)")
_CAME = text("""SELECT p.piece, p.received_at, d.class FROM received_piece p JOIN document d USING (document_id) WHERE p.document_id = :id AND p.instance_id = :case""")
_PIECES = text("""SELECT p.document_id, p.piece, p.received_at, d.name, d.class, d.uploaded_by, p.instance_id,
                         EXISTS (SELECT FROM fact f WHERE f.root_id = p.instance_id AND f.is_current AND strpos(f.value::text, p.document_id::text) > 0) AS is_used,
                         EXISTS (SELECT FROM lapse l JOIN fact f USING (fact_id) WHERE l.root_id = p.instance_id AND l.piece = p.piece AND l.told_at <= p.received_at AND f.is_current AND f.class = d.class) AS renews
                    FROM received_piece p JOIN document d USING (document_id) WHERE p.instance_id = :case ORDER BY p.received_at DESC, p.document_id DESC""")


@dataclass(frozen=True)
class Choice:
    """What a paper may be said to be, by whoever brings it into the case. `piece`: `OTHER` for one without a name of its own; `class_`: who reads it."""

    piece: str
    class_: str
    label: str


@dataclass(frozen=True)
class Received:
    """A paper that came. `by`: who brought it into the case, "" where the person sent it herself; `until`: until when it counts; `is_used`: a form has it as its answer;
    `may_renew`: the actor may have it take the place of one that runs out."""

    document_id: UUID
    piece: str
    class_: str
    label: str
    name: str
    at: dt.datetime
    by: str
    until: dt.datetime | None
    is_used: bool
    may_renew: bool = False


def offered(session: Session, actor: Any, case_id: UUID) -> tuple[Choice, ...]:
    """What the actor may bring into a case now: the papers whose class she writes, then any other, by who is to read it. Nothing where it is not hers to do."""
    held = session.execute(_CASE, {"id": case_id}).one_or_none()
    if held is None or not authority.may(actor, "piece.lodge", branch=held.branch, case=held):
        return ()
    edition = editions.load(session, held.edition_id)
    named = {(one.piece, authority.classes_of(one)): None for one in edition.dictionary.fields.values() if one.piece and authority.writable(actor, authority.classes_of(one))}
    found = [Choice(piece, class_, pick(edition.dictionary.pieces[piece]["label"], actor.language)) for piece, class_ in named]
    return (*sorted(found, key=lambda one: (one.piece, one.class_)), *(Choice(OTHER, one, "") for one in case_notes.classes(actor, held)))


def lodge(session: Session, actor: Any, case_id: UUID, piece: str, class_: str, document_id: UUID | None, title: str = "") -> None:
    """Brings into a case a document that the actor has just sent; `title` names it, and must where it is no paper of the dictionary's. Whoever waits for it goes on.
    The same document sent again is there already.

    Refuses: `case.not_found`; Forbidden; `document.none`, `document.not_yours`, `piece.kind`, `piece.title` (Invalid). Records: `piece.lodged`.
    """
    held = lock(session, case_id)
    if held is None or held.instance_id != held.root_id:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "case.read", branch=held.branch, case=held)
    authority.require(actor, "piece.lodge", branch=held.branch, case=held)
    if document_id is None:
        raise errors.Invalid("document.none")
    if session.execute(_LODGED, {"id": document_id, "case": case_id, "by": actor.user_id}).scalar():
        return
    if (piece, class_) not in {(one.piece, one.class_) for one in offered(session, actor, case_id)}:
        raise errors.Invalid("piece.kind")
    if piece == OTHER and not title.strip():
        raise errors.Invalid("piece.title")
    change = Change(session, actor, held, held.now)
    _take(change, "piece.lodged", piece, class_, document_id, title)


def renew(session: Session, actor: Any, case_id: UUID, document_id: UUID) -> None:
    """Has a paper that came take the place of the one that runs out, for every agency; asked again changes nothing. Refuses: `case.not_found`; Forbidden; `piece.nothing_to_renew` (Conflict). Records: `piece.renewed`."""
    held, came = _came(session, actor, case_id, document_id)
    change = Change(session, actor, held, held.now)
    if not _renew(change, came.piece, came._mapping["class"], document_id):
        raise errors.Conflict("piece.nothing_to_renew")
    change.write()


def turn_down(session: Session, actor: Any, case_id: UUID, document_id: UUID) -> None:
    """A paper that came in the place of one that runs out does not do: it is awaited again. Refuses: as `renew`. Records: `piece.turned_down`."""
    held, came = _came(session, actor, case_id, document_id)
    change = Change(session, actor, held, held.now)
    change.note("piece.turned_down", {"document": str(document_id), "piece": came.piece})
    if not session.execute(_AGAIN, {"case": case_id, "piece": came.piece, "class": came._mapping["class"]}).scalar_one():
        raise errors.Conflict("piece.nothing_to_renew")
    change.write()


def _came(session: Session, actor: Any, case_id: UUID, document_id: UUID) -> tuple[Held, Any]:
    """A case locked, and a paper that came to it and that nothing says does not do."""
    held = lock(session, case_id)
    if held is None or held.instance_id != held.root_id:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "case.read", branch=held.branch, case=held)
    authority.require(actor, "piece.lodge", branch=held.branch, case=held)
    came = session.execute(_CAME, {"id": document_id, "case": case_id}).one_or_none()
    if came is None:
        raise errors.Conflict("piece.nothing_to_renew")
    return held, came


def send(session: Session, actor: Any, held: Held, piece: str, name: str, stream: BinaryIO) -> None:
    """The same by the person herself: under the class of the fields that hold the paper. Refuses what `documents.upload` refuses. Records: `piece.received`."""
    change = Change(session, actor, held, held.now)
    _take(change, "piece.received", piece, _class_of(session, held, piece), documents.upload(session, actor, name, stream))


def received(session: Session, actor: Any, case_id: UUID, dictionary: Dictionary) -> tuple[Received, ...]:
    """The papers that came, as far as the actor may read them, the newest first."""
    rows, known = session.execute(_PIECES, {"case": case_id}).all(), dictionary.pieces
    who = staff.names(session, actor.language, (row.uploaded_by for row in rows))
    return tuple(
        Received(row.document_id, row.piece, row._mapping["class"], pick(known.get(row.piece, {}).get("label"), actor.language) or row.name.rpartition(".")[0], row.name, row.received_at,
                 "" if row.uploaded_by == row.instance_id else who.get(str(row.uploaded_by), ""), _until(row.received_at, known.get(row.piece, {}).get("validity")), row.is_used,
                 row.renews and not row.is_used and authority.writable(actor, row._mapping["class"]))
        for row in rows)  # fmt: skip


def running_out(session: Session, case_id: UUID) -> frozenset[str]:
    """The documents in the place of which others are awaited, of those the actor may read."""
    return frozenset(session.execute(_RUNNING_OUT, {"case": case_id}).scalars())


def at_hand(session: Session, actor: Any, case_id: UUID, dictionary: Dictionary, asked: Iterable[Field], now: dt.datetime) -> Mapping[str, Sequence[Received]]:
    """By field: the papers that came, that it asks for, that still count and that no form has yet; the newest first."""
    wanted = [one for one in asked if one.type == "doc" and one.piece]
    came = [one for one in received(session, actor, case_id, dictionary) if not one.is_used and (one.until is None or one.until > now)] if wanted else []
    found = {spec.id: [one for one in came if (one.piece, one.class_) == (spec.piece, authority.classes_of(spec))] for spec in wanted}
    return {name: those for name, those in found.items() if those}


def _take(change: Change, kind: str, piece: str, class_: str, document_id: UUID, title: str = "") -> None:
    session, held = change.session, change.held
    documents.give(session, change.actor, held.root_id, document_id, class_, title)
    change.note(kind, {"document": str(document_id), "piece": piece})
    session.execute(_INSERT, {"id": document_id, "case": held.root_id, "piece": piece, "now": change.at})
    is_awaited = _wake(session, held, piece, document_id)  # then whoever has the next task is told of that
    if session.execute(_RENEWS, {"case": held.root_id, "piece": piece, "class": class_}).first():
        by_herself = change.actor.kind == "holder" or not _renew(change, piece, class_, document_id)
        lapses.tell(change, "piece.came_to_renew" if by_herself else "piece.renewed", class_)
    elif not is_awaited:
        notices.tell(session, change.actor, held.referent_id, "piece.came", held.branch, instance_id=held.root_id)
    change.write()


def _renew(change: Change, piece: str, class_: str, document_id: UUID) -> bool:
    """Whether there is something to renew: its answer is this paper from now on."""
    session, held = change.session, change.held
    rows = [row for row in session.execute(_RENEWS, {"case": held.root_id, "piece": piece, "class": class_}) if authority.writable(change.actor, row._mapping["class"])]
    until = {row.field: held.edition.dictionary.fields[row.field].validity for row in rows}
    new = [facts.NewFact(row.subject, row.field, str(document_id), row._mapping["class"], source={"kind": "agency"}, valid_until=change.at + field_types.duration(until[row.field])) for row in rows]
    if new:
        change.note("piece.renewed", {"document": str(document_id), "piece": piece}, new)
    return bool(new)


def _wake(session: Session, held: Held, piece: str, document_id: UUID) -> bool:
    """Whether something waited for this paper; it goes on, unless another paper woke it already."""
    woken = _waits_for(session, held, piece, document_id)
    for row, pieces in woken:
        if not set(row.came) & set(pieces):
            messages.send(session, users.system(), RECEIVED, row.correlation, {})
    return bool(woken)


def _waits_for(session: Session, held: Held, piece: str, document_id: UUID | None = None) -> list[tuple[Any, Sequence[str]]]:
    """What waits for this paper, each with all that it waits for."""
    waiting = session.execute(_WAITING, {"case": held.root_id, "id": document_id}).all()
    aids = [row.subject.partition(":")[2] for row in waiting if row.subject.startswith("aide:")]
    known = facts.snapshot(session, facts.Subjects(held.root_id, held.person_id, {"aide": aids}), [MISSING, INSTALMENT]) if waiting else ()
    said = {(one.subject, one.field): one.value for one in known}
    return [(row, pieces) for row in waiting if piece in (pieces := of_wait(said.get((row.subject, MISSING)), said.get((row.subject, INSTALMENT))))]


def of_wait(missing: Sequence[str] | None, instalment: Any) -> Sequence[str]:
    """The papers that a wait is for: those that the person was asked for, of an aid that is being paid the evidence of its last instalment."""
    return EVIDENCE if instalment is not None else missing or PROOFS


def _class_of(session: Session, held: Held, piece: str) -> str:
    """The class of the answer that a paper renews; else of the fields that it answers, of those of the agency that carries the measure whose aid waits for it; health before any other, as where a form names
    it. Of what has no name there, who receives her sorts it."""
    if row := session.execute(_RENEWS, {"case": held.root_id, "piece": piece, "class": None}).first():
        return row._mapping["class"]
    fields = [one for one in held.edition.dictionary.fields.values() if one.piece == piece]
    measures = {row.subject.replace("aide:", "mesure:", 1) for row, _ in _waits_for(session, held, piece)}
    carriers = {one.value for one in facts.snapshot(session, held.subjects, [_CARRIER]) if one.subject in measures}
    classes = [authority.classes_of(one) for one in [one for one in fields if one.owner in carriers] or fields]
    return "H" if "H" in classes or piece == "PJ06" else classes[0] if classes else "O" if piece == OTHER else "C"


def _until(at: dt.datetime, validity: str | None) -> dt.datetime | None:
    return at + field_types.duration(validity) if validity and validity != _ONE_ACT else None
