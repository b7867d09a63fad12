"""The READMEs: a reader who types what they quote, or looks for it, finds it. Decisions with their dates are left as they were written."""

import re
import subprocess
from functools import cache

import pytest
from typer.main import get_command

from engine.cli import masar
from engine.demo import accounts
from tests.house.test_the_repository import ROOT

FILES = tuple(subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines())
READMES = [path for path in FILES if path.endswith("README.md")]
MADE = {"var/", "web/assets/dist/print/OFL.txt"}  # by `make run`
QUOTED = re.compile(r"`([^`\n]+)`|^    ((?:make|\.venv).*)$", re.MULTILINE)
FILE = re.compile(r"(?<![\w./<*])[\w/-]*[\w-]+\.(?:bpmn|css|dmn|html|js|json|md|mjs|py|sql|toml|txt|typ)(?![\w.])|(?<![\w./<*])(?:[\w.-]+/)+(?=[\s,;:)]|$)")
DOTTED = re.compile(r"(?<![\w./-])[a-z_]{2,}(?:\.[A-Za-z_]\w+)+(?![\w./])")
RUN = re.compile(r"-m ((?:engine|tests)[\w.]*)")


@cache
def quoted(readme):
    return [span or line for span, line in QUOTED.findall((ROOT / readme).read_text("utf-8").partition("\n## Decisions")[0])]


@cache
def words():
    """All that stands in the repository, but for the READMEs themselves."""
    read = (ROOT / path for path in FILES if path not in READMES)
    return "\n".join(path.read_bytes().decode("utf-8", "ignore") for path in read if path.exists())


def modules(dotted):
    """The files that a dotted name may mean, and what it names in them: the longest beginning that is a module or a package."""
    parts = dotted.split(".")
    for many in range(len(parts), 0, -1):
        end = "/" + "/".join(parts[:many])
        found = [path for path in FILES if path.endswith(".py") and f"/{path}".removesuffix(".py").removesuffix("/__init__").endswith(end)]
        if found:
            return found, parts[many:]
    return [], parts


@pytest.mark.parametrize("readme", READMES)
def test_every_file_and_folder_that_is_named_is_there(readme):
    named = {name for span in quoted(readme) for name in FILE.findall(span)} - MADE
    assert sorted(name for name in named if not any(f"/{path}".find(f"/{name}") >= 0 for path in FILES)) == []


@pytest.mark.parametrize("readme", READMES)
def test_what_is_named_of_a_module_is_in_it(readme):
    def is_lost(name):
        found, rest = modules(name)
        is_there = any(all(re.search(rf"\b{part}\b", (ROOT / path).read_text("utf-8")) for part in rest) for path in found)
        return bool(found) and not is_there and not re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", words())  # a code, a message, a field may begin as a module does

    assert sorted({name for span in quoted(readme) for name in DOTTED.findall(span) if not FILE.search(span) and is_lost(name)}) == []


@pytest.mark.parametrize("readme", READMES)
def test_every_command_that_is_told_can_be_typed(readme):
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    said = "\n".join(quoted(readme))
    assert set(re.findall(r"\bmake (\w+)", said)) <= targets
    assert set(re.findall(r"\bmasar ([a-z]+)\b", said)) <= set(get_command(masar).commands)
    assert [name for name in RUN.findall(said) if not any(path in (f"{name.replace('.', '/')}.py", f"{name.replace('.', '/')}/__main__.py") for path in FILES)] == []


def test_the_accounts_that_are_told_are_those_of_the_demonstration():
    table = (ROOT / "README.md").read_text("utf-8").partition("## Accounts")[2].partition("\n## ")[0]
    told = {(name, agency) for names, agency in re.findall(r"^\| (`[^|]+) \|[^|]+\| (\w+) \|$", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", names)}
    assert told and told <= {(one["username"], one["agency"]) for one in accounts.listed()}
