"""What is said at a terminal when something is missing: one sentence for each trouble that a person can mend, never a traceback."""

import errno
import fcntl
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from engine import errors, i18n, installation, postgres, settings, supervisor
from engine.database import Unreachable


class Stop(Exception):
    """What was asked cannot be done; the text is the sentence."""


TROUBLE = (Stop, Unreachable, installation.Unusable, postgres.ServerTrouble, settings.Misconfigured, supervisor.GaveUp, errors.Refusal, DBAPIError)


def say(text: str) -> None:
    print(text, flush=True)


def bar() -> Callable[[float], None]:
    """Shows which share of something long is done: a bar redrawn in place at a terminal, elsewhere a line for each quarter."""
    shown = -1

    def show(share: float) -> None:
        nonlocal shown
        percent = int(share * 100)
        if percent == shown:
            return
        if sys.stdout.isatty():
            print(f"\r  [{'#' * (percent // 4):<25}] {percent:3d} %", end="\n" if percent == 100 else "", flush=True)
        elif percent // 25 != shown // 25:
            say(f"  {percent} %")
        shown = percent

    return show


def explain(trouble: Exception) -> None:
    """Says a trouble on the error output."""
    if isinstance(trouble, errors.Refusal):
        lines = [i18n.translate(trouble.code, "en", **trouble.details), *(_finding(found) for found in trouble.findings)]
    elif isinstance(trouble, DBAPIError):
        lines = [f"The database refused: {str(trouble.orig).strip().splitlines()[0]}."]
    else:
        lines = [str(trouble)]
    print("masar: " + "\n  ".join(lines), file=sys.stderr, flush=True)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises Stop: the port is taken, not ours to take, or the host is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
        door.listen(512)
    except OSError as trouble:
        door.close()
        if trouble.errno == errno.EADDRINUSE:
            reason = f"Port {port} is taken by another program: stop that one, or choose another port, for example MASAR_PORT={port + 1 if port < 65535 else 8001}."
        elif trouble.errno == errno.EACCES:
            reason = f"Port {port} needs rights that you do not have here: choose one above 1023, for example MASAR_PORT=8000."
        else:
            reason = f"{host}:{port} cannot be listened on ({trouble.strerror or trouble}): correct MASAR_HOST or MASAR_PORT."
        raise Stop(reason) from trouble
    return door


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Only one server runs from a folder at a time. Raises Stop: another does, or the folder cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark = open(folder / "masar.pid", "a+")
    except OSError as trouble:
        raise Stop(f"The folder {folder} cannot be written to ({trouble.strerror}): give its owner's rights, or choose another with MASAR_VAR.") from trouble
    with mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as trouble:
            mark.seek(0)
            raise Stop(f"Masar is running from this folder already (process {mark.read().strip() or 'unknown'}): stop it there first, with Ctrl-C.") from trouble
        mark.truncate(0)
        mark.write(str(os.getpid()))
        mark.flush()
        yield


def _finding(found: errors.Finding) -> str:
    return ": ".join(part for part in (found.where, found.message or i18n.translate(found.code, "en", **found.details)) if part)
