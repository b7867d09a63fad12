"""A charter's sheet: what holds for all of them, the lines as a spreadsheet gives them; what was taken, and what is left to correct as it was typed, or to say of whom it is."""

import secrets
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from engine import errors
from engine.actors import authority
from engine.casework import charters, editions
from engine.i18n import pick
from web.dependencies import Acting, OnScreen, Posted, Reading, field
from web.pages.admin import attempt
from web.screen import Screen

router = APIRouter(prefix="/charter")


@router.get("")
def show(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    authority.require(actor, "charter.enter")
    return _page(screen, session, {"retour.type": "force_charter"}, "", secrets.token_urlsafe(16), ())


@router.post("")
def receive(request: Request, screen: OnScreen, actor: Acting, session: Reading, form: Posted) -> Response:
    """Takes the lines that can be read; shows the others again. What was typed is only put into the page again, a file's lines with it, where it is not handed in (`act`: `refresh`)."""
    authority.require(actor, "charter.enter")
    said = {name: field(form, name, 200) for name in charters.HEAD}
    pasted, key = form.get("sheet"), field(form, "key", 40) or secrets.token_urlsafe(16)
    sheet = pasted[: charters.LARGEST + 1] if isinstance(pasted, str) else ""
    apart = [one for one in form.getlist("apart")[: charters.MOST_LINES] if isinstance(one, str)]
    try:
        sheet = _with_file(sheet, form)
    except errors.Invalid as refusal:
        return _page(screen, session, said, sheet, key, apart, refusal=refusal)
    if field(form, "act") == "refresh":
        return _page(screen, session, said, sheet, key, apart)
    found, refusal = attempt(request, actor, lambda writing: charters.receive(writing, actor, _head(session, said), sheet, key, apart))
    if found and not found.left:
        words = [screen.words.count(f"person.charter.{name}", number) for name, number in (("taken", found.taken), ("before", found.before)) if number]
        return screen.go("/charter", "charter", [(f"/cases/{found.case_id}", "signal")] if found.case_id else (), became=" ".join(words))
    return _page(screen, session, said, found.rest if found else sheet, key, apart, found, refusal)


def _with_file(pasted: str, form: FormData) -> str:
    """What was pasted, and the lines of a file after it."""
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return pasted
    read = charters.of_file(file.file.read(charters.LARGEST + 1))
    return f"{pasted}\n{read}" if pasted.strip() else read


def _head(session: Session, said: dict[str, str]) -> dict[str, Any]:
    """The answers that hold for all; what is left empty and may be unknown is said to be."""
    fields = editions.current(session).dictionary.fields
    return {name: value or {"status": "inconnu"} for name, value in said.items() if value or (name in fields and fields[name].unknown)}


def _page(screen: Screen, session: Session, said: dict[str, str], sheet: str, key: str, apart: Sequence[str],
          found: charters.Received | None = None, refusal: errors.Refusal | None = None) -> Response:  # fmt: skip
    fields, language = editions.current(session).dictionary.fields, screen.language
    wrong = {one.where.lstrip("/"): screen.sentence(one) for one in (refusal.findings if refusal else ())}
    asked = [{"name": name, "id": name.replace(".", "-"), "label": pick(fields[name].label, language), "type": fields[name].type, "value": said.get(name, ""), "wrong": wrong.get(name, ""),
              "choices": [(code, fields[name].choice_label(code, language)) for code in fields[name].codes] if fields[name].codes else
              [(code, screen.words.text(f"person.charter.{code}")) for code in ("oui", "non")] if fields[name].type in ("bool", "tri") else []}
             for name in charters.HEAD if name in fields]  # fmt: skip
    lines = [{"number": one.number, "typed": one.typed, "apart": one.apart, "is_apart": one.is_apart,
              "what": [(pick(fields[f"signale.{what.where}"].label, language) if what.where else "", screen.sentence(what)) for what in one.findings]}
             for one in (found.left if found else ())]  # fmt: skip
    whole = screen.refusal(refusal.code, refusal.details) if refusal and not (wrong.keys() & set(charters.HEAD)) else ""
    return screen.show(
        "charter/page.html", refusal.status if refusal else 422 if lines else 200, asked=asked, sheet=sheet, key=key, found=found, lines=lines, refused=whole,
        has_wrong=bool(wrong), apart=() if found else apart, focus="left" if lines else "refused" if refusal else "",
        columns=[pick(fields[f"signale.{name}"].label, language) for name in charters.COLUMNS], most=charters.MOST_LINES,
        words=[(pick(one.label, language), [one.choice_label(code, language) for code in one.codes]) for name in charters.COLUMNS if (one := fields[f"signale.{name}"]).type == "enum"],
    )  # fmt: skip
