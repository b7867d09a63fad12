"""What was not foreseen of a case: what may be begun, what is asked for it, beginning it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api import problems
from api.dependencies import Acting, Body, Key, Reading, Route, Writing
from engine.casework import exceptions
from engine.casework.exceptions import Begun, Unforeseen
from forms import schema

router = APIRouter(prefix="/cases/{case_id}/exceptions", tags=["cases"], route_class=Route)
Process = Annotated[str, Path(max_length=100, description="Id of what may be begun, as `GET …/exceptions` gives it.")]


class Asked(BaseModel):
    """What is asked of whoever begins it."""

    process: str
    name: str
    form: dict[str, Any] = Field(description="JSON Schema (2020-12) of the `answers`.")


class Beginning(Body):
    process: str = Field(min_length=1, max_length=100, description="Id of what is to begin.", examples=["reclamation"])
    answers: dict[str, Any] = Field(default_factory=dict, description="Field id → answer, as its `form` says.", examples=[{"reclamation.objet": "delai"}])


@router.get("", responses=problems.described(401, 404))
def of_case(actor: Acting, session: Reading, case_id: UUID) -> Unforeseen:
    """What may be begun now by the reader (`offers`), what runs beside the case's road (`running`), and the clocks that stand still while it is suspended."""
    return exceptions.of_case(session, actor, case_id)


@router.get("/{process}", responses=problems.described(401, 403, 404, 409))
def show(actor: Acting, session: Reading, case_id: UUID, process: Process) -> Asked:
    """What is asked of whoever begins it."""
    asked = exceptions.ask(session, actor, case_id, process)
    return Asked(process=asked.process, name=asked.name, form=schema.json_schema(asked.form))


@router.post("", status_code=201, responses=problems.described(401, 403, 404, 409, 422))
def begin(actor: Acting, session: Writing, case_id: UUID, asked: Beginning, idempotency_key: Key = "") -> Begun:
    """Begins it beside the case, with the answers of its form. 409 `exception.not_now`: it runs already, or the case is not in a state for it."""
    with problems.within("answers"):
        return exceptions.begin(session, actor, case_id, asked.process, asked.answers, idempotency_key, is_typed=False)
