"""A mapping proposed between two editions: what has the same id is the same; of the rest, what is most alike by what it is, how it is called and what stands
around it. A coordinator sees it, and chooses where nothing is alike enough.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from engine.pathway.definitions import Definitions
from engine.pathway.matching import SAME, Named, family, likeness, named
from engine.pathway.spiff.activities import Activity
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.events import Listener

_LEAST = 0.15  # below, it is not even offered


@dataclass(frozen=True)
class Pair:
    """An element of the former edition that the new one does not have under its id. `to`: what it would become, None where nothing is alike enough;
    `offered`: others that it might become, the most alike first."""

    element: Named
    to: Named | None
    offered: tuple[Named, ...]
    is_stood_at: bool  # whether a case may stand there


def propose(before: Definitions, after: Definitions) -> tuple[Pair, ...]:
    """What the elements that are not there under their own id become, in the order drawn."""
    there = {named(one): one for one in after.nodes}
    missing = [one for one in before.nodes if named(one) not in there or family(there[named(one)]) != family(one)]
    lone = set(map(named, missing))
    here = {named(one) for one in before.nodes} - lone
    fresh = [one for one in after.nodes if named(one) not in here]
    scored = sorted(
        ((score, one.number, other.number, one, other) for one in missing for other in fresh if (score := _score(one, other)) >= _LEAST),
        key=lambda row: (-row[0], row[1], row[2]),
    )
    chosen: dict[Named, Named] = {}
    for score, _, _, one, other in scored:
        if score >= SAME and named(one) not in chosen and named(other) not in chosen.values():
            chosen[named(one)] = named(other)
    offered: dict[Named, list[Named]] = {}
    for _, _, _, one, other in scored:
        offered.setdefault(named(one), []).append(named(other))
    return tuple(
        Pair(named(one), chosen.get(named(one)), tuple(dict.fromkeys([*offered.get(named(one), []), *_standing(one, after)])), stands(one)) for one in missing
    )


def stands(element: Element) -> bool:
    """Whether a case may stand at an element from one day to the next."""
    return isinstance(element, Activity | Listener) or element.kind in ("parallelGateway", "inclusiveGateway", "eventBasedGateway")


def _standing(element: Element, after: Definitions) -> Iterator[Named]:
    """The elements of the same process where a case that stands at this one might be put."""
    if element.scope_spec.process in after.processes:
        for other in after.nodes_of(element.scope_spec.process):
            if isinstance(other, Activity) and other.kind in ("userTask", "manualTask"):
                yield named(other)


def _score(one: Element, other: Element) -> float:
    """Likeness of two elements of one process, with a little for what stands around them."""
    if one.scope_spec.process != other.scope_spec.process:
        return 0.0
    alike = likeness(one, other)
    return min(1.0, alike + 0.2 * _around(one, other)) if alike else 0.0


def _around(one: Element, other: Element) -> float:
    """How many of their neighbours have one id."""
    mine = {flow.source.id for flow in one.flows_in} | {flow.target.id for flow in one.flows_out}
    its = {flow.source.id for flow in other.flows_in} | {flow.target.id for flow in other.flows_out}
    return len(mine & its) / len(mine | its) if mine | its else 0.0
