"""Scenarios: walks of one process kept with an edition, played before it is published: what was done, what the pathway was told, which tasks that opened.

A scenario names what it acts on by element, never by a position: it is played on any version of the diagrams. Its file holds routing and facts, of nobody
(`disguise`). Not here: who makes one, and of what (`casework.scenarios`).
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine import errors
from engine.errors import Finding
from engine.i18n import LANGUAGES, pick, translate
from engine.pathway import bpmn
from engine.pathway.naming import Names, joined, process_named
from engine.pathway.scenario_files import MOST_STEPS, Scenario, Step, is_same

_MOST_ALL = 5_000  # steps of all the scenarios of an edition
_MOST_ADDED = 50  # tasks that a scenario taken anew does besides its own


@dataclass(frozen=True)
class Played:
    """A scenario played: `finding` says where it went otherwise (None: as written), `steps` how many went well; `passed`, by process, what it walked through."""

    scenario: Scenario
    finding: Finding | None
    steps: int
    passed: Mapping[str, frozenset[str]]


def check(definitions: bpmn.Definitions, scenarios: Mapping[str, Scenario]) -> list[Finding]:
    """A finding for each scenario that the definitions do not follow."""
    if sum(len(one.steps) for one in scenarios.values()) > _MOST_ALL:
        return [Finding("scenario.too_many_steps", "", {"most": _MOST_ALL})]
    played = (play(definitions, scenario, file) for file, scenario in sorted(scenarios.items()))
    return [one.finding for one in played if one.finding is not None]


def coverage(definitions: bpmn.Definitions, scenarios: Mapping[str, Scenario]) -> dict[str, frozenset[str]]:
    """Which elements and flows of each process some scenario passes or comes to."""
    found: dict[str, frozenset[str]] = {process: frozenset() for process in definitions.processes}
    for file, scenario in scenarios.items():
        for process, passed in play(definitions, scenario, file).passed.items():
            found[process] |= passed
    return found


def play(definitions: bpmn.Definitions, scenario: Scenario, file: str = "") -> Played:
    """Plays a scenario from its start, until its end or the first step that goes otherwise."""
    state, known = b"", {}
    finding, done = None, 0
    for number, step in enumerate(scenario.steps, 1):
        known = with_told(known, step.facts)
        try:
            made = _act(definitions, scenario.process, state, step, number, known)
        except errors.Refusal as refusal:
            finding = _failed(definitions, file, scenario, number, step, refusal.code)
            break
        state = made.state
        if finding := _otherwise(definitions, file, scenario, number, step, made):
            break
        done += 1
    stands = bpmn.inspect(definitions, state) if state else None
    passed = {name: stands.done_in.get(name, frozenset()) | stands.active_in.get(name, frozenset()) for name in {*stands.done_in, *stands.active_in}} if stands else {}
    return Played(scenario, finding, done, passed)


def record(definitions: bpmn.Definitions, process: str, heard: Sequence[bpmn.Stimulus]) -> tuple[Step, ...]:
    """The steps of a scenario from what an instance heard (its facts: those that each step read), on the definitions that it followed. Refuses what `bpmn` refuses."""
    state, steps = b"", []
    for stimulus in heard:
        step = _step(definitions, state, stimulus)
        made = bpmn.start(definitions, process, stimulus) if isinstance(stimulus, bpmn.Start) else bpmn.advance(definitions, state, stimulus)
        state = made.state
        steps.append(replace(step, opens=opened(made.happenings), ends=ended(made.happenings), breaks=broken(made.happenings)))
    return tuple(steps)


def rewritten(definitions: bpmn.Definitions, scenario: Scenario) -> Scenario:
    """The same acts with what they lead to on these definitions: those at elements that are no more are left out, a task that stands in the way of one, and is
    none of the scenario's own, is done first, with nothing answered; a timer rings when it is due.

    Refuses: `scenario.cannot_act`, at the first act that is not possible there all the same.
    """
    walk = _Walk(definitions, scenario.process, frozenset(step.node for step in scenario.steps))
    drawn = {element.id for process in definitions.processes for element in definitions.elements(process)}
    carried: dict[str, dict[str, Any]] = {}
    for number, step in enumerate(scenario.steps, 1):
        carried = with_told(carried, step.facts)
        if step.node and step.node not in drawn:
            continue
        while True:
            try:
                walk.take(replace(step, facts=carried))
                break
            except errors.Refusal as refusal:
                if not walk.clear_the_way(step.at):
                    raise errors.Conflict("scenario.cannot_act", number=number, element=_of_step(definitions, scenario, step)) from refusal
        carried = {}
    while is_over(scenario.steps) and not is_over(walk.steps) and walk.clear_the_way(scenario.steps[-1].at):
        pass
    return named(definitions, replace(scenario, steps=tuple(walk.steps)))


def named(definitions: bpmn.Definitions, scenario: Scenario) -> Scenario:
    """The scenario with what the elements that it speaks of are called on these definitions."""
    nodes = {one for step in scenario.steps for one in (step.node, step.ends or "", *step.opens, *step.breaks)}
    return replace(scenario, names={node: names for node in sorted(nodes) if (names := definitions.labels(node))})


@dataclass(frozen=True)
class Change:
    """What taking a scenario anew changes. `added`, `gone`: elements that it acts on more, or no more; `leads`: those that lead elsewhere; `days`: how much longer it lasts."""

    scenario: Scenario
    added: tuple[str, ...]
    gone: tuple[str, ...]
    leads: tuple[str, ...]
    days: int


def change(definitions: bpmn.Definitions, scenario: Scenario) -> Change:
    """A scenario as these definitions would have it, and what is other than it was. Refuses: as `rewritten`."""
    made = rewritten(definitions, scenario)
    old, new = (Counter(step.node or step.name for step in one.steps) for one in (scenario, made))
    led, leads = ({(step.node or step.name): (step.opens, step.ends, step.breaks) for step in one.steps} for one in (scenario, made))
    elsewhere = tuple(node for node, what in leads.items() if node in led and led[node] != what)
    return Change(made, tuple((new - old).keys()), tuple((old - new).keys()), elsewhere, (lasted(made.steps) - lasted(scenario.steps)).days)


class _Walk:
    """A scenario as it comes about. `own`: the elements that it acts on."""

    def __init__(self, definitions: bpmn.Definitions, process: str, own: frozenset[str]) -> None:
        self.definitions, self.process, self.own = definitions, process, own
        self.state, self.steps, self.added = b"", [], 0
        self.known: dict[str, dict[str, Any]] = {}
        self.late = dt.timedelta()

    def take(self, step: Step) -> None:
        """One act more, and what it leads to. Refuses what `bpmn` refuses."""
        known = with_told(self.known, step.facts)
        at = _when(self.definitions, self.state, step, step.at + self.late)
        made = _act(self.definitions, self.process, self.state, replace(step, at=at), len(self.steps) + 1, known)
        self.state, self.known, self.late = made.state, known, at - step.at
        self.steps.append(replace(step, at=at, opens=opened(made.happenings), ends=ended(made.happenings), breaks=broken(made.happenings)))

    def clear_the_way(self, at: dt.datetime) -> bool:
        """Does an open task that the scenario does not know; whether there was one."""
        stands = bpmn.inspect(self.definitions, self.state).tasks if self.state else ()
        new = next((one.node for one in stands if one.node not in self.own), None)
        if new is None or self.added == _MOST_ADDED:
            return False
        self.added += 1
        self.take(Step(at=at, act="complete", node=new))
        return True


def retimed(definitions: bpmn.Definitions, scenario: Scenario) -> Scenario:
    """The same acts, each timer when it is due: where one is due later than it rang, what follows comes later too. As far as it can be played."""
    state, known, late, steps = b"", {}, dt.timedelta(), []
    for number, step in enumerate(scenario.steps, 1):
        known = with_told(known, step.facts)
        try:
            at = _when(definitions, state, step, step.at + late)
            late = at - step.at
            steps.append(replace(step, at=at))
            state = _act(definitions, scenario.process, state, steps[-1], number, known).state
        except errors.Refusal:
            return replace(scenario, steps=(*steps, *scenario.steps[len(steps) :]))
    return replace(scenario, steps=tuple(steps))


def _when(definitions: bpmn.Definitions, state: bytes, step: Step, at: dt.datetime) -> dt.datetime:
    """The instant of an act that would be at `at`: of a timer, not before it is due. Refuses: `scenario.not_there`."""
    if step.act != "timer" or not state:
        return at
    place = _place(definitions, state, step)
    return max(at, next(one.due_at for one in bpmn.inspect(definitions, state).waits if one.wait_id == place))


def with_told(known: Mapping[str, Mapping[str, Any]], told: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What was told before, and what is told now in its place."""
    found = {subject: dict(groups) for subject, groups in known.items()}
    for subject, groups in told.items():
        mine = found.setdefault(subject, {})
        for group, context in groups.items():
            mine[group] = {**mine[group], **context} if isinstance(context, Mapping) and isinstance(mine.get(group), Mapping) else context
    return found


