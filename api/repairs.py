"""The repair desk for programs: incidents, the tokens of a case, moves, corrections, and what waits for a second person."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api import problems
from api.dependencies import Acting, Body, Reading, Route, Writing
from engine.casework import incidents, repairs
from engine.casework.incidents import Incident
from engine.casework.repair_views import Outlook, Place, Repair

router = APIRouter(tags=["repairs"], route_class=Route)
Reason = Annotated[str, Field(min_length=1, max_length=repairs.LONGEST_REASON, description="Why; it stays in the history of the case.")]
Seq = Annotated[int, Field(ge=0, le=2**53, description="The `seq` of the place that was looked at.")]
_NODE, _POSITION = {"max_length": 200}, {"max_length": 40, "pattern": r"^\d+\.\d+$"}


class Why(Body):
    reason: Reason


class Owner(Body):
    user_id: UUID | None = Field(description="A coordinator, or the head of the branch; null: nobody any more.")


class Step(Body):
    """A token and what is done to it."""

    act: Literal["move", "skip"] = Field(description="`move` to another element of its diagram, or `skip`: the operation where it stands is left undone.")
    position: str = Field(**_POSITION)
    to: str = Field(default="", **_NODE, description="The element to move to.")
    seq: Seq
    reason: Reason


class Correction(Body):
    subject: str = Field(max_length=80, description="As a known fact tells it.")
    field: str = Field(max_length=80)
    value: Any = Field(description='The new value, as a task\'s form takes it; `{"status": "inconnu"}` where the field allows it.')
    reason: Reason


class Decision(Body):
    seq: int = Field(ge=0, le=2**53, description="The `at_seq` that was read.")


class Done(BaseModel):
    """`proposed`: the proposal that another person must approve; null where it was done."""

    proposed: UUID | None


class Again(Why):
    is_alike: bool = Field(default=False, description="With it all that broke there of the same cause, in the same branch (`alike` says how many).")


class Tried(BaseModel):
    incident_id: UUID
    went_on: int = Field(description="How many went on.")
    broke_again: int = Field(description="How many broke again at once, each an incident of its own.")


class InHand(BaseModel):
    incident_id: UUID
    owner_id: UUID | None


@dataclass(frozen=True)
class Incidents:
    """The incidents nobody has mended, the oldest first."""

    items: tuple[Incident, ...]


@dataclass(frozen=True)
class Places:
    """Where the tokens of a case and of its dossiers stand."""

    items: tuple[Place, ...]


@dataclass(frozen=True)
class Repairs:
    """What waits for a second person first; the hundred latest."""

    items: tuple[Repair, ...]


@router.get("/incidents", responses=problems.described(401, 403))
def show_incidents(actor: Acting, session: Reading) -> Incidents:
    """Where cases broke, and why. `looked` leaves out the values of fields that the account may not see."""
    return Incidents(tuple(incidents.open_ones(session, actor)))


@router.post("/incidents/{incident_id}/retry", responses=problems.described(401, 403, 404, 422))
def retry(actor: Acting, session: Writing, incident_id: UUID, why: Again) -> Tried:
    """Tries the broken step again; where it breaks once more, that is an incident of its own, in the same hands."""
    tried = incidents.retry(session, actor, incident_id, why.reason, is_alike=why.is_alike)
    return Tried(incident_id=incident_id, went_on=tried.went_on, broke_again=tried.broke_again)


@router.post("/incidents/{incident_id}/assign", responses=problems.described(401, 403, 404, 422))
def assign(actor: Acting, session: Writing, incident_id: UUID, owner: Owner) -> InHand:
    """Says who takes it in hand."""
    incidents.assign(session, actor, incident_id, owner.user_id)
    return InHand(incident_id=incident_id, owner_id=owner.user_id)


@router.get("/cases/{case_id}/places", responses=problems.described(401, 403, 404))
def places(actor: Acting, session: Reading, case_id: UUID) -> Places:
    """Where the tokens of a case stand, and where each may be moved."""
    return Places(repairs.places(session, actor, case_id))


@router.get("/instances/{instance_id}/outlook", responses=problems.described(401, 403, 404, 409, 422))
def foresee(
    actor: Acting, session: Reading, instance_id: UUID, position: Annotated[str, Query(**_POSITION)], act: Literal["move", "skip"] = "move",
    to: Annotated[str, Query(**_NODE)] = "",
) -> Outlook:  # fmt: skip
    """What a move would do, played and not kept."""
    return repairs.foresee(session, actor, instance_id, act, position, to)


@router.post("/instances/{instance_id}/repair", responses=problems.described(401, 403, 404, 409, 422))
def repair(actor: Acting, session: Writing, instance_id: UUID, step: Step) -> Done:
    """Moves a token, or leaves an operation undone. Where that touches money or rights it is proposed, and another person approves it."""
    if step.act == "skip":
        return Done(proposed=repairs.skip(session, actor, instance_id, step.position, step.reason, step.seq))
    return Done(proposed=repairs.move(session, actor, instance_id, step.position, step.to, step.reason, step.seq))


@router.post("/cases/{case_id}/correct", responses=problems.described(401, 403, 404, 409, 422))
def correct(actor: Acting, session: Writing, case_id: UUID, said: Correction) -> Done:
    """Says a fact anew. Of classes F and R and of an aid it is proposed, and whoever keeps that class approves it."""
    return Done(proposed=repairs.correct(session, actor, case_id, said.subject, said.field, said.value, said.reason, is_typed=False))


@router.get("/repairs", responses=problems.described(401, 403))
def show_repairs(actor: Acting, session: Reading) -> Repairs:
    """What was proposed, and what became of it."""
    return Repairs(repairs.listed(session, actor))


@router.post("/repairs/{repair_id}/approve", responses=problems.described(401, 403, 404, 409, 422))
def approve(actor: Acting, session: Writing, repair_id: UUID, decision: Decision) -> Repair:
    """Applies it. Refused (403 `repair.own`) to whoever proposed it."""
    repairs.approve(session, actor, repair_id, decision.seq)
    return repairs.show(session, actor, repair_id)


@router.post("/repairs/{repair_id}/refuse", responses=problems.described(401, 403, 404, 409, 422))
def refuse(actor: Acting, session: Writing, repair_id: UUID, why: Why) -> Repair:
    """Says no; whoever proposed it takes it back the same way."""
    repairs.refuse(session, actor, repair_id, why.reason)
    return repairs.show(session, actor, repair_id)
