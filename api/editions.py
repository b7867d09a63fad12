"""Editions: which are there, which is in force, one as an archive, and asking for a former one to come back."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from api import problems
from api.dependencies import Acting, Body, Reading, Route, Writing
from engine.casework import archives, drafts, editions, publication
from engine.casework.drafts import Draft
from engine.casework.editions import Published

router = APIRouter(prefix="/editions", tags=["editions"], route_class=Route)
_ZIP = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
ARCHIVE = {"description": "The archive: the files as they are, and `manifest.json` with the SHA-256 of each.", "content": _ZIP}
StartsAt = Annotated[AwareDatetime | None, Field(description="From when new cases follow it; null: from the approval.")]


@dataclass(frozen=True)
class Editions:
    """Every edition, the newest first."""

    items: tuple[Published, ...]


class Asked(Body):
    reason: str = Field(min_length=1, max_length=publication.LONGEST_REASON, description="Why; it is kept with the edition.")
    accepted: str = Field(default="", max_length=publication.LONGEST_REASON, description="Why the warnings, if there are any, are accepted.")
    burden_reason: str = Field(default="", max_length=publication.LONGEST_REASON, description="Why more may be asked of people than now, where a figure rises.")
    starts_at: StartsAt = None


@router.get("", responses=problems.described(401, 403))
def show(actor: Acting, session: Reading) -> Editions:
    """The editions. `starts` says from when each is or was followed, who asked and who approved; `open_cases` is null for whoever reads no case."""
    return Editions(editions.published(session, actor))


@router.get("/{edition_id}/archive", response_class=Response, responses={200: ARCHIVE} | problems.described(401, 403, 404))
def archive(actor: Acting, session: Reading, edition_id: UUID) -> Response:
    """An edition as one file. The same edition always gives the same bytes."""
    found = editions.find(session, actor, edition_id)
    return attachment(archives.pack(found.files, str(found.number)), f"masar-edition-{found.number}.zip")


@router.post("/{edition_id}/bring-back", status_code=201, responses=problems.described(401, 403, 404, 409, 422))
def bring_back(actor: Acting, session: Writing, edition_id: UUID, asked: Asked) -> Draft:
    """Asks for a former edition to be followed again. The answer is a submitted draft of it: the edition begins when another person approves."""
    made = publication.bring_back(session, actor, edition_id, asked.reason, accepted=asked.accepted, burden_reason=asked.burden_reason, starts_at=asked.starts_at)
    return drafts.show(session, actor, made).draft


def attachment(content: bytes, name: str) -> Response:
    """A file to keep."""
    headers = {"content-disposition": f'attachment; filename="{name}"', "x-content-type-options": "nosniff"}
    return Response(content, media_type="application/zip", headers=headers)
