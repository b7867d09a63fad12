"""Audit for programs: why a case went its way, history searched, samples, findings."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api import problems
from api.dependencies import Acting, Body, Reading, Route, Writing
from engine import errors, identity
from engine.casework import findings
from engine.insight import audit, samples, whys
from engine.insight import departures as otherwise

router = APIRouter(tags=["audit"], route_class=Route)
Cursor = Annotated[str, Query(pattern="^[0-9]{0,9}$")]
Said = Annotated[str, Field(min_length=1, max_length=findings.LONGEST)]


@dataclass(frozen=True)
class Acts:
    """One page of the acts of a case that took a turn, the newest first; `next` is the `cursor` of the following one, null on the last."""

    items: tuple[whys.Act, ...]
    next: str | None


@dataclass(frozen=True)
class Events:
    items: tuple[audit.Event, ...]
    next: str | None


@dataclass(frozen=True)
class Departures:
    """`veiled`: cases in which what departs was proposed by a rule that weighs what the reader may not know: counted, not shown."""

    items: tuple[otherwise.Departure, ...]
    next: str | None
    veiled: int


@dataclass(frozen=True)
class Pairs:
    items: tuple[audit.Pair, ...]
    next: str | None


@dataclass(frozen=True)
class Findings:
    items: tuple[findings.Finding, ...]
    next: str | None


@dataclass(frozen=True)
class Samples:
    items: tuple[samples.Sample, ...]


class NewSample(Body):
    process: str = Field(default="parcours", max_length=100, examples=["parcours"])
    branch: str = Field(default="", max_length=20, description="Code of a branch; empty: all.")
    opened_from: dt.date | None = Field(default=None, description="The first day of opening.")
    opened_to: dt.date | None = Field(default=None, description="The last day of opening.")
    size: int = Field(ge=1, le=samples.MOST)
    seed: str = Field(default="", max_length=100, description="Empty: one is made. It is published with the sample.")


class NewFinding(Body):
    """At a line of a case (`instance_id`, `seq`) or at an element of an edition's diagram (`edition_id`, `process`, `element`)."""

    said: Said
    answer_role: str = Field(max_length=40, examples=["chef_antenne"])
    answer_branch: str = Field(max_length=20, examples=["MED"])
    due_on: dt.date
    holds: bool = Field(default=False, description="No edition is published until it is closed, or the hold lifted.")
    instance_id: UUID | None = None
    seq: int = Field(default=0, ge=0, le=2**53)
    edition_id: UUID | None = None
    process: str = Field(default="", max_length=200)
    element: str = Field(default="", max_length=200)


class Words(Body):
    said: Said


class Made(BaseModel):
    """The id of what was made."""

    id: UUID


@router.get("/cases/{case_id}/why", responses=problems.described(401, 404, 422))
def acts(actor: Acting, session: Reading, case_id: UUID, cursor: Cursor = "") -> Acts:
    """The acts of a case at which it took a turn: gateways passed, tables asked."""
    found = whys.of_case(session, actor, case_id, cursor)
    return Acts(found.items, found.next or None)


@router.get("/cases/{case_id}/why/{instance_id}/{seq}", responses=problems.described(401, 404, 409))
def why(actor: Acting, session: Reading, case_id: UUID, instance_id: UUID, seq: int) -> whys.Whys:
    """Why each turn of one act was taken, and the smallest change that would have led elsewhere. All of it was evaluated again; what the reader may not know is left out."""
    return whys.of_act(session, actor, case_id, instance_id, seq)


@router.get("/audit/events", responses=problems.described(401, 403, 404, 422))
def events(actor: Acting, session: Reading, by: Literal["person", "actor", "agency", "rule", "deviation", "late"], value: Annotated[str, Query(max_length=200)] = "",
           cursor: Cursor = "") -> Events:  # fmt: skip
    """The lines of all cases that one question finds, the newest first. `value`: a case's id (person), a user's id (actor), a code (agency, rule), a kind of line or nothing."""
    found_id = identity.parse(value)
    if by in ("person", "actor") and found_id is None:
        raise errors.NotFound("case.not_found")
    match by:
        case "person":
            found = audit.of_person(session, actor, found_id, cursor)  # type: ignore[arg-type]
        case "actor":
            found = audit.of_actor(session, actor, found_id, cursor)  # type: ignore[arg-type]
        case "agency":
            found = audit.of_agency(session, actor, value, cursor)
        case "rule":
            found = audit.of_rule(session, actor, value, cursor)
        case "deviation":
            found = audit.deviations(session, actor, value, cursor)
        case _:
            found = audit.late(session, actor, value, cursor)
    return Events(found.items, found.next or None)


