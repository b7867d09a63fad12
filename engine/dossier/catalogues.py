"""Programmes, their funds and parameters as administrators change them: a version more from a day on, never another past. Closed days are `holidays`'.

A dossier keeps the version of the day it was asked; a deadline that was given stays given. What no public text fixes stays marked as inferred until a source is named.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, i18n, identity
from engine.actors import accounts, authority
from engine.actors.branches import GOVERNORATES, not_before_tomorrow
from engine.database import Alone
from engine.dossier import holidays, programmes
from engine.ledger import journal
from forms import places

LONGEST_SOURCE, LARGEST = 1000, 10**13  # millimes: ten thousand million dinars
RETURN_TYPES = ("volontaire_assiste", "volontaire_autonome", "oqtf_execute", "force_charter", "force_individuel", "readmission_transit")
LEVELS = ("N1", "N2", "N3", "PAP", "PRP")
# What a programme's version says, and of what kind; absent means: no such rule.
COLUMNS = {
    "pays": "countries", "types_retour": "return_types", "gouvernorats": "governorates", "delai_mois": "number", "date_comptee": "date_counted", "une_fois": "flag",
    "fonds_requis": "flag", "bailleur_siege": "flag", "consentement_c2": "flag", "reference_externe": "flag", "seuil_consultation_millimes": "money",
    # Limits that a programme owns: a column with the name of a parameter stands in its place (`DatedTables.scope`).
    "delai_reserves_jours": "number", "delai_contrat_jours": "number", "delai_recours_jours": "number",
}  # fmt: skip
LEVEL_COLUMNS = {
    "plafond_millimes": "money", "plafond_eur": "number", "par_membre_eur": "number", "suivi_mois": "number", "projet_viable": "flag", "classe_min": "class",
    "dossier_aide": "flag",
}  # fmt: skip
OPEN_MAPS = frozenset({"adresses_antennes"})  # a branch more has a key more
_CODE = re.compile(r"[A-Z][A-Z0-9-]{1,39}")
_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "countries": lambda value: _listed(value, places.countries()),
    "return_types": lambda value: _listed(value, RETURN_TYPES),
    "governorates": lambda value: _listed(value, GOVERNORATES),
    "number": lambda value: _whole(value, 1_000_000),
    "money": lambda value: _whole(value, LARGEST),
    "class": lambda value: _whole(value, 4) and value > 0,
    "flag": lambda value: isinstance(value, bool),
    "date_counted": lambda value: value in ("depot", "validation"),
}
# Values of one parameter that must agree among themselves.
_AGREE: Mapping[str, Callable[[Any], bool]] = {
    "tranches": lambda value: all(sum(shares) == 100 for shares in value.values()),
    "poids_projet": lambda value: sum(value.values()) == 100,
    "seuils_projet": lambda value: value["refus"] < value["reserve"] < value["accord"],
    "seuil_vulnerabilite": lambda value: value["moyenne"] < value["haute"],
    "seuil_durabilite": lambda value: value["faible"] < value["forte"],
    "seance_unique": lambda value: all(_is_period(one) for one in value),
}

_PROGRAMMES = text("""SELECT p.*, f.available_millimes, f.engaged_millimes, f.paid_millimes FROM programme p LEFT JOIN fund f ON f.programme = p.code
                       WHERE :code = '' OR p.code = :code ORDER BY p.code, p.version""")
_ADD_PROGRAMME = text("INSERT INTO programme VALUES (:code, :version, :first, NULL, CAST(:content AS jsonb), :source, :inferred)")
_BOUND_PROGRAMME = text("UPDATE programme SET valid_to = :last WHERE code = :code AND version = :version")
_DROP_PROGRAMME = text("DELETE FROM programme WHERE code = :code AND version = :version")
# A programme that was taken back before it began has left its fund, untouched.
_ADD_FUND = text("INSERT INTO fund (programme, available_millimes) VALUES (:code, :amount) ON CONFLICT (programme) DO UPDATE SET available_millimes = excluded.available_millimes")
_CHANGE_FUND = text("UPDATE fund SET available_millimes = available_millimes + :amount WHERE programme = :code AND available_millimes + :amount >= 0 RETURNING available_millimes")
_CALL = text("SELECT masar_call_first(:code, :message)")
_PARAMETERS = text("SELECT * FROM parameter WHERE :code = '' OR code = :code ORDER BY code, valid_from")
_ADD_PARAMETER = text("INSERT INTO parameter VALUES (:code, :first, NULL, CAST(:value AS jsonb), CAST(:labels AS jsonb), :source, :inferred)")
_BOUND_PARAMETER = text("UPDATE parameter SET valid_to = :last WHERE code = :code AND valid_from = :first")
_DROP_PARAMETER = text("DELETE FROM parameter WHERE code = :code AND valid_from = :first")


@dataclass(frozen=True)
class Version:
    """A programme or a parameter over some days. `value`: a programme's content (money in millimes), a parameter's value. `state`: `past`, `now` or `to_come`."""

    valid_from: dt.date
    valid_to: dt.date | None
    value: Any
    source: str
    is_inferred: bool
    state: str
    version: int = 0


@dataclass(frozen=True)
class Fund:
    available_millimes: int
    engaged_millimes: int
    paid_millimes: int


@dataclass(frozen=True)
class Sheet:
    """A programme or a parameter with all its versions, in order; `fund` is a programme's."""

    code: str
    labels: Mapping[str, str]
    versions: tuple[Version, ...]
    fund: Fund | None = None

    @property
    def present(self) -> Version:
        """As it is in force, else the last."""
        return next((one for one in self.versions if one.state == "now"), self.versions[-1])


