"""Documents: scans and photographs that persons and agents give, kept outside the database, given back to those who may see them.

A file is what its bytes say, whatever its name: PDF, JPEG, PNG, WebP or HEIC, nothing else. It is sealed under a key of its own (in the key
store, apart from the database and its backups) and belongs to its sender alone until a form that names it is completed (`attach`). A picture
is made anew from its pixels first (`pictures`). It is never rendered here: faces serve it as an attachment.

The file is written before the row that tells of it is committed. Where the commit never comes, `sweep` takes the file away: whoever writes
one holds a shared lock until the end of the transaction, so that a sweeper who has the lock alone knows that nothing is on its way.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlmodel import Session

from engine import errors, identity
from engine.actors import authority
from engine.database import Alone
from engine.dossier import pictures
from engine.dossier.facts import NewFact
from engine.ledger import consultations

LARGEST = 20_000_000
EXTENSIONS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/heic": "heic"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_MARKUP = (b"<script", b"<html", b"<!doctype", b"<svg", b"<?php", b"<iframe")  # what a browser or a server might run, in a file's first bytes
_HEAD, _NONCE, _LONGEST_NAME = 4096, 12, 120
_MOST_WAITING, _MOST_WAITING_BYTES = 200, 500_000_000  # what a sender may leave in a day that no form names
_BEGIN = text("""SELECT pg_advisory_xact_lock_shared(:lock), w.number, w.bytes FROM
                 (SELECT count(*) AS number, coalesce(sum(size), 0) AS bytes FROM document WHERE uploaded_by = :by AND root_id IS NULL
                   AND uploaded_at > now() - interval '1 day') w""")
_ALONE = text("SELECT pg_try_advisory_xact_lock(:lock)")
_TOLD_OF = text("SELECT document_id FROM document WHERE document_id = ANY (:ids)")
_INSERT = text("""INSERT INTO document (document_id, class, name, media_type, size, sha256, uploaded_by)
                  VALUES (:id, 'C', :name, :media_type, :size, :sha256, :by)""")
_READ = text("""SELECT d.document_id, d.root_id, d.name, d.media_type, d.class, d.uploaded_by, i.instance_id, i.is_shared, i.is_shared_funder, i.is_shared_operator,
                       i.assigned, i.social_worker_id FROM document d LEFT JOIN instance i ON i.instance_id = d.root_id WHERE d.document_id = :id""")
_KEPT = text("SELECT document_id::text AS document_id, media_type, size, sha256 FROM document WHERE document_id = ANY (CAST(:ids AS uuid[]))")
_ATTACH = text("""
    SELECT masar_attach(CAST(:ids AS uuid[]), CAST(:classes AS text[]), :root)
    UNION ALL SELECT document_id FROM document WHERE document_id = ANY (CAST(:ids AS uuid[])) AND root_id = :root""")
_UNGIVEN = text("SELECT name, media_type FROM document WHERE document_id = :id AND root_id IS NULL AND uploaded_by = :by FOR UPDATE")
_GIVE = text("UPDATE document SET root_id = :root, class = :class, name = :name WHERE document_id = :id")


@dataclass(frozen=True)
class Document:
    """A file with its content. `quoted_name` is ready for `content-disposition: attachment; filename*=UTF-8''…`."""

    document_id: UUID
    name: str
    media_type: str
    content: bytes

    @property
    def quoted_name(self) -> str:
        return quote(self.name, safe="")


@dataclass(frozen=True)
class Kept:
    """What is told of a file without opening it: what its bytes are (`extension`), how many, and their SHA-256 in hex."""

    extension: str
    size: int
    sha256: str


def kept(session: Session, ids: Iterable[str]) -> dict[str, Kept]:
    """Of documents in reach, by id."""
    return {row.document_id: Kept(EXTENSIONS.get(row.media_type, ""), row.size, row.sha256) for row in session.execute(_KEPT, {"ids": list(ids)})}


def upload(session: Session, actor: Any, name: str, stream: BinaryIO) -> identity.DocumentId:
    """Keeps a file for its sender. 1 byte to 20 MB (20,000,000 bytes).

    Refuses (Invalid): `document.empty`, `document.too_large`, `document.kind`, `document.kind_mixed`, `document.damaged`,
    `document.too_many_pixels`; `document.quota` (Conflict); Forbidden.
    """
    authority.require(actor, "document.upload")
    content = stream.read(LARGEST + 1)
    if not content:
        raise errors.Invalid("document.empty")
    if len(content) > LARGEST:
        raise errors.Invalid("document.too_large", megabytes=LARGEST // 1_000_000)
    media_type = kind_of(content)
    if media_type.startswith("image/"):
        content, media_type = pictures.made_anew(content, media_type)
    document_id = identity.new_id()
    waiting = session.execute(_BEGIN, {"lock": Alone.FILING, "by": actor.user_id}).one()
    if waiting.number >= _MOST_WAITING or waiting.bytes + len(content) > _MOST_WAITING_BYTES:
        raise errors.Conflict("document.quota", number=_MOST_WAITING, megabytes=_MOST_WAITING_BYTES // 1_000_000)
    _keep(session, document_id, content)
    session.execute(
        _INSERT,
        {"id": document_id, "name": safe_name(name, media_type), "media_type": media_type, "size": len(content),
         "sha256": hashlib.sha256(content).hexdigest(), "by": actor.user_id},
    )  # fmt: skip
    return identity.DocumentId(document_id)


def read(session: Session, actor: Any, document_id: UUID) -> Document:
    """A document that the actor sent and no case has yet, or of a case and class she reads, whoever sent it. Refuses: `document.not_found`."""
    authority.require(actor, "document.read")
    row = session.execute(_READ, {"id": document_id}).one_or_none()
    if row is not None and row.root_id is not None:  # its case's now, if the database shows her that case
        is_hers = row.instance_id is not None and authority.readable(actor, row._mapping["class"], case=row)
    else:
        is_hers = row is not None and row.uploaded_by == actor.user_id
    key = session.info["keys"].find(document_id) if is_hers else None
    if row is None or key is None:
        raise errors.NotFound("document.not_found")
    sealed = _path(session, document_id).read_bytes()
    if row.instance_id is not None:
        consultations.note(session, row.instance_id, "document", [row._mapping["class"]], document_id)
    content = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], document_id.bytes)
    return Document(row.document_id, row.name, row.media_type, content)


def is_whole(session: Session, document_id: UUID, size: int, sha256: str) -> bool:
    """Whether the sealed file is there and holds what its row says was sent. For whoever proves; shows nothing."""
    key = session.info["keys"].find(document_id)
    try:
        sealed = _path(session, document_id).read_bytes()
        content = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], document_id.bytes) if key else b""
    except (OSError, InvalidTag, ValueError):
        return False
    return (len(content), hashlib.sha256(content).hexdigest()) == (size, sha256)


def attach(session: Session, actor: Any, root_id: UUID, new: Iterable[NewFact], fields: Mapping[str, Any]) -> None:
    """Gives to a case the documents that answers name; they take the class of the field (health before any other).

    A document named must be the actor's own, or the case's already. Refuses: `document.not_yours` (Invalid), with a finding for each field.
    """
    named = _named(new, fields)
    if not named:
        return
    classes = {document_id: [field_class for _, field_class in uses] for document_id, uses in named.items() if document_id}
    given = {"root": root_id, "ids": list(classes), "classes": ["H" if "H" in found else found[0] for found in classes.values()]}
    held = set(session.execute(_ATTACH, given).scalars())
    lost = [field for found, uses in named.items() if found not in held for field, _ in uses]
    if lost:
        raise errors.Invalid("document.not_yours", [errors.Finding("document.not_yours", f"/{field}") for field in lost])


def give(session: Session, actor: Any, root_id: UUID, document_id: UUID, field_class: str, title: str = "") -> None:
    """Gives to a case, under a class, a document that no answer names (yet); `title` takes the place of the name it was sent under. Refuses: `document.not_yours` (Invalid)."""
    row = session.execute(_UNGIVEN, {"id": document_id, "by": actor.user_id}).one_or_none()
    if row is None:
        raise errors.Invalid("document.not_yours")
    name = safe_name(f"{title}.{EXTENSIONS[row.media_type]}", row.media_type) if title.strip() else row.name
    session.execute(_GIVE, {"root": root_id, "class": field_class, "name": name, "id": document_id})


def sweep(session: Session) -> int:
    """Takes away the sealed files, and their keys, that no committed document tells of; returns how many.

    Nothing while a file is on its way: the next round.
    """
    folder = Path(session.info["documents"])
    found = {document_id: path for path in folder.glob("??/*") if (document_id := identity.parse(path.name.partition(".")[0]))}
    lost = _not_told_of(session, found)
    # Asked again under the lock: what was on its way the first time is committed now, or never will be.
    if not lost or not session.execute(_ALONE, {"lock": Alone.FILING}).scalar_one():
        return 0
    lost = _not_told_of(session, lost)
    for document_id in lost:
        for path in (folder / document_id.hex[-2:]).glob(f"{document_id}.*"):
            path.unlink(missing_ok=True)
        session.info["keys"].erase(document_id)
    return len(lost)


def _not_told_of(session: Session, ids: Iterable[UUID]) -> list[UUID]:
    told = set(session.execute(_TOLD_OF, {"ids": list(ids)}).scalars())
    return [one for one in ids if one not in told]


def kind_of(content: bytes) -> str:
    """The media type that the bytes themselves show. Refuses: `document.kind` (none of ours), `document.kind_mixed` (several at once)."""
    media_type = _signature(content)
    if media_type is None:
        raise errors.Invalid("document.kind")
    head = content[:_HEAD].lower()
    if any(mark in head for mark in _MARKUP) or _is_zip(content) or not _ends_well(content, media_type):
        raise errors.Invalid("document.kind_mixed")
    return media_type


def safe_name(name: str, media_type: str) -> str:
    """The sender's name for the file without path, control or direction characters, under the extension of what it is."""
    base = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(letter for letter in base if letter.isprintable()).strip(". ")
    stem, dot, extension = shown.rpartition(".")
    stem = stem if dot and len(extension) <= 5 else shown
    return f"{stem.strip('. ')[:_LONGEST_NAME] or 'document'}.{EXTENSIONS[media_type]}"


