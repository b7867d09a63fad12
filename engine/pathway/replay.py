"""A history played again: each stimulus with what it was told, on the definitions it had, and beside them on others.

`again` makes the steps of a history anew; `beside` plays it on other definitions too and says, step by step, what differs: which task is asked that was
not, which gateway goes another way, what waits longer. Pure: the history comes from `casework.replays`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine import errors
from engine.pathway import bpmn
from engine.pathway.definitions import Definitions
from engine.pathway.differing import Difference, differing
from engine.pathway.matching import Matching, counterpart, named
from engine.pathway.spiff import state as states
from engine.pathway.spiff.scopes import Token
from engine.pathway.stimuli import Complete, Jump, OperationDone, Retry, Skip, Start, Stimulus, Timer


@dataclass(frozen=True)
class Said:
    """One line of a history that moved the instance. `definitions`: those it followed then; `state`: where a move put it, in place of a stimulus;
    `facts`: all that was known at that moment, for definitions that read more than those of then."""

    seq: int
    kind: str
    definitions: Definitions
    stimulus: Stimulus | None = None
    state: bytes = b""
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """One step then and now. `now` is None once the other edition could not follow, and where its step is left out (`skipped`)."""

    said: Said
    then: bpmn.Step
    now: bpmn.Step | None = None
    differences: tuple[Difference, ...] = ()
    skipped: bool = False


@dataclass(frozen=True)
class Beside:
    """A history on other definitions. `stopped`: the step where they could not follow, None where they did to the end."""

    turns: tuple[Turn, ...]
    state: bytes
    stopped: Turn | None

    @property
    def first(self) -> tuple[Turn, Difference] | None:
        """The first difference, and the step that has it."""
        return next(((turn, turn.differences[0]) for turn in self.turns if turn.differences), None)


def again(process: str, history: Sequence[Said]) -> Iterator[tuple[Said, bpmn.Step]]:
    """Each step of a history made anew on the definitions it had. Raises what the pathway refuses."""
    state = b""
    for said in history:
        step = _step(said.definitions, process, state, said)
        yield said, step
        state = step.state


def beside(process: str, history: Sequence[Said], after: Definitions, chosen: Mapping[Any, Any] | None = None, *, strict: bool = True) -> Beside:
    """A history on its own definitions and on `after`. `strict`: stops where a task or a wait that was answered is not there now; an element that is
    no more (`chosen` says so, or nothing has its id) is left out either way."""
    matchings: dict[str, Matching] = {}
    then, now, turns = b"", b"", []
    for said in history:
        digest = said.definitions.digest
        if digest not in matchings:
            matchings[digest] = Matching(said.definitions, after, chosen)
        matching = matchings[digest]
        before, step = then, _step(said.definitions, process, then, said)
        then = step.state
        turn = _beside(process, said, step, before, now, matching)
        turns.append(turn)
        if turn.now is not None:
            now = turn.now.state
        elif not turn.skipped and strict:
            return Beside(tuple(turns), now, turn)
    return Beside(tuple(turns), now, None)


def _step(definitions: Definitions, process: str, state: bytes, said: Said) -> bpmn.Step:
    if said.stimulus is None:
        return bpmn.Step(said.state, ())
    if isinstance(said.stimulus, Start):
        return bpmn.start(definitions, process, said.stimulus)
    return bpmn.advance(definitions, state, said.stimulus)


def _beside(process: str, said: Said, then: bpmn.Step, before: bytes, now: bytes, matching: Matching) -> Turn:
    stimulus = said.stimulus
    if stimulus is None:  # moved there: the other definitions stay where their own steps brought them
        return Turn(said, then, skipped=True)
    told = replace(stimulus, facts=filled(stimulus.facts, said.facts))
    if isinstance(stimulus, Start):
        if process not in matching.after.processes:
            return Turn(said, then, None, (Difference("process_gone", process, process),))
        step = bpmn.start(matching.after, process, told)
        return Turn(said, then, step, differing(then.happenings, step.happenings, matching))
    met = _met(said, before, now, matching)
    if isinstance(met, Difference):
        return Turn(said, then, None, (met,), skipped=met.kind in ("gone", "mended"))
    if met is not None:
        told = replace(told, **{_ID[type(stimulus)]: met.key if not isinstance(stimulus, Retry) else met.internal_data["inc"][0]})
    if isinstance(told, Jump) and met is not None:
        there = matching.of((named(met.element)[0], told.element))
        told = replace(told, element=there[1] if there else "")
    try:
        step = bpmn.advance(matching.after, now, told)
    except (errors.Conflict, errors.Invalid) as refused:
        node = met.element.id if met is not None else ""
        due = met.internal_data.get("due") if met is not None else None
        return Turn(said, then, None, (Difference("waits_longer" if refused.code == "wait.not_due" else "refused", node, process, {"code": refused.code, "due": due}),))
    return Turn(said, then, step, differing(then.happenings, step.happenings, matching))


_ID: dict[type, str] = {Complete: "task_id", OperationDone: "task_id", Timer: "wait_id", Retry: "incident_id", Jump: "position", Skip: "position"}
_MARK: dict[type, str] = {Complete: "task", OperationDone: "asked", Timer: "due", Retry: "inc", Jump: "", Skip: ""}


def _met(said: Said, before: bytes, now: bytes, matching: Matching) -> Token | Difference | None:
    """The token of the other edition that a stimulus is for; None where it names none (a message); a difference where there is none."""
    kind = type(said.stimulus)
    if kind not in _ID:
        return None
    assert said.stimulus is not None
    key = str(getattr(said.stimulus, _ID[kind]))
    old = states.load(matching.before, before, said.stimulus.at, said.seq, {})
    token = _by_key(old, key, kind)
    assert token is not None, key  # its own definitions took it
    new = states.load(matching.after, now, said.stimulus.at, said.seq, {})
    found = counterpart(token, old, new, matching, _MARK[kind])
    if found is not None:
        return found
    process, node = named(token.element)
    if kind is Retry:  # what broke then does not break now
        return Difference("mended", node, process)
    open_now = tuple(sorted({one.element.id for scope in new.scopes.values() for one in scope.live() if "task" in one.internal_data}))
    return Difference("not_open" if matching.key(_way(token)) is not None else "gone", node, process, {"open": open_now})


def _way(token: Token) -> Any:
    from_outside = []
    current: Token | None = token
    while current is not None:
        from_outside.append((*named(current.element), "", ""))
        current = current.scope.host
    return tuple(from_outside)


def _by_key(run: Any, key: str, kind: type) -> Token | None:
    for scope in run.scopes.values():
        for token in scope.tasks.values():
            inside = token.internal_data
            if (inside["inc"][0] == key if "inc" in inside else False) if kind is Retry else token.key == key:
                return token
    return None


def filled(recorded: Mapping[str, Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What a step was told, and beside it what else was known then, for those who read more. What was told counts first."""
    found: dict[str, dict[str, Any]] = {subject: dict(groups) for subject, groups in known.items()}
    for subject, groups in recorded.items():
        into = found.setdefault(subject, {})
        for group, told in groups.items():
            into[group] = _over(told, into.get(group))
    return found


def _over(told: Any, known: Any) -> Any:
    if isinstance(told, Mapping) and isinstance(known, Mapping):
        return {**known, **{name: _over(value, known.get(name)) for name, value in told.items()}}
    if isinstance(told, list) and isinstance(known, list):
        by_id = {one.get("id"): one for one in known if isinstance(one, Mapping)}
        return [_over(one, by_id.get(one.get("id"))) if isinstance(one, Mapping) and one.get("id") in by_id else one for one in told]
    return told