def programmes_listed(session: Session, actor: Any, code: str = "") -> tuple[Sheet, ...]:
    """Programmes with their versions and funds. Refuses: Forbidden; `programme.not_found` for one that is not there."""
    authority.require(actor, "admin.read")
    found = _sheets(session, session.execute(_PROGRAMMES, {"code": code.replace("\0", "?")}), "content", lambda row: row.content.get("label", {}))
    if code and not found:
        raise errors.NotFound("programme.not_found")
    return found


def parameters_listed(session: Session, actor: Any, code: str = "") -> tuple[Sheet, ...]:
    """Parameters with their versions. Refuses: Forbidden; `parameter.not_found` for one that is not there."""
    authority.require(actor, "admin.read")
    found = _sheets(session, session.execute(_PARAMETERS, {"code": code.replace("\0", "?")}), "value", lambda row: row.labels)
    if code and not found:
        raise errors.NotFound("parameter.not_found")
    return found


def add_programme(session: Session, actor: Any, code: str, valid_from: dt.date, content: Mapping[str, Any], source: str, is_inferred: bool, reason: str,
                  fund_millimes: int = 0, *, is_new: bool = False, is_known: bool = False) -> int:  # fmt: skip
    """Begins a version of a programme (a new one, for a code nobody knows); the one before ends the day before. Returns its number. `is_new`: it must be a new one.
    `is_known`: whoever does it has read what of it finances nothing or has no ceiling, and did not before.

    `content`: `label` in three languages, `COLUMNS`, `niveaux` (each `niveau` and `LEVEL_COLUMNS`); `fund_millimes`: what a new programme's fund holds.
    Refuses: `programme.code`, `programme.code_taken` (Conflict), `programme.content` (findings), `programme.unlimited` (Conflict, findings), `dated.too_soon`, `dated.later_exists` (Conflict), `dated.source`, `admin.reason`. Records: `programme.begun`.
    """
    (reason, source), *_ = errors.together(
        lambda: _begin(session, actor, valid_from, source, is_inferred, reason), lambda: _check_code(code), lambda: _check_content(content), lambda: _check_fund(fund_millimes)
    )
    known = next(iter(_sheets(session, session.execute(_PROGRAMMES, {"code": code}), "content", lambda row: {})), None)
    if known and is_new:
        raise errors.Conflict("programme.code_taken", written=code)
    last = known.versions[-1] if known else None
    _follows(last, valid_from)
    if not is_known and (unlimited := _unlimited(content, last.value if last else {})):
        raise errors.Conflict("programme.unlimited", unlimited)
    version = last.version + 1 if last else 1
    body = {"version": version, "valid_from": valid_from.isoformat(), "content": content, "source": source, "is_inferred": is_inferred}
    journal.append(session, actor, "programme.begun", f"programme:{code}", body | ({} if known else {"fund_millimes": fund_millimes}), {"reason": reason})
    if last and (last.valid_to is None or last.valid_to >= valid_from):
        session.execute(_BOUND_PROGRAMME, {"code": code, "version": last.version, "last": valid_from - dt.timedelta(days=1)})
    row = {"code": code, "version": version, "first": valid_from, "content": _json(content), "source": source, "inferred": is_inferred}
    session.execute(_ADD_PROGRAMME, row)
    if known is None:
        session.execute(_ADD_FUND, {"code": code, "amount": fund_millimes})
    return version


