"""The page of whoever holds a receipt and its second secret: what is awaited of her, and what she may do about it without an account. Light, without script.

And the slip that an agent hands her: the address as a square code, the receipt's code, the secret, in her languages, told once.
"""

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from engine import errors, i18n
from engine.casework import holders
from web import security
from web.dependencies import Acting, OnScreen, Posted, Writing, database_of, field
from web.pages.receipt import typed_code
from web.pages.request import whence
from web.printing.square import square
from web.screen import HOLDER, Screen

router = APIRouter()
# What is asked of her in words that are said to her; of any other field the dictionary's own.
_SAID_TO_HER = {"reclamation.objet": "holder.complain_subject", "reclamation.recit": "holder.complain_story", "reclamation.agent_vise": "holder.complain_whom",
                "reclamation.vise_chef": "holder.complain_head"}  # fmt: skip


@router.post("/cases/{case_id}/receipt-secret")
def give(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted, case_id: UUID) -> Response:
    """A new second secret, on the slip to be printed and handed over."""
    code, secret = holders.give_secret(session, actor, case_id)
    address = f"{str(request.base_url).rstrip('/')}/receipt?{urlencode({'code': code})}"
    return screen.show("receipt/slip.html", case_id=case_id, code=code, secret=secret, address=address, square=square(address),
                       told_in=lambda one, name: i18n.translate(f"web.holder.{name}", one))  # fmt: skip


@router.post("/receipt/open")
def enter(request: Request, screen: OnScreen, form: Posted) -> Response:
    """Opens her own page, with what she was writing when it closed; whatever is wrong, the same page again with the same words."""
    code, written = typed_code(field(form, "code", 40)), _written(form)
    if _is_other_language(form):
        return _closed(request, screen, form)
    try:
        token = holders.enter(database_of(request), code, field(form, "secret", 80), whence(request))
    except errors.Refusal as refusal:
        found = holders.look_up(database_of(request), code, whence(request)) if code else None
        return _door(screen, refusal, code, written, found)
    answer = _page(request, screen, typed=written, case_id=holders.entered(database_of(request), token)) if written else screen.go("/receipt/mine")
    security.set_cookie(answer, screen.settings, HOLDER, token, holders.OPEN_MINUTES * 60)
    return answer


@router.get("/receipt/mine")
def show(request: Request, screen: OnScreen) -> Response:
    """Her own page; where nothing is open, the door."""
    try:
        return _page(request, screen)
    except errors.NotFound:
        return screen.go("/receipt")


@router.post("/receipt/piece")
def send(request: Request, screen: OnScreen, form: Posted) -> Response:
    """A paper that is awaited."""
    sent = form.get("file")
    if (case_id := _still_open(request, screen, form)) is None:
        return _closed(request, screen, form)
    try:
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise errors.Invalid("document.none")
        holders.send_piece(database_of(request), case_id, field(form, "piece", 20), sent.filename, sent.file)
    except errors.Refusal as refusal:
        return _page(request, screen, refusal)
    return screen.go("/receipt/mine", "piece_sent")


@router.post("/receipt/withdraw")
def withdraw(request: Request, screen: OnScreen, form: Posted) -> Response:
    """Consents taken back."""
    if (case_id := _still_open(request, screen, form)) is None:
        return _closed(request, screen, form)
    named = [one for one in form.getlist("consent") if isinstance(one, str)]
    try:
        holders.withdraw(database_of(request), case_id, named, field(form, "words", 5000), field(form, "key", 64), screen.language)
    except errors.Refusal as refusal:
        return _page(request, screen, refusal, _written(form))
    return _done(request, screen, "taken_back", {name: said for name, said in _written(form).items() if name.startswith(f"{holders.COMPLAINT}.")})