@router.get("/audit/rules", responses=problems.described(401, 403))
def rules(actor: Acting, session: Reading) -> audit.Rules:
    """The rules that fired, with how often. Those that weigh what the reader may not know are counted only."""
    return audit.rules(session, actor)


@router.get("/audit/departures", responses=problems.described(401, 403, 422))
def departures(actor: Acting, session: Reading, kind: Literal["", "aid", "orientation", "closure"] = "", cursor: Cursor = "") -> Departures:
    """Where a person decided otherwise than what a colleague or a table proposed, and why."""
    found = otherwise.listed(session, actor, kind, cursor)
    return Departures(found.items, found.next or None, found.veiled)


@router.get("/audit/pairs", responses=problems.described(401, 403, 422))
def pairs(actor: Acting, session: Reading, cursor: Cursor = "") -> Pairs:
    """Who prepared and who approved money, and how often the same two."""
    found = audit.pairs(session, actor, cursor)
    return Pairs(found.items, found.next or None)


@router.get("/audit/samples", responses=problems.described(401, 403))
def all_samples(actor: Acting, session: Reading) -> Samples:
    """The samples that were drawn, the newest first."""
    return Samples(samples.listed(session, actor))


@router.post("/audit/samples", status_code=201, responses=problems.described(401, 403, 422))
def draw(actor: Acting, session: Writing, asked: NewSample) -> Made:
    """Draws a sample: the smallest SHA-256 of the seed followed by the case's id."""
    return Made(id=samples.make(session, actor, asked.process, asked.branch, asked.opened_from, asked.opened_to, asked.size, asked.seed))


@router.get("/audit/samples/{sample_id}", responses=problems.described(401, 403, 404))
def sample(actor: Acting, session: Reading, sample_id: UUID) -> samples.Whole:
    """One sample with its population: anybody draws it again."""
    return samples.show(session, actor, sample_id)


@router.get("/findings", responses=problems.described(401, 403, 422))
def all_findings(actor: Acting, session: Reading, state: Literal["", "open", "answered", "closed"] = "", cursor: Cursor = "") -> Findings:
    """The findings that the caller makes or must answer, the most pressing first."""
    found = findings.listed(session, actor, state=state, cursor=cursor)
    return Findings(found.items, found.next or None)


@router.post("/findings", status_code=201, responses=problems.described(401, 403, 404, 422))
def make(actor: Acting, session: Writing, asked: NewFinding) -> Made:
    """Makes a finding at a line of a case or at an element of a diagram."""
    more = (asked.said, asked.answer_role, asked.answer_branch, asked.due_on, asked.holds)
    if asked.instance_id is not None:
        return Made(id=findings.open_at_event(session, actor, asked.instance_id, asked.seq, *more))
    if asked.edition_id is None:
        raise errors.NotFound("finding.no_element")
    return Made(id=findings.open_at_element(session, actor, asked.edition_id, asked.process, asked.element, *more))


@router.get("/findings/{finding_id}", responses=problems.described(401, 403, 404))
def finding(actor: Acting, session: Reading, finding_id: UUID) -> findings.Finding:
    """One finding with all that was said of it."""
    return findings.show(session, actor, finding_id)


@router.post("/findings/{finding_id}/{act}", responses=problems.described(401, 403, 404, 409, 422))
def turn(actor: Acting, session: Writing, finding_id: UUID, act: Literal["answer", "return", "lift", "close"], asked: Words) -> findings.Finding:
    """Answers a finding (whom it asks), returns an answer, lifts the hold, or closes it (an auditor)."""
    {"answer": findings.answer, "return": findings.give_back, "lift": findings.lift, "close": findings.close}[act](session, actor, finding_id, asked.said)
    return findings.show(session, actor, finding_id)
