"""Documents: what comes in, what is turned away, who gets them back."""

import datetime as dt
import io
import struct
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy import text

from engine import errors
from engine.actors import agencies, users
from engine.dossier import documents
from engine.dossier.facts import NewFact
from engine.identity import new_id
from engine.ledger import events

AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def picture(kind="JPEG", size=(64, 48), **more):
    """A real picture: red on the left, blue on the right."""
    made = Image.new("RGB", size, "blue")
    made.paste("red", (0, 0, size[0] // 2, size[1]))
    out = io.BytesIO()
    made.save(out, kind, **more)
    return out.getvalue()


JPEG = picture()


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + _chunk(b"IDAT", zlib.compress(b"\0\0\0\0")) + _chunk(b"IEND", b"")
WEBP = picture("WEBP", lossless=True)
# The same picture made once by libheif, with the name of a telephone and the place where it was taken.
HEIC = (Path(__file__).parent / "data" / "red_and_blue.heic").read_bytes()
SANE = {"application/pdf": PDF, "image/jpeg": JPEG, "image/png": PNG, "image/webp": WEBP, "image/heic": HEIC}


def _zip(name="a.txt", content=b"x"):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, content)
    return made.getvalue()


def _pdf_and_zip():
    made = io.BytesIO(PDF)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
    return made.getvalue()


HOSTILE = {
    "an empty name of a program": b"MZ\x90\x00" + b"\0" * 200,
    "an ELF program": b"\x7fELF" + b"\0" * 200,
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a page after a blank": b"   <html><script>alert(1)</script>",
    "a drawing with script": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "an office file": _zip("[Content_Types].xml"),
    "a shell script": b"#!/bin/sh\nrm -rf /\n",
    "a page hidden in a PDF": b"%PDF-1.4\n<script>alert(1)</script>\n%%EOF",
    "a page hidden in a GIF": b"GIF89a/*<script>alert(1)</script>",
    "a GIF": b"GIF89a" + b"\0" * 30,
    "a PDF after something else": b"x" * 10 + PDF,
    "a PDF cut short": PDF[:20],
    "a PDF that is also an archive": _pdf_and_zip(),
    "a photograph that is also an archive": JPEG + _zip(),
    "a picture with a page after it": PNG + b"<html><script>alert(1)</script>",
    "a picture with a page inside": PNG[:33] + _chunk(b"tEXt", b"x\0<script>alert(1)</script>") + PNG[33:],
    "a WebP longer than it says": WEBP + b"#!/bin/sh",
    "a photograph with PHP": b"\xff\xd8\xff\xfe\x00\x20<?php system($_GET[0]); ?>" + JPEG[4:],
    "a film": struct.pack(">I", 20) + b"ftypmp42\0\0\0\0isom" + b"\0" * 30,
    "an AVIF": struct.pack(">I", 24) + b"ftypavif\0\0\0\0avifmif1" + b"\0" * 30,
    "a box with an absurd length": b"\xff\xff\xff\xffftypqt  " + b"\0" * 400,
    "a TIFF": b"II*\x00" + b"\0" * 30,
    "a lone signature": b"\x89PNG\r\n\x1a\n",
    "text": "اسمي سلمى".encode(),
    "one zero byte": b"\0",
    "PostScript": b"%!PS-Adobe-3.0\n%%EOF",
    "RTF": b"{\\rtf1 x}",
}


class Endless(io.RawIOBase):
    """A file that never ends: reading it whole would fill the memory."""

    def __init__(self):
        self.given = 0

    def read(self, size=-1):
        assert size > 0, "read without a limit"
        self.given += size
        return b"\xff\xd8\xff" + b"\0" * (size - 3)


def person(agency="OTE", branch="MED", role="referent"):
    return users.Actor(uuid4(), "u", "Amel", agency, branch, frozenset({role}))


@pytest.fixture
def keep(database):
    def keep(actor, content, name="scan.pdf"):
        with database.unit_of_work(actor) as session:
            return documents.upload(session, actor, name, io.BytesIO(content))

    return keep


@pytest.fixture
def case(database):
    """A case shared between the agencies, in Médenine, with no social worker named."""
    case_id, author = uuid4(), users.system()
    with database.owner() as connection:
        agencies.install(connection)
        edition = str(uuid4())
        connection.exec_driver_sql("INSERT INTO edition VALUES (%s, (SELECT coalesce(max(number), 900) + 1 FROM edition), %s, '{}', now())", (edition, edition))
    with database.unit_of_work(author) as session:
        person_id = new_id()
        session.execute(text("INSERT INTO person (person_id) VALUES (:p)"), {"p": person_id})
        head = events.append(session, author, events.Head(case_id, 0, b""), person_id, "case.opened", AT, {}, {})
        session.execute(
            text("""INSERT INTO instance (instance_id, root_id, process, edition_id, person_id, branch, state, seq, head, opened_at, is_shared)
                    VALUES (:i, :i, 'p', :e, :p, 'MED', '', 1, :h, now(), true)"""),
            {"i": case_id, "e": edition, "p": person_id, "h": head.hash},
        )
    return case_id


def attach(database, actor, case_id, *named, kind="doc"):
    """Names documents in a form's answers: (field, class, document)."""
    fields = {field: SimpleNamespace(type=kind) for field, _, _ in named}
    new = [NewFact(f"case:{case_id}", field, {"document": str(one)} if kind == "signature" else str(one), one_class) for field, one_class, one in named]
    with database.unit_of_work(actor) as session:
        documents.attach(session, actor, case_id, new, fields)


def fetch(database, actor, document_id):
    with database.reading(actor) as session:
        return documents.read(session, actor, document_id)


@pytest.mark.parametrize("media_type", SANE)
def test_a_sane_file_comes_back_and_lies_sealed(database, keep, media_type):
    me = person()
    found = fetch(database, me, document_id := keep(me, SANE[media_type], "pièce d'identité.exe"))
    kept = "image/jpeg" if media_type == "image/heic" else media_type
    assert found.media_type == kept and documents.kind_of(found.content) == kept
    if media_type == "application/pdf":
        assert found.content == PDF, "byte for byte"
    assert found.name == f"pièce d'identité.{documents.EXTENSIONS[kept]}" and '"' not in found.quoted_name
    folder = database._carried["documents"]
    stored = next(folder.rglob(f"{document_id}*"))
    assert found.content[:30] not in stored.read_bytes() and stored.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("what", HOSTILE)
def test_a_file_that_is_none_of_ours_or_several_at_once_is_refused_and_leaves_nothing(database, keep, what):
    folder = database._carried["documents"]
    before = set(folder.rglob("*")) if folder.exists() else set()
    for name in ("scan.pdf", "photo.jpg", "photo.png"):
        with pytest.raises(errors.Invalid, match=r"^document\.kind(_mixed)?$"):
            keep(person(), HOSTILE[what], name)
    assert (set(folder.rglob("*")) if folder.exists() else set()) == before


def test_an_empty_file_and_one_byte_too_many_are_refused_and_the_largest_is_kept(database, keep):
    with pytest.raises(errors.Invalid, match="document.empty"):
        keep(person(), b"")
    largest = PDF[:-7] + b" " * (documents.LARGEST - len(PDF)) + PDF[-7:]
    me = person()
    assert len(fetch(database, me, keep(me, largest)).content) == documents.LARGEST
    with pytest.raises(errors.Invalid, match="document.too_large"):
        keep(person(), largest + b"\0")


def test_a_file_without_end_is_read_no_further_than_the_limit(database):
    endless, me = Endless(), person()
    with pytest.raises(errors.Invalid, match="document.too_large"), database.unit_of_work(me) as session:
        documents.upload(session, me, "x.jpg", endless)
    assert endless.given == documents.LARGEST + 1


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\x\\scan.pdf", "scan.pdf"),
        ("", "document.pdf"),
        ("...", "document.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("\u202efdp.exe", "fdp.pdf"),
        ("x" * 500 + ".pdf", "x" * 120 + ".pdf"),
        ("page.html", "page.pdf"),
        ("a.b.c", "a.b.pdf"),
        ("ملف.pdf", "ملف.pdf"),
        ("\0", "document.pdf"),
    ],
)
def test_a_name_carries_neither_path_nor_trick(sent, kept):
    assert documents.safe_name(sent, "application/pdf") == kept


