"""An Excel workbook as the text of its first sheet. It comes from outside: what it unpacks to is bounded, nothing that declares entities is read, and what would be
worked out (formulas, macros) is refused: what a formula last gave need not be what its author sees, and is nothing where it was never worked out."""

import csv
import datetime as dt
import io
import re
import zipfile
from typing import Any

from openpyxl import load_workbook

from engine import errors

MAGIC = b"PK\x03\x04"
MOST_PARTS, MOST_UNPACKED, MOST_ROWS, MOST_COLUMNS = 200, 8_000_000, 10_000, 60
_MACROS = re.compile(r"vbaProject|vbaData|/(macro|dialog)sheets/", re.IGNORECASE)
_MOST_NAMED = 5  # formulas told by their cells


def as_csv(content: bytes) -> bytes:
    """The first sheet, a row a line, days as `31/12/2026`. Refuses: `import.workbook`, `import.workbook_large`, `import.workbook_macros`, `import.workbook_formulas`
    (naming the cells)."""
    written, formulas = io.StringIO(), list[str]()
    rows = csv.writer(written, delimiter=";", lineterminator="\n")
    try:
        book = load_workbook(_unpacked(content), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its size may leave rows out
        for place, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS), 1):
            if place > MOST_ROWS:
                raise errors.Invalid("import.workbook_large", rows=MOST_ROWS, megabytes=MOST_UNPACKED // 1_000_000)
            formulas += [cell.coordinate for cell in row if cell.data_type == "f"]
            cells = [_typed(cell.value) for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            rows.writerow(cells)
    except errors.Invalid:
        raise
    except Exception as trouble:  # whatever a damaged or hostile file makes of the library
        raise errors.Invalid("import.workbook") from trouble
    if formulas:
        raise errors.Invalid("import.workbook_formulas", cells=", ".join(formulas[:_MOST_NAMED]), count=len(formulas))
    return written.getvalue().encode()


def _unpacked(content: bytes) -> io.BytesIO:
    """The workbook with its parts as they are: whoever reads a packed part whole unpacks all that is there, whatever size its directory says."""
    plain = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(plain, "w") as written:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS or sum(one.file_size for one in parts) > MOST_UNPACKED:
            raise errors.Invalid("import.workbook_large", rows=MOST_ROWS, megabytes=MOST_UNPACKED // 1_000_000)
        if any(_MACROS.search(one.filename) for one in parts):
            raise errors.Invalid("import.workbook_macros")
        for one in parts:
            with archive.open(one) as part:
                unpacked = part.read(MOST_UNPACKED)
            if one.filename.endswith((".xml", ".rels")) and (b"<!" in unpacked.replace(b"<![CDATA[", b"").replace(b"<!--", b"") or b"\0" in unpacked):
                raise errors.Invalid("import.workbook")
            if one.filename == "[Content_Types].xml" and b"macroEnabled" in unpacked:
                raise errors.Invalid("import.workbook_macros")
            written.writestr(one.filename, unpacked)
    return plain


def _typed(value: Any) -> str:
    """A cell as one would type it."""
    if isinstance(value, dt.datetime | dt.date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return "" if value is None else str(value)
