"""The scenarios of a draft: those it keeps and how each goes, made of a real case in one act, and what they cover of the diagrams."""

import json
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import errors, i18n
from engine.casework import drafts, scenarios
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.screen import Screen

router = APIRouter()


@router.get("/drafts/{draft_id}/scenarios")
def show(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, sheet: str = "") -> Response:
    """The scenarios, played. `sheet`: the process whose diagram is painted; without one, that where they pass the most."""
    return _page(screen, actor, session, draft_id, sheet)


@router.post("/drafts/{draft_id}/scenarios")
def act(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted, draft_id: UUID) -> Response:
    """Makes scenarios of a case (`make`; where the draft leads it elsewhere, the page asks what they shall expect), takes what the draft does now as what one expects (`renew`) or of all that can be (`renew_all`), or takes one out (`remove`)."""
    kind, path = field(form, "act", 10), field(form, "path", 300)
    try:
        match kind:
            case "make":
                made = scenarios.of_case(session, actor, draft_id, field(form, "number", 40), field(form, "title", 200), field(form, "expects", 10))
                return screen.go(f"/drafts/{draft_id}/scenarios", "scenario_kept", number=len(made))
            case "renew_all":
                made_anew = scenarios.renew_all(session, actor, draft_id, field(form, "paths", 60_000).split())
                return screen.go(f"/drafts/{draft_id}/scenarios", "scenarios_renewed", number=made_anew)
            case "renew":
                scenarios.renew(session, actor, draft_id, path)
            case _:
                scenarios.remove(session, actor, draft_id, path)
    except (errors.Invalid, errors.Conflict, errors.NotFound) as refusal:
        if refusal.code in ("draft.not_found", "draft.no_file"):
            raise
        session.rollback()
        with database_of(request).reading(actor) as again:
            return _page(screen, actor, again, draft_id, "", refusal, {name: field(form, name, 200) for name in ("number", "title")})
    return screen.go(f"/drafts/{draft_id}/scenarios")


def _page(screen: Screen, actor: Any, session: Any, draft_id: UUID, sheet: str, refusal: errors.Refusal | None = None, typed: dict[str, str] | None = None) -> Response:
    try:
        whole, kept, sheets = scenarios.listed(session, actor, draft_id)
    except errors.Invalid as unread:
        whole, kept, sheets, refusal = drafts.show(session, actor, draft_id), (), (), refusal or unread
    shown = next((one for one in sheets if one.process == sheet), max(sheets, key=lambda one: len(one.passed), default=None))
    definitions = whole.edition.definitions if sheets else None

    def name(process: str) -> str:
        return i18n.pick(definitions.processes[process].names, screen.language) if definitions and process in definitions.processes else process

    foreseen = scenarios.foreseen(session, actor, draft_id, typed["number"], typed["title"]) if refusal is not None and refusal.code == "scenario.differs" and typed else ()

    def changed(one: scenarios.Kept) -> dict[str, Any] | None:
        if one.change is None or definitions is None:
            return None
        told = {kind: [_label(whole, one.path, node, screen.language) for node in getattr(one.change, kind)] for kind in ("added", "gone", "leads")}
        return {**told, "days": one.change.days}

    def row(one: scenarios.Kept) -> dict[str, Any]:
        return {"one": one, "changed": changed(one), "process": name(one.process), "sentence": next((found["sentence"] for found in screen.findings([one.finding] if one.finding else [])), "")}

    rows = [row(one) for one in kept]
    drawing = None
    if shown is not None and definitions is not None:
        missed = [label for node in shown.missed if (label := definitions.label(node, screen.language, shown.process)) != node]
        drawing = {"process": shown.process, "path": shown.file, "name": name(shown.process), "done": json.dumps(sorted(shown.passed)), "missed": missed}
    return screen.show(
        "scenarios/page.html", refusal.status if refusal else 200, draft=whole.draft, rows=rows, foreseen=[row(one) for one in foreseen if one.finding], renewable=[row["one"].path for row in rows if row["changed"]], drawing=drawing, covered=scenarios.covered(sheets),
        sheets=[{"process": one.process, "name": name(one.process), "passed": one.total - len(one.missed), "total": one.total} for one in sheets],
        refused=screen.refusal(refusal.code, refusal.details) if refusal else "", typed=typed or {"number": "", "title": ""}, may_save="save" in whole.draft.may,
    )  # fmt: skip


def _label(whole: drafts.Whole, path: str, node: str, language: str) -> str:
    """What an element is called in the draft; one that is no more, where the scenario was made."""
    definitions = whole.edition.definitions
    was = whole.edition.scenarios[path].names.get(node) if path in whole.edition.scenarios and not definitions.is_drawn(node) else None
    return i18n.pick(was, language) if was else i18n.pick(definitions.named(node), language)
