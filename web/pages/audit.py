"""An auditor's morning: history searched by who, what and how it went; who prepared with who approved; samples that anybody draws again."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from engine import errors, identity
from engine.actors import authority, branches, users
from engine.actors.agencies import AGENCIES
from engine.casework import staff
from engine.insight import audit, samples
from engine.insight import departures as otherwise
from web import sentences
from web.dependencies import Acting, OnScreen, Posted, Reading, database_of, field
from web.pages.admin import attempt, chosen_day, refused
from web.screen import Screen

router = APIRouter(prefix="/audit")
PROCESSES = ("parcours", "signalement", "seance_commission")


@router.get("")
def show(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """Where to begin: each way of searching, with what it takes."""
    authority.require(actor, "audit.search")
    people = sorted(staff.names(session, screen.language, staff.everybody(session)).items(), key=lambda one: one[1])
    return screen.show("audit/page.html", agencies=AGENCIES, people=people, deviations=audit.DEVIATIONS, late=audit.LATE)


@router.get("/events")
def events(screen: OnScreen, actor: Acting, session: Reading, by: str = "late", value: str = "", cursor: str = "") -> Response:
    """The lines that one question finds, the newest first. `by`: person (a case's id), actor, agency, rule, deviation, late."""
    authority.require(actor, "audit.search")
    found_id = identity.parse(value)
    if by in ("person", "actor") and found_id is None:
        raise errors.NotFound("case.not_found")
    found = {
        "person": lambda: audit.of_person(session, actor, found_id, cursor),
        "actor": lambda: audit.of_actor(session, actor, found_id, cursor),
        "agency": lambda: audit.of_agency(session, actor, value, cursor),
        "rule": lambda: audit.of_rule(session, actor, value, cursor),
        "deviation": lambda: audit.deviations(session, actor, value, cursor),
        "late": lambda: audit.late(session, actor, value, cursor),
    }.get(by, lambda: audit.late(session, actor, "", cursor))()
    names = audit.labels(session, screen.language)
    rows = [{"event": one, "sentence": sentences.happened(screen.words, one.happened, names), "has_why": bool({"branches", "decisions"} & set(one.happened.body))} for one in found.items]
    older = "/audit/events?" + urlencode({"by": by, "value": value, "cursor": found.next}) if found.next else ""
    return screen.show("audit/events.html", rows=rows, older=older, by=by, about=_about(screen, session, by, value, actor))


@router.get("/rules")
def rules(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """The rules that fired, with how often; those that weigh what she may not know are counted."""
    return screen.show("audit/rules.html", found=audit.rules(session, actor))


@router.get("/departures")
def departures(screen: OnScreen, actor: Acting, session: Reading, kind: str = "", cursor: str = "") -> Response:
    """Where a person decided otherwise than what was proposed. `kind`: one of `departures.KINDS`."""
    kind = kind if kind in otherwise.KINDS else ""
    found = otherwise.listed(session, actor, kind, cursor)
    older = "/audit/departures?" + urlencode({"kind": kind, "cursor": found.next}) if found.next else ""
    return screen.show("audit/departures.html", rows=found.items, older=older, kinds=otherwise.KINDS, kind=kind, veiled=found.veiled)


@router.get("/pairs")
def pairs(screen: OnScreen, actor: Acting, session: Reading, cursor: str = "") -> Response:
    """Who prepared and who approved money, and how often the same two."""
    found = audit.pairs(session, actor, cursor)
    return screen.show("audit/pairs.html", rows=found.items, older=f"/audit/pairs?cursor={found.next}" if found.next else "")


@router.get("/samples")
def all_samples(request: Request, screen: OnScreen, actor: Acting) -> Response:
    return _samples(request, screen, actor)


@router.post("/samples")
def draw(request: Request, screen: OnScreen, actor: Acting, form: Posted) -> Response:
    """Draws a sample and keeps it."""
    size = field(form, "size", 6)

    def act(session: Any) -> UUID:
        opened_from, opened_to = (chosen_day(form, name) if field(form, name, 20) else None for name in ("opened_from", "opened_to"))
        return samples.make(session, actor, field(form, "process", 40), field(form, "branch", 10), opened_from, opened_to, int(size) if size.isdecimal() else 0, field(form, "seed", 200))

    made, refusal = attempt(request, actor, act)
    return _samples(request, screen, actor, refusal) if refusal else screen.go(f"/audit/samples/{made}")


@router.get("/samples/{sample_id}")
def sample(screen: OnScreen, actor: Acting, session: Reading, sample_id: UUID) -> Response:
    """One sample: seed, population, rule, cases drawn, and how to draw it again."""
    whole = samples.show(session, actor, sample_id)
    return screen.show("audit/sample.html", sample=whole.sample, drawn=whole.drawn)


@router.get("/samples/{sample_id}/population.txt")
def population(actor: Acting, session: Reading, sample_id: UUID) -> Response:
    """The ids of the population, one a line: what somebody needs to draw the sample again."""
    whole = samples.show(session, actor, sample_id)
    return PlainTextResponse("".join(f"{one}\n" for one in whole.ids), headers={"content-disposition": f'attachment; filename="population-{sample_id}.txt"'})


def _samples(request: Request, screen: Screen, actor: users.Actor, refusal: errors.Refusal | None = None) -> Response:
    with database_of(request).reading(actor) as session:
        rows = samples.listed(session, actor)
        codes = branches.codes(session)
    return screen.show("audit/samples.html", refusal.status if refusal else 200, rows=rows, processes=PROCESSES, branch_codes=codes, **refused(screen, refusal))


def _about(screen: Screen, session: Any, by: str, value: str, actor: users.Actor) -> str:
    """What the question was about, in words; nothing of a person."""
    match by:
        case "actor":
            return staff.names(session, screen.language, [value]).get(value, "")
        case "agency":
            return screen.words.text(f"agency.{value}") if value in AGENCIES else ""
        case "deviation" | "late":
            return screen.words.text(f"audit.kind.{value.replace('.', '_')}") if value in (*audit.DEVIATIONS, *audit.LATE, "refused_then_done") else ""
        case "rule":
            return next((one.label for one in audit.rules(session, actor).items if one.rule == value), value)
    return ""
