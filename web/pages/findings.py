"""Findings: what auditors found, made at a line of a case or at an element of a diagram; answered by whom they ask."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import errors, identity
from engine.actors import authority, branches, users
from engine.casework import findings
from web.dependencies import Acting, OnScreen, Posted, Reading, database_of, field
from web.pages.admin import attempt, chosen_day, refused
from web.screen import Screen

router = APIRouter(prefix="/findings")
_ACTS: dict[str, Callable[[Any, users.Actor, UUID, str], None]] = {"answer": findings.answer, "return": findings.give_back, "lift": findings.lift, "close": findings.close}


@router.get("")
def show_all(request: Request, screen: OnScreen, actor: Acting, state: str = "", cursor: str = "") -> Response:
    """The findings that the reader made possible to see: all to an auditor, hers to whom they ask."""
    with database_of(request).reading(actor) as session:
        found = findings.listed(session, actor, state=state if state in ("open", "answered", "closed") else "", cursor=cursor)
    older = f"/findings?state={state}&cursor={found.next}" if found.next else ""
    return screen.show("findings/page.html", rows=found.items, older=older, state=state, may_write=authority.may(actor, "finding.write"))


@router.get("/new")
def new(request: Request, screen: OnScreen, actor: Acting, instance: str = "", seq: int = 0, edition: str = "", process: str = "", element: str = "") -> Response:
    """The form of a finding at a line of a case, or at an element of an edition."""
    authority.require(actor, "finding.write")
    return _new(request, screen, actor, {"instance": instance, "seq": str(seq or ""), "edition": edition, "process": process, "element": element})


@router.post("")
def make(request: Request, screen: OnScreen, actor: Acting, form: Posted) -> Response:
    at = {name: field(form, name, 200) for name in ("instance", "seq", "edition", "process", "element")}
    typed = {"said": field(form, "said", findings.LONGEST), "role": field(form, "role", 40), "branch": field(form, "branch", 10), "due_on": field(form, "due_on", 20),
             "holds": field(form, "holds", 5) == "yes"}  # fmt: skip

    def act(session: Any) -> UUID:
        more = (typed["said"], typed["role"], typed["branch"], chosen_day(form, "due_on"), typed["holds"])
        instance_id, edition_id = identity.parse(at["instance"]), identity.parse(at["edition"])
        if instance_id is not None:
            return findings.open_at_event(session, actor, instance_id, int(at["seq"]) if at["seq"].isdecimal() else 0, *more)
        if edition_id is None:
            raise errors.NotFound("finding.no_element")
        return findings.open_at_element(session, actor, edition_id, at["process"], at["element"], *more)

    made, refusal = attempt(request, actor, act)
    return _new(request, screen, actor, at, typed, refusal) if refusal else screen.go(f"/findings/{made}")


@router.get("/diagram")
def diagram(request: Request, screen: OnScreen, actor: Acting, process: str = "parcours", edition: int | None = None, element: str = "") -> Response:
    """A diagram of an edition with what was found at its elements; an auditor begins a finding at one of them here."""
    with database_of(request).reading(actor) as session:
        found = findings.of_diagram(session, actor, edition, process[:100])
    marks = {one.element: "finding" for one in found.elements if one.findings}
    named = sorted((one for one in found.elements if one.name), key=lambda one: not one.findings)
    return screen.show("findings/diagram.html", found=found, elements=named, marks=json.dumps(marks), element=element[:200], may_write=authority.may(actor, "finding.write"))


@router.get("/diagram/{edition}/{process}")
def drawing(actor: Acting, session: Reading, edition: int, process: str) -> Response:
    """The diagram, for the viewer in the page."""
    headers = {"content-disposition": "attachment", "cache-control": "private, max-age=3600"}
    return Response(findings.drawing(session, actor, edition, process), media_type="application/xml", headers=headers)


@router.get("/{finding_id}")
def show(request: Request, screen: OnScreen, actor: Acting, finding_id: UUID) -> Response:
    return _one(request, screen, actor, finding_id)


@router.post("/{finding_id}/{verb}")
def act(request: Request, screen: OnScreen, actor: Acting, form: Posted, finding_id: UUID, verb: str) -> Response:
    """Answers, returns, lifts or closes, each with its words."""
    if verb not in _ACTS:
        raise errors.NotFound("finding.not_found")
    _, refusal = attempt(request, actor, lambda session: _ACTS[verb](session, actor, finding_id, field(form, "said", findings.LONGEST)))
    return _one(request, screen, actor, finding_id, refusal) if refusal else screen.go(f"/findings/{finding_id}")


def _one(request: Request, screen: Screen, actor: users.Actor, finding_id: UUID, refusal: errors.Refusal | None = None) -> Response:
    with database_of(request).reading(actor) as session:
        found = findings.show(session, actor, finding_id)
    return screen.show("findings/finding.html", refusal.status if refusal else 200, one=found, **refused(screen, refusal))


def _new(request: Request, screen: Screen, actor: users.Actor, at: dict[str, str], typed: dict[str, Any] | None = None, refusal: errors.Refusal | None = None) -> Response:
    with database_of(request).reading(actor) as session:
        codes = branches.codes(session)
        edition_id = identity.parse(at["edition"])
        name = findings.name_of(session, actor, edition_id, at["process"], at["element"]) if edition_id is not None else ""
    given = typed or {"said": "", "role": "", "branch": "", "due_on": "", "holds": False}
    return screen.show("findings/new.html", refusal.status if refusal else 200, at=at, name=name, typed=given, roles=findings.ANSWERING, branch_codes=codes, **refused(screen, refusal))
