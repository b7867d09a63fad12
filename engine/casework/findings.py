"""Findings: what an auditor found at an event of a case or at an element of a diagram, who must answer it until when, what was answered, and whether it is closed.

Each act is a line of the journal (`finding.opened`, `answered`, `returned`, `lifted`, `closed`), written before its rows. A finding that holds lets no edition be published
until it is closed, or the hold is lifted.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import authority
from engine.actors.roles import ROLES
from engine.casework import editions, staff
from engine.i18n import pick
from engine.ledger import journal

LONGEST = 4000
ANSWERING = tuple(role for role in ROLES if "finding.answer" in authority.acts_of(role))
PAGE = 50
# Who answers in her place of a case that is kept from her: the head of the branch.
_HEADS, _INSTEAD = frozenset({"chef_cps", "chef_aneti"}), "chef_antenne"
_IS_KEPT = "f.instance_id IS NOT NULL AND masar_case_is_kept(f.instance_id) AS is_kept"
_ROWS = f"""SELECT f.*, {_IS_KEPT}, l.kind AS event, r.number AS case_number, r.instance_id AS root_id, e.number AS edition_number FROM finding f
      LEFT JOIN ledger_line l ON l.instance_id = f.instance_id AND l.seq = f.seq LEFT JOIN instance i ON i.instance_id = f.instance_id
      LEFT JOIN instance r ON r.instance_id = i.root_id LEFT JOIN edition e ON e.edition_id = f.edition_id"""
_LIST = text(f"""{_ROWS}
     WHERE (CAST(:id AS uuid) IS NULL OR f.finding_id = :id) AND (:state = '' OR f.state = :state) AND (CAST(:root AS uuid) IS NULL OR i.root_id = :root)
     ORDER BY f.state = 'closed', f.due_on, f.number LIMIT :limit OFFSET :offset""")
_HERE = text(f"""{_ROWS} WHERE (f.instance_id = :instance AND f.seq BETWEEN :first AND :last) OR (f.edition_id = :edition AND (:process = '' OR f.process = :process))
                  ORDER BY f.state = 'closed', f.number DESC LIMIT {PAGE}""")
_WORDS = text("SELECT place, kind, said, said_by, said_at FROM finding_word WHERE finding_id = :id ORDER BY place")
_LOCK = text(f"SELECT finding_id, number, state, holds, lifted_at, answer_role, answer_branch, {_IS_KEPT} FROM finding f WHERE finding_id = :id FOR UPDATE")
_ADD = text("""INSERT INTO finding (finding_id, instance_id, seq, edition_id, process, element, said, answer_role, answer_branch, due_on, holds, opened_by, opened_at)
    VALUES (:id, :instance, :seq, :edition, :process, :element, :said, :role, :branch, :due, :holds, :me, :now)""")
_SAY = text("""INSERT INTO finding_word (finding_id, place, kind, said, said_by, said_at)
    SELECT :id, count(*) + 1, :kind, :said, :me, :now FROM finding_word WHERE finding_id = :id""")
_EVENT = text("SELECT 1 FROM ledger_line l JOIN instance i USING (instance_id) WHERE l.instance_id = :instance AND l.seq = :seq")
_HOLDING = text("SELECT masar_holding_finding()")


@dataclass(frozen=True)
class Word:
    """What was said of a finding after it was made: `answer`, `return` (not enough), `lift` (of the hold), `close`."""

    kind: str
    said: str
    who: str
    at: dt.datetime


@dataclass(frozen=True)
class Finding:
    """`event`: kind of the line it is attached to (with `case_id`, `instance_id`, `seq`), or `edition`, `process`, `element` with the `name` of that element.
    `answer_role`: who answers it now; `instead_of`: whom it asked, where the case is kept from her. `may`: the acts that are the reader's: `answer`, `return`, `lift`, `close`."""

    finding_id: UUID
    number: int
    state: str
    said: str
    answer_role: str
    answer_branch: str
    due_on: dt.date
    is_late: bool
    holds: bool
    opened_at: dt.datetime
    opened_by: str
    case_id: UUID | None = None
    case_number: str = ""
    instance_id: UUID | None = None
    seq: int | None = None
    event: str = ""
    edition: int | None = None
    process: str = ""
    element: str = ""
    name: str = ""
    words: tuple[Word, ...] = ()
    may: tuple[str, ...] = ()
    instead_of: str = ""


