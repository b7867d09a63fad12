"""The judge as a process: `python -m engine.casework.judge <socket>`, warm, that forks a child with limits for each judgement. Only `judges` starts and asks it.

On its socket come a letter and a descriptor. `J`: on that descriptor a child reads one request to the end (msgpack), judges, writes its findings (msgpack) and
ends; what became of it (`VERDICT`) is written after them. `L`: a published edition, judged well before, is read here once, so that children find it read.
It knows nothing of this installation: no database, no settings, no key. What a child writes is never read here. It ends when its socket closes.
"""

import ctypes
import gc
import os
import resource
import select
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from engine.actors import roles
from engine.errors import Finding
from engine.pathway.judgement import House, judge
from engine.pathway.sources import Sources

JUDGE, LEARN = b"J", b"L"
VERDICT = struct.Struct("<id")  # how the child ended (negative: by which signal), seconds of processor time
SPENT, BROKEN = 77, 78  # how a child says that it had not memory enough; that the fault is ours, and what it wrote the trace of it
MOST_FOUND = 500
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_MOST_LEARNT = 2
_NICE = 5
_ROOM = 64_000_000  # bytes that a child may have above its limit, to tell how it ended
_MOST_OF = 0.75

_learnt: list[Sources] = []


class Request(msgspec.Struct):
    """The files of an edition by path; what service tasks may call; seconds of processor time and of the clock, and bytes of memory, that the judgement may take."""

    files: dict[str, bytes]
    operations: list[str]
    seconds: int = 30
    patience: float = 90
    memory: int = 1_000_000_000


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    waker, wakes = socket.socketpair()
    wakes.setblocking(False)
    waker.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    gc.freeze()
    working: dict[int, socket.socket] = {}
    own = (control, waker, wakes)
    while True:
        ready, _, _ = select.select([control, waker], [], [])
        if waker in ready:
            with suppress(BlockingIOError):
                waker.recv(4096)
        _reap(working)
        if control in ready:
            letter, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if not letter:
                break
            door = socket.socket(fileno=descriptors[0])
            if letter == LEARN:
                with door, suppress(msgspec.DecodeError, OSError):
                    _learn(_read(door))
            else:
                _begin(door, working, own)
    for child in working:
        os.kill(child, signal.SIGKILL)


def _begin(door: socket.socket, working: dict[int, socket.socket], own: tuple[socket.socket, ...]) -> None:
    try:
        child = os.fork()
    except OSError:  # no room for one more process: the asker hears nothing, and says so
        door.close()
        return
    if child:
        working[child] = door
        return
    status = BROKEN
    try:
        signal.set_wakeup_fd(-1)
        for other in (*own, *working.values()):
            other.close()
        _die_with(os.getppid())
        status = _answer(door)
    finally:
        os._exit(status)


def _reap(working: dict[int, socket.socket]) -> None:
    while working:
        child, status, usage = os.wait4(-1, os.WNOHANG)
        if not child:
            return
        with working.pop(child) as door, suppress(OSError):
            door.send(VERDICT.pack(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)


def _answer(door: socket.socket) -> int:
    """In the child: one request, one answer; how it ends."""
    try:
        request = _read(door)
        _limit(request)
        found = judge(_beside(request.files), _house(request))
        more = len(found) - MOST_FOUND
        found = found[:MOST_FOUND] + [Finding("check.too_many", "", {"number": more}, severity=found[MOST_FOUND].severity)] if more > 0 else found
        written, status = msgspec.msgpack.encode(found, enc_hook=str), 0
    except Exception as trouble:
        if isinstance(trouble, MemoryError) or _is_short_of(request.memory):
            return SPENT
        written, status = traceback.format_exc().encode("utf-8", "replace"), BROKEN
    with suppress(OSError):
        door.sendall(written)
    return status


def _limit(request: Request) -> None:
    """From now on: so much time, so much memory, nothing written to a disk, and first in line where the machine has to end somebody."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, request.patience)
    resource.setrlimit(resource.RLIMIT_CPU, (request.seconds, request.seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (request.memory, request.memory + _ROOM))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as likely:
        likely.write("900")
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.nice(_NICE)


def _is_short_of(memory: int) -> bool:
    """Whether most of it was taken: then any error may come of it (a library that finds no room raises what it likes). Room is made to say so."""
    resource.setrlimit(resource.RLIMIT_AS, (memory + _ROOM, memory + _ROOM))
    with open("/proc/self/status") as told:
        peak = next(int(line.split()[1]) for line in told if line.startswith("VmPeak:"))
    return peak * 1024 > memory * _MOST_OF


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(BROKEN)


def _read(door: socket.socket) -> Request:
    with door.makefile("rb") as sent:
        return msgspec.msgpack.decode(sent.read(), type=Request)


def _house(request: Request) -> House:
    return House(roles.ROLES, roles.APART, roles.ALONE, roles.opens, frozenset(request.operations))


def _learn(request: Request) -> None:
    sources = _beside(request.files)
    judge(sources, _house(request))
    _learnt.insert(0, sources)
    del _learnt[_MOST_LEARNT:]
    gc.collect()
    gc.freeze()


def _beside(files: Mapping[str, bytes]) -> Sources:
    """The files, with what an edition that was learnt says in the same words taken from there."""
    made = [one.again(files) for one in _learnt]
    return max(made, key=lambda one: len(one.__dict__), default=Sources(files))


if __name__ == "__main__":
    main()
