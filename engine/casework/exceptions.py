"""What was not foreseen: what may be begun from the page of a case, by whom and with which form, and what runs beside its road.

Which there is, is drawn: a process whose message start bears `masar:imprevu`. It runs as an instance of its own beside the case, on the edition in force,
about a subject of its own (`imprevu:<id>`), so that a case pays for it only while it runs. Not here: what it does to its case (`orders`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority
from engine.casework import appeals, cases, editions, endings, staff, tasks, withdrawals
from engine.casework.instances import SERIES, Held, find, lock
from engine.dossier import documents, facts, programmes
from engine.i18n import pick
from engine.identity import derived_id
from engine.ledger import consultations
from engine.pathway import bpmn
from forms import answers
from forms import form as forms

_RUNNING = text("""SELECT i.instance_id, i.process, i.edition_id, i.opened_at FROM instance i
                    WHERE i.root_id = :root AND i.subject LIKE 'imprevu:%' AND i.status = 'open' ORDER BY i.opened_at, i.instance_id""")
_CLOCKS = text("SELECT c.names, c.node, c.kind, c.due_at, c.stopped_at FROM stopped_clock c WHERE c.root_id = :root ORDER BY c.due_at")
_ROOT = text("SELECT instance_id, root_id, branch, suspended_at, is_kept, is_shared, is_shared_funder, is_shared_operator, assigned, also_read_by, lent_to FROM instance WHERE instance_id = :id")
_BEGUN = text("SELECT process, edition_id FROM instance WHERE instance_id = :id")


@dataclass(frozen=True)
class Offer:
    """Something that may be begun now. `asks`: whether a form is to be filled; `about`: a sentence on when it is for."""

    process: str
    name: str
    about: str
    asks: bool


@dataclass(frozen=True)
class Running:
    """Something begun and not over."""

    instance_id: UUID
    process: str
    name: str
    since: dt.datetime


@dataclass(frozen=True)
class StoppedClock:
    """A delay that stands still: of what, and when it would have been over."""

    name: str
    due_at: dt.datetime


@dataclass(frozen=True)
class Unforeseen:
    """What a case's page says of it. `suspended_at`: since when its clocks stand still."""

    offers: tuple[Offer, ...]
    running: tuple[Running, ...]
    suspended_at: dt.datetime | None
    clocks: tuple[StoppedClock, ...]


@dataclass(frozen=True)
class Asked:
    """The form of something that may be begun, computed for whoever would."""

    case_id: UUID
    case_number: str
    process: str
    name: str
    form: forms.Form


@dataclass(frozen=True)
class Begun:
    """`name`: of what is begun, in the actor's language; `next_tasks`: those it opened that the same person may do; `is_repeat`: the same submission had begun it before;
    `end`: how it ended, as drawn, where it was over at once."""

    case_id: UUID
    case_number: str
    name: str
    instance_id: UUID
    next_tasks: tuple[UUID, ...]
    is_repeat: bool = False
    end: str = ""


def of_case(session: Session, actor: Any, case_id: UUID) -> Unforeseen:
    """What may be begun from the case and what runs beside it, for this reader: of a fraud or an appeal no partner is told. Refuses: NotFound."""
    row = _seen(session, actor, case_id)
    if not authority.may(actor, "history.read", branch=row.branch, case=row):
        return Unforeseen((), (), row.suspended_at, ())
    held, edition, language = find(session, case_id), editions.current(session), actor.language
    assert held is not None
    running = session.execute(_RUNNING, {"root": case_id}).all()
    begun = {row.process for row in running}
    offers = []
    for process, (_, note) in edition.definitions.unforeseen.items():
        if not _may(actor, held, note) or not _is_for(held, note) or (note.is_alone and process in begun):
            continue
        form = edition.forms.get(note.form)
        offers.append(Offer(process, pick(edition.definitions.processes[process].names, language), pick(form.intro, language) if form and form.intro else "", bool(note.form)))
    since = row.suspended_at
    clocks = [StoppedClock(pick(row.names, language) or row.node, row.due_at) for row in session.execute(_CLOCKS, {"root": case_id})] if since else []
    named = tuple(Running(row.instance_id, row.process, _name(session, row, language), row.opened_at) for row in running)
    return Unforeseen(tuple(sorted(offers, key=lambda one: one.name)), named, since, tuple(clocks))


def ask(session: Session, actor: Any, case_id: UUID, process: str) -> Asked:
    """The form that begins something. Refuses: NotFound; `exception.unknown` (NotFound), Forbidden, `exception.not_now` (Conflict)."""
    _seen(session, actor, case_id)
    held = find(session, case_id)
    assert held is not None
    edition, _, note = _drawn(session, actor, held, process)
    asked = _form(session, actor, held, edition, note, process)
    consultations.note(session, case_id, "task", [authority.classes_of(one.spec) for one in asked.known if not one.is_hidden])
    return Asked(case_id, held.number or "", process, pick(edition.definitions.processes[process].names, actor.language), asked)


