"""Steering: what stands where, what comes and goes, programmes; the indicators B1–B12 and the cases behind each.

One query a block, under the reader's own wall: a head sees her branch, coordinators and auditors all of them. Outside OTE a figure of fewer than five cases by branch
or by programme is not shown. Not here: who waits for whom (`waits`), how an indicator is counted (`measures`), the half-yearly report (`halfyear`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority, branches
from engine.actors.agencies import OTE
from engine.casework import editions
from engine.casework.rows import FROM_THE_PERSON
from engine.i18n import pick
from engine.insight import drawings, heaviness, masking, measures, teams
from engine.insight.measures import ENOUGH, MEASURES, OWN

PERIODS = (30, 90, 180, 365)  # days; each is compared with as many before
PAGE = 100
_DAY = dt.timedelta(days=1)
_MONTHS = 12

_FIGURES = text(measures.figures())
_TELL = text("SELECT masar_tell_passages(:most, CAST(:fields AS text[]), CAST(:papers AS text[]), CAST(:held AS text[]))")
_SLICE = 50_000  # entries of the log
# What is counted here goes over whole tables; a plan that looks up one by one, made while they are small, takes the square of them once they are not.
_PLAN = text("SELECT set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true), set_config('work_mem', '64MB', true)")
_STOCK = text(f"WITH {OWN} SELECT branch, stage, count(*) AS cases FROM own WHERE ended_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2")
_FLOW = text(f"""WITH {OWN}, month AS (SELECT generate_series(date_trunc('month', CAST(:last AS timestamptz) AT TIME ZONE 'Africa/Tunis') - make_interval(months => {_MONTHS - 1}),
                  date_trunc('month', CAST(:last AS timestamptz) AT TIME ZONE 'Africa/Tunis'), '1 month') AS at),
    counted AS (SELECT date_trunc('month', opened_at AT TIME ZONE 'Africa/Tunis') AS at, 1 AS opened, 0 AS ended FROM own
                UNION ALL SELECT date_trunc('month', ended_at AT TIME ZONE 'Africa/Tunis'), 0, 1 FROM own WHERE ended_at IS NOT NULL)
    SELECT to_char(m.at, 'YYYY-MM') AS month, coalesce(sum(c.opened), 0) AS opened, coalesce(sum(c.ended), 0) AS ended FROM month m LEFT JOIN counted c USING (at) GROUP BY m.at ORDER BY m.at""")
_PROGRAMMES = text(f"""WITH {OWN}, aid AS (SELECT c.root_id, c.status, f.value #>> '{{}}' AS programme, d.value #>> '{{}}' AS decision, d.recorded_at AS decided_at, (g.value #>> '{{}}')::numeric AS granted
                 FROM part c JOIN fact f ON f.root_id = c.root_id AND f.field = 'aide.programme' AND f.subject = c.subject AND f.is_current
                 LEFT JOIN fact d ON d.root_id = c.root_id AND d.field = 'aide.decision' AND d.subject = c.subject AND d.is_current
                 LEFT JOIN fact g ON g.root_id = c.root_id AND g.field = 'aide.montant_accorde' AND g.subject = c.subject AND g.is_current WHERE c.process = 'dossier_aide')
    SELECT u.programme, u.available_millimes AS available, u.engaged_millimes AS engaged, u.paid_millimes AS paid, count(DISTINCT a.root_id) FILTER (WHERE a.status = 'open') AS running,
           count(DISTINCT a.root_id) FILTER (WHERE a.decided_at >= :first AND a.decision IN ('accorde', 'sous_reserve')) AS granted,
           count(DISTINCT a.root_id) FILTER (WHERE a.decided_at >= :first AND a.decision = 'refuse') AS refused,
           coalesce(sum(a.granted) FILTER (WHERE a.decided_at >= :first AND a.decision IN ('accorde', 'sous_reserve')), 0) AS amount
      FROM fund u LEFT JOIN aid a ON a.programme = u.programme WHERE :programme IN ('', u.programme) GROUP BY 1, 2, 3, 4 ORDER BY 1""")
_CODES = text("SELECT programme FROM fund ORDER BY 1")
_PAID = text(f"""WITH {OWN} SELECT s.span, sum(m.amount_millimes) AS millimes FROM fund_movement m JOIN part c USING (instance_id) JOIN period s ON m.moved_at >= s.a AND m.moved_at < s.b
                  WHERE m.kind IN ('paid', 'advanced') GROUP BY 1""")
_NUMBERS = text(f"""WITH {OWN} SELECT count(*) FILTER (WHERE ended_at IS NULL) AS stock, count(*) FILTER (WHERE opened_at < :first AND coalesce(ended_at, 'infinity') >= :first) AS stock_before,
           count(*) FILTER (WHERE opened_at >= :first) AS opened, count(*) FILTER (WHERE opened_at >= :before AND opened_at < :first) AS opened_before,
           count(*) FILTER (WHERE ended_at >= :first) AS ended, count(*) FILTER (WHERE ended_at >= :before AND ended_at < :first) AS ended_before,
           count(*) FILTER (WHERE coalesce(ended_at, 'infinity') > :first) AS worked, count(*) FILTER (WHERE opened_at < :first AND coalesce(ended_at, 'infinity') > :before) AS worked_before,
           count(*) FILTER (WHERE is_kept AND ended_at IS NULL) AS kept, count(*) FILTER (WHERE is_kept AND opened_at >= :first) AS kept_opened FROM own""")


@dataclass(frozen=True)
class Window:
    """From when to when is looked at, and the time before of the same length; of which branch ("" all that is reached), and of which programme of aid ("" whatever is asked for)."""

    before: dt.datetime
    first: dt.datetime
    last: dt.datetime
    branch: str
    days: int
    programme: str = ""


@dataclass(frozen=True)
class Group:
    """An indicator's figure of one branch or of one class, with its ninth tenth; None where so few cases are not shown."""

    name: str
    value: float | None
    tenth: float | None
    cases: int | None


