"""Appointments: the agenda of an agent and of a branch by week or by day, one appointment and what came of it, and the calendars that leave for a telephone."""

import datetime as dt
import secrets
from contextlib import suppress
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import clock, errors, identity
from engine.actors import authority
from engine.casework import agendas, appointments, tasks
from engine.dossier import programmes
from web import calendars, rendering
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.pages.admin import attempt
from web.typed import Typed

router = APIRouter()
_SPANS = {"day": 1, "week": 7}
DATES, _MODES = ("accueil.rdv_le", "absence.nouvelle_date"), ("accueil.rdv_mode",)  # what forms ask of an appointment


@router.get("/appointments")
def agenda(screen: OnScreen, actor: Acting, session: Reading, day: str = "", span: str = "week", of: str = "", branch: str = "") -> Response:
    """A week or a day, of oneself or of a branch: those whose role reaches every branch choose which."""
    now = programmes.present(session)
    today, length = clock.today(now.at), _SPANS.get(span, 7)
    first = _day(day) or today
    first -= dt.timedelta(days=first.weekday() if length == 7 else 0)
    may_hold = authority.may(actor, "appointment.write", branch=actor.branch)
    of = of if of in ("me", "branch") else "me" if may_hold else "branch"
    found = appointments.agenda(session, actor, first, length, of_branch=of == "branch", branch=branch)
    days = [{"day": one, "is_open": now.calendar.is_open(one), "closing": now.calendar.closing(one), "is_today": one == today,
             "appointments": [each for each in found if clock.today(each.begins_at) == one]}
            for one in (first + dt.timedelta(days=number) for number in range(length))]  # fmt: skip

    def at(**changed: Any) -> str:
        asked = {"day": first.isoformat(), "span": span if span in _SPANS else "week", "of": of, "branch": branch, **changed}
        return "/appointments?" + "&".join(f"{name}={value}" for name, value in asked.items() if value)

    step = dt.timedelta(days=length)
    return screen.show(
        "appointments/page.html", days=[one for one in days if one["appointments"] or one["is_open"] or one["is_today"]], span=span if span in _SPANS else "week", of=of, total=len(found),
        may_hold=may_hold, branches=programmes.open_branches(session) if actor.reach == "all" and of == "branch" else [], branch=branch, at=at, first=first,
        before=at(day=(first - step).isoformat()), after=at(day=(first + step).isoformat()), today=at(day=today.isoformat()),
        calendar=now.calendar, feed_since=agendas.address_since(session, actor), address="",
    )  # fmt: skip


@router.post("/appointments/calendar")
def address(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted) -> Response:
    """Makes the private address of one's agenda, shown this once, or takes it back."""
    if field(form, "act", 20) == "drop":
        agendas.take_back(session, actor)
        return screen.go("/appointments", "feed_dropped")
    secret = agendas.make_address(session, actor)
    return screen.show("appointments/address.html", address=f"{str(request.base_url).rstrip('/')}/calendar/{secret}.ics")


@router.get("/calendar/{secret}.ics")
def feed(request: Request, secret: str) -> Response:
    """The agenda behind a private address, for the calendar of a telephone: no account, no person."""
    language, entries = agendas.read(database_of(request), secret)
    return _calendar(calendars.calendar(entries, rendering.words(language)), "agenda")


@router.get("/cases/{case_id}/appointments/new")
def choose(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID, agent: str = "", day: str = "", minutes: int = 30, task: str = "", place: str = "", measure: str = "") -> Response:
    """With whom, how long, which day; then one of the hours that are free."""
    offered = appointments.offer(session, actor, case_id, agent_id=identity.parse(agent), day=_day(day), minutes=minutes)
    return _choose(screen, offered, f"/cases/{case_id}/appointments", task=task, place=place, measure=measure, was=None)


@router.post("/cases/{case_id}/appointments")
def make(request: Request, screen: OnScreen, actor: Acting, form: Posted, case_id: UUID) -> Response:
    """Makes the appointment that was chosen; where somebody was faster, the hours that are left are shown, and what was chosen stays."""
    task_id, measure = identity.parse(field(form, "task", 40)), field(form, "measure", 60)
    chosen = _chosen(form)

    def act(session: Any) -> UUID:
        appointment_id = appointments.make(session, actor, case_id, *chosen, task_id=task_id, measure=measure, key=field(form, "key", 64))
        if task_id:
            _tell_task(session, actor, task_id, chosen[1], chosen[3])
        return appointment_id

    made, refusal = attempt(request, actor, act)
    if refusal is not None:
        with database_of(request).reading(actor) as session:
            return _choose(screen, _left(session, actor, case_id, chosen), f"/cases/{case_id}/appointments", task=str(task_id or ""), place=chosen[3], measure=measure, was=None, refusal=refusal)
    address = f"/appointments/{made}"
    return screen.go(f"/tasks/{task_id}" if task_id else address, "appointment_made", links=[(address, "appointment")] if task_id else ())


@router.get("/appointments/{appointment_id}")
def show(screen: OnScreen, actor: Acting, session: Reading, appointment_id: UUID) -> Response:
    """One appointment, its summons, and what may still be done with it."""
    return screen.show("appointments/appointment.html", one=appointments.show(session, actor, appointment_id), calendar=programmes.present(session).calendar)


