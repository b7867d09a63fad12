"""Who hears what: messages, signals, errors, escalations.

A message goes to one listener, the oldest; a signal to all; an error or an escalation to the nearest around the one who throws it, a code before
a catch-all (BPMN 2.0.2 §10.5.1). SpiffWorkflow let a boundary elsewhere catch an error, and a sub-process go on as if none had been thrown.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine import errors
from engine.pathway.happenings import BranchTaken
from engine.pathway.spiff.events import Listener
from engine.pathway.spiff.scopes import Token

_MOST_EARLY = 1000

if TYPE_CHECKING:
    from engine.pathway.spiff.run import Run


def _listening(run: "Run", kind: str, name: str) -> list[Token]:
    found = [
        token
        for scope in run.scopes.values()
        for token in scope.tasks.values()
        if "wait" in token.internal_data and token.is_live and token.element.trigger.kind == kind and token.element.trigger.name == name
    ]
    return sorted(found, key=lambda token: token.order)


def message(run: "Run", name: str, correlation: str | None, payload: Mapping[str, Any]) -> None:
    """Delivers a message to the oldest listener whose key it has; with none, keeps it. Refuses: `message.too_many_kept`."""
    for token in _listening(run, "message", name):
        key = token.internal_data.get("corr")
        if key is None or key == correlation:
            element = token.element
            assert isinstance(element, Listener)
            element.heard(run, token, payload)
            return
    if len(run.early) >= _MOST_EARLY:
        raise errors.Conflict("message.too_many_kept", name=name, most=_MOST_EARLY)
    run.early.append([name, correlation, dict(payload)])


def signal(run: "Run", name: str) -> None:
    """Everybody who listens now hears it."""
    for token in _listening(run, "signal", name):
        if token.is_live and "wait" in token.internal_data:
            element = token.element
            assert isinstance(element, Listener)
            element.heard(run, token, None)


def error(run: "Run", token: Token, code: str, at_the_edge: bool) -> bool:
    """Throws an error at a token (`at_the_edge`: its own boundary may catch it). False: nobody does."""
    act = _catcher(run, token, "error", code, at_the_edge)
    if act is None:
        return False
    act()
    return True


def escalation(run: "Run", token: Token, code: str) -> None:
    """Throws an escalation; nobody catching it, it is told and forgotten, as BPMN has it."""
    act = _catcher(run, token, "escalation", code, at_the_edge=False)
    if act is None:
        run.tell(BranchTaken(token.element.id, (), ({"flow": None, "text": f"escalation {code}", "value": None, "values": {}},)))
    else:
        act()


def _catcher(run: "Run", token: Token, kind: str, code: str, at_the_edge: bool) -> Callable[[], None] | None:
    current = token
    while True:
        if at_the_edge:
            whole = run.token(current.internal_data["host"]) if current.internal_data.get("role") == "turn" else current
            boundary = _match(whole.element.boundaries, kind, code)
            if boundary is not None:
                return lambda: boundary.ring(run, whole)
        scope = current.scope
        inner = scope.drawn.event_subprocesses
        # An event sub-process does not catch what is thrown in itself or in a sibling: it stands beside what it guards.
        if not any(current.task_spec is one for one in inner):
            starts = {start: one for one in inner for start in one.inner.entries}
            start = _match(list(starts), kind, code)
            if start is not None:
                return lambda: run.start_event_subprocess(scope, starts[start].number, start)
        if scope.host is None:
            return None
        current, at_the_edge = scope.host, True


def _match(events: list[Any], kind: str, code: str) -> Any:
    caught = [event for event in events if event.trigger.kind == kind]
    return next((event for event in caught if event.trigger.name == code), None) or next((event for event in caught if not event.trigger.name), None)
