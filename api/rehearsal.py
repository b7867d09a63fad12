"""Trying a draft before anybody is concerned by it: rehearsal on the cases, trial by hand, scenarios kept with it, simulation."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from api import problems
from api.dependencies import Acting, Body, Reading, Route, Writing
from engine import errors
from engine.casework import batches, sandbox, scenarios, trials
from engine.casework.judging import said
from engine.insight import queues, rehearsals, simulations
from engine.pathway import simulation

router = APIRouter(prefix="/drafts/{draft_id}", tags=["editions"], route_class=Route)
Staff = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,10}:[A-Z]{1,10}:[a-z_]{1,40}:[0-9]{1,4}$")]
Version = Annotated[int, Field(ge=0, le=2**31 - 1, description="The `version` of the trial that was read.")]


class Difference(BaseModel):
    """What would go otherwise at an element, and in how many cases. `cases_named`: the latest of them; none where `is_veiled` (the branch weighs what the reader may not know)."""

    kind: str = Field(description="`stops`, `branch`, `undone`, `ends`, `asks` or `waits`.")
    process: str
    element: str
    then: list[str] = Field(description="As it went: flows, an end, a length.")
    now: list[str] = Field(description="As it would go.")
    fields: list[str] = Field(description="What would be asked, or what the branch weighs.")
    cases: int
    cases_named: list[str]
    is_veiled: bool


class Rehearsal(BaseModel):
    """A rehearsal as far as it is. `counts`: cases by result (`same`, `differs`, `unread`); `seconds_per_thousand`: once it is done."""

    state: str = Field(description="`waiting`, `running`, `done`, `cancelled` or `failed`.")
    total: int
    done: int
    is_stale: bool = Field(description="The draft was changed since.")
    counts: dict[str, int]
    gravest: dict[str, int]
    differences: list[Difference]
    seconds_per_thousand: float | None


class Begun(Body):
    process: str = Field(max_length=80)
    branch: str = Field(max_length=10)
    message: str = Field(default="", max_length=80, description="The start message, where the process is begun by one.")


class Act(Body):
    """`answer` (`answers`), `hear` (`payload`), `retry`, `jump` (to what falls due next) or `wait` (`days`). Of several tokens at a node, `turn` is which."""

    do: str = Field(pattern=f"^({'|'.join(trials.ACTS)})$")
    version: Version
    instance: int = Field(default=0, ge=0, le=1000)
    node: str = Field(default="", max_length=200)
    turn: int = Field(default=1, ge=1, le=1000)
    answers: dict[str, Any] = Field(default_factory=dict)
    payload: dict[str, Any] = Field(default_factory=dict)
    days: int = Field(default=1, ge=1, le=3660)


class Back(Body):
    version: Version
    steps: int = Field(default=1, ge=1, le=400)


class Turn(BaseModel):
    instance: int
    node: str
    turn: int
    process: str
    agency: str
    role: str
    due_at: dt.datetime | None
    asks: list[str] = Field(description="Field ids, in order.")


class Awaited(BaseModel):
    instance: int
    node: str
    turn: int
    kind: str
    name: str
    due_at: dt.datetime | None


class Walked(BaseModel):
    """One instance of a trial: where its tokens stand, and whether it is over."""

    process: str
    is_open: bool
    stands: list[str]
    incidents: list[str]


class TrialRead(BaseModel):
    version: int
    now: dt.datetime
    lost: int = Field(description="Acts that the draft, changed since, no longer allows.")
    tasks: list[Turn]
    waiting: list[Awaited]
    instances: list[Walked]


class Made(Body):
    title: str = Field(min_length=1, max_length=scenarios.LONGEST_TITLE)
    case_number: str = Field(default="", max_length=40, description="The case it is made of; without one, the caller's trial.")


class Scenario(BaseModel):
    path: str
    title: str
    process: str
    made_of: str
    steps: int
    finding: str = Field(description="Where the draft no longer follows it; empty where it does.")


class Covered(BaseModel):
    process: str
    passed: int
    total: int
    missed: list[str]


class Scenarios(BaseModel):
    items: list[Scenario]
    coverage: list[Covered]


class Figure(BaseModel):
    """A mean and where it lies eight times out of ten."""

    mean: float
    low: float
    high: float


class Agency(BaseModel):
    agency: str
    tasks: Figure = Field(description="Tasks a case.")
    days: Figure = Field(description="Days that a case waits for the agency.")
    tasks_a_month: Figure


class Outcome(BaseModel):
    days: Figure
    half: float = Field(description="Days that half of the cases stay below.")
    nine_tenths: float
    agencies: list[Agency]
    assumed: list[list[str]] = Field(description="What was never seen: kind of assumption, element.")


class Simulated(BaseModel):
    process: str
    current: Outcome
    draft: Outcome
    is_same: bool


class Staffed(BaseModel):
    """A role in a branch. With `tasks_a_month` and no `people`, nobody does them."""

    people: int
    tasks_a_month: Figure
    hours_a_month: Figure = Field(description="Hours of work that come.")
    busy: Figure = Field(description="Part of its holders' open hours that tasks take, those of their other roles too (0 to 1).")
    hours_until_free: Figure = Field(description="Open hours until somebody is free, on average.")


class Post(BaseModel):
    branch: str
    agency: str
    role: str
    current: Staffed
    draft: Staffed


class Simulation(BaseModel):
    """Expected waiting and load, draft against the edition in force. The same history and people give the same figures."""

    cases: int
    observations: int
    measured: int = Field(description="Tasks whose working time was measured.")
    hours_a_month: float = Field(description="Open hours that one person is there.")
    processes: list[Simulated]
    posts: list[Post]


@router.get("/rehearsal", responses=problems.described(401, 403, 404))
def show_rehearsal(actor: Acting, session: Reading, draft_id: UUID) -> Rehearsal:
    """The latest rehearsal of a draft, as far as it is; 404 `rehearsal.none` where there was none."""
    found = rehearsals.report(session, actor, draft_id)
    if found is None:
        raise errors.NotFound("rehearsal.none")
    return _rehearsal(found)


@router.post("/rehearsal", status_code=202, responses=problems.described(401, 403, 404, 422))
def rehearse(actor: Acting, session: Writing, draft_id: UUID) -> Rehearsal:
    """Asks for every case, past and open, to be done again on the draft, in the background; nothing changes for anybody."""
    rehearsals.start(session, actor, draft_id)
    return _rehearsal(rehearsals.report(session, actor, draft_id))


@router.post("/rehearsal/cancel", responses=problems.described(401, 403, 404, 409))
def cancel_rehearsal(actor: Acting, session: Writing, draft_id: UUID) -> Rehearsal:
    """Stops the rehearsal under way; what was done so far stays."""
    batches.cancel_latest(session, actor, rehearsals.KIND, draft_id)
    return _rehearsal(rehearsals.report(session, actor, draft_id))


@router.get("/trial", responses=problems.described(401, 403, 404, 422))
def show_trial(actor: Acting, session: Reading, draft_id: UUID) -> TrialRead:
    """The caller's own trial of a draft; 404 `trial.not_begun` where she began none."""
    found = trials.show(session, actor, draft_id)
    if found is None:
        raise errors.NotFound("trial.not_begun")
    return _trial(found)


