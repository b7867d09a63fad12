"""An edition as one file: the same bytes each time, read back whole; and whatever else calls itself an archive is refused in a sentence, quickly."""

import io
import json
import struct
import time
import zipfile
import zlib

import pytest

from engine import errors, i18n
from engine.actors import users
from engine.casework import archives, drafts, editions, incoming
from tests.web.small import installation as small
from tests.world import FORMS, PROCESSES, World

FOREIGN = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><!-- \xd9\x85\r\n -->
<extensionElements><zeebe:taskDefinition   type='x'/></extensionElements></definitions>"""


@pytest.fixture
def world(make_database):
    database = make_database(small.furnish)
    return World(database)


def zipped(entries, method=zipfile.ZIP_STORED, manifest=True):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
        if manifest:
            archive.writestr("manifest.json", json.dumps({"format": "masar-edition-1", "files": editions.hashes_of(dict(entries))}))
    return made.getvalue()


def test_the_same_files_give_the_same_bytes_and_come_back_as_they_are():
    files = editions.files_of(PROCESSES, FORMS) | {"processes/etranger.bpmn": FOREIGN}
    packed = archives.pack(files, "4")
    assert packed == archives.pack(dict(reversed(files.items())), "4")
    assert archives.unpack(packed) == files
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:  # any other tool reads it too
        assert archive.testzip() is None and archive.read("processes/etranger.bpmn") == FOREIGN
        assert json.loads(archive.read("manifest.json"))["files"] == editions.hashes_of(files)


def lying_about_its_size():
    """Two kilobytes that say they are three and unfold to two hundred megabytes."""
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = b"".join(bomb.compress(b"\0" * 1_000_000) for _ in range(200)) + bomb.flush()
    name = b"processes/a.bpmn"
    head = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, 0, len(content), 3, len(name), 0)
    central = b"PK\1\2\x14\x03" + head + struct.pack("<HHHII", 0, 0, 0, 0o644 << 16, 0) + name
    local = b"PK\3\4" + head + name + content
    return local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def linked():
    entry = zipfile.ZipInfo("processes/a.bpmn")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    return zipped([(entry, b"/etc/passwd")], manifest=False)


def locked_up():
    content = bytearray(zipped([("processes/a.bpmn", b"x")], manifest=False))
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.find(mark) + place] |= 1
    return bytes(content)


def twice():
    with pytest.warns(UserWarning, match="Duplicate"):
        return zipped([("processes/a.bpmn", b"x"), ("processes/a.bpmn", b"y")])


def tampered():
    return zipped([("processes/a.bpmn", b"good")]).replace(b"good", b"evil")


HOSTILE = {
    "archive.unreadable": [lambda: b"", lambda: b"not an archive", lambda: zipped([("processes/a.bpmn", b"x")])[:-30], tampered,
                           lambda: zipped([("processes/a.bpmn", b"x" * 999)], zipfile.ZIP_LZMA),
                           lambda: zipped([("processes/a.bpmn", b"x" * 999)], zipfile.ZIP_BZIP2)],
    "archive.path": [*(lambda name=name: zipped([(name, b"x")]) for name in (
        "../a.bpmn", "processes/../../a.bpmn", "/etc/passwd", "processes\\..\\a.bpmn", "C:/a.bpmn", "processes/a.bpmn.exe", "processes/a.py", "a.zip",
        "forms/tasks/a.html", "processes/é.bpmn", "processes/a\n.bpmn", "processes/-rf.bpmn", "manifest.json/a.bpmn")), linked],
    "archive.file_too_large": [lambda: zipped([("processes/a.bpmn", b"\0" * 1_000_001)], zipfile.ZIP_DEFLATED), lying_about_its_size],
    "archive.too_large": [lambda: zipped([("processes/a.bpmn", b"\0" * 11_000_000)]),
                          lambda: zipped([(f"processes/a{n}.bpmn", b"\0" * 999_999) for n in range(40)], zipfile.ZIP_DEFLATED)],
    "archive.too_many": [lambda: zipped([(f"processes/a{n}.bpmn", b"") for n in range(30_000)], manifest=False)],
    "archive.locked": [locked_up],
    "archive.repeated": [twice, lambda: zipped([("processes/a.bpmn", b"x"), ("processes/A.bpmn", b"y")])],
    "archive.manifest": [lambda: zipped([("processes/a.bpmn", b"x")], manifest=False), lambda: zipped([]),
                         lambda: zipped([("processes/a.bpmn", b"x"), ("manifest.json", b"[" * 100_000)], manifest=False),
                         lambda: zipped([("processes/a.bpmn", b"x"), ("manifest.json", b'{"format": "masar-edition-1", "files": {}}')], manifest=False)],
}  # fmt: skip


@pytest.mark.parametrize(("code", "make"), [(code, make) for code, makers in HOSTILE.items() for make in makers])
def test_a_hostile_archive_is_refused_in_a_sentence_within_three_seconds(code, make):
    content = make()
    began = time.monotonic()
    with pytest.raises(errors.Invalid) as refused:
        archives.unpack(content)
    assert time.monotonic() - began < 3
    allowed = {code, "archive.unreadable"} if make is lying_about_its_size else {code}
    assert refused.value.code in allowed
    assert "[" not in i18n.translate(refused.value.code, "ar", **refused.value.details)


def brought(world, sent, **more):
    meriem = world.staff["meriem"]
    with world.database.unit_of_work(meriem) as session:
        draft_id = incoming.bring_in(session, meriem, sent, **more)
    with world.database.reading(meriem) as session:
        return drafts.show(session, meriem, draft_id)


def test_an_archive_becomes_a_draft_of_exactly_its_files(world):
    files = {path: content for path, content in small.files().items() if path != "forms/tasks/visiter.toml"} | {"processes/etranger.bpmn": FOREIGN}
    whole = brought(world, [("edition.zip", archives.pack(files, "4"))], title="De Sfax")
    assert whole.files == files and whole.draft.title == "De Sfax"
    assert {one.path: one.change for one in drafts.changes(whole)} == {"forms/tasks/visiter.toml": "removed", "processes/etranger.bpmn": "added"}
    assert whole.files == files and whole.draft.title == "De Sfax"


def test_files_that_come_alone_find_their_place_and_keep_every_byte(world):
    form = small.files()["forms/tasks/orienter.toml"] + b"# autrement\n"
    dictionary = b'[group]\nid = "neuf"\nsubject = "case"\nlabel = { fr = "Neuf", ar = "x", en = "New" }\n'
    whole = brought(world, [("C:\\Users\\m\\parcours.bpmn", FOREIGN), ("orienter.toml", form), ("neuf.toml", dictionary),
                            ("table.dmn", b"<definitions/>"), ("f99.toml", b'id = "f99"'),
                            ("neuve.toml", b'id = "neuve"\n[[block]]\n')])
    laid = {one.path: whole.files[one.path] for one in drafts.changes(whole)}
    assert laid == {"processes/parcours.bpmn": FOREIGN, "forms/tasks/orienter.toml": form, "forms/dictionary/neuf.toml": dictionary,
                    "processes/decisions/table.dmn": b"<definitions/>", "forms/tasks/f99.toml": b'id = "f99"',
                    "forms/letters/neuve.toml": b'id = "neuve"\n[[block]]\n'}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "code"), [("a.exe", b"MZ", "archive.kind"), ("a.toml", b"[[[", "archive.kind"),
                                                       ("a.toml", b"x = 1", "archive.kind"),
                                                       ("a.toml", b"x = " + b"[" * 5000, "archive.kind"), ("...bpmn", b"x", "archive.path"),
                                                       ("a.bpmn", b"x" * 1_000_001, "archive.file_too_large"), ("a.zip", b"PK", "archive.unreadable")])  # fmt: skip
def test_what_is_no_file_of_an_edition_makes_no_draft(world, name, content, code):
    with pytest.raises(errors.Invalid, match=code):
        brought(world, [(name, content)])
    with pytest.raises(errors.Forbidden), world.database.unit_of_work(world.staff["chokri"]) as session:
        incoming.bring_in(session, world.staff["chokri"], [("a.bpmn", b"x")])
    with world.database.reading(world.staff["meriem"]) as session:
        assert drafts.listed(session, world.staff["meriem"]) == ()


def test_masar_itself_brings_in_what_is_typed_at_a_terminal(world):
    with world.database.unit_of_work(users.system()) as session:
        draft_id = incoming.bring_in(session, users.system(), [("orienter.toml", b'id = "orienter"')])
    with world.database.reading(world.staff["meriem"]) as session:
        assert drafts.show(session, world.staff["meriem"], draft_id).draft.opened_by == "Masar"
