"""What the model alone says of the indicators, before any case (the static column of domain.md §5.3), and how heavy it makes the pathway: the "Indice de lourdeur".

Way by way, as `pathway.burden` walks them. B7 is the longest wait for a sitting: as long as one may be put off, and what is put down after the agenda was frozen waits for the next;
nothing where the way passes no sitting. B9 is what the way costs at the tariffs of §5.3: each task half an hour of an agent, each visit a trip, each document a copy.

The index is the mean of its parts, all of the same weight, each 0 to 100: 50 at the target, 100 at twice as much or above. Its parts are never apart from it. B6 has no static figure, and
of B8 the drawing says how often one may turn back, which the target (how many were complete at once) is not held against: neither is in it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from engine.casework import editions
from engine.casework.kept import Kept
from engine.dossier import programmes
from engine.insight import measures, teams
from engine.pathway import burden

PATHS = burden.PATHS
STATIC = {"b1": "questions_again", "b2": "documents", "b3": "visits", "b4": "handovers", "b5": "working_days", "b8": "loops", "b10": "signatures", "b11": "without_deadline"}
PARTS = ("b1", "b2", "b3", "b4", "b5", "b7")
COPY = 2  # dinars, of a copy or a legalisation [inferred, domain.md §5.3]
_AT_TARGET, _MOST = 50, 100
_PROCESS, _SITTING, _PUT_OFF = "parcours", "seance_commission", "seance_max_jours"
_PEOPLE = ("userTask", "manualTask")
_FREEZE = re.compile(r'^seance\.date - duration\("P(\d+)D"\)$')


@dataclass(frozen=True)
class Part:
    """A part of the index: what the model says and how heavy that is, way by way; `unit` and `target` as the indicator's."""

    code: str
    unit: str
    target: float
    drawn: Mapping[str, float]
    scores: Mapping[str, int]


@dataclass(frozen=True)
class Heaviness:
    """The index, way by way, with its parts."""

    index: Mapping[str, int]
    parts: tuple[Part, ...]


_measured = Kept[burden.Burden](4)


def figures(session: Session) -> Mapping[str, Mapping[str, int]]:
    """Indicator → way → what the model in force says; nothing where it has no pathway."""
    edition = editions.current(session)
    if _PROCESS not in edition.definitions.processes:
        return {}
    walked = _burden(edition)
    found = {code: {path: getattr(walked.paths[path], name) for path in PATHS} for code, name in STATIC.items()}
    wait = _longest_wait(edition, programmes.of_today(session)[1]["parametres"])
    if wait is not None:
        found["b7"] = {path: wait if _has_sitting(edition, walked.walked[path]) else 0 for path in PATHS}
    return found | {"b9": {path: _cost(edition, walked, path) for path in PATHS}}


def index(session: Session) -> Heaviness | None:
    """How heavy the model in force makes the pathway; None where it has none."""
    found = figures(session)
    if not found:
        return None
    asked = _burden(editions.current(session)).paths
    drawn: dict[str, Mapping[str, float]] = {code: found[code] for code in PARTS if code in found}
    drawn["b1"] = {path: 100 * asked[path].questions_again / asked[path].questions if asked[path].questions else 0.0 for path in PATHS}
    parts = tuple(_part(code, ways) for code, ways in drawn.items())
    return Heaviness({path: round(sum(one.scores[path] for one in parts) / len(parts)) for path in PATHS}, parts)


def _part(code: str, ways: Mapping[str, float]) -> Part:
    one = measures.MEASURES[code]
    target = float(one.target or 1)
    return Part(code, one.unit, target, ways, {path: round(min(_MOST, _AT_TARGET * ways[path] / target)) for path in PATHS})


def _burden(edition: editions.Edition) -> burden.Burden:
    return _measured.get(edition.definitions.digest, lambda: burden.measure(edition.definitions, edition.forms, _PROCESS))


def _longest_wait(edition: editions.Edition, parameters: Mapping[str, Any]) -> int | None:
    """Days: how long a sitting may be put off, and how long before it the agenda is frozen; None where the model says neither."""
    if _SITTING not in edition.definitions.processes or _PUT_OFF not in parameters:
        return None
    frozen = [int(said[1]) for one in edition.definitions.nodes if one.scope_spec.process == _SITTING and (said := _FREEZE.match(_trigger(one, "what")))]
    return int(parameters[_PUT_OFF]) + max(frozen, default=0)


def _has_sitting(edition: editions.Edition, walked: Mapping[str, frozenset[str]]) -> bool:
    return any(_trigger(one, "name") == measures.DECIDES for one in _on(edition, walked))


def _cost(edition: editions.Edition, walked: burden.Burden, path: str) -> int:
    acts = sum(one.kind in _PEOPLE for one in _on(edition, walked.walked[path]))
    return round(acts * teams.USUAL * measures.HOUR_OF_AGENT + walked.paths[path].visits * measures.TRIP + walked.paths[path].documents * COPY)


def _on(edition: editions.Edition, walked: Mapping[str, frozenset[str]]) -> Iterator[Any]:
    """The elements on a way."""
    return (one for one in edition.definitions.nodes if one.id in walked.get(one.scope_spec.process, ()))


def _trigger(element: Any, name: str) -> str:
    return getattr(getattr(element, "trigger", None), name, "")
