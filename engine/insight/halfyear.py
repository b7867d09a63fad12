"""The report of the half-yearly committee (domain.md §4.13): returns, aids, money, projects, what became of them, refusals, indicators. Persons are counted, never named.

There is one report of a half-year: made once when it is over, of the whole land, by the house itself, and the same for whoever steers, for ever. So there are no two to take from one
another: not a branch's from the land's, not one reader's from another's, not today's from yesterday's. Half-years do not overlap, and what is said of the one before is what its own
report said. Within a report tables hang together (aids granted by programme, by level, by decision); all of it is masked at once (`masking`) and kept masked.
Not here: the indicators themselves (`measures`), the sheet and the paper (`halfyear_papers`).
"""

import datetime as dt
import json
from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority, users
from engine.casework import editions
from engine.i18n import translate
from engine.insight import equity, masking, measures, steering
from engine.insight.masking import FEWEST, Sum
from engine.insight.steering import Indicator
from forms import text as words

OLDEST = 2019  # the Dispositif is not older
_BEGUN = text("SELECT min(opened_at) FROM instance WHERE process = 'parcours' AND root_id = instance_id")
_KEPT = text("SELECT year, half FROM halfyear_report ORDER BY year DESC, half DESC")
_READ = text("SELECT content, made_at FROM halfyear_report WHERE year = :year AND half = :half")
_KEEP = text("INSERT INTO halfyear_report (year, half, content, made_at) VALUES (:year, :half, CAST(:content AS jsonb), :at) ON CONFLICT DO NOTHING")
_CAME = "came AS (SELECT instance_id AS root_id, person_id, branch FROM instance WHERE process = 'parcours' AND root_id = instance_id AND opened_at >= :first AND opened_at < :last)"
_AIDS = """aid AS (SELECT i.root_id, i.person_id, i.subject, d.recorded_at AS decided_at, d.value #>> '{}' AS decision FROM instance i
                 JOIN fact d ON d.root_id = i.root_id AND d.field = 'aide.decision' AND d.subject = i.subject AND d.is_current WHERE i.process = 'dossier_aide'
                  AND d.recorded_at >= :first AND d.recorded_at < :last),
    granted AS (SELECT a.*, (g.value #>> '{}')::numeric AS millimes FROM aid a LEFT JOIN fact g ON g.root_id = a.root_id AND g.field = 'aide.montant_accorde' AND g.subject = a.subject AND g.is_current
                 WHERE a.decision IN ('accorde', 'sous_reserve'))"""
_PAYMENTS = """paid AS (SELECT DISTINCT ON (p.instance_id, p.position) i.root_id, i.person_id, i.subject, (f.value #>> '{}')::numeric AS millimes
                  FROM passage p JOIN instance i USING (instance_id) LEFT JOIN fact f ON f.root_id = i.root_id AND f.subject = i.subject AND f.field = 'aide.versement_montant' AND f.recorded_at <= p.opened_at
                 WHERE p.kind = 'operation' AND p.name IN ('verser_tranche', 'verser_avance') AND p.opened_at >= :first AND p.opened_at < :last ORDER BY p.instance_id, p.position, f.fact_id DESC)"""


def _by_fact(field: str, who: str = "came", extra: str = "NULL::numeric", of: str = "root_id") -> str:
    """Persons of `who` by the value of a field of theirs; of an aid's field, of that aid."""
    same = " AND f.subject = w.subject" if of == "subject" else ""
    return f"""SELECT coalesce(f.value #>> '{{}}', '') AS code, count(DISTINCT w.person_id) AS persons, {extra} AS amount FROM {who} w
                 LEFT JOIN fact f ON f.root_id = w.root_id AND f.field = '{field}' AND f.is_current{same} GROUP BY 1"""


_AGE = """SELECT CASE WHEN f.value #>> '{}' IS NULL THEN '' WHEN age < 18 THEN 'under_18' WHEN age < 26 THEN '18_25' WHEN age < 36 THEN '26_35' WHEN age < 61 THEN '36_60' ELSE 'over_60' END AS code,
                count(DISTINCT w.person_id) AS persons, NULL::numeric AS amount
           FROM came w LEFT JOIN fact f ON f.root_id = w.root_id AND f.field = 'person.naissance_date' AND f.is_current AND f.subject = 'person:' || w.person_id
           CROSS JOIN LATERAL (SELECT extract(year FROM CAST(:last AS timestamptz)) - left(f.value #>> '{}', 4)::int AS age) a GROUP BY 1"""
