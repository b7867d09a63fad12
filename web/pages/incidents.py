"""Incidents: cases that the procedure can no longer lead, for those who can mend it."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine.actors import authority
from engine.casework import diagrams, incidents
from web.dependencies import Acting, OnScreen, Reading, Writing

router = APIRouter()


@router.get("/incidents")
def show(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    may_retry = authority.may(actor, "incident.retry")
    rows = []
    for row in incidents.open_ones(session, actor):
        names = diagrams.labels(diagrams.edition_of(session, actor, row["root_id"]), screen.language)
        sentence = screen.refusal(row["code"], row["details"])
        rows.append({**row, "name": names.get(row["node"]) or row["node"], "sentence": sentence, "may_retry": may_retry})
    return screen.show("incidents/page.html", rows=rows)


@router.post("/incidents/{incident_id}/retry")
def retry(screen: OnScreen, actor: Acting, session: Writing, incident_id: UUID) -> Response:
    """Tries the broken step again."""
    incidents.retry(session, actor, incident_id)
    return screen.go("/incidents", "retried")
