"""The log for whoever checks it: checkpoints, proofs, keys. No account is asked for: hashes and signatures tell nothing of anybody."""

import base64
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from api import problems
from api.dependencies import Body, database_of
from engine import errors
from engine.actors import users
from engine.casework import receipts
from engine.ledger import log

router = APIRouter(prefix="/log", tags=["log"])
_MOST = 2**62
Size = Annotated[int, Path(ge=1, le=_MOST, description="How many entries the log had.")]


@dataclass(frozen=True)
class Key:
    """A key that signed the log. `word`: the note by which the key before vouches for it; empty for the first, and for one made after a loss."""

    key: str
    word: str


@dataclass(frozen=True)
class Witness:
    """Whose word is kept with the checkpoints."""

    key: str
    agency: str


@dataclass(frozen=True)
class Checkpoint:
    """The log as it stood: a C2SP checkpoint as a signed note, with the lines of the witnesses that saw it. `root` is in base64."""

    size: int
    root: str
    note: str
    keys: tuple[Key, ...]
    witnesses: tuple[Witness, ...]


@dataclass(frozen=True)
class Consistency:
    """That the log of `old` entries is the beginning of that of `new`: hashes in base64, in the order of RFC 9162."""

    old: int
    new: int
    proof: tuple[str, ...]


@dataclass(frozen=True)
class Opening:
    """What shows that the line committed to the paper's code: SHA-256 of the salt (hex) and the value as JSON."""

    name: str
    salt: str
    value: str


@dataclass(frozen=True)
class Place:
    """Where the line stands in the log: `proof` leads from its leaf to the root of `checkpoint`."""

    index: int
    proof: tuple[str, ...]
    checkpoint: str


@dataclass(frozen=True)
class Receipt:
    """A paper's verifiable form. `opening` is null once the person's data were erased."""

    format: str
    code: str
    line: str
    opening: Opening | None
    log: Place
    keys: tuple[Key, ...]
    witnesses: tuple[Witness, ...]


class Word(Body):
    line: str = Field(min_length=1, max_length=500, description="The witness's line, as C2SP tlog-cosignature writes it.")


@router.get("/checkpoint", responses=problems.described(404))
def checkpoint(request: Request) -> Checkpoint:
    """The newest checkpoint. There is none before the first minute."""
    with database_of(request).reading(users.VISITOR) as session:
        return _told(session, log.latest(session))


@router.get("/checkpoints/{size}", responses=problems.described(404))
def checkpoint_of(request: Request, size: Size) -> Checkpoint:
    """The checkpoint of that size."""
    with database_of(request).reading(users.VISITOR) as session:
        return _told(session, log.of_size(session, size))


@router.get("/consistency", responses=problems.described(404, 422))
def consistency(
    request: Request,
    old: Annotated[int, Query(ge=1, le=_MOST, examples=[120], description="The size that was seen before.")],
    new: Annotated[int, Query(ge=1, le=_MOST, examples=[128], description="The size of the checkpoint that is to begin with it.")],
) -> Consistency:
    """The proof that nothing was rewritten between two checkpoints."""
    with database_of(request).reading(users.VISITOR) as session:
        return Consistency(old, new, tuple(base64.b64encode(one).decode() for one in log.consistency(session, old, new)))


@router.post("/checkpoints/{size}/cosignatures", responses=problems.described(404, 422))
def cosign(request: Request, size: Size, asked: Word) -> Witness:
    """Leaves a witness's word on a checkpoint. The signature is all the authority it needs; only witnesses named at the installation are kept."""
    with database_of(request).unit_of_work(users.VISITOR) as session:
        key = log.take_cosignature(session, size, asked.line)
        agency = next(agency for known, agency in log.witnesses(session) if known == key)
    return Witness(str(key), agency)


@router.get("/receipts/{code}", responses=problems.described(404, 409))
def receipt(request: Request, code: Annotated[str, Path(max_length=20)]) -> Receipt:
    """The verifiable form of a receipt or letter, by the code printed on it. It names nobody, and is checked offline by `verify_receipt.py`."""
    with database_of(request).reading(users.VISITOR) as session:
        found = receipts.proof(session, code)
    return Receipt(**found | {"opening": found["opening"] and Opening(**found["opening"]), "log": Place(**found["log"]),
                              "keys": tuple(Key(**one) for one in found["keys"]), "witnesses": tuple(Witness(**one) for one in found["witnesses"])})  # fmt: skip


def _told(session: Any, found: log.Sealed | None) -> Checkpoint:
    if found is None:
        raise errors.NotFound("log.no_such_entry")
    keys = tuple(Key(one["key"], one["word"]) for one in log.key_chain(session))
    return Checkpoint(found.size, base64.b64encode(found.root).decode(), found.note, keys, tuple(Witness(str(key), agency) for key, agency in log.witnesses(session)))
