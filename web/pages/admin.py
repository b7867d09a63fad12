"""Administration: where it stands, what each role may do, what was changed by whom, and administration by file."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from engine import clock, errors, identity
from engine.actors import accounts, authority, branches, reviews, users
from engine.actors.agencies import AGENCIES
from engine.actors.roles import GIVEN_BY_TWO, ROLES
from engine.casework import imports, posts, staff
from engine.dossier import catalogues, holidays
from engine.ledger import journal
from web.dependencies import Acting, OnScreen, Posted, Reading, database_of, field
from web.formatting import Words
from web.pages.editions import attachment
from web.screen import Screen

router = APIRouter(prefix="/admin")
PAGE = 50
_SOON = 45  # days ahead that the first page looks


def attempt(request: Request, actor: users.Actor, act: Callable[[Any], Any]) -> tuple[Any, errors.Refusal | None]:
    """Does one act in a unit of work of its own; what it refused is returned, once what it had begun is undone. The rest is raised."""
    try:
        with database_of(request).unit_of_work(actor) as session:
            return act(session), None
    except (errors.Invalid, errors.Conflict) as refusal:
        return None, refusal


def refused(screen: Screen, refusal: errors.Refusal | None) -> dict[str, Any]:
    """What a page shows of a refusal: the sentence, and each place it names."""
    if refusal is None:
        return {"refused": "", "findings": []}
    inner = [one for one in refusal.findings if one.code != refusal.code or len(refusal.findings) > 1]
    return {"refused": _sentence(screen, refusal.code, refusal.details), "findings": [_sentence(screen, one.code, one.details) for one in inner]}


def chosen_day(form: Any, name: str) -> dt.date:
    """A day of a posted form. Refuses: `import.day`."""
    return imports.day(field(form, name, 20), f"/{name}")


@router.get("")
def show(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """What is there, and what somebody should look at."""
    today = clock.today(clock.now(session))
    listed = accounts.listed(session, actor)
    closed = [one for year in {today.year, (today + dt.timedelta(days=_SOON)).year} for one in holidays.listed(session, actor, year)]
    places = branches.listed(session, actor)
    told = {
        "proposals": accounts.proposals(session, actor, state="open"), "idle": accounts.listed(session, actor, idle_days=reviews.IDLE_DAYS),
        "fresh": [one for one in listed if one.is_active and one.one_time_until], "alone": sum(one.is_active and "administrateur" in one.roles for one in listed) < 2,
        "reviews": [one for one in reviews.listed(session, actor) if one.closed_at is None],
        "estimates": [one for one in closed if one.is_estimate and today < one.day <= today + dt.timedelta(days=_SOON)],
        "lacking": [one for one in places if one.lacks and one.present.is_open],
        "vacant": [(one.code, len(found)) for one in places if one.present.is_open and (found := posts.vacant(session, actor, one.code))],
        "unserved": [one for one in branches.GOVERNORATES if not any(one in place.present.governorates and place.present.is_open for place in places)],
        "accounts": sum(one.is_active for one in listed), "branches": sum(one.present.is_open for one in places), "idle_days": reviews.IDLE_DAYS,
    }  # fmt: skip
    return screen.show("admin/page.html", **told)


@router.get("/roles")
def roles(screen: OnScreen, actor: Acting) -> Response:
    """What each role opens: where it is held, how far it reaches, what it reads and writes, which acts."""
    authority.require(actor, "admin.read")
    shown = [{"code": code, "role": found, "agencies": sorted(found.agencies), "acts": authority.acts_of(code), "by_two": code in GIVEN_BY_TWO} for code, found in ROLES.items()]
    return screen.show("admin/roles.html", roles=shown)


@router.get("/journal")
def journal_page(screen: OnScreen, actor: Acting, session: Reading, before: int = 0, about: str = "", kind: str = "") -> Response:
    """What was changed, by whom, when and why, the newest first."""
    found = accounts.history(session, actor, before, about, kind, PAGE + 1)
    rows = entries(screen, session, found[:PAGE])
    return screen.show("admin/journal.html", rows=rows, more=found[PAGE - 1].seq if len(found) > PAGE else 0, about=about[:80], kind=kind[:40])


@router.get("/import")
def import_page(screen: OnScreen, actor: Acting) -> Response:
    authority.require(actor, "dated.write")
    return _import_page(screen, "users")


@router.get("/import/{kind}/template")
def template(actor: Acting, kind: str) -> Response:
    """A file to fill in."""
    authority.require(actor, "dated.write")
    return attachment(imports.template(kind).encode(), f"masar-{kind}.csv", "text/csv; charset=utf-8")


@router.post("/import")
def take_up(request: Request, screen: OnScreen, actor: Acting, form: Posted) -> Response:
    """Tries a file, and shows what it would do; then, sent again from that page, takes it up."""
    kind, is_trial = field(form, "kind", 20), field(form, "act", 10) != "do"
    content, reason = _content(form), field(form, "reason", 600)
    report, refusal = attempt(request, actor, lambda session: imports.run(session, actor, kind, content, reason, is_trial=is_trial, is_known=field(form, "is_known", 5) == "yes"))
    return _import_page(screen, kind, report=report, refusal=refusal, content=content, reason=reason)


def entries(screen: Screen, session: Any, found: list[journal.Entry]) -> list[dict[str, Any]]:
    """Lines of the journal in words: who, what of what, the details that have a name, why."""
    ids = {one.actor_id for one in found} | {one.about.removeprefix("user:") for one in found if one.about.startswith("user:")}
    ids |= {str(one.body["proposed_by"]) for one in found if one.body.get("proposed_by")}
    names = staff.names(session, screen.language, [one for one in ids if identity.parse(one)])
    return [_entry(screen, names, one) for one in found]


def _entry(screen: Screen, names: Any, one: journal.Entry) -> dict[str, Any]:
    words = screen.words
    noun, _, code = one.about.partition(":")
    about = names.get(code, "") if noun == "user" else words.text(f"branch.{code}") if noun == "branch" else words.date(code) if noun == "holiday" else "" if noun == "review" else code
    was, now = one.body.get("was") or {}, one.body
    details = [words.text("admin.journal_was", what=_rights(words, was), now=_rights(words, now))] if was else [_rights(words, now)] if "roles" in now else []
    details += [words.text(f"admin.detail.{name}", value=value) for name, value in _details(words, names, one)]
    return {"seq": one.seq, "at": one.at, "who": names.get(one.actor_id) or words.text("history.masar"), "what": words.text(f"admin.journal.{one.kind}"), "about": about,
            "address": one.about, "details": details, "reason": str(one.said.get("reason", ""))}  # fmt: skip


def _rights(words: Words, held: Any) -> str:
    listed = words.text("format.comma").join(f" {words.text(f'role.{role}')}" for role in held.get("roles", ())).strip() or words.text("admin.no_role")
    return words.text("admin.rights_are", place=words.text(f"agency.{held.get('agency')}") + " · " + words.text(f"branch.{held.get('branch')}"), roles=listed)


def _details(words: Words, names: Any, one: journal.Entry) -> list[tuple[str, Any]]:
    body = one.body
    told: list[tuple[str, Any]] = [(name, words.date(body[name])) for name in ("valid_from", "valid_to") if body.get(name)]
    told += [(name, words.money(body[name])) for name in ("amount_millimes", "fund_millimes") if body.get(name)]
    told += [("governorates", " ".join(body["governorates"]))] if body.get("governorates") else []
    told += [("value", written(body["value"]))] if "value" in body else []
    told += [("proposed_by", names.get(str(body["proposed_by"]), ""))] if body.get("proposed_by") else []
    told += [("vacant", words.text("format.comma").join(f" {words.text(f'role.{role}')}" for role in body["vacant"]).strip())] if body.get("vacant") else []
    told += [("closed", "")] if body.get("is_open") is False else []
    told += [("counts", f"{body['kept']} / {body['withdrawn']}")] if "kept" in body else []
    return told


def written(value: Any) -> str:
    """A parameter's value as one types it again."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _content(form: Any) -> bytes:
    sent = form.get("file")
    if isinstance(sent, UploadFile) and sent.filename:
        return sent.file.read(imports.LARGEST + 1)
    held = form.get("content", "")
    return held.encode() if isinstance(held, str) else b""