_VISITED = """visited AS (SELECT DISTINCT ON (c.person_id, e.value) c.person_id, e.value #>> '{}' AS echeance, s.value #>> '{}' AS state FROM fact e JOIN instance c ON c.instance_id = e.root_id
                 JOIN fact s ON s.root_id = e.root_id AND s.subject = e.subject AND s.field = 'visite.activite_etat' AND s.is_current AND s.recorded_at >= :first AND s.recorded_at < :last
                WHERE e.field = 'visite.echeance' AND e.is_current AND e.value #>> '{}' IN ('m6', 'm12', 'm24') ORDER BY c.person_id, e.value, s.recorded_at DESC)"""
# Block → (CTEs, rows of (code, persons, amount), the field whose words its codes have, whether amounts are money or a number).
BLOCKS: Mapping[str, tuple[tuple[str, ...], str, str, str]] = {
    "country": ((_CAME,), _by_fact("retour.pays"), "retour.pays", ""),
    "kind": ((_CAME,), _by_fact("retour.type"), "retour.type", ""),
    "branch": ((_CAME,), "SELECT branch AS code, count(DISTINCT person_id) AS persons, NULL::numeric AS amount FROM came GROUP BY 1", "branch", ""),
    "sex": ((_CAME,), _by_fact("person.sexe"), "person.sexe", ""),
    "age": ((_CAME,), _AGE, "age", ""),
    "level": ((_AIDS,), _by_fact("aide.niveau", "granted", "sum(w.millimes)", "subject"), "aide.niveau", "money"),
    "granted": ((_AIDS,), _by_fact("aide.programme", "granted", "sum(w.millimes)", "subject"), "aide.programme", "money"),
    "paid": ((_PAYMENTS,), _by_fact("aide.programme", "paid", "sum(w.millimes)", "subject"), "aide.programme", "money"),
    "decision": ((_AIDS,), "SELECT decision AS code, count(DISTINCT person_id) AS persons, NULL::numeric AS amount FROM aid GROUP BY 1", "aide.decision", ""),
    "refused": ((), """SELECT coalesce(f.value #>> '{}', '') AS code, count(DISTINCT i.person_id) AS persons, NULL::numeric AS amount FROM fact f JOIN instance i ON i.instance_id = f.root_id
                        WHERE f.field = 'accueil.refus_motif' AND f.is_current AND f.recorded_at >= :first AND f.recorded_at < :last GROUP BY 1""", "accueil.refus_motif", ""),
    "sector": ((_AIDS,), """SELECT coalesce(f.value #>> '{}', '') AS code, count(DISTINCT w.person_id) AS persons, sum((j.value #>> '{}')::numeric) AS amount FROM granted w
                      JOIN fact n ON n.root_id = w.root_id AND n.field = 'aide.niveau' AND n.subject = w.subject AND n.is_current AND n.value #>> '{}' = 'N3'
                      LEFT JOIN fact f ON f.root_id = w.root_id AND f.field = 'projet.secteur' AND f.is_current
                      LEFT JOIN fact j ON j.root_id = w.root_id AND j.field = 'projet.emplois_crees' AND j.is_current GROUP BY 1""", "projet.secteur", "jobs"),
    "survival_m6": ((_VISITED,), "SELECT state AS code, count(DISTINCT person_id) AS persons, NULL::numeric AS amount FROM visited WHERE echeance = 'm6' GROUP BY 1", "visite.activite_etat", ""),
    "survival_m12": ((_VISITED,), "SELECT state AS code, count(DISTINCT person_id) AS persons, NULL::numeric AS amount FROM visited WHERE echeance = 'm12' GROUP BY 1", "visite.activite_etat", ""),
    "survival_m24": ((_VISITED,), "SELECT state AS code, count(DISTINCT person_id) AS persons, NULL::numeric AS amount FROM visited WHERE echeance = 'm24' GROUP BY 1", "visite.activite_etat", ""),
    "closed": ((), """SELECT coalesce(f.value #>> '{}', '') AS code, count(DISTINCT i.person_id) AS persons, NULL::numeric AS amount FROM instance i
                      LEFT JOIN fact f ON f.root_id = i.root_id AND f.field = 'cloture.motif' AND f.is_current
                       WHERE i.process = 'parcours' AND i.root_id = i.instance_id AND i.ended_at >= :first AND i.ended_at < :last GROUP BY 1""", "cloture.motif", ""),
}  # fmt: skip


