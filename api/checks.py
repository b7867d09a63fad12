"""Checks: files judged as publication would judge them, for coordinators and auditors. Nothing is kept, and nothing else is read."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from api import problems
from api.dependencies import Acting, Reading, Route
from engine import errors
from engine.actors import authority
from engine.casework import editions, judging

router = APIRouter(tags=["editions"], route_class=Route)
_PARTS = {"type": "array", "items": {"type": "string", "format": "binary"}, "description": "BPMN, DMN and TOML files, under the names they have in an edition."}
_FORM = {"type": "object", "required": ["files"], "properties": {"files": _PARTS}}
_MULTIPART = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}}


class Found(BaseModel):
    """One thing that forbids publication (`error`), or needs a reason (`warning`)."""

    severity: Literal["error", "warning"]
    code: str = Field(examples=["check.deadlock"])
    file: str = Field(description="The file at fault.", examples=["accueil.bpmn"])
    element: str = Field(description="The id of the element, the line or the field at fault; empty for the file as a whole.", examples=["T101"])
    message: str = Field(description="What is wrong and what to do, in the reader's language.")


class Checked(BaseModel):
    findings: list[Found]


async def _sent(request: Request) -> list[tuple[str, bytes]]:
    """The files of the form, whatever their parts are called."""
    form = await request.form(max_files=judging.MOST_FILES, max_fields=20)
    return [(value.filename or "", await value.read()) for _, value in form.multi_items() if isinstance(value, UploadFile)]


@router.post("/checks", openapi_extra=_MULTIPART, responses=problems.described(401, 403, 413, 422))
def check(actor: Acting, session: Reading, sent: Annotated[list[tuple[str, bytes]], Depends(_sent)]) -> Checked:
    """Judges files as publication would. What is not sent is taken from the edition in force.

    An edition with an `error` is not published; with a `warning` it is, for a reason given.
    """
    authority.require(actor, "edition.check")
    if not sent:
        raise errors.Invalid("check.no_file")
    edition = editions.current_or_none(session)
    found = judging.examine(sent, edition.files if edition else {}, editions.house())
    return Checked(findings=[Found(**judging.said(one, actor.language)) for one in found])  # type: ignore[arg-type]
