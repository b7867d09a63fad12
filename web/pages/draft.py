"""The page of a draft: its files by kind and what changed, what would forbid its publication, and the acts by which two persons make an edition of it.

A file is read and saved at `/drafts/{draft}/files/{path}`: by a form (a page answers), or by a script that accepts JSON (the version, or what stands aside).
"""

import datetime as dt
import difflib
import json
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from engine import clock, errors
from engine.actors import authority
from engine.casework import acceptances, archives, drafts, moves, proposals, publication, vocabulary
from engine.insight import rehearsals
from web import sentences
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.formatting import without_bidi_controls
from web.pages.editions import attachment, sent, starts_at
from web.screen import Screen

router = APIRouter()
_VERSION, _ASIDE = "masar-version", "masar-aside"  # read by scripts/drafts.js and by editors in the page
_LONGEST_COMPARED = 5000  # lines: beyond, comparing takes longer than reading
_MOST_TOLD = 400  # differences on one page: an archive that replaces everything has thousands
_TYPED = ("reason", "accepted", "burden_reason", "starts_at", "why")


@router.get("/drafts/{draft_id}")
def show(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, diagram: str = "", element: str = "") -> Response:
    """The draft whole. `diagram`, `element`: what is looked at of what changed."""
    return _page(screen, actor, session, draft_id, at=(diagram, element))


@router.get("/drafts/{draft_id}/archive")
def archive(actor: Acting, session: Reading, draft_id: UUID) -> Response:
    """The draft as one file to keep."""
    whole = drafts.show(session, actor, draft_id)
    return attachment(archives.pack(whole.files, whole.draft.title), f"masar-draft-{draft_id}.zip", "application/zip")


@router.post("/drafts/{draft_id}")
def act(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted, draft_id: UUID) -> Response:
    """One of the acts on the whole draft; refused, the page comes back with what was typed."""
    version = _number(field(form, "version", 10))
    acts: dict[str, Callable[[], Any]] = {
        "submit": lambda: publication.submit(
            session, actor, draft_id, field(form, "reason"), accepted=field(form, "accepted"), burden_reason=field(form, "burden_reason"), starts_at=starts_at(form)
        ),
        "approve": lambda: publication.approve(session, actor, draft_id, version),
        "refuse": lambda: publication.refuse(session, actor, draft_id, version, field(form, "why")),
        "update": lambda: drafts.bring_up_to_date(session, actor, draft_id),
        "upload": lambda: _upload(session, actor, draft_id, form),
        "drop": lambda: drafts.drop(session, actor, draft_id),
    }
    chosen = field(form, "act", 20)
    if chosen not in acts:
        raise errors.NotFound("draft.not_found")
    try:
        made = acts[chosen]()
    except (errors.Invalid, errors.Conflict) as refusal:
        session.rollback()
        with database_of(request).reading(actor) as again:
            return _page(screen, actor, again, draft_id, refusal, {name: field(form, name) for name in _TYPED})
    if chosen == "refuse" and made:
        return screen.go(f"/drafts/{draft_id}", "draft_take_back")
    return screen.go(f"/drafts/{draft_id}", f"draft_{chosen}", number=made or "")


@router.post("/drafts/{draft_id}/asides/{aside_id}")
def settle(screen: OnScreen, actor: Acting, session: Writing, form: Posted, draft_id: UUID, aside_id: int) -> Response:
    """Takes what stands aside, or puts it away."""
    aside, _ = drafts.read_aside(session, actor, draft_id, aside_id)
    if field(form, "act", 10) == "take":
        drafts.take_aside(session, actor, draft_id, aside_id, _number(field(form, "version", 10)))
        return screen.go(f"/drafts/{draft_id}/files/{aside.path}", "draft_taken")
    drafts.drop_aside(session, actor, draft_id, aside_id)
    return screen.go(f"/drafts/{draft_id}/files/{aside.path}", "draft_put_away")


@router.get("/drafts/{draft_id}/content/{path:path}")
def content(actor: Acting, session: Reading, draft_id: UUID, path: str) -> Response:
    """One file as it is, to keep or for an editor in the page; the header `masar-version` goes back with what is saved."""
    found = drafts.read(session, actor, draft_id, path)
    if found.content is None:
        raise errors.NotFound("draft.no_file")
    answer = attachment(found.content, path.rpartition("/")[2], "application/octet-stream")
    answer.headers[_VERSION] = str(found.version)
    return answer


@router.get("/drafts/{draft_id}/before/{path:path}")
def before(actor: Acting, session: Reading, draft_id: UUID, path: str) -> Response:
    """A file as it is in the edition that the draft is compared with."""
    found = proposals.against(session, drafts.show(session, actor, draft_id)).files.get(path)
    if found is None:
        raise errors.NotFound("draft.no_file")
    return attachment(found, path.rpartition("/")[2], "application/octet-stream")


