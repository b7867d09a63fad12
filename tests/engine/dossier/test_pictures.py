"""Pictures that are sent: what they say besides what they show stays with the sender; what cannot be opened is said."""

import io
import struct

import pytest
from PIL import Image

from engine import errors
from tests.engine.dossier.test_documents import HEIC, JPEG, PNG, WEBP, _chunk, fetch, keep, person, picture  # noqa: F401 (keep is a fixture)

HEIC_OF_NOTHING = struct.pack(">I", 24) + b"ftypmif1\0\0\0\0mif1heic" + b"\0" * 30


def shown(content):
    """The picture as a screen shows it."""
    made = Image.open(io.BytesIO(content))
    made.load()
    return made


def place():
    """What a telephone writes into a photograph: who made it, where, and that it is to be turned."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Telephone of Salma", 6
    exif.get_ifd(0x8825).update({1: "N", 2: (33.0, 30.0, 7.0), 3: "E", 4: (11.0, 6.0, 44.0)})
    return exif


def huge(width, height):
    """A PNG of a few hundred bytes that says it is as large as that."""
    return PNG[:8] + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + PNG[33:]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photograph_keeps_neither_its_place_nor_its_telephone_and_stands_upright(database, keep, kind):  # noqa: F811
    more = {"comment": b"chez Salma"} if kind == "JPEG" else {}
    sent = picture(kind, exif=place(), icc_profile=b"profile of Salma" * 20, **more)
    assert b"Telephone of Salma" in sent, "it is there to be left behind"
    me = person()
    found = fetch(database, me, keep(me, sent))
    for trace in (b"Salma", b"Exif", b"eXIf", b"EXIF", b"ICCP", b"iCCP", b"ICC_PROFILE"):
        assert trace not in found.content
    upright = shown(found.content)
    assert upright.size == (48, 64) and not upright.getexif()
    top, bottom = upright.convert("RGB").getpixel((24, 5)), upright.convert("RGB").getpixel((24, 59))
    assert top[0] > 200 > top[2] and bottom[2] > 200 > bottom[0], "turned a quarter: red above, blue below"


def test_an_iphone_photograph_becomes_one_that_a_browser_opens_without_its_place(database, keep):  # noqa: F811
    assert b"Telephone of Salma" in HEIC
    me = person()
    found = fetch(database, me, keep(me, HEIC, "IMG_0001.HEIC"))
    assert (found.media_type, found.name) == ("image/jpeg", "IMG_0001.jpg") and b"Salma" not in found.content and b"Exif" not in found.content
    assert shown(found.content).format == "JPEG"


def test_what_hides_after_the_end_of_a_photograph_is_left_behind(database, keep):  # noqa: F811
    me = person()
    assert b"en cachette" not in fetch(database, me, keep(me, JPEG + b"quelque chose en cachette")).content


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_a_scan_of_whatever_depth_is_kept_as_it_looks(database, keep, mode):  # noqa: F811
    if mode == "CMYK":
        made, kind = Image.new("CMYK", (20, 10), (0, 255, 255, 0)), "JPEG"
    else:
        made, kind = Image.new(mode, (20, 10), 1 if mode in ("1", "P") else 200 if mode != "LA" else (200, 90)), "PNG"
    out, me = io.BytesIO(), person()
    made.save(out, kind)
    found = shown(fetch(database, me, keep(me, out.getvalue())).content)
    before = shown(out.getvalue()).convert("RGBA").getpixel((5, 5))
    assert found.size == (20, 10) and all(abs(one - other) < 6 for one, other in zip(before, found.convert("RGBA").getpixel((5, 5)), strict=True))


@pytest.mark.parametrize("size", [(7072, 7072), (60_000, 60_000), (2**31 - 1, 2**31 - 1), (1, 2**31 - 1)])
def test_a_picture_of_too_many_pixels_is_refused_before_it_fills_the_memory(keep, size):  # noqa: F811
    with pytest.raises(errors.Invalid, match="document.too_many_pixels"):
        keep(person(), huge(*size))


@pytest.mark.parametrize(
    "content",
    [JPEG[: len(JPEG) // 2], JPEG[:40], WEBP[:20] + b"\0" * (len(WEBP) - 20), huge(100, 100), huge(0, 0), HEIC_OF_NOTHING],
    ids=["half a JPEG", "the head of a JPEG", "an empty WebP", "a PNG cut short", "a PNG of nothing", "a HEIC of nothing"],
)
def test_a_picture_that_does_not_open_is_refused_with_a_sentence(keep, content):  # noqa: F811
    with pytest.raises(errors.Invalid, match="document.damaged"):
        keep(person(), content)