def end_programme(session: Session, actor: Any, code: str, last_day: dt.date, reason: str) -> None:
    """Lets a programme end with a day, its last version being in force or to come; dossiers asked until then keep it. Refuses: `programme.not_found`, `dated.too_soon`,
    `dated.before_it_begins`, `dated.ended`. Records: `programme.ended`."""
    authority.require(actor, "dated.write")
    reason = accounts.given_reason(reason)
    Alone.CATALOGUES.take(session)
    version = programmes_listed(session, actor, code)[0].versions[-1]
    if version.state == "past":
        raise errors.Conflict("dated.ended")
    if last_day < version.valid_from:
        raise errors.wrong("dated.before_it_begins", "/last_day", day=version.valid_from)
    if last_day < clock.today(clock.now(session)):
        raise errors.wrong("dated.too_soon", "/last_day")
    journal.append(session, actor, "programme.ended", f"programme:{code}", {"version": version.version, "valid_to": last_day.isoformat()}, {"reason": reason})
    session.execute(_BOUND_PROGRAMME, {"code": code, "version": version.version, "last": last_day})


def change_fund(session: Session, actor: Any, code: str, amount_millimes: int, reason: str) -> int:
    """Puts money in a programme's fund, or (negative) takes out what is not engaged; who waits first for it is called. Returns what is available.

    Refuses: `programme.not_found`, `fund.amount`, `fund.short` (Conflict), `admin.reason`. Records: `fund.changed`.
    """
    authority.require(actor, "dated.write")
    reason = accounts.given_reason(reason)
    programmes_listed(session, actor, code)
    if not amount_millimes or not _whole(abs(amount_millimes), LARGEST):
        raise errors.wrong("fund.amount", "/amount_millimes")
    journal.append(session, actor, "fund.changed", f"programme:{code}", {"amount_millimes": amount_millimes}, {"reason": reason})
    left = session.execute(_CHANGE_FUND, {"code": code, "amount": amount_millimes}).scalar()
    if left is None:
        raise errors.Conflict("fund.short")
    if amount_millimes > 0:
        session.execute(_CALL, {"code": code, "message": identity.new_id()})
    return left


@holidays.tells
def set_parameter(session: Session, actor: Any, code: str, valid_from: dt.date, value: Any, source: str, is_inferred: bool, reason: str) -> None:
    """Gives a parameter another value from a day on; the one before ends the day before.

    Refuses: `parameter.not_found`, `parameter.shape`, `parameter.rule`, `parameter.feast`, `branch.unknown`, `dated.too_soon`, `dated.later_exists` (Conflict), `dated.same` (Conflict), `dated.source`,
    `admin.reason`. Records: `parameter.set`.
    """
    (reason, source), known = errors.together(
        lambda: _begin(session, actor, valid_from, source, is_inferred, reason), lambda: _taking(session, actor, code, value)
    )
    last = known.versions[-1]
    _follows(last, valid_from)
    if (value, source, is_inferred) == (last.value, last.source, last.is_inferred) and last.valid_to is None:
        raise errors.Conflict("dated.same")
    body = {"valid_from": valid_from.isoformat(), "value": _text_numbers(value), "source": source, "is_inferred": is_inferred}
    journal.append(session, actor, "parameter.set", f"parameter:{code}", body, {"reason": reason})
    if last.valid_to is None or last.valid_to >= valid_from:
        session.execute(_BOUND_PARAMETER, {"code": code, "first": last.valid_from, "last": valid_from - dt.timedelta(days=1)})
    row = {"code": code, "first": valid_from, "value": _json(value), "labels": _json(known.labels), "source": source, "inferred": is_inferred}
    session.execute(_ADD_PARAMETER, row)


