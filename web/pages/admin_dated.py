"""What is data of the Dispositif and begins on a day: branches and agencies, programmes and funds, parameters, holidays."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import clock, errors
from engine.actors import authority, branches, users
from engine.actors.agencies import AGENCIES
from engine.casework import editions, imports, letters, posts
from engine.dossier import catalogues, holidays
from engine.i18n import LANGUAGES, pick
from forms import places
from web.dependencies import Acting, OnScreen, Posted, database_of, field
from web.pages.admin import attempt, chosen_day, refused, written
from web.screen import Screen

router = APIRouter(prefix="/admin")


@router.get("/branches")
def show_branches(request: Request, screen: OnScreen, actor: Acting) -> Response:
    return _branches(request, screen, actor)


@router.post("/branches")
def open_branch(request: Request, screen: OnScreen, actor: Acting, form: Posted) -> Response:
    gave, refusal = attempt(request, actor, lambda session: branches.open_branch(
        session, actor, field(form, "code", 10), _names(form), chosen_day(form, "valid_from"), _several(form, "governorates"), _several(form, "agencies"),
        field(form, "reason", 600)))  # fmt: skip
    if refusal:
        return _branches(request, screen, actor, refusal, _typed(form))
    return screen.go(f"/admin/branches/{field(form, 'code', 10).upper()}", "branch_opened", gave=_called(screen, gave))


@router.get("/branches/{code}")
def show_branch(request: Request, screen: OnScreen, actor: Acting, code: str) -> Response:
    return _branch(request, screen, actor, code)


@router.post("/branches/{code}")
def change_branch(request: Request, screen: OnScreen, actor: Acting, form: Posted, code: str) -> Response:
    gave, refusal = attempt(request, actor, lambda session: branches.change_branch(
        session, actor, code, chosen_day(form, "valid_from"), _names(form), _several(form, "governorates"), _several(form, "agencies"), field(form, "reason", 600),
        is_open=field(form, "closes", 3) != "on"))  # fmt: skip
    return _branch(request, screen, actor, code, refusal, _typed(form)) if refusal else screen.go(f"/admin/branches/{code}", "branch_changed", gave=_called(screen, gave))


@router.post("/branches/{code}/take-back")
def take_branch_back(request: Request, screen: OnScreen, actor: Acting, form: Posted, code: str) -> Response:
    _, refusal = attempt(request, actor, lambda session: branches.take_back(session, actor, code, chosen_day(form, "valid_from"), field(form, "reason", 600)))
    return _branch(request, screen, actor, code, refusal) if refusal else screen.go(f"/admin/branches/{code}", "taken_back")


@router.post("/agencies/{code}")
def rename_agency(request: Request, screen: OnScreen, actor: Acting, form: Posted, code: str) -> Response:
    _, refusal = attempt(request, actor, lambda session: branches.rename_agency(session, actor, code, chosen_day(form, "valid_from"), _names(form), field(form, "reason", 600)))
    return _branches(request, screen, actor, refusal, _typed(form) | {"agency": code}) if refusal else screen.go("/admin/branches", "agency_renamed")


@router.get("/programmes")
def show_programmes(request: Request, screen: OnScreen, actor: Acting) -> Response:
    with database_of(request).reading(actor) as session:
        rows = catalogues.programmes_listed(session, actor)
    return screen.show("admin/programmes.html", rows=rows, may=authority.may(actor, "dated.write"))


@router.get("/programmes/new")
def new_programme(request: Request, screen: OnScreen, actor: Acting) -> Response:
    authority.require(actor, "dated.write")
    return _programme_form(request, screen, actor, "")


@router.get("/programmes/{code}")
def show_programme(request: Request, screen: OnScreen, actor: Acting, code: str) -> Response:
    return _programme_form(request, screen, actor, code)


@router.post("/programmes")
def add_programme(request: Request, screen: OnScreen, actor: Acting, form: Posted) -> Response:
    """Begins a version of a programme."""
    code = field(form, "code", 60)

    def act(session: Any) -> Any:
        fund = field(form, "fund", 30)
        return catalogues.add_programme(session, actor, code, chosen_day(form, "valid_from"), _content(form), field(form, "source", 1100), field(form, "inferred", 3) == "on",
                                        field(form, "reason", 600), imports.amount(fund) if fund else 0, is_new=not field(form, "known", 3), is_known=field(form, "is_known", 5) == "yes")  # fmt: skip

    _, refusal = attempt(request, actor, act)
    if refusal is None:
        return screen.go(f"/admin/programmes/{code}", "programme_begun")
    return _programme_form(request, screen, actor, code if field(form, "known", 3) else "", refusal, _typed(form))


@router.post("/programmes/{code}/{act}")
def change_programme(request: Request, screen: OnScreen, actor: Acting, form: Posted, code: str, act: str) -> Response:
    """Lets a programme end, takes back a version to come, or changes its fund."""
    reason = field(form, "reason", 600)
    acts = {
        "end": lambda session: catalogues.end_programme(session, actor, code, chosen_day(form, "last_day"), reason),
        "take-back": lambda session: catalogues.take_back(session, actor, "programme", code, chosen_day(form, "valid_from"), reason),
        "fund": lambda session: catalogues.change_fund(session, actor, code, _signed(form), reason),
    }
    if act not in acts:
        raise errors.NotFound("programme.not_found")
    _, refusal = attempt(request, actor, acts[act])
    return _programme_form(request, screen, actor, code, refusal) if refusal else screen.go(f"/admin/programmes/{code}", {"end": "programme_ended", "fund": "fund_changed"}.get(act, "taken_back"))


@router.get("/parameters")
def show_parameters(request: Request, screen: OnScreen, actor: Acting) -> Response:
    with database_of(request).reading(actor) as session:
        rows = catalogues.parameters_listed(session, actor)
    return screen.show("admin/parameters.html", rows=rows, shown=_shown)


@router.get("/parameters/{code}")
def show_parameter(request: Request, screen: OnScreen, actor: Acting, code: str) -> Response:
    return _parameter(request, screen, actor, code)


@router.post("/parameters/{code}")
def set_parameter(request: Request, screen: OnScreen, actor: Acting, form: Posted, code: str) -> Response:
    def act(session: Any) -> Any:
        last = catalogues.parameters_listed(session, actor, code)[0].versions[-1].value
        return catalogues.set_parameter(session, actor, code, chosen_day(form, "valid_from"), _rebuilt(form, "value", last, code.endswith("_millimes"), holidays.feasts(session)), field(form, "source", 1100),
                                        field(form, "inferred", 3) == "on", field(form, "reason", 600))  # fmt: skip

    gave, refusal = attempt(request, actor, act)
    return _parameter(request, screen, actor, code, refusal, form) if refusal else screen.go(f"/admin/parameters/{code}", "parameter_set", gave=_to_move(screen, gave))


@router.post("/parameters/{code}/take-back")
def take_parameter_back(request: Request, screen: OnScreen, actor: Acting, form: Posted, code: str) -> Response:
    _, refusal = attempt(request, actor, lambda session: catalogues.take_back(session, actor, "parameter", code, chosen_day(form, "valid_from"), field(form, "reason", 600)))
    return _parameter(request, screen, actor, code, refusal) if refusal else screen.go(f"/admin/parameters/{code}", "taken_back")


@router.get("/holidays")
def show_holidays(request: Request, screen: OnScreen, actor: Acting, year: str = "") -> Response:
    return _holidays(request, screen, actor, year)


@router.post("/holidays")
def set_holiday(request: Request, screen: OnScreen, actor: Acting, form: Posted) -> Response:
    """Closes a day to come, names it otherwise, moves it (`was`: the day it was), or opens it again."""
    reason, was, drops = field(form, "reason", 600), field(form, "was", 20), field(form, "act", 10) == "drop"
    moves = bool(was) and not drops and field(form, "day", 20) != was

    def act(session: Any) -> Any:
        if drops:
            return holidays.drop_holiday(session, actor, chosen_day(form, "was"), reason)
        said = (chosen_day(form, "day"), _names(form), field(form, "estimate", 3) == "on", reason)
        return holidays.move_holiday(session, actor, chosen_day(form, "was"), *said) if moves else holidays.set_holiday(session, actor, *said)

    gave, refusal = attempt(request, actor, act)
    done, year = "dropped" if drops else "moved" if moves else "set", field(form, "day", 20)[:4]
    return _holidays(request, screen, actor, was[:4] or year, refusal, _typed(form)) if refusal else screen.go(f"/admin/holidays?year={year}", f"holiday_{done}", gave=_to_move(screen, gave))


def _branches(request: Request, screen: Screen, actor: users.Actor, refusal: errors.Refusal | None = None, typed: dict[str, Any] | None = None) -> Response:
    with database_of(request).reading(actor) as session:
        rows, agencies = branches.listed(session, actor), branches.agencies_listed(session, actor)
        told = _of_places(session, screen) | {"tomorrow": _tomorrow(session)}
    return screen.show("admin/branches.html", refusal.status if refusal else 200, rows=rows, agency_rows=agencies, typed=typed or {}, may=authority.may(actor, "dated.write"),
                       **told, **refused(screen, refusal))  # fmt: skip


def _branch(request: Request, screen: Screen, actor: users.Actor, code: str, refusal: errors.Refusal | None = None, typed: dict[str, Any] | None = None) -> Response:
    with database_of(request).reading(actor) as session:
        found = branches.show(session, actor, code)
        told = _of_places(session, screen) | {"tomorrow": _tomorrow(session), "vacant": posts.vacant(session, actor, code)}
        addresses = catalogues.parameters_listed(session, actor, letters.ADDRESSES)[0].versions[-1].value
    last = found.last
    held = typed or {"names": last.names, "governorates": last.governorates, "agencies": last.agencies}
    may = authority.may(actor, "dated.write")
    return screen.show("admin/branch.html", refusal.status if refusal else 200, branch=found, typed=held, may=may, no_address="" if code in addresses else letters.ADDRESSES, **told,
                       **refused(screen, refusal))  # fmt: skip


def _programme_form(request: Request, screen: Screen, actor: users.Actor, code: str, refusal: errors.Refusal | None = None, typed: dict[str, Any] | None = None) -> Response:
    with database_of(request).reading(actor) as session:
        found = catalogues.programmes_listed(session, actor, code)[0] if code else None
        told = _of_places(session, screen) | {"tomorrow": _tomorrow(session)}
    last = found.versions[-1] if found else None
    held = typed or {"content": last.value if last else {"niveaux": []}, "names": last.value.get("label", {}) if last else {}, "source": last.source if last else "",
                     "inferred": last.is_inferred if last else False}  # fmt: skip
    choices = {"countries": places.country_names(screen.language), "return_types": catalogues.RETURN_TYPES, "levels": catalogues.LEVELS, "columns": catalogues.COLUMNS,
               "level_columns": catalogues.LEVEL_COLUMNS}  # fmt: skip
    return screen.show("admin/programme.html", refusal.status if refusal else 200, programme=found, typed=held, is_unlimited=refusal is not None and refusal.code == "programme.unlimited", may=authority.may(actor, "dated.write"), **choices, **told,
                       **refused(screen, refusal))  # fmt: skip


def _parameter(request: Request, screen: Screen, actor: users.Actor, code: str, refusal: errors.Refusal | None = None, form: Any = None) -> Response:
    with database_of(request).reading(actor) as session:
        found = catalogues.parameters_listed(session, actor, code)[0]
        tomorrow, feasts = _tomorrow(session), {code: pick(names, screen.language) for code, names in holidays.feasts(session).items()}
    last = found.versions[-1]
    found_leaves = _leaves("value", (), last.value, code.endswith("_millimes"), feasts)
    leaves = [(name, " · ".join(_part(screen.words, one) for one in keys), field(form, name, 20_000) if form else value) for name, keys, value in found_leaves]
    typed = {"valid_from": field(form, "valid_from", 20), "source": field(form, "source", 1100), "inferred": field(form, "inferred", 3) == "on", "reason": field(form, "reason", 600)} if form else {
        "source": last.source, "inferred": last.is_inferred, "reason": ""}  # fmt: skip
    return screen.show("admin/parameter.html", refusal.status if refusal else 200, parameter=found, leaves=leaves, typed=typed, tomorrow=tomorrow, shown=_shown,
                       may=authority.may(actor, "dated.write"), **refused(screen, refusal))  # fmt: skip


def _holidays(request: Request, screen: Screen, actor: users.Actor, year: str, refusal: errors.Refusal | None = None, typed: dict[str, Any] | None = None) -> Response:
    with database_of(request).reading(actor) as session:
        tomorrow = _tomorrow(session)
        chosen = int(year) if year.isdecimal() and len(year) == 4 else tomorrow.year
        rows = holidays.listed(session, actor, chosen)
    return screen.show("admin/holidays.html", refusal.status if refusal else 200, rows=rows, year=chosen, tomorrow=tomorrow, typed=typed or {}, may=authority.may(actor, "dated.write"),
                       **refused(screen, refusal))  # fmt: skip


def _tomorrow(session: Any) -> dt.date:
    return clock.today(clock.now(session)) + dt.timedelta(days=1)


def _of_places(session: Any, screen: Screen) -> dict[str, Any]:
    """Agencies, and the governorates by the names of the dictionary in force."""
    edition = editions.current(session)
    spec = edition.dictionary.fields.get("person.gouvernorat")
    names = {code: spec.choice_label(code, screen.language) if spec and code in spec.codes else code for code in branches.GOVERNORATES}
    return {"agencies": list(AGENCIES), "governorates": names}


def _called(screen: Screen, codes: Any) -> str:
    named = screen.words.text("format.comma").join(f" {screen.words.text(f'branch.{code}')}" for code in codes).strip()
    return screen.words.text("admin.gave_up", branches=named) if named else ""


def _to_move(screen: Screen, number: Any) -> str:
    return " " + screen.words.count("admin.to_move", number) if number else ""


def _names(form: Any) -> dict[str, str]:
    return {language: field(form, f"name_{language}", 300) for language in LANGUAGES}


def _several(form: Any, name: str) -> list[str]:
    return [one for one in form.getlist(name) if isinstance(one, str) and one]


def _typed(form: Any) -> dict[str, Any]:
    """What was typed, to be shown again."""
    kept = {name: field(form, name, 2000) for name in ("code", "valid_from", "source", "reason", "fund", "day", "was")} | {"estimate": field(form, "estimate", 3) == "on"}
    return kept | {"names": _names(form), "governorates": _several(form, "governorates"), "agencies": _several(form, "agencies"), "inferred": field(form, "inferred", 3) == "on",
                   "content": _content(form, is_lenient=True)}  # fmt: skip


def _content(form: Any, *, is_lenient: bool = False) -> dict[str, Any]:
    """A programme's content as its form says it; what cannot be read is left as typed, for the engine to refuse."""
    said = _columns(form, "", catalogues.COLUMNS, is_lenient)
    levels = [{"niveau": level} | _columns(form, f"{level}~", catalogues.LEVEL_COLUMNS, is_lenient) for level in catalogues.LEVELS if field(form, f"{level}~on", 3) == "on"]
    return {"label": _names(form)} | said | {"niveaux": levels}


