"""The report of the half-yearly committee (domain.md §4.13): returns, aids, money, projects, what became of them, refusals, indicators. Persons are counted, never named.

A cell of one to four persons is not shown, nor as many others as would let it be found by taking them from a total. Only a half-year that is over is reported: figures that
grow from day to day tell of single persons. Not here: the indicators themselves (`measures`), the page and the sheet (`web`, `reports`).
"""

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority
from engine.casework import editions
from engine.i18n import translate
from engine.insight import spreadsheets, steering
from engine.insight.steering import FEWEST, Indicator
from engine.ledger import consultations
from forms import text as words

OLDEST = 2019  # the Dispositif is not older
_CAME = "came AS (SELECT instance_id AS root_id, person_id, branch FROM instance WHERE process = 'parcours' AND root_id = instance_id AND opened_at >= :first AND opened_at < :last)"
_AIDS = """aid AS (SELECT i.root_id, i.person_id, i.subject, d.recorded_at AS decided_at, d.value #>> '{}' AS decision FROM instance i
                 JOIN fact d ON d.root_id = i.root_id AND d.field = 'aide.decision' AND d.subject = i.subject AND d.is_current WHERE i.process = 'dossier_aide'
                  AND d.recorded_at >= :first AND d.recorded_at < :last),
    granted AS (SELECT a.*, (g.value #>> '{}')::numeric AS millimes FROM aid a LEFT JOIN fact g ON g.root_id = a.root_id AND g.field = 'aide.montant_accorde' AND g.subject = a.subject AND g.is_current
                 WHERE a.decision IN ('accorde', 'sous_reserve'))"""
_PAYMENTS = """paid AS (SELECT i.root_id, i.person_id, i.subject, (SELECT (f.value #>> '{}')::numeric FROM fact f WHERE f.root_id = i.root_id AND f.field = 'aide.versement_montant'
                        AND f.subject = i.subject AND f.recorded_at <= p.opened_at ORDER BY f.fact_id DESC LIMIT 1) AS millimes
                  FROM passage p JOIN instance i USING (instance_id) WHERE p.kind = 'operation' AND p.name IN ('verser_tranche', 'verser_avance') AND p.opened_at >= :first AND p.opened_at < :last)"""


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
    """One table. `total`: of its lines (who is in two of them counts in both); None where fewer than five."""

    code: str
    rows: tuple[Row, ...]
    total: int | None
    amount: int | None
    unit: str


@dataclass(frozen=True)
class Report:
    """A half-year of the cases one reaches. `indicators`: those of fewer than five cases have no value."""

    year: int
    half: int
    first: dt.datetime
    last: dt.datetime
    branch: str
    blocks: tuple[Block, ...]
    indicators: tuple[Indicator, ...]


def halves(session: Session, actor: Any) -> list[tuple[int, int]]:
    """The half-years that are over and in which somebody came, the latest first."""
    authority.require(actor, "steering.read")
    begun = session.execute(text("SELECT min(opened_at) FROM instance WHERE process = 'parcours' AND root_id = instance_id")).scalar()
    if begun is None:
        return []
    today, first = clock.today(clock.now(session)), clock.today(begun)
    year, half = first.year, 1 if first.month <= 6 else 2
    found = []
    while _bounds(year, half)[1].date() <= today:
        found.append((year, half))
        year, half = (year, 2) if half == 1 else (year + 1, 1)
    return found[::-1]


def report(session: Session, actor: Any, year: int, half: int) -> Report:
    """The report. Refuses: Forbidden; `steering.half` (NotFound) where it is not over or never was."""
    authority.require(actor, "steering.read")
    if half not in (1, 2) or not OLDEST <= year <= 9000 or _bounds(year, half)[1] > clock.now(session):
        raise errors.NotFound("steering.half")
    first, last = _bounds(year, half)
    edition, given = editions.current(session), {"first": first, "last": last}
    blocks = tuple(_block(session, actor, edition, code, given) for code in BLOCKS)
    before = _bounds(*((year, 1) if half == 2 else (year - 1, 2)))[0]
    asked = steering.Window(before, first, last, "" if actor.reach == "all" else actor.branch, (last - first).days)
    return Report(year, half, first, last, asked.branch, blocks, steering.indicators(session, actor, asked))


