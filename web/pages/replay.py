"""The replay of a case: its diagram at an instant, a timeline, and beside it what was known, who had the ball, what was done; two cases side by side.

A link for each instant; the script only fetches what the link would show.
"""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from engine import errors, i18n, identity
from engine.actors import authority
from engine.casework import cases, diagrams, findings, player
from engine.casework.player import HALTS, Frame
from web import ball, sentences
from web.dependencies import Acting, OnScreen, Reading
from web.formatting import Words
from web.pages import readers as readings
from web.screen import Screen

router = APIRouter()
WAYS = ("step", "elapsed", "stage")  # how far another case is shown
_HEATS = 4
_STRIP = 1000  # the width of the strip of marks, in its own units
_SHOWN = ("handover", "decision", "delay", "money", "incident", "moved")
_WORKDAY = 9 * 3600.0
_LONGEST = 12  # elements of the list of time spent


@router.get("/cases/{case_id}/replay")
def show(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID, at: int | None = None, when: str = "", part: str = "", process: str = "", heat: str = "",
         to: str = "", back: str = "", beside: str = "", by: str = "step") -> Response:  # fmt: skip
    """One instant. `to`: on to the next hand-over, decision or delay (`back`: to the one before); `beside`: another case, by its id or its number."""
    chosen = identity.parse(part)
    by = by if by in WAYS else "step"
    address = _Address(case_id, {"part": part if chosen else "", "process": process[:100], "heat": "1" if heat else "", "beside": beside[:64], "by": by if beside else ""})
    nothing = ""
    if to in HALTS:
        found = player.halt(session, actor, case_id, chosen, at or 1, to, is_back=bool(back))
        if found is not None:
            return RedirectResponse(address.of(at=found), 303)
        nothing = to
    shown = player.frame(session, actor, case_id, part=chosen, at=at, when=_hour(when))
    other, missing = None, False
    if beside:
        other_id = identity.parse(beside) or next((one.case_id for one in cases.search(session, actor, beside) if one.case_id), None)
        try:
            other = player.beside(session, actor, other_id, shown, by) if other_id else None
        except errors.NotFound:
            other = None
        missing = other is None
    address.query["at"] = str(shown.seq)
    sides = [_side(screen, shown, address, "", process, bool(heat))] + ([_side(screen, other, address, "other", "", bool(heat))] if other else [])
    for side in sides:
        at_it = side["frame"]
        side["findings"] = findings.here(session, actor, at_it.instance_id, at_it.first, at_it.seq, at_it.edition.edition_id)
        side["marks"] = json.dumps({one.element: "finding" for one in side["findings"] if side["shown"] and one.process == side["shown"].process})
    given = {
        "frame": shown, "address": address, "sides": sides, "nothing": nothing, "missing": missing, "beside": beside, "by": by, "ways": WAYS, "halts": HALTS,
        "may_find": authority.may(actor, "finding.write"), "announced": _announced(screen.words, shown, sides[0]), "heat": bool(heat),
    }  # fmt: skip
    if screen.is_patch:
        return screen.show("replay/_moment.html", **given)
    strip = _strip(player.timeline(session, actor, case_id, chosen), shown.last)
    return screen.show("replay/page.html", strip=strip, **given)


@router.get("/cases/{case_id}/replay/diagram/{number}/{process}")
def drawing(actor: Acting, session: Reading, case_id: UUID, number: int, process: str) -> Response:
    """A diagram of the edition that the case followed, for the viewer in the page."""
    headers = {"content-disposition": "attachment", "cache-control": "private, max-age=3600"}
    return Response(player.drawing(session, actor, case_id, number, process), media_type="application/xml", headers=headers)


class _Address:
    """The address of an instant, and of others beside it."""

    def __init__(self, case_id: UUID, query: dict[str, str]) -> None:
        self.case_id, self.query = case_id, query

    def of(self, **changed: object) -> str:
        query = {name: str(value) for name, value in {**self.query, **changed}.items() if value not in ("", None)}
        return f"/cases/{self.case_id}/replay?{urlencode(query)}"


def _hour(said: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(said) if said else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=dt.UTC)


def _side(screen: Screen, frame: Frame, address: _Address, slot: str, process: str, heat: bool) -> dict[str, Any]:
    """All that is shown of one case at its instant."""
    words, language = screen.words, screen.language
    names = diagrams.labels(frame.edition, language)
    shown = next((one for one in frame.drawings if one.process == process), _followed(frame))
    spent = sorted(((node, seconds) for node, seconds in frame.spent.items() if seconds >= 60), key=lambda one: (-one[1], one[0]))
    most = spent[0][1] if spent else 1
    times = [{"name": names.get(node) or node, "time": worked(words, seconds), "share": round(100 * seconds / most)} for node, seconds in spent[:_LONGEST]]
    whole = diagrams.with_what_they_call(frame.edition, frame.spent) if heat else {}
    hottest = max(whole.values(), default=1) or 1
    heated = {node: [1 + min(_HEATS - 1, int(_HEATS * seconds / hottest)), worked(words, seconds)] for node, seconds in whole.items() if seconds >= 60}
    stand = {"done": [] if heat else list(shown.done), "here": list(shown.here), "stopped": list(frame.stopped), "heat": heated} if shown else {}
    return {
        "slot": slot, "frame": frame, "shown": shown, "stand": {name: json.dumps(value) for name, value in stand.items()}, "times": times,
        "lines": [{"sentence": sentences.happened(words, one, names), "why": sentences.why(words, one, names)} for one in frame.happened],
        "ball": ball.ball(frame.waiting, words), "since": {one.task_id or one.since: _waited(words, frame, one.since) for one in frame.waiting},
        "sections": _sections(words, frame, language), "new": [_told(words, one) for one in frame.facts if one.is_new and _is_one(frame, one)],
        "seen": _seen(words, frame, names), "parts": _parts(words, frame, address, language), "money": _money(frame), "process_name": _named(frame, frame.process, language),
    }  # fmt: skip


