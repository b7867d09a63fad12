"""Files that anybody wrote, judged in a process of its own with limits (`judges`): of a draft, of an edition about to be published, sent to be checked.

What hangs or swells ends with that process and is a finding that names the file, `check.too_heavy`. The same files are judged once.
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from threading import BoundedSemaphore, Lock, Thread
from typing import Any

from engine import i18n
from engine.actors import roles
from engine.actors.agencies import AGENCIES
from engine.casework import archives, judge, judges
from engine.errors import Finding
from engine.pathway.judgement import House
from engine.pathway.questions import AGENCY_OF_LANE
from engine.pathway.spiff.extensions import UNITS
from forms import text as words

MOST_FILES = archives.MOST_FILES
UNJUDGED = frozenset({"check.too_heavy", "check.busy"})  # nothing else is known of the files then
_SECONDS, _EACH_FILE, _EACH_STEP, _MOST_SECONDS = 3.0, 0.2, 0.01, 30.0  # of processor time: whole; more for each file that is new, for each step of a scenario
_OFTEN, _WAITING = 3, 10.0  # of the clock: so many times that, and more for a machine that does other things
_SUSPECTS, _SECONDS_ALONE = 8, 3  # which of several files it was is looked for in the largest
_KEPT = 64

Findings = tuple[Finding, ...]
_judged: OrderedDict[str, "Future[Findings]"] = OrderedDict()
_lock, _watching = Lock(), BoundedSemaphore(judges.WAITING)
_learnt: set[str] = set()


def judged(files: Mapping[str, bytes], house: House, known: Mapping[str, bytes] | None = None) -> Findings:
    """Everything that is found in the files of an edition, errors first. `known`: the files of the edition that it comes from, which stand by themselves.

    Finds besides: `check.too_heavy`, and nothing else, where the judgement took more than it may; `check.busy` where too many are being made.
    """
    key = _key(files, house)
    with _lock:
        found = _judged.get(key)
        if found is None:
            mine = _judged[key] = Future()
            while len(_judged) > _KEPT:
                _judged.popitem(last=False)
        else:
            _judged.move_to_end(key)
    if found is not None:
        return found.result() if found.done() else _awaited(found)
    is_kept = False
    try:
        told, is_kept = _tell(files, house, known or {})
        mine.set_result(told)
    except BaseException as trouble:
        mine.set_exception(trouble)
        raise
    finally:
        if not is_kept:
            with _lock:
                if _judged.get(key) is mine:
                    del _judged[key]
    return told


def at_hand(files: Mapping[str, bytes], house: House) -> Findings | None:
    """The same, where these very files were judged before; None elsewhere."""
    with _lock:
        found = _judged.get(_key(files, house))
    return found.result() if found and found.done() and not found.exception() else None


def learn(files: Mapping[str, bytes], house: House) -> None:
    """Makes the judge read an edition in force beforehand, in the background: what drafts of it leave as it is costs nothing then."""
    key = _key(files, house)
    with _lock:
        if key in _learnt:
            return
        _learnt.add(key)

    def read() -> None:
        if not any(one.code in UNJUDGED for one in judged(files, house)):
            judges.learn(judge.Request(dict(files), sorted(house.operations)))

    Thread(target=read, name="the judge learns", daemon=True).start()


def examine(given: Sequence[tuple[str, bytes]], edition: Mapping[str, bytes], house: House) -> list[Finding]:
    """What is found in these files (name, content), in the place of those of the edition that have their names; of the rest of it, errors only."""
    files, findings = placed(given, edition)
    if files:
        names = {path.rpartition("/")[2] for path in files}
        found = judged({**edition, **files}, house, {path: content for path, content in edition.items() if path not in files})
        findings += [one for one in found if one.severity == "error" or not one.where or one.where.partition("#")[0] in names]
    return findings


def placed(given: Sequence[tuple[str, bytes]], edition: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[Finding]]:
    """The files by their path in an edition, and what is none of its kinds."""
    files: dict[str, bytes] = {}
    findings: list[Finding] = []
    for name, content in given:
        short = archives.short(name)[-200:]
        path = archives.place(short, content, edition)
        if not path and short.endswith(".toml"):
            path = f"forms/tasks/{short}"  # what cannot be read is told as such wherever it stands
        if not path:
            findings.append(Finding("check.file_kind", short, {"name": short}))
        elif path in files:
            findings.append(Finding("check.file_repeated", short, {"name": short}))
        else:
            files[path] = content
    return files, findings


def said(found: Finding, language: str) -> dict[str, str]:
    """A finding as it is told: `severity`, `code`, `file`, `element`, and the sentence in a language."""
    file, _, element = found.where.partition("#")
    return {"severity": found.severity, "code": found.code, "file": file, "element": element, "message": worded(found.code, found.details, language)}


def worded(code: str, details: Mapping[str, Any], language: str) -> str:
    """The sentence of a finding, whether it is the engine's or a form's."""
    details = {**details, **_in_words(details, language)}
    return words.say(code, language, **details) if code in words.messages() else i18n.translate(code, language, **details)


def _in_words(details: Mapping[str, Any], language: str) -> dict[str, str]:
    """What a finding names by its code, as people call it: an agency, a role, a class of data, languages, a property of what was drawn."""
    said, comma = {}, f"{i18n.translate('web.format.comma', language)} "
    plain = {name: value for name, value in details.items() if isinstance(value, str)}
    for name in ("agency", "owner", "lane"):
        agency = AGENCY_OF_LANE.get(plain.get(name, ""), plain.get(name))
        if agency in AGENCIES:
            said[name] = i18n.translate(f"agency.{agency}", language)
    for name, known, code in (("role", roles.ROLES, "role"), ("class", roles.CLASSES, "web.admin.class"), ("unit", UNITS, "web.editor.unit")):
        if plain.get(name) and plain[name] in known:
            said[name] = i18n.translate(f"{code}.{plain[name]}", language)
    if isinstance(held := details.get("roles"), list | tuple):
        said["roles"] = comma.join(i18n.translate(f"role.{one}", language) if one in roles.ROLES else str(one) for one in held)
    if "languages" in details:
        said["languages"] = comma.join(i18n.translate(f"comparison.tongue.{one}", language) for one in details["languages"])
    if "attribute" in details and (code := f"attribute.{details.get('name')}.{details['attribute']}") in i18n.catalogue(language):
        said["attribute"] = i18n.translate(code, language)
    return said


def _awaited(found: "Future[Findings]") -> Findings:
    if not _watching.acquire(blocking=False):
        return (Finding("check.busy"),)
    try:
        return found.result()
    finally:
        _watching.release()


def _tell(files: Mapping[str, bytes], house: House, known: Mapping[str, bytes]) -> tuple[Findings, bool]:
    """The findings, and whether they would be the same another time."""
    new = [path for path in sorted({*files, *known}, key=lambda one: -len(files.get(one, b""))) if files.get(path) != known.get(path)]
    try:
        first = _ask(files, house, min(_MOST_SECONDS, _SECONDS + _EACH_FILE * len(new) + _EACH_STEP * _steps(files)))
        if first.findings is not None:
            return first.findings, True
        heavy = _heaviest(new, files, known, house) if len(new) > 1 else new
    except judges.Busy:
        return (Finding("check.busy"),), False
    name = ", ".join(path.rpartition("/")[2] for path in heavy)[:200]
    return (Finding("check.too_heavy", name, {"name": name}),), not first.is_slow


def _heaviest(new: Sequence[str], files: Mapping[str, bytes], known: Mapping[str, bytes], house: House) -> Sequence[str]:
    """Which of several files it was: the largest that is too heavy with nothing else new; all of them where none is by itself."""
    for path in new[:_SUSPECTS]:
        if path in files and _ask({**known, path: files[path]}, house, _SECONDS_ALONE).findings is None:
            return [path]
    return new


def _ask(files: Mapping[str, bytes], house: House, seconds: float) -> judges.Judged:
    return judges.ask(judge.Request(dict(files), sorted(house.operations), math.ceil(seconds), _OFTEN * seconds + _WAITING))


def _steps(files: Mapping[str, bytes]) -> int:
    return sum(content.count(b"[[step]]") for path, content in files.items() if path.startswith("processes/scenarios/"))


def _key(files: Mapping[str, bytes], house: House) -> str:
    digest = hashlib.sha256("\0".join(sorted(house.operations)).encode())
    for path in sorted(files):
        digest.update(f"\0{path}\0{len(files[path])}\0".encode())
        digest.update(files[path])
    return digest.hexdigest()
