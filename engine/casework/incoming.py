"""Files from outside become a draft: an archive of another edition, diagrams and tables of other tools."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.casework import archives, drafts, editions


def bring_in(session: Session, actor: Any, sent: Iterable[tuple[str, bytes]], title: str = "") -> UUID:
    """Makes a draft of what came from outside: an archive, whose files replace the whole, or BPMN, DMN and TOML files, laid over the edition in force.

    Refuses: Forbidden; what `archives` refuses; `draft.nothing_sent`, `draft.name_taken`.
    """
    authority.require(actor, "draft.write")
    base = editions.current(session)
    wanted: dict[str, bytes | None] = {}
    for name, content in sent:
        if name.lower().endswith(".zip"):
            wanted |= dict.fromkeys(base.files) | archives.unpack(content)
        else:
            archives.check_size(name, content)
            wanted[archives.named(name, content, base.files)] = content
    if not wanted:
        raise errors.Invalid("draft.nothing_sent")
    draft_id = drafts.open_draft(session, actor, title)
    for path, content in wanted.items():
        if content != base.files.get(path):
            drafts.save(session, actor, draft_id, path, content, 0)
    return draft_id
