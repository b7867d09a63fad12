"""Fields of the dictionary as a coordinator writes them in a draft. A dictionary that cannot be read stops every form: what does not hold is refused.

Not which answers a field takes (`forms.dictionary`), nor where it is asked (`form_drafts`).
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session

from engine import errors
from engine.casework import drafts, form_drafts
from forms import rewriting
from forms.text import Finding, Findings, FormError

_ID = re.compile(r"[a-z][a-z0-9_]{0,59}")
# The keys that this page writes; what else stands in an entry stays as it is.
KEYS = ("type", "label", "help", "class", "also", "owner", "purpose", "retention", "validity", "optional", "unknown", "refusable", "partial", "own_hand", "choices", "values",
        "min", "max", "min_on", "max_on", "max_length", "items", "offered", "proposed", "computed", "source", "inferred")  # fmt: skip
_NEEDED = frozenset({"type", "label", "class", "owner", "purpose", "retention"})


@dataclass(frozen=True)
class Entry:
    """A field as its page of the dictionary says. `is_published`: the edition the draft was forked from has it: its code stays."""

    path: str
    field_id: str
    content: Mapping[str, Any]
    version: int
    is_published: bool


def entry(whole: drafts.Whole, field_id: str) -> Entry:
    """A field of a draft as it is written. Refuses: `draft.field_gone`; `draft.not_toml` (of another shape: it is mended as a text)."""
    for path, content in whole.files.items():
        if path.startswith(form_drafts.FIELDS) and f'"{field_id}"'.encode() in content:
            found = _read(content).get("fields", {})
            if isinstance(found, dict) and isinstance(found.get(field_id), dict):
                if not _fits(found[field_id]):
                    raise errors.Invalid("draft.not_toml")
                last = whole.saves.get(path)
                return Entry(path, field_id, found[field_id], last.version if last else 0, _is_published(whole, path, field_id))
    raise errors.NotFound("draft.field_gone")


def groups(whole: drafts.Whole) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Each group of the dictionary: its page, and what it says of itself."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for path, content in whole.files.items():
        if path.startswith(form_drafts.FIELDS) and b"[group]" in content:
            group = _read(content).get("group")
            if isinstance(group, dict) and isinstance(group.get("id"), str) and isinstance(group.get("label", {}), dict):
                found[group["id"]] = (path, group)
    return found


def choice_lists(whole: drafts.Whole) -> dict[str, list[Mapping[str, str]]]:
    """The lists of choices that fields share: name → the labels of their choices."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for path, content in whole.files.items():
        if path.startswith(form_drafts.FIELDS) and b"[lists." in content:
            lists = _read(content).get("lists")
            for name, one in lists.items() if isinstance(lists, dict) else ():
                values = one.get("values") if isinstance(one, dict) else None
                found[name] = [value["label"] for value in values if _is_choice(value)] if isinstance(values, list) else []
    return found


def save(session: Session, actor: Any, draft_id: UUID, group: str, name: str, said: Mapping[str, Any], version: int) -> drafts.Saved:
    """Writes a field `group.name` into the page of its group, once the whole dictionary can be read with it. `said`: what each key of `KEYS` says now;
    one that is absent, "" or an empty list is taken out. `version`: that of the page it was made from.

    Refuses: as `drafts.save`; `draft.field_no_group`; `draft.field_refused` with findings, `where` being the key (`label`, `owner` …) or another field's.
    """
    whole = drafts.show(session, actor, draft_id)
    path, _ = groups(whole).get(group, ("", {}))
    if not path:
        raise errors.Invalid("draft.field_no_group")
    if not _ID.fullmatch(name):
        misnamed = Findings()
        misnamed.add("dictionary.id", path, group=group)
        raise errors.Invalid("draft.field_refused", [_finding(one, "id") for one in misnamed])
    before = drafts.read_as_of(session, actor, draft_id, path, version) or b""
    content = _read(before)
    field_id = f"{group}.{name}"
    fields = dict(content["fields"]) if isinstance(content.get("fields"), dict) else {}
    before_it = fields.get(field_id)
    kept = {key: value for key, value in before_it.items() if key not in KEYS} if isinstance(before_it, dict) else {}
    needed = _NEEDED | ({"choices"} if said.get("type") in ("enum", "multi") and not said.get("values") else set())  # left empty, each has its own sentence
    fields[field_id] = {key: said.get(key, "") for key in KEYS if said.get(key) not in (None, "", [], False) or key in needed} | kept
    written = rewriting.rewrite(before, {**content, "fields": fields})
    if wrong := _wrong({**whole.files, path: written}, path, field_id):
        raise errors.Invalid("draft.field_refused", wrong)
    return drafts.save(session, actor, draft_id, path, written, version)


def forms_naming(files: Mapping[str, bytes], field_id: str) -> list[str]:
    """The forms of a draft that ask or show a field, by their id."""
    name = f'"{field_id}"'.encode()
    return sorted(path.rpartition("/")[2].removesuffix(".toml") for path, content in files.items() if path.startswith(form_drafts.FORMS) and name in content)


def _fits(content: Mapping[str, Any]) -> bool:
    """Whether each key that the page shows has the shape that it shows."""
    lists, values = (content.get("also", []), content.get("items", [])), content.get("values", [])
    return (
        all(isinstance(content.get(key, {}), dict) for key in ("label", "help")) and isinstance(values, list) and all(map(_is_choice, values))
        and all(isinstance(one, list) and all(isinstance(inner, str) for inner in one) for one in lists)
    )  # fmt: skip


def _is_choice(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("label"), dict) and isinstance(value.get("code"), str)


def _wrong(files: Mapping[str, bytes], path: str, field_id: str) -> list[errors.Finding]:
    try:
        form_drafts.read_dictionary(files)
    except FormError as refused:
        mine = f"{path.rpartition('/')[2]}#{field_id}"
        return [_finding(one, _key(one.where, mine, field_id)) for one in _told_once(refused.findings)]
    return []


def _told_once(found: Iterable[Finding]) -> list[Finding]:
    return list({(one.code, one.where): one for one in found}.values())


def _key(where: str, mine: str, field_id: str) -> str:
    """The key of this field that a finding is about (`label`, `values[0].code`); of another place, the place."""
    for start in (mine, field_id):
        if where == start or where.startswith((f"{start}.", f"{start}[")):
            return where[len(start) :].lstrip(".") or "id"
    return where


def _finding(found: Finding, where: str) -> errors.Finding:
    return errors.Finding(found.code, where, found.details, found.message)


def _is_published(whole: drafts.Whole, path: str, field_id: str) -> bool:
    fields = _read(whole.base.files.get(path, b"")).get("fields")
    return isinstance(fields, dict) and field_id in fields


def _read(content: bytes) -> dict[str, Any]:
    """What a page says; nothing where it cannot be read."""
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}

