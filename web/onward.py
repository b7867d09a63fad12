"""After a task is done: what happens now, in a sentence, and where the adviser goes next. What happened was decided before."""

from typing import Any
from uuid import UUID

from sqlmodel import Session
from starlette.responses import Response

from engine.actors import users
from engine.casework import cases, worklist
from engine.casework.instances import CASE_SERIES
from engine.casework.views import Completed, Waiting
from engine.dossier import programmes
from engine.workdays import Present
from web import sentences
from web.formatting import Words
from web.screen import Screen

_MOST = 3  # steps told of; the case page has them all


def go(screen: Screen, actor: users.Actor, session: Session, task_id: UUID, name: str, done: Completed) -> Response:
    """To the next task of the case when it is mine, else to the desk with a way to the next one there."""
    waiting = [found for found in cases.waiting(session, done.case_id, screen.language) if found.task_id != task_id]
    now = programmes.present(session)
    links = [(f"/cases/{done.case_id}", "case")] if cases.stays_hers(session, actor, done.case_id) else []
    if done.next_tasks:
        address = f"/tasks/{done.next_tasks[0]}"
    else:
        address = "/desk"
        following = next((row for scope in ("mine", "queue") for row in worklist.desk(session, actor, scope, limit=1).items), None)
        links = [(f"/tasks/{following.task_id}", "next_task"), *links] if following else links
    links = [*((f"/letters/{letter_id}", "letter") for letter_id in done.letters), *links]
    return screen.go(address, "completed" if name else "repeated", links, name=name, next=_sentence(screen.words, done, waiting, now))


def _sentence(words: Words, done: Completed, waiting: list[Waiting], now: Present) -> str:
    """What the completion opened; where it opened nothing, what the case waits for."""
    if done.has_ended:
        return words.text(f"said.next_ended_{done.case_number[:2] or CASE_SERIES}")
    seen = {found.task_id: found for found in waiting if found.task_id}
    opened = [seen.get(one.task_id, one) for one in done.opened]  # a task of another branch is not the reader's to see: only where it went
    tasks = (opened or [found for found in waiting if found.kind == "task"])[:_MOST]
    if tasks:
        return " ".join(_step(words, one, one.task_id in done.next_tasks, bool(opened), now) for one in tasks)
    if waiting:
        return words.text("said.next_waits", what=sentences.awaited(words, waiting[0].message, waiting[0].name, waiting[0].node))
    return words.text("said.next_nothing")


def _step(words: Words, one: Waiting, is_mine: bool, is_new: bool, now: Present) -> str:
    if is_mine:
        return words.text("said.next_mine", name=one.name)
    place = f"{words.text(f'agency.{one.agency}')} {words.text(f'branch.{one.branch}')}"
    told: dict[str, Any] = {"name": one.name, "who": words.text("history.who", name=one.holder, agency=place) if one.holder else place}
    code = "said.next_sent" if is_new else "said.next_awaited"
    return words.text(f"{code}_due", date=words.day(one.until, now), **told) if one.until else words.text(code, **told)