@dataclass(frozen=True)
class Aside:
    """A figure beside an indicator; `before`: of the period before."""

    name: str
    value: float | None
    before: float | None


@dataclass(frozen=True)
class Indicator:
    """B1–B12. `value` None: nothing happened that it could be computed of, or of so few cases that it is not shown (`is_masked`: then `cases` is 0). `trend`: `better`, `worse`,
    `same`, or "" where there was nothing before. `drawn`: what the model alone says, way by way (`heaviness`); `is_met`: whether the target is reached."""

    code: str
    unit: str
    value: float | None
    before: float | None
    tenth: float | None
    cases: int
    trend: str
    target: float | None
    is_met: bool | None
    is_less_better: bool
    drawn: Mapping[str, int] | None
    by_branch: tuple[Group, ...]
    by_class: tuple[Group, ...]
    aside: tuple[Aside, ...]
    is_masked: bool = False


@dataclass(frozen=True)
class Case:
    """A case behind a figure: what it adds to it. `value` in the indicator's unit."""

    case_id: UUID
    case_number: str
    branch: str
    stage: str
    value: float


@dataclass(frozen=True)
class Cases:
    code: str
    unit: str
    items: tuple[Case, ...]
    next: str


def gather(session: Session) -> int:
    """Turns the lines sealed since the last time into passages and what was asked, which is what is counted here; how many entries there were. By the system alone."""
    drawn, told = drawings.told(session), 0
    while made := session.execute(_TELL, {"most": _SLICE, "fields": drawn.fields, "papers": drawn.papers, "held": drawn.held}).scalar_one():
        told += made
    return told


def window(session: Session, actor: Any, branch: str = "", days: int = 90, programme: str = "") -> Window:
    """The period that ends now. Refuses: Forbidden; `steering.period`, `steering.branch`, `steering.programme`, `steering.programme_apart` (Invalid)."""
    authority.require(actor, "steering.read")
    if days not in PERIODS:
        raise errors.wrong("steering.period", "/days", days=", ".join(map(str, PERIODS)))
    if actor.reach != "all":
        branch = actor.branch
    elif branch and branch not in branches.codes(session):
        raise errors.wrong("steering.branch", "/branch", branch=branch[:20])
    if programme and is_masking(actor):
        raise errors.wrong("steering.programme_apart", "/programme")
    if programme and programme not in programme_codes(session):
        raise errors.wrong("steering.programme", "/programme", programme=programme[:40])
    now = clock.now(session)
    return Window(now - 2 * days * _DAY, now - days * _DAY, now, branch, days, programme)


