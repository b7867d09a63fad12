"""What differs between a step then and the same step on other definitions, as a report words it: a kind, an element, details."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.pathway.happenings import BranchTaken, Decided, Ended, IncidentRaised, MessageSent, OperationRequested, TaskOpened, WaitOpened
from engine.pathway.matching import Matching

# What is told where it happens now only, and where it happened then only.
_ALONE: dict[type, tuple[str, str]] = {
    TaskOpened: ("asks", "asks_no_more"), WaitOpened: ("waits", "waits_no_more"), OperationRequested: ("operates", "operates_no_more"),
    MessageSent: ("sends", "sends_no_more"), IncidentRaised: ("breaks", "breaks_no_more"), Ended: ("ends", "goes_on"),
}  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """`kind`:

    of a step that cannot follow: `not_open` (`open`: the tasks that wait instead), `waits_longer` (`due`), `refused` (`code`), `process_gone`;
    of one that is left out: `gone` (its element is no more), `mended` (an incident that no longer happens);
    now only, or then only: `asks`/`asks_no_more` (a task), `waits`/`waits_no_more` (`wait`, `name`, `due`), `operates`/`operates_no_more` (`operation`),
    `sends`/`sends_no_more` (`message`), `breaks`/`breaks_no_more` (`code`), `ends`/`goes_on` (`outcome`);
    on both, otherwise: `branches` (`then`, `now`: flows), `decides` (`decision`, `then`, `now`: outputs), `due` and `deadline` (`then`, `now`).
    `node` is the element of then where it was there, else that of now.
    """

    kind: str
    node: str
    process: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def differing(then: Sequence[Any], now: Sequence[Any], matching: Matching) -> tuple[Difference, ...]:
    """All that differs in one step, in the order in which it happens."""
    old, new = _grouped(then, matching.node_of), _grouped(now, lambda node: node)
    found: list[tuple[int, Difference]] = []
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key, []), new.get(key, [])
        for (place, one), (_, other) in zip(before, after, strict=False):
            found += [(place, different) for different in _other(one, other, matching)]
        names = _ALONE.get(key[0])
        if names is not None:
            found += [(place, _alone(names[0], one)) for place, one in after[len(before) :]]
            found += [(place, _alone(names[1], one)) for place, one in before[len(after) :]]
    return tuple(different for _, different in sorted(found, key=lambda pair: pair[0]))


def _grouped(happenings: Sequence[Any], translate: Any) -> dict[tuple[Any, ...], list[tuple[int, Any]]]:
    """The happenings that are compared, with their places, by what makes two of them the same."""
    found: dict[tuple[Any, ...], list[tuple[int, Any]]] = {}
    for place, one in enumerate(happenings):
        match one:
            case TaskOpened():
                key: tuple[Any, ...] = (TaskOpened, translate(one.node), one.subject)
            case WaitOpened():
                key = (WaitOpened, translate(one.node), one.kind)
            case MessageSent():
                key = (MessageSent, one.name)
            case Ended():
                key = (Ended,)
            case OperationRequested() | IncidentRaised() | BranchTaken() | Decided():
                key = (type(one), translate(one.node))
            case _:
                continue
        found.setdefault(key, []).append((place, one))
    return found


def _alone(kind: str, one: Any) -> Difference:
    details: dict[str, Any] = {}
    match one:
        case WaitOpened():
            details = {"wait": one.kind, "name": one.name, "due": one.due_at}
        case OperationRequested():
            details = {"operation": one.operation}
        case MessageSent():
            details = {"message": one.name}
        case IncidentRaised():
            details = {"code": one.code}
        case Ended():
            details = {"outcome": one.outcome}
    return Difference(kind, getattr(one, "node", ""), getattr(one, "process", ""), details)


def _other(then: Any, now: Any, matching: Matching) -> Iterator[Difference]:
    """What two happenings that are the same thing say otherwise."""
    match then:
        case BranchTaken():
            if [matching.led_to(flow) for flow in then.flows] != [matching.leads_to(flow) for flow in now.flows]:
                yield Difference("branches", then.node, "", {"then": then.flows, "now": now.flows})
        case Decided():
            if then.outputs != now.outputs:
                yield Difference("decides", then.node, "", {"decision": now.decision, "then": then.outputs, "now": now.outputs})
        case TaskOpened():
            if then.deadline != now.deadline:
                yield Difference("deadline", then.node, then.process, {"then": then.deadline, "now": now.deadline})
        case WaitOpened():
            if then.due_at != now.due_at:
                yield Difference("due", then.node, "", {"then": then.due_at, "now": now.due_at})
        case Ended():
            if matching.node_of(then.outcome) != now.outcome:
                yield Difference("ends", then.outcome, "", {"outcome": now.outcome})