def test_until_a_form_names_it_a_document_is_its_senders_alone(database, keep, case):
    me, colleague = person(), person()
    document_id = keep(me, PDF)
    for stranger in (colleague, person(role="coordinateur", branch="TUN"), person("CPS", role="travailleur_social")):
        with pytest.raises(errors.NotFound, match="document.not_found"):
            fetch(database, stranger, document_id)
    attach(database, me, case, ("x.piece", "C", document_id))
    assert fetch(database, colleague, document_id).content == PDF
    for stranger in (person(branch="SFX"), person(role="administrateur", branch="TUN"), person("PART", role="operateur")):
        with pytest.raises(errors.NotFound):
            fetch(database, stranger, document_id)


def test_a_document_takes_the_class_of_its_field(database, keep, case):
    me = person("CPS", role="travailleur_social")
    social, health, money = (keep(me, PDF) for _ in range(3))
    attach(database, me, case, ("x.social", "S", social), ("x.health", "H", health), ("x.also", "C", health), ("x.money", "F,O", money))
    colleague, referent = person("CPS", role="chef_cps"), person()
    assert fetch(database, colleague, social) and fetch(database, referent, money)
    for reader, hidden in ((referent, social), (referent, health), (colleague, health), (colleague, money)):
        with pytest.raises(errors.NotFound):
            fetch(database, reader, hidden)


def test_nobody_gives_a_case_what_somebody_else_sent_or_another_case_holds(database, keep, case):
    me, other = person(), person()
    theirs = keep(other, PDF)
    for named in (theirs, uuid4(), "not an id"):
        with pytest.raises(errors.Invalid, match="document.not_yours") as refused:
            attach(database, me, case, ("x.piece", "C", named))
        assert [found.where for found in refused.value.findings] == ["/x.piece"]
    mine = keep(me, PDF)
    attach(database, me, case, ("x.piece", "C", mine))
    attach(database, other, case, ("x.other", "C", mine))  # a colleague names again what the case holds
    with pytest.raises(errors.Invalid, match="document.not_yours"):
        attach(database, me, uuid4(), ("x.piece", "C", mine))


def test_a_signed_paper_is_a_document_of_its_case_too(database, keep, case):
    me = person()
    paper = keep(me, PDF)
    attach(database, me, case, ("x.signature", "C", paper), kind="signature")
    assert fetch(database, person(), paper)


def test_those_who_audit_or_administer_send_nothing_and_a_visitor_must_sign_in(keep):
    for role in ("auditeur", "administrateur"):
        with pytest.raises(errors.Forbidden):
            keep(person(role=role, branch="TUN"), PDF)
    with pytest.raises(errors.Unauthenticated):
        keep(users.VISITOR, PDF)


def test_without_its_key_a_document_is_gone(database, keep):
    me = person()
    document_id = keep(me, PDF)
    database._carried["keys"].erase(document_id)
    with pytest.raises(errors.NotFound):
        fetch(database, me, document_id)