def programme_codes(session: Session) -> list[str]:
    """The programmes that have or had a fund."""
    return list(session.execute(_CODES).scalars())


def is_masking(actor: Any) -> bool:
    """Whether small numbers are not shown to whoever asks: outside OTE, where none is told of one programme either, which taken from the same of all would tell of the rest. The house itself (the half-year's report) masks what it makes of them."""
    return actor.agency not in ("", OTE)


def ask(session: Session, actor: Any, asked: Window, statement: Any, **more: Any) -> Any:
    """The rows of a statement over the cases one reaches, told of the period and of the drawings. Refuses: Forbidden."""
    authority.require(actor, "steering.read")
    return session.execute(statement, _given(session, asked) | more).all()  # which names what it needs of what all are told


def numbers(session: Session, actor: Any, asked: Window) -> Mapping[str, int]:
    """Open cases, those begun and ended in the period, those open at some time of it (`worked`), each with its `…_before`; open cases that are OTE's alone, since the person
    refused C1 or withdrew it (`kept`), and those of the cases begun in the period. Refuses: Forbidden."""
    return dict(ask(session, actor, asked, _NUMBERS)[0]._mapping)


def shown(actor: Any, found: Mapping[str, int]) -> Mapping[str, int | None]:
    """`numbers` as they are shown: outside OTE None where one to four. The stock is that of before, more what began, less what ended: of those two both are shown or none."""
    cells = dict(_shown(actor, found))
    for pair in (("opened", "ended"), ("opened_before", "ended_before")):
        if any(cells[one] is None for one in pair):
            cells |= dict.fromkeys(pair)
    return cells


def stock(session: Session, actor: Any, asked: Window) -> Mapping[str, Mapping[str, int | None]]:
    """By branch, open cases at each stage and `all` of them; outside OTE None where one to four, or where they would tell of such. Refuses: Forbidden."""
    found: dict[str, dict[str, int]] = {}
    for row in ask(session, actor, asked, _STOCK):
        found.setdefault(row.branch, {})[row.stage] = row.cases
    return {branch: _shown(actor, stages | {"all": sum(stages.values())}, masking.Sum("all", tuple(stages))) for branch, stages in found.items()}


def flow(session: Session, actor: Any, asked: Window) -> list[tuple[str, int | None, int | None]]:
    """Month, cases begun, cases ended: the last twelve months; outside OTE None as in `stock`. Refuses: Forbidden."""
    rows = ask(session, actor, asked, _FLOW)
    opened, ended = (_shown(actor, {row.month: int(getattr(row, side)) for row in rows}) for side in ("opened", "ended"))
    return [(month, opened[month], ended[month]) for month in opened]


def programmes(session: Session, actor: Any, asked: Window) -> list[Mapping[str, Any]]:
    """By programme: dossiers that run, persons granted and refused in the period, money; outside OTE None where fewer than five. Refuses: Forbidden."""
    return [_programme(actor, row._mapping) for row in ask(session, actor, asked, _PROGRAMMES)]


def indicators(session: Session, actor: Any, asked: Window) -> tuple[Indicator, ...]:
    """B1–B12 for the period, against the one before, by branch. Refuses: Forbidden."""
    authority.require(actor, "steering.read")
    told, drawn = _given(session, asked), heaviness.figures(session)
    found = session.execute(_FIGURES, told).all()
    paid = {row.span: float(row.millimes or 0) / 1000 for row in session.execute(_PAID, told)}
    return tuple(_indicator(actor, one, [row for row in found if row.code == code], paid, drawn) for code, one in MEASURES.items())


def cases(session: Session, actor: Any, asked: Window, code: str, cursor: str = "") -> Cases:
    """The cases behind an indicator's figure of the period, as far as the reader reaches, the worst first. Refuses: Forbidden, `steering.no_indicator` (NotFound)."""
    authority.require(actor, "steering.read")
    one = MEASURES.get(code)
    if one is None:
        raise errors.NotFound("steering.no_indicator")
    offset = int(cursor) if cursor.isascii() and cursor.isdigit() else 0
    rows = ask(session, actor, asked, text(measures.cases(one)), limit=PAGE + 1, offset=offset)
    items = tuple(Case(row.root_id, row.number or "", row.branch, row.stage, _of_case(one, row)) for row in rows[:PAGE])
    return Cases(code, one.unit, items, str(offset + PAGE) if len(rows) > PAGE else "")


