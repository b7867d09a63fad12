"""What the code printed on a paper holds (`masar-receipt/1` in a few hundred bytes): the line that wrote it, and its way to a signed checkpoint. Pure.

Without any name in it, and with the key beside the signature: whoever has the paper needs no network to check it (`verify_receipt.py --qr`).
"""

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

from engine.ledger import notes

SEALED, UNSEALED = "MASAR1:", "MASAR1-"  # how the text begins
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"  # of base45 (RFC 9285), which a QR code writes in 5.5 bits a letter


def write(code: str, line: str, opening: Mapping[str, Any] | None, place: Mapping[str, Any] | None, keys: list[Mapping[str, str]]) -> str:
    """The text of the code. `place`: `index`, `proof` and `checkpoint` as a receipt's proof has them, None while the line is not sealed."""
    parts = [code.encode(), zlib.compress(line.encode(), 9), bytes.fromhex(opening["salt"]) if opening else b""]
    parts += _sealed(place, keys) if place else [b""] * 5
    return (SEALED if place else UNSEALED) + base45(b"".join(len(one).to_bytes(2, "big") + one for one in parts))


def is_sealed(slip: str) -> bool:
    """Whether a text holds a signature, or the line alone."""
    return slip.startswith(SEALED)


def base45(content: bytes) -> str:
    written = []
    for at in range(0, len(content), 2):
        number, length = int.from_bytes(content[at : at + 2], "big"), 3 if at + 1 < len(content) else 2
        for _ in range(length):
            number, digit = divmod(number, 45)
            written.append(_ALPHABET[digit])
    return "".join(written)


def _sealed(place: Mapping[str, Any], keys: list[Mapping[str, str]]) -> list[bytes]:
    """Place and size, hashes, origin, signature and key: the root is what the hashes lead to, the checkpoint's text what these say."""
    note = notes.open_note(place["checkpoint"])
    checkpoint = notes.read_checkpoint(note.text)
    known = [notes.read_key(one["key"]) for one in keys]
    key = next(one for one in reversed(known) if notes.is_signed(note, one))
    signature = next(content for name, key_id, content in note.signatures if (name, key_id) == (key.name, key.id))
    return [json.dumps([place["index"], checkpoint.size]).encode(), b"".join(base64.b64decode(one) for one in place["proof"]), key.name.encode(),
            key.id + signature, bytes([key.algorithm]) + key.public]  # fmt: skip