@router.post("/trial", status_code=201, responses=problems.described(401, 403, 404, 422))
def begin_trial(actor: Acting, session: Writing, draft_id: UUID, asked: Begun) -> TrialRead:
    """Begins a trial, in the place of the one there was."""
    return _trial(trials.begin(session, actor, draft_id, asked.process, asked.branch, asked.message))


@router.post("/trial/acts", responses=problems.described(401, 403, 404, 409, 422))
def act_in_trial(actor: Acting, session: Writing, draft_id: UUID, asked: Act) -> TrialRead:
    """One act more: a task answered, a message that comes, time that jumps."""
    return _trial(trials.act(session, actor, draft_id, asked.model_dump(exclude={"version"}), asked.version))


@router.post("/trial/back", responses=problems.described(401, 403, 404, 409, 422))
def step_back(actor: Acting, session: Writing, draft_id: UUID, asked: Back) -> TrialRead:
    """Takes the last acts back."""
    return _trial(trials.back(session, actor, draft_id, asked.version, asked.steps))


@router.get("/scenarios", responses=problems.described(401, 403, 404, 422))
def show_scenarios(actor: Acting, session: Reading, draft_id: UUID) -> Scenarios:
    """The scenarios of a draft, played on it, and what they cover."""
    return _scenarios(session, actor, draft_id)


@router.post("/scenarios", status_code=201, responses=problems.described(401, 403, 404, 409, 422))
def make_scenarios(actor: Acting, session: Writing, draft_id: UUID, asked: Made) -> Scenarios:
    """Makes scenarios of a real case, about nobody any more, or of the caller's trial; they are saved among the draft's files."""
    if asked.case_number:
        scenarios.of_case(session, actor, draft_id, asked.case_number, asked.title)
    else:
        scenarios.of_trial(session, actor, draft_id, asked.title)
    return _scenarios(session, actor, draft_id)