@dataclass(frozen=True)
class Element:
    """An element of a diagram with what was found at it."""

    element: str
    name: str
    kind: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Diagram:
    """A diagram of an edition with the findings at its elements. `processes`: those of the edition, by id; `numbers`: the editions there are, the newest first."""

    edition_id: UUID
    number: int
    process: str
    elements: tuple[Element, ...]
    processes: Mapping[str, str]
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Findings:
    items: tuple[Finding, ...]
    next: str


def listed(session: Session, actor: Any, *, state: str = "", case_id: UUID | None = None, cursor: str = "") -> Findings:
    """The findings that the reader makes or must answer, the most pressing first, the closed ones last. Refuses: Forbidden."""
    authority.require(actor, "finding.read")
    offset = int(cursor) if cursor.isdigit() else 0
    rows = session.execute(_LIST, {"id": None, "state": state, "root": case_id, "limit": PAGE + 1, "offset": offset}).all()
    return Findings(_told(session, actor, rows[:PAGE]), str(offset + PAGE) if len(rows) > PAGE else "")


def show(session: Session, actor: Any, finding_id: UUID) -> Finding:
    """One finding with all that was said of it. Refuses: Forbidden, `finding.not_found`."""
    authority.require(actor, "finding.read")
    rows = session.execute(_LIST, {"id": finding_id, "state": "", "root": None, "limit": 1, "offset": 0}).all()
    if not rows:
        raise errors.NotFound("finding.not_found")
    found = _told(session, actor, rows)[0]
    said = session.execute(_WORDS, {"id": finding_id}).all()
    names = staff.names(session, actor.language, (row.said_by for row in said))
    return replace(found, words=tuple(Word(row.kind, row.said, names.get(str(row.said_by), ""), row.said_at) for row in said))


def here(session: Session, actor: Any, instance_id: UUID, first: int, last: int, edition_id: UUID) -> tuple[Finding, ...]:
    """What was found at the lines of an act, or at an element of the diagrams it followed; nothing for whoever reads no findings."""
    if not authority.may(actor, "finding.read"):
        return ()
    asked = {"instance": instance_id, "first": first, "last": last, "edition": edition_id, "process": ""}
    return _told(session, actor, session.execute(_HERE, asked).all())


def of_diagram(session: Session, actor: Any, number: int | None, process: str) -> Diagram:
    """A diagram of an edition (the one in force by default) with what the reader may know was found at its elements. Refuses: Forbidden, `edition.not_found`, `process.unknown`."""
    authority.require(actor, "finding.read")
    edition = editions.current(session) if number is None else editions.numbered(session, number)
    definitions = edition.definitions
    if process not in definitions.processes:
        raise errors.NotFound("process.unknown")
    asked = {"instance": None, "first": 0, "last": 0, "edition": edition.edition_id, "process": process}
    found = _told(session, actor, session.execute(_HERE, asked).all())
    elements = tuple(Element(one.id, pick(one.names, actor.language) or "", one.kind, tuple(finding for finding in found if finding.element == one.id))
                     for one in definitions.elements(process))  # fmt: skip
    names = {one: pick(drawn.names, actor.language) or one for one, drawn in definitions.processes.items()}
    return Diagram(edition.edition_id, edition.number, process, elements, names, tuple(session.execute(text("SELECT number FROM edition ORDER BY number DESC")).scalars()))


