"""Tasks: what one asks now, taking it, giving it back or to a colleague, completing it."""

import datetime as dt
from dataclasses import dataclass, fields
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api import problems
from api.dependencies import Acting, Body, Key, Reading, Route, Writing
from engine import i18n
from engine.casework import tasks
from engine.casework.views import Completed, TaskHead, TaskView
from forms import schema
from forms.form import KnownField

router = APIRouter(prefix="/tasks/{task_id}", tags=["work"], route_class=Route)


class Known(BaseModel):
    """A fact that is known and not asked again. `is_hidden`: its agency holds it, the reader does not see it; it counts as answered."""

    field: str = Field(examples=["person.cin"])
    label: str
    value: Any = Field(description="As an answer would give it; null when hidden, unknown or refused.")
    text: str = Field(description="The value in the reader's language.")
    status: str = Field(description="`known`, `inconnu` or `refuse`.")
    source: str = Field(description="`person` or `agency` (entered by `author`), `holder` (by the person herself, online), `online`, `signal`, `case`, `system` or `computed`.")
    author: str
    author_agency: str
    recorded_at: dt.datetime
    is_hidden: bool
    may_correct: bool
    correction: dict[str, Any] | None = Field(
        description="JSON Schema of a correction: an answer under this field's id, or `{value, reason}`. Null when it is not the reader's to correct."
    )


class Paper(BaseModel):
    letter_id: UUID
    title: str


@dataclass(frozen=True, kw_only=True)
class Task(TaskHead):
    """A task as the reader may see it."""

    version: Annotated[int, Field(description="Goes back with the answers: when what the form asks or shows has changed since, they are refused as stale.")]
    may: Annotated[list[str], Field(description="What the reader may do with it: `claim`, `release`, `complete`, `pass`.")]
    kept_apart: Annotated[str, Field(description="Name of a task the reader did in the same dossier, for which somebody else must do this one; else empty.")]
    papers: Annotated[list[Paper], Field(description="What a sitting wrote so far, for whoever is to read it: `GET /cases/{case_id}/letters/{letter_id}.pdf`.")]
    stands_in: Annotated[str, Field(description="Why the case owner does another's task: `no_consent`, `nobody` (entrusted to none), `kept` (C1 refused or withdrawn); else empty.")]
    form: Annotated[
        dict[str, Any],
        Field(description="JSON Schema (2020-12) of the `answers` that are asked now. An upload field (`x-upload`) takes a `document_id`."),
    ]
    known: list[Known]


class Taken(BaseModel):
    task_id: UUID
    holder_id: UUID | None


class Passing(Body):
    to: UUID = Field(description="A colleague who may do it: `POST /worklist/selection/colleagues` lists them.")
    reason: str = Field(default="", max_length=500, description="Why; it is kept in the history of the case.")


class Answers(Body):
    answers: dict[str, Any] = Field(default_factory=dict, description="Field id → answer, as the task's `form` says.", examples=[{"person.cin": "01234567"}])
    version: int = Field(ge=0, le=2**63 - 1, description="The `version` that was read with the form.")
    not_duplicate_of: list[UUID] = Field(default_factory=list, max_length=50, description="Cases that were looked at and are another person's.")
    not_duplicate_reason: str = Field(default="", max_length=2000, description="Why they are.")
    same_as: list[UUID] = Field(default_factory=list, max_length=50, description="Signals (candidates with `is_expected`) of the person herself, who has now come.")


@router.get("", responses=problems.described(401, 404, 409))
def show(actor: Acting, session: Reading, task_id: UUID) -> Task:
    """A task: its form computed for the reader (only what nobody has answered, or what has gone stale) and what is known already."""
    return _shown(tasks.view(session, actor, task_id))


@router.post("/claim", responses=problems.described(401, 403, 404, 409))
def claim(actor: Acting, session: Writing, task_id: UUID) -> Taken:
    """Takes the task in hand. When somebody was first, 409 says who."""
    tasks.claim(session, actor, task_id)
    return Taken(task_id=task_id, holder_id=actor.user_id)


@router.post("/release", responses=problems.described(401, 403, 404, 409))
def release(actor: Acting, session: Writing, task_id: UUID) -> Taken:
    """Gives the task back to its branch."""
    tasks.release(session, actor, task_id)
    return Taken(task_id=task_id, holder_id=None)


@router.post("/pass", responses=problems.described(401, 403, 404, 409, 422))
def pass_to(actor: Acting, session: Writing, task_id: UUID, asked: Passing) -> Taken:
    """Gives the task to a colleague who may do it; she is told."""
    tasks.pass_to(session, actor, task_id, asked.to, asked.reason)
    return Taken(task_id=task_id, holder_id=asked.to)


@router.post("/complete", responses=problems.described(401, 403, 404, 409, 422))
def complete(actor: Acting, session: Writing, task_id: UUID, said: Answers, idempotency_key: Key = "") -> Completed:
    """Does the task: the answers become facts and the case moves on.

    409 `task.held`, `task.done`, `task.stale` (a colleague answered meanwhile: read the task again), `beneficiary.possible_duplicate`
    (`candidates`: send again with `not_duplicate_of` and a reason, or `same_as` for a signal of the same person). 422 points at each answer to be corrected.
    """
    raw = dict(said.answers)
    if said.not_duplicate_of:
        raw |= {"not_duplicate_of": [str(one) for one in said.not_duplicate_of], "not_duplicate_reason": said.not_duplicate_reason}
    if said.same_as:
        raw["same_as"] = [str(one) for one in said.same_as]
    with problems.within("answers"):
        return tasks.complete(session, actor, task_id, raw, said.version, idempotency_key)


def _shown(task: TaskView) -> Task:
    """The schema of a form holds what is asked and, marked, what is known: here the one is the task's `form`, the other goes with each known fact."""
    same = {one.name: getattr(task, one.name) for one in fields(TaskHead)}
    form = schema.json_schema(task.form)
    known = {one.spec.id for one in task.form.known}
    corrections = {name: form["properties"].pop(name) for name in known & form["properties"].keys()}
    known_now = [known_fact(one, corrections, task.form.language) for one in task.form.known]
    papers = [Paper(letter_id=letter_id, title=i18n.pick(titles, task.form.language)) for letter_id, titles in task.papers]
    return Task(**same, may=sorted(task.may), kept_apart=task.kept_apart, stands_in=task.stands_in, papers=papers, form=form, known=known_now)


def known_fact(one: KnownField, corrections: dict[str, Any], language: str) -> Known:
    """A known fact; `corrections`: the schemas of those that may be said anew, by field."""
    return Known(
        field=one.spec.id,
        label=i18n.pick(one.spec.label, language),
        value=one.value,
        text=one.text,
        status=one.status,
        source=one.source.kind,
        author=one.author,
        author_agency=one.author_agency,
        recorded_at=one.recorded_at,
        is_hidden=one.is_hidden,
        may_correct=one.may_correct,
        correction=corrections.get(one.spec.id) if one.may_correct else None,
    )
