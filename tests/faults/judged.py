"""Judges files one by one, each in a child of a warm process that ends it after three seconds of processor time, and watches what Python is asked to do.

`python -m tests.faults.judged <<< '[["name", "hex of content"], …]'` writes one line of JSON a file: {name, findings, asked, ended}.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path

from engine import i18n
from engine.casework import cases, editions  # noqa: F401  (cases registers what service tasks may call)
from engine.casework.judging import placed, said
from engine.pathway.judgement import judge
from engine.pathway.sources import Sources
from forms import form

ROOT = Path(__file__).parents[2]
SECONDS, PATIENCE, MEMORY = 3, 60, 2_000_000_000
# Anything of the kind is code that ran, or a door that opened.
WATCHED = (
    "exec",
    "compile",
    "import",
    "open",
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.putenv",
    "os.remove",
    "os.rename",
    "ctypes.",
    "shutil.",
    "urllib.",
)


# What stands beside a file: one process to call, the table it may ask, the forms of its tasks. The whole edition would say the same, slower.
TABLES, PROCESS = ("admission.dmn", "doublon.dmn"), ("doublon.dmn", "cloture.bpmn")
FORMS = ("t801", "f81", "t803", "t804")
ACT = form.confirm_only("essai", {"fr": "Essai", "ar": "تجربة", "en": "Trial"})


def sources(name, content, base):
    """The file among those it needs: the project's tables for a diagram or a table, its dictionary for a form."""
    files, _ = placed([(name, content)], {})
    if not files:
        return None
    path = next(iter(files))
    if path.startswith("forms/dictionary/"):
        return Sources({one: raw for one, raw in base.files.items() if one.startswith("forms/dictionary/")} | files)
    if path.startswith("forms/"):
        made = Sources(files)
        made.__dict__["dictionary"] = base.dictionary
        return made
    made = Sources({one: raw for one, raw in base.files.items() if one.endswith(TABLES if path.endswith(".dmn") else PROCESS)} | files)
    made.__dict__.update(dictionary=base.dictionary, forms={one: base.forms[one] for one in FORMS} | {"essai": ACT}, _letters=base._letters)
    return made


def told(name, content, base, house):
    made = sources(name, content, base)
    if made is None:
        return [in_each_language(one) for one in placed([(name, content)], {})[1]]
    return [in_each_language(one) for one in judge(made, house)]


def in_each_language(found):
    return said(found, "fr") | {"said": {language: said(found, language)["message"] for language in i18n.LANGUAGES}}


def alone(name, content, base, house):
    """The outcome of one file, in a child."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            asked = []
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            signal.alarm(PATIENCE)
            is_watching = [True]
            sys.addaudithook(lambda event, _: asked.append(event) if is_watching[0] and event.startswith(WATCHED) else None)
            findings = told(name, content, base, house)
            is_watching[0] = False
            out = {"name": name, "findings": findings, "asked": asked, "ended": ""}
        except BaseException as trouble:  # whatever a file makes of Python is told
            out = {"name": name, "findings": [], "asked": [], "ended": f"{type(trouble).__name__}: {trouble}"[:300]}
        with os.fdopen(writing, "w") as line:
            line.write(json.dumps(out))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as line:
        written = line.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) or not written:
        return {"name": name, "findings": [], "asked": [], "ended": f"signal {os.WTERMSIG(status) if os.WIFSIGNALED(status) else status}"}
    return json.loads(written)


def main():
    base = Sources(editions.files_of(ROOT / "processes", ROOT / "forms"))
    house = editions.house()
    judge(base, house)
    for name in ("x.bpmn", "x.dmn", "x.toml"):
        told(name, b"<a/>", base, house)  # everything that is read once is read before anybody is watched
    for language in i18n.LANGUAGES:
        i18n.form_of(2, language, ("one", "other"))  # a language's plural rule, which Babel makes once
    for line in sys.stdin:
        name, content = json.loads(line)
        print(json.dumps(alone(name, bytes.fromhex(content), base, house)), flush=True)


if __name__ == "__main__":
    main()
