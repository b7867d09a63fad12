"""The simulation of a draft: the expected waiting and load of each agency, draft against the edition in force, with how sure one may be; and with other people than there are."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine import errors, i18n
from engine.casework import drafts
from engine.insight import simulations
from engine.insight.queues import Post
from engine.pathway import simulation
from engine.pathway.definitions import Definitions
from web import sentences
from web.dependencies import Acting, OnScreen, Reading
from web.screen import Screen

router = APIRouter()


_ASKED = "n."  # a number of people in an address: n.<branch>.<agency>.<role>=2


@router.get("/drafts/{draft_id}/simulation")
def show(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, branch: str = "") -> Response:
    """The figures, and what they rest on; with other people where the address says so."""
    whole, refused, status, outlook = drafts.show(session, actor, draft_id), "", 200, None
    asked = _asked(screen.request.query_params)
    try:
        outlook = simulations.outlook(session, actor, draft_id, asked)
    except errors.Invalid as refusal:
        refused, status = screen.refusal(refusal.code, refusal.details), refusal.status
    shown = [_compared(screen, one, whole.edition.definitions) for one in outlook.compared] if outlook else []
    people = _people(screen, outlook, branch, asked) if outlook else None
    return screen.show("simulation/page.html", status, draft=whole.draft, outlook=outlook, compared=shown, refused=refused, people=people)


def _asked(typed: Mapping[str, str]) -> dict[Post, int]:
    """The people typed; what is no number is left as it is."""
    found = {}
    for name, value in typed.items():
        parts = name.removeprefix(_ASKED).split(".")
        if name.startswith(_ASKED) and len(parts) == 3 and value.strip().isascii() and value.strip().isdigit():
            found[Post(*parts)] = int(value.strip()[:6])
    return found


def _people(screen: Screen, outlook: simulations.Outlook, branch: str, asked: Mapping[Post, int]) -> dict[str, Any]:
    """Who does the work in one branch, and what goes wrong anywhere."""
    number, posts = screen.words.number, outlook.posts
    tasks = {code: sum(one.now.tasks.mean for one in posts if one.post.branch == code) for code in sorted({one.post.branch for one in posts})}
    chosen = branch if branch in tasks else max(tasks, key=lambda code: tasks[code], default="")

    def row(one: simulations.PostCompared) -> dict[str, Any]:
        return {"name": _ASKED + ".".join(one.post), "agency": one.post.agency, "role": one.post.role, "now": one.now, "then": one.then,
                "tasks": [_told(screen, load.tasks, 1) for load in (one.now, one.then)], "busy": [_told(screen, load.busy, 0, 100) for load in (one.now, one.then)],
                "waits": [_told(screen, load.waits, 1) for load in (one.now, one.then)], "change": _change(screen, one.now.waits, one.then.waits, 1, simulation.middle)}  # fmt: skip

    trouble = [(kind, one.post, number(round(one.then.tasks.mean, 1))) for kind in ("nobody", "full") for one in posts
               if (one.then.is_nobodys if kind == "nobody" else one.then.is_full and one.then.tasks.mean)]  # fmt: skip
    rows = [row(one) for one in posts if one.post.branch == chosen and (one.now.tasks.mean or one.then.tasks.mean)]
    elsewhere = [(_ASKED + ".".join(post), held) for post, held in asked.items() if post.branch != chosen]
    changed = [(post, held) for post, held in asked.items() if held != next((one.now.people for one in posts if one.post == post), 0)]
    return {"branches": list(tasks), "chosen": chosen, "rows": rows, "trouble": trouble, "elsewhere": elsewhere, "changed": changed, "hours": number(round(outlook.hours_a_month)),
            "most": simulations.MOST_PEOPLE, "measured": number(outlook.measured)}  # fmt: skip


def _told(screen: Screen, value: simulation.Range, digits: int = 0, times: int = 1) -> dict[str, str]:
    return {name: screen.words.number(one if digits else int(one)) for name, one in _rounded(value, digits, times).items()}


def _rounded(value: simulation.Range, digits: int, times: int = 1) -> dict[str, float]:
    return {name: round(getattr(value, name) * times, digits) + 0.0 for name in ("mean", "low", "high")}  # + 0.0: never -0


def _change(screen: Screen, before: simulation.Range, after: simulation.Range, digits: int = 0, summed: Any = None) -> dict[str, Any]:
    """A difference as it is read: what the figures shown do not tell apart is none."""
    found = simulation.difference(before, after, summed)
    shown, least = _rounded(found, digits), 10**-digits
    is_same = shown["mean"] == 0 and -least <= shown["low"] and shown["high"] <= least
    kind = "same" if is_same else "more" if shown["low"] > 0 else "less" if shown["high"] < 0 else "unsure"
    apart = {name: f"\u2068{number}\u2069" for name, number in _told(screen, found, digits).items()}  # each keeps its sign where Arabic would put it behind
    return {"kind": kind, "said": sentences.parts(screen.words.text("simulation.change", **apart))}


def _compared(screen: Screen, one: simulations.Compared, definitions: Definitions) -> dict[str, Any]:
    number = screen.words.number

    def told(value: simulation.Range, digits: int = 0) -> dict[str, str]:
        return _told(screen, value, digits)

    def change(before: simulation.Range, after: simulation.Range, digits: int = 0) -> dict[str, Any]:
        return _change(screen, before, after, digits)

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
