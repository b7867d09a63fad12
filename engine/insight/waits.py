"""Where cases wait, and for whom: what is late, who held them, what is awaited now by branch and by programme with its cases, the elements that held them longest.

Each figure of a period stands beside that of the period before. Outside OTE a count of one to four, by branch or by programme, is not shown, nor as many others as
would let it be found. Not here: the period and the indicators (`steering`).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.actors.agencies import AGENCIES
from engine.casework import diagrams, editions
from engine.insight import masking, steering
from engine.insight.measures import OWN
from engine.insight.steering import PAGE, Window

_WHO = "CASE WHEN p.kind = 'task' THEN n.agency WHEN p.name = :decides THEN 'sitting' ELSE 'person' END"
_STANDS = "((p.kind = 'task' AND n.agency <> '') OR (p.kind = 'message' AND p.name = ANY (:awaited) AND p.node <> ALL (:listening)))"
_IN_PERIOD = "JOIN period s ON p.opened_at < s.b AND coalesce(p.closed_at, 'infinity') > s.a"
_STAYED = "extract(epoch FROM least(coalesce(p.closed_at, s.b), s.b) - greatest(p.opened_at, s.a))"
_LATE = text(f"""WITH {OWN} SELECT t.agency, count(*) AS open, count(*) FILTER (WHERE t.due_at < :last) AS late,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM :last - t.due_at) / 86400) FILTER (WHERE t.due_at < :last) AS median,
           max(extract(epoch FROM :last - t.due_at) / 86400) FILTER (WHERE t.due_at < :last) AS most
      FROM open_task t JOIN part c USING (instance_id) GROUP BY 1 ORDER BY 3 DESC, 1""")
# Days that tasks stood with each agency, and that the person and the sitting were waited for; those of one moment in two hands count twice.
_HELD = text(f"""WITH {OWN}, stood AS (SELECT {_WHO} AS who, p.node, s.span, c.root_id, {_STAYED} AS seconds
                 FROM passage p JOIN part c USING (instance_id) LEFT JOIN node n ON n.node = p.node {_IN_PERIOD} WHERE {_STANDS})
    SELECT who, node, span, count(*) AS times, count(DISTINCT root_id) AS cases, sum(seconds) AS seconds FROM stood GROUP BY GROUPING SETS ((who, span), (node, span), (who, node, span))""")
# What stands open now, with the branch of its case and, inside a dossier, the programme.
_OPEN = f"""open AS (SELECT {_WHO} AS who, p.node, o.number, o.branch, c.root_id, p.opened_at, p.due_at, p.kind = 'task' AND coalesce(p.due_at < :last, false) AS is_late,
                  CASE WHEN c.process = 'dossier_aide' THEN (SELECT f.value #>> '{{}}' FROM fact f WHERE f.root_id = c.root_id AND f.field = 'aide.programme' AND f.subject = c.subject AND f.is_current) END AS programme
             FROM passage p JOIN part c USING (instance_id) JOIN own o USING (root_id) LEFT JOIN node n ON n.node = p.node WHERE p.closed_at IS NULL AND c.status = 'open' AND {_STANDS})"""
_AWAITED = text(f"""WITH {OWN}, {_OPEN} SELECT who, node, count(*) AS times, count(*) FILTER (WHERE is_late) AS late,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM :last - opened_at) / 86400) AS median, max(extract(epoch FROM :last - opened_at) / 86400) AS most
      FROM open GROUP BY 1, 2 ORDER BY 3 DESC, 6 DESC, 2 LIMIT 40""")
_APART = text(f"""WITH {OWN}, {_OPEN} SELECT grouping(branch) AS is_programme, coalesce(branch, programme) AS part, who, count(*) AS times, count(*) FILTER (WHERE is_late) AS late
      FROM open GROUP BY GROUPING SETS ((branch, who), (programme, who)) HAVING coalesce(branch, programme) IS NOT NULL ORDER BY 1, 2, 3""")
# What tells of how many: for each thing awaited now, whose case it is.
_TOLD = text(f"""WITH {OWN}, {_OPEN} SELECT DISTINCT root_id, who, node, branch, programme, is_late FROM open""")
_BEHIND = text(f"""WITH {OWN}, {_OPEN} SELECT * FROM open WHERE (:who = '' OR who = :who) AND (:node = '' OR node = :node) AND (:aid = '' OR programme = :aid)
     ORDER BY opened_at, number, node LIMIT :limit OFFSET :offset""")


_ALL = ("of", "*")  # every agency together


class Late(NamedTuple):
    """Of an agency: open tasks, those late, by how many days (the middle, the most)."""

    agency: str
    open: int | None
    late: int | None
    median: float | None
    most: float | None


class Lateness(NamedTuple):
    """By agency, and of all of them together."""

    by_agency: tuple[Late, ...]
    open: int | None
    late: int | None


@dataclass(frozen=True)
class Held:
    """What held cases in the period: an agency, `person` or `sitting`, or an element. Days, and days for each case open in the period (None where not shown); `trend` as an indicator's."""

    code: str
    name: str
    process: str
    days: float | None
    times: int | None
    per_case: float | None
    before: float | None
    trend: str


