"""A task: what is asked and what is known, drafts kept while one types, claiming, giving back, passing on, completing.

Every button posts the whole form to one address with its `act`; a script only makes it quicker.
"""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field as member
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import PlainTextResponse, Response

from engine import clock, errors, identity
from engine.actors import authority, users
from engine.casework import diagrams, doubles, pieces, sittings, staff, summons, tasks
from engine.casework.views import TaskView
from engine.dossier import documents, programmes
from engine.insight import aid_files
from forms.form import Form
from web import layout, onward, widgets
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.formatting import Words
from web.screen import Screen
from web.pages import appointments
from web.typed import Typed

router = APIRouter()


@dataclass(frozen=True)
class Place:
    """Where a task's form stands: on its own page, or within another (a sitting). `address`: where its buttons post; `around`: what that page shows besides;
    `known`: what is told there besides what the task itself knows; `acts`: buttons of its own, each of which fills the form and says where to go on; `onward`: the page after it is done, where it is not `onward.go`'s."""

    address: str
    template: str = "task/page.html"
    around: Callable[[Any, TaskView], Mapping[str, Any]] = lambda _session, _task: {}
    known: Callable[[Any, TaskView], Form | None] = lambda _session, _task: None
    acts: Mapping[str, Callable[[Any, TaskView, Typed], str]] = member(default_factory=dict)
    onward: Callable[[Any, TaskView | None, Any], Response] | None = None


@router.get("/tasks/{task_id}")
def show(screen: OnScreen, actor: Acting, session: Reading, task_id: UUID) -> Response:
    """The task with the reader's draft. A task that is done leads to its case, saying who did it."""
    try:
        task = tasks.view(session, actor, task_id)
    except errors.Conflict as conflict:
        return screen.show("task/gone.html", 409, **_gone(screen, conflict), typed=[])
    correcting = set((task.draft or {}).get("correcting", ()))
    if correcting:
        task = tasks.view(session, actor, task_id, correcting)
    return page(screen, session, task, Typed.of_draft(task.draft), correcting, _own(task_id))


@router.post("/tasks/{task_id}")
def act(request: Request, screen: OnScreen, actor: Acting, form: Posted, task_id: UUID) -> Response:
    return obey(request, screen, actor, form, task_id, _own(task_id))


def _own(task_id: UUID) -> Place:
    return Place(f"/tasks/{task_id}")


def obey(request: Request, screen: Screen, actor: users.Actor, form: FormData, task_id: UUID, place: Place) -> Response:
    """Any button of the form. A refusal shows the same page again with everything that was typed."""
    (wanted, _, on), focus = field(form, "act", 200).partition(":"), ""
    typed, correcting = Typed.of_post(form), {value for value in form.getlist("correcting") if isinstance(value, str)}
    try:
        with database_of(request).unit_of_work(actor) as session:
            keep_files(screen, session, actor, form, typed)
            match wanted:
                case "complete":
                    return _complete(screen, actor, session, form, typed, correcting, task_id, place)
                case "draft" if not screen.is_patch:
                    _keep(actor, session, form, typed, correcting, task_id)
                    return screen.go(place.address, "draft")
                case "release":
                    tasks.release(session, actor, task_id)
                    return screen.go("/desk", "released")
                case "add" | "remove" | "today" | "at" | "take":
                    focus = typed.obey(wanted, on, clock.now(session))
                case "correct":
                    correcting.add(on)
                    focus = on
                case "keep":
                    correcting.discard(on)
                    typed.forget(on)
                case _ if wanted in place.acts:
                    focus = place.acts[wanted](session, tasks.view(session, actor, task_id, correcting), typed)
            kept = wanted in ("add", "remove", "today", "at", "take", "correct", "keep", "draft", *place.acts)
            if kept:
                _keep(actor, session, form, typed, correcting, task_id)
            return page(screen, session, tasks.view(session, actor, task_id, correcting), typed, correcting, place, widgets.element_id(focus) if focus else "", kept)
    except errors.Refusal as refusal:
        return _refused(request, screen, actor, form, task_id, typed, correcting, refusal, place)


@router.post("/tasks/{task_id}/draft")
def keep_draft(screen: OnScreen, actor: Acting, session: Writing, form: Posted, task_id: UUID) -> Response:
    """What is being typed, kept for its author; the first time it takes the task in hand."""
    _keep(actor, session, form, Typed.of_post(form), {value for value in form.getlist("correcting") if isinstance(value, str)}, task_id)
    return PlainTextResponse(_saved(screen))


@router.post("/tasks/{task_id}/claim")
def claim(screen: OnScreen, actor: Acting, session: Writing, form: Posted, task_id: UUID) -> Response:
    """Takes the task and opens it."""
    tasks.claim(session, actor, task_id)
    return screen.go(f"/tasks/{task_id}", "claimed")


@router.get("/tasks/{task_id}/pass")
def choose_colleague(screen: OnScreen, actor: Acting, session: Reading, task_id: UUID) -> Response:
    colleagues = [{"user_id": one.user_id, "name": users.in_script(one, screen.language)} for one in tasks.colleagues(session, actor, task_id)]
    return screen.show("task/pass.html", task=tasks.view(session, actor, task_id), colleagues=colleagues, refused="")