# What one table says of another: the projects are the aids of level N3; what was granted is what was decided so.
_LINKS = (Sum(("sector", "total"), [("level", "N3")]), Sum(("granted", "total"), [("decision", "accorde"), ("decision", "sous_reserve")]), Sum(("level", "total"), [("decision", "accorde"), ("decision", "sous_reserve")]),
          Sum(("b12", "left"), [("closed", code) for code in measures.EXITS]))  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line: `persons` and `amount` None where they are not shown (`is_masked`); `amount` in millimes or, of jobs, a number."""

    code: str
    label: str
    persons: int | None
    amount: int | None
    is_masked: bool


@dataclass(frozen=True)
class Block:
    """One table. `total`: of its lines (who is in two of them counts in both); None where it is not shown."""

    code: str
    rows: tuple[Row, ...]
    total: int | None
    amount: int | None
    unit: str


@dataclass(frozen=True)
class Report:
    """A half-year of the whole land, as it was made on the day `made_at`. `indicators`: no value where they are not shown (`is_masked`); `equity`: none in reports of before it was looked at."""

    year: int
    half: int
    first: dt.datetime
    last: dt.datetime
    made_at: dt.datetime
    blocks: tuple[Block, ...]
    indicators: tuple[Indicator, ...]
    equity: tuple[equity.Check, ...]


def halves(session: Session, actor: Any) -> list[tuple[int, int]]:
    """The half-years of which there is a report, the latest first. Refuses: Forbidden."""
    authority.require(actor, "steering.read")
    return [(row.year, row.half) for row in session.execute(_KEPT)]


def report(session: Session, actor: Any, year: int, half: int) -> Report:
    """The report as it was made, in the reader's language. Refuses: Forbidden; `steering.half` (NotFound) where there is none."""
    authority.require(actor, "steering.read")
    kept = session.execute(_READ, {"year": year, "half": half}).one_or_none() if OLDEST <= year <= 9000 and half in (1, 2) else None
    if kept is None:
        raise errors.NotFound("steering.half")
    first, last = _bounds(year, half)
    edition, told = editions.current(session), kept.content
    return Report(year, half, first, last, kept.made_at, tuple(_shown(edition, actor.language, one) for one in told["blocks"]), tuple(_indicator(one, one["code"] in told["masked"]) for one in told["indicators"]),
                  tuple(_checked(edition, actor.language, one) for one in told.get("equity", ())))  # fmt: skip


def due(session: Session) -> list[tuple[int, int]]:
    """The half-years that are over and have no report, the oldest first, since somebody first came."""
    begun = session.execute(_BEGUN).scalar()
    if begun is None:
        return []
    kept, now, first = {(row.year, row.half) for row in session.execute(_KEPT)}, clock.now(session), clock.today(begun)
    year, half, found = first.year, 1 if first.month <= 6 else 2, []
    while _bounds(year, half)[1] <= now:
        if (year, half) not in kept:
            found.append((year, half))
        year, half = (year, 2) if half == 1 else (year + 1, 1)
    return found


def make(session: Session, year: int, half: int) -> None:
    """Makes the report of a half-year, unless there is one; what was done in it is counted by then (`steering.gather`). Refuses: `steering.half` (NotFound) where it is not over: what grows from day to day tells of single persons."""
    now = clock.now(session)
    if _bounds(year, half)[1] > now:
        raise errors.NotFound("steering.half")
    session.execute(_KEEP, {"year": year, "half": half, "content": json.dumps(_made(session, year, half)), "at": now})


def _made(session: Session, year: int, half: int) -> dict[str, Any]:
    """What is kept of a half-year: codes and numbers, those not shown left out."""
    first, last = _bounds(year, half)
    house, former = users.system(), (year, 1) if half == 2 else (year - 1, 2)
    found = {code: _counted(session, code, {"first": first, "last": last}) for code in BLOCKS}
    asked = steering.Window(_bounds(*former)[0], first, last, "", (last - first).days)
    indicators, decided = steering.indicators(session, house, asked), equity.counted(session, house, asked)
    said = session.execute(_READ, {"year": former[0], "half": former[1]}).one_or_none()
    before = {one["code"]: one["value"] for one in said.content["indicators"]} if said else {}
    away = hidden(found, indicators, decided)
    few = sorted(one.code for one in indicators if one.cases and (one.code in away or 0 < one.cases < FEWEST))
    return {
        "blocks": [_block(code, rows, away) for code, rows in found.items()], "masked": few,
        "indicators": [_kept(one, before.get(one.code), one.code in few) for one in indicators],
        "equity": [asdict(one) for one in equity.compared(decided, away)],
    }  # fmt: skip


