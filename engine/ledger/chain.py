"""The chain: how a line is written, hashed, and proved. Pure: no database, no keys.

A line is canonical JSON (RFC 8785); its hash is SHA-256 of its bytes; it names the hash before it. Personal values are never in it,
only commitments: SHA-256 over a salt of their own and the canonical value.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import rfc8785

VERSION = 1
BEGINNING = bytes(32)


@dataclass(frozen=True)
class Fault:
    """What a line is not: `code` one of `gap`, `hash`, `prev`, `form`, `commitment`."""

    instance_id: UUID
    seq: int
    code: str


_LARGEST = 2**53 - 1
_plain = msgspec.json.Encoder(order="sorted")


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes. Numbers beyond exact doubles must come as text: rfc8785 refuses them.

    Without fractions and with names in ASCII, as nearly every line has it, the standard encoder writes the same bytes in a third of the time.
    """
    return _plain.encode(value) if _is_plain(value) else rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return -_LARGEST <= value <= _LARGEST
    if kind is dict:
        for name in value:
            if type(name) is not str or not name.isascii():
                return False
        value = value.values()
    elif kind is not list and kind is not tuple:
        return False
    for inner in value:
        if type(inner) is not str and not _is_plain(inner):
            return False
    return True


def write(instance_id: UUID, seq: int, prev: bytes, kind: str, occurred_at: str, recorded_at: str, actor: Mapping[str, str], edition: int | None,
          body: Mapping[str, Any], commitments: Mapping[str, str]) -> tuple[str, bytes]:  # fmt: skip
    """A line and its hash."""
    line = canonical({
        "v": VERSION, "instance": str(instance_id), "seq": seq, "prev": prev.hex(), "kind": kind, "occurred_at": occurred_at, "recorded_at": recorded_at,
        "actor": dict(actor), "edition": edition, "body": dict(body), "sealed": dict(commitments),
    })  # fmt: skip
    return line.decode(), hashlib.sha256(line).digest()


def salt() -> bytes:
    return os.urandom(16)


def commit(salt_: bytes, value: Any) -> str:
    """The commitment to a value: opened by showing the salt and the value."""
    return hashlib.sha256(salt_ + canonical(value)).hexdigest()


def commitments(opened: Mapping[str, tuple[bytes, Any]]) -> dict[str, str]:
    """What a line that sealed these (name → salt, value) committed to."""
    return {name: commit(salt_, value) for name, (salt_, value) in opened.items()}


def verify(instance_id: UUID, lines: Iterable[tuple[int, str, bytes]]) -> list[Fault]:
    """The faults of one instance's lines (seq, line, hash), in order: a gap, a changed line, a broken link, a line of another instance."""
    faults: list[Fault] = []
    expected, prev, instance = 1, BEGINNING, str(instance_id)
    for seq, line, digest in lines:
        faults += [Fault(instance_id, at, code) for at, code in verify_line(instance, expected, prev, seq, line.encode(), digest)[1]]
        expected, prev = seq + 1, digest
    return faults


def verify_line(instance: str, expected: int, prev: bytes, seq: int, line: bytes, digest: bytes) -> tuple[Mapping[str, Any], list[tuple[int, str]]]:
    """What a line tells, and its faults (number, code), where the line `expected` was to come after the hash `prev`."""
    faults = [(expected, "gap")] if seq != expected else []
    if hashlib.sha256(line).digest() != digest:
        faults.append((seq, "hash"))
    try:
        told, is_plain = read(line)
        is_canonical = (again(told) if is_plain else canonical(told)) == line
    except (ValueError, RecursionError):
        return {}, [*faults, (seq, "form")]
    if not isinstance(told, dict):
        return {}, [*faults, (seq, "form")]
    if not is_canonical or told.get("instance") != instance or told.get("seq") != seq or type(told.get("sealed")) is not dict:
        faults.append((seq, "form"))
    if told.get("prev") != prev.hex():
        faults.append((seq, "prev"))
    return told, faults


def read(written: bytes) -> tuple[Any, bool]:
    """What JSON says, and whether it holds no fraction. Raises ValueError: it is none."""
    try:
        return _without_fractions.decode(written), True
    except _Fraction:
        return msgspec.json.decode(written), False


def again(value: Any) -> bytes:
    """RFC 8785 bytes of what was read and holds no fraction: what the standard encoder writes, but for names beyond U+E000, which it puts in another order."""
    written = _plain.encode(value)
    return written if written.isascii() or len(written.translate(None, _BEYOND)) == len(written) else canonical(value)


_BEYOND = bytes(range(0xEE, 0x100))  # the first byte of such a character


class _Fraction(Exception):
    """A number that is no integer: its writing is RFC 8785's to say."""


def _refuse(_written: str) -> float:
    raise _Fraction


_without_fractions = msgspec.json.Decoder(float_hook=_refuse)