def _columns(form: Any, prefix: str, kinds: Any, is_lenient: bool) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, kind in kinds.items():
        if kind in ("countries", "return_types", "governorates"):
            value: Any = _several(form, prefix + name)
        elif kind == "flag":
            value = {"yes": True, "no": False}.get(field(form, prefix + name, 3))
        else:
            value = field(form, prefix + name, 30)
        if value in ("", [], None):
            continue
        if kind in ("number", "class") and value.isdecimal():
            value = int(value)
        elif kind == "money" and not is_lenient:
            value = imports.amount(value)
        said[name] = value
    return said


def _signed(form: Any) -> int:
    amount = imports.amount(field(form, "amount", 30))
    return -amount if field(form, "direction", 4) == "out" else amount


def _leaves(name: str, keys: tuple[str, ...], value: Any, is_money: bool, feasts: Mapping[str, str]) -> list[tuple[str, tuple[str, ...], str]]:
    """The parts of a value one types: (name of the field, the keys that lead there, what it holds)."""
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(f"{name}.{key}", (*keys, key), inner, is_money, feasts)]
    return [(name, keys, _typed_value(value, is_money, feasts))]


def _part(words: Any, key: str) -> str:
    """What a part of a value is called: a branch by its name, else a word of the texts, else its key."""
    if key.isupper() and key.isalpha():
        return words.text(f"branch.{key}")
    called = words.text(f"admin.part.{key}")
    return key if called.startswith("[") else called