@router.get("/appointments/{appointment_id}/move")
def choose_again(screen: OnScreen, actor: Acting, session: Reading, appointment_id: UUID, agent: str = "", day: str = "", minutes: int = 0, place: str = "") -> Response:
    """Another hour for an appointment that stands."""
    was = appointments.show(session, actor, appointment_id)
    if not was.may_write or was.case_id is None:
        raise errors.Conflict("appointment.over")
    offered = appointments.offer(session, actor, was.case_id, agent_id=identity.parse(agent) or was.agent_id, day=_day(day), minutes=minutes or was.minutes)
    return _choose(screen, offered, f"/appointments/{appointment_id}/move", task="", place=place or was.place, measure="", was=was)


@router.post("/appointments/{appointment_id}/move")
def move(request: Request, screen: OnScreen, actor: Acting, form: Posted, appointment_id: UUID) -> Response:
    """Another hour; where somebody was faster, as at first."""
    chosen = _chosen(form)
    _, refusal = attempt(request, actor, lambda session: appointments.move(session, actor, appointment_id, *chosen))
    if refusal is not None:
        with database_of(request).reading(actor) as session:
            was = appointments.show(session, actor, appointment_id)
            if not was.may_write or was.case_id is None:
                raise refusal
            return _choose(screen, _left(session, actor, was.case_id, chosen), f"/appointments/{appointment_id}/move", task="", place=chosen[3], measure="", was=was, refusal=refusal)
    return screen.go(f"/appointments/{appointment_id}", "appointment_moved")


@router.post("/appointments/{appointment_id}/cancel")
def cancel(screen: OnScreen, actor: Acting, session: Writing, form: Posted, appointment_id: UUID) -> Response:
    appointments.cancel(session, actor, appointment_id, field(form, "reason", 2000))
    return screen.go(f"/appointments/{appointment_id}", "appointment_cancelled")


@router.post("/appointments/{appointment_id}/settle")
def settle(screen: OnScreen, actor: Acting, session: Writing, form: Posted, appointment_id: UUID) -> Response:
    """Came, did not come, or was not held by us; what follows a missed one opens at once, else its case says who has it."""
    outcome, _, cause = field(form, "outcome", 40).partition(":")
    settled = appointments.settle(session, actor, appointment_id, outcome, cause)
    follows = f"/tasks/{settled.next_tasks[0]}" if settled.next_tasks else f"/cases/{settled.case_id}"
    return screen.go(f"/appointments/{appointment_id}" if outcome == "attended" else follows, "appointment_settled")


@router.get("/appointments/{appointment_id}/appointment.ics")
def entry(screen: OnScreen, actor: Acting, session: Reading, appointment_id: UUID) -> Response:
    """One appointment for a calendar."""
    return _calendar(calendars.calendar([appointments.show(session, actor, appointment_id)], screen.words), "rendez-vous")


def _left(session: Any, actor: Any, case_id: UUID, chosen: tuple[UUID, dt.datetime, int, str]) -> appointments.FreeHours:
    """The hours that are left of the day that was chosen."""
    agent, begins_at, minutes, _ = chosen
    return appointments.offer(session, actor, case_id, agent_id=agent, day=clock.today(begins_at), minutes=minutes)


def _choose(screen: Any, offered: appointments.FreeHours, address: str, *, task: str, place: str, measure: str, was: Any, refusal: errors.Refusal | None = None) -> Response:
    return screen.show("appointments/choose.html", refusal.status if refusal else 200, refused=screen.refusal(refusal.code, refusal.details) if refusal else "", offered=offered, address=address, task=task, measure=measure, was=was, places=appointments.PLACES, lengths=appointments.LENGTHS,
                       place=place if place in appointments.PLACES else "antenne", key=secrets.token_urlsafe(16))  # fmt: skip


def _tell_task(session: Any, actor: Any, task_id: UUID, begins_at: dt.datetime, place: str) -> None:
    """What was just agreed stands in the form of the task that it was made from: nobody types it twice."""
    with suppress(errors.Refusal):
        task = tasks.view(session, actor, task_id)
        asked = {one.spec.id: one.spec for one in task.form.questions()}
        typed, local = Typed.of_draft(task.draft), begins_at.astimezone(clock.TUNIS)
        told = {f"{name}~{part}": f"{value:02}" for name in DATES if name in asked for part, value in (("year", local.year), ("month", local.month), ("day", local.day))}
        told |= {f"{name}~hour": f"{local:%H:%M}" for name in DATES if name in asked and asked[name].type == "datetime"}
        told |= {name: place for name in _MODES if name in asked and place in asked[name].codes}
        for name, value in told.items():
            typed.put(name, value)
        if told:
            tasks.save_draft(session, actor, task_id, typed.as_draft((task.draft or {}).get("correcting", ())))


def _chosen(form: Any) -> tuple[UUID, dt.datetime, int, str]:
    """With whom, when, how long and where, as a form of ours sends them."""
    agent, minutes = identity.parse(field(form, "agent", 40)), field(form, "minutes", 4)
    try:
        begins_at = dt.datetime.fromisoformat(field(form, "begins_at", 40))
    except ValueError as trouble:
        raise errors.wrong("appointment.hour", "/begins_at") from trouble
    if begins_at.tzinfo is None or agent is None or not minutes.isdigit():
        raise errors.wrong("appointment.hour", "/begins_at")
    return agent, begins_at, int(minutes), field(form, "place", 20)


def _day(typed: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(typed) if typed else None
    except ValueError:
        return None


def _calendar(content: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}.ics"', "cache-control": "no-store", "referrer-policy": "no-referrer"}
    return Response(content, media_type=calendars.MEDIA_TYPE, headers=headers)
