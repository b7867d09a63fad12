"""A letter of a draft: its text, and beside it the letter as it would be written, of made-up answers, in both languages and on paper."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine import clock, errors
from engine.casework import drafts, letter_drafts
from web import printing
from web.dependencies import Acting, OnScreen, Reading

router = APIRouter()


@router.get("/drafts/{draft_id}/letters/{name}")
def show(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, name: str, sample: int = 1) -> Response:
    """The text of a letter and its preview; what stands around every letter is a text only."""
    whole, path = drafts.show(session, actor, draft_id), f"{letter_drafts.LETTERS}{name}"
    found = drafts.read(session, actor, draft_id, path)
    try:
        content: Any = letter_drafts.compose(session, whole, name, _within(sample))
        wrong = []
    except errors.NotFound:
        return screen.go(f"/drafts/{draft_id}/files/{path}")
    except errors.Invalid as refused:
        content, wrong = None, screen.findings(refused.findings)
    written = (found.content or b"").decode("utf-8", "replace")
    return screen.show(
        "draft/letter.html", draft=whole.draft, file=found, name=name, written=written, content=content, wrong=wrong, sample=_within(sample),
        samples=range(1, letter_drafts.MOST + 1), may_save="save" in whole.draft.may,
    )  # fmt: skip


@router.get("/drafts/{draft_id}/letters/{name}/paper")
def paper(actor: Acting, session: Reading, draft_id: UUID, name: str, sample: int = 1) -> Response:
    """The letter on paper, of made-up answers."""
    content = letter_drafts.compose(session, drafts.show(session, actor, draft_id), name, _within(sample))
    headers = {"content-disposition": f'inline; filename="{name.removesuffix(".toml")}.pdf"'}
    return Response(printing.pdf(content, clock.now(session)), media_type="application/pdf", headers=headers)


def _within(sample: int) -> int:
    return min(max(sample, 1), letter_drafts.MOST)
