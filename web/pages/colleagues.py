"""Colleagues: notes on a case, who is away and who stands in, whole caseloads, kept views of the desk, the morning's e-mail."""

import datetime as dt
import secrets
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.responses import Response

from engine import clock, errors, i18n, identity
from engine.actors import authority
from engine.casework import caseloads, case_notes, desk_views, digests, editions, leaves
from web import widgets
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.pages import case
from web.pages.admin import attempt
from web.screen import Screen
from web.typed import Typed

router = APIRouter()


@router.get("/cases/{case_id}/notes")
def show_notes(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID) -> Response:
    """Where a note that could not be written is typed on."""
    return case.drawn(screen, actor, session, case_id, "notes")


@router.post("/cases/{case_id}/notes")
def write_note(request: Request, screen: OnScreen, actor: Acting, form: Posted, case_id: UUID) -> Response:
    """Writes a note; what was typed stays where it is refused, or is only put into the page again (`act`: `refresh`)."""
    said, class_, key = field(form, "note", case_notes.LONGEST + 1), field(form, "class", 1), field(form, "key", 64)
    named = [found for value in form.getlist("named") if isinstance(value, str) and (found := identity.parse(value))]
    typed, status = {"text": said, "class_": class_, "named": named, "key": key or secrets.token_urlsafe(16)}, 200
    if field(form, "act", 20) != "refresh":
        _, refusal = attempt(request, actor, lambda session: case_notes.write(session, actor, case_id, said, class_, named, key))
        if refusal is None:
            return screen.go(f"/cases/{case_id}?tab=notes", "note_written")
        typed, status = typed | {"refused": screen.refusal(refusal.code, refusal.details)}, refusal.status
    with database_of(request).reading(actor) as session:
        return case.drawn(screen, actor, session, case_id, "notes", status=status, typed=typed)


@router.get("/leaves")
def show_leaves(screen: OnScreen, actor: Acting, session: Reading, who: str = "") -> Response:
    """Who is away; and for one of whom one may say it, who may stand in."""
    return _leaves(screen, actor, session, identity.parse(who) or actor.user_id, Typed(), "")


@router.post("/leaves")
def say_leave(request: Request, screen: OnScreen, actor: Acting, form: Posted) -> Response:
    who, typed = identity.parse(field(form, "who", 40)) or actor.user_id, Typed.of_post(form)
    wanted, _, on = field(form, "act", 40).partition(":")
    if wanted == "today":
        with database_of(request).reading(actor) as session:
            typed.obey(wanted, on, clock.now(session))
            return _leaves(screen, actor, session, who, typed, "")

    def say(session: Session) -> None:
        leaves.say(session, actor, who, _day(typed, "from_on"), _day(typed, "until_on"), identity.parse(typed.one("stand_in")))

    _, refusal = attempt(request, actor, say)
    if refusal is None:
        return screen.go("/leaves", "leave_said")
    with database_of(request).reading(actor) as session:
        return _leaves(screen, actor, session, who, typed, screen.refusal(refusal.code, refusal.details), refusal.status)


@router.post("/leaves/{leave_id}/end")
def end_leave(screen: OnScreen, actor: Acting, session: Writing, form: Posted, leave_id: UUID) -> Response:
    leaves.end(session, actor, leave_id)
    return screen.go("/leaves", "leave_ended")


