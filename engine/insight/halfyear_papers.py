"""The report of a half-year as what leaves Masar: a workbook, and a paper in French and Arabic. Both say what `halfyear.report` says, no more."""

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from sqlmodel import Session

from engine import clock
from engine.i18n import translate
from engine.insight import equity, halfyear, spreadsheets
from engine.insight.halfyear import Block, Report, Row
from engine.insight.steering import Indicator
from engine.ledger import consultations
from forms import text as words
from forms.letter import BOTH, isolated

_OF_GROUP = ("decided", "granted", "share", "days", "look")


def sheet(session: Session, actor: Any, year: int, half: int) -> bytes:
    """The report as a workbook: a sheet of tables, one of indicators; no text of it begins a formula. Refuses: as `report`. Records: `access.exported`."""
    made, language = halfyear.report(session, actor, year, half), actor.language
    consultations.exported(session, consultations.NOBODYS, "export.halfyear", {"year": year, "half": half})
    say = partial(_say, language)
    book = Workbook()
    tables = book.active
    tables.title = say("report.tables")[:31]
    _write(tables, [_title(made, language)], is_head=True)
    _write(tables, [say("report.masked_how")])
    tables.merge_cells("A2:C2")
    tables["A2"].alignment, tables.row_dimensions[2].height = Alignment(wrap_text=True, vertical="top"), 80
    for block in made.blocks:
        _write(tables, [])
        _write(tables, [say(f"report.block.{block.code}"), say("report.persons"), *([say(f"report.{block.unit}")] if block.unit else [])], is_head=True)
        for row in _lines(block, language):
            _write(tables, [row.label, *((say("report.masked"),) * (2 if block.unit else 1) if row.is_masked else (row.persons, *([_amount(block, row.amount)] if block.unit else [])))])
    figures = book.create_sheet(say("indicators")[:31])
    _write(figures, [say("indicator"), say("figure"), say("unit_name"), say("before"), say("target"), say("cases_number")], is_head=True)
    for one in made.indicators:
        _write(figures, [f"{one.code.upper()} {say(f'{one.code}.name')}", say("report.masked") if one.is_masked else _rounded(one.value), say(f"unit.{one.unit}"),
                         _rounded(one.before), _rounded(one.target), say("report.masked") if one.is_masked else one.cases])  # fmt: skip
    decisions = book.create_sheet(say("equity.title")[:31])
    for check in made.equity:
        _write(decisions, [say(f"equity.by.{check.by}"), *(say(f"equity.{one}") for one in _OF_GROUP)], is_head=True)
        for part in check.parts:
            _write(decisions, [part.label, *((say("report.masked"),) * 4 if part.decided is None else (part.decided, part.granted, _rounded(part.share), _rounded(part.days))), _alerts(part, language)])
        _write(decisions, [])
    for one in book.worksheets:
        one.sheet_view.rightToLeft = language == "ar"
        for column, width in enumerate((46, 16, 18, 16, 16, 16), 1):
            one.column_dimensions[get_column_letter(column)].width = width
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def paper(session: Session, actor: Any, year: int, half: int) -> tuple[dict[str, Any], dt.datetime]:
    """The report as the sheet of letters takes it, in French (`fr`) and Arabic (`ar`), and when it was made. Refuses: as `report`. Records: `access.exported`."""
    sides = {language: halfyear.report(session, replace(actor, language=language), year, half) for language in BOTH}
    consultations.exported(session, consultations.NOBODYS, "export.halfyear", {"year": year, "half": half})
    return {language: _side(made, language) for language, made in sides.items()}, sides["fr"].made_at


