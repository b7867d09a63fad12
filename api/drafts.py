"""Drafts: what coordinators prepare: files read and saved, submitted by one, approved by another."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile
from starlette.responses import Response

from api import problems
from api.checks import Found
from api.dependencies import Acting, Body, Reading, Route, Writing
from api.editions import ARCHIVE, Asked, attachment
from engine import errors
from engine.casework import archives, drafts, incoming, judging, proposals, publication
from engine.casework.comparisons import BurdenLine, Marks, Told
from engine.casework.drafts import Aside, Draft, DraftFile

router = APIRouter(prefix="/drafts", tags=["editions"], route_class=Route)
Version = Annotated[int, Field(ge=0, le=2**31 - 1, description="The `version` that was read.")]
_PARTS = {"type": "array", "items": {"type": "string", "format": "binary"}, "description": "One archive (.zip), or BPMN, DMN and TOML files."}
_FORM = {"type": "object", "required": ["files"], "properties": {"files": _PARTS, "title": {"type": "string"}}}
_MULTIPART = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}}


class NewDraft(Body):
    title: str = Field(default="", max_length=drafts.LONGEST_TITLE)
    edition_id: UUID | None = Field(default=None, description="The edition it is forked from; by default the one in force.")


class FileSaved(Body):
    content: str = Field(description="The whole file, 1 MB at most.")
    version: Version


class Read(Body):
    version: Version


class Refused(Read):
    reason: str = Field(min_length=1, max_length=publication.LONGEST_REASON)


class OneDraft(BaseModel):
    """A draft with its files, what stands aside, and what would forbid its publication."""

    draft: Draft
    files: list[DraftFile]
    asides: list[Aside]
    findings: list[Found]


class Compared(BaseModel):
    """What a draft would change of an edition, and what it would cost those who walk the pathway."""

    edition_number: int = Field(description="The edition it is compared with: the one it would replace, or did.")
    changes: list[Told] = Field(description="Every difference as a sentence; `kind` is `added`, `removed`, `renamed`, `moved`, `changed` or `layout`.")
    marks: Marks = Field(description="What to paint: by side and diagram, element id to `added`, `removed`, `changed` or `moved`.")
    burden: list[BurdenLine] | None = Field(description="Each figure on the shortest, the typical and the longest way; null where the draft has errors. A rise needs `burden_reason`.")


class FileRead(BaseModel):
    path: str
    kind: str = Field(description="`diagrams`, `tables`, `forms`, `letters` or `dictionary`.")
    version: int = Field(description="Goes back with the save. 0: as in the edition.")
    content: str | None = Field(description="The whole file; null where it was taken out or is not UTF-8 (the archive holds it then).")
    saved_by: str


class Kept(BaseModel):
    path: str
    version: int = Field(description="The file's last version, from which the next save is made.")


class AsideRead(BaseModel):
    aside: Aside
    content: str | None


@dataclass(frozen=True)
class Drafts:
    """The hundred latest, those under way first."""

    items: tuple[Draft, ...]


@router.get("", responses=problems.described(401, 403))
def show_all(actor: Acting, session: Reading) -> Drafts:
    """The drafts, as coordinators and auditors see them."""
    return Drafts(drafts.listed(session, actor))


@router.post("", status_code=201, responses=problems.described(401, 403, 404, 422))
def open_draft(actor: Acting, session: Writing, asked: NewDraft) -> Draft:
    """Begins a draft."""
    return _now(session, actor, drafts.open_draft(session, actor, asked.title, asked.edition_id))


async def _sent(request: Request) -> tuple[list[tuple[str, bytes]], str]:
    form = await request.form(max_files=archives.MOST_FILES, max_fields=20)
    sent = [(value.filename or "", await value.read()) for value in form.values() if isinstance(value, UploadFile)]
    title = form.get("title")
    return sent, title if isinstance(title, str) else ""


@router.post("/import", status_code=201, openapi_extra=_MULTIPART, responses=problems.described(401, 403, 413, 422))
def bring_in(actor: Acting, session: Writing, sent: Annotated[tuple[list[tuple[str, bytes]], str], Depends(_sent)]) -> Draft:
    """Makes a draft of an archive, whose files replace the whole, or of files, which are laid over the edition in force. Every byte is kept."""
    return _now(session, actor, incoming.bring_in(session, actor, *sent))


@router.get("/{draft_id}", responses=problems.described(401, 403, 404))
def show(actor: Acting, session: Reading, draft_id: UUID) -> OneDraft:
    """A draft whole."""
    whole = drafts.show(session, actor, draft_id)
    found = [_found(one, actor.language) for one in publication.findings(whole)]
    return OneDraft(draft=whole.draft, files=list(drafts.files(whole)), asides=list(whole.asides), findings=found)


@router.get("/{draft_id}/comparison", responses=problems.described(401, 403, 404))
def compare(actor: Acting, session: Reading, draft_id: UUID) -> Compared:
    """What a draft would change and cost, as its approver reads it."""
    found = proposals.read(session, actor, drafts.show(session, actor, draft_id))
    burden = None if found.burden is None else list(found.burden)
    return Compared(edition_number=found.edition_number, changes=list(found.changes), marks=found.marks, burden=burden)


@router.get("/{draft_id}/archive", response_class=Response, responses={200: ARCHIVE} | problems.described(401, 403, 404))
def archive(actor: Acting, session: Reading, draft_id: UUID) -> Response:
    """A draft as one file, to be read with other tools and imported again."""
    whole = drafts.show(session, actor, draft_id)
    return attachment(archives.pack(whole.files, whole.draft.title), f"masar-draft-{draft_id}.zip")


@router.get("/{draft_id}/files/{path:path}", responses=problems.described(401, 403, 404))
def read_file(actor: Acting, session: Reading, draft_id: UUID, path: str) -> FileRead:
    """One file of a draft as it is now."""
    found = drafts.read(session, actor, draft_id, path)
    return FileRead(path=path, kind=archives.kind_of(path), version=found.version, content=_text(found.content), saved_by=found.saved_by)


@router.put("/{draft_id}/files/{path:path}", response_model=Kept, responses=problems.described(401, 403, 404, 409, 422))
def save_file(actor: Acting, session: Writing, request: Request, draft_id: UUID, path: str, sent: FileSaved) -> Kept | Response:
    """Saves a file from the version that was read.

    409 `draft.aside`: somebody saved a newer version meanwhile (`who`, `at`, `version`); what was sent is kept under `aside`, to be taken or dropped.
    """
    return _kept(request, drafts.save(session, actor, draft_id, path, sent.content.encode(), sent.version))


@router.delete("/{draft_id}/files/{path:path}", response_model=Kept, responses=problems.described(401, 403, 404, 409, 422))
def take_out(
    actor: Acting, session: Writing, request: Request, draft_id: UUID, path: str, version: Annotated[int, Query(ge=0, le=2**31 - 1)]
) -> Kept | Response:
    """Takes a file out of a draft; its versions stay. 409 as for a save."""
    return _kept(request, drafts.save(session, actor, draft_id, path, None, version))


@router.get("/{draft_id}/asides/{aside_id}", responses=problems.described(401, 403, 404))
def read_aside(actor: Acting, session: Reading, draft_id: UUID, aside_id: int) -> AsideRead:
    """What stands aside; `content` is null where the file was taken out or is not UTF-8."""
    found, content = drafts.read_aside(session, actor, draft_id, aside_id)
    return AsideRead(aside=found, content=_text(content))


@router.post("/{draft_id}/asides/{aside_id}/take", responses=problems.described(401, 403, 404, 409, 422))
def take_aside(actor: Acting, session: Writing, draft_id: UUID, aside_id: int, read: Read) -> Kept:
    """Makes what stands aside the file's next version. `version`: the one of the file that it was compared with."""
    found = drafts.take_aside(session, actor, draft_id, aside_id, read.version)
    return Kept(path=found.path, version=found.version)