@router.get("/drafts/{draft_id}/files/{path:path}")
def show_file(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, path: str, element: str = "") -> Response:
    """One file, to be changed as a text; beside it what stands aside. `element`: what a finding is about."""
    whole, found = drafts.show(session, actor, draft_id), drafts.read(session, actor, draft_id, path)
    written = as_text(found.content)
    beside = [(one, drafts.read_aside(session, actor, draft_id, one.aside_id)[1]) for one in whole.asides if one.path == path]
    asides = [{"aside": one, "written": as_text(content), "differs": _differences(found.content, content)} for one, content in beside]
    return screen.show(
        "draft/file.html", draft=whole.draft, file=found, kind=archives.kind_of(path), written=written, asides=asides, may_save="save" in whole.draft.may,
        is_changed=found.content != found.base, differences=_differences(found.base, found.content), place=_place(written or "", element[:200]),
    )  # fmt: skip


@router.post("/drafts/{draft_id}/files/{path:path}")
def save_file(screen: OnScreen, actor: Acting, session: Writing, form: Posted, draft_id: UUID, path: str) -> Response:
    """Saves a file (`save`, by default), takes it out (`remove`), or makes it as in the edition again (`restore`)."""
    version, chosen = _number(field(form, "version", 10)), field(form, "act", 10)
    if chosen == "restore":
        written = drafts.read(session, actor, draft_id, path).base
    elif chosen == "remove":
        written = None
    else:
        written = retyped(session, actor, draft_id, path, form.get("content"))
    saved = drafts.save(session, actor, draft_id, path, written, version)
    if screen.is_patch:
        return _whispered(screen, session, saved)
    if screen.request.headers.get("accept", "").startswith("application/json"):
        return _told(screen, saved)
    return screen.go(f"/drafts/{draft_id}/files/{path}", "" if saved.conflict else "draft_saved")


def _told(screen: Screen, saved: drafts.Saved) -> Response:
    """For an editor in the page."""
    if saved.conflict is None:
        return JSONResponse({"path": saved.path, "version": saved.version})
    details = {name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in saved.conflict.details.items()}
    return JSONResponse({"code": saved.conflict.code, "message": screen.refusal(saved.conflict.code, saved.conflict.details), **details}, 409)


def _whispered(screen: Screen, session: Any, saved: drafts.Saved) -> Response:
    """For the form that saves by itself: what is said under it, and the version the next save is made from."""
    if saved.conflict:
        return PlainTextResponse(screen.refusal(saved.conflict.code, saved.conflict.details), 409, {_ASIDE: str(saved.aside)})
    said = screen.words.text("task.saved_at", time=screen.words.time(clock.now(session)))
    return PlainTextResponse(said, headers={_VERSION: str(saved.version)})


def _upload(session: Any, actor: Any, draft_id: UUID, form: Any) -> None:
    """Files put in the place of those of their names, from the versions that the page showed; what comes too late stands aside."""
    whole = drafts.show(session, actor, draft_id)
    given = sent(form)
    if not given:
        raise errors.Invalid("draft.nothing_sent")
    for name, content in given:
        archives.check_size(name, content)
        path = archives.named(name, content, whole.files)
        drafts.save(session, actor, draft_id, path, content, _number(field(form, f"version:{path}", 10)))


def retyped(session: Any, actor: Any, draft_id: UUID, path: str, typed: Any) -> bytes:
    """What was typed, its lines ended as the file's were: a browser sends CR LF whatever it was given."""
    if not isinstance(typed, str):
        raise errors.Invalid("draft.not_text")
    before = as_text(drafts.read(session, actor, draft_id, path).content)
    plain = typed.replace("\r\n", "\n").replace("\r", "\n")
    return (plain.replace("\n", "\r\n") if before and "\r\n" in before else plain).encode()


def as_text(content: bytes | None) -> str | None:
    """The text of a file that a browser gives back as it was given: UTF-8, one way of ending lines, nothing that a page hides."""
    try:
        written = (content or b"").decode("utf-8")
    except UnicodeDecodeError:
        return None
    ended = written.replace("\r\n", "") if "\r\n" in written else written
    is_whole = "\r" not in ended and not ("\r\n" in written and "\n" in ended) and "\0" not in written and without_bidi_controls(written) == written
    return written if is_whole else None


def _differences(before: bytes | None, after: bytes | None) -> str:
    """The lines that differ, each behind + or -; "" where there is nothing to compare."""
    earlier, later = as_text(before), as_text(after)
    if before == after or not earlier or not later:
        return ""
    was, now = earlier.splitlines(), later.splitlines()
    if len(was) + len(now) > _LONGEST_COMPARED:
        return ""
    return "\n".join(list(difflib.unified_diff(was, now, n=2, lineterm=""))[2:])