def validations(session: Session, actor: Any, asked: Window) -> tuple[tuple[str, int | None, int | None, str], ...]:
    """Each validation since ever: its name, how often it was done, how often it led elsewhere than it mostly does, and `never` (it may be dropped), `early` (too early to say) or `used`;
    outside OTE both None where so few would be told."""
    authority.require(actor, "steering.read")
    edition = editions.current(session)
    names, titles = named(edition, actor.language), {one.node: pick(edition.definitions.processes[one.process].names, actor.language) for one in edition.definitions.tasks}
    rows = ask(session, actor, asked, text(measures.VALIDATIONS))
    told = {row.node: not any(_is_few(actor, number) for number in (row.times, row.others, row.times - row.others)) for row in rows}
    return tuple((f"{names.get(row.node) or row.node} ({titles.get(row.node, row.node)})", row.times if told[row.node] else None, row.others if told[row.node] else None, "used" if row.others else "never" if row.times >= ENOUGH else "early") for row in rows)


def stages_left(session: Session, actor: Any, asked: Window) -> tuple[tuple[str, int | None, int | None, float | None], ...]:
    """By stage: cases that entered it in the period, those that left from it before the end of the way, and the days they had been in it (the middle); outside OTE None as in `stock`."""
    rows = ask(session, actor, asked, text(measures.STAGES_LEFT))
    entered, gone = (_shown(actor, {row.stage: getattr(row, side) for row in rows}) for side in ("entered", "gone"))
    found = {row.stage: (row.stage, entered[row.stage], gone[row.stage], None if row.days is None or gone[row.stage] is None else float(row.days)) for row in rows}
    return tuple(found[stage] for stage in ("accueil", "evaluation", "accompagnement", "suivi", "cloture") if stage in found)


def _indicator(actor: Any, one: measures.Measure, told: list[Any], paid: Mapping[int, float], drawn: Mapping[str, Mapping[str, int]]) -> Indicator:
    rows = [row for row in told if not row.name]
    now, then = (None if row is not None and _is_telling(actor, one, row) else row for row in (_whole(rows, 0), _whole(rows, 1)))
    is_masked = now is None and _whole(rows, 0) is not None
    beside = [] if is_masked else [row for row in told if row.name not in ("", "class")]
    value, before = (None if row is None else row.value for row in (now, then))
    tenth = now.tenth if now is not None else None
    here, classed = ([row for row in found if row.span == 0] for found in ((row for row in rows if not row.is_any_branch), (row for row in told if row.name == "class")))
    groups = _groups(one, here, is_masking(actor))
    classes = () if is_masked else _groups(one, classed, True)  # what a class is found from is secret: of fewer than five nobody is told
    ways = drawn.get(one.code)
    return Indicator(one.code, one.unit, value, before, tenth, now.cases if now is not None else 0, trend(value, before, one.is_less_better), one.target, is_met(one, value, tenth), one.is_less_better, ways,
                     groups, classes, _aside(actor, one, beside, now, paid), is_masked)  # fmt: skip


def _whole(rows: list[Any], span: int) -> Any:
    """The line of all branches together."""
    return next((row for row in rows if row.is_any_branch and row.span == span), None)


def is_met(one: measures.Measure, value: float | None, tenth: float | None) -> bool | None:
    """Whether the target is reached; None where there is none, or nothing to hold against it."""
    reached = tenth if one.at_tenth else value
    if one.target is None or reached is None:
        return None
    return reached <= one.target if one.is_less_better else reached >= one.target


def trend(value: float | None, before: float | None, is_less_better: bool) -> str:
    """`better`, `worse`, `same` within a fiftieth; "" where there is nothing to compare."""
    if value is None or before is None:
        return ""
    if abs(value - before) <= 0.02 * max(abs(value), abs(before)):
        return "same"
    return "better" if (value < before) is is_less_better else "worse"


def _shares(one: measures.Measure, row: Any) -> tuple[int, ...]:
    """What a share of cases tells: how many are in it, and how many are not."""
    return (int(row.num), row.cases - int(row.num)) if one.code in measures.OF_CASES else ()


