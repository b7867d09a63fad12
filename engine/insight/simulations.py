"""Simulations: what is to be expected of a draft against the edition in force, from the durations and frequencies that the ledger shows. No case is named.

Only the latest cases are read (`MOST_CASES`): how things went lately, not ever. Not here: how a case is walked by chance (`pathway.simulation`).
"""

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock
from engine.actors import authority
from engine.casework import drafts, editions
from engine.casework.rows import LANES
from engine.casework.kept import Kept
from engine.pathway import simulation
from engine.pathway.definitions import Definitions

PROCESSES = ("parcours", "dossier_aide")
MOST_CASES = 1_500
_DAY = dt.timedelta(days=1)
_MONTH = 30.436875
_LATEST = text("SELECT instance_id, process, edition_id, opened_at FROM instance WHERE state <> '' ORDER BY opened_at DESC, instance_id LIMIT :most")
_LINES = text("""SELECT instance_id, kind, line::jsonb ->> 'occurred_at' AS at, line::jsonb -> 'body' AS body FROM ledger_line
                  WHERE instance_id = ANY (:ids) AND (line::jsonb -> 'body') ?| ARRAY['opened', 'closed', 'branches', 'waits', 'wait', 'message'] ORDER BY instance_id, seq""")


@dataclass(frozen=True)
class Compared:
    """One process, now and with the draft; `is_same`: it is drawn alike in both."""

    process: str
    now: simulation.Forecast
    then: simulation.Forecast
    is_same: bool


_forecast = Kept[tuple[Compared, ...]](8)


@dataclass(frozen=True)
class Outlook:
    """A draft against the edition in force. `cases`: how many the observations come of; `observations`: tasks and waits that ended."""

    draft: drafts.Draft
    compared: tuple[Compared, ...]
    cases: int
    observations: int


def outlook(session: Session, actor: Any, draft_id: UUID) -> Outlook:
    """What is to be expected. The same history and files give the same figures. Refuses: Forbidden, `draft.not_found`; what cannot be read of the draft."""
    authority.require(actor, "draft.read")
    whole = drafts.show(session, actor, draft_id)
    now, then = editions.current(session).definitions, whole.edition.definitions
    seen, name = observed(session)
    compared = _forecast.get(  # seconds, once for a draft and a history
        (now.digest, then.digest, name), lambda: tuple(_compared(now, then, process, seen) for process in PROCESSES if process in now.processes and process in then.processes)
    )
    return Outlook(whole.draft, compared, seen.cases, sum(len(one) for one in seen.lasted.values()))


def observed(session: Session) -> tuple[simulation.Observed, str]:
    """How the latest cases went, and a name for it: the same where nothing happened since."""
    cases = session.execute(_LATEST, {"most": MOST_CASES}).all()
    lasted: dict[str, list[float]] = defaultdict(list)
    went: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    targets = {one.instance_id: one.edition_id for one in cases}
    last, lines = "", 0
    open_since: dict[tuple[UUID, str], tuple[str, dt.datetime]] = {}
    messages: dict[tuple[UUID, str], list[tuple[str, dt.datetime]]] = {}
    for row in session.execute(_LINES, {"ids": [one.instance_id for one in cases]}):
        at, body, lines = dt.datetime.fromisoformat(row.at), row.body, lines + 1
        last = max(last, row.at)
        definitions = editions.load(session, targets[row.instance_id]).definitions
        for key, outcome in body.get("closed", ()):
            opened = open_since.pop((row.instance_id, key), None)
            if opened is not None and outcome == "completed":
                lasted[opened[0]].append((at - opened[1]) / _DAY)
        if row.kind == "timer.fired" and (opened := open_since.pop((row.instance_id, body["wait"]), None)) is not None:
            lasted[opened[0]].append((at - opened[1]) / _DAY)
        if row.kind == "message.received" and (heard := messages.get((row.instance_id, body["message"]))):
            node, since = heard.pop(0)
            lasted[node].append((at - since) / _DAY)
        for key, node in body.get("opened", ()):
            open_since[(row.instance_id, key)] = (node, at)
        for key, node, kind, name, _ in body.get("waits", ()):
            if kind == "message":
                messages.setdefault((row.instance_id, name), []).append((node, at))
            else:
                open_since[(row.instance_id, key)] = (node, at)
        for node, flows in body.get("branches", ()):
            went[node][tuple(sorted(definitions.target_of(flow) for flow in flows))] += 1
    begun = _begun(cases, clock.now(session))
    found = simulation.Observed({node: sorted(days) for node, days in sorted(lasted.items())}, {node: dict(ways) for node, ways in sorted(went.items())}, begun, len(cases))
    return found, f"{len(cases)} {lines} {last}"


def _begun(cases: Any, now: dt.datetime) -> dict[str, float]:
    """Cases of each process begun a month, over the time that these cover."""
    counted = Counter(one.process for one in cases)
    first = min((one.opened_at for one in cases), default=now)
    months = max((now - first) / _DAY / _MONTH, 1.0)
    return {process: number / months for process, number in counted.items()}


def _compared(now: Definitions, then: Definitions, process: str, seen: simulation.Observed) -> Compared:
    seed = f"masar {process}"
    before = simulation.simulate(now, process, seen, seed, LANES)
    if _drawn(now, process) == _drawn(then, process):
        return Compared(process, before, before, is_same=True)
    return Compared(process, before, simulation.simulate(then, process, seen, seed, LANES), is_same=False)


def _drawn(definitions: Definitions, process: str) -> dict[str, bytes]:
    """The diagrams that a process and those that it calls are drawn on."""
    found: dict[str, bytes] = {}
    left = [process]
    while left:
        one = left.pop()
        if one in found or one not in definitions.processes:
            continue
        found[one] = definitions.diagram(one)
        left += [call.called for call in definitions.calls() if call.scope_spec.process == one]
    return found