def _typed_value(value: Any, is_money: bool, feasts: Mapping[str, str]) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) if all(isinstance(one, int | float) for one in value) else "\n".join(" ".join(feasts.get(end) or "/".join(reversed(str(end).split("-"))) for end in _ends(one)) for one in value)
    return f"{value / 1000:g}" if is_money else written(value)


def _ends(period: Mapping[str, Any]) -> list[Any]:
    """A period as it is said, from its beginning: the database keeps the keys of JSON in its own order."""
    return [period[key] for key in ("du", "au", "avant", "jours") if key in period]


def _day(said: str) -> str:
    """A day, or a day of every year (`01/07`), as the database keeps it."""
    parts = said.strip().split("/")
    return "-".join(one.zfill(2) for one in reversed(parts)) if len(parts) > 1 else said.strip()


def _rebuilt(form: Any, name: str, like: Any, is_money: bool, feasts: Mapping[str, Mapping[str, str]]) -> Any:
    """A value like another, from the parts that were typed. Refuses: `import.amount`, `parameter.shape`."""
    if isinstance(like, dict):
        return {key: _rebuilt(form, f"{name}.{key}", inner, is_money, feasts) for key, inner in like.items()}
    said = field(form, name, 20_000)
    if isinstance(like, list) and like and isinstance(like[0], dict):
        rows = [line.strip().rpartition(" ") for line in said.splitlines() if line.strip()]
        if not all(first for first, _, _ in rows):
            raise errors.wrong("parameter.shape", "/value")
        called = {name.casefold(): code for code, names in feasts.items() for name in names.values()}
        return [{"avant": called.get(first.strip().casefold(), first.strip()), "jours": int(last)} if last.isdecimal() else {"du": _day(first), "au": _day(last)} for first, _, last in rows]
    if isinstance(like, list):
        return [imports.value_of(one, is_money) for one in said.replace(";", " ").split()]
    return said if isinstance(like, str) else imports.value_of(said, is_money)


def _shown(screen_words: Any, code: str, value: Any) -> str:
    """A value in a line, money in dinars."""
    if code.endswith("_millimes"):
        return screen_words.money(value)
    if isinstance(value, dict) and value.keys() == {"avant", "jours"}:
        return screen_words.text("admin.before_feast", days=value["jours"], feast=_part(screen_words, value["avant"]))
    if isinstance(value, dict) and value.keys() == {"du", "au"}:
        return " – ".join(screen_words.date(day) if len(day) > len("07-01") else f"\u2066{'/'.join(reversed(day.split('-')))}\u2069" for day in _ends(value))
    if isinstance(value, dict):
        return " · ".join(f"\u2068{_part(screen_words, key)} {_shown(screen_words, '', inner)}\u2069" for key, inner in value.items())
    if isinstance(value, list):
        return screen_words.text("format.comma").join(f" {_shown(screen_words, '', one)}" for one in value).strip() or "–"
    return screen_words.number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