def _signature(content: bytes) -> str | None:
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return "image/png"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        brands = content[8 : min(int.from_bytes(content[:4], "big"), 256)]
        if {brands[place : place + 4] for place in range(0, len(brands), 4)} & _HEIC_BRANDS:
            return "image/heic"
    return None


def _is_zip(content: bytes) -> bool:
    """Whether a ZIP archive (an Office file, a JAR) ends where this file ends: its last record says how long its comment is."""
    place = content.rfind(b"PK\x05\x06", max(0, len(content) - 65_557))
    return place >= 0 and place + 22 + int.from_bytes(content[place + 20 : place + 22], "little") == len(content)


def _ends_well(content: bytes, media_type: str) -> bool:
    """Whether the format ends where the file does; after a JPEG or a HEIC telephones add data of their own, so those are not asked."""
    match media_type:
        case "application/pdf":
            return b"%%EOF" in content[-1024:]
        case "image/png":
            return content.endswith(b"IEND\xaeB`\x82")
        case "image/webp":
            return 0 <= len(content) - 8 - int.from_bytes(content[4:8], "little") <= 1
        case _:
            return True


def _named(new: Iterable[NewFact], fields: Mapping[str, Any]) -> dict[UUID | None, list[tuple[str, str]]]:
    """Document → the fields that name it, with their classes; None gathers what is no document's id."""
    named: dict[UUID | None, list[tuple[str, str]]] = {}
    for fact in new:
        kind = fields[fact.field].type if fact.field in fields else ""
        value = fact.value.get("document") if kind == "signature" and isinstance(fact.value, Mapping) else fact.value if kind == "doc" else None
        if value is not None:
            named.setdefault(identity.parse(value), []).append((fact.field, fact.field_class))
    return named


def _path(session: Session, document_id: UUID) -> Path:
    return Path(session.info["documents"]) / document_id.hex[-2:] / f"{document_id}.sealed"


def _keep(session: Session, document_id: UUID, content: bytes) -> None:
    """Writes the sealed file whole (aside, flushed, then named). Where the unit of work then fails, `sweep` finds it."""
    path, nonce = _path(session, document_id), os.urandom(_NONCE)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_suffix(".part")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(nonce + AESGCM(session.info["keys"].key(document_id)).encrypt(nonce, content, document_id.bytes))
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
