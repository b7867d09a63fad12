"""The key store: one key a person (or, where a case has no person, an instance), in files outside PostgreSQL and its backups.

Erasing a person is erasing her key: the lines of the ledger stay whole and verifiable, what they sealed can no longer be opened.
"""

import os
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from uuid import UUID

_KEY_BYTES = 32
_ERASED = "erased"


class KeyStore:
    """Keys under `folder`, two letters a sub-folder; files are born whole (written aside, flushed, linked) and readable by their owner only."""

    def __init__(self, folder: Path, kept: int = 4096) -> None:
        self._folder, self._most = folder, kept
        self._kept: OrderedDict[UUID, bytes] = OrderedDict()
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
            if owner in self._kept and self._path(owner).exists():  # another process may have erased it
                self._kept.move_to_end(owner)
                return self._kept[owner]
            self._kept.pop(owner, None)
        try:
            key = self._path(owner).read_bytes()
        except FileNotFoundError:
            return None
        if len(key) != _KEY_BYTES:
            raise ValueError(f"the key file of {owner} is damaged")
        return self._keep(owner, key)

    def erase(self, owner: UUID) -> None:
        """Forgets a key for ever; other processes open nothing with it from then on."""
        with self._lock:
            self._kept.pop(owner, None)
        self._path(owner).unlink(missing_ok=True)

    def remember(self, owner: UUID) -> None:
        """Writes down that an owner was erased, beside the keys and so outside the database: an old backup of that one knows nothing of it."""
        if owner in self.erased():
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(self._folder / _ERASED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
            file.write(f"{owner}\n")
            file.flush()
            os.fsync(file.fileno())

    def erased(self) -> set[UUID]:
        """The owners that were erased."""
        try:
            return {UUID(line) for line in (self._folder / _ERASED).read_text("ascii").split()}
        except FileNotFoundError:
            return set()

    def _make(self, owner: UUID) -> bytes:
        path = self._path(owner)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            pass  # another process was first: its key counts
        finally:
            aside.unlink()
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return self._keep(owner, path.read_bytes())

    def _keep(self, owner: UUID, key: bytes) -> bytes:
        with self._lock:
            self._kept[owner] = key
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return key

    def _path(self, owner: UUID) -> Path:
        return self._folder / owner.hex[-2:] / f"{owner}.key"
