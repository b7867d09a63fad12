"""The dictionary of a draft: its fields looked for, and one of them written: its words, its answer, who holds and reads it, why and for how long."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from engine import errors, i18n
from engine.casework import drafts, field_drafts, form_drafts
from engine.i18n import pick
from forms import field_types
from forms.dictionary import CLASSES, OWNERS, Dictionary, Field
from web import rendering, widgets
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, database_of, field
from web.screen import Screen
from web.typed import Typed

router = APIRouter()
_DURATION = re.compile(r"P(\d{1,4})([YMD])")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TICKS = ("optional", "unknown", "refusable", "partial", "own_hand")
_COUNTED = frozenset({"int", "number", "percent", "score", "money"})
# What each kind of answer may say besides.
_FITTING = {"min": _COUNTED, "max": _COUNTED, "min_on": {"date", "datetime"}, "max_on": {"date", "datetime"}, "max_length": {"text", "longtext", "address"},
            "partial": {"date"}, "own_hand": {"signature"}, "choices": {"enum", "multi"}, "offered": {"enum", "multi"}, "items": {field_types.ROWS}}  # fmt: skip
_TYPES = ("text", "longtext", "enum", "multi", "bool", "tri", "date", "datetime", "int", "number", "percent", "money", "score", "phone", "email", "cin", "passport",
          "address", "gov", "district", "country", "language", "doc", "signature", "list")  # fmt: skip


@router.get("/drafts/{draft_id}/fields")
def listed(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, q: str = "", owner: str = "") -> Response:
    """The fields of a draft, by words and agency; at first those that the draft changes."""
    whole = drafts.show(session, actor, draft_id)
    words, troubles = form_drafts.vocabulary(whole)
    before = whole.base.dictionary.fields
    changed = {one.id: "changed" if one.id in before else "added" for one in words.fields.values() if _differs(one, before.get(one.id))}
    found = form_drafts.search(words, q[:100], owner if owner in OWNERS else "") if q or owner else [words.fields[one] for one in changed]
    return screen.show(
        "fields/page.html", draft=whole.draft, found=[_line(one, screen.language) for one in found], q=q[:100], owner=owner, owners=sorted(OWNERS), changed=changed,
        count=len(words.fields), may_save="save" in whole.draft.may, broken=[screen.sentence(one) for one in troubles[:5]],
    )  # fmt: skip


@router.get("/drafts/{draft_id}/fields/new")
def new(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, form: str = "") -> Response:
    """A field that is not there yet. `form`: the form it is wanted in."""
    whole = drafts.show(session, actor, draft_id)
    return _page(screen, whole, None, {"type": "text", "class": "C", "owner": actor.agency, "retention": "P5Y"}, "", "", wanted_in=form[:60])


@router.get("/drafts/{draft_id}/fields/{field_id}")
def show(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, field_id: str) -> Response:
    """A field as it is written."""
    whole = drafts.show(session, actor, draft_id)
    entry = field_drafts.entry(whole, field_id[:130])
    group, _, name = entry.field_id.partition(".")
    return _page(screen, whole, entry, entry.content, group, name)


@router.post("/drafts/{draft_id}/fields")
def act(request: Request, screen: OnScreen, actor: Acting, session: Writing, form: Posted, draft_id: UUID) -> Response:
    """Saves the field, or offers what its kind of answer needs; refused, the page comes back with what was typed and the sentence by each entry."""
    said, group, name = _said(form), field(form, "f-group", 60), field(form, "f-name", 60)
    wanted, _, on = field(form, "act", 60).partition(":")
    version, wanted_in = field(form, "version", 10), field(form, "form", 60)
    if wanted == "add-choice":
        said["values"] = [*said.get("values", []), {"code": "", "label": {}}]
    elif wanted == "remove-choice":
        said["values"] = [one for place, one in enumerate(said.get("values", [])) if str(place) != on]
    elif wanted == "save":
        try:
            saved = field_drafts.save(session, actor, draft_id, group, name, said, int(version) if version.isdigit() else 0)
        except errors.Invalid as refusal:
            session.rollback()
            with database_of(request).reading(actor) as again:
                return _page(screen, drafts.show(again, actor, draft_id), None, said, group, name, refusal, wanted_in)
        if saved.conflict:
            return screen.go(f"/drafts/{draft_id}/files/{saved.path}#aside-{saved.aside}")
        where = f"/drafts/{draft_id}/fields/{group}.{name}"
        return screen.go(where, "field_saved", [(f"/drafts/{draft_id}/forms/{wanted_in}.toml", "back_to_form")] if wanted_in else [])
    return _page(screen, drafts.show(session, actor, draft_id), None, said, group, name, wanted_in=wanted_in)


def _said(form: FormData) -> dict[str, Any]:
    """What was typed, as an entry of the dictionary says it; only what fits the kind of answer."""
    type_ = field(form, "f-type", 20)
    said: dict[str, Any] = {key: field(form, f"f-{key}", 200) for key in ("class", "owner", "purpose", "source")} | {"type": type_}
    said |= {key: True for key in _TICKS if field(form, f"f-{key}", 3) == "yes" and type_ in _FITTING.get(key, {type_})}
    said["label"], said["help"] = _labels(form, "f-label"), _labels(form, "f-help")
    said["also"] = [one for one in form.getlist("f-also") if isinstance(one, str) and one in CLASSES and one != said["class"]]
    said["retention"] = _duration(form, "f-retention")
    said["validity"] = {"each": "P0D", "after": _duration(form, "f-validity")}.get(field(form, "f-validity", 6), "")
    for key in ("computed", "offered", "proposed"):
        if type_ in _FITTING.get(key, {type_}):
            said[key] = field(form, f"f-{key}", 4000).replace("\r\n", "\n")
    for key in ("min", "max", "max_length"):
        if type_ in _FITTING[key] and (typed := field(form, f"f-{key}", 20)):
            said[key] = _number(typed)
    for key in ("min_on", "max_on"):
        if type_ in _FITTING[key] and (typed := field(form, f"f-{key}", 200)):
            said[key] = dt.date.fromisoformat(typed) if _DAY.fullmatch(typed) and _is_day(typed) else typed
    if type_ in _FITTING["choices"]:
        chosen = field(form, "f-choices", 60)
        if chosen:
            said["choices"] = chosen
        else:
            said["values"] = _values(form)
    if type_ == field_types.ROWS:
        said["items"] = field(form, "f-items", 4000).split()
    said["inferred"] = not said["source"]
    return {key: value for key, value in said.items() if value not in ("", None, [], {}) or key in ("label", "class", "owner", "purpose", "retention", "type")}


def _labels(form: FormData, key: str) -> dict[str, str]:
    said = {language: field(form, f"{key}-{language}", 1000).replace("\r\n", " ") for language in i18n.LANGUAGES}
    return said if any(said.values()) else {}


def _values(form: FormData) -> list[dict[str, Any]]:
    places = sorted({int(found[1]) for key in form if (found := re.fullmatch(r"f-values-(\d{1,3})-code", key))})
    return [{"code": field(form, f"f-values-{place}-code", 60), "label": _labels(form, f"f-values-{place}") or dict.fromkeys(i18n.LANGUAGES, "")} for place in places]


def _duration(form: FormData, key: str) -> str:
    number, unit = field(form, f"{key}-number", 5), field(form, f"{key}-unit", 1)
    return f"P{number}{unit}" if number else ""


def _number(typed: str) -> int | float | str:
    """A number as one writes it; what is none stays, and is refused with a sentence."""
    plain = typed.replace(" ", "").replace("\u202f", "").replace(",", ".")
    try:
        return int(plain) if plain.lstrip("-").isdigit() else float(plain)
    except ValueError:
        return typed


def _is_day(typed: str) -> bool:
    try:
        dt.date.fromisoformat(typed)
    except ValueError:
        return False
    return True


def _page(screen: Screen, whole: drafts.Whole, entry: field_drafts.Entry | None, said: Mapping[str, Any], group: str, name: str,
          refusal: errors.Invalid | None = None, wanted_in: str = "") -> Response:  # fmt: skip
    words, troubles = form_drafts.vocabulary(whole)
    groups = field_drafts.groups(whole)
    field_id = f"{group}.{name}"
    if entry is None and name and field_id in words.fields:  # typed again, refused or not: it is still the field that was there
        entry = field_drafts.entry(whole, field_id)
    path = groups.get(group, ("",))[0]
    last = whole.saves.get(path)
    wrong: dict[str, list[str]] = {}
    for one in refusal.findings if refusal else ():
        wrong.setdefault(re.split(r"[.\[]", one.where)[0] if "#" not in one.where else "others", []).append(screen.sentence(one))
    lists = field_drafts.choice_lists(whole)
    return screen.show(
        "fields/field.html", refusal.status if refusal else 200, draft=whole.draft, entered=said, group=group, name=name, entry=entry, version=last.version if last else 0,
        groups={key: (pick(one.get("label"), screen.language), one.get("subject", "")) for key, (_, one) in sorted(groups.items())}, types=_TYPES,
        fitting={key for key, types in _FITTING.items() if said.get("type") in types}, classes="COSEPFHR", owners=sorted(OWNERS),
        purposes={code: pick(label, screen.language) for code, label in words.purposes.items()},
        lists={key: screen.words.text("format.comma").join(f" {pick(label, screen.language)}" for label in labels[:6]).strip() for key, labels in sorted(lists.items())},
        retention=_parts(said.get("retention")), validity=_parts(said.get("validity")), wrong=wrong,
        refused=screen.refusal(refusal.code, refusal.details) if refusal else "", may_save="save" in whole.draft.may, wanted_in=wanted_in,
        used_in=field_drafts.forms_naming(whole.files, field_id) if entry else [], drawn=_drawn(words, words.fields.get(field_id)),
        broken=[screen.sentence(one) for one in troubles[:5]],
    )  # fmt: skip


def _parts(written: Any) -> tuple[str, str]:
    found = _DURATION.fullmatch(written) if isinstance(written, str) else None
    return (found[1], found[2]) if found else ("", "Y")


def _drawn(words: Dictionary, spec: Field | None) -> list[dict[str, Any]]:
    """The question as an agent has it, in each language; nothing for what is computed or made of rows."""
    if spec is None or spec.computed is not None or spec.type == field_types.ROWS or spec.id not in words.fields:
        return []
    made = []
    for language in i18n.LANGUAGES:
        reader = rendering.words(language)
        widget = widgets.draw(spec, f"{spec.id}-{language}", Typed(), reader, "", required=not spec.optional)
        made.append({"language": language, "direction": "rtl" if language == "ar" else "ltr", "t": reader.text, "w": reader, "widget": widget})
    return made


def _line(spec: Field, language: str) -> dict[str, Any]:
    return {"field": spec.id, "label": pick(spec.label, language), "spec": spec}


def _differs(one: Field, before: Field | None) -> bool:
    names = ("type", "label", "class_", "also", "owner", "purpose", "retention", "validity", "help", "optional", "choices", "items", "min", "max")
    return before is None or any(getattr(one, name) != getattr(before, name) for name in names)
