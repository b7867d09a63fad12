"""The repair desk: the tokens of a case and where each may go, what a move would do before it is done, a fact said anew, and what waits for a second person."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import errors, identity
from engine.actors import authority
from engine.casework import cases, incidents, repairs
from engine.casework.repair_views import Outlook
from engine.i18n import pick
from web import sentences, widgets
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.screen import Screen
from web.typed import Typed

router = APIRouter()


@router.get("/repairs")
def show_all(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """What waits for a second person, and what was decided."""
    return _list(screen, session)


@router.post("/repairs/{repair_id}")
def decide(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted, repair_id: UUID) -> Response:
    """Applies what another proposed, or says no."""
    chosen, seq = field(form, "act", 10), field(form, "seq", 20)
    try:
        if chosen == "approve":
            repairs.approve(session, actor, repair_id, int(seq) if seq.isdecimal() else -1)
            said = "repair_applied"
        else:
            said = "repair_withdrawn" if repairs.refuse(session, actor, repair_id, field(form, "reason")) else "repair_refused"
    except (errors.Invalid, errors.Conflict) as refusal:
        session.rollback()
        with database_of(request).reading(actor) as again:
            return _list(screen, again, refusal)
    return screen.go("/repairs", said)


@router.get("/cases/{case_id}/repair")
def show(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID, instance: str = "", position: str = "", to: str = "", act: str = "move") -> Response:
    """The tokens of a case; with one chosen and where it would go, what that would do."""
    return _desk(screen, session, case_id, (instance, position, to, act))


@router.post("/cases/{case_id}/repair")
def repair(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted, case_id: UUID) -> Response:
    """Moves a token, or leaves an operation undone; or proposes it, where two must agree."""
    instance_id, position, to, act, seq = (field(form, name, 80) for name in ("instance", "position", "to", "act", "seq"))
    given = {"reason": field(form, "reason"), "seq": int(seq) if seq.isdecimal() else -1}
    try:
        found = identity.parse(instance_id) or case_id
        made = repairs.skip(session, actor, found, position, **given) if act == "skip" else repairs.move(session, actor, found, position, to, **given)
    except (errors.Invalid, errors.Conflict) as refusal:
        session.rollback()
        with database_of(request).reading(actor) as again:
            return _desk(screen, again, case_id, (instance_id, position, to, act), refusal, given["reason"])
    return screen.go("/repairs" if made else f"/cases/{case_id}/repair", "repair_proposed" if made else "repair_done")


@router.get("/cases/{case_id}/correct")
def ask(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID, subject: str = "", name: str = "") -> Response:
    """One fact asked anew. `name`: its field."""
    return _question(screen, session, case_id, subject, name)


@router.post("/cases/{case_id}/correct")
def correct(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted, case_id: UUID) -> Response:
    """Says it anew, or proposes it, where two must agree."""
    subject, name, typed = field(form, "subject", 80), field(form, "name", 80), Typed.of_post(form)
    try:
        spec = next(repairs.question(session, screen.actor, case_id, subject, name).questions()).spec
        made = repairs.correct(session, screen.actor, case_id, subject, name, widgets.answer(spec, name, typed), field(form, "reason"))
    except (errors.Invalid, errors.Conflict) as refusal:
        session.rollback()
        with database_of(request).reading(actor) as again:
            return _question(screen, again, case_id, subject, name, typed, refusal, field(form, "reason"))
    stopped = [] if made else [(f"/incidents#i-{one.incident_id}", "retry") for one in incidents.open_ones(session, actor, case_id) if "retry" in one.may]
    return screen.go("/repairs" if made else f"/cases/{case_id}?tab=known", "repair_proposed" if made else "fact_corrected", stopped[:1])


def _list(screen: Screen, session: Any, refusal: errors.Refusal | None = None) -> Response:
    found = repairs.listed(session, screen.actor)
    foreseen = {one.repair_id: _foreseen(screen, session, one) for one in found if one.state == "proposed" and one.act != "correct"}
    waiting, decided = [one for one in found if one.state == "proposed"], [one for one in found if one.state != "proposed"]
    return screen.show("repairs/page.html", refusal.status if refusal else 200, waiting=waiting, decided=decided, foreseen=foreseen, **_said(screen, refusal))


def _foreseen(screen: Screen, session: Any, one: Any) -> Any:
    """What the move would do now; None where it no longer can be done, or is not the reader's to see."""
    try:
        return _in_words(screen, repairs.foresee(session, screen.actor, one.instance_id, one.act, one.position, one.to))
    except errors.Refusal:
        return None


def _in_words(screen: Screen, outlook: Outlook) -> Outlook:
    """With messages as people call them, where the pathway's own words say it."""
    return replace(outlook, messages=tuple(sentences.awaited(screen.words, name, name) for name in outlook.messages))


def _desk(screen: Screen, session: Any, case_id: UUID, chosen: tuple[str, str, str, str], refusal: errors.Refusal | None = None, reason: str = "") -> Response:
    actor, (instance, position, to, act) = screen.actor, chosen
    places, outlook = repairs.places(session, actor, case_id), None
    place = next((one for one in places if one.position == position and str(one.instance_id) == instance), None)
    if place is not None and (to or act == "skip"):
        try:
            outlook = _in_words(screen, repairs.foresee(session, actor, place.instance_id, act, position, to))
        except (errors.Invalid, errors.Conflict) as impossible:
            refusal = refusal or impossible
    broken = incidents.open_ones(session, actor, case_id)
    return screen.show(
        "repairs/case.html", refusal.status if refusal else 200, case=cases.file(session, actor, case_id), places=places, place=place, outlook=outlook, act=act, to=to,
        broken=[{"incident_id": one.incident_id, "name": one.name, "sentence": screen.refusal(one.code, one.details)} for one in broken], reason=reason,
        may_do=authority.may(actor, "repair.do"), **_said(screen, refusal),
    )  # fmt: skip


def _question(
    screen: Screen, session: Any, case_id: UUID, subject: str, name: str, typed: Typed | None = None, refusal: errors.Refusal | None = None, reason: str = ""
) -> Response:
    form = repairs.question(session, screen.actor, case_id, subject, name)
    asked = next(form.questions())
    known = asked.known if asked.known is not None and asked.known.status == "known" else None
    wrong = [found.message for found in refusal.findings] if refusal else []
    drawn = widgets.draw(asked.spec, name, typed or Typed(), screen.words, f"/cases/{case_id}/correct", stored=known.value if known else None, errors=wrong)
    shown = None if refusal is None or wrong else refusal
    return screen.show(
        "repairs/correct.html", refusal.status if refusal else 200, case=cases.file(session, screen.actor, case_id), widget=drawn, subject=subject, name=name,
        label=pick(asked.spec.label, screen.language), is_hidden=asked.known is None, reason=reason, **_said(screen, shown),
    )  # fmt: skip


def _said(screen: Screen, refusal: errors.Refusal | None) -> dict[str, str]:
    return {"refused": screen.refusal(refusal.code, refusal.details) if refusal else ""}
