"""Forms as a coordinator edits them in a draft: what the file says, what is wrong with it and where, whose task it is, and how it looks to each role.

A form may be half made: it is saved as it is, and what can be read of it is shown. The judge of the whole edition is `publication`.
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from engine import errors
from engine.actors.roles import ROLES
from engine.casework import drafts
from engine.casework.kept import Kept
from engine.pathway import markup
from engine.pathway.additions import MASAR
from engine.pathway.spiff.extensions import BPMN
from forms import definitions, dictionary, editing, rewriting, samples, toml
from forms import form as forms
from forms.dictionary import Dictionary, Field
from forms.text import Finding, FormError, Findings

FORMS, FIELDS = "forms/tasks/", "forms/dictionary/"
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_MOST_FOUND = 12
_MOST_ROUNDS = 5
_dictionaries = Kept[Dictionary | FormError](4)
_TASKS = {f"{{{BPMN}}}userTask", f"{{{BPMN}}}manualTask"}


@dataclass(frozen=True)
class Asker:
    """A task of the diagrams that is done with this form. `names` by language."""

    file: str
    node: str
    names: Mapping[str, str]
    role: str


@dataclass(frozen=True)
class Sheet:
    """A form of a draft. `content`: what its file says, None where it cannot be edited but as a text; `problems`: place → what is wrong there, each with
    its key; `definition`: the form without what is wrong in it, None where nothing can be shown; `dictionary_findings`: the dictionary cannot be read,
    and the one of the edition it was forked from is taken."""

    path: str
    content: editing.Content | None
    dictionary: Dictionary
    problems: Mapping[str, Sequence[tuple[str, Finding]]] = field(default_factory=dict)
    definition: definitions.FormDefinition | None = None
    askers: tuple[Asker, ...] = ()
    dictionary_findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def form_id(self) -> str:
        return self.name.removesuffix(".toml")


def sheet(whole: drafts.Whole, path: str) -> Sheet:
    """A form of a draft. Refuses: `draft.no_file`."""
    files = whole.files
    if path not in files or not path.startswith(FORMS):
        raise errors.NotFound("draft.no_file")
    words, troubles = vocabulary(whole)
    findings = Findings()
    content = toml.parse({path.rpartition("/")[2]: files[path]}, findings).get(path.rpartition("/")[2])
    asked_by = askers(files, path.rpartition("/")[2].removesuffix(".toml"))
    if content is None or not editing.fits(content):
        return Sheet(path, None, words, {editing.HEAD: [("", one) for one in findings]}, None, asked_by, troubles)
    definition, wrong = definitions.read_one(path.rpartition("/")[2], content, words)
    problems: dict[str, list[tuple[str, Finding]]] = {}
    for one in wrong:
        place, key = editing.place_of(one.where, content)
        problems.setdefault(place, []).append((key, one))
    return Sheet(path, content, words, problems, definition or _readable_part(path, content, words), asked_by, troubles)


def vocabulary(whole: drafts.Whole) -> tuple[Dictionary, tuple[Finding, ...]]:
    """The dictionary of a draft; where it cannot be read, that of the edition it was forked from, and why."""
    try:
        return read_dictionary(whole.files), ()
    except FormError as refused:
        return whole.base.dictionary, refused.findings


def read_dictionary(files: Mapping[str, bytes]) -> Dictionary:
    """The dictionary of these files (path → content), read once. Raises FormError."""
    pages = {path.removeprefix(FIELDS): content for path, content in sorted(files.items()) if path.startswith(FIELDS)}
    digest = hashlib.sha256()
    for name, content in pages.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)

    def read() -> Dictionary | FormError:
        try:
            return dictionary.read(pages)
        except FormError as refused:
            return refused

    found = _dictionaries.get(digest.digest(), read)
    if isinstance(found, FormError):
        raise found
    return found


def askers(files: Mapping[str, bytes], form_id: str) -> tuple[Asker, ...]:
    """The tasks of the diagrams that name a form; a diagram that cannot be read has none."""
    found = []
    mention = f'form="{form_id}"'.encode()
    for path, content in files.items():
        if not path.endswith(".bpmn") or mention not in content:
            continue
        try:
            root = markup.parse(content)
        except markup.Unfit:
            continue
        for node in root.iter(*_TASKS):
            task = node.find(f"{{{BPMN}}}extensionElements/{{{MASAR}}}tache")
            if task is not None and task.get("form") == form_id:
                labels = {one.get("lang", ""): one.text or "" for one in node.iterfind(f"{{{BPMN}}}extensionElements/{{{MASAR}}}libelle")}
                found.append(Asker(path, node.get("id", ""), {"fr": node.get("name", ""), **labels}, task.get("role", "")))
    return tuple(found)


def search(words: Dictionary, asked: str, owner: str = "") -> list[Field]:
    """The fields that a form may ask or show whose code, label in any language or agency holds every word asked; the first dozen."""
    wanted = asked.casefold().split()
    found = []
    for one in words.fields.values():
        if one.subject == "member" or (owner and one.owner != owner):
            continue
        said = " ".join((one.id, one.owner, *one.label.values())).casefold()
        if all(word in said for word in wanted):
            found.append(one)
    return found[: _MOST_FOUND + 1]


def begin(session: Session, actor: Any, draft_id: UUID, form_id: str, title: Mapping[str, str]) -> str:
    """A new form, empty but for its title; its path. Refuses: Forbidden, `draft.not_found`, `draft.not_open`, `draft.form_name`, `draft.name_taken`."""
    path = f"{FORMS}{form_id}.toml"
    if not NAME.fullmatch(form_id):
        raise errors.Invalid("draft.form_name")
    if path in drafts.show(session, actor, draft_id).files:
        raise errors.Invalid("draft.name_taken", name=f"{form_id}.toml")
    drafts.save(session, actor, draft_id, path, rewriting.rewrite(b"", {"id": form_id, "title": dict(title)}), 0)
    return path


def save(session: Session, actor: Any, draft_id: UUID, path: str, content: Mapping[str, Any], version: int) -> drafts.Saved:
    """Keeps a form, changed from a version, with what its file says besides left as it is. Refuses: as `drafts.save`; `draft.not_toml`."""
    before = drafts.read_as_of(session, actor, draft_id, path, version) or b""
    try:
        written = rewriting.rewrite(before, content)
    except ValueError as trouble:
        raise errors.Invalid("draft.not_toml") from trouble
    return drafts.save(session, actor, draft_id, path, written, version)


def content_as_of(
    session: Session, actor: Any, draft_id: UUID, path: str, version: int, fits: Callable[[Any], bool] = editing.fits,
) -> editing.Content:  # fmt: skip
    """What a form (or what else `fits`) said at a version, to be changed from there. Refuses: as `drafts.read_as_of`; `draft.not_toml` (it is edited as a text)."""
    try:
        content = tomllib.loads((drafts.read_as_of(session, actor, draft_id, path, version) or b"").decode("utf-8"))
    except (ValueError, RecursionError) as trouble:
        raise errors.Invalid("draft.not_toml") from trouble
    if not fits(content):
        raise errors.Invalid("draft.not_toml")
    return content


def through_the_eyes_of(role: str) -> tuple[forms.Readable, forms.Writable]:
    """What a role reads and writes, in a case that is hers to know."""
    held = ROLES[role]
    return lambda found, _author="": bool(set(held.reads) & {found.class_, *found.also}), lambda found: found.class_ in held.writes


def preview(definition: definitions.FormDefinition, role: str, today: date, language: str, around: Mapping[str, Any], *, is_known: bool = False) -> forms.Form:
    """The form as somebody of a role has it, of somebody of whom nothing is known, or everything (`is_known`: made-up answers)."""
    readable, writable = through_the_eyes_of(role)
    known = {}
    if is_known:
        at = datetime(today.year, today.month, today.day, 9, tzinfo=UTC)
        for name in definition.field_ids:
            spec = definition.dictionary.fields[name]
            if spec.subject != "member" and spec.computed is None and spec.validity != "P0D":
                value = samples.stored(spec, definition.dictionary, today)
                known[name] = forms.Known(name, value, "known", forms.Source("agency"), "", spec.owner, at, None, 1)
    return forms.ask(definition, known, readable, writable, today, language, around)


def not_asked_of(definition: definitions.FormDefinition, role: str) -> list[Field]:
    """The fields that the form names and that are not for this role to answer."""
    _, writable = through_the_eyes_of(role)
    return [spec for one in definition.sections for asked in one.ask if not writable(spec := definition.dictionary.fields[asked.field])]


def _readable_part(path: str, content: editing.Content, words: Dictionary) -> definitions.FormDefinition | None:
    """The form without what is wrong in it."""
    left = deepcopy(content)
    for _ in range(_MOST_ROUNDS):
        definition, wrong = definitions.read_one(path.rpartition("/")[2], left, words)
        if definition is not None:
            return definition
        if not editing.without(left, [editing.place_of(one.where, left) for one in wrong]):
            return None
        if not editing.asked(left):
            left.setdefault("confirmation", dict.fromkeys(("fr", "ar", "en"), "—"))
    return None


