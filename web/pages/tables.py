"""The editor of decision tables: a page on one DMN file of a draft, and what its script asks for: the words, and what columns may hold.

Reading and saving the file is `draft`'s, what the judge finds `drawing`'s, as for every editor.
"""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from engine import i18n
from engine.casework import columns, drafts
from engine.i18n import pick
from web import editor
from web.dependencies import Acting, OnScreen, Reading

router = APIRouter()
_WORDS = {"web.editor.": "", "web.table.": "table.", "web.table.instead.": ""}  # the last are said in place of the first
_DMN_JS = "web.dmn_js."


@router.get("/drafts/{draft_id}/tables/{path:path}")
def show(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, path: str, element: str = "") -> Response:
    """The editor of one file of tables. `element`: the decision or the line that is chosen at first."""
    return editor.show(screen, actor, session, draft_id, path, element, "tables", "tables/page.html")


@router.get("/drafts/{draft_id}/columns")
def hold(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID) -> Response:
    """What the columns of the tables of a draft may hold, and the words of the editor, in the reader's language."""
    found, language, texts = columns.of(drafts.show(session, actor, draft_id)), screen.language, i18n.catalogue(screen.language)
    words = {into + code.removeprefix(start): sentence for start, into in _WORDS.items() for code, sentence in texts.items() if code.startswith(start)}
    return JSONResponse({
        "language": language, "words": words | {"table.true": texts["web.format.yes"], "table.false": texts["web.format.no"]},
        "bpmn_js": {code.removeprefix(_DMN_JS): sentence for code, sentence in texts.items() if code.startswith(_DMN_JS)},
        "fields": {one.id: {"label": pick(one.label, language), "type": one.type, "values": [(code, one.choice_label(code, language)) for code in one.codes]}
                   for one in found.fields.values()},
        "decisions": found.results,
    })  # fmt: skip