def hidden(found: Mapping[str, Mapping[str, tuple[int, int | None]]], indicators: tuple[Indicator, ...] = (), decided: Mapping[str, Mapping[str, equity.Counted]] | None = None) -> frozenset[Hashable]:
    """The cells of a report that are not shown: (block, code), (block, "total"), the code of an indicator, or a cell of `equity.cells`. `found`: block → code → persons, amount."""
    cells: dict[Hashable, int] = {(block, code): persons for block, rows in found.items() for code, (persons, _) in rows.items()}
    cells |= {(block, "total"): sum(persons for persons, _ in rows.values()) for block, rows in found.items()}
    shares = {one.code: round(one.value * one.cases / 100) for one in indicators if one.code in measures.OF_CASES and one.value is not None}
    cells |= {(code, "left"): number for code, number in shares.items()}  # a share of cases tells how many they are
    sums = [Sum((block, "total"), [(block, code) for code in rows]) for block, rows in found.items()]
    sums += [Sum(one.whole, parts) for one in _LINKS if one.whole in cells and (parts := [part for part in one.parts if part in cells])]
    cells |= equity.cells(decided or {})
    sums += equity.sums(decided or {}, ("granted", "total") if "granted" in found else None, ("decision", "refuse") if ("decision", "refuse") in cells else None)
    away = masking.hidden(cells, sums)
    return away | {code for code in shares if (code, "left") in away}


def _counted(session: Session, code: str, given: Mapping[str, Any]) -> dict[str, tuple[int, int | None]]:
    ctes, rows_of, _, _ = BLOCKS[code]
    begin = f"WITH {', '.join(ctes)} " if ctes else ""
    rows = session.execute(text(begin + rows_of), given).all()
    return {row.code: (row.persons, None if row.amount is None else int(row.amount)) for row in sorted(rows, key=lambda row: row.code)}


def _block(code: str, rows: Mapping[str, tuple[int, int | None]], away: frozenset[Hashable]) -> dict[str, Any]:
    lines = [[name, None, None, True] if (code, name) in away else [name, persons, amount, False] for name, (persons, amount) in rows.items()]
    is_away = (code, "total") in away
    amount = sum(amount or 0 for _, amount in rows.values()) if BLOCKS[code][3] and not is_away else None
    return {"code": code, "total": None if is_away else sum(persons for persons, _ in rows.values()), "amount": amount,
            "rows": sorted(lines, key=lambda line: (line[3], -(line[1] or 0)))}  # fmt: skip


def _kept(one: Indicator, before: float | None, is_few: bool) -> dict[str, Any]:
    if is_few:
        return {"code": one.code, "value": None, "tenth": None, "before": None, "cases": 0, "drawn": one.drawn}
    return {"code": one.code, "value": one.value, "tenth": one.tenth, "before": before, "cases": one.cases, "drawn": one.drawn}


def _indicator(kept: Mapping[str, Any], is_masked: bool) -> Indicator:
    one, value, before = measures.MEASURES[kept["code"]], kept["value"], kept["before"]
    return Indicator(one.code, one.unit, value, before, kept["tenth"], kept["cases"], steering.trend(value, before, one.is_less_better), one.target, steering.is_met(one, value, kept["tenth"]),
                     one.is_less_better, kept["drawn"], (), (), (), is_masked)  # fmt: skip


def _checked(edition: editions.Edition, language: str, kept: Mapping[str, Any]) -> equity.Check:
    return equity.labelled(equity.Check(kept["by"], tuple(equity.Part(**part | {"alerts": tuple(part["alerts"])}) for part in kept["parts"]), kept["is_compared"]), edition, language)


def _shown(edition: editions.Edition, language: str, kept: Mapping[str, Any]) -> Block:
    _, _, field, unit = BLOCKS[kept["code"]]
    rows = tuple(Row(code, _label(edition, field, code, language), persons, amount, is_masked) for code, persons, amount, is_masked in kept["rows"])
    return Block(kept["code"], rows, kept["total"], kept["amount"], unit)


def _label(edition: editions.Edition, field: str, code: str, language: str) -> str:
    if not code:
        return translate("web.steering.report.unknown", language)
    if field in ("branch", "age"):
        return translate(f"web.branch.{code}" if field == "branch" else f"web.steering.report.age.{code}", language)
    found = edition.dictionary.fields.get(field)
    return words.display(found, code, language) if found is not None else code


def _bounds(year: int, half: int) -> tuple[dt.datetime, dt.datetime]:
    first, last = dt.date(year, 1 if half == 1 else 7, 1), dt.date(year if half == 1 else year + 1, 7 if half == 1 else 1, 1)
    begin, end = (dt.datetime.combine(one, dt.time(), clock.TUNIS).astimezone(dt.UTC) for one in (first, last))
    return begin, end
