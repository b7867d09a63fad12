"""What a person sees of cases and tasks: frozen, named for the screen; pages and API return the same objects."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from forms.form import Form


@dataclass(frozen=True)
class DeskRow:
    """One task of the worklist. `person` is "" where the reader may not know the name; `name` is in the reader's language; `may_claim`: it is free, and hers to
    take. `kept_apart`, `stands_in`: as in a task's view."""

    task_id: UUID
    case_id: UUID
    case_number: str
    person: str
    name: str
    node: str
    process: str
    agency: str
    branch: str
    role: str
    holder_id: UUID | None
    holder: str
    opened_at: dt.datetime
    due_at: dt.datetime | None
    is_late: bool
    stage: str
    priority: int
    may_claim: bool = False
    kept_apart: str = ""
    stands_in: str = ""


@dataclass(frozen=True)
class Desk:
    items: tuple[DeskRow, ...]
    next: str


@dataclass(frozen=True)
class AwaitedRow:
    """A case that waits for its person to do something. `message` is what she is to cause, `name` the diagram's word for it."""

    case_id: UUID
    case_number: str
    person: str
    branch: str
    message: str
    name: str
    since: dt.datetime


@dataclass(frozen=True)
class Awaited:
    items: tuple[AwaitedRow, ...]
    next: str


@dataclass(frozen=True)
class TaskHead:
    """What a task is: whose case, what is to be done, by whom, until when. `version` goes back with the answers."""

    task_id: UUID
    case_id: UUID
    instance_id: UUID
    case_number: str
    person: str
    node: str
    name: str
    process: str
    agency: str
    branch: str
    role: str
    holder_id: UUID | None
    holder: str
    opened_at: dt.datetime
    due_at: dt.datetime | None
    is_late: bool
    stage: str
    version: int


@dataclass(frozen=True)
class TaskView(TaskHead):
    """A task as the reader may see it: its form computed for her, her draft, and what she may do with it (`may`).

    `kept_apart`: the name of a task she did in the same dossier, for which somebody else must do this one. `stands_in`: why the case owner does another's
    task: `no_consent`, `nobody`, `kept`; "" where she does not. `papers`: what the sitting or the aid's dossier wrote so far and she may read: id and kind by language.
    `draft_stamp` goes back with what is typed on. `of`: `aide` or `seance` where the reader may see the page of that dossier (`aid_files`) or sitting (`sittings`).
    `payments_held`: of an aid, nothing may be paid now.
    """

    form: Form
    draft: Mapping[str, Any] | None
    may: frozenset[str]
    kept_apart: str = ""
    stands_in: str = ""
    papers: tuple[tuple[UUID, Mapping[str, str]], ...] = ()
    draft_stamp: str = ""
    of: str = ""
    payments_held: bool = False


@dataclass(frozen=True)
class Completed:
    """What a completion led to: `next_tasks` are those the same person may do, `opened` all those it opened (nobody's name in them), `letters` those it wrote and she may read.

    `has_ended`: the case itself, not an aid or an exception of it. `is_repeat`: the same submission had been done before and nothing changed again.
    """

    case_id: UUID
    case_number: str
    next_tasks: tuple[UUID, ...]
    has_ended: bool
    is_repeat: bool = False
    opened: tuple["Waiting", ...] = ()
    letters: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Opened:
    case_id: UUID
    case_number: str
    task_id: UUID | None


@dataclass(frozen=True)
class Waiting:
    """Something a case waits for: a task in someone's hands, a message (by its `message` name and `correlation`), an instant.

    `awaits`: `person` where she alone can cause it, else `message` or `date`; "" for a task.
    """

    kind: str
    name: str
    node: str
    since: dt.datetime
    until: dt.datetime | None
    agency: str = ""
    holder: str = ""
    message: str = ""
    correlation: str = ""
    task_id: UUID | None = None
    branch: str = ""
    role: str = ""
    awaits: str = ""


@dataclass(frozen=True)
class KnownFact:
    """A fact as shown on the case page: label and value in the reader's language, its source (`person`, `agency`: entered by `author`; `holder`: by the person
    herself, online; `online`, `signal`, `case`, `system`, `computed`) and its date; `document_id` where it is a document."""

    subject: str
    field: str
    group: str
    label: str
    value: str
    source: str
    author: str
    author_agency: str
    recorded_at: dt.datetime
    valid_until: dt.datetime | None
    document_id: str = ""


@dataclass(frozen=True)
class Stand:
    """Where one instance stands on the diagrams of the edition it follows: ids of the elements active now and passed, by process."""

    instance_id: UUID
    process: str
    status: str
    active: tuple[str, ...]
    done: tuple[str, ...]
    edition_id: UUID


@dataclass(frozen=True)
class CaseFile:
    """The case page: identity, stage, who has the ball, what is known, where it stands."""

    case_id: UUID
    case_number: str
    receipt_code: str
    person: str
    branch: str
    process: str
    edition: int
    state: str
    stage: str
    opened_at: dt.datetime
    ended_at: dt.datetime | None
    outcome: str
    referent: str
    waiting: tuple[Waiting, ...]
    known: tuple[KnownFact, ...]
    stands: tuple[Stand, ...]
    letters: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Happened:
    """One line of the history, as far as the reader may see it."""

    instance_id: UUID
    seq: int
    kind: str
    occurred_at: dt.datetime
    actor: str
    agency: str
    body: Mapping[str, Any]
    why: tuple[Mapping[str, Any], ...] = ()
    values: tuple[Mapping[str, Any], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class History:
    items: tuple[Happened, ...]
    next: str


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be the person at the desk. Without `case_id` the case is another branch's: only its number and branch are told.
    `is_expected`: signalled and awaited; a case is opened for her from the signal."""

    case_id: UUID | None
    case_number: str
    branch: str
    person: str
    status: str
    matched: tuple[str, ...]
    ended_at: dt.datetime | None = None
    is_expected: bool = False
    person_id: UUID | None = None
    born: str = ""
