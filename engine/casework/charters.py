"""Charters: those who come home on one flight, entered from one sheet. Each line is somebody who is awaited; what is not known of her is left unknown.

A sheet is lines as a spreadsheet pastes or saves them (tabs, `;` or `,` between columns). Lines that can be read are taken at once, the others come back as they
were typed with what is wrong in each; a line that was taken is not taken again when it is sent again.
"""

import csv
import hashlib
import hmac
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.casework import cases, editions, tasks, workbooks
from engine.dossier import beneficiaries

LARGEST, MOST_LINES = 200_000, 60
COLUMNS = ("nom", "prenom", "sexe", "naissance", "gouvernorat", "tel", "besoin")
HEAD = ("signalement.source", "signalement.source_nom", "signalement.source_tel", "signalement.consent_obtenu", "retour.date_prevue", "retour.type", "retour.pays",
        "retour.programme_depart", "retour.ref_externe", "signalement.vulnerable")  # fmt: skip
_LIST, _NEEDS = "signalement.personnes", "signalement.besoins_immediats"  # what each needs is said on her line
_OPTIONAL = frozenset({"tel"})
_UNKNOWN = frozenset({"", "?", "-", "—", "x", "inconnu", "inconnue", "unknown", "غير معروف", "غير معروفة", "مجهول"})
_SAID = {"sexe": {"h": "M", "m": "M", "homme": "M", "masculin": "M", "male": "M", "ذكر": "M", "رجل": "M", "f": "F", "femme": "F", "feminin": "F", "female": "F", "انثي": "F", "امراه": "F"}}
_HEADINGS = {
    "nom": ("nom", "nom de famille", "family name", "surname", "last name", "اللقب"), "prenom": ("prenom", "first name", "given name", "الاسم"),
    "sexe": ("sexe", "sex", "gender", "الجنس"), "naissance": ("naissance", "date de naissance", "ne le", "date of birth", "birth", "dob", "تاريخ الولاده", "الولاده"),
    "gouvernorat": ("gouvernorat", "governorate", "destination", "الولايه"), "tel": ("tel", "telephone", "phone", "mobile", "الهاتف"), "besoin": ("besoin", "besoins", "need", "needs", "الاحتياج"),
}  # fmt: skip
_KEY = uuid5(NAMESPACE_URL, "urn:masar:charters")  # under which lines are recognised: without it nothing is guessed from what is kept of them
_TAKE = text("""INSERT INTO charter_line (digest, instance_id) SELECT decode(d, 'hex'), :instance FROM unnest(CAST(:digests AS text[])) d
                ON CONFLICT DO NOTHING RETURNING encode(digest, 'hex')""")
_LEAVE = text("DELETE FROM charter_line WHERE instance_id = :instance AND encode(digest, 'hex') = ANY (CAST(:digests AS text[]))")


@dataclass(frozen=True)
class Line:
    """One line of a sheet: its number in it, as it was typed, its cells by column."""

    number: int
    typed: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Left:
    """A line that could not be taken: as it was typed, and what is wrong, `where` the column."""

    number: int
    typed: str
    findings: tuple[errors.Finding, ...]


@dataclass(frozen=True)
class Received:
    """What became of a sheet: how many were taken (under which signal), how many had been before, and the lines left, under the `heading` they were sent with."""

    case_id: UUID | None
    case_number: str
    taken: int
    before: int
    left: tuple[Left, ...]
    heading: str

    @property
    def rest(self) -> str:
        """What is still to be sent, as it was typed."""
        return "\n".join([self.heading, *(one.typed for one in self.left)] if self.heading and self.left else [one.typed for one in self.left])


def receive(session: Session, actor: Any, head: Mapping[str, Any], sheet: str, key: str) -> Received:
    """Takes a sheet up. `head`: what holds for all of them, by field id; `key`: the page's, by which lines without a name are told from those of another sheet.

    Refuses: Forbidden; `charter.empty`, `charter.too_large`, `charter.too_many`; `task.answers` (of the head, findings). Records: `case.opened`, `task.completed`, and for
    each line the same of her own signal.
    """
    authority.require(actor, "charter.enter")
    authority.require(actor, "case.open", branch=authority.HEADQUARTERS, process="signalement")
    heading, lines = read(sheet)
    digests = _digests(session, head, lines, key)
    begun = session.begin_nested()
    opened = cases.open_case(session, actor, "signalement", authority.HEADQUARTERS)
    if opened.task_id is None:
        raise errors.Forbidden("act.forbidden", act="task.complete")
    fresh = set(session.execute(_TAKE, {"instance": opened.case_id, "digests": digests}).scalars())
    new = [(line, digest) for line, digest in zip(lines, digests, strict=True) if digest in fresh]
    left, good = _take(session, actor, opened.task_id, head, new)
    if good:
        session.execute(_LEAVE, {"instance": opened.case_id, "digests": [digest for line, digest in new if any(line.number == one.number for one in left)]})
        begun.commit()
    else:
        begun.rollback()
    return Received(opened.case_id if good else None, opened.case_number if good else "", good, len(lines) - len(new), tuple(left), heading)