def _side(made: Report, language: str) -> dict[str, Any]:
    say = partial(_say, language)
    blocks: list[dict[str, Any]] = [{"kind": "paragraph", "text": say(f"report.{code}", first=_day(made.first, language), last=_day(made.last - dt.timedelta(days=1), language))} for code in ("of", "masked_how")]
    for block in made.blocks:
        head = [say("report.line"), say("report.persons"), *([say(f"report.{block.unit}")] if block.unit else [])]
        rows = [[isolated(row.label), *_cells(block, row, language)] for row in _lines(block, language)]
        blocks += [{"kind": "heading", "text": say(f"report.block.{block.code}")}, {"kind": "table", "head": head, "rows": rows} if block.rows else {"kind": "paragraph", "text": say("nothing")}]
    blocks += [{"kind": "heading", "text": say("indicators")}, {"kind": "table", "head": [say(one) for one in ("indicator", "figure", "before", "target", "cases_number")],
                                                              "rows": [_figures(one, language) for one in made.indicators]},
               *_equity(made, language),
               {"kind": "heading", "text": say("report.not_title")}, {"kind": "paragraph", "text": say("report.not")}]  # fmt: skip
    return {
        "sender": [say("report.sender")], "addressee": [], "title": _title(made, language), "object": "", "signatures": [], "blocks": blocks,
        "words": {"date": say("report.made", day=_day(made.made_at, language)), "reference": isolated(f"{made.year}-{made.half}"), "addressee": "", "object": "", "check": say("report.check"), "check_how": say("report.check_how"), "page": say("report.page")},
    }  # fmt: skip


def _equity(made: Report, language: str) -> list[dict[str, Any]]:
    say = partial(_say, language)
    if not made.equity:
        return []
    found: list[dict[str, Any]] = [{"kind": "heading", "text": say("equity.title")}, *({"kind": "paragraph", "text": say(f"equity.{code}", enough=words.number(equity.ENOUGH, language))} for code in ("what", "not"))]
    for check in made.equity:
        rows = [[isolated(part.label), *([say("report.masked")] * 4 if part.decided is None else _group(part, language)), _alerts(part, language)] for part in check.parts]
        head = [say("equity.group"), *(say(f"equity.{one}") for one in _OF_GROUP)]
        found += [{"kind": "heading", "text": say(f"equity.by.{check.by}")}, {"kind": "table", "head": head, "rows": rows} if rows else {"kind": "paragraph", "text": say("nothing")}]
    return found


def _group(part: equity.Part, language: str) -> list[str]:
    share, days = (isolated(_say(language, f"in.{unit}", number=words.number(round(value, 1), language).removesuffix(",0"))) if value is not None else "" for unit, value in (("percent", part.share), ("days", part.days)))
    return [isolated(words.number(part.decided, language)), isolated(words.number(part.granted, language)), share, days]


def _alerts(part: equity.Part, language: str) -> str:
    return " · ".join(_say(language, f"equity.alert.{one}") for one in part.alerts)


def _cells(block: Block, row: Row, language: str) -> list[str]:
    if row.is_masked:
        return [_say(language, "report.masked")] * (2 if block.unit else 1)
    amount = "" if row.amount is None else words.money(row.amount, language) if block.unit == "money" else words.number(row.amount, language)
    return [isolated(words.number(row.persons, language)), *([isolated(amount)] if block.unit else [])]


def _figures(one: Indicator, language: str) -> list[str]:
    name = f"{isolated(one.code.upper())} {_say(language, f'{one.code}.name')}"
    target = _figure(one, one.target, language)
    if one.is_masked:
        return [name, _say(language, "report.masked"), "", target, _say(language, "report.masked")]
    return [name, _figure(one, one.value, language) or _say(language, "nothing"), _figure(one, one.before, language), target, isolated(words.number(one.cases, language))]


def _figure(one: Indicator, value: float | None, language: str) -> str:
    if value is None:
        return ""
    return isolated(_say(language, f"in.{one.unit}", number=words.number(round(value, 1), language).removesuffix(",0")))


def _lines(block: Block, language: str) -> tuple[Row, ...]:
    """The rows with their total."""
    return (*block.rows, Row("total", _say(language, "report.total"), block.total, block.amount, block.total is None)) if block.rows else ()


def _title(made: Report, language: str) -> str:
    return _say(language, "report.title", year=made.year, half=_say(language, f"report.half_{made.half}"))


def _say(language: str, code: str, **details: Any) -> str:
    return translate(f"web.steering.{code}", language, **details)


def _day(at: dt.datetime, language: str) -> str:
    return words.day(clock.today(at), language)


def _write(sheet: Any, cells: Sequence[Any], is_head: bool = False) -> None:
    sheet.append([spreadsheets.neutral(one) for one in cells] or [None])
    if is_head:
        for cell in sheet[sheet.max_row]:
            cell.font = Font(bold=True)


def _amount(block: Block, value: int | None) -> Any:
    return None if value is None else value / 1000 if block.unit == "money" else value


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