def _followed(frame: Frame) -> diagrams.Drawing | None:
    """The diagram to look at: where the case did something last, of those where it stands; not those that only call another."""
    sheets = {one.process: diagrams.sheet_of(frame.edition, one.process) for one in frame.drawings}
    met = [one.body.get("node") for one in reversed(frame.happened)] + [one.node for one in sorted(frame.waiting, key=lambda one: one.since, reverse=True)]
    opened = [node for one in reversed(frame.happened) for _, node in reversed(one.body.get("opened", ()))]
    for node in (*opened, *met):
        for one in frame.drawings:
            if node in one.here and node not in sheets[one.process].calls:
                return one
    return frame.drawings[0] if frame.drawings else None


def _named(frame: Frame, process: str, language: str) -> str:
    found = frame.edition.definitions.processes.get(process)
    return i18n.pick(found.names, language) if found else process


def _is_one(frame: Frame, fact: player.Fact) -> bool:
    """Whether a fact is told by itself: the rows of a list are, the list is not."""
    return frame.edition.dictionary.fields[fact.field].type != "list"


def _sections(words: Words, frame: Frame, language: str) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for fact in frame.facts:
        if _is_one(frame, fact):
            is_one_of_several = frame.edition.dictionary.groups[fact.group].subject not in ("person", "return", "case")
            groups.setdefault((fact.group, fact.subject if is_one_of_several else ""), []).append(_told(words, fact))
    seen: dict[str, int] = {}
    sections = []
    for (group, subject), facts in groups.items():
        seen[group] = seen.get(group, 0) + 1
        title = i18n.pick(frame.edition.dictionary.groups[group].label, language)
        sections.append({"title": f"{title} {seen[group]}" if subject else title, "source": sentences.shared_source(facts), "facts": facts})
    return sections


def _told(words: Words, fact: player.Fact) -> dict[str, Any]:
    return {"label": fact.label, "value": fact.value, "replaced_at": fact.replaced_at,
            "source": sentences.source(words, fact.source, fact.recorded_at, fact.author, fact.author_agency)}  # fmt: skip


def _seen(words: Words, frame: Frame, names: Mapping[str, str]) -> dict[str, Any]:
    """What people saw: readings in sentences, and what each form had in front of whoever filled it in."""
    forms = []
    for one in frame.seen.forms:
        more = [words.count(f"player.seen.{name}", number) for name, number in (("hidden", one.hidden), ("elsewhere", one.elsewhere)) if number]
        forms.append({"said": words.text("player.seen.on_form", who=one.who, what=names.get(one.node) or one.node), "labels": one.labels, "more": more})
    return {"forms": forms, "readings": [{"at": one.at, "sentence": readings.sentence(words, one)} for one in frame.seen.readings or ()]}


def _parts(words: Words, frame: Frame, address: _Address, language: str) -> list[dict[str, Any]]:
    """The case and what goes with it, each at this hour."""
    hour = frame.now.at.isoformat()
    return [{
        "name": _named(frame, one.process, language), "number": one.number, "is_shown": one.instance_id == frame.instance_id, "status": one.status, "tasks": one.tasks,
        "address": f"/cases/{one.case_id}/replay?{urlencode({'when': hour} | ({'part': str(one.instance_id)} if one.instance_id != one.case_id else {}))}",
    } for one in frame.parts]  # fmt: skip


def _money(frame: Frame) -> Mapping[str, int] | None:
    """What was committed and paid over all of the case's dossiers by then; None where the reader may not know."""
    if all(one.money is None for one in frame.parts):
        return None
    return {name: sum((one.money or {}).get(name, 0) for one in frame.parts) for name in ("committed", "paid", "released")}


def worked(words: Words, seconds: float) -> str:
    """Working time: minutes, hours of a day, then days."""
    if seconds < 3600:
        return words.text("player.minutes", number=words.number(max(1, round(seconds / 60))))
    if seconds < _WORKDAY:
        return words.text("player.hours", number=words.number(round(seconds / 3600)))
    return words.count("player.days", max(1, round(seconds / _WORKDAY)))


def _waited(words: Words, frame: Frame, since: dt.datetime) -> str:
    """How long something had waited, in working time."""
    return worked(words, frame.now.calendar.open_time(since, frame.now.at).total_seconds())


def _announced(words: Words, frame: Frame, side: Mapping[str, Any]) -> str:
    what = side["lines"][0]["sentence"] if side["lines"] else ""
    return words.text("player.announced", seq=words.number(frame.seq), last=words.number(frame.last), at=words.moment(frame.now.at), what=what)


def _strip(marks: list[tuple[int, tuple[str, ...]]], last: int) -> dict[str, str]:
    """The marks under the timeline, a path for each kind: runs of places side by side are one stroke, so that many weigh little more than few."""
    drawn = {}
    for row, kind in enumerate(_SHOWN):
        places = sorted({round(_STRIP * (seq - 1) / max(1, last - 1)) // 4 * 4 for seq, kinds in marks if kind in kinds})
        runs: list[list[int]] = []
        for place in places:
            if runs and place == runs[-1][1]:
                runs[-1][1] = place + 4
            else:
                runs.append([place, place + 4])
        if runs:
            drawn[kind] = "".join(f"M{first} {8 * row}H{past}v7H{first}z" for first, past in runs)
    return drawn