def of_file(content: bytes) -> str:
    """The lines of a file: text as a spreadsheet saves it, or a workbook's first sheet. Refuses: `charter.too_large`, `import.not_text`, and what `workbooks.as_csv` does."""
    if len(content) > LARGEST:
        raise errors.Invalid("charter.too_large", kilobytes=LARGEST // 1000)
    if content.startswith(workbooks.MAGIC):
        rows = csv.reader(io.StringIO(workbooks.as_csv(content).decode()), delimiter=";")
        return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in rows)
    if b"\0" in content:
        raise errors.Invalid("import.not_text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1256" if b"\xc7" in content else "cp1252", "replace")


def read(sheet: str) -> tuple[str, list[Line]]:
    """The heading of a sheet ("" where it has none, its columns are then in the order of `COLUMNS`) and its lines. Refuses: as `receive`."""
    if len(sheet) > LARGEST:
        raise errors.Invalid("charter.too_large", kilobytes=LARGEST // 1000)
    typed = [(number, line) for number, line in enumerate(sheet.removeprefix("\ufeff").splitlines(), 1) if line.strip(" \t;,\r\0")]
    if not typed:
        raise errors.Invalid("charter.empty")
    delimiter = max("\t;,", key=typed[0][1].count)
    columns, heading = COLUMNS, ""
    named = [_column(cell) for cell in _cells(typed[0][1], delimiter)]
    if "nom" in named and sum(one is not None for one in named) > 1:
        columns, heading, typed = tuple(one or "" for one in named), typed[0][1], typed[1:]
    if len(typed) > MOST_LINES:
        raise errors.Invalid("charter.too_many", most=MOST_LINES, number=len(typed))
    if not typed:
        raise errors.Invalid("charter.empty")
    return heading, [Line(number, line, {name: cell for name, cell in zip(columns, _cells(line, delimiter), strict=False) if name}) for number, line in typed]


def _take(session: Session, actor: Any, task_id: UUID, head: Mapping[str, Any], new: Sequence[tuple[Line, str]]) -> tuple[list[Left], int]:
    """Completes the signal with the lines that can be read; says which cannot, and how many were taken."""
    dictionary = editions.current(session).dictionary
    rows, left = [(line, _row(line, dictionary)) for line, _ in new], list[Left]()
    for is_last in (False, True):
        if not rows:
            break
        raw = {_NEEDS: {"status": "inconnu"}, **head, "signalement.liste": True, "signalement.nb_personnes": len(rows), _LIST: [row for _, row in rows]}
        try:
            tasks.complete(session, actor, task_id, raw, None)
            break
        except errors.Invalid as refusal:
            wrong = _of_lines(refusal)
            if is_last or not wrong:
                raise
            left = [Left(rows[place][0].number, rows[place][0].typed, those) for place, those in sorted(wrong.items())]
            rows = [row for place, row in enumerate(rows) if place not in wrong]
    return left, len(rows)


def _of_lines(refusal: errors.Invalid) -> dict[int, tuple[errors.Finding, ...]]:
    """The findings of a refusal by the place of the line; nothing where any is not of a line."""
    found: dict[int, tuple[errors.Finding, ...]] = {}
    for one in refusal.findings:
        where = one.where.split("/")
        if len(where) < 3 or where[1] != _LIST or not where[2].isdecimal():
            return {}
        told = errors.Finding(one.code, where[3].removeprefix("signale.") if len(where) > 3 else "", one.details, one.message)
        found[int(where[2])] = (*found.get(int(where[2]), ()), told)
    return found


def _row(line: Line, dictionary: Any) -> dict[str, Any]:
    """The cells as answers: what is not known is said to be, a choice by its words in any language is its code."""
    row: dict[str, Any] = {}
    for column in COLUMNS:
        written, field = line.cells.get(column, "").strip(), dictionary.fields[f"signale.{column}"]
        if beneficiaries.fold(written) in _UNKNOWN or written in _UNKNOWN:
            if column not in _OPTIONAL:
                row[field.id] = {"status": "inconnu"}
            continue
        row[field.id] = _code(field, column, written) if field.type in ("enum", "gov") else written
    return row


def _code(field: Any, column: str, written: str) -> str:
    said = beneficiaries.fold(written)
    if said in _SAID.get(column, {}):
        return _SAID[column][said]
    return next((code for code in field.codes if said in {beneficiaries.fold(code), *(beneficiaries.fold(field.choice_label(code, language)) for language in ("fr", "ar", "en"))}), written)


def _column(heading: str) -> str | None:
    said = beneficiaries.fold(heading)
    return next((name for name, known in _HEADINGS.items() if said in {beneficiaries.fold(one) for one in known}), None)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader(io.StringIO(line), delimiter=delimiter), [])]
    except csv.Error:
        return [cell.strip() for cell in line.split(delimiter)]


def _digests(session: Session, head: Mapping[str, Any], lines: Sequence[Line], key: str) -> list[str]:
    """What each line is recognised by on its flight, those that are alike counted apart; a line without a name is recognised on its own sheet alone."""
    secret, seen, found = session.info["keys"].key(_KEY), Counter[tuple[str, ...]](), []
    flight = "|".join(str(head.get(name)) for name in ("retour.date_prevue", "retour.type", "retour.pays"))
    for line in lines:
        said = tuple(beneficiaries.fold(line.cells.get(name, "")) for name in COLUMNS)
        is_named = said[0] not in _UNKNOWN or said[1] not in _UNKNOWN
        seen[said] += 1
        found.append(hmac.digest(secret, "\x1f".join((flight, "" if is_named else key, *said, str(seen[said]))).encode(), hashlib.sha256).hex())
    return found