def _import_page(screen: Screen, kind: str, *, report: imports.Report | None = None, refusal: errors.Refusal | None = None, content: bytes = b"", reason: str = "") -> Response:
    found = report.findings if report else ()
    is_wrong = any(one.severity == "error" for one in found)  # then its warnings wait until it is right
    lines = [{"line": int(one.where or 0), "sentence": _sentence(screen, one.code, one.details)} for one in found if one.severity == "error" or not is_wrong]
    status = refusal.status if refusal else 422 if is_wrong else 200
    held = imports.plain(content).decode("utf-8-sig") if report and not report.is_done and not is_wrong else ""
    shown = {"kinds": list(imports.COLUMNS), "columns": imports.COLUMNS, "kind": kind, "report": report, "lines": lines, "is_wrong": is_wrong, "content": held, "reason": reason}
    return screen.show("admin/import.html", status, **shown, **refused(screen, refusal))


def _sentence(screen: Screen, code: str, details: Any) -> str:
    """A refusal in words; days as days, roles and agencies by their names."""
    shown = {name: screen.words.date(value) if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else value for name, value in dict(details).items()}
    if code in ("user.roles", "user.roles_apart", "account.last_holder"):
        named = [screen.words.text(f"role.{one}") if one in ROLES else one for one in str(shown.get("roles", "")).split(", ") if one]
        shown["roles"] = screen.words.text("format.comma").join(f" {one}" for one in named).strip()
    if code == "account.last_holder":
        shown["branch"] = screen.words.text(f"branch.{shown['branch']}")
    if shown.get("agency") in AGENCIES:
        shown["agency"] = screen.words.text(f"agency.{shown['agency']}")
    if code == "programme.column":
        named = screen.words.text(f"admin.column.{shown.get('name')}")
        shown["name"] = shown.get("name") if named.startswith("[") else named
    return screen.refusal(code, shown)
