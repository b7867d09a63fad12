"""The replay of a case, instant by instant, as one reader may see it: the diagram as it stood, who had the ball, what was known, money, what the act was.

Everything comes from the ledger (`instants`, `snapshots`, `known_then`); who may watch and what is masked are those of the history.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors, identity
from engine.actors import authority
from engine.casework import cases, diagrams, editions, known_then, looks, opinions, snapshots, staff
from engine.casework.diagrams import Drawing
from engine.casework.instants import Instant
from engine.casework.views import Happened, Stand, Waiting
from engine.dossier import beneficiaries, calendars, programmes
from engine.i18n import pick
from engine.ledger import consultations
from engine.pathway import bpmn
from engine.workdays import Calendar, Present
from forms import text as words

HALTS = ("handover", "decision", "delay")
_MONEY = "aide.versement_montant"
_ROOT = text("""SELECT instance_id, branch, person_id, number, is_kept, is_shared, is_shared_funder, is_shared_operator, assigned, social_worker_id, edition_id, opened_at, process
                  FROM instance WHERE instance_id = :id AND root_id = :id""")
_PARTS = text("""SELECT instance_id, process, CASE WHEN instance_id <> :shown THEN masar_line_at(instance_id, :at) END AS then FROM instance WHERE root_id = :id
                  ORDER BY opened_at, instance_id""")
_SPAN = text("""SELECT instance_id, process, seq, opened_at, CASE WHEN CAST(:at AS timestamptz) IS NOT NULL THEN masar_line_at(instance_id, CAST(:at AS timestamptz)) END AS then
                  FROM instance WHERE instance_id = :id AND root_id = :root""")
_ELSEWHERE = text("SELECT instance_id, process, number FROM instance WHERE instance_id = ANY (:ids) AND root_id = instance_id")
_LINES = text("""SELECT l.instance_id, l.seq, l.line, s.ciphertext, s.person_id FROM ledger_line l LEFT JOIN ledger_sealed s USING (instance_id, seq)
                  WHERE l.instance_id = :id AND l.seq BETWEEN :first AND :seq ORDER BY l.seq""")


@dataclass(frozen=True)
class Fact:
    """A fact as it stood. `replaced_at`: when another took its place since; `is_new`: said in this very act."""

    subject: str
    field: str
    group: str
    label: str
    value: str
    source: str
    author: str
    author_agency: str
    recorded_at: dt.datetime
    replaced_at: dt.datetime | None
    is_new: bool


@dataclass(frozen=True)
class Part:
    """The case itself or a dossier of it, where it stood; `case_id` is another's for a sitting that spoke of it. `money` in millimes, None where not the reader's to know."""

    case_id: UUID
    instance_id: UUID
    process: str
    number: str
    status: str
    tasks: int
    money: Mapping[str, int] | None


@dataclass(frozen=True)
class Frame:
    """One instant of one instance, to be drawn. `spent`: seconds of working time by element, up to the instant; `hidden`: facts not the reader's to see;
    `now`: the instant with its calendar; `is_sound`: every step came to the state its line sealed; `is_told`: nothing of it was erased."""

    case_id: UUID
    case_number: str
    person: str
    instance_id: UUID
    process: str
    edition: editions.Edition
    edition_number: int
    opened_at: dt.datetime
    now: Present
    first: int
    seq: int
    last: int
    stage: str
    status: str
    marks: tuple[str, ...]
    happened: tuple[Happened, ...]
    drawings: tuple[Drawing, ...]
    stopped: tuple[str, ...]
    spent: Mapping[str, float]
    waiting: tuple[Waiting, ...]
    facts: tuple[Fact, ...]
    hidden: int
    parts: tuple[Part, ...]
    seen: looks.Seen
    is_sound: bool
    is_told: bool


def frame(session: Session, actor: Any, case_id: UUID, *, part: UUID | None = None, at: int | None = None, when: dt.datetime | None = None) -> Frame:
    """An instant of a case, or of a dossier of it (`part`): the act that holds line `at`, or the last one at an hour (`when`); the first by default.

    Refuses: NotFound (absent, or its history is not hers to read).
    """
    root, span = _span(session, actor, case_id, part, when)
    calendar = programmes.dated(session).calendar
    now, _, _ = snapshots.at(session, span.instance_id, at if at is not None else span.then if when else 1, calendar)
    present = Present(now.at.astimezone(dt.UTC), calendars.of(session).at(now.at))
    edition = editions.load(session, _edition_id(session, now.edition))
    found = known_then.facts(session, span.instance_id, now.seq, now.at)
    known, veiled = _known(session, actor, root, found)
    happened = cases.as_seen(session, actor, case_id, root, session.execute(_LINES, {"id": span.instance_id, "first": now.first, "seq": now.seq}).all())
    seen = looks.around(session, actor, root, span.instance_id, now.first, now.at, edition, happened, known, veiled)
    consultations.note(session, case_id, "replay", (one.field_class for one in known))
    authors = staff.authors(session, actor.language, known)
    parts, instants = _parts(session, actor, root, edition, span, now, calendar, {one.instance_id for one in found})
    name = beneficiaries.full_name({one.field: one.value for one in known if one.subject == f"person:{root.person_id}"}, actor.language)
    return Frame(
        case_id, root.number or "", name, span.instance_id, span.process, edition, now.edition, span.opened_at, present, now.first, now.seq, span.seq, now.stage, now.status,
        now.marks, happened,
        _drawings(edition, span, now, actor.language), tuple(sorted({row["node"] for row in now.incidents.values()})), _spent(now, present.calendar),
        _waiting(session, instants, actor.language), tuple(_fact(one, edition, now, span.instance_id, authors, actor.language) for one in known if one.field in edition.dictionary.fields),
        len(veiled), parts, seen, now.is_sound, now.is_told,
    )  # fmt: skip


def timeline(session: Session, actor: Any, case_id: UUID, part: UUID | None = None) -> list[tuple[int, tuple[str, ...]]]:
    """What of the history is worth a halt: line and kinds. Refuses: NotFound."""
    _, span = _span(session, actor, case_id, part, None)
    return snapshots.marks(session, span.instance_id)


def halt(session: Session, actor: Any, case_id: UUID, part: UUID | None, seq: int, kind: str, *, is_back: bool = False) -> int | None:
    """The line of the next hand-over, decision or delay (`HALTS`), or of the one before; None where there is none. Refuses: NotFound."""
    _, span = _span(session, actor, case_id, part, None)
    return snapshots.find(session, span.instance_id, seq, kind, is_back=is_back) if kind in HALTS else None


def beside(session: Session, actor: Any, case_id: UUID, shown: Frame, by: str) -> Frame:
    """Another case where it had come as far: as long after its opening (`elapsed`), after as many lines (`step`), or when it reached the same stage (`stage`), its end where it
    never did. Refuses: NotFound."""
    root, span = _span(session, actor, case_id, None, None)
    if by == "elapsed":
        return frame(session, actor, case_id, when=span.opened_at + (shown.now.at - shown.opened_at))
    if by == "stage":
        reached = snapshots.find(session, root.instance_id, 0, f"stage:{shown.stage}")
        return frame(session, actor, case_id, at=reached or span.seq)
    return frame(session, actor, case_id, at=shown.seq)


def drawing(session: Session, actor: Any, case_id: UUID, number: int, process: str) -> bytes:
    """A diagram of an edition that the case follows, or followed before it was moved. Refuses: NotFound."""
    _span(session, actor, case_id, None, None)
    edition_id = diagrams.followed(session, case_id).get(number)
    edition = editions.load(session, edition_id) if edition_id else None
    if edition is None or process not in edition.definitions.processes:
        raise errors.NotFound("process.unknown")
    return edition.definitions.diagram(process)


def _span(session: Session, actor: Any, case_id: UUID, part: UUID | None, when: dt.datetime | None) -> tuple[Any, Any]:
    root = session.execute(_ROOT, {"id": case_id}).one_or_none()
    if root is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "history.read", branch=root.branch, case=root)
    span = session.execute(_SPAN, {"id": part or case_id, "root": case_id, "at": when}).one_or_none()
    if span is None:
        raise errors.NotFound("case.not_found")
    return root, span


def _edition_id(session: Session, number: int) -> UUID:
    found: UUID = session.execute(text("SELECT edition_id FROM edition WHERE number = :number"), {"number": number}).scalar_one()
    return found


def _known(session: Session, actor: Any, root: Any, found: Sequence[known_then.Known]) -> tuple[list[known_then.Known], list[known_then.Known]]:
    """The facts that the reader may see, and those she may not."""
    kept: tuple[list[known_then.Known], list[known_then.Known]] = ([], [])
    for one in found:
        is_hers = authority.readable(actor, one.field_class, one.author_agency, case=root)
        kept[0 if is_hers and not opinions.is_sealed(session, actor, one.instance_id, one.author_id, one.subject, one.field) else 1].append(one)
    consultations.note(session, root.instance_id, "history", (one.field_class for one in kept[0]))
    return kept


def _fact(one: known_then.Known, edition: editions.Edition, now: Instant, instance_id: UUID, authors: Mapping[str, str], language: str) -> Fact:
    field = edition.dictionary.fields[one.field]
    value = words.display(field, one.value, language) if one.status == "known" else words.status(one.status, language) if one.status != "erased" else ""
    is_new = one.instance_id == instance_id and one.seq >= now.first
    source = "computed" if field.computed is not None else one.source
    author = authors.get(str(one.author_id), one.author_name)
    return Fact(one.subject, one.field, one.field.partition(".")[0], pick(field.label, language), value, source, author, one.author_agency, one.recorded_at, one.replaced_at, is_new)


def _parts(session: Session, actor: Any, root: Any, edition: editions.Edition, span: Any, now: Instant, calendar: Calendar,
           spoke: set[UUID]) -> tuple[tuple[Part, ...], list[tuple[UUID, Instant]]]:  # fmt: skip
    """The case and its dossiers where they stood, and the sittings that had spoken of it by then."""
    field = edition.dictionary.fields.get(_MONEY)
    sees_money = field is not None and authority.readable(actor, authority.classes_of(field), case=root)
    found, instants = [], []
    for row in session.execute(_PARTS, {"id": root.instance_id, "at": now.at, "shown": span.instance_id}).all():
        spoke.discard(row.instance_id)
        if row.then == 0:  # it had not begun
            continue
        then = now if row.instance_id == span.instance_id else snapshots.at(session, row.instance_id, row.then, calendar)[0]
        instants.append((row.instance_id, then))
        found.append(Part(root.instance_id, row.instance_id, row.process, "", then.status, len(then.tasks), then.money if sees_money else None))
    for row in session.execute(_ELSEWHERE, {"ids": list(spoke)}).all() if spoke else ():
        found.append(Part(row.instance_id, row.instance_id, row.process, row.number or "", "", 0, None))
    return tuple(found), instants


def _drawings(edition: editions.Edition, span: Any, now: Instant, language: str) -> tuple[Drawing, ...]:
    if now.state:
        seen = bpmn.inspect(edition.definitions, now.state)
        stand = Stand(span.instance_id, span.process, now.status, tuple(seen.active), tuple(seen.done), edition.edition_id)
    else:  # erased: where it stood, not which way it came
        rows = (*now.tasks.values(), *now.waits.values())
        stand = Stand(span.instance_id, span.process, now.status, tuple({row["node"] for row in rows}), (), edition.edition_id)
    return diagrams.of_stands(edition, (stand,), span.process, language)


def _spent(now: Instant, calendar: Calendar) -> Mapping[str, float]:
    """Working time by element, of what is over and of what goes on."""
    found = dict(now.spent)
    for row in (*now.tasks.values(), *(one for one in now.waits.values() if one["awaits"])):
        found[row["node"]] = found.get(row["node"], 0) + calendar.open_time(dt.datetime.fromisoformat(row["opened_at"]), now.at).total_seconds()
    return found


def _waiting(session: Session, instants: Sequence[tuple[UUID, Instant]], language: str) -> tuple[Waiting, ...]:
    """Tasks first, the most pressing first, then what the case stood still for."""
    held = [(instance_id, row) for instance_id, now in instants for row in now.tasks.values()]
    names = staff.names(session, language, (identity.parse(row["holder_id"]) for _, row in held if row["holder_id"]))
    tasks = [Waiting("task", pick(row["names"], language), row["node"], dt.datetime.fromisoformat(row["opened_at"]), _hour(row["due_at"]), row["agency"],
                     names.get(str(row["holder_id"]), ""), task_id=UUID(row["task_id"]), branch=row["branch"], role=row["role"]) for _, row in held]  # fmt: skip
    waits = [Waiting(row["kind"], pick(row["labels"], language) or row["name"], row["node"], dt.datetime.fromisoformat(row["opened_at"]), _hour(row["due_at"]),
                     message=row["name"], correlation=row["correlation"], awaits=row["awaits"]) for _, now in instants for row in now.waits.values() if row["awaits"]]  # fmt: skip
    latest = dt.datetime.max.replace(tzinfo=dt.UTC)
    tasks.sort(key=lambda one: (one.until or latest, str(one.task_id)))
    waits.sort(key=lambda one: (one.awaits != "person", one.until is not None, one.until or one.since))
    return (*tasks, *waits)


def _hour(written: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(written) if written else None
