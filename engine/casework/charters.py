"""Charters: those who come home on one flight, entered from one sheet. Each line is somebody who is awaited; what is not known of her is left unknown.

A sheet is lines as a spreadsheet pastes or saves them (tabs, `;` or `,` between columns). Lines that can be read are taken at once, the others come back as they
were typed with what is wrong in each; a line that was taken is not taken again when it is sent again. Whom a list names already comes back too, whatever else is said of her
by now: a human says whether it is somebody else.
"""

import csv
import hashlib
import hmac
import io
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import text
from sqlmodel import Session

from engine import errors, identity
from engine.actors import authority
from engine.casework import cases, editions, tasks, workbooks
from engine.database import Alone
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
_KNOWN = text("""SELECT encode(l.digest, 'hex') AS digest, encode(l.who, 'hex') AS who, l.entered_at, i.number FROM charter_line l JOIN instance i USING (instance_id)
                  WHERE l.digest IN (SELECT decode(d, 'hex') FROM unnest(CAST(:digests AS text[])) d) OR l.who IN (SELECT decode(d, 'hex') FROM unnest(CAST(:whos AS text[])) d) ORDER BY l.entered_at""")
_TAKE = text("""INSERT INTO charter_line (digest, who, instance_id) SELECT decode(d, 'hex'), decode(w, 'hex'), :instance FROM unnest(CAST(:digests AS text[]), CAST(:whos AS text[])) AS one(d, w)
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
    """A line that was not taken: as it was typed, and what is wrong, `where` the column. `apart`: what, sent with it, says that she is somebody else than who bears her name on a
    list ("" where nobody does); `is_apart`: it was said."""

    number: int
    typed: str
    findings: tuple[errors.Finding, ...]
    apart: str = ""
    is_apart: bool = False


@dataclass(frozen=True)
class _Known:
    """What a line is recognised by: `digest` on its flight, `who` whatever her flight; `apart` what was said of it."""

    line: Line
    digest: str
    who: str
    apart: str


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


def receive(session: Session, actor: Any, head: Mapping[str, Any], sheet: str, key: str, apart: Collection[str] = ()) -> Received:
    """Takes a sheet up. `head`: what holds for all of them, by field id; `key`: the page's, by which lines without a name are told from those of another sheet; `apart`: of the
    lines that came back, those that are somebody else's (`Left.apart`).

    Refuses: Forbidden; `charter.empty`, `charter.too_large`, `charter.too_many`; `task.answers` (of the head, findings). Records: `case.opened`, `task.completed`, and for
    each line the same of her own signal.
    """
    authority.require(actor, "charter.enter")
    authority.require(actor, "case.open", branch=authority.HEADQUARTERS, process="signalement")
    heading, lines = read(sheet)
    Alone.CHARTERS.take(session)  # who is on a list is looked up, then written
    known = _recognised(session, head, lines, key, apart)
    doubles = _doubles(session, known)
    begun = session.begin_nested()
    opened = cases.open_case(session, actor, "signalement", authority.HEADQUARTERS)
    if opened.task_id is None:
        raise errors.Forbidden("act.forbidden", act="task.complete")
    tried = [one for one in known if one.line.number not in doubles]
    fresh = set(session.execute(_TAKE, {"instance": opened.case_id, "digests": [one.digest for one in tried], "whos": [one.who for one in tried]}).scalars())
    new = [one for one in tried if one.digest in fresh]
    wrong, good = _take(session, actor, opened.task_id, head, [one.line for one in new])
    if good:
        session.execute(_LEAVE, {"instance": opened.case_id, "digests": [one.digest for one in new if one.line.number in wrong]})
        begun.commit()
    else:
        begun.rollback()
    left = _left([one for one in known if one.line.number in doubles or one.line.number in wrong], doubles, wrong, 2 if heading else 1)
    return Received(opened.case_id if good else None, opened.case_number if good else "", good, len(tried) - len(new), left, heading)


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


def _take(session: Session, actor: Any, task_id: UUID, head: Mapping[str, Any], new: Sequence[Line]) -> tuple[dict[int, tuple[errors.Finding, ...]], int]:
    """Completes the signal with the lines that can be read; says by number what is wrong in the others, and how many were taken."""
    dictionary = editions.current(session).dictionary
    rows, left = [(line, _row(line, dictionary)) for line in new], dict[int, tuple[errors.Finding, ...]]()
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
            left = {rows[place][0].number: those for place, those in sorted(wrong.items())}
            rows = [row for place, row in enumerate(rows) if place not in wrong]
    return left, len(rows)


def _doubles(session: Session, known: Sequence[_Known]) -> dict[int, errors.Finding]:
    """The lines that name somebody who is on a list already, or on a line above, by number; not those that were sent before as they are, nor those said to be somebody else's."""
    kept = session.execute(_KNOWN, {"digests": [one.digest for one in known], "whos": [one.who for one in known]}).all()
    digests, on_lists, above, found = {row.digest for row in kept}, {row.who: row for row in kept}, dict[str, int](), dict[int, errors.Finding]()
    for one in known:
        if one.digest not in digests and not one.apart:
            if one.who in above:
                found[one.line.number] = errors.Finding("charter.twice", "", {"line": above[one.who]})
            elif one.who in on_lists:
                row = on_lists[one.who]
                found[one.line.number] = errors.Finding("charter.elsewhere", "", {"at": row.entered_at, "number": row.number})
        above.setdefault(one.who, one.line.number)
    return found


def _left(those: Sequence[_Known], doubles: Mapping[int, errors.Finding], wrong: Mapping[int, tuple[errors.Finding, ...]], first: int) -> tuple[Left, ...]:
    """The lines left. What says that one is somebody else's holds for the place it then has and, whenever it is sent, for one more person."""
    found = []
    for place, one in enumerate(those, first):
        number, is_named = one.line.number, bool(one.apart) or one.line.number in doubles
        found.append(Left(number, one.line.typed, (doubles[number],) if number in doubles else wrong[number], f"{place}.{one.who}.{identity.new_id().hex}" if is_named else "", bool(one.apart)))
    return tuple(found)


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


def _recognised(session: Session, head: Mapping[str, Any], lines: Sequence[Line], key: str, apart: Collection[str]) -> list[_Known]:
    """What each line is recognised by: of a whole name, who bears it; else all that is said, those that are alike counted apart; without any name, on its own sheet alone."""
    secret, seen, found = session.info["keys"].key(_KEY), Counter[tuple[str, ...]](), []
    flight = "|".join(str(head.get(name)) for name in ("retour.date_prevue", "retour.type", "retour.pays"))

    def digest(*what: str) -> str:
        return hmac.digest(secret, "\x1f".join(what).encode(), hashlib.sha256).hex()

    for line in lines:
        said = tuple(beneficiaries.fold(line.cells.get(name, "")) for name in COLUMNS)
        names = [name for name in said[:2] if name not in _UNKNOWN]
        seen[said] += 1
        mine = ("" if names else key, *said, str(seen[said]))
        who = digest("who", *sorted(" ".join(names).split())) if len(names) == 2 else digest("line", *mine)
        told = next((one for one in apart if one.startswith(f"{line.number}.{who}.")), "")
        found.append(_Known(line, digest(flight, *mine, *filter(None, [told])), who, told))
    return found