def name_of(session: Session, actor: Any, edition_id: UUID, process: str, element: str) -> str:
    """What an element of an edition is called; "" where it has no name, or is none."""
    return pick(editions.find(session, actor, edition_id).definitions.labels(element, process), actor.language)


def drawing(session: Session, actor: Any, number: int, process: str) -> bytes:
    """The diagram itself. Refuses: as `of_diagram`."""
    authority.require(actor, "finding.read")
    definitions = editions.numbered(session, number).definitions
    if process not in definitions.processes:
        raise errors.NotFound("process.unknown")
    return definitions.diagram(process)


def open_at_event(session: Session, actor: Any, instance_id: UUID, seq: int, said: str, role: str, branch: str, due_on: dt.date, holds: bool = False) -> UUID:
    """Attaches a finding to a line of a case. Refuses: Forbidden, `finding.no_event` (NotFound), `finding.text_needed`, `finding.nobody_answers`, `finding.due_before_now`.
    Records: `finding.opened`."""
    authority.require(actor, "finding.write")
    if session.execute(_EVENT, {"instance": instance_id, "seq": seq}).scalar() is None:
        raise errors.NotFound("finding.no_event")
    return _open(session, actor, {"instance": instance_id, "seq": seq}, said, role, branch, due_on, holds)


def open_at_element(session: Session, actor: Any, edition_id: UUID, process: str, element: str, said: str, role: str, branch: str, due_on: dt.date, holds: bool = False) -> UUID:  # fmt: skip
    """Attaches a finding to an element of an edition's diagram. Refuses: as `open_at_event`, `finding.no_element`. Records: `finding.opened`."""
    authority.require(actor, "finding.write")
    definitions = editions.find(session, actor, edition_id).definitions
    if process not in definitions.processes or not any(one.id == element for one in definitions.elements(process)):
        raise errors.NotFound("finding.no_element")
    return _open(session, actor, {"edition": edition_id, "process": process, "element": element}, said, role, branch, due_on, holds)


def answer(session: Session, actor: Any, finding_id: UUID, said: str) -> None:
    """Answers a finding, as whoever it asks. Refuses: `finding.not_found`, Forbidden, `finding.not_open`, `finding.text_needed`. Records: `finding.answered`."""
    row = _locked(session, finding_id)
    authority.require(actor, "finding.answer", role=_answers(row), branch=row.answer_branch)
    _turn(session, actor, row, "answer", "answered", said, ("open",), "state = 'answered'")


def give_back(session: Session, actor: Any, finding_id: UUID, said: str) -> None:
    """Says why an answer is not enough: it is to be answered again. Refuses: as `answer`, `finding.not_answered`. Records: `finding.returned`."""
    authority.require(actor, "finding.write")
    _turn(session, actor, _locked(session, finding_id), "return", "returned", said, ("answered",), "state = 'open'")


def lift(session: Session, actor: Any, finding_id: UUID, said: str) -> None:
    """Lets editions be published although the finding stands. Refuses: as `answer`, `finding.holds_nothing`. Records: `finding.lifted`."""
    authority.require(actor, "finding.write")
    row = _locked(session, finding_id)
    if not row.holds or row.lifted_at is not None:
        raise errors.Conflict("finding.holds_nothing")
    _turn(session, actor, row, "lift", "lifted", said, ("open", "answered"), "lifted_by = :me, lifted_at = :now")


def close(session: Session, actor: Any, finding_id: UUID, said: str) -> None:
    """Closes a finding, answered or not. Refuses: as `answer`. Records: `finding.closed`."""
    authority.require(actor, "finding.write")
    _turn(session, actor, _locked(session, finding_id), "close", "closed", said, ("open", "answered"), "state = 'closed', closed_by = :me, closed_at = :now")


def require_none_holding(session: Session) -> None:
    """Refuses: `finding.holds` (Conflict), naming the first finding that lets no edition be published."""
    number = session.execute(_HOLDING).scalar()
    if number is not None:
        raise errors.Conflict("finding.holds", number=number)


