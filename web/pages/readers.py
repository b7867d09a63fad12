"""Who consulted a case, in sentences: on a page, and on a sheet in French and Arabic for the person who asks."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine.casework import readers
from web.dependencies import Acting, OnScreen, Reading
from web.formatting import Words

router = APIRouter()


@router.get("/cases/{case_id}/readers")
def show(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID, before: int = 0) -> Response:
    """Each reading of what is sensitive, each refused attempt, each export."""
    found = readers.of_case(session, screen.actor, case_id, before)
    lines = [{"at": one.at, "sentence": sentence(screen.words, one), "kind": one.kind} for one in found.items]
    return screen.show("readers/page.html", case_id=case_id, case_number=found.case_number, lines=lines, older=found.next)


def sentence(words: Words, one: readers.Consulted) -> str:
    """One entry in words."""
    told: dict[str, Any] = {"what": words.text(f"consultation.act.{one.act.replace('.', '_')}"), "classes": _listed(words, one.classes)}
    kind = "exported_for" if one.recipient else one.kind
    return words.text(f"consultation.{kind}", who=_who(words, one), recipient=words.text(f"recipient.{one.recipient}"), **told)


def _who(words: Words, one: readers.Consulted) -> str:
    if not one.agency:
        return words.text("consultation.terminal")
    name = one.name or words.text("consultation.somebody")
    return words.text("consultation.who", name=name, agency=words.text(f"agency.{one.agency}"), branch=words.text(f"branch.{one.branch}"))


def _listed(words: Words, classes: tuple[str, ...]) -> str:
    return f"{words.text('format.comma')} ".join(words.text(f"consultation.class.{one}") for one in classes)