@router.get("/caseloads")
def show_team(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """Those one answers for, with what each has in hand."""
    return screen.show("colleagues/team.html", team=caseloads.team(session, actor), everywhere=actor.reach == "all")


@router.get("/caseloads/{user_id}")
def show_caseload(screen: OnScreen, actor: Acting, session: Reading, user_id: UUID) -> Response:
    return _caseload(screen, actor, session, user_id)


@router.post("/caseloads/{user_id}")
def look_at_giving(screen: OnScreen, actor: Acting, session: Writing, form: Posted, user_id: UUID) -> Response:
    """What would become of each case if all were given. Nothing is changed."""
    to, reason = identity.parse(field(form, "to", 40)), field(form, "reason", 500)
    try:
        if to is None:
            raise errors.Invalid("caseload.to")
        return _caseload(screen, actor, session, user_id, to=to, reason=reason, lines=caseloads.preview(session, actor, user_id, to, reason))
    except errors.Invalid as refusal:
        return _caseload(screen, actor, session, user_id, to=to, reason=reason, refused=screen.refusal(refusal.code, refusal.details), status=422)


@router.post("/caseloads/{user_id}/give")
def give_caseload(request: Request, screen: OnScreen, actor: Acting, form: Posted, user_id: UUID) -> Response:
    """Gives all of it, and says case by case what became of it."""
    to, reason = identity.parse(field(form, "to", 40)), field(form, "reason", 500)
    if to is None:
        raise errors.Invalid("caseload.to")
    lines = caseloads.give(database_of(request), actor, user_id, to, reason)
    with database_of(request).reading(actor) as session:
        return _caseload(screen, actor, session, user_id, to=to, reason=reason, lines=lines, is_done=True)


@router.post("/desk/views")
def keep_view(screen: OnScreen, actor: Acting, session: Writing, form: Posted) -> Response:
    """Keeps the filters of the list one looks at."""
    filters = {name: field(form, name, 20) for name in desk_views.FILTERS}
    desk_views.keep(session, actor, field(form, "name", 100), filters, field(form, "is_shared", 3) == "yes")
    return screen.go("/desk?" + urlencode({name: value for name, value in filters.items() if value}), "view_kept")


@router.post("/desk/views/{view_id}/drop")
def drop_view(screen: OnScreen, actor: Acting, session: Writing, form: Posted, view_id: UUID) -> Response:
    desk_views.drop(session, actor, view_id)
    return screen.go("/desk", "view_dropped")


@router.get("/admin/mail")
def show_mail(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """What a demo would have sent."""
    return screen.show("admin/mail.html", kept=digests.kept(session, actor))


def _leaves(screen: Screen, actor: Any, session: Session, who: UUID, typed: Typed, refused: str, status: int = 200) -> Response:
    people = leaves.led(session, actor)
    may = who in {one.user_id for one in people}
    return screen.show(
        "colleagues/leaves.html", status, leaves=leaves.coming(session, actor), people=people, who=who, stand_ins=leaves.stand_ins(session, actor, who) if may else (),
        days=[_asked(screen, typed, name, label) for name, label in (("from_on", "leave.from"), ("until_on", "leave.until"))], stand_in=typed.one("stand_in"), refused=refused, may_give=authority.may(actor, "caseload.list"), says_today=True,
    )  # fmt: skip


def _caseload(screen: Screen, actor: Any, session: Session, user_id: UUID, *, to: UUID | None = None, reason: str = "", lines: list[caseloads.HandedOver] | None = None,
              refused: str = "", is_done: bool = False, status: int = 200) -> Response:  # fmt: skip
    load, people = caseloads.of(session, actor, user_id)
    processes = editions.current(session).definitions.processes
    part = {one.instance_id: i18n.pick(processes[one.process].names, screen.language) for one in lines or () if one.instance_id != one.case_id and one.process in processes}
    shown = [{"line": one, "part": part.get(one.instance_id), "sentence": screen.refusal(one.code, one.details) if one.code else ""} for one in sorted(lines or (), key=lambda one: not one.code)]
    return screen.show(
        "colleagues/caseload.html", status, load=load, people=people, to=to, to_name=next((one.name for one in people if one.user_id == to), ""), reason=reason,
        lines=shown, good=sum(not one["sentence"] for one in shown), refused=refused, is_done=is_done, has_looked=lines is not None,
    )  # fmt: skip


def _asked(screen: Screen, typed: Typed, name: str, label: str) -> widgets.Widget:
    year, month, day = (typed.one(f"{name}~{part}") for part in ("year", "month", "day"))
    return widgets.Widget("date_parts", name, name, screen.words.text(label), "", parts=(year, month, day), may_be_today=name == "from_on")


def _day(typed: Typed, name: str) -> dt.date:
    try:
        return dt.date(*(int(typed.one(f"{name}~{part}")) for part in ("year", "month", "day")))
    except (ValueError, OverflowError) as trouble:
        raise errors.Invalid("leave.dates") from trouble
