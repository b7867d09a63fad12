"""The simulation of a draft: the expected waiting and load of each agency, draft against the edition in force, with how sure one may be."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine import errors, i18n
from engine.casework import drafts
from engine.insight import simulations
from engine.pathway import simulation
from engine.pathway.definitions import Definitions
from web.dependencies import Acting, OnScreen, Reading
from web.screen import Screen

router = APIRouter()


@router.get("/drafts/{draft_id}/simulation")
def show(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID) -> Response:
    """The figures, and what they rest on."""
    whole, refused, status, outlook = drafts.show(session, actor, draft_id), "", 200, None
    try:
        outlook = simulations.outlook(session, actor, draft_id)
    except errors.Invalid as refusal:
        refused, status = screen.refusal(refusal.code, refusal.details), refusal.status
    shown = [_compared(screen, one, whole.edition.definitions) for one in outlook.compared] if outlook else []
    return screen.show("simulation/page.html", status, draft=whole.draft, outlook=outlook, compared=shown, refused=refused)


def _compared(screen: Screen, one: simulations.Compared, definitions: Definitions) -> dict[str, Any]:
    number = screen.words.number

    def told(value: simulation.Range, digits: int = 0) -> dict[str, str]:
        return {name: number(round(getattr(value, name), digits) if digits else round(getattr(value, name))) for name in ("mean", "low", "high")}

    def change(before: simulation.Range, after: simulation.Range, digits: int = 0) -> dict[str, Any]:
        found = simulation.difference(before, after)
        least = 0.5 / 10**digits
        kind = "same" if max(abs(found.low), abs(found.high), abs(found.mean)) < least else "more" if found.low > 0 else "less" if found.high < 0 else "unsure"
        return {"kind": kind, **told(found, digits)}

    then = {share.agency: share for share in one.then.shares}
    now = {share.agency: share for share in one.now.shares}
    rows = []
    for agency in sorted(now.keys() | then.keys()):
        before, after = (side.get(agency, simulation.Share(agency, simulation.NOTHING, simulation.NOTHING, simulation.NOTHING)) for side in (now, then))
        rows.append({"agency": agency, **{name: {"now": told(getattr(before, name), 1), "then": told(getattr(after, name), 1), "change": change(getattr(before, name), getattr(after, name), 1)}
                                          for name in ("tasks", "days", "a_month")}})  # fmt: skip
    assumed: dict[str, list[str]] = {}
    for kind, node in one.then.assumed:
        assumed.setdefault(kind, []).append(definitions.label(node, screen.language))
    new = set(one.then.assumed) - set(one.now.assumed)
    return {
        "name": i18n.pick(definitions.processes[one.process].names, screen.language), "process": one.process, "is_same": one.is_same, "rows": rows,
        "days": {"now": told(one.now.days), "then": told(one.then.days), "change": change(one.now.days, one.then.days)},
        "half": {"now": number(round(one.now.half)), "then": number(round(one.then.half))}, "most": {"now": number(round(one.now.most)), "then": number(round(one.then.most))},
        "assumed": assumed, "new": [(kind, definitions.label(node, screen.language)) for kind, node in sorted(new)], "begun": number(round(one.now.cases_a_month, 1)),
    }  # fmt: skip
