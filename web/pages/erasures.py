"""Forgetting: whose time of keeping is over, who proposes and who approves an erasure, and its procès-verbal."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import errors
from engine.actors import authority
from engine.casework import erasures
from web import printing
from web.dependencies import Acting, OnScreen, Posted, Reading, field
from web.formatting import Words
from web.pages.admin import attempt
from web.screen import Screen

router = APIRouter(prefix="/erasures")
STAYS = ("kept", "resealed")  # what is counted of what stays


@router.get("")
def show_all(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """What is due, what waits for a second person, what was done."""
    return _list(screen, session)


@router.post("")
def propose(request: Request, screen: OnScreen, actor: Acting, session: Reading, form: Posted) -> Response:
    """Proposes the erasure of the person of a case."""
    asked = _id(field(form, "case_id", 40))
    _, refusal = attempt(request, actor, lambda writing: erasures.propose(writing, actor, asked, field(form, "reference", 60)))
    return _list(screen, session, refusal) if refusal else screen.go("/erasures", "erasure_proposed")


@router.get("/{erasure_id}")
def show(screen: OnScreen, actor: Acting, session: Reading, erasure_id: UUID) -> Response:
    """The procès-verbal, to be printed and signed."""
    one = erasures.show(session, screen.actor, erasure_id)
    return screen.show("erasures/record.html", one=one, stays=STAYS, retentions=[kept_for(screen.words, code) for code in one.retentions])


@router.get("/{erasure_id}/record.pdf")
def paper(actor: Acting, session: Reading, erasure_id: UUID) -> Response:
    """The same as a paper, in French and in Arabic, with room for the signatures."""
    sides = {}
    for language in ("fr", "ar"):
        sides[language] = _paper(Words(language), erasures.show(session, replace(actor, language=language), erasure_id))
        if sides[language] is None:
            raise errors.NotFound("erasure.not_found")
    headers = {"content-disposition": f'inline; filename="proces-verbal-{erasure_id}.pdf"'}
    return Response(printing.pdf(sides, erasures.show(session, actor, erasure_id).decided_at), media_type="application/pdf", headers=headers)


@router.post("/{erasure_id}")
def decide(request: Request, screen: OnScreen, actor: Acting, session: Reading, form: Posted, erasure_id: UUID) -> Response:
    """Approves, which erases, or puts away."""
    is_approved = field(form, "act", 10) == "approve"
    verb = erasures.approve if is_approved else erasures.refuse
    done, refusal = attempt(request, actor, lambda writing: verb(writing, actor, erasure_id))
    if refusal:
        return _list(screen, session, refusal)
    return screen.go(f"/erasures/{erasure_id}") if is_approved else screen.go("/erasures", "erasure_withdrawn" if done else "erasure_refused")


def _list(screen: Screen, session: Reading, refusal: errors.Refusal | None = None) -> Response:
    listed = erasures.listed(session, screen.actor)
    open_ones = {one.case_id for one in listed if one.state == "proposed"}
    return screen.show(
        "erasures/page.html", refusal.status if refusal else 200, waiting=[one for one in listed if one.state == "proposed"],
        done=[one for one in listed if one.state != "proposed"], due=[one for one in erasures.due(session, screen.actor) if one.case_id not in open_ones],
        kept_for=kept_for, lasting=lambda one: f"{screen.words.text('format.comma')} ".join(kept_for(screen.words, code) for code in one.retentions),
        may_propose=authority.may(screen.actor, "erasure.propose", branch=screen.actor.branch), refused=screen.refusal(refusal.code, refusal.details) if refusal else "",
    )  # fmt: skip


def kept_for(words: Words, retention: str) -> str:
    """A class of retention in words: `P5Y` is five years."""
    unit = {"Y": "years", "M": "months", "D": "days"}[retention[-1]]
    return words.count(f"erasures.{unit}", int(retention[1:-1]))


def _paper(words: Words, one: erasures.Erasure) -> dict[str, Any] | None:
    """The procès-verbal of what was done, as the sheet of letters takes it; None of what was not."""
    if one.state != "done" or one.decided_at is None:
        return None
    said = words.text
    which = [said("erasures.in_part", classes=f"{said('format.comma')} ".join(kept_for(words, code) for code in one.retentions))] if one.retentions else [said("erasures.in_whole")]
    rows = [[said("erasures.proposer"), f"{one.proposed_by}, {words.moment(one.proposed_at)}"], [said("erasures.decider"), f"{one.decided_by}, {words.moment(one.decided_at)}"],
            [said("erasures.number"), str(one.erasure_id)], [said("task.case"), one.case_number]]  # fmt: skip
    return {
        "sender": [said("erasures.sender"), said(f"branch.{one.branch}")], "addressee": [], "title": said("erasures.paper"), "object": "",
        "words": {"date": words.date(one.decided_at), "reference": one.case_number, "addressee": "", "object": "", "check": said("erasures.check"), "check_how": said("erasures.check_how"), "page": said("erasures.page")},
        "blocks": [{"kind": "paragraph", "text": text} for text in (f"{said(f'erasures.ground.{one.ground}')} {one.reference}".strip(), *which)] + [
            {"kind": "heading", "text": said("erasures.who")}, {"kind": "rows", "rows": rows},
            {"kind": "heading", "text": said("erasures.gone")}, {"kind": "rows", "rows": [[said(f"erasures.count.{name}"), words.number(count)] for name, count in one.counts.items() if name not in STAYS]},
            {"kind": "paragraph", "text": said("erasures.how_part" if one.retentions else "erasures.how")},
            {"kind": "heading", "text": said("erasures.stays")},
            {"kind": "rows", "rows": [[said(f"erasures.count.{name}"), words.number(one.counts[name])] for name in STAYS if name in one.counts]}, {"kind": "paragraph", "text": said("erasures.stays_part" if one.retentions else "erasures.stays_how")}],
        "signatures": [said("erasures.sign.proposer"), said("erasures.sign.decider"), said("erasures.sign.officer"), said("erasures.sign.expert")],
    }  # fmt: skip


def _id(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError as trouble:
        raise errors.NotFound("case.not_found") from trouble
