"""What the person of a case agreed to: shown, signed anew, withdrawn."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api import problems
from api.dependencies import Acting, Body, Key, Reading, Route, Writing
from engine.casework import agreements
from engine.casework.agreements import Agreement
from forms import schema

router = APIRouter(prefix="/cases/{case_id}/consent", tags=["cases"], route_class=Route)
Act = Annotated[Literal["sign", "withdraw"], Path(description="`sign`: she says anew what she agrees to · `withdraw`: she takes back some of it.")]


class ConsentForm(BaseModel):
    """What is asked for it."""

    act: str
    form: dict[str, Any] = Field(description="JSON Schema (2020-12) of the `answers`.")


class ConsentAnswers(Body):
    answers: dict[str, Any] = Field(default_factory=dict, description="Field id → answer, as its `form` says.", examples=[{"consentement.retires": ["c1"]}])


@router.get("", responses=problems.described(401, 403, 404))
def show(actor: Acting, session: Reading, case_id: UUID) -> Agreement:
    """What she agreed to, since when, who may know by it, and all that she ever said of it."""
    return agreements.of_case(session, actor, case_id)


@router.get("/{act}", responses=problems.described(401, 403, 404))
def ask(actor: Acting, session: Reading, case_id: UUID, act: Act) -> ConsentForm:
    """The form of a new signature, or of a withdrawal."""
    return ConsentForm(act=act, form=schema.json_schema(agreements.ask(session, actor, case_id, act).form))


@router.post("/{act}", responses=problems.described(401, 403, 404, 422))
def change(actor: Acting, session: Writing, case_id: UUID, act: Act, said: ConsentAnswers, idempotency_key: Key = "") -> Agreement:
    """Signs anew, or withdraws: from the next request on nobody knows more than she agrees to. Answers with what stands. 422 `consent.not_given`: nothing of it stood."""
    with problems.within("answers"):
        (agreements.sign if act == "sign" else agreements.withdraw)(session, actor, case_id, said.answers, idempotency_key, is_typed=False)
    return agreements.of_case(session, actor, case_id)
