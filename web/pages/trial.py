"""A trial: a draft walked by hand with invented answers. The tasks that wait with the forms that people would get, what is awaited, time to jump, a step back."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import errors, i18n
from engine.casework import cases, drafts, sandbox, scenarios, trials
from engine.demo import invention
from engine.dossier import programmes
from engine.insight.wording import Wording, parameters
from engine.pathway import bpmn
from engine.pathway.decisions import Decision
from engine.pathway.naming import message_named
from engine.workdays import Present
from web import layout
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.screen import Screen
from web.typed import Typed

router = APIRouter()
_LONGEST_WAIT = 3_660  # days in one act


@router.get("/drafts/{draft_id}/trial")
def show(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, task: str = "", sheet: str = "") -> Response:
    """Where the trial stands. `task`: the one whose form is open (`instance.turn.element`); `sheet`: the diagram shown (`instance.process`)."""
    return _page(screen, session, drafts.show(session, actor, draft_id).draft, trials.show(session, actor, draft_id), task, sheet)


@router.post("/drafts/{draft_id}/trial")
def act(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted, draft_id: UUID) -> Response:
    """Any act of the trial; refused, the page comes back with what was typed."""
    chosen, typed = field(form, "act", 200), Typed.of_post(form)
    kind, _, on = chosen.partition(":")
    here, task = f"/drafts/{draft_id}/trial", _task_named(form)
    try:
        match kind:
            case "begin":
                process, _, message = field(form, "process", 200).partition("|")
                trials.begin(session, actor, draft_id, process, field(form, "branch", 10), message, field(form, "wish", 20))
            case "drop":
                trials.drop(session, actor, draft_id)
            case "back":
                trials.back(session, actor, draft_id, _version(form))
            case "keep":
                made = scenarios.of_trial(session, actor, draft_id, field(form, "title", 200))
                return screen.go(f"/drafts/{draft_id}/scenarios", "scenario_kept", number=len(made))
            case "add" | "remove" | "refresh":
                focus = typed.add_row(on) if kind == "add" else typed.remove_row(on) if kind == "remove" else ""
                return _page(screen, session, drafts.show(session, actor, draft_id).draft, trials.show(session, actor, draft_id), task, "", typed, focus=focus or "")
            case _:
                trials.act(session, actor, draft_id, _wanted(session, actor, draft_id, kind, form, typed), _version(form))
    except (errors.Invalid, errors.Conflict) as refusal:
        session.rollback()
        with database_of(request).reading(actor) as again:
            draft, found = drafts.show(again, actor, draft_id).draft, _shown(again, actor, draft_id)
            return _page(screen, again, draft, found, task, "", typed, refusal)
    return screen.go(here)


def _shown(session: Any, actor: Any, draft_id: UUID) -> trials.Trial | None:
    try:
        return trials.show(session, actor, draft_id)
    except errors.Invalid:  # the draft cannot be read now: the refusal that is shown says so
        return None


def _wanted(session: Any, actor: Any, draft_id: UUID, kind: str, form: Any, typed: Typed) -> Mapping[str, Any]:
    """The act as trials take it: whatever the page sent of it."""
    at = {"instance": _number(field(form, "instance", 4)), "node": field(form, "node", 200), "turn": _number(field(form, "turn", 4)) or 1}
    payload = {name.removeprefix("payload."): _value(values[0]) for name, values in typed.pairs.items() if name.startswith("payload.") and values[0].strip()}
    sent = {"do": kind, **at, "payload": payload, "days": min(max(_number(field(form, "days", 5)), 1), _LONGEST_WAIT)}
    if kind not in ("answer", "invent"):
        return sent
    trial = trials.show(session, actor, draft_id)
    turn = next((one for one in trial.town.turns() if (one.instance, one.node, one.turn) == tuple(at.values())), None) if trial else None
    if turn is None:
        raise errors.Conflict("trial.no_task")
    said = layout.read(turn.form, typed)
    if kind == "invent":
        said = invention.invented(trial.town, turn, {name: value for name, value in said.items() if value not in ("", [], None)}, str(trial.acts[0].get("wish", "")))
    return sent | {"do": "answer", "answers": said}


def _value(written: str) -> Any:
    """A value typed for a message: a truth value, a number, else a text."""
    written = written.strip()[:200]
    if written in ("true", "false"):
        return written == "true"
    try:
        number = Decimal(written)
    except InvalidOperation:
        return written
    return int(number) if number.is_finite() and number == number.to_integral_value() and abs(number) < 10**9 else written


def _number(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() else 0


def _version(form: Any) -> int:
    return _number(field(form, "version", 6))


def _task_named(form: Any) -> str:
    node = field(form, "node", 200)
    return f"{_number(field(form, 'instance', 4))}.{_number(field(form, 'turn', 4)) or 1}.{node}" if node else ""


def _page(screen: Screen, session: Any, draft: drafts.Draft, trial: trials.Trial | None, task: str, sheet: str, typed: Typed | None = None,
          refusal: errors.Refusal | None = None, focus: str = "") -> Response:  # fmt: skip
    said = {"draft": draft, "refused": screen.refusal(refusal.code, refusal.details) if refusal else "", "status": refusal.status if refusal else 200}
    said["findings"] = screen.findings(refusal.findings) if refusal and refusal.code != "task.answers" else []
    if trial is None:
        starts, wishes = _starts(screen, session, draft), invention.WISHES
        return screen.show("trial/begin.html", said.pop("status"), starts=starts, wishes=wishes, branches=[row["code"] for row in programmes.dated(session).branches], **said)
    showing = _Showing(screen, trial)
    turns = trial.town.turns()
    open_one = next((one for one in turns if _key(one) == task), turns[0] if len(turns) == 1 else None)
    status, errors_shown = said.pop("status"), ()
    shown = None
    if open_one is not None:
        found = refusal.findings if refusal and refusal.code == "task.answers" else ()
        shown = layout.layout(open_one.form, f"/drafts/{draft.draft_id}/trial", typed or Typed(), found, screen.words)
        errors_shown = shown.errors
    return screen.show(
        "trial/page.html", status, trial=trial, now=Present(trial.town.now, trial.town.tables.calendar), turns=[showing.turn(one) for one in turns],
        open_one=showing.turn(open_one) if open_one else None, shown=shown, errors=errors_shown, asked=open_one.form if open_one else None, waits=showing.waits(),
        told=showing.told(), broken=showing.broken(), instances=showing.instances(), drawing=showing.drawing(sheet), may_complete=False,
        is_over=all(not walk.is_open for walk in trial.town.walks), focus="summary" if errors_shown else focus, **said,
    )  # fmt: skip


def _starts(screen: Screen, session: Any, draft: drafts.Draft) -> list[tuple[str, str, str]]:
    """Where a trial may begin: process, message, words. What is part of another, or begins by what one tells it, is not chosen by hand."""
    try:
        definitions = drafts.show(session, screen.actor, draft.draft_id).edition.definitions
    except errors.Invalid:
        return []
    found = []
    for process, one in definitions.processes.items():
        if process in definitions.called or cases.own_subject(definitions, process):
            continue
        name = i18n.pick(one.names, screen.language)
        found += [(process, "", name)] if definitions.spec(process).begins(None) or not one.start_messages else []
        found += [(process, message, f"{name} · {i18n.pick(message_named(message, [one.names for one in definitions.nodes_of(process) if one.names and one.extensions.message and one.extensions.message.name == message]), screen.language)}") for message in one.start_messages]
    return sorted(found, key=lambda one: (one[0] != "parcours", one[2]))


def _key(turn: sandbox.Turn) -> str:
    return f"{turn.instance}.{turn.turn}.{turn.node}"


class _Showing:
    """What a trial's page shows, in the reader's words."""

    def __init__(self, screen: Screen, trial: trials.Trial) -> None:
        self.screen, self.trial, self.text = screen, trial, screen.words.text
        self.definitions = trial.town.edition.definitions
        self.wording = Wording(trial.town.edition, screen.language, parameters(trial.town.tables))

    def name(self, node: str, process: str = "") -> str:
        return self.definitions.label(node, self.screen.language, process)

    def turn(self, one: sandbox.Turn) -> dict[str, Any]:
        return {"key": _key(one), "name": self.name(one.node, one.process), "agency": one.agency, "role": one.role, "due_at": one.due_at, "instance": one.instance,
                "node": one.node, "turn": one.turn, "of": self._of(one.instance)}  # fmt: skip

    def waits(self) -> list[dict[str, Any]]:
        found = []
        for one in self.trial.town.waiting():
            names = self.definitions.carried.get(one.name, ()) if one.kind == "message" else ()
            found.append({"name": self.name(one.node), "kind": one.kind, "due_at": one.due_at, "instance": one.instance, "node": one.node, "turn": one.turn,
                          "carries": [(name, self.wording.label(name)) for name in names if name not in ("instance", "branche", "numero")], "of": self._of(one.instance)})  # fmt: skip
        return found

    def broken(self) -> list[dict[str, Any]]:
        return [{"name": self.name(one.node), "node": one.node, "instance": walk.place, "sentence": self.screen.refusal(one.code, one.details)}
                for walk in self.trial.town.walks for one in walk.incidents.values()]  # fmt: skip

    def instances(self) -> list[dict[str, Any]]:
        found = []
        for walk in self.trial.town.walks:
            stands = self.trial.standing(walk.place)
            sheets = [process for process in self.definitions.processes if process in stands.active_in or process in stands.done_in]
            found.append({"place": walk.place, "name": self._of(walk.place), "number": walk.held.number, "is_open": walk.is_open,
                          "sheets": [(process, i18n.pick(self.definitions.processes[process].names, self.screen.language), process in stands.active_in) for process in sheets]})  # fmt: skip
        return found

    def drawing(self, sheet: str) -> dict[str, Any]:
        """The diagram asked for, else the one where the last open instance stands deepest."""
        place, _, process = sheet.partition(".")
        walks = self.trial.town.walks
        walk = walks[int(place)] if place.isdigit() and int(place) < len(walks) else next((one for one in reversed(walks) if one.is_open), walks[0])
        stands = self.trial.standing(walk.place)
        if process not in self.definitions.processes:
            process = next((one.process for one in reversed(stands.tasks)), walk.held.process)
        file = next(path for path in self.trial.town.edition.files if path.rpartition("/")[2] == self.definitions.processes[process].file)
        here, done = stands.active_in.get(process, frozenset()), stands.done_in.get(process, frozenset())
        return {"place": walk.place, "process": process, "path": file, "name": i18n.pick(self.definitions.processes[process].names, self.screen.language),
                "here": json.dumps(sorted(here)), "done": json.dumps(sorted(done - here)), "names": list(dict.fromkeys(self.name(node, process) for node in sorted(here))),
                "stopped": json.dumps(sorted(one.node for one in walk.incidents.values()))}  # fmt: skip

    def told(self) -> list[str]:
        """What Masar did by itself after the last act."""
        found = []
        for one in self.trial.told:
            match one.happening:
                case bpmn.BranchTaken(node=node, flows=flows):
                    words = [self.name(flow) if self.name(flow) != flow else self.name(self.definitions.target_of(flow)) for flow in flows]
                    found.append(self.text("trial.branch", element=self.name(node), flow=f"{self.text('format.comma')} ".join(words)))
                case bpmn.Decided(node=node, decision=decision, rules=rules):
                    found.append(self._decided(node, self.definitions.decision(decision), rules))
                case bpmn.OperationRequested(node=node):
                    found.append(self.text("trial.operation", element=self.name(node)))
                case bpmn.MessageSent(name=name):
                    found.append(self.text("trial.sent", name=self.message(name)))
                case bpmn.TaskOpened(node=node, process=process):
                    found.append(self.text("trial.opened", element=self.name(node, process)))
                case bpmn.WaitOpened(node=node, kind="timer", due_at=due) if due is not None:
                    found.append(self.text("trial.waits", element=self.name(node), at=self.screen.words.moment(due)))
                case bpmn.WaitClosed(node=node):
                    found.append(self.text("trial.wait_over", element=self.name(node)))
                case bpmn.Ended(outcome=outcome):
                    found.append(self.text("trial.ended", element=self.name(outcome)))
        return list(dict.fromkeys(found))

    def message(self, name: str) -> str:
        """A message by what it means, else by what hears it."""
        hearing = [one.names for one in self.definitions.nodes if one.names and one.extensions.message and one.extensions.message.name == name and not one.extensions.message.parameters]
        return i18n.pick(message_named(name, hearing), self.screen.language)

    def _decided(self, node: str, decision: Decision, rules: Sequence[str]) -> str:
        said = self.text("format.comma") + " "
        told = said.join(f"{place} ({self.wording.rule(decision, one)})" for place, one in enumerate(decision.rules, 1) if one.rule_id in rules)
        return self.text("trial.decided" if told else "trial.decided_plainly", element=self.name(node), decision=self.wording.decision(decision), rules=told)

    def _of(self, instance: int) -> str:
        return i18n.pick(self.definitions.processes[self.trial.town.walks[instance].held.process].names, self.screen.language)