@holidays.tells
def take_back(session: Session, actor: Any, kind: str, code: str, valid_from: dt.date, reason: str) -> None:
    """Takes back a version of a `programme` or a `parameter` that has not begun; the one before goes on.

    Refuses: `programme.not_found`, `parameter.not_found`, `dated.not_found`, `dated.begun` (Conflict), `admin.reason`. Records: `programme.taken_back`, `parameter.taken_back`.
    """
    authority.require(actor, "dated.write")
    reason = accounts.given_reason(reason)
    Alone.CATALOGUES.take(session)
    versions = (programmes_listed if kind == "programme" else parameters_listed)(session, actor, code)[0].versions
    place = next((place for place, one in enumerate(versions) if one.valid_from == valid_from), None)
    if place is None:
        raise errors.NotFound("dated.not_found")
    if versions[place].state != "to_come":
        raise errors.Conflict("dated.begun")
    journal.append(session, actor, f"{kind}.taken_back", f"{kind}:{code}", {"valid_from": valid_from.isoformat()}, {"reason": reason})
    before = versions[place - 1] if place else None
    goes_on = before is not None and before.valid_to == valid_from - dt.timedelta(days=1)
    if kind == "programme":
        session.execute(_DROP_PROGRAMME, {"code": code, "version": versions[place].version})
        if goes_on:
            session.execute(_BOUND_PROGRAMME, {"code": code, "version": before.version, "last": None})
    else:
        session.execute(_DROP_PARAMETER, {"code": code, "first": valid_from})
        if goes_on:
            session.execute(_BOUND_PARAMETER, {"code": code, "first": before.valid_from, "last": None})


def check_parameter(session: Session, code: str, value: Any, like: Any) -> None:
    """Whether a value has the shape of another and its parts agree. Refuses: `parameter.shape`, `parameter.rule`, `parameter.feast` (a period before a day that the calendar does not know would never come), `branch.unknown`."""
    if not _is_like(value, like, code.endswith("_millimes"), code in OPEN_MAPS):
        raise errors.wrong("parameter.shape", "/value")
    if code in _AGREE and not _AGREE[code](value):
        raise errors.wrong("parameter.rule", "/value")
    if code == programmes.SHORT_DAYS and (unknown := [one["avant"] for one in value if one.get("avant", "") not in {"", *holidays.feasts(session)}]):
        raise errors.wrong("parameter.feast", "/value", feast=unknown[0])
    if code == "antenne_par_defaut" and not session.execute(text("SELECT masar_branch_is_open(:code)"), {"code": value}).scalar():
        raise errors.wrong("branch.unknown", "/value", branch=value)


def _begin(session: Session, actor: Any, valid_from: dt.date, source: str, is_inferred: bool, reason: str) -> tuple[str, str]:
    authority.require(actor, "dated.write")
    reason, source = accounts.given_reason(reason), source.strip()
    errors.together(lambda: _check_source(source, is_inferred), lambda: not_before_tomorrow(session, valid_from))
    Alone.CATALOGUES.take(session)
    return reason, source


def _taking(session: Session, actor: Any, code: str, value: Any) -> Sheet:
    """The parameter that gets this value."""
    known = parameters_listed(session, actor, code)[0]
    check_parameter(session, code, value, known.versions[-1].value)
    return known


def _check_source(source: str, is_inferred: bool) -> None:
    if len(source) > LONGEST_SOURCE or (not source and not is_inferred):
        raise errors.wrong("dated.source", "/source", longest=LONGEST_SOURCE)


def _check_code(code: str) -> None:
    if not _CODE.fullmatch(code):
        raise errors.wrong("programme.code", "/code", written=code)


def _check_fund(fund_millimes: int) -> None:
    if not _whole(fund_millimes, LARGEST):
        raise errors.wrong("fund.amount", "/fund_millimes")


def _follows(last: Version | None, valid_from: dt.date) -> None:
    if last is not None and last.valid_from >= valid_from:
        raise errors.Conflict("dated.later_exists", day=last.valid_from)


def _check_content(content: Mapping[str, Any]) -> None:
    found = []
    labels = content.get("label")
    if not isinstance(labels, Mapping) or set(labels) != set(i18n.LANGUAGES) or not all(isinstance(one, str) and 0 < len(one.strip()) <= 200 for one in labels.values()):
        found.append(errors.Finding("programme.label", "/content/label"))
    found += [errors.Finding("programme.column", f"/content/{name}", {"name": name}) for name, value in content.items()
              if name not in ("label", "niveaux") and (name not in COLUMNS or not _KINDS[COLUMNS[name]](value))]  # fmt: skip
    levels = content.get("niveaux")
    if not isinstance(levels, list) or not all(isinstance(one, Mapping) for one in levels):
        raise errors.Invalid("programme.content", [*found, errors.Finding("programme.levels", "/content/niveaux")])
    names = [one.get("niveau") for one in levels]
    if len(set(names)) < len(names) or set(names) - set(LEVELS):
        found.append(errors.Finding("programme.levels", "/content/niveaux"))
    found += [errors.Finding("programme.column", f"/content/niveaux/{place}/{name}", {"name": name}) for place, level in enumerate(levels) for name, value in level.items()
              if name != "niveau" and (name not in LEVEL_COLUMNS or not _KINDS[LEVEL_COLUMNS[name]](value))]  # fmt: skip
    if found:
        raise errors.Invalid("programme.content", found)