def _open(session: Session, actor: Any, at: Mapping[str, Any], said: str, role: str, branch: str, due_on: dt.date, holds: bool) -> UUID:
    said, now = _text(said), clock.now(session)
    if role not in ANSWERING or not session.execute(text("SELECT masar_branch_is_open(:branch)"), {"branch": branch}).scalar():
        raise errors.Invalid("finding.nobody_answers")
    if due_on < clock.today(now):
        raise errors.Invalid("finding.due_before_now")
    finding_id = identity.new_id()
    body = {name: str(value) for name, value in at.items()} | {"role": role, "branch": branch, "due_on": due_on.isoformat(), "holds": holds}
    journal.append(session, actor, "finding.opened", f"finding:{finding_id}", body, {"said": said})
    row = {"instance": None, "seq": None, "edition": None, "process": "", "element": ""} | dict(at)
    session.execute(_ADD, row | {"id": finding_id, "said": said, "role": role, "branch": branch, "due": due_on, "holds": holds, "me": actor.user_id, "now": now})
    return finding_id


def _locked(session: Session, finding_id: UUID) -> Any:
    row = session.execute(_LOCK, {"id": finding_id}).one_or_none()
    if row is None:
        raise errors.NotFound("finding.not_found")
    return row


def _turn(session: Session, actor: Any, row: Any, kind: str, event: str, said: str, states: tuple[str, ...], change: str) -> None:
    if row.state not in states:
        raise errors.Conflict("finding.not_answered" if states == ("answered",) else "finding.not_open", number=row.number)
    said, now = _text(said), clock.now(session)
    journal.append(session, actor, f"finding.{event}", f"finding:{row.finding_id}", {}, {"said": said})
    session.execute(_SAY, {"id": row.finding_id, "kind": kind, "said": said, "me": actor.user_id, "now": now})
    session.execute(text(f"UPDATE finding SET {change} WHERE finding_id = :id"), {"id": row.finding_id, "me": actor.user_id, "now": now})


def _text(said: str) -> str:
    said = said.strip()
    if not said or len(said) > LONGEST or "\0" in said:
        raise errors.Invalid("finding.text_needed", longest=LONGEST)
    return said


def _told(session: Session, actor: Any, rows: Any) -> tuple[Finding, ...]:
    today = clock.today(clock.now(session))
    names = staff.names(session, actor.language, (row.opened_by for row in rows))
    return tuple(_finding(session, actor, row, today, names) for row in rows)


def _finding(session: Session, actor: Any, row: Any, today: dt.date, names: Mapping[str, str]) -> Finding:
    name = ""
    if row.edition_id is not None:
        name = pick(editions.load(session, row.edition_id).definitions.labels(row.element, row.process), actor.language) or row.element
    is_holding = row.holds and row.state != "closed" and row.lifted_at is None
    return Finding(
        row.finding_id, row.number, row.state, row.said, _answers(row), row.answer_branch, row.due_on, row.state == "open" and row.due_on < today, is_holding,
        row.opened_at, names.get(str(row.opened_by), ""), row.root_id, row.case_number or "", row.instance_id, row.seq, row.event or "", row.edition_number,
        row.process, row.element, name, (), _may(actor, row, is_holding), row.answer_role if _answers(row) != row.answer_role else "",
    )  # fmt: skip


def _answers(row: Any) -> str:
    """The role that answers a finding now."""
    return _INSTEAD if row.is_kept and row.answer_role in _HEADS else str(row.answer_role)


def _may(actor: Any, row: Any, is_holding: bool) -> tuple[str, ...]:
    found = []
    if row.state == "open" and authority.may(actor, "finding.answer", role=_answers(row), branch=row.answer_branch):
        found.append("answer")
    if row.state != "closed" and authority.may(actor, "finding.write"):
        found += (["return"] if row.state == "answered" else []) + (["lift"] if is_holding else []) + ["close"]
    return tuple(found)
