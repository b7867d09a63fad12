"""Administration by file: accounts, branches, holidays, parameters and programmes from CSV as a spreadsheet writes it, or its workbook; tried first, then all of it or nothing.

A file of text is UTF-8 (with or without mark), its columns parted by `;`, `,` or tabs, its first line their names. The trial runs the very acts and takes them back, so
that it reports, line by line, what those acts would refuse.
"""

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlmodel import Session

from engine import errors
from engine.actors import accounts, authority, branches
from engine.casework import workbooks
from engine.dossier import catalogues, holidays

LARGEST, MOST_LINES, MOST_ACCOUNTS, MOST_COLUMNS = 500_000, 2_000, 200, 40
_YES, _NO = frozenset("oui yes true vrai 1 نعم".split()), frozenset("non no false faux 0 لا".split())
_LIST = re.compile(r"[\s|,;+]+")
_FAR = dt.date(9000, 1, 1)  # stands for a day that cannot be read: no other is after it
_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
# Kind → its columns; those marked with ? may be left out.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "users": ("identifiant", "nom", "nom_ar?", "agence", "antenne", "roles", "langue?"),
    "branches": ("code", "ouverte_le", "nom_fr", "nom_ar", "nom_en", "gouvernorats?", "agences"),
    "holidays": ("jour", "nom_fr", "nom_ar", "nom_en", "estimation?"),
    "parameters": ("code", "valable_du", "valeur", "source", "infere?"),
    "programmes": ("code", "valable_du", "nom_fr", "nom_ar", "nom_en", "source", "infere?", "fonds?", *(f"{name.removesuffix('_millimes')}?" for name in catalogues.COLUMNS),
                   "niveau?", *(f"{name.removesuffix('_millimes')}?" for name in catalogues.LEVEL_COLUMNS)),
}  # fmt: skip
EXAMPLES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "users": (("imen.saidi", "Imen Saïdi", "إيمان السعيدي", "OTE", "MED", "referent", "ar"),),
    "branches": (("GAF", "01/03/2035", "Gafsa", "قفصة", "Gafsa", "TN-71 TN-73", "OTE CPS ANETI PART"),),
    "holidays": (("19/03/2035", "Pont de l'Indépendance", "عطلة عيد الاستقلال", "Independence bridge day", "non"),),
    "parameters": (("quorum_minimum", "01/01/2035", "4", "Note du 3 novembre 2026", "non"),),
    "programmes": (
        ("NOUVEAU-2035", "01/01/2035", "Nouveau programme", "برنامج جديد", "New programme", "Convention du 3 novembre 2026", "non", "250000", "FR BE", "", "", "6", "depot",
         "oui", "oui", "non", "", "", "8000", "60", "15", "15", "N2", "15000", "", "", "", "", "", ""),
        ("NOUVEAU-2035", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "N3", "", "6000", "", "12", "oui", "", ""),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of a file, by its number in it, as column → text."""

    number: int
    cells: Mapping[str, str]
    wrong: list[errors.Finding] = field(default_factory=list)

    def read(self, reader: Callable[[], Any], instead: Any) -> Any:
        """What a cell says; one that cannot be read is noted, and something else stands for it while the rest of the line is tried."""
        try:
            return reader()
        except errors.Invalid as refusal:
            self.wrong.extend(errors.faults(refusal))
            return instead

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Report:
    """What a file did, or would: how many things; what is wrong, each `where` `ligne <n>` and the column; the passwords of accounts made (said once) by user name;
    how many proposals wait for a second person."""

    kind: str
    count: int
    findings: tuple[errors.Finding, ...]
    is_done: bool = False
    passwords: tuple[tuple[str, str], ...] = ()
    proposals: int = 0


def template(kind: str) -> str:
    """A file of this kind with its columns and an example, as a spreadsheet opens it: `;` between columns, marked as UTF-8."""
    written = io.StringIO()
    rows = csv.writer(written, delimiter=";", lineterminator="\r\n")
    rows.writerow([name.removesuffix("?") for name in COLUMNS[_known(kind)]])
    rows.writerows(EXAMPLES[kind])
    return "\ufeff" + written.getvalue()


def run(session: Session, actor: Any, kind: str, content: bytes, reason: str, *, is_trial: bool, is_known: bool = False) -> Report:
    """Takes a file up. With `is_trial`, or where anything is wrong, nothing of it stays. `is_known`: whoever does it has read the warnings that a trial gave.

    Refuses: Forbidden, `import.kind`, `admin.reason`, and what `read` does. Records: what each act does.
    """
    authority.require(actor, "account.write" if kind == "users" else "dated.write")
    reason = accounts.given_reason(reason)
    lines = read(kind, content)
    whole = session.begin_nested()
    found: list[errors.Finding] = []
    given: list[tuple[str, Any]] = []
    done = 0
    for group, act in _ACTS[kind](session, actor, lines, reason, is_trial, is_known):
        one = session.begin_nested()
        try:
            given.append((group[0]["identifiant"], act()))
        except errors.Refusal as refusal:
            group[0].wrong.extend(errors.faults(refusal))
        wrong = [replace(fault, where=str(line.number)) for line in group for fault in line.wrong]
        one.rollback() if wrong else one.commit()
        done += 1
        found += wrong
    if is_trial or found:
        whole.rollback()
        return Report(kind, 0 if any(one.severity == "error" for one in found) else done, tuple(found))
    whole.commit()
    made = [one for _, one in given if isinstance(one, accounts.Given)]
    passwords = tuple((name, one.password) for name, one in given if isinstance(one, accounts.Given))
    return Report(kind, len(given), (), True, passwords, sum(one.proposal_id is not None for one in made))


def plain(content: bytes) -> bytes:
    """A file as text: a workbook's first sheet, anything else as it is. Refuses: `import.too_large`, and what `workbooks.as_csv` does."""
    found = content if len(content) > LARGEST or not content.startswith(workbooks.MAGIC) else workbooks.as_csv(content)
    if len(found) > LARGEST:
        raise errors.Invalid("import.too_large", kilobytes=LARGEST // 1000)
    return found


def read(kind: str, content: bytes) -> list[Line]:
    """The lines of a file that say something. Refuses: `import.not_text`, `import.columns` (naming them), `import.empty`, `import.too_many`, and what `plain` does."""
    content = plain(content)
    try:
        written = content.decode("utf-8-sig")
    except UnicodeDecodeError as trouble:
        raise errors.Invalid("import.not_text") from trouble
    if "\0" in written:
        raise errors.Invalid("import.not_text")
    head = written.lstrip("\r\n").partition("\n")[0]
    delimiter = max(";,\t", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(written), delimiter=delimiter, strict=True))
    except csv.Error as trouble:
        raise errors.Invalid("import.not_text") from trouble
    names, lines = [], []
    for number, row in enumerate(rows, 1):
        cells = [" ".join(cell.split()) for cell in row]
        if not any(cells):
            continue
        if not names:
            names = _header(kind, cells)
        elif len(cells) > len(names) and any(cells[len(names):]):
            raise errors.Invalid("import.columns", [errors.Finding("import.cells", f"{number}", {"line": number})])
        else:
            lines.append(Line(number, dict(zip(names, cells, strict=False))))
    if not lines:
        raise errors.Invalid("import.empty")
    most = MOST_ACCOUNTS if kind == "users" else MOST_LINES
    if len(lines) > most:
        raise errors.Invalid("import.too_many", most=most)
    return lines


def _header(kind: str, cells: Sequence[str]) -> list[str]:
    names = [re.sub(r"[\s-]+", "_", cell.casefold()) for cell in cells]
    known = {name.removesuffix("?"): not name.endswith("?") for name in COLUMNS[_known(kind)]}
    missing = [name for name, is_needed in known.items() if is_needed and name not in names]
    unknown = [name for name in names if name not in known]
    twice = sorted({name for name in names if names.count(name) > 1} - set(unknown))
    kinds = (("missing", missing), ("unknown", unknown), ("twice", twice))
    if missing or unknown or twice:
        raise errors.Invalid("import.columns", [errors.Finding(f"import.columns_{kind}", "", {"names": ", ".join(some)}) for kind, some in kinds if some])
    return names


def _known(kind: str) -> str:
    if kind not in COLUMNS:
        raise errors.NotFound("import.kind")
    return kind


Acts = Iterable[tuple[Sequence[Line], Callable[[], Any]]]


def _users(session: Session, actor: Any, lines: Sequence[Line], reason: str, is_trial: bool, _is_known: bool) -> Acts:
    def make(line: Line) -> Any:
        return accounts.create(session, actor, line["identifiant"], line["nom"], line["agence"].upper(), line["antenne"].upper(), _several(line["roles"]), reason,
                               name_ar=line["nom_ar"], language=line["langue"].lower() or "fr", is_trial=is_trial)  # fmt: skip

    return [([line], lambda line=line: make(line)) for line in lines]


def _branches(session: Session, actor: Any, lines: Sequence[Line], reason: str, _is_trial: bool, _is_known: bool) -> Acts:
    def make(line: Line) -> Any:
        codes = [one.upper() for one in _several(line["gouvernorats"])]
        agencies = [one.upper() for one in _several(line["agences"])]
        return branches.open_branch(session, actor, line["code"], _names(line), _date(line, "ouverte_le"), codes, agencies, reason)

    return [([line], lambda line=line: make(line)) for line in lines]


def _holidays(session: Session, actor: Any, lines: Sequence[Line], reason: str, _is_trial: bool, _is_known: bool) -> Acts:
    def make(line: Line) -> Any:
        return holidays.set_holiday(session, actor, _date(line, "jour"), _names(line), bool(_flag(line, "estimation")), reason)

    return [([line], lambda line=line: make(line)) for line in lines]


def _parameters(session: Session, actor: Any, lines: Sequence[Line], reason: str, _is_trial: bool, _is_known: bool) -> Acts:
    def make(line: Line) -> Any:
        return catalogues.set_parameter(session, actor, line["code"], _date(line, "valable_du"), _value(line), line["source"],
                                        bool(_flag(line, "infere")), reason)  # fmt: skip

    return [([line], lambda line=line: make(line)) for line in lines]


def _programmes(session: Session, actor: Any, lines: Sequence[Line], reason: str, _is_trial: bool, is_known: bool) -> Acts:
    """A programme is a line, and a line more for each further level: its code again, the level's columns, the others left empty."""
    groups: list[list[Line]] = []
    for line in lines:
        if groups and line["code"] == groups[-1][0]["code"] and not line["valable_du"]:
            groups[-1].append(line)
        else:
            groups.append([line])

    def make(group: Sequence[Line]) -> Any:
        head = group[0]
        content: dict[str, Any] = {"label": _names(head)} | _columns(head, catalogues.COLUMNS)
        content["niveaux"] = [{"niveau": line["niveau"].upper()} | _columns(line, catalogues.LEVEL_COLUMNS) for line in group if line["niveau"]]
        fund = _amount(head, "fonds") if head["fonds"] else 0
        return catalogues.add_programme(session, actor, head["code"], _date(head, "valable_du"), content, head["source"], bool(_flag(head, "infere")), reason, fund, is_known=is_known)

    return [(group, lambda group=group: make(group)) for group in groups]


_ACTS: Mapping[str, Callable[..., Acts]] = {"users": _users, "branches": _branches, "holidays": _holidays, "parameters": _parameters, "programmes": _programmes}


def _columns(line: Line, kinds: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, kind in kinds.items():
        column = name.removesuffix("_millimes")
        if not line[column]:
            continue
        if kind == "flag":
            said[name] = _flag(line, column)
        elif kind == "money":
            said[name] = _amount(line, column)
        elif kind in ("number", "class"):
            said[name] = int(line[column]) if line[column].isdecimal() else line[column]
        else:
            said[name] = _several(line[column]) if kind != "date_counted" else line[column]
    return said


def value_of(written: str, is_money: bool) -> Any:
    """A parameter's value as one types it: a number (an amount in dinars where it is money), else JSON, else text."""
    if is_money:
        return amount(written)
    plain = _plain_number(written)
    if plain is not None:
        return int(plain) if plain == plain.to_integral_value() else float(plain)
    try:
        return json.loads(written)
    except ValueError:
        return written


def amount(written: str) -> int:
    """Dinars as one types them (`15 000`, `1 250,500`) in millimes. Refuses: `import.amount`."""
    plain = _plain_number(written)
    if plain is None or plain * 1000 != (plain * 1000).to_integral_value():
        raise errors.wrong("import.amount", "", written=written[:40])
    return int(plain * 1000)


def _plain_number(written: str) -> Decimal | None:
    text = re.sub("[\\s\u00a0\u202f]", "", written).replace(",", ".")
    try:
        return Decimal(text) if re.fullmatch(r"-?\d{1,15}(\.\d{1,6})?", text) else None
    except InvalidOperation:
        return None


def _several(written: str) -> list[str]:
    return [one for one in _LIST.split(written) if one]


def _names(line: Line) -> dict[str, str]:
    return {language: line[f"nom_{language}"] for language in ("fr", "ar", "en")}


def _date(line: Line, column: str) -> dt.date:
    return line.read(lambda: day(line[column], column), _FAR)


def _amount(line: Line, column: str) -> int:
    return line.read(lambda: amount(line[column]), 0)


def _value(line: Line) -> Any:
    return line.read(lambda: value_of(line["valeur"], line["code"].endswith("_millimes")), 0)


def day(written: str, where: str = "") -> dt.date:
    """A day as one types it: `31/12/2026`, or `2026-12-31`. Refuses: `import.day`."""
    found = _DAY.fullmatch(written.strip())
    try:
        return dt.date(int(found[3]), int(found[2]), int(found[1])) if found else dt.date.fromisoformat(written.strip())
    except ValueError as trouble:
        raise errors.wrong("import.day", where, written=written[:40]) from trouble


def _flag(line: Line, column: str) -> bool:
    return line.read(lambda: _yes(line[column], column), False)


def _yes(written: str, column: str) -> bool:
    if written and written.casefold() not in _YES | _NO:
        raise errors.wrong("import.flag", column, written=written[:40])
    return written.casefold() in _YES
