"""Signed notes and what is said in them: C2SP signed-note, tlog-checkpoint and tlog-cosignature. Pure: keys in, text out.

A note is a text, an empty line, and lines `— name base64(key id ‖ signature)`. A key is written `name+key id+base64(algorithm ‖ public key)`: the algorithm
is a byte of the key, so that another one (`ALGORITHMS`) takes its place by rotation and nothing else changes.
"""

import base64
import binascii
import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

ED25519, COSIGNATURE = 1, 4  # C2SP signed-note: what a signature is of; 4 is a witness's, with its time
_MARK = "— "


class Unreadable(ValueError):
    """The text is no note, key or checkpoint."""


@dataclass(frozen=True)
class Algorithm:
    """How a kind of key is made, signs (secret, message) and is checked (public, signature, message)."""

    make: Callable[[], tuple[bytes, bytes]]  # (secret, public)
    sign: Callable[[bytes, bytes], bytes]
    holds: Callable[[bytes, bytes, bytes], bool]


def _make() -> tuple[bytes, bytes]:
    secret = ed25519.Ed25519PrivateKey.generate()
    raw = serialization.Encoding.Raw
    return (secret.private_bytes(raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()),
            secret.public_key().public_bytes(raw, serialization.PublicFormat.Raw))  # fmt: skip


def _sign(secret: bytes, message: bytes) -> bytes:
    return ed25519.Ed25519PrivateKey.from_private_bytes(secret).sign(message)


def _holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


_ED25519 = Algorithm(_make, _sign, _holds)
ALGORITHMS = {ED25519: _ED25519, COSIGNATURE: _ED25519}


@dataclass(frozen=True)
class Key:
    """A public key and whose it is."""

    name: str
    algorithm: int
    public: bytes

    @property
    def id(self) -> bytes:
        return hashlib.sha256(f"{self.name}\n".encode() + bytes([self.algorithm]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.algorithm]) + self.public).decode()}"


@dataclass(frozen=True)
class SecretKey:
    """A key that signs. Its text (`secret`) is kept in a file that its owner alone reads."""

    key: Key
    secret: bytes

    def written(self) -> str:
        return f"PRIVATE+KEY+{self.key.name}+{self.key.id.hex()}+{base64.b64encode(bytes([self.key.algorithm]) + self.secret + self.key.public).decode()}\n"


@dataclass(frozen=True)
class Note:
    """A text and its signatures: (name, key id, signature)."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


@dataclass(frozen=True)
class Checkpoint:
    """A log as it stood: `size` entries under `root`."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def make_key(name: str, algorithm: int = ED25519) -> SecretKey:
    """A new key. A name holds neither spaces nor `+`."""
    if not name or "+" in name or any(letter.isspace() for letter in name):
        raise Unreadable("a key's name holds neither spaces nor +")
    secret, public = ALGORITHMS[algorithm].make()
    return SecretKey(Key(name, algorithm, public), secret)


def read_key(text: str) -> Key:
    """A public key as it is written. Raises Unreadable."""
    parts = text.strip().split("+", 2)
    content = _bytes(parts[2]) if len(parts) == 3 else b""
    if len(content) != 33 or content[0] not in ALGORITHMS:
        raise Unreadable("this is no key: it reads name+8 hex digits+base64")
    key = Key(parts[0], content[0], content[1:])
    if key.id.hex() != parts[1].lower():
        raise Unreadable("the key does not have the id that it is written with")
    return key


def read_secret(text: str) -> SecretKey:
    """A key that signs, as its file says it. Raises Unreadable."""
    parts = text.strip().removeprefix("PRIVATE+KEY+").split("+", 2)
    content = _bytes(parts[2]) if len(parts) == 3 else b""
    if len(content) != 65 or content[0] not in ALGORITHMS:
        raise Unreadable("this is no secret key")
    return SecretKey(Key(parts[0], content[0], content[33:]), content[1:33])


def sign(text: str, *keys: SecretKey) -> str:
    """The note of a text, signed by each key."""
    return text + "\n" + "".join(_line(one.key, ALGORITHMS[one.key.algorithm].sign(one.secret, text.encode())) for one in keys)


def open_note(note: str) -> Note:
    """A note's text and signatures, none of them checked. Raises Unreadable."""
    text, mark, rest = note.rpartition("\n\n")
    lines = rest.split("\n")
    if not mark or lines.pop() or not lines or len(note) > 100_000:
        raise Unreadable("this is no signed note")
    found = []
    for line in lines:
        name, _, signature = line.removeprefix(_MARK).partition(" ")
        content = _bytes(signature)
        if not line.startswith(_MARK) or not name or len(content) < 5:
            raise Unreadable("a line of the note is no signature")
        found.append((name, content[:4], content[4:]))
    return Note(text + "\n", tuple(found))


def is_signed(note: Note, key: Key) -> bool:
    """Whether this key signed the note."""
    holds = ALGORITHMS[key.algorithm].holds
    return any((name, key_id) == (key.name, key.id) and holds(key.public, signature, note.text.encode()) for name, key_id, signature in note.signatures)


def read_checkpoint(text: str) -> Checkpoint:
    """A checkpoint's text. Raises Unreadable."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or not lines[1].isdecimal() or lines[1] != str(int(lines[1])) or len(_bytes(lines[2])) != 32:
        raise Unreadable("this is no checkpoint: origin, size, root")
    return Checkpoint(lines[0], int(lines[1]), _bytes(lines[2]))


def cosign(text: str, secret: SecretKey, at: dt.datetime) -> str:
    """A witness's line for a checkpoint's text: it saw this log so, at that second, after all that it saw before."""
    seconds = int(at.timestamp())
    return _line(secret.key, seconds.to_bytes(8, "big") + ALGORITHMS[COSIGNATURE].sign(secret.secret, _cosigned(text, seconds)))


def cosigned_at(text: str, line: str, key: Key) -> dt.datetime | None:
    """When this witness signed the text, by its line; None when it did not."""
    try:
        ((name, key_id, content),) = open_note(f"{text}\n{line}").signatures
    except (Unreadable, ValueError):
        return None
    seconds, signature = int.from_bytes(content[:8], "big"), content[8:]
    if (name, key_id, key.algorithm) != (key.name, key.id, COSIGNATURE) or not ALGORITHMS[COSIGNATURE].holds(key.public, signature, _cosigned(text, seconds)):
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def rotation_word(old: Key, new: Key) -> str:
    """What the old key signs when another takes its place."""
    return f"masar/key-rotation\n{old}\n{new}\n"


def follow(trusted: Key, chain: Iterable[Mapping[str, str]]) -> list[Key]:
    """The keys that a trusted one vouches for, itself first: each by the word of the one before."""
    found = [trusted]
    for link in chain:
        new, word = read_key(link["key"]), link["word"]
        if word and (said := open_note(word)).text == rotation_word(found[-1], new) and is_signed(said, found[-1]):
            found.append(new)
    return found


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _line(key: Key, signature: bytes) -> str:
    return f"{_MARK}{key.name} {base64.b64encode(key.id + signature).decode()}\n"


def _bytes(text: str) -> bytes:
    """Bytes out of base64, written in the one way that there is; none where it is written otherwise."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return found if base64.b64encode(found).decode() == text else b""
