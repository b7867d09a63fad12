"""What the editors of a draft's files share: diagrams, decision tables."""

from typing import Any
from uuid import UUID

from fastapi import Response
from sqlmodel import Session

from engine import errors
from engine.casework import archives, drafts, vocabulary
from web.screen import Screen


def show(screen: Screen, actor: Any, session: Session, draft_id: UUID, path: str, element: str, kind: str, template: str) -> Response:
    """The editor of one file of a kind (`archives.KINDS`). `element`: what is chosen at first. Refuses: `draft.no_file` (NotFound)."""
    whole, found = drafts.show(session, actor, draft_id), drafts.read(session, actor, draft_id, path)
    if archives.kind_of(path) != kind or found.content is None:
        raise errors.NotFound("draft.no_file")
    others = [one for one in drafts.files(whole) if one.kind == kind and one.change != "removed"]
    titles = vocabulary.titles(whole.files, {path, *(one.path for one in others)}, screen.language)
    return screen.show(
        template, titles=titles, draft=whole.draft, file=found, name=titles[path], others=others, may_save="save" in whole.draft.may,
        element=element[:200], asides=[one for one in whole.asides if one.path == path],
    )  # fmt: skip
