"""The rehearsal of a draft: how far it is, and what would go otherwise, group by group, each with its cases."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine import clock, i18n
from engine.actors import authority
from engine.casework import batches, drafts
from engine.casework.editions import Edition
from engine.insight import rehearsals
from engine.pathway.bpmn import Definitions
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, field
from web.screen import Screen

router = APIRouter()
_SHOWN = 30  # case numbers of a group before "and so many more"


@router.get("/drafts/{draft_id}/rehearsal")
def show(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, all: int = 0) -> Response:
    """The last rehearsal of a draft. `all`: the group (its place) whose cases are all named."""
    whole = drafts.show(session, actor, draft_id)
    found = rehearsals.report(session, actor, draft_id)
    context: dict[str, Any] = {"report": found, "groups": [], "left": None}
    if found is not None:
        telling = _Telling(screen, rehearsals.edition_of(session, found.batch), whole.base)
        context["groups"] = [
            {"kind": kind, "count": found.gravest.get(kind, 0), "found": [telling.group(place, one, all) for place, one in enumerate(found.groups, 1) if one.kind == kind]}
            for kind in dict.fromkeys(one.kind for one in found.groups)
        ]
        context["left"] = rehearsals.lasts(found.batch, clock.system_now())
        context["refused"] = {screen.refusal(code, {}): number for code, number in found.counts.items() if code not in (rehearsals.SAME, rehearsals.DIFFERS, rehearsals.UNREAD)}
    return screen.show("rehearsal/page.html", draft=whole.draft, may_ask=authority.may(actor, "draft.rehearse"), **context)


@router.post("/drafts/{draft_id}/rehearsal")
def act(screen: OnScreen, actor: Acting, session: Writing, form: Posted, draft_id: UUID) -> Response:
    """Asks for a rehearsal, or stops the one under way."""
    if field(form, "act", 10) == "cancel":
        under_way = batches.latest(session, actor, rehearsals.KIND, draft_id)
        if under_way is not None:
            batches.cancel(session, actor, under_way.batch_id)
    else:
        rehearsals.start(session, actor, draft_id)
    return screen.go(f"/drafts/{draft_id}/rehearsal")


class _Telling:
    """Says a difference in the reader's words, with the names of the draft, or of the edition in force where the draft has the thing no more."""

    def __init__(self, screen: Screen, now: Edition, then: Edition) -> None:
        self.screen, self.text, self.language = screen, screen.words.text, screen.language
        self.now, self.then = now, then

    def group(self, place: int, one: rehearsals.Group, all_of: int) -> dict[str, Any]:
        named = one.named if all_of == place else one.named[:_SHOWN]
        return {"place": place, "sentence": self.sentence(one), "cases": one.cases, "named": named, "more": min(one.cases, len(one.named)) - len(named),
                "is_veiled": one.is_veiled, "beyond": 0 if one.is_veiled or all_of != place else one.cases - len(one.named)}  # fmt: skip

    def sentence(self, one: rehearsals.Group) -> str:
        about = {"element": self._name(one.node, one.process)}
        match one.kind:
            case "stops":
                return self.text("rehearsal.stops", reason=self._reason(one, about), **about)
            case "branch":
                return self.text("rehearsal.branch", then=self._flows(self.then, one.then), now=self._flows(self.now, one.now), **about)
            case "undone":
                return self.text("rehearsal.undone", **about)
            case "ends":
                return self._ends(one)
            case "asks":
                return self._asks(one, about)
            case _:
                return self._waits(one, about)

    def _reason(self, one: rehearsals.Group, about: dict[str, str]) -> str:
        """Why it stops, where that can be said: the table by its name, and what it or the gateway looks at."""
        given = dict(one.because)
        if (table := given.get("decision")) in self.now.definitions.decisions:
            given["decision"] = i18n.pick(self.now.definitions.decision(table).names, self.language) or table
        reason = self.screen.refusal(one.now[0], about | given) if one.now else ""
        fields = [name for name in (".".join(path.split(".")[:2]) for path in one.fields) if name in self.now.dictionary.fields]
        looks = self.text("rehearsal.looks_at", fields=self._list([self._field(name) for name in fields])) if fields else ""
        return f"{'' if '[' in reason else reason} {looks}".strip()

    def _ends(self, one: rehearsals.Group) -> str:
        names = self._list([self._name(node) for node in one.now])
        if not one.then:
            return self.text("rehearsal.ends_early", now=names)
        if one.now and all(node in {task.node for task in self.now.definitions.tasks} for node in one.now):
            return self.text("rehearsal.ends_not", now=names)
        return self.text("rehearsal.ends_other", now=names, then=self._name(one.then[0])) if one.now else self.text("rehearsal.ends_nowhere")

    def _asks(self, one: rehearsals.Group, about: dict[str, str]) -> str:
        fields = self._list([self._field(name) for name in one.fields])
        is_new = one.node not in {task.node for task in self.then.definitions.tasks}
        code = "rehearsal.asks_task" if is_new and not fields else "rehearsal.asks_new" if is_new else "rehearsal.asks"
        return self.text(code, fields=fields, **about)

    def _waits(self, one: rehearsals.Group, about: dict[str, str]) -> str:
        if len(one.then) == 2 or len(one.now) == 2:
            return self.text("rehearsal.deadline", then=self._length(one.then), now=self._length(one.now), **about)
        count = self.screen.words.count
        if not one.then:
            return self.text("rehearsal.waits_new", **about)
        return self.text("rehearsal.waits", then=count("rehearsal.days", int(one.then[0])), now=count("rehearsal.days", int(one.now[0])), **about)

    def _length(self, length: Sequence[str]) -> str:
        return self.screen.words.count(f"rehearsal.{length[1]}", int(length[0])) if len(length) == 2 else self.text("rehearsal.no_deadline")

    def _flows(self, edition: Edition, flows: Sequence[str]) -> str:
        return self._list([_flow(edition.definitions, flow, self.language) for flow in flows]) or self.text("rehearsal.nowhere")

    def _name(self, node: str, process: str = "") -> str:
        for edition in (self.now, self.then):
            if node in edition.definitions.processes:
                return i18n.pick(edition.definitions.processes[node].names, self.language)
            if (label := edition.definitions.label(node, self.language, process)) != node:
                return label
        return node

    def _field(self, name: str) -> str:
        spec = self.now.dictionary.fields.get(name)
        return i18n.pick(spec.label, self.language) if spec else name

    def _list(self, names: Sequence[str]) -> str:
        return f"{self.text('format.comma')} ".join(dict.fromkeys(names))


def _flow(definitions: Definitions, flow: str, language: str) -> str:
    """A flow by its own name, else by where it leads."""
    label = definitions.label(flow, language)
    return label if label != flow else definitions.label(definitions.target_of(flow), language)
