"""Why a case went the way it did: the acts at which it took a turn, and of each act every gateway and rule, with what would have led elsewhere."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine.casework import cases
from engine.insight import whys
from web import sentences
from web.dependencies import Acting, OnScreen, Reading
from web.screen import Screen

router = APIRouter()


@router.get("/cases/{case_id}/why")
def of_case(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID, cursor: str = "") -> Response:
    """The acts of a case that took a turn, the newest first."""
    acts = whys.of_case(session, actor, case_id, cursor)
    older = f"/cases/{case_id}/why?cursor={acts.next}" if acts.next else ""
    return screen.show("why/page.html", case=cases.file(session, actor, case_id), acts=acts.items, older=older)


@router.get("/cases/{case_id}/why/{instance_id}/{seq}")
def of_act(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID, instance_id: UUID, seq: int) -> Response:
    """Why each turn of one act was taken."""
    found = whys.of_act(session, actor, case_id, instance_id, seq)
    turns = []
    for turn in found.turns:
        rows = [{"value": value, "source": _source(screen, value)} for value in turn.values]
        turns.append({"turn": turn, "said": [row for row in rows if row["value"].source != "rule"], "rules": [row for row in rows if row["value"].source == "rule"]})
    return screen.show("why/act.html", case=cases.file(session, actor, case_id), act=found, turns=turns)


def _source(screen: Screen, value: Any) -> str:
    """Who said a value, and when; what no person said, by what it comes of."""
    if value.at is not None:
        return sentences.source(screen.words, value.source, value.at, value.author, value.agency)
    return screen.words.text(f"why.from.{value.source}") if value.source else "–"
