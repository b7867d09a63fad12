"""The form editor: one form of a draft, changed place by place, with the form as agents have it beside it and what the judge says of it.

Every button posts to one address with its `act` and what is open; each post is a save of the whole file made from the version that the page showed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from engine import clock, errors, i18n
from engine.actors.roles import ROLES
from engine.casework import drafts, form_drafts, publication
from engine.dossier import programmes
from engine.i18n import pick
from forms import editing
from forms.dictionary import OWNERS, Field
from web import layout, rendering
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, field
from web.screen import Screen
from web.typed import Typed

router = APIRouter()
_LONGEST = 4000  # of a condition or a label
_REQUIRED = {"yes": True, "no": False}


@dataclass(frozen=True)
class View:
    """What is open and looked at. `place`: what is being changed; `said`, `eyes`: the language and the role of the form beside; `is_known`: with made-up
    answers; `asked`, `owner`, `into`: what is looked for in the dictionary, and the section it would be asked in (-1: only shown)."""

    place: str = ""
    said: str = "fr"
    eyes: str = ""
    is_known: bool = False
    asked: str = ""
    owner: str = ""
    into: int = 0


@router.post("/drafts/{draft_id}/forms")
def begin(screen: OnScreen, actor: Acting, session: Writing, form: Posted, draft_id: UUID) -> Response:
    """A new form, empty but for its name and title."""
    titles = {language: field(form, f"title-{language}", 200) for language in i18n.LANGUAGES}
    path = form_drafts.begin(session, actor, draft_id, field(form, "form", 80), titles)
    return screen.go(f"/drafts/{draft_id}/forms/{path.removeprefix(form_drafts.FORMS)}")


@router.get("/drafts/{draft_id}/forms/{name}")
def show(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, name: str, element: str = "", said: str = "", eyes: str = "") -> Response:
    """The editor of one form. `element`: what a finding is about, opened at first."""
    whole = drafts.show(session, actor, draft_id)
    sheet = form_drafts.sheet(whole, form_drafts.FORMS + name)
    if sheet.content is None:
        return screen.go(f"/drafts/{draft_id}/files/{sheet.path}")
    place = editing.place_of(f"#{element[:200]}", sheet.content)[0] if element else ""
    view = View(place if editing.has(sheet.content, place) else "", said if said in i18n.LANGUAGES else screen.language, eyes if eyes in ROLES else "")
    return _page(screen, session, whole, sheet, view, Typed())


@router.post("/drafts/{draft_id}/forms/{name}")
def act(screen: OnScreen, actor: Acting, session: Writing, form: Posted, draft_id: UUID, name: str) -> Response:
    """Any button or change of the editor: what is open is read, the act done, the file saved."""
    path, view, (wanted, _, on) = form_drafts.FORMS + name, _view(screen, form), field(form, "act", 200).partition(":")
    version = field(form, "version", 10)
    content = form_drafts.content_as_of(session, actor, draft_id, path, int(version) if version.isdigit() else 0)
    if editing.has(content, view.place):
        _take(content, view.place, form, form_drafts.vocabulary(drafts.show(session, actor, draft_id))[0].fields)
    view = _do(content, view, wanted, on)
    saved = form_drafts.save(session, actor, draft_id, path, content, int(version) if version.isdigit() else 0)
    whole = drafts.show(session, actor, draft_id)
    sheet = form_drafts.sheet(whole, path)
    if sheet.content is None:
        return screen.go(f"/drafts/{draft_id}/files/{path}")
    if saved.conflict is not None:
        view = replace(view, place="")
    return _page(screen, session, whole, sheet, view, Typed.of_post(form), saved)


@router.post("/drafts/{draft_id}/forms/{name}/preview")
def preview(
    screen: OnScreen, actor: Acting, session: Reading, form: Posted, draft_id: UUID, name: str, said: str = "", eyes: str = "", known: str = "",
) -> Response:  # fmt: skip
    """The form beside, answered a little further: nothing is kept of it."""
    whole = drafts.show(session, actor, draft_id)
    sheet = form_drafts.sheet(whole, form_drafts.FORMS + name)
    (wanted, _, on), typed = field(form, "act", 200).partition(":"), Typed.of_post(form)
    view = View("", said if said in i18n.LANGUAGES else screen.language, eyes if eyes in ROLES else "", known == "yes")
    if wanted == "add":
        typed.add_row(on)
    elif wanted == "remove":
        typed.remove_row(on)
    return _page(screen, session, whole, sheet, view, typed)


@router.get("/drafts/{draft_id}/forms/{name}/findings")
def findings(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, name: str) -> Response:
    """What the judge of the whole edition says of this form and of the tasks done with it."""
    whole = drafts.show(session, actor, draft_id)
    sheet = form_drafts.sheet(whole, form_drafts.FORMS + name)
    return screen.show("form_editor/_judged.html", **_judged(screen, whole, sheet, publication.findings(whole)))


def _judged(screen: Screen, whole: drafts.Whole, sheet: form_drafts.Sheet, judged: Sequence[errors.Finding]) -> dict[str, Any]:
    tasks = {f"{one.file.rpartition('/')[2]}#{one.node}" for one in sheet.askers}
    about = [one for one in judged if one.where.partition("#")[0] in (sheet.name, sheet.path) or one.where in tasks]
    names = {one.node: pick(one.names, screen.language) for one in sheet.askers}
    return {"draft": whole.draft, "judged": screen.findings(about), "well": "sheet.judged_well", "address": f"/drafts/{whole.draft.draft_id}/forms/{sheet.name}", "others": len(judged) - len(about), "tasks": names}


def _view(screen: Screen, form: FormData) -> View:
    said, eyes, into = field(form, "said", 2), field(form, "eyes", 40), field(form, "into", 4)
    return View(
        field(form, "open", 20), said if said in i18n.LANGUAGES else screen.language, eyes if eyes in ROLES else "", field(form, "known", 3) == "yes",
        field(form, "q", 100), field(form, "owner", 10), int(into) if into.lstrip("-").isdigit() else 0,
    )  # fmt: skip


def _do(content: editing.Content, view: View, wanted: str, on: str) -> View:
    """Does an act on the content; what is open and looked at afterwards."""
    acts: dict[str, Callable[[], str | None]] = {
        "open": lambda: on, "close": lambda: "", "up": lambda: editing.move(content, on, -1), "down": lambda: editing.move(content, on, 1),
        "remove": lambda: editing.remove(content, on), "add-section": lambda: editing.add_section(content), "add-check": lambda: editing.add_check(content),
        "ask": lambda: editing.ask(content, view.into, on), "show": lambda: editing.show(content, on), "hide": lambda: editing.hide(content, on),
    }  # fmt: skip
    if wanted not in acts:
        return view
    was_open = view.place == on
    place = acts[wanted]()
    if wanted in ("up", "down"):
        return replace(view, place=place if was_open else "")
    if wanted in ("show", "hide"):
        return view
    if wanted == "add-section":
        return replace(view, place=place, into=len(content["section"]) - 1)
    return replace(view, place="" if wanted == "remove" else place or "")


def _take(content: editing.Content, place: str, form: FormData, fields: Mapping[str, Field]) -> None:
    """Reads what was typed for the place that is open."""
    if "f-opened" not in form:
        return
    if place == editing.HEAD:
        for key in ("title", "intro", "confirmation"):
            editing.label(content, place, key, _labels(form, key), is_optional=key != "title")
    elif place.startswith("c"):
        check = editing.at(content, place)
        check["holds"] = _text(form, "f-holds")
        check["fields"] = [one for one in form.getlist("f-fields") if isinstance(one, str)][:100]
        editing.label(content, place, "message", _labels(form, "message"))
    elif "-q" in place:
        when = _text(form, "f-when")
        if field(form, "act", 200) == "condition" and (spec := fields.get(field(form, "f-of", 100))):
            made = editing.condition(spec, field(form, "f-is", 10), field(form, "f-value", 200))
            when = f"{when} and {made}" if when and made else when or made
        editing.settle(content, place, when, _REQUIRED.get(field(form, "f-required", 5)))
    else:
        editing.label(content, place, "title", _labels(form, "title"))


def _labels(form: FormData, key: str) -> dict[str, str]:
    return {language: _text(form, f"f-{key}-{language}") for language in i18n.LANGUAGES}


def _text(form: FormData, name: str) -> str:
    """What was typed; while typing goes on (no button was pressed) the space at its end stays too, for the next word."""
    value = form.get(name)
    plain = value.replace("\r\n", "\n")[:_LONGEST] if isinstance(value, str) else ""
    return plain.strip() if form.get("act") else plain


def _page(screen: Screen, session: Any, whole: drafts.Whole, sheet: form_drafts.Sheet, view: View, typed: Typed, saved: drafts.Saved | None = None) -> Response:
    view = replace(view, eyes=view.eyes or next((one.role for one in sheet.askers if one.role in ROLES), "agent_accueil"))
    view = view if editing.has(sheet.content, view.place) else replace(view, place="")
    last, place = whole.saves.get(sheet.path), view.place
    wrong = {where: [(key, screen.sentence(one)) for key, one in found] for where, found in sheet.problems.items()}
    conflict = saved.conflict if saved else None
    known = publication.judged_already(whole)
    return screen.show(
        "form_editor/page.html", 409 if conflict else 200, {"hx-trigger-after-settle": "judge"} if saved and known is None else None, sheet=sheet, view=view, version=last.version if last else 0, wrong=wrong,
        may_save="save" in whole.draft.may, opened=editing.at(sheet.content, place) if place else None, sections=_sections(sheet, wrong, screen.language),
        checks=_checks(sheet, wrong), shown=[_field(sheet.dictionary.fields.get(one), one, screen.language) for one in sheet.content.get("show", [])],
        found=_found(sheet, view, screen.language), owners=sorted(OWNERS), live=_live(screen, session, whole, sheet, view, typed), roles=list(ROLES),
        earlier=_earlier(sheet, place, screen.language), of=sheet.dictionary.fields.get(typed.one("f-of")), tests=editing.TESTS, typed=typed,
        conflict=screen.refusal(conflict.code, conflict.details) if conflict else "", aside=saved.aside if saved else None,
        saved=screen.words.text("task.saved_at", time=screen.words.time(clock.now(session))) if saved and not conflict else "",
        broken=[screen.sentence(one) for one in sheet.dictionary_findings[:5]],
        **(_judged(screen, whole, sheet, known) if known is not None else {"draft": whole.draft, "judged": None}),
    )  # fmt: skip


def _live(screen: Screen, session: Any, whole: drafts.Whole, sheet: form_drafts.Sheet, view: View, typed: Typed) -> dict[str, Any] | None:
    """The form beside, in its own language; None where nothing of it can be shown."""
    if sheet.definition is None:
        return None
    today, around = programmes.of_today(session)
    form = form_drafts.preview(sheet.definition, view.eyes, today, view.said, around, is_known=view.is_known)
    words = rendering.words(view.said)
    action = f"/drafts/{whole.draft.draft_id}/forms/{sheet.name}/preview?said={view.said}&eyes={view.eyes}{'&known=yes' if view.is_known else ''}"
    return {
        "t": words.text, "n": words.count, "w": words, "language": view.said, "direction": "rtl" if view.said == "ar" else "ltr", "form": form, "action": action,
        "shown": layout.layout(form, action, typed, (), words), "others": [pick(one.label, screen.language) for one in form_drafts.not_asked_of(sheet.definition, view.eyes)],
        "is_part": bool(sheet.problems),
    }  # fmt: skip


def _sections(sheet: form_drafts.Sheet, wrong: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    made = []
    for number, section in enumerate(sheet.content.get("section", [])):
        place = f"s{number}"
        rows = [_question(sheet, f"{place}-q{rank}", editing.question(entry), wrong, language) for rank, entry in enumerate(section.get("ask", []))]
        made.append({"place": place, "title": pick(section.get("title"), language), "rows": rows, "wrong": wrong.get(place, ())})
    return made


def _question(sheet: form_drafts.Sheet, place: str, entry: Mapping[str, Any], wrong: Mapping[str, Any], language: str) -> dict[str, Any]:
    spec = sheet.dictionary.fields.get(entry["field"])
    required = bool(entry.get("required", spec is not None and not spec.optional))
    return {**_field(spec, entry["field"], language), "place": place, "when": entry.get("when", ""), "is_required": required, "wrong": wrong.get(place, ())}


def _field(spec: Field | None, field_id: str, language: str) -> dict[str, Any]:
    label = pick(spec.label, language) if spec else field_id
    return {"field": field_id, "label": label, "spec": spec}


def _checks(sheet: form_drafts.Sheet, wrong: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"place": f"c{number}", "check": one, "wrong": wrong.get(f"c{number}", ())} for number, one in enumerate(sheet.content.get("check", []))]


def _found(sheet: form_drafts.Sheet, view: View, language: str) -> list[dict[str, Any]]:
    """What the dictionary has of what is looked for, and whether the form has it already."""
    if not view.asked and not view.owner:
        return []
    asked, shown = set(editing.asked(sheet.content)), set(sheet.content.get("show", []))
    return [
        {**_field(one, one.id, language), "is_asked": one.id in asked, "is_shown": one.id in shown} for one in form_drafts.search(sheet.dictionary, view.asked, view.owner)
    ]


def _earlier(sheet: form_drafts.Sheet, place: str, language: str) -> list[dict[str, Any]]:
    """What a condition at a place may read of this form: what is asked before it, and what is shown."""
    if "-q" not in place and not place.startswith("c"):
        return []
    before: list[str] = []
    for where, name in editing.places(sheet.content):
        if where == place:
            break
        before.append(name)
    fields = sheet.dictionary.fields
    return [_field(fields[one], one, language) for one in dict.fromkeys([*before, *sheet.content.get("show", [])]) if one in fields and fields[one].type != "list"]
