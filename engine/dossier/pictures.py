"""Photographs and scans made anew from their pixels alone: what else a file carries (place, day, telephone, comments, what hides after the end) is left behind.

Not which files are pictures at all (`documents.kind_of`), nor where they are kept.
"""

import io
import struct

import pi_heif
from PIL import Image, ImageOps

from engine import errors

# A telephone's 50 million pixels: a decoded picture takes four bytes each, whatever the file weighs.
MOST_PIXELS = 50_000_000
# The formats that are read, and the one each is kept in. A browser does not open what an iPhone takes.
_FORMATS = {"image/jpeg": ("JPEG", "image/jpeg"), "image/png": ("PNG", "image/png"), "image/webp": ("WEBP", "image/webp"), "image/heic": ("HEIF", "image/jpeg")}
_SAVING = {"JPEG": {"quality": 90}, "PNG": {}, "WEBP": {"quality": 90}}
_MODES = {"JPEG": {"L", "RGB", "CMYK"}, "PNG": {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}, "WEBP": {"RGB", "RGBA"}}
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, OverflowError, TypeError, RuntimeError, struct.error)

pi_heif.register_heif_opener(thumbnails=False)


def made_anew(content: bytes, media_type: str) -> tuple[bytes, str]:
    """The picture, upright, and its media type (HEIC becomes JPEG). Refuses (Invalid): `document.too_many_pixels`, `document.damaged`."""
    read, kept = _FORMATS[media_type]
    try:
        with Image.open(io.BytesIO(content), formats=[read]) as picture:
            if picture.width * picture.height > MOST_PIXELS:  # before a pixel is decoded
                raise Image.DecompressionBombError
            picture.load()
            upright = ImageOps.exif_transpose(picture)
        return _saved(upright, kept.removeprefix("image/").upper()), kept
    except Image.DecompressionBombError as trouble:
        raise errors.Invalid("document.too_many_pixels", megapixels=MOST_PIXELS // 1_000_000) from trouble
    except _BROKEN as trouble:
        raise errors.Invalid("document.damaged") from trouble


def _saved(picture: Image.Image, kept: str) -> bytes:
    """The first picture of the file in its format, with nothing beside the pixels."""
    if "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if picture.mode not in _MODES[kept]:
        picture = picture.convert("RGBA" if picture.has_transparency_data and kept != "JPEG" else "RGB")
    picture.info = {}
    made = io.BytesIO()
    picture.save(made, kept, **_SAVING[kept])
    return made.getvalue()
