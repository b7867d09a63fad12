"""Asking the judge: one warm process a process of ours (`judge`), started at the first question, started again when it died, gone when we are.

`ask` answers in data what became of a judgement; what is judged, and how it is told, is `judging`'s.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Lock

import msgspec

from engine.casework import judge
from engine.errors import Finding

AT_ONCE, WAITING = 2, 8  # judgements at work; askers that wait for one to end, each holding a thread: whoever comes later is told so
_START = 30.0  # seconds that the judge may take to be there
_TRIES = 3
_LONGEST_ANSWER = 20_000_000
_ROOT = Path(__file__).parents[2]
_BY_LIMIT = {-signal.SIGXCPU, -signal.SIGALRM, -signal.SIGSEGV, -signal.SIGABRT, judge.SPENT}


class Busy(Exception):
    """Too many judgements are being made."""


class _Lost(Exception):
    """Nothing was heard of a judgement: the judge is dead."""


class _Killed(_Lost):
    """The child that judged was ended by somebody: a person, or a machine that has no memory left."""


@dataclass(frozen=True)
class Judged:
    """`findings`: None where the judgement was ended for taking too much, `is_slow` where it was the clock, or the machine, that ended it; `seconds` of processor time."""

    findings: tuple[Finding, ...] | None
    is_slow: bool
    seconds: float


class _Judge:
    """The process, while there is one."""

    def __init__(self) -> None:
        self._lock, self._places, self._waiting = Lock(), BoundedSemaphore(AT_ONCE), BoundedSemaphore(AT_ONCE + WAITING)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._is_closed = False

    def ask(self, request: judge.Request) -> Judged:
        written, patience = msgspec.msgpack.encode(request), request.patience
        with self._place():
            lost: list[_Lost] = []
            while len(lost) < _TRIES:
                try:
                    return self._heard(written, patience)
                except _Lost as trouble:
                    lost.append(trouble)
        if all(isinstance(one, _Killed) for one in lost):
            return Judged(None, True, 0.0)
        raise RuntimeError("the judge does not answer") from lost[-1]

    def learn(self, request: judge.Request) -> None:
        """Gives the judge an edition to read beforehand."""
        with suppress(_Lost, OSError), self._hand(judge.LEARN) as door:
            door.settimeout(_START)
            door.sendall(msgspec.msgpack.encode(request))

    def close(self, *, for_good: bool = True) -> None:
        """Ends the process and what it has in hand."""
        with self._lock:
            self._is_closed = self._is_closed or for_good
            self._end()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._waiting.acquire(blocking=False):
            raise Busy
        try:
            with self._places:
                yield
        finally:
            self._waiting.release()

    def _heard(self, written: bytes, patience: float) -> Judged:
        with self._hand(judge.JUDGE) as door:
            end = time.monotonic() + patience + _START
            door.settimeout(patience + _START)
            try:
                door.sendall(written)
                door.shutdown(socket.SHUT_WR)
                said = _all(door, end)
            except TimeoutError:  # it stands still: it, and not the files
                self.close(for_good=False)
                raise _Lost from None
            except OSError as trouble:
                raise _Lost from trouble
        if len(said) < judge.VERDICT.size:
            raise _Lost
        answer, (status, seconds) = said[: -judge.VERDICT.size], judge.VERDICT.unpack(said[-judge.VERDICT.size :])
        return _understood(answer, status, seconds)

    @contextmanager
    def _hand(self, letter: bytes) -> Iterator[socket.socket]:
        """A line of its own to the judge, for one request."""
        here, there = socket.socketpair()
        with here:
            with there, self._lock:
                for is_fresh in (False, True):
                    try:
                        socket.send_fds(self._line(), [letter], [there.fileno()], socket.MSG_NOSIGNAL)
                        break
                    except OSError as trouble:
                        self._end()
                        if is_fresh:
                            raise _Lost from trouble
            yield here

    def _line(self) -> socket.socket:
        if self._is_closed:
            raise RuntimeError("the judge was sent away")
        if self._process and self._process.poll() is not None:
            self._end()
        if self._control is None:
            self._control, theirs = socket.socketpair()
            with theirs:
                # Nothing of this installation's surroundings, and a session of its own: a Ctrl-C is ours to hear.
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "engine.casework.judge", str(theirs.fileno())], pass_fds=[theirs.fileno()], cwd=_ROOT, start_new_session=True,
                    env={"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                )  # fmt: skip
        return self._control

    def _end(self) -> None:
        control, process = self._control, self._process
        self._control = self._process = None
        if control:
            control.close()
        if process and process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its children are of its session; neither keeps anything
            process.wait()

    def forget(self) -> None:
        """In a fork of ours: the judge is our parent's."""
        if self._control:
            self._control.close()
        self.__init__()  # type: ignore[misc]


def _understood(answer: bytes, status: int, seconds: float) -> Judged:
    if status == 0:
        return Judged(tuple(msgspec.msgpack.decode(answer, type=list[Finding])), False, seconds)
    if status in _BY_LIMIT:
        return Judged(None, status == -signal.SIGALRM, seconds)
    if status == judge.BROKEN:
        raise RuntimeError(f"judging failed: {answer.decode('utf-8', 'replace')[-600:]}")
    raise _Killed


def _all(door: socket.socket, end: float) -> bytes:
    parts, size = [], 0
    while part := door.recv(1 << 18):
        parts.append(part)
        size += len(part)
        if size > _LONGEST_ANSWER or time.monotonic() > end:
            raise TimeoutError
    return b"".join(parts)


_judge = _Judge()
ask, learn, close = _judge.ask, _judge.learn, _judge.close
atexit.register(close)
os.register_at_fork(after_in_child=_judge.forget)


def pid() -> int | None:
    """The judge's process, while it lives."""
    return _judge.pid
