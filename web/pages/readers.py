"""Who consulted a case, in sentences: on a page, and on a sheet in French and Arabic for the person who asks."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine.casework import readers
from forms.letter import isolated
from web import printing, rendering
from web.dependencies import Acting, OnScreen, Reading
from web.formatting import Words

router = APIRouter()


@router.get("/cases/{case_id}/readers")
def show(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID, before: int = 0) -> Response:
    """Each reading of what is sensitive, each refused attempt, each export."""
    found = readers.of_case(session, screen.actor, case_id, before)
    lines = [{"at": one.at, "sentence": sentence(screen.words, one), "kind": one.kind} for one in found.items]
    return screen.show("readers/page.html", case_id=case_id, case_number=found.case_number, lines=lines, older=found.next)


@router.get("/cases/{case_id}/readers.pdf")
def sheet(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID) -> Response:
    """The same on paper, in French and in Arabic, to be handed to the person."""
    found = readers.sheet(session, screen.actor, case_id)
    paper = {language: _paper(found, language) for language in ("fr", "ar")}
    headers = {"content-disposition": f'inline; filename="consultations-{found.case_number or case_id}.pdf"'}
    return Response(printing.pdf(paper, found.made_at), media_type="application/pdf", headers=headers)


def _paper(found: readers.Sheet, language: str) -> dict[str, Any]:
    """The sheet's text in one language, as letters have theirs."""
    words = rendering.words(language)

    def say(name: str, **details: Any) -> str:
        return words.text(f"consultation.paper.{name}", **details)

    head, rows = found.heads[language], [[isolated(words.moment(one.at)), sentence(words, one)] for one in found.items[language]]
    blocks: list[dict[str, Any]] = [{"kind": "text", "text": say("intro" if rows else "none")}]
    if rows:
        blocks.append({"kind": "table", "head": [say("at"), say("what")], "rows": rows})
    if found.is_cut:
        blocks.append({"kind": "text", "text": say("cut", number=len(rows))})
    blocks.append({"kind": "text", "text": say("right")})
    small = {"object": "", "date": "", "reference": "", "page": "", **head["words"], "check": say("made", date=words.date(found.made_at)), "check_how": say("made_how")}
    return {"sender": head["sender"], "words": small, "addressee": [], "title": say("title"), "object": say("object", number=isolated(found.case_number)), "blocks": blocks,
            "signatures": [say("signature")]}  # fmt: skip


def sentence(words: Words, one: readers.Consulted) -> str:
    """One entry in words."""
    what = words.text("consultation.paper_named", name=one.document) if one.document else words.text(f"consultation.act.{one.act.replace('.', '_')}")
    told: dict[str, Any] = {"what": what, "classes": _listed(words, one.classes)}
    kind = "exported_for" if one.recipient else one.kind
    return words.text(f"consultation.{kind}", who=_who(words, one), recipient=words.text(f"recipient.{one.recipient}"), **told)


def _who(words: Words, one: readers.Consulted) -> str:
    if not one.agency:
        return words.text("consultation.terminal")
    name = one.name or words.text("consultation.somebody")
    return words.text("consultation.who", name=name, agency=words.text(f"agency.{one.agency}"), branch=words.text(f"branch.{one.branch}"))


def _listed(words: Words, classes: tuple[str, ...]) -> str:
    return f"{words.text('format.comma')} ".join(words.text(f"consultation.class.{one}") for one in classes)
