"""Sealing: the values behind a line's commitments, under one key (AES-256-GCM, NIST SP 800-38D), bound to their place in the chain."""

import hashlib
import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.ledger import chain

_NONCE_BYTES = 12


class CannotOpen(Exception):
    """The key is not the one, or the bytes were moved or changed."""


def seal(key: bytes, instance_id: UUID, seq: int, values: Mapping[str, tuple[bytes, Any]]) -> bytes:
    """The bytes that hold name → (salt, value)."""
    content = msgspec.json.encode({name: [salt.hex(), value] for name, (salt, value) in values.items()})
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, zstandard.compress(content, 3), _place(instance_id, seq))


def unseal(key: bytes, instance_id: UUID, seq: int, ciphertext: bytes) -> dict[str, tuple[bytes, Any]]:
    """name → (salt, value). Raises CannotOpen."""
    try:
        content = AESGCM(key).decrypt(ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:], _place(instance_id, seq))
    except InvalidTag as trouble:
        raise CannotOpen(f"{instance_id} line {seq}") from trouble
    return {name: (bytes.fromhex(salt), value) for name, (salt, value) in msgspec.json.decode(zstandard.decompress(content)).items()}


class Opener:
    """Opens many lines one after the other, in one thread: what a key and a decompressor cost to be made ready is paid once."""

    def __init__(self) -> None:
        self._unpack = zstandard.ZstdDecompressor().decompress
        self._key = b""

    def commitments(self, key: bytes, place: bytes, ciphertext: bytes) -> dict[str, str]:
        """What a line that sealed this committed to. `place`: the instance and the line's number, 24 bytes. Raises CannotOpen."""
        if key is not self._key:
            self._key, self._cipher = key, AESGCM(key)
        try:
            opened, is_plain = chain.read(self._unpack(self._cipher.decrypt(ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:], place)))
        except (InvalidTag, ValueError, zstandard.ZstdError) as trouble:
            raise CannotOpen from trouble
        write = chain.again if is_plain else chain.canonical
        return {name: hashlib.sha256(bytes.fromhex(salt) + write(value)).hexdigest() for name, (salt, value) in opened.items()}


def _place(instance_id: UUID, seq: int) -> bytes:
    return instance_id.bytes + seq.to_bytes(8)