@router.post("/tasks/{task_id}/pass")
def pass_on(screen: OnScreen, actor: Acting, session: Writing, form: Posted, task_id: UUID) -> Response:
    """Passes the task to a colleague and goes back to the desk."""
    chosen = next((one for one in tasks.colleagues(session, actor, task_id) if str(one.user_id) == field(form, "to", 40)), None)
    if chosen is None:
        raise errors.Invalid("task.colleague_cannot")
    tasks.pass_to(session, actor, task_id, chosen.user_id, field(form, "reason", 500))
    return screen.go("/desk", "passed", name=users.in_script(chosen, screen.language))


def _keep(actor: users.Actor, session: Any, form: FormData, typed: Typed, correcting: set[str], task_id: UUID) -> None:
    """Refuses: `task.draft_elsewhere` where another page of hers kept something since this one was made."""
    tasks.save_draft(session, actor, task_id, typed.as_draft(correcting) | {"page": field(form, "key", 64)}, field(form, "draft", 40) if "draft" in form else None)


def _saved(screen: Screen) -> str:
    return screen.words.text("task.saved_at", time=screen.words.time(clock.system_now()))


def keep_files(screen: Screen, session: Any, actor: users.Actor, form: FormData, typed: Typed) -> None:
    """Files that came with the form itself (without script) become documents, and the form holds their numbers."""
    findings = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) and value.filename and name.endswith("~file"):
            asked = name.removesuffix("~file")
            try:
                typed.put(asked, str(documents.upload(session, actor, value.filename, value.file)))
            except errors.Invalid as refusal:
                findings.append(errors.Finding(refusal.code, f"/{asked}", refusal.details, screen.refusal(refusal.code, refusal.details)))
    if findings:
        raise errors.Invalid("task.answers", findings)


def _complete(screen: Screen, actor: users.Actor, session: Any, form: FormData, typed: Typed, correcting: set[str], task_id: UUID, place: Place) -> Response:
    version, key = field(form, "version", 20), field(form, "key", 64)
    try:
        task = tasks.view(session, actor, task_id, correcting)
    except errors.Conflict:
        done = tasks.complete(session, actor, task_id, None, None, key)  # a second click of the same submission; refuses any other
        return place.onward(session, None, done) if place.onward else onward.go(screen, actor, session, task_id, "", done)
    _keep(actor, session, form, typed, correcting, task_id)
    about_doubles = {"not_duplicate_of": typed.many("not_duplicate_of"), "not_duplicate_reason": typed.one("not_duplicate_reason"), "same_as": typed.many("same_as")}
    raw = layout.read(task.form, typed, ready_rows(session, task, screen.words)) | about_doubles
    done = tasks.complete(session, actor, task_id, raw, int(version) if version.isdigit() else None, key)
    return place.onward(session, task, done) if place.onward else onward.go(screen, actor, session, task_id, task.name, done)


def _refused(request: Request, screen: Screen, actor: users.Actor, form: FormData, task_id: UUID, typed: Typed, correcting: set[str], refusal: errors.Refusal,
             place: Place) -> Response:  # fmt: skip
    """The same page with what was typed and what is wrong. What was typed becomes the draft too: a page that is closed loses nothing."""
    if refusal.status not in (409, 422):
        raise refusal
    if refusal.code != "task.draft_too_long":
        with suppress(errors.Refusal), database_of(request).unit_of_work(actor) as session:  # a task that is gone keeps none: it is listed below
            _keep(actor, session, form, typed, correcting, task_id)
    with database_of(request).reading(actor) as session:
        try:
            task = tasks.view(session, actor, task_id, correcting)
        except errors.Conflict as conflict:
            return screen.show("task/gone.html", 409, **_gone(screen, conflict), typed=_lines(session, actor, conflict, typed, screen.language))
        return page(screen, session, task, typed, correcting, place, refusal=refusal)


def _lines(session: Any, actor: users.Actor, conflict: errors.Conflict, typed: Typed, language: str) -> list[dict[str, str]]:
    """What was typed into a task that is no longer there, as lines to copy from."""
    fields = diagrams.edition_of(session, actor, UUID(conflict.details["case_id"])).dictionary.fields
    ticked = {name: list(staff.names(session, language, map(identity.parse, keys)).values()) for name, keys in typed.pairs.items() if name.endswith("~tick")}
    return widgets.typed_lines(fields, typed.pairs | ticked, language)