def _unlimited(content: Mapping[str, Any], before: Mapping[str, Any]) -> list[errors.Finding]:
    """What finances nothing, or anything: no level, or one paid here without a ceiling, unless the version before said so already."""

    def without(said: Mapping[str, Any]) -> list[str]:
        levels = said.get("niveaux", [])
        return [one["niveau"] for one in levels if one.get("dossier_aide") is not False and not {"plafond_millimes", "plafond_eur"} & set(one)] if levels else [""]

    new = [one for one in without(content) if not before or one not in without(before)]
    return [errors.Finding("programme.no_ceiling", "/content/niveaux", {"level": {language: i18n.translate(f"web.admin.level.{one}", language) for language in i18n.LANGUAGES}}, severity="warning")
            if one else errors.Finding("programme.no_level", "/content/niveaux", severity="warning") for one in new]  # fmt: skip


def _is_like(value: Any, like: Any, is_money: bool, is_open: bool = False) -> bool:
    """Whether a value could stand where another stood: text for text, numbers for numbers, the same keys, lists of the same things."""
    if isinstance(like, bool) or isinstance(value, bool):
        return isinstance(like, bool) and isinstance(value, bool)
    if isinstance(like, str):
        return isinstance(value, str) and 0 < len(value) <= 500 and value.isprintable()
    if isinstance(like, int | float):
        return isinstance(value, int | float) and 0 <= value <= LARGEST and (isinstance(value, int) or not is_money)
    if isinstance(like, list):
        return isinstance(value, list) and len(value) <= 100 and all(any(_is_like(one, kind, is_money) for kind in like or [0]) for one in value)
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value) or set(like) - set(value) or (set(value) - set(like) and not is_open):
        return False
    return all(_is_like(one, like.get(name, next(iter(like.values()))), is_money) for name, one in value.items())


def _sheets(session: Session, rows: Any, column: str, labels: Callable[[Any], Mapping[str, str]]) -> tuple[Sheet, ...]:
    today = clock.today(clock.now(session))
    by_code: dict[str, list[Any]] = {}
    for row in rows:
        by_code.setdefault(row.code, []).append(row)
    return tuple(
        Sheet(code, labels(next((row for row in reversed(those) if row.valid_from <= today), those[-1])),  # as it is called today
              tuple(Version(row.valid_from, row.valid_to, getattr(row, column), row.source, row.is_inferred, _state(row, today), getattr(row, "version", 0)) for row in those),
              Fund(those[-1].available_millimes, those[-1].engaged_millimes, those[-1].paid_millimes) if getattr(those[-1], "available_millimes", None) is not None else None)
        for code, those in by_code.items()
    )  # fmt: skip


def _state(row: Any, today: dt.date) -> str:
    if row.valid_from > today:
        return "to_come"
    return "now" if row.valid_to is None or today <= row.valid_to else "past"


def _text_numbers(value: Any) -> Any:
    """A value as a line holds it: fractions as text, since canonical JSON has no decimals of ours."""
    if isinstance(value, float):
        return str(value)
    if isinstance(value, dict):
        return {name: _text_numbers(one) for name, one in value.items()}
    return [_text_numbers(one) for one in value] if isinstance(value, list) else value


def _listed(value: Any, known: Any) -> bool:
    return isinstance(value, list) and bool(value) and len(set(map(str, value))) == len(value) and all(isinstance(one, str) and one in known for one in value)


def _whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _day(value: str) -> bool:
    try:
        return dt.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_period(one: Mapping[str, Any]) -> bool:
    """Two dates, two days of every year (`07-01`), or so many days before a feast of the calendar."""
    if one.keys() == {"avant", "jours"}:
        return isinstance(one["avant"], str) and _whole(one["jours"], 60)
    days = [day if isinstance(day, str) and len(day) > len("07-01") else f"2000-{day}" for day in (one.get("du"), one.get("au"))]
    return one.keys() == {"du", "au"} and all(map(_day, days)) and days[0] <= days[1] and len(one["du"]) == len(one["au"])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
