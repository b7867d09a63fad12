"""Files that anybody sent, judged beside the edition they would join, in a process of their own: what hangs or swells ends with it.

`python -m engine.casework.judging` is that process: it reads one request on its input, answers on its output, and knows nothing of this installation.
"""

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import msgspec

from engine import i18n
from engine.actors import roles
from engine.casework import archives
from engine.errors import Finding
from engine.pathway.judgement import House, judge
from engine.pathway.sources import Sources
from forms import text as words

MOST_FILES = 200
_MEMORY = 1_000_000_000
_SECONDS_ALONE, _SECONDS_EACH, _SECONDS_WHOLE, _PATIENCE = 2, 0.4, 30, 90  # of processor time: the files alone, more for each; then the whole; of the clock
_SPENT = 77  # how the process says that it had not memory enough
_ENDED = {_SPENT, -signal.SIGXCPU, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGABRT}
_ROOT = Path(__file__).parents[2]
_PLACES = BoundedSemaphore(2)  # processes at work at once; whoever comes later waits


def examine(given: Sequence[tuple[str, bytes]], edition: Mapping[str, bytes], house: House) -> list[Finding]:
    """What is found in these files (name, content), in the place of those of the edition that have their names; of the rest of it, errors only."""
    files, findings = placed(given, edition)
    if files:
        findings += _asked(files, {path: content for path, content in edition.items() if path not in files}, house)
    return findings


def placed(given: Sequence[tuple[str, bytes]], edition: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[Finding]]:
    """The files by their path in an edition, and what is none of its kinds."""
    files: dict[str, bytes] = {}
    findings: list[Finding] = []
    for name, content in given:
        short = name.replace("\\", "/").rpartition("/")[2][:200]
        path = archives.place(short, content, edition)
        if not path and short.lower().endswith(".toml"):
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
    """The sentence of a finding, whether it is the engine's or a form's; a role by its name."""
    role = details.get("role")
    details = {**details, "role": i18n.translate(f"role.{role}", language)} if isinstance(role, str) and role in roles.ROLES else details
    return words.say(code, language, **details) if code in words.messages() else i18n.translate(code, language, **details)


def _asked(files: Mapping[str, bytes], others: Mapping[str, bytes], house: House) -> list[Finding]:
    request = msgspec.msgpack.encode({"files": files, "others": others, "operations": sorted(house.operations)})
    names = ", ".join(path.rpartition("/")[2] for path in files)[:200]
    command, surroundings = [sys.executable, "-m", "engine.casework.judging"], {"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        with _PLACES:
            done = subprocess.run(command, input=request, capture_output=True, timeout=_PATIENCE, env=surroundings, cwd=_ROOT, check=False)
    except subprocess.TimeoutExpired:
        return [Finding("check.too_heavy", names, {"name": names})]
    if done.returncode in _ENDED:
        return [Finding("check.too_heavy", names, {"name": names})]
    if done.returncode:
        raise RuntimeError(f"judging ended with {done.returncode}: {done.stderr.decode('utf-8', 'replace')[-400:]}")
    return [Finding(**one) for one in json.loads(done.stdout)]


def _answer(request: Mapping[str, Any]) -> list[Finding]:
    files, others = request["files"], request["others"]
    house = House(roles.ROLES, roles.APART, roles.ALONE, roles.opens, frozenset(request["operations"]))
    _allow(_SECONDS_ALONE + _SECONDS_EACH * len(files))
    judge(Sources(files), house)
    _allow(_SECONDS_WHOLE)
    given = {path.rpartition("/")[2] for path in files}
    found = judge(Sources({**others, **files}), house)
    return [one for one in found if one.severity == "error" or one.where.partition("#")[0] in given]


def _allow(seconds: float) -> None:
    """From now on, so much processor time; whoever takes more is ended by the system."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (int(spent.ru_utime + spent.ru_stime + seconds + 1), resource.RLIM_INFINITY))


def main() -> None:
    """The process: one request, one answer."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        found = _answer(msgspec.msgpack.decode(sys.stdin.buffer.read()))
    except MemoryError:
        sys.exit(_SPENT)
    sys.stdout.write(json.dumps([asdict(one) for one in found], ensure_ascii=True, default=str))


if __name__ == "__main__":
    main()