def page(screen: Screen, session: Any, task: TaskView, typed: Typed, correcting: set[str], place: Place, focus: str = "", kept: bool = False,
         refusal: errors.Refusal | None = None) -> Response:  # fmt: skip
    findings = refusal.findings if refusal and refusal.status == 422 else ()
    asked = [spec for question in task.form.questions() for spec in (question.spec, *question.rows)]
    dated = {one.id for one in asked if one.type == "datetime"} if "complete" in task.may else set()
    hours = summons.free_hours(session, screen.actor, task.case_id, diagrams.edition_of(session, screen.actor, task.case_id).definitions, dated) if dated else {}
    at_hand = pieces.at_hand(session, screen.actor, task.case_id, task.form.dictionary, asked, programmes.present(session).at) | {name: [one] for name, one in hours.items()}
    if "complete" in task.may and any(one.spec.id == pieces.MISSING for one in task.form.questions()) and not typed.has(pieces.MISSING):
        typed.put(pieces.MISSING, *_lacking(session, screen.actor, task))
    shown = layout.layout(task.form, place.address, typed, findings, screen.words, at_hand, place.known(session, task), ready_rows(session, task, screen.words))
    duplicates = _duplicates(screen, session, refusal) if refusal and refusal.code == "beneficiary.possible_duplicate" else []
    conflict = _conflict(screen, refusal) if refusal and not findings and not duplicates else None
    errors_shown = shown.errors
    if duplicates:
        errors_shown = ({"anchor": "duplicates", "label": "", "sentence": screen.words.text("duplicate.title" if any(not one["is_member"] for one in duplicates) else "duplicate.member_title")},)
    may_meet = "complete" in task.may and authority.may(screen.actor, "appointment.write", branch=task.branch)
    meets = [widget.name for section in shown.sections for widget in section.widgets if may_meet and widget.name in appointments.DATES]
    return screen.show(
        place.template, refusal.status if refusal else 200, **place.around(session, task), task=task, now=programmes.present(session), may_complete="complete" in task.may, says_today=True, shown=shown,
        may_meet=may_meet, meets=meets,
        errors=errors_shown, correcting=sorted(correcting), conflict=conflict, duplicates=duplicates, set_aside=typed.many("not_duplicate_of"), same_as=typed.many("same_as"),
        set_aside_reason=typed.one("not_duplicate_reason"), key=secrets.token_urlsafe(16), saved=_saved(screen) if kept else "",
        focus="summary" if errors_shown else focus,
        left=widgets.typed_lines(task.form.dictionary.fields, shown.left, screen.language) if conflict else [],
    )  # fmt: skip


def ready_rows(session: Any, task: TaskView, words: Words) -> layout.ReadyRows:
    """The rows of the form's lists that only need ticking: who has a seat in the committee, where a form asks who is present."""
    if not any(one.spec.id == sittings.PRESENT for one in task.form.questions()):
        return {}
    quality = task.form.dictionary.fields["presence.qualite"]
    rows = [(one, {"presence.nom": one.name, "presence.agence": one.agency, "presence.qualite": one.quality}) for one in sittings.committee(session, task.branch, words.language)]
    told = f"{{}}{words.text('format.comma')} {{}}"
    return {sittings.PRESENT: [widgets.ReadyRow(str(one.user_id), one.name, cells, told.format(words.text(f"agency.{one.agency}"), quality.choice_label(one.quality, words.language))) for one, cells in rows]}


def _lacking(session: Any, actor: users.Actor, task: TaskView) -> list[str]:
    """What the one list begins with: the papers that the dossier lacks, not those that an agency writes, nor any that came and waits to be looked at."""
    known = task.form.dictionary.pieces
    came = {one.piece for one in pieces.received(session, actor, task.case_id, task.form.dictionary) if not one.is_used}
    return [code for code in aid_files.missing(session, actor, task.instance_id) if code in known and not known[code].get("produced_by") and code not in came]


def _duplicates(screen: Screen, session: Any, refusal: errors.Refusal) -> list[dict[str, Any]]:
    """Who was found: each as far as the reader reaches her case, members of somebody's household apart from those who may be the same."""
    text, candidates = screen.words.text, refusal.details["candidates"]
    comma, reached = f"{text('format.comma')} ", {str(one.case_id) for one in doubles.reached(session, [UUID(one["case_id"]) for one in candidates])}
    return [{**one, "kinds": comma.join(text(f"duplicate.kind.{kind}") for kind in one["matched"]), "is_member": one["matched"] == ["household"],
             "is_reached": one["case_id"] in reached} for one in candidates]  # fmt: skip


def _conflict(screen: Screen, refusal: errors.Refusal) -> dict[str, str]:
    text, details = screen.words.text, refusal.details
    match refusal.code:
        case "task.stale":
            fields = f"{text('format.comma')} ".join(details.get("fields", ()))
            return {"title": text("conflict.stale"), "sentence": text("conflict.stale_fields", fields=fields)}
        case "task.held":
            return {"title": text("conflict.taken"), "sentence": text("conflict.taken_who", name=details["who"])}
        case _:
            return {"title": text("conflict.other"), "sentence": screen.refusal(refusal.code, details)}


def _gone(screen: Screen, conflict: errors.Conflict) -> dict[str, Any]:
    """Somebody was first: who, when, and the way to the case."""
    at = conflict.details.get("at")
    sentence = screen.words.text("conflict.done_who", name=conflict.details.get("who", ""), at=screen.words.moment(at) if at else "")
    return {"title": screen.words.text("conflict.done"), "sentence": sentence, "case_id": conflict.details.get("case_id", "")}
