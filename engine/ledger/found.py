"""What proving finds (`proving`, `proving_log`), and how it reads: by ranges of keys, past SQLAlchemy."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.types.string import ByteaBinaryLoader
from sqlalchemy import text
from sqlmodel import Session

# By index, whatever the planner takes the tables for: pages come in the order of the keys, and of what is not asked for nothing is read.
_BY_INDEX = text("SELECT set_config(name, 'off', true) FROM unnest(ARRAY['enable_seqscan', 'enable_bitmapscan', 'enable_sort', 'enable_hashjoin', 'enable_mergejoin']) name")


@dataclass(frozen=True)
class Wrong:
    """The first thing wrong with a case (or with the log: `instance_id` None). `code` as in README; `seq`: its line; `index`: its place in the log."""

    code: str
    instance_id: UUID | None = None
    seq: int | None = None
    index: int | None = None
    about: str = ""


@dataclass
class Proof:
    """What was looked at, what is wrong, and what could not be checked."""

    wrong: list[Wrong] = field(default_factory=list)
    chains: int = 0
    lines: int = 0
    entries: int = 0
    unsealed: int = 0
    erased: int = 0
    checkpoints: int = 0
    cosignatures: int = 0
    oldest_unsealed: str = ""  # when the oldest of them was recorded
    roots: dict[int, bytes] = field(default_factory=dict)  # of the sizes asked for

    def __iadd__(self, other: "Proof") -> "Proof":
        self.wrong += other.wrong
        for name in ("chains", "lines", "entries", "unsealed", "erased", "checkpoints", "cosignatures"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.oldest_unsealed = min(filter(None, (self.oldest_unsealed, other.oldest_unsealed)), default="")
        self.roots |= other.roots
        return self


@dataclass(frozen=True)
class Seen:
    """A checkpoint that somebody keeps elsewhere (a witness), and who."""

    by: str
    size: int
    root: bytes


class Reader:
    """Rows of one session as tuples, UUIDs and texts as bytes."""

    def __init__(self, session: Session) -> None:
        session.execute(_BY_INDEX)
        self._cursor = session.connection().connection.driver_connection.cursor(binary=True)
        for kind in ("uuid", "text"):
            self._cursor.adapters.register_loader(kind, ByteaBinaryLoader)

    def rows(self, statement: str, **asked: Any) -> list[Any]:
        """All the rows of a statement."""
        return self._cursor.execute(statement, asked, prepare=True).fetchall()