def sheet(session: Session, actor: Any, year: int, half: int) -> bytes:
    """The report as a workbook: a sheet of tables, one of indicators; no text of it begins a formula. Refuses: as `report`. Records: `access.exported`."""
    made, language = report(session, actor, year, half), actor.language
    consultations.exported(session, consultations.NOBODYS, "export.halfyear", {"year": year, "half": half})

    def say(code: str, **details: Any) -> str:
        return translate(f"web.steering.{code}", language, **details)

    book = Workbook()
    tables = book.active
    tables.title = say("report.tables")[:31]
    _write(tables, [say("report.title", year=year, half=say(f"report.half_{half}"))], is_head=True)
    _write(tables, [say("report.masked_how")])
    for block in made.blocks:
        _write(tables, [])
        _write(tables, [say(f"report.block.{block.code}"), say("report.persons"), *([say(f"report.{block.unit}")] if block.unit else [])], is_head=True)
        for row in (*block.rows, Row("total", say("report.total"), block.total, block.amount, block.total is None)):
            shown = [say("report.masked") if row.is_masked else row.persons] + ([say("report.masked") if row.is_masked else _amount(block, row.amount)] if block.unit else [])
            _write(tables, [row.label, *shown])
    figures = book.create_sheet(say("indicators")[:31])
    _write(figures, [say("indicator"), say("figure"), say("unit_name"), say("before"), say("cases_number")], is_head=True)
    for one in made.indicators:
        is_few = one.cases < FEWEST
        _write(figures, [f"{one.code.upper()} {say(f'{one.code}.name')}", say("report.masked") if is_few and one.cases else _rounded(one.value), say(f"unit.{one.unit}"),
                         None if is_few else _rounded(one.before), say("report.masked") if is_few and one.cases else one.cases])  # fmt: skip
    for one in book.worksheets:
        one.sheet_view.rightToLeft = language == "ar"
        for column, width in enumerate((46, 16, 18, 16, 16), 1):
            one.column_dimensions[get_column_letter(column)].width = width
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def masked(counts: Sequence[int]) -> list[bool]:
    """Which cells of a table whose total is shown are not: those of one to four, and the next smallest until two are hidden that make five together, so that the total tells none."""
    hidden = [0 < one < FEWEST for one in counts]
    by_size = sorted((place for place, one in enumerate(counts) if one), key=lambda place: (counts[place], place))
    while any(hidden) and (sum(hidden) < 2 or sum(one for one, is_hidden in zip(counts, hidden, strict=True) if is_hidden) < FEWEST):
        more = next((place for place in by_size if not hidden[place]), None)
        if more is None:
            break
        hidden[more] = True
    return hidden


def _block(session: Session, actor: Any, edition: editions.Edition, code: str, given: Mapping[str, Any]) -> Block:
    ctes, rows_of, field, unit = BLOCKS[code]
    begin = f"WITH {', '.join(ctes)} " if ctes else ""
    found = sorted(session.execute(text(begin + rows_of), given).all(), key=lambda row: row.code)  # by size, the order would tell what is masked
    people = [row.persons for row in found]
    total = sum(people)
    hidden = masked(people) if total >= FEWEST else [bool(one) for one in people]
    rows = tuple(Row(row.code, _label(edition, field, row.code, actor.language), None if is_hidden else row.persons, None if is_hidden or row.amount is None else int(row.amount), is_hidden)
                 for row, is_hidden in zip(found, hidden, strict=True))  # fmt: skip
    amount = sum(int(row.amount or 0) for row in found) if unit and total >= FEWEST else None
    shown = sorted(rows, key=lambda row: (row.is_masked, -(row.persons or 0)))
    return Block(code, tuple(shown), total if total >= FEWEST or not total else None, amount, unit)


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


def _write(sheet: Any, cells: Sequence[Any], is_head: bool = False) -> None:
    sheet.append([spreadsheets.neutral(one) for one in cells] or [None])
    if is_head:
        for cell in sheet[sheet.max_row]:
            cell.font = Font(bold=True)


def _amount(block: Block, value: int | None) -> Any:
    return None if value is None else value / 1000 if block.unit == "money" else value


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
