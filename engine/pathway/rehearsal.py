"""Rehearsal: what an instance did, done again on other definitions (`doing_again`), and what would have gone otherwise.

Pure: the history comes from `casework.replays`.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.pathway import bpmn, replay
from engine.pathway.doing_again import Again, Difference, Done, Side
from engine.pathway.stimuli import Jump, Skip

__all__ = ["KINDS", "Difference", "Done", "Side", "done", "questions", "rehearse"]

# From what most concerns a person to what least does: a case is counted under the gravest.
KINDS = ("stops", "branch", "undone", "ends", "asks", "waits")
_HOURS = {"jours": 8 * 5 / 7, "jours_ouvres": 8.0, "heures_ouvrees": 1.0}  # of work, as burden counts


def done(process: str, history: Sequence[replay.Said]) -> list[Done]:
    """The acts of an instance, each made again on the definitions it had. Raises what the pathway refuses."""
    acts: list[Done] = []
    places: dict[str, str] = {}  # tasks, waits, operations and incidents that stand, in order: id → element
    asked: dict[str, str] = {}
    entered: dict[str, str] = {}  # tokens: id → element
    broken: set[str] = set()
    for said, step in replay.again(process, history):
        if said.stimulus is None:  # it was moved: where it stood afterwards is not an act
            continue
        key = next((getattr(said.stimulus, name) for name in ("task_id", "wait_id", "incident_id", "position") if hasattr(said.stimulus, name)), "")
        node = entered.get(key, "") if isinstance(said.stimulus, Jump | Skip) else places.get(key, "")
        turn = [one for one, other in places.items() if other == node].index(key) + 1 if key in places else 1
        acts.append(Done(said.stimulus, replay.filled(said.stimulus.facts, said.facts), node, turn, asked.get(key, ""), **_came_of(said.stimulus.at, step.happenings)))
        before = set(places)
        for one in step.happenings:
            match one:
                case bpmn.TaskOpened(task_id=key, node=node) | bpmn.WaitOpened(wait_id=key, node=node) | bpmn.IncidentRaised(incident_id=key, node=node):
                    places[key] = node
                    if isinstance(one, bpmn.IncidentRaised):
                        broken.add(key)
                case bpmn.OperationRequested(task_id=key, node=node, operation=operation):
                    places[key], asked[key] = node, operation
                case bpmn.TaskClosed(task_id=key) | bpmn.WaitClosed(wait_id=key) | bpmn.IncidentClosed(incident_id=key):
                    places.pop(key, None)
                case bpmn.Entered(position=key, node=node):
                    entered[key] = node
        if isinstance(said.stimulus, bpmn.OperationDone):
            places.pop(said.stimulus.task_id, None)
        fresh = {node for key, node in places.items() if key not in before and key not in broken}
        acts[-1] = replace(acts[-1], stands=tuple(sorted(node for key, node in places.items() if node in fresh and key not in broken)))
    return acts


def _came_of(at: dt.datetime, happenings: Sequence[Any]) -> dict[str, Any]:
    return {
        "opened": tuple(one.node for one in happenings if isinstance(one, bpmn.TaskOpened)),
        "branches": tuple((one.node, tuple(one.flows)) for one in happenings if isinstance(one, bpmn.BranchTaken)),
        "waits": tuple((one.node, one.due_at - at) for one in happenings if isinstance(one, bpmn.WaitOpened) and one.due_at is not None),
        "breaks": tuple(one.node for one in happenings if isinstance(one, bpmn.IncidentRaised)),
        "ends": next((one.outcome for one in happenings if isinstance(one, bpmn.Ended)), None),
    }


def rehearse(then: Side, now: Side, process: str, history: Sequence[Done], known: Collection[str], until: dt.datetime) -> tuple[Difference, ...]:
    """What would go otherwise; nothing where all would be the same. `known`: every field that was ever said of the case; `until`: the present, up to which
    time passes."""
    if process not in now.definitions.processes:
        return (Difference("stops", process, process, now=("process.unknown",)),)
    met = {node for one in history for node in one.opened}
    run = Again(then, now, process, history, then.asked_at(met) | set(known))
    run.through(until)
    found = [*run.found, *_branches(history, run, then.definitions, now.definitions), *questions(met, run.opened, then, now, known),
             *_lengths(history, run, then.definitions, now.definitions), *_end(history, run)]  # fmt: skip
    told = (replace(one, after=_facts(run.reached.get(one.node, run.lately) if one.kind in ("asks", "waits") else run.lately)) for one in dict.fromkeys(found))
    return tuple(sorted(told, key=lambda one: KINDS.index(one.kind)))


def _facts(paths: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(path for path in paths if "." in path))


def _branches(history: Sequence[Done], run: Again, then: bpmn.Definitions, now: bpmn.Definitions) -> Iterator[Difference]:
    """Gateways that both have and that were left otherwise: by flows that lead elsewhere, whatever they are called."""
    was: dict[str, list[tuple[str, ...]]] = {}
    for one in history:
        for node, flows in one.branches:
            was.setdefault(node, []).append(flows)
    for node, taken in was.items():
        for before, after in zip(taken, run.branches.get(node, ()), strict=False):
            if before != after and _targets(then, before) != _targets(now, after):
                yield Difference("branch", "", node, then=before, now=after, fields=tuple(sorted(run.weighed.get(node, ()))))
                break


def _targets(definitions: bpmn.Definitions, flows: Sequence[str]) -> list[str]:
    return sorted(definitions.target_of(flow) for flow in flows)


def questions(met: Collection[str], opened: Mapping[str, str], then: Side, now: Side, known: Collection[str]) -> Iterator[Difference]:
    """What the tasks `opened` now (with their process) ask that no task `met` then asked, and nobody ever said."""
    asked = {field for task in then.definitions.tasks if task.node in met for field in then.asks.get(task.form, ())}
    before = {task.node for task in then.definitions.tasks}
    tasks = {task.node: task for task in now.definitions.tasks}
    for node, process in opened.items():
        new = [field for field in now.asks.get(tasks[node].form, ()) if field not in asked and field not in known]
        if new or node not in before:
            yield Difference("asks", process, node, now=(tasks[node].form,), fields=tuple(new))


def _lengths(history: Sequence[Done], run: Again, then: bpmn.Definitions, now: bpmn.Definitions) -> Iterator[Difference]:
    """Timers that are longer, deadlines that are."""
    was: dict[str, list[dt.timedelta]] = {}
    for one in history:
        for node, length in one.waits:
            was.setdefault(node, []).append(length)
    for node, lengths in was.items():
        longer = [(before, after) for before, after in zip(lengths, run.waits.get(node, ()), strict=False) if after - before > dt.timedelta(hours=1)]
        if longer:
            before, after = longer[0]
            yield Difference("waits", "", node, then=(_in_days(before),), now=(_in_days(after),))
    yield from (Difference("waits", "", node) for node in run.awaited)
    met = {node for one in history for node in one.opened}
    deadlines = {task.node: task.deadline for task in then.tasks}
    for task in now.tasks:
        if task.node in run.opened and task.node in met and _hours(task.deadline) > _hours(deadlines.get(task.node)):
            yield Difference("waits", task.process, task.node, then=_deadline(deadlines.get(task.node)), now=_deadline(task.deadline))


def _end(history: Sequence[Done], run: Again) -> Iterator[Difference]:
    """What was done and has no place; how it would end; where nothing would move any more."""
    yield from (Difference("undone", "", node) for node, times in run.undone.items() if times and node)
    ended = next((one.ends for one in history if one.ends is not None), None)
    if run.ended is None:
        if ended is not None and not run.incidents:
            yield Difference("ends", run.process, run.process, then=(ended,), now=tuple(sorted(set(run.tasks.values()))))
    elif run.ended is not None and run.ended != ended:
        yield Difference("ends", run.process, run.process, then=(ended,) if ended is not None else (), now=(run.ended,))


def _hours(deadline: tuple[int, str] | None) -> float:
    return deadline[0] * _HOURS.get(deadline[1], 8.0) if deadline else float("inf")


def _deadline(deadline: tuple[int, str] | None) -> tuple[str, ...]:
    return (str(deadline[0]), deadline[1]) if deadline else ()


def _in_days(length: dt.timedelta) -> str:
    """Whole days, so that like cases are told together."""
    return str(max(round(length / dt.timedelta(days=1)), 0))
