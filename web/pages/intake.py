"""Intake: look for the person first, then open a case, hers where she was signalled. Nobody is asked twice because a clerk did not look."""

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from engine import identity
from engine.actors import authority
from engine.actors.users import Actor
from engine.casework import cases
from engine.dossier import programmes
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, field
from web.screen import Screen

router = APIRouter()
PROCESSES = ("parcours", "signalement")


@router.get("/intake")
def show(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    return _show(screen, actor, session, "")


@router.post("/intake/search")
def find(screen: OnScreen, actor: Acting, session: Reading, form: Posted) -> Response:
    """Who the person may be. What is looked for stands in no address."""
    return _show(screen, actor, session, field(form, "q", 200))


def _show(screen: Screen, actor: Actor, session: Session, asked: str) -> Response:
    """The search; once somebody was looked for, who she may be, and the way to a new case."""
    authority.require(actor, "case.open", branch=actor.branch)
    branches = [branch for branch in sorted(programmes.open_branches(session), key=lambda code: code != actor.branch) if authority.may(actor, "case.open", branch=branch)]
    return screen.show(
        "intake/page.html", search=asked, candidates=cases.candidates(session, actor, asked) if asked else (), branches=branches,
        processes=[(code, screen.words.text(f"process.{code}")) for code in PROCESSES], channels=cases.channels(session, screen.language),
    )  # fmt: skip


@router.post("/intake")
def open_case(screen: OnScreen, actor: Acting, session: Writing, form: Posted) -> Response:
    """Opens the case, of somebody awaited where `expected` names her signal, and goes to its first task. Refuses: `case.not_expected` (Conflict)."""
    process, expected = field(form, "process"), identity.parse(field(form, "expected", 40))
    process = process if process in PROCESSES and not expected else "parcours"
    channel = field(form, "channel", 40) if process == "parcours" else ""
    opened = cases.open_case(session, actor, process, field(form, "branch", 10), channel=channel, expected=expected)
    address = f"/tasks/{opened.task_id}" if opened.task_id else f"/cases/{opened.case_id}"
    return screen.go(address, "opened", number=opened.case_number)
