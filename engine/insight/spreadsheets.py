"""Tables for spreadsheets (CSV, RFC 4180): the worklist, the history of a case, figures. A cell that a spreadsheet would reckon with is text there too."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from engine import errors, i18n
from engine.actors import authority
from engine.casework import cases, diagrams, worklist
from engine.database import Database
from engine.insight import telling
from engine.ledger import consultations

TABLES = ("worklist", "history", "figures")
# What a spreadsheet takes for the beginning of a formula, also as wide letters, and what hides one (OWASP, CSV injection).
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
_MARK = "\ufeff"  # a spreadsheet reads UTF-8 where it stands
_PAGE = 200
_FIGURES = text("""
    SELECT branch, process, to_char(date_trunc('month', opened_at AT TIME ZONE 'Africa/Tunis'), 'YYYY-MM') AS month, count(*) AS opened,
           count(*) FILTER (WHERE status = 'ended') AS ended, count(*) FILTER (WHERE status = 'open') AS running,
           round(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - opened_at) / 86400)::numeric, 1) AS median_days
      FROM instance WHERE root_id = instance_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""")


def table(database: Database, actor: Any, name: str, case_id: UUID | None = None) -> Iterator[bytes]:
    """A table, written as it is read; of the history, that of one case. Refuses, before anything is written: Forbidden; `case.not_found`; `export.table`,
    `export.case` (Invalid). Records: `access.exported`."""
    if name not in TABLES:
        raise errors.wrong("export.table", "/table", table=name[:40])
    if (name == "history") != (case_id is not None):
        raise errors.wrong("export.case", "/case_id")
    with database.reading(actor) as session:
        authority.require(actor, "worklist.export" if name == "worklist" else "history.export", branch=actor.branch)
        if case_id is not None:
            cases.history(session, actor, case_id, limit=1)  # hers to read, or refused before the first byte
        consultations.exported(session, case_id or consultations.NOBODYS, f"export.{name}", {})

    def go() -> Iterator[bytes]:
        with database.reading(actor) as session:
            yield _MARK.encode()
            rows = {"worklist": _worklist, "history": _history, "figures": _figures}[name](session, actor, case_id)
            for row in rows:
                yield line(row)

    return go()


def line(cells: Sequence[Any]) -> bytes:
    """One row, each text that begins like a formula behind an apostrophe."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_MINIMAL).writerow([neutral(one) for one in cells])
    return written.getvalue().encode()


def neutral(cell: Any) -> Any:
    """A cell as a spreadsheet takes it for what it is: numbers stay numbers, a text never a formula."""
    if not isinstance(cell, str):
        return "" if cell is None else cell
    return f"'{cell}" if cell[:1] in _FORMULA or cell.lstrip()[:1] in _FORMULA else cell


def _head(actor: Any, *names: str) -> list[str]:
    return [i18n.translate(f"casefile.column.{name}", actor.language) for name in names]


def _worklist(session: Any, actor: Any, _case_id: UUID | None) -> Iterator[Sequence[Any]]:
    yield _head(actor, "case", "task", "agency", "branch", "role", "holder", "opened", "due", "late", "stage")
    cursor = ""
    while True:
        page = worklist.desk(session, actor, "all", limit=_PAGE, cursor=cursor)
        for one in page.items:
            yield [one.case_number, one.name, one.agency, one.branch, one.role, one.holder, _at(one.opened_at), _at(one.due_at), int(one.is_late), one.stage]
        cursor = page.next
        if not cursor:
            return


def _history(session: Any, actor: Any, case_id: UUID | None) -> Iterator[Sequence[Any]]:
    yield _head(actor, "at", "event", "by", "agency", "reason", "part", "line")
    edition = diagrams.edition_of(session, actor, case_id)
    names, cursor = diagrams.labels_since(session, case_id, edition, actor.language), ""
    while True:
        page = cases.history(session, actor, case_id, cursor, _PAGE)
        for one in page.items:
            who = "" if one.actor == "system" else one.actor
            said = telling.sentence(telling.words(actor.language), one.kind, one.body, who, one.agency, names)
            yield [_at(one.occurred_at), said, who, one.agency, one.reason, str(one.instance_id), one.seq]
        cursor = page.next
        if not cursor:
            return


def _figures(session: Any, actor: Any, _case_id: UUID | None) -> Iterator[Sequence[Any]]:
    """How many cases were opened each month, by branch and process: counts alone, which stand when a person is erased."""
    yield _head(actor, "branch", "process", "month", "opened_number", "ended_number", "running_number", "median_days")
    for row in session.execute(_FIGURES):
        yield [row.branch, row.process, row.month, row.opened, row.ended, row.running, row.median_days]


def _at(at: Any) -> str:
    return at.isoformat(timespec="seconds") if at else ""
