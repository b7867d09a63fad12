"""The key store: one key a person (or, where a case has no person, an instance), in files outside PostgreSQL and its backups.

Erasing a person is erasing her key: the lines of the ledger stay whole and verifiable, what they sealed can no longer be opened.
"""

import datetime as dt
import os
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from uuid import UUID

_KEY_BYTES = 32
_ERASED = "erased"
_IN_PART = "erased_in_part"
_NEXT = ".next"


class Damaged(ValueError):
    """A key file does not hold a key."""


class KeyStore:
    """Keys under `folder`, two letters a sub-folder; files are born whole (written aside, flushed, linked) and readable by their owner only."""

    def __init__(self, folder: Path, kept: int = 4096) -> None:
        self._folder, self._most = folder, kept
        self._kept: OrderedDict[UUID, tuple[bytes, tuple[int, int]]] = OrderedDict()  # with what its file is, since another process may erase or renew it
        self._lock = Lock()

    def __reduce__(self) -> tuple[type, tuple[Path, int]]:
        """Another process reads the same files."""
        return KeyStore, (self._folder, self._most)

    @property
    def log_folder(self) -> Path:
        """Where the keys lie that sign the log."""
        return self._folder / "log"

    def key(self, owner: UUID) -> bytes:
        """The owner's key, made at first need; when two processes make it at once, both get the one that was first."""
        return self.find(owner) or self._make(owner)

    def find(self, owner: UUID) -> bytes | None:
        """The owner's key, or None when there is none (never made, or erased)."""
        with self._lock:
            if owner in self._kept and self._kept[owner][1] == self._mark(owner):
                self._kept.move_to_end(owner)
                return self._kept[owner][0]
            self._kept.pop(owner, None)
        mark = self._mark(owner)
        try:
            key = self._path(owner).read_bytes()
        except FileNotFoundError:
            return None
        if len(key) != _KEY_BYTES:
            raise Damaged(f"the key file of {owner} is damaged")
        return self._keep(owner, key, mark)

    def erase(self, owner: UUID) -> None:
        """Forgets a key for ever; other processes open nothing with it from then on."""
        with self._lock:
            self._kept.pop(owner, None)
        self._path(owner).unlink(missing_ok=True)
        self._next(owner).unlink(missing_ok=True)

    def renew(self, owner: UUID) -> bytes:
        """Another key for what is kept of an owner, beside the one in use until `settle`."""
        self._next(owner).unlink(missing_ok=True)
        return self._write(self._next(owner))

    def settle(self, owner: UUID) -> None:
        """The new key takes the place of the old one, which is gone for ever; nothing happens where another process has put it there."""
        with self._lock:
            self._kept.pop(owner, None)
        with suppress(FileNotFoundError):
            os.replace(self._next(owner), self._path(owner))
        self._flush(self._path(owner).parent)

    def drop_next(self, owner: UUID) -> None:
        """Puts away a new key that nothing was sealed with."""
        self._next(owner).unlink(missing_ok=True)

    def renewing(self) -> dict[UUID, bytes]:
        """New keys that nobody settled: whoever did died, or is at it."""
        return {UUID(path.name.removesuffix(f".key{_NEXT}")): path.read_bytes() for path in self._folder.glob(f"*/*{_NEXT}")}

    def remember_in_part(self, owner: UUID, kept: Sequence[str], at: dt.datetime) -> None:
        """Writes down of whom all but some fields was erased and when, beside the keys as `remember` does."""
        told = sorted(kept), at.astimezone(dt.UTC).isoformat()
        if self.erased_in_part().get(owner) != told:
            self._append(_IN_PART, f"{owner} {','.join(told[0])} {told[1]}\n")

    def erased_in_part(self) -> dict[UUID, tuple[list[str], str]]:
        """Of whom all but these fields was erased, and when last ("" where that was not written down)."""
        try:
            lines = (self._folder / _IN_PART).read_text("ascii").splitlines()
        except FileNotFoundError:
            return {}
        told = ([*line.split(" "), ""][:3] for line in lines)
        return {UUID(owner): ([one for one in kept.split(",") if one], at) for owner, kept, at in told}

    def remember(self, owner: UUID) -> None:
        """Writes down that an owner was erased, beside the keys and so outside the database: an old backup of that one knows nothing of it."""
        if owner in self.erased():
            return
        self._append(_ERASED, f"{owner}\n")

    def erased(self) -> set[UUID]:
        """The owners that were erased."""
        try:
            return {UUID(line) for line in (self._folder / _ERASED).read_text("ascii").split()}
        except FileNotFoundError:
            return set()

    def _make(self, owner: UUID) -> bytes:
        path = self._path(owner)
        aside = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        self._write(aside)
        try:
            os.link(aside, path)
        except FileExistsError:
            pass  # another process was first: its key counts
        finally:
            aside.unlink()
        self._flush(path.parent)
        return self._keep(owner, path.read_bytes(), self._mark(owner))

    def _write(self, path: Path) -> bytes:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = os.urandom(_KEY_BYTES)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        return key

    def _append(self, name: str, line: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def _flush(self, path: Path) -> None:
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _keep(self, owner: UUID, key: bytes, mark: tuple[int, int] | None) -> bytes:
        if mark is not None:
            with self._lock:
                self._kept[owner] = (key, mark)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return key

    def _mark(self, owner: UUID) -> tuple[int, int] | None:
        """What tells one file of a key from another that took its place."""
        try:
            found = self._path(owner).stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def _next(self, owner: UUID) -> Path:
        path = self._path(owner)
        return path.with_name(f"{path.name}{_NEXT}")

    def _path(self, owner: UUID) -> Path:
        return self._folder / owner.hex[-2:] / f"{owner}.key"
