"""Incidents: cases that the procedure can no longer lead: why, who takes each in hand; for those who can mend it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import errors, identity
from engine.actors import authority, users
from engine.casework import diagrams, incidents, repairs
from engine.casework.incidents import Incident
from engine.i18n import pick
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.screen import Screen

router = APIRouter()


@router.get("/incidents")
def show(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """The incidents nobody has mended yet."""
    return _page(screen, session)


@router.post("/incidents/{incident_id}/retry")
def retry(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted, incident_id: UUID) -> Response:
    """Tries the broken step again, with all that broke alike where that is asked."""
    try:
        tried = incidents.retry(session, actor, incident_id, field(form, "reason"), is_alike=field(form, "alike", 3) == "yes")
    except errors.Invalid as refusal:
        session.rollback()
        with database_of(request).reading(actor) as again:
            return _page(screen, again, refusal)
    said = "retried" if not tried.broke_again else "retried_in_part" if tried.went_on else "retried_in_vain"
    return screen.go("/incidents", said, is_good=not tried.broke_again, went_on=tried.went_on, broke_again=tried.broke_again)


@router.post("/incidents/{incident_id}/assign")
def assign(screen: OnScreen, actor: Acting, session: Writing, form: Posted, incident_id: UUID) -> Response:
    """Says who takes it in hand."""
    incidents.assign(session, actor, incident_id, identity.parse(field(form, "owner", 40)))
    return screen.go("/incidents", "incident_assigned")


def _page(screen: Screen, session: Any, refusal: errors.Refusal | None = None) -> Response:
    found = incidents.open_ones(session, screen.actor)
    owners = {branch: [(one.user_id, users.in_script(one, screen.language)) for one in incidents.owners(session, screen.actor, branch)] for branch in {one.branch for one in found}}
    labels = {one.case_id: diagrams.edition_of(session, screen.actor, one.case_id).dictionary.fields for one in found}
    rows = [{"incident": one, "sentence": screen.refusal(one.code, one.details), "looked": _looked(screen, one, labels[one.case_id])} for one in found]
    return screen.show(
        "incidents/page.html", refusal.status if refusal else 200, rows=rows, owners=owners, to_decide=_to_decide(screen, session),
        refused=screen.refusal(refusal.code, refusal.details) if refusal else "",
    )  # fmt: skip


def _to_decide(screen: Screen, session: Any) -> int:
    """How many repairs wait for a second person."""
    return sum(one.state == "proposed" for one in repairs.listed(session, screen.actor)) if authority.may(screen.actor, "repair.list") else 0


def _looked(screen: Screen, one: Incident, fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was read when it broke: each text with its values, by the field's own words where it is one."""
    words = screen.words
    shown = []
    for looked in one.looked:
        values = [(pick(fields[name].label, screen.language) if name in fields else name, words.text("history.hidden") if value is None and "." in name else _said(value))
                  for name, value in looked.values.items()]  # fmt: skip
        verdict = words.text("history.hidden") if looked.is_hidden else {True: words.text("format.yes"), False: words.text("format.no")}.get(looked.value, "")
        shown.append({"text": looked.text, "verdict": verdict, "values": values})
    return shown


def _said(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