@dataclass(frozen=True)
class Holding:
    """Who held cases, and where (both the longest first); `heat`: seconds by element, calls with what is inside of them."""

    who: tuple[Held, ...]
    where: tuple[Held, ...]
    heat: Mapping[str, float]
    edition: editions.Edition


@dataclass(frozen=True)
class Awaited:
    """What is waited for now: at an element, from an agency, `person` or `sitting`; days, the middle and the longest."""

    who: str
    node: str
    name: str
    times: int | None
    late: int | None
    median: float | None
    most: float | None


@dataclass(frozen=True)
class Apart:
    """What is awaited of a branch's cases, or of a programme's dossiers: by whom it is awaited from, how often and how many of them late; None where not shown."""

    code: str
    by_who: Mapping[str, tuple[int, int | None] | None]


@dataclass(frozen=True)
class Waiting:
    """One thing that a case waits for now."""

    case_id: UUID
    case_number: str
    branch: str
    who: str
    name: str
    programme: str
    opened_at: dt.datetime
    due_at: dt.datetime | None
    is_late: bool


def late(session: Session, actor: Any, asked: Window) -> Lateness:
    """Open and late tasks by agency, the most late first. Refuses: Forbidden."""
    rows, away = steering.ask(session, actor, asked, _LATE), _away(session, actor, asked)

    def told(row: Any) -> Late:
        is_late = ("late", "of", row.agency) not in away
        return Late(row.agency, None if ("of", row.agency) in away else row.open, row.late if is_late else None, row.median if is_late else None, row.most if is_late else None)

    whole, tardy = (None if key in away else sum(getattr(row, name) for row in rows) for key, name in ((_ALL, "open"), (("late", *_ALL), "late")))
    return Lateness(tuple(map(told, rows)), whole, tardy)


def holding(session: Session, actor: Any, asked: Window, numbers: Mapping[str, int]) -> Holding:
    """Who held the cases of the period and where; `numbers`: those of `steering.numbers`. Refuses: Forbidden."""
    rows, edition = steering.ask(session, actor, asked, _HELD), editions.current(session)
    drawn = {one.id: process for process in edition.definitions.processes for one in edition.definitions.elements(process)}
    names = steering.named(edition, actor.language)
    cells = {("who", row.who, row.span) if row.node is None else ("node", row.node, row.span): row.cases for row in rows if row.who is None or row.node is None}
    within = [(("who", row.who, row.span), ("node", row.node, row.span)) for row in rows if row.who is not None and row.node is not None]
    sums = [masking.Sum(whole, [part for other, part in within if other == whole]) for whole in dict.fromkeys(whole for whole, _ in within)]
    away = masking.hidden(cells, sums) if steering.is_masking(actor) else frozenset()
    who, where = _summed([row for row in rows if row.node is None], "who"), _summed([row for row in rows if row.who is None], "node")
    heat = {node: spent[0] for node, (spent, _) in where.items() if spent[0] and ("node", node, 0) not in away}

    def told(kind: str, found: Mapping[str, Any]) -> tuple[Held, ...]:
        made = [_held(code, names.get(code) or code, drawn.get(code, ""), *one, numbers, [(kind, code, span) in away for span in (0, 1)]) for code, one in found.items()]
        return tuple(sorted(made, key=lambda one: (-(one.days or 0), one.code)))

    elements = told("node", {node: one for node, one in where.items() if node in names and one[0][0]})
    return Holding(told("who", who), elements, diagrams.with_what_they_call(edition, heat), edition)


def awaited(session: Session, actor: Any, asked: Window) -> list[Awaited]:
    """What is awaited now and from whom, the most often first, forty at most. Refuses: Forbidden."""
    edition = editions.current(session)
    names = steering.named(edition, actor.language)
    rows, away = steering.ask(session, actor, asked, _AWAITED), _away(session, actor, asked)

    def told(row: Any) -> Awaited:
        key = ("at", row.who, row.node)
        name, late = names.get(row.node) or row.node, None if ("late", *key) in away or key in away else row.late
        return Awaited(row.who, row.node, name, None, None, None, None) if key in away else Awaited(row.who, row.node, name, row.times, late, float(row.median), float(row.most))

    return [told(row) for row in rows]


