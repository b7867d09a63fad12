"""What `masar run` keeps alive: the web server and the worker, each a process of its own, started again when one dies.

They live in sessions of their own, so that a Ctrl-C reaches only the one who started them; each holds the reading end of a pipe and stops
when the writing end closes, so that none is left behind even when their parent is killed.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

_PATIENCE = 12.0  # seconds that a process gets to end what it has in hand
_TOO_OFTEN = (5, 60.0)  # so many deaths within so many seconds: something is wrong that starting again does not mend


class GaveUp(Exception):
    """A process died too often; the text is one sentence for the person at the terminal."""


@dataclass
class Kept:
    """One process that is kept alive."""

    name: str
    command: Sequence[str]
    handed: Sequence[int] = ()  # file descriptors that it inherits
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)


class Supervisor:
    """Starts, watches and stops the processes it was given."""

    def __init__(self, kept: Sequence[Kept], environment: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._kept, self._environment, self._say = kept, dict(environment), say
        self._leash, self._held = os.pipe()

    def start(self) -> None:
        for one in self._kept:
            self._start(one)

    def watch(self) -> None:
        """One look: whoever died is started again, a little later each time. Raises GaveUp."""
        for one in self._kept:
            status = one.process.poll()
            if status is None:
                continue
            now = time.monotonic()
            one.deaths = [at for at in one.deaths if now - at < _TOO_OFTEN[1]] + [now]
            if len(one.deaths) >= _TOO_OFTEN[0]:
                raise GaveUp(f"The {one.name} stopped {len(one.deaths)} times within a minute ({_how(status)} the last time); what it said stands above.")
            self._say(f"The {one.name} stopped ({_how(status)}); starting it again.")
            time.sleep(0.2 * 2 ** len(one.deaths))
            self._start(one)

    def stop(self) -> None:
        """Asks each to end, waits, and ends by force whoever does not."""
        alive = [one for one in self._kept if one.process and one.process.poll() is None]
        for one in alive:
            one.process.terminate()
        end = time.monotonic() + _PATIENCE
        for one in alive:
            try:
                one.process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"The {one.name} did not stop by itself and is ended.")
                one.process.kill()
                one.process.wait()
        for end_of_pipe in (self._leash, self._held):
            with suppress(OSError):
                os.close(end_of_pipe)

    def _start(self, one: Kept) -> None:
        one.process = subprocess.Popen(
            [*one.command, "--leash", str(self._leash)], env=self._environment, pass_fds=(self._leash, *one.handed), stdin=subprocess.DEVNULL, start_new_session=True
        )


def end_with_parent(leash: int | None) -> None:
    """In a kept process: ends it (as SIGTERM does) when the one who started it is gone."""
    if leash is None:
        return

    def wait() -> None:
        os.read(leash, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="leash", daemon=True).start()


def _how(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