def _is_telling(actor: Any, one: measures.Measure, row: Any) -> bool:
    return any(_is_few(actor, number) for number in (row.cases, *_shares(one, row)))


def _groups(one: measures.Measure, rows: list[Any], is_hiding: bool) -> tuple[Group, ...]:
    """Figures apart, those of few cases hidden, and as many others as would tell them."""
    cells: dict[Any, int] = {row.branch: row.cases for row in rows}
    shares = {(row.branch, side): number for row in rows for side, number in enumerate(_shares(one, row))}
    sums = [masking.Sum(None, [*cells]), *(masking.Sum(None, [key for key in shares if key[1] == side]) for side in (0, 1)), *(masking.Sum(row.branch, [(row.branch, 0), (row.branch, 1)]) for row in rows if shares)]
    away = masking.hidden(cells | shares, sums) if is_hiding else frozenset()
    shown = [(row, row.branch not in away, not away & {row.branch, (row.branch, 0), (row.branch, 1)}) for row in rows]
    return tuple(Group(row.branch, row.value if is_whole else None, row.tenth if is_whole else None, row.cases if is_counted else None) for row, is_counted, is_whole in shown)


def _aside(actor: Any, one: measures.Measure, beside: list[Any], now: Any, paid: Mapping[int, float]) -> tuple[Aside, ...]:
    found: dict[str, list[float | None]] = {}
    for row in beside:
        is_few = row.name in measures.COUNTS and row.value is not None and _is_few(actor, int(row.value))
        found.setdefault(row.name, [None, None])[row.span] = None if is_few else row.value
    if "backlog" in found and found["backlog"][0] is None:
        found.pop("backlog_age", None)  # the oldest of so few is one of them
    if one.code == "b9" and now is not None and paid.get(0):
        found["per_hundred"] = [100 * now.num / paid[0], None]
    return tuple(Aside(name, *values) for name, values in found.items())


def _of_case(one: measures.Measure, row: Any) -> float:
    if one.takes == "ratio":
        return 100 * float(row.num) / float(row.den) if row.den else 0.0
    return float(row.most) if one.takes == "median" else float(row.num) / float(row.den or 1)


def _is_few(actor: Any, number: int) -> bool:
    return is_masking(actor) and 0 < number < masking.FEWEST


def _shown(actor: Any, cells: Mapping[str, int], *sums: masking.Sum) -> Mapping[str, int | None]:
    """Numbers as they are shown: outside OTE those of one to four are not, nor as many others of the same sum as would tell them."""
    away = masking.hidden(cells, sums) if is_masking(actor) else frozenset()
    return {name: None if name in away else number for name, number in cells.items()}


def _programme(actor: Any, row: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = {name: None if name in ("running", "granted", "refused") and _is_few(actor, value) else value for name, value in row.items()}
    return shown | ({"amount": None} if shown["granted"] is None else {})


def _given(session: Session, asked: Window) -> dict[str, Any]:
    """What the statements are told: the period, and what the drawings say of their elements."""
    session.execute(_PLAN)
    drawn = drawings.told(session)
    return {
        "branch": asked.branch, "programme": asked.programme, "before": asked.before, "first": asked.first, "last": asked.last, "nodes": drawn.nodes, "listening": drawn.listening,
        "services": list(measures.SERVICES), "refused": measures.REFUSED, "paid": measures.PAID, "said": [*measures.SERVICES, measures.REFUSED], "places": ["antenne", "unite_sociale", "bureau_emploi"], "awaited": [*sorted(FROM_THE_PERSON), measures.DECIDES], "decides": measures.DECIDES,
        "complete_at": measures.COMPLETE_AT, "direct": measures.DIRECT, "missing": measures.MISSING, "filed": list(measures.FILED), "written": measures.WRITTEN,
        "exits": list(measures.EXITS), "classes": drawn.classes, "hour": measures.HOUR_OF_AGENT, "trip": measures.TRIP, "longest": teams.LONGEST, "usual": teams.USUAL,
    }  # fmt: skip


def named(edition: editions.Edition, language: str) -> dict[str, str]:
    """What each element of the drawings is called."""
    return {one.id: pick(one.names, language) for process in edition.definitions.processes for one in edition.definitions.elements(process) if one.names}