def begin(session: Session, actor: Any, case_id: UUID, process: str, raw: Mapping[str, Any], key: str = "", *, is_typed: bool = True, follows: bool = False) -> Begun:
    """Begins it, beside the case, with what was said. The same `key` twice begins it once. `follows`: it follows of what the actor did by right (a missed appointment), whatever
    her role: those that the diagram names are of whoever begins it by hand.

    Refuses: as `ask`; `task.answers` (Invalid, findings). Records: `instance.opened`, `case.started`.
    """
    _seen(session, actor, case_id)
    held = lock(session, case_id)
    if held is None:  # hers to read for a while, not to change
        raise errors.Forbidden("act.forbidden", act="exception.begin")
    instance_id = named(case_id, process, key) if key else None
    if instance_id and (begun := session.execute(_BEGUN, {"id": instance_id}).one_or_none()):
        return Begun(case_id, held.number or "", _name(session, begun, actor.language), instance_id, (), is_repeat=True)
    edition, name, note = _drawn(session, actor, held, process, follows=follows)
    asked = _form(session, actor, held, edition, note, process)
    around = _around(session, held)
    said = answers.read(asked, dict(raw), actor.language, around, is_typed=is_typed)
    if said.findings:
        raise errors.Invalid("task.answers", said.findings)

    if name == withdrawals.MESSAGE:
        withdrawals.close_now(session, actor, held, said.values)

    def told(child: Held) -> list[facts.NewFact]:
        new = tasks.facts_said(said, child.subjects, edition, child)
        if actor.kind == "holder":
            new = [replace(one, source={"kind": "holder"}) for one in new]
        documents.attach(session, actor, held.root_id, new, edition.dictionary.fields)
        return new

    message = bpmn.Message(name=name, correlation=str(case_id), payload={}, at=None, seq=0, facts={})
    change = cases.begin(session, actor, edition, process, held.branch, {}, parent=held, message=message, told=told, instance_id=instance_id)
    endings.finish(change)
    mine = tuple(UUID(row["task_id"]) for row in change.opened if authority.may(
        actor, "task.complete", agency=row["agency"], role=row["role"], branch=row["branch"], case=held, holder_id=row["holder_id"] and UUID(row["holder_id"])))  # fmt: skip
    end = edition.definitions.label(change.held.outcome, actor.language, process) if change.held.status != "open" else ""
    return Begun(case_id, held.number or "", pick(edition.definitions.processes[process].names, actor.language), change.held.instance_id, mine, end=end)


def is_begun(session: Session, case_id: UUID, process: str, key: str) -> bool:
    """Whether the submission of this key began it already."""
    return session.execute(_BEGUN, {"id": named(case_id, process, key)}).scalar() is not None


def named(case_id: UUID, process: str, key: str) -> UUID:
    """The id of what a submission of this key begins."""
    return derived_id(case_id, f"imprevu {process} {key}")


def _seen(session: Session, actor: Any, case_id: UUID) -> Any:
    row = session.execute(_ROOT, {"id": case_id}).one_or_none()
    if row is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "case.read", branch=row.branch, case=row)
    return row


def _drawn(session: Session, actor: Any, held: Held, process: str, *, follows: bool = False) -> tuple[editions.Edition, str, Any]:
    """The edition in force, the message that begins the process and its note, if the actor may begin it now."""
    edition = editions.current(session)
    name, note = edition.definitions.unforeseen.get(process, ("", None))
    if note is None:
        raise errors.NotFound("exception.unknown", process=process)
    if not follows:
        authority.require(actor, "exception.begin", branch=held.branch, case=held, roles=note.roles, process=process)
    if not _is_for(held, note) or (note.is_alone and process in {row.process for row in session.execute(_RUNNING, {"root": held.root_id})}):
        raise errors.Conflict("exception.not_now", name=pick(edition.definitions.processes[process].names, actor.language))
    return edition, name, note


def _may(actor: Any, held: Held, note: Any) -> bool:
    return authority.may(actor, "exception.begin", branch=held.branch, case=held, roles=note.roles)


def _is_for(held: Held, note: Any) -> bool:
    """Whether a case as it stands is one that the thing is for. Nothing is unforeseen of a sitting or of a signal."""
    return held.instance_id == held.root_id and held.process not in SERIES and note.on in ("tout", "ouvert" if held.status == "open" else "clos")


def _form(session: Session, actor: Any, held: Held, edition: editions.Edition, note: Any, process: str) -> forms.Form:
    """What is asked, by what is known of the case. Its own subject is new: of that nothing is known."""
    definition = edition.forms.get(note.form) or forms.confirm_only(note.form or process, edition.definitions.processes[process].names)
    subjects = facts.Subjects(held.root_id, held.person_id, {cases.UNFORESEEN: str(derived_id(held.root_id, process))})
    rows = facts.snapshot(session, subjects, forms.field_ids(definition))
    known = tasks.as_known(rows, subjects, definition, edition, staff.authors(session, actor.language, rows))
    return forms.ask(definition, known, tasks.readable_by(actor, held, None), tasks.writable_by(actor), clock.today(held.now), actor.language, _around(session, held))


def _around(session: Session, held: Held) -> dict[str, Any]:
    """What conditions read besides the facts: the dated data, where the case is, and what was decided in it and notified."""
    told = appeals.notified(session, facts.Subjects(held.root_id, held.person_id))
    return programmes.tables(session, held.dated_version, held.now).scope(clock.today(held.now)) | {"dossier": {"numero": held.number, "antenne": held.branch, "decisions": told}}


def _name(session: Session, row: Any, language: str) -> str:
    return pick(editions.load(session, row.edition_id).definitions.processes[row.process].names, language)
