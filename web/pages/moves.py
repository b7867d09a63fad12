"""Moving running cases to an edition: choosing them, the mapping, the trial, the move and its lines, and back again."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as field_of
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from engine import errors, i18n, identity
from engine.actors import authority
from engine.casework import batches, editions, movable, moves
from web.certificates import Telling
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.screen import Screen

router = APIRouter()
_SHOWN = 200
_NOTHING, _GONE = "", "-"  # of a pick-list: not said; said to be no more


@router.get("/editions/{edition_id}/moves")
def choose(screen: OnScreen, actor: Acting, session: Reading, edition_id: UUID, former: str = "", branch: str = "", process: str = "", node: str = "") -> Response:  # fmt: skip
    """The running cases that may come to this edition, and what their elements become."""
    return _choice(screen, actor, session, edition_id, movable.Choice(identity.parse(former), branch[:20], process[:100], node[:200]))


@router.post("/editions/{edition_id}/moves")
def begin(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted, edition_id: UUID) -> Response:
    """Tries, in the background, what moving the chosen cases would come to."""
    choice = movable.Choice(identity.parse(field(form, "former", 40)), field(form, "branch", 20), field(form, "process", 100), field(form, "node", 200))
    ids = [found for one in form.getlist("case") if (found := identity.parse(one)) is not None]
    if field(form, "all", 3):
        ids = list(movable.every(session, actor, edition_id, choice))
    try:
        made = moves.try_many(session, actor, ids, edition_id, _mapping(form))
    except (errors.Invalid, errors.Conflict) as refusal:
        session.rollback()
        with database_of(request).reading(actor) as again:
            return _choice(screen, actor, again, edition_id, choice, refusal, _Chosen(frozenset(ids), bool(field(form, "all", 3)), _picked(form)))
    return screen.go(f"/moves/{made}")


@router.get("/moves/{batch_id}")
def show(screen: OnScreen, actor: Acting, session: Reading, batch_id: UUID, result: str = "", after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0) -> Response:
    """How far a trial or a move is, and what became of each case. `result`: only those; `after`: the place of the last line read."""
    return _batch(screen, actor, session, batch_id, result=result[:60], after=after)


@router.post("/moves/{batch_id}")
def act(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted, batch_id: UUID) -> Response:
    """Moves what a trial found ready; puts back what a batch moved; stops what is under way."""
    chosen, reason = field(form, "act", 10), field(form, "reason", moves.LONGEST_REASON)
    try:
        if chosen == "cancel":
            batches.cancel(session, actor, batch_id)
            made = batch_id
        elif chosen == "back":
            made = moves.start_back(session, actor, batch_id, reason)
        else:
            made = moves.start_ready(session, actor, batch_id, reason)
    except (errors.Invalid, errors.Conflict) as refusal:
        session.rollback()
        with database_of(request).reading(actor) as again:
            return _batch(screen, actor, again, batch_id, refusal)
    return screen.go(f"/moves/{made}")


@router.post("/cases/{case_id}/move-back")
def move_back(screen: OnScreen, actor: Acting, session: Writing, form: Posted, case_id: UUID) -> Response:
    """Puts a moved case, or a part of it, back as it was."""
    of = identity.parse(field(form, "instance", 40)) or case_id
    moves.move_back(session, actor, of, field(form, "reason", moves.LONGEST_REASON))
    root = identity.parse(field(form, "root", 40)) or case_id
    return screen.go(f"/cases/{root}", "moved_back")


@dataclass(frozen=True)
class _Chosen:
    """What was chosen on the page of cases: nothing of it at first. `mapping`: as its pick-lists hold it."""

    cases: frozenset[UUID] = frozenset()
    all: bool = False
    mapping: Mapping[str, str] = field_of(default_factory=dict)


def _picked(form: Any) -> dict[str, str]:
    return {name.removeprefix("map:")[:300]: value[:300] for name, value in form.multi_items() if name.startswith("map:") and isinstance(value, str)}


def _mapping(form: Any) -> dict[str, str]:
    """The pick-lists of the page: what each element becomes."""
    return {name: "" if value == _GONE else value for name, value in _picked(form).items() if value != _NOTHING}


def _choice(screen: Screen, actor: Any, session: Any, edition_id: UUID, choice: movable.Choice, refusal: errors.Refusal | None = None, chosen: _Chosen = _Chosen()) -> Response:
    found = movable.find(session, actor, edition_id, choice, _SHOWN)
    edition = editions.find(session, actor, edition_id)
    processes = {process: i18n.pick(one.names, screen.language) for process, one in edition.definitions.processes.items()}
    former = {one[0]: one[1] for one in found.former}
    return screen.show(
        "moves/page.html", refusal.status if refusal else 200, edition=edition, found=found, choice=choice, processes=processes, former=former,
        running=dict.fromkeys(one[2] for one in found.former), pairs=movable.mapping(session, actor, edition_id, choice),
        refused=screen.refusal(refusal.code, refusal.details) if refusal else "", chosen=chosen,
    )  # fmt: skip


def _batch(screen: Screen, actor: Any, session: Any, batch_id: UUID, refusal: errors.Refusal | None = None, *, result: str = "", after: int = 0) -> Response:
    batch = batches.progress(session, actor, batch_id)
    if batch.kind != moves.KIND or batch.edition_id is None:
        raise errors.NotFound("batch.not_found")
    edition = editions.load(session, batch.edition_id)
    lines = batches.lines(session, actor, batch_id, code=result, after=after, limit=_SHOWN + 1, last=moves.WELL)
    more, lines = lines[_SHOWN - 1].place if len(lines) > _SHOWN else 0, lines[:_SHOWN]
    numbers = movable.numbers(session, [line.instance_id for line in lines])
    shown = []
    for line in lines:
        former = numbers[line.instance_id].former
        telling = Telling(screen.words, edition, *((editions.load(session, former),) if former else ()))
        sentence = screen.refusal(line.code, line.details) if "way" not in line.details else ""
        process = edition.definitions.processes.get(line.process)
        shown.append({"line": line, "number": numbers[line.instance_id].number, "root": numbers[line.instance_id].root_id, "may_return": numbers[line.instance_id].may_return,
                      "process": i18n.pick(process.names, screen.language) if process else line.process, "sentence": sentence,
                      "told": telling.certificate(line.details) if "way" in line.details else None})  # fmt: skip
    return screen.show(
        "moves/batch.html", refusal.status if refusal else 200, batch=batch, edition=edition, lines=shown, counts=dict(sorted(batches.counts(session, actor, batch_id).items(), key=lambda one: one[0] in moves.WELL)),
        may_move=authority.may(actor, moves.ACT), is_trial=bool(batch.parameters.get("is_trial")), is_back="back" in batch.parameters, reason=batch.parameters.get("reason", ""),
        refused=screen.refusal(refusal.code, refusal.details) if refusal else "", more=more, result=result, after=after,
    )  # fmt: skip