def _place(written: str, element: str) -> dict[str, Any] | None:
    """Where an element is written: its line, and the line itself."""
    if not element:
        return None
    for number, line in enumerate(written.splitlines(), 1):
        if f'"{element}"' in line:
            return {"element": element, "line": number, "text": line.strip()[:200]}
    return {"element": element, "line": 0, "text": ""}


def _number(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() else 0


def _page(
    screen: Screen, actor: Any, session: Any, draft_id: UUID, refusal: errors.Refusal | None = None, typed: dict[str, str] | None = None,
    at: tuple[str, str] = ("", ""),
) -> Response:  # fmt: skip
    whole = drafts.show(session, actor, draft_id)
    files = drafts.files(whole)
    proposal = proposals.read(session, screen.actor, whole)
    findings, before = publication.findings(whole), publication.reasons_before(session, whole, screen.language)
    found = with_links(whole, screen.findings(findings), screen.language)
    for one, shown in zip(findings, found, strict=True):
        shown["accepted"] = before.get(acceptances.digest_of(one)) if one.severity != "error" else None
    old = [shown for shown in found if shown["accepted"]]
    titles = _titles(session, whole, files, proposal, screen.language)
    return screen.show(
        "draft/page.html", refusal.status if refusal else 200, draft=whole.draft, awaited=publication.awaited(session, actor, whole.draft), may_move=authority.may(actor, moves.ACT), asides=whole.asides,
        titles=titles, proposal=proposal, changes=_changes(files, proposal), more=max(0, len(proposal.changes) - _MOST_TOLD), drawing=_drawing(whole, proposal, titles, *at), figures=_figures(proposal),
        groups=[(kind, [one for one in files if one.kind == kind]) for kind in archives.KINDS], versions=[one for one in files if one.version],
        wrong=[one for one in found if one["severity"] == "error"], doubtful=[one for one in found if one["severity"] != "error" and one not in old], old=old,
        rehearsed=rehearsals.report(session, actor, draft_id, in_short=True), refused=screen.refusal(refusal.code, refusal.details) if refusal else "", typed=typed or dict.fromkeys(_TYPED, ""),
    )  # fmt: skip


def _changes(files: Iterable[drafts.DraftFile], proposal: proposals.Proposal) -> list[dict[str, Any]]:
    """Each file that differs with what differs in it; `file` is None where it is not the draft's work but the edition's it is compared with."""
    told: dict[str, list[Any]] = {}
    for one in proposal.changes[:_MOST_TOLD]:
        is_drawn = any(one.element in side.get(one.file, {}) for side in (proposal.marks.old, proposal.marks.new))
        told.setdefault(one.file, []).append({"parts": sentences.parts(one.text), "element": one.element if is_drawn else ""})
    own = {one.path: one for one in files if one.change}
    return [{"path": path, "file": own.get(path), "told": told.get(path, [])} for path in dict.fromkeys([*own, *told])]


def _titles(session: Any, whole: drafts.Whole, files: Iterable[drafts.DraftFile], proposal: proposals.Proposal, language: str) -> dict[str, str]:
    """What each file of the page is called; one that is gone, as it was."""
    paths = {*(one.path for one in files), *(one.file for one in proposal.changes), *proposal.marks.old, *proposal.marks.new}
    return vocabulary.titles({**proposals.against(session, whole).files, **whole.files}, paths, language)


def _figures(proposal: proposals.Proposal) -> list[tuple[str, list[Any]]]:
    """Each figure with its lines on the shortest, the typical and the longest way."""
    rows: dict[str, list[Any]] = {}
    for one in proposal.burden or ():
        rows.setdefault(one.label, []).append(one)
    return list(rows.items())


def _drawing(whole: drafts.Whole, proposal: proposals.Proposal, titles: dict[str, str], diagram: str, element: str) -> dict[str, Any] | None:
    """One of the diagrams that differ, painted as it was and as it would be; None where none does."""
    paths = sorted({*proposal.marks.old, *proposal.marks.new})
    if not paths:
        return None
    path = diagram if diagram in paths else paths[0]
    sides = (("before", "before", proposal.marks.old), ("after", "content", proposal.marks.new))
    here = f"/drafts/{whole.draft.draft_id}"
    return {"paths": paths, "path": path, "name": titles.get(path, path), "element": element[:200], "sides": [
        {"side": side, "address": f"{here}/{source}/{path}", "marks": json.dumps(dict(marks.get(path, {})))} for side, source, marks in sides
    ]}  # fmt: skip


def with_links(whole: drafts.Whole, found: Iterable[dict[str, str]], language: str) -> list[dict[str, str]]:
    """Each finding with the path of the file it is about, where the draft has one of that name, and what that file is called."""
    by_name = {path.rpartition("/")[2]: path for path in whole.files}
    at = [{**one, "path": by_name.get(one["file"].rpartition("/")[2], "")} for one in found]
    titles = vocabulary.titles(whole.files, {one["path"] for one in at if one["path"]}, language)
    return [{**one, "title": titles.get(one["path"], "")} for one in at]
