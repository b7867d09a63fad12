"""Intake: look for the person first, then open a case, hers where she was signalled. Nobody is asked twice because a clerk did not look."""

import re
from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from engine import identity
from engine.actors import authority
from engine.actors.users import Actor
from engine.casework import cases, tasks
from engine.dossier import programmes
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, field
from web.screen import Screen
from web.typed import Typed

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
    if opened.task_id and not expected:
        _tell_task(session, actor, opened.task_id, looked_for(field(form, "q", 200)))
    address = f"/tasks/{opened.task_id}" if opened.task_id else f"/cases/{opened.case_id}"
    return screen.go(address, "opened", number=opened.case_number)


def looked_for(words: str) -> dict[str, str]:
    """What was typed to look for her, as the answers it is: nobody types it twice. Of two words and more the first is taken for her own name."""
    digits, plain = re.sub(r"\D", "", words), re.sub(r"[\s.-]", "", words).upper()
    if re.fullmatch(r"[01]\d{7}", plain):
        return {"person.cin": plain}
    if re.fullmatch(r"[A-Z]\d{6}", plain):
        return {"person.passport": plain}
    if re.fullmatch(r"(?:(?:\+|00)\d{8,15}|\d{8})", plain):
        return {"person.tel": f"+{digits.removeprefix('00')}" if len(digits) > 8 else digits}
    first, _, rest = " ".join(words.split()).partition(" ")
    if digits or not first:
        return {}
    script = "ar" if re.search("[\u0600-\u06ff]", words) else "fr"
    return {f"person.prenom_{script}": first, f"person.nom_{script}": rest} if rest else {f"person.nom_{script}": first}


def _tell_task(session: Session, actor: Actor, task_id: UUID, said: Mapping[str, str]) -> None:
    """What was said at the search stands in the first form already, where that asks it."""
    asked = {one.spec.id for one in tasks.view(session, actor, task_id).form.questions()}
    typed = Typed.of_draft(None)
    for name, value in said.items():
        if name in asked:
            typed.put(name, value)
    if typed.pairs:
        tasks.save_draft(session, actor, task_id, typed.as_draft(()))