@router.post("/{draft_id}/asides/{aside_id}/drop", responses=problems.described(401, 403, 404, 409))
def drop_aside(actor: Acting, session: Writing, draft_id: UUID, aside_id: int) -> Draft:
    """Puts away what stands aside."""
    drafts.drop_aside(session, actor, draft_id, aside_id)
    return _now(session, actor, draft_id)


@router.post("/{draft_id}/update", responses=problems.described(401, 403, 404, 409))
def bring_up_to_date(actor: Acting, session: Writing, draft_id: UUID) -> Draft:
    """Lays the draft over the newest edition decided (`is_behind`). A file that both changed stays the draft's; the edition's version stands aside."""
    drafts.bring_up_to_date(session, actor, draft_id)
    return _now(session, actor, draft_id)


@router.post("/{draft_id}/submit", responses=problems.described(401, 403, 404, 409, 422))
def submit(actor: Acting, session: Writing, draft_id: UUID, asked: Asked) -> Draft:
    """Asks for publication. An error forbids it (422, each in `errors`); a warning asks for `accepted`, a heavier burden for `burden_reason`."""
    publication.submit(session, actor, draft_id, asked.reason, accepted=asked.accepted, burden_reason=asked.burden_reason, starts_at=asked.starts_at)
    return _now(session, actor, draft_id)


@router.post("/{draft_id}/approve", responses=problems.described(401, 403, 404, 409, 422))
def approve(actor: Acting, session: Writing, draft_id: UUID, read: Read) -> Draft:
    """Publishes it. Refused (403 `draft.own`) to whoever saved anything in it or submitted it; `version` is the draft's."""
    publication.approve(session, actor, draft_id, read.version)
    return _now(session, actor, draft_id)


@router.post("/{draft_id}/refuse", responses=problems.described(401, 403, 404, 409, 422))
def refuse(actor: Acting, session: Writing, draft_id: UUID, refused: Refused) -> Draft:
    """Sends it back, saying why."""
    publication.refuse(session, actor, draft_id, refused.version, refused.reason)
    return _now(session, actor, draft_id)


@router.post("/{draft_id}/drop", responses=problems.described(401, 403, 404, 409))
def drop(actor: Acting, session: Writing, draft_id: UUID) -> Draft:
    """Gives it up."""
    drafts.drop(session, actor, draft_id)
    return _now(session, actor, draft_id)


def _now(session: Writing, actor: Acting, draft_id: UUID) -> Draft:
    return drafts.show(session, actor, draft_id).draft


def _kept(request: Request, saved: drafts.Saved) -> Kept | Response:
    """A save that stands aside is a conflict that is answered, not raised: raised, it would undo what was kept."""
    return problems.refused(request, saved.conflict) if saved.conflict else Kept(path=saved.path, version=saved.version)


def _text(content: bytes | None) -> str | None:
    try:
        return None if content is None else content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _found(one: errors.Finding, language: str) -> Found:
    return Found(**judging.said(one, language))
