"""`masar …` in a process of its own that need not import Masar first: forked from one that did, which costs a second or two less each time."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from engine import cli

ROOT = Path(__file__).parents[2]
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([__name__])


def masar(arguments: Sequence[str], environment: Mapping[str, str], seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """What a command that ends by itself said, as `subprocess.run` tells it."""
    with TemporaryDirectory() as folder:
        said, warned = Path(folder) / "stdout", Path(folder) / "stderr"
        child = _SERVER.Process(target=_run, args=(list(arguments), dict(environment), str(said), str(warned)))
        child.start()
        child.join(seconds)
        if child.exitcode is None:
            child.kill()
            raise subprocess.TimeoutExpired(list(arguments), seconds)
        return subprocess.CompletedProcess(list(arguments), child.exitcode, said.read_text(), warned.read_text())


def _run(arguments: list[str], environment: dict[str, str], said: str, warned: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    for path, number in ((said, 1), (warned, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["masar", *arguments]
    cli.main()