def apart(session: Session, actor: Any, asked: Window) -> tuple[list[Apart], list[Apart]]:
    """What is awaited now and from whom: by branch, and by programme of aid. Refuses: Forbidden."""
    rows, away = steering.ask(session, actor, asked, _APART), _away(session, actor, asked)
    return tuple(_parted([row for row in rows if row.is_programme == side], ("branch", "programme")[side], away) for side in (0, 1))  # type: ignore[return-value]


def behind(session: Session, actor: Any, asked: Window, who: str = "", node: str = "", aid: str = "", cursor: str = "") -> tuple[list[Waiting], str]:
    """The cases that wait now, those since longest first, and the cursor of the next page; `aid`: what waits inside the dossiers of this programme alone. Refuses: Forbidden."""
    offset = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 10 else 0
    found = steering.ask(session, actor, asked, _BEHIND, who=who, node=node, aid=aid, limit=PAGE + 1, offset=offset)
    names = steering.named(editions.current(session), actor.language)
    items = [Waiting(row.root_id, row.number or "", row.branch, row.who, names.get(row.node) or row.node, row.programme or "", row.opened_at, row.due_at, row.is_late) for row in found[:PAGE]]
    return items, str(offset + PAGE) if len(found) > PAGE else ""


def _summed(rows: Any, by: str) -> dict[str, tuple[list[float], list[int]]]:
    """Seconds and times of both periods, by whom or by element."""
    found: dict[str, tuple[list[float], list[int]]] = {}
    for row in rows:
        seconds, times = found.setdefault(getattr(row, by), ([0.0, 0.0], [0, 0]))
        seconds[row.span] += float(row.seconds)
        times[row.span] += row.times
    return found


def _held(code: str, name: str, process: str, seconds: list[float], times: list[int], numbers: Mapping[str, int], away: list[bool]) -> Held:
    days = [one / 86400 for one in seconds]
    before = days[1] / numbers["worked_before"] if numbers["worked_before"] and not away[1] else None
    if away[0]:
        return Held(code, name, process, None, None, None, None, "")
    now = days[0] / (numbers["worked"] or 1)
    return Held(code, name, process, days[0], times[0], now, before, steering.trend(now, before, is_less_better=True))


def _away(session: Session, actor: Any, asked: Window) -> frozenset[Hashable]:
    """What is not shown of what stands open: nothing within OTE; else cells of fewer than five cases (tasks of one case are one), and as many others as would tell them. Cells: `of` whom all,
    `at` an element, by `branch`, by `programme`; `late`: those of them that are. They hang together: an agency's all are those at its elements, and those of the branches."""
    if not steering.is_masking(actor):
        return frozenset()
    of: dict[Hashable, set[UUID]] = defaultdict(set)
    sums: dict[Hashable, set[Hashable]] = defaultdict(set)
    for row in steering.ask(session, actor, asked, _TOLD):
        whole = ("of", row.who)
        parts = [("at", row.who, row.node), ("branch", row.branch, row.who), *([("programme", row.programme, row.who)] if row.programme else [])]
        agencies = [_ALL] if row.who in AGENCIES else []
        for key in (whole, *parts, *agencies):
            of[key].add(row.root_id)
            if row.is_late:
                of["late", *key].add(row.root_id)
        for said in ((), ("late",)) if row.is_late else ((),):
            sums[*said, *whole, "at"].add((*said, *parts[0]))
            sums[*said, *whole, "branch"].add((*said, *parts[1]))
            if agencies:
                sums[*said, *_ALL].add((*said, *whole))
    lines = [masking.Sum(key[:-1] if key[-1] in ("at", "branch") else key, [*parts]) for key, parts in sums.items()]  # type: ignore[index]
    return masking.hidden({key: len(cases) for key, cases in of.items()}, lines)


def _parted(rows: list[Any], kind: str, away: frozenset[Hashable]) -> list[Apart]:
    found: dict[str, dict[str, tuple[int, int | None] | None]] = {}
    for row in rows:
        key = (kind, row.part, row.who)
        found.setdefault(row.part, {})[row.who] = None if key in away else (row.times, None if ("late", *key) in away else row.late)
    return [Apart(code, by_who) for code, by_who in found.items()]
