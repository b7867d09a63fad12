"""What a diagram of a draft may name: forms, roles, lanes, operations, messages, decisions, processes, letters, tasks, fields, with their labels.

Read from the draft's files as they are, the others' mistakes included: a file that cannot be read names nothing here, and the judge says why. What is
offered is not what is allowed: that is the judge's alone.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.actors import roles
from engine.actors.agencies import ANETI, CPS, OTE, PARTNERS
from engine.casework.kept import Kept
from engine.casework.operations import TAKES
from engine.i18n import pick
from engine.pathway import markup, naming
from engine.pathway.additions import MASAR
from engine.pathway.spiff.extensions import BPMN, PLACES, UNITS

Names = Mapping[str, str]
# The lanes, as the judge knows them, by agency; their labels in the three languages.
LANES = {
    "OTE": (OTE, {"fr": "OTE", "ar": "الديوان", "en": "OTE"}),
    "CPS": (CPS, {"fr": "CPS", "ar": "النهوض الاجتماعي", "en": "CPS"}),
    "ANETI": (ANETI, {"fr": "ANETI", "ar": "الوكالة", "en": "ANETI"}),
    "Partenaires": (PARTNERS, {"fr": "Partenaires", "ar": "الشركاء", "en": "Partners"}),
}
_B, _M = f"{{{BPMN}}}", f"{{{MASAR}}}"
_titles = Kept[Names](400)
_DATES = ("date", "datetime")
_TASKS = {f"{_B}userTask", f"{_B}manualTask"}


@dataclass(frozen=True)
class Named:
    """Something of the draft that a diagram may name. `file`: where it is written; `group`: of a date, the label of its group."""

    id: str
    names: Names
    file: str = ""
    group: Names = field(default_factory=dict)


@dataclass
class Vocabulary:
    """Everything by kind, in the order in which it is shown. `events`: of each message, what hears it; `dates`: the fields that a task may be due by; `lanes`: name → agency and labels; `roles`: role → agencies; `operations`: name → parameters."""

    forms: list[Named] = field(default_factory=list)
    letters: list[Named] = field(default_factory=list)
    decisions: list[Named] = field(default_factory=list)
    processes: list[Named] = field(default_factory=list)
    tasks: list[Named] = field(default_factory=list)
    fields: list[Named] = field(default_factory=list)
    dates: list[Named] = field(default_factory=list)
    purposes: list[Named] = field(default_factory=list)
    lists: list[Named] = field(default_factory=list)
    pieces: list[Named] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    events: dict[str, list[Names]] = field(default_factory=dict)
    signals: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    escalations: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    lanes: Mapping[str, tuple[str, Names]] = field(default_factory=lambda: LANES)
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {name: tuple(sorted(role.agencies)) for name, role in roles.ROLES.items()})
    operations: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: TAKES)
    units: tuple[str, ...] = UNITS
    places: tuple[str, ...] = PLACES


def of(files: Mapping[str, bytes]) -> Vocabulary:
    """The vocabulary of these files (path → content)."""
    found, of_rows = Vocabulary(), set()
    for path, content in files.items():
        if path.endswith(".bpmn"):
            _diagram(path, content, found)
        elif path.endswith(".dmn"):
            found.decisions += _decisions(path, content)
        elif path.startswith("forms/tasks/"):
            found.forms += _titled(path, content)
        elif path.startswith("forms/letters/"):
            found.letters += _titled(path, content)
        elif path.startswith("forms/dictionary/"):
            _dictionary(path, content, found, of_rows)
    found.dates = [one for one in found.dates if one.id not in of_rows]
    for kind in ("forms", "letters", "decisions", "processes", "tasks", "fields", "dates"):
        getattr(found, kind).sort(key=lambda one: (one.file, one.id) if kind == "tasks" else one.id)
    for kind in ("messages", "signals", "errors", "escalations", "subjects"):
        setattr(found, kind, sorted(set(getattr(found, kind))))
    return found


def titles(files: Mapping[str, bytes], paths: Iterable[str], language: str) -> dict[str, str]:
    """What each of these files is called by whoever reads: a diagram by its process, a table by its decision, a form or a letter by its title, a page of the dictionary by its group; else by its name."""
    return {path: pick(_titles.get((path, content), lambda path=path, content=content: _title(path, content)), language) or path.rpartition("/")[2]
            for path in paths if (content := files.get(path)) is not None}  # fmt: skip


def _title(path: str, content: bytes) -> Names:
    if path.endswith(".toml"):
        written = _toml(content)
        group = written.get("group")
        return _labels(written.get("title")) or _labels(group.get("label") if isinstance(group, dict) else None)
    root = root_of(content)
    if root is None:
        return {}
    if path.endswith(".bpmn"):
        return next((names for node in root.iter(f"{_B}process") if (names := names_of(node))), {})
    decisions = list(_decisions(path, content))
    return next((one.names for one in decisions if one.names.get("fr") == root.get("name")), {"fr": root.get("name")} if root.get("name") else decisions[0].names if decisions else {})


def _diagram(path: str, content: bytes, found: Vocabulary) -> None:
    root = root_of(content)
    if root is None:
        return
    for message, names in naming.File(root).messages.items():
        found.events.setdefault(message, []).extend(names)
    for node in root.iter():
        kind = str(node.tag)
        if kind == f"{_B}process" and node.get("id"):
            found.processes.append(Named(node.get("id"), names_of(node), path))
        elif kind in _TASKS and node.get("id"):
            found.tasks.append(Named(node.get("id"), names_of(node), path))
        elif kind == f"{_M}message" and node.get("nom"):
            found.messages.append(node.get("nom"))
        elif kind == f"{_M}collection" and node.get("element"):
            found.subjects.append(node.get("element"))
        elif kind == f"{_M}tache" and node.get("sujet"):
            found.subjects.append(node.get("sujet"))
        elif kind in (f"{_B}message", f"{_B}signal") and node.get("name"):
            (found.messages if kind == f"{_B}message" else found.signals).append(node.get("name"))
        elif kind == f"{_B}error" and node.get("errorCode"):
            found.errors.append(node.get("errorCode"))
        elif kind == f"{_B}escalation" and node.get("escalationCode"):
            found.escalations.append(node.get("escalationCode"))


def names_of(node: Any) -> dict[str, str]:
    """The labels of an element, by language; those that are written."""
    found = {"fr": " ".join((node.get("name") or "").split())}
    for label in node.iterfind(f"{_B}extensionElements/{_M}libelle"):
        found[label.get("lang") or ""] = " ".join((label.text or "").split())
    return {language: text for language, text in found.items() if language and text}


def _decisions(path: str, content: bytes) -> Iterator[Named]:
    root = root_of(content)
    for node in () if root is None else root.iter():
        if isinstance(node.tag, str) and node.tag.rpartition("}")[2] == "decision" and node.get("id"):
            labels = {one.get("lang") or "": " ".join((one.text or "").split()) for one in node.iterfind(f"{{*}}extensionElements/{_M}libelle")}
            yield Named(node.get("id"), {"fr": node.get("name") or node.get("id"), **{language: text for language, text in labels.items() if language and text}}, path)


def _titled(path: str, content: bytes) -> Iterator[Named]:
    written = _toml(content)
    if isinstance(written.get("id"), str):
        yield Named(written["id"], _labels(written.get("title")), path)


def _dictionary(path: str, content: bytes, found: Vocabulary, of_rows: set[str]) -> None:
    """The fields of a page of the dictionary; `of_rows` takes those of lists, of which there is one a row and none of the case."""
    written = _toml(content)
    fields, group = written.get("fields"), written.get("group")
    for kind in ("purposes", "lists", "pieces"):
        entries = written.get(kind)
        getattr(found, kind).extend(Named(name, _labels(one.get("label")), path) for name, one in (entries.items() if isinstance(entries, dict) else ()) if isinstance(one, dict))
    for name, one in fields.items() if isinstance(fields, dict) else ():
        spec = one if isinstance(one, dict) else {}
        found.fields.append(Named(name, _labels(spec.get("label")), path))
        if spec.get("type") in _DATES:
            found.dates.append(Named(name, _labels(spec.get("label")), path, _labels(group.get("label") if isinstance(group, dict) else None)))
        if isinstance(spec.get("items"), list):
            of_rows.update(filter(lambda item: isinstance(item, str), spec["items"]))


def _labels(written: Any) -> Names:
    return {language: text for language, text in written.items() if isinstance(text, str)} if isinstance(written, dict) else {}


def _toml(content: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}


def root_of(content: bytes) -> Any:
    """What an XML file holds, None where it cannot be read."""
    try:
        return markup.parse(content)
    except markup.Unfit:
        return None