@router.post("/receipt/complain")
def complain(request: Request, screen: OnScreen, form: Posted) -> Response:
    """A complaint, as it would be taken down at the desk."""
    if (case_id := _still_open(request, screen, form)) is None:
        return _closed(request, screen, form)
    if _is_other_language(form):
        return _page(request, screen, typed=_written(form))
    asked = holders.page(database_of(request), case_id, screen.language).complaint
    said = {one.spec.id: field(form, one.spec.id, 5000) if one.spec.type != "bool" else field(form, one.spec.id, 3) == "yes" for one in asked}
    try:
        holders.complain(database_of(request), case_id, said, field(form, "key", 64), screen.language)
    except errors.Refusal as refusal:
        return _page(request, screen, refusal, _written(form))
    return _done(request, screen, "complaint_sent", {name: said for name, said in _written(form).items() if name in ("consent", "words")})


@router.post("/receipt/leave")
def leave(request: Request, screen: OnScreen, form: Posted) -> Response:
    """Closes her page on this telephone."""
    holders.leave(database_of(request), security.read_cookie(request, screen.settings, HOLDER))
    answer = screen.go("/receipt")
    security.forget_cookie(answer, screen.settings, HOLDER)
    return answer


def _entered(request: Request, screen: Screen) -> UUID:
    return holders.entered(database_of(request), security.read_cookie(request, screen.settings, HOLDER))


def _still_open(request: Request, screen: Screen, form: Any) -> UUID | None:
    """The case that is open, where what was sent was written on its page: two receipts of one family may be opened on one telephone."""
    try:
        case_id = _entered(request, screen)
    except errors.NotFound:
        return None
    return case_id if typed_code(field(form, "code", 40)) in ("", holders.code_of(database_of(request), case_id)) else None


def _is_other_language(form: Any) -> bool:
    """Whether she only reads on in another language: what she wrote goes with her."""
    return field(form, "act", 8) == "language"


def _written(form: Any) -> dict[str, list[str]]:
    """What she wrote of a complaint or a withdrawal."""
    return {name: said for name in form if name.startswith(f"{holders.COMPLAINT}.") or name in ("consent", "words", "key") if (said := [one[:5000] for one in form.getlist(name) if isinstance(one, str) and one.strip()])}


def _done(request: Request, screen: Screen, said: str, left: Mapping[str, list[str]]) -> Response:
    """On to her page; with what she was writing beside what was sent, where there is any."""
    return _page(request, screen, typed=left, said={"code": said, "details": {}}) if left else screen.go("/receipt/mine", said)


def _closed(request: Request, screen: Screen, form: Any) -> Response:
    """Her page closed meanwhile, by itself or since another was opened: the door, which keeps what she wrote."""
    try:
        _entered(request, screen)
        why = "receipt.other_open"
    except errors.NotFound:
        why = "receipt.closed_meanwhile"
    return _door(screen, errors.Unauthenticated(why), typed_code(field(form, "code", 40)), _written(form))


def _door(screen: Screen, refusal: errors.Refusal, code: str, written: Mapping[str, list[str]], found: Any = None) -> Response:
    return screen.show("receipt/page.html", refusal.status, code_typed=code, found=found, letter=None, has_proof=False, is_unknown=False, not_opened=screen.refusal(refusal.code, refusal.details), own=None,
                       square=None, is_sealed=False, written=written)  # fmt: skip


def _page(request: Request, screen: Screen, refusal: errors.Refusal | None = None, typed: Mapping[str, list[str]] | None = None, case_id: UUID | None = None, **more: Any) -> Response:
    """Her page; a refusal is said above, and what she wrote stays."""
    found = holders.page(database_of(request), case_id or _entered(request, screen), screen.language)
    refused = [one.message or screen.refusal(one.code, one.details) for one in refusal.findings] or [screen.refusal(refusal.code, refusal.details)] if refusal else []
    labels = {one.spec.id: screen.words.text(_SAID_TO_HER[one.spec.id]) if one.spec.id in _SAID_TO_HER else i18n.pick(one.spec.label, screen.language) for one in found.complaint}
    typed = typed or {}
    return screen.show("receipt/mine.html", refusal.status if refusal else 200, own=found, found=found.receipt, refused=refused, typed=typed, labels=labels,
                       key=typed.get("key", [secrets.token_urlsafe(16)])[0], **more)  # fmt: skip
