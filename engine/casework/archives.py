"""Archives: an edition or a draft as one file to keep, to send, to read with other tools; and files from elsewhere read back, none of them trusted.

An archive is a ZIP of the files as they are (BPMN, DMN and TOML, byte for byte) and `manifest.json`, the digest of each. The same files give the same
bytes on any machine: nothing is compressed, dated or ordered by chance. Nothing is ever unpacked onto a disk.
"""

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from engine import errors
from forms import toml

LARGEST, LARGEST_FILE, MOST_FILES = 10_000_000, 1_000_000, 500
_LARGEST_WHOLE = 30_000_000
_MANIFEST, _FORMAT = "manifest.json", "masar-edition-1"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_ENTRY = b"PK\x01\x02"
_ENCRYPTED, _LINK = 0x1, 0xA000
_NAME = "[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
# What an edition is made of, in the order in which it is shown.
KINDS = {
    "diagrams": re.compile(rf"processes/(?:{_NAME}/){{0,3}}{_NAME}\.bpmn"),
    "tables": re.compile(rf"processes/(?:{_NAME}/){{0,3}}{_NAME}\.dmn"),
    "scenarios": re.compile(rf"processes/scenarios/{_NAME}\.toml"),
    "forms": re.compile(rf"forms/tasks/{_NAME}\.toml"),
    "letters": re.compile(rf"forms/letters/{_NAME}\.toml"),
    "dictionary": re.compile(rf"forms/dictionary/{_NAME}\.toml"),
}
_FOLDERS = {"bpmn": "processes", "dmn": "processes/decisions"}
_KEYS = {
    "processes/scenarios": {"step"},
    "forms/dictionary": {"group", "fields", "lists", "purposes", "pieces", "governorates"},
    "forms/letters": {"block", "object", "sender", "signature"},
    "forms/tasks": {"id"},
}


def kind_of(path: str) -> str:
    """Which kind of file a path of an edition names. Refuses: `archive.path`."""
    found = next((kind for kind, shape in KINDS.items() if shape.fullmatch(path)), None)
    if found is None:
        raise errors.Invalid("archive.path", path=path[:200])
    return found


def check_size(path: str, content: bytes) -> None:
    """Refuses a file above 1 MB: `archive.file_too_large`."""
    if len(content) > LARGEST_FILE:
        raise errors.Invalid("archive.file_too_large", path=path[:200], megabytes=LARGEST_FILE // 1_000_000)


def pack(files: Mapping[str, bytes], title: str) -> bytes:
    """The archive of these files; the same files and title give the same bytes."""
    manifest = {"format": _FORMAT, "title": title, "files": {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}}
    entries = {_MANIFEST: json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n", **files}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(entries):
            entry = zipfile.ZipInfo(path, _LONG_AGO)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, entries[path])
    return made.getvalue()


def unpack(content: bytes) -> dict[str, bytes]:
    """The files of an archive, path → content.

    Refuses (Invalid): `archive.too_large`, `archive.too_many`, `archive.unreadable`, `archive.locked`, `archive.path`, `archive.repeated`,
    `archive.file_too_large`, `archive.manifest` (absent, or not of these files).
    """
    if len(content) > LARGEST:
        raise errors.Invalid("archive.too_large", megabytes=LARGEST // 1_000_000)
    if content.count(_ENTRY) > MOST_FILES + 1:  # before anything is made of them
        raise errors.Invalid("archive.too_many", most=MOST_FILES)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = _read(archive)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError, UnicodeDecodeError) as trouble:
        raise errors.Invalid("archive.unreadable") from trouble
    _check_manifest(found.pop(_MANIFEST, b""), found)
    return found


def place(name: str, content: bytes, known: Mapping[str, Any]) -> str:
    """The path of a file that came alone: that of the one known file of its name, else where its kind lives; "" where it is of no kind."""
    name = short(name)
    same = [path for path in known if path.rpartition("/")[2] == name]
    if len(same) == 1:
        return same[0]
    extension = name.rpartition(".")[2].lower()
    folder = _folder_of_toml(content) if extension == "toml" else _FOLDERS.get(extension, "")
    return f"{folder}/{name}" if folder else ""


def named(name: str, content: bytes, known: Mapping[str, Any]) -> str:
    """The path of a file that came alone, as `place`. Refuses: `archive.path`, `archive.kind`."""
    path = place(name, content, known)
    if not path:
        raise errors.Invalid("archive.kind", name=short(name)[:100])
    if path not in known:
        kind_of(path)
    return path


def short(name: str) -> str:
    """The name of a file without its folder, its kind in small letters: `X.BPMN` is a diagram too."""
    stem, dot, kind = name.replace("\\", "/").rpartition("/")[2].rpartition(".")
    return f"{stem}{dot}{kind.lower()}"


def _read(archive: zipfile.ZipFile) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    seen: set[str] = set()
    whole = 0
    for entry in archive.infolist():
        path = entry.filename
        if entry.is_dir():
            continue
        if entry.flag_bits & _ENCRYPTED:
            raise errors.Invalid("archive.locked")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise errors.Invalid("archive.unreadable")
        if entry.external_attr >> 16 & 0xF000 == _LINK:
            raise errors.Invalid("archive.path", path=path[:200])
        if path != _MANIFEST:
            kind_of(path)
        if path.casefold() in seen:
            raise errors.Invalid("archive.repeated", path=path[:200])
        seen.add(path.casefold())
        with archive.open(entry) as stream:
            content = stream.read(LARGEST_FILE + 1)  # whatever size it says: what it says is not what it is
        check_size(path, content)
        whole += len(content)
        if whole > _LARGEST_WHOLE:
            raise errors.Invalid("archive.too_large", megabytes=_LARGEST_WHOLE // 1_000_000)
        found[path] = content
    return found


def _check_manifest(written: bytes, files: Mapping[str, bytes]) -> None:
    try:
        manifest = json.loads(written)
        listed = manifest["files"] if manifest["format"] == _FORMAT else None
    except (ValueError, KeyError, TypeError, RecursionError) as trouble:
        raise errors.Invalid("archive.manifest") from trouble
    if not files or listed != {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}:
        raise errors.Invalid("archive.manifest")


def _folder_of_toml(content: bytes) -> str:
    """A scenario, a page of the dictionary and a letter are known by their keys, a form says its id."""
    try:
        written = toml.load(content[:LARGEST_FILE]).keys()
    except ValueError:
        return ""
    return next((folder for folder, keys in _KEYS.items() if keys & written), "")