def told_once(scenario: Scenario) -> Scenario:
    """The same walk, each step telling only what was not told before or is otherwise now: what `with_told` makes of it is the same."""
    known, steps = {}, []
    for step in scenario.steps:
        new = {subject: _news(known.get(subject, {}), groups) for subject, groups in step.facts.items()}
        steps.append(replace(step, facts={subject: groups for subject, groups in new.items() if groups or subject not in known}))
        known = with_told(known, step.facts)
    return replace(scenario, steps=tuple(steps))


def _news(known: Mapping[str, Any], groups: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for group, context in groups.items():
        held = known.get(group)
        if isinstance(context, Mapping) and isinstance(held, Mapping):
            fresh: Any = {name: value for name, value in context.items() if name not in held or not is_same(held[name], value)}
            found |= {group: fresh} if fresh else {}
        elif group not in known or not is_same(held, context):
            found[group] = context
    return found


def opened(happenings: Sequence[Any]) -> tuple[str, ...]:
    """The tasks that a step opened and left open, in order of their ids as drawn."""
    found = {one.task_id: one.node for one in happenings if isinstance(one, bpmn.TaskOpened)}
    for one in happenings:
        if isinstance(one, bpmn.TaskClosed):
            found.pop(one.task_id, None)
    return tuple(sorted(found.values()))


def broken(happenings: Sequence[Any]) -> tuple[str, ...]:
    """The elements at which a step broke."""
    return tuple(sorted(one.node for one in happenings if isinstance(one, bpmn.IncidentRaised)))


def ended(happenings: Sequence[Any]) -> str | None:
    """How the instance ended in a step; None where it did not."""
    return next((one.outcome for one in happenings if isinstance(one, bpmn.Ended)), None)


def _act(definitions: bpmn.Definitions, process: str, state: bytes, step: Step, number: int, known: Mapping[str, Any]) -> bpmn.Step:
    given: dict[str, Any] = {"at": step.at, "seq": number, "facts": known}
    if step.act == "start":
        if state:
            raise errors.Conflict("scenario.started")
        return bpmn.start(definitions, process, bpmn.Start(variables=step.values, message=step.name or None, correlation=step.key, **given))
    if not state:
        raise errors.Conflict("scenario.not_started")
    return bpmn.advance(definitions, state, _stimulus(definitions, state, step, given))


def _stimulus(definitions: bpmn.Definitions, state: bytes, step: Step, given: Mapping[str, Any]) -> bpmn.Stimulus:
    match step.act:
        case "complete":
            return bpmn.Complete(task_id=_place(definitions, state, step), variables=step.values, **given)
        case "timer":
            return bpmn.Timer(wait_id=_place(definitions, state, step), **given)
        case "operation":
            return bpmn.OperationDone(task_id=_place(definitions, state, step), outputs=step.values, error=step.error or None, **given)
        case "retry":
            return bpmn.Retry(incident_id=_place(definitions, state, step), **given)
        case "signal":
            return bpmn.Signal(name=step.name, **given)
        case _:
            return bpmn.Message(name=step.name, correlation=step.key, payload=step.values, **given)


def _place(definitions: bpmn.Definitions, state: bytes, step: Step) -> str:
    """The id that a step's element has in a state. Refuses: `scenario.not_there`."""
    found = [key for key, node in _places(bpmn.inspect(definitions, state), step.act) if node == step.node]
    if len(found) < step.turn:
        raise errors.Conflict("scenario.not_there")
    return found[step.turn - 1]


def _places(stands: bpmn.Inspection, act: str) -> Iterator[tuple[str, str]]:
    """Where an act may be done: id and element, in order."""
    match act:
        case "complete":
            return ((one.task_id, one.node) for one in stands.tasks)
        case "timer":
            return ((one.wait_id, one.node) for one in stands.waits if one.due_at is not None)
        case "operation":
            return ((one.task_id, one.node) for one in stands.operations)
        case _:
            return ((one.incident_id, one.node) for one in stands.incidents)


def _step(definitions: bpmn.Definitions, state: bytes, stimulus: bpmn.Stimulus) -> Step:
    """A stimulus as a step, before it is known what it leads to."""
    told: dict[str, Any] = {"at": stimulus.at, "facts": stimulus.facts}
    match stimulus:
        case bpmn.Start():
            return Step(act="start", name=stimulus.message or "", key=stimulus.correlation, values=stimulus.variables, **told)
        case bpmn.Message():
            return Step(act="message", name=stimulus.name, key=stimulus.correlation, values=stimulus.payload, **told)
        case bpmn.Signal():
            return Step(act="signal", name=stimulus.name, **told)
        case bpmn.Complete(task_id=key, variables=values):
            act, error = "complete", ""
        case bpmn.OperationDone(task_id=key, outputs=values):
            act, error = "operation", stimulus.error or ""
        case bpmn.Timer(wait_id=key):
            act, values, error = "timer", {}, ""
        case bpmn.Retry(incident_id=key):
            act, values, error = "retry", {}, ""
    places = list(_places(bpmn.inspect(definitions, state), act))
    node = next((node for one, node in places if one == key), "")
    turn = [one for one, other in places if other == node].index(key) + 1 if node else 1
    return Step(act=act, node=node, turn=turn, values=values, error=error, **told)


def _otherwise(definitions: bpmn.Definitions, file: str, scenario: Scenario, number: int, step: Step, made: bpmn.Step) -> Finding | None:
    """What a step led to that is not written, or None."""
    breaks = broken(made.happenings)
    if breaks != step.breaks and breaks:
        return _failed(definitions, file, scenario, number, step, "scenario.breaks", found=_names(definitions, scenario, breaks))
    opens = opened(made.happenings)
    if opens != step.opens:
        lost, more = _less(step.opens, opens), _less(opens, step.opens)
        code = "scenario.opens_other" if lost and more else "scenario.opens_less" if lost else "scenario.opens_more"
        return _failed(definitions, file, scenario, number, step, code, lost=_names(definitions, scenario, lost), found=_names(definitions, scenario, more))
    ends = ended(made.happenings)
    if ends != step.ends:
        code = "scenario.ends_not" if ends is None else "scenario.ends" if step.ends is None else "scenario.ends_other"
        return _failed(definitions, file, scenario, number, step, code, lost=_name(definitions, scenario, step.ends or ""), found=_name(definitions, scenario, ends or ""))
    return None


def _less(these: Sequence[str], those: Sequence[str]) -> list[str]:
    left = list(those)
    return [one for one in these if not (one in left and (left.remove(one) or True))]


def _failed(definitions: bpmn.Definitions, file: str, scenario: Scenario, number: int, step: Step, code: str, **details: Any) -> Finding:
    is_gone = step.node and not definitions.is_drawn(step.node)
    told = code if code in _CODES else "scenario.gone" if is_gone else "scenario.not_there"
    about = {"title": scenario.named, "number": number, "element": scenario.names.get(step.node) or {"fr": step.node} if is_gone else _of_step(definitions, scenario, step)}
    return Finding(told, f"{file}#{number}", {**about, **details})


_CODES = frozenset({"scenario.breaks", "scenario.opens_other", "scenario.opens_less", "scenario.opens_more", "scenario.ends_not", "scenario.ends", "scenario.ends_other",
                    "scenario.started", "scenario.not_started"})


def _of_step(definitions: bpmn.Definitions, scenario: Scenario, step: Step) -> Names:
    """What a step acts on: an element, a message, the process as a whole."""
    return _name(definitions, scenario, step.node) if step.node else {"fr": step.name} if step.name else process_named(scenario.process, definitions.processes)


def _names(definitions: bpmn.Definitions, scenario: Scenario, nodes: Sequence[str]) -> Names:
    return joined([_name(definitions, scenario, one) for one in nodes], ", ")


def _name(definitions: bpmn.Definitions, scenario: Scenario, node: str) -> Names:
    """What an element is called; of one that is no more, what it was called, and that it is gone."""
    if not node or definitions.is_drawn(node):
        return definitions.named(node) if node else {}
    was = scenario.names.get(node) or {"fr": node}
    return {language: translate("scenario.words.gone", language, name=pick(was, language)) for language in LANGUAGES}


def is_over(steps: Sequence[Step]) -> bool:
    """Whether the walk comes to its end."""
    return bool(steps) and steps[-1].ends is not None


def lasted(steps: Sequence[Step]) -> dt.timedelta:
    """From the first step to the last."""
    return steps[-1].at - steps[0].at if steps else dt.timedelta()


assert MOST_STEPS <= _MOST_ALL
