"""Papers as a reader of PDF and a printer take them, by poppler; where it is not there, tests of papers are left out (`MASAR_TEST_ALL` makes that a failure)."""

import shutil
import subprocess
from pathlib import Path

import pytest


def read(pdf: bytes, folder: Path) -> str:
    """The text of a PDF in the order in which it is read."""
    return _run("pdftotext", pdf, folder, "-").stdout


def drawn(pdf: bytes, folder: Path) -> list[Path]:
    """A picture of each page, at the resolution of a poor printer."""
    _run("pdftoppm", pdf, folder, "page", "-r", "150", "-png")
    return sorted(folder.glob("page-*.png"))


def _run(program: str, pdf: bytes, folder: Path, to: str, *options: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which(program):
        pytest.skip(f"{program} is not there: apt-get install poppler-utils")
    (folder / "paper.pdf").write_bytes(pdf)
    return subprocess.run([program, *options, "paper.pdf", to], cwd=folder, capture_output=True, text=True, check=True)
