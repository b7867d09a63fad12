"""The diagram editor: a page on one BPMN file of a draft, and what its script asks for: the words, what may be named, what the judge finds.

Reading and saving the file itself is `draft`'s (`/content/`, `/files/`), as for every editor.
"""

import re
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from engine import errors, i18n
from engine.casework import drafts, publication, sketches, vocabulary
from engine.i18n import pick
from web import editor
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, field
from web.pages.draft import with_links
from web.screen import Screen

router = APIRouter()
_WORDS, _BPMN_JS = "web.editor.", "web.bpmn_js."
_ID = re.compile(r"[a-z][a-z0-9_]{0,59}")


@router.post("/drafts/{draft_id}/diagrams")
def begin(screen: OnScreen, actor: Acting, session: Writing, form: Posted, draft_id: UUID) -> Response:
    """A new diagram, from one of the sketches; a name that will not do is refused with the reason."""
    process = field(form, "process", 80)
    if not _ID.fullmatch(process):
        raise errors.Invalid("draft.sketch")
    names = {language: field(form, f"name_{language}", 200) for language in i18n.LANGUAGES}
    lanes = [lane for lane in vocabulary.LANES if lane in form.getlist("lane")]
    path, whole = f"processes/{process}.bpmn", drafts.locked(session, actor, draft_id)
    if any(one.endswith(f"/{process}.bpmn") for one in whole.files):
        raise errors.Invalid("draft.name_taken", name=f"{process}.bpmn")
    version = drafts.read(session, actor, draft_id, path).version if path in whole.saves else 0  # it was taken out before
    drafts.save(session, actor, draft_id, path, sketches.draw(field(form, "kind", 20), process, names, lanes), version)
    return screen.go(f"/drafts/{draft_id}/diagrams/{path}")


@router.get("/drafts/{draft_id}/diagrams/{path:path}")
def show(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, path: str, element: str = "") -> Response:
    """The editor of one diagram. `element`: what is selected at first."""
    return editor.show(screen, actor, session, draft_id, path, element, "diagrams", "drawing/page.html")


@router.get("/drafts/{draft_id}/vocabulary")
def words(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID) -> Response:
    """What a diagram of this draft may name, and the words of the editor, in the reader's language."""
    found = vocabulary.of(drafts.show(session, actor, draft_id).files)
    language, text = screen.language, screen.words.text
    texts = i18n.catalogue(language)
    return JSONResponse({
        "language": language,
        "words": {code.removeprefix(_WORDS): sentence for code, sentence in texts.items() if code.startswith(_WORDS)},
        "bpmn_js": {code.removeprefix(_BPMN_JS): sentence for code, sentence in texts.items() if code.startswith(_BPMN_JS)},
        **{kind: [_named(one, language) for one in getattr(found, kind)] for kind in ("forms", "letters", "decisions", "processes", "tasks", "fields")},
        "dates": [{**_named(one, language), "group": pick(one.group, language)} for one in found.dates],
        **{kind: getattr(found, kind) for kind in ("messages", "signals", "errors", "escalations", "subjects", "units", "places")},
        "lanes": [{"id": name, "agency": agency, "names": names} for name, (agency, names) in found.lanes.items()],
        "roles": [{"id": role, "label": text(f"role.{role}"), "agencies": agencies} for role, agencies in found.roles.items()],
        "agencies": {agency: text(f"agency.{agency}") for agency, _ in found.lanes.values()},
        "operations": [{"id": name, "label": text(f"editor.operation.{name}"), "takes": takes} for name, takes in found.operations.items()],
    })  # fmt: skip


@router.get("/drafts/{draft_id}/findings/{path:path}")
def findings(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, path: str) -> Response:
    """What the judge finds in a draft as it stands, this file's first; the file's version, and who saved it when: a colleague's save is heard of here."""
    whole, file = drafts.show(session, actor, draft_id), drafts.read(session, actor, draft_id, path)
    found = with_links(whole, _said(screen, whole), screen.language)
    here = [one for one in found if one["path"] == path]
    return JSONResponse({
        "version": file.version, "who": file.saved_by, "at": file.saved_at.isoformat() if file.saved_at else None,
        "findings": here, "elsewhere": [one for one in found if one["path"] != path],
    })  # fmt: skip


def _said(screen: Screen, whole: drafts.Whole) -> list[dict[str, str]]:
    found = publication.findings(whole)
    return [{**shown, "code": one.code} for shown, one in zip(screen.findings(found), found, strict=True)]


def _named(one: vocabulary.Named, language: str) -> dict[str, Any]:
    return {"id": one.id, "label": pick(one.names, language), "names": one.names, "file": one.file}