@router.post("/scenarios/renew", responses=problems.described(401, 403, 404, 409, 422))
def renew_scenario(actor: Acting, session: Writing, draft_id: UUID, path: Annotated[str, Query(max_length=300)]) -> Scenarios:
    """Takes what the draft does now as what a scenario expects."""
    scenarios.renew(session, actor, draft_id, path)
    return _scenarios(session, actor, draft_id)


@router.get("/simulation", responses=problems.described(401, 403, 404, 422))
def simulate(
    actor: Acting, session: Reading, draft_id: UUID,
    people: Annotated[list[Staff] | None, Query(max_length=100, description="People to try in place of those there are, each `branch:agency:role:number`.")] = None,
) -> Simulation:  # fmt: skip
    """The expected waiting and load of each agency, draft against the edition in force, with their uncertainty; with other people for the draft, where some are given."""
    asked = {queues.Post(*one.split(":")[:3]): int(one.rpartition(":")[2]) for one in people or ()}
    found = simulations.outlook(session, actor, draft_id, asked)
    made = [Simulated(process=one.process, current=_outcome(one.now), draft=_outcome(one.then), is_same=one.is_same) for one in found.compared]
    posts = [Post(branch=one.post.branch, agency=one.post.agency, role=one.post.role, current=_staffed(one.now), draft=_staffed(one.then)) for one in found.posts]
    return Simulation(cases=found.cases, observations=found.observations, measured=found.measured, hours_a_month=round(found.hours_a_month, 1), processes=made, posts=posts)


def _rehearsal(found: rehearsals.Report) -> Rehearsal:
    differences = [
        Difference(kind=one.kind, process=one.process, element=one.node, then=list(one.then), now=list(one.now), fields=list(one.fields), cases=one.cases,
                   cases_named=[number for number, _ in one.named], is_veiled=one.is_veiled)
        for one in found.groups
    ]  # fmt: skip
    batch = found.batch
    return Rehearsal(state=batch.state, total=batch.total, done=batch.done, is_stale=found.is_stale, counts=dict(found.counts), gravest=dict(found.gravest),
                     differences=differences, seconds_per_thousand=found.per_thousand)  # fmt: skip


def _trial(found: trials.Trial) -> TrialRead:
    def turn(one: sandbox.Turn) -> Turn:
        return Turn(instance=one.instance, node=one.node, turn=one.turn, process=one.process, agency=one.agency, role=one.role, due_at=one.due_at,
                    asks=[question.spec.id for question in one.form.questions()])  # fmt: skip

    town = found.town
    walked = [Walked(process=walk.held.process, is_open=walk.is_open, stands=sorted(found.standing(walk.place).active), incidents=sorted(one.node for one in walk.incidents.values()))
              for walk in town.walks]  # fmt: skip
    waiting = [Awaited(instance=one.instance, node=one.node, turn=one.turn, kind=one.kind, name=one.name, due_at=one.due_at) for one in town.waiting()]
    return TrialRead(version=found.version, now=town.now, lost=found.lost, tasks=[turn(one) for one in town.turns()], waiting=waiting, instances=walked)


def _scenarios(session: Any, actor: Any, draft_id: UUID) -> Scenarios:
    _, kept, sheets = scenarios.listed(session, actor, draft_id)
    items = [Scenario(path=one.path, title=one.title, process=one.process, made_of=one.made_of, steps=one.steps,
                      finding=said(one.finding, actor.language)["message"] if one.finding else "") for one in kept]  # fmt: skip
    return Scenarios(items=items, coverage=[Covered(process=one.process, passed=one.total - len(one.missed), total=one.total, missed=list(one.missed)) for one in sheets])


def _figure(one: simulation.Range) -> Figure:
    return Figure(mean=round(one.mean, 3), low=round(one.low, 3), high=round(one.high, 3))


def _staffed(one: simulations.Load) -> Staffed:
    return Staffed(people=one.people, tasks_a_month=_figure(one.tasks), hours_a_month=_figure(one.hours), busy=_figure(one.busy), hours_until_free=_figure(one.waits))


def _outcome(found: simulation.Forecast) -> Outcome:
    agencies = [Agency(agency=one.agency, tasks=_figure(one.tasks), days=_figure(one.days), tasks_a_month=_figure(one.a_month)) for one in found.shares]
    return Outcome(days=_figure(found.days), half=round(found.half, 3), nine_tenths=round(found.most, 3), agencies=agencies, assumed=[list(one) for one in found.assumed])
