"""A person of the registry by one of her cases: what is known, her household, her cases, who may be the same; two side by side, told apart or made one."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import errors
from engine.actors import authority
from engine.casework import cases, doubles, mergers
from web import sentences
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, field
from web.pages.admin import attempt
from web.screen import Screen

router = APIRouter()


@router.get("/cases/{case_id}/person")
def show(screen: OnScreen, session: Reading, case_id: UUID) -> Response:
    """The person of a case."""
    return _show(screen, session, case_id)


@router.post("/cases/{case_id}/returned")
def come_again(screen: OnScreen, actor: Acting, session: Writing, form: Posted, case_id: UUID) -> Response:
    """She comes a second time: a new case of hers, which knows what was said. Refuses: `case.not_ended`, `case.one_open`."""
    opened = cases.open_case(session, actor, "parcours", channel=field(form, "channel", 40), returning=case_id)
    return screen.go(f"/tasks/{opened.task_id}" if opened.task_id else f"/cases/{opened.case_id}", "opened", number=opened.case_number)


@router.get("/cases/{case_id}/returned")
def ask_again(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID) -> Response:
    """Whether it is she who comes again; of a case of another branch nothing is shown."""
    authority.require(actor, "case.open", branch=actor.branch)
    return screen.show("persons/returned.html", case_id=case_id, channels=cases.channels(session, screen.language))


@router.get("/cases/{case_id}/beside/{other_id}")
def compare(screen: OnScreen, session: Reading, case_id: UUID, other_id: UUID) -> Response:
    """Two persons side by side."""
    return _beside(screen, session, case_id, other_id)


@router.post("/cases/{case_id}/beside/{other_id}")
def decide(request: Request, screen: OnScreen, actor: Acting, session: Reading, form: Posted, case_id: UUID, other_id: UUID) -> Response:
    """Says that they are not the same, or proposes that they are."""
    reason, kept = field(form, "reason", 1000), field(form, "kept", 40)
    if field(form, "act", 10) == "apart":
        _, refusal = attempt(request, actor, lambda writing: doubles.tell_apart(writing, actor, case_id, other_id, reason))
        said = "person_apart"
    else:
        first, second = (other_id, case_id) if kept == str(other_id) else (case_id, other_id)
        chosen = {one.removeprefix("take:"): str(form[one]) for one in form if one.startswith("take:")}
        take = [name for name, side in chosen.items() if side == str(second)]
        _, refusal = attempt(request, actor, lambda writing: mergers.propose(writing, actor, first, second, take, reason))
        said = "person_proposed"
    if refusal:
        return _beside(screen, session, case_id, other_id, refusal, form)
    return screen.go(f"/cases/{case_id}/beside/{other_id}", said)


@router.get("/mergers")
def list_mergers(screen: OnScreen, session: Reading) -> Response:
    """What waits for a second person, and what was done."""
    return _list(screen, session)


@router.post("/mergers/{merger_id}")
def settle(request: Request, screen: OnScreen, actor: Acting, session: Reading, form: Posted, merger_id: UUID) -> Response:
    """Does it, puts it away, or parts two persons again."""
    acts: dict[str, Callable[[Any], Any]] = {
        "approve": lambda writing: mergers.approve(writing, actor, merger_id), "refuse": lambda writing: mergers.refuse(writing, actor, merger_id),
        "undo": lambda writing: mergers.undo(writing, actor, merger_id, field(form, "reason", 1000)),
    }  # fmt: skip
    wanted = field(form, "act", 10)
    wanted = wanted if wanted in acts else "refuse"
    done, refusal = attempt(request, actor, acts[wanted])
    if refusal:
        return _list(screen, session, refusal)
    return screen.go("/mergers", "merger_withdraw" if wanted == "refuse" and done else f"merger_{wanted}")


def _show(screen: Screen, session: Reading, case_id: UUID) -> Response:
    actor = screen.actor
    found = doubles.person(session, actor, case_id)
    may_compare = authority.may(actor, "person.compare", branch=next(one.branch for one in found.cases if one.case_id == case_id))
    suspects = doubles.suspected(session, actor, case_id) if may_compare else []
    households = doubles.member_of(session, actor, case_id) if may_compare else []
    reached = {one.case_id for one in doubles.reached(session, [one.case_id for one in (*suspects, *households)])}
    return screen.show(
        "persons/page.html", person=found, suspects=[(one, one.case_id in reached) for one in suspects],
        households=[(one, one.case_id in reached) for one in households], mergers=mergers.of_person(session, actor, found.person_id),
        source=lambda one: _source(screen, one), shared=_shared(screen, found), may_compare=may_compare,
        may_open=not any(one.process == "parcours" and one.status == "open" for one in found.cases) and authority.may(actor, "case.open", branch=actor.branch),
        former=next((one for one in found.cases if one.process == "parcours" and one.status == "ended"), None),
    )  # fmt: skip


def _beside(screen: Screen, session: Reading, case_id: UUID, other_id: UUID, refusal: errors.Refusal | None = None, form: Posted | None = None) -> Response:
    actor = screen.actor
    found = doubles.beside(session, actor, case_id, other_id)
    branches = [next(one.branch for one in side.cases if one.case_id == side.case_id) for side in (found.mine, found.other)]
    return screen.show(
        "persons/beside.html", refusal.status if refusal else 200, found=found, merger=mergers.of_two(session, actor, found.mine.person_id, found.other.person_id),
        source=lambda one: _source(screen, one), shared=(_shared(screen, found.mine), _shared(screen, found.other)), may_decide=all(authority.may(actor, "person.tell_apart", branch=branch) for branch in branches), typed=form or {},
        refused=screen.refusal(refusal.code, refusal.details) if refusal else "",
    )  # fmt: skip


def _list(screen: Screen, session: Reading, refusal: errors.Refusal | None = None) -> Response:
    refused = screen.refusal(refusal.code, refusal.details) if refusal else ""
    return screen.show("persons/mergers.html", refusal.status if refusal else 200, mergers=mergers.listed(session, screen.actor), refused=refused)


def _shared(screen: Screen, one: doubles.Person) -> str:
    """The source that most of what is known of a person has, said once."""
    return sentences.shared_source([{"source": _source(screen, said)} for said in one.known])


def _source(screen: Screen, one: doubles.Said) -> str:
    said = sentences.source(screen.words, one.source, one.recorded_at, one.author, one.author_agency)
    return f"{said} · {one.source_label}" if one.source_label else said
